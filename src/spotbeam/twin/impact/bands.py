"""Guard bands around cells' points, looked at in whole numbers, so that no machine differs.

A verdict asks which faces a disc touches, and works that out with sines. Here the disc is stood for
by points: 96 on its rim and on each of two circles within it, at whole multiples of 2^-20 of a
degree, and each point's face is exact. What is thinner than the gaps between them can be missed:
around Crimea's borders one disc of 5 km in two hundred touches one face more. Terminals, which an
edge decides, are never decided this way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spotbeam.land.territories import Ground
from spotbeam.service.compiled import Standing
from spotbeam.twin.impact.area import Floats
from spotbeam.units import WGS84_ECCENTRICITY_SQUARED, WGS84_EQUATORIAL_RADIUS_KM

_UNIT = 1 << 20  # to a degree
_STEPS = 96
_MOST_M = 2_000_000
_RINGS_PERCENT = (100, 67, 33)

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
        metres = min(round(guard_km * 1000.0), _MOST_M)
        if not metres:
            continue
        # Where a wider disc meets one face only, all points would; asking spares most of the work.
        index, wider = ground.touched(lat_deg, lon_deg, np.full(len(own), 1.05 * metres))
        near = np.flatnonzero(np.array([len(each) > 1 for each in wider], dtype=bool)[index])
        found = np.sort(_faces_near(ground, lat_deg[near], lon_deg[near], own[near], metres), 1)
        mixed = found[:, 0] != found[:, -1]
        members = [tuple(dict.fromkeys(row)) for row in found[mixed].tolist()]
        number = {each: n for n, each in enumerate(dict.fromkeys(members))}
        place = np.array([number[each] for each in members], dtype=np.int32)
        touched[near[mixed], column] = place + (n_faces + len(sets))
        sets.extend(number)
    return Standing(own, touched, sets)


def _faces_near(
    ground: Ground, lat_deg: Floats, lon_deg: Floats, own: npt.NDArray[np.int32], metres: int
) -> npt.NDArray[np.int32]:
    """The face of each point itself and of the points around it, shape (n, 1 + 96 * 3)."""
    lat = np.round(lat_deg * _UNIT).astype(np.int64)
    lon = np.round(lon_deg * _UNIT).astype(np.int64)
    north_m, east_m = _between(NORTH_M, lat), _between(EAST_M, lat)
    found = [own]
    for percent in _RINGS_PERCENT:
        reach = metres * percent * _UNIT // 100
        for step in range(_STEPS):
            at_lat = lat + reach * SINES[step] // (1_000_000 * north_m)
            at_lon = lon + reach * SINES[(step + _STEPS // 4) % _STEPS] // (1_000_000 * east_m)
            at_lat = np.clip(at_lat, -90 * _UNIT, 90 * _UNIT)
            found.append(ground.locate(at_lat / _UNIT, at_lon / _UNIT))
    return np.stack(found, axis=1)


def _between(table: Ints, lat: Ints) -> Ints:
    """A table by whole degrees at latitudes in 2^-20 degrees, straight between its entries."""
    degree, rest = np.divmod(np.minimum(np.abs(lat), 90 * _UNIT), _UNIT)
    value: Ints = (table[degree] * (_UNIT - rest) + table[degree + 1] * rest) // _UNIT
    return value


def _metres_per_degree(latitude_deg: int) -> tuple[int, int]:
    """Of latitude and of longitude, on WGS 84; not less than 100 m, so that nothing is infinite."""
    sine = math.sin(math.radians(latitude_deg))
    bend = 1.0 - WGS84_ECCENTRICITY_SQUARED * sine * sine
    radius_m = WGS84_EQUATORIAL_RADIUS_KM * 1000.0 / math.sqrt(bend)
    north = math.radians(radius_m * (1.0 - WGS84_ECCENTRICITY_SQUARED) / bend)
    east = math.radians(radius_m * math.cos(math.radians(latitude_deg)))
    return round(north), max(100, round(east))


# Whole numbers from sines: a test holds them, so that they are the same everywhere.
SINES = tuple(round(1e6 * math.sin(2.0 * math.pi * step / _STEPS)) for step in range(_STEPS))
_TABLE = [_metres_per_degree(min(angle, 90)) for angle in range(92)]
NORTH_M: Ints = np.array([north for north, _ in _TABLE], dtype=np.int64)
EAST_M: Ints = np.array([east for _, east in _TABLE], dtype=np.int64)
