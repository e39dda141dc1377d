"""Ways to capture the roster, the witnesses, an emergency or a reader, each beside its control."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest
from support.governance import LICENCE, SEATS, Keys, World, person, rule, witness_quorum
from support.weakened import Case, Patch, instead, is_bound, no_signatures, without

from spotbeam.governance import VERSIONS, apply, binding, fold, history, witnesses
from spotbeam.governance.entries import BODIES, Entry, entry_bytes, envelope, unsigned
from spotbeam.governance.entries.acts import AddKey, PutRule, Seat, SetWitnesses, Unseat
from spotbeam.governance.entries.asking import Withdrawal
from spotbeam.governance.entries.deciding import Change, Emergency
from spotbeam.governance.entries.people import (
    FileProof,
    Person,
    QuorumRule,
    Revocation,
    WitnessQuorum,
)
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.state import Given, Layer, Proposed, State
from spotbeam.record import policy
from spotbeam.record.keys import encode_base64

# -- the roster


def seat(world: World, found: Person, keys: Keys) -> bool:
    """Have a quorum seat somebody; whether they have the seat."""
    name = f"seat-{found.id}"
    proof = keys.possession(found.id, name, world.now.genesis, world.origin)
    world.say(world.change_body(Seat(person=found, possessions=(proof,))), "ada", name)
    if name in world.now.changes:
        world.approve(name, "bo", "cy")
        world.anchor()
    return is_bound(world, name)


def second_seat_for_one_human() -> bool:
    """Sit on the regulator's bench too, under another name, to be two persons of two factors."""
    world, keys = World(), Keys("bo again")
    twin = msgspec.structs.replace(
        person("bo-2", keys, "regulator", ("approver",)),
        identity=person("bo", world.keys["bo"], "operator", ("approver",)).identity,
    )
    return seat(world, twin, keys)


def id_of_somebody_who_left() -> bool:
    """Take the id of a trusted person who left, so that old and new words look like theirs."""
    world, keys = World(), Keys("new dee")
    world.pass_change(Unseat("dee"))
    new = msgspec.structs.replace(
        person("dee", keys, "civil", ("approver",)), identity="9" * 64, factor="civil"
    )
    return seat(world, new, keys)


def lost_key_enrolled_again() -> bool:
    """Bring in again a key that its owner gave up when it was stolen."""
    world = World()
    stolen = world.keys["cy"]
    world.say(Revocation(revoked=stolen.digest), "cy")
    proof = stolen.possession("cy", "again", world.now.genesis, world.origin)
    body = world.change_body(AddKey(person="cy", key=stolen.key, possession=proof))
    world.say(body, "ada", "again")
    if "again" in world.now.changes:
        world.approve("again", "bo", "dee")
        world.anchor()
    return is_bound(world, "again")


def slow_additions() -> bool:
    """Fill the roster with one's own people, whom one's own people approve."""
    world = World(seats={**SEATS, "abe": ("operator", ("approver",))})
    keys = Keys("gil")
    proof = keys.possession("gil", "seat-gil", world.now.genesis, world.origin)
    act = Seat(person=person("gil", keys, "operator", ("approver",)), possessions=(proof,))
    world.say(world.change_body(act), "rex", "seat-gil")
    world.approve("seat-gil", "ada", "bo", "abe")
    world.anchor()
    return is_bound(world, "seat-gil")


def people_who_never_agreed() -> bool:
    """Begin a record in the name of people whose public keys one has seen."""
    world = World()
    thief = Keys("thief")
    possessions = tuple(
        msgspec.structs.replace(
            thief.possession(name, "genesis", "", world.origin), key=keys.digest
        )
        for name, keys in world.keys.items()
    )
    return apply(State(), world.genesis(possessions=possessions)).roster is not None


def one_party_in_all_factors_of_the_approvals(patch: Patch) -> None:
    patch.setattr("spotbeam.governance.binding.is_met", lambda *_: True)


# -- the witnesses


def brought_in(quorum: WitnessQuorum) -> bool:
    world = World()
    return world.change(SetWitnesses(quorum)) in world.now.changes


def disjoint_quorums() -> bool:
    """Two of four witnesses are enough: two views of the log can both be signed."""
    quorum = witness_quorum(("w1", "w2", "w3", "w4"))
    text = quorum.policy.replace("group q 3", "group q 2")
    return brought_in(msgspec.structs.replace(quorum, policy=text))


