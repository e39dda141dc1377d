"""The log of a workspace, opened by the one process that may write to it.

private/log.sqlite   the entries
private/log.key      PRIVATE+KEY+<origin>+…
private/log.lock     held by whoever has the log open
record/              what is published
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spotbeam.assembly.chains import ended_where_left, goes_on_from
from spotbeam.assembly.folder_lock import hold
from spotbeam.assembly.reading import read_record
from spotbeam.assembly.sources import open_source
from spotbeam.assembly.workspace import Workspace, open_workspace
from spotbeam.control.publishing import Limits, Ports
from spotbeam.control.sequencer import Sequencer
from spotbeam.errors import InputError, MalformedRecord, Unreachable
from spotbeam.governance.history import History
from spotbeam.http.witnesses import connect_to
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.keys import Signer, parse_signer_key
from spotbeam.record.log import Log
from spotbeam.record.tiles import CHECKPOINT_PATH

IN_USE = (
    "while `spotbeam log` runs, hand entries to it: "
    'set log = "http://…" in spotbeam.toml, or stop it'
)


@contextlib.contextmanager
def opened_log(
    workspace: Path,
    *,
    limits: Limits | None = None,
    on_stop: Callable[[str], object] | None = None,
) -> Iterator[Sequencer]:
    """The log of a workspace, with its witnesses asked in the background while the block lasts.

    A log that goes on from another one reads the logs before it where `record` in `spotbeam.toml`
    names them; one that is empty, and that the last of them named, is opened.

    Args:
        workspace: The folder with `private/` and `record/`.
        limits: How long it waits for its witnesses.
        on_stop: Told why the log has stopped, should it; None: it is printed.

    Raises:
        InputError: There is no log, its key cannot be read, or another process has it open.
        RecordError: The log has lost something, or cannot go on.
    """
    private = workspace / "private"
    if not (private / "log.sqlite").exists():
        raise InputError(
            "there is no log here",
            place=str(private / "log.sqlite"),
            hint="`spotbeam init` makes one, `spotbeam record restore` brings a lost one back; on "
            "another machine, name its server in spotbeam.toml",
        )
    signer, *more = read_log_keys(private / "log.key")
    with hold(private / "log.lock", "this log", IN_USE):
        try:
            log = Log(private / "log.sqlite", workspace / "record", signer, more)
        except ValueError as fault:
            raise InputError(str(fault), place=str(private / "log.key")) from None
        ports = Ports(
            connect=connect_to(log.origin, lambda: int(time.time())),
            clock_us=lambda: time.time_ns() // 1_000,
            on_stop=on_stop or _complain,
        )
        try:
            sequencer = Sequencer(log, ports, _before(workspace, log), limits)
        except BaseException:
            log.close()
            raise
        with sequencer:
            yield sequencer


def read_log_keys(path: Path) -> tuple[Signer, ...]:
    """The keys with which a log signs, one a line: more than one while keys are changed.

    Raises:
        InputError: There is none, or a line is not a key.
    """
    try:
        lines = [line for line in path.read_text("ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError):
        lines = []
    if not lines:
        raise InputError("the log's key cannot be read", place=str(path))
    try:
        return tuple(parse_signer_key(line.strip()) for line in lines)
    except MalformedRecord as fault:
        raise InputError(fault.message, place=str(path), hint=fault.hint) from None


def other_logs(workspace: Workspace, origin: str) -> tuple[str, ...]:
    """Those sources of a workspace that show another log than this one.

    Raises:
        Unreachable: None is there, and some do not answer.
    """
    others, fault = [], None
    for name in workspace.source_names():
        try:
            note = open_source(name)(CHECKPOINT_PATH)
        except Unreachable as silent:
            fault = fault or silent
            continue
        if note is not None and parse_signed_checkpoint(note)[0].origin != origin:
            others.append(name)
    if not others and fault is not None:
        raise fault
    return tuple(others)


def _before(workspace: Path, log: Log) -> History | None:
    """The fold of the logs before this one; None where the record began here.

    Raises:
        InputError: They are not named, or are another record.
        RecordError: They do not hold.
        Unreachable: They cannot be read now.
    """
    first = next(log.entries(0, 1), None) if log.size else None
    if first is not None and goes_on_from(first) is None:
        return None
    place = open_workspace(workspace)
    others = other_logs(place, log.origin)
    if not others:
        if first is None:
            return None  # it waits for its entry 0
        raise InputError(
            "this log goes on from another one, which is not among the sources",
            place=str(workspace / "spotbeam.toml"),
            hint='name every log of the record: record = ["old-log/record", "record"]',
        )
    found = read_record(*others, genesis=place.settings.genesis)
    if first is None:
        if found.history.now.closing is None:
            raise InputError(
                f"the log before this one, {found.checkpoint.origin!a}, is not closed",
                place=str(workspace),
                hint="start this one once the change that closes that one is bound; where its key "
                "is lost: `spotbeam succession`",
            )
        return found.history
    return ended_where_left(found.onto, found.newest, found.history, first)[0]


def _complain(why: str) -> None:
    print(f"spotbeam: the log has stopped: {why}", file=sys.stderr, flush=True)
