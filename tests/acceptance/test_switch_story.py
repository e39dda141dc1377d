"""From an empty folder to an effective change, by command only, each person in their own folder."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.switch import RULES, Town, done, run

from spotbeam.edge.walk import walk
from spotbeam.governance.history import intended
from spotbeam.governance.policy import Openings, policy
from spotbeam.http.client import fetch_from, get
from spotbeam.record.keys import decode_base64
from spotbeam.times import parse_time


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"), apart=True)
    try:
        yield made
    finally:
        made.close()


def state(town: Town):
    """The record as a stranger reads it, from the log's server."""
    found = walk(fetch_from(town.url), genesis=town.genesis, now_s=int(time.time()) + 5)
    return found.history.now


def rules_in_force(town: Town) -> set[str]:
    now = state(town)
    return {each.rule.id for each in intended(now, now.witnessed_us).rules}


def ask(town: Town, name: str, *more: object) -> str:
    """A request, registered on the registrar's own machine."""
    rex = town.join("rex")
    return done(
        rex, "request", "new", "--verb", "activate", "--where", "MT", "--asker", "harbour-office",
        "--channel", "letter", "--verified", "call-back",
        "--answer-by", "30d", "--ground", "authorisation:mt-1",
        "--ground", "order:mt-2", "--as", "rex", "--id", name, "--wait", *more,
    )  # fmt: skip


@pytest.fixture
def ruled(town: Town) -> Town:
    """The town with the rules in force, whichever tests ran before; ada has a draft to drop one."""
    ada = town.join("ada")
    (ada / "drop.toml").write_text('drop_rule = ["mt-speed-cap"]\n')
    if "mt-speed-cap" not in rules_in_force(town):
        ask(town, "ask-0")
        (ada / "rules.toml").write_text(RULES)
        done(ada, "change", "propose", "rules.toml", "--request", "ask-0", "--as", "ada", "--id",
             "chg-0", "--yes", "--wait")  # fmt: skip
        for name in ("bo", "dee"):
            done(town.join(name), "change", "approve", "chg-0", "--as", name, "--yes", "--wait")
    return town


def test_the_whole_way_from_keys_to_a_rule_in_force(town: Town) -> None:
    assert rules_in_force(town) == set()
    letter = town.folder / "letter.txt"
    letter.write_text("Please switch us on.\n")
    told = ask(town, "ask-1", "--letter", letter, "--on-behalf-of", "the fishing fleet")
    assert "request to activate in MT" in told
    ada, bo, cy = (town.join(name) for name in ("ada", "bo", "cy"))
    shown = town.done(bo, "request", "show", "ask-1")
    for words in ("harbour-office", "the fishing fleet", "order:mt-2", "letter, registered by rex"):
        assert words in shown

    draft = ada / "rules.toml"
    draft.write_text(RULES)
    previewed = done(ada, "change", "preview", draft, "--request", "ask-1")
    assert "new rule mt-authorised: grants service" in previewed
    assert not state(town).changes, "a preview writes nothing"
    told = json.loads(
        town.done(
            ada, "change", "propose", draft, "--request", "ask-1", "--as", "ada", "--id", "chg-1",
            "--yes", "--json", "--wait",
        )
    )  # fmt: skip
    assert told["id"] == "chg-1"
    impact = told["impact"]

    # Somebody at a terminal would be asked; in a script nothing is signed without --yes.
    refused = run(bo, "change", "approve", "chg-1", "--as", "bo", apart=True)
    assert refused.returncode == 2
    assert "nothing is signed" in refused.stderr
    told = town.done(bo, "change", "approve", "chg-1", "--as", "bo", "--yes", "--wait")
    assert impact in told
    assert re.search(r"record as of +20\d\d-.*Z, (\d+s ago|just now)\n", told)
    assert "1 more approval of 2" in told
    assert rules_in_force(town) == set()
    listed = town.done(cy, "change", "list")
    assert "chg-1" in listed
    assert "approvals from 1 more factor of 2" in listed
    told = town.done(cy, "change", "approve", "chg-1", "--as", "cy", "--yes", "--wait")
    assert "bound since" in told
    assert "the operator's claim" in told, "what only the operator can know is marked so"
    assert rules_in_force(town) == {"mt-authorised", "mt-speed-cap"}

    shown = town.done(ada, "change", "show", "chg-1")
    assert re.search(r"approved by +bo \(operator\)", shown)
    assert re.search(r"approved by +cy \(regulator\)", shown)
    found = json.loads(town.done(ada, "change", "show", "chg-1", "--json"))
    assert found["word"] == "bound"
    assert found["own_signatures"] == {"missing": [], "foreign": []}
    assert not state(town).findings


