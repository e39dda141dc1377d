"""A sequencer with witnesses in memory and a clock that stands still until it is moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from support.governance import NEXT, ORIGIN, START_US, World, seed

from spotbeam.control.cosigning import Disputed, Party
from spotbeam.control.sequencer import Limits, Ports, Recorded, Sequencer
from spotbeam.errors import Unreachable
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.history import History
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.checkpoint_store import MemoryCheckpoints
from spotbeam.record.keys import COSIGNATURE_ED25519, ED25519, signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.note import Signature
from spotbeam.record.tile_reader import TileReader
from spotbeam.record.witness import AddCheckpoint, Witness, read_witness_answer


@dataclass
class Clock:
    us: int = START_US
    steady_s: float = 0.0

    def pass_s(self, seconds: float) -> None:
        self.us += int(seconds * SECOND_US)
        self.steady_s += seconds


class MemoryWitness:
    """The real witness behind no network: it can be dead, or silent until it is let go on."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.signer = signer_from_seed(f"{name}.example", COSIGNATURE_ED25519, seed(name))
        self.store = MemoryCheckpoints()
        logs = {
            origin: [signer_from_seed(origin, ED25519, seed(log)).key]
            for origin, log in ((ORIGIN, "log"), (NEXT, "log-2"))
        }
        self.witness = Witness(logs, [self.signer], self.store)
        self.clock = clock
        self.fault: Exception | None = None
        self.gate: threading.Event | None = None
        self.asked = 0
        self.origin = ORIGIN
        self.behind_s = 0

    def latest(self) -> bytes | None:
        self._obey()
        return self.witness.latest(self.origin)

    def cosign(self, note: bytes, tree: TileReader) -> tuple[Signature, ...]:
        self.asked += 1
        self._obey()
        checkpoint = parse_signed_checkpoint(note)[0]
        held = self.witness.latest(checkpoint.origin)
        old = parse_signed_checkpoint(held)[0].size if held else 0
        if old > checkpoint.size:
            raise Disputed(f"it holds {old} entries", held)
        proof = tuple(tree.consistency_proof(old, checkpoint.size)) if old else ()
        now_s = self.clock.us // SECOND_US - self.behind_s
        answer = self.witness.add_checkpoint(bytes(AddCheckpoint(old, proof, note)), now_s=now_s)
        if answer.status == 422:
            raise Disputed("another root", held)
        read = read_witness_answer(
            answer.status, answer.body, note, [self.signer.key], now_s=now_s + 60
        )
        return read.cosignatures

    def show(self, note: bytes) -> None:
        self.shown = note

    def _obey(self) -> None:
        if self.gate is not None:
            self.gate.wait(20)
        if self.fault is not None:
            raise self.fault


@dataclass
class Bench:
    """A world of people, a log on disk, and a sequencer on it that goes step by step."""

    folder: Path
    world: World = field(default_factory=World)
    limits: Limits = field(
        default_factory=lambda: Limits(cosign_s=10, confirm_s=0.5, joining_s=0.2, anchored_s=10)
    )

    def __post_init__(self) -> None:
        self.clock = Clock(self.world.clock_us)
        self.witnesses = {
            name: MemoryWitness(name, self.clock)
            for name in (*self.world.witnesses, "w4", "w5", "w6")
        }
        self.stops: list[str] = []
        create_log(self.folder / "log.sqlite", ORIGIN)
        self.log = self.opened()
        self.log.append([self.world.entries[0]])
        self.sequencer = self.sequence()

    def opened(self, *seeds: str) -> Log:
        signer, *more = (signer_from_seed(ORIGIN, ED25519, seed(s)) for s in seeds or ("log",))
        return Log(self.folder / "log.sqlite", self.folder / "record", signer, more)

    def sequence(self, log: Log | None = None, before: History | None = None) -> Sequencer:
        ports = Ports(
            connect=self.connect,
            clock_us=lambda: self.clock.us,
            steady_s=lambda: self.clock.steady_s,
            on_stop=self.stops.append,
        )
        return Sequencer(log or self.log, ports, before, self.limits)

    def connect(self, party: Party) -> MemoryWitness:
        return self.witnesses[party.names[0]]

    def settle(self, most: int = 30) -> float:
        """Step until nothing is due at once; in how many seconds something is."""
        for _ in range(most):
            due_s = self.sequencer.step()
            if due_s > 0:
                self.world.now = self.sequencer.state
                return due_s
        raise AssertionError("it never comes to rest")

    def say(self, act: Callable[[World], object]) -> list[Recorded]:
        """Have recorded whatever people write with a world; where it is."""
        self.world.now, self.world.clock_us = self.sequencer.state, self.clock.us
        count = len(self.world.entries)
        act(self.world)
        done = [self.sequencer.submit(data) for data in self.world.entries[count:]]
        self.world.now = self.sequencer.state
        return done

    def reopen(self) -> None:
        """As after a restart: a new process opens the same files."""
        self.sequencer.close()
        self.log = self.opened()
        self.sequencer = self.sequence()


def dead() -> Unreachable:
    return Unreachable("http://w.example", "no server answers there")
