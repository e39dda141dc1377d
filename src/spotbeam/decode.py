"""Strict reading of mappings into frozen values: every mistake is named where it stands."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from spotbeam.errors import InputError, nearest

T = TypeVar("T")
_REGEX = re.compile(r"expected `str` matching regex '.*'", re.DOTALL)
_PATH = re.compile(r"^(?P<message>.*?)(?: - at `\$?(?P<path>.*)`)?$", re.DOTALL)


def decode(
    data: Any,
    kind: type[T],
    *,
    place: str,
    error: type[InputError] = InputError,
) -> T:
    """The value that a mapping (from TOML or JSON) describes.

    Args:
        data: Plain dictionaries, lists, strings and numbers.
        kind: A frozen msgspec Struct.
        place: File and table that the message names, as `black-sea.toml`.
        error: Which error to raise.

    Raises:
        InputError: (or `error`) an unknown key, with the nearest known one; a missing key; a value
            of another type or out of range.
    """
    _refuse_unknown_keys(data, kind, place, error)
    try:
        return msgspec.convert(data, kind, strict=True)
    except msgspec.ValidationError as refused:
        found = _PATH.match(str(refused))
        message, path = (found["message"], found["path"]) if found else (str(refused), None)
        where = (path or "").lstrip(".")
        value = value_at(data, where)
        is_told = message.startswith(("Invalid enum value", "Invalid value"))  # these quote it
        shown = "" if value is None or is_told else f" (it is {value!r})"
        raise error(
            _in_plain_words(message) + shown,
            place=f"{place}, {where}" if where else place,
            hint=_known_words(kind, where),
        ) from None


def value_at(data: Any, path: str) -> Any:
    """The value that a msgspec path such as `rule[2].who` points to, if it is a plain one."""
    value = data
    for step in re.findall(r"[^.\[\]]+", path):
        try:
            value = value[int(step)] if isinstance(value, list | tuple) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return None
    return value if isinstance(value, str | int | float | bool) else None


def _in_plain_words(message: str) -> str:
    for theirs, ours in (
        ("Object missing", "missing"),
        ("Object", "the table"),
        ("Expected", "expected"),
        ("Invalid enum value", "not one of the known words:"),
        ("Invalid RFC3339 encoded datetime", "not a time as 2026-06-14T00:00:00Z"),
        ("`object`", "a table"),
    ):
        message = message.replace(theirs, ours)
    return _REGEX.sub("not in the form that it must have", message)


def _known_words(kind: Any, path: str) -> str | None:
    """The words that a field may have, if it is one of a list of words."""
    for step in re.findall(r"[^.\[\]]+", path):
        struct = _struct_in(kind)
        if struct is not None:
            fields = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
            kind = fields.get(step)
        else:
            kind = next(iter(typing.get_args(_without_none(kind))), None)
    bare = _without_none(kind)
    if typing.get_origin(bare) is not typing.Literal:
        return None
    return f"known: {', '.join(map(str, typing.get_args(bare)))}"


def _refuse_unknown_keys(data: Any, kind: Any, place: str, error: type[InputError]) -> None:
    struct = _struct_in(kind)
    if struct is not None and isinstance(data, Mapping):
        known = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
        for key, value in data.items():
            if key not in known:
                near = nearest(str(key), known)
                hint = f"did you mean {near!r}?" if near else f"known keys: {', '.join(known)}"
                raise error(f"unknown key {key!r}", place=place, hint=hint)
            _refuse_unknown_keys(value, known[key], f"{place}, {key}", error)
    elif isinstance(data, list):
        item = next(iter(typing.get_args(_without_none(kind))), None)
        for index, value in enumerate(data):
            _refuse_unknown_keys(value, item, f"{place}[{index}]", error)


def _without_none(kind: Any) -> Any:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        options = [option for option in typing.get_args(kind) if option is not type(None)]
        return options[0] if len(options) == 1 else kind
    return kind


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    bare = _without_none(kind)
    is_struct = isinstance(bare, type) and issubclass(bare, msgspec.Struct)
    return bare if is_struct else None
