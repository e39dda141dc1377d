"""From the inertial frame of SGP4 to the turning Earth, and what an observer there sees.

Frames
    TEME: true equator, mean equinox of date; what SGP4 answers in.
    ECEF: Earth-centred, Earth-fixed, WGS 84 axes. TEME is turned by Greenwich mean sidereal time
    (IAU 1982) about the pole; that is the pseudo-Earth-fixed frame, taken here for ECEF.

What is neglected, and what it costs (an upper bound, at 7,000 km from the Earth's centre)
    UT1 is taken for UTC. They differ by less than 0.9 s by definition of UTC, so a satellite can
    stand up to 460 m too far east or west; since 2021 the difference was under 0.2 s, so 102 m.
    Polar motion is left out. The pole has wandered less than 0.6 arcsec from its reference since
    1962: 20 m.
    Seen from the ground, both together stay under 0.05 degrees of elevation at 550 km and, with
    today's UT1, near 0.01; the elements themselves are good to kilometres.

Lengths are km, angles outside are degrees; a shape before the last axis broadcasts.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from spotbeam.units import (
    SECONDS_PER_DAY,
    WGS84_ECCENTRICITY_SQUARED,
    WGS84_EQUATORIAL_RADIUS_KM,
    WGS84_FLATTENING,
)

Floats = npt.NDArray[np.float64]

# Largest distances that the neglect can move a point 7,000 km from the Earth's centre, by metre.
UT1_NEGLECT_M_PER_S = 7_000e3 * 7.292115e-5  # Earth's rate of turning, WGS 84, rad/s
POLAR_MOTION_NEGLECT_M = 7_000e3 * math.radians(0.6 / 3600)

_J2000_JD = 2451545.0
_DAYS_PER_CENTURY = 36525.0


def gmst_rad(jd: npt.ArrayLike, fraction: npt.ArrayLike = 0.0) -> Floats:
    """Greenwich mean sidereal time, IAU 1982, of Julian dates UT1: radians in [0, 2 pi).

    Args:
        jd: Julian date, shape (n_time,).
        fraction: what is to be added to it; kept apart so that microseconds survive.

    Source: Aoki et al. (1982), Astronomy and Astrophysics 105, 359; as in Vallado et al. (2006),
    AIAA 2006-6753, appendix C.
    """
    whole = np.asarray(jd, dtype=np.float64)
    part = np.asarray(fraction, dtype=np.float64)
    centuries = ((whole - _J2000_JD) + part) / _DAYS_PER_CENTURY
    # The paper's 876600 h per century is a turn a day: taken as the day's own fraction, exactly.
    slow_s = 67310.54841 + centuries * (
        8640184.812866 + centuries * (0.093104 - 6.2e-6 * centuries)
    )
    turns = (whole % 1.0 + part + slow_s / SECONDS_PER_DAY % 1.0) % 1.0
    return np.asarray(turns * (2.0 * np.pi), dtype=np.float64)


def teme_to_ecef_km(position_teme_km: Floats, gmst_rad: npt.ArrayLike) -> Floats:
    """Positions turned with the Earth.

    Args:
        position_teme_km: shape (n_time, n_sat, 3), km, TEME.
        gmst_rad: shape (n_time,), radians.

    Returns:
        Shape (n_time, n_sat, 3), km, ECEF. NaN stays NaN.
    """
    angle = np.asarray(gmst_rad, dtype=np.float64)
    return turn_km(position_teme_km, np.cos(angle), np.sin(angle))


def turn_km(position_km: Floats, cos: Floats, sin: Floats) -> Floats:
    """Positions (n_time, n_sat, 3) in axes turned about the pole by an angle a time, (n_time,)."""
    x, y, z = np.moveaxis(position_km, -1, 0)
    cos, sin = cos[..., np.newaxis], sin[..., np.newaxis]
    turned = np.empty(position_km.shape, dtype=np.float64)
    turned[..., 0] = cos * x + sin * y
    turned[..., 1] = cos * y - sin * x
    turned[..., 2] = z
    return turned


def geodetic_to_ecef_km(
    lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike, height_km: npt.ArrayLike = 0.0
) -> Floats:
    """Where a geodetic point on WGS 84 is: shape (..., 3), km, ECEF."""
    lat, lon, height = np.broadcast_arrays(
        np.radians(np.asarray(lat_deg, dtype=np.float64)),
        np.radians(np.asarray(lon_deg, dtype=np.float64)),
        np.asarray(height_km, dtype=np.float64),
    )
    sin, cos = np.sin(lat), np.cos(lat)
    normal = WGS84_EQUATORIAL_RADIUS_KM / np.sqrt(1.0 - WGS84_ECCENTRICITY_SQUARED * sin * sin)
    from_axis = (normal + height) * cos
    return np.stack(
        (
            from_axis * np.cos(lon),
            from_axis * np.sin(lon),
            (normal * (1.0 - WGS84_ECCENTRICITY_SQUARED) + height) * sin,
        ),
        axis=-1,
    )


def ecef_to_geodetic(position_ecef_km: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Geodetic latitude and longitude (degrees) and height (km) on WGS 84.

    Args:
        position_ecef_km: shape (..., 3), km, ECEF; anywhere but within 100 km of the Earth's
            centre.

    Source: Bowring (1976), Survey Review 181, 323, iterated on the reduced latitude; three rounds
    are exact to a nanometre or so from the sea bed to geostationary height. Height after Bowring
    (1985), which does not lose digits at the poles.
    """
    x, y, z = np.moveaxis(np.asarray(position_ecef_km, dtype=np.float64), -1, 0)
    from_axis = np.hypot(x, y)
    a, e2 = WGS84_EQUATORIAL_RADIUS_KM, WGS84_ECCENTRICITY_SQUARED
    polar = 1.0 - WGS84_FLATTENING
    second_e2 = e2 / (1.0 - e2)
    reduced = np.arctan2(z, polar * from_axis)
    lat = reduced
    for _ in range(3):
        lat = np.arctan2(
            z + second_e2 * a * polar * np.sin(reduced) ** 3,
            from_axis - e2 * a * np.cos(reduced) ** 3,
        )
        reduced = np.arctan2(polar * np.sin(lat), np.cos(lat))
    sin, cos = np.sin(lat), np.cos(lat)
    height = from_axis * cos + z * sin - a * np.sqrt(1.0 - e2 * sin * sin)
    return np.degrees(lat), np.degrees(np.arctan2(y, x)), np.asarray(height)


