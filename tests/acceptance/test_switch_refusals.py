"""Wrong input to every command that writes: one message that says what, where and how, no more.

Nothing is written then: no entry, no key, no opening, no line in the journal.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from support.switch import ORIGIN, RULES, SCENARIO, Town, done, free_ports, roster_text, run

from spotbeam.http.client import get
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.keys import COSIGNATURE_ED25519, signer_from_seed

SEAL = """
open_by = "14d"
[bounds]
where = ["MT"]
cells = ["h3:843f35bffffffff"]
verb = "restrict"
lasts = "7d"
[[rule]]
id = "front"
effect = "deny"
gate = "cell"
where = ["h3:843f35bffffffff"]
who = { protection = ["none"] }
grounds = ["order:mt-2"]
"""

ORDER = """
[[rule]]
id = "stop"
effect = "deny"
gate = "order"
where = ["MT"]
grounds = ["order:mt-2"]
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"))
    try:
        rex, ada = made.join("rex"), made.join("ada")
        for name in ("bo", "cy"):
            made.join(name)
        for name in ("ask-1", "ask-2", "ask-3"):
            done(rex, "request", "new", "--verb", "activate", "--where", "MT", "--asker",
                 "harbour-office", "--channel", "letter", "--verified", "call-back",
                 "--answer-by", "30d", "--ground",
                 "authorisation:mt-1", "--ground", "order:mt-2", "--as", "rex", "--id",
                 name, "--wait")  # fmt: skip
        done(rex, "request", "withdraw", "ask-3", "--as", "rex", "--wait")
        (ada / "rules.toml").write_text(RULES)
        done(ada, "change", "propose", "rules.toml", "--request", "ask-1", "--as", "ada", "--id",
             "chg-1", "--yes", "--wait")  # fmt: skip
        done(made.join("bo"), "change", "approve", "chg-1", "--as", "bo", "--yes", "--wait")
        for name in ("bo", "cy", "rex"):
            done(made.join(name), "change", "list")
        yield made
    finally:
        made.close()


Refused = Callable[..., str]


def written(folder: Path) -> dict[str, str]:
    """Every file below a folder, by the digest of its bytes; what was followed may move on."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "following" not in path.parts
    }


def size(town: Town) -> int:
    """How many entries that somebody wrote are in the log; anchors come by themselves."""
    return parse_signed_checkpoint(get(f"{town.url}/checkpoint").body)[0].size


@pytest.fixture
def refused(town: Town) -> Refused:
    """Run a command in somebody's folder that must be refused; the message."""

    def check(who: str, *arguments: object, code: int, files: dict[str, str] | None = None) -> str:
        folder = town.join(who)
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        before, entries = written(folder), size(town)
        finished = run(folder, *arguments)
        told = finished.stderr
        assert finished.returncode == code, (finished.stdout, told)
        assert told.startswith("spotbeam: "), told
        assert told.count("spotbeam: ") == 1, f"more than one message: {told}"
        assert len(told.splitlines()) <= 4, f"more than a message and its fix: {told}"
        assert "Traceback" not in told
        assert written(folder) == before
        assert size(town) == entries
        return told

    return check


NEW = ("request", "new", "--verb", "activate", "--asker", "x", "--channel", "letter",
       "--verified", "call-back")  # fmt: skip
GOOD = (*NEW, "--where", "MT", "--ground", "order:x", "--answer-by", "9d", "--as", "rex")


