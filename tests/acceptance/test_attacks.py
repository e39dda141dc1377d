"""An insider against an edge; log, witnesses and edge are processes as users run them.

The attacker (`support.attacker`) is a program that holds every file of the server. Each attack
stands beside a control: the same edge with one check taken out (`support.weakened_edge`), on which
it succeeds. Each country stands for one attack, so that all of one kind are tried at once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.governance import World, rule, seed
from support.processes import LOG_KEY, Server, policy_lines, quorum_of, until, workspace

from spotbeam.edge.walk import walk
from spotbeam.errors import Refused
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.words import DAY_US
from spotbeam.http.client import fetch_from, get, post
from spotbeam.http.log_client import LogClient
from spotbeam.record.keys import ED25519, format_signer_key

PLACES = {
    "UA": (50.45, 30.52),
    "SE": (59.33, 18.07),
    "NO": (59.91, 10.75),
    "FI": (60.17, 24.94),
    "ES": (40.42, -3.70),
    "PL": (52.23, 21.01),
    "DE": (52.52, 13.40),
    "IT": (41.90, 12.50),
}
DARK = "dark"
_DARK = {"NOT_AUTHORISED": DARK, "PENDING_AUTHORISATION": DARK}
TESTS = Path(__file__).parents[1]


class Site:
    """A server with its log, three witnesses, an edge, and five people with keys of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = folder / "server"
        self.public = folder / "public"
        self.running: list[Server] = []
        lines = {}
        for name in ("w1", "w2", "m3"):
            mirror = ["--mirror"] if name == "m3" else []
            started = self.start("witness", name, "--port", 0, "--log", LOG_KEY, *mirror)
            label = "m3-mirror" if mirror else name
            lines[label] = policy_lines(started)[label]
        self.world: World = workspace(self.server, quorum_of(lines, 3, ["m3-mirror"]))
        (self.server / "withheld").mkdir()
        (folder / "signed").mkdir()
        self.insiders = [folder / "ada.key", folder / "bo.key"]
        for path in self.insiders:
            path.write_text(format_signer_key(path.stem, ED25519, seed(path.stem)) + "\n")
            path.chmod(0o600)
        self.log = self.start("log", "-w", self.server, "--port", 0)
        self.show(self.server / "record")

    def start(self, *arguments: object, check: str | None = None) -> Server:
        started = Server(arguments, self.folder, check=check)
        self.running.append(started)
        return started

    def end(self, server: Server) -> None:
        server.close()
        self.running.remove(server)

    def is_witnessed(self) -> bool:
        status = json.loads(get(f"{self.log.url}/status").body)
        return bool(status["log"]["standing"] == "witnessed")

    def restart_log(self) -> None:
        self.log = self.start("log", "-w", self.server, "--port", 0)

    def show(self, record: Path) -> None:
        """What the web server hands out from now on: whoever holds it decides."""
        new = self.folder / "new"
        new.symlink_to(record)
        os.replace(new, self.public)

    def follow(self) -> None:
        """The people read the log: what they sign next is about that."""
        read = walk(
            fetch_from(self.log.url), genesis=self.world.now.genesis, now_s=int(time.time()) + 60
        )
        self.world.now = read.history.now
        self.world.clock_us = time.time_ns() // 1_000

    def send(self, data: bytes, wait: Any = "anchored") -> None:
        LogClient(self.log.url).submit(data, wait=wait)
        self.follow()

    def propose(self, where: str, effect: str = "grant") -> str:
        """Somebody asks, somebody proposes: nobody has decided yet."""
        world = self.world
        acts = {"grant": ("territory", "grant"), "deny": ("order", "deny")}[effect]
        name = f"{effect}-{where.lower()}"
        wanted = rule(name, where=(where,), gate=acts[0], effect=acts[1])
        world.clock_us = time.time_ns() // 1_000
        self.send(world.write(world_request(world, where), "rex", f"request-{name}"))
        body = world.change_body(PutRule(wanted), request=f"request-{name}")
        self.send(world.write(body, "ada", name))
        return name

    def approval(self, change: str, person: str, **changes: Any) -> bytes:
        self.world.clock_us = time.time_ns() // 1_000
        return self.world.write(
            self.world.approval(change, **changes), person, f"{change}-by-{person}"
        )

    def decide(self, where: str, effect: str = "grant") -> None:
        change = self.propose(where, effect)
        for person in ("bo", "cy"):
            self.send(self.approval(change, person))
        assert self.world.status(change) == "bound"

    def attack(self, *words: object) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "support.attacker", *map(str, words)],
            cwd=TESTS,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def edge(self, store: str, check: str | None = None) -> Edge:
        """An edge that reads what the web server hands out; with one check taken out, or none."""
        return Edge(
            self,
            self.start(
                *("edge", self.public, "--genesis", self.world.now.genesis, "--port", 0),
                *("--store", self.folder / store, "--every", "50ms"),
                check=check,
            ),
        )


