"""Walk along next hops and measure the way."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths.compiled import DOWN

Floats = npt.NDArray[np.float64]


def path_lengths_km(
    satellite_hop: npt.NDArray[np.int32],
    station_hop: npt.NDArray[np.int32],
    origin_ecef_km: Floats,
    end_ecef_km: Floats,
    satellite_ecef_km: Floats,
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """How long the way of every pair of stations is, where the satellites are now.

    Args:
        satellite_hop: (n_end, n_sat), as in `Hops`.
        station_hop: (n_origin, n_end), as in `Hops`.
        origin_ecef_km: (n_origin, 3).
        end_ecef_km: (n_end, 3).
        satellite_ecef_km: (n_sat, 3).

    Returns:
        Lengths (n_origin, n_end), km, up, across and down; NaN where there is no way. How many
        satellites are on it, 0 for none.
    """
    length_km, satellites = _measure(
        satellite_hop,
        station_hop,
        np.ascontiguousarray(origin_ecef_km),
        np.ascontiguousarray(end_ecef_km),
        np.ascontiguousarray(satellite_ecef_km),
    )
    return length_km, satellites


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _measure(satellite_hop: Any, station_hop: Any, origin: Any, end: Any, satellite: Any) -> Any:
    n, m = station_hop.shape
    length = np.full((n, m), np.nan)
    count = np.zeros((n, m), np.int32)
    for i in range(n):
        for j in range(m):
            at = station_hop[i, j]
            if at < 0:
                continue
            total = _apart(origin, i, satellite, at)
            passed = 1
            while satellite_hop[j, at] != DOWN:
                towards = satellite_hop[j, at]
                total += _apart(satellite, at, satellite, towards)
                at = towards
                passed += 1
            length[i, j] = total + _apart(satellite, at, end, j)
            count[i, j] = passed
    return length, count


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _apart(one: Any, i: int, other: Any, j: int) -> float:
    x, y, z = one[i, 0] - other[j, 0], one[i, 1] - other[j, 1], one[i, 2] - other[j, 2]
    return float(np.sqrt(x * x + y * y + z * z))
