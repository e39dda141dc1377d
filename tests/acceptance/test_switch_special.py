"""Emergencies, seals, people and passkeys, by command; the passkey in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.chromium import Chromium
from support.switch import ORIGIN, RULES, Town, done, free_ports, run

from spotbeam.edge.walk import walk
from spotbeam.governance.history import intended
from spotbeam.governance.policy import Openings, policy
from spotbeam.governance.state import State
from spotbeam.http.client import fetch_from

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CELL = "h3:843f35bffffffff"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: CI must have it")
        pytest.skip("needs Chromium (as the package chromium of Debian)")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as found:
        found.call("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "usb",
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        found.call("WebAuthn.addVirtualAuthenticator", options=options)
        yield found


def by_passkey(browser: Chromium, folder: Path, *arguments: object) -> tuple[str, str]:
    """Run a command that asks on a page, and press its button; what it and the page said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "spotbeam", *map(str, arguments), "--no-browser"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    told = []
    try:
        assert process.stderr is not None
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, f"it ended: {told}"
            told.append(line)
            found = re.search(r"http://localhost:\d+/", line)
            address = found and found[0]
        browser.open(str(address), width=390)
        until(browser, "!document.getElementById('go').disabled")
        page = str(browser.value("document.body.innerText"))
        browser.value("document.getElementById('go').click()")
        with contextlib.suppress(RuntimeError):  # the page's server may be gone by then
            until(browser, "/close this page|does not count/.test(document.body.innerText)")
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, (told, errors)
        return out, page
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def until(browser: Chromium, expression: str) -> None:
    end = time.monotonic() + 60
    while not browser.value(expression):
        assert time.monotonic() < end, browser.value("document.body.innerText")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, browser: Chromium) -> Iterator[Town]:
    """A town in which dee has a passkey and no key file, from the first entry on."""
    folder = tmp_path_factory.mktemp("town")
    (port,) = free_ports(1)
    by_passkey(browser, folder, "key", "passkey", "--person", "dee", "--port", port)
    by_passkey(browser, folder, "key", "prove", "dee.passkey", "--origin", ORIGIN)
    made = Town(folder, {"dee": "dee.proof"})
    try:
        yield made
    finally:
        made.close()


def state(town: Town) -> State:
    found = walk(fetch_from(town.url), genesis=town.genesis, now_s=int(time.time()) + 5)
    return found.history.now


def ask(town: Town, name: str, verb: str = "activate") -> None:
    done(town.join("rex"), "request", "new", "--verb", verb, "--where", "MT", "--asker",
         "harbour-office", "--channel", "letter", "--verified", "call-back",
         "--answer-by", "30d", "--ground",
         "authorisation:mt-1", "--ground", "order:mt-2", "--as", "rex", "--id", name,
         "--wait")  # fmt: skip


def decide(town: Town, name: str, *people: str) -> str:
    told = ""
    for person in people:
        told = done(town.join(person), "change", "approve", name, "--as", person, "--yes", "--wait")
    return told


def test_an_approval_by_passkey_binds_a_change(town: Town, browser: Chromium) -> None:
    ask(town, "ask-1")
    ada, dee = town.join("ada"), town.join("dee")
    (ada / "rules.toml").write_text(RULES)
    done(ada, "change", "propose", "rules.toml", "--request", "ask-1", "--as", "ada", "--id",
         "chg-1", "--yes", "--wait")  # fmt: skip
    decide(town, "chg-1", "bo")
    told, page = by_passkey(
        browser, dee, "change", "approve", "chg-1", "--as", "dee", "--yes", "--wait"
    )
    assert "bound since" in told
    # The page shows what the terminal shows: the change and its impact, the claim as a claim.
    for words in ("Approve chg-1", "mt-authorised: grants service", "Effect on cells and rules"):
        assert words in page
    found = state(town)
    assert found.changes["chg-1"].status == "bound"
    proof = json.loads(done(dee, "change", "show", "chg-1", "--json"))
    assert proof["own_signatures"] == {"missing": [], "foreign": []}
    shown = done(dee, "roster", "show")
    assert re.search(r"dee +regulator +approver +from the beginning +passkey", shown)


