"""A receipt's entries show what the whole record shows, and nothing that somebody made up."""

from __future__ import annotations

from typing import Any

import pytest
from support.governance import LICENCE, Keys, World, person, rule, witness_quorum
from support.governance_records import rich_world

from spotbeam.errors import InputError
from spotbeam.governance import judging
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.acts import (
    AddKey,
    ConfirmContact,
    DropKey,
    ExtendSeal,
    PutRule,
    Review,
    Seat,
    SetQuorum,
    SetWitnesses,
    Unseat,
)
from spotbeam.governance.entries.asking import Refusal, Withdrawal
from spotbeam.governance.entries.deciding import Bounds, Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule, Revocation
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.governance.history import fold
from spotbeam.governance.judging import Judged, judge
from spotbeam.governance.receipts import entries_for
from spotbeam.governance.state import Proposed


def receipt(world: World, name: str) -> list[tuple[int, bytes]]:
    history = fold(world.entries)
    index = history.now.seen[name]
    chosen = entries_for(history, world.entries, index)
    return [(each, world.entries[each]) for each in chosen]


def decided(judged: Judged, name: str) -> Proposed:
    return judged.state.changes[name]


def without(given: list[tuple[int, bytes]], *gone: int) -> list[tuple[int, bytes]]:
    return [each for each in given if each[0] not in gone]


