"""Files that are there whole or not at all, and stay there when the power goes.

Everything the record writes as files goes through these two functions, so that a test can number
each write, fsync and rename, and stop the world at any of them.
"""

from __future__ import annotations

import os
from pathlib import Path

from spotbeam.errors import Forked


def write_once(path: Path, data: bytes) -> None:
    """Write a file that never changes: written again it must have the same bytes.

    Raises:
        Forked: There is one with other bytes.
    """
    try:
        there = path.read_bytes()
    except FileNotFoundError:
        replace(path, data)
        return
    if there != data:
        raise Forked(
            "the file is already published with other bytes",
            place=str(path),
            hint="two logs wrote here, or this one lost entries that it had published",
        )


def replace(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file, or put another in its place, in one step that survives a loss of power.

    Args:
        path: The file.
        data: All its bytes.
        mode: Who may read it: 0o600 for a private key.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    os.replace(temporary, path)
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those over it; each new name is on disk before the next."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
