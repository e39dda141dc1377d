"""How many people live in cells of any size, in whole numbers that are the same on every machine.

As `demand.population`, but without a geometry library and without floating-point sums, so that
people may sign the figure: towns by the cell of resolution 6 that they lie in, and the rest of a
country spread evenly over its land. A cell counts with the mean area of its resolution, from which
real cells differ by up to a third. Crude: good for weighing, not a census.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from decimal import Decimal

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt

from spotbeam.land.cells import CellIds
from spotbeam.land.demand import CITY_RESOLUTION, country_rows, town_cells

Counts = npt.NDArray[np.int64]


def resolutions_of(cells: CellIds) -> npt.NDArray[np.int64]:
    """The resolution of each cell: bits 52 to 55 of its id (h3geo.org, "H3 Index")."""
    return ((cells >> np.uint64(52)) & np.uint64(15)).astype(np.int64)


def parents_of(cells: CellIds, resolution: int) -> CellIds:
    """The cells of one coarser resolution that hold these by index, whatever theirs are."""
    digits = np.uint64((1 << 3 * (15 - resolution)) - 1)
    cleared = cells & ~np.uint64(0xF << 52)
    return cleared | np.uint64(resolution << 52) | digits


@functools.cache
def mean_area_m2(resolution: int) -> int:
    """Mean area of the cells of a resolution, whole square metres."""
    return round(float(h3.average_hexagon_area(resolution, unit="m^2")))


def people_in(cells: CellIds, country: Sequence[str]) -> Counts:
    """People in each cell.

    Args:
        cells: H3 ids of any resolutions, uint64, shape (n_cell,).
        country: ISO 3166-1 code of the land at each cell's centre; empty at sea.

    Returns:
        Whole numbers, shape (n_cell,).
    """
    resolution = resolutions_of(cells)
    people = np.zeros(len(cells), dtype=np.int64)
    for level in np.unique(resolution).tolist():
        chosen = resolution == level
        people[chosen] = _in_towns(cells[chosen], level)
    per_km2 = _milli_per_km2()
    codes = {name: per_km2.get(name, 0) for name in set(country)}
    area_m2 = np.array([mean_area_m2(level) for level in range(16)], dtype=np.int64)
    milli = np.array([codes[name] for name in country], dtype=np.int64)
    # Up to 2e4 people a km² times 4.4e12 m² stays within 64 bits.
    people += milli * area_m2[resolution] // 1_000_000_000 if len(cells) else 0
    return people


def _in_towns(cells: CellIds, resolution: int) -> Counts:
    """People in the towns of cells of one resolution."""
    town, people = town_cells()
    whole = people.astype(np.int64)
    if resolution <= CITY_RESOLUTION:
        return _sums(parents_of(town, resolution), whole, cells)
    # The people of a cell of resolution 6, dealt out to its parts in the order of their digits.
    share = _sums(town, whole, parents_of(cells, CITY_RESOLUTION))
    parts = 7 ** (resolution - CITY_RESOLUTION)
    place = np.zeros(len(cells), dtype=np.int64)
    for level in range(CITY_RESOLUTION + 1, resolution + 1):
        digit = (cells >> np.uint64(3 * (15 - level))) & np.uint64(7)
        place = 7 * place + digit.astype(np.int64)
    dealt: Counts = share // parts + (place < share % parts)
    return dealt


def _sums(key: CellIds, people: Counts, wanted: CellIds) -> Counts:
    """The sum of the people under each wanted key."""
    order = np.argsort(key, kind="stable")
    ends = np.concatenate([[0], np.cumsum(people[order])])
    first = np.searchsorted(key[order], wanted, side="left")
    last = np.searchsorted(key[order], wanted, side="right")
    found: Counts = ends[last] - ends[first]
    return found


@functools.cache
def _milli_per_km2() -> dict[str, int]:
    return {row["country"]: int(Decimal(row["rural_per_km2"]) * 1000) for row in country_rows()}
