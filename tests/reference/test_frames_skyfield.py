"""TEME to ECEF and geodetic places, against Skyfield and PROJ.

Skyfield knows UT1 and polar motion; we neglect both. With them set to nothing there the two must
agree to the millimetre; with them on, within the metres that the docstring of the kernel states.
"""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer
from skyfield.api import load, wgs84
from skyfield.framelib import itrs
from skyfield.sgp4lib import TEME

from spotbeam.kernels.frames import (
    POLAR_MOTION_NEGLECT_M,
    UT1_NEGLECT_M_PER_S,
    ecef_to_geodetic,
    geodetic_to_ecef_km,
    gmst_rad,
    look_angles,
    teme_to_ecef_km,
    up_ecef,
)
from spotbeam.times import julian_date

DAY_US = 86_400_000_000
TT_LESS_UTC_S = 69.184  # 32.184 s and the 37 leap seconds since 2017


@pytest.fixture(scope="module")
def times_us():
    """Whole seconds over the years that the real element sets come from."""
    start = 1_609_459_200_000_000  # 2021-01-01
    return start + np.arange(0, 2190, 3) * DAY_US + np.arange(730) * 17_371_000_000 % DAY_US


@pytest.fixture(scope="module")
def positions_teme_km(times_us):
    toss = np.random.default_rng(20210510)
    way = toss.normal(size=(times_us.size, 4, 3))
    return way * (7000.0 / np.linalg.norm(way, axis=-1, keepdims=True))


def skyfield_ecef_km(timescale, times_us, positions_teme_km):
    jd, fraction = julian_date(times_us)
    at = timescale.tt_jd(jd, fraction + TT_LESS_UTC_S / 86400)
    to_itrs = np.einsum("ijt,kjt->tik", itrs.rotation_at(at), TEME.rotation_at(at))
    return at, np.einsum("tij,tsj->tsi", to_itrs, positions_teme_km)


def ours_ecef_km(times_us, positions_teme_km):
    return teme_to_ecef_km(positions_teme_km, gmst_rad(*julian_date(times_us)))


def test_exact_where_ut1_is_utc(times_us, positions_teme_km):
    timescale = load.timescale(delta_t=TT_LESS_UTC_S)
    at, wanted_km = skyfield_ecef_km(timescale, times_us, positions_teme_km)
    assert np.abs(at.dut1).max() < 1e-9
    off_m = 1000 * np.linalg.norm(ours_ecef_km(times_us, positions_teme_km) - wanted_km, axis=-1)
    assert off_m.max() < 0.001


def test_within_the_stated_metres_where_it_is_not(times_us, positions_teme_km):
    timescale = load.timescale()
    timescale.polar_motion_table = ([0.0, 3e6], np.array([0.36, 0.36]), np.array([0.48, 0.48]))
    at, wanted_km = skyfield_ecef_km(timescale, times_us, positions_teme_km)
    off_m = 1000 * np.linalg.norm(ours_ecef_km(times_us, positions_teme_km) - wanted_km, axis=-1)
    allowed_m = UT1_NEGLECT_M_PER_S * np.abs(at.dut1) + POLAR_MOTION_NEGLECT_M
    assert (off_m <= allowed_m[:, np.newaxis]).all()
    assert off_m.max() > 20, "neglecting must cost something, or the comparison is idle"
    assert UT1_NEGLECT_M_PER_S * 0.9 < 460.0
    assert POLAR_MOTION_NEGLECT_M < 20.5
    # What the docstring says of recent years.
    assert np.abs(at.dut1).max() < 0.2


@pytest.fixture(scope="module")
def places():
    lat = np.concatenate([np.linspace(-90, 90, 181), [1e-7, -1e-7, 89.99999]])
    lon = np.linspace(-180, 180, 37)
    height = np.array([-11.0, 0.0, 5.0, 460.0, 550.0, 1200.0, 35786.0])
    return (grid.ravel() for grid in np.meshgrid(lat, lon, height, indexing="ij"))


def test_geodetic_places_are_those_of_proj_and_skyfield(places):
    lat, lon, height = places
    there = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    proj_km = np.stack(there.transform(lon, lat, height * 1000), axis=-1) / 1000
    ours_km = geodetic_to_ecef_km(lat, lon, height)
    np.testing.assert_allclose(ours_km, proj_km, atol=1e-9)
    few = slice(None, None, 97)
    skyfield_km = wgs84.latlon(lat[few], lon[few], height[few] * 1000).itrs_xyz.km.T
    np.testing.assert_allclose(ours_km[few], skyfield_km, atol=1e-7)
    # And back, from PROJ's own Cartesian places.
    back_lat, back_lon, back_height = ecef_to_geodetic(proj_km)
    np.testing.assert_allclose(back_height, height, atol=1e-8)
    np.testing.assert_allclose(back_lat, lat, atol=1e-10)
    off_pole = np.abs(lat) < 89.9999
    turned = (back_lon - lon + 180) % 360 - 180
    assert np.abs(turned[off_pole]).max() < 1e-9


def test_look_angles_are_skyfields(times_us):
    """Azimuth, elevation and range from Skyfield's altaz, at poles and antimeridian too."""
    timescale = load.timescale(delta_t=TT_LESS_UTC_S)
    jd, fraction = julian_date(times_us[::50])
    at = timescale.tt_jd(jd, fraction + TT_LESS_UTC_S / 86400)
    for lat, lon in ((50.45, 30.52), (-90, 0), (89.9, 180), (0, -180), (-33.9, 151.2)):
        site = wgs84.latlon(lat, lon, elevation_m=250)
        target = wgs84.latlon(lat + (4 if lat < 50 else -4), lon + 7, elevation_m=550_000)
        altitude, azimuth, distance = (target - site).at(at).altaz()
        ours = look_angles(
            geodetic_to_ecef_km(lat, lon, 0.25), lat, lon, target.itrs_xyz.km[np.newaxis]
        )
        np.testing.assert_allclose(ours[1][0], altitude.degrees, atol=2e-7)
        np.testing.assert_allclose(ours[2][0], distance.km, atol=1e-6)
        if abs(lat) < 90:  # Skyfield's north at the pole itself is that of a longitude
            np.testing.assert_allclose(ours[0][0], azimuth.degrees, atol=1e-6)
    assert up_ecef(90.0, 12.0) @ [0, 0, 1] == pytest.approx(1.0)