def up_ecef(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
    """The vertical: the unit normal of WGS 84, shape (..., 3), ECEF."""
    lat, lon = np.broadcast_arrays(
        np.radians(np.asarray(lat_deg, dtype=np.float64)),
        np.radians(np.asarray(lon_deg, dtype=np.float64)),
    )
    cos = np.cos(lat)
    return np.stack((cos * np.cos(lon), cos * np.sin(lon), np.sin(lat)), axis=-1)


def look_angles(
    site_ecef_km: npt.ArrayLike,
    site_lat_deg: npt.ArrayLike,
    site_lon_deg: npt.ArrayLike,
    target_ecef_km: npt.ArrayLike,
) -> tuple[Floats, Floats, Floats]:
    """Azimuth, elevation (degrees) and range (km) of targets as seen from sites.

    Azimuth counts from north through east in [0, 360). Elevation is above the plane square to the
    vertical of WGS 84, without refraction. Shapes broadcast: sites (n, 1, 3) with latitudes
    (n, 1) and targets (m, 3) answer (n, m).
    """
    line = np.asarray(target_ecef_km, np.float64) - np.asarray(site_ecef_km, np.float64)
    lat = np.radians(np.asarray(site_lat_deg, dtype=np.float64))
    lon = np.radians(np.asarray(site_lon_deg, dtype=np.float64))
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    x, y, z = np.moveaxis(line, -1, 0)
    outward = cos_lon * x + sin_lon * y
    east = cos_lon * y - sin_lon * x
    north = cos_lat * z - sin_lat * outward
    up = cos_lat * outward + sin_lat * z
    azimuth = np.degrees(np.arctan2(east, north)) % 360.0
    # The quotient of height and level distance keeps its digits near the zenith; an arcsine loses
    # half of them.
    elevation = np.degrees(np.arctan2(up, np.hypot(east, north)))
    return azimuth, elevation, np.sqrt(x * x + y * y + z * z)


@numba.njit(cache=True, nogil=True)
def turn_rows_km(
    rows_teme_km: Any, cos_gmst: float, sin_gmst: float, column: Any, out_km: Any, out_status: Any
) -> None:
    """Transpose one step's coordinate rows, turn them with the Earth, and blank what failed.

    One pass over the rows while they are still in the cache: a transposition of its own would
    cost half as much as the propagation that made them.

    Args:
        rows_teme_km: shape (7, n): x, y, z in km, TEME; three rows that are not read; status.
        cos_gmst: cosine of the sidereal time; 1, with a sine of 0, leaves TEME as it is.
        sin_gmst: its sine.
        column: satellite of each column, shape (n,).
        out_km: shape (n_sat, 3), written; NaN where the status is not 0.
        out_status: shape (n_sat,), uint8, written; 7 where a position is no finite number.
    """
    for i in range(column.size):
        satellite = column[i]
        x, y, z = rows_teme_km[0, i], rows_teme_km[1, i], rows_teme_km[2, i]
        status = np.uint8(rows_teme_km[6, i])
        if status == 0 and not (x - x == 0.0 and y - y == 0.0 and z - z == 0.0):
            status = np.uint8(7)
        good = status == 0
        out_km[satellite, 0] = cos_gmst * x + sin_gmst * y if good else np.nan
        out_km[satellite, 1] = cos_gmst * y - sin_gmst * x if good else np.nan
        out_km[satellite, 2] = z if good else np.nan
        out_status[satellite] = status
