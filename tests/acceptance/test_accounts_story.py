"""Who asked, who spoke with whom, and who says what: by command, on a real log."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.switch import RULES, Town, done, run

from spotbeam.times import format_time


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("accounts"))
    try:
        yield made
    finally:
        made.close()


def ago(seconds: float) -> str:
    return format_time(int(time.time() - seconds) * 1_000_000)


def as_(town: Town, who: str, *words: object, name: str | None = None) -> str:
    """What somebody says on their own machine."""
    more = ("--id", name) if name else ()
    return done(town.join(who), *words, *more, "--as", who, "--wait")


def listed(town: Town, *words: object) -> Any:
    return json.loads(done(town.join("bo"), *words, "--json"))


def test_the_whole_story(town: Town) -> None:
    # Who there is.
    for words in (
        ("state-xx", "--name", "The state of X", "--kind", "state"),
        ("harbour-authority", "--name", "The harbour authority", "--kind", "body"),
        ("owner", "--name", "The owner", "--kind", "person", "--part-of", "spotbeam-op"),
    ):
        as_(town, "rex", "party", "add", *words)
    as_(town, "rex", "interest", "add", "state-xx", "--kind", "claimant", "--where", "MT")
    told = as_(
        town, "rex", "interest", "add", "harbour-authority", "--kind", "licensor", "--where", "MT"
    )
    assert "licensor in MT" in told
    assert {each["party"] for each in listed(town, "party", "list")} == {
        "state-xx",
        "harbour-authority",
        "owner",
    }

    # A tie, declared by whoever has it.
    told = as_(
        town, "dee", "tie", "declare", "--party", "state-xx", "--kind", "contract",
        "--since", "2020-01-01T00:00:00Z", "--where", "MT", name="tie-dee",
    )  # fmt: skip
    assert "your tie to state-xx (contract) about MT" in told

    # A contact that nobody records yet, and an oral request, verified by a call-back.
    called = ago(3_600)
    told = as_(
        town, "rex", "request", "new", "--verb", "activate", "--where", "MT", "--asker",
        "the ministry", "--channel", "telephone", "--answer-by", "30d", "--ground",
        "authorisation:mt-1", "--ground", "order:mt-2", "--verified", "unverified", "--spoken",
        "Switch it on before the regatta.", name="ask-1",
    )  # fmt: skip
    assert "spotbeam request verify ask-1" in told
    ada = town.join("ada")
    draft = ada / "rules.toml"
    draft.write_text(RULES)
    refused = run(
        ada, "change", "propose", draft, "--request", "ask-1", "--as", "ada", "--yes", "--wait"
    )
    assert refused.returncode == 1
    assert "nobody has verified that the request came from its asker" in refused.stderr
    as_(town, "ada", "request", "verify", "ask-1", "--how", "call-back")
    shown = done(town.join("bo"), "request", "show", "ask-1")
    assert "Switch it on before the regatta." in shown
    assert "verified" in shown

    # The change; whoever has a tie may not approve it.
    as_(town, "ada", "change", "propose", draft, "--request", "ask-1", "--yes", name="chg-1")
    refused = run(town.join("dee"), "change", "approve", "chg-1", "--as", "dee", "--yes")
    assert refused.returncode == 1
    assert "a tie to a party that has an interest in this ground" in refused.stderr
    for who in ("bo", "cy"):
        as_(town, who, "change", "approve", "chg-1", "--yes")
    assert "bound" in done(ada, "change", "show", "chg-1")

    # Notices that are owed.
    owing = {(each["about"], each["to"]) for each in listed(town, "notice", "list")}
    assert ("chg-1", "harbour-authority") in owing
    receipt = town.folder / "receipt.txt"
    receipt.write_text("received\n")
    as_(
        town, "rex", "notice", "serve", "chg-1", "--to", "harbour-authority", "--role", "licensor",
        "--at", ago(1), "--receipt", receipt,
    )  # fmt: skip
    as_(
        town, "rex", "notice", "fail", "ask-1", "--to", "harbour-authority", "--role", "licensor",
        "--at", ago(1), "--why", "no answer",
    )  # fmt: skip
    stands = {
        (each["about"], each["to"]): each["status"]
        for each in listed(town, "notice", "list", "--all")
    }
    assert stands["chg-1", "harbour-authority"] == "served"
    assert stands["ask-1", "harbour-authority"] == "failed"

    # The contact comes on record late, and the decision stands in another light.
    assert "A1" not in {each["alert"]["rule"] for each in listed(town, "alert", "list")}
    as_(
        town, "rex", "contact", "record", "--party", "state-xx", "--person", "owner", "--at",
        called, "--where", "MT", "--channel", "call", "--capacity", "private", "--with",
        "head of state", "--subject", "the regatta", name="call-1",
    )  # fmt: skip
    found = {each["alert"]["rule"]: each["alert"] for each in listed(town, "alert", "list")}
    assert found["A1"]["decisions"] == ["chg-1"]
    (again,) = listed(town, "alert", "replay")
    assert (again["told"], again["decisions"]) == ("call-1", ["chg-1"])

    # Others tell of it, each in their own words.
    as_(
        town, "rex", "claim", "record", "call-1", "--stance", "asserts", "--source",
        "The Harbour Gazette", "--published", "2026-01-02", "--quote", "They spoke twice.",
        "--number", "2", "--names", "owner", name="clm-1",
    )  # fmt: skip
    as_(
        town, "rex", "claim", "record", "call-1", "--stance", "denies", "--source",
        "The office of X", "--source-party", "state-xx", "--published", "2026-01-03",
        "--quote", "There was no such call.", name="clm-2",
    )  # fmt: skip
    as_(town, "cy", "claim", "grade", "clm-1", "--reliability", "B", "--credibility", "3")
    shown = done(town.join("bo"), "claim", "show", "clm-2")
    for words in (
        "contested: accounts contradict each other",
        "“They spoke twice.”",
        "graded B/3 by cy",
        "They differ on whether it happened: yes (clm-1); no (clm-2)",
        "The owner”, whom clm-1 names, has no reply on record",
    ):
        assert words in shown

    # The alert is taken up; a critical one closes by two.
    alert = found["A1"]["id"]
    as_(town, "bo", "alert", "ack", alert, "--words", "I ask the owner.")
    told = as_(town, "bo", "alert", "close", alert, "--words", "Looked at.")
    assert "needs a second person of another factor" in told
    as_(town, "cy", "alert", "close", alert, "--words", "Looked at too.")
    stands = {
        each["alert"]["id"]: each["status"] for each in listed(town, "alert", "list", "--all")
    }
    assert stands[alert] == "closed"

    # A silence is a change like any other.
    text = done(
        town.join("ada"), "alert", "silence", "A16", "--until",
        format_time(int(time.time() + 86_400) * 1_000_000), "--words", "The register moves.",
    )  # fmt: skip
    mute = ada / "mute.toml"
    mute.write_text(text)
    as_(
        town, "ada", "request", "new", "--verb", "restrict", "--where", "MT", "--asker", "ada",
        "--channel", "portal", "--answer-by", "30d", "--ground", "initiative:quiet", name="ask-2",
    )  # fmt: skip
    as_(town, "ada", "change", "propose", mute, "--request", "ask-2", "--yes", name="chg-2")
    assert "silences A16" in done(town.join("bo"), "change", "show", "chg-2")
    for who in ("bo", "cy"):
        as_(town, who, "change", "approve", "chg-2", "--yes")
    muted = [
        each["silenced_by"] for each in listed(town, "alert", "list", "--all", "--rule", "A16")
    ]
    assert set(muted) == {"chg-2"}
    assert {each["alert"]["rule"] for each in listed(town, "alert", "list", "--rule", "A15")} == {
        "A15"
    }

    # A report that there was nothing.
    as_(town, "cy", "zero-report", "--from", ago(90 * 86_400), "--until", ago(5))

    # And the history of it all.
    shown = done(town.join("bo"), "timeline", "MT")
    for words in ("follows", "call-1", "“They spoke twice.”", "record prove"):
        assert words in shown
    assert "because" not in shown
    assert "The owner" in done(town.join("bo"), "timeline", "owner")
    page = town.folder / "history.html"
    done(town.join("bo"), "timeline", "ask-1", "--html", page)
    text = page.read_text()
    assert "Switch it on before the regatta." in text or "ask-1" in text
    assert not re.search(r"<script|https?://(?!127)", text)


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "a person whom nobody knows": (
        ("contact", "record", "--party", "state-xx", "--person", "ownr", "--at",
         "2026-01-01T00:00:00Z", "--where", "MT"),
        "did you mean 'owner'?",
    ),
    "a party whom nobody knows": (
        ("tie", "declare", "--party", "state-x", "--kind", "contract", "--since",
         "2026-01-01T00:00:00Z"),
        "did you mean 'state-xx'?",
    ),
    "a day that is none": (
        ("matter", "open", "Calls", "--date", "2026-02-30"),
        "--date: '2026-02-30' is no date",
    ),
    "a month that is none": (
        ("claim", "record", "call-1", "--stance", "denies", "--source", "x", "--published",
         "2026-13", "--quote", "no"),
        "--published: '2026-13' is no date",
    ),
    "a number that is none": (
        ("claim", "record", "call-1", "--stance", "asserts", "--source", "x", "--published",
         "2026", "--quote", "yes", "--number", "several"),
        "--number: 'several' says no number",
    ),
    "an event that is none": (
        ("claim", "record", "call-9", "--stance", "denies", "--source", "x", "--published",
         "2026", "--quote", "no"),
        "did you mean 'call-1'?",
    ),
    "a grade that is none": (
        ("claim", "grade", "clm-1", "--reliability", "G"),
        "--reliability",
    ),
    "ground that is none": (
        ("interest", "add", "state-xx", "--kind", "claimant", "--where", "MX-ZZZ"),
        "--where: unknown territory 'MX-ZZZ'",
    ),
    "an alert that is none": (
        ("alert", "ack", "a1-0000000000000000"),
        "unknown alert 'a1-0000000000000000'",
    ),
    "a rule that is none": (("alert", "list", "--rule", "A99"), "--rule: unknown alert rule 'A99'"),
    "an instant that is none": (
        ("contact", "record", "--party", "state-xx", "--at", "yesterday", "--where", "MT"),
        "--at",
    ),
    "half a period": (("zero-report", "--from", "2026-01-01T00:00:00Z"), "a period has two ends"),
    "a receipt that is not there": (
        ("notice", "serve", "chg-1", "--to", "harbour-authority", "--role", "licensor", "--at",
         "2026-01-01T00:00:00Z", "--receipt", "none.pdf"),
        "--receipt",
    ),
    "a disclosure without its time": (
        ("contact", "record", "--party", "state-xx", "--at", "2026-01-01T00:00:00Z", "--where",
         "MT", "--disclosed", "the board"),
        "does not say when",
    ),
    "a subject that is none": (("timeline", "ownr"), "did you mean 'owner'?"),
    "a ground that the request does not state": (
        ("request", "new", "--verb", "activate", "--where", "MT", "--asker", "x", "--channel",
         "letter", "--answer-by", "9d", "--ground", "order:x-1", "--issued-by", "order:x-2=y"),
        "--issued-by: unknown ground of this request 'order:x-2'",
    ),
    "a webhook without a secret": (("feed", "--webhook", "http://127.0.0.1:1"), "--secret-file"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_one_message_and_nothing_is_recorded(town: Town, name: str) -> None:
    words, message = WRONG[name]
    rex = town.join("rex")
    before = len(listed(town, "feed"))
    reads = words[:2] == ("alert", "list") or words[0] in ("timeline", "feed")
    finished = run(rex, *words, *(() if reads else ("--as", "rex")))
    assert finished.returncode == 2, finished.stderr
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr
    assert len(listed(town, "feed")) == before


def test_entities_of_others_are_put_on_record_as_told(town: Town) -> None:
    theirs = Path(__file__).parents[1] / "data" / "ftm" / "written-by-followthemoney.jsonl"
    rex = town.join("rex")
    told = done(
        rex, "exchange", "import", theirs, "--told-by", "A newsroom", "--published", "2026-04-01",
        "--as", "rex", "--yes", "--wait",
    )  # fmt: skip
    assert "left out, for the record has no place for it: 1 Passport" in told
    assert "p-1" in {each["party"] for each in listed(town, "party", "list")}
    ties = [each for each in listed(town, "tie", "list") if each["tie"]["person"] == "p-1"]
    assert len(ties) == 2
    assert not any(each["counts"] for each in ties)
    (dinner,) = [each for each in listed(town, "claim", "list") if "They met" in str(each)]
    assert dinner["status"] == "recorded"
    out = town.folder / "ours.jsonl"
    done(rex, "exchange", "export", out)
    assert b"A launch firm" in out.read_bytes()


def test_a_forged_letter_is_no_ground(town: Town) -> None:
    """It stays unverified: no change follows from it, and the record says what it was."""
    letter = town.folder / "letter.txt"
    letter.write_text("By order of the ministry: switch it off.\n")
    as_(
        town, "rex", "request", "new", "--verb", "deactivate", "--where", "MT", "--asker",
        "the ministry", "--channel", "letter", "--letter", letter, "--verified", "unverified",
        "--answer-by", "30d", "--ground", "order:m-17", name="forged",
    )  # fmt: skip
    ada = town.join("ada")
    draft = ada / "off.toml"
    draft.write_text('drop_rule = ["mt-authorised"]\n')
    proposal = ("change", "propose", draft, "--request", "forged", "--as", "ada", "--yes")
    refused = run(ada, *proposal)
    assert refused.returncode == 1
    assert "nobody has verified" in refused.stderr
    # Whoever brought it in cannot vouch for it either.
    own = run(rex := town.join("rex"), "request", "verify", "forged", "--how", "call-back",
              "--as", "rex")  # fmt: skip
    assert (own.returncode, rex.exists()) == (1, True)
    assert "does not verify it" in own.stderr
    # The control: a letter that somebody else could trace is answered like any other.
    as_(town, "cy", "request", "verify", "forged", "--how", "call-back")
    assert run(ada, *proposal).returncode == 0


def test_a_payer_asks_and_does_not_decide(town: Town) -> None:
    """Whoever pays for a fleet lets it lapse: a request like any other, and a notice is owed."""
    ada = town.join("ada")
    draft = ada / "sponsor.toml"
    draft.write_text('[[sponsor]]\nid = "fleet-fund"\nuntil = 2026-12-31T00:00:00Z\n')
    as_(
        town, "rex", "request", "new", "--verb", "restrict", "--where", "MT", "--asker",
        "the fleet fund", "--channel", "letter", "--verified", "call-back", "--answer-by", "30d",
        "--ground", "contract:fund-1", name="payer",
    )  # fmt: skip
    as_(town, "ada", "change", "propose", draft, "--request", "payer", "--yes", name="chg-pay")
    as_(town, "bo", "change", "approve", "chg-pay", "--yes")
    assert listed(town, "change", "show", "chg-pay")["word"] != "bound"
    as_(town, "cy", "change", "approve", "chg-pay", "--yes")
    assert listed(town, "change", "show", "chg-pay")["word"] == "bound"
    owing = {(each["about"], each["to"], each["role"]) for each in listed(town, "notice", "list")}
    assert ("chg-pay", "fleet-fund", "sponsor") in owing
