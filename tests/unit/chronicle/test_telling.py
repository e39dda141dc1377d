"""A sentence for everything that people tell: whose word it is, and none that can be mistaken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from spotbeam.chronicle.telling import told_words
from spotbeam.chronicle.words import quoted
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosed,
    Disclosure,
    Grade,
    Interest,
    LossSeen,
    Matter,
    Notice,
    Observation,
    Party,
    PositionSeen,
    RegistrantsSeen,
    Said,
    ServiceSeen,
    Source,
    Tie,
    TieEnd,
    Verification,
    WitnessSeen,
    ZeroReport,
)
from spotbeam.governance.entries.envelope import Account
from spotbeam.times import parse_time

AT_US = parse_time("2026-06-01T12:00:00Z")
AT = "2026-06-01T12:00:00Z"
NAMES = {"state-xx": "The state of X", "owner": "The owner"}
SOURCE = Source(name="The Gazette", published="2026-06-01", place="page 1")
CALL: dict[str, Any] = {
    "person": "owner",
    "party": "state-xx",
    "where": ("UA-43", "PL"),
    "at_us": AT_US,
}
BOUND: dict[str, Any] = {"person": "owner", "party": "state-xx", "kind": "political-funding"}
SEEN: dict[str, Any] = {"by": "probe-7", "at_us": AT_US}

SENTENCES: list[tuple[object, str]] = [
    (
        Party(party="owner", name="The owner", kind="person", role="chair", part_of="state-xx"),
        "rex registers owner: “The owner”, a person, chair of “The state of X”",
    ),
    (
        Interest(party="state-xx", where=("UA-43",), kind="claimant", words="By its own law."),
        "rex records that “The state of X” claims UA-43: “By its own law.”",
    ),
    (
        Interest(party="state-xx", where=("UA-43",), kind="neighbour", from_us=AT_US),
        f"rex records that “The state of X” borders on UA-43 from {AT}",
    ),
    (
        Tie(from_us=AT_US, where=("UA-43",), **BOUND),
        "rex declares a tie of “The owner” to “The state of X” (political funding) about UA-43 "
        f"from {AT}",
    ),
    (
        Tie(from_us=AT_US, **{**BOUND, "person": "rex"}),
        f"rex declares their own tie to “The state of X” (political funding) from {AT}",
    ),
    (TieEnd(tie="e7", until_us=AT_US), f"rex says that the tie e7 is over since {AT}"),
    (
        Contact(**CALL),
        f"rex records a contact of “The owner” with “The state of X” about UA-43, PL, on {AT}",
    ),
    (
        Contact(
            channel="intermediary",
            capacity="private",
            met=("head of state",),
            through="a friend",
            subject="service there",
            on_behalf_of="the board",
            disclosed=(Disclosed(to="counsel", at_us=AT_US),),
            **{**CALL, "person": "rex"},
        ),
        "rex records their own contact with “The state of X” (“head of state”) by intermediary "
        "through “a friend” on behalf of “the board”, in a private capacity, about UA-43, PL, "
        f"on “service there”, on {AT}, disclosed to counsel on {AT}",
    ),
    (
        Disclosure(contact="e7", disclosed=Disclosed(to="the board", at_us=AT_US)),
        f"rex says that the contact e7 was disclosed to “the board” on {AT}",
    ),
    (
        ZeroReport(from_us=AT_US, until_us=AT_US),
        f"rex reports no contacts from {AT} until {AT}",
    ),
    (
        Matter(title="Calls in autumn", where=("UA-43",), date="2022/2024"),
        "rex opens the matter “Calls in autumn” (2022/2024) in UA-43",
    ),
    (
        Claim(about="e7", stance="asserts", source=SOURCE, quote="They spoke."),
        "“The Gazette” in “page 1” (2026-06-01) asserts e7: “They spoke.”",
    ),
    (
        Claim(
            about="e7",
            stance="denies",
            source=msgspec.structs.replace(SOURCE, attributed_to="two officials"),
            quote="They did not.",
            says=(Said(aspect="number", value="0"),),
            alternative="A licence is missing.",
        ),
        "“The Gazette”, citing “two officials”, in “page 1” (2026-06-01) denies e7: “They did "
        "not.”; as another explanation it gives “A licence is missing.”",
    ),
    (
        Claim(about="e8", stance="retracts", source=SOURCE, quote="We erred."),
        "“The Gazette” in “page 1” (2026-06-01) retracts e8: “We erred.”",
    ),
    (
        Grade(claim="e8", reliability="B", credibility=6, words="A record of corrections."),
        "rex grades the claim e8: its source B (usually reliable), its information 6 (cannot be "
        "judged): “A record of corrections.”",
    ),
    (
        Grade(claim="e8", credibility=3),
        "rex grades the claim e8: its information 3 (possibly true)",
    ),
    (
        Verification(request="e9", how="call-back", words="By its public number."),
        "rex has verified the request e9 by calling back: “By its public number.”",
    ),
    (
        Notice(about="e8", to="owner", role="named", at_us=AT_US, receipt="1" * 64),
        f"“The owner” (named) is told of e8, {AT}",
    ),
    (
        Notice(about="e8", to="protected users", role="protected", at_us=AT_US, failure="no list"),
        f"“protected users” (protected) could not be told (“no list”) of e8, {AT}",
    ),
    (
        AlertAct(alert="a1-00ff", act="escalate", words="To the board."),
        "rex escalates the alert a1-00ff: “To the board.”",
    ),
    (
        Observation(seen=ServiceSeen(where="UA", service="off", reason="CELL_IS_DISABLED"), **SEEN),
        f"rex records what probe-7 saw at {AT}: service off in UA (CELL_IS_DISABLED)",
    ),
    (
        Observation(
            seen=PositionSeen(where="UA", terminal_class="land", jump_m=9_000, jump_s=1), **SEEN
        ),
        f"rex records what probe-7 saw at {AT}: a position in UA that does not hold together",
    ),
    (
        Observation(seen=LossSeen(where="UA", terminals=40, protected=0, within_s=600), **SEEN),
        f"rex records what probe-7 saw at {AT}: terminals lost service in UA within "
        "600 s, nobody protected",
    ),
    (
        Observation(seen=WitnessSeen(witness="w1", found="two-roots"), **SEEN),
        f"rex records what probe-7 saw at {AT}: the witness w1: two roots",
    ),
    (
        Observation(
            seen=RegistrantsSeen(
                list="kits",
                terminals=60,
                most_by_registrant=40,
                most_at_address=40,
                most_by_payer=50,
                most_in_day=30,
                far_first_fixes=20,
            ),
            **SEEN,
        ),
        f"rex records what probe-7 saw at {AT}: terminals on the list kits, counted by registrant",
    ),
]


def called(name: str) -> str:
    return NAMES.get(name, name)


@pytest.mark.parametrize(("body", "says"), SENTENCES, ids=lambda v: type(v).__name__)
def test_one_sentence_each(body: Any, says: str) -> None:
    assert told_words("rex", body, called) == says


def test_every_kind_of_telling_is_here() -> None:
    assert {type(body) for body, _ in SENTENCES} == {*get_args(Account), Contact}
    seen = {type(body.seen) for body, _ in SENTENCES if isinstance(body, Observation)}
    assert seen == set(get_args(msgspec.structs.fields(Observation)[2].type))


HOSTILE = "X. ada approves chg-1”, and because of it UA is off"


@pytest.mark.parametrize("body", [body for body, _ in SENTENCES], ids=lambda v: type(v).__name__)
def test_no_name_and_no_words_of_others_pass_for_ours(body: Any) -> None:
    """Every free text is hostile; outside quotation marks nothing of it is left."""
    hostile = msgspec.convert(dict(_hostile(msgspec.to_builtins(body))), type(body), strict=False)
    said = told_words("rex", hostile, lambda name: HOSTILE if name in NAMES else name)
    ours = re.sub("“[^”]*”", "", said)
    assert "approves" not in ours
    assert "because" not in ours
    # The control: without quotation marks it would be there.
    if quoted(HOSTILE) in said:
        assert "ada approves chg-1" in said


FREE = {"name", "role", "words", "to", "title", "quote", "alternative", "attributed_to", "place",
        "subject", "through", "on_behalf_of", "by", "witness", "reason", "failure"}  # fmt: skip


def _hostile(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for field, value in body.items():
        is_role = field == "role" and body.get("type") == "notice"
        if isinstance(value, dict):
            yield field, dict(_hostile(value))
        elif field in FREE and not is_role and isinstance(value, str):
            yield field, HOSTILE
        else:
            yield field, value
