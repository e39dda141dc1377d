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

from spotbeam.assembly.folder_lock import hold
from spotbeam.control.publishing import Limits, Ports
from spotbeam.control.sequencer import Sequencer
from spotbeam.errors import InputError, MalformedRecord
from spotbeam.governance.history import History
from spotbeam.http.witnesses import connect_to
from spotbeam.record.keys import Signer, parse_signer_key
from spotbeam.record.log import Log


@contextlib.contextmanager
def opened_log(
    workspace: Path,
    *,
    before: History | None = None,
    limits: Limits | None = None,
    on_stop: Callable[[str], object] | None = None,
) -> Iterator[Sequencer]:
    """The log of a workspace, with its witnesses asked in the background while the block lasts.

    Args:
        workspace: The folder with `private/` and `record/`.
        before: The fold of the logs before this one, if the record began in another.
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
            hint="`spotbeam init` makes one; on another machine, name its server in spotbeam.toml",
        )
    signer = read_log_key(private / "log.key")
    with hold(
        private / "log.lock",
        "this log",
        "while `spotbeam log` runs, hand entries to it: "
        'set log = "http://…" in spotbeam.toml, or stop it',
    ):
        log = Log(private / "log.sqlite", workspace / "record", signer)
        ports = Ports(
            connect=connect_to(log.origin, lambda: int(time.time())),
            clock_us=lambda: time.time_ns() // 1_000,
            on_stop=on_stop or _complain,
        )
        try:
            sequencer = Sequencer(log, ports, before, limits)
        except BaseException:
            log.close()
            raise
        with sequencer:
            yield sequencer


def read_log_key(path: Path) -> Signer:
    """The key with which a log signs.

    Raises:
        InputError: It is not there, or is not a key.
    """
    try:
        return parse_signer_key(path.read_text("ascii").strip())
    except (OSError, UnicodeDecodeError):
        raise InputError("the log's key cannot be read", place=str(path)) from None
    except MalformedRecord as fault:
        raise InputError(fault.message, place=str(path), hint=fault.hint) from None


def _complain(why: str) -> None:
    print(f"spotbeam: the log has stopped: {why}", file=sys.stderr, flush=True)
