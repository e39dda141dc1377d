"""Timelines: in order, with both times, and never more than a reader could know."""

from __future__ import annotations

import pytest
from support.accounts import STATE, claim, contact, read_world, with_parties
from support.governance import LICENCE, World

from spotbeam.chronicle.timeline import Event, timeline
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.accounts import Grade, Notice
from spotbeam.governance.entries.asking import Refusal, Withdrawal
from spotbeam.governance.entries.words import DAY_US, HOUR_US


def told(world: World, subject: str) -> tuple[Event, ...]:
    return timeline(read_world(world), subject)


def kinds(events: tuple[Event, ...]) -> list[str]:
    return [event.kind for event in events]


def test_a_request_from_its_call_to_its_decision() -> None:
    world = with_parties(World())
    call = world.say(contact(world), "rex")
    request = world.request(contacts=(call,))
    change = world.pass_change(request=request)
    heard = world.say(claim(change, published="2026-06-02"), "rex")
    world.say(Grade(claim=heard, reliability="B"), "dee")
    world.anchor()
    events = told(world, request)
    assert sorted(kinds(events)) == sorted(
        ["contact", "asked", "proposed", "approved", "approved", "bound", "asserted", "graded"]
    )
    assert [event.at_us for event in events] == sorted(event.at_us for event in events)
    assert events == told(world, change)
    assert not any("because" in event.says for event in events)


@pytest.mark.parametrize("of", ["claim", "event", "grade"])
def test_a_claim_its_event_and_its_grade_have_one_history(of: str) -> None:
    world = with_parties(World())
    event = world.say(contact(world), "rex")
    heard = world.say(claim(event), "rex")
    grade = world.say(Grade(claim=heard, reliability="B"), "dee")
    world.anchor()
    subject = {"claim": heard, "event": event, "grade": grade}[of]
    assert {"contact", "asserted", "graded"} <= set(kinds(told(world, subject)))


def test_both_times_of_what_is_told_late() -> None:
    world = with_parties(World())
    then_us = world.clock_us
    world.anchor(after_us=40 * DAY_US)
    call = world.say(contact(world, at_us=then_us), "rex")
    world.anchor()
    (event,) = told(world, call)
    assert (event.at_us, event.known_us) == (then_us, world.clock_us)
    assert event.known.startswith("on record since ")


def test_what_no_witness_has_seen_is_told_as_such() -> None:
    world = with_parties(World())
    request = world.request()
    (event,) = told(world, request)
    assert (event.kind, event.known_us, event.known) == ("asked", None, "not witnessed yet")
    world.anchor()
    (event,) = told(world, request)
    assert (event.known_us, event.known) == (world.clock_us, "")


def test_as_known_at_an_instant_nothing_later_is_told() -> None:
    world = with_parties(World())
    request = world.request()
    world.anchor()
    then_us = world.clock_us
    world.say(claim(request), "rex")
    world.pass_change(request=request)
    known = timeline(read_world(world).known_at(then_us), request)
    assert kinds(known) == ["asked"]
    assert all(event.known_us is not None and event.known_us <= then_us for event in known)


def test_what_is_taken_back_is_told_when_it_was() -> None:
    world = with_parties(World())
    request, change = world.request(), world.change()
    world.anchor()
    world.anchor(after_us=HOUR_US)
    for target, who in ((request, "rex"), (change, "ada")):
        name = world.say(Withdrawal(target=target), who)
        world.anchor(after_us=HOUR_US)
        last = told(world, target)[-1]
        assert (last.kind, last.at_us) == ("withdrawn", world.clock_us)
        assert last.index == world.now.seen[name]
        assert last.says == f"{who} takes back {target}"


def test_a_rejection_is_told_when_it_was() -> None:
    world = with_parties(World())
    change = world.change()
    world.anchor()
    world.anchor(after_us=HOUR_US)
    (name,) = world.approve(change, "bo", word="reject")
    world.anchor()
    assert world.status(change) == "rejected"
    last = told(world, change)[-1]
    assert (last.kind, last.at_us) == ("rejected", world.clock_us)
    assert last.index == world.now.seen[name]
    assert last.says == f"bo rejects {change}"


def test_a_refusal_and_a_lapse_are_told_apart() -> None:
    world = with_parties(World())
    refused = world.request()
    lapses = world.request(answer_by_us=world.clock_us + DAY_US)
    world.anchor()
    world.say(Refusal(request=refused, grounds=(LICENCE,), quote="No licence."), "cy")
    world.anchor(after_us=2 * DAY_US)
    assert kinds(told(world, refused)) == ["asked", "refused"]
    asked, lapse = told(world, lapses)
    assert lapse.kind == "lapsed"
    assert lapse.at_us == asked.at_us + DAY_US - 60_000_000
    assert "nobody has answered it within 23 hours" in lapse.says


def test_a_party_is_told_with_all_that_speaks_of_it() -> None:
    world = with_parties(World())
    call = world.say(contact(world), "rex")
    heard = world.say(claim(call, names=(STATE,)), "rex")
    world.say(
        Notice(about=heard, to=STATE, role="named", at_us=world.clock_us, receipt="1" * 64), "rex"
    )
    world.anchor()
    assert set(kinds(told(world, STATE))) == {
        "party", "interest", "contact", "asserted", "told",
    }  # fmt: skip


def test_any_entry_has_a_history_and_nothing_else_has() -> None:
    world = with_parties(World())
    request = world.request()
    anchor = world.anchor()
    world.anchor()
    assert kinds(told(world, anchor)) == ["anchor"]
    with pytest.raises(UnknownName):
        told(world, request + "x")
