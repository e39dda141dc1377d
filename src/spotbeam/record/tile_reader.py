"""Read a published record and believe none of it: every hash and entry leads to the root.

Bytes come from a function that is given: from a folder here (`directory`), over HTTP elsewhere.
`TileReader` fetches what a question needs; `fsck` goes through all.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from spotbeam.errors import MalformedRecord, MissingRecord, ProofMismatch
from spotbeam.record import merkle
from spotbeam.record.checkpoint import Checkpoint
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.tiles import (
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    decode_bundle,
    edge,
    split_hashes,
    width_at,
)

Fetch = Callable[[str], bytes | None]
"""The bytes at a path under the log's prefix, or None where there is nothing."""


def directory(path: Path) -> Fetch:
    """Fetch from a folder that holds a record (or a mirror of one)."""

    def fetch(name: str) -> bytes | None:
        try:
            return (path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    return fetch


class TileReader:
    """The tree and the entries of one checkpoint, each piece checked before it is handed out.

    The partial tiles are checked against the root at once. A full tile is checked against the
    hash in the tile over it when it is fetched, and that one likewise, up to the root.

    Args:
        fetch: Where the bytes come from.
        checkpoint: What to check against; verify its signatures first.
        cached_tiles: How many full tiles are kept (about 40 kB each).

    Raises:
        ProofMismatch: The partial tiles do not lead to the checkpoint's root.
        MissingRecord: One of them is not there.
    """

    def __init__(self, fetch: Fetch, checkpoint: Checkpoint, *, cached_tiles: int = 64) -> None:
        self.checkpoint = checkpoint
        self.size = checkpoint.size
        self._fetch = fetch
        self._cached_tiles = cached_tiles
        self._full: OrderedDict[tuple[int, int], Tree] = OrderedDict()
        self._edge = {tile.level: Tree(fetch_hashes(fetch, tile)) for tile in edge(checkpoint.size)}
        if merkle.root_at(self.hash_at, self.size) != checkpoint.root:
            raise ProofMismatch(
                f"the partial tiles do not lead to the root of {self.size} entries",
                place=", ".join(tile.path for tile in edge(self.size)) or "checkpoint",
            )

    def hash_at(self, level: int, index: int) -> bytes:
        """The hash of one complete subtree: what `merkle.*_at` ask for."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        tile_index, inside = divmod(index << height, TILE_WIDTH)
        tree = self._tile(tile_level, tile_index)
        return tree.hash_at(height, inside >> height)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that entry `index` is in the tree of `size` (default: of the checkpoint)."""
        return merkle.inclusion_proof_at(self.hash_at, index, self._within(size))

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """The proof that the tree of `old_size` is a beginning of that of `new_size`."""
        return merkle.consistency_proof_at(self.hash_at, old_size, self._within(new_size))

    def subtree_proof(self, start: int, end: int, size: int | None = None) -> list[bytes]:
        """The proof that the subtree `[start, end)` is part of the tree of `size`."""
        return merkle.subtree_proof_at(self.hash_at, start, end, self._within(size))

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree as it was at `size` entries."""
        return merkle.root_at(self.hash_at, self._within(size))

    def entry(self, index: int) -> bytes:
        """One entry."""
        if not 0 <= index < self.size:
            raise IndexError(f"no entry {index} in a record of {self.size}")
        return next(self.entries(index, index + 1))

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The entries `[start, end)` in order, each one hashed to the root before it is yielded."""
        end = self._within(end)
        for index in range(start // TILE_WIDTH, -(-end // TILE_WIDTH)):
            first = index * TILE_WIDTH
            width = min(TILE_WIDTH, self.size - first)
            tile = Tile(ENTRIES, index, width)
            bundle = fetch_bundle(self._fetch, tile)
            for inside in range(max(start - first, 0), min(end - first, width)):
                if leaf_hash(bundle[inside]) != self.hash_at(0, first + inside):
                    raise ProofMismatch(
                        f"entry {first + inside} is not the one that was logged", place=tile.path
                    )
                yield bundle[inside]

    def _tile(self, level: int, index: int) -> Tree:
        full = self.size >> (TILE_HEIGHT * (level + 1))
        if index >= full:
            return self._edge[level]
        tree = self._full.get((level, index))
        if tree is not None:
            self._full.move_to_end((level, index))
            return tree
        tile = Tile(level, index)
        tree = Tree(fetch_hashes(self._fetch, tile))
        if tree.root() != self.hash_at(TILE_HEIGHT * (level + 1), index):
            raise ProofMismatch("the tile does not lead to the root", place=tile.path)
        self._full[level, index] = tree
        if len(self._full) > self._cached_tiles:
            self._full.popitem(last=False)
        return tree

    def _within(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise IndexError(f"the record has {self.size} entries, not {size}")
        return size


class FsckReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was gone through and found to hold."""

    entries: int
    tiles: int
    entry_bytes: int


def fsck(
    fetch: Fetch, checkpoint: Checkpoint, progress: Callable[[int], object] | None = None
) -> FsckReport:
    """Rebuild every tile and the root from the entries alone, and compare each published byte.

    Args:
        fetch: Where the bytes come from.
        checkpoint: What to check against; verify its signatures first.
        progress: Told the number of entries gone through, bundle by bundle.

    Raises:
        RecordError: The first fault, with the file it is in.
    """
    levels: list[list[bytes]] = [[]]
    counts = [0]
    tiles = entry_bytes = 0

    def finish(level: int) -> None:
        nonlocal tiles
        hashes = levels[level]
        tile = Tile(level, counts[level], len(hashes))
        tiles += 1
        found = fetch_hashes(fetch, tile)
        for inside, (wanted, got) in enumerate(zip(hashes, found, strict=True)):
            if wanted != got:
                below = f"entry {tile.index * TILE_WIDTH + inside}" if not level else "the tile"
                raise ProofMismatch(
                    f"hash {inside} is not that of {below} under it", place=tile.path
                )
        levels[level] = []
        counts[level] += 1
        if len(hashes) == TILE_WIDTH:
            if level + 1 == len(levels):
                levels.append([])
                counts.append(0)
            levels[level + 1].append(merkle.root_hash(hashes))
            if len(levels[level + 1]) == TILE_WIDTH:
                finish(level + 1)

    whole = Tree()
    for index in range(-(-checkpoint.size // TILE_WIDTH)):
        width = min(TILE_WIDTH, checkpoint.size - index * TILE_WIDTH)
        tile = Tile(ENTRIES, index, width)
        tiles += 1
        for entry in fetch_bundle(fetch, tile):
            entry_bytes += len(entry)
            levels[0].append(leaf_hash(entry))
        if width == TILE_WIDTH:
            # The spine of full level-0 tiles is all that the root needs: 1/256 of the leaves.
            whole.append(merkle.root_hash(levels[0]))
            finish(0)
        if progress:
            progress(min((index + 1) * TILE_WIDTH, checkpoint.size))
    rest = levels[0]
    for level in range(len(levels)):
        if width_at(checkpoint.size, level):
            finish(level)

    tail = Tree(rest)

    def hash_at(level: int, index: int) -> bytes:
        if level >= TILE_HEIGHT:
            return whole.hash_at(level - TILE_HEIGHT, index)
        return tail.hash_at(level, index - (len(whole) * TILE_WIDTH >> level))

    if merkle.root_at(hash_at, checkpoint.size) != checkpoint.root:
        raise ProofMismatch(
            f"the {checkpoint.size} entries do not lead to the checkpoint's root",
            place="checkpoint",
        )
    return FsckReport(checkpoint.size, tiles, entry_bytes)


def fetch_hashes(fetch: Fetch, tile: Tile) -> list[bytes]:
    """The hashes of a tile, not yet checked against anything.

    Raises:
        MissingRecord: It is not there.
        MalformedRecord: It has the wrong length.
    """
    data, width = _fetch_or_whole(fetch, tile)
    return _placed(tile, lambda: split_hashes(data, width)[: tile.width])


def fetch_bundle(fetch: Fetch, tile: Tile) -> list[bytes]:
    """The entries of a bundle, not yet checked against anything.

    Raises:
        MissingRecord: It is not there.
        MalformedRecord: It is not a bundle of that width.
    """
    data, width = _fetch_or_whole(fetch, tile)
    return _placed(tile, lambda: decode_bundle(data, width)[: tile.width])


def _fetch_or_whole(fetch: Fetch, tile: Tile) -> tuple[bytes, int]:
    """A partial tile may be gone once the full one is there; its beginning is the same."""
    for wanted in (tile,) if tile.width == TILE_WIDTH else (tile, tile.whole):
        data = fetch(wanted.path)
        if data is not None:
            return data, wanted.width
    raise MissingRecord("a file of the record is missing", place=tile.path)


def _placed(tile: Tile, read: Callable[[], list[bytes]]) -> list[bytes]:
    try:
        return read()
    except MalformedRecord as fault:
        raise MalformedRecord(fault.message, place=tile.path, hint=fault.hint) from None
