"""A whole record at work: its sequencer, two witnesses, a mirror, and an edge that follows.

Each is a folder of its own at the top, as if on a machine of its own.
"""

from __future__ import annotations

import random
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from support.crash.recorded import tree_root
from support.crash.recording import Around
from support.crash.worker import Here
from support.governance import LICENCE, ORIGIN, World, seed

from spotbeam.control.cosigning import Disputed
from spotbeam.control.sequencer import Limits, Ports, Sequencer
from spotbeam.edge.follow import Follower
from spotbeam.edge.walk import Walked, walk
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.words import DAY_US, SECOND_US
from spotbeam.governance.state import state_digest
from spotbeam.record import disk
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.checkpoint_store import SqliteCheckpoints
from spotbeam.record.keys import COSIGNATURE_ED25519, ED25519, signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.mirror import Mirror, add_entries_requests, parse_mirror_info
from spotbeam.record.note import Signature
from spotbeam.record.tile_reader import TileReader, directory, fsck
from spotbeam.record.witness import (
    AddCheckpoint,
    Answer,
    Witness,
    origin_hash,
    read_witness_answer,
)

LOG = signer_from_seed(ORIGIN, ED25519, seed("log"))
WITNESSES = ("w1", "w2")
MIRROR = "w3"


def live(here: Around) -> None:
    """Open everything, hand entries in from two threads, have them anchored, follow."""
    house = House(here)
    try:
        house.settle()
        house.follow()
        for number in range(2):
            house.submit(*(f"r{here.life}-{number}-{thread}" for thread in range(2 - number)))
            house.settle()
            house.follow()
            house.pass_s(61)
    finally:
        house.close()


