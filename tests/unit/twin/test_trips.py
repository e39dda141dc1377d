"""Trips: where a terminal was, who served it, what is remembered, how far it is believed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

import spotbeam
from spotbeam.assembly.build import build
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.assembly.shipped_tracks import track_path
from spotbeam.assembly.trace import TraceAnswer
from spotbeam.edge.live import LiveTable
from spotbeam.errors import InputError
from spotbeam.formats.tracks import read_track
from spotbeam.kernels.frames import geodetic_to_ecef_km, look_angles
from spotbeam.land.gateways import GroundSite
from spotbeam.network.settings import Network
from spotbeam.service.memory import FRESH
from spotbeam.service.position import Motion, place
from spotbeam.service.terminals import Mobility, terminals_from_rows
from spotbeam.service.verdict import OUTCOMES, REASONS, verdict
from spotbeam.sky.propagation import propagator
from spotbeam.times import MICROSECONDS
from spotbeam.twin.nets import net_of, territories_at
from spotbeam.twin.routes import Route, binding_landing, route_to_internet, summary_of
from spotbeam.twin.trips.assurance import Assuring, assurance
from spotbeam.twin.trips.track import Track, check_track, sampled
from spotbeam.twin.trips.trip import trace
from spotbeam.twin.world import World

BOAT: dict[str, Any] = {"mobility": "uncrewed", "verified": False}
BOATMAN = terminals_from_rows(
    [{"id": "boat", "lat_deg": 0.0, "lon_deg": 0.0, **BOAT}], place="x"
).row(0)
START_US = 1_767_225_600_000_000  # 2026-01-01


def a_track(lat: Any, lon: Any, *, every_s: float = 1.0, network: Any = None, **more: Any) -> Track:
    lat, lon = np.asarray(lat, float), np.asarray(lon, float)
    n = len(lat)
    blank = np.full(n, np.nan)
    near = (blank, blank) if network is None else network
    return check_track(
        Track(
            name="made up",
            time_us=START_US + (np.arange(n) * every_s * MICROSECONDS).astype(np.int64),
            lat_deg=lat,
            lon_deg=lon,
            altitude_m=more.get("altitude_m", blank),
            speed_kmh=more.get("speed_kmh", blank),
            error_m=more.get("error_m", blank),
            network_lat_deg=np.asarray(near[0], float),
            network_lon_deg=np.asarray(near[1], float),
        ),
        "made up",
    )


@pytest.fixture(scope="module")
def world() -> World:
    scenario, folder = load_scenario("black-sea")
    return build(scenario, folder, with_terminals=False)


@pytest.fixture(scope="module")
def trips() -> dict[str, TraceAnswer]:
    names = ("to-sevastopol", "to-sevastopol-fast", "to-ochakiv")
    return {name: spotbeam.trace("black-sea", name, step="5s", **BOAT) for name in names}


# -- the story


def test_a_boat_loses_service_at_the_line_at_the_cap_or_not_at_all(
    trips: dict[str, TraceAnswer],
) -> None:
    said = {
        name: [(leg["state"], leg["reason"], leg["rule"]) for leg in answer.summary["legs"]]
        for name, answer in trips.items()
    }
    line = [("denied", "GUARD_BAND", "high-seas"), ("denied", "IN_OCEAN", None)]
    assert said["to-ochakiv"] == [("served", "OK", None)]
    assert said["to-sevastopol"] == [("served", "OK", None), *line]
    assert said["to-sevastopol-fast"] == [
        ("served", "OK", None),
        ("denied", "MOVING_TOO_FAST_FOR_POLICY", "ua-speed-cap"),
        ("served", "OK", None),
        *line,
    ]


def test_the_cap_bites_after_its_ten_seconds_and_clears_by_its_own_threshold(
    world: World,
) -> None:
    """Over 75 km/h for 10 s, and back below 65: exactly as the rule says."""
    speed = np.array([60.0] * 20 + [80.0] * 20 + [70.0] * 20 + [60.0] * 20)
    track = a_track(np.linspace(46.40, 46.39, 80), np.linspace(30.85, 30.86, 80), speed_kmh=speed)
    traveller = terminals_from_rows(
        [{"id": "boat", "lat_deg": 0.0, "lon_deg": 0.0, **BOAT}], place="x"
    ).row(0)
    trip = trace(world, net_of(world, n_steps=12), traveller, track)
    denied = [step for step, found in enumerate(trip.verdicts) if found.outcome == "deny"]
    assert denied == list(range(30, 60))


def test_every_step_without_service_says_why(trips: dict[str, TraceAnswer]) -> None:
    for answer in trips.values():
        covered = []
        for leg in answer.trip.legs:
            covered += range(leg.first, leg.stop)
            assert leg.is_served or leg.reason not in ("", "OK")
        assert covered == list(range(len(answer.trip.moving.time_us)))


# -- verdicts


def test_verdicts_are_those_of_the_scalar_form_one_after_the_other(
    world: World, trips: dict[str, TraceAnswer]
) -> None:
    trip = trips["to-sevastopol-fast"].trip
    memory = FRESH
    for step in range(400):
        moving = trip.moving
        position = place(
            world.policy,
            world.ground,
            float(moving.lat_deg[step]),
            float(moving.lon_deg[step]),
            error_m=float(moving.error_m[step]),
            assurance=int(trip.level[step]),
        )
        motion = Motion(speed_kmh=float(moving.speed_kmh[step]))
        now_us = int(moving.time_us[step])
        found, memory = verdict(
            world.policy, trip.terminal, position, motion, memory, now_us, world.scenario.view
        )
        assert found == trip.verdicts[step]


def test_an_edge_that_hears_the_same_fixes_says_the_same(
    world: World, trips: dict[str, TraceAnswer]
) -> None:
    """The edge's live table, fix by fix, beside the trip: with memory of its own."""
    trip = trips["to-sevastopol-fast"].trip
    moving = trip.moving
    table = LiveTable(world.ground)
    table.enforce(world.policy, int(moving.time_us[0]))
    for step in [*range(30, 160), *range(3_100, 3_200)]:
        row = {
            "id": "boat",
            "lat_deg": float(moving.lat_deg[step]),
            "lon_deg": float(moving.lon_deg[step]),
            "speed_kmh": float(moving.speed_kmh[step]),
            "position_error_m": float(moving.error_m[step]),
            "assurance": int(trip.level[step]),
            **BOAT,
        }
        table.put(terminals_from_rows([row], place="x"), int(moving.time_us[step]))
        assert table.columns is not None
        outcome = OUTCOMES[int(table.columns.outcome[0])]
        reason = REASONS[int(table.columns.reason[0])]
        assert (outcome, reason) == (trip.verdicts[step].outcome, trip.verdicts[step].reason), step


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 78))
def test_a_trip_cut_anywhere_and_gone_on_with_its_memory_is_the_same_trip(cut: int) -> None:
    scenario, folder = load_scenario("black-sea")
    world = _kept(scenario, folder)
    speed = np.array([60.0] * 20 + [80.0] * 20 + [70.0] * 20 + [60.0] * 20)
    lat, lon = np.linspace(46.40, 46.39, 80), np.linspace(30.85, 30.86, 80)
    whole = a_track(lat, lon, speed_kmh=speed)
    net = net_of(world, n_steps=12)
    traveller = terminals_from_rows(
        [{"id": "boat", "lat_deg": 0.0, "lon_deg": 0.0, **BOAT}], place="x"
    ).row(0)
    every = trace(world, net, traveller, whole, level=1).verdicts
    first = _part(whole, 0, cut + 1)
    second = _part(whole, cut, 80)
    one = trace(world, net, traveller, first, level=1)
    # The step at the cut is in both halves: the second looks at it again, and it stays the same.
    other = trace(world, net, traveller, second, level=1, memory=one.memory)
    assert (*one.verdicts, *other.verdicts[1:]) == every


