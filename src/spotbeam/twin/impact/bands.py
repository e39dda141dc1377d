"""Guard bands around cells' points, looked at in whole numbers, so that no machine differs.

A verdict asks which faces a disc touches, and works that out with sines. Here the disc is stood for
by points: 24 on its rim and 12 at half its radius, at whole multiples of 2^-20 of a degree, and
each point's face is exact. What is thinner than the gaps between them, an eighth of the radius on
the rim, can be missed; terminals, which the edge decides, are never decided this way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spotbeam.land.territories import Ground
from spotbeam.service.compiled import Standing
from spotbeam.twin.impact.area import Floats

_UNIT = 1 << 20  # to a degree
_METRES_PER_DEGREE = 111_195  # of a great circle on the mean sphere
# Sines of every 15 degrees, and cosines of every whole one, in millionths.
_SINES = (0, 258_819, 500_000, 707_107, 866_025, 965_926, 1_000_000)
_COSINES = tuple(round(1e6 * math.cos(math.radians(angle))) for angle in range(91))

Ints = npt.NDArray[np.int64]


def standing_in_bands(
    ground: Ground, guards_km: Sequence[float], lat_deg: Floats, lon_deg: Floats
) -> Standing:
    """On what ground points stand, with guard bands.

    Args:
        ground: Whose faces.
        guards_km: Guard widths, smallest first; 0 is the point alone.
        lat_deg, lon_deg: Points at whole multiples of 2^-20 degrees, shape (n,).
    """
    own = np.ascontiguousarray(ground.locate(lat_deg, lon_deg), dtype=np.int32)
    touched = np.empty((len(own), len(guards_km)), dtype=np.int32)
    n_faces = len(ground.face_territories)
    sets: list[Sequence[int]] = []
    for column, guard_km in enumerate(guards_km):
        touched[:, column] = own
        metres = round(guard_km * 1000.0)
        if not metres:
            continue
        near = _faces_near(ground, lat_deg, lon_deg, own, metres)
        mixed = np.flatnonzero((near != own[:, None]).any(axis=1))
        unique, index = np.unique(np.sort(near[mixed], axis=1), axis=0, return_inverse=True)
        touched[mixed, column] = index.reshape(-1) + (n_faces + len(sets))
        sets.extend(tuple(np.unique(row).tolist()) for row in unique)
    return Standing(own, touched, sets)


def _faces_near(
    ground: Ground, lat_deg: Floats, lon_deg: Floats, own: npt.NDArray[np.int32], metres: int
) -> npt.NDArray[np.int32]:
    """The face of each point itself and of the points around it, shape (n, 37)."""
    lat = np.round(lat_deg * _UNIT).astype(np.int64)
    lon = np.round(lon_deg * _UNIT).astype(np.int64)
    found = [own]
    for radius, steps in ((metres, range(24)), (metres // 2, range(0, 24, 2))):
        reach = radius * _UNIT // _METRES_PER_DEGREE
        for step in steps:
            north = reach * _sine(step) // 1_000_000
            east = reach * _sine(step + 6)
            at_lat = np.clip(lat + north, -90 * _UNIT, 90 * _UNIT)
            at_lon = lon + east // _cosine(lat)
            found.append(ground.locate(at_lat / _UNIT, at_lon / _UNIT))
    return np.stack(found, axis=1)


def _sine(step: int) -> int:
    """The sine of so many times 15 degrees, in millionths."""
    step %= 24
    sign = -1 if step >= 12 else 1
    quarter = step % 12
    return sign * _SINES[quarter if quarter <= 6 else 12 - quarter]


def _cosine(lat: Ints) -> Ints:
    """The cosine of latitudes in 2^-20 degrees, in millionths, straight between whole degrees."""
    table = np.array((*_COSINES, 0), dtype=np.int64)
    degree, rest = np.divmod(np.minimum(np.abs(lat), 90 * _UNIT), _UNIT)
    value = (table[degree] * (_UNIT - rest) + table[degree + 1] * rest) // _UNIT
    bounded: Ints = np.maximum(value, 1_000)  # nothing divides by zero at a pole
    return bounded
