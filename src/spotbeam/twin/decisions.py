"""Policy over a run: the verdict on every cell's reference terminal and on every terminal.

Between two of its breakpoints no verdict can change, so a run is cut into *segments* and each is
decided once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from spotbeam.errors import ScenarioError
from spotbeam.service.compiled import CompiledPolicy, VerdictColumns, bind, verdicts
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
    # Who a terminal is and which ground it touches do not change over the run: looked up once.
    bound_reference, bound_terminals = bind(compiled, reference), bind(compiled, terminals)
    segments: list[Segment] = []
    of_cells: VerdictColumns | None = None
    of_terminals: VerdictColumns | None = None
    step = 0
    while step < grid.count:
        if len(segments) == _MAX_SEGMENTS:
            raise ScenarioError(
                f"the policy may change its mind more than {_MAX_SEGMENTS} times in this run",
                hint="shorten the run, or take wider windows in 'when'",
            )
        at_us = grid.start_us + step * grid.step_us
        # A motion that has not lasted yet is remembered from one segment to the next.
        of_cells = verdicts(
            compiled,
            bound_reference,
            at_us,
            None if of_cells is None else of_cells.memory,
            settled=settled,
        )
        of_terminals = verdicts(
            compiled,
            bound_terminals,
            at_us,
            None if of_terminals is None else of_terminals.memory,
            settled=settled,
        )
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
