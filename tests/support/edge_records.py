"""Records of a `World`, published as tiles for those who follow them."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from support.governance import World

from spotbeam.record.tile_reader import Fetch, directory
from spotbeam.record.tile_writer import TileWriter


def publish(world: World, path: Path, size: int | None = None, **how: Any) -> Fetch:
    """Bring a folder up to what the world's log holds, under a cosigned checkpoint."""
    writer = TileWriter(path)
    writer.append(world.entries[writer.size : size])
    writer.flush()
    writer.publish(world.note(size, **how))
    return directory(path)


def forked(world: World) -> World:
    """Another log with the same keys and the same entries so far: what a thief of them writes."""
    other = copy(world)
    other.entries = list(world.entries)
    other.anchors = list(world.anchors)
    return other


def junk(world: World, count: int) -> None:
    """Entries that mean nothing."""
    for number in range(count):
        world.add(b'{"junk":%d}' % (len(world.entries) * 1_000_000 + number))
