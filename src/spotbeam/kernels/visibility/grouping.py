"""Sites sorted into compact groups of neighbours, so that each group needs few satellites."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spotbeam.kernels.frames import geodetic_to_ecef_km, up_ecef
from spotbeam.kernels.visibility.fast import FAN, GROUP_SITES
from spotbeam.units import WGS84_ECCENTRICITY_SQUARED, WGS84_EQUATORIAL_RADIUS_KM

Floats = npt.NDArray[np.float64]

_GROUPS_AT_A_TIME = 4096  # keeps what is needed on the way under 100 MB


class Sites(NamedTuple):
    """Places on the ground, made ready to be looked up from: `prepare` builds it.

    The last group is filled up by repeating its last site.

    Attributes:
        position_ecef_km: (n_site, 3), km, ECEF, on the WGS 84 ellipsoid; in the caller's order.
        up_ecef: (n_site, 3), unit normals of the ellipsoid; in the caller's order.
        order: (n_group * 64,), which site stands where in the groups; sites whose place is NaN are
            in none.
        n_placed: how many of `order` are sites, the rest filling up the last group.
        lanes: float32 (n_group, 6, 64): normals, then sites from their group's origin, km.
        spots: (n_group, 6, 64): position_ecef_km and up_ecef again, by group.
        groups: (n_group, 20), what `_describe` says.
        patches: (n_patch, 5), caps around 8 groups: axis, cosine and sine of the radius.
        districts: (n_district, 5), caps around 8 patches.
        regions: (n_region, 5), caps around 8 districts.
    """

    position_ecef_km: Floats
    up_ecef: Floats
    order: npt.NDArray[np.int64]
    n_placed: int
    lanes: npt.NDArray[np.float32]
    spots: Floats
    groups: Floats
    patches: Floats
    districts: Floats
    regions: Floats


def prepare(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Sites:
    """Make places ready: geodetic latitude and longitude (n_site,), degrees, WGS 84, height 0.

    Any order will do. A place that is NaN sees nothing. Takes 0.6 s for the 288,122 cells of H3
    resolution 4.
    """
    lat, lon = (np.asarray(a, dtype=np.float64).ravel() for a in (lat_deg, lon_deg))
    position, up = geodetic_to_ecef_km(lat, lon), up_ecef(lat, lon)
    order = _by_neighbourhood(position, np.flatnonzero(np.isfinite(position).all(axis=1)))
    padded = np.concatenate([order, np.repeat(order[-1:], -len(order) % GROUP_SITES)])
    by_group = padded.reshape(-1, GROUP_SITES)
    groups = np.empty((len(by_group), 20))
    lanes = np.empty((len(by_group), 6, GROUP_SITES), dtype=np.float32)
    spots = np.empty((len(by_group), 6, GROUP_SITES))
    for first in range(0, len(by_group), _GROUPS_AT_A_TIME):
        some = slice(first, first + _GROUPS_AT_A_TIME)
        spots[some, :3] = position[by_group[some]].transpose(0, 2, 1)
        spots[some, 3:] = up[by_group[some]].transpose(0, 2, 1)
        _describe(position[by_group[some]], up[by_group[some]], groups[some], lanes[some])
    caps = [_caps(position[order], GROUP_SITES * FAN**level) for level in (1, 2, 3)]
    return Sites(position, up, padded, len(order), lanes, spots, groups, *caps)


def _by_neighbourhood(
    position_ecef_km: Floats, order: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """An order in which the sites of every group, patch, district and region lie close together.

    Halves are split across their longest side, where groups (patches, ...) begin.
    """
    waiting = [(0, len(order))]
    while waiting:
        first, end = waiting.pop()
        if end - first <= GROUP_SITES:
            continue
        unit = GROUP_SITES
        while unit * FAN < end - first and unit < GROUP_SITES * FAN**3:
            unit *= FAN
        middle = unit * max(1, round((end - first) / unit / 2))
        here = position_ecef_km[order[first:end]]
        along = here[:, np.argmax(np.ptp(here, axis=0))]
        order[first:end] = order[first:end][np.argpartition(along, middle)]
        waiting += [(first, first + middle), (first + middle, end)]
    return order


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-9, vectors / np.maximum(length, 1e-9), [1.0, 0.0, 0.0])


def _caps(position_ecef_km: Floats, size: int) -> Floats:
    """Caps around runs of sites, seen from the Earth's centre: axis, cosine and sine of radius."""
    starts = range(0, len(position_ecef_km), size)
    caps = np.empty((len(starts), 5))
    for row, first in zip(caps, starts, strict=True):
        directions = _unit(position_ecef_km[first : first + size])
        row[:3] = _unit(directions.mean(axis=0))
        radius = np.arccos(np.clip(directions @ row[:3], -1.0, 1.0)).max() + 1e-6
        row[3:] = np.cos(radius), np.sin(radius)
    return caps


