"""What a reader keeps on disk of a record that it follows: the record itself, as far as accepted.

    genesis                 digest of the first log's entry 0, written once
    logs/<n>/…              the n-th log of the chain as static files, like any mirror's; its
                            `checkpoint` is the one accepted last
    evidence/<digest>       proof that a log has signed two views, for whoever asks

Entries and tiles are on disk before the checkpoint that covers them, and the checkpoint is
replaced in one step, so that a process killed anywhere finds the last one or the one before.
Several processes may keep one folder; a lock is held while something is written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from spotbeam.errors import MalformedRecord, ProofMismatch
from spotbeam.record import disk
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint
from spotbeam.record.tile_reader import Fetch, TileReader, directory
from spotbeam.record.tile_writer import TileWriter, read_checkpoint
from spotbeam.record.tiles import CHECKPOINT_PATH

if sys.platform != "win32":
    import fcntl

_GENESIS = "genesis"
_DIGEST_SIZE = 64


class Kept:
    """The folder in which a reader keeps what it has accepted.

    Args:
        path: The folder; made when the first thing is accepted.

    Raises:
        MalformedRecord: A file in it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writers: dict[int, TileWriter] = {}

    @property
    def genesis(self) -> str | None:
        """Digest of the entry 0 that this folder follows, or None while it is empty."""
        try:
            text = (self.path / _GENESIS).read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
        if len(text) != _DIGEST_SIZE or set(text) - set("0123456789abcdef"):
            raise MalformedRecord(
                "not the digest of an entry 0", place=str(self.path / _GENESIS), hint=_DAMAGED
            )
        return text

    def logs(self) -> range:
        """The logs of the chain of which something is kept, first to last."""
        count = 0
        while (self.folder(count) / CHECKPOINT_PATH).exists():
            count += 1
        return range(count)

    def folder(self, log: int) -> Path:
        """Where the n-th log of the chain lies, as static files."""
        return self.path / "logs" / f"{log:03d}"

    def fetch(self, log: int) -> Fetch:
        """Read what is kept of a log as one reads any source."""
        return directory(self.folder(log))

    def note(self, log: int) -> bytes | None:
        """The checkpoint accepted last."""
        return self.fetch(log)(CHECKPOINT_PATH)

    def reader(self, log: int) -> TileReader:
        """The tree of what is kept."""
        note = self.note(log)
        assert note is not None
        return TileReader(self.fetch(log), parse_signed_checkpoint(note)[0])

    def keep(
        self, log: int, genesis: str, note: bytes, first: int, entries: Sequence[bytes]
    ) -> None:
        """Put what was accepted on disk; when this returns it survives a loss of power.

        Args:
            log: Which log of the chain.
            genesis: Digest of the first log's entry 0.
            note: The accepted checkpoint.
            first: Index of the first of `entries`.
            entries: The entries from there to the checkpoint.

        Raises:
            ProofMismatch: The folder follows another record, or the entries are not those.
            Forked: Something else is kept already.
        """
        new = parse_signed_checkpoint(note)[0]
        with self._locked():
            if self.genesis is None:
                disk.write_once(self.path / _GENESIS, f"{genesis}\n".encode())
            elif self.genesis != genesis:
                raise ProofMismatch(f"{self.path} follows another record, {self.genesis}")
            writer = self._writer(log)
            if writer.size > new.size:
                return  # another process has gone further already
            if writer.size < first:
                raise ProofMismatch(
                    f"entries {writer.size} to {first} are no longer there",
                    place=str(self.folder(log)),
                    hint=_DAMAGED,
                )
            try:
                writer.append(entries[writer.size - first :])
                writer.flush()
                writer.publish(note)
            except BaseException:
                # What the writer holds in memory may be half done: read it again from disk.
                self._writers.pop(log, None)
                raise

    def keep_evidence(self, data: bytes) -> Path:
        """Keep proof of two views; the file."""
        path = self.path / "evidence" / f"{sha256(data).hexdigest()[:32]}.equivocation"
        with self._locked():
            disk.write_once(path, data)
        return path

    def evidence(self) -> tuple[Path, ...]:
        """All proofs of two views that are kept."""
        return tuple(sorted((self.path / "evidence").glob("*.equivocation")))

    def read(self, name: str) -> bytes | None:
        """A small file that somebody keeps beside the record, or None."""
        return directory(self.path)(name)

    def write(self, name: str, data: bytes) -> None:
        """Keep a small file beside the record, in one step."""
        with self._locked():
            disk.replace(self.path / name, data)

    def _writer(self, log: int) -> TileWriter:
        """The writer of a log, from disk again where another process has written meanwhile."""
        writer = self._writers.get(log)
        published = _size_of(read_checkpoint(self.folder(log)))
        if writer is None or writer.size != published:
            writer = self._writers[log] = TileWriter(self.folder(log))
        return writer

    @contextmanager
    def _locked(self) -> Iterator[None]:
        disk.make_folder(self.path)
        handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)  # and the lock with it


_DAMAGED = "move the folder away to follow the record from its entry 0 again"


def _size_of(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else checkpoint.size
