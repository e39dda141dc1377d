"""Fleets from files: good rows arrive as written, the first bad one is named with row and line."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spotbeam.errors import TerminalsError
from spotbeam.formats import terminal_csv
from spotbeam.formats.terminal_files import read_terminals

FULL = (
    "id,fleet,sponsor,registrant_country,mobility,protection,verified,account,plan,distress,"
    "lat_deg,lon_deg,position_error_m,assurance,speed_kmh,altitude_m,service_lat_deg,"
    "service_lon_deg\n"
    "T1,aid,relief,PL,land,medical,false,disabled,priority,TRUE,"
    "46.5,30.75,25,2,62.5,120,50.25,30.5\n"
    "T2,,,,,,,,,,-46.5,-30.75,,,,,,\n"
)


def file(tmp_path, content, name="fleet.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refused(tmp_path, content, name="fleet.csv") -> TerminalsError:
    with pytest.raises(TerminalsError) as caught:
        read_terminals(file(tmp_path, content, name), fleet="aid")
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert len(str(caught.value)) < 500
    return caught.value


def parquet(columns) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def rows(n):
    """A good fleet of n rows, as lines without line ends; the header is the first."""
    return ["id,lat_deg,lon_deg,mobility"] + [
        f"T{i},45.{i % 90},30.5,fixed" for i in range(1, n + 1)
    ]


def written(lines) -> str:
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("packed", [False, True])
def test_every_column_arrives_and_empty_cells_become_defaults(tmp_path, packed):
    content = gzip.compress(FULL.encode()) if packed else FULL.encode()
    terminals = read_terminals(file(tmp_path, content), fleet="own")
    first, second = terminals.rows()
    assert (first.id, first.fleet, first.sponsor, first.registrant_country) == (
        "T1",
        "aid",
        "relief",
        "PL",
    )
    assert (first.mobility, first.protection, first.account) == ("land", "medical", "disabled")
    assert (first.verified, first.distress, first.plan) == (False, True, "priority")
    assert (first.lat_deg, first.lon_deg, first.position_error_m, first.assurance) == (
        46.5,
        30.75,
        25,
        2,
    )
    assert (first.speed_kmh, first.altitude_m) == (62.5, 120)
    assert (first.service_lat_deg, first.service_lon_deg) == (50.25, 30.5)
    assert (second.fleet, second.sponsor, second.plan) == ("own", "", "standard")
    assert (second.mobility, second.protection, second.account) == ("fixed", "none", "active")
    assert (second.verified, second.distress, second.assurance) == (True, False, 3)
    assert np.isnan([second.service_lat_deg, second.service_lon_deg]).all()


def test_common_values_fill_what_the_file_leaves_out(tmp_path):
    content = "id,lat_deg,lon_deg,speed_kmh,verified\nA,1,2,,\nB,3,4,5,true\n"
    terminals = read_terminals(
        file(tmp_path, content), common={"mobility": "maritime", "speed_kmh": 9, "verified": False}
    )
    assert [row.mobility for row in terminals.rows()] == ["maritime", "maritime"]
    assert [row.speed_kmh for row in terminals.rows()] == [9, 5]
    assert [row.verified for row in terminals.rows()] == [False, True]


def test_the_forms_of_csv_that_spreadsheets_write_are_read(tmp_path):
    content = (
        b'\xef\xbb\xbfid,lat_deg,lon_deg,sponsor\r\n\r\n"T,1", 1.5 ,2e1,"A ""B"""\r\nT2,-0,x,\r\n'
    )
    with pytest.raises(TerminalsError, match=r"row 2 \(line 4\), lon_deg: 'x' is not a number"):
        read_terminals(file(tmp_path, content))
    terminals = read_terminals(file(tmp_path, content.replace(b"x", b"0")))
    assert [row.id for row in terminals.rows()] == ["T,1", "T2"]
    assert terminals.row(0).sponsor == 'A "B"'
    assert (terminals.lat_deg.tolist(), terminals.lon_deg.tolist()) == ([1.5, 0], [20, 0])


def test_parquet_is_read_from_pandas_with_its_categories_and_gaps(tmp_path):
    frame = pd.DataFrame(
        {
            "id": [7, 8, 9],
            "lat_deg": np.array([1, 2, 3], dtype=np.float32),
            "lon_deg": [4, 5, 6],
            "mobility": pd.Categorical(["land", None, "aero"]),
            "speed_kmh": [1.5, np.nan, 3],
            "verified": pd.array([True, None, False], dtype="boolean"),
            "service_lat_deg": [np.nan, 1.0, np.nan],
            "service_lon_deg": [np.nan, 1.0, np.nan],
        }
    )
    path = tmp_path / "fleet.parquet"
    frame.to_parquet(path, index=False)
    terminals = read_terminals(path)
    assert [row.id for row in terminals.rows()] == ["7", "8", "9"]
    assert [row.mobility for row in terminals.rows()] == ["land", "fixed", "aero"]
    assert terminals.speed_kmh.tolist() == [1.5, 0, 3]
    assert terminals.verified.tolist() == [True, True, False]
    assert np.isnan(terminals.service_lat_deg).tolist() == [True, False, True]


