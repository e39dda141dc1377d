"""Find which satellites each site sees, and which of them stands highest.

A satellite is in view where its true elevation is at or above the mask. Elevation is measured from
the plane at right angles to the normal of the WGS 84 ellipsoid at the site, height 0, without
refraction. In symbols, with `d` from site to satellite and `up` the normal, the sine of the
elevation is `d . up / |d|` (Vallado, Fundamentals of Astrodynamics, 4th edition, section 4.4).
A satellite whose position is NaN is never in view; its status, held elsewhere, says why.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.units import WGS84_ECCENTRICITY_SQUARED, WGS84_EQUATORIAL_RADIUS_KM

Floats = npt.NDArray[np.float64]

_PAIRS_AT_A_TIME = 2_000_000  # of the exact form: 16 MB an array


class Sites(NamedTuple):
    """Places on the ground, made ready to be looked up from: `prepare` builds it.

    Attributes:
        position_ecef_km: (n_site, 3), km, ECEF, on the WGS 84 ellipsoid.
        up_ecef: (n_site, 3), unit normals of the ellipsoid.
    """

    position_ecef_km: Floats
    up_ecef: Floats


class InView(NamedTuple):
    """What each site sees at each step.

    Attributes:
        n_in_view: uint16 (n_time, n_site), satellites in view.
        best: int32 (n_time, n_site), index of the highest satellite (the lowest index of equally
            high ones), -1 where there is none.
        elevation_max_deg: float32 (n_time, n_site), its elevation, NaN where there is none.
    """

    n_in_view: npt.NDArray[np.uint16]
    best: npt.NDArray[np.int32]
    elevation_max_deg: npt.NDArray[np.float32]


def prepare(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Sites:
    """Make places ready: geodetic latitude and longitude (n_site,), degrees, WGS 84, height 0.

    Any order will do.
    """
    lat = np.radians(np.asarray(lat_deg, dtype=np.float64).ravel())
    lon = np.radians(np.asarray(lon_deg, dtype=np.float64).ravel())
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    normal_km = WGS84_EQUATORIAL_RADIUS_KM / np.sqrt(
        1.0 - WGS84_ECCENTRICITY_SQUARED * up[:, 2] ** 2
    )
    position = normal_km[:, None] * up
    position[:, 2] *= 1.0 - WGS84_ECCENTRICITY_SQUARED
    return Sites(position, up)


def satellites_in_view(sites: Sites, position_ecef_km: Floats, min_elevation_deg: float) -> InView:
    """Count the satellites in view of every site at every step, and find the highest.

    Args:
        sites: From `prepare`.
        position_ecef_km: (n_time, n_sat, 3), km, ECEF; NaN where there is no position.
        min_elevation_deg: The mask, -5 to 90 degrees.
    """
    return satellites_in_view_exact(sites, position_ecef_km, min_elevation_deg)


def satellites_in_view_exact(
    sites: Sites, position_ecef_km: Floats, min_elevation_deg: float
) -> InView:
    """The same answer by looking at every pair in float64: slow, and the judge of the fast form."""
    n_time, n_sat, n_site = *position_ecef_km.shape[:2], len(sites.up_ecef)
    found = _nothing_in_view(n_time, n_site)
    sine_of_mask = np.sin(np.radians(min_elevation_deg))
    sites_at_a_time = max(1, _PAIRS_AT_A_TIME // max(1, n_sat))
    for step in range(n_time if n_sat else 0):
        for first in range(0, n_site, sites_at_a_time):
            here = slice(first, first + sites_at_a_time)
            sine = sine_of_elevation(
                sites.position_ecef_km[here, None], sites.up_ecef[here, None],
                position_ecef_km[step],
            )  # fmt: skip
            in_view = sine >= sine_of_mask
            best = np.where(in_view, sine, -np.inf).argmax(axis=1)
            any_in_view = in_view.any(axis=1)
            highest = sine[np.arange(len(best)), best]
            found.n_in_view[step, here] = in_view.sum(axis=1)
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


def _nothing_in_view(n_time: int, n_site: int) -> InView:
    return InView(
        np.zeros((n_time, n_site), dtype=np.uint16),
        np.full((n_time, n_site), -1, dtype=np.int32),
        np.full((n_time, n_site), np.nan, dtype=np.float32),
    )
