"""Ways on in a forecast: equal to single routes, to `why`, and however the run is cut."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from spotbeam.assembly.build import build
from spotbeam.assembly.forecast import forecast
from spotbeam.assembly.run_folder import RunFolder
from spotbeam.kernels.paths import UNREACHABLE_NS
from spotbeam.kernels.paths.onward import onward_ns
from spotbeam.kernels.visibility import prepare, sine_of_elevation
from spotbeam.land.gateways import GroundSite
from spotbeam.service.terminals import Terminal
from spotbeam.twin.coverage import BlockTally, CoverageWorker, merge_blocks
from spotbeam.twin.forecast import Plan, answer, plan
from spotbeam.twin.nets import net_of
from spotbeam.twin.routes import binding_landing, route_to_internet
from spotbeam.twin.scenario import parse_scenario
from spotbeam.twin.why import explain

SCENARIO = """
name = "onward"
view = "un"
[time]
start = "2026-01-01T00:00:00Z"
duration = "10m"
step = "15s"
[constellation]
shells = ["starlink-gen1/1"]
[area]
resolution = 1
bounds = [-60.0, -140.0, 65.0, 60.0]
[network]
mode = "bent_pipe"
landing = [{ of = ["FR"], at = ["DE"] }, { of = ["NG"], at = ["ZA"] }]
[[fleet]]
id = "far"
terminals = [
  { id = "paris", lat_deg = 48.85, lon_deg = 2.35 },
  { id = "lagos", lat_deg = 6.6, lon_deg = 3.4 },
  { id = "ocean", lat_deg = -40.0, lon_deg = -125.0 },
]
[[rule]]
id = "everywhere"
gate = "territory"
effect = "grant"
grounds = ["assumption:no-policy"]
"""


GIVEN = 'mode = "bent_pipe"\nlanding = [{ of = ["FR"], at = ["DE"] }, { of = ["NG"], at = ["ZA"] }]'


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(build(parse_scenario(SCENARIO, place="onward"), Path.cwd()), engine="sgp4")


def computed(planned: Plan, cuts: list[int]) -> BlockTally:
    worker = CoverageWorker(planned.inputs)
    edges = [0, *cuts, planned.inputs.grid.count]
    first, *rest = (worker.run(a, b) for a, b in itertools.pairwise(edges))
    for part in rest:
        first = merge_blocks(first, part)
    return first


def test_a_least_delay_is_what_looking_at_every_pair_finds() -> None:
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(-89, 89, 300), rng.uniform(-180, 180, 300)
    sites = prepare(lat, lon)
    way = rng.normal(size=(400, 3))
    now = way / np.linalg.norm(way, axis=1)[:, None] * rng.uniform(6800, 9000, (400, 1))
    later = now + rng.normal(scale=100.0, size=now.shape)
    now[:5] = np.nan
    onward = rng.integers(1_000_000, 60_000_000, (3, 400)).astype(np.int32)
    onward[:, ::4] = UNREACHABLE_NS
    kind = rng.integers(0, 3, 300)
    for mask_deg, most_km in ((25.0, np.inf), (0.0, 2500.0), (60.0, np.inf)):
        found = onward_ns(sites, kind, now, later, onward, mask_deg, most_km, 3335.64)
        sine = np.sin(np.radians(mask_deg))
        usable = np.ones((300, 400), dtype=bool)
        for position in (now, later):
            seen = sine_of_elevation(
                sites.position_ecef_km[:, None], sites.up_ecef[:, None], position
            )
            far = np.linalg.norm(position - sites.position_ecef_km[:, None], axis=2)
            usable &= (seen >= sine) & (far <= most_km)
        range_km = np.linalg.norm(now - sites.position_ecef_km[:, None], axis=2)
        total = np.where(usable, np.nan_to_num(range_km) * 3335.64, 0).round() + onward[kind]
        least = np.where(usable, total, UNREACHABLE_NS).min(axis=1).clip(max=UNREACHABLE_NS)
        assert np.array_equal(found, least)
        some = rng.random(300) < 0.2
        given = (sites, kind, now, later, onward, mask_deg, most_km, 3335.64)
        assert np.array_equal(onward_ns(*given, wanted=some), np.where(some, least, UNREACHABLE_NS))


@pytest.mark.parametrize("cuts", [[1], [7, 30], list(range(1, 40))])
def test_where_the_run_is_cut_does_not_matter(planned: Plan, cuts: list[int]) -> None:
    whole, cut = answer(planned, computed(planned, [])), answer(planned, computed(planned, cuts))
    assert json.dumps(whole.summary) == json.dumps(cut.summary)
    assert whole.cells.equals(cut.cells)
    assert whole.terminals.equals(cut.terminals)


def test_terminals_have_the_round_trips_of_single_routes(planned: Plan) -> None:
    world = planned.world
    net = net_of(world, engine="sgp4")
    rows = answer(planned, computed(planned, [])).terminals.to_pylist()
    times_us = planned.inputs.grid.times_us()
    for row in rows:
        place = GroundSite(name=row["id"], lat_deg=row["lat_deg"], lon_deg=row["lon_deg"])
        bound = binding_landing(net, row["territories"])
        steps = list(route_to_internet(net, place, times_us, bound))
        trips = [step.path.round_trip_ms for step in steps if step.path]
        assert row["routed_fraction"] == len(trips) / len(steps)
        if trips:
            assert row["round_trip_ms_mean"] == pytest.approx(np.mean(trips), abs=1e-4)
            assert row["round_trip_ms_min"] == pytest.approx(min(trips), abs=1e-4)
            assert row["round_trip_ms_max"] == pytest.approx(max(trips), abs=1e-4)
        else:
            reasons = Counter(step.reason for step in steps)
            assert (row["state"], row["rule"]) == ("no_route", None)
            assert row["reason"] == reasons.most_common(1)[0][0]
            assert row["round_trip_ms_mean"] is None
    by_id = {row["id"]: row for row in rows}
    assert by_id["paris"]["state"] == "served"
    assert by_id["ocean"]["reason"] == "no_gateway_in_reach"
    assert by_id["lagos"]["reason"] == "landing_rule"


def test_cells_without_a_way_are_out_of_view_and_say_so(planned: Plan) -> None:
    world = planned.world
    cells = answer(planned, computed(planned, [])).cells.to_pylist()
    reasons = {cell["reason"] for cell in cells}
    assert {None, "no_satellite", "no_gateway_in_reach", "landing_rule"} <= reasons
    times_us = planned.inputs.grid.times_us()[::8]
    for reason in (None, "no_gateway_in_reach", "landing_rule"):
        cell = next(c for c in cells if c["reason"] == reason and c["routed_fraction"] in (0, 1))
        here = Terminal(id="r", lat_deg=cell["lat_deg"], lon_deg=cell["lon_deg"])
        found = [explain(world, here, int(at_us)) for at_us in times_us]
        state = "served" if reason is None else "no_route"
        assert {each.service_state for each in found} == {state}
        assert {each.reason for each in found} == {reason or "OK"}
        assert cell["status"] == ("available" if reason is None else "out_of_view")


def test_a_block_is_kept_and_read_back(planned: Plan, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run", "key", [(0, 40)])
    folder.claim()
    done = computed(planned, [])
    folder.keep((0, 40), done)
    back = folder.read((0, 40))
    for one, other in zip(done, back, strict=True):
        assert one._fields == other._fields
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_files_hold_latency_by_cell_territory_and_fleet(tmp_path: Path) -> None:
    scenario = parse_scenario(SCENARIO, place="onward")
    result = forecast(scenario, duration="1m", out=tmp_path / "out", workers=2)
    assert result.summary["network"]["mode"] == "bent_pipe"
    (fleet,) = result.summary["fleets"]
    assert fleet["states"] == {
        "served": 1, "limited": 0, "no_satellite": 0, "no_route": 2, "denied": 0,
    }  # fmt: skip
    assert 15.0 < fleet["round_trip_ms"] < 40.0
    brazil = next(t for t in result.summary["territories"] if t["id"] == "BR")
    assert 10.0 < brazil["round_trip_ms"] < 60.0
    by_reason = result.summary["network"]["out_of_view_area_km2"]
    assert set(by_reason) == {"no_satellite", "no_gateway_in_reach", "landing_rule"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "no route" in page
    assert "landing_rule" in page


@pytest.mark.parametrize(
    ("network", "reasons"),
    [
        ('gateways = "none"', {"no_gateway"}),
        ('mode = "lasers"\nmax_link_km = 1', {"not_linked"}),
        ('mode = "lasers"\nlanding = [{ of = ["FR", "NG"], at = ["AQ"] }]', {"landing_rule"}),
        (
            'mode = "bent_pipe"\nmax_ground_km = 600',
            {"no_satellite", "no_lasting_satellite", "no_gateway_in_reach"},
        ),
    ],
)
def test_the_reason_is_that_of_single_routes(network: str, reasons: set[str | None]) -> None:
    text = SCENARIO.replace(GIVEN, network)
    planned = plan(build(parse_scenario(text, place="onward"), Path.cwd()), engine="sgp4")
    net = net_of(planned.world, engine="sgp4")
    rows = answer(planned, computed(planned, [3])).terminals.to_pylist()
    times_us = planned.inputs.grid.times_us()
    for row in rows:
        place = GroundSite(name=row["id"], lat_deg=row["lat_deg"], lon_deg=row["lon_deg"])
        bound = binding_landing(net, row["territories"])
        steps = list(route_to_internet(net, place, times_us, bound))
        found = Counter(step.reason for step in steps if step.reason)
        if row["state"] == "no_route":
            assert row["reason"] == found.most_common(1)[0][0]
        else:
            assert row["state"] == "served"
    assert {row["reason"] for row in rows} - {None} <= reasons
    assert {row["reason"] for row in rows} & reasons
