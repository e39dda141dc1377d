"""Cells as GeoJSON and CSV: what strict readers of those formats make of them."""

from __future__ import annotations

import csv
import json

import h3.api.numpy_int as h3
import pyarrow as pa
import shapely

from spotbeam.formats.cell_exports import write_cells_csv, write_cells_geojson
from spotbeam.formats.territory_files import read_territories
from spotbeam.land.cells import cell_polygons

PLACES = [(lat, lon) for lat in range(-90, 91, 15) for lon in range(-180, 180, 20)]


def table():
    cells = sorted({h3.latlng_to_cell(lat, lon, 2) for lat, lon in PLACES})
    n = len(cells)
    return pa.table(
        {
            "cell": pa.array(cells, pa.uint64()),
            "available_fraction": [1 / 3] * n,
            "territories": [["UA", "UA-43"]] * n,
            "status": pa.array(["withheld"] * n).dictionary_encode(),
            "reason": pa.array(['"NOT", said', None] * (n // 2) + [None] * (n % 2)),
        }
    )


def test_our_own_strict_reader_takes_the_geojson(tmp_path):
    cells = table()
    write_cells_geojson(tmp_path / "cells.geojson", cells)
    document = json.loads((tmp_path / "cells.geojson").read_text(encoding="utf-8"))
    assert [feature["id"] for feature in document["features"]] == [
        h3.int_to_str(cell) for cell in cells["cell"].to_pylist()
    ]
    assert document["features"][0]["properties"] == {
        "available_fraction": 1 / 3,
        "territories": ["UA", "UA-43"],
        "status": "withheld",
        "reason": '"NOT", said',
    }
    owns = read_territories(tmp_path / "cells.geojson")
    assert len(owns) == len(cells)
    for own, outline in zip(owns, cell_polygons(cells["cell"].to_numpy()), strict=True):
        assert shapely.symmetric_difference(own.geometry, outline).area < 1e-4
        rings = shapely.get_rings(shapely.get_parts(own.geometry))
        assert shapely.is_ccw(rings).all()


def test_csv_keeps_ids_lists_and_quotes(tmp_path):
    cells = table()
    write_cells_csv(tmp_path / "cells.csv", cells)
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["hex_id"], 16) for row in rows] == cells["cell"].to_pylist()
    assert rows[0] == {
        "hex_id": h3.int_to_str(cells["cell"][0].as_py()),
        "available_fraction": repr(1 / 3),
        "territories": "UA;UA-43",
        "status": "withheld",
        "reason": '"NOT", said',
    }
    assert rows[1]["reason"] == ""