def _describe(position: Floats, up: Floats, groups: Floats, lanes: npt.NDArray[np.float32]) -> None:
    """The sphere that fits each group, and its sites from the group's origin.

    The fitting sphere has the ellipsoid's prime-vertical radius N and touches it where the group's
    mean normal stands: as z = N (1 - e^2) sin(latitude) on the ellipsoid, the sphere's centre lies
    on the Earth's axis, e^2 N sin(latitude) south of the Earth's.

    Args:
        position: (n_group, 64, 3), km, ECEF.
        up: (n_group, 64, 3).
        groups: (n_group, 20), written. 0-2 normal at the origin, 3-5 east, 6-8 north, 9 N (km),
            10 1 - cos(radius), 11 N times that (km), 12 and 13 cosine and sine of the radius as
            seen from the sphere's centre, 14 largest tilt of a site's normal from the sphere's
            (radians), 15 largest distance of a site from the sphere's point below it (km), 16
            largest distance of a site from the origin (km), 17-19 origin (km, ECEF).
        lanes: (n_group, 6, 64), written; as in `Sites`.
    """
    normal = _unit(up.mean(axis=1))
    east = _unit(np.cross([0.0, 0.0, 1.0], normal))
    # Where the axis pierces the group, any east will do, and the default is one.
    north = np.cross(normal, east)
    sine_lat = normal[:, 2]
    radius = WGS84_EQUATORIAL_RADIUS_KM / np.sqrt(1.0 - WGS84_ECCENTRICITY_SQUARED * sine_lat**2)
    centre = np.zeros_like(normal)
    centre[:, 2] = -WGS84_ECCENTRICITY_SQUARED * radius * sine_lat
    origin = centre + radius[:, None] * normal
    from_centre = position - centre[:, None]
    directions = _unit(from_centre)
    cap = _angle(directions, normal[:, None]).max(axis=1) + 1e-9
    tilt = _angle(directions, up).max(axis=1) + 1e-9
    shift = np.linalg.norm(from_centre - radius[:, None, None] * directions, axis=2).max(axis=1)
    offset = position - origin[:, None]
    groups[:, 0:3], groups[:, 3:6], groups[:, 6:9] = normal, east, north
    groups[:, 9], groups[:, 10] = radius, 2 * np.sin(cap / 2) ** 2
    groups[:, 11] = radius * groups[:, 10]
    groups[:, 12], groups[:, 13] = np.cos(cap), np.sin(cap)
    groups[:, 14], groups[:, 15], groups[:, 16] = (
        tilt,
        shift + 1e-6,
        np.linalg.norm(offset, axis=2).max(axis=1),
    )
    groups[:, 17:20] = origin
    lanes[:, 0:3] = up.transpose(0, 2, 1)
    lanes[:, 3:6] = offset.transpose(0, 2, 1)


def _angle(a: Floats, b: Floats) -> Floats:
    """Angle between unit vectors, radians; exact for small ones too."""
    chord = np.linalg.norm(a - b, axis=-1)
    return np.asarray(2.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)))
