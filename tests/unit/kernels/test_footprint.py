"""The lit ellipse: published figures, and rays followed one by one in three dimensions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spotbeam.kernels.footprint import MEAN_RADIUS_KM, footprint


@pytest.mark.parametrize(
    ("elevation_deg", "across_km", "along_km"),
    [(90, 20, 20), (60, 23, 26), (40, 30, 46), (25, 41, 97)],
)
def test_the_known_figures_for_20_km_from_550_km(
    elevation_deg: float, across_km: float, along_km: float
) -> None:
    beam = footprint(elevation_deg)
    assert round(float(beam.across_km)) == across_km
    assert round(float(beam.along_km)) == along_km


def traced_km(
    elevation_deg: float, altitude_km: float, width_km: float, turn_deg: float
) -> float | None:
    """How far from the aimed point one ray of the cone's rim meets the sphere; None: it does not.

    Straight vector geometry: the aimed point on the sphere, the satellite at that elevation, the
    cone's axis between them, and a ray turned about it.
    """
    radius = MEAN_RADIUS_KM
    # The half angle, from a ray that meets the sphere width / 2 away from nadir.
    arc = width_km / 2 / radius
    edge = np.array([radius * math.sin(arc), 0.0, radius * math.cos(arc)])
    ray = edge - np.array([0.0, 0.0, radius + altitude_km])
    half = math.acos(-ray[2] / np.linalg.norm(ray))
    # The satellite: along the direction of that elevation from the aimed point, at its altitude.
    aimed = np.array([0.0, 0.0, radius])
    e = math.radians(elevation_deg)
    way = np.array([math.cos(e), 0.0, math.sin(e)])
    along = aimed @ way
    reach = -along + math.sqrt(along**2 - radius**2 + (radius + altitude_km) ** 2)
    satellite = aimed + reach * way
    axis, side = -way, np.array([0.0, 1.0, 0.0])
    up = np.cross(axis, side)
    turn = math.radians(turn_deg)
    ray = math.cos(half) * axis + math.sin(half) * (math.cos(turn) * side + math.sin(turn) * up)
    b = satellite @ ray
    root = b**2 - satellite @ satellite + radius**2
    if root < 0:
        return None
    point = satellite + (-b - math.sqrt(root)) * ray
    return radius * math.acos(min(1.0, point @ aimed / radius**2))


@pytest.mark.parametrize("elevation_deg", [89, 75, 60, 45, 30, 25, 15, 10])
@pytest.mark.parametrize(("altitude_km", "width_km"), [(550, 20), (340, 12), (1200, 50)])
def test_the_rims_rays_land_where_the_formula_says(
    elevation_deg: float, altitude_km: float, width_km: float
) -> None:
    beam = footprint(elevation_deg, altitude_km=altitude_km, nadir_width_km=width_km)
    rim = {
        turn: traced_km(elevation_deg, altitude_km, width_km, turn) for turn in (0, 90, 180, 270)
    }
    near, far = (rim[90], rim[270]) if (rim[90] or 0) < (rim[270] or 1e9) else (rim[270], rim[90])
    assert float(beam.near_km) == pytest.approx(near, rel=1e-6)
    if far is None:
        assert math.isnan(float(beam.far_km))
    else:
        assert float(beam.far_km) == pytest.approx(far, rel=1e-6)
    # Square to the plane both rays land alike, and the width is the arc between them.
    assert rim[0] == pytest.approx(rim[180], rel=1e-9)
    assert float(beam.across_km) == pytest.approx(2 * (rim[0] or 0), rel=2e-2)


@pytest.mark.parametrize("elevation_deg", [80, 50, 30, 25])
def test_no_ray_of_the_rim_lands_beyond_the_guard(elevation_deg: float) -> None:
    guard_km = float(footprint(elevation_deg).far_km)
    reached = [traced_km(elevation_deg, 550, 20, turn) or 0.0 for turn in range(0, 360, 5)]
    assert max(reached) <= guard_km * (1 + 1e-9)
    assert max(reached) == pytest.approx(guard_km, rel=1e-6)


def test_the_guard_grows_as_the_satellite_sinks_until_the_beam_misses_the_earth() -> None:
    beam = footprint(np.arange(90, 0, -1))
    seen = np.isfinite(beam.far_km)
    assert seen[:80].all()
    assert not seen[-3:].any()
    assert (np.diff(beam.far_km[seen]) > 0).all()
    assert np.isfinite(beam.across_km).all()
    assert beam.along_km.shape == (90,)
