"""Known ways around approval, each tried twice: it fails, and works once its check is taken out.

The second half shows that the attack is real and that this very check is what stops it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from support.governance import LICENCE, SEATS, Keys, World, person, rule, witness_quorum
from support.weakened import Case, Patch, instead, is_bound, no_signatures, without

from spotbeam.governance import anchors, binding, proofs, quorum, roster, version_1, witnesses
from spotbeam.governance.entries import Envelope, entry_bytes, envelope, signed, unsigned
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import (
    AddFactor,
    DropRule,
    Merge,
    PutList,
    PutRule,
    Seat,
    SetQuorum,
    SetWitnesses,
    Unseat,
)
from spotbeam.governance.entries.asking import Withdrawal
from spotbeam.governance.entries.deciding import Emergency
from spotbeam.governance.entries.people import (
    Factor,
    FileKey,
    FileProof,
    Genesis,
    QuorumRule,
    Revocation,
)
from spotbeam.governance.entries.words import DAY_US, HOUR_US, Span
from spotbeam.governance.history import state
from spotbeam.governance.policy import policy
from spotbeam.record.keys import encode_base64


def edited_after_approval() -> bool:
    """Show a narrow rule, collect the signatures, and carry them over to a wide one."""
    world = World()
    request = world.request()
    shown = world.change(PutRule(rule(except_=("UA-43",))), request=request)
    approvals = [
        envelope.unsigned(
            world.approval(shown), id=f"a-{name}", actor=name, key=world.keys[name].digest
        )
        for name in ("bo", "cy")
    ]
    proofs_given = [
        msgspec.convert(
            msgspec.json.decode(
                signed(each, world.origin, world.now.genesis, world.keys[each.actor].sign)
            ),
            Envelope,
        ).proof
        for each in approvals
    ]
    edited = world.change(PutRule(rule()), request=request)
    for each, proof in zip(approvals, proofs_given, strict=True):
        body = {**each.body, "change": world.now.changes[edited].digest}
        world.add(entry_bytes(msgspec.structs.replace(each, body=body, proof=proof)))
    world.anchor()
    return is_bound(world, edited)


def base_moved_after_approval() -> bool:
    """Approvers see an exception for hospitals next to a ban; then the exception goes first."""
    world = World()
    world.pass_change(PutRule(rule("hospitals", effect="exempt", gate=None, lifts=("list",))))
    drop = world.change(DropRule("hospitals"))
    ban = world.change(PutRule(rule("ban", effect="deny", gate="list")))
    world.approve(ban, "bo", "cy")
    world.approve(drop, "dee", "bo")
    world.anchor()
    assert is_bound(world, drop)
    return is_bound(world, ban)


class _FitsAll(str):
    """A digest that is like every other."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return True


class _LaxQuorum(QuorumRule, frozen=True, forbid_unknown_fields=True, kw_only=True):
    persons: int = 2
    factors: int = 2


class _LaxGenesis(Genesis, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="genesis"):
    quorum: _LaxQuorum


def quorum_of_one() -> bool:
    """Begin a log in which one approval is enough."""
    world = World.__new__(World)
    world.__dict__.update(World().__dict__)
    world.entries, world.now = [], type(world.now)()
    world.add(world.genesis(quorum=_LaxQuorum(persons=1, factors=1)))
    if world.now.roster is None:
        return False
    return is_bound(world, world.pass_change(people=("bo",)))


def allow_quorum_of_one(patch: Patch) -> None:
    patch.setitem(envelope.BODIES, "genesis", _LaxGenesis)  # type: ignore[arg-type]


