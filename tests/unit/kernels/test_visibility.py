"""Satellites in view: the fast form must be the exact form, pair by pair and bit by bit."""

from __future__ import annotations

import numpy as np
import pytest

from spotbeam.kernels import frames
from spotbeam.kernels.visibility import (
    prepare,
    satellites_in_view,
    satellites_in_view_exact,
    sine_of_elevation,
)

EARTH_KM = 6371.0


def on_a_sphere(rng, n):
    directions = rng.normal(size=(n, 3))
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def anywhere(rng, n):
    x, y, z = on_a_sphere(rng, n).T
    return np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x))


def shell(rng, n_time, n_sat, lowest_km=300.0, highest_km=1200.0):
    positions = on_a_sphere(rng, n_time * n_sat).reshape(n_time, n_sat, 3)
    return positions * (EARTH_KM + rng.uniform(lowest_km, highest_km, (n_time, n_sat, 1)))


def at(lat_deg, lon_deg, elevation_deg, azimuth_deg, range_km):
    """Where something is that a site sees there: its east, north and up, written out."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    elevation, azimuth = np.radians(elevation_deg), np.radians(azimuth_deg)
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    level = np.sin(azimuth)[..., None] * east + np.cos(azimuth)[..., None] * north
    line = np.cos(elevation)[..., None] * level + np.sin(elevation)[..., None] * up
    return frames.geodetic_to_ecef_km(lat_deg, lon_deg) + np.asarray(range_km)[..., None] * line


def assert_same(sites, positions, mask_deg):
    found = satellites_in_view(sites, positions, mask_deg)
    exact = satellites_in_view_exact(sites, positions, mask_deg)
    np.testing.assert_array_equal(found.n_in_view, exact.n_in_view)
    np.testing.assert_array_equal(found.best, exact.best)
    # One unit in the last place of a float32 at 90 degrees.
    np.testing.assert_allclose(
        found.elevation_max_deg, exact.elevation_max_deg, rtol=0, atol=7.7e-6
    )
    return exact


@pytest.mark.parametrize("form", [satellites_in_view, satellites_in_view_exact])
@pytest.mark.parametrize("lat_deg", [-90.0, -45.0, 0.0, 30.0, 90.0])
def test_elevation_is_measured_from_the_normal_of_the_ellipsoid(form, lat_deg):
    elevations = np.array([89.0, 60.0, 25.3, 25.1, 24.9, 3.0, -3.0])
    satellites = at(lat_deg, 179.99, elevations, np.linspace(0, 360, 7), np.full(7, 900.0))[None]
    sites = prepare([lat_deg], [179.99])
    for mask_deg, seen in ((25.0, 4), (25.2, 3), (60.5, 1), (0.0, 6), (-4.0, 7), (89.5, 0)):
        found = form(sites, satellites, mask_deg)
        assert found.n_in_view[0, 0] == seen, mask_deg
        assert found.best[0, 0] == (0 if seen else -1)
        highest = 89.0 if seen else np.nan
        np.testing.assert_allclose(found.elevation_max_deg, [[highest]], atol=1e-5)


def test_the_exact_form_agrees_with_look_angles():
    rng = np.random.default_rng(5)
    lat_deg, lon_deg = anywhere(rng, 40)
    satellites = shell(rng, 1, 500)
    sites = prepare(lat_deg, lon_deg)
    _, elevation_deg, _ = frames.look_angles(
        frames.geodetic_to_ecef_km(lat_deg, lon_deg)[:, None],
        lat_deg[:, None],
        lon_deg[:, None],
        satellites[0],
    )
    found = satellites_in_view_exact(sites, satellites, 17.0)
    np.testing.assert_array_equal(found.n_in_view[0], (elevation_deg >= 17.0).sum(axis=1))
    np.testing.assert_array_equal(found.best[0], elevation_deg.argmax(axis=1))
    np.testing.assert_allclose(
        found.elevation_max_deg[0], elevation_deg.max(axis=1), rtol=0, atol=7.7e-6
    )


@pytest.mark.parametrize("mask_deg", [-5.0, 0.0, 10.0, 25.0, 40.0, 70.0, 88.0, 90.0, -50.0, -90.0])
@pytest.mark.parametrize("n_site", [1, 31, 33, 300, 3000])
def test_any_mask_and_any_number_of_sites(mask_deg, n_site):
    rng = np.random.default_rng(n_site)
    sites = prepare(*anywhere(rng, n_site))
    assert_same(sites, shell(rng, 2, 700), mask_deg)


@pytest.mark.parametrize(
    ("lowest_km", "highest_km"),
    [(80, 200), (480, 480), (1200, 36_000), (-50, 500), (0, 0), (-6371, -3000)],
)
def test_any_height_even_below_the_ground(lowest_km, highest_km):
    rng = np.random.default_rng(8)
    sites = prepare(*anywhere(rng, 2000))
    for mask_deg in (-5.0, 25.0):
        assert_same(sites, shell(rng, 2, 300, lowest_km, highest_km), mask_deg)


@pytest.mark.parametrize(
    ("lat_deg", "lon_deg", "spread_deg"),
    [(90, 0, 5), (-90, 0, 1), (0, 180, 4), (53, 30, 2), (45, -179.9, 0.01), (10, 10, 0)],
)
def test_dense_sites(lat_deg, lon_deg, spread_deg):
    rng = np.random.default_rng(13)
    lat = np.clip(lat_deg + spread_deg * rng.uniform(-1, 1, 1500), -90, 90)
    lon = (lon_deg + 180 + spread_deg * rng.uniform(-1, 1, 1500)) % 360 - 180
    positions = shell(rng, 1, 6000, 450, 600)
    assert_same(prepare(lat, lon), positions, 25.0)
    assert_same(prepare(lat, lon), positions, 0.0)


@pytest.mark.parametrize("range_km", [(600, 1500), (2, 60), (30_000, 40_000)])
@pytest.mark.parametrize("mask_deg", [0.0, 5.0, 25.0, 60.0])
def test_pairs_right_on_the_mask(mask_deg, range_km):
    """Elevations within 1e-4 to 1e-13 degrees of the mask, above and below, from many sites."""
    rng = np.random.default_rng(int(mask_deg))
    lat, lon = 50 + rng.uniform(-1, 1, 400), rng.uniform(-1, 1, 400)
    off = 10.0 ** rng.uniform(-13, -4, 400) * rng.choice([-1, 1], 400)
    satellites = np.stack(
        [
            at(lat[i], lon[i], mask_deg + off[i], rng.uniform(0, 360), rng.uniform(*range_km))
            for i in range(400)
        ]
    )[None]
    sites = prepare(lat, lon)
    assert_same(sites, satellites, mask_deg)
    # And the mask put exactly on a pair: the limit itself is in view.
    pair_deg = float(
        np.degrees(
            np.arcsin(
                sine_of_elevation(sites.position_ecef_km[7], sites.up_ecef[7], satellites[0, 7])
            )
        )
    )
    for mask in (pair_deg, np.nextafter(pair_deg, 90), np.nextafter(pair_deg, -90)):
        assert_same(sites, satellites, mask)


def test_equally_high_satellites_go_to_the_lowest_index():
    rng = np.random.default_rng(21)
    once = shell(rng, 1, 400, 500, 520)
    sites = prepare(*anywhere(rng, 1000))
    exact = assert_same(sites, np.concatenate([once, once, once], axis=1), 10.0)
    assert exact.best.max() < 400


def test_nearly_equally_high_satellites():
    rng = np.random.default_rng(22)
    lat, lon = -30 + rng.uniform(-1, 1, 500), 100 + rng.uniform(-1, 1, 500)
    elevation = 70 + 10.0 ** rng.uniform(-13, -3, 500)
    satellites = np.concatenate(
        [
            at(lat[i], lon[i], np.array([70.0, elevation[i]]), rng.uniform(0, 360, 2), [560, 570])
            for i in range(500)
        ]
    )
    sites = prepare(lat, lon)
    assert_same(sites, rng.permutation(satellites)[None], 25.0)
    assert_same(sites, satellites.reshape(500, 2, 3), 25.0)


def test_a_satellite_without_a_position_is_never_in_view():
    rng = np.random.default_rng(34)
    positions = shell(rng, 3, 900)
    positions[rng.random((3, 900)) < 0.3] = np.nan
    positions[1] = np.nan
    positions[2, 5, 1] = np.nan
    exact = assert_same(prepare(*anywhere(rng, 500)), positions, -5.0)
    assert not exact.n_in_view[1].any()
    assert (exact.best[1] == -1).all()
    assert np.isnan(exact.elevation_max_deg[1]).all()


def test_a_site_without_a_place_sees_nothing_and_its_neighbours_do():
    rng = np.random.default_rng(55)
    lat, lon = anywhere(rng, 200)
    positions = shell(rng, 1, 500)
    lat[::7] = np.nan
    lon[3] = np.nan
    exact = assert_same(prepare(lat, lon), positions, 20.0)
    placed = np.isfinite(lat) & np.isfinite(lon)
    assert not exact.n_in_view[0, ~placed].any()
    assert exact.n_in_view[0, placed].any()
    nowhere = assert_same(prepare([np.nan], [0.0]), positions, 20.0)
    assert nowhere.best[0, 0] == -1


@pytest.mark.parametrize(("n_time", "n_sat", "n_site"), [(0, 5, 5), (2, 0, 5), (2, 5, 0)])
def test_nothing_to_look_at(n_time, n_sat, n_site):
    found = assert_same(
        prepare(np.zeros(n_site), np.zeros(n_site)), np.full((n_time, n_sat, 3), 5e3), 25.0
    )
    assert found.n_in_view.shape == (n_time, n_site)
    assert (found.best == -1).all()


def test_the_answer_does_not_depend_on_the_split():
    rng = np.random.default_rng(89)
    lat, lon = anywhere(rng, 2500)
    positions = shell(rng, 11, 800)
    whole = satellites_in_view(prepare(lat, lon), positions, 25.0)
    part = rng.permutation(2500)[:700]
    sites = prepare(lat[part], lon[part])
    for step in (0, 7, 8, 10):
        alone = satellites_in_view(sites, positions[step : step + 1], 25.0)
        for one, all_ in zip(alone, whole, strict=True):
            np.testing.assert_array_equal(one[0], all_[step, part])


def test_positions_in_any_memory_layout():
    rng = np.random.default_rng(144)
    sites = prepare(*anywhere(rng, 50))
    positions = shell(rng, 4, 300)
    turned = np.asfortranarray(positions)
    for one, other in zip(
        satellites_in_view(sites, positions, 25.0),
        satellites_in_view(sites, turned, 25.0),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
