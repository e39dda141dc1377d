"""A folder of tiles that grows: the part of a log that readers see, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from support.crash.recorded import tree_root
from support.crash.recording import LOG, Around
from support.crash.worker import Here

from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint, sign_checkpoint
from spotbeam.record.tile_reader import directory, fsck
from spotbeam.record.tile_writer import TileWriter

SIZES = (3, 255, 258, 515)


def live(here: Around) -> None:
    """Publish what is not published yet, size by size."""
    writer = TileWriter(here.home / "log" / "tiles")
    for size in SIZES:
        if size >= writer.size:
            writer.append(map(_entry, range(writer.size, size)))
            writer.flush()
            writer.publish(sign_checkpoint(_point(size), [LOG]))
            here.mark("published", size=size)


class Published:
    """The size that readers were told of last."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, mark: dict[str, Any]) -> None:
        """Take in one mark."""
        self.size = mark["size"]


def check(home: Path, promised: Published, rng: random.Random) -> None:
    """What is published is whole, is no less than was told, and goes on to the same end."""
    folder = home / "log" / "tiles"
    note = directory(folder)("checkpoint")
    assert note is not None or not promised.size, "what was published is gone"
    if note is not None:
        point = parse_signed_checkpoint(note)[0]
        assert point == _point(point.size)
        assert point.size >= promised.size, "what was published is gone"
        assert fsck(directory(folder), point).entries == point.size
    live(Here(home))
    assert fsck(directory(folder), _point(SIZES[-1])).entries == SIZES[-1]


def _entry(number: int) -> bytes:
    return b"entry %d" % number


def _point(size: int) -> Checkpoint:
    return Checkpoint(LOG.key.name, size, tree_root([_entry(number) for number in range(size)]))