def seat_in(world: World, factor: Factor, name: str) -> None:
    """Have a quorum add a factor and a person in it, and let the 72 hours pass."""
    keys = Keys(name)
    world.keys[name] = keys
    proof = keys.possession(name, f"seat-{name}", world.now.genesis, world.origin)
    body = world.change_body(
        AddFactor(factor),
        Seat(person=person(name, keys, factor.id, ("approver",)), possessions=(proof,)),
    )
    world.say(body, "ada", f"seat-{name}")
    world.approve(f"seat-{name}", "bo", "cy") if f"seat-{name}" in world.now.changes else None
    world.anchor()
    world.anchor(after_us=4 * DAY_US)


def same_named_group() -> bool:
    """Have a second group called "Regulator" seated, filled by the operator's own party."""
    world = World()
    seat_in(world, Factor(id="regulator-2", name="Regulator", party="spotbeam-op"), "gil")
    if "gil" not in world.now.seated.persons:
        return False
    return is_bound(world, world.pass_change(people=("bo", "gil")))


def self_approval_by_alias() -> bool:
    """Propose under one id and approve under another, after both were found to be one human."""
    world = World()
    seat_in(world, Factor(id="press", name="Press", party="a-union"), "ada-2")
    world.pass_change(Merge(person="ada-2", same_as="ada"))
    return is_bound(world, world.pass_change(people=("ada-2", "cy"), by="ada"))


def requester_approves() -> bool:
    """Ask as oneself, have a colleague propose it, and approve."""
    world = World()
    request = world.request(actor="cy")
    return is_bound(world, world.pass_change(people=("bo", "cy"), request=request))


def one_human_in_two_factors() -> bool:
    """Approve twice, from two seats in two factors."""
    world = World()
    seat_in(world, Factor(id="press", name="Press", party="a-union"), "bo-2")
    world.pass_change(Merge(person="bo-2", same_as="bo"))
    return is_bound(world, world.pass_change(people=("bo", "bo-2")))


def as_if_two_humans(patch: Patch) -> None:
    without("repeated")(patch)
    patch.setattr(roster, "_merged", lambda roster, act: roster)


def list_row_without_quorum() -> bool:
    """Put a kit on the white list alone: it is only a row."""
    world = World()
    change = world.change(PutList(list="kits", version=1, count=1, root="1" * 64))
    world.approve(change, "bo")
    world.anchor()
    return is_bound(world, change)


def anybody(*_: object) -> bool:
    return True


def factors_as_or() -> bool:
    """Three persons of one factor: enough people, one party."""
    world = World(seats={**SEATS, "abe": ("operator", ("approver",))})
    return is_bound(world, world.pass_change(people=("bo", "abe"), by="rex"))


def _or(state: Any, rule: QuorumRule, approvals: Any) -> bool:
    humans = {state.seated.persons[given.person].human for given in approvals}
    return len(humans) >= rule.persons or len(humans) >= rule.factors


def approver_removed_mid_flight() -> bool:
    """Have somebody approve, take their seat, and use their word all the same."""
    world = World()
    change = world.change()
    world.approve(change, "dee")
    world.pass_change(Unseat("dee"), people=("bo", "cy"))
    world.approve(change, "bo")
    world.anchor()
    return is_bound(world, change)


def key_revoked_after_approval() -> bool:
    """Steal a key, approve with it, and count it although its owner gave it up at once."""
    world = World()
    change = world.change()
    world.approve(change, "bo", "cy")
    world.say(Revocation(revoked=world.keys["cy"].digest), "cy")
    world.anchor()
    return is_bound(world, change)


def gone_still_count(patch: Patch) -> None:
    without("not_seated", "revoked")(patch)
    for module in (binding, version_1):
        patch.setattr(module, "suspended_by", lambda state, *_: state)


def hoarded_approvals() -> bool:
    """Collect approvals that never expire, and put them in the log at the worst moment."""
    world = World()
    change = world.change()
    far = world.clock_us + 25 * DAY_US
    hoard = [world.write(world.approval(change, expires_us=far), name) for name in ("bo", "cy")]
    world.anchor(after_us=15 * DAY_US)
    for data in hoard:
        world.add(data)
    world.anchor()
    return is_bound(world, change)