def long_world() -> World:
    """Years of a record: the roster moves, and decisions come between its moves."""
    world = World()
    for number in range(3):
        world.pass_change(PutRule(rule(f"early-{number}")))
    fay = Keys("fay")
    proof = fay.possession("fay", "seat-fay", world.now.genesis, world.origin)
    seat = Seat(person=person("fay", fay, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat-fay")
    world.approve("seat-fay", "bo", "cy")
    world.anchor()
    world.keys["fay"] = fay
    world.pass_change(SetQuorum(QuorumRule(persons=3, factors=3)))
    world.anchor(after_us=80 * HOUR_US)
    world.say(Contact(person="cy", party="xx", where=("UA",), at_us=world.clock_us), "cy")
    world.pass_change(PutRule(rule("with-fay")), people=("bo", "dee", "fay"))
    new = Keys("second key of bo")
    proof = new.possession("bo", "key-bo", world.now.genesis, world.origin)
    add = AddKey(person="bo", key=new.key, possession=proof)
    world.say(world.change_body(add), "ada", "key-bo")
    world.approve("key-bo", "bo", "dee", "fay")
    world.anchor()
    world.anchor(after_us=80 * HOUR_US)
    world.say(Revocation(revoked=world.keys["bo"].digest), "bo", keys=new)
    world.keys["bo"] = new
    world.anchor()
    world.witnesses = ("w1", "w2", "w3", "w4")
    moved = SetWitnesses(witness_quorum(world.witnesses))
    world.pass_change(moved, people=("bo", "dee", "fay"))
    world.pass_change(Unseat("ada"), people=("bo", "dee", "fay"), by="rex")
    world.pass_change(PutRule(rule("after-all")), people=("bo", "dee", "fay"), by="rex")
    world.anchor()
    return world


@pytest.mark.parametrize("made", [long_world, rich_world], ids=["roster", "every-kind"])
def test_every_decision_is_shown_as_the_whole_record_shows_it(made: Any) -> None:
    """The whole fold is the oracle: same anchor, same time, same approvals."""
    world = made()
    seen = 0
    for name, whole in world.now.changes.items():
        if whole.status != "bound":
            continue
        given = receipt(world, name)
        judged = judge(given)
        shown = decided(judged, name)
        assert (shown.status, shown.bound_index, shown.bound_us) == (
            "bound",
            whole.bound_index,
            whole.bound_us,
        ), name
        assert (shown.proposer, shown.digest) == (whole.proposer, whole.digest)
        counted = {each.id for each in whole.approvals.values()}
        assert {each.id for each in shown.approvals.values()} == counted
        assert judged.void == ()
        assert judged.state.roster == world.now.roster
        assert judged.state.witness_policy == world.now.witness_policy
        assert len(given) < len(world.entries)
        seen += 1
    assert seen > 5


def test_a_receipt_stays_small_however_long_the_record_is() -> None:
    world = World()
    name = world.pass_change(PutRule(rule("one")))
    world.anchor()
    before = len(receipt(world, name))
    for number in range(20):
        world.pass_change(PutRule(rule(f"more-{number}")))
    last = world.pass_change(PutRule(rule("last")))
    assert len(receipt(world, name)) == before
    assert len(receipt(world, last)) <= before + 1  # the anchor that dates its request


def refusal(world: World) -> str:
    request = world.request(verb="deactivate")
    name = world.say(Refusal(request=request, grounds=(LICENCE,), quote="No."), "cy")
    world.anchor()
    return name


def test_a_refusal_is_a_decision_too() -> None:
    world = World()
    judged = judge(receipt(world, refusal(world)))
    (asked,) = judged.state.requests.values()
    assert (asked.status, asked.request.verb, judged.void) == ("refused", "deactivate", ())
    assert asked.ended_us == world.clock_us


def test_a_seal_and_an_emergency_are_decisions_too() -> None:
    world = World(quorum=QuorumRule(persons=3, factors=2))
    emergency = world.say(
        Emergency(
            request=world.request(verb="deactivate"),
            grounds=(LICENCE,),
            acts=(PutRule(rule("off", effect="deny", gate="order", emergency=True)),),
            lasts_us=DAY_US,
            impact="4" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
    )
    world.approve(emergency, "bo", "cy")
    world.anchor()
    review = Review(emergency=emergency, finding="upheld", words="just")
    reviewed = world.pass_change(review, people=("bo", "cy", "dee"))
    bounds = Bounds(where=("UA",), cells=("h3:841e265ffffffff",), verb="restrict", lasts_us=DAY_US)
    seal = world.say(
        Seal(
            request=world.request(),
            grounds=(LICENCE,),
            commitment="5" * 64,
            bounds=bounds,
            open_by_us=world.clock_us + DAY_US,
            impact="6" * 64,
            lapses_us=world.clock_us + DAY_US,
        ),
        "ada",
    )
    world.approve(seal, "bo", "cy", "dee")
    world.anchor()
    more = ExtendSeal(seal=seal, open_by_us=world.clock_us + 2 * DAY_US)
    extended = world.pass_change(more, people=("bo", "cy", "dee"))
    for name in (emergency, reviewed, seal, extended):
        assert decided(judge(receipt(world, name)), name).status == "bound"


def test_what_has_no_effect_or_has_not_bound_is_no_decision() -> None:
    world = World()
    pending = world.change()
    void = world.say(Withdrawal(target="nothing"), "cy")
    world.anchor()
    history = fold(world.entries)
    with pytest.raises(InputError, match="has not bound"):
        entries_for(history, world.entries, history.now.seen[pending])
    assert void not in history.now.seen
    with pytest.raises(InputError, match=r"no effect \(unknown"):
        entries_for(history, world.entries, len(world.entries) - 2)
    with pytest.raises(InputError, match="there is no entry 99"):
        entries_for(history, world.entries, 99)


# -- attacks: a receipt that somebody made up, or made shorter


def approvals_of(world: World, name: str) -> list[int]:
    return sorted(each.index for each in world.now.changes[name].approvals.values())


def test_an_approval_by_somebody_who_was_never_seated_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    name = world.pass_change()
    given = dict(receipt(world, name))
    mallory = Keys("mallory")
    body = world.approval(name)
    index = approvals_of(world, name)[1]
    as_cy = Keys("mallory")
    as_cy.digest = world.keys["cy"].digest
    for actor, key, code in (
        ("cy", mallory, "not_their_key"),
        ("mallory", mallory, "not_seated"),
        ("cy", as_cy, "bad_signature"),
    ):
        given[index] = world.write(body, actor, "forged", keys=key)
        judged = judge(sorted(given.items()))
        assert decided(judged, name).status == "pending"
        assert [(each.index, each.code) for each in judged.void] == [(index, code)]
    # The control: without the look at the signature the last receipt shows a decision.
    monkeypatch.setattr(
        judging, "signer", lambda state, entry: state.seated.persons[entry.envelope.actor]
    )
    assert decided(judge(sorted(given.items())), name).status == "bound"


def test_a_seat_that_no_quorum_gave_seats_nobody() -> None:
    """An insider with the log's key logs a change that seats a friend, who then approves."""
    world = World()
    mallory = Keys("mallory")
    proof = mallory.possession("mallory", "seat", world.now.genesis, world.origin)
    seat = Seat(person=person("mallory", mallory, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat")
    world.approve("seat", "bo")  # one is not enough
    world.anchor()
    world.anchor(after_us=80 * HOUR_US)
    world.keys["mallory"] = mallory
    name = world.change(PutRule(rule("theirs")))
    world.approve(name, "bo")
    world.add(world.write(world.approval(name), "mallory", "theirs"))
    world.anchor()
    history = fold(world.entries)
    assert history.now.changes[name].status == "pending"
    everything = list(enumerate(world.entries))
    assert decided(judge(everything), name).status == "pending"
    assert {each.code for each in judge(everything).void} == {"not_seated"}


def test_one_approval_two_of_one_factor_or_the_proposers_own_are_not_enough() -> None:
    world = World()
    name = world.change()
    world.approve(name, "bo", "cy")
    world.anchor()
    given = dict(receipt(world, name))
    _, second = approvals_of(world, name)
    assert decided(judge(without(list(given.items()), second)), name).status == "pending"
    body = world.approval(name)
    for actor, code in (("ada", "own_proposal"), ("rex", "not_approver")):
        given[second] = world.write(body, actor, "again")
        judged = judge(sorted(given.items()))
        assert decided(judged, name).status == "pending"
        assert [each.code for each in judged.void] == [code]
    other = World()
    name = other.change()
    other.approve(name, "cy", "dee")
    other.anchor()
    everything = list(enumerate(other.entries))
    assert decided(judge(everything), name).status == "pending"
    assert judge(everything).void == ()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"impact": "0" * 64}, "other_impact"),
        ({"expires_us": 1}, "expired"),
        ({"change": "0" * 64}, "unknown"),
    ],
)
def test_an_approval_of_something_else_counts_for_nothing(
    changes: dict[str, Any], code: str
) -> None:
    world = World()
    name = world.pass_change()
    given = dict(receipt(world, name))
    index = approvals_of(world, name)[0]
    given[index] = world.write(world.approval(name, **changes), "bo", "other")
    judged = judge(sorted(given.items()))
    assert decided(judged, name).status == "pending"
    assert [(each.index, each.code) for each in judged.void] == [(index, code)]


def test_a_change_of_one_byte_has_no_approvals() -> None:
    world = World()
    name = world.change()
    at = len(world.entries) - 1
    world.approve(name, "bo", "cy")
    world.anchor()
    given = dict(receipt(world, name))
    body = world.now.changes[name].proposal
    given[at] = world.write(body, "ada", name)  # signed by its proposer, recorded another time
    given[at] = given[at].replace(b'"recorded_us":1', b'"recorded_us":2')
    judged = judge(sorted(given.items()))
    assert decided(judged, name).status == "pending"
    assert [each.code for each in judged.void] == ["unknown", "unknown"]


def test_hoarded_and_expired_approvals_are_refused() -> None:
    world = World()
    name = world.change()
    world.approve(name, "bo", expires_us=world.clock_us + 20 * DAY_US)
    world.approve(name, "cy")
    world.anchor()
    everything = list(enumerate(world.entries))
    judged = judge(everything)
    assert decided(judged, name).status == "pending"
    assert [each.code for each in judged.void] == ["expired"]
    other = World()
    name = other.change()
    other.approve(name, "bo", "cy", expires_us=other.clock_us + HOUR_US)
    other.anchor(after_us=2 * HOUR_US)
    assert decided(judge(list(enumerate(other.entries))), name).status == "pending"


def test_an_anchor_needs_the_witnesses_whatever_tree_it_names() -> None:
    world = World()
    name = world.change()
    world.approve(name, "bo", "cy")
    world.anchor(by=("w1", "w2"))
    everything = list(enumerate(world.entries))
    judged = judge(everything)
    assert decided(judged, name).status == "pending"
    assert [each.code for each in judged.void] == ["not_witnessed"]


def test_an_approver_who_lost_seat_or_key_before_it_bound_does_not_count() -> None:
    for act in (Unseat("cy"), None):
        world = World()
        drop = act or DropKey(person="cy", key=world.keys["cy"].digest)
        removal = world.change(drop, by="rex")
        name = world.change()
        world.approve(name, "bo", "cy")
        world.approve(removal, "dee", "eli")
        world.anchor()
        assert world.status(removal) == "bound"
        assert world.status(name) == "pending"
        everything = list(enumerate(world.entries))
        assert decided(judge(everything), name).status == "pending"


def test_a_contact_that_is_in_the_receipt_keeps_its_person_away() -> None:
    world = World()
    world.say(Contact(person="cy", party="xx", where=("UA",), at_us=world.clock_us), "cy")
    name = world.change()
    world.approve(name, "bo", "dee")
    world.anchor()
    assert decided(judge(receipt(world, name)), name).status == "bound"
    given = dict(receipt(world, name))
    index = approvals_of(world, name)[1]
    given[index] = world.write(world.approval(name), "cy", "recused")
    contact = next(i for i, each in enumerate(world.entries) if b'"contact"' in each)
    judged = judge(sorted({**given, contact: world.entries[contact]}.items()))
    assert [each.code for each in judged.void] == ["recused"]
    # What is left out is not seen: only the whole record shows it.
    given.pop(contact, None)
    assert decided(judge(sorted(given.items())), name).status == "bound"


def test_a_confirmed_contact_comes_with_what_confirmed_it() -> None:
    world = World()
    contact = world.say(
        Contact(person="cy", party="xx", where=("PL",), at_us=world.clock_us), "rex"
    )
    world.pass_change(ConfirmContact(contact), people=("bo", "dee"))
    name = world.pass_change(PutRule(rule()))
    judged = judge(receipt(world, name))
    assert judged.state.contacts[contact].counts
    assert decided(judged, name).status == "bound"


def test_junk_and_an_empty_receipt_show_nothing() -> None:
    world = World()
    name = world.pass_change()
    given = receipt(world, name)
    assert judge([]).state.roster is None
    assert judge(without(given, 0)).decisions == ()
    assert {each.code for each in judge(without(given, 0)).void} == {"no_genesis"}
    judged = judge([*given, (500, b"{}"), (501, b"\xff"), (502, world.entries[2])])
    assert decided(judged, name).status == "bound"
    assert [each.index for each in judged.void] == [500, 501, 502]