def changed(old: str, new: str) -> tuple[str, ...]:
    assert old in GOOD
    return tuple(new if each == old else each for each in GOOD)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (changed("activate", "activat"), 2, "activat"),
        (changed("MT", "MTT"), 2, "--where: unknown territory 'MTT'"),
        (changed("MT", "mt"), 2, "did you mean 'MT'"),
        (changed("MT", "h3:zz"), 2, "'h3:zz' is no H3 cell"),
        (changed("order:x", "ordre:x"), 2, "did you mean order:x"),
        (changed("order:x", "order:X Y"), 2, "--ground"),
        (changed("order:x", "order:x:missing.pdf"), 2, "'missing.pdf' cannot be read"),
        (changed("9d", "soon"), 2, "--answer-by: 'soon' is neither a duration nor an instant"),
        (changed("9d", "2020-01-01T00:00:00Z"), 2, "is past"),
        (changed("letter", "Letter!"), 2, "--channel"),
        (changed("x", ""), 2, "--asker"),
        ((*GOOD, "--letter", "nowhere.pdf"), 2, "--letter: 'nowhere.pdf' cannot be read"),
        ((*GOOD, "--draft", "nowhere.toml"), 2, "nowhere.toml: cannot be read"),
        ((*GOOD, "--arrival", "nowhere"), 1, "no such arrival"),
        ((*GOOD, "--id", "Ask 1"), 2, "--id: 'Ask 1' cannot be an id"),
        ((*GOOD, "--id", "ask-1"), 2, "--id: the id 'ask-1' is used already"),
        ((*GOOD[:-2], "--key", "nowhere.key"), 2, "nowhere.key: cannot be read"),
        (GOOD[:-2], 2, "who signs is not said"),
        (changed("rex", "nobody"), 2, "there is no key of 'nobody'"),
        ((*GOOD, "--workspace", "/nowhere"), 2, "there is no spotbeam.toml"),
        ((*NEW, "--answer-by", "9d", "--as", "rex"), 2, "no ground is stated"),
        ((*GOOD[:8], *GOOD[10:]), 2, "--verified: who registers for somebody else"),
        (changed("letter", "telephone"), 2, "--spoken: what came by telephone"),
        ((*GOOD, "--contact", "con-9"), 2, "--contact: unknown contact 'con-9'"),
        ((*GOOD, "--valid", "order:x=2026"), 2, "--valid"),
        ((*GOOD, "--valid", "order:y=/"), 2, "--valid: unknown ground of this request 'order:y'"),
        ((*GOOD, "--issued-by", "order:x"), 2, "--issued-by: 'order:x' says nothing of a ground"),
        (("request", "show", "ask-9"), 2, "unknown request 'ask-9'.*did you mean 'ask-"),
        (("request", "withdraw", "ask-9", "--as", "rex"), 2, "unknown request 'ask-9'"),
        (("request", "withdraw", "ask-3", "--as", "rex"), 1, r"\(answered\)"),
    ],
)  # fmt: skip
def test_requests(refused: Refused, arguments: tuple[str, ...], code: int, told: str) -> None:
    assert_says(refused("rex", *arguments, code=code), told)


def assert_says(message: str, told: str) -> None:
    assert re.search(told, message, re.DOTALL), message


DROP = 'drop_rule = ["mt-authorised"]\n'
PROPOSE = ("change", "propose", "d.toml", "--request", "ask-2", "--as", "ada", "--yes")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "d.toml: proposes nothing"),
        ("[[rule]", "d.toml: not valid TOML.*line 1"),
        (RULES.replace("effect", "efect", 1), "unknown key 'efect'.*did you mean 'effect'"),
        (RULES.replace("territory", "teritory"), "did you mean 'territory'"),
        (RULES.replace('"MT"', '"MTA"'), "'MTA' is nothing that the record can hold"),
        (RULES.replace("order:mt-2", "order:mt-3"), "did you mean 'order:mt-2'"),
        (RULES.replace("mt-authorised", "Mt"), "'Mt' is nothing that the record can hold"),
        ("drop_rules = ['a']", "unknown key 'drop_rules'.*did you mean 'drop_rule'"),
        (DROP, "d.toml, drop_rule: unknown rule 'mt-authorised'"),
        ("drop_list = ['kits']", "d.toml, drop_list: unknown list 'kits'"),
        ("lasts = '3h'\n" + RULES, "'lasts' has no meaning in a change"),
        ("until = 'tomorrow'\n" + RULES, "d.toml, until: 'tomorrow' is not a time"),
        ('[[list]]\nname = "kits"\nfile = "no.csv"', "'no.csv' cannot be read"),
        ('[[list]]\nname = "kits"\nfile = "two.csv"', "two.csv, line 3.*stands there twice"),
        ('[[list]]\nname = "kits"\nfile = "bad.csv"', "bad.csv: has no column 'terminal'"),
        ('[[list]]\nname = "kits"\nterminals = ["a", ""]', "d.toml.*terminals"),
        ('[[seat]]\nid="fay"\nfactor="regulator"\nroles=["approver"]\nkeys=["no.proof"]',
         "no.proof: cannot be read"),
        ('[[seat]]\nid="fay"\nfactor="regulator"\nroles=["aprover"]\nkeys=["x"]', "aprover"),
        ("[quorum]\npersons = 1\nfactors = 2", "quorum.persons"),
        ('[witnesses]\nquorum = 1\n[[witnesses.witness]]\nname = "w"\nkey = "w+1+x"\n'
         'url = "http://w"\norganisation = "o"', "not a verifier key"),
    ],
)  # fmt: skip
def test_drafts_of_changes(refused: Refused, town: Town, text: str, told: str) -> None:
    files = {
        "d.toml": text,
        "two.csv": "terminal\nkit-1\nkit-1\n",
        "bad.csv": "kit,serial\n1,2\n",
    }
    assert_says(refused("ada", *PROPOSE, code=2, files=files), told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RULES.replace('["MT"]', '["IT"]'), r"\(not_asked\)"),
        ('[quorum]\npersons = 9\nfactors = 2', r"\(starved\)"),
        ('unseat = ["zed"]', r"\(not_seated\)"),
        ("[[review]]\nemergency = 'e'\nfinding = 'upheld'\nwords = 'x'", "no such emergency"),
        ("until = 2020-01-01T00:00:00Z\n" + RULES, r"\(window\)"),
        (RULES + '[quorum]\npersons = 2\nfactors = 2', r"\(mixed\)"),
    ],
)  # fmt: skip
def test_changes_that_the_record_would_void(refused: Refused, text: str, told: str) -> None:
    assert_says(refused("ada", *PROPOSE, code=1, files={"d.toml": text}), told)