_WORLDS: dict[str, World] = {}


def _kept(scenario: Any, folder: Any) -> World:
    if scenario.name not in _WORLDS:
        _WORLDS[scenario.name] = build(scenario, folder, with_terminals=False)
    return _WORLDS[scenario.name]


def _part(track: Track, first: int, stop: int) -> Track:
    columns = {
        name: getattr(track, name)[first:stop] for name in track.__struct_fields__ if name != "name"
    }
    return Track(name=track.name, **columns)


# -- sky


def planned_every(reconfigure: str, *, name: str = "black-sea", **more: Any) -> World:
    """A shipped scenario whose network plans that often."""
    scenario, folder = load_scenario(name)
    network = msgspec.structs.replace(
        scenario.network or Network(), reconfigure=reconfigure, **more
    )
    own = msgspec.structs.replace(scenario, network=network)
    return build(own, folder, with_terminals=False)


def test_between_plans_satellites_are_where_sgp4_puts_them(trips: dict[str, TraceAnswer]) -> None:
    """Elevation of the serving satellite, against propagating it to that very second."""
    answer = trips["to-sevastopol"]
    trip, elements = answer.trip, answer.net.elements
    steps = np.arange(7, len(trip.moving.time_us), 173)
    position_ecef_km, _ = propagator(elements, engine="sgp4").positions_ecef_km(
        trip.moving.time_us[steps]
    )
    for row, step in enumerate(steps):
        satellite = int(trip.sky.satellite[step])
        lat, lon = float(trip.moving.lat_deg[step]), float(trip.moving.lon_deg[step])
        site = geodetic_to_ecef_km(lat, lon, 0.0)
        _, elevation, _ = look_angles(site, lat, lon, position_ecef_km[row, satellite])
        # 2 cm at 550 km are 2e-6 degrees.
        assert trip.sky.elevation_deg[step] == pytest.approx(float(elevation), abs=1e-5)
        assert elevation >= answer.net.min_elevation_deg


