"""`forecast.zarr` as xarray reads it: exact values, CF axes, whole or not to be opened."""

from __future__ import annotations

import json
import pickle

import cf_xarray  # noqa: F401
import h3.api.numpy_int as h3
import numpy as np
import pytest
import xarray as xr

from spotbeam.errors import OutputError, UnknownName
from spotbeam.formats import cube
from spotbeam.land.cells import grid_of
from spotbeam.times import TimeGrid, parse_time

START = "2026-06-14T00:00:00Z"
NUMBERS = [44714, 900000001, 123456789]


def cells(n=50):
    return grid_of(sorted(h3.uncompact_cells(h3.get_res0_cells()[:1], 3))[:n])


def fields(steps, n_cells, seed=1):
    rng = np.random.default_rng(seed)
    in_view = rng.integers(0, 3, (steps, n_cells)).astype(np.uint16)
    in_view[0, 0] = 300
    elevation = rng.uniform(25, 90, (steps, n_cells)).astype(np.float32)
    best = rng.choice(NUMBERS, (steps, n_cells)).astype(np.int32)
    return {
        "satellites_in_view": in_view,
        "elevation_max_deg": np.where(in_view > 0, elevation, np.float32(np.nan)),
        "best_satellite": np.where(in_view > 0, best, 0).astype(np.int32),
    }


def made(path, grid, ground, values, *, block=4, order=None, names=tuple(cube.FIELDS)):
    cube.create(
        path,
        grid=grid,
        cells=ground,
        catalogue_numbers=np.array(NUMBERS),
        fields=names,
        block_steps=block,
        title="Black Sea",
        source="starlink.tle",
    )
    for first in order or range(0, grid.count, block):
        writer = pickle.loads(pickle.dumps(cube.CubeWriter(path)))
        writer.write(first, {name: values[name][first : first + block] for name in names})
    return path


def grid_over(count=10, step_us=15_000_000, start=START):
    return TimeGrid(start_us=parse_time(start), step_us=step_us, count=count)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(cube, "_CELLS_A_CHUNK", 16)


def test_what_was_written_is_what_xarray_reads(tmp_path, small_chunks):
    ground, grid = cells(), grid_over()
    values = fields(grid.count, len(ground))
    path = made(tmp_path / "forecast.zarr", grid, ground, values)
    cube.finish(path)
    with xr.open_zarr(path) as dataset:
        assert dict(dataset.sizes) == {"time": 10, "cell": 50, "satellite": 3}
        assert dataset["satellites_in_view"].dims == ("time", "cell")
        assert dataset["satellites_in_view"].dtype == np.uint16
        assert dataset["best_satellite"].dtype == np.int32
        for name in ("satellites_in_view", "best_satellite"):
            assert np.array_equal(dataset[name], values[name])
        got, want = dataset["elevation_max_deg"].to_numpy(), values["elevation_max_deg"]
        assert np.array_equal(np.isnan(got), np.isnan(want))
        assert np.nanmax(np.abs(got - want)) <= 0.00501
        assert np.array_equal(dataset["cell"], ground.cell)
        assert dataset["cell"].dtype == np.uint64
        assert np.array_equal(dataset["lat"], ground.lat_deg)
        assert np.array_equal(dataset["lon"], ground.lon_deg)
        assert np.array_equal(dataset["area_km2"], ground.area_km2)
        assert dataset["satellite"].to_numpy().tolist() == NUMBERS
        assert set(dataset.data_vars) == set(cube.FIELDS)
        one = dataset.sel(time="2026-06-14T00:00:30", cell=ground.cell[7])
        assert one["best_satellite"] == values["best_satellite"][2, 7]


def test_cf_readers_find_the_axes(tmp_path):
    ground, grid = cells(), grid_over()
    path = made(tmp_path / "forecast.zarr", grid, ground, fields(grid.count, len(ground)))
    cube.finish(path)
    with xr.open_zarr(path) as dataset:
        assert dataset.attrs["Conventions"] == "CF-1.11"
        assert dataset.cf.axes == {"T": ["time"]}
        assert dataset.cf.coordinates == {
            "time": ["time"],
            "latitude": ["lat"],
            "longitude": ["lon"],
        }
        assert dataset.cf["satellites_in_view"].cf.cell_measures == {"area": ["area_km2"]}
        for variable in dataset.variables.values():
            assert {"long_name", "standard_name"} & set(variable.attrs)
        assert [dataset[name].attrs["units"] for name in cube.FIELDS] == ["1", "degree", "1"]


