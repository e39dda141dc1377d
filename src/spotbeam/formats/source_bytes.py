"""A user's file, read once and no further than a limit, with the digest of what was read."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from spotbeam.errors import InputError


class SourceBytes(NamedTuple):
    """What a file held: all checks and the digest are of these bytes, not of a second reading."""

    name: str
    data: bytes
    sha256: str


def read_source(
    path: str | os.PathLike[str], *, max_bytes: int, error: type[InputError]
) -> SourceBytes:
    """The bytes of an ordinary file.

    Args:
        path: The file; `name` is its last part.
        max_bytes: Refuse more than this many, before they are read.
        error: What to raise.

    Raises:
        InputError: as `error`: no such file, not a file, not readable, too large.
    """
    name = Path(path).name or str(path)
    with open_ordinary(path, error=error) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise error(
            f"{max(size, len(data))} bytes is more than {max_bytes}",
            place=name,
            hint="split the file, or simplify what is in it",
        )
    return SourceBytes(name, data, hashlib.sha256(data).hexdigest())


def open_ordinary(path: str | os.PathLike[str], *, error: type[InputError]) -> BinaryIO:
    """An ordinary file, open for reading: no folder, device or pipe.

    Raises:
        InputError: as `error`.
    """
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except OSError as problem:
        raise error(
            f"cannot be read: {problem.strerror}", place=str(path), hint="check the path"
        ) from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        what = "a folder" if stat.S_ISDIR(mode) else "not an ordinary file"
        raise error(f"is {what}", place=str(path), hint="name a file")
    return os.fdopen(handle, "rb")
