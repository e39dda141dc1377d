"""Servers as users run them: processes of their own on loopback, all ended with the test."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from support.governance import ORIGIN, World, seed

from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.record.keys import ED25519, format_signer_key, signer_from_seed
from spotbeam.record.log import Log, create_log

READY_S = 60
TESTS = str(Path(__file__).parents[1])
PYTHONPATH = os.environ.get("PYTHONPATH", "")
LOG_KEY = str(signer_from_seed(ORIGIN, ED25519, seed("log")).key)


class Server:
    """A server that was started, and what it has printed."""

    def __init__(
        self,
        arguments: Sequence[object],
        folder: Path,
        prepare: Callable[[], object] | None = None,
        check: str | None = None,
    ) -> None:
        # With a check: the same program without it, from tests/support/weakened_edge.py.
        program = ["spotbeam"] if check is None else ["support.weakened_edge", check]
        self.errors = (folder / f"stderr-{time.monotonic_ns()}.txt").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *program, *map(str, arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (TESTS, PYTHONPATH)))},
            stdout=subprocess.PIPE,
            stderr=self.errors,
            preexec_fn=prepare,
        )
        self.lines: list[str] = []
        self.url = self._ready()

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def stop(self, how: int = signal.SIGTERM, timeout_s: float = 30) -> int:
        """Send a signal, and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def said(self) -> str:
        """What it wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        self.stop(signal.SIGKILL)
        self.errors.close()

    def _ready(self) -> str:
        """The URL of its line; it may take a while on a busy machine."""
        assert self.process.stdout is not None
        handle = self.process.stdout.fileno()
        text = b""
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            until = time.monotonic() + READY_S
            while b" ready at " not in text.rpartition(b"\n")[0].rpartition(b"\n")[2]:
                if not selector.select(max(until - time.monotonic(), 0)):
                    self.process.kill()
                    raise AssertionError(f"not ready in time: {text!r} {self.said()}")
                part = os.read(handle, 65_536)
                if not part:
                    raise AssertionError(
                        f"ended with {self.process.wait()}: {text!r} {self.said()}"
                    )
                text += part
        self.lines = text.decode().splitlines()
        return self.lines[-1].rpartition(" ready at ")[2]


def policy_lines(server: Server) -> dict[str, str]:
    """The policy lines that a witness printed, by the name in them."""
    lines = [line.strip() for line in server.lines if line.startswith("  witness ")]
    return {line.split(" ")[1]: line for line in lines}


def quorum_of(lines: dict[str, str], needed: int, mirrors: Sequence[str]) -> WitnessQuorum:
    """A witness quorum of some printed lines, each of another organisation."""
    policy = [
        f"log {LOG_KEY}",
        *lines.values(),
        f"group q {needed} {' '.join(lines)}",
        "quorum q",
    ]
    return WitnessQuorum(
        policy="".join(f"{line}\n" for line in policy),
        organisations={name: f"org-{name}" for name in lines},
        mirrors=tuple(mirrors),
    )


def workspace(folder: Path, quorum: WitnessQuorum) -> World:
    """A workspace with a log of one entry, and the people who may write to it."""
    world = World(clock_us=time.time_ns() // 1_000)
    world.entries.clear()
    world.now = world.now.__class__()
    world.add(world.genesis(witness_quorum=quorum))
    assert world.now.genesis, world.now.findings
    empty_log(folder, ORIGIN, "log", world.now.genesis, ["record"])
    signer = signer_from_seed(ORIGIN, ED25519, seed("log"))
    log = Log(folder / "private" / "log.sqlite", folder / "record", signer)
    log.append([world.entries[0]])
    log.close()
    return world


def empty_log(
    folder: Path, origin: str, log_seed: str, genesis: str, record: Sequence[str]
) -> None:
    """A workspace with a log that has no entry yet."""
    private = folder / "private"
    private.mkdir(parents=True, mode=0o700)
    (folder / "record").mkdir()
    create_log(private / "log.sqlite", origin)
    key = private / "log.key"
    key.write_text(format_signer_key(origin, ED25519, seed(log_seed)) + "\n")
    key.chmod(0o600)
    settings = {"origin": origin, "genesis": genesis, "record": record}
    (folder / "spotbeam.toml").write_text(
        "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    )


def until(holds: Callable[[], object], what: str, limit_s: float = 60) -> None:
    """Wait for something that other processes bring about."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, f"that never came: {what}"
        time.sleep(0.02)