SEAL = f"""
open_by = "14d"
[bounds]
where = ["MT"]
cells = ["{CELL}"]
verb = "restrict"
lasts = "7d"
[[rule]]
id = "quiet-bay"
effect = "deny"
gate = "cell"
where = ["{CELL}"]
who = {{ protection = ["none"] }}
grounds = ["order:mt-2"]
"""


def test_a_seal_is_bound_unread_and_opened_for_everybody(town: Town) -> None:
    ask(town, "ask-2", "restrict")
    ada = town.join("ada")
    (ada / "s.toml").write_text(SEAL)
    previewed = done(ada, "change", "preview", "s.toml", "--request", "ask-2")
    assert "they can do no more than restrict in MT" in previewed
    done(ada, "seal", "s.toml", "--request", "ask-2", "--as", "ada", "--id", "seal-1", "--yes",
         "--wait")  # fmt: skip
    shown = done(town.join("bo"), "change", "show", "seal-1")
    assert "sealed rules" in shown
    assert "quiet-bay" not in shown
    decide(town, "seal-1", "bo", "cy")
    now = state(town)
    assert now.changes["seal-1"].status == "bound"
    assert b"quiet-bay" not in b"".join(
        path.read_bytes() for path in (town.operator / "record").rglob("*") if path.is_file()
    )
    held = json.loads((ada / "private" / "openings" / "seals" / "seal-1.json").read_text())
    assert set(held) == {"seal", "value", "salt"}
    # Whoever was given the opening enforces it before the public may read it.
    from spotbeam.record.keys import decode_base64

    given = Openings(
        seals={"seal-1": (held["value"].encode(), decode_base64(held["salt"], "salt"))}
    )
    rules = policy(intended(now, now.witnessed_us), given).rules
    assert "seal-1/1" in {rule.id for rule in rules}
    # Nobody else can open it, and a wrong opening is refused.
    assert run(town.join("bo"), "open", "seal-1", "--as", "bo").returncode == 2
    bent = town.folder / "bent.json"
    bent.write_text(json.dumps(held | {"value": "[]"}))
    refused = run(town.join("bo"), "open", "seal-1", "--as", "bo", "--file", bent)
    assert refused.returncode == 1
    assert "bad_opening" in refused.stderr
    done(ada, "open", "seal-1", "--as", "ada", "--wait")
    now = state(town)
    rules = policy(intended(now, now.witnessed_us)).rules
    assert "seal-1/1" in {rule.id for rule in rules}


def test_a_larger_quorum_is_proposed_and_counts_only_after_72_hours(town: Town) -> None:
    ask(town, "ask-3")
    ada = town.join("ada")
    done(ada, "roster", "quorum", "--persons", "3", "--factors", "2", "--request", "ask-3",
         "--as", "ada", "--id", "chg-3", "--yes", "--wait")  # fmt: skip
    decide(town, "chg-3", "bo", "cy")
    told = done(ada, "roster", "show")
    assert "Quorum: 2 persons of 2 factors" in told
    assert re.search(r"from 20\d\d.*: 3 persons of 2 factors", told)
    # Until then an emergency would need no fewer people than a change, and is refused.
    ask(town, "ask-4", "restrict")
    (ada / "e.toml").write_text(
        'lasts = "2h"\n[[rule]]\nid = "stop"\neffect = "deny"\ngate = "order"\nwhere = ["MT"]\n'
        'grounds = ["order:mt-2"]\nemergency = true\n'
    )
    refused = run(ada, "emergency", "propose", "e.toml", "--request", "ask-4", "--as", "ada",
                  "--yes")  # fmt: skip
    assert refused.returncode == 1
    assert "no_emergencies" in refused.stderr


