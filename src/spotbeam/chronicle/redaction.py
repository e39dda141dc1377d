"""Counts of terminals that may be shown: never small, never exact, never apart by a few.

Whoever compares successive editions of a page subtracts one count from the next. So a shown count
is a rung of a coarse ladder, and it moves to another rung only once the true count has left the
shown one behind by a margin: what comes or goes below the margin never shows by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count as numbers

LEAST = 10
"""k: no count below it is ever shown, and no group smaller than it shows by coming or going."""


def shown_counts(true_counts: Iterable[int], least: int = LEAST) -> list[int]:
    """What successive editions show of a count.

    Args:
        true_counts: Terminals, in order of time.
        least: k; 1 shows every count as it is.

    Returns:
        For each a rung: 0 stands for "fewer than k".
    """
    shown: list[int] = []
    for true in true_counts:
        shown.append(_next(shown[-1] if shown else None, true, least))
    return shown


def count_words(shown: int, least: int = LEAST) -> str:
    """A shown count in words: it says that it is coarse."""
    return f"fewer than {least}" if shown == 0 else f"about {shown:,}"


def _next(before: int | None, true: int, least: int) -> int:
    if least <= 1:
        return true
    rung = _rung(true, least)
    if before is None or rung == before:
        return rung
    # The margin grows with the count, as the rungs do: a tenth, and never less than k.
    margin = max(least, true // 10)
    low, high = before, _above(before, least)
    if low - margin <= true < high + margin:
        return before
    return rung


def _rung(true: int, least: int) -> int:
    """The largest of k, 2k, 5k, 10k, 20k, ... that is not above a count; 0 below k."""
    found = 0
    for rung in _rungs(least):
        if rung > true:
            return found
        found = rung
    raise AssertionError("the ladder has no end")


def _above(rung: int, least: int) -> int:
    return next(each for each in _rungs(least) if each > rung)


def _rungs(least: int) -> Iterable[int]:
    for power in numbers():
        for step in (1, 2, 5):
            yield least * step * 10**power
