"""Satellites in view of real constellations, against Skyfield.

Nothing but the files is shared: Skyfield parses the elements, propagates them (by sgp4), turns the
Earth with UT1 and nutation, and stands the observer on WGS 84. We neglect what UT1 differs from UTC
by, so the two may differ about pairs within 0.02 degrees of the mask, and about no other.

Skyfield's own `altaz` looks at one satellite from one place; at 12,500 look angles a second the 93
million here would take two hours. So the satellites' and the observers' positions and the
observers' verticals are Skyfield's, taken over all times at once, and only the last step, an
angle between two vectors, is NumPy here; a sample is compared with `altaz` itself.
"""

from __future__ import annotations

import json
import lzma

import h3
import numpy as np
import pytest
from skyfield.api import EarthSatellite, load, wgs84
from skyfield.framelib import itrs

from spotbeam.formats.element_files import read_elements
from spotbeam.kernels.visibility import prepare, satellites_in_view, sine_of_elevation
from spotbeam.sky.propagation import propagator
from spotbeam.times import to_datetime

MASK_DEG = 25.0
ALLOWED_DEG = 0.02
N_TIME = 100
SNAPSHOTS = (
    "starlink_2021-05-10.tle",
    "starlink_2024-05-20.omm.json.xz",
    "starlink_2026-06-14.tle.xz",
    "oneweb_2026-06-14.tle",
)

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def places():
    """50 cells: poles, antimeridian, the latitudes where shells turn and where they are last seen,
    and others anywhere."""
    chosen = [(90, 0), (-90, 0), (0, 180), (0, -179.99), (53, 180), (-17, 179.9), (66, -179.9)]
    for edge_deg in (43.0, 53.0, 53.2, 70.0, 82.4, 87.9, 49.5, 50.6, 59.7, 61.0, 78.0):
        chosen += [(edge_deg, 31.0), (-edge_deg, -70.0)]
    x, y, z = np.random.default_rng(1957).normal(size=(3, 50 - len(chosen)))
    chosen += zip(np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x)))  # noqa: B905
    return np.array([h3.cell_to_latlng(h3.latlng_to_cell(lat, lon, 4)) for lat, lon in chosen])


class Skyfield:
    """One snapshot as Skyfield sees it."""

    def __init__(self, path):
        self.timescale = load.timescale(builtin=True)
        packed = path.read_bytes()
        text = (lzma.decompress(packed) if path.suffix == ".xz" else packed).decode()
        if ".json" in path.name:
            satellites = [EarthSatellite.from_omm(self.timescale, omm) for omm in json.loads(text)]
        else:
            lines = text.splitlines()
            satellites = [
                EarthSatellite(one, two, None, self.timescale)
                for one, two in zip(lines[1::3], lines[2::3], strict=True)
            ]
        self.satellites = {satellite.model.satnum: satellite for satellite in satellites}

    def times(self, times_us):
        return self.timescale.from_datetimes([to_datetime(moment) for moment in times_us])

    def positions_km(self, at):
        """(n_time, n_sat, 3), GCRS; NaN where SGP4 gives up."""
        positions = np.empty((at.shape[0], len(self.satellites), 3))
        for column, satellite in enumerate(self.satellites.values()):
            positions[:, column] = satellite.at(at).xyz.km.T
        return positions


def observers(places, at):
    """Positions, km, and verticals of places, both GCRS: (n_time, n_place, 3)."""
    topos = [wgs84.latlon(lat, lon) for lat, lon in places]
    positions = np.stack([place.at(at).xyz.km.T for place in topos], axis=1)
    # The rotation's rows are north, east and up.
    ups = np.stack([place.rotation_at(at)[2].T for place in topos], axis=1)
    return positions, ups


def observers_at_once(places, at):
    """The same of many places at one time, by Skyfield's WGS 84 and its rotation of the Earth."""
    lat, lon = np.radians(places.T)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    to_itrs = itrs.rotation_at(at)[:, :, 0]
    return wgs84.latlon(*places.T).itrs_xyz.km.T @ to_itrs, up @ to_itrs


def elevations_deg(position_km, up, satellite_km):
    """One time: positions and verticals (n_place, 3), satellites (n_sat, 3)."""
    height = up @ satellite_km.T - np.einsum("px,px->p", up, position_km)[:, None]
    squares = (position_km**2).sum(1)[:, None] + (satellite_km**2).sum(1)
    return np.degrees(np.arcsin(height / np.sqrt(squares - 2 * position_km @ satellite_km.T)))


def snapshot(path):
    skyfield = Skyfield(path)
    elements, report = read_elements(path)
    assert report.kept == len(elements) == len(skyfield.satellites)
    assert elements.catalogue_number.tolist() == list(skyfield.satellites)
    return skyfield, elements, int(np.median(elements.epoch_us))


