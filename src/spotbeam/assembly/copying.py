"""Keep a full copy of a record, verified before it is kept, that only ever grows.

What is downloaded lies in `.incoming` of the copy until the log and its witnesses have vouched for
all of it; only then is it put in place, tiles first and the checkpoint last. An interrupted copy
goes on with what it had downloaded. Nothing is replaced: a source that does not continue the copy
is refused, and if its log has signed both, that is kept as evidence.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from spotbeam.assembly.chains import ended_where_left, goes_on_from
from spotbeam.assembly.reading import Progress, read_record
from spotbeam.assembly.record_views import View, demand_one_history
from spotbeam.assembly.sources import is_url, open_source, published_note, spooled
from spotbeam.edge.walk import Walked, walk
from spotbeam.errors import (
    InputError,
    MalformedRecord,
    MissingRecord,
    OutputError,
    RecordError,
    RolledBack,
)
from spotbeam.governance.history import History
from spotbeam.record.checkpoint import Checkpoint
from spotbeam.record.policy import verify_witnessed
from spotbeam.record.tile_reader import Fetch, TileReader, directory
from spotbeam.record.tile_writer import TileWriter, read_checkpoint
from spotbeam.record.tiles import CHECKPOINT_PATH, TILE_WIDTH, parse_tile_path

INCOMING = ".incoming"
_AT_ONCE = 4_096


class Copied(msgspec.Struct, frozen=True, kw_only=True):
    """What a copy holds now.

    Attributes:
        before: How many entries it held already.
        genesis: Digest of entry 0 in hexadecimal.
        is_genesis_checked: Whether it is the one that the caller brought.
    """

    origin: str
    size: int
    before: int
    root: str
    genesis: str
    is_genesis_checked: bool
    time_s: int


def mirror(
    source: str | Path,
    copy: Path,
    *,
    genesis: str | None = None,
    earlier: Sequence[str | Path] = (),
    evidence: Path | None = None,
    now_s: int | None = None,
    progress: Progress | None = None,
) -> Copied:
    """Bring a copy up to its source; the copy is as good a source as any.

    Args:
        source: A record's folder or address.
        copy: The copy's folder; made if it is not there.
        genesis: Digest of entry 0 in hexadecimal; None: it is not checked. What the copy holds
            already must be continued in any case.
        earlier: The logs of the record before this one, where it is not the first.
        evidence: Where evidence of two signed views is written; None: nowhere.
        now_s: POSIX seconds after which cosignatures do not count. None: this machine's clock.
        progress: Told how many entries are folded, and of how many.

    Raises:
        RolledBack: The source shows less than the copy holds.
        Forked: The source does not continue the copy, and the log signed both.
        RecordError: What the source shows does not hold; the copy stays as it is.
        InputError: Source or copy is not one.
        OutputError: The copy's folder holds something else.
    """
    at_s = int(time.time()) if now_s is None else now_s
    if not is_url(source) and Path(source).resolve() == copy.resolve():
        raise InputError("a copy is not its own source", place=str(copy))
    held = _held(copy)
    theirs = View(str(source), spooled(open_source(source), copy / INCOMING), is_alone=False)
    point = theirs.checkpoint
    try:
        first = theirs.first()
        onto = _onto(earlier, genesis, at_s, first)
        fetch = theirs.fetch
        if held is not None:
            mine = View(str(copy), directory(copy), is_alone=False)
            _demand_continues(mine, theirs, onto, evidence)
            fetch = _own_first(fetch, copy, held)
        with theirs.placing(CHECKPOINT_PATH):
            walked = walk(
                fetch,
                genesis=genesis,
                onto=onto,
                now_s=at_s,
                progress=progress,
                note=theirs.note,
            )
            _keep(fetch, walked, copy, held)
    except MissingRecord:
        raise  # what was downloaded may be good
    except (RecordError, InputError):
        # What did not hold is not gone on with: the next attempt downloads it anew.
        shutil.rmtree(copy / INCOMING, ignore_errors=True)
        with contextlib.suppress(OSError):
            copy.rmdir()  # where nothing else is in it
        raise
    shutil.rmtree(copy / INCOMING, ignore_errors=True)
    return Copied(
        origin=point.origin,
        size=point.size,
        before=0 if held is None else held.size,
        root=point.root.hex(),
        genesis=walked.genesis,
        is_genesis_checked=genesis is not None,
        time_s=walked.time_s,
    )


def _keep(fetch: Fetch, walked: Walked, copy: Path, held: Checkpoint | None) -> None:
    """Put in place what was vouched for, tiles first; written again, every byte is the same."""
    point = walked.checkpoint
    reader = TileReader(fetch, point)
    writer = TileWriter(copy)
    for start in range(writer.size, point.size, _AT_ONCE):
        writer.append(reader.entries(start, min(start + _AT_ONCE, point.size)))
    writer.flush()
    if held is None or held.size < point.size or _is_fresher(walked, copy):
        writer.publish(walked.note)


def _held(copy: Path) -> Checkpoint | None:
    """What the copy holds already.

    Raises:
        OutputError: Its folder holds something else.
    """
    if copy.exists() and not copy.is_dir():
        raise OutputError("is not a folder", place=str(copy), hint="choose another name")
    if not copy.exists():
        return None
    try:
        held = read_checkpoint(copy)
    except MalformedRecord as fault:
        raise MalformedRecord(fault.message, place=str(copy / CHECKPOINT_PATH)) from None
    others = {each.name for each in copy.iterdir()} - {"checkpoint", "tile", INCOMING}
    if held is None and others:
        raise OutputError(
            f"holds something else: {sorted(others)[0]!a}",
            place=str(copy),
            hint="choose an empty folder, or one that does not exist",
        )
    return held


def _onto(
    earlier: Sequence[str | Path], genesis: str | None, now_s: int, first: bytes
) -> History | None:
    """The history onto which a log is read that is not the first of its record."""
    if not earlier:
        ended = goes_on_from(first)
        if ended is not None:
            raise InputError(
                f"the record goes on from the log {ended.origin!a}",
                hint="give that one too, as --also",
            )
        return None
    read = read_record(*earlier, genesis=genesis, now_s=now_s)
    return ended_where_left(read.onto, read.newest, read.history, first)[0]


def _demand_continues(
    mine: View, theirs: View, onto: History | None, evidence: Path | None
) -> None:
    """Refuse a source that shows less than the copy, or anything that does not continue it."""
    held, shown = mine.checkpoint, theirs.checkpoint
    if held.origin != shown.origin:
        raise InputError(
            f"is the log {shown.origin!a}, and the copy is of {held.origin!a}",
            place=theirs.source,
            hint="keep each log in a folder of its own",
        )
    mine.onto = theirs.onto = onto
    demand_one_history([mine, theirs], evidence)
    if held.size > shown.size:
        raise RolledBack(
            f"it shows {shown.size} entries; the copy holds {held.size}",
            place=theirs.source,
            hint="the copy stays as it is; ask another mirror",
        )


def _own_first(fetch: Fetch, copy: Path, held: Checkpoint) -> Fetch:
    """The same source, but what the copy holds whole is not downloaded again."""
    own = directory(copy)

    def read(path: str) -> bytes | None:
        if path == CHECKPOINT_PATH:
            return fetch(path)
        tile = parse_tile_path(path)
        below = TILE_WIDTH ** (max(tile.level, 0) + 1)
        is_held = tile.width == TILE_WIDTH and (tile.index + 1) * below <= held.size
        return (own(path) if is_held else None) or fetch(path)

    return read


def _is_fresher(walked: Walked, copy: Path) -> bool:
    """Whether the source's signatures on what the copy holds already are newer."""
    policy = walked.history.now.witness_policy
    assert policy is not None
    try:
        kept = verify_witnessed(published_note(directory(copy)), policy, now_s=None)
    except RecordError:
        return True
    return walked.time_s > kept.time_s
