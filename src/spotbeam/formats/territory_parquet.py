"""GeoParquet 1.x to polygons: the `geo` metadata, then each row's well-known binary.

Longitude and latitude on WGS 84 only, whatever order the reference system's own definition has:
GeoParquet always stores x, y.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spotbeam.errors import TerritoryError
from spotbeam.formats.shape_checks import Limits, Part, ShapeChecks
from spotbeam.formats.source_bytes import SourceBytes
from spotbeam.formats.strict_json import parse_json, place, shown
from spotbeam.formats.wkb import rings_of_wkb

_WGS84 = {("OGC", "CRS84"), ("OGC", "CRS84H"), ("EPSG", "4326"), ("EPSG", "4979")}
_LABELS = ("id", "name")
_ROWS_AT_ONCE = 64


def parse_geoparquet(source: SourceBytes, limits: Limits) -> list[Part]:
    """The shapes of a GeoParquet file, one for each row. Columns `id` and `name` label them.

    Raises:
        TerritoryError: not GeoParquet, another reference system or encoding, a shape that is wrong.
    """
    checks = ShapeChecks(source, limits)
    try:
        # Kept as dictionaries, so that a long value that is repeated takes its bytes only once.
        schema = pq.read_schema(pa.BufferReader(source.data))
        geometry = _geometry_column(source, schema, checks)
        columns = [geometry, *(name for name in _LABELS if name in schema.names)]
        file = pq.ParquetFile(pa.BufferReader(source.data), read_dictionary=columns)
        rows = file.metadata.num_rows
        if not 0 < rows <= limits.features:
            checks.fail(f"{rows} rows are not 1..{limits.features}", "", "split the file")
        parts: list[Part] = []
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
            for row in range(batch.num_rows):
                values = {name: batch.column(name)[row].as_py() for name in columns}
                parts.append(_part(values, geometry, f"row {len(parts) + 1}", checks))
    except (pa.ArrowException, OSError) as problem:
        raise TerritoryError(
            f"not readable as Parquet: {str(problem).splitlines()[0][:200]}",
            place=source.name,
            hint="write it again, as with geopandas' to_parquet",
        ) from None
    return parts


def _part(values: dict[str, Any], geometry: str, path: str, checks: ShapeChecks) -> Part:
    at = f"{path}, {geometry}"
    data = values[geometry]
    if data is None:
        checks.fail("null: the row has no shape", at, "remove the row")
    polygons, several = rings_of_wkb(data, at, checks)
    inner = f"{at}.coordinates"
    shape = checks.whole(
        [
            checks.polygon(rings, f"{inner}[{index}]" if several else inner)
            for index, rings in enumerate(polygons)
        ],
        inner,
        several=several,
    )
    id_column = next((name for name in _LABELS if values.get(name) is not None), None)
    name = values.get("name")
    return Part(
        shape,
        path,
        None if id_column is None else str(values[id_column]),
        f"{path}, {id_column}",
        None if name is None else str(name),
    )


def _geometry_column(source: SourceBytes, schema: pa.Schema, checks: ShapeChecks) -> str:
    """The primary column, if the metadata says that we read what it means."""
    text = (schema.metadata or {}).get(b"geo")
    if text is None:
        checks.fail(
            "has no 'geo' metadata, so it is not GeoParquet",
            "",
            "write it with geopandas' to_parquet, or export GeoJSON",
        )
    geo = parse_json(
        SourceBytes(place(source, "metadata 'geo'"), text, source.sha256),
        max_depth=checks.limits.depth,
        max_values=10_000,
        error=TerritoryError,
    )
    columns = geo.get("columns") if isinstance(geo, dict) else None
    name = geo.get("primary_column") if isinstance(geo, dict) else None
    column = columns.get(name) if isinstance(columns, dict) and isinstance(name, str) else None
    if not isinstance(column, dict) or name not in schema.names:
        checks.fail(
            f"names no geometry column that is there: {shown(name)}",
            "metadata 'geo'.primary_column",
            "write it again, as with geopandas' to_parquet",
        )
    at = f"metadata 'geo'.columns.{name}"
    encoding = column.get("encoding")
    field = schema.field(name).type
    field = field.value_type if pa.types.is_dictionary(field) else field
    if encoding != "WKB" or not (pa.types.is_binary(field) or pa.types.is_large_binary(field)):
        checks.fail(f"{shown(encoding)} as {field} is not WKB", f"{at}.encoding", "write WKB")
    if column.get("edges", "planar") != "planar":
        checks.fail(
            f"{shown(column['edges'])}: edges here are straight in longitude and latitude",
            f"{at}.edges",
            "add positions along the edges and write planar edges",
        )
    crs = column.get("crs", {"id": {"authority": "OGC", "code": "CRS84"}})
    identifier = crs.get("id") if isinstance(crs, dict) else None
    authority = identifier if isinstance(identifier, dict) else {}
    if (str(authority.get("authority")), str(authority.get("code")).upper()) not in _WGS84:
        checks.fail(
            f"{shown(identifier if identifier else crs)} is not WGS 84 longitude and latitude",
            f"{at}.crs",
            "reproject to OGC:CRS84, as with geopandas' to_crs('OGC:CRS84')",
        )
    return str(name)