def test_a_list_goes_in_without_its_rows_and_edges_get_them_with_a_token(town: Town) -> None:
    ask(town, "ask-2")
    operator = town.operator
    (operator / "kits.csv").write_text("kit,terminal\n1,kit-a\n2,kit-b\n3,kit-c\n")
    (operator / "listed.toml").write_text(
        '[[list]]\nname = "kits"\nfile = "kits.csv"\n[[rule]]\nid = "only-kits"\n'
        'effect = "deny"\ngate = "list"\nwhere = ["MT"]\nwho = { not_on_list = ["kits"] }\n'
        'grounds = ["order:mt-2"]\n'
    )
    # The operator's log runs as a server, so its own commands hand entries to it as well.
    settings = operator / "spotbeam.toml"
    settings.write_text(settings.read_text().replace('"private"', json.dumps(town.url)))
    ada = town.join("ada") / "keys" / "ada.key"
    done(operator, "change", "propose", "listed.toml", "--request", "ask-2", "--key", ada,
         "--id", "chg-2", "--yes", "--wait")  # fmt: skip
    for name in ("bo", "dee"):
        done(town.join(name), "change", "approve", "chg-2", "--as", name, "--yes", "--wait")
    now = state(town)
    found = intended(now, now.witnessed_us)
    assert [(act.list, act.count) for act in found.lists] == [("kits", 3)]
    published = b"".join(path.read_bytes() for path in (operator / "record").rglob("*")
                         if path.is_file())  # fmt: skip
    assert b"kit-a" not in published
    rows = operator / "private" / "openings" / "lists" / "kits" / "1.csv"
    with rows.open() as stream:
        table = [
            (row["terminal"], decode_base64(row["salt"], "x")) for row in csv.DictReader(stream)
        ]
    given = Openings(lists={("kits", 1): tuple(table)})
    assert policy(found, given).lists[0].terminals == {"kit-a", "kit-b", "kit-c"}
    address = f"{town.url}/openings/lists/kits/1"
    assert get(address).status in (401, 403)
    token = (operator / "private" / "edge.token").read_text().strip()
    served = get(address, {"Authorization": f"Bearer {token}"})
    assert served.status == 200
    assert served.body == rows.read_bytes()


STAGED = """
[[rule]]
id = "mt-staged"
effect = "grant"
gate = "territory"
where = ["MT"]
who = { protection = ["medical"] }
grounds = ["authorisation:mt-1"]
[[rollout]]
from = 2030-01-01T00:00:00Z
where = ["h3:843f35bffffffff"]
[[rollout]]
from = 2030-01-08T00:00:00Z
where = ["MT"]
"""


def test_a_rule_is_rolled_out_stage_by_stage(town: Town) -> None:
    ask(town, "ask-staged")
    ada = town.join("ada")
    (ada / "staged.toml").write_text(STAGED)
    previewed = done(ada, "change", "preview", "staged.toml", "--request", "ask-staged")
    assert re.search(
        r"2030-01-01T00:00:00Z h3:843f35bffffffff.*2030-01-08T00:00:00Z MT",
        previewed,
        re.DOTALL,
    )
    done(ada, "change", "propose", "staged.toml", "--request", "ask-staged", "--as", "ada", "--id",
         "chg-staged", "--yes", "--wait")  # fmt: skip
    for name in ("bo", "cy"):
        done(town.join(name), "change", "approve", "chg-staged", "--as", name, "--yes", "--wait")
    now = state(town)
    reached = []
    for day in ("2029-12-31", "2030-01-01", "2030-01-08"):
        there = intended(now, parse_time(f"{day}T12:00:00Z"))
        rules = policy(there, Openings()).rules
        reached.append([set(rule.where) for rule in rules if rule.id == "mt-staged"])
    assert reached == [[], [{"h3:843f35bffffffff"}], [{"h3:843f35bffffffff", "MT"}]]
    # A second wording of what is rolled out cannot be rolled out beside it.
    ask(town, "ask-again")
    refused = run(ada, "change", "propose", "staged.toml", "--request", "ask-again", "--as", "ada",
                  "--yes")  # fmt: skip
    assert refused.returncode == 1
    assert "a roll-out brings in new rules" in refused.stderr