# --- what is refused: (edit of a good row, its place, words of the message, words of the fix)

CELLS = {
    "latitude": ("X,97.2,30,fixed", "lat_deg", "97.2", "-90 to 90"),
    "longitude": ("X,1,-180.5,fixed", "lon_deg", "-180.5", "-180 to 180"),
    "text": ("X,north,30,fixed", "lat_deg", "'north' is not a number", "digits"),
    "decimal comma": ('X,"97,2",30,fixed', "lat_deg", "'97,2' is not a number", "decimal point"),
    "NaN": ("X,nan,30,fixed", "lat_deg", "'nan' is not a finite number", "-90"),
    "infinity": ("X,1,-inf,fixed", "lon_deg", "'-inf' is not a finite number", "-180"),
    "no latitude": ("X,,30,fixed", "lat_deg", "is empty", "latitude"),
    "no longitude": ("X,1,  ,fixed", "lon_deg", "is empty", "longitude"),
    "no id": (",1,30,fixed", "id", "the id is empty", "id of its own"),
    "blank id": ('" ",1,30,fixed', "id", "the id is empty", "id of its own"),
    "enum": ("X,1,30,maritim", "mobility", "did you mean 'maritime'", "default"),
    "case": ("X,1,30,Fixed", "mobility", "did you mean 'fixed'", "default"),
    "other enum": ("X,1,30,submarine", "mobility", "'submarine'", "default"),
    "ragged": ("X,1,30", None, "3 values under 4 columns", "every column"),
    "too many": ("X,1,30,fixed,x", None, "5 values under 4 columns", "every column"),
    "control": ("X\x1b3,1,30,fixed", "id", "control character", "quote"),
    "long": ("X" * 201 + ",1,30,fixed", "id", "more than 200 characters", "quote"),
}


@pytest.mark.parametrize("case", CELLS)
@pytest.mark.parametrize("block", [200, 8 * 1024 * 1024])
def test_a_bad_cell_is_named_with_row_line_and_column(tmp_path, monkeypatch, case, block):
    monkeypatch.setattr(terminal_csv, "_BLOCK_BYTES", block + 150)
    line, column, message, hint = CELLS[case]
    lines = rows(60)
    lines[41] = line
    error = refused(tmp_path, written(lines))
    assert error.place == "fleet.csv, row 41 (line 42)" + (f", {column}" if column else "")
    assert message in error.message
    assert hint in error.hint


def test_the_first_bad_row_is_told_whatever_is_wrong_with_later_ones(tmp_path):
    lines = rows(50_000)
    lines[41_277] = "T41277,97.2,30,fixed"
    lines[41_278] = "T41278,north,30,fixed"
    lines[41_279] = "T1,1,30,fixed"
    error = refused(tmp_path, written(lines))
    assert error.place == "fleet.csv, row 41277 (line 41278), lat_deg"
    assert "97.2" in error.message


def test_the_line_is_right_behind_blank_lines_and_quoted_line_breaks(tmp_path):
    lines = ["", *rows(9), ""]
    lines[3] = 'T2,1,30,"fixed\n"'
    lines[7] = "\n\nT6,1,99999,fixed"
    error = refused(tmp_path, written(lines))
    assert error.place == "fleet.csv, row 6 (line 11), lon_deg"
    content = written(lines)
    assert content.split("\n")[11 - 1].startswith("T6,")


def test_an_id_that_stands_twice_names_both_rows(tmp_path, monkeypatch):
    lines = rows(2_000)
    lines[1_500] = lines[7]
    for block in (400, 8 * 1024 * 1024):
        monkeypatch.setattr(terminal_csv, "_BLOCK_BYTES", block)
        error = refused(tmp_path, written(lines))
        assert error.place == "fleet.csv, row 1500 (line 1501), id"
        assert error.message.endswith("'T7' is also the id of row 7 (line 8)")


