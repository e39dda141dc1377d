"""Propagation: two engines, one answer, and a status for what cannot be answered."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from spotbeam.errors import InputError, MissingExtra
from spotbeam.formats.element_files import read_elements
from spotbeam.kernels.frames import gmst_rad, teme_to_ecef_km
from spotbeam.sky import propagation
from spotbeam.sky.constellation import Shell, shell_elements
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.elements.values import COLUMNS
from spotbeam.sky.propagation import (
    STATUS_TEXT,
    HeyokaPropagator,
    Sgp4Propagator,
    propagator,
    satrecs,
)
from spotbeam.times import julian_date

EPOCH_US = 1_767_225_600_000_000
MINUTE_US = 60_000_000
HUNDREDTH_MM_KM = 1e-8

SNAPSHOTS = [
    "starlink_2021-05-10.tle",
    "starlink_2024-05-20.omm.json.xz",
    "starlink_2026-06-14.tle.xz",
    "oneweb_2026-06-14.tle",
    "kuiper_2026-06-14.tle",
    "iridium_2026-06-14.tle",
]


def changed(elements: ElementSets, **columns) -> ElementSets:
    kept = {name: getattr(elements, name) for name in COLUMNS}
    return ElementSets(
        **{**kept, **columns},
        name=elements.name,
        international_designator=elements.international_designator,
        source=elements.source,
    )


@pytest.fixture(scope="module")
def shell():
    shape = Shell(
        name="x/1", altitude_km=550, inclination_deg=53, planes=6, satellites_per_plane=10
    )
    return shell_elements(shape, EPOCH_US)


@pytest.fixture(scope="module")
def mixed(shell):
    """Low orbits with two deep-space ones, one doomed by drag and one impossible set among them."""
    motion, eccentricity = shell.mean_motion_rev_day.copy(), shell.eccentricity.copy()
    bstar = shell.bstar.copy()
    motion[3], motion[40] = 2.0056, 1.0027
    eccentricity[3] = 0.72
    motion[17], bstar[17] = 16.3, 0.05
    motion[50] = 17.5  # below the ground from the start
    bstar[:3] = 1e-4
    return changed(shell, mean_motion_rev_day=motion, eccentricity=eccentricity, bstar=bstar)


@pytest.fixture
def times_us():
    return EPOCH_US + np.arange(0, 2 * 1440, 31, dtype=np.int64) * MINUTE_US


@pytest.mark.parametrize("engine", ["sgp4", "heyoka"])
def test_positions_axes_status_and_blanks(mixed, times_us, engine):
    position_km, status = propagator(mixed, engine=engine).positions_teme_km(times_us)
    assert position_km.shape == (times_us.size, len(mixed), 3)
    assert position_km.flags.c_contiguous
    assert position_km.dtype == np.float64
    assert status.dtype == np.uint8
    np.testing.assert_array_equal(np.isnan(position_km).all(-1), status != 0)
    np.testing.assert_array_equal(np.isnan(position_km).any(-1), status != 0)
    fine = np.setdiff1d(np.arange(len(mixed)), [17, 50])
    assert not status[:, fine].any()
    assert status[0, 17] == 0
    assert status[-1, 17] != 0, "drag brings it down within two days"
    assert (status[:, 50] != 0).all()
    assert set(np.unique(status)) <= set(STATUS_TEXT)


def test_a_satellite_against_the_package_used_plainly(shell):
    """Epochs, axes and satellites are not mixed up: one satellite, one time, by hand."""
    later = changed(shell, epoch_us=shell.epoch_us + np.arange(len(shell)) * 977 * MINUTE_US)
    times_us = EPOCH_US + np.array([0, 12_345, 50_000]) * MINUTE_US
    for engine in ("sgp4", "heyoka"):
        position_km, _ = propagator(later, engine=engine).positions_teme_km(times_us)
        for satellite in (0, 7, 59):
            alone = satrecs(later.take([satellite]))[0]
            for step, time_us in enumerate(times_us):
                minutes = (time_us - later.epoch_us[satellite]) / MINUTE_US
                _, wanted_km, _ = alone.sgp4_tsince(minutes)
                np.testing.assert_allclose(position_km[step, satellite], wanted_km, atol=1e-7)


def test_engines_agree_on_everything_mixed(mixed, times_us):
    ours_km, ours_status = propagator(mixed, engine="heyoka").positions_teme_km(times_us)
    wanted_km, wanted_status = propagator(mixed, engine="sgp4").positions_teme_km(times_us)
    np.testing.assert_array_equal(ours_status, wanted_status)
    well = np.setdiff1d(np.arange(len(mixed)), [17])
    np.testing.assert_allclose(ours_km[:, well], wanted_km[:, well], atol=HUNDREDTH_MM_KM)


@pytest.mark.parametrize("engine", ["sgp4", "heyoka"])
def test_ecef_is_teme_turned(mixed, times_us, engine):
    made = propagator(mixed, engine=engine)
    teme_km, _ = made.positions_teme_km(times_us)
    ecef_km, status = made.positions_ecef_km(times_us)
    wanted_km = teme_to_ecef_km(teme_km, gmst_rad(*julian_date(times_us)))
    np.testing.assert_allclose(ecef_km, wanted_km, atol=1e-9)
    np.testing.assert_array_equal(np.isnan(ecef_km).any(-1), status != 0)


@pytest.mark.shared
@pytest.mark.parametrize("file", SNAPSHOTS)
def test_engines_agree_on_real_satellites_within_a_hundredth_of_a_millimetre(shared_data, file):
    elements, _ = read_elements(shared_data / "constellations" / file)
    middle_us = int(np.median(elements.epoch_us))
    times_us = middle_us + np.array([0, 17, 95, 733, 1440], dtype=np.int64) * MINUTE_US
    ours_km, ours_status = HeyokaPropagator(elements).positions_teme_km(times_us)
    wanted_km, wanted_status = Sgp4Propagator(elements).positions_teme_km(times_us)
    np.testing.assert_array_equal(ours_status, wanted_status)
    apart_km = np.linalg.norm(ours_km - wanted_km, axis=-1)
    assert np.nanmax(apart_km) < HUNDREDTH_MM_KM


def test_deep_space_goes_to_sgp4(mixed):
    assert HeyokaPropagator(mixed).by_sgp4.tolist() == [3, 40, 50]


def test_what_heyoka_gets_wrong_is_taken_from_it(mixed, times_us):
    """Let it have the deep-space sets: the check at the ends of the run must find it out."""
    trusting = HeyokaPropagator(mixed, near_earth=np.ones(len(mixed), dtype=bool))
    assert trusting.by_sgp4.size == 0
    position_km, status = trusting.positions_teme_km(times_us)
    wanted_km, wanted_status = Sgp4Propagator(mixed).positions_teme_km(times_us)
    assert {3, 40} <= set(trusting.by_sgp4.tolist())
    np.testing.assert_array_equal(status, wanted_status)
    well = np.setdiff1d(np.arange(len(mixed)), [17])
    np.testing.assert_allclose(position_km[:, well], wanted_km[:, well], atol=HUNDREDTH_MM_KM)


def test_a_run_is_checked_at_both_ends_and_seldom_between(shell, monkeypatch):
    checked = []
    real = propagation._sgp4_positions

    def spy(array, time_us):
        checked.append([int(t - EPOCH_US) // MINUTE_US for t in time_us])
        return real(array, time_us)

    monkeypatch.setattr(propagation, "_sgp4_positions", spy)
    day = EPOCH_US + np.arange(1440, dtype=np.int64) * MINUTE_US
    declared = HeyokaPropagator(shell, window_us=(int(day[0]), int(day[-1])))
    for block in np.split(day, 144):
        declared.positions_ecef_km(block)
    assert checked == [[0, 1439]]

    checked.clear()
    undeclared = HeyokaPropagator(shell)
    for block in np.split(day, 144):
        undeclared.positions_ecef_km(block)
    assert checked[0] == [0, 9]
    assert len(checked) <= 10
    assert max(map(max, checked)) >= 1439
    undeclared.positions_ecef_km(day[:1] - 5 * MINUTE_US)
    assert min(map(min, checked)) <= -5


def test_blocks_and_order_of_times_do_not_matter(mixed, times_us):
    made = propagator(mixed, engine="heyoka", window_us=(int(times_us[0]), int(times_us[-1])))
    whole_km, whole_status = made.positions_ecef_km(times_us)
    other = np.random.default_rng(1).permutation(times_us.size)
    mixed_km, mixed_status = made.positions_ecef_km(times_us[other])
    np.testing.assert_array_equal(mixed_km, whole_km[other])
    np.testing.assert_array_equal(mixed_status, whole_status[other])
    one_by_one = [made.positions_ecef_km(times_us[i : i + 1])[0][0] for i in range(5)]
    np.testing.assert_array_equal(one_by_one, whole_km[:5])


def test_threads_do_not_share_buffers(shell):
    made = propagator(shell, engine="heyoka")
    times_us = EPOCH_US + np.arange(400, dtype=np.int64) * MINUTE_US
    wanted_km, _ = made.positions_ecef_km(times_us)
    got = {}

    def work(name):
        got[name] = made.positions_ecef_km(times_us)[0]

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for position_km in got.values():
        np.testing.assert_array_equal(position_km, wanted_km)
    assert len(got) == 4


def test_nothing_asked_is_nothing_answered(shell):
    for engine in ("sgp4", "heyoka"):
        for of, times in ((shell, []), (shell.take(np.arange(0)), [EPOCH_US])):
            position_km, status = propagator(of, engine=engine).positions_ecef_km(
                np.array(times, dtype=np.int64)
            )
            assert position_km.shape == (len(times), len(of), 3)
            assert status.shape == (len(times), len(of))


def test_which_engine_is_taken(shell, monkeypatch):
    assert isinstance(propagator(shell), HeyokaPropagator)
    assert isinstance(propagator(shell, n_steps=240), Sgp4Propagator)
    assert isinstance(propagator(shell, n_steps=10**6), HeyokaPropagator)
    with pytest.raises(InputError, match="no engine 'sgp8'"):
        propagator(shell, engine="sgp8")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert isinstance(propagator(shell), Sgp4Propagator)


def test_without_heyoka_asking_for_it_says_what_to_install(shell, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "heyoka", None)
    with pytest.raises(MissingExtra) as raised:
        propagator(shell, engine="heyoka")
    assert "spotbeam[fast]" in str(raised.value)


def test_numbers_of_nine_digits_never_enter_the_package(shell):
    assert shell.catalogue_number.min() > 339_999
    assert {satrec.satnum for satrec in satrecs(shell)} == {0}
