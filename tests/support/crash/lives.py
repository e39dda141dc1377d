"""Work that is done in one folder after another, is stopped, and goes on."""

from __future__ import annotations

import re
from pathlib import Path

from support.crash.journal import read_journal
from support.crash.shim import Job, Shim, last_number

LIVE = "support.crash.recording:live"
LIVE_THROUGH = "support.crash.recording:live_through"
PUBLISH = "support.crash.publishing:live"


class Lives:
    """Folders in which work is done, one after another, and their journals.

    Args:
        shim: What numbers their writes.
        folder: Where they are.
        work: What is done there: a function, as `module:name`.
        weakness: A fault to build in.

    Attributes:
        home: The folder begun last.
        journal: What happened in it.
    """

    def __init__(self, shim: Shim, folder: Path, work: str = LIVE, weakness: str = "") -> None:
        self._shim = shim
        self._folder = folder
        self._work = work
        self._weakness = weakness
        self._count = 0
        self.home = folder
        self.journal = folder

    def begin(self, kill_at: int = 0, full_from: int = 0, broken: tuple[int, int] = (0, 0)) -> bool:
        """Work in a new folder; whether it came to the end.

        Args:
            kill_at: The number before which it is killed.
            full_from: From here on the disk is full, until the work has it mended.
            broken: The syncs with the numbers [from, until) fail.
        """
        self._count += 1
        self.home = self._folder / f"home{self._count}"
        self.home.mkdir()
        self.journal = self._folder / f"journal{self._count}"
        return self._run((), kill_at, full_from, broken)

    def go_on(self) -> None:
        """Another process goes on in the same folder, to the end."""
        marks = [each.mark for each in read_journal(self.journal) if each.kind == "mark"]
        assert self._run(tuple(mark["party"] for mark in marks if mark["what"] == "made"))

    def _run(
        self,
        kept: tuple[str, ...],
        kill_at: int = 0,
        full_from: int = 0,
        broken: tuple[int, int] = (0, 0),
    ) -> bool:
        job = Job(
            self._work,
            str(self.home),
            str(self.journal),
            before=last_number(self.journal) if self.journal.exists() else 0,
            kill_at=kill_at,
            full_from=full_from,
            broken=broken,
            kept=kept,
            weakness=self._weakness,
        )
        outcome = self._shim.run(job)
        # A process may also die of the sync that fails, before it comes to where it is killed.
        died = broken[0] and re.search(r"I/O error|Input/output error", outcome.said)
        assert outcome.status == 0 or (kill_at and (outcome.killed or died)), outcome.said
        return outcome.status == 0