def overlap_in_one_that_may_lie() -> bool:
    """Any two quorums share one organisation: if that one lies, both views are signed."""
    quorum = witness_quorum(("w1", "w2", "w3"))
    text = quorum.policy.replace("group q 3", "group q 2")
    return brought_in(msgspec.structs.replace(quorum, policy=text))


def no_mirror() -> bool:
    """Witnesses that see hashes only: entries may be signed and never published."""
    return brought_in(msgspec.structs.replace(witness_quorum(), mirrors=()))


def one_key_twice() -> bool:
    """One witness under two names and two organisations."""
    quorum = witness_quorum(("w1", "w2", "w3"))
    lines = quorum.policy.splitlines()
    key = next(line.split()[2] for line in lines if line.startswith("witness w1"))
    lines = [f"witness w2 {key}" if line.startswith("witness w2") else line for line in lines]
    return brought_in(msgspec.structs.replace(quorum, policy="\n".join(lines) + "\n"))


def any_witness(patch: Patch) -> None:
    def take(self: Any, words: list[str]) -> None:
        self._define(words[0])
        key = policy.parse_verifier_key(words[1])
        self.witnesses.append(policy.PolicyWitness(words[0], key, None))

    patch.setattr(policy._Reading, "_witness", take)


def not_weighed(patch: Patch) -> None:
    patch.setattr(witnesses, "check_quorum", lambda *_, **__: None)


# -- words


def approval_replayed_after_it_was_taken_back() -> bool:
    """Somebody thinks better of it; their approval is put in the log a second time."""
    world = World()
    change = world.change()
    data = world.write(world.approval(change), "cy", "a-word")
    world.add(data)
    world.say(Withdrawal(target="a-word"), "cy")
    world.approve(change, "bo")
    world.add(data)
    world.anchor()
    return is_bound(world, change)


def expired_approval() -> bool:
    """Let somebody's word of the day before yesterday complete a quorum."""
    world = World()
    change = world.change()
    world.approve(change, "bo")
    world.anchor()
    world.anchor(after_us=2 * DAY_US)
    world.approve(change, "cy")
    world.anchor()
    return is_bound(world, change)


def _for_ever(state: State, proposed: Proposed) -> list[Given]:
    return [each for each in proposed.approvals.values() if each.is_anchored]


def in_the_name_of(body: Callable[[World, str], Any], actor: str) -> bool:
    """Write a word in somebody's name, with their key named and another one's signature."""
    world = World()
    change = world.change()
    said = unsigned(body(world, change), id="forged", actor=actor, key=world.keys[actor].digest)
    proof = FileProof(encode_base64(world.keys["rex"].sign(b"whatever")))
    world.add(entry_bytes(msgspec.structs.replace(said, proof=proof)))
    return world.last_code() is None


def forged_rejection() -> bool:
    """End a proposal with the rejection of somebody who never saw it."""
    return in_the_name_of(lambda world, change: world.approval(change, word="reject"), "dee")


def forged_proposer() -> bool:
    """Propose in the name of the one who would refuse: they may then not decide on it."""
    return in_the_name_of(lambda world, _: world.change_body(request=world.request()), "cy")


# -- emergencies


def _emergency(world: World, **changes: Any) -> str:
    off = rule("off", effect="deny", gate="order", emergency=True)
    body = {
        "request": world.request(verb="deactivate"),
        "grounds": (LICENCE,),
        "acts": (PutRule(off),),
        "lasts_us": DAY_US,
        "impact": "4" * 64,
        "lapses_us": world.clock_us + 10 * DAY_US,
    }
    kind = BODIES["emergency"]
    name = world.say(kind(**{**body, **changes}), "ada")  # type: ignore[arg-type]
    if name in world.now.changes:
        world.approve(name, "bo", "cy")
        world.anchor()
    return name


LARGE = QuorumRule(persons=3, factors=2)


def emergency_that_nobody_ends() -> bool:
    """Turn it off for a day, and see to it that nothing is ever written again."""
    world = World(quorum=LARGE)
    assert is_bound(world, _emergency(world))
    at_us = world.clock_us
    assert len(history.state(world.history(), at_us).rules) == 1
    return bool(history.state(world.history(), at_us + DAY_US).rules)


def emergency_of_a_year() -> bool:
    """Turn it off for a year, by two people."""
    world = World(quorum=LARGE)
    return is_bound(world, _emergency(world, lasts_us=365 * DAY_US))


