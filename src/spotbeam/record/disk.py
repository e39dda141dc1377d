"""Files that are there whole or not at all, and stay there when the power goes.

Everything the record writes as files goes through these functions. A process may die between
making a name and syncing it; the next one then sees a file that a loss of power would still take.
So a name that is already there is synced before anything rests on it.
"""

from __future__ import annotations

import os
from pathlib import Path

from spotbeam.errors import Forked

_named: set[Path] = set()
"""Folders whose names this process knows to be on disk."""


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
    make_folder(path.parent)
    sync_folder(path.parent)


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
    """Make a folder and those over it; each name is on disk before the next."""
    path = path.absolute()
    there = path.is_dir()
    if there and path in _named:
        return
    # Nobody who runs as we do can have made a name in a folder that we may not write to.
    ours = not os.path.ismount(path) and os.access(path.parent, os.R_OK | os.W_OK)
    if ours or not there:
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)
    _named.add(path)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
