"""Frames and look angles, against geometry worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotbeam.kernels.frames import (
    ecef_to_geodetic,
    geodetic_to_ecef_km,
    gmst_rad,
    look_angles,
    teme_to_ecef_km,
    turn_rows_km,
    up_ecef,
)

MILLIMETRE_KM = 1e-6
NANOMETRE_KM = 1e-12


def test_gmst_is_the_textbook_value():
    # Vallado, Fundamentals of Astrodynamics and Applications, example 3-5:
    # 1992-08-20T12:14:00 UT1 has 152.578787810 degrees.
    assert np.degrees(gmst_rad(2448855.0, 14 / 1440)) == pytest.approx(152.578787810, abs=1e-7)


def test_gmst_gains_a_sidereal_day_in_a_mean_one():
    day = gmst_rad(2459000.5, np.array([0.0, 1.0]))
    assert np.degrees(day[1] - day[0]) % 360 == pytest.approx(0.98564736, abs=1e-6)


def test_gmst_keeps_the_microsecond():
    step = np.diff(gmst_rad(2459000.5, np.array([0.7, 0.7 + 1e-6 / 86400])))
    assert step[0] == pytest.approx(7.2921158e-11, rel=1e-3)


def test_turning_takes_the_sidereal_meridian_to_greenwich():
    """A satellite over Greenwich has a right ascension equal to the sidereal time."""
    angle = np.array([0.3, 2.0])
    teme_km = 7000.0 * np.stack([np.cos(angle), np.sin(angle), np.zeros(2)], axis=-1)
    ecef_km = teme_to_ecef_km(teme_km[:, np.newaxis, :], angle)
    np.testing.assert_allclose(ecef_km, [[[7000.0, 0, 0]]] * 2, atol=NANOMETRE_KM * 10)


def test_points_whose_place_is_known():
    equator, east, pole = geodetic_to_ecef_km([0, 0, 90], [0, 90, 45], [0, 100, 1])
    np.testing.assert_allclose(equator, [6378.137, 0, 0], atol=NANOMETRE_KM)
    np.testing.assert_allclose(east, [0, 6478.137, 0], atol=1e-9)
    # Polar radius, NIMA TR8350.2 table 3.3: 6356752.3142 m.
    np.testing.assert_allclose(pole, [0, 0, 6357.7523142], atol=1e-7)


@pytest.mark.parametrize("lat_deg", [-90, -45, 0, 1e-9, 53, 89.999999, 90])
@pytest.mark.parametrize("height_km", [-11.0, 0.0, 8.8, 340.0, 1325.0, 35786.0, 400_000.0])
def test_there_and_back(lat_deg, height_km):
    lon_deg = np.array([-180.0, -77.3, 0.0, 179.9999])
    place_km = geodetic_to_ecef_km(lat_deg, lon_deg, height_km)
    lat, lon, height = ecef_to_geodetic(place_km)
    np.testing.assert_allclose(height, height_km, atol=0.001 * MILLIMETRE_KM)
    np.testing.assert_allclose(
        geodetic_to_ecef_km(lat, lon, height), place_km, atol=0.001 * MILLIMETRE_KM
    )
    if abs(lat_deg) < 90:
        np.testing.assert_allclose(lat, lat_deg, atol=1e-11)
        np.testing.assert_allclose(lon, lon_deg, atol=1e-9)


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-11, 36000))
def test_up_is_square_to_the_ground(lat_deg, lon_deg, height_km):
    """Going up raises the height by as much and moves nothing else."""
    up = up_ecef(lat_deg, lon_deg)
    assert np.linalg.norm(up) == pytest.approx(1.0, abs=1e-15)
    ground_km = geodetic_to_ecef_km(lat_deg, lon_deg, 0.0)
    np.testing.assert_allclose(
        geodetic_to_ecef_km(lat_deg, lon_deg, height_km), ground_km + height_km * up, atol=1e-10
    )


def test_look_angles_of_known_directions():
    lat, lon = 50.0, 30.0
    site = geodetic_to_ecef_km(lat, lon)
    up = up_ecef(lat, lon)
    east = np.array([-np.sin(np.radians(lon)), np.cos(np.radians(lon)), 0.0])
    north = np.cross(up, east)
    targets = site + 100.0 * np.array(
        [up, north, east, -north, -east, (up + east) / np.sqrt(2), (north - up) / np.sqrt(2)]
    )
    azimuth, elevation, distance = look_angles(site, lat, lon, targets)
    np.testing.assert_allclose(elevation, [90, 0, 0, 0, 0, 45, -45], atol=1e-9)
    np.testing.assert_allclose(azimuth[1:6] % 360, [0, 90, 180, 270, 90], atol=1e-9)
    np.testing.assert_allclose(distance, 100.0, atol=1e-9)


def test_look_angles_broadcast_sites_over_satellites():
    lat, lon = np.array([0.0, 10.0, 20.0])[:, None], np.array([0.0, 10.0, 20.0])[:, None]
    sites = geodetic_to_ecef_km(lat, lon)
    overhead = geodetic_to_ecef_km([0.0, 20.0], [0.0, 20.0], 550.0)
    _, elevation, _ = look_angles(sites, lat, lon, overhead)
    assert elevation.shape == (3, 2)
    np.testing.assert_allclose([elevation[0, 0], elevation[2, 1]], 90.0, atol=1e-5)
    assert (elevation[[0, 1, 2], [1, 1, 0]] < 80).all()


def test_a_step_of_rows_is_transposed_turned_and_blanked():
    rows = np.zeros((7, 4))
    rows[:3] = [[1.0, 2.0, np.nan, 7.0], [3.0, 4.0, 5.0, np.inf], [5.0, 6.0, 7.0, 8.0]]
    rows[6] = [0, 6, 0, 0]
    out, status = np.full((6, 3), -1.0), np.full(6, 99, dtype=np.uint8)
    turn_rows_km(rows, np.cos(0.5), np.sin(0.5), np.array([4, 0, 2, 5]), out, status)
    teme = np.array([[[1.0, 3.0, 5.0]]])
    np.testing.assert_allclose(out[4], teme_to_ecef_km(teme, np.array([0.5]))[0, 0])
    assert np.isnan(out[[0, 2, 5]]).all()
    assert status.tolist() == [6, 99, 7, 99, 0, 7]
    assert (out[[1, 3]] == -1.0).all()  # nobody's columns stay as they were
