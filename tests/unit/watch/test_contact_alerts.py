"""A1 and A2: decisions that follow what nobody knew of, and near misses that are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.accounts import OWNER, STATE, claim, contact, found, read_world, tie, with_parties
from support.governance import LICENCE, World, rule

from spotbeam.governance.entries.accounts import Disclosed, Grade, Interest, Matter, Party, TieEnd
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.words import DAY_US, SECOND_US
from spotbeam.watch.alerts import alerts
from spotbeam.watch.replay import replay

CRIMEA = ("UA-43",)


def decided(world: World, where: tuple[str, ...] = CRIMEA, **changes: Any) -> str:
    """A change on some ground that binds now."""
    world.count += 1
    name = f"r{world.count}"
    return world.pass_change(
        PutRule(rule(name, where=where)),
        people=("bo", "cy"),
        request=world.request(where),
        **changes,
    )


def refused(world: World, where: tuple[str, ...] = CRIMEA) -> str:
    name = world.request(where)
    world.anchor()
    world.say(Refusal(request=name, grounds=(LICENCE,), quote="No licence."), "cy")
    world.anchor()
    return name


def told_after(world: World, at_us: int, **changes: Any) -> str:
    name = world.say(contact(world, at_us=at_us, **changes), "rex")
    world.anchor()
    return name


@pytest.mark.parametrize("decide", [decided, refused])
def test_a_decision_that_follows_an_unknown_contact(decide: Callable[[World], str]) -> None:
    world = with_parties(World())
    called_us = world.clock_us
    decision = decide(world)
    assert found(world, "A1") == []
    name = told_after(world, called_us)
    (alert,) = found(world, "A1")
    assert alert.level == "critical"
    assert alert.decisions == (decision,)
    assert alert.evidence[0] == name
    assert alert.named == (OWNER,)
    assert alert.at_us < alert.known_us == world.clock_us
    assert "follows a contact of “The owner” with “The state of X”" in alert.says
    assert "because" not in alert.says
    (late,) = found(world, "A2")
    assert late.decisions == (decision,)


def test_a_lapse_follows_too_and_tells_on_whoever_could_have_answered() -> None:
    world = with_parties(World())
    called_us = world.clock_us
    name = world.request(CRIMEA, answer_by_us=world.clock_us + DAY_US)
    world.anchor()
    world.anchor(after_us=2 * DAY_US)
    told_after(world, called_us, person="cy")
    (alert,) = found(world, "A1")
    assert alert.decisions == (name,)
    assert "lapsed unanswered" in alert.says


NEAR_MISSES: dict[str, Callable[[World], None]] = {}


def near_miss(act: Callable[[World], None]) -> Callable[[World], None]:
    NEAR_MISSES[act.__name__.replace("_", " ")] = act
    return act


@near_miss
def disclosed_a_minute_before(world: World) -> None:
    told_after(world, world.clock_us)
    decided(world)


@near_miss
def on_record_at_the_very_anchor_of_the_decision(world: World) -> None:
    world.say(contact(world), "rex")
    decided(world)


@near_miss
def ninety_days_to_the_microsecond(world: World) -> None:
    decided(world)
    bound_us = world.now.witnessed_us
    told_after(world, bound_us - 90 * DAY_US)


@near_miss
def after_the_decision(world: World) -> None:
    decided(world)
    told_after(world, world.now.witnessed_us + SECOND_US)


@near_miss
def a_party_without_interest(world: World) -> None:
    called_us = world.clock_us
    decided(world)
    told_after(world, called_us, party="a-florist")


@near_miss
def ground_elsewhere(world: World) -> None:
    called_us = world.clock_us
    decided(world, ("PL",))
    told_after(world, called_us)


@near_miss
def a_person_with_no_part_in_it(world: World) -> None:
    called_us = world.clock_us
    decided(world)
    told_after(world, called_us, person="eli")


@near_miss
def an_interest_that_had_ended(world: World) -> None:
    interest = Interest(
        party="state-yy", where=CRIMEA, kind="neighbour", until_us=world.clock_us - DAY_US
    )
    world.say(interest, "rex")
    world.anchor()
    called_us = world.clock_us
    decided(world)
    told_after(world, called_us, party="state-yy")


@near_miss
def a_licensor_only(world: World) -> None:
    world.say(Interest(party="state-yy", where=CRIMEA, kind="licensor"), "rex")
    called_us = world.clock_us
    decided(world)
    told_after(world, called_us, party="state-yy")


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_raises_nothing(name: str) -> None:
    world = with_parties(World())
    NEAR_MISSES[name](world)
    assert [a.rule for a in found(world) if a.rule in ("A1", "A2")] == []


def test_one_microsecond_within_ninety_days_it_is_raised() -> None:
    world = with_parties(World())
    decided(world)
    told_after(world, world.now.witnessed_us - 90 * DAY_US + 1)
    assert len(found(world, "A1")) == 1


def test_what_the_contact_itself_says_of_the_ground_is_enough() -> None:
    world = with_parties(World())
    called_us = world.clock_us
    decided(world, ("PL",))
    told_after(world, called_us, party="a-florist", where=("PL",))
    assert len(found(world, "A1")) == 1


def test_a_unit_of_a_state_counts_for_the_state() -> None:
    world = with_parties(World())
    unit = Party(party="unit-7", name="Unit seven", kind="unit", part_of=STATE)
    world.say(unit, "rex")
    world.anchor()
    called_us = world.clock_us
    decided(world)
    told_after(world, called_us, party="unit-7")
    assert len(found(world, "A1")) == 1


def test_a_disclosure_elsewhere_is_told_and_does_not_stop_it() -> None:
    world = with_parties(World())
    called_us = world.clock_us
    decided(world)
    to = Disclosed(to="the board", at_us=called_us + 1)
    told_after(world, called_us, disclosed=(to,))
    (alert,) = found(world, "A1")
    assert "said to have been disclosed to “the board”" in alert.says


def test_an_undeclared_tie_counts_while_it_lasts_and_ninety_days() -> None:
    world = with_parties(World())
    decision = decided(world)
    name = world.say(tie(world, person="cy"), "dee")
    world.anchor()
    (alert,) = found(world, "A1")
    assert (alert.decisions, alert.evidence[0]) == ((decision,), name)
    ended = with_parties(World())
    decided(ended)
    body = tie(ended, person="cy", until_us=ended.now.witnessed_us - 90 * DAY_US)
    over = ended.say(body, "dee")
    ended.say(TieEnd(tie=over, until_us=body.until_us or 0), "dee")
    ended.anchor()
    assert found(ended, "A1") == []


def test_evidence_two_years_late_lists_exactly_the_decisions_it_should() -> None:
    world = with_parties(World())
    early = decided(world)
    world.anchor(after_us=30 * DAY_US)
    called_us = world.clock_us
    expected = [decided(world), refused(world)]
    decided(world, ("PL",))
    world.anchor(after_us=89 * DAY_US)
    expected.append(decided(world))
    world.anchor(after_us=2 * DAY_US)
    too_late = decided(world)
    world.anchor(after_us=730 * DAY_US)
    name = told_after(world, called_us)
    reopened = replay(read_world(world), world.clock_us)
    (one,) = [each for each in reopened if each.told == name]
    assert sorted(one.decisions) == sorted(expected)
    assert early not in one.decisions
    assert too_late not in one.decisions
    assert one.known_us == world.clock_us


def a_claim(world: World, **changes: Any) -> str:
    date = "2026-05/2026-07"
    matter = world.say(Matter(title="Calls", parties=(STATE, OWNER), date=date), "rex")
    return world.say(claim(matter, names=(OWNER, STATE), **changes), "rex")


def test_a_planted_claim_is_at_most_something_to_review() -> None:
    world = with_parties(World())
    decision = decided(world)
    name = a_claim(world)
    world.say(Grade(claim=name, reliability="F", credibility=6), "dee")
    world.anchor()
    bearing = [alert for alert in found(world) if decision in alert.decisions]
    assert [(alert.rule, alert.level) for alert in bearing] == [("A2", "review")]
    assert bearing[0].named == (OWNER, STATE)


def test_a_claim_that_graders_find_likely_is_worth_more_and_never_critical() -> None:
    world = with_parties(World())
    decided(world)
    name = a_claim(world)
    world.say(Grade(claim=name, reliability="B"), "dee")
    world.say(Grade(claim=name, credibility=2), "cy")
    world.anchor()
    (alert,) = found(world, "A2")
    assert alert.level == "high"
    world.say(claim(name, "retracts"), "rex")
    world.anchor()
    assert found(world, "A2") == []


def test_with_the_names_swapped_alerts_are_equal_but_for_the_names() -> None:
    def told(one: str, other: str) -> list[str]:
        world = with_parties(World())
        for party, name in ((STATE, one), ("state-yy", other)):
            world.say(Party(party=party, name=name, kind="state"), "rex")
            world.say(Interest(party=party, where=CRIMEA, kind="claimant"), "rex")
        world.anchor()
        called_us = world.clock_us
        decided(world)
        told_after(world, called_us)
        told_after(world, called_us, party="state-yy")
        a_claim(world)
        world.anchor()
        return [alert.says for alert in found(world)]

    swap = {"Arland": "Borland", "Borland": "Arland"}
    there, back = told("Arland", "Borland"), told("Borland", "Arland")
    assert [_swapped(text, swap) for text in there] == back


def _swapped(text: str, swap: dict[str, str]) -> str:
    for one in swap:
        text = text.replace(one, f"<{one}>")
    for one, other in swap.items():
        text = text.replace(f"<{one}>", other)
    return text


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["decide", "refuse", "contact", "tie", "claim", "interest", "wait"]),
        st.integers(0, 200),
        st.sampled_from([("UA-43",), ("UA",), ("PL",)]),
        st.sampled_from([OWNER, "bo", "eli"]),
    ),
    max_size=8,
)


def _played(steps: list[tuple[str, int, tuple[str, ...], str]]) -> World:
    world = with_parties(World())
    for kind, days, where, person in steps:
        then_us = world.clock_us - days * DAY_US
        match kind:
            case "decide":
                decided(world, where)
            case "refuse":
                refused(world, where)
            case "contact":
                world.say(contact(world, at_us=then_us, where=where, person=person), "rex")
            case "tie":
                world.say(tie(world, from_us=then_us, person=person), "rex")
            case "claim":
                a_claim(world)
            case "interest":
                world.say(Interest(party=STATE, where=where, kind="neighbour"), "rex")
            case "wait":
                world.anchor(after_us=days * DAY_US)
    world.anchor()
    return world


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_what_is_known_now_holds_all_that_was_known_then_and_replay_lists_the_rest(
    steps: list[tuple[str, int, tuple[str, ...], str]],
) -> None:
    """The slow, obvious reading: run every rule at every anchor, and see what was new about it."""
    world = _played(steps)
    whole = read_world(world)
    now = {a.id: a for a in alerts(whole, world.clock_us) if a.rule in ("A1", "A2")}
    seen: set[str] = set()
    late: dict[str, set[str]] = {}
    for at_us in whole.history.anchors:
        then = [a for a in alerts(whole.known_at(at_us), at_us) if a.rule == "A1"]
        assert {a.id for a in then} >= seen
        for alert in then:
            if alert.id not in seen:
                assert alert.known_us == at_us
                assert now[alert.id].says == alert.says
                seen.add(alert.id)
                late.setdefault(alert.evidence[0], set()).update(alert.decisions)
    assert seen == {a.id for a in now.values() if a.rule == "A1"}
    listed = {
        each.told: set(each.decisions)
        for each in replay(whole, world.clock_us)
        if any(alert.rule == "A1" for alert in each.alerts)
    }
    assert listed == late
