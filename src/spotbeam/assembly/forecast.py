"""`spotbeam.forecast`: from a scenario to a folder of files and the tables in it."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from spotbeam.assembly.build import build
from spotbeam.assembly.run_folder import CUBE, RunFolder, told_of_the_disk
from spotbeam.assembly.scenarios import adjusted, load_scenario
from spotbeam.compute.blocks import run_blocks
from spotbeam.errors import UnknownName
from spotbeam.formats import cell_exports, cells_file, cube
from spotbeam.formats.atomic import write_bytes
from spotbeam.report.map.picture import draw_map
from spotbeam.report.page import forecast_repr_html, report_html
from spotbeam.twin import forecast as twin_forecast
from spotbeam.twin.coverage import BlockTally, CoverageInputs, CoverageWorker, merge_blocks
from spotbeam.twin.scenario import Scenario
from spotbeam.twin.world import World

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int, int], None]
_EXPORTS = {
    "csv": cell_exports.write_cells_csv,
    "geojson": cell_exports.write_cells_geojson,
}


class Forecast:
    """A finished forecast.

    Attributes:
        folder: Where its files are.
        world: The scenario with everything resolved.
        answer: The tables and records.
    """

    def __init__(self, folder: Path, answer: twin_forecast.Answer, world: World) -> None:
        self.folder = folder
        self.answer = answer
        self.world = world

    @property
    def summary(self) -> dict[str, Any]:
        """The contents of `summary.json`."""
        return self.answer.summary

    @property
    def cells(self) -> pa.Table:
        """A row a cell: what is in view, status, reason, rule."""
        return self.answer.cells

    @property
    def terminals(self) -> pa.Table:
        """A row a terminal: service state, reason, rule."""
        return self.answer.terminals

    @property
    def dataset(self) -> xr.Dataset:
        """The fields over time and cells, opened lazily."""
        import xarray as xr  # a second to load, and the command line does without

        fields: xr.Dataset = xr.open_zarr(self.folder / CUBE)
        return fields

    def _repr_html_(self) -> str:
        return forecast_repr_html(self.world, self.answer)

    def __repr__(self) -> str:
        area = self.summary["area"]
        return f"<Forecast {self.summary['scenario']['name']}: cells {area['cells_by_status']}>"


def forecast(
    scenario: str | Path | Scenario,
    *,
    elements: str | Path | None = None,
    start: str | None = None,
    duration: str | float | None = None,
    step: str | float | None = None,
    resolution: int | None = None,
    view: str | None = None,
    workers: int = 1,
    out: str | Path | None = None,
    force: bool = False,
    exports: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> Forecast:
    """Forecast who is served, where, and why.

    The same call with the same `out` resumes an interrupted run.

    Args:
        scenario: A shipped name, a TOML file, or a `Scenario`.
        elements: A file of element sets instead of the scenario's constellation.
        start: RFC 3339 with Z.
        duration: As `1h`, `1d`, or seconds.
        step: As `15s`, or seconds.
        resolution: H3 resolution of the cells, 0 to 6.
        view: Point of view on borders.
        workers: Processes to compute in. More than one needs the caller's module to be
            importable, as Python's multiprocessing does.
        out: Folder for the files; a temporary one, gone with the result, if not given.
        force: Replace another forecast's files in `out`.
        exports: Also write the cells as `geojson` (RFC 7946) or `csv`.
        on_progress: Called with steps done and steps in all.

    Raises:
        InputError: something that was given is wrong; nothing was written.
    """
    if isinstance(scenario, Scenario):
        base, folder = scenario, Path.cwd()
    else:
        base, folder = load_scenario(scenario)
    chosen = adjusted(
        base,
        elements=elements,
        start=start,
        duration=duration,
        step=step,
        resolution=resolution,
        view=view,
    )
    unknown = [name for name in exports if name not in _EXPORTS]
    if unknown:
        raise UnknownName("export", unknown[0], _EXPORTS)
    plan = twin_forecast.plan(build(chosen, folder))
    if out is not None:
        with told_of_the_disk(Path(out)):
            return _run(plan, Path(out), workers, force, exports, on_progress)
    keep = tempfile.mkdtemp(prefix="spotbeam-")
    try:
        result = _run(plan, Path(keep) / "forecast", workers, force, exports, on_progress)
    except BaseException:
        shutil.rmtree(keep, ignore_errors=True)
        raise
    weakref.finalize(result, shutil.rmtree, keep, ignore_errors=True)
    return result


def _run(
    plan: twin_forecast.Plan,
    out: Path,
    workers: int,
    force: bool,
    exports: Sequence[str],
    on_progress: Progress | None,
) -> Forecast:
    """Compute what is missing, then write the files; interrupted, it goes on where it was."""
    folder = RunFolder(out, plan.key, plan.blocks)
    done = folder.claim(force=force)
    cube_path = out / CUBE
    if not done:
        cube.create(
            cube_path,
            grid=plan.inputs.grid,
            cells=plan.world.cells,
            catalogue_numbers=plan.inputs.elements.catalogue_number,
            fields=plan.inputs.fields,
            block_steps=plan.blocks[0][1] - plan.blocks[0][0],
            title=plan.world.scenario.title or plan.world.scenario.name,
            source=plan.world.sky.source,
        )
    missing = [block for block in plan.blocks if block not in set(done)]
    finished = sum(stop - first for first, stop in done)
    for block, result in run_blocks(
        partial(_make_worker, plan.inputs, cube_path), missing, workers
    ):
        folder.keep(block, result)
        finished += block[1] - block[0]
        if on_progress:
            on_progress(finished, plan.inputs.grid.count)
    cube.finish(cube_path)
    answer = twin_forecast.answer(plan, _merged(folder))
    _write_files(out, plan.world, answer)
    for name in exports:
        _EXPORTS[name](out / f"cells.{name}", answer.cells)
    folder.close()
    return Forecast(out, answer, plan.world)


def _make_worker(inputs: CoverageInputs, cube_path: Path) -> CoverageWorker:
    return CoverageWorker(inputs, cube.CubeWriter(cube_path))


def _merged(folder: RunFolder) -> BlockTally:
    first, *rest = folder.blocks
    merged = folder.read(first)
    for block in rest:
        merged = merge_blocks(merged, folder.read(block))
    return merged


def _write_files(out: Path, world: World, answer: twin_forecast.Answer) -> None:
    """All files but the cube; `summary.json` last, so that its presence means all is there."""
    cells_file.write_cells(out / "cells.parquet", answer.cells)
    cells_file.write_terminals(out / "terminals.parquet", answer.terminals)
    image = draw_map(world, answer)
    write_bytes(out / "map.png", image)
    write_bytes(out / "report.html", report_html(world, answer, picture=image).encode())
    text = json.dumps(answer.summary, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_bytes(out / "summary.json", text.encode() + b"\n")
