"""Files that are whole or not there: written beside their place, then moved into it.

A reader never sees half a file, whatever ends the writer: an error, Ctrl-C, kill -9 or lost power.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spotbeam.errors import OutputError

_SUFFIX = ".part"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a whole file or none: yields a path to write to, which takes its place at the end.

    The temporary file lies in the same folder, because only a move within one file system is
    atomic. On any exception it is removed and what stood at `path` before still stands there.

    Raises:
        OutputError: the folder does not exist or may not be written, or something that is not an
            ordinary file stands at `path`.
    """
    target = _ordinary_place(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_SUFFIX}")
    try:
        # Created here rather than by the caller, so that it is new and obeys the user's umask.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise OutputError(
            f"cannot be written: {error.strerror}",
            place=str(path),
            hint="choose a folder that exists and that you may write to",
        ) from None
    try:
        yield temporary
        make_durable(temporary)
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    make_durable(target.parent)


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write these bytes as a whole file, or leave what was there."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write this text as UTF-8, with the line ends that it has."""
    write_bytes(path, text.encode("utf-8"))


def discard_leftovers(folder: str | os.PathLike[str]) -> int:
    """Remove what killed writers left in a folder, and say how many files that was.

    Only for a folder that no other run is writing to.
    """
    leftovers = [path for path in Path(folder).glob(f".*{_SUFFIX}") if path.is_file()]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)


def make_durable(path: str | os.PathLike[str]) -> None:
    """Wait until a file or a folder is on the disk (nothing to do for folders on Windows)."""
    if os.name == "nt" and os.path.isdir(path):  # pragma: no cover
        return
    flags = os.O_RDONLY if os.name != "nt" else os.O_RDWR
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _ordinary_place(path: str | os.PathLike[str]) -> Path:
    """Where a file really lies: moving over a link would cut it, over a device destroy it."""
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except OSError:
        return target
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise OutputError(f"is {what}", place=str(path), hint="choose another name")
    return target
