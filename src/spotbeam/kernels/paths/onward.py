"""The least delay onward from many places, where the delay from every satellite is known."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths.compiled import UNREACHABLE_NS
from spotbeam.kernels.visibility.grouping import Sites

Floats = npt.NDArray[np.float64]
Delays = npt.NDArray[np.int32]

_MARGIN_RAD = math.radians(0.3)  # the ellipsoid's normal leans 0.19 degrees from its centre's


def onward_ns(
    sites: Sites,
    kind: npt.NDArray[np.int64],
    satellite_ecef_km: Floats,
    until_ecef_km: Floats,
    onward: Delays,
    min_elevation_deg: float,
    max_range_km: float,
    ns_per_km: float,
    *,
    wanted: npt.NDArray[np.bool_] | None = None,
) -> Delays:
    """Least of the delay up to a satellite and onward from it, over all that a place can use.

    A satellite can be used if it is at or above the mask and within the range at both moments.

    Args:
        sites: From `visibility.prepare`.
        kind: (n_site,), which row of `onward` counts for each place.
        satellite_ecef_km: (n_sat, 3), km, ECEF, now; NaN for none.
        until_ecef_km: (n_sat, 3), at the other moment.
        onward: (n_kind, n_sat) int32, ns; `UNREACHABLE_NS` where there is no way on.
        min_elevation_deg: the mask.
        max_range_km: the longest ground link.
        ns_per_km: delay of a kilometre.
        wanted: (n_site,), places to look at; all, if left out.

    Returns:
        (n_site,) int32, ns; `UNREACHABLE_NS` where there is no way, or a place is not wanted.
    """
    found = np.full(len(sites.up_ecef), UNREACHABLE_NS, dtype=np.int32)
    if wanted is None:
        wanted = np.ones(len(found), dtype=np.bool_)
    leads = np.flatnonzero((onward < UNREACHABLE_NS).any(axis=0))
    if leads.size and sites.n_placed:
        _onward(
            sites.order[: sites.n_placed],
            sites.spots,
            np.ascontiguousarray(kind),
            np.ascontiguousarray(satellite_ecef_km[leads]),
            np.ascontiguousarray(until_ecef_km[leads]),
            np.ascontiguousarray(onward[:, leads]),
            math.radians(min_elevation_deg),
            float(max_range_km) ** 2,
            float(ns_per_km),
            np.ascontiguousarray(wanted),
            found,
        )
    return found


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _onward(
    order: Any, spots: Any, kind: Any, now: Any, until: Any, onward: Any, mask_rad: float,
    max_square: float, ns_per_km: float, wanted: Any, found: Any,
) -> None:  # fmt: skip
    n_group, n_lane, n_sat = spots.shape[0], spots.shape[2], now.shape[0]
    sine = math.sin(mask_rad)
    s2 = sine * abs(sine)
    near = np.empty(n_sat, np.int64)
    for group in range(n_group):
        is_wanted = False
        for at in range(group * n_lane, min((group + 1) * n_lane, order.size)):
            is_wanted |= wanted[order[at]]
        if not is_wanted:
            continue
        # The group's middle, and the widest angle from it at which a site may be.
        cx, cy, cz = spots[group, 0].mean(), spots[group, 1].mean(), spots[group, 2].mean()
        length = math.sqrt(cx * cx + cy * cy + cz * cz)
        cx, cy, cz = cx / length, cy / length, cz / length
        wide = 1.0
        for lane in range(n_lane):
            x, y, z = spots[group, 0, lane], spots[group, 1, lane], spots[group, 2, lane]
            wide = min(wide, (x * cx + y * cy + z * cz) / math.sqrt(x * x + y * y + z * z))
        width = math.acos(max(-1.0, wide))
        n_near = 0
        for s in range(n_sat):
            x, y, z = now[s, 0], now[s, 1], now[s, 2]
            r = math.sqrt(x * x + y * y + z * z)
            # The mask's edge on a sphere of the polar radius, as seen from the centre.
            ratio = min(1.0, 6356.752 * math.cos(mask_rad) / r)
            reach = math.acos(ratio) - mask_rad + width + _MARGIN_RAD
            if reach >= math.pi or x * cx + y * cy + z * cz >= r * math.cos(reach):
                near[n_near] = s
                n_near += 1
        for lane in range(n_lane):
            at = group * n_lane + lane
            if at >= order.size:
                break
            site = order[at]
            if not wanted[site]:
                continue
            x, y, z = spots[group, 0, lane], spots[group, 1, lane], spots[group, 2, lane]
            ux, uy, uz = spots[group, 3, lane], spots[group, 4, lane], spots[group, 5, lane]
            row = kind[site]
            least = found[site]
            for k in range(n_near):
                s = near[k]
                dx, dy, dz = now[s, 0] - x, now[s, 1] - y, now[s, 2] - z
                square = dx * dx + dy * dy + dz * dz
                height = dx * ux + dy * uy + dz * uz
                if not (height * abs(height) >= s2 * square and square <= max_square):
                    continue
                total = onward[row, s] + np.int64(np.rint(math.sqrt(square) * ns_per_km))
                if total >= least:
                    continue
                dx, dy, dz = until[s, 0] - x, until[s, 1] - y, until[s, 2] - z
                square = dx * dx + dy * dy + dz * dz
                height = dx * ux + dy * uy + dz * uz
                if height * abs(height) >= s2 * square and square <= max_square:
                    least = total
            found[site] = least
