"""Keep the fold beside the record, so that a restart need not begin at entry 0."""

from __future__ import annotations

import contextlib
import threading

from spotbeam.edge.keeping import Kept
from spotbeam.edge.walk import Walked
from spotbeam.errors import RecordError
from spotbeam.governance.history import History
from spotbeam.governance.snapshots import read_snapshot, snapshot_point, write_snapshot
from spotbeam.record.checkpoint import Checkpoint

FILE = "snapshot"
EVERY = 1_000
"""Entries: a shorter record is folded before a snapshot of it is read."""


class Snapshots:
    """The one snapshot of a store: it only saves time, and is let go where it does not fit.

    Args:
        kept: The store, with the record that was accepted.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._size = 0
        self._writing: threading.Thread | None = None

    def read(self, log: int) -> tuple[History, Checkpoint] | None:
        """The fold up to somewhere in a log, if it is of what is kept of that log.

        Args:
            log: Which log of the chain: the newest.
        """
        data = self._kept.read(FILE)
        if data is None:
            return None
        try:
            point = snapshot_point(data)
            reader = self._kept.reader(log)
            is_ours = (
                point.origin == reader.checkpoint.origin
                and point.size <= reader.size
                and reader.root(point.size) == point.root
            )
            if not is_ours:
                return None
            self._size = point.size
            return read_snapshot(data), point
        except RecordError:
            return None

    def keep(self, walked: Walked) -> None:
        """Write the fold down once it has grown by a tenth since it last was.

        It is written beside the way: what was accepted is enforced at once, however long it takes.
        """
        size, state = walked.checkpoint.size, walked.history.now
        if abs(size - self._size) < max(EVERY, size // 10):
            return
        self.close()
        self._size = size

        def write() -> None:
            with contextlib.suppress(OSError):
                self._kept.write(FILE, write_snapshot(state))

        self._writing = threading.Thread(target=write, name="snapshot", daemon=True)
        self._writing.start()

    def close(self) -> None:
        """Wait until what is being written is on disk."""
        if self._writing is not None:
            self._writing.join()
            self._writing = None