def test_handovers_happen_when_the_network_plans_and_never_between(
    trips: dict[str, TraceAnswer],
) -> None:
    trip = trips["to-sevastopol"].trip
    assert len(trip.handovers) > 100
    for each in trip.handovers:
        assert trip.moving.time_us[each.step] % (15 * MICROSECONDS) == 0
        assert each.from_id != each.to_id


def test_to_lose_the_position_and_to_find_it_again_is_no_handover(world: World) -> None:
    half = np.linspace(46.40, 46.39, 61)
    lat = np.concatenate([half, half])
    track = a_track(lat, np.full(122, 30.85))
    gap_us = 1_200 * MICROSECONDS
    time_us = track.time_us + np.where(np.arange(122) > 60, gap_us, 0)
    parted = msgspec.structs.replace(track, time_us=time_us)
    trip = trace(world, net_of(world, n_steps=20), BOATMAN, parted, step_us=5 * MICROSECONDS)
    satellite = trip.sky.satellite
    assert (satellite[[0, -1]] >= 0).all()
    assert (satellite < 0).sum() > 100
    numbers = net_of(world, n_steps=20).elements.catalogue_number
    assert [(each.step, each.from_id, each.to_id) for each in trip.handovers] == [
        (step, numbers[a], numbers[b])
        for step, (a, b) in enumerate(pairwise(satellite), 1)
        if a != b and a >= 0 and b >= 0
    ]


@pytest.mark.parametrize("reconfigure", ["7s", "15s", "20s", "60s", "always"])
def test_a_trip_on_the_spot_is_the_route_to_the_internet_from_there(reconfigure: str) -> None:
    """The same satellites, handovers and delays, however often the network plans."""
    world = planned_every(reconfigure)
    net = net_of(world, n_steps=40)
    track = a_track(np.full(301, 46.40), np.full(301, 30.85))
    trip = trace(world, net, BOATMAN, track, step_us=5 * MICROSECONDS)
    place = GroundSite(name="quay", lat_deg=46.40, lon_deg=30.85)
    landing = binding_landing(net, territories_at(world, [place])[0])
    steps = tuple(route_to_internet(net, place, trip.moving.time_us, landing))
    paths = [step.path for step in steps]
    assert [-1 if path is None else path.satellites[0] for path in paths] == [*trip.sky.satellite]
    delays = np.array([np.nan if path is None else path.round_trip_ms for path in paths])
    assert trip.sky.round_trip_ms == pytest.approx(delays, abs=1e-6, nan_ok=True)
    found = summary_of(net, Route(origin=place, end=None, steps=steps, landing=landing))
    assert len(trip.handovers) == found["handovers"] > 0
    assert trip.may_miss_handovers == (reconfigure == "always")


