"""Find which satellites each site sees, and which of them stands highest.

A satellite is in view where its true elevation is at or above the mask. Elevation is measured from
the plane at right angles to the normal of the WGS 84 ellipsoid at the site, height 0, without
refraction. In symbols, with `d` from site to satellite and `up` the normal, the sine of the
elevation is `d . up / |d|`.
A satellite whose position is NaN is never in view; its status, held elsewhere, says why.
"""

from __future__ import annotations

import numpy as np

from spotbeam.kernels.visibility.exact import (
    InView,
    nothing_in_view,
    satellites_in_view_exact,
    sine_of_elevation,
)
from spotbeam.kernels.visibility.fast import sweep
from spotbeam.kernels.visibility.grouping import Floats, Sites, prepare

__all__ = [
    "InView",
    "Sites",
    "prepare",
    "satellites_in_view",
    "satellites_in_view_exact",
    "sine_of_elevation",
]


def satellites_in_view(sites: Sites, position_ecef_km: Floats, min_elevation_deg: float) -> InView:
    """Count the satellites in view of every site at every step, and find the highest.

    One thread, without the interpreter's lock: split the steps to use more. The answer does not
    depend on how steps or sites are split, and is that of `satellites_in_view_exact`.

    Args:
        sites: From `prepare`.
        position_ecef_km: (n_time, n_sat, 3), km, ECEF; NaN where there is no position.
        min_elevation_deg: The mask, -90 to 90 degrees.
    """
    position = np.ascontiguousarray(position_ecef_km, dtype=np.float64)
    shape = (len(position), len(sites.up_ecef))
    if not position.size or sites.n_placed < shape[1]:
        found = nothing_in_view(*shape)
    else:  # every place will be written to
        found = InView(*(np.empty(shape, dtype) for dtype in (np.uint16, np.int32, np.float32)))
    if position.size and sites.n_placed:
        sweep(position, float(np.radians(min_elevation_deg)), *sites[2:], *found)
    return found
