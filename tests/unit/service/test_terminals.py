"""Terminals: defaults, checks that name row and value, and columns that stay small."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from spotbeam.errors import TerminalsError
from spotbeam.service.terminals import (
    COLUMNS,
    Mobility,
    Protection,
    Terminals,
    concatenate,
    first_fault,
    terminals_from_rows,
)


def table(n=3, **columns):
    plain = {"id": [f"k{i}" for i in range(n)], "lat_deg": np.zeros(n), "lon_deg": np.ones(n)}
    return plain | columns


def test_only_id_and_position_are_required():
    terminal = Terminals.from_columns(table(1)).row(0)
    assert terminal.id == "k0"
    assert (terminal.fleet, terminal.sponsor, terminal.registrant_country) == ("default", "", "")
    assert (terminal.mobility, terminal.protection) == (Mobility.FIXED, Protection.NONE)
    assert (terminal.verified, terminal.distress, terminal.account) == (True, False, "active")
    assert (terminal.plan, terminal.assurance, terminal.position_error_m) == ("standard", 3, 0.0)
    assert (terminal.speed_kmh, terminal.altitude_m) == (0.0, 0.0)
    assert math.isnan(terminal.service_lat_deg)


@pytest.mark.parametrize("kind", ["list", "numpy", "arrow", "dictionary", "chunked"])
def test_columns_come_as_lists_arrays_or_arrow(kind):
    fleets = ["a", None, "b", "a"]
    given = {
        "list": fleets,
        "numpy": np.array(fleets, dtype=object),
        "arrow": pa.array(fleets),
        "dictionary": pa.array(fleets).dictionary_encode(),
        "chunked": pa.chunked_array([fleets[:2], fleets[2:]]),
    }[kind]
    terminals = Terminals.from_columns(table(4, fleet=given, verified=[True, None, False, True]))
    assert [row.fleet for row in terminals.rows()] == ["a", "default", "b", "a"]
    assert [row.verified for row in terminals.rows()] == [True, True, False, True]
    assert terminals.fleet_array().to_pylist() == ["a", "default", "b", "a"]


@pytest.mark.parametrize(
    ("column", "values", "row", "words"),
    [
        ("lat_deg", [0.0, 91.0, -91.0], 1, "91 is not a number from -90 to 90"),
        ("lat_deg", ["1", "2", "north"], 2, "'north' is not a number"),
        ("lon_deg", [0.0, 0.0, math.inf], 2, "inf is not a number from -180 to 180"),
        ("speed_kmh", [0.0, -1.0, 0.0], 1, "-1 is not a number from 0"),
        ("assurance", [3, 1.5, 3], 1, "1.5 is not a whole number from 0 to 3"),
        ("mobility", ["fixed", "land", "martime"], 2, "did you mean 'maritime'?"),
        ("account", ["active", "expired", "none"], 1, "known: active, none, disabled, unsupported"),
        ("verified", [True, "maybe", False], 1, "'maybe' is neither true nor false"),
        ("registrant_country", ["UA", "ua", ""], 1, "'ua' is not an ISO 3166-1 alpha-2 code"),
        ("id", ["a", "b", "a"], 2, "'a' is also the id of row 1"),
        ("id", ["a", " ", "c"], 1, "the id is empty"),
        ("service_lat_deg", [None, 5.0, None], 1, "give both or neither"),
        ("lat_deg", [0.0, None, 0.0], 1, "give both or neither"),
    ],
)
def test_the_first_bad_value_is_named_with_its_row(column, values, row, words):
    columns = table(3, **{column: values})
    if column == "service_lat_deg":
        columns["service_lon_deg"] = [None, None, None]
    fault = first_fault(columns)
    assert fault is not None
    assert fault.row == row
    assert words in fault.reason
    with pytest.raises(TerminalsError) as caught:
        Terminals.from_columns(columns, place="fleet.csv")
    assert f"fleet.csv, row {row + 1}, " in str(caught.value)


def test_the_lowest_bad_row_comes_first_whatever_its_column():
    columns = table(5, lat_deg=[0, 0, 0, 0, 99.0], plan=["a"] * 5, speed_kmh=[0, 0, -5.0, 0, 0])
    fault = first_fault(columns)
    assert (fault.row, fault.column, fault.value) == (2, "speed_kmh", -5.0)


def test_a_misspelt_or_missing_column_is_named():
    assert "did you mean 'lat_deg'?" in first_fault({"id": ["a"], "lat_degs": [1]}).reason
    assert "'lon_deg' is missing" in first_fault({"id": ["a"], "lat_deg": [1.0]}).reason
    assert "has 2 values, and 'id' has 3" in first_fault(table(3, plan=["a", "b"])).reason


def test_rows_written_inline_may_leave_out_what_they_like():
    rows = [
        {"id": "a", "lat_deg": 1.0, "lon_deg": 2.0, "speed_kmh": 50.0},
        {"id": "b", "lat_deg": 1.0, "lon_deg": 2.0, "mobility": "land"},
    ]
    first, second = terminals_from_rows(rows).rows()
    assert (first.speed_kmh, first.mobility) == (50.0, "fixed")
    assert (second.speed_kmh, second.mobility) == (0.0, "land")
    with pytest.raises(TerminalsError, match=r"boats, row 2, sped_kmh: .*'speed_kmh'"):
        terminals_from_rows([rows[0], {"id": "c", "sped_kmh": 1}], place="boats")


def test_an_unknown_position_is_a_state_and_not_a_mistake():
    terminals = Terminals.from_columns(table(2, lat_deg=[1.0, None], lon_deg=[1.0, math.nan]))
    assert np.isnan(terminals.lat_deg).tolist() == [False, True]


def test_tables_join_and_keep_their_names_apart():
    one = Terminals.from_columns(table(2, fleet=["x", "y"]))
    other = Terminals.from_columns(table(2, id=["o1", "o2"], fleet=["y", "z"], sponsor=["s", ""]))
    joined = concatenate([one, other])
    assert [row.fleet for row in joined.rows()] == ["x", "y", "y", "z"]
    assert [row.sponsor for row in joined.rows()] == ["", "", "s", ""]
    assert [row.id for row in joined.take(np.array([True, False, False, True])).rows()] == [
        "k0",
        "o2",
    ]
    with pytest.raises(TerminalsError, match="'k0' is also the id of row 1"):
        concatenate([one, one])
    assert len(concatenate([])) == 0


def test_drawn_terminals_share_everything_but_id_and_position():
    drawn = Terminals.drawn(
        prefix="ship",
        lat_deg=np.linspace(0, 1, 10),
        lon_deg=np.zeros(10),
        common={"mobility": "maritime", "speed_kmh": 26.0, "plan": "sea"},
        place="fleet 'ship'",
    )
    assert drawn.row(0).id == "ship-01"
    assert drawn.row(9).id == "ship-10"
    assert {(row.mobility, row.speed_kmh, row.plan) for row in drawn.rows()} == {
        ("maritime", 26.0, "sea")
    }


def test_moving_checks_values_and_keeps_the_rest():
    terminals = Terminals.from_columns(table(2, plan=["p", "q"]))
    moved = terminals.moved(lat_deg=[5.0, 6.0], speed_kmh=[1.0, 2.0])
    assert [(row.plan, row.lat_deg, row.speed_kmh) for row in moved.rows()] == [
        ("p", 5.0, 1.0),
        ("q", 6.0, 2.0),
    ]
    with pytest.raises(TerminalsError, match="row 2, lat_deg"):
        terminals.moved(lat_deg=[0.0, 100.0])


def test_ten_million_rows_fit():
    n = 10_000
    terminals = Terminals.from_columns(table(n, id=[f"kit-{i:08}" for i in range(n)]))
    in_columns = sum(getattr(terminals, name).nbytes for name in COLUMNS if name not in ("id",))
    per_row = (in_columns + terminals.id.nbytes) / n
    assert per_row < 100  # bytes: under 1 GB for ten million
