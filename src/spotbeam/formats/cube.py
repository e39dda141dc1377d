"""`forecast.zarr`: fields over time and cells, written block by block; Zarr 3, CF attributes.

Blocks are some consecutive steps; each has chunks of its own, so blocks can be written by several
processes, in any order, and again. The store can be opened when `finish` has found every chunk in
its place, and not before: a block that is missing would read as "no satellite in view".

With 11,900 satellites over 86,000 cells a field value takes 0.54 bytes (satellites in view), 1.48
(elevation) and 0.44 (best satellite): 1.2 GB a day at steps of 15 s.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import zarr
from zarr.codecs import BloscCodec, TransposeCodec

from spotbeam import __version__
from spotbeam.errors import OutputError, UnknownName
from spotbeam.formats.atomic import make_durable, write_text
from spotbeam.land.cells import CellGrid
from spotbeam.times import MICROSECONDS, TimeGrid

_CELLS_A_CHUNK = 16_384
_UNFINISHED = "unfinished.json"
_ELEVATION_STEP_DEG = 0.01
_UNITS_US = {"seconds": MICROSECONDS, "milliseconds": 1_000, "microseconds": 1}
_NO_ELEVATION = np.iinfo(np.int16).min


class _Field(NamedTuple):
    """How a field is stored: what compresses best was tried on the blocks of a real run."""

    dtype: type[np.generic]
    fill: int
    shuffle: str
    level: int
    attributes: dict[str, Any]


FIELDS: Mapping[str, _Field] = {
    "satellites_in_view": _Field(
        np.uint16,
        0,
        "shuffle",
        1,
        {"long_name": "satellites in view above the elevation mask", "units": "1"},
    ),
    "elevation_max_deg": _Field(
        np.int16,
        _NO_ELEVATION,
        "shuffle",
        3,
        {
            "long_name": "elevation of the highest satellite in view",
            "units": "degree",
            "comment": "missing where no satellite is in view; stored in steps of 0.01 degree",
            "scale_factor": _ELEVATION_STEP_DEG,
            "_FillValue": _NO_ELEVATION,
        },
    ),
    "best_satellite": _Field(
        np.int32,
        0,
        "noshuffle",
        3,
        {
            "long_name": "catalogue number of the highest satellite in view",
            "units": "1",
            "comment": "0 where no satellite is in view",
        },
    ),
}


def create(
    path: Path,
    *,
    grid: TimeGrid,
    cells: CellGrid,
    catalogue_numbers: npt.ArrayLike,
    fields: Sequence[str],
    block_steps: int,
    title: str,
    source: str,
) -> None:
    """Lay out the store of a run; what stands at `path` is replaced.

    Args:
        path: A folder.
        grid: The run's steps.
        cells: The run's cells.
        catalogue_numbers: Of the satellites in service.
        fields: Which of `FIELDS`.
        block_steps: Steps in a block; the last one may be shorter.
        title: For people, as the scenario's title.
        source: What the positions come from, as the element file.
    """
    for name in fields:
        if name not in FIELDS:
            raise UnknownName("field", name, FIELDS)
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    attributes: dict[str, Any] = {
        "Conventions": "CF-1.11",
        "title": title,
        "source": f"SGP4 positions of {source}",
        "history": f"made by spotbeam {__version__}",
        "comment": "Values hold at each instant at the cells' centres, at height 0 on WGS 84.",
        "h3_resolution": cells.resolution,
    }
    write_text(path / _UNFINISHED, json.dumps({"attributes": attributes, "fields": list(fields)}))
    units, times = _times(grid)
    _coordinate(
        path,
        "time",
        ("time",),
        times,
        {
            "standard_name": "time",
            "long_name": "instant, UTC",
            "axis": "T",
            "units": units,
            "calendar": "standard",
        },
    )
    _coordinate(path, "cell", ("cell",), cells.cell.astype(np.uint64), {"long_name": "H3 cell id"})
    for name, values, meaning in (
        ("lat", cells.lat_deg, {"standard_name": "latitude", "units": "degrees_north"}),
        ("lon", cells.lon_deg, {"standard_name": "longitude", "units": "degrees_east"}),
        ("area_km2", cells.area_km2, {"standard_name": "cell_area", "units": "km2"}),
    ):
        _coordinate(path, name, ("cell",), np.asarray(values, np.float64), meaning)
    _coordinate(
        path,
        "satellite",
        ("satellite",),
        np.asarray(catalogue_numbers, dtype=np.int32),
        {"long_name": "catalogue numbers of the satellites in service"},
    )
    for name in fields:
        _lay_out(path, name, (grid.count, len(cells)), block_steps)


class CubeWriter:
    """Writes the blocks of a store that `create` laid out; any number may write side by side.

    Picklable before its first block.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrays: dict[str, Any] = {}

    def write(self, first_step: int, fields: Mapping[str, npt.NDArray[Any]]) -> None:
        """Write a block; when this returns it is on the disk.

        Args:
            first_step: The block's first step.
            fields: Arrays of shape (n_time, n_cell), one for each field of the store. Elevations
                are in degrees, NaN where no satellite is in view.
        """
        for name, values in fields.items():
            if name not in self._arrays:
                # A chunk of nothing but the fill value is written too, or it would seem missing.
                self._arrays[name] = zarr.open_array(self.path / name, mode="r+").with_config(
                    {"write_empty_chunks": True}
                )
            array = self._arrays[name]
            steps, stop = array.chunks[0], first_step + len(values)
            if first_step % steps or stop != min(first_step + steps, array.shape[0]):
                raise ValueError(f"steps {first_step} to {stop} are not a block of {steps} steps")
            array[first_step:stop, :] = _packed(name, values)
            folder = self.path / name / "c" / str(first_step // steps)
            for chunk in folder.iterdir():
                make_durable(chunk)
            make_durable(folder)
            make_durable(folder.parent)


def finish(path: Path) -> None:
    """Make a store that has all its blocks ready to be opened; doing it twice changes nothing.

    Raises:
        OutputError: a chunk is missing.
    """
    marker = path / _UNFINISHED
    if not marker.exists():
        return
    plan = json.loads(marker.read_text(encoding="utf-8"))
    for leftover in path.rglob("*.partial"):
        leftover.unlink()
    for name in plan["fields"]:
        _refuse_missing(path, name)
    arrays = sorted(folder.name for folder in path.iterdir() if folder.is_dir())
    root = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": plan["attributes"],
        # As zarr and xarray write it: readers that know it open the store with one read.
        "consolidated_metadata": {
            "kind": "inline",
            "must_understand": False,
            "metadata": {
                name: json.loads((path / name / "zarr.json").read_text(encoding="utf-8"))
                for name in arrays
            },
        },
    }
    write_text(path / "zarr.json", json.dumps(root, indent=2))
    marker.unlink()


