"""Where each orbit lies, brought to one moment so that satellites can be compared."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.sky.elements import ElementSets
from spotbeam.units import (
    WGS72_EQUATORIAL_RADIUS_KM,
    WGS72_GM_KM3_S2,
    WGS84_EQUATORIAL_RADIUS_KM,
)

Floats = npt.NDArray[np.float64]

# WGS 72, as SGP4 uses it: Hoots and Roehrich, Spacetrack Report 3 (1980).
_J2 = 0.001082616
_DAY_US = 86_400e6


class MeanOrbits(msgspec.Struct, frozen=True, eq=False):
    """Mean orbits of a collection at the median of its epochs; columns of shape (n_sat,).

    Attributes:
        altitude_km: mean semi-major axis (Brouwer) less the equatorial radius of WGS 84, at each
            set's own epoch: a satellite that holds its altitude has none to be extrapolated.
        inclination_deg: degrees.
        node_deg: right ascension of the ascending node at the common moment.
        latitude_deg: mean argument of latitude at the common moment.
        climb_km_day: rate of the altitude, from the trend of the mean motion.
    """

    altitude_km: Floats
    inclination_deg: Floats
    node_deg: Floats
    latitude_deg: Floats
    climb_km_day: Floats


# What stands for the height and trend of an orbit that no satellite can have.
_BEYOND_KM, _BEYOND_KM_DAY = 1e7, 1e6


@np.errstate(all="ignore")
def mean_orbits(elements: ElementSets) -> MeanOrbits:
    """Bring nodes and places in the orbit to the median epoch, by the secular effect of J2.

    Source: Kaula (1966), Theory of Satellite Geodesy, equation 3.74, on the Brouwer mean motion
    that SGP4 recovers from Kozai's (Spacetrack Report 3, section 6).
    """
    eccentricity = elements.eccentricity
    cos_i = np.cos(np.radians(elements.inclination_deg))
    kozai_rad_s = elements.mean_motion_rev_day * (2.0 * np.pi / 86400.0)
    roundness = np.sqrt(1.0 - eccentricity**2)
    flattening_km2 = (
        0.75 * _J2 * WGS72_EQUATORIAL_RADIUS_KM**2 * (3.0 * cos_i**2 - 1.0) / roundness**3
    )
    first_km = np.cbrt(WGS72_GM_KM3_S2 / kozai_rad_s**2)
    d = flattening_km2 / first_km**2
    better_km = first_km * (1.0 - d * (1.0 / 3.0 + d * (1.0 + 134.0 / 81.0 * d)))
    motion_rad_s = kozai_rad_s / (1.0 + flattening_km2 / better_km**2)
    axis_km = np.cbrt(WGS72_GM_KM3_S2 / motion_rad_s**2)

    middle_us = np.median(elements.epoch_us) if len(elements) else 0.0
    days = (middle_us - elements.epoch_us) / _DAY_US
    motion_deg_day = np.degrees(motion_rad_s) * 86400.0
    j2 = 0.75 * _J2 * (WGS72_EQUATORIAL_RADIUS_KM / (axis_km * roundness**2)) ** 2
    node_deg_day = -2.0 * j2 * motion_deg_day * cos_i
    latitude_deg_day = motion_deg_day * (
        1.0 + j2 * (roundness * (3.0 * cos_i**2 - 1.0) + 5.0 * cos_i**2 - 1.0)
    )
    half_trend = elements.mean_motion_dot_rev_day2
    node_deg = elements.raan_deg + node_deg_day * days
    latitude_deg = elements.argument_of_perigee_deg + elements.mean_anomaly_deg
    latitude_deg = latitude_deg + latitude_deg_day * days + 360.0 * half_trend * days**2
    climb_km_day = -(4.0 / 3.0) * axis_km * half_trend / elements.mean_motion_rev_day
    return MeanOrbits(
        altitude_km=np.nan_to_num(
            axis_km - WGS84_EQUATORIAL_RADIUS_KM, nan=_BEYOND_KM, posinf=_BEYOND_KM
        ).clip(max=_BEYOND_KM),
        inclination_deg=elements.inclination_deg,
        node_deg=np.nan_to_num(node_deg % 360.0),
        latitude_deg=np.nan_to_num(latitude_deg % 360.0),
        climb_km_day=np.nan_to_num(climb_km_day).clip(-_BEYOND_KM_DAY, _BEYOND_KM_DAY),
    )