def replayed_from_a_demo() -> bool:
    """Take what people signed in a demo of the same name, and put it in the real log."""
    demo, real = World(salt="d" * 64), World()
    demo.pass_change()
    for data in demo.entries[1:]:
        real.add(data)
    real.count = demo.count
    real.anchor()
    return any(is_bound(real, name) for name in real.now.changes)


def any_log(origin: str, genesis: str, found: Envelope) -> bytes:
    return envelope.statement("", "", found)


def newcomer_approves_what_waits() -> bool:
    """Seat a friend while a change waits, and have the friend approve it."""
    world = World()
    change = world.change(lapses_us=world.clock_us + 20 * DAY_US)
    seat_in(world, Factor(id="press", name="Press", party="a-union"), "gil")
    world.approve(change, "bo", "gil")
    world.anchor()
    return is_bound(world, change)


def seated_without_waiting() -> bool:
    """Seat a friend, and use their seat the same day."""
    world = World()
    keys = Keys("gil")
    world.keys["gil"] = keys
    proof = keys.possession("gil", "seat-gil", world.now.genesis, world.origin)
    seat = Seat(person=person("gil", keys, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat-gil")
    world.approve("seat-gil", "bo", "cy")
    world.anchor()
    return is_bound(world, world.pass_change(people=("bo", "gil")))


def seated_with_a_stolen_public_key() -> bool:
    """Seat somebody with a public key that they do not hold, to be able to say who they are."""
    world = World()
    keys, thief = Keys("victim"), Keys("thief")
    proof = thief.possession("gil", "seat-gil", world.now.genesis, world.origin)
    proof = msgspec.structs.replace(proof, key=keys.digest)
    seat = Seat(person=person("gil", keys, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat-gil")
    return "seat-gil" in world.now.changes


def one_key_for_two_people() -> bool:
    """Seat a second person with a key that somebody has already."""
    world = World()
    keys = world.keys["bo"]
    proof = keys.possession("gil", "seat-gil", world.now.genesis, world.origin)
    seat = Seat(person=person("gil", keys, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat-gil")
    return "seat-gil" in world.now.changes


def key_under_which_anybody_signs() -> bool:
    """Seat a person with the neutral point as key: one signature fits every text."""
    world = World()
    neutral = Keys("gil")
    neutral.sign = lambda _: bytes([1]) + bytes(63)  # type: ignore[method-assign]
    neutral.key = FileKey(encode_base64(bytes([1]) + bytes(31)))
    neutral.digest = proofs.sha256(b"ed25519\0" + bytes([1]) + bytes(31)).hexdigest()
    proof = neutral.possession("gil", "seat-gil", world.now.genesis, world.origin)
    seat = Seat(person=person("gil", neutral, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat-gil")
    return "seat-gil" in world.now.changes


def planted_contact() -> bool:
    """Keep an approver away by writing that they met somebody."""
    world = World()
    contact = Contact(person="cy", party="xx", where=("UA",), at_us=world.clock_us)
    world.say(contact, "ada")
    world.anchor()
    return not is_bound(world, world.pass_change(people=("bo", "cy")))


def _planted(state: Any, entry: Any, body: Contact, _: object) -> Any:
    return _TOUCHED(state, entry, body, state.seated.persons[body.person])


_TOUCHED = version_1.touched


def forged_word(body: Callable[[World, str], Any], wanted: str) -> Callable[[], bool]:
    """Say something in the name of a person whose key one does not have."""

    def attack() -> bool:
        world = World()
        change = world.change()
        said = unsigned(body(world, change), id="forged", actor="ada", key=world.keys["ada"].digest)
        proof = FileProof(encode_base64(world.keys["rex"].sign(b"whatever")))
        world.add(entry_bytes(msgspec.structs.replace(said, proof=proof)))
        return world.status(change) == wanted

    return attack


def log_says_it_all() -> bool:
    """Write a change in the log's own name, as the server may write arrivals."""
    world = World()
    request = world.request()
    body = world.change_body(request=request)
    world.log_says(body, "by-the-log")
    return "by-the-log" in world.now.changes


def emergency(world: World, where: tuple[str, ...] = ("UA",), name: str = "off") -> str:
    off = rule(name, effect="deny", gate="order", emergency=True, where=where)
    found = world.say(
        Emergency(
            request=world.request(where=where, verb="deactivate"),
            grounds=(LICENCE,),
            acts=(PutRule(off),),
            lasts_us=DAY_US,
            impact="4" * 64,
            lapses_us=world.clock_us + 10 * DAY_US,
        ),
        "ada",
    )
    if found in world.now.changes:
        world.approve(found, "bo", "cy")
        world.anchor()
    return found


LARGE = QuorumRule(persons=3, factors=2)


def chained_emergencies() -> bool:
    """Turn it off for a day, and again the next day, with the same two people."""
    world = World(quorum=LARGE)
    assert is_bound(world, emergency(world))
    world.anchor(after_us=23 * HOUR_US)
    return is_bound(world, emergency(world, name="off-again"))


def salami() -> bool:
    """Turn a country off oblast by oblast, each its own small emergency."""
    world = World(quorum=LARGE)
    oblasts = ("UA-43", "UA-65", "UA-14", "UA-09")
    done = [is_bound(world, emergency(world, (o,), f"off-{o.lower()}")) for o in oblasts]
    assert done[0]
    return all(done)


def weak_witnesses() -> bool:
    """Have the witness quorum changed to one that a single organisation can meet."""
    world = World()
    weak = witness_quorum()
    weak = msgspec.structs.replace(weak, organisations=dict.fromkeys(weak.organisations, "org"))
    return world.change(SetWitnesses(weak)) in world.now.changes


def moved_to_other_witnesses() -> bool:
    """Move to witnesses whom the old ones never saw: only the old quorum signs the anchor."""
    world = World()
    change = world.change(SetWitnesses(witness_quorum(("w4", "w5", "w6"))))
    world.approve(change, "bo", "cy")
    world.anchor()
    return is_bound(world, change)


def starved_quorum() -> bool:
    """Raise the quorum until nobody can ever change anything again."""
    world = World()
    return world.change(SetQuorum(QuorumRule(persons=9, factors=3))) in world.now.changes


def anchor_of_another_tree() -> bool:
    """Anchor with a cosigned checkpoint of a log that has other entries."""
    world = World()
    change = world.change()
    world.approve(change, "bo", "cy")
    world.anchor(root=bytes(32))
    return is_bound(world, change)


def back_dated() -> bool:
    """Have a change act before anybody had witnessed it."""
    world = World()
    world.anchor()
    early = world.clock_us - DAY_US
    world.pass_change(window=Span(from_us=early))
    return bool(policy(state(world.history(), early)).rules)


def dated_by_one_witness() -> bool:
    """Let one witness sign with a date far ahead, so that every right in the record is over."""
    world = World()
    world.anchor(ahead_s={"w1": 40 * 365 * 86_400})
    return world.now.witnessed_us > world.clock_us + 365 * DAY_US


def ordered_by_one_voice() -> bool:
    """The owner has staff switch a coast off: it is ordered, proposed and obeyed in one party."""
    world = World()
    off = rule("coast-off", effect="deny", gate="order", where=("UA-65",))
    request = world.request(where=("UA-65",), verb="deactivate", actor="rex")
    change = world.change(PutRule(off), request=request)
    world.approve(change, "bo")
    world.anchor()
    return is_bound(world, change)


CASES = {
    "edited after approval": Case(edited_after_approval, no_signatures),
    "base moved after approval": Case(
        base_moved_after_approval, instead(binding, "reads_digest", lambda *_: _FitsAll())
    ),
    "quorum of one": Case(quorum_of_one, allow_quorum_of_one),
    "same-named group": Case(same_named_group, without("same_name", "same_party")),
    "self-approval by alias": Case(self_approval_by_alias, without("own_proposal")),
    "requester approves": Case(requester_approves, without("own_proposal")),
    "one human in two factors": Case(one_human_in_two_factors, as_if_two_humans),
    "list row without quorum": Case(list_row_without_quorum, instead(binding, "is_met", anybody)),
    "factors as or": Case(factors_as_or, instead(binding, "is_met", _or)),
    "approver removed": Case(approver_removed_mid_flight, gone_still_count),
    "key revoked": Case(key_revoked_after_approval, gone_still_count),
    "hoarded approvals": Case(
        hoarded_approvals, instead(anchors, "APPROVAL_LASTS_US", 1_000 * DAY_US)
    ),
    "replayed from a demo": Case(replayed_from_a_demo, no_signatures),
    "newcomer approves what waits": Case(newcomer_approves_what_waits, without("newcomer")),
    "seated without waiting": Case(seated_without_waiting, instead(roster, "NEWCOMER_WAITS_US", 0)),
    "stolen public key": Case(seated_with_a_stolen_public_key, no_signatures),
    "one key for two people": Case(one_key_for_two_people, without("key_reused")),
    "a key that anybody signs with": Case(
        key_under_which_anybody_signs, instead(proofs, "_SMALL_ORDER_Y", frozenset())
    ),
    "planted contact": Case(planted_contact, instead(version_1, "touched", _planted)),
    "forged withdrawal": Case(
        forged_word(lambda _, change: Withdrawal(target=change), "withdrawn"), no_signatures
    ),
    "the log says it": Case(
        log_says_it_all,
        instead(
            version_1,
            "signer",
            lambda state, entry: state.seated.persons.get(
                entry.envelope.actor, state.seated.persons["ada"]
            ),
        ),
    ),
    "chained emergencies": Case(
        chained_emergencies, instead(binding, "quorum_for", lambda *_: quorum.EMERGENCY)
    ),
    "salami": Case(
        salami, instead(quorum, "same_country", lambda one, other: bool(set(one) & set(other)))
    ),
    "weak witnesses": Case(weak_witnesses, instead(witnesses, "check_quorum", lambda *_, **__: 0)),
    "moved to other witnesses": Case(
        moved_to_other_witnesses, instead(binding, "witnessed", lambda *_: None)
    ),
    "starved quorum": Case(starved_quorum, without("starved")),
    "anchor of another tree": Case(
        anchor_of_another_tree, instead(anchors, "root_of", lambda _: bytes(32))
    ),
    "ordered by one voice": Case(ordered_by_one_voice, instead(binding, "is_met", anybody)),
    "dated by one witness": Case(dated_by_one_witness, without("misdated")),
    "back-dated": Case(back_dated, instead(binding, "max", lambda _, begin: begin)),
}


@pytest.mark.parametrize("name", CASES)
def test_the_attack_fails(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_it_succeeds(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


def test_an_order_that_two_parties_follow_is_on_record_with_whoever_gave_it() -> None:
    """The same order with a second party's hand: it acts, and the record says by whom it came."""
    world = World()
    off = rule("coast-off", effect="deny", gate="order", where=("UA-65",))
    request = world.request(
        where=("UA-65",), verb="deactivate", asker="the-owner", channel="telephone"
    )
    change = world.pass_change(PutRule(off), request=request)
    assert is_bound(world, change)
    asked, bound = world.now.requests[request], world.now.changes[change]
    assert (asked.request.asker, asked.request.channel) == ("the-owner", "telephone")
    assert (asked.status, asked.ended_by) == ("granted", change)
    assert sorted(bound.approvals) == ["bo", "cy"]
    assert bound.bound_index is not None
