"""Where witnesses and mirrors keep the one checkpoint a log that they must never forget."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


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
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create and path.exists():
            raise FileExistsError(f"{path} is already there")
        if not create and not path.exists():
            raise FileNotFoundError(f"{path} is not there")
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS checkpoint (origin TEXT PRIMARY KEY, note BLOB NOT NULL)"
        )

    def latest(self, origin: str) -> bytes | None:
        """The note kept for a log, or None."""
        with self._lock:
            return self._read(origin)

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """Put `new` in the place of `old`, on disk; False where something else is kept by now."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                if self._read(origin) != old:
                    self._database.execute("ROLLBACK")
                    return False
                self._database.execute("REPLACE INTO checkpoint VALUES (?, ?)", (origin, new))
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
            "SELECT note FROM checkpoint WHERE origin = ?", (origin,)
        ).fetchone()
        return bytes(row[0]) if row else None
