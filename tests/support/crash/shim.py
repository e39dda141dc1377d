"""Run work in processes whose every write is numbered, and stop them where a test says.

`Shim` compiles shim.c and starts one process with it preloaded, which has imported everything and
waits; each run is a fork of it, so that stopping at thousands of numbers costs little.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec
import pytest
from support.crash.journal import read_journal

SOURCE = Path(__file__).with_name("shim.c")
TESTS = Path(__file__).parents[2]
RUN_LIMIT_S = 60


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of a piece of work.

    Args:
        work: Its function, as `module:name`; it is called with the folder and a way to set marks.
        home: The folder whose writes are numbered.
        journal: The file that they are written down in; a later life goes on in it.
        before: The last number that is taken.
        kill_at: The number of the operation before which the process is killed; 0: none.
        full_from: From this number on the disk is full, until the work says there is space.
        broken: Syncs with the numbers [from, until) fail.
        kept: Which parties earlier lives were told are there.
        weakness: A fault to build in, by its name in `weaknesses`.
        wal_pages: After how many pages SQLite empties its write-ahead log; the default is 1,000.
    """

    work: str
    home: str
    journal: str
    before: int = 0
    kill_at: int = 0
    full_from: int = 0
    broken: tuple[int, int] = (0, 0)
    kept: tuple[str, ...] = ()
    weakness: str = ""
    wal_pages: int = 12


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a run ended: its exit status, or the signal with a minus; and what it said in failing."""

    status: int
    said: str = ""

    @property
    def killed(self) -> bool:
        """Whether it was stopped where the job said."""
        return self.status == -signal.SIGKILL


@functools.cache
def library() -> Path:
    """The compiled shim; the test is skipped where nothing can compile it, and fails so in CI."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler or sys.platform != "linux":
        if os.environ.get("CI"):
            pytest.fail("no C compiler on Linux: CI must have one to number writes")
        pytest.skip("needs Linux and a C compiler")
    folder = tempfile.mkdtemp(prefix="crash-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    built = Path(folder) / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, "-o", str(built), str(SOURCE)], check=True, timeout=60)
    return built


class Shim:
    """A process that waits with the shim preloaded. A context manager.

    Args:
        imports: Modules that it imports before the first run.
    """

    def __init__(self, *imports: str) -> None:
        self._imports = imports

    def __enter__(self) -> Shim:
        environment = {
            **os.environ,
            "LD_PRELOAD": str(library()),
            "PYTHONPATH": str(TESTS),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.crash.worker", *self._imports],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(timeout=RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def run(self, job: Job) -> Outcome:
        """Run a piece of work to its end, or to where it is stopped."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the waiting process has ended"
        return msgspec.json.decode(line, type=Outcome)


def last_number(journal: Path) -> int:
    """The last number that is taken in a journal."""
    return max((each.number for each in read_journal(journal)), default=0)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory, where there is such a thing: a model of a disk needs no disk."""
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="crash-", dir=where)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