class _LongEmergency(Emergency, frozen=True, kw_only=True, tag="emergency"):
    lasts_us: Annotated[int, msgspec.Meta(ge=1)]


# -- readers


def junk_as_a_switch() -> bool:
    """Put bytes in the log on which a reader breaks, so that nothing after them takes effect."""
    world = World()
    try:
        for junk in (b"[" * 60_000, b'"\\ud800"', b"\xff", b"1e999", b"{}"):
            world.add(junk)
        change = world.pass_change()
        return fold(world.entries).now.changes[change].status != "bound"
    except (ValueError, RecursionError):
        return True


def breaks(patch: Patch) -> None:
    strict = VERSIONS[1]

    def trusting(state: State, data: bytes) -> State:
        json.loads(data)
        return strict(state, data)

    patch.setitem(VERSIONS, 1, trusting)  # type: ignore[arg-type]


def two_texts_in_one_entry() -> bool:
    """Show an approver one impact and have another applied: the entry has the key twice."""
    world = World()
    body = world.change_body(impact="a" * 64)
    data = world.write(body, "ada", "twice")
    found = envelope.parse_entry(data)
    twice = data.replace(b'"impact":"', b'"impact":"%s","impact":"' % (b"b" * 64))
    text = envelope.statement_of(
        world.origin, world.now.genesis, Entry(found.envelope, found.body, "", twice)
    )
    assert isinstance(found.envelope.proof, FileProof)
    signature = encode_base64(world.keys["ada"].sign(text))
    world.add(twice.replace(found.envelope.proof.signature.encode(), signature.encode()))
    if "twice" not in world.now.changes:
        return False
    proposal = world.now.changes["twice"].proposal
    assert isinstance(proposal, Change)
    return proposal.impact == "a" * 64  # whoever takes the first of the two was shown b


CASES = {
    "a second seat for one human": Case(second_seat_for_one_human, without("same_human")),
    "the id of somebody who left": Case(id_of_somebody_who_left, without("repeated")),
    "a lost key enrolled again": Case(lost_key_enrolled_again, without("key_reused")),
    "slow additions": Case(slow_additions, one_party_in_all_factors_of_the_approvals),
    "people who never agreed": Case(people_who_never_agreed, no_signatures),
    "disjoint quorums": Case(disjoint_quorums, not_weighed),
    "an overlap that may lie": Case(overlap_in_one_that_may_lie, not_weighed),
    "no mirror": Case(no_mirror, not_weighed),
    "one witness key twice": Case(one_key_twice, any_witness),
    "an approval taken back and replayed": Case(
        approval_replayed_after_it_was_taken_back, without("repeated")
    ),
    "an expired approval": Case(expired_approval, instead(binding, "counting", _for_ever)),
    "a forged rejection": Case(forged_rejection, no_signatures),
    "a forged proposer": Case(forged_proposer, no_signatures),
    "an emergency that nobody ends": Case(
        emergency_that_nobody_ends, instead(Layer, "in_force", lambda *_: True)
    ),
    "an emergency of a year": Case(
        emergency_of_a_year, lambda patch: patch.setitem(BODIES, "emergency", _LongEmergency)
    ),
    "junk as a switch": Case(junk_as_a_switch, breaks),
    "two texts in one entry": Case(
        two_texts_in_one_entry, instead(envelope, "parse_canonical_object", json.loads)
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_captured(name: str) -> None:
    assert not CASES[name].attack()


@pytest.mark.parametrize("name", CASES)
def test_without_the_check_it_is(name: str, monkeypatch: Patch) -> None:
    case = CASES[name]
    case.weaken(monkeypatch)
    assert case.attack()


# -- quorums of any size


@pytest.mark.parametrize("factors", range(6))
@pytest.mark.parametrize("persons", range(8))
def test_a_record_begins_only_with_a_quorum_of_two_and_two_that_can_be_reached(
    persons: int, factors: int
) -> None:
    """Five approvers of three factors sit there."""
    world = World()
    plain = json.loads(world.entries[0])
    plain["body"]["quorum"] = {
        "persons": persons,
        "factors": factors,
        "must_include": [],
        "small": None,
    }
    found = apply(State(), msgspec.json.encode(plain, order="sorted"))
    assert (found.roster is not None) == (2 <= persons <= 5 and 2 <= factors <= 3)