class Edge:
    """A running edge with a terminal in each country."""

    def __init__(self, site: Site, server: Server) -> None:
        self.site = site
        self.server = server
        rows = [{"id": name, "lat_deg": at[0], "lon_deg": at[1]} for name, at in PLACES.items()]
        answer = post(
            f"{server.url}/terminals",
            json.dumps(rows).encode(),
            {"Content-Type": "application/json"},
        )
        assert answer.status == 200, answer.body

    def status(self) -> dict[str, Any]:
        return json.loads(get(f"{self.server.url}/status").body)

    def reasons(self) -> dict[str, str]:
        rows = json.loads(get(f"{self.server.url}/verdicts").body)["verdicts"]
        return {row["id"]: _DARK.get(row["reason"], row["reason"]) for row in rows}

    def reads(self, size: int) -> None:
        until(lambda: self.status()["size"] >= size, f"the edge reads {size} entries")

    def close(self) -> None:
        self.site.end(self.server)


def world_request(world: World, where: str) -> Any:
    from spotbeam.governance.entries.asking import Request

    return Request(
        verb="activate",
        where=(where,),
        asker="ministry-of-health",
        channel="letter",
        grounds=world.change_body(request="x").grounds,
        answer_by_us=world.clock_us + 60 * DAY_US,
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    try:
        until(made.is_witnessed, "the log is witnessed")
        made.follow()
        made.decide("UA")
        yield made
    finally:
        for server in reversed(made.running):
            server.close()


def test_an_insider_changes_no_verdict_and_without_a_check_does(site: Site) -> None:
    """One log and one edge for all attacks: what each leaves behind stands in the others' way."""
    edge = site.edge("store")
    edge.reads(site.world.now.size)
    assert edge.reasons() == {name: "OK" if name == "UA" else DARK for name in PLACES}
    for attack in (
        what_an_insider_writes_into_the_database_has_no_effect,
        without_the_check_the_same_entries_succeed,
        what_people_signed_but_no_witness_saw_has_no_effect,
        history_cannot_be_taken_back_with_the_logs_key,
        nor_with_two_witnesses_of_three,
        an_older_record_is_not_gone_back_to,
        no_request_to_the_edge_changes_a_verdict,
    ):
        attack(site, edge)


def what_an_insider_writes_into_the_database_has_no_effect(site: Site, edge: Edge) -> None:
    """Forged names, one party alone, its own proposal, hoarded approvals, a withdrawal, junk."""
    waiting = site.propose("PL")
    site.send(site.approval(waiting, "cy"))
    own = site.propose("FI")
    site.send(site.approval(own, "cy"))
    with pytest.raises(Refused, match="proposed"):
        LogClient(site.log.url).submit(site.approval(own, "ada"))
    hoarded = site.propose("ES")
    far = site.world.clock_us + 3 * DAY_US
    withheld = [site.approval(own, "ada")]
    withheld += [site.approval(hoarded, name, expires_us=far) for name in ("bo", "cy")]
    for number, data in enumerate(withheld):
        (site.server / "withheld" / f"{number}").write_bytes(data)

    before = site.world.now.size
    site.end(site.log)
    site.attack("append", site.server, *site.insiders)
    site.restart_log()
    # The witnesses sign what the insider wrote: they see hashes, and the log has only grown.
    until(lambda: edge.status()["size"] > before + 20, "the edge has read it")
    site.follow()
    assert site.world.now.size > before + 20
    # What people agree on still takes effect, whatever stands before it in the log.
    site.send(site.approval(waiting, "bo"))
    edge.reads(site.world.now.size)
    until(lambda: edge.reasons()["PL"] == "OK", "the genuine change is in force")
    assert edge.reasons() == {n: "OK" if n in ("UA", "PL") else DARK for n in PLACES}
    codes = {finding["code"] for finding in edge.status()["findings"]}
    assert {"bad_signature", "not_canonical", "own_proposal", "expired"} <= codes


def without_the_check_the_same_entries_succeed(site: Site, edge: Edge) -> None:
    before = edge.reasons()
    for check, becomes in {
        "signatures": {"SE": "OK", "PL": DARK},
        "quorum": {"NO": "OK"},
        "own proposal": {"FI": "OK"},
        "expiry": {"ES": "OK"},
    }.items():
        weak = site.edge(f"weak-{check.replace(' ', '-')}", check)
        weak.reads(site.world.now.size)
        for place, reason in becomes.items():
            assert before[place] != reason
            assert weak.reasons()[place] == reason, check
        weak.close()


def what_people_signed_but_no_witness_saw_has_no_effect(site: Site, edge: Edge) -> None:
    """A validly signed bundle beside the log; and, without the witnesses, the control."""
    change = site.propose("DE")
    for number, person in enumerate(("bo", "cy")):
        (site.folder / "signed" / f"{number}").write_bytes(site.approval(change, person))
    edge.reads(site.world.now.size)
    shown(site, edge, "bundle", site.server, site.folder / "signed", code="quorum_not_met")
    assert edge.reasons()["DE"] == DARK
    control(site, "witness quorum", lambda found: found.reasons()["DE"] == "OK")


def history_cannot_be_taken_back_with_the_logs_key(site: Site, edge: Edge) -> None:
    """The server signs a history in which UA was never switched off."""
    kept = site.world.now.size
    site.decide("UA", "deny")
    edge.reads(site.world.now.size)
    until(lambda: edge.reasons()["UA"] == "BLOCKED_COUNTRY", "UA is switched off")
    out = shown(site, edge, "fork", site.server, kept=kept, code="quorum_not_met")
    assert edge.reasons()["UA"] == "BLOCKED_COUNTRY"
    control(site, "witness quorum", lambda found: found.reasons()["UA"] == "OK")
    assert out.exists()


def nor_with_two_witnesses_of_three(site: Site, edge: Edge) -> None:
    kept = next(i for i, name in enumerate(site_ids(site)) if name == "request-deny-ua")
    folders = [site.folder / "w1", site.folder / "w2"]
    shown(site, edge, "fork", site.server, kept=kept, more=folders, code="quorum_not_met")
    assert edge.reasons()["UA"] == "BLOCKED_COUNTRY"
    control(site, "third witness", lambda found: found.reasons()["UA"] == "OK")


def an_older_record_is_not_gone_back_to(site: Site, edge: Edge) -> None:
    """What was published before the switch, with every signature on it: only an edge that has
    forgotten what it accepted takes it."""
    old = site.folder / "old"
    shutil.copytree(site.server / "record", old)
    site.decide("IT")
    edge.reads(site.world.now.size)
    until(lambda: edge.reasons()["IT"] == "OK", "IT is switched on")
    size = edge.status()["size"]
    site.show(old)
    time.sleep(0.5)  # ten looks
    assert edge.status()["size"] == size
    assert edge.reasons()["IT"] == "OK"
    forgetful = site.edge("forgetful")
    until(lambda: forgetful.status()["size"] > 0, "the other edge has read it")
    assert forgetful.reasons()["IT"] == DARK
    forgetful.close()
    site.show(site.server / "record")


def no_request_to_the_edge_changes_a_verdict(site: Site, edge: Edge) -> None:
    """With every token that there is, to every route, in every way."""
    before, root = edge.reasons(), edge.status()["root"]
    bodies = [b"", b"{}", b"[]", b"null", b'{"policy":"allow"}', b"\xff" * 1_000]
    bodies += [site.approval("grant-de", "bo"), (site.server / "record/checkpoint").read_bytes()]
    for path in ("status", "verdict", "terminals", "verdicts", "policy", "entries", "checkpoint"):
        for body in bodies:
            for headers in ({}, {"Authorization": "Bearer admin", "X-Admin": "1"}):
                answer = post(f"{edge.server.url}/{path}", body, headers)
                assert answer.status < 500
    assert {name: edge.reasons()[name] for name in before} == before
    assert edge.status()["root"] == root


def site_ids(site: Site) -> list[str]:
    by_index = {index: name for name, index in site.world.now.seen.items()}
    return [by_index.get(index, "") for index in range(site.world.now.size)]


def shown(
    site: Site,
    edge: Edge,
    what: str,
    *words: object,
    code: str,
    kept: int | None = None,
    more: Any = (),
) -> Path:
    """Have the attacker publish, let the web server hand it out, and see the edge refuse it."""
    out = site.folder / f"evil-{time.monotonic_ns()}"
    if kept is None:
        site.attack(what, *words, out)
    else:
        site.attack(what, *words, out, kept, *more)
    size, reasons = edge.status()["size"], edge.reasons()
    site.show(out)
    until(
        lambda: edge.status()["sources"][0]["code"] in (code, "forked"),
        f"the edge refuses it: {edge.status()['sources']}",
    )
    assert edge.status()["size"] == size
    assert edge.reasons() == reasons
    return out


def control(site: Site, check: str, succeeds: Any) -> None:
    """The same evil record, read by an edge without that check; then the real one is back."""
    weak = site.edge(f"weak-{time.monotonic_ns()}", check)
    until(lambda: weak.status()["size"] > 0, "the weakened edge reads it")
    until(lambda: succeeds(weak), f"the attack succeeds: {weak.reasons()}")
    weak.close()
    site.show(site.server / "record")
