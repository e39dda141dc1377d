"""A track: fixes of one terminal, and where it was at the seconds between them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from pyproj import Geod

from spotbeam.errors import InputError
from spotbeam.times import MICROSECONDS, format_time

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_WGS84 = Geod(ellps="WGS84")
_ESTIMATE = ("network_lat_deg", "network_lon_deg")


class Track(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Fixes in order of time; every array has shape (n_fix,), NaN where a fix does not say.

    Attributes:
        time_us: Rising, microseconds since 1970 UTC.
        altitude_m: Above the ground.
        speed_kmh: As the terminal reports it.
        error_m: Radius of the disc that holds the true position with 95 % probability.
        network_lat_deg, network_lon_deg: Where the network itself finds the terminal.
    """

    name: str
    time_us: Ints
    lat_deg: Floats
    lon_deg: Floats
    altitude_m: Floats
    speed_kmh: Floats
    error_m: Floats
    network_lat_deg: Floats
    network_lon_deg: Floats

    def __len__(self) -> int:
        return len(self.time_us)


class Legs(NamedTuple):
    """Between each fix and the next: (n_fix - 1,)."""

    azimuth_deg: Floats
    length_m: Floats
    seconds: Floats

    @property
    def speed_kmh(self) -> Floats:
        """What it takes to get from one fix to the next."""
        return 3.6 * self.length_m / self.seconds


class Moving(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Where a terminal was at each step, (n_step,); NaN where nobody knows.

    Attributes:
        fix: The last fix at or before each step.
    """

    time_us: Ints
    lat_deg: Floats
    lon_deg: Floats
    altitude_m: Floats
    speed_kmh: Floats
    error_m: Floats
    fix: Ints


def check_track(track: Track, place: str) -> Track:
    """A track that can be followed.

    Raises:
        InputError: It has fewer than two fixes, they are not in order of time, or one has half an
            estimate of the network's.
    """
    if len(track) < 2:
        raise InputError(
            f"has {counted(len(track), 'fix')}",
            place=place,
            hint="a trip needs two, each with its time",
        )
    back = np.flatnonzero(np.diff(track.time_us) <= 0)
    if len(back):
        at = int(back[0])
        raise InputError(
            f"fix {at + 2} ({format_time(int(track.time_us[at + 1]))}) is not later than the one "
            f"before it ({format_time(int(track.time_us[at]))})",
            place=place,
            hint="sort the fixes by time, and take out repeats",
        )
    half = np.flatnonzero(np.isnan(track.network_lat_deg) != np.isnan(track.network_lon_deg))
    if len(half):
        at = int(half[0])
        given = "lon" if np.isnan(track.network_lat_deg[at]) else "lat"
        refuse_half({f"network_{given}_deg"}, f"{place}, fix {at + 1}")
    return track


def refuse_half(given: Collection[str], place: str) -> None:
    """The network's estimate is a latitude and a longitude, or it is none.

    Raises:
        InputError: `given` has the name of one of them.
    """
    for one, other in (_ESTIMATE, _ESTIMATE[::-1]):
        if one in given and other not in given:
            raise InputError(
                f"is missing beside {one}", place=f"{place}, {other}", hint="give both or neither"
            )


def counted(number: int, noun: str) -> str:
    """A number with its noun, as `1 step` and `2,000 steps`."""
    plural = f"{noun}es" if noun.endswith("x") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def legs_of(track: Track) -> Legs:
    """Geodesics on WGS 84 between fixes: Karney, J. Geodesy 87 (2013), as in PROJ."""
    lon, lat = track.lon_deg, track.lat_deg
    azimuth, _, length = _WGS84.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    seconds = np.diff(track.time_us) / MICROSECONDS
    return Legs(np.asarray(azimuth), np.asarray(length), seconds)


def sampled(track: Track, step_us: int, longest_gap_us: int) -> Moving:
    """Where the terminal was at each step: along the geodesic between two fixes.

    Args:
        track: The fixes.
        step_us: From one step to the next.
        longest_gap_us: Between fixes that are further apart, nobody knows where it was.
    """
    times_us = np.arange(track.time_us[0], track.time_us[-1] + 1, step_us, dtype=np.int64)
    return located(track, times_us, longest_gap_us)


def located(track: Track, times_us: Ints, longest_gap_us: int) -> Moving:
    """Where the terminal was at these times, none of them before or after the track."""
    legs = legs_of(track)
    fix = np.searchsorted(track.time_us, times_us, side="right") - 1
    leg = np.minimum(fix, len(track) - 2)
    span_us = np.diff(track.time_us)[leg]
    along = (times_us - track.time_us[leg]) / span_us
    lon, lat, _ = _WGS84.fwd(
        track.lon_deg[leg], track.lat_deg[leg], legs.azimuth_deg[leg], legs.length_m[leg] * along
    )
    is_known = (span_us <= longest_gap_us) | (times_us == track.time_us[fix])
    # A terminal's own word on its speed counts where it gives one.
    speed = np.where(np.isnan(track.speed_kmh[fix]), legs.speed_kmh[leg], track.speed_kmh[fix])
    return Moving(
        time_us=times_us,
        lat_deg=np.where(is_known, lat, np.nan),
        lon_deg=np.where(is_known, lon, np.nan),
        altitude_m=_between(track.altitude_m, leg, along),
        speed_kmh=np.where(is_known, speed, np.nan),
        error_m=np.nan_to_num(track.error_m[fix], nan=0.0),
        fix=fix,
    )


def _between(values: Floats, leg: Ints, along: Floats) -> Floats:
    """Linear between two fixes; as the one says where the other does not; 0 where neither does."""
    first, second = values[leg], values[np.minimum(leg + 1, len(values) - 1)]
    mixed = first + (second - first) * along
    alone = np.where(np.isnan(first), second, first)
    return np.nan_to_num(np.where(np.isnan(mixed), alone, mixed), nan=0.0)