class House:
    """Everything opened by one process, with a clock that goes on where the last one stood.

    Args:
        here: Where it is, which parties must be there, and how to say what was promised.
        clock_us: What the clock shows.
    """

    def __init__(self, here: Around, clock_us: int = 0) -> None:
        self.here = here
        self.world = World()
        self.clock_us = clock_us or self.world.clock_us + (here.life + 1) * 3600 * SECOND_US
        self._steady_s = 0.0
        here.mark("clock", us=self.clock_us)
        self._stores: list[SqliteCheckpoints] = []
        self._closers: list[Any] = []
        try:
            self.desks = {name: self._desk(name) for name in (*WITNESSES, MIRROR)}
            path = here.home / "log" / "log.sqlite"
            if "log" not in here.kept and not path.exists():
                create_log(path, ORIGIN)
            self.log = Log(path, self.tiles, LOG)
            here.mark("made", party="log")
            self._closers.append(self.log)
            if not self.log.size:
                genesis = self.world.entries[0]
                self.log.append([genesis])
            ports = Ports(
                connect=lambda party: self.desks[party.names[0]],
                clock_us=lambda: self.clock_us,
                steady_s=lambda: self._steady_s,
            )
            self.sequencer = Sequencer(self.log, ports, limits=Limits(cosign_s=10, confirm_s=5))
            self._closers[-1] = self.sequencer
            self.follower = Follower(
                [directory(self.tiles)], self.genesis, here.home / "edge" / "following"
            )
            self._closers.append(self.follower)
            if self.follower.walked:
                self._tell(self.follower.walked)
        except BaseException:
            self.close()
            raise

    @property
    def genesis(self) -> str:
        """The digest of entry 0."""
        return self.world.now.genesis

    @property
    def tiles(self) -> Path:
        """Where the log publishes."""
        return self.here.home / "log" / "record"

    def pass_s(self, seconds: int) -> None:
        """Let time pass."""
        self.clock_us += seconds * SECOND_US
        self._steady_s += seconds
        self.here.mark("clock", us=self.clock_us)

    def settle(self) -> None:
        """Do what is due until nothing is."""
        for _ in range(30):
            due_s = self.sequencer.step()
            assert self.sequencer.status().standing == "witnessed", self.sequencer.status().why
            note = directory(self.tiles)("checkpoint")
            if note is not None:
                self.here.mark("published", note=note)
            if due_s > 0:
                return
        raise AssertionError("it never comes to rest")

    def submit(self, *names: str) -> None:
        """Hand in a request under each of these ids, each from a thread of its own."""
        self.world.now, self.world.clock_us = self.sequencer.state, self.clock_us
        body = Request(
            verb="activate",
            where=("UA",),
            asker="ministry-of-health",
            channel="letter",
            grounds=(LICENCE,),
            answer_by_us=self.clock_us + 60 * DAY_US,
        )
        entries = [self.world.write(body, "rex", id=name) for name in names]
        faults: list[BaseException] = []

        def hand_in(data: bytes) -> None:
            try:
                self.here.mark("submitted", data=data)
                done = self.sequencer.submit(data)
                self.here.mark("recorded", index=done.index, digest=done.digest, id=done.id)
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=hand_in, args=(data,)) for data in entries]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def follow(self) -> None:
        """Let the edge ask, and say what it accepted."""
        if self.follower.refresh(self.clock_us // SECOND_US) is not None:
            assert self.follower.walked
            self._tell(self.follower.walked)
        assert not self.follower.evidence

    def close(self) -> None:
        """Close all files."""
        for each in reversed(self._closers):
            each.close()
        for store in self._stores:
            store.close()

    def _tell(self, walked: Walked) -> None:
        self.here.mark(
            "followed",
            size=walked.checkpoint.size,
            root=walked.checkpoint.root,
            state=state_digest(walked.history.now),
        )

    def _desk(self, name: str) -> Desk:
        path = self.here.home / name / "checkpoints.sqlite"
        disk.make_folder(path.parent)
        store = SqliteCheckpoints(path, create=name not in self.here.kept and not path.exists())
        self._stores.append(store)
        self.here.mark("made", party=name)
        return Desk(name, store, path.parent / "copies", self)


class Desk:
    """A witness, or the mirror, as the sequencer talks to it: bytes to bytes, without a network."""

    def __init__(self, name: str, store: SqliteCheckpoints, copies: Path, house: House) -> None:
        self._name = name
        self._house = house
        signer = signer_from_seed(f"{name}.example", COSIGNATURE_ED25519, seed(name))
        self._key = signer.key
        logs = {ORIGIN: [LOG.key]}
        self.witness = Witness(logs, [signer], store) if name != MIRROR else None
        self.mirror = Mirror(logs, [signer], store, copies)

    @property
    def copy(self) -> Path:
        """Where the mirror's copy is."""
        return self.mirror.folder(ORIGIN)

    def latest(self) -> bytes | None:
        """The note that it signed last."""
        answer = (self.witness or self.mirror).checkpoint(origin_hash(ORIGIN))
        return answer.body if answer.status == 200 else None

    def cosign(self, note: bytes, tree: TileReader) -> tuple[Signature, ...]:
        """Its signature, once it holds whatever it wants to hold first."""
        size = parse_signed_checkpoint(note)[0].size
        self._house.here.mark("sent", to=self._name, note=note)
        answer = self.ask(note, tree)
        if self.witness is None:
            start = 0
            for _ in range(3):
                for body in add_entries_requests(
                    ORIGIN, start, size, tree.entries, tree.subtree_proof
                ):
                    answer = self.mirror.add_entries(body, now_s=self._now_s)
                if answer.status not in (202, 409):
                    break
                start = parse_mirror_info(answer.body).next_entry
        read = read_witness_answer(answer.status, answer.body, note, [self._key], now_s=None)
        assert read.cosignatures
        self._house.here.mark("cosigned", by=self._name, note=note)
        return read.cosignatures

    def ask(self, note: bytes, tree: TileReader) -> Answer:
        """What it answers to a checkpoint, from what it says that it holds."""
        size = parse_signed_checkpoint(note)[0].size
        old = 0
        for _ in range(2):
            proof = tuple(tree.consistency_proof(old, size)) if old else ()
            body = bytes(AddCheckpoint(old, proof, note))
            answer = (self.witness or self.mirror).add_checkpoint(body, now_s=self._now_s)
            if answer.status != 409:
                break
            old = int(answer.body)
            if old > size:
                raise Disputed(f"it holds {old} entries", self.latest())
        return answer

    @property
    def _now_s(self) -> int:
        return self._house.clock_us // SECOND_US


class Told:
    """What anybody was told, from the marks in a journal."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.submitted = [_meaning(World().entries[0])]
        self.recorded: dict[int, tuple[str, str]] = {}
        self.shown: dict[int, bytes] = {}
        self.cosigned: dict[str, Checkpoint] = {}
        self.published: Checkpoint | None = None
        self.followed: tuple[int, bytes, str] | None = None
        self.clock_us = 0

    def take(self, mark: dict[str, Any]) -> None:
        """Take in one mark."""
        what = mark["what"]
        point = parse_signed_checkpoint(mark["note"])[0] if "note" in mark else None
        if what == "made":
            self.made.add(mark["party"])
        elif what == "submitted":
            self.submitted.append(_meaning(mark["data"]))
        elif what == "recorded":
            self.recorded[mark["index"]] = (mark["id"], mark["digest"])
        elif what == "clock":
            self.clock_us = mark["us"]
        elif what == "followed":
            new = (mark["size"], mark["root"], mark["state"])
            assert self.followed is None or self.followed[0] <= new[0], "the edge went back"
            self.followed = new
        elif what == "sent" and point:
            assert self.shown.setdefault(point.size, point.root) == point.root, "two views"
        elif what == "cosigned" and point:
            self.cosigned[mark["by"]] = point
        elif what == "published" and point:
            self.published = point
        else:
            raise AssertionError(f"an unknown mark: {what}")


def check(home: Path, told: Told, rng: random.Random) -> None:
    """Open everything as it was left, hold it to what was told, and let it go on.

    Raises:
        AssertionError: Something is lost, somebody went back, or there are two views.
        Exception: Something does not open, or cannot go on.
    """
    fetch = directory(home / "log" / "record")
    note = fetch("checkpoint")
    assert note or not told.published, "what was published is gone"
    seen = walk(fetch, genesis=World().now.genesis, now_s=None) if note else None
    if seen and told.published:
        assert seen.checkpoint.size >= told.published.size, "what was published is gone"
    house = House(Here(home, told.made, 999), told.clock_us + 10 * DAY_US if told.clock_us else 0)
    try:
        _holders(house, told)
        kept = house.follower.walked
        if told.followed:
            assert kept, "the edge has forgotten everything"
            assert kept.checkpoint.size >= told.followed[0], "the edge went back"
            if kept.checkpoint.size == told.followed[0]:
                assert state_digest(kept.history.now) == told.followed[2]
        before = list(house.log.entries())
        for index, (name, digest) in told.recorded.items():
            assert sha256(before[index]).hexdigest() == digest, f"entry {name} is lost"
        for data in before:
            meaning = _meaning(data)
            assert meaning["type"] == "anchor" or meaning in told.submitted, "nobody sent this"
        house.settle()
        house.submit("after")
        house.settle()
        house.follow()
        entries = list(house.log.entries())
        assert entries[: len(before)] == before
        _one_view(house, entries, told, [each for each in (seen, kept) if each])
    finally:
        house.close()


def _holders(house: House, told: Told) -> None:
    for name, desk in house.desks.items():
        note = desk.latest()
        held = verify_checkpoint(note, [LOG.key]) if note else None
        last = told.cosigned.get(name)
        assert not last or (held and held.size >= last.size), f"{name} has forgotten what it signed"
        assert not held or told.shown.get(held.size) == held.root


def _one_view(house: House, entries: list[bytes], told: Told, walked: list[Walked]) -> None:
    views = dict(told.shown)
    views.update((each.checkpoint.size, each.checkpoint.root) for each in walked)
    if told.followed:
        views[told.followed[0]] = told.followed[1]
    for size, root in views.items():
        assert size <= len(entries), "what was signed is lost"
        assert tree_root(entries[:size]) == root, "two views"
    point = verify_checkpoint(directory(house.tiles)("checkpoint") or b"", [LOG.key])
    assert point.size == len(entries)
    cold = walk(directory(house.tiles), genesis=house.genesis, now_s=None)
    assert house.follower.walked
    assert house.follower.walked.checkpoint == cold.checkpoint == point
    states = (cold.history.now, house.sequencer.state, house.follower.walked.history.now)
    assert len({state_digest(state) for state in states}) == 1
    assert not cold.history.now.findings
    for folder in (house.desks[MIRROR].copy, house.follower.kept.folder(0)):
        assert fsck(directory(folder), point).entries == len(entries)


def _meaning(data: bytes) -> dict[str, Any]:
    """An entry without the log's own word on when it came."""
    return {**msgspec.json.decode(data), "recorded_us": 0}
