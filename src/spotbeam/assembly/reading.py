"""Read a record from wherever it is published, believe what its witnesses signed, and fold it.

history = fold("record/", genesis="ab12…")
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from spotbeam.assembly.chains import ended_where_left, in_order
from spotbeam.assembly.sources import open_source, pinned, published_note
from spotbeam.edge.walk import Walked, walk
from spotbeam.errors import InputError, MissingRecord, RecordError, Unreachable
from spotbeam.governance.history import History
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint
from spotbeam.record.tile_reader import Fetch, TileReader

Progress = Callable[[int, int], object]
"""Told how many entries are folded, and of how many."""


class OneLog(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One log of a record.

    Attributes:
        first: The index of its entry 0, counted through all logs.
        fetch: Its source, with this checkpoint.
    """

    first: int
    checkpoint: Checkpoint
    note: bytes
    fetch: Fetch


class ReadRecord(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A record that was read to its end, in all its logs.

    Attributes:
        history: What the entries mean.
        entries: Those that count, in order through all logs: entry `n` is `entries[n]`.
        onto: What the newest log was read onto; None where it is the only one.
        newest: The entries of that log alone.
        logs: Every log, first to newest.
        checkpoint: Of the newest log, as its witnesses signed it.
        note: The signed note itself.
        fetch: The source of the newest log, with that checkpoint.
        time_s: The earliest time by which enough witnesses had signed, POSIX seconds.
        is_genesis_checked: Whether entry 0 is the one that the caller named.
    """

    history: History
    entries: tuple[bytes, ...]
    onto: History | None
    newest: tuple[bytes, ...]
    logs: tuple[OneLog, ...]
    checkpoint: Checkpoint
    note: bytes
    fetch: Fetch
    time_s: int
    is_genesis_checked: bool


class _Shown(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    source: str
    fetch: Fetch
    note: bytes
    checkpoint: Checkpoint
    first: bytes


def fold(
    source: str | Path,
    *more: str | Path,
    genesis: str | None = None,
    now_s: int | None = None,
    progress: Progress | None = None,
) -> History:
    """Read a record, check that its log and witnesses signed it, and say what its entries mean.

    Args:
        source: A folder, or an address as `https://…`.
        more: Mirrors of it, or the other logs of the same record.
        genesis: Digest of entry 0 in hexadecimal; None: it is not checked.
        now_s: POSIX seconds after which cosignatures do not count. None: this machine's clock.
        progress: Told how many entries are folded, and of how many.

    Raises:
        RecordError: The record does not hold.
        Unreachable: No source answered.
        InputError: A source is not one, or a log between those given is missing.
    """
    return read_record(source, *more, genesis=genesis, now_s=now_s, progress=progress).history


def read_record(
    source: str | Path,
    *more: str | Path,
    genesis: str | None = None,
    now_s: int | None = None,
    progress: Progress | None = None,
) -> ReadRecord:
    """As `fold`, with the entries themselves. Of several mirrors the largest that holds counts.

    Raises:
        RecordError: The record does not hold.
        Unreachable: No source answered.
        InputError: A source is not one, or a log between those given is missing.
    """
    at_s = int(time.time()) if now_s is None else now_s
    shown = _shown([str(each) for each in (source, *more)])
    firsts = {each.checkpoint.origin: each.first for each in reversed(shown)}
    logs = in_order(firsts, {each.checkpoint.origin: each.source for each in shown})
    history: History | None = None
    entries: list[bytes] = []
    read: list[OneLog] = []
    for number, origin in enumerate(logs):
        those = [each for each in shown if each.checkpoint.origin == origin]
        chosen, walked = _walked(those, genesis, history, at_s, progress)
        fetch = pinned(chosen.fetch, walked.note)
        one = OneLog(
            first=len(entries), checkpoint=walked.checkpoint, note=walked.note, fetch=fetch
        )
        read.append(one)
        if number + 1 < len(logs):
            following = firsts[logs[number + 1]]
            history, count = ended_where_left(history, walked.entries, walked.history, following)
            entries += walked.entries[:count]
    return ReadRecord(
        history=walked.history,
        entries=(*entries, *walked.entries),
        onto=history,
        newest=walked.entries,
        logs=tuple(read),
        checkpoint=walked.checkpoint,
        note=walked.note,
        fetch=fetch,
        time_s=walked.time_s,
        is_genesis_checked=genesis is not None,
    )


def _shown(sources: list[str]) -> list[_Shown]:
    """What each source shows, largest first; one that shows nothing stops nobody else."""
    shown, failed = [], None
    for source in sources:
        try:
            fetch = open_source(source)
            note = published_note(fetch)
            checkpoint = parse_signed_checkpoint(note)[0]
            if not checkpoint.size:
                raise MissingRecord("the record has no entry yet", place="checkpoint")
            first = TileReader(fetch, checkpoint).entry(0)
            shown.append(
                _Shown(source=source, fetch=fetch, note=note, checkpoint=checkpoint, first=first)
            )
        except InputError:
            raise
        except (RecordError, Unreachable) as fault:
            failed = failed or fault
    if not shown and failed is not None:
        raise failed
    return sorted(shown, key=lambda each: -each.checkpoint.size)


def _walked(
    those: list[_Shown],
    genesis: str | None,
    onto: History | None,
    now_s: int,
    progress: Progress | None,
) -> tuple[_Shown, Walked]:
    """The largest view of a log that holds."""
    failed: RecordError | Unreachable | None = None
    for each in those:
        try:
            walked = walk(
                each.fetch,
                genesis=genesis,
                onto=onto,
                now_s=now_s,
                progress=progress,
                note=each.note,
            )
        except (RecordError, Unreachable) as fault:
            failed = failed or fault
        else:
            return each, walked
    assert failed is not None
    raise failed