def test_another_key_is_proven_on_its_own_machine_and_added(town: Town) -> None:
    ask(town, "ask-5")
    ada, cy = town.join("ada"), town.join("cy")
    done(cy, "key", "new", "--person", "cy", "--out", "second.key")
    done(cy, "key", "prove", "second.key", "--entry", "chg-5", "--out", "second.proof")
    done(ada, "roster", "add-key", "cy", cy / "second.proof", "--request", "ask-5", "--as", "ada",
         "--id", "chg-5", "--yes", "--wait")  # fmt: skip
    decide(town, "chg-5", "bo", "cy")
    found = json.loads(done(ada, "roster", "show", "--json"))
    keys: list[dict[str, Any]] = next(p["keys"] for p in found["persons"] if p["id"] == "cy")
    assert len(keys) == 2
    assert sum(key["from_us"] > 0 for key in keys) == 1


def test_somebody_at_the_terminal_is_asked_and_may_say_no(town: Town) -> None:
    """A pseudo-terminal: what is signed is shown first, and anything but yes signs nothing."""
    pty = pytest.importorskip("pty")
    ask(town, "ask-6")
    ada, bo = town.join("ada"), town.join("bo")
    (ada / "d.toml").write_text(RULES)
    done(ada, "change", "propose", "d.toml", "--request", "ask-6", "--as", "ada", "--id", "chg-6",
         "--yes", "--wait")  # fmt: skip
    signed = bo / "private" / "signed.jsonl"
    before = signed.read_bytes() if signed.exists() else None
    leader, follower = pty.openpty()
    try:
        os.write(leader, b"n\n")
        finished = subprocess.run(
            [sys.executable, "-m", "spotbeam", "change", "approve", "chg-6", "--as", "bo"],
            cwd=bo,
            stdin=follower,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert finished.returncode == 1
    assert "Approve chg-6 as bo? [y/N]" in finished.stderr
    assert "nothing was signed" in finished.stderr
    assert "mt-authorised: grants service" in finished.stdout
    assert "Impact digest" in finished.stdout
    assert (signed.read_bytes() if signed.exists() else None) == before


def test_an_emergency_needs_two_ends_by_itself_and_is_reviewed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    town = Town(tmp_path_factory.mktemp("large"), persons=3)
    with contextlib.closing(town):
        ada = town.join("ada")
        (ada / "e.toml").write_text(
            'lasts = "2h"\n[[rule]]\nid = "stop"\neffect = "deny"\ngate = "order"\n'
            'where = ["MT"]\ngrounds = ["order:mt-2"]\n'
        )
        ask(town, "ask-1", "restrict")
        previewed = done(ada, "change", "preview", "e.toml", "--request", "ask-1")
        assert "from when it binds, for 2h; then it reverts" in previewed
        done(ada, "emergency", "propose", "e.toml", "--request", "ask-1", "--as", "ada", "--id",
             "emg-1", "--yes", "--wait")  # fmt: skip
        decide(town, "emg-1", "bo")
        told = json.loads(done(town.join("cy"), "change", "approve", "emg-1", "--as", "cy", "--yes",
                               "--wait", "--json"))  # fmt: skip
        assert told["standing"]["word"] == "bound"
        now = state(town)
        two_hours_us = 7_200_000_000
        assert [r.rule.id for r in intended(now, now.witnessed_us).rules] == ["stop"]
        assert not intended(now, now.witnessed_us + two_hours_us).rules
        # The next one in the same country needs all three until this one is reviewed.
        ask(town, "ask-2", "restrict")
        text = (ada / "e.toml").read_text()
        (ada / "e.toml").write_text(text.replace('"stop"', '"stop-again"'))
        done(ada, "emergency", "propose", "e.toml", "--request", "ask-2", "--as", "ada", "--id",
             "emg-2", "--yes", "--wait")  # fmt: skip
        assert "1 more approval of 3" in decide(town, "emg-2", "bo", "cy")
        ask(town, "ask-3", "restrict")
        done(ada, "emergency", "review", "emg-1", "--finding", "upheld", "--words", "It was due.",
             "--request", "ask-3", "--as", "ada", "--id", "chg-3", "--yes", "--wait")  # fmt: skip
        assert "bound since" in decide(town, "chg-3", "bo", "cy", "dee")
        assert "emg-1" not in state(town).unreviewed