def _times(grid: TimeGrid) -> tuple[str, npt.NDArray[np.int64]]:
    """Units and values of the time axis: whole numbers of the largest unit that is exact."""
    unit, factor = next(
        (unit, factor)
        for unit, factor in _UNITS_US.items()
        if grid.start_us % factor == 0 and grid.step_us % factor == 0
    )
    return f"{unit} since 1970-01-01T00:00:00Z", grid.times_us() // factor


def _coordinate(
    path: Path,
    name: str,
    dimensions: tuple[str, ...],
    values: npt.NDArray[Any],
    attributes: Mapping[str, Any],
) -> None:
    array = zarr.create_array(
        path / name,
        shape=values.shape,
        dtype=values.dtype,
        chunks=(max(1, len(values)),),
        compressors=BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"),
        fill_value=0,
        dimension_names=dimensions,
        attributes=dict(attributes),
        config={"write_empty_chunks": True},
    )
    array[:] = values


def _lay_out(path: Path, name: str, shape: tuple[int, int], block_steps: int) -> None:
    field = FIELDS[name]
    zarr.create_array(
        path / name,
        shape=shape,
        dtype=field.dtype,
        chunks=(min(block_steps, shape[0]), max(1, min(_CELLS_A_CHUNK, shape[1]))),
        # Time runs fastest within a chunk: it compresses better so, and a cell's series is read
        # in one piece.
        filters=[TransposeCodec(order=(1, 0))],
        compressors=BloscCodec(cname="zstd", clevel=field.level, shuffle=field.shuffle),
        fill_value=field.fill,
        dimension_names=("time", "cell"),
        attributes={
            **field.attributes,
            "cell_methods": "time: point",
            "cell_measures": "area: area_km2",
            "coordinates": "lat lon area_km2",
        },
    )


def _packed(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    field = FIELDS[name]
    if name != "elevation_max_deg":
        return values.astype(field.dtype, copy=False)
    scaled = np.rint(values * np.float32(1 / _ELEVATION_STEP_DEG))
    return np.where(np.isnan(scaled), np.float32(field.fill), scaled).astype(np.int16)


def _refuse_missing(path: Path, name: str) -> None:
    array = zarr.open_array(path / name, mode="r")
    blocks, parts = (
        -(-size // chunk) for size, chunk in zip(array.shape, array.chunks, strict=True)
    )
    for block in range(blocks):
        for part in range(parts):
            chunk = path / name / "c" / str(block) / str(part)
            if not chunk.is_file():
                raise OutputError(
                    f"the chunk {chunk.relative_to(path)} is missing",
                    place=str(path),
                    hint="run the forecast again with --force",
                )