@pytest.mark.parametrize(
    ("who", "arguments", "code", "told"),
    [
        ("ada", ("change", "propose", "gone.toml", "--request", "ask-2", "--as", "ada", "--yes"),
         2, "gone.toml: cannot be read"),
        ("ada", ("change", "propose", "rules.toml", "--request", "ask-9", "--as", "ada", "--yes"),
         2, "unknown request 'ask-9'"),
        ("ada", ("change", "propose", "rules.toml", "--request", "ask-3", "--as", "ada", "--yes"),
         1, r"\(answered\)"),
        ("ada", ("change", "propose", "rules.toml", "--request", "ask-2", "--as", "ada"),
         2, "nobody is at a terminal.*--yes"),
        ("ada", ("change", "propose", "rules.toml", "--as", "ada"), 2, "--request"),
        ("ada", ("change", "preview", "rules.toml"), 2, "--request: which request"),
        ("ada", ("change", "preview", "chg-9"), 2, "unknown proposal 'chg-9'"),
        ("ada", ("change", "approve", "chg-1", "--as", "ada", "--yes"), 1, r"\(own_proposal\)"),
        ("rex", ("change", "approve", "chg-1", "--as", "rex", "--yes"), 1, r"\(not_approver\)"),
        ("bo", ("change", "approve", "chg-1", "--as", "bo", "--yes"), 1, r"\(repeated\)"),
        ("cy", ("change", "approve", "chg-9", "--as", "cy", "--yes"), 2, "unknown proposal"),
        ("cy", ("change", "approve", "chg-1", "--as", "cy"), 2, "nobody is at a terminal"),
        ("cy", ("change", "approve", "chg-1", "--as", "cy", "--yes", "--expires", "25h"),
         2, "--expires: '25h' is not within 24 hours"),
        ("cy", ("change", "approve", "chg-1", "--as", "cy", "--yes", "--expires", "0s"),
         2, "--expires"),
        ("cy", ("change", "approve", "chg-1", "--as", "bo", "--key", "keys/cy.key", "--yes"),
         2, "the key is cy's, not bo's"),
        ("cy", ("change", "approve", "chg-1", "--key", "../cy.proof", "--yes"),
         2, "it cannot sign"),
        ("cy", ("change", "approve", "chg-1", "--key", "spotbeam.toml", "--yes"),
         2, "spotbeam.toml: is not a key file"),
        ("cy", ("change", "approve", "chg-1", "--key", "keys", "--yes"), 2, "is a folder"),
        ("rex", ("change", "reject", "chg-1", "--as", "rex", "--yes"), 1, r"\(not_approver\)"),
        ("cy", ("change", "withdraw", "chg-1", "--as", "cy"), 1, r"\(not_theirs\)"),
        ("cy", ("change", "withdraw", "chg-9", "--as", "cy"), 2, "did you mean 'chg-1'"),
        ("cy", ("change", "show", "chg-9"), 2, "unknown proposal 'chg-9'"),
        ("cy", ("request", "refuse", "ask-9", "--ground", "order:x", "--quote", "no", "--as",
                "cy"), 2, "unknown request"),
        ("cy", ("request", "refuse", "ask-2", "--ground", "x", "--quote", "no", "--as", "cy"),
         2, "--ground"),
        ("cy", ("request", "refuse", "ask-2", "--ground", "order:x", "--quote", "", "--as", "cy"),
         2, "--quote"),
        ("rex", ("request", "refuse", "ask-2", "--ground", "order:x", "--quote", "no", "--as",
                 "rex"), 1, r"\(not_approver\)"),
        ("cy", ("roster", "revoke", "77", "--as", "cy", "--yes"), 2, "'77' is no digest"),
        ("cy", ("roster", "revoke", "7" * 64, "--as", "cy", "--yes"), 1, r"\(not_their_key\)"),
        ("cy", ("roster", "revoke", "--as", "cy"), 2, "nobody is at a terminal"),
        ("cy", ("roster", "quorum", "--persons", "1", "--factors", "2", "--request", "ask-2",
                "--as", "cy", "--yes"), 2, "persons"),
        ("cy", ("roster", "unseat", "Zed", "--request", "ask-2", "--as", "cy", "--yes"),
         2, "'Zed' cannot be an id"),
        ("cy", ("roster", "add-key", "cy", "../cy.proof", "--request", "ask-2", "--as", "cy",
                "--yes"), 2, "the proof is for the genesis"),
        ("cy", ("emergency", "review", "e-1", "--finding", "upheld", "--words", "x", "--request",
                "ask-2", "--as", "cy", "--yes"), 2, "unknown emergency to review"),
        ("cy", ("open", "seal-9", "--as", "cy"), 2, "unknown seal 'seal-9'"),
        ("cy", ("key", "new", "--person", "Cy"), 2, "--person: 'Cy' cannot be an id"),
        ("cy", ("key", "new", "--person", "cy"), 2, "cy.key: is there already"),
        ("cy", ("key", "new", "--person", "z", "--out", "no/z.key"), 2, "cannot be written"),
        ("cy", ("key", "show", "no.key"), 2, "no.key: cannot be read"),
        ("cy", ("key", "prove", "keys/cy.key", "--entry", "e", "--genesis", "7"),
         2, "--genesis: '7' is no digest"),
        ("cy", ("key", "prove", "../cy.proof"), 2, "it cannot sign"),
        ("cy", ("key", "passkey", "--person", "cy", "--port", "80"), 2, "--port: 80"),
        ("cy", ("join", "keys", "--genesis", "7" * 64, "--record", "http://127.0.0.1:9"),
         2, "keys: is there already|no server answers"),
        ("cy", ("join", "new", "--genesis", "7", "--record", "http://127.0.0.1:9"),
         2, "--genesis: '7' is no digest"),
        ("cy", ("join", "new", "--genesis", "7" * 64, "--record", "."), 2, "--log"),
        ("cy", ("join", "new", "--genesis", "7" * 64, "--record", "http://127.0.0.1:9"),
         1, "the record cannot be read"),
    ],
)  # fmt: skip
def test_commands(
    refused: Refused, who: str, arguments: tuple[str, ...], code: int, told: str
) -> None:
    assert_says(refused(who, *arguments, code=code), told)


