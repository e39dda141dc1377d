"""JSON that means one thing only: what RFC 8259 leaves to the parser is an error here.

Python's parser takes the last of two equal keys, reads `NaN`, turns `1e999` into infinity and
lets lone surrogates through. A border must not depend on which of these a reader noticed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from spotbeam.errors import InputError
from spotbeam.formats.source_bytes import SourceBytes

# The closing quote is optional so that an open string is passed over once, not once a quote.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NOT_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_INTEGER = 300
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class _Fault:
    """Stands in the parsed value where something was wrong, so that its path can be told."""

    def __init__(self, message: str, hint: str) -> None:
        self.message = message
        self.hint = hint


def parse_json(
    source: SourceBytes, *, max_depth: int, max_values: int, error: type[InputError]
) -> Any:
    """The value that a JSON text stands for, if it stands for exactly one.

    Args:
        source: UTF-8, without a byte-order mark.
        max_depth: How many brackets may be open at once; checked before parsing.
        max_values: How many values there may be; checked before parsing, because it bounds the
            time and memory that parsing takes.
        error: What to raise.

    Raises:
        InputError: as `error`, with line and column, or with the path of the value.
    """
    text = _decoded(source, error)
    _refuse_size(source, max_depth, max_values, error)
    faults: list[_Fault] = []

    def fault(message: str, hint: str) -> _Fault:
        faults.append(_Fault(message, hint))
        return faults[-1]

    def constant(name: str) -> _Fault:
        return fault(f"{name} is not a number in JSON", "write a finite number")

    def real(digits: str) -> float | _Fault:
        value = float(digits)
        if math.isinf(value):
            return fault(f"{digits[:40]} is too large for a number", "write a finite number")
        return value

    def integer(digits: str) -> int | _Fault:
        if len(digits) > _LONGEST_INTEGER:
            return fault(f"a number of {len(digits)} digits", "write a shorter number")
        return int(digits)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Fault:
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        return fault(f"the key {shown(_repeated(pairs))} stands twice", "keep one of the two")

    try:
        value = json.loads(
            text,
            parse_constant=constant,
            parse_float=real,
            parse_int=integer,
            object_pairs_hook=members,
        )
    except json.JSONDecodeError as problem:
        raise error(
            f"not valid JSON: {_plainly(problem)}",
            place=f"{source.name}, line {problem.lineno}, column {problem.colno}",
            hint=_syntax_hint(problem),
        ) from None
    if faults:
        # One is always found: an object that drops a fault, for a repeated key, is one itself.
        path, first = next((at, part) for at, part in _walk(value) if isinstance(part, _Fault))
        raise error(first.message, place=place(source, path), hint=first.hint)
    if _SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(source, value, error)
    return value


def place(source: SourceBytes, path: str) -> str:
    """Where: the file, and in it the path of a value as `features[2].geometry`."""
    return f"{source.name}, {path}" if path else source.name


def member(path: str, key: str) -> str:
    """The path of an object's member."""
    if not _KEY.fullmatch(key):
        return f"{path}[{shown(key)}]"
    return f"{path}.{key}" if path else key


def shown(value: Any, longest: int = 60) -> str:
    """A value as JSON, short enough for a message."""
    try:
        text = json.dumps(value, ensure_ascii=True, default=lambda _: "…")
    except (RecursionError, ValueError):
        text = type(value).__name__
    return text if len(text) <= longest else f"{text[:longest]}…"


def _decoded(source: SourceBytes, error: type[InputError]) -> str:
    data = source.data
    if not data.strip():
        raise error("is empty", place=source.name, hint="write a GeoJSON FeatureCollection")
    if data.startswith(_UTF16_MARKS) or b"\x00" in data[:4]:
        raise error("is not UTF-8 (it looks like UTF-16)", place=source.name, hint="save as UTF-8")
    if data.startswith(_UTF8_MARK):
        raise error(
            "begins with a byte-order mark (EF BB BF), which JSON does not have",
            place=source.name,
            hint="save as UTF-8 without BOM",
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise error(
            f"byte {problem.start} (0x{data[problem.start]:02x}) is not UTF-8",
            place=f"{source.name}, line {line}",
            hint="save as UTF-8",
        ) from None


def _refuse_size(
    source: SourceBytes, max_depth: int, max_values: int, error: type[InputError]
) -> None:
    structure = _STRING.sub(b"", source.data).translate(None, delete=_NOT_STRUCTURE)
    codes = np.frombuffer(structure, dtype=np.uint8)
    commas = codes == ord(",")
    opens = np.isin(codes, np.frombuffer(b"[{", dtype=np.uint8))
    values = int(np.count_nonzero(commas) + np.count_nonzero(opens))
    if values > max_values:
        raise error(
            f"{values} values are more than {max_values}",
            place=source.name,
            hint="simplify the shapes, or split the file",
        )
    steps = opens.astype(np.int8) - (~opens & ~commas)
    depth = int(np.cumsum(steps, dtype=np.int32).max(initial=0))
    if depth > max_depth:
        raise error(
            f"nested {depth} deep, more than {max_depth}",
            place=source.name,
            hint="a polygon needs 8 levels; write the shapes without nesting",
        )


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            break
        seen.add(key)
    return key


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every value with its path, in the order of the file. Depth is bounded by `max_depth`."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        path, part = stack.pop()
        yield path, part
        if isinstance(part, dict):
            inner = [(member(path, key), child) for key, child in part.items()]
        elif isinstance(part, list):
            inner = [(f"{path}[{index}]", child) for index, child in enumerate(part)]
        else:
            continue
        stack.extend(reversed(inner))


def _refuse_lone_surrogates(source: SourceBytes, value: Any, error: type[InputError]) -> None:
    for path, part in _walk(value):
        texts = [part] if isinstance(part, str) else list(part) if isinstance(part, dict) else []
        for text in texts:
            if _LONE_SURROGATE.search(text):
                raise error(
                    f"{shown(text)} holds half of a surrogate pair, which is no character",
                    place=place(source, path),
                    hint="write the character itself, in UTF-8",
                )


def _plainly(problem: json.JSONDecodeError) -> str:
    if problem.msg == "Extra data":
        return "something follows the end of the value"
    return problem.msg[:1].lower() + problem.msg[1:]


def _syntax_hint(problem: json.JSONDecodeError) -> str:
    if problem.msg == "Extra data":
        return "one file holds one JSON value; put several features into a FeatureCollection"
    if problem.pos >= len(problem.doc.rstrip()):
        return "the file ends too early: was it cut off?"
    return "mend it there, or export it again"
