"""What somebody is told of the age of the record that they are about to sign over."""

from __future__ import annotations

import pytest

from spotbeam.edge.freshness import FRESH_S, as_of
from spotbeam.times import parse_time

SIGNED = "2026-11-25T04:00:00Z"
SIGNED_S = parse_time(SIGNED) // 1_000_000


@pytest.mark.parametrize(
    ("age_s", "ago", "is_old"),
    [
        (-5, "just now", False),  # a clock that is a little behind
        (42, "42s ago", False),
        (FRESH_S, "3m ago", False),
        (FRESH_S + 1, "3m ago", True),
        (7_199, "119m ago", True),
        (3 * 86_400 + 5, "3d ago", True),
    ],
)
def test_an_old_view_is_called_old(age_s: int, ago: str, is_old: bool) -> None:
    words = as_of(SIGNED_S, SIGNED_S + age_s)
    assert words.startswith(f"{SIGNED}, {ago}")
    assert ("may be missing here" in words) == is_old
