"""The seven contested episodes: read as a fair-minded person would write them down."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.accounts import found, read_world
from support.episodes import NAMES, Episodes

from spotbeam.chronicle.contesting import accounts
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.sides import accounts_lines
from spotbeam.chronicle.timeline import timeline, told_on
from spotbeam.governance.entries.accounts import Claim, Grade


@pytest.fixture(scope="module")
def played() -> Episodes:
    return Episodes()


@pytest.fixture(scope="module")
def chronicle(played: Episodes) -> Chronicle:
    return read_world(played.world)


def test_nothing_of_it_is_void(played: Episodes) -> None:
    assert played.world.codes() == []


def test_every_stance_and_every_grade_is_there(chronicle: Chronicle) -> None:
    assert {told.body.stance for told in chronicle.of(Claim)} == {
        "asserts",
        "denies",
        "qualifies",
        "retracts",
    }
    grades = [told.body for told in chronicle.of(Grade)]
    assert {grade.reliability for grade in grades} == set("ABCDEF")
    assert {grade.credibility for grade in grades} == {1, 2, 3, 4, 5, 6}
    assert len(chronicle.of(Claim)) >= 12


@pytest.mark.parametrize(
    ("event", "status", "differ_on"),
    [
        ("contacts", "contested", {"occurred", "number"}),
        ("withhold", "contested", {"occurred"}),
        ("paid", "contested", {"occurred", "effect"}),
        ("coast", "recorded", set()),  # the book took it back; the owner's account stands alone
        ("cut", "contested", {"occurred"}),
        ("front", "recorded", set()),
        ("slow", "corroborated", set()),
    ],
)
def test_where_accounts_differ(
    played: Episodes, chronicle: Chronicle, event: str, status: str, differ_on: set[str]
) -> None:
    said = accounts(chronicle, played.events[event])
    assert {each.aspect for each in said.differences} == differ_on
    assert said.status == status


def test_a_request_not_to_act_is_on_record_as_one(played: Episodes, chronicle: Chronicle) -> None:
    events = timeline(chronicle, played.events["withhold"])
    first = next(event for event in events if event.kind == "asked")
    assert "asks on behalf of mainland to withhold TW, by call" in first.says
    assert [a.rule for a in found(played.world) if played.events["withhold"] in a.evidence][:1]
    said = accounts_lines(chronicle, accounts(chronicle, played.events["withhold"]))
    assert any("It offers another explanation" in line for line in said)


def test_refused_to_turn_on_and_turned_off_are_told_apart(
    played: Episodes, chronicle: Chronicle
) -> None:
    refused = " ".join(e.says for e in timeline(chronicle, played.events["coast"]))
    assert "refuses the request" in refused
    assert "it was never on" in refused
    cut = " ".join(e.says for e in timeline(chronicle, played.events["cut"]))
    assert "take out the rule kherson" in cut
    assert "dee approves" in cut
    assert "eli approves" in cut


def test_no_reply_is_told_with_what_was_tried(played: Episodes, chronicle: Chronicle) -> None:
    said = accounts(chronicle, played.events["contacts"])
    assert [voice.is_reply for voice in said.voices if voice.claim.body.source.party] == [
        False,  # the office of the state: nobody named the state
        True,  # the owner, whom the paper named
    ]
    lines = accounts_lines(chronicle, said)
    assert lines[-1].endswith("has no reply on record (no notice to them is on record)")
    assert "They differ on how many there were: “at least 2” (e16); 1 (e18)" in lines


def test_what_the_episodes_raise(played: Episodes) -> None:
    raised = {alert.rule for alert in found(played.world)}
    assert {"A1", "A2", "A3", "A4", "A5", "A6", "A7", "A16"} <= raised
    (unlike, *_) = [a for a in found(played.world) if a.rule == "A5" and "UG" in a.where]
    assert set(unlike.where) == {"UG", "IR"}


def test_nothing_says_why(played: Episodes, chronicle: Chronicle) -> None:
    texts = [alert.says for alert in found(played.world)]
    for subject in (*played.events.values(), "owner", "head", "northland"):
        texts += [event.says for event in timeline(chronicle, subject)]
    assert not [text for text in texts if re.search(r"\bbecause|\bcaused|\bdue to", text)]


PAIRS = list(itertools.combinations(NAMES, 2))


@pytest.mark.parametrize("pair", PAIRS[:: max(1, len(PAIRS) // 7)], ids="-".join)
def test_with_the_names_swapped_the_text_is_equal_but_for_the_names(
    chronicle: Chronicle, played: Episodes, pair: tuple[str, str]
) -> None:
    one, other = pair
    swapped = dict(NAMES)
    swapped[one], swapped[other] = NAMES[other], NAMES[one]
    again = Episodes(swapped)
    there = everything(chronicle, played)
    back = everything(read_world(again.world), again)
    assert [swap(text, NAMES[one], NAMES[other]) for text in there] == back


@settings(max_examples=12, deadline=None)
@given(st.permutations(tuple(NAMES)))
def test_with_all_names_dealt_anew_the_text_is_equal_but_for_the_names(
    chronicle: Chronicle, played: Episodes, order: list[str]
) -> None:
    dealt = {party: NAMES[other] for party, other in zip(NAMES, order, strict=True)}
    again = Episodes(dealt)
    there = everything(chronicle, played)
    back = everything(read_world(again.world), again)
    renamed = {NAMES[party]: dealt[party] for party in NAMES}
    name = re.compile("|".join(map(re.escape, sorted(renamed, key=len, reverse=True))))
    assert [name.sub(lambda found: renamed[found[0]], text) for text in there] == back
    # The control: some text does name them.
    assert any(name.search(text) for text in there)


def everything(chronicle: Chronicle, played: Episodes) -> list[str]:
    """Every line that a reader of timelines, accounts and alerts is shown."""
    lines = [alert.says for alert in found(played.world)]
    for subject in (*played.events.values(), *NAMES):
        lines += [f"{event.when} {event.says}" for event in timeline(chronicle, subject)]
        lines += accounts_lines(chronicle, accounts(chronicle, subject))
    for place in ("UA-43", "TW", "UA-65"):
        lines += [event.says for event in told_on(chronicle, place)]
    return lines


def swap(text: str, one: str, other: str) -> str:
    return text.replace(one, "\0").replace(other, one).replace("\0", other)
