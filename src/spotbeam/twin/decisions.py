"""Policy over a run: the verdict on every cell's reference terminal and on every terminal.

Between two of its breakpoints no verdict can change, so a run is cut into *segments* and each is
decided once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spotbeam.service.compiled import CompiledPolicy, VerdictColumns, verdicts
from spotbeam.service.terminals import Terminals
from spotbeam.times import TimeGrid

_MAX_SEGMENTS = 10_000


class Segment(NamedTuple):
    """A stretch of steps in which no verdict changes."""

    first_step: int
    stop_step: int
    cells: VerdictColumns
    terminals: VerdictColumns

    @property
    def steps(self) -> int:
        return self.stop_step - self.first_step


def decide(
    compiled: CompiledPolicy,
    grid: TimeGrid,
    reference: Terminals,
    terminals: Terminals,
    *,
    settled: bool = True,
) -> list[Segment]:
    """Cut a run where verdicts may change and decide each part once.

    Args:
        compiled: The policy over its ground.
        reference: The reference terminal at each cell's centre.
        terminals: All terminals of the scenario.
        settled: Motion has been held for long enough (see `service.verdict.Memory`).
    """
    segments: list[Segment] = []
    step = 0
    while step < grid.count and len(segments) < _MAX_SEGMENTS:
        at_us = grid.start_us + step * grid.step_us
        of_cells = verdicts(compiled, reference, at_us, settled=settled)
        of_terminals = verdicts(compiled, terminals, at_us, settled=settled)
        stop = min(
            _step_after(grid, columns.valid_until_us, step) for columns in (of_cells, of_terminals)
        )
        segments.append(Segment(step, stop, of_cells, of_terminals))
        step = stop
    return segments


def _step_after(grid: TimeGrid, valid_until_us: np.ndarray, step: int) -> int:
    """The first step at or after the earliest moment at which one of the verdicts may change."""
    if not len(valid_until_us):
        return grid.count
    until_us = int(valid_until_us.min())
    steps = -(-(until_us - grid.start_us) // grid.step_us)
    return int(np.clip(steps, step + 1, grid.count))
