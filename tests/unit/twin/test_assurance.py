"""How far a position is believed: motion over windows, and what a stated error excuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from spotbeam.service.terminals import Mobility
from spotbeam.times import MICROSECONDS
from spotbeam.twin.trips.assurance import CLASS_SPEED_KMH, Assuring, assurance
from spotbeam.twin.trips.track import Track, check_track

GEOD = Geod(ellps="WGS84")
START_US = 1_767_225_600_000_000  # 2026-01-01
PLACES = ((45.0, 20.0, 90.0), (0.0, 179.99, 90.0), (89.99, 10.0, 0.0))
"""Latitude, longitude and heading: a plain one, one across the antimeridian, one over the pole."""
HOP_BY_HOP = Assuring(windows_s=())
"""The weakened control: each fix is held to the one before it alone."""


AT_ITS_WORD = Assuring(windows_s=(), most_excused_m=np.inf)
"""Weakened further: an error excuses whatever it says."""


def straight(
    along_m: Any,
    *,
    every_s: float = 1.0,
    place: tuple[float, float, float] = PLACES[0],
    noise_m: float = 0.0,
    **more: Any,
) -> Track:
    """Fixes so far along one geodesic, with GNSS noise of that 95 % radius."""
    along_m = np.asarray(along_m, float)
    n = len(along_m)
    lat, lon, heading = (np.full(n, value) for value in place)
    lon, lat, _ = GEOD.fwd(lon, lat, heading, along_m)
    draw = np.random.default_rng(n)
    off_m = noise_m / 2.45 * np.hypot(draw.normal(size=n), draw.normal(size=n))
    lon, lat, _ = GEOD.fwd(lon, lat, draw.uniform(0, 360, n), off_m)
    blank = np.full(n, np.nan)
    columns = {
        "altitude_m": blank,
        "speed_kmh": blank,
        "error_m": blank,
        "network_lat_deg": blank,
        "network_lon_deg": blank,
        **more,
    }
    time_us = START_US + np.round(np.arange(n) * every_s * MICROSECONDS).astype(np.int64)
    made = Track(name="made up", time_us=time_us, lat_deg=lat, lon_deg=lon, **columns)
    return check_track(made, "made up")


def steady(speed_kmh: float, *, for_s: float = 600.0, every_s: float = 1.0, **more: Any) -> Track:
    seconds = np.arange(round(for_s / every_s) + 1) * every_s
    return straight(speed_kmh / 3.6 * seconds, every_s=every_s, **more)


# -- motion


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("mobility", "speed_kmh", "every_s"),
    [
        (Mobility.MARITIME, 500.0, 1.0),
        (Mobility.MARITIME, 4_500.0, 0.1),
        (Mobility.FIXED, 400.0, 1.0),
    ],
)
def test_what_noise_excuses_in_one_hop_does_not_add_up(
    mobility: Mobility, speed_kmh: float, every_s: float, place: tuple[float, float, float]
) -> None:
    track = steady(speed_kmh, every_s=every_s, place=place)
    # The noise of two fixes is spent in seconds, and found again before each minute has passed.
    assert (assurance(track, mobility)[round(5 / every_s) :] == 0).all()
    assert (assurance(track, mobility, HOP_BY_HOP) == 1).all()


def test_a_little_too_fast_is_found_by_the_longest_window() -> None:
    """1 km/h over the limit is out of the noise after 458 s, and not before."""
    track = steady(CLASS_SPEED_KMH[Mobility.MARITIME] + 1.0)
    level = assurance(track, Mobility.MARITIME)
    assert (level[:458] == 1).all()
    assert (level[459:500] == 0).all()
    short = Assuring(windows_s=(10.0, 60.0))
    later = steady(CLASS_SPEED_KMH[Mobility.MARITIME] + 1.0, for_s=3_600)
    assert (assurance(later, Mobility.MARITIME, short) == 1).all()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("every_s", [0.1, 1.0, 7.0, 1_000.0])
@pytest.mark.parametrize("mobility", [Mobility.FIXED, Mobility.MARITIME, Mobility.AERO])
def test_who_keeps_to_the_limit_is_believed(
    mobility: Mobility, every_s: float, place: tuple[float, float, float]
) -> None:
    """At the very limit, with noise, for as long as it goes."""
    track = steady(
        CLASS_SPEED_KMH[mobility],
        for_s=max(1_300.0, 100 * every_s),
        every_s=every_s,
        place=place,
        noise_m=30.0,
    )
    assert (assurance(track, mobility) == 1).all()


def test_a_jump_is_held_for_its_minute_and_for_no_window() -> None:
    """A receiver that finds itself 40 km on is believed after a minute, not after ten."""
    along_m = np.where(np.arange(1_500) < 700, 0.0, 40_000.0)
    level = assurance(straight(along_m, noise_m=30.0), Mobility.MARITIME)
    assert (level[:700] == 1).all()
    assert (level[700:761] == 0).all()
    assert (level[761:] == 1).all()


def test_after_a_jump_windows_begin_anew_and_not_blind() -> None:
    """A jump buys no pace: who goes on too fast after it is found again."""
    along_m = np.where(np.arange(900) < 300, 0.0, 40_000.0 + 500 / 3.6 * np.arange(900))
    track = straight(along_m)
    assert (assurance(track, Mobility.MARITIME)[300:] == 0).all()
    assert (assurance(track, Mobility.MARITIME, HOP_BY_HOP)[400:] == 1).all()


# -- what a stated error excuses


@pytest.mark.parametrize("stated_m", [400_000.0, np.inf])
@pytest.mark.parametrize("where", [slice(300, 301), slice(None)])
def test_a_huge_error_hides_no_teleport(where: slice, stated_m: float) -> None:
    error_m = np.full(600, np.nan)
    error_m[where] = stated_m
    along_m = np.where(np.arange(600) < 300, 0.0, 400_000.0)
    track = straight(along_m, error_m=error_m)
    level = assurance(track, Mobility.MARITIME)
    assert (level[:300] == 1).all()
    assert (level[300:361] == 0).all()
    # The cap alone sees it, without a window; the control has neither.
    assert (assurance(track, Mobility.MARITIME, HOP_BY_HOP)[300:361] == 0).all()
    assert (assurance(track, Mobility.MARITIME, AT_ITS_WORD) == 1).all()


def test_a_huge_error_buys_no_agreement_with_the_network() -> None:
    """The network finds it 1,000 km away."""
    n = 60
    estimate = {"network_lat_deg": np.full(n, 36.0), "network_lon_deg": np.full(n, 20.0)}
    track = straight(np.zeros(n), error_m=np.full(n, 400_000.0), **estimate)
    assert (assurance(track, Mobility.MARITIME) == 0).all()
    attested = Assuring(is_attested=True)
    assert (assurance(track, Mobility.MARITIME, attested) == 0).all()
    assert (assurance(track, Mobility.MARITIME, AT_ITS_WORD) == 2).all()


@pytest.mark.parametrize("stated_m", [200.0, 1_000.0])
def test_an_error_up_to_a_kilometre_is_excused_as_stated(stated_m: float) -> None:
    """A poor receiver at rest, its noise as it says, and the network's estimate where it is."""
    n = 2_000
    estimate = {"network_lat_deg": np.full(n, 45.0), "network_lon_deg": np.full(n, 20.0)}
    poor = straight(np.zeros(n), noise_m=stated_m, error_m=np.full(n, stated_m), **estimate)
    assert (assurance(poor, Mobility.FIXED) == 2).all()
    silent = straight(np.zeros(n), noise_m=stated_m, **estimate)
    assert (assurance(silent, Mobility.FIXED) == 0).any()


def test_a_fix_that_states_no_error_has_that_of_a_good_one() -> None:
    """And none at all, or less, does not lower it."""
    along_m = np.where(np.arange(200) < 100, 0.0, 200.0)
    for stated_m in (np.nan, 0.0, -5.0):
        track = straight(along_m, error_m=np.full(200, stated_m))
        level = assurance(track, Mobility.FIXED)
        assert (level[:100] == 1).all()
        assert level[100] == 0
    assert (assurance(straight(0.6 * along_m), Mobility.FIXED) == 1).all()