FILES = {
    "empty": ("", "fleet.csv", "is empty"),
    "one blank line": ("\n", "fleet.csv", "is empty"),
    "header only": ("id,lat_deg,lon_deg\n", "fleet.csv", "has no rows"),
    "missing column": ("id,lat_deg\nA,1\n", "fleet.csv, header", "'lon_deg' is missing"),
    "unknown column": (
        "id,lat_deg,lon_deg,mobilty\nA,1,2,land\n",
        "fleet.csv, header",
        "unknown column 'mobilty'",
    ),
    "column twice": ("id,lat_deg,lon_deg,id\nA,1,2,B\n", "fleet.csv, header", "stands twice"),
    "semicolons": ("id;lat_deg;lon_deg\nA;1,5;2\n", "fleet.csv", ""),
    "semicolons and points": ("id;lat_deg;lon_deg\nA;1;2\n", "fleet.csv, line 1", "semicolons"),
    "Latin-1": (
        "id,lat_deg,lon_deg\nA,1,2\nÉ,1,2\n".encode("latin-1"),
        "fleet.csv, line 3",
        "0xc9 is not UTF-8",
    ),
    "Latin-1 header": ("idé,lat_deg\n".encode("latin-1"), "fleet.csv, line 1", "0xe9"),
    "UTF-16": ("id,lat_deg,lon_deg\nA,1,2\n".encode("utf-16"), "fleet.csv, line 1", "0xff"),
    "open quote": (
        'id,lat_deg,lon_deg,sponsor\nA,1,2,"B\nC,1,2,D\n',
        "fleet.csv, row 1 (line 2), sponsor",
        "line break",
    ),
    "cut gzip": (gzip.compress(FULL.encode() * 99)[:-30], "fleet.csv", "not a whole gzip file"),
    "broken gzip": (b"\x1f\x8b" + b"\x00" * 40, "fleet.csv", "not a whole gzip file"),
    "not parquet": (b"PAR1" + b"\x00" * 40, "fleet.csv", "not readable as Parquet"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_broken_file_is_refused(tmp_path, case):
    content, place, message = FILES[case]
    error = refused(tmp_path, content)
    assert error.place.startswith(place)
    assert message in error.message


def test_an_unknown_column_gets_a_suggestion(tmp_path):
    for wrong, right in (("latitude", "lat_deg"), ("lng", "lon_deg"), ("speed_kph", "speed_kmh")):
        error = refused(tmp_path, f"id,lat_deg,lon_deg,{wrong}\nA,1,2,3\n")
        assert error.hint == f"did you mean {right!r}?"


def test_a_row_longer_than_a_block_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(terminal_csv, "_BLOCK_BYTES", 500)
    lines = rows(100)
    lines[50] = 'T50,1,2,"fixed'
    assert "longer than 500 bytes" in refused(tmp_path, written(lines)).message


PARQUETS = {
    "latitude": (
        {"id": ["A", "B"], "lat_deg": [1.0, -91], "lon_deg": [1, 2]},
        "row 2, lat_deg",
        "-91",
    ),
    "null": (
        {"id": ["A", "B"], "lat_deg": [1.0, None], "lon_deg": [1, 2]},
        "row 2, lat_deg",
        "empty",
    ),
    "NaN": ({"id": ["A"], "lat_deg": [np.nan], "lon_deg": [1]}, "row 1, lat_deg", "empty"),
    "infinity": (
        {"id": ["A"], "lat_deg": [1.0], "lon_deg": [np.inf]},
        "row 1, lon_deg",
        "not a finite",
    ),
    "null id": ({"id": ["A", None], "lat_deg": [1, 2], "lon_deg": [1, 2]}, "row 2, id", "empty"),
    "lists": (
        {"id": ["A"], "lat_deg": [[1.0]], "lon_deg": [1]},
        "row 1, lat_deg",
        "holds list<",
    ),
    "numbers as flags": (
        {"id": ["A"], "lat_deg": [1.0], "lon_deg": [1], "distress": [2]},
        "row 1, distress",
        "not true or false",
    ),
    "twice": (
        {"id": ["A", "B", "A"], "lat_deg": [1, 2, 3], "lon_deg": [1, 2, 3]},
        "row 3, id",
        "also the id of row 1",
    ),
    "index": (
        {"id": ["A"], "lat_deg": [1.0], "lon_deg": [1], "__index_level_0__": [0]},
        "header",
        "unknown column",
    ),
    "half an address": (
        {"id": ["A"], "lat_deg": [1.0], "lon_deg": [1], "service_lat_deg": [1.0]},
        "row 1, service_lon_deg",
        "give both or neither",
    ),
}


@pytest.mark.parametrize("case", PARQUETS)
def test_a_bad_parquet_row_is_named(tmp_path, case):
    columns, place, message = PARQUETS[case]
    error = refused(tmp_path, parquet(columns), "fleet.parquet")
    assert error.place == f"fleet.parquet, {place}"
    assert message in error.message


def test_flipped_parquet_bytes_give_an_answer_or_one_refusal(tmp_path):
    good = parquet(
        {"id": [f"T{i}" for i in range(200)], "lat_deg": [1.0] * 200, "lon_deg": [2] * 200}
    )
    rng = np.random.default_rng(7)
    outcomes = set()
    for _ in range(150):
        broken = bytearray(good)
        for at in rng.integers(len(broken), size=3):
            broken[at] = rng.integers(256)
        try:
            read_terminals(file(tmp_path, bytes(broken), "fleet.parquet"))
            outcomes.add("read")
        except TerminalsError:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}
