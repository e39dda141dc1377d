"""The reason of a forecast's row is the one of most of its steps: found again step by step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from spotbeam.assembly.build import build
from spotbeam.assembly.forecast import forecast
from spotbeam.errors import InputError
from spotbeam.land.gateways import GroundSite
from spotbeam.service.terminals import Terminal
from spotbeam.sky.propagation import propagator
from spotbeam.twin.nets import net_of
from spotbeam.twin.routes import binding_landing, route_to_internet
from spotbeam.twin.scenario import parse_scenario
from spotbeam.twin.why import decide, satellites_in_view
from spotbeam.twin.world import World

SCENARIO = """
name = "sparse"
view = "un"
[time]
start = "2026-01-01T00:00:00Z"
duration = "12m"
step = "15s"
[constellation]
min_elevation_deg = 10
[[constellation.shell]]
name = "s"
planes = 12
satellites_per_plane = 12
inclination_deg = 70
altitude_km = 550
[area]
resolution = 0
[network]
NETWORK
[[fleet]]
id = "t"
terminals = [
  { id = "paris", lat_deg = 48.85, lon_deg = 2.35 },
  { id = "lagos", lat_deg = 6.6, lon_deg = 3.4 },
  { id = "ocean", lat_deg = -40.0, lon_deg = -125.0 },
  { id = "reykjavik", lat_deg = 64.1, lon_deg = -21.9 },
  { id = "tokyo", lat_deg = 35.7, lon_deg = 139.7 },
]
[[rule]]
id = "everywhere"
gate = "territory"
effect = "grant"
grounds = ["assumption:no-policy"]
[[rule]]
id = "first-half"
gate = "order"
effect = "deny"
grounds = ["order:pause"]
when = [{ from = "2026-01-01T00:00:00Z", until = "2026-01-01T00:05:10Z" }]
"""


def world_of(network: str) -> World:
    return build(parse_scenario(SCENARIO.replace("NETWORK", network), place="sparse"), Path.cwd())


def reasons_by_step(world: World, terminal: Terminal) -> list[tuple[bool, bool, str | None]]:
    """Of each step: denied, a satellite in view, why there is no way."""
    net = net_of(world, engine="sgp4")
    engine = propagator(world.sky.in_service, engine="sgp4")
    place = GroundSite(name=terminal.id, lat_deg=terminal.lat_deg, lon_deg=terminal.lon_deg)
    face = world.ground.locate(np.array([place.lat_deg]), np.array([place.lon_deg]))[0]
    bound = binding_landing(net, world.ground.face_territories[face])
    times_us = world.grid.times_us()
    found = []
    for step in route_to_internet(net, place, times_us, bound):
        denied = decide(world, step.time_us, terminal, world.policy).outcome == "deny"
        seen = bool(satellites_in_view(world, engine, terminal, step.time_us))
        found.append((denied, seen, step.reason))
    return found


@pytest.mark.parametrize(
    "network",
    [
        'mode = "bent_pipe"\nmax_ground_km = 900',
        'mode = "bent_pipe"\nreconfigure = "1m"\nlanding = [{ of = ["FR", "NG"], at = ["DE"] }]',
        'mode = "lasers"\nmax_link_km = 3000\nfailed_satellites = [900000003, 900000020]',
    ],
)
def test_reasons_are_those_of_most_steps(network: str) -> None:
    world = world_of(network)
    answer = forecast(world.scenario)
    unserved = 0
    for row in answer.terminals.to_pylist():
        terminal = world.terminals.row(world.terminals.id_array().index(row["id"]).as_py())
        steps = [step for step in reasons_by_step(world, terminal) if not step[0]]
        without = Counter(reason for _, seen, reason in steps if seen and reason)
        if row["state"] == "no_route":
            unserved += 1
            assert without[row["reason"]] == max(without.values()), (row["id"], without)
    reference = world.scenario.reference_terminal
    cells = answer.cells.to_pylist()
    assert any(cell["status"] == "out_of_view" for cell in cells)
    for cell in [cell for cell in cells if cell["status"] == "out_of_view"][::9]:
        here = Terminal(
            id="r", lat_deg=cell["lat_deg"], lon_deg=cell["lon_deg"], mobility=reference.mobility
        )
        steps = [step for step in reasons_by_step(world, here) if not step[0]]
        without = Counter(
            (reason if seen else "no_satellite") for _, seen, reason in steps if reason or not seen
        )
        assert without[cell["reason"]] == max(without.values()), (cell["cell"], without)
    assert unserved or any(cell["reason"] for cell in cells)


def test_a_rule_that_costs_nothing_is_no_reason(tmp_path: Path) -> None:
    """Where no gateway is in reach without the landing rule either, it is not the rule."""
    (tmp_path / "g.csv").write_text("name,lat_deg,lon_deg\nTokyo,35.7,139.7\n")
    paris = GroundSite(name="paris", lat_deg=48.85, lon_deg=2.35)
    for place in ("NZ", "DE", "JP"):
        world = world_of(
            f'mode = "bent_pipe"\ngateways = "{tmp_path}/g.csv"\n'
            f'landing = [{{ of = ["FR"], at = ["{place}"] }}]'
        )
        steps = route_to_internet(net_of(world, engine="sgp4"), paris, world.grid.times_us(), (0,))
        reasons = {step.reason for step in steps}
        assert "no_gateway_in_reach" in reasons
        assert "landing_rule" not in reasons


def test_what_has_failed_is_not_in_view() -> None:
    every = list(range(900000001, 900000145))
    answer = forecast(world_of(f"failed_satellites = {every}").scenario)
    assert answer.summary["coverage"]["available_fraction"] == 0.0
    assert {cell["reason"] for cell in answer.cells.to_pylist()} <= {"no_satellite", None}


def test_a_plan_that_outlives_its_links_is_refused() -> None:
    with pytest.raises(InputError, match="longer than 5 minutes"):
        net_of(world_of('reconfigure = "6m"'))


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").write_text(f"name,lat_deg,lon_deg\n{folder},48,2\n")
    world = world_of(f'gateways = "{tmp_path}/a/x.csv"\npops = "{tmp_path}/b/x.csv"')
    assert sorted(world.sources) == ["x.csv", "x.csv (network, pops)"]
    assert len(set(world.sources.values())) == 2
