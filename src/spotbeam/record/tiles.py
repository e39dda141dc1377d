"""Tiles: the record as files that any web server can publish (C2SP tlog-tiles).

    checkpoint                         the newest signed checkpoint
    tile/0/x001/x234/067               256 leaf hashes, 8,192 bytes
    tile/1/000.p/17                    a partial tile, 17 hashes of full tiles of level 0
    tile/entries/000.p/3               an entry bundle: each entry after its 16-bit length

Here are names and encodings only. `tile_reader` reads and checks, `tile_writer` writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from spotbeam.errors import MalformedRecord
from spotbeam.record.merkle import HASH_SIZE

TILE_WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
TILE_HEIGHT = 8
MAX_ENTRY_SIZE = 65_535
"""The 16-bit length before an entry in a bundle holds no more."""
ENTRIES = -1
"""The level of entry bundles, which lie under `tile/entries`."""
CHECKPOINT_PATH = "checkpoint"
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?\Z", re.ASCII
)


class Tile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tile: its level (`ENTRIES` for a bundle), its index in the level, its width."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where the tile lies under the log's prefix."""
        index = self.index
        parts = [f"{index % 1000:03d}"]
        while index >= 1000:
            index //= 1000
            parts.append(f"x{index % 1000:03d}")
        level = "entries" if self.level == ENTRIES else str(self.level)
        part = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(parts))}{part}"

    @property
    def whole(self) -> Tile:
        """The full tile that a partial one grows into."""
        return Tile(self.level, self.index)


def parse_tile_path(path: str) -> Tile:
    """Which tile a path names, for those who serve tiles otherwise than from files.

    Raises:
        MalformedRecord: It is not a tile's path, or another path names the same tile.
    """
    found = _PATH.match(path)
    if found:
        level, index, width = found.groups()
        tile = Tile(
            ENTRIES if level == "entries" else int(level),
            int(index.replace("x", "").replace("/", "")),
            int(width or TILE_WIDTH),
        )
        if tile.level <= 63 and tile.width <= TILE_WIDTH and tile.path == path:
            return tile
    raise MalformedRecord(f"not the path of a tile: {path[:80]!a}")


def width_at(size: int, level: int) -> int:
    """How wide the partial tile of a level is in a tree of `size`; 0 where there is none."""
    return (size >> (TILE_HEIGHT * max(level, 0))) % TILE_WIDTH


def edge(size: int) -> list[Tile]:
    """The partial tiles of a tree of `size`, lowest first: its ragged right edge."""
    tiles = []
    level = 0
    while size >> (TILE_HEIGHT * level):
        width = width_at(size, level)
        if width:
            tiles.append(Tile(level, size >> (TILE_HEIGHT * (level + 1)), width))
        level += 1
    return tiles


def tiles_at(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a tree of `size`."""
    for level in (ENTRIES, *range(8)):
        width = width_at(size, level)
        full = size >> (TILE_HEIGHT * (max(level, 0) + 1))
        for index in range(full):
            yield Tile(level, index)
        if width:
            yield Tile(level, full, width)


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in 16 bits, big-endian.

    Raises:
        MalformedRecord: An entry is too long for a bundle.
    """
    parts = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_SIZE:
            raise MalformedRecord(
                f"an entry of {len(entry):,} bytes; at most {MAX_ENTRY_SIZE:,} fit",
                hint="put the large part elsewhere and its digest in the entry",
            )
        parts.append(len(entry).to_bytes(2, "big") + entry)
    return b"".join(parts)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle, exactly `width` of them.

    Raises:
        MalformedRecord: It ends within an entry, or holds more or fewer.
    """
    entries = []
    at = 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or start > len(data):
            raise MalformedRecord("the bundle ends within an entry")
        entries.append(data[start:at])
        if len(entries) > width:
            break
    if len(entries) != width:
        found = f"more than {width}" if len(entries) > width else f"{len(entries)}"
        raise MalformedRecord(f"the bundle holds {found} entries, not {width}")
    return entries


def split_hashes(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile, exactly `width` of them.

    Raises:
        MalformedRecord: The tile has another length.
    """
    if len(data) != width * HASH_SIZE:
        raise MalformedRecord(f"the tile has {len(data)} bytes, not {width * HASH_SIZE}")
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
