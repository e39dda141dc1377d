"""Coverings, spill and starvation against exact geometry and distances on the ellipsoid."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

from spotbeam.kernels.footprint import footprint
from spotbeam.land.cells import cell_polygons
from spotbeam.land.territories import ground
from spotbeam.service.policy import Policy
from spotbeam.service.rules import Rule, rules_from
from spotbeam.twin.impact.area import cells_within, points_of, ringed
from spotbeam.twin.impact.spill import (
    ELEVATIONS_DEG,
    border_effects,
    covering_of,
    coverings_of,
    served_faces,
)

AT_US = 1_780_000_000_000_000
GEOD = pyproj.Geod(ellps="WGS84")


def rule(effect: str, where: list[str], except_: list[str] | None = None, gate: str = "") -> Rule:
    table = {"id": "r", "effect": effect, "where": where, "grounds": ["order:x"]}
    table["gate"] = gate or ("territory" if effect == "grant" else "order")
    if except_:
        table["except"] = except_
    return rules_from([table], "test", known_territories=ground("un").ids())[0]


def outline(where: list[str], except_: list[str]) -> shapely.Geometry:
    shapes = ground("un")
    whole = shapely.union_all([shapes.geometry(name) for name in where])
    return whole - shapely.union_all([shapes.geometry(name) for name in except_])


@pytest.mark.parametrize(
    ("where", "except_"),
    [(["MD"], []), (["UA"], ["UA-43", "UA-40"]), (["FJ"], []), (["UA-43"], [])],
)
@pytest.mark.parametrize("resolution", [4, 5])
def test_deny_cells_cover_the_ground_and_allow_cells_lie_in_it(
    where: list[str], except_: list[str], resolution: int
) -> None:
    """Invariant 10: no denied ground is without a cell, no cell is beyond granted ground."""
    shape = outline(where, except_)
    denied = cell_polygons(coverings_of(rule("deny", where, except_), ground("un"), resolution))
    left = shapely.difference(shape, shapely.union_all(denied))
    assert shapely.area(left) < 1e-9  # square degrees: 10 m², what overlay itself may lose
    allowed = cell_polygons(coverings_of(rule("grant", where, except_), ground("un"), resolution))
    assert shapely.covers(shape, allowed).all()
    assert set(map(shapely.to_wkb, allowed)) <= set(map(shapely.to_wkb, denied))
    assert len(denied) > len(allowed)


def test_a_rule_in_cells_is_obeyed_cell_by_cell() -> None:
    cells = ["h3:861e4a35fffffff", "h3:861e4a04fffffff"]
    earth = ground("un", cells=cells)
    named = [
        rules_from(
            [{"id": "r", "effect": e, "where": cells, "gate": g, "grounds": ["order:x"]}],
            "test",
            known_territories=earth.ids(),
        )[0]
        for e, g in (("deny", "cell"), ("grant", "territory"))
    ]
    over = covering_of(named[0], earth)
    assert (over.holds, over.resolution) == ("over", 6)
    assert over.cells == 2 * 7  # the cells, and those that share an edge with one
    assert covering_of(named[1], earth).holds == "inside"


@pytest.mark.parametrize("name", ["MD", "UA-43"])
def test_spill_and_starvation_are_those_of_measured_distances(name: str) -> None:
    """Each cell's distance to the border by geodesics to a dense outline, not by our discs."""
    earth = ground("un")
    before, after = Policy(), Policy(rules=(rule("grant", [name]),))
    elevations = (25.0, 40.0, 90.0)
    found = border_effects(before, after, earth, [name], elevations_deg=elevations, at_us=AT_US)
    guards = footprint(elevations).far_km
    cells = ringed(cells_within(earth, [name], 5), float(guards[0]))
    lat, lon = points_of(cells)
    shape = earth.geometry(name)
    inside = shapely.contains_xy(shape, lon, lat)
    rim = shapely.get_coordinates(shapely.segmentize(shapely.boundary(shape), 0.01))
    distance_km = np.array([nearest_km(*point, rim) for point in zip(lat, lon, strict=True)])
    for each, guard_km in zip(found, guards.tolist(), strict=True):
        assert each.guard_km == round(guard_km, 1)
        for sure, told in (
            (~inside & (distance_km < guard_km), each.spilled.cells),
            (inside & (distance_km < guard_km), each.starved.cells),
        ):
            # The outline is dense to a kilometre, and cells that near the guard may go either way.
            doubt = int((np.abs(distance_km - guard_km) < 0.2).sum())
            assert abs(int(sure.sum()) - told) <= doubt
        assert (each.spilled_before.cells, each.starved_before.cells) == (0, 0)
    spilled = [each.spilled.people for each in found]
    assert spilled == sorted(spilled, reverse=True)
    assert len(border_effects(before, after, earth, [name], at_us=AT_US)) == len(ELEVATIONS_DEG)


def nearest_km(lat: float, lon: float, rim: np.ndarray) -> float:
    flat = np.hypot((rim[:, 0] - lon) * np.cos(np.radians(lat)), rim[:, 1] - lat)
    near = rim[np.argsort(flat)[:8]]
    _, _, metres = GEOD.inv(
        np.full(len(near), lon), np.full(len(near), lat), near[:, 0], near[:, 1]
    )
    return float(np.min(metres)) / 1000.0


def test_a_border_between_served_neighbours_costs_nothing() -> None:
    earth = ground("un")
    moldova = Policy(rules=(rule("grant", ["MD"]),))
    both = Policy(rules=(rule("grant", ["MD", "UA", "RO", "UA/sea", "RO/sea"]),))
    alone = border_effects(moldova, both, earth, ["MD"], elevations_deg=[60.0], at_us=AT_US)[0]
    assert alone.spilled_before.people > 100_000
    assert alone.starved_before.people > 100_000
    # With its neighbours served, no beam at Moldova's borders lights what it must not.
    assert (alone.spilled.cells, alone.starved.cells) == (0, 0)


def test_what_only_some_may_use_is_not_taken_for_open_ground() -> None:
    earth = ground("un")
    shut = rules_from(
        [
            {"id": "g", "effect": "grant", "gate": "territory", "where": ["MD", "UA", "RO"],
             "grounds": ["order:x"]},
            {"id": "d", "effect": "deny", "gate": "order", "where": ["UA"], "grounds": ["order:x"]},
            {"id": "p", "effect": "deny", "gate": "list", "where": ["MD"], "grounds": ["order:x"]},
            {"id": "w", "effect": "deny", "gate": "order", "where": ["MD"],
             "who": {"fleet": ["f"]}, "grounds": ["order:x"]},
        ],
        "test",
        known_territories=earth.ids(),
    )  # fmt: skip
    open_ = served_faces(Policy(rules=shut), earth, AT_US)
    names = [earth.face_territories[face] for face in np.flatnonzero(open_)]
    assert any("MD" in ids for ids in names)
    assert not any("UA" in ids or "HU" in ids for ids in names)
