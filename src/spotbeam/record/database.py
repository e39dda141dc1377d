"""SQLite files that are there whole or not at all, and hold what was acknowledged.

What a disk does to them is tested with every write and sync numbered; see record-formats.md,
"What survives".
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from spotbeam.errors import RecordError
from spotbeam.record import disk


def create_database(path: Path, statements: Sequence[tuple[str, tuple[object, ...]]]) -> None:
    """Make a new database; it has its name only once all statements are done and on disk.

    Raises:
        FileExistsError: There is such a file.
        RecordError: The database cannot be written, as on a full disk.
    """
    if path.exists():
        raise FileExistsError(f"{path} is already there")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with said_of(path):
        disk.make_folder(path.parent)
        try:
            for end in ("", "-wal", "-journal"):  # of a process that had this one's number
                temporary.with_name(temporary.name + end).unlink(missing_ok=True)
            _fill(temporary, statements)
            os.link(temporary, path)  # as a rename, but never over another
        finally:
            temporary.unlink(missing_ok=True)
        disk.sync_folder(path.parent)


def open_database(path: Path) -> sqlite3.Connection:
    """Open a database for one process with several threads; each transaction is then durable.

    What an earlier process left in the write-ahead log is written into the file, and synced, before
    anything else. The system may show what that process wrote although its sync had failed; a sync
    of the same pages would now succeed without writing them.

    Raises:
        FileNotFoundError: There is no such file; none is made.
        RecordError: It is damaged, or cannot be written.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there")
    with said_of(path):
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
    try:
        with said_of(path):
            _survive(database)
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            # Names that an earlier process left unsynced, and that of the write-ahead log: SQLite
            # syncs it, and goes on where that fails.
            disk.make_folder(path.parent)
            disk.sync_folder(path.parent)
    except BaseException:
        database.close()
        raise
    return database


@contextlib.contextmanager
def said_of(path: Path) -> Iterator[None]:
    """Turn what SQLite and the disk raise into a message that names the file."""
    try:
        yield
    except FileExistsError:
        raise
    except (
        sqlite3.Error,
        OSError,
        UnicodeDecodeError,
    ) as fault:  # the last: names in a damaged file
        raise RecordError(
            str(getattr(fault, "strerror", None) or fault),
            place=str(path),
            hint="make space or mend the disk, then start again",
        ) from fault


def _fill(path: Path, statements: Sequence[tuple[str, tuple[object, ...]]]) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        _survive(database)
        database.execute("BEGIN")
        for statement, values in statements:
            database.execute(statement, values)
        database.execute("COMMIT")
        # Closing would do it too, but would not say when it fails.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _survive(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
