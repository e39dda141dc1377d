"""A record in plain lines: each entry, when it was witnessed, and what followed from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from spotbeam.assembly.reading import ReadRecord
from spotbeam.chronicle.reading import Witnessed
from spotbeam.chronicle.sentences import entry_says, what_followed
from spotbeam.errors import UnknownName
from spotbeam.governance.entries import BODIES, parse_entry
from spotbeam.governance.void import Void

NOT_AN_ENTRY = "void"
"""What bytes are called that are not the canonical bytes of a known kind of entry."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a record.

    Attributes:
        index: Counted through all logs of the record.
        type: What it is; `void` where it is no entry at all.
        witnessed_us: By when it was witnessed; None as long as no anchor covers it.
        says: What it says, in one sentence.
        followed: What followed from it, as far as the record goes.
    """

    index: int
    type: str
    id: str = ""
    actor: str = ""
    witnessed_us: int | None = None
    says: str
    followed: tuple[str, ...] = ()


def lines(
    read: ReadRecord, *, type: str | None = None, since_us: int | None = None
) -> Iterator[Line]:
    """The entries of a record, newest last.

    Args:
        read: The record.
        type: Only entries of this kind, as `request`; `void` for what has no effect.
        since_us: Only what was witnessed at this time or later, or not yet.

    Raises:
        UnknownName: There is no such kind.
    """
    if type is not None and type not in (*BODIES, NOT_AN_ENTRY):
        raise UnknownName("kind of entry", type, (*BODIES, NOT_AN_ENTRY), place="--type")
    findings = read.history.now.findings
    mark = f'"type":"{type}"'.encode()
    times = Witnessed(read.history)
    for index, data in enumerate(read.entries):
        if type == NOT_AN_ENTRY:
            if index not in findings:
                continue
        elif type is not None and mark not in data:
            continue  # before it is parsed: most of a long record is not asked for
        witnessed_us = times.at(index)
        if since_us is not None and witnessed_us is not None and witnessed_us < since_us:
            continue
        line = _line(read, index, data, witnessed_us)
        if type in (None, NOT_AN_ENTRY) or line.type == type:
            yield line


def in_full(read: ReadRecord, index: int) -> tuple[Line, Any]:
    """One entry: its line, and all that it holds as plain values (None: not an entry)."""
    data = read.entries[index]
    line = _line(read, index, data, Witnessed(read.history).at(index))
    try:
        parse_entry(data)
    except Void:
        return line, None
    return line, msgspec.json.decode(data)


def _line(read: ReadRecord, index: int, data: bytes, witnessed_us: int | None) -> Line:
    state = read.history.now
    try:
        entry = parse_entry(data)
    except Void as fault:
        return Line(
            index=index,
            type=NOT_AN_ENTRY,
            witnessed_us=witnessed_us,
            says=f"{len(data):,} bytes that are no entry",
            followed=(f"no effect: {fault.code}: {fault.reason}",),
        )
    return Line(
        index=index,
        type=entry.envelope.type,
        id=entry.envelope.id,
        actor=entry.envelope.actor,
        witnessed_us=witnessed_us,
        says=entry_says(entry, state),
        followed=what_followed(index, entry, state),
    )
