"""Go through every file of a published record, and name the first that is wrong.

The entries are the truth that everything else follows from: where an entry and a hash over it
differ, the root says which of the two was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from spotbeam.errors import MalformedRecord, ProofMismatch
from spotbeam.record.checkpoint import Checkpoint
from spotbeam.record.merkle import leaf_hash, root_hash
from spotbeam.record.tile_reader import (
    Fetch,
    FsckReport,
    TileReader,
    directory,
    fetch_bundle,
    fetch_hashes,
    fsck,
)
from spotbeam.record.tiles import (
    CHECKPOINT_PATH,
    ENTRIES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    decode_bundle,
    parse_tile_path,
    split_hashes,
    width_at,
)


class Leftovers(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a folder that its checkpoint does not need.

    Attributes:
        past: Tiles of entries after the checkpoint: a publication under way, or a checkpoint
            that was put back.
        earlier: Partial tiles of smaller sizes, each the beginning of the one that is needed.
        unknown: Names that no record has.
    """

    past: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def check_files(
    fetch: Fetch, checkpoint: Checkpoint, progress: Callable[[int], object] | None = None
) -> FsckReport:
    """Rebuild every tile and the root from the entries, and compare every published byte.

    Args:
        fetch: Where the bytes come from.
        checkpoint: What to check against; its signatures are another matter.
        progress: Told how many entries were gone through.

    Raises:
        RecordError: The first fault; `place` is the file that is wrong.
    """
    try:
        return fsck(fetch, checkpoint, progress)
    except ProofMismatch as fault:
        raise _blamed(fetch, checkpoint, fault) from None


def check_leftovers(path: Path, checkpoint: Checkpoint) -> Leftovers:
    """Look at the files of a folder that `check_files` had no need of.

    Args:
        path: The record's folder, whose needed files were checked already.
        checkpoint: Its checkpoint.

    Raises:
        RecordError: A partial tile of a smaller size is not the beginning of what is there now.
    """
    past, earlier, unknown = [], [], []
    fetch = directory(path)
    for name in _files_under(path):
        try:
            tile = parse_tile_path(name)
        except MalformedRecord:
            unknown.append(name)
            continue
        covered = _covered(tile, checkpoint.size)
        if covered is None:
            past.append(name)
        elif tile.width < covered.width:
            _check_beginning(fetch, tile, covered)
            earlier.append(name)
    return Leftovers(past=tuple(past), earlier=tuple(earlier), unknown=tuple(unknown))


def _blamed(fetch: Fetch, checkpoint: Checkpoint, fault: ProofMismatch) -> ProofMismatch:
    """The same fault, laid on the file that does not lead to the root."""
    leaves = [leaf_hash(entry) for _, entry in _entries(fetch, checkpoint.size)]
    if fault.place == CHECKPOINT_PATH or root_hash(leaves) == checkpoint.root:
        return fault
    try:
        reader = TileReader(fetch, checkpoint)
        for tile, (index, leaf) in zip(_bundles(checkpoint.size), enumerate(leaves), strict=True):
            if reader.hash_at(0, index) != leaf:
                return ProofMismatch(
                    f"entry {index} is not the one that was logged", place=tile.path
                )
    except ProofMismatch:
        pass
    return ProofMismatch(
        f"{fault.message.removeprefix(f'{fault.place}: ')}, and neither leads to the root",
        place=fault.place,
    )


def _entries(fetch: Fetch, size: int) -> Iterator[tuple[Tile, bytes]]:
    for index in range(-(-size // TILE_WIDTH)):
        tile = Tile(ENTRIES, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
        for entry in fetch_bundle(fetch, tile):
            yield tile, entry


def _bundles(size: int) -> Iterator[Tile]:
    """For each entry the bundle that holds it."""
    for index in range(-(-size // TILE_WIDTH)):
        tile = Tile(ENTRIES, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
        yield from [tile] * tile.width


def _covered(tile: Tile, size: int) -> Tile | None:
    """The tile of a record of `size` at the same place, if it is at least as wide."""
    full = size >> (TILE_HEIGHT * (max(tile.level, 0) + 1))
    if tile.index < full:
        return tile.whole
    width = width_at(size, tile.level)
    if tile.index == full and tile.width <= width:
        return Tile(tile.level, tile.index, width)
    return None


def _check_beginning(fetch: Fetch, tile: Tile, covered: Tile) -> None:
    data = fetch(tile.path) or b""
    try:
        if tile.level == ENTRIES:
            holds = decode_bundle(data, tile.width) == fetch_bundle(fetch, covered)[: tile.width]
        else:
            holds = split_hashes(data, tile.width) == fetch_hashes(fetch, covered)[: tile.width]
    except MalformedRecord as fault:
        raise MalformedRecord(fault.message.split(": ")[-1], place=tile.path) from None
    if not holds:
        raise ProofMismatch(f"it is not the beginning of {covered.path}", place=tile.path)


def _files_under(path: Path) -> list[str]:
    """Every file of the tiles' folder, by name, but for what a killed writer left half done."""
    return sorted(
        file.relative_to(path).as_posix()
        for file in (path / "tile").rglob("*")
        if file.is_file() and not (file.name.startswith(".") and file.name.endswith(".tmp"))
    )
