"""What time it is at an edge: by the witnesses, and by a clock that nobody can set.

The time is that of the last accepted quorum of cosignatures, and the steady (monotonic) time that
has passed since. The wall clock, which GNSS or NTP may be lying to, is asked once: after a restart,
for the time that nobody else saw pass; it counts only forward of what is known, and only until the
witnesses speak again. Where the machine itself did not restart, the steady clock of the machine
saw the time pass, and the wall clock is not asked at all.

So whoever moves the wall clock of a running edge moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from spotbeam.errors import MalformedRecord

_MOST_S = 4_102_444_800.0
"""The year 2100: later than any witness dates."""


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What of the clock outlives a process.

    Attributes:
        time_s: The time, POSIX seconds, when the machine's steady clock showed `steady_s`.
        boot: Which start of the machine that clock counts from; None: not known.
        heard_s: The witnesses' last time.
    """

    time_s: float
    steady_s: float
    boot: str | None
    heard_s: int


class Clock:
    """The time of an edge, POSIX seconds.

    Args:
        steady: The machine's steady clock, seconds since its start; time asleep counts.
        boot: Which start that is; None: not known, then it is taken for a new one.
        wall_s: The wall clock, asked once.
        kept: What an earlier process left behind.
        known_s: The witnesses' time of the record that is on disk, POSIX seconds.
    """

    def __init__(
        self,
        steady: Callable[[], float],
        *,
        boot: str | None = None,
        wall_s: float,
        kept: bytes | None = None,
        known_s: int | None = None,
    ) -> None:
        self._steady = steady
        self._boot = boot
        self._at_steady_s = steady()
        self._heard_s: int | None = None
        self._is_of_witnesses = False
        before = None if kept is None else _read(kept)
        if before is None and known_s is not None:
            before = Kept(time_s=known_s, steady_s=0.0, boot=None, heard_s=known_s)
        if before is None:
            self._time_s = wall_s
            return
        self._heard_s = max(before.heard_s, known_s or 0)
        passed_s = self._at_steady_s - before.steady_s
        if boot is not None and before.boot == boot and passed_s >= 0.0:
            self._time_s = before.time_s + passed_s
            self._is_of_witnesses = True
        else:
            self._time_s = max(before.time_s, self._heard_s, min(wall_s, _MOST_S))

    @property
    def is_of_witnesses(self) -> bool:
        """Whether steady time has been counted ever since witnesses said what time it is.

        If not, the wall clock had to say how long this machine was off, and may be wrong.
        """
        return self._is_of_witnesses

    @property
    def heard_s(self) -> int | None:
        """The last time that the witnesses said; None: they have never said any."""
        return self._heard_s

    def steady_s(self) -> float:
        """The steady clock itself, seconds."""
        return self._steady()

    def now_s(self) -> float:
        """The time."""
        return self._time_s + (self._steady() - self._at_steady_s)

    def now_us(self) -> int:
        """The time, microseconds since 1970; always after what the witnesses last said."""
        return max(int(self.now_s() * 1_000_000), (self._heard_s or 0) * 1_000_000 + 2)

    def silent_s(self) -> float:
        """How long the witnesses have been silent."""
        return 0.0 if self._heard_s is None else max(self.now_s() - self._heard_s, 0.0)

    def hear(self, time_s: int) -> None:
        """Take in the time of an accepted quorum of cosignatures.

        It moves the clock on, never back; but for a time that rested on the wall clock, which it
        replaces.
        """
        now_s = self.now_s()
        self._at_steady_s = self._steady()
        self._time_s = max(now_s, float(time_s)) if self._is_of_witnesses else float(time_s)
        self._is_of_witnesses = True
        self._heard_s = max(time_s, self._heard_s or 0)

    def kept(self) -> bytes:
        """What a later process needs to go on."""
        return msgspec.json.encode(
            Kept(
                time_s=self.now_s(),
                steady_s=self._steady(),
                boot=self._boot,
                heard_s=self._heard_s or 0,
            )
        )


def _read(data: bytes) -> Kept:
    try:
        return msgspec.json.decode(data, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise MalformedRecord(
            f"what was kept of the clock is damaged: {fault}",
            place="clock",
            hint="remove the file; the time is then taken from the witnesses and the wall clock",
        ) from None