def test_within_a_period_of_minutes_satellites_are_where_sgp4_puts_them() -> None:
    world = planned_every("5m")
    net = net_of(world, n_steps=40)
    trip = trace(world, net, BOATMAN, a_track([46.40, 46.40], [30.85, 30.85], every_s=299))
    exact, _ = propagator(net.elements, engine="sgp4").positions_ecef_km(trip.moving.time_us)
    site = geodetic_to_ecef_km(46.40, 30.85, 0.0)
    served = np.flatnonzero(trip.sky.satellite >= 0)
    assert len(served) > 100
    for step in served[::11]:
        _, elevation, _ = look_angles(site, 46.40, 30.85, exact[step, trip.sky.satellite[step]])
        assert trip.sky.elevation_deg[step] == pytest.approx(float(elevation), abs=1e-5)


@pytest.mark.parametrize("period_s", [15, 60])
def test_without_a_way_on_too_it_is_handed_over_when_the_network_plans(period_s: int) -> None:
    """Where no gateway is in reach: far out in the South Pacific, with bent pipes."""
    world = planned_every(f"{period_s}s", mode="bent_pipe")
    net = net_of(world, n_steps=40)
    track = a_track(np.full(301, -48.0), np.full(301, -123.0))
    trip = trace(world, net, BOATMAN, track)
    assert set(trip.sky.reason) == {"no_gateway_in_reach"}
    assert trip.handovers
    for each in trip.handovers:
        assert trip.moving.time_us[each.step] % (period_s * MICROSECONDS) == 0
    served = trip.sky.satellite >= 0
    assert served.all()
    assert (trip.sky.elevation_deg[served] >= net.min_elevation_deg).all()


@pytest.mark.parametrize("reconfigure", ["15s", "20s"])
def test_who_is_suddenly_elsewhere_has_no_way_until_the_next_plan(reconfigure: str) -> None:
    world = planned_every(reconfigure)
    net = net_of(world, n_steps=12)
    lon = np.where(np.arange(40) < 8, 0.0, 40.0)
    trip = trace(world, net, BOATMAN, a_track(np.full(40, 51.0), lon))
    sky, again = trip.sky, int(reconfigure[:-1])
    without = [step for step, reason in enumerate(sky.reason) if reason]
    assert without == list(range(8, again))
    assert {sky.reason[step] for step in without} == {"no_lasting_satellite"}
    assert np.flatnonzero(np.isnan(sky.round_trip_ms)).tolist() == without
    assert np.flatnonzero(sky.satellite < 0).tolist() == without
    assert np.nanmin(sky.elevation_deg) >= net.min_elevation_deg
    assert (sky.gateway[without] == -1).all()
    assert (sky.pop[without] == -1).all()
    # There are satellites where it is then; the network only has no plan for it yet.
    assert (sky.in_view > 0).all()


def test_without_a_way_on_too_its_satellite_stays_behind() -> None:
    """From one empty part of the South Pacific to another, far off."""
    world = planned_every("15s", mode="bent_pipe")
    lon = np.where(np.arange(31) < 8, -123.0, -100.0)
    trip = trace(world, net_of(world, n_steps=12), BOATMAN, a_track(np.full(31, -48.0), lon))
    assert set(trip.sky.reason) == {"no_gateway_in_reach"}
    assert np.flatnonzero(trip.sky.satellite < 0).tolist() == list(range(8, 15))


def test_an_aircraft_keeps_its_way_through_every_period(world: World) -> None:
    """Though its satellite sinks a little under the mask before the period ends, now and then."""
    track = a_track(np.linspace(45.0, 47.25, 1_001), np.full(1_001, 30.0))
    trip = trace(world, net_of(world, n_steps=80), BOATMAN, track)
    assert set(trip.sky.reason) == {""}
    assert not np.isnan(trip.sky.round_trip_ms).any()


def test_the_delay_is_that_of_a_route_from_the_same_place(trips: dict[str, TraceAnswer]) -> None:
    answer = trips["to-ochakiv"]
    trip = answer.trip
    for step in (0, 333, 1_200):
        # A plan is made for where the terminal is when its period begins.
        begin = step - step % 3
        at = (float(trip.moving.lat_deg[begin]), float(trip.moving.lon_deg[begin]))
        seconds = (int(trip.moving.time_us[step]) - START_US) / MICROSECONDS
        route = spotbeam.route("black-sea", at, times_s=[seconds])
        path = route.route.steps[0].path
        assert path is not None
        assert trip.sky.round_trip_ms[step] == pytest.approx(path.round_trip_ms, abs=1e-4)


