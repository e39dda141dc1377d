"""A switch as people set it up by command: keys, witnesses, a log, and everybody's own folder."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from support.processes import Server, until

from spotbeam.cli.app import main
from spotbeam.http.client import get

ORIGIN = "log.example/strait"
PEOPLE = {
    # person: factor, roles
    "ada": ("operator", ("approver", "operator")),
    "bo": ("operator", ("approver",)),
    "cy": ("regulator", ("approver",)),
    "dee": ("regulator", ("approver",)),
    "rex": ("operator", ("registrar",)),
}
PARTIES = {"operator": "spotbeam-op", "regulator": "state-mt"}
WITNESSES = ("w1", "w2", "w3")
RULES = """
[[rule]]
id = "mt-authorised"
effect = "grant"
gate = "territory"
where = ["MT"]
grounds = ["authorisation:mt-1"]

[[rule]]
id = "mt-speed-cap"
effect = "deny"
gate = "mobility"
where = ["MT"]
who = { verified = false }
thresholds = { over_kmh = 75 }
grounds = ["order:mt-2"]
"""
SCENARIO = """
name = "harbour"
view = "un"

[time]
start = "2026-01-01T00:00:00Z"
duration = "2m"

[constellation]
shells = ["iridium-next"]

[area]
resolution = 3
territories = ["MT"]

[[fleet]]
id = "clinics"
count = 20
where = ["MT"]
seed = 3
common = { protection = "medical" }
"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody has just now."""
    opened = [socket.socket() for _ in range(count)]
    try:
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in opened]
    finally:
        for each in opened:
            each.close()


