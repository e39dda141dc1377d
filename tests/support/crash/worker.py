"""The process that waits with the shim preloaded: a line on stdin is a job, and one fork.

A job's function gets a `Here`: the folder, and how to write down what was promised to whom.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sqlite3
import sys
import traceback
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec
from support.crash import weaknesses
from support.crash.shim import RUN_LIMIT_S, Job, Outcome


class Here:
    """What a piece of work is given.

    Args:
        home: The folder whose writes are numbered.
        kept: Which parties earlier lives were told are there: they are not to be made again.
        life: Tells apart what one life and another write.
        shim: The preloaded library; None where nothing is written down.
    """

    def __init__(
        self,
        home: Path,
        kept: Collection[str] = (),
        life: int = 0,
        shim: ctypes.CDLL | None = None,
    ) -> None:
        self.home = home
        self.kept = frozenset(kept)
        self.life = life
        self._shim = shim

    def mark(self, what: str, **values: Any) -> None:
        """Write down, in the order of the writes, that somebody was told something."""
        if what == "made":
            self.kept |= {values["party"]}
        if self._shim is not None:
            data = msgspec.msgpack.encode({"what": what, **values})
            self._shim.crash_mark(data, ctypes.c_uint64(len(data)))

    def mend(self) -> None:
        """The disk is neither full nor broken any longer."""
        if self._shim is not None:
            self._shim.crash_full_from(ctypes.c_uint64(0))
            self._shim.crash_broken(ctypes.c_uint64(0), ctypes.c_uint64(0))


def main() -> None:
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin.buffer:
        outcome = _fork(msgspec.json.decode(line, type=Job))
        sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
        sys.stdout.buffer.flush()


def _fork(job: Job) -> Outcome:
    said, says = os.pipe()
    child = os.fork()
    if not child:
        os.close(said)
        code = 1
        try:
            signal.alarm(RUN_LIMIT_S)
            _run(job)
            code = 0
        except BaseException:
            os.write(says, traceback.format_exc()[-8000:].encode())
        finally:
            os._exit(code)
    os.close(says)
    with open(said, "rb") as pipe:
        words = pipe.read().decode(errors="replace")
    return Outcome(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), words)


def _run(job: Job) -> None:
    connect = sqlite3.connect

    def with_short_wal(*arguments: Any, **options: Any) -> sqlite3.Connection:
        database = connect(*arguments, **options)
        database.execute(f"PRAGMA wal_autocheckpoint = {job.wal_pages}")
        return database

    sqlite3.connect = with_short_wal  # type: ignore[assignment]
    if job.weakness:
        weaknesses.WEAKNESSES[job.weakness]()
    module, _, name = job.work.partition(":")
    work = getattr(importlib.import_module(module), name)
    shim = ctypes.CDLL(None)
    number = ctypes.c_uint64
    shim.crash_full_from(number(job.full_from))
    shim.crash_broken(number(job.broken[0]), number(job.broken[1]))
    shim.crash_begin(
        job.home.encode(), job.journal.encode(), number(job.before), number(job.kill_at)
    )
    work(Here(Path(job.home), job.kept, job.before, shim))


if __name__ == "__main__":
    main()
