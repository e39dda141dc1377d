"""Accounts side by side: where they differ, who replied, and what nobody can set."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.accounts import STATE, claim, contact, read_world, with_parties
from support.governance import World

from spotbeam.chronicle.contesting import Accounts, accounts, events
from spotbeam.chronicle.readings import MANY, date_span, may_agree, number_span
from spotbeam.errors import InputError
from spotbeam.governance.entries.accounts import Grade, Matter, Notice, Said


def matter(world: World) -> str:
    return world.say(Matter(title="Calls in autumn", parties=(STATE,)), "rex")


def said(world: World, about: str) -> Accounts:
    world.anchor()
    return accounts(read_world(world), about)


def test_one_voice_is_recorded_and_two_independent_ones_corroborate() -> None:
    world = with_parties(World())
    about = matter(world)
    world.say(claim(about), "rex")
    assert said(world, about).status == "recorded"
    world.say(claim(about, name="The Herald", attributed_to="The Gazette"), "rex")
    assert said(world, about).status == "recorded"  # one voice, heard twice
    world.say(claim(about, name="The Courier"), "rex")
    assert said(world, about).status == "corroborated"


@pytest.mark.parametrize("source", ["two officials", None])
def test_two_papers_with_one_informant_are_one_voice(source: str | None) -> None:
    world = with_parties(World())
    about = matter(world)
    for name in ("The Gazette", "The Herald"):
        world.say(claim(about, name=name, attributed_to=source), "rex")
    assert said(world, about).status == ("recorded" if source else "corroborated")


def test_a_denial_contests_and_says_so_of_that_aspect_only() -> None:
    world = with_parties(World())
    about = matter(world)
    yes = world.say(claim(about, says=(Said(aspect="number", value="at least 2"),)), "rex")
    no = world.say(claim(about, "denies", name="The office", party=STATE), "rex")
    found = said(world, about)
    assert found.is_contested
    assert [d.aspect for d in found.differences] == ["occurred"]
    readings = {r.value: r.claims for r in found.differences[0].readings}
    assert readings == {"yes": (yes,), "no": (no,)}


def test_exactly_where_accounts_differ() -> None:
    world = with_parties(World())
    about = matter(world)
    one = (
        Said(aspect="number", value="1"),
        Said(aspect="date", value="2022-10"),
        Said(aspect="subject", value="Space and technology"),
        Said(aspect="effect", value="none"),
    )
    other = (
        Said(aspect="number", value="at least 2"),
        Said(aspect="date", value="2022-10-05"),
        Said(aspect="subject", value="space, and technology."),
        Said(aspect="effect", value="none"),
    )
    world.say(claim(about, says=one), "rex")
    world.say(claim(about, name="The Herald", says=other), "rex")
    found = said(world, about)
    assert [d.aspect for d in found.differences] == ["number"]
    assert found.is_contested


def test_a_retraction_is_another_claim_and_only_its_source_makes_it() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about), "rex")
    world.say(claim(first, "retracts", name="The Herald"), "rex")
    assert said(world, about).status == "recorded"
    world.say(claim(first, "retracts"), "rex")
    found = said(world, about)
    assert found.status == "retracted"
    assert found.voices[0].claim.id == first  # nothing is deleted
    assert found.voices[0].retracted_by is not None


def test_a_namesake_takes_nothing_back() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about, name="The office", party=STATE), "rex")
    world.say(claim(first, "retracts", name="The office", party="owner"), "rex")
    assert said(world, about).voices[0].stands
    world.say(claim(first, "retracts", name="Its spokesperson", party=STATE), "rex")
    assert not said(world, about).voices[0].stands


def test_who_denies_a_denial_stands_with_those_who_assert() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about), "rex")
    denial = world.say(claim(first, "denies", name="The office"), "rex")
    backing = world.say(claim(denial, name="The ministry"), "rex")
    answer = world.say(claim(denial, "denies", name="The Herald"), "rex")
    (difference,) = said(world, about).differences
    assert {reading.value: set(reading.claims) for reading in difference.readings} == {
        "yes": {first, answer},
        "no": {denial, backing},
    }


def test_a_denied_qualification_is_contested_and_says_nothing_of_the_event() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about, "qualifies"), "rex")
    assert said(world, about).status == "recorded"
    world.say(claim(first, "denies", name="The office"), "rex")
    found = said(world, about)
    assert (found.status, found.differences) == ("contested", ())
    world.say(claim(first, "retracts"), "rex")
    assert said(world, about).status == "recorded"  # what it denies no longer stands


def test_whoever_told_a_contact_does_not_corroborate_themself() -> None:
    world = with_parties(World())
    about = world.say(contact(world), "rex")
    world.say(claim(about, name="Rex", party="rex"), "rex")
    assert said(world, about).status == "recorded"
    world.say(claim(about), "rex")
    assert said(world, about).status == "corroborated"


def test_naming_oneself_is_no_reply() -> None:
    world = with_parties(World())
    about = matter(world)
    world.say(claim(about, party=STATE, names=(STATE,)), "rex")
    assert [voice.is_reply for voice in said(world, about).voices] == [False]


def test_who_was_asked_about_any_claim_was_asked_and_a_failure_is_told() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about, names=("owner",)), "rex")
    second = world.say(claim(about, name="The Herald", names=("owner",)), "rex")
    tried: dict[str, Any] = {"to": "owner", "role": "named", "at_us": world.clock_us}
    world.say(Notice(about=first, failure="no address", **tried), "rex")
    (missing,) = said(world, about).unanswered
    assert (missing.claim, missing.asked_us, missing.failure) == (first, None, "no address")
    world.say(Notice(about=second, receipt="1" * 64, **tried), "rex")
    (missing,) = said(world, about).unanswered
    assert (missing.claim, missing.asked_us, missing.failure) == (first, tried["at_us"], None)


def test_a_reply_belongs_to_the_event_and_silence_is_told() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about, names=(STATE, "owner")), "rex")
    notice = Notice(about=first, to="owner", role="named", at_us=world.clock_us, receipt="1" * 64)
    world.say(notice, "rex")
    world.say(claim(first, "denies", name="The office", party=STATE), "rex")
    found = said(world, about)
    assert [v.is_reply for v in found.voices] == [False, True]
    assert found.is_contested
    (missing,) = found.unanswered
    assert (missing.party, missing.asked_us) == ("owner", notice.at_us)


def test_a_denied_contact_is_contested_without_any_paper() -> None:
    world = with_parties(World())
    about = world.say(contact(world), "rex")
    world.say(claim(about, "denies", name="The office", party=STATE), "rex")
    assert said(world, about).is_contested


def test_no_grade_changes_a_status_or_another_grade() -> None:
    world = with_parties(World())
    about = matter(world)
    first = world.say(claim(about), "rex")
    second = world.say(claim(about, "denies", name="The office"), "rex")
    before = said(world, about)
    world.say(Grade(claim=first, reliability="F", credibility=6), "rex")
    world.say(Grade(claim=first, reliability="A"), "dee")
    after = said(world, about)
    assert (after.status, after.differences) == (before.status, before.differences)
    graded = {v.claim.id: [g.body.reliability for g in v.grades] for v in after.voices}
    assert graded == {first: ["F", "A"], second: []}


def test_what_was_contested_when() -> None:
    world = with_parties(World())
    about = matter(world)
    world.say(claim(about), "rex")
    world.anchor()
    then_us = world.clock_us
    world.say(claim(about, "denies", name="The office"), "rex")
    world.anchor()
    whole = read_world(world)
    assert accounts(whole, about).is_contested
    assert not accounts(whole.known_at(then_us), about).is_contested
    assert events(whole) == (about,)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("3", (3, 3)),
        ("at least 2", (2, MANY)),
        ("at most 4", (0, 4)),
        ("1 to 4", (1, 4)),
        ("none", (0, 0)),
        ("Exactly 2", (2, 2)),
    ],
)
def test_numbers_as_people_say_them(text: str, span: tuple[int, int]) -> None:
    assert number_span(text) == span


@pytest.mark.parametrize("text", ["some", "4 to 1", "at least 1 to 3", "-1", "٣", ""])
def test_what_says_no_number(text: str) -> None:
    with pytest.raises(InputError):
        number_span(text)


@pytest.mark.parametrize("text", ["2022-13", "2023-02-29", "2024/2022", "0000", "2022-00"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(InputError):
        date_span(text)


@given(st.dates(), st.dates())
def test_days_agree_exactly_if_they_are_one(one: object, other: object) -> None:
    first, second = Said(aspect="date", value=f"{one}"), Said(aspect="date", value=f"{other}")
    assert may_agree(first, second) == (one == other)
    assert may_agree(first, Said(aspect="date", value=f"{one}"[:4]))


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_counts_agree_if_some_count_fits_both(a: int, b: int, c: int, d: int) -> None:
    one, other = sorted((a, b)), sorted((c, d))
    first = Said(aspect="number", value=f"{one[0]} to {one[1]}")
    second = Said(aspect="number", value=f"{other[0]} to {other[1]}")
    exact = bool(set(range(one[0], one[1] + 1)) & set(range(other[0], other[1] + 1)))
    assert may_agree(first, second) == may_agree(second, first) == exact
