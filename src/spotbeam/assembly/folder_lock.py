"""A folder that one process at a time works in: a lock of the system, gone with its holder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from spotbeam.errors import InputError


@contextlib.contextmanager
def hold(path: Path, what: str, hint: str) -> Iterator[None]:
    """Hold a lock file for as long as the context lasts.

    The file stays when the context ends: only the lock on it means something, and that goes with
    its process, even when the process is killed.

    Args:
        path: The lock file; made if it is not there.
        what: What messages call the thing that is locked.
        hint: What to do where another process holds it.

    Raises:
        InputError: Another process holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _take(handle):
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            raise InputError(
                f"{what} is in use by another process{f' ({holder})' if holder else ''}",
                place=str(path.parent),
                hint=hint,
            )
        os.ftruncate(handle, 0)
        os.pwrite(handle, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> bool:
        os.lseek(handle, 1 << 30, os.SEEK_SET)  # past the number that stands in the file
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