def test_our_angle_is_the_one_of_altaz(shared_data, places):
    skyfield, _, start_us = snapshot(shared_data / "constellations" / SNAPSHOTS[0])
    at = skyfield.times(start_us + np.arange(3) * 5_000_000_000)
    satellites_km = skyfield.positions_km(at)
    places_km, ups = observers(places, at)
    elevations = [elevations_deg(*args) for args in zip(places_km, ups, satellites_km, strict=True)]
    satellites = list(skyfield.satellites.values())
    for place in range(0, 50, 6):
        for column in range(0, len(satellites), 100):
            line = (satellites[column] - wgs84.latlon(*places[place])).at(at)
            ours = [elevation[place, column] for elevation in elevations]
            assert ours == pytest.approx(line.altaz()[0].degrees, abs=1e-6, nan_ok=True)
    one = at[2:]
    for many, single in zip(observers_at_once(places, one), observers(places, one), strict=True):
        np.testing.assert_allclose(many, single[0], rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_satellites_in_view_are_skyfields_but_within_two_hundredths_of_the_mask(
    shared_data, places, name
):
    skyfield, elements, start_us = snapshot(shared_data / "constellations" / name)
    # Nearly a day, at steps that share nothing with an orbit or a rotation.
    times_us = start_us + np.arange(N_TIME, dtype=np.int64) * 857_142_857
    positions, status = propagator(elements).positions_ecef_km(times_us)
    sites = prepare(*places.T)
    found = satellites_in_view(sites, positions, MASK_DEG)

    at = skyfield.times(times_us)
    satellites_km = skyfield.positions_km(at)
    places_km, ups = observers(places, at)
    np.testing.assert_array_equal(np.isnan(satellites_km[..., 0]), status != 0)

    sine_of_mask = np.sin(np.radians(MASK_DEG))
    pairs = 0
    for step in range(N_TIME):
        theirs = elevations_deg(places_km[step], ups[step], satellites_km[step])
        ours = (
            sine_of_elevation(
                sites.position_ecef_km[:, None], sites.up_ecef[:, None], positions[step]
            )
            >= sine_of_mask
        )
        # The set of every cell, pair by pair; the kernel's count is the size of that set.
        differ = ours != (theirs >= MASK_DEG)
        assert (np.abs(theirs[differ] - MASK_DEG) < ALLOWED_DEG).all()
        np.testing.assert_array_equal(found.n_in_view[step], ours.sum(axis=1))
        # The highest, and how high.
        some = found.best[step] >= 0
        rows = np.flatnonzero(some)
        highest = np.nanmax(theirs, axis=1)[rows]
        assert (np.abs(found.elevation_max_deg[step, rows] - highest) < ALLOWED_DEG).all()
        assert (highest - theirs[rows, found.best[step, rows]] < ALLOWED_DEG).all()
        assert np.isnan(found.elevation_max_deg[step, ~some]).all()
        pairs += int(ours.sum())
    assert found.n_in_view.size >= 5000
    assert pairs > 5000, "a comparison of nothing with nothing"


def test_every_pair_near_the_mask_in_one_step(shared_data):
    """All cells of resolution 3 and all satellites of 2026: 434 million pairs, in plain NumPy."""
    skyfield, elements, start_us = snapshot(
        shared_data / "constellations" / "starlink_2026-06-14.tle.xz"
    )
    times_us = np.array([start_us + 3_600_000_000])
    cells = np.array(
        [
            h3.cell_to_latlng(cell)
            for base in h3.get_res0_cells()
            for cell in h3.cell_to_children(base, 3)
        ]
    )
    sites = prepare(*cells.T)
    positions, _ = propagator(elements).positions_ecef_km(times_us)
    found = satellites_in_view(sites, positions, MASK_DEG)

    at = skyfield.times(times_us)
    satellites_km = skyfield.positions_km(at)[0]
    near, differ, farthest_deg = 0, 0, 0.0
    for first in range(0, len(cells), 1000):
        some = slice(first, first + 1000)
        places_km, ups = observers_at_once(cells[some], at)
        theirs = elevations_deg(places_km, ups, satellites_km)
        least = (theirs >= MASK_DEG + ALLOWED_DEG).sum(axis=1)
        most = (theirs >= MASK_DEG - ALLOWED_DEG).sum(axis=1)
        assert (least <= found.n_in_view[0, some]).all()
        assert (found.n_in_view[0, some] <= most).all()
        site, satellite = np.nonzero(np.abs(theirs - MASK_DEG) < 0.5)
        ours_deg = np.degrees(
            np.arcsin(
                sine_of_elevation(
                    sites.position_ecef_km[some][site],
                    sites.up_ecef[some][site],
                    positions[0, satellite],
                )
            )
        )
        theirs_deg = theirs[site, satellite]
        wrong = (ours_deg >= MASK_DEG) != (theirs_deg >= MASK_DEG)
        assert (np.abs(theirs_deg[wrong] - MASK_DEG) < ALLOWED_DEG).all()
        near += len(site)
        differ += int(wrong.sum())
        farthest_deg = max(farthest_deg, float(np.abs(ours_deg - theirs_deg).max()))
    assert near > 100_000
    assert farthest_deg < ALLOWED_DEG
    assert differ < 0.02 * near