# -- where it was


@settings(max_examples=50, deadline=None)
@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-89, 89), st.floats(-180, 180))
def test_between_fixes_it_is_on_the_geodesic(a: float, b: float, c: float, d: float) -> None:
    geod = Geod(ellps="WGS84")
    _, _, length = geod.inv(b, a, d, c)
    track = a_track([a, c], [b, d], every_s=60)
    moving = sampled(track, MICROSECONDS, 600 * MICROSECONDS)
    _, _, before = geod.inv(np.full(61, b), np.full(61, a), moving.lon_deg, moving.lat_deg)
    _, _, after = geod.inv(np.full(61, d), np.full(61, c), moving.lon_deg, moving.lat_deg)
    assert before + after == pytest.approx(np.full(61, length), rel=1e-9, abs=1e-3)
    assert before == pytest.approx(np.arange(61) / 60 * length, rel=1e-9, abs=1e-3)


def test_across_the_antimeridian_it_goes_the_short_way() -> None:
    moving = sampled(a_track([0.0, 0.0], [179.5, -179.5], every_s=60), MICROSECONDS, 10**9)
    assert np.all((moving.lon_deg > 179.4) | (moving.lon_deg < -179.4))


def test_where_nobody_knows_it_is_not_served_there(world: World) -> None:
    track = a_track([46.40, 46.39], [30.85, 30.86], every_s=1_200)
    traveller = terminals_from_rows(
        [{"id": "boat", "lat_deg": 0.0, "lon_deg": 0.0, **BOAT}], place="x"
    ).row(0)
    trip = trace(world, net_of(world, n_steps=12), traveller, track, step_us=60 * MICROSECONDS)
    assert [(leg.state, leg.reason) for leg in trip.legs] == [
        ("served", "OK"),
        ("denied", "UNKNOWN_LOCATION"),
        ("served", "OK"),
    ]


# -- how far it is believed


def honest(
    seed: int, *, mobility: Mobility = Mobility.LAND, speed_kmh: float = 90.0, n: int = 600
) -> Track:
    """A vehicle that turns at random, its fixes with GNSS noise, the network's with far more."""
    draw = np.random.default_rng(seed)
    step_m = speed_kmh / 3.6
    heading = np.cumsum(draw.normal(0, 0.1, n)) + draw.uniform(0, 2 * np.pi)
    north, east = np.cumsum(step_m * np.cos(heading)), np.cumsum(step_m * np.sin(heading))
    lat0 = draw.uniform(-60, 60)
    per_deg = 111_320.0

    def placed(noise_m: float) -> tuple[np.ndarray, np.ndarray]:
        sigma = noise_m / 2.45  # a disc with 95 % has 2.45 sigma of each axis
        return (
            lat0 + (north + draw.normal(0, sigma, n)) / per_deg,
            20.0 + (east + draw.normal(0, sigma, n)) / (per_deg * np.cos(np.radians(lat0))),
        )

    lat, lon = placed(30.0)
    return a_track(lat, lon, network=placed(2_000.0))


def drifting(seed: int, rate_m_s: float) -> Track:
    """The same, its fixes pulled away smoothly from the second minute on."""
    track = honest(seed)
    pull = np.maximum(0.0, np.arange(len(track)) - 120) * rate_m_s / 111_320.0
    return Track(
        **{
            **{name: getattr(track, name) for name in track.__struct_fields__},
            "lat_deg": track.lat_deg + pull,
        }
    )


def jumping(seed: int, jump_km: float = 40.0) -> Track:
    track = honest(seed)
    lat = track.lat_deg.copy()
    lat[300:] += jump_km / 111.32
    return Track(
        **{
            **{name: getattr(track, name) for name in track.__struct_fields__},
            "lat_deg": lat,
        }
    )


def test_honest_tracks_are_hardly_ever_refused() -> None:
    """200 vehicles, 120,000 fixes with noise: a rule that demands level 2 refuses fewer than 1 in
    1,000 of them, and one that demands level 1 none."""
    levels = np.concatenate([assurance(honest(seed), Mobility.LAND) for seed in range(200)])
    assert np.mean(levels < 2) < 1e-3
    assert np.mean(levels < 1) < 1e-3
    attested = assurance(honest(1), Mobility.LAND, Assuring(is_attested=True))
    assert np.mean(attested == 3) > 0.99


