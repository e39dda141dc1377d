"""Physics of a run, block by block: which sites have satellites in view at which steps.

A block is some consecutive steps. Blocks are independent, so they are the unit of resume and of
distribution; what they leave behind merges in order (`tally`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels import visibility
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.propagation import Engine, Propagator, propagator
from spotbeam.times import TimeGrid
from spotbeam.twin.onward import (
    OnwardInputs,
    OnwardTally,
    OnwardWorker,
    merge_onward,
    onward_tally,
)
from spotbeam.twin.tally import Tally, merge, tally

FIELDS = ("satellites_in_view", "elevation_max_deg", "best_satellite")
_BYTES_A_SITE_STEP = 10  # uint16 count, int32 best satellite, float32 elevation
_BLOCK_BYTES = 96 * 2**20
_MAX_BLOCK_STEPS = 240


class FieldSink(Protocol):
    """Where the fields of finished blocks go; it must be picklable."""

    def write(self, first_step: int, fields: dict[str, np.ndarray]) -> None:
        """Keep the fields of a block, arrays of shape (n_time, n_cell)."""


class CoverageInputs(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """All that a block needs, whatever process computes it.

    Attributes:
        elements: The satellites in service.
        segment_first_step: First step of each stretch of the run in which no verdict can change.
        fields: Which fields the sink gets.
        onward: The network; None where the scenario has none.
    """

    elements: ElementSets
    grid: TimeGrid
    min_elevation_deg: float
    cell_lat_deg: npt.NDArray[np.float64]
    cell_lon_deg: npt.NDArray[np.float64]
    terminal_lat_deg: npt.NDArray[np.float64]
    terminal_lon_deg: npt.NDArray[np.float64]
    segment_first_step: tuple[int, ...] = (0,)
    fields: tuple[str, ...] = FIELDS
    engine: Engine = "auto"
    onward: OnwardInputs | None = None


class BlockTally(NamedTuple):
    """What a block leaves behind of its cells and its terminals; ways on, if there is a network."""

    cells: Tally
    terminals: Tally
    cells_onward: OnwardTally | None = None
    terminals_onward: OnwardTally | None = None


def merge_blocks(earlier: BlockTally, later: BlockTally) -> BlockTally:
    """The tally of two neighbouring blocks, the earlier one first."""
    return BlockTally(
        merge(earlier.cells, later.cells),
        merge(earlier.terminals, later.terminals),
        _merge_onward(earlier.cells_onward, later.cells_onward),
        _merge_onward(earlier.terminals_onward, later.terminals_onward),
    )


def _merge_onward(earlier: OnwardTally | None, later: OnwardTally | None) -> OnwardTally | None:
    return merge_onward(earlier, later) if earlier and later else None


def blocks(grid: TimeGrid, n_cells: int) -> list[tuple[int, int]]:
    """Cut a run into blocks `(first step, stop step)` that fit in memory."""
    fit = _BLOCK_BYTES // (_BYTES_A_SITE_STEP * max(1, n_cells))
    steps = int(np.clip(fit, 1, _MAX_BLOCK_STEPS))
    return [(first, min(first + steps, grid.count)) for first in range(0, grid.count, steps)]


class CoverageWorker:
    """Computes blocks; one lives in each process."""

    def __init__(self, inputs: CoverageInputs, sink: FieldSink | None = None) -> None:
        self.inputs = inputs
        self.sink = sink
        grid = inputs.grid
        self._propagator: Propagator = propagator(
            inputs.elements,
            engine=inputs.engine,
            window_us=(grid.start_us, grid.end_us - grid.step_us),
            n_steps=grid.count,
        )
        self._cells = visibility.prepare(inputs.cell_lat_deg, inputs.cell_lon_deg)
        self._terminals = visibility.prepare(inputs.terminal_lat_deg, inputs.terminal_lon_deg)
        self._onward = (
            OnwardWorker(inputs.onward, inputs.elements, self._propagator)
            if inputs.onward
            else None
        )
        # The last entry stands for "no satellite": index -1 finds it.
        self._numbers = np.append(inputs.elements.catalogue_number, 0).astype(np.int32)
        self._segment_first_step = np.array(inputs.segment_first_step, dtype=np.int64)

    def run(self, first: int, stop: int) -> BlockTally:
        """Compute steps `first` to `stop` (exclusive) and hand their fields to the sink."""
        inputs = self.inputs
        times_us = inputs.grid.times_us(first, stop)
        position_ecef_km, _status = self._propagator.positions_ecef_km(times_us)
        if inputs.onward is not None:
            position_ecef_km[:, ~inputs.onward.topology.is_up] = np.nan
        in_view, best, elevation_max_deg = visibility.satellites_in_view(
            self._cells, position_ecef_km, inputs.min_elevation_deg
        )
        if self.sink is not None:
            fields: dict[str, np.ndarray] = {
                "satellites_in_view": in_view,
                "elevation_max_deg": elevation_max_deg,
                "best_satellite": self._numbers[best],
            }
            self.sink.write(first, {name: fields[name] for name in inputs.fields})
        segment = (
            np.searchsorted(self._segment_first_step, np.arange(first, stop), side="right") - 1
        )
        n_segments = len(self._segment_first_step)
        terminals, is_seen = self._tally_terminals(position_ecef_km, segment, n_segments)
        counted = BlockTally(tally(in_view, segment, n_segments), terminals)
        if self._onward is None or inputs.onward is None:
            return counted
        of_cells, of_terminals = self._onward.ways(times_us, self._cells, self._terminals)
        denied = inputs.onward.cell_denied, inputs.onward.terminal_denied
        return counted._replace(
            cells_onward=onward_tally(of_cells, in_view > 0, denied[0], segment),
            terminals_onward=onward_tally(of_terminals, is_seen, denied[1], segment),
        )

    def _tally_terminals(
        self,
        position_ecef_km: npt.NDArray[np.float64],
        segment: npt.NDArray[np.int64],
        n_segments: int,
    ) -> tuple[Tally, npt.NDArray[np.bool_]]:
        """The tally, and which terminals have a satellite in view at which steps."""
        total: Tally | None = None
        is_seen = np.zeros(
            (len(position_ecef_km), len(self.inputs.terminal_lat_deg)), dtype=np.bool_
        )
        for start, stop in _slices(len(position_ecef_km), len(self.inputs.terminal_lat_deg)):
            in_view, _, _ = visibility.satellites_in_view(
                self._terminals, position_ecef_km[start:stop], self.inputs.min_elevation_deg
            )
            is_seen[start:stop] = in_view > 0
            part = tally(in_view, segment[start:stop], n_segments)
            total = part if total is None else merge(total, part)
        assert total is not None, "a block has at least one step"
        return total, is_seen


def _slices(n_steps: int, n_sites: int) -> Iterator[tuple[int, int]]:
    fit = max(1, _BLOCK_BYTES // (_BYTES_A_SITE_STEP * max(1, n_sites)))
    for start in range(0, n_steps, fit):
        yield start, min(start + fit, n_steps)
