"""What was signed on this machine, and how the record compares with it.

A line is on disk before the entry leaves the machine, so that a signature which never reached the
record is noticed, and so is one in the record that was not made here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from spotbeam.errors import InputError
from spotbeam.governance.entries import parse_entry, statement
from spotbeam.governance.entries.logs import Succession, succession_statement
from spotbeam.governance.void import Void
from spotbeam.record import disk


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One signature made here.

    Attributes:
        statement: SHA-256 of the statement that was signed, in hexadecimal.
        at_us: This machine's clock.
    """

    id: str
    type: str
    person: str
    key: str
    statement: str
    at_us: int


class By(NamedTuple):
    """A person and the digest of the key with which they sign."""

    person: str
    key: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How the record differs from what was signed here.

    Attributes:
        missing: Signed here and not in the record.
        foreign: In the record with a key of ours, and not signed here: index and id.
    """

    missing: tuple[Signed, ...] = ()
    foreign: tuple[tuple[int, str], ...] = ()


def note_signed(path: Path, data: bytes, origin: str, genesis: str, *, now_us: int) -> None:
    """Note an entry that was signed here; on disk before this returns.

    Args:
        path: The journal; it is made where there is none.
        data: The entry's bytes.
        origin: The log's name.
        genesis: Digest of entry 0, in hexadecimal.
        now_us: This machine's clock.
    """
    envelope = parse_entry(data).envelope
    by = By(envelope.actor, envelope.key or "")
    text = statement(origin, genesis, envelope)
    note_statement(path, text, type=envelope.type, id=envelope.id, by=by, now_us=now_us)


def note_statement(path: Path, text: bytes, *, type: str, id: str, by: By, now_us: int) -> None:
    """Note a statement that was signed here; on disk before this returns.

    Args:
        path: The journal; it is made where there is none.
        text: What was signed.
        type, id: What it is.
        by: Who signed, with which key.
        now_us: This machine's clock.
    """
    line = Signed(
        id=id,
        type=type,
        person=by.person,
        key=by.key,
        statement=sha256(text).hexdigest(),
        at_us=now_us,
    )
    is_new = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, msgspec.json.encode(line) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
    if is_new:
        disk.sync_folder(path.parent)


def read_journal(path: Path) -> tuple[Signed, ...]:
    """What was signed here, in order; a last line that was cut off by a crash does not count.

    Raises:
        InputError: A line is not one of a journal.
    """
    try:
        *lines, _ = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=Signed))
        except msgspec.DecodeError as fault:
            raise InputError(f"is damaged: {fault}", place=f"{path}, line {number}") from None
    return tuple(found)


def compared(
    journal: Iterable[Signed],
    keys: Iterable[str],
    logs: Iterable[Iterable[bytes]],
    genesis: str,
) -> Compared:
    """Compare a journal with the entries of a record.

    Args:
        journal: What was signed here.
        keys: Digests of the keys that sign here.
        logs: The logs of the record, first to last, each with its entries from its entry 0 on,
            checked already.
        genesis: Digest of the first log's entry 0, in hexadecimal.
    """
    left = {(each.statement, each.key): each for each in journal}
    wanted = {*keys, *(each.key for each in left.values())}
    marks = [key.encode() for key in wanted]
    foreign, count = [], 0
    for entries in logs:
        origin: str | None = None
        for data in entries:
            index, count = count, count + 1
            if origin is None:
                origin = _origin(data)
            if not any(mark in data for mark in marks):  # most entries are somebody else's
                continue
            try:
                parsed = parse_entry(data)
            except Void:
                continue
            envelope = parsed.envelope
            keys_in, text = {envelope.key}, b""
            if isinstance(parsed.body, Succession):
                keys_in = {each.key for each in parsed.body.signatures}
                text = succession_statement(genesis, parsed.body)
            for key in keys_in & wanted:
                digest = sha256(text or statement(origin, genesis, envelope)).hexdigest()
                if left.pop((digest, key or ""), None) is None:
                    foreign.append((index, envelope.id))
    return Compared(missing=tuple(left.values()), foreign=tuple(foreign))


def _origin(first: bytes) -> str:
    """The name of the log that begins with this entry."""
    try:
        return str(getattr(parse_entry(first).body, "origin", ""))
    except Void:
        return ""
