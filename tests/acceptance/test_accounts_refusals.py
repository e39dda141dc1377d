"""What nobody may put on record about others by command, and what they may."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from support.switch import RULES, Town, as_, done, listed, run


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("accounts"))
    try:
        for words in (
            ("state-xx", "--name", "The state of X", "--kind", "state"),
            ("owner", "--name", "The owner", "--kind", "person"),
        ):
            as_(made, "rex", "party", "add", *words)
        as_(
            made, "dee", "tie", "declare", "--party", "state-xx", "--kind", "contract",
            "--since", "2020-01-01T00:00:00Z", name="tie-dee",
        )  # fmt: skip
        as_(
            made, "rex", "contact", "record", "--party", "state-xx", "--person", "owner", "--at",
            "2026-01-01T00:00:00Z", "--where", "MT", name="call-1",
        )  # fmt: skip
        yield made
    finally:
        made.close()


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
    "a grade of what is no claim": (
        ("claim", "grade", "call-1", "--reliability", "B"),
        "CLAIM: unknown claim 'call-1'",
    ),
    "a claim without its words": (
        ("claim", "record", "call-1", "--stance", "denies", "--source", "x", "--published", "2026"),
        "`quote`",
    ),
    "a disclosure of nothing": (
        ("contact", "disclose", "call-2", "--to", "x", "--at", "2026-01-01T00:00:00Z"),
        "CONTACT: unknown contact 'call-2'",
    ),
    "an end of no tie": (
        ("tie", "end", "tie-de", "--at", "2026-01-01T00:00:00Z"),
        "did you mean 'tie-dee'?",
    ),
    "a verification of no request": (
        ("request", "verify", "ask-9", "--how", "call-back"),
        "REQUEST: unknown request 'ask-9'",
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


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", 'stance = "denys"\n', "a.toml"),
        ("a.toml", 'stanze = "denies"\n', "did you mean 'stance'?"),
        ("a.toml", "stance =\n", "not valid TOML"),
        ("a.json", "{", "not valid JSON"),
        ("a.json", "[]", "is no table"),
    ],
)
def test_a_wrong_file_of_a_claim_is_one_message(
    town: Town, name: str, text: str, message: str
) -> None:
    rex = town.join("rex")
    (rex / name).write_text(text)
    finished = run(rex, "claim", "record", "call-1", "--file", name, "--as", "rex")
    assert finished.returncode == 2, finished.stderr
    assert message in finished.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "long.toml",
            'stance = "qualifies"\nsource = "An office"\npublished = 2026-01-04\n'
            'quote = """One call,\nand a short one."""\nnumber = 1\narchive = "copy.txt"\n',
        ),
        (
            "long.json",
            '{"stance": "qualifies", "source": "An office", "published": "2026-01-04", '
            '"quote": "One call,\\nand a short one.", "number": 1, "archive": "copy.txt"}',
        ),
    ],
)
def test_a_long_claim_comes_from_a_file(town: Town, name: str, text: str) -> None:
    rex = town.join("rex")
    (rex / "long").mkdir(exist_ok=True)
    (rex / "long" / name).write_text(text)
    (rex / "long" / "copy.txt").write_text("as printed\n")
    entry = name.replace(".", "-")
    as_(town, "rex", "claim", "record", "call-1", "--file", f"long/{name}", "--who", "the owner",
        name=entry)  # fmt: skip
    said = listed(town, "claim", "show", "call-1")
    (claim,) = [each["claim"] for each in said["voices"] if each["claim"]["id"] == entry]
    body = claim["body"]
    assert body["quote"] == "One call,\nand a short one."
    assert body["source"]["published"] == "2026-01-04"
    assert body["source"]["digest"] == sha256(b"as printed\n").hexdigest()
    assert {(each["aspect"], each["value"]) for each in body["says"]} == {
        ("number", "1"),
        ("who", "the owner"),
    }


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
    letter.write_text("By order of the ministry: switch it on.\n")
    as_(
        town, "rex", "request", "new", "--verb", "activate", "--where", "MT", "--asker",
        "the ministry", "--channel", "letter", "--letter", letter, "--verified", "unverified",
        "--answer-by", "30d", "--ground", "authorisation:mt-1", "--ground", "order:mt-2",
        name="forged",
    )  # fmt: skip
    ada = town.join("ada")
    draft = ada / "on.toml"
    draft.write_text(RULES)
    proposal = ("change", "propose", draft, "--request", "forged", "--as", "ada", "--yes")
    refused = run(ada, *proposal)
    assert refused.returncode == 1
    assert "nobody has verified" in refused.stderr
    # Whoever brought it in cannot vouch for it either.
    own = run(
        town.join("rex"), "request", "verify", "forged", "--how", "call-back", "--as", "rex"
    )  # fmt: skip
    assert own.returncode == 1
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
