"""A log, two witnesses and a mirror at work: what they do, and what they tell each other.

Each is a folder of its own at the top, as if on a machine of its own.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from spotbeam.errors import RecordError
from spotbeam.record import disk, keys
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.checkpoint_store import SqliteCheckpoints
from spotbeam.record.keys import signer_from_seed
from spotbeam.record.log import Log, create_log
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.mirror import Mirror, add_entries_requests, parse_mirror_info
from spotbeam.record.note import add_signatures
from spotbeam.record.policy import parse_policy
from spotbeam.record.witness import (
    AddCheckpoint,
    Answer,
    Witness,
    origin_hash,
    read_witness_answer,
)

ORIGIN = "log.example/crash"
LOG = signer_from_seed(ORIGIN, keys.ED25519, b"\1" * 32)
WITNESSES = {
    name: signer_from_seed(f"{name}.example", keys.COSIGNATURE_ED25519, bytes([number]) * 32)
    for number, name in enumerate(("w0", "w1"), 2)
}
MIRROR = signer_from_seed("m.example", keys.COSIGNATURE_ED25519, b"\7" * 32)
SIGNERS = {**WITNESSES, "m": MIRROR}
POLICY = parse_policy(
    (
        f"log {LOG.key}\n"
        + "".join(f"witness {name} {each.key}\n" for name, each in SIGNERS.items())
        + f"group all {len(SIGNERS)} {' '.join(SIGNERS)}\nquorum all\n"
    ).encode()
)
NOW_S = 1_800_000_000
ROUNDS = ((1, 2, 3), (2,), (1, 1, 2), (239,), (3, 1, 4), (1, 2))
"""What is appended before each checkpoint: a batch for each thread."""


class Around(Protocol):
    """What `Parties` asks of `worker.Here`."""

    home: Path
    kept: frozenset[str]
    life: int

    def mark(self, what: str, **values: Any) -> None: ...


def live(here: Around) -> None:
    """Open everything, go on from what is there, and publish six more checkpoints."""
    parties = Parties(here)
    try:
        parties.confirm()
        if parties.log.size:
            parties.publish()
        for number in range(len(ROUNDS)):
            if number == 2:
                parties.reopen_log()
                parties.confirm()
            _round(parties, number)
    finally:
        parties.close()


def live_through(here: Around) -> None:
    """As `live`, on a disk that fails: each time say why, mend it, and go on with what is open.

    Witnesses and mirror go on as they are; the log, which has stopped, is opened again.
    """
    parties = None
    try:
        for number in range(len(ROUNDS)):
            try:
                parties = parties or Parties(here)
                parties.confirm()
                _round(parties, number)
            except (RecordError, OSError) as fault:
                here.mark("refused", why=str(fault))
                if parties is not None:
                    with contextlib.suppress(RecordError):
                        parties.append(f"{here.life}.{number}.tried", [b"tried %d" % number])
                here.mend()
                if parties is not None:
                    parties.reopen_log()
    finally:
        if parties is not None:
            parties.close()


def _round(parties: Parties, number: int) -> None:
    batches = ROUNDS[number]
    names = [f"{parties.here.life}.{number}.{thread}" for thread in range(len(batches))]
    parties.append_together({name: batch(name, n) for name, n in zip(names, batches, strict=True)})
    parties.publish()


def batch(name: str, count: int) -> list[bytes]:
    """Entries that are like no others; some are longer than a page of SQLite."""
    return [
        b"%s/%d." % (name.encode(), number) + b"." * (5000 if number % 80 == 2 else number % 50)
        for number in range(count)
    ]


class Parties:
    """The log, its witnesses and its mirror, as one process opens them.

    Args:
        here: Where they are, which of them must be there, and how to say what was promised.
    """

    def __init__(self, here: Around) -> None:
        self.here = here
        self._stores: list[SqliteCheckpoints] = []
        self._log: Log | None = None
        try:
            self.witnesses = {
                name: Witness({ORIGIN: [LOG.key]}, [signer], self._store(name))
                for name, signer in WITNESSES.items()
            }
            self.mirror = Mirror(
                {ORIGIN: [LOG.key]}, [MIRROR], self._store("m"), here.home / "m" / "copies"
            )
            path = here.home / "log" / "log.sqlite"
            if "log" not in here.kept and not path.exists():
                create_log(path, ORIGIN)
            self.reopen_log()
            here.mark("made", party="log")
        except BaseException:
            self.close()
            raise

    @property
    def log(self) -> Log:
        """The log."""
        assert self._log
        return self._log

    @property
    def tiles(self) -> Path:
        """Where the log publishes."""
        return self.here.home / "log" / "tiles"

    def reopen_log(self) -> None:
        """Close the log and open it again, as a restart of its process does."""
        if self._log:
            self._log.close()
        self._log = Log(self.here.home / "log" / "log.sqlite", self.tiles, LOG)

    def close(self) -> None:
        """Close all files."""
        if self._log:
            self._log.close()
        for store in self._stores:
            store.close()

    def held(self) -> Mapping[str, bytes | None]:
        """What each witness and the mirror say that they signed last."""
        name = origin_hash(ORIGIN)
        answers = {each: self.witnesses[each].checkpoint(name) for each in WITNESSES}
        answers["m"] = self.mirror.checkpoint(name)
        return {who: each.body if each.status == 200 else None for who, each in answers.items()}

    def confirm(self) -> None:
        """Tell the log what its witnesses signed last."""
        self.log.confirm(self.held(), POLICY)

    def append_together(self, batches: Mapping[str, Sequence[bytes]]) -> None:
        """Append from as many threads as there are batches."""
        faults: list[BaseException] = []

        def add(name: str) -> None:
            try:
                self.append(name, batches[name])
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=add, args=(name,)) for name in batches]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def append(self, name: str, entries: Sequence[bytes]) -> None:
        """Append one batch; say so before and after."""
        self.here.mark("submitted", name=name, entries=entries)
        numbers = self.log.append(entries)
        assert len(numbers) == len(entries)
        self.here.mark("added", name=name, first=numbers[0])

    def publish(self) -> bytes:
        """Sign, have all others sign, publish; the note that is published."""
        note = signed = self.log.sign()
        for name in WITNESSES:
            answer = self.ask(name, signed)
            read = read_witness_answer(
                answer.status, answer.body, signed, [SIGNERS[name].key], now_s=NOW_S
            )
            note = add_signatures(note, read.cosignatures)
            self.here.mark("cosigned", by=name, note=signed)
        answer = self.ask("m", signed)
        assert answer.status == 200, answer.body
        answer = self.upload(signed)
        read = read_witness_answer(answer.status, answer.body, signed, [MIRROR.key], now_s=NOW_S)
        note = add_signatures(note, read.cosignatures)
        self.here.mark("cosigned", by="m", note=signed)
        self.log.publish(note, POLICY, now_s=NOW_S)
        self.here.mark("published", note=note)
        return note

    def ask(self, name: str, note: bytes) -> Answer:
        """Send a checkpoint to a witness or the mirror, from what it says that it holds."""
        old = 0
        for _ in range(2):
            body = bytes(self.log.witness_request(old, note))
            self.here.mark("sent", to=name, body=body, note=note)
            answer = self.deliver(name, body)
            if answer.status != 409:
                break
            old = int(answer.body)
        return answer

    def deliver(self, name: str, body: bytes) -> Answer:
        """What a witness or the mirror answers to a request."""
        party = self.mirror if name == "m" else self.witnesses[name]
        return party.add_checkpoint(body, now_s=NOW_S)

    def ask_for(self, name: str, old: int, proof: Sequence[bytes], note: bytes) -> Answer:
        """As `deliver`, for a request in parts."""
        return self.deliver(name, bytes(AddCheckpoint(old, tuple(proof), note)))

    def upload(self, note: bytes) -> Answer:
        """Send the mirror the entries that it lacks."""
        entries = list(self.log.entries())
        tree = Tree(map(leaf_hash, entries))
        size = parse_signed_checkpoint(note)[0].size
        start = 0
        answer = Answer(409)
        for _ in range(3):
            requests = add_entries_requests(
                ORIGIN, start, size, lambda a, b: entries[a:b], tree.subtree_proof
            )
            for body in requests:
                answer = self.mirror.add_entries(body, now_s=NOW_S)
            if answer.status not in (202, 409):
                break
            start = parse_mirror_info(answer.body).next_entry
        return answer

    def _store(self, name: str) -> SqliteCheckpoints:
        path = self.here.home / name / "checkpoints.sqlite"
        disk.make_folder(path.parent)
        store = SqliteCheckpoints(path, create=name not in self.here.kept and not path.exists())
        self._stores.append(store)
        self.here.mark("made", party=name)
        return store
