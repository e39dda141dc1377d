"""The log's file and the witnesses': made whole, opened only whole, and doubted entry by entry."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from spotbeam.errors import MalformedRecord, ProofMismatch, RecordError
from spotbeam.record.checkpoint_store import SqliteCheckpoints
from spotbeam.record.database import create_database, open_database
from spotbeam.record.entry_store import EntryStore, create_entry_store

ORIGIN = "log.example/store"


def test_a_database_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.sqlite"
    with pytest.raises(RecordError, match=r"a\.sqlite: .*syntax error"):
        create_database(path, [("CREATE TABLE t (x)", ()), ("nonsense", ())])
    assert os.listdir(path.parent) == []
    # What a process with this one's number left behind is in nobody's way.
    (path.parent / f".a.sqlite.{os.getpid()}.tmp").write_bytes(b"half of a database")
    create_database(path, [("CREATE TABLE t (x)", ()), ("INSERT INTO t VALUES (?)", (7,))])
    assert os.listdir(path.parent) == ["a.sqlite"]
    database = open_database(path)
    assert database.execute("SELECT x FROM t").fetchall() == [(7,)]
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    with pytest.raises(FileExistsError):
        create_database(path, [])


def test_what_is_not_there_or_not_a_database_is_said_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with pytest.raises(FileNotFoundError):
        open_database(path)
    assert not path.exists()
    path.write_bytes(b"this is a letter, not a database, and longer than a header" * 3)
    with pytest.raises(RecordError, match=r"a\.sqlite: file is not a database"):
        open_database(path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordError, match="unable to open"):
        open_database(tmp_path / "folder")


def test_a_message_that_is_not_text_is_a_message_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    create_database(path, [("CREATE TABLE things (x)", ())])
    data = path.read_bytes()
    assert data.count(b"tablethingsthings") == 1
    path.write_bytes(data.replace(b"tablethingsthings", b"table\xf4hingsthings"))
    with pytest.raises(RecordError, match=r"a\.sqlite"):
        open_database(path).execute("SELECT x FROM things")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "log.sqlite"
    create_entry_store(path, ORIGIN)
    store = EntryStore(path)
    store.take_over()
    store.add([b"zero", b"one", b"two"])
    store.keep_signed(b"a note")
    store.close()
    return path


@pytest.mark.parametrize(
    ("change", "fault", "words"),
    [
        ("UPDATE entry SET data = x'00' WHERE number = 1", ProofMismatch, "entry 1 is not as"),
        ("UPDATE entry SET hash = x'00' WHERE number = 2", ProofMismatch, "entry 2 is not as"),
        ("UPDATE entry SET data = 'one' WHERE number = 1", ProofMismatch, "entry 1 is not as"),
        ("UPDATE entry SET data = 9999999999 WHERE number = 1", ProofMismatch, "entry 1"),
        ("UPDATE entry SET number = 7 WHERE number = 1", RecordError, "the last is 7"),
        ("DELETE FROM entry WHERE number = 0", RecordError, "holds 2 entries, the last is 2"),
        ("UPDATE signed SET note = 'a note'", MalformedRecord, "not bytes"),
        ("ALTER TABLE entry RENAME TO entries", RecordError, "no such table"),
    ],
)
def test_what_was_changed_in_the_file_is_not_handed_out(
    path: Path, change: str, fault: type[Exception], words: str
) -> None:
    database = sqlite3.connect(path)
    database.execute(change)
    database.commit()
    database.close()
    store = EntryStore(path)
    with pytest.raises(fault, match=words):
        _read_all(store)
    store.close()


def _read_all(store: EntryStore) -> None:
    store.take_over()
    store.read(0, store.size)
    store.signed()


def test_a_witness_s_file_is_seen_to_be_whole_before_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite"
    store = SqliteCheckpoints(path, create=True)
    assert store.replace(ORIGIN, None, b"note")
    store.close()
    database = sqlite3.connect(path)
    (page,) = database.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_checkpoint_1'"
    ).fetchone()
    database.close()
    data = bytearray(path.read_bytes())
    at = data.index(ORIGIN.encode(), (page - 1) * 4096)
    data[at] ^= 1  # only the index loses sight of the row: nothing would seem signed yet
    path.write_bytes(data)
    with pytest.raises(RecordError, match="is damaged"):
        SqliteCheckpoints(path)
    # The control: SQLite itself would say that nothing is kept.
    database = sqlite3.connect(path)
    rows = database.execute("SELECT note FROM checkpoint WHERE origin = ?", (ORIGIN,)).fetchall()
    database.close()
    assert rows == []


def test_a_witness_s_note_is_seen_to_be_as_it_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite"
    store = SqliteCheckpoints(path, create=True)
    assert store.replace(ORIGIN, None, b"a note of 8 entries")
    assert store.latest(ORIGIN) == b"a note of 8 entries"
    store.close()
    path.write_bytes(path.read_bytes().replace(b"of 8 entries", b"of 0 entries"))
    with pytest.raises(RecordError, match="is not as it was kept"):
        SqliteCheckpoints(path)