@pytest.mark.parametrize("rate_m_s", [25.0, 40.0])
def test_a_smooth_drift_is_caught_by_the_network_alone(rate_m_s: float) -> None:
    """Within the class's speed nothing in the track shows it; the network's estimate does."""
    caught = 0
    for seed in range(50):
        track = drifting(seed, rate_m_s)
        level = assurance(track, Mobility.LAND)
        assert (level[:110] == 2).all()
        caught += bool((level[-60:] == 0).all())
        # The control: whoever has only the track believes it to the end.
        blind = Track(
            **{
                **{name: getattr(track, name) for name in track.__struct_fields__},
                "network_lat_deg": np.full(len(track), np.nan),
                "network_lon_deg": np.full(len(track), np.nan),
            }
        )
        assert (assurance(blind, Mobility.LAND) == 1).all()
    assert caught == 50


def test_a_jump_is_caught_by_the_track_alone_and_held_for_a_minute() -> None:
    for seed in range(50):
        track = jumping(seed)
        blind = Track(
            **{
                **{name: getattr(track, name) for name in track.__struct_fields__},
                "network_lat_deg": np.full(len(track), np.nan),
                "network_lon_deg": np.full(len(track), np.nan),
            }
        )
        level = assurance(blind, Mobility.LAND)
        assert (level[300:361] == 0).all()
        assert (level[:300] == 1).all()
        assert (level[361:] == 1).all()
        # With the network's word it is never believed again.
        assert (assurance(track, Mobility.LAND)[300:] == 0).all()


def test_a_class_that_may_be_fast_is_not_taken_for_a_jump() -> None:
    track = honest(3, speed_kmh=900.0)
    assert (assurance(track, Mobility.AERO) == 2).all()
    assert (assurance(track, Mobility.LAND) == 0).any()


def test_a_rule_may_demand_a_level_and_the_spoofed_boat_loses_service() -> None:
    """The spoof says it is on land that has a grant; a rule that demands level 2 stops it."""
    scenario, folder = load_scenario("black-sea")
    from spotbeam.service.rules import rules_from

    demand = rules_from(
        [
            {
                "id": "assured",
                "gate": "assurance",
                "effect": "deny",
                "where": ["UA", "UA/sea"],
                "thresholds": {"below_assurance": 2},
                "grounds": ["order:assurance"],
            }
        ],
        "x",
    )
    strict = msgspec.structs.replace(scenario, rules=(*scenario.rules, *demand))
    n = 240
    lat, lon = np.linspace(46.40, 46.39, n), np.linspace(30.85, 30.86, n)
    # In truth it is off Sevastopol, and the network finds it there.
    spoofed = a_track(lat, lon, network=(np.full(n, 44.6), np.full(n, 33.3)))
    sound = a_track(lat, lon, network=(lat, lon))

    def outcomes(rules: Any, track: Track) -> set[str]:
        world = build(rules, folder, with_terminals=False)
        traveller = terminals_from_rows(
            [{"id": "boat", "lat_deg": 0.0, "lon_deg": 0.0, **BOAT}], place="x"
        ).row(0)
        trip = trace(world, net_of(world, n_steps=40), traveller, track)
        return {leg.reason for leg in trip.legs}

    assert outcomes(strict, sound) == {"OK"}
    assert outcomes(strict, spoofed) == {"POSITION_NOT_ASSURED"}
    assert outcomes(scenario, spoofed) == {"OK"}  # the control: without the rule it succeeds


# -- files


def test_the_shipped_tracks_are_tracks() -> None:
    for name in ("to-sevastopol", "to-sevastopol-fast", "to-ochakiv"):
        track = read_track(track_path(name))
        assert len(track) > 100
        assert np.nanmax(track.speed_kmh) < 100


def test_what_is_no_trip_is_refused() -> None:
    with pytest.raises(InputError, match="unknown track 'to-sevastopo'"):
        spotbeam.trace("black-sea", "to-sevastopo")
    with pytest.raises(InputError, match="above zero"):
        spotbeam.trace("black-sea", "to-ochakiv", step=0)
    with pytest.raises(InputError, match="unknown terminal"):
        spotbeam.trace("black-sea", "to-ochakiv", terminal="boat-99")
