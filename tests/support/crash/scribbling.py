"""File operations without a meaning, to hold the model of a disk against a real file system."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

from support.crash.recording import Around


def scribble(here: Around) -> None:
    """Four hundred operations, drawn by the number of this life, of every kind that is known."""
    rng = random.Random(here.life)
    top = here.home / "m"
    top.mkdir()
    os.chdir(top)
    folders, files, opened = [top], [], []
    for number in range(400):
        folder = rng.choice(folders)
        path = folder / f"{rng.choice('abc')}{rng.randrange(12)}"
        kind = rng.randrange(14)
        try:
            if kind <= 1:
                flags = rng.choice((os.O_TRUNC, os.O_APPEND, os.O_EXCL, 0)) | os.O_CREAT
                opened.append(os.open(os.path.relpath(path), flags | os.O_RDWR, 0o644))
                files.append(path)
            elif kind <= 4 and opened:
                data = rng.randbytes(rng.choice((0, 1, 700, 5000)))
                handle = rng.choice(opened)
                rng.choice((_write, _pwrite, _writev, _pwritev))(handle, data, rng.randrange(9000))
            elif kind == 5 and opened:
                os.ftruncate(rng.choice(opened), rng.randrange(6000))
            elif kind == 6 and opened:
                rng.choice((os.fsync, os.fdatasync))(rng.choice(opened))
            elif kind == 7 and files:
                old = rng.choice(files)
                handle = os.open(old.parent, os.O_RDONLY | os.O_DIRECTORY)
                os.rename(old.name, path.name, src_dir_fd=handle, dst_dir_fd=handle)
                os.close(handle)
                files.append(old.with_name(path.name))
            elif kind == 8 and files:
                os.unlink(rng.choice(files))
            elif kind == 9:
                below = folder / f"folder{number}"
                below.mkdir()
                folders.append(below)
            elif kind == 10 and len(folders) > 1:
                rng.choice(folders[1:]).rmdir()
            elif kind == 11 and files:
                old = rng.choice(files)
                os.link(old, old.with_name(f"link{number}"))
            elif kind == 12 and opened:
                opened.append(os.dup(rng.choice(opened)))
            elif kind == 13 and opened:
                os.close(opened.pop(rng.randrange(len(opened))))
        except OSError:
            continue  # not there, there already, not empty: the model must know that too
    database = sqlite3.connect(top / "database")
    database.execute(f"PRAGMA journal_mode = {rng.choice(('DELETE', 'TRUNCATE', 'WAL'))}")
    database.execute("CREATE TABLE t (x)")
    database.executemany("INSERT INTO t VALUES (?)", [(b"x" * 900,)] * 30)
    database.commit()
    database.close()


def keep_some(here: Around) -> None:
    """One file of each fate; what is left of them is written down by hand in the test."""
    top = here.home / "m"
    top.mkdir()
    folder = os.open(top, os.O_RDONLY)
    (top / "named").touch()
    (top / "replaced").write_bytes(b"old")
    for name in ("named", "replaced"):
        _sync(top / name)
    os.fsync(folder)
    (top / "named").write_bytes(b"unsynced")
    (top / "unnamed").write_bytes(b"synced")
    _sync(top / "unnamed")
    (top / "new").write_bytes(b"new")
    _sync(top / "new")
    os.replace(top / "new", top / "replaced")


def copy_unseen(here: Around) -> None:
    """Copy a file inside the kernel, which the shim cannot write down."""
    top = here.home / "m"
    top.mkdir()
    (top / "one").write_bytes(b"1")
    with (top / "one").open("rb") as one, (top / "two").open("wb") as two:
        os.sendfile(two.fileno(), one.fileno(), 0, 1)


def _write(handle: int, data: bytes, at: int) -> None:
    os.write(handle, data)


def _pwrite(handle: int, data: bytes, at: int) -> None:
    os.pwrite(handle, data, at)


def _writev(handle: int, data: bytes, at: int) -> None:
    os.writev(handle, [data[:10], data[10:]])


def _pwritev(handle: int, data: bytes, at: int) -> None:
    os.pwritev(handle, [data[:100], data[100:]], at)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