def test_a_request_is_refused_with_its_ground_quoted_and_another_taken_back(town: Town) -> None:
    ask(town, "ask-3")
    ask(town, "ask-4")
    cy, rex = town.join("cy"), town.join("rex")
    done(cy, "request", "refuse", "ask-3", "--ground", "sanction:s-1", "--quote",
         "No service to listed persons.", "--as", "cy", "--wait")  # fmt: skip
    done(rex, "request", "withdraw", "ask-4", "--as", "rex", "--wait")
    found = {
        each["id"]: each for each in json.loads(done(rex, "request", "list", "--all", "--json"))
    }
    assert found["ask-3"]["stands"] == "refused"
    assert found["ask-4"]["stands"] == "withdrawn"
    assert "ask-3" not in done(rex, "request", "list")


def test_a_rejection_ends_a_proposal_and_a_proposer_takes_one_back(ruled: Town) -> None:
    town = ruled
    ada, cy = town.join("ada"), town.join("cy")
    for name, request in (("chg-5", "ask-5"), ("chg-6", "ask-6")):
        ask(town, request)
        done(ada, "change", "propose", "drop.toml", "--request", request, "--as", "ada", "--id",
             name, "--yes", "--wait")  # fmt: skip
    done(cy, "change", "reject", "chg-5", "--as", "cy", "--yes", "--wait")
    done(ada, "change", "withdraw", "chg-6", "--as", "ada", "--wait")
    listed = json.loads(done(cy, "change", "list", "--all", "--json"))["proposals"]
    words = {each["id"]: each["word"] for each in listed}
    assert (words["chg-5"], words["chg-6"]) == ("rejected", "withdrawn")


def test_an_approval_taken_back_no_longer_counts(ruled: Town) -> None:
    town = ruled
    ada, bo = town.join("ada"), town.join("bo")
    ask(town, "ask-7")
    done(ada, "change", "propose", "drop.toml", "--request", "ask-7", "--as", "ada", "--id",
         "chg-7", "--yes", "--wait")  # fmt: skip
    done(bo, "change", "approve", "chg-7", "--as", "bo", "--yes", "--wait")
    done(bo, "change", "withdraw", "chg-7", "--as", "bo", "--wait")
    assert "2 more approvals of 2" in done(bo, "change", "show", "chg-7")


def test_a_person_is_seated_with_a_proof_made_for_that_proposal(ruled: Town) -> None:
    town = ruled
    ada = town.join("ada")
    ask(town, "ask-8")
    fay = town.folder / "fay"
    done(town.folder, "join", fay, "--genesis", town.genesis, "--record", town.url)
    done(fay, "key", "new", "--person", "fay")
    done(fay, "key", "prove", "keys/fay.key", "--entry", "seat-fay")
    done(ada, "roster", "seat", "fay", "--factor", "regulator", "--role", "approver", "--proof",
         fay / "fay.proof", "--request", "ask-8", "--as", "ada", "--id", "seat-fay",
         "--yes", "--wait")  # fmt: skip
    for name in ("bo", "cy"):
        done(town.join(name), "change", "approve", "seat-fay", "--as", name, "--yes", "--wait")
    found = json.loads(done(ada, "roster", "show", "--json"))
    assert "fay" in {person["id"] for person in found["persons"]}
    # A newcomer counts 72 hours later; until then nothing that they sign does.
    ask(town, "ask-9")
    done(ada, "change", "propose", "drop.toml", "--request", "ask-9", "--as", "ada", "--id",
         "chg-9", "--yes", "--wait")  # fmt: skip
    refused = run(fay, "change", "approve", "chg-9", "--as", "fay", "--yes")
    assert refused.returncode == 1
    assert "newcomer" in refused.stderr


def test_what_is_signed_elsewhere_with_my_key_is_noticed(ruled: Town) -> None:
    """Somebody copied dee's key; and a signature of dee's never reached the record."""
    town = ruled
    ask(town, "ask-10")
    ada, dee = town.join("ada"), town.join("dee")
    done(ada, "change", "propose", "drop.toml", "--request", "ask-10", "--as", "ada", "--id",
         "chg-10", "--yes", "--wait")  # fmt: skip
    thief = town.folder / "thief"
    done(town.folder, "join", thief, "--genesis", town.genesis, "--record", town.url)
    key = dee / "keys" / "dee.key"
    done(thief, "change", "approve", "chg-10", "--key", key, "--id", "stolen-1", "--yes", "--wait")
    journal = dee / "private" / "signed.jsonl"
    lost = json.loads(journal.read_text().splitlines()[0])
    with journal.open("a") as stream:
        stream.write(json.dumps(lost | {"id": "lost-1", "statement": "0" * 64}) + "\n")
    shown = done(dee, "change", "show", "chg-10")
    assert re.search(r"not signed here: entry \d+, stolen-1, carries your key", shown)
    assert "not in the record: the approval lost-1" in shown
    # On the thief's machine it is dee's own earlier signatures that are foreign.
    assert "stolen-1, carries" not in done(thief, "change", "show", "chg-10")
    # The key is given up at once, and the approval falls with it.
    done(dee, "roster", "revoke", "--as", "dee", "--yes", "--wait")
    assert "stolen-1" not in json.dumps(
        json.loads(done(dee, "change", "show", "chg-10", "--json"))["said"]
    )
    again = run(thief, "change", "approve", "chg-10", "--key", key, "--yes")
    assert again.returncode == 1
    assert "revoked" in again.stderr