class Finished(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def run(folder: Path, *arguments: object, apart: bool = False, timeout_s: float = 240) -> Finished:
    """Run `spotbeam …` in a folder, with nobody at the terminal.

    Args:
        folder: Where it runs.
        arguments: Its words.
        apart: In a process of its own; else in this one, which saves its start.
        timeout_s: For a process of its own.
    """
    words = list(map(str, arguments))
    if apart:
        done = subprocess.run(
            [sys.executable, "-m", "spotbeam", *words],
            cwd=folder,
            env=os.environ | {"COLUMNS": "160"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)
    out, errors = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
        mock.patch("sys.stdin", io.StringIO()),
        mock.patch.dict(os.environ, {"COLUMNS": "160"}),
    ):
        code = main(words)
    return Finished(code, out.getvalue(), errors.getvalue())


def done(folder: Path, *arguments: object, **how: Any) -> str:
    """The same, for what must go well; what it printed."""
    finished = run(folder, *arguments, **how)
    assert finished.returncode == 0, (arguments, finished.stderr)
    assert "Traceback" not in finished.stderr
    return finished.stdout


def roster_text(
    keys: dict[str, str], witnesses: Sequence[tuple[str, str, str, bool]], persons: int = 2
) -> str:
    """A first roster.

    Args:
        keys: The file of each person's key or proof.
        witnesses: Name, verifier key, URL, and whether it is a mirror.
        persons: How many make the full quorum.
    """
    lines = [f"origin = {json.dumps(ORIGIN)}", ""]
    for name, party in PARTIES.items():
        lines += ["[[factor]]", f'id = "{name}"', f'name = "{name.title()}"', f'party = "{party}"']
    for name, (factor, roles) in PEOPLE.items():
        if name in keys:
            lines += ["[[person]]", f'id = "{name}"', f'factor = "{factor}"']
            lines += [f"roles = {json.dumps(roles)}", f"keys = {json.dumps([keys[name]])}"]
    lines += ["[quorum]", f"persons = {persons}", "factors = 2"]
    lines += ["[witnesses]", f"quorum = {len(witnesses)}"]
    for name, key, url, is_mirror in witnesses:
        lines += ["[[witnesses.witness]]", f'name = "{name}"', f'key = "{key}"', f'url = "{url}"']
        lines += [f'organisation = "Organisation {name}"', f"mirror = {str(is_mirror).lower()}"]
    return "".join(f"{line}\n" for line in lines)


class Town:
    """Three witnesses of different organisations, one of them a mirror, and an operator's log.

    Everybody else has a folder of their own, with their key, which follows the record.

    Args:
        folder: Where all of it lies.
        keys: Proofs of people whose keys were made elsewhere.
        apart: Every command in a process of its own.
        persons: How many make the full quorum.
    """

    def __init__(
        self,
        folder: Path,
        keys: dict[str, str] | None = None,
        *,
        apart: bool = False,
        persons: int = 2,
    ) -> None:
        self.apart = apart
        self.folder = folder
        self.operator = folder / "operator"
        self.servers: list[Server] = []
        self.log: Server | None = None
        (folder / "harbour.toml").write_text(SCENARIO)
        given = keys or {}
        for name in sorted(PEOPLE.keys() - given.keys()):
            self.done(folder, "key", "new", "--person", name, "--out", f"{name}.key")
        # One of them proves possession on their own machine; the operator never sees that key.
        if "cy" not in given:
            self.done(folder, "key", "prove", "cy.key", "--origin", ORIGIN, "--out", "cy.proof")
        self.roster = folder / "roster.toml"
        witnesses = self._prepared_witnesses()
        files = {name: f"{name}.key" for name in PEOPLE} | {"cy": "cy.proof"} | given
        self.roster.write_text(roster_text(files, witnesses, persons))
        told = json.loads(
            self.done(
                folder, "init", self.operator, "--roster", self.roster,
                "--scenario", "harbour.toml", "--json",
            )
        )  # fmt: skip
        self.genesis: str = told["genesis"]
        self.log_key: str = told["log_key"]
        self._start_witnesses()
        self.start_log()

    @property
    def url(self) -> str:
        """Of the log's server."""
        assert self.log is not None
        return self.log.url

    def start_log(self) -> None:
        self.log = self._started("log", "--workspace", self.operator, "--port", 0)
        until(lambda: get(f"{self.url}/checkpoint").status == 200, "a published checkpoint")

    def join(self, name: str, *more: object) -> Path:
        """A folder of somebody's own, with their key and the record as they follow it."""
        place = self.folder / f"of-{name}"
        if not place.exists():
            self.done(
                self.folder, "join", place, "--genesis", self.genesis, "--record", self.url,
                "--scenario", "harbour.toml", *more,
            )  # fmt: skip
            for suffix in (".key", ".passkey"):
                key = self.folder / f"{name}{suffix}"
                if key.exists():
                    key.rename(place / "keys" / key.name)
        return place

    def done(self, folder: Path, *arguments: object) -> str:
        return done(folder, *arguments, apart=self.apart)

    def close(self) -> None:
        for server in self.servers:
            server.close()

    def _prepared_witnesses(self) -> list[tuple[str, str, str, bool]]:
        found = []
        self.ports = dict(zip(WITNESSES, free_ports(len(WITNESSES)), strict=True))
        for name, port in self.ports.items():
            is_mirror = name == WITNESSES[-1]
            more = ["--mirror"] if is_mirror else []
            told = json.loads(
                self.done(
                    self.folder, "witness", name, "--prepare", "--json", "--port", port, *more
                )
            )
            kind = "mirror" if is_mirror else "witness"
            url = f"http://127.0.0.1:{port}/{kind}"
            found.append((name, told[kind][0], url, is_mirror))
        return found

    def _start_witnesses(self) -> None:
        for name, port in self.ports.items():
            more = ["--mirror"] if name == WITNESSES[-1] else []
            self._started("witness", name, "--port", port, "--log", self.log_key, *more)

    def _started(self, *arguments: object) -> Server:
        server = Server(arguments, self.folder)
        self.servers.append(server)
        return server


def as_(town: Town, who: str, *words: object, name: str | None = None) -> str:
    """What somebody says on their own machine."""
    more = ("--id", name) if name else ()
    return done(town.join(who), *words, *more, "--as", who, "--wait")


def listed(town: Town, *words: object) -> Any:
    """What bo reads, as JSON."""
    return json.loads(done(town.join("bo"), *words, "--json"))
