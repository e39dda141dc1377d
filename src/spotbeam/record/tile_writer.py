"""Publish a record as static tiles: append-only, in steps that may be cut off anywhere.

Bundles and tiles come first, the checkpoint that needs them last: a reader who follows the
checkpoint never misses a file. After a crash the writer starts again from the published
checkpoint and writes the same bytes to the same names; other bytes it refuses to write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from spotbeam.errors import Forked, ProofMismatch
from spotbeam.record import disk, merkle
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.tile_reader import directory, fetch_bundle, fetch_hashes
from spotbeam.record.tiles import (
    CHECKPOINT_PATH,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    edge,
    encode_bundle,
    width_at,
)


class TileWriter:
    """Appends entries to a folder of tiles; it holds only the right edge of the tree in memory.

    One writer a folder at a time: who that is, the log's database decides.

    Args:
        path: The folder; made when the first file is written.

    Raises:
        RecordError: The published checkpoint and the tiles under it do not agree.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.published = read_checkpoint(path)
        self.size = self.published.size if self.published else 0
        self._edge: list[Tree] = []
        self._bundle: list[bytes] = []
        self._completed: list[Tile] = []
        fetch = directory(path)
        for tile in edge(self.size):
            while len(self._edge) <= tile.level:
                self._edge.append(Tree())
            self._edge[tile.level].extend(fetch_hashes(fetch, tile))
        width = width_at(self.size, ENTRIES)
        if width:
            self._bundle = fetch_bundle(fetch, Tile(ENTRIES, self.size // TILE_WIDTH, width))
        if self.published and self.root() != self.published.root:
            raise ProofMismatch(
                "the tiles do not lead to the published root", place=str(path / CHECKPOINT_PATH)
            )

    def root(self) -> bytes:
        """The root over everything appended so far, published or not."""
        return merkle.root_at(self.hash_at, self.size)

    def append(self, entries: Iterable[bytes]) -> int:
        """Add entries; full tiles and bundles are written at once. The size afterwards.

        Raises:
            Forked: A file is already there with other bytes.
            MalformedRecord: An entry is too long.
        """
        for entry in entries:
            encode_bundle([entry])
            self._bundle.append(entry)
            self._push(0, leaf_hash(entry))
            self.size += 1
            if len(self._bundle) == TILE_WIDTH:
                self._write(Tile(ENTRIES, self.size // TILE_WIDTH - 1), encode_bundle(self._bundle))
                self._bundle = []
        return self.size

    def flush(self) -> Checkpoint | None:
        """Write the partial tiles of the present size, so that a checkpoint of it may be published.

        Returns:
            What is published now, before that checkpoint.
        """
        width = width_at(self.size, ENTRIES)
        if width:
            tile = Tile(ENTRIES, self.size // TILE_WIDTH, width)
            self._write(tile, encode_bundle(self._bundle))
        for tile in edge(self.size):
            hashes = (self._edge[tile.level].hash_at(0, at) for at in range(tile.width))
            self._write(tile, b"".join(hashes))
        return self.published

    def publish(self, note: bytes) -> None:
        """Put a signed checkpoint of the present size in the place of the last.

        Call `flush` first. The same size may be published again, with more signatures.

        Raises:
            ProofMismatch: The checkpoint is of another size or root than the tiles.
            Forked: It would go back behind the published one, or to another log.
        """
        new = parse_signed_checkpoint(note)[0]
        if (new.size, new.root) != (self.size, self.root()):
            raise ProofMismatch(f"the checkpoint of {new.size} entries is not of these tiles")
        last = read_checkpoint(self.path)
        if last and (last.origin != new.origin or last.size > new.size):
            raise Forked(
                f"{last.origin} with {last.size} entries is published; "
                f"{new.origin} with {new.size} cannot follow it",
                place=str(self.path / CHECKPOINT_PATH),
            )
        if last and last.size == new.size and last.root != new.root:
            raise Forked(f"another root of {last.size} entries is already published")
        disk.replace(self.path / CHECKPOINT_PATH, note)
        self.published = new
        self._drop_partial()

    def _push(self, level: int, hashed: bytes) -> None:
        if level == len(self._edge):
            self._edge.append(Tree())
        tree = self._edge[level]
        tree.append(hashed)
        if len(tree) < TILE_WIDTH:
            return
        index = (self.size + 1 >> (TILE_HEIGHT * (level + 1))) - 1
        hashes = (tree.hash_at(0, at) for at in range(TILE_WIDTH))
        self._write(Tile(level, index), b"".join(hashes))
        self._edge[level] = Tree()
        self._push(level + 1, tree.root())

    def _write(self, tile: Tile, data: bytes) -> None:
        disk.write_once(self.path / tile.path, data)
        if tile.width == TILE_WIDTH:
            self._completed.append(tile)

    def hash_at(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree on the right edge: within a tile that is not full yet."""
        tile_level, height = divmod(level, TILE_HEIGHT)
        return self._edge[tile_level].hash_at(height, ((index << height) % TILE_WIDTH) >> height)

    def _drop_partial(self) -> None:
        """Remove partial tiles whose full tile is published; without it every batch would stay."""
        for tile in self._completed:
            folder = self.path / f"{tile.path}.p"
            with contextlib.suppress(OSError):
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()
        self._completed = []


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The published checkpoint of a folder, unverified, or None where nothing is published.

    Raises:
        MalformedRecord: The file is not a checkpoint.
    """
    data = directory(path)(CHECKPOINT_PATH)
    return parse_signed_checkpoint(data)[0] if data is not None else None
