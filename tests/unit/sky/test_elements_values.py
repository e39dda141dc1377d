"""Element sets as columns: selection, age, shapes."""

from __future__ import annotations

import numpy as np
import pytest

from spotbeam.sky.elements import COLUMNS, ElementSets, age_s
from spotbeam.times import parse_time


def built(count: int) -> ElementSets:
    columns = {
        column: np.arange(count, dtype=np.int64 if at < 2 else np.float64) + 100 * at
        for at, column in enumerate(COLUMNS)
    }
    names = tuple(f"S{row}" for row in range(count))
    designators = tuple(f"D{row}" for row in range(count))
    return ElementSets(**columns, name=names, international_designator=designators, source="x")


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (np.array([3, 1]), [3, 1]),
        ([True, False, False, True, False], [0, 3]),
        (slice(1, 4, 2), [1, 3]),
        ([], []),
        ([-1], [4]),
    ],
)
def test_take_selects_every_column_alike(index: object, rows: list[int]) -> None:
    whole = built(5)
    taken = whole.take(index)
    assert len(taken) == len(rows)
    for column in COLUMNS:
        assert getattr(taken, column).tolist() == getattr(whole, column)[rows].tolist()
        assert getattr(taken, column).dtype == getattr(whole, column).dtype
    assert taken.name == tuple(f"S{row}" for row in rows)
    assert taken.international_designator == tuple(f"D{row}" for row in rows)
    assert taken.source == "x"


def test_age_is_in_seconds_from_each_epoch() -> None:
    at_us = parse_time("2026-06-14T00:00:01.5Z")
    epochs = [parse_time("2026-06-14T00:00:00Z"), parse_time("2026-06-14T00:00:02Z")]
    fields = {column: getattr(built(2), column) for column in COLUMNS}
    fields["epoch_us"] = np.array(epochs)
    sets = ElementSets(**fields, name=("a", "b"), international_designator=("", ""), source="x")
    assert age_s(sets, at_us).tolist() == [1.5, -0.5]


def test_columns_of_different_length_are_refused() -> None:
    fields = {column: getattr(built(3), column) for column in COLUMNS} | {"bstar": np.zeros(2)}
    with pytest.raises(ValueError, match="bstar"):
        ElementSets(**fields, name=("a",) * 3, international_designator=("",) * 3, source="x")
