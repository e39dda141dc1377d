"""UTC instants and time grids. Nothing here asks what time it is.

An instant is an integer: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted
(POSIX time). At the edges it is RFC 3339 with `Z`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.errors import InputError

MICROSECONDS = 1_000_000
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIX_EPOCH_JD = 2440587.5
_RFC3339 = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?[Zz]", re.ASCII
)
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h|d|w)?", re.ASCII)
_UNIT_US = {
    "ms": 1_000,
    "s": MICROSECONDS,
    "m": 60 * MICROSECONDS,
    "h": 3_600 * MICROSECONDS,
    "d": 86_400 * MICROSECONDS,
    "w": 7 * 86_400 * MICROSECONDS,
}


def parse_time(text: str, *, place: str | None = None) -> int:
    """Microseconds since 1970 of an RFC 3339 time in UTC, as `2026-06-14T00:00:00Z`.

    Raises:
        InputError: not RFC 3339, no `Z`, or no such day or hour.
    """
    found = _RFC3339.fullmatch(text.strip())
    hint = "write RFC 3339 in UTC, as 2026-06-14T00:00:00Z"
    if not found:
        raise InputError(f"{text!r} is not a time", place=place, hint=hint)
    *whole, fraction = found.groups()
    year, month, day, hour, minute, second = (int(part) for part in whole)
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{text!r} is not a time: {error}", place=place, hint=hint) from None
    return from_datetime(moment) + int((fraction or "0").ljust(6, "0"))


def format_time(time_us: int) -> str:
    """RFC 3339 with `Z`; a fraction only where there is one."""
    moment = to_datetime(time_us)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment.year:04d}{text[text.index('-') :]}{fraction}Z"


def from_datetime(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    if moment.tzinfo is None:
        raise InputError(f"{moment!r} has no time zone", hint="pass an aware datetime in UTC")
    return (moment - _UNIX_EPOCH) // timedelta(microseconds=1)


def to_datetime(time_us: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return _UNIX_EPOCH + timedelta(microseconds=int(time_us))


def parse_duration(value: str | int | float, *, place: str | None = None) -> int:
    """Microseconds of `15s`, `4m`, `1h`, `1d`, `1w`, `250ms`, or a number of seconds.

    Raises:
        InputError: not a duration, or not above zero.
    """
    found = _DURATION.fullmatch(str(value).strip())
    hint = "write a number with ms, s, m, h, d or w, as 15s or 1h; a bare number is seconds"
    if isinstance(value, bool) or not found:
        raise InputError(f"{value!r} is not a duration", place=place, hint=hint)
    number, unit = found.groups()
    duration_us = round(float(number) * _UNIT_US[unit or "s"])
    if duration_us <= 0:
        raise InputError(f"{value!r} is not above zero", place=place, hint=hint)
    return duration_us


def format_duration(duration_us: int) -> str:
    """The shortest exact form, as `90s`, `4m` or `1d`."""
    for unit in ("w", "d", "h", "m", "s", "ms"):
        if duration_us % _UNIT_US[unit] == 0:
            return f"{duration_us // _UNIT_US[unit]}{unit}"
    return f"{duration_us / MICROSECONDS:.6f}".rstrip("0") + "s"


def julian_date(time_us: npt.NDArray[np.int64] | int) -> tuple[np.ndarray, np.ndarray]:
    """Julian date (UTC) split as `(jd, fraction)`: one float64 alone would cost 20 µs."""
    days, rest_us = np.divmod(np.asarray(time_us, dtype=np.int64), _UNIT_US["d"])
    return days + _UNIX_EPOCH_JD, rest_us / _UNIT_US["d"]


class TimeGrid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Equal steps over a half-open window: step k is at `start + k * step`, for k < count.

    Each step stands for the `step_us` microseconds that begin with it, so the count is the
    duration over the step, rounded up.
    """

    start_us: int
    step_us: int
    count: int

    @classmethod
    def over(cls, start_us: int, duration_us: int, step_us: int) -> TimeGrid:
        """The grid that covers a duration."""
        return cls(start_us=start_us, step_us=step_us, count=max(1, -(-duration_us // step_us)))

    @property
    def end_us(self) -> int:
        """The first instant after the window."""
        return self.start_us + self.count * self.step_us

    @property
    def step_s(self) -> float:
        return self.step_us / MICROSECONDS

    def times_us(self, first: int = 0, stop: int | None = None) -> npt.NDArray[np.int64]:
        """Instants of steps `first` to `stop` (exclusive): shape (n_time,), microseconds."""
        steps = np.arange(first, self.count if stop is None else stop, dtype=np.int64)
        return self.start_us + steps * self.step_us