def test_an_approver_whose_machine_computes_another_impact_signs_nothing(ruled: Town) -> None:
    """A proposer who lies about the impact: the digest in the change is that of something else."""
    town = ruled
    from spotbeam.assembly.key_files import read_key_file
    from spotbeam.control import proposing
    from spotbeam.control.drafts import parse_draft
    from spotbeam.control.hand import file_hand
    from spotbeam.http.log_client import LogClient

    ask(town, "ask-11")
    found = read_key_file(town.join("ada") / "keys" / "ada.key")
    assert found.signer is not None
    now, now_us = state(town), time.time_ns() // 1000
    body = proposing.change_body(
        now,
        parse_draft('drop_rule = ["mt-authorised"]', "x"),
        proposing.Attached(),
        "ask-11",
        now_us=now_us,
        place="x",
    )
    hand = file_hand("ada", found.signer)
    lie = proposing.proposal(now, body, "7" * 64, hand, id="chg-11", now_us=now_us)
    LogClient(town.url).submit(lie, wait="anchored")
    bo = town.join("bo")
    before = (bo / "private" / "signed.jsonl").read_bytes()
    refused = run(bo, "change", "approve", "chg-11", "--as", "bo", "--yes")
    assert refused.returncode == 1
    assert "this machine computed" in refused.stderr
    assert (bo / "private" / "signed.jsonl").read_bytes() == before
    # One may reject it all the same.
    done(bo, "change", "reject", "chg-11", "--as", "bo", "--yes", "--wait")


def test_foreign_text_cannot_steer_the_terminal_of_who_reads_it(town: Town) -> None:
    rex, bo = town.join("rex"), town.join("bo")
    asker = "port \u202egnp.exe\x1b[2J\u200b"
    done(rex, "request", "new", "--verb", "activate", "--where", "MT", "--asker", asker,
         "--channel", "letter", "--verified", "call-back",
         "--answer-by", "30d", "--ground", "order:x", "--as", "rex",
         "--id", "ask-12", "--wait")  # fmt: skip
    for told in (
        done(bo, "request", "show", "ask-12"),
        done(bo, "request", "list"),
        done(bo, "request", "show", "ask-12", "--json"),
    ):
        for char in ("\u202e", "\x1b", "\u200b"):
            assert char not in told
        assert "u202e" in told


def test_with_the_log_gone_nothing_is_signed_over_an_old_view(town: Town) -> None:
    bo = town.join("bo")
    before = (bo / "private" / "signed.jsonl").read_bytes()
    assert town.log is not None
    town.log.close()
    told = run(bo, "change", "list", "--all")
    assert told.returncode == 0
    assert "as it was accepted before" in told.stderr
    refused = run(bo, "change", "approve", "chg-9", "--as", "bo", "--yes")
    assert refused.returncode == 1
    assert "nothing is signed over a view that may be old" in refused.stderr
    assert (bo / "private" / "signed.jsonl").read_bytes() == before


def test_the_same_on_one_machine_without_a_server(town: Town, tmp_path: Path) -> None:
    """The operator's own folder keeps the log for the length of each command."""
    operator = town.operator
    settings = operator / "spotbeam.toml"
    settings.write_text(re.sub(r'log = ".*"', 'log = "private"', settings.read_text()))
    rex = town.join("rex") / "keys" / "rex.key"
    told = done(operator, "request", "new", "--verb", "extend", "--where", "MT", "--asker",
                "harbour-office", "--channel", "portal", "--verified", "call-back",
                "--answer-by", "7d", "--ground",
                "order:mt-2", "--key", rex, "--id", "ask-13")  # fmt: skip
    assert "request to extend in MT" in told
    assert "ask-13" in done(operator, "request", "list")
    verified = done(operator, "record", "verify", "record", "--genesis", town.genesis)
    assert verified
