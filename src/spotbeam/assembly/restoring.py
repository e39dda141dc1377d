"""Brings a log's own file back from what it published: only what its witnesses signed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from spotbeam.assembly.chains import goes_on_from
from spotbeam.assembly.folder_lock import hold
from spotbeam.assembly.logs import IN_USE, other_logs, read_log_keys
from spotbeam.assembly.reading import read_record
from spotbeam.assembly.sources import open_source, published_note
from spotbeam.assembly.workspace import Workspace, private_folder
from spotbeam.errors import Forked, InputError, MissingRecord
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.entry_store import EntryStore
from spotbeam.record.log import create_log
from spotbeam.record.tile_reader import TileReader

_AT_ONCE = 4_096


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a log's file holds again.

    Attributes:
        before: How many entries it held.
        shown: How many the source showed; the file may hold more.
    """

    origin: str
    size: int
    before: int
    shown: int


def restore_log(
    workspace: Workspace,
    source: str | Path,
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Restored:
    """Fill a workspace's log again from a copy of the record; nothing that it holds is replaced.

    Args:
        workspace: Its `private/log.key` is there; `private/log.sqlite` may have lost entries, or
            all of them.
        source: A record's folder or address: a mirror, a copy, or the workspace's own `record`.
        progress: Told how many entries are folded, and of how many.

    Raises:
        InputError: The key is lost, the source is of another log, or the log is in use.
        Forked: The file holds other entries than the source.
        RecordError: The source does not hold, or the file is damaged.
    """
    path, origin = workspace.private / "log.sqlite", workspace.settings.origin
    if not (workspace.private / "log.key").is_file():
        raise InputError(
            "the log's key is not here, and without it the log cannot go on",
            place=str(workspace.private / "log.key"),
            hint="put the key back; if it is lost, people leave the log: `spotbeam succession`",
        )
    keys = [each.key for each in read_log_keys(workspace.private / "log.key")]
    with hold(workspace.private / "log.lock", "this log", IN_USE):
        fetch = open_source(source)
        shown = parse_signed_checkpoint(published_note(fetch))[0]
        if shown.origin != origin:
            raise InputError(
                f"is the log {shown.origin!a}, and this workspace keeps {origin!a}",
                place=str(source),
                hint="give a copy of this one",
            )
        if not shown.size:
            raise MissingRecord("the record has no entry yet", place=str(source))
        first = TileReader(fetch, shown).entry(0)
        others = other_logs(workspace, origin) if goes_on_from(first) is not None else ()
        found = read_record(source, *others, genesis=workspace.settings.genesis, progress=progress)
        policy = found.history.now.witness_policy
        if policy is None or policy.logs[0].key not in keys:
            raise InputError(
                "the key here is not that with which the record is signed now",
                place=str(workspace.private / "log.key"),
            )
        before, size = _fill(path, origin, found.newest)
    return Restored(origin=origin, size=size, before=before, shown=len(found.newest))


def _fill(path: Path, origin: str, entries: tuple[bytes, ...]) -> tuple[int, int]:
    """Add what the file lacks; how many it held, and holds."""
    private_folder(path.parent)
    if not path.exists():
        create_log(path, origin)
    store = EntryStore(path)
    try:
        if store.origin != origin:
            raise InputError(f"is the file of the log {store.origin!a}", place=str(path))
        store.take_over()
        before = store.size
        for at in range(0, min(before, len(entries)), _AT_ONCE):
            end = min(at + _AT_ONCE, before, len(entries))
            for number, (ours, theirs) in enumerate(
                zip(store.read(at, end), entries[at:end], strict=True), at
            ):
                if ours != theirs:
                    raise Forked(
                        f"entry {number} is another one than the witnesses signed",
                        place=str(path),
                        hint="move the file away and keep it; the same command makes a new one",
                    )
        store.add(entries[before:])
        return before, store.size
    finally:
        store.close()
