"""The ground that a beam of fixed angular width lights, and how it stretches as satellites sink.

Derivation, on a sphere of radius R with the satellite at R + h. Let L be the angle at the Earth's
centre between the satellite's nadir and the aimed point, and n the angle at the satellite between
nadir and the line of sight. The sine rule gives sin n = R cos e / (R + h) for a point that sees the
satellite at elevation e, and L = 90° - e - n. The beam is a cone of half angle a about that line;
a follows from its width at nadir w, where L = w / 2R:

    tan a = sin L / ((R + h) / R - cos L)

In the plane of nadir and line of sight the cone's edges stand at n - a and n + a, so that the
ellipse reaches from L(n - a) to L(n + a) with L(m) = asin((R + h) / R sin m) - m. Across that plane
an edge is the ray cos a u ± sin a v, with u along the line of sight and v square to the plane; it
meets the sphere at range t, and the ellipse is 2 R asin(t sin a / R) wide.

The far edge is farther from the aimed point than the near one: `far_km` is the width that a guard
band must have so that nothing beyond it is lit. Real arrays also widen their beams as they steer
off boresight, which is not modelled: the guard is the least that geometry asks for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MEAN_RADIUS_KM = 6371.0088  # IUGG: Moritz, Geodetic Reference System 1980, J. Geodesy 74 (2000)


class Footprint(NamedTuple):
    """The lit ellipse; kilometres on the ground, shapes as given.

    Attributes:
        across_km: Its width square to the direction of the satellite.
        along_km: Its length towards the satellite.
        near_km, far_km: From the aimed point to the edge below the satellite, and to the other.
    """

    across_km: Floats
    along_km: Floats
    near_km: Floats
    far_km: Floats


def footprint(
    elevation_deg: npt.ArrayLike, *, altitude_km: float = 550.0, nadir_width_km: float = 20.0
) -> Footprint:
    """What a beam lights that is aimed at a point from which its satellite has some elevation.

    Args:
        elevation_deg: Of the satellite, seen from the aimed point; any shape, above 0 to 90.
        altitude_km: Of the satellite.
        nadir_width_km: How wide the beam is on the ground straight below.

    Returns:
        NaN along and far where the cone's far edge looks past the horizon.
    """
    elevation = np.radians(np.asarray(elevation_deg, dtype=np.float64))
    ratio = (MEAN_RADIUS_KM + altitude_km) / MEAN_RADIUS_KM
    half_arc = nadir_width_km / 2.0 / MEAN_RADIUS_KM
    half = np.arctan2(np.sin(half_arc), ratio - np.cos(half_arc))
    nadir = np.arcsin(np.cos(elevation) / ratio)
    aimed = np.pi / 2.0 - elevation - nadir
    near_km = MEAN_RADIUS_KM * (aimed - _arc(nadir - half, ratio))
    far_km = MEAN_RADIUS_KM * (_arc(nadir + half, ratio) - aimed)
    # The ray's range: the smaller root of t² - 2 t R ratio cos n cos a + R² (ratio² - 1) = 0.
    middle = ratio * np.cos(nadir) * np.cos(half)
    range_km = MEAN_RADIUS_KM * (middle - np.sqrt(middle * middle - (ratio * ratio - 1.0)))
    across_km = 2.0 * MEAN_RADIUS_KM * np.arcsin(range_km * np.sin(half) / MEAN_RADIUS_KM)
    return Footprint(across_km, near_km + far_km, near_km, far_km)


def _arc(nadir: Floats, ratio: float) -> Floats:
    """The angle at the Earth's centre of what stands at a nadir angle; NaN past the horizon."""
    sine = ratio * np.sin(nadir)
    past = np.abs(sine) > 1.0
    angle: Floats = np.where(past, np.nan, np.arcsin(np.where(past, 0.0, sine)) - nadir)
    return angle
