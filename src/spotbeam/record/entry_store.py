"""The log's own file: its entries in order, what it signed last, and who may write.

An entry's leaf hash stands beside it, because SQLite would not notice a bit that turned over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from spotbeam.errors import MalformedRecord, ProofMismatch, RecordError
from spotbeam.record.database import create_database, open_database, said_of
from spotbeam.record.merkle import MAX_SIZE, leaf_hash

_SCHEMA = (
    "CREATE TABLE log (origin TEXT NOT NULL, fence INTEGER NOT NULL)",
    "CREATE TABLE entry (number INTEGER PRIMARY KEY, data BLOB NOT NULL, hash BLOB NOT NULL)",
    "CREATE TABLE signed (one INTEGER PRIMARY KEY CHECK (one = 1), note BLOB NOT NULL)",
)


def create_entry_store(path: Path, origin: str) -> None:
    """Start an empty file for the log of an origin.

    Raises:
        FileExistsError: There is such a file.
        RecordError: It cannot be written.
    """
    create_database(
        path,
        [*((each, ()) for each in _SCHEMA), ("INSERT INTO log VALUES (?, 0)", (origin,))],
    )


class EntryStore:
    """The entries on disk, and the checkpoint signed last. One thread at a time.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is no such file.
        RecordError: It is damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fence = -1
        self._database = open_database(path)
        try:
            with said_of(path):
                (self.origin,) = self._database.execute("SELECT origin FROM log").fetchone()
        except BaseException:
            self._database.close()
            raise
        self.size = 0

    def take_over(self) -> None:
        """Be the one that writes, and shut out whoever did; `size` is then that on disk."""
        with self._transaction():
            self._database.execute("UPDATE log SET fence = fence + 1")
            (self._fence,) = self._database.execute("SELECT fence FROM log").fetchone()
        with said_of(self._path):
            count, last = self._database.execute(
                "SELECT count(*), max(number) FROM entry"
            ).fetchone()
        if count and last != count - 1:
            raise RecordError(
                f"the log's file holds {count} entries, the last is {last}", place=str(self._path)
            )
        self.size = int(count)

    def add(self, entries: Sequence[bytes]) -> None:
        """Add entries in one transaction: all are on disk afterwards, or none is acknowledged.

        Raises:
            RecordError: The disk is full or broken, another process has taken over, or the log
                is full.
        """
        if self.size + len(entries) > MAX_SIZE:
            raise RecordError("the log is full")
        with self._transaction():
            self._check_fence()
            self._database.executemany(
                "INSERT INTO entry VALUES (?, ?, ?)",
                ((at, entry, leaf_hash(entry)) for at, entry in enumerate(entries, self.size)),
            )
        self.size += len(entries)

    def read(self, start: int, end: int) -> list[bytes]:
        """The entries `[start, end)`, each seen to be as it was added.

        Raises:
            RecordError: One is missing, or changed.
        """
        with said_of(self._path):
            rows = self._database.execute(
                "SELECT number, data, hash FROM entry WHERE number >= ? AND number < ? "
                "ORDER BY number",
                (start, end),
            ).fetchall()
        numbers = [number for number, _, _ in rows]
        if numbers != list(range(start, end)):
            missing = min(set(range(start, end)) - set(numbers), default=start)
            raise RecordError(f"entry {missing} is missing", place=str(self._path))
        for number, data, hashed in rows:
            if not isinstance(data, bytes) or leaf_hash(data) != hashed:
                raise ProofMismatch(
                    f"entry {number} is not as it was added",
                    place=str(self._path),
                    hint="restore the file from a copy, or the entry from the tiles or a mirror",
                )
        return [data for _, data, _ in rows]

    def signed(self) -> bytes | None:
        """The note of the checkpoint signed last, or None."""
        with said_of(self._path):
            row = self._database.execute("SELECT note FROM signed").fetchone()
        if row is not None and not isinstance(row[0], bytes):
            raise MalformedRecord("the checkpoint signed last is not bytes", place=str(self._path))
        return row[0] if row else None

    def keep_signed(self, note: bytes) -> None:
        """Put a signed note in the place of the last; it is on disk afterwards."""
        with self._transaction():
            self._check_fence()
            self._database.execute("REPLACE INTO signed VALUES (1, ?)", (note,))

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts nobody can take the log over; nothing is written to the file.

        Raises:
            RecordError: Another process has taken over already.
        """
        with said_of(self._path):
            self._database.execute("BEGIN IMMEDIATE")
        try:
            self._check_fence()
            yield
        finally:
            self._rollback()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _check_fence(self) -> None:
        (fence,) = self._database.execute("SELECT fence FROM log").fetchone()
        if fence != self._fence:
            raise RecordError("another process has taken over this log")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with said_of(self._path):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                # What a failed write left on disk is for the next opening to find out.
                self._rollback()
                raise

    def _rollback(self) -> None:
        if self._database.in_transaction:
            with said_of(self._path):
                self._database.execute("ROLLBACK")
