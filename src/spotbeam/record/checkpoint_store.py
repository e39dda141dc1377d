"""Where witnesses and mirrors keep the one checkpoint a log that they must never forget."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path

from spotbeam.errors import RecordError
from spotbeam.record.database import create_database, open_database, said_of

_SCHEMA = (
    "CREATE TABLE checkpoint (origin TEXT PRIMARY KEY, note BLOB NOT NULL, hash BLOB NOT NULL)"
)
_DAMAGED = "with an older copy it would sign a second view: go on as a new witness, with a new key"


class MemoryCheckpoints:
    """Checkpoints in memory: for tests, and for trying things out. Nothing survives."""

    def __init__(self) -> None:
        self._notes: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def latest(self, origin: str) -> bytes | None:
        """The note kept for a log, or None."""
        return self._notes.get(origin)

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """Put `new` in the place of `old`; False where something else is kept by now."""
        with self._lock:
            if self._notes.get(origin) != old:
                return False
            self._notes[origin] = new
            return True


class SqliteCheckpoints:
    """Checkpoints in one SQLite file, safe from threads and processes, on disk at once.

    Args:
        path: The file.
        create: Whether to start a new one. A witness that finds its file gone must not quietly
            begin anew: it would sign a second view of every log.

    Raises:
        FileNotFoundError: There is no such file, and none is to be made.
        FileExistsError: One is to be made, and there is one.
        RecordError: It is damaged, or cannot be written.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            create_database(path, [(_SCHEMA, ())])
        self._path = path
        self._lock = threading.Lock()
        self._database = open_database(path)
        try:
            with said_of(path):
                # A row that an index has lost sight of would be as if nothing were signed yet.
                found = self._database.execute("PRAGMA integrity_check(1)").fetchone()[0]
                origins = self._database.execute("SELECT origin FROM checkpoint").fetchall()
            if found != "ok":
                raise RecordError(f"the file is damaged: {found}", place=str(path), hint=_DAMAGED)
            for (origin,) in origins:
                self.latest(origin)
        except BaseException:
            self._database.close()
            raise

    def latest(self, origin: str) -> bytes | None:
        """The note kept for a log, or None."""
        with self._lock, said_of(self._path):
            return self._read(origin)

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """Put `new` in the place of `old`, on disk; False where something else is kept by now.

        Raises:
            RecordError: The disk is full or broken. Whether `new` is kept is then known only when
                the file is opened again.
        """
        with self._lock, said_of(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                if self._read(origin) != old:
                    self._database.execute("ROLLBACK")
                    return False
                self._database.execute(
                    "REPLACE INTO checkpoint VALUES (?, ?, ?)", (origin, new, _hash(origin, new))
                )
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            return True

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _read(self, origin: str) -> bytes | None:
        row = self._database.execute(
            "SELECT note, hash FROM checkpoint WHERE origin = ?", (origin,)
        ).fetchone()
        if row is None:
            return None
        note, hashed = row
        if not isinstance(note, bytes) or _hash(origin, note) != hashed:
            raise RecordError(
                f"the checkpoint of {origin!a} is not as it was kept",
                place=str(self._path),
                hint=_DAMAGED,
            )
        return note


def _hash(origin: str, note: bytes) -> bytes:
    """Tells a bit that turned over, which SQLite would not, from a log that has forked."""
    return sha256(origin.encode() + b"\0" + note).digest()