@pytest.mark.parametrize(
    ("verb", "text", "told"),
    [
        (("emergency", "propose"), RULES, "stands at the gate 'order'"),
        (("emergency", "propose"), ORDER, r"\(no_emergencies\)"),
        (("emergency", "propose"), "lasts = '25h'\n" + ORDER, "at most 24 hours, not 25h"),
        (("emergency", "propose"), "unseat = ['bo']", "of rules only"),
        (("seal",), SEAL.replace('open_by = "14d"', ""), "a seal needs open_by"),
        (("seal",), SEAL.replace('verb = "restrict"', 'verb = "extend"'), "outside the bounds"),
        (("seal",), SEAL.replace('"7d"', '"long"'), "'long' is not a duration"),
        (("seal",), SEAL.replace('verb = "restrict"', 'verb = "stop"'), "bounds.verb"),
    ],
)
def test_emergencies_and_seals(
    refused: Refused, verb: tuple[str, ...], text: str, told: str
) -> None:
    arguments = (*verb, "d.toml", "--request", "ask-2", "--as", "ada", "--yes")
    code = 1 if "no_emergencies" in told else 2
    assert_says(refused("ada", *arguments, code=code, files={"d.toml": text}), told)


def test_another_record_is_refused_by_its_digest(town: Town, refused: Refused) -> None:
    told = refused("cy", "join", "new", "--genesis", "7" * 64, "--record", town.url, code=1)
    assert_says(told, "begins with another entry")