@pytest.mark.parametrize(
    ("start", "step_us", "unit"),
    [
        (START, 15_000_000, "seconds"),
        (START, 2_500_000, "milliseconds"),
        ("2026-06-14T00:00:00.000001Z", 1_000_000, "microseconds"),
        ("1957-10-04T19:28:34Z", 1_000_000, "seconds"),
    ],
)
def test_times_are_exact_to_the_microsecond(tmp_path, start, step_us, unit):
    ground, grid = cells(3), grid_over(5, step_us, start)
    path = made(tmp_path / "forecast.zarr", grid, ground, fields(5, 3))
    cube.finish(path)
    with xr.open_zarr(path) as dataset:
        assert dataset["time"].encoding["units"].startswith(unit)
        read_us = dataset["time"].to_numpy().astype("datetime64[us]").astype(np.int64)
    assert np.array_equal(read_us, grid.times_us())


def test_neither_order_nor_repetition_of_blocks_changes_a_byte(tmp_path, small_chunks):
    ground, grid = cells(), grid_over()
    values = fields(grid.count, len(ground))
    first = made(tmp_path / "a.zarr", grid, ground, values)
    second = made(tmp_path / "b.zarr", grid, ground, values, order=[8, 0, 4, 0])
    for path in (first, second):
        cube.finish(path)
    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)


def test_a_store_that_lacks_a_block_cannot_be_opened_or_finished(tmp_path):
    ground, grid = cells(), grid_over()
    values = fields(grid.count, len(ground))
    values["satellites_in_view"][4:8] = 0
    path = made(tmp_path / "forecast.zarr", grid, ground, values, order=[0, 8])
    with pytest.raises(FileNotFoundError):
        xr.open_zarr(path)
    with pytest.raises(OutputError, match="c/1/0 is missing"):
        cube.finish(path)
    (path / "satellites_in_view" / "c" / "1.0123.partial").write_bytes(b"killed")
    cube.CubeWriter(path).write(4, {name: values[name][4:8] for name in values})
    cube.finish(path)
    cube.finish(path)
    assert not list(path.rglob("*.partial"))
    with xr.open_zarr(path) as dataset:
        assert not dataset["satellites_in_view"][4:8].any()


def test_what_is_no_block_is_refused(tmp_path):
    ground, grid = cells(3), grid_over()
    values = fields(grid.count, 3)
    path = made(tmp_path / "forecast.zarr", grid, ground, values)
    writer = cube.CubeWriter(path)
    for first, stop in ((2, 6), (0, 3), (4, 10)):
        part = {"best_satellite": values["best_satellite"][first:stop]}
        with pytest.raises(ValueError, match="are not a block"):
            writer.write(first, part)


def test_fields_are_a_choice_and_a_run_may_be_one_short_block(tmp_path):
    ground, grid = cells(3), grid_over(3)
    path = tmp_path / "forecast.zarr"
    made(path, grid, ground, fields(3, 3), block=240, names=("best_satellite",))
    cube.finish(path)
    with xr.open_zarr(path) as dataset:
        assert set(dataset.data_vars) == {"best_satellite"}
    with pytest.raises(UnknownName, match="did you mean 'best_satellite'"):
        made(path, grid, ground, {}, names=("best_satelite",))


def test_a_new_run_replaces_what_an_old_one_left(tmp_path):
    ground, grid = cells(3), grid_over(3)
    path = made(tmp_path / "forecast.zarr", grid, ground, fields(3, 3))
    made(path, grid_over(2), ground, fields(2, 3), names=("best_satellite",))
    cube.finish(path)
    with xr.open_zarr(path) as dataset:
        assert dict(dataset.sizes) == {"time": 2, "cell": 3, "satellite": 3}


def test_a_run_without_a_satellite_in_service_is_a_store_that_opens(tmp_path):
    ground, grid = cells(3), grid_over(2)
    path = tmp_path / "forecast.zarr"
    cube.create(
        path,
        grid=grid,
        cells=ground,
        catalogue_numbers=[],
        fields=["satellites_in_view"],
        block_steps=2,
        title="",
        source="",
    )
    cube.CubeWriter(path).write(0, {"satellites_in_view": np.zeros((2, 3), np.uint16)})
    cube.finish(path)
    with xr.open_zarr(path) as dataset:
        assert len(dataset["satellite"]) == 0
        assert not dataset["satellites_in_view"].any()


def test_the_metadata_of_the_store_are_consolidated(tmp_path):
    ground, grid = cells(3), grid_over(2)
    path = made(tmp_path / "forecast.zarr", grid, ground, fields(2, 3))
    cube.finish(path)
    root = json.loads((path / "zarr.json").read_text())
    assert root["zarr_format"] == 3
    assert set(cube.FIELDS) <= set(root["consolidated_metadata"]["metadata"])
