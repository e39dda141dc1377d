"""Faults to build in, so that a check can be seen to find them."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.crash import recording

from spotbeam.record import checkpoint_store, disk
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.tile_writer import TileWriter


def synchronous_off() -> None:
    """SQLite does not sync what it commits; the files are made as they should be."""
    _rewrite("synchronous = FULL", "synchronous = OFF")


def wal_trusted() -> None:
    """What an earlier process left in the write-ahead log is taken as it reads."""
    _rewrite("wal_checkpoint(TRUNCATE)", "user_version")


def names_trusted() -> None:
    """A name that is there is taken to be on disk."""

    def make_folder(path: Path) -> None:
        if not path.is_dir():
            make_folder(path.parent)
            path.mkdir()
            disk.sync_folder(path.parent)

    def write_once(path: Path, data: bytes) -> None:
        if not path.exists():
            disk.replace(path, data)

    disk.make_folder = make_folder
    disk.write_once = write_once


def files_unsynced() -> None:
    """A file is put in its place before its bytes are on disk."""

    def replace(path: Path, data: bytes) -> None:
        disk.make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_bytes(data)
        os.replace(temporary, path)
        disk.sync_folder(path.parent)

    disk.replace = replace


def names_unsynced() -> None:
    """A file's name is not synced."""
    disk.sync_folder = lambda path: None


def in_place() -> None:
    """A file is written over, rather than another put in its place."""

    def replace(path: Path, data: bytes) -> None:
        disk.make_folder(path.parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for start in range(0, len(data), 256):
            os.write(handle, data[start : start + 256])
        os.fsync(handle)
        os.close(handle)
        disk.sync_folder(path.parent)

    disk.replace = replace


def checkpoint_first() -> None:
    """The checkpoint is published before the tiles that it needs."""
    flush = TileWriter.flush

    def published_then_flushed(self: TileWriter) -> Checkpoint | None:
        new = Checkpoint(recording.ORIGIN, self.size, self.root())
        disk.replace(self.path / "checkpoint", sign_checkpoint(new, [recording.LOG]))
        return flush(self)

    TileWriter.flush = published_then_flushed  # type: ignore[method-assign]


def witness_unsynced() -> None:
    """A witness's store does not sync; the log's does."""
    _rewrite("synchronous = FULL", "synchronous = OFF", "checkpoints.sqlite")


def witness_answers_first() -> None:
    """A witness keeps in memory what it signed last, and writes it down at the next request."""
    store = checkpoint_store.SqliteCheckpoints
    late: dict[int, tuple[str, bytes | None, bytes]] = {}
    latest, replace = store.latest, store.replace

    def latest_heard(self: checkpoint_store.SqliteCheckpoints, origin: str) -> bytes | None:
        return late[id(self)][2] if id(self) in late else latest(self, origin)

    def replace_later(
        self: checkpoint_store.SqliteCheckpoints, origin: str, old: bytes | None, new: bytes
    ) -> bool:
        if latest_heard(self, origin) != old:
            return False
        if id(self) in late:
            replace(self, *late[id(self)])
        late[id(self)] = (origin, old, new)
        return True

    store.latest = latest_heard  # type: ignore[method-assign]
    store.replace = replace_later  # type: ignore[method-assign]


def _rewrite(old: str, new: str, file: str = "") -> None:
    class Careless(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace(old, new), *arguments)

    connect = sqlite3.connect

    def careless(*arguments: Any, **options: Any) -> sqlite3.Connection:
        # As it opens a file, not as it makes one.
        if options.get("uri") and file in str(arguments[0]):
            options["factory"] = Careless
        return connect(*arguments, **options)

    sqlite3.connect = careless  # type: ignore[assignment]


WEAKNESSES: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        synchronous_off,
        wal_trusted,
        names_trusted,
        files_unsynced,
        names_unsynced,
        in_place,
        checkpoint_first,
        witness_unsynced,
        witness_answers_first,
    )
}