def test_a_key_that_others_can_read_is_warned_of(town: Town) -> None:
    key = town.join("cy") / "keys" / "cy.key"
    key.chmod(0o644)
    try:
        finished = run(town.join("cy"), "key", "show", "keys/cy.key")
    finally:
        key.chmod(0o600)
    assert finished.returncode == 0
    assert (
        finished.stderr
        == "spotbeam: warning: keys/cy.key can be read by others\n  chmod 600 keys/cy.key\n"
    )
    assert run(town.join("cy"), "key", "show", "keys/cy.key").stderr == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(town: Town, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    finished = run(town.folder, "key", "new", "--person", "z", "--out", tmp_path / "z.key")
    assert finished.returncode == 2
    assert "cannot be written" in finished.stderr


def test_a_folder_in_which_nothing_can_be_made(found: Path) -> None:
    (found / "roster.toml").write_text(ROSTER)
    finished = run(found, "init", "/proc/none/ws", "--roster", "roster.toml")
    assert finished.returncode == 2
    assert_says(finished.stderr, "/proc/none/ws: cannot be made")


# -- the first roster


def witnesses(count: int = 3, mirrors: int = 1) -> list[tuple[str, str, str, bool]]:
    found = []
    for number, port in enumerate(free_ports(count), 1):
        seed = sha256(f"w{number}".encode()).digest()
        key = str(signer_from_seed(f"w{number}.example", COSIGNATURE_ED25519, seed).key)
        found.append((f"w{number}", key, f"http://127.0.0.1:{port}/x", number > count - mirrors))
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys for a first roster."""
    folder = tmp_path_factory.mktemp("roster")
    for name in ("ada", "bo", "cy", "dee", "rex"):
        done(folder, "key", "new", "--person", name, "--out", f"{name}.key")
    done(folder, "key", "prove", "cy.key", "--origin", "another.example", "--out", "other.proof")
    done(folder, "key", "prove", "cy.key", "--origin", ORIGIN, "--entry", "seat-cy", "--genesis",
         "7" * 64, "--out", "late.proof")  # fmt: skip
    return folder


FILES = {name: f"{name}.key" for name in ("ada", "bo", "cy", "dee", "rex")}
ROSTER = roster_text(FILES, witnesses())
MIRRORS = roster_text(FILES, witnesses(mirrors=3))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[quorum]", "[quorom]", "unknown key 'quorom'.*did you mean 'quorum'"),
        ("[quorum]", "[quorum", "not valid TOML"),
        ("persons = 2", "persons = 1", "quorum.persons"),
        ("persons = 2", "persons = 5", r"\(starved\)"),
        ("factors = 2", "factors = 3", r"\(starved\)"),
        ('factor = "operator"', 'factor = "operater"', "did you mean 'operator'"),
        ('["approver", "operator"]', '["aprover"]', "aprover"),
        ('"ada.key"', '"gone.key"', "gone.key: cannot be read"),
        ('"ada.key"', '"bo.key"', "proves a key of 'bo', not of 'ada'"),
        ('"cy.key"', '"other.proof"', "for the origin 'another.example'.*key prove"),
        ('"cy.key"', '"late.proof"', "for the genesis|for the entry"),
        ('id = "bo"', 'id = "Bo"', "Bo"),
        ('id = "bo"', 'id = "ada"', "ada|bo"),
        ('party = "state-mt"', 'party = "spotbeam-op"', r"\(same_party\)"),
        ('name = "Regulator"', 'name = "Operator"', r"\(same_name\)"),
        ("quorum = 3", "quorum = 2", "without a mirror"),
        ("quorum = 3", "quorum = 4", "4 of 3 witnesses cannot sign"),
        ("quorum = 3", 'quorum = "none"', "the quorum is none"),
        ("mirror = true", "mirror = false", "without a mirror"),
        ('url = "http', 'url = "ftp', "is not an address"),
        ('key = "w1.example', 'key = "w2.example', "does not belong"),
        (ORIGIN, "log example", "not a key name"),
        ("[quorum]", '[quorum]\nmust_include = ["press"]', r"\(starved\)"),
    ],
)  # fmt: skip
def test_first_rosters(found: Path, old: str, new: str, told: str) -> None:
    assert old in ROSTER
    assert_refused(found, ROSTER.replace(old, new, 1), told)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quorum = 3": "quorum = 2"}, "share only"),
        ({"quorum = 3": "quorum = 1"}, "alone can meet"),
        ({"Organisation w2": "Organisation w1", "Organisation w3": "Organisation w1"}, "alone can"),
    ],
)
def test_witness_quorums_that_promise_nothing(
    found: Path, changes: dict[str, str], told: str
) -> None:
    text = MIRRORS
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert_refused(found, text, told)


def assert_refused(found: Path, text: str, told: str) -> None:
    roster = found / "roster.toml"
    roster.write_text(text)
    before = written(found)
    finished = run(found, "init", "ws", "--roster", roster)
    assert finished.returncode == 2, finished.stderr
    assert finished.stderr.count("spotbeam: ") == 1
    assert_says(finished.stderr, told)
    assert written(found) == before
    assert not (found / "ws").exists()
    assert not list(found.glob(".ws*")), "nothing half written"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--scenario", "blck-sea"), "unknown scenario 'blck-sea'.*did you mean 'black-sea'"),
        (("--propose-rules",), "whose rules is not said"),
        (("--scenario", "bare.toml", "--propose-rules"), "harbour: has no rules"),
    ],
)
def test_options_of_init(found: Path, more: tuple[str, ...], told: str) -> None:
    (found / "bare.toml").write_text(SCENARIO)
    (found / "roster.toml").write_text(ROSTER)
    finished = run(found, "init", "ws", "--roster", "roster.toml", *more)
    assert finished.returncode == 2
    assert_says(finished.stderr, told)
    assert not (found / "ws").exists()


def test_a_folder_that_is_there_is_left_alone(found: Path) -> None:
    (found / "roster.toml").write_text(ROSTER)
    (found / "mine").mkdir(exist_ok=True)
    (found / "mine" / "letter").write_text("dear")
    finished = run(found, "init", "mine", "--roster", "roster.toml")
    assert finished.returncode == 2
    assert_says(finished.stderr, "mine: is there already, and is not empty")
    assert (found / "mine" / "letter").read_text() == "dear"
    assert run(found, "init", "roster.toml", "--roster", "roster.toml").returncode == 2


def test_a_workspace_with_no_witness_awake_is_told_so(found: Path) -> None:
    (found / "roster.toml").write_text(ROSTER)
    done(found, "init", "asleep", "--roster", "roster.toml")
    finished = run(found / "asleep", "request", "list")
    assert finished.returncode == 1
    assert_says(finished.stderr, "the record cannot be read.*the log publishes once its witnesses")
    finished = run(found / "asleep", *GOOD[:-2], "--key", "../rex.key")
    assert finished.returncode == 1
    assert_says(finished.stderr, "is not witnessed.*every witness of the quorum must run")
    assert not (found / "asleep" / "private" / "signed.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "missing required field"),
        ("origin = 1", "spotbeam.toml"),
        ("[", "not valid TOML"),
        ('origin = "x"\ngenesis = "7"\nrecord = "r"', "genesis"),
        ('origin = "x"\ngenesis = "{d}"\nrecord = []', "names nothing"),
        ('origin = "x"\ngenesis = "{d}"\nrecord = "r"\nlog = "here"', "neither 'private' nor"),
        ('origin = "x"\ngenesis = "{d}"\nrecord = "r"\nlgo = "private"', "did you mean 'log'"),
        ('origin = "x"\ngenesis = "{d}"\nrecord = "r"', "there is no such folder"),
    ],
)  # fmt: skip
def test_settings(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "spotbeam.toml").write_text(text.replace("{d}", "7" * 64))
    finished = run(tmp_path, "request", "list")
    assert finished.returncode == 2
    assert finished.stderr.count("spotbeam: ") == 1
    assert_says(finished.stderr, told)


def test_a_log_in_use_is_told_with_the_way_out(town: Town) -> None:
    finished = run(town.operator, *GOOD[:-2], "--key", town.join("rex") / "keys" / "rex.key")
    assert finished.returncode == 2
    assert_says(finished.stderr, "in use by another process.*set log = ")
    assert json.loads(get(f"{town.url}/status").body)["log"]["standing"] == "witnessed"
