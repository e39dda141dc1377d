"""A forecast's cells for other programs: GeoJSON for maps, CSV for spreadsheets."""

from __future__ import annotations

import json
import os

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import shapely

from spotbeam.formats.atomic import replacing
from spotbeam.formats.cells_file import hex_ids
from spotbeam.land.cells import cell_polygons

_DECIMALS = 6  # of a degree: 0.1 m on the ground, below what a cell's outline means
_ROWS_AT_ONCE = 8_192


def write_cells_geojson(path: str | os.PathLike[str], cells: pa.Table) -> None:
    """Write cells as an RFC 7946 FeatureCollection, whole or not at all.

    Outlines are cut at the antimeridian, outer rings run counterclockwise. The feature's `id` is
    the cell in hexadecimal; all columns but `cell` are properties, in the table's names and units.

    Args:
        path: Where; what stands there is replaced.
        cells: A table with the column `cell` and any others.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"type":"FeatureCollection","features":[')
        separator = "\n"
        for start in range(0, len(cells), _ROWS_AT_ONCE):
            part = cells.slice(start, _ROWS_AT_ONCE)
            ids = part.column("cell").to_numpy()
            outlines = shapely.transform(
                shapely.orient_polygons(cell_polygons(ids)), lambda lonlat: lonlat.round(_DECIMALS)
            )
            texts = shapely.to_geojson(outlines)
            rows = part.drop_columns(["cell"]).to_pylist()
            for hex_id, outline, row in zip(hex_ids(ids), texts, rows, strict=True):
                properties = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
                file.write(
                    f'{separator}{{"type":"Feature","id":"{hex_id}","properties":{properties},'
                    f'"geometry":{outline}}}'
                )
                separator = ",\n"
        file.write("\n]}\n")


def write_cells_csv(path: str | os.PathLike[str], cells: pa.Table) -> None:
    """Write cells as CSV in UTF-8 with a header, whole or not at all.

    `hex_id` stands in place of `cell`, because spreadsheets round numbers of 19 digits; lists are
    written with a semicolon between their values; nothing stands for null.

    Args:
        path: Where; what stands there is replaced.
        cells: A table with the column `cell` and any others.
    """
    columns = {"hex_id": pa.array(hex_ids(cells.column("cell").to_numpy()), pa.string())}
    for name in cells.column_names:
        values = cells.column(name)
        if pa.types.is_list(values.type):
            values = pc.binary_join(values.combine_chunks(), ";")
        elif pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        if name != "cell":
            columns[name] = values
    with replacing(path) as temporary, temporary.open("wb") as file:
        pacsv.write_csv(pa.table(columns), file, pacsv.WriteOptions(quoting_style="needed"))
