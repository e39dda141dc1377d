"""The obvious form: look at every pair, in float64."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.kernels.visibility.grouping import Floats, Sites

_PAIRS_AT_A_TIME = 2_000_000  # 16 MB an array


class InView(NamedTuple):
    """What each site sees at each step.

    Attributes:
        n_in_view: uint16 (n_time, n_site), satellites in view; 65,535 also stands for more.
        best: int32 (n_time, n_site), index of the highest satellite in view (the lowest index of
            equally high ones), -1 where there is none.
        elevation_max_deg: float32 (n_time, n_site), its elevation, NaN where there is none.
    """

    n_in_view: npt.NDArray[np.uint16]
    best: npt.NDArray[np.int32]
    elevation_max_deg: npt.NDArray[np.float32]


def satellites_in_view_exact(
    sites: Sites, position_ecef_km: Floats, min_elevation_deg: float
) -> InView:
    """The answer of `satellites_in_view` by looking at every pair: slow, and the judge of it."""
    n_time, n_sat, n_site = *position_ecef_km.shape[:2], len(sites.up_ecef)
    found = nothing_in_view(n_time, n_site)
    sine_of_mask = np.sin(np.radians(min_elevation_deg))
    sites_at_a_time = max(1, _PAIRS_AT_A_TIME // max(1, n_sat))
    for step in range(n_time if n_sat else 0):
        for first in range(0, n_site, sites_at_a_time):
            here = slice(first, first + sites_at_a_time)
            sine = sine_of_elevation(
                sites.position_ecef_km[here, None],
                sites.up_ecef[here, None],
                position_ecef_km[step],
            )
            in_view = sine >= sine_of_mask
            best = np.where(in_view, sine, -np.inf).argmax(axis=1)
            any_in_view = in_view.any(axis=1)
            highest = sine[np.arange(len(best)), best]
            found.n_in_view[step, here] = np.minimum(in_view.sum(axis=1), 65535)
            found.best[step, here] = np.where(any_in_view, best, -1)
            found.elevation_max_deg[step, here] = np.where(
                any_in_view, np.degrees(np.arcsin(np.clip(highest, -1.0, 1.0))), np.nan
            )
    return found


def sine_of_elevation(site_ecef_km: Floats, up_ecef: Floats, target_ecef_km: Floats) -> Floats:
    """Sine of the true elevation of targets; shapes (..., 3) broadcast against each other."""
    dx, dy, dz = (target_ecef_km[..., axis] - site_ecef_km[..., axis] for axis in range(3))
    height = dx * up_ecef[..., 0] + dy * up_ecef[..., 1] + dz * up_ecef[..., 2]
    with np.errstate(invalid="ignore"):  # NaN positions, and a target that is the site itself
        return np.asarray(height / np.sqrt(dx * dx + dy * dy + dz * dz))


def nothing_in_view(n_time: int, n_site: int) -> InView:
    """An answer to be filled in."""
    return InView(
        np.zeros((n_time, n_site), dtype=np.uint16),
        np.full((n_time, n_site), -1, dtype=np.int32),
        np.full((n_time, n_site), np.nan, dtype=np.float32),
    )
