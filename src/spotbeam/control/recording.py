"""What it is to record something: an entry goes in, its place in the log comes out."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

import msgspec

Wait: TypeAlias = Literal["durable", "anchored"]
"""Until it is on disk; or until a published checkpoint covers the anchor that covers it."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """Where an entry is in the log.

    Attributes:
        index: Its number.
        id: Its own id.
        digest: SHA-256 of its bytes as they are in the log, in hexadecimal. `recorded_us` is the
            log's word, so these may differ from the bytes that were handed in.
    """

    index: int
    id: str
    digest: str


class Recorder(Protocol):
    """A log to write to: on this machine (`Sequencer`) or on another (`LogClient`)."""

    def submit(self, entry: bytes, wait: Wait = "durable") -> Recorded:
        """Have an entry added to the log; on disk before this returns.

        Raises:
            Refused: The record would void it, or the log cannot go on; it was not added.
            Unreachable: The log did not answer.
        """
