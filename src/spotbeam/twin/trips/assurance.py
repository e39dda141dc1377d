"""How far a position can be believed: from the track itself, and from what the network finds.

Levels, as rules demand them: 0 the terminal's own word; 1 a track that holds together; 2 the
network's own estimate agrees; 3 both, from an attested terminal. A jump that its class cannot make
at once or over a window of time, or two estimates that are further apart than both errors allow,
take a fix down to 0. A smooth drift
that keeps within the class's speed shows only against the network: without an estimate of it,
level 1 is all that a track can have.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec
import numpy as np
import numpy.typing as npt
from pyproj import Geod

from spotbeam.service.terminals import Mobility
from spotbeam.times import MICROSECONDS
from spotbeam.twin.trips.track import Track

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_WGS84 = Geod(ellps="WGS84")
CLASS_SPEED_KMH: Mapping[Mobility, float] = MappingProxyType(
    {
        Mobility.FIXED: 5.0,
        Mobility.PORTABLE: 200.0,
        Mobility.LAND: 250.0,
        Mobility.MARITIME: 130.0,
        Mobility.AERO: 1_300.0,
        Mobility.UNCREWED: 400.0,
    }
)
"""Assumption: faster than any vehicle of the class in ordinary service."""
MOST_EXCUSED_M = 1_000.0
"""The most that a fix's own error excuses: it is the suspect's own word, and must not buy a place
elsewhere. A receiver that knows no better than this (a good one: 30 m) has none to believe."""
_FIRST_LOOK = 4
"""Fixes looked at together after a jump; each later look takes in twice as many."""


class Assuring(msgspec.Struct, frozen=True, kw_only=True):
    """What a track is held to.

    Attributes:
        noise_m: How far a good fix may be off in 95 of 100 cases; two fixes may be off against
            each other by their root sum of squares, and by `widen` times that in practice never.
        most_excused_m: Where a fix states a larger error, this counts in its place.
        network_error_m: The same of the network's own estimate (assumption: a city's width, far
            worse than GNSS and not moved by whoever moves GNSS).
        widen: Times the 95 % radius within which noise stays: 3 leaves about one in 10^11 of a
            Gaussian's fixes outside in two dimensions.
        windows_s: Each fix is held to the class's speed from the fix before it, and from the last
            one that is at least so much older, or the first: noise counts once in each, so what it
            excuses from one fix to the next does not add up.
        hold_s: After a jump, a fix that comes later than this is believed again, and none before.
        is_attested: Whether the terminal's own hardware vouches for its software.
    """

    noise_m: float = 30.0
    most_excused_m: float = MOST_EXCUSED_M
    network_error_m: float = 2_000.0
    widen: float = 3.0
    windows_s: tuple[float, ...] = (10.0, 60.0, 600.0)
    hold_s: float = 60.0
    is_attested: bool = False


def assurance(
    track: Track, mobility: Mobility, settings: Assuring | None = None
) -> npt.NDArray[np.int64]:
    """The level of each fix, (n_fix,): it lasts until the next, since nothing is known between.

    Args:
        track: The fixes.
        mobility: The terminal's class.
        settings: Other limits.
    """
    given = settings or Assuring()
    holds_together = _plausible(track, CLASS_SPEED_KMH[mobility], given)
    known = ~np.isnan(track.network_lat_deg) & ~np.isnan(track.network_lon_deg)
    apart_m = np.full(len(track), np.nan)
    if known.any():
        _, _, found = _WGS84.inv(
            track.lon_deg[known],
            track.lat_deg[known],
            track.network_lon_deg[known],
            track.network_lat_deg[known],
        )
        apart_m[known] = found
    error_m = np.hypot(_error_m(track, given), given.network_error_m)
    agrees = known & (apart_m <= given.widen * error_m)
    level = np.where(holds_together, 1, 0)
    level = np.where(holds_together & agrees, 3 if given.is_attested else 2, level)
    return np.where(known & ~agrees, 0, level)


def _error_m(track: Track, settings: Assuring) -> npt.NDArray[np.float64]:
    """What counts as each fix's own error: `noise_m` at least, `most_excused_m` of its word."""
    # Not fmin: where a fix states no error there is no word to take, and NaN must stay.
    return np.fmax(np.minimum(track.error_m, settings.most_excused_m), settings.noise_m)


def _plausible(track: Track, limit_kmh: float, settings: Assuring) -> Bools:
    """Whether the terminal could have come here from the fixes before, and none jumped just now."""
    at_us = track.time_us[_jumps(track, limit_kmh, settings)]
    if not len(at_us):
        return np.ones(len(track), dtype=bool)
    last = np.searchsorted(at_us, track.time_us, side="right") - 1
    since_us = track.time_us - at_us[np.maximum(last, 0)]
    return (last < 0) | (since_us > settings.hold_s * MICROSECONDS)


def _jumps(track: Track, limit_kmh: float, settings: Assuring) -> Ints:
    """The fixes that cannot be reached from an earlier one, no earlier than the jump before."""
    every, error_m = np.arange(len(track)), _error_m(track, settings)
    before = np.stack(
        [every - 1, *(_older(track.time_us, window_s) for window_s in settings.windows_s)]
    )
    found: list[int] = []
    # Windows begin anew at a jump: one that is known would else be found again in every window
    # across it, and keep an honest terminal out for as long as the longest.
    start, done, look = 0, 1, _FIRST_LOOK
    while done < len(track):
        fixes = every[done : done + look]
        earlier = np.maximum(before[:, fixes], start)
        jumped = _out_of_reach(track, error_m, earlier, fixes, limit_kmh, settings.widen)
        if jumped.any():
            start = int(fixes[np.argmax(jumped)])
            found.append(start)
            done, look = start + 1, _FIRST_LOOK
        else:
            done, look = done + look, 2 * look
    return np.array(found, dtype=np.int64)


def _older(time_us: Ints, window_s: float) -> Ints:
    """The last fix at least so much older than each; -1 where none is."""
    return np.searchsorted(time_us, time_us - round(window_s * MICROSECONDS), side="right") - 1


def _out_of_reach(
    track: Track,
    error_m: npt.NDArray[np.float64],
    earlier: Ints,
    fixes: Ints,
    limit_kmh: float,
    widen: float,
) -> Bools:
    """Whether each fix is too far from any of its `earlier`, (n_earlier, n_fix), for its class."""
    then, now = earlier.ravel(), np.broadcast_to(fixes, earlier.shape).ravel()
    _, _, length_m = _WGS84.inv(
        track.lon_deg[then], track.lat_deg[then], track.lon_deg[now], track.lat_deg[now]
    )
    seconds = (track.time_us[now] - track.time_us[then]) / MICROSECONDS
    # Noise moves a terminal at rest, too: only what it cannot explain is movement.
    noise_m = widen * np.hypot(error_m[then], error_m[now])
    too_far = np.asarray(length_m) > limit_kmh / 3.6 * seconds + noise_m
    return np.asarray(too_far.reshape(earlier.shape).any(axis=0))
