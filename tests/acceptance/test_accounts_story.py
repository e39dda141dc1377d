"""Who asked, who spoke with whom, and who says what: by command, on a real log."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from support.switch import RULES, Town, as_, done, listed, run

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
