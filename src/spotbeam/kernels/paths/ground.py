"""Links between stations and satellites: who is in reach of whom, and how far."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class InReach(NamedTuple):
    """The pairs of stations and satellites that may talk.

    Attributes:
        offset: (n_station + 1,) int64, where each station's pairs begin.
        satellite: (n_pair,) int32, rising within a station.
        range_km: (n_pair,) float64.
    """

    offset: npt.NDArray[np.int64]
    satellite: npt.NDArray[np.int32]
    range_km: Floats


def in_reach(
    site_ecef_km: Floats,
    up_ecef: Floats,
    satellite_ecef_km: Floats,
    min_elevation_deg: npt.ArrayLike,
    max_range_km: float = math.inf,
) -> InReach:
    """All satellites at or above a mask and within a range, station by station.

    Args:
        site_ecef_km: (n_station, 3), km, ECEF.
        up_ecef: (n_station, 3), unit normals of the ellipsoid.
        satellite_ecef_km: (n_sat, 3), km, ECEF; NaN is in nobody's reach.
        min_elevation_deg: the mask, true elevation; one for all or one a station. -90 lets the
            range alone decide, as tools do that know no elevation.
        max_range_km: the longest link.
    """
    n = len(site_ecef_km)
    sine = np.sin(np.radians(np.broadcast_to(np.asarray(min_elevation_deg, float), (n,))))
    offset, satellite, range_km = _pairs(
        np.ascontiguousarray(site_ecef_km, dtype=np.float64),
        np.ascontiguousarray(up_ecef, dtype=np.float64),
        np.ascontiguousarray(satellite_ecef_km.T, dtype=np.float64),
        np.ascontiguousarray(sine),
        float(max_range_km) ** 2,
    )
    return InReach(offset, satellite, range_km)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _pairs(site: Any, up: Any, satellite: Any, sine: Any, max_square: float) -> Any:
    """The pairs; satellites come as rows of x, y and z, (3, n_sat)."""
    n, m = site.shape[0], satellite.shape[1]
    offset = np.zeros(n + 1, np.int64)
    found = np.empty(max(1024, 64 * n), np.int32)
    distance = np.empty(found.size, np.float64)
    passes = np.empty(m, np.bool_)
    n_found = 0
    for i in range(n):
        x, y, z = site[i, 0], site[i, 1], site[i, 2]
        ux, uy, uz = up[i, 0], up[i, 1], up[i, 2]
        s = sine[i]
        s2 = s * abs(s)
        for j in range(m):
            dx, dy, dz = satellite[0, j] - x, satellite[1, j] - y, satellite[2, j] - z
            square = dx * dx + dy * dy + dz * dz
            height = dx * ux + dy * uy + dz * uz
            # sin(elevation) >= sin(mask), squared with its sign; false for NaN.
            passes[j] = (height * abs(height) >= s2 * square) & (square <= max_square)
        if n_found + m > found.size:
            more = max(2 * found.size, n_found + m)
            longer, farther = np.empty(more, np.int32), np.empty(more, np.float64)
            longer[:n_found], farther[:n_found] = found[:n_found], distance[:n_found]
            found, distance = longer, farther
        for j in range(m):
            if passes[j]:
                dx, dy, dz = satellite[0, j] - x, satellite[1, j] - y, satellite[2, j] - z
                found[n_found] = j
                distance[n_found] = math.sqrt(dx * dx + dy * dy + dz * dz)
                n_found += 1
        offset[i + 1] = n_found
    return offset, found[:n_found].copy(), distance[:n_found].copy()
