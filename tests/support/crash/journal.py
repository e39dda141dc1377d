"""The journal that the shim writes: each operation with its number, in one order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

HEAD = struct.Struct("=IIQqqqIIII")
KINDS = [
    "-",
    "open",
    "write",
    "truncate",
    "sync",
    "rename",
    "unlink",
    "mkdir",
    "rmdir",
    "link",
    "mark",
    "unknown",
]
CREATED, EMPTIED = 1, 2


class Operation(msgspec.Struct, frozen=True):
    """One record of the journal.

    Args:
        kind: One of `KINDS`.
        number: Its place among the operations before which a process can be stopped; 0: none.
        flags: For an open: CREATED or EMPTIED.
        handle: The open file that it works on.
        offset: Where in the file; for a truncation, the new size.
        result: What it returned: an error number with a minus where it failed.
        path: The name that it works on, absolute.
        other: For a rename or a link: the new name.
        data: What was written, or the mark.
    """

    kind: str
    number: int
    flags: int
    handle: int
    offset: int
    result: int
    path: str
    other: str
    data: bytes

    @property
    def mark(self) -> dict[str, Any]:
        """What the process said here."""
        return msgspec.msgpack.decode(self.data)

    def __str__(self) -> str:
        words = [f"{self.number}:", self.kind, self.path, self.other]
        if self.kind in ("write", "truncate", "sync"):
            words.append(f"handle {self.handle} at {self.offset}, {len(self.data)} bytes")
        if self.result < 0:
            words.append(f"failed ({-self.result})")
        return " ".join(word for word in words if word)


def read_journal(path: Path) -> Iterator[Operation]:
    """The operations of one journal, in order."""
    raw = path.read_bytes()
    at = 0
    while at < len(raw):
        kind, flags, number, handle, offset, result, *sizes, _ = HEAD.unpack_from(raw, at)
        at += HEAD.size
        parts = []
        for size in sizes:
            parts.append(raw[at : at + size])
            at += size
        yield Operation(
            KINDS[kind],
            number,
            flags,
            handle,
            offset,
            result,
            parts[0].decode(),
            parts[1].decode(),
            parts[2],
        )
