"""`cells.parquet` and `terminals.parquet` as other tools read them."""

from __future__ import annotations

import json

import geopandas
import h3.api.numpy_int as h3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from spotbeam.formats import cells_file
from spotbeam.formats.cells_file import write_cells, write_terminals

PROMISED = [
    "cell",
    "lat_deg",
    "lon_deg",
    "area_km2",
    "territories",
    "satellites_min",
    "satellites_mean",
    "satellites_max",
    "available_fraction",
    "longest_gap_s",
    "status",
    "reason",
]


def cells_at(*places, resolution=2):
    cells = sorted({h3.latlng_to_cell(lat, lon, resolution) for lat, lon in places})
    centres = [h3.cell_to_latlng(cell) for cell in cells]
    n = len(cells)
    return pa.table(
        {
            "rule": pa.array(["ua"] * n).dictionary_encode(),
            "cell": pa.array(cells, pa.uint64()),
            "lat_deg": [lat for lat, _ in centres],
            "lon_deg": [lon for _, lon in centres],
            "area_km2": [h3.cell_area(cell) for cell in cells],
            "territories": [["UA", "UA-43"]] * n,
            "satellites_min": pa.array([0] * n, pa.int64()),
            "satellites_mean": np.linspace(0, 9.5, n),
            "satellites_max": pa.array([12] * n, pa.uint16()),
            "available_fraction": [0.5] * n,
            "longest_gap_s": [90] * n,
            "status": pa.array(["available"] * n).dictionary_encode(),
            "reason": pa.array([None] * n, pa.string()),
        }
    )


WORLD = [(lat, lon) for lat in range(-90, 91, 10) for lon in range(-180, 180, 15)]


def test_geopandas_reads_the_cells_with_outlines_that_hold_their_centres(tmp_path):
    table = cells_at(*WORLD)
    write_cells(tmp_path / "cells.parquet", table)
    frame = geopandas.read_parquet(tmp_path / "cells.parquet")
    assert frame.crs == "OGC:CRS84"
    assert list(frame.columns) == [PROMISED[0], "hex_id", *PROMISED[1:], "rule", "geometry"]
    assert frame["cell"].dtype == np.uint64
    assert frame["cell"].tolist() == table["cell"].to_pylist()
    assert frame["hex_id"].tolist() == [h3.int_to_str(cell) for cell in frame["cell"]]
    assert frame["territories"].iloc[0].tolist() == ["UA", "UA-43"]
    assert frame["reason"].isna().all()
    assert frame.geometry.is_valid.all()
    centres = shapely.points(frame["lon_deg"], frame["lat_deg"])
    assert shapely.covers(frame.geometry.to_numpy(), centres).all()
    west, south, east, north = frame.total_bounds
    assert (west, south, east, north) == (-180, -90, 180, 90)
    # No outline is smeared around the globe: on the plane each is as wide as its area allows.
    area_km2 = frame.geometry.set_crs("EPSG:4326", allow_override=True).to_crs("ESRI:54034").area
    excess = area_km2 / 1e6 / frame["area_km2"] - 1
    assert abs(excess[abs(frame["lat_deg"]) < 80]).max() < 0.02
    assert abs(excess).max() < 0.4  # beside a pole, straight edges on the map bend on the ground


def test_the_metadata_are_those_of_geoparquet(tmp_path):
    write_cells(tmp_path / "cells.parquet", cells_at((46, 33)))
    schema = pq.read_schema(tmp_path / "cells.parquet")
    geo = json.loads(schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"][geo["primary_column"]] == {
        "encoding": "WKB",
        "geometry_types": ["Polygon", "MultiPolygon"],
    }
    assert schema.field("territories").type == pa.list_(pa.string())
    assert schema.field("satellites_min").type == pa.uint16()
    assert schema.field("rule").type == pa.string()


def test_row_groups_do_not_change_what_is_read_and_the_same_table_gives_the_same_bytes(
    tmp_path, monkeypatch
):
    table = cells_at(*WORLD)
    write_cells(tmp_path / "a.parquet", table)
    write_cells(tmp_path / "b.parquet", table)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    monkeypatch.setattr(cells_file, "_ROWS_AT_ONCE", 100)
    write_cells(tmp_path / "c.parquet", table)
    assert pq.read_metadata(tmp_path / "c.parquet").num_row_groups == -(-len(table) // 100)
    assert pq.read_table(tmp_path / "a.parquet").equals(pq.read_table(tmp_path / "c.parquet"))


def test_an_empty_table_is_a_file_that_reads(tmp_path):
    write_cells(tmp_path / "cells.parquet", cells_at())
    assert len(geopandas.read_parquet(tmp_path / "cells.parquet")) == 0


@pytest.mark.parametrize("spoil", ["missing", "out of range"])
def test_what_cannot_be_written_leaves_what_was_there(tmp_path, spoil):
    path = tmp_path / "cells.parquet"
    path.write_bytes(b"before")
    table = cells_at((46, 33))
    if spoil == "missing":
        table = table.drop_columns(["status"])
    else:
        table = table.set_column(6, "satellites_min", pa.array([70_000]))
    with pytest.raises(ValueError, match=r"status|70000"):
        write_cells(path, table)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_halfway_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(cells_file, "_ROWS_AT_ONCE", 10)
    calls = iter([cells_file.cell_polygons] * 3)

    def failing(cells):
        try:
            return next(calls)(cells)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(cells_file, "cell_polygons", failing)
    with pytest.raises(KeyboardInterrupt):
        write_cells(tmp_path / "cells.parquet", cells_at(*WORLD))
    assert list(tmp_path.iterdir()) == []


def test_geopandas_reads_the_terminals_as_points(tmp_path):
    table = pa.table(
        {
            "id": ["T1", "T2", "T3"],
            "fleet": pa.array(["aid", "aid", "sea"]).dictionary_encode(),
            "lat_deg": [46.5, np.nan, -1],
            "lon_deg": [30.75, np.nan, -180],
            "territories": [["UA"], [], ["XZ"]],
            "state": ["served", "denied", "limited"],
            "reason": [None, "UNKNOWN_LOCATION", "OK"],
            "rule": pa.array([None, None, "cap"], pa.string()),
            "max_mbps": [None, None, 2.5],
            "available_fraction": [1.0, 0.0, 0.5],
        }
    )
    write_terminals(tmp_path / "terminals.parquet", table)
    frame = geopandas.read_parquet(tmp_path / "terminals.parquet")
    assert list(frame.columns) == [*table.column_names, "geometry"]
    assert frame["fleet"].tolist() == ["aid", "aid", "sea"]
    assert frame.geometry[0] == shapely.Point(30.75, 46.5)
    assert frame.geometry[1] is None
    assert frame.geometry[2] == shapely.Point(-180, -1)
