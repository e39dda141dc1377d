"""How far a position can be believed: from the track itself, and from what the network finds.

Levels, as rules demand them: 0 the terminal's own word; 1 a track that holds together; 2 the
network's own estimate agrees; 3 both, from an attested terminal. A jump that its class cannot make,
or two estimates that are further apart than both errors allow, take a fix down to 0. A smooth drift
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
from spotbeam.twin.trips.track import Track, legs_of

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


class Assuring(msgspec.Struct, frozen=True, kw_only=True):
    """What a track is held to.

    Attributes:
        noise_m: How far a good fix may be off in 95 of 100 cases; two fixes may be off against
            each other by their root sum of squares, and by `widen` times that in practice never.
        network_error_m: The same of the network's own estimate (assumption: a city's width, far
            worse than GNSS and not moved by whoever moves GNSS).
        widen: Times the 95 % radius within which noise stays: 3 leaves about one in 10^11 of a
            Gaussian's fixes outside in two dimensions.
        hold_s: After a jump, a fix that comes later than this is believed again, and none before.
        is_attested: Whether the terminal's own hardware vouches for its software.
    """

    noise_m: float = 30.0
    network_error_m: float = 2_000.0
    widen: float = 3.0
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
    return np.fmax(track.error_m, settings.noise_m)


def _plausible(track: Track, limit_kmh: float, settings: Assuring) -> npt.NDArray[np.bool_]:
    """Whether the terminal could have come here from the fix before, and none jumped just now."""
    legs, error_m = legs_of(track), _error_m(track, settings)
    # Noise moves a terminal at rest, too: only what it cannot explain is movement.
    noise_m = settings.widen * np.hypot(error_m[:-1], error_m[1:])
    jumped = legs.length_m > limit_kmh / 3.6 * legs.seconds + noise_m
    at_us = track.time_us[1:][jumped]
    if not len(at_us):
        return np.ones(len(track), dtype=bool)
    last = np.searchsorted(at_us, track.time_us, side="right") - 1
    since_us = track.time_us - at_us[np.maximum(last, 0)]
    return (last < 0) | (since_us > settings.hold_s * MICROSECONDS)
