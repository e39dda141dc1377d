"""`spotbeam.impact`: from a record, a proposal and a scenario to an impact and its files."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest
from support.governance import World, rule
from support.impacts import CRIMEA, black_sea, change_of, over_the_black_sea

import spotbeam
from spotbeam.assembly.impacts import preview, write_changes
from spotbeam.errors import InputError, MissingRecord, Refused, UnknownName
from spotbeam.governance.entries.acts import PutRule, Unseat

OWN = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {},
 "geometry": {"type": "Polygon", "coordinates":
 [[[34.0, 46.5], [35.0, 46.5], [35.0, 47.0], [34.0, 47.0], [34.0, 46.5]]]}}]}"""

SCENARIO = """
name = "small"
view = "un"
[constellation]
shells = ["starlink-gen1"]
[area]
resolution = 4
bounds = [44.0, 32.0, 48.0, 36.0]
[[territory]]
file = "front.geojson"
id = "x-front"
[[fleet]]
id = "read"
file = "fleet.csv"
[[fleet]]
id = "drawn"
count = 50
where = ["UA-43"]
[[rule]]
id = "unused"
gate = "territory"
effect = "grant"
where = ["UA"]
grounds = ["order:x"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "front.geojson").write_text(OWN)
    (tmp_path / "fleet.csv").write_text("id,lat_deg,lon_deg\nin,46.7,34.5\nout,46.7,33.5\n")
    (tmp_path / "small.toml").write_text(SCENARIO)
    return tmp_path


def test_a_scenario_brings_terminals_and_territories_of_its_own(folder: Path) -> None:
    world = black_sea()
    front = rule("front", effect="deny", gate="order", where=("x-front",))
    crimea = rule("crimea", where=("UA-43",))
    name = world.change(PutRule(front), PutRule(crimea), request=world.request(where=()))
    found = spotbeam.impact(
        world.history(), name, at_us=world.clock_us, scenario=folder / "small.toml"
    )
    (stage,) = found.terminals
    assert stage.terminals == 52
    lost = [row for row in stage.changes.to_pylist() if row["kind"] == "lost"]
    assert [(row["id"], row["after_reason"]) for row in lost] == [("in", "BLOCKED_COUNTRY")]
    assert stage.kinds["gained"] == 50
    # What people sign knows nobody's files: the territory is named as not counted.
    assert found.public.seen[0].unplaced == ("x-front",)
    bare = spotbeam.impact(world.history(), name, at_us=world.clock_us)
    assert bare.digest == found.digest
    assert bare.terminals == ()


def test_what_is_wrong_is_said(tmp_path: Path, folder: Path) -> None:
    world = black_sea()
    name = world.change(PutRule(rule("b")))
    with pytest.raises(UnknownName, match="unknown proposal"):
        spotbeam.impact(world.history(), "e99")
    with pytest.raises((InputError, MissingRecord), match="no such folder"):
        spotbeam.impact(tmp_path / "nowhere", name)
    with pytest.raises(InputError, match="scenario"):
        spotbeam.impact(world.history(), name, at_us=world.clock_us, scenario="black-seas")
    (folder / "fleet.csv").unlink()
    with pytest.raises(InputError, match=r"fleet\.csv"):
        spotbeam.impact(world.history(), name, at_us=world.clock_us, scenario=folder / "small.toml")
    late = world.now.changes[name].proposal.lapses_us
    with pytest.raises(Refused, match="lapsed"):
        spotbeam.impact(world.history(), name, at_us=late)


def test_changed_cells_are_geoparquet_that_others_open(tmp_path: Path) -> None:
    world = black_sea()
    body = change_of(world, PutRule(rule("crimea", where=CRIMEA[:1])))
    write_changes(
        world.now,
        body,
        "b",
        at_us=world.clock_us,
        picture=tmp_path / "map.png",
        cells=tmp_path / "cells.parquet",
    )
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    cells = geopandas.read_parquet(tmp_path / "cells.parquet")
    ordinary = cells[cells.reference == "ordinary"]
    signed = preview(world.now, body, "b", at_us=world.clock_us).public
    effects = signed.seen[0].phases[0].effects
    total = sum(e.cells for e in effects if e.territory == "*" and e.reference == "ordinary")
    assert len(ordinary) == total
    assert ordinary.geometry.is_valid.all()
    assert set(ordinary.kind) == {"gained"}


def test_a_change_of_people_has_nothing_to_draw(tmp_path: Path) -> None:
    world = World()
    body = world.change_body(Unseat("eli"))
    with pytest.raises(InputError, match="no ground"):
        write_changes(world.now, body, "b", at_us=world.clock_us, picture=tmp_path / "map.png")
    assert list(tmp_path.iterdir()) == []
    found = preview(world.now, body, "b", at_us=world.clock_us, terminals=over_the_black_sea(50))
    assert found.terminals[0].kinds == {"same": 50}
    assert found.borders == ()
