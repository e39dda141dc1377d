"""A source of a record: what it has shown, and what was wrong with it."""

from __future__ import annotations

from concurrent.futures import Future

import msgspec

from spotbeam.edge.walk import Progress
from spotbeam.errors import SpotbeamError, Unreachable
from spotbeam.record.tile_reader import Fetch

_MOST_SKIPPED = 60
_LITTLE_WORK = 8
"""Files read: a source that fails on so few is judged again at every refresh."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a source stands.

    Attributes:
        name: What people call it.
        size: How many entries it last showed; None: it has shown none.
        fault: What was wrong with it last, or None. `code` is the fault's slug.
        failures: How often in a row. What it shows is gone through less and less often, if that
            is much work and the known quorum did not sign it.
    """

    name: str
    size: int | None = None
    fault: str | None = None
    code: str | None = None
    failures: int = 0


class Source:
    """A source with what it has shown; asked in a thread of its own, so that it can be left."""

    def __init__(self, fetch: Fetch, name: str) -> None:
        self._fetch = fetch
        self.work = 0
        self.progress = 0
        self.standing = Standing(name=name)
        self.seen: bytes | None = None
        self.asked: Future[bytes | None] | None = None
        self.skip = 0

    def fetch(self, path: str) -> bytes | None:
        """A file; a folder that cannot be read counts as a server that does not answer."""
        self.work += 1
        self.progress += 1
        try:
            return self._fetch(path)
        except OSError as fault:
            why = fault.strerror or "it cannot be read"
            raise Unreachable(f"{self.standing.name}, {path}", why) from None

    def told(self, progress: Progress | None) -> Progress:
        """Pass on how far a walk is, and take note that it goes on."""

        def tell(done: int, of: int) -> None:
            self.progress += 1
            if progress is not None:
                progress(done, of)

        return tell

    def failed(self, fault: SpotbeamError) -> None:
        """Take note that what it showed does not hold, or that it showed nothing."""
        failures = self.standing.failures + 1
        self.skip = min(2**failures, _MOST_SKIPPED) if self.work > _LITTLE_WORK else 0
        self.seen = None  # what failed is looked at again
        self.standing = msgspec.structs.replace(
            self.standing, fault=str(fault), code=fault.code, failures=failures
        )

    def stands(self, size: int, fault: SpotbeamError | None = None) -> None:
        """Take note of how much of the record it shows."""
        self.standing = Standing(
            name=self.standing.name,
            size=size,
            fault=None if fault is None else str(fault),
            code=None if fault is None else fault.code,
        )
