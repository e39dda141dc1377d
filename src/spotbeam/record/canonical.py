"""Canonical JSON: the only bytes that an entry, or anything else that is signed, may have.

RFC 8785 (JCS) without floats. `parse_canonical` accepts bytes only if writing what they mean
gives the same bytes again, so two readers can never see two things in one entry. Python's own
`json` takes duplicate keys, NaN, lone surrogates and numbers of any length, and fails oddly on
deep nesting: size and depth are therefore capped before it is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, TypeAlias

import msgspec
import rfc8785

from spotbeam.errors import MalformedRecord

MAX_SIZE = 65_535
"""What an entry bundle holds of one entry."""
MAX_DEPTH = 16
"""Arrays and objects within each other, the outermost included."""
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8785 appendix D)."""

Json: TypeAlias = bool | int | str | Sequence["Json"] | Mapping[str, "Json"] | None

# One that does not end is taken to the end of the bytes: were it left, each quote in it would be
# tried again, and one entry of backslashes and quotes would hold up a reader for seconds.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_PERHAPS_INEXACT = re.compile(rb"[0-9][.eE]|[0-9]{17}|9[0-9]{15}")
_ASTRAL = re.compile(rb"[\xf0-\xf7]")
_SORTED = msgspec.json.Encoder(order="sorted")


def canonical_json(value: Json) -> bytes:
    """Write a value in its only form.

    Raises:
        MalformedRecord: It holds a float, an integer beyond 2^53 - 1, a key that is not a string,
            text that is not Unicode, or is too large or too deep.
    """
    _check_value(value, MAX_DEPTH)
    data = _encode(value)
    if len(data) > MAX_SIZE:
        raise MalformedRecord(f"{len(data):,} bytes of JSON; an entry holds {MAX_SIZE:,}")
    return data


def parse_canonical(data: bytes, *, max_size: int = MAX_SIZE, max_depth: int = MAX_DEPTH) -> Json:
    """Read canonical JSON, and refuse bytes that could have been written differently.

    Raises:
        MalformedRecord: They are not canonical JSON, or are too many or too deep.
    """
    if len(data) > max_size:
        raise MalformedRecord(f"{len(data):,} bytes of JSON; at most {max_size:,} are read")
    bare = _STRING.sub(b"", data)
    _check_depth(bare, max_depth)
    # Most entries have no number that may be inexact and no character beyond U+FFFF, by which
    # RFC 8785 sorts keys differently. There a fast reader and writer do the same; whatever they
    # do not find canonical is looked at again below, which also knows the reason.
    if not (_PERHAPS_INEXACT.search(bare) or _ASTRAL.search(data)):
        with suppress(ValueError, msgspec.DecodeError):
            read: Json = msgspec.json.decode(data)
            if _SORTED.encode(read) == data:
                return read
    try:
        value: Json = json.loads(
            data.decode("utf-8"),
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError as fault:
        raise MalformedRecord(f"not UTF-8 at byte {fault.start}") from None
    except json.JSONDecodeError as fault:
        raise MalformedRecord(f"not JSON at character {fault.pos}: {fault.msg}") from None
    written = _encode(value)
    if written != data:
        at = next(
            (i for i, (a, b) in enumerate(zip(written, data, strict=False)) if a != b),
            min(len(written), len(data)),
        )
        raise MalformedRecord(
            f"not canonical JSON from byte {at}",
            hint="RFC 8785: sorted keys, no spaces, the shortest escapes",
        )
    return value


def parse_canonical_object(data: bytes) -> dict[str, Json]:
    """Read canonical JSON that is an object, as every entry is.

    Raises:
        MalformedRecord: It is not.
    """
    value = parse_canonical(data)
    if not isinstance(value, dict):
        raise MalformedRecord("the JSON is not an object")
    return value


def _check_depth(bare: bytes, max_depth: int) -> None:
    """Count brackets outside strings, before any parser may recurse."""
    if bare.count(b"[") + bare.count(b"{") <= max_depth:
        return
    depth = 0
    for mark in bare:
        if mark in b"[{":
            depth += 1
            if depth > max_depth:
                raise MalformedRecord(f"nested deeper than {max_depth}")
        elif mark in b"]}":
            depth -= 1


def _check_value(value: object, depth: int) -> None:
    if isinstance(value, dict | list | tuple):
        if not depth:
            raise MalformedRecord(f"nested deeper than {MAX_DEPTH}")
        for each in value.values() if isinstance(value, dict) else value:
            _check_value(each, depth - 1)
    elif not (value is None or isinstance(value, bool | int | str)):
        raise MalformedRecord(f"{type(value).__name__} cannot be in canonical JSON: {value!a:.60}")


def _encode(value: Json) -> bytes:
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as fault:
        # The library lets the second escape where a lone surrogate is in a key.
        raise MalformedRecord(f"not canonical JSON: {fault}") from None


def _no_float(text: str) -> NoReturn:
    raise MalformedRecord(f"the number {text[:40]} is refused: only integers are exact")


def _integer(text: str) -> int:
    value = int(text) if len(text) <= 17 else MAX_INTEGER + 1
    if abs(value) > MAX_INTEGER:
        raise MalformedRecord(f"the integer {text[:40]} is beyond 2^53 - 1")
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedRecord("an object has the same key twice")
    return value
