"""People in whole numbers: against the floating-point count, and against themselves in parts."""

from __future__ import annotations

import h3.api.numpy_int as h3
import numpy as np
import pytest

from spotbeam.land import cells
from spotbeam.land.demand import population, town_cells
from spotbeam.land.people import mean_area_m2, parents_of, people_in, resolutions_of
from spotbeam.land.territories import ground


@pytest.mark.parametrize(("name", "resolution"), [("UA", 5), ("CH", 6), ("BR", 4)])
def test_a_country_has_about_the_people_of_the_other_count(name: str, resolution: int) -> None:
    grid = cells.cells_in(ground("un").geometry(name), resolution)
    ours = people_in(grid.cell, [name] * len(grid))
    theirs = population(grid)
    assert ours.dtype == np.int64
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.1)
    # Cell by cell they differ by the cells' true areas, and near borders by whose land it is.
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99


def test_the_towns_of_a_cell_are_those_of_its_parts() -> None:
    town, people = town_cells()
    chosen = town[np.argsort(people)[-5:]]
    for level in (6, 7, 8, 9):
        for cell in chosen.tolist():
            parts = np.asarray(h3.cell_to_children(cell, level), dtype=np.uint64)
            total = people_in(parts, [""] * len(parts)).sum()
            assert total == people[town == cell].sum()
    whole = people_in(np.asarray(h3.get_res0_cells(), np.uint64), [""] * 122)
    assert whole.sum() == int(people.sum())


def test_bits_of_an_id_are_read_as_h3_reads_them() -> None:
    for resolution in (0, 3, 7, 15):
        cell = int(h3.latlng_to_cell(44.6, 33.5, resolution))
        ids = np.array([cell], dtype=np.uint64)
        assert resolutions_of(ids).tolist() == [resolution]
        for level in range(resolution + 1):
            assert int(parents_of(ids, level)[0]) == h3.cell_to_parent(cell, level)


def test_nobody_lives_in_no_cells() -> None:
    assert people_in(np.empty(0, np.uint64), []).tolist() == []
    assert mean_area_m2(5) == pytest.approx(252.9e6, rel=1e-3)
    pole = np.array([h3.latlng_to_cell(89.9, 0.0, 5)], dtype=np.uint64)
    assert people_in(pole, [""]).tolist() == [0]
