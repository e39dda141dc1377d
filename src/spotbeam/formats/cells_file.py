"""`cells.parquet`, `terminals.parquet` and the like: GeoParquet 1.1, a row a cell or a terminal.

Any Parquet reader has the columns; one that knows GeoParquet draws them as well. Longitude and
latitude on WGS 84 (OGC:CRS84, which is what no `crs` means); cells are cut at the antimeridian.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from spotbeam.formats.atomic import replacing
from spotbeam.land.cells import cell_polygons

_TEXT_LIST = pa.list_(pa.string())

# What scripts rely on; further columns follow in the order of the table.
CELL_COLUMNS = pa.schema(
    [
        ("cell", pa.uint64()),
        ("lat_deg", pa.float64()),
        ("lon_deg", pa.float64()),
        ("area_km2", pa.float64()),
        ("territories", _TEXT_LIST),
        ("satellites_min", pa.uint16()),
        ("satellites_mean", pa.float64()),
        ("satellites_max", pa.uint16()),
        ("available_fraction", pa.float64()),
        ("longest_gap_s", pa.float64()),
        ("status", pa.string()),
        ("reason", pa.string()),
    ]
)
TERMINAL_COLUMNS = pa.schema(
    [
        ("id", pa.string()),
        ("fleet", pa.string()),
        ("lat_deg", pa.float64()),
        ("lon_deg", pa.float64()),
        ("territories", _TEXT_LIST),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("rule", pa.string()),
        ("max_mbps", pa.float64()),
    ]
)
CHANGE_COLUMNS = pa.schema(
    [
        ("cell", pa.uint64()),
        ("lat_deg", pa.float64()),
        ("lon_deg", pa.float64()),
        ("territories", _TEXT_LIST),
        ("people", pa.int64()),
        ("phase", pa.string()),
        ("reference", pa.string()),
        ("kind", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
    ]
)
_ROWS_AT_ONCE = 65_536  # the shapes of this many cells are in memory at a time


def write_cells(path: str | os.PathLike[str], cells: pa.Table) -> None:
    """Write `cells.parquet`, whole or not at all.

    Args:
        path: Where; what stands there is replaced.
        cells: The columns of `CELL_COLUMNS` and any others. `hex_id`, the cell's id as text, and
            `geometry`, its outline, are added.
    """
    _write(path, cells, CELL_COLUMNS, ["Polygon", "MultiPolygon"], _with_outlines)


def write_changed_cells(path: str | os.PathLike[str], cells: pa.Table) -> None:
    """Write the cells that a change would alter, whole or not at all.

    Args:
        path: Where; what stands there is replaced.
        cells: The columns of `CHANGE_COLUMNS` and any others; cells of several resolutions, a row
            for each phase and reference terminal. `hex_id` and `geometry` are added.
    """
    _write(path, cells, CHANGE_COLUMNS, ["Polygon", "MultiPolygon"], _with_outlines)


def write_terminals(path: str | os.PathLike[str], terminals: pa.Table) -> None:
    """Write `terminals.parquet`, whole or not at all.

    Args:
        path: Where; what stands there is replaced.
        terminals: The columns of `TERMINAL_COLUMNS` and any others. `geometry` is added: a point,
            or null where the position is unknown.
    """
    _write(path, terminals, TERMINAL_COLUMNS, ["Point"], _with_points)


def hex_ids(cells: npt.NDArray[np.uint64]) -> list[str]:
    """H3 ids as people and other tools write them: hexadecimal text."""
    return [f"{cell:x}" for cell in cells.tolist()]


def _with_outlines(part: pa.Table) -> pa.Table:
    cell = part.column("cell").to_numpy()
    outlines: Any = shapely.to_wkb(cell_polygons(cell)) if len(cell) else []
    part = part.add_column(1, "hex_id", pa.array(hex_ids(cell), pa.string()))
    return part.append_column("geometry", pa.array(outlines, pa.binary()))


def _with_points(part: pa.Table) -> pa.Table:
    return part.append_column(
        "geometry", _points(part.column("lon_deg").to_numpy(), part.column("lat_deg").to_numpy())
    )


def _points(lon_deg: npt.NDArray[np.float64], lat_deg: npt.NDArray[np.float64]) -> pa.Array:
    """Points as well-known binary, null where a coordinate is NaN."""
    n = len(lon_deg)
    layout = np.dtype([("order", "u1"), ("type", "<u4"), ("lon", "<f8"), ("lat", "<f8")])
    values = np.empty(n, dtype=layout)
    values["order"], values["type"] = 1, 1
    values["lon"], values["lat"] = lon_deg, lat_deg
    known = pa.array(np.isfinite(lon_deg) & np.isfinite(lat_deg)).buffers()[1]
    ends = np.arange(n + 1, dtype=np.int32) * layout.itemsize
    return pa.Array.from_buffers(
        pa.binary(), n, [known, pa.py_buffer(ends), pa.py_buffer(values.tobytes())]
    )


def _write(
    path: str | os.PathLike[str],
    table: pa.Table,
    columns: pa.Schema,
    kinds: list[str],
    with_shapes: Callable[[pa.Table], pa.Table],
) -> None:
    table = _in_order(table, columns)
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": kinds}},
    }
    schema = with_shapes(table.slice(0, 0)).schema.with_metadata({"geo": json.dumps(geo)})
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_statistics=True) as writer,
    ):
        for start in range(0, max(1, len(table)), _ROWS_AT_ONCE):
            part = with_shapes(table.slice(start, _ROWS_AT_ONCE))
            writer.write_table(part.replace_schema_metadata(schema.metadata))


def _in_order(table: pa.Table, columns: pa.Schema) -> pa.Table:
    """The table with the promised columns first, in the promised types; others as they are."""
    missing = [name for name in columns.names if name not in table.schema.names]
    if missing:
        raise ValueError(f"the table has no column {', '.join(missing)}")
    others = [field for field in table.schema if field.name not in columns.names]
    ordered = table.select([*columns.names, *(field.name for field in others)])
    # Dictionaries are an encoding, which Parquet has of its own; readers shall see the values.
    plain = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in others
    ]
    target: Any = pa.schema([*columns, *plain])
    return ordered.cast(target).replace_schema_metadata(None)
