"""A folded state as bytes: a reader that was stopped goes on from it instead of from entry 0.

    spotbeam.org/snapshot@v2
    <origin> <size> <root in hexadecimal> <rules version> <SHA-256 of the rest, in hexadecimal>

then the state in MessagePack. A snapshot is the word of whoever wrote it: keep it where the record
that was accepted is kept, and take no other's. It holds the newest state only; what was known at an
earlier time is a question for a fold from entry 0.
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from rpds import HashTrieMap

from spotbeam.errors import MalformedRecord
from spotbeam.governance.anchors import root_of
from spotbeam.governance.history import History
from spotbeam.governance.state import State
from spotbeam.record.checkpoint import Checkpoint

K = TypeVar("K")
V = TypeVar("V")
HEADER = b"spotbeam.org/snapshot@v2\n"
"""Counted up whenever the fold follows something else from the same entries (indexes as well):
a reader that went on from an older release's snapshot would come to other digests than the rest."""


def write_snapshot(state: State) -> bytes:
    """A state as bytes, under the root of the log that it was folded from."""
    body = _ENCODER.encode(state)
    root = root_of(state.frontier).hex()
    key = f"{state.origin} {state.size} {root} {state.rules_version} {sha256(body).hexdigest()}\n"
    return HEADER + key.encode() + body


def snapshot_point(data: bytes) -> Checkpoint:
    """The tree that a snapshot says it is of: compare it with what was accepted.

    Raises:
        MalformedRecord: It is damaged.
    """
    return _parts(data)[0]


def read_snapshot(data: bytes) -> History:
    """The history that a snapshot stands for.

    Args:
        data: From `write_snapshot`; its point is one that the reader has accepted.

    Returns:
        A history whose `begins_us` says from when on it knows what was known.

    Raises:
        MalformedRecord: It is damaged, or of a release that keeps other states.
    """
    point, body = _parts(data)
    try:
        with _uncollected():
            restored = _back(State)
            assert restored is not None
            state: State = restored(_decoder().decode(body))
    except (msgspec.DecodeError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise MalformedRecord(f"the snapshot is of another release: {fault}") from None
    if Checkpoint(state.origin, state.size, root_of(state.frontier)) != point:
        raise MalformedRecord("the snapshot holds another state than it says")
    return History(
        now=state,
        anchors=(state.witnessed_us,),
        states=(state,),
        begins_us=state.witnessed_us,
    )


def _parts(data: bytes) -> tuple[Checkpoint, bytes]:
    head, _, body = data.removeprefix(HEADER).partition(b"\n")
    words = head.decode("utf-8", errors="replace").split(" ")
    if not data.startswith(HEADER) or len(words) != 5 or words[4] != sha256(body).hexdigest():
        raise MalformedRecord("the snapshot is damaged")
    try:
        return Checkpoint(words[0], int(words[1]), bytes.fromhex(words[2])), body
    except ValueError:
        raise MalformedRecord("the snapshot is damaged") from None


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: there are none, and looking for them takes longer."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _plain(value: Any) -> Any:
    if isinstance(value, HashTrieMap):
        return dict(value)
    raise NotImplementedError(type(value).__name__)


class _Map(Generic[K, V]):
    """Stands for `HashTrieMap` where types are read: that one takes no parameters at run time."""


@functools.cache
def _mirror(kind: Any) -> Any:
    """The same type with dictionaries for maps, which msgspec reads without any Python."""
    origin, inner = get_origin(kind), get_args(kind)
    if not _has_map(kind):
        return kind
    if origin is _Map:
        return dict.__class_getitem__((inner[0], _mirror(inner[1])))
    if origin is tuple:
        return tuple.__class_getitem__((_mirror(inner[0]), ...))
    if origin in (Union, UnionType):
        return Union[tuple(map(_mirror, inner))]  # noqa: UP007 (made of a list)
    fields = [(name, _mirror(hint)) for name, hint in _hints(kind).items()]
    return msgspec.defstruct(kind.__name__, fields, forbid_unknown_fields=True)


@functools.cache
def _back(kind: Any) -> Callable[[Any], Any] | None:
    """From what was read as a mirror to the value itself; None where they are the same."""
    origin, inner = get_origin(kind), get_args(kind)
    if not _has_map(kind):
        return None
    if origin is _Map:
        return _map_back(_back(inner[1]))
    each = _back(next(one for one in inner if one is not NoneType)) if origin else None
    if each is not None:
        return _all_back(each) if origin is tuple else _some_back(each)
    changed = [(name, back) for name, hint in _hints(kind).items() if (back := _back(hint))]

    def struct(read: Any) -> Any:
        fields = {name: getattr(read, name) for name in read.__struct_fields__}
        for name, back in changed:
            fields[name] = back(fields[name])
        return kind(**fields)

    return struct


def _map_back(each: Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if each is None:
        return HashTrieMap
    return lambda read: HashTrieMap({name: each(found) for name, found in read.items()})


def _all_back(each: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda read: tuple(map(each, read))


def _some_back(each: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda read: None if read is None else each(read)


@functools.cache
def _has_map(kind: Any) -> bool:
    if get_origin(kind) is _Map:
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        # Only the values of a fold hold maps; those of entries are plain.
        return kind.__module__ == State.__module__ and any(map(_has_map, _hints(kind).values()))
    return any(map(_has_map, get_args(kind)))


@functools.cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(kind, localns={"HashTrieMap": _Map}, include_extras=True)


@functools.cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(_mirror(State))


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
