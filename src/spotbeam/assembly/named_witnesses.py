"""Which witnesses a mirrored record names: their signatures on a checkpoint are worth serving."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from spotbeam.assembly.chains import goes_on_from
from spotbeam.errors import SpotbeamError
from spotbeam.record.keys import VerifierKey
from spotbeam.record.policy import parse_policy
from spotbeam.record.tile_reader import directory, fetch_bundle
from spotbeam.record.tile_writer import read_checkpoint
from spotbeam.record.tiles import ENTRIES, TILE_WIDTH, Tile
from spotbeam.record.witness import origin_hash

_MARK = b'"witness_quorum"'
_MOST = 60
"""A note holds 100 signatures."""


class NamedWitnesses:
    """The keys of all witness quorums that a record has ever named, read from its mirrored copy.

    Nothing is believed of them but that a signature by such a key may be of use to a reader; the
    mirror checks that it is by that key. The latest come first, and there is an end to them.

    Args:
        copies: The folder under which the copies lie, by the hash of their origin.
    """

    def __init__(self, copies: Path) -> None:
        self._copies = copies
        self._read: dict[str, tuple[int, tuple[VerifierKey, ...]]] = {}

    def of(self, origin: str) -> tuple[VerifierKey, ...]:
        """The keys that the record of a log names.

        A log that another one was closed for is named there, with its witnesses: of its copy and
        those before it, as far as they are held here.
        """
        found: tuple[VerifierKey, ...] = ()
        passed: set[str] = set()
        at: str | None = origin
        while at is not None and at not in passed and len(found) < _MOST:
            passed.add(at)
            found = tuple(dict.fromkeys((*found, *self._of_one(at))))[:_MOST]
            at = self._log_before(at)
        return found

    def _log_before(self, origin: str) -> str | None:
        try:
            ended = goes_on_from(
                fetch_bundle(
                    directory(self._copies / origin_hash(origin)),
                    Tile(ENTRIES, 0, min(TILE_WIDTH, self._read[origin][0])),
                )[0]
            )
        except (KeyError, SpotbeamError):
            return None
        return None if ended is None else ended.origin

    def _of_one(self, origin: str) -> tuple[VerifierKey, ...]:
        folder = self._copies / origin_hash(origin)
        first, found = self._read.get(origin, (0, ()))
        try:
            published = read_checkpoint(folder)
            size = published.size if published is not None else 0
            fresh = list(_keys(folder, first, size))
        except SpotbeamError:
            return found
        if size > first:
            found = tuple(dict.fromkeys((*reversed(fresh), *found)))[:_MOST]
            self._read[origin] = (size, found)
        return found


def _keys(folder: Path, first: int, size: int) -> Iterator[VerifierKey]:
    fetch = directory(folder)
    for index in range(first // TILE_WIDTH, -(-size // TILE_WIDTH)):
        start = index * TILE_WIDTH
        bundle = fetch_bundle(fetch, Tile(ENTRIES, index, min(TILE_WIDTH, size - start)))
        for entry in bundle[max(first - start, 0) :]:
            if _MARK in entry:
                yield from _named(entry)


def _named(entry: bytes) -> Iterator[VerifierKey]:
    try:
        value = msgspec.json.decode(entry)
    except (msgspec.DecodeError, RecursionError):
        return
    for quorum in _found(value, "witness_quorum"):
        text = quorum.get("policy") if isinstance(quorum, dict) else None
        try:
            yield from (each.key for each in parse_policy(str(text).encode()).witnesses)
        except SpotbeamError:
            continue


def _found(value: Any, name: str) -> Iterator[Any]:
    """Everything under a field of this name, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == name:
                yield inner
            yield from _found(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _found(inner, name)
