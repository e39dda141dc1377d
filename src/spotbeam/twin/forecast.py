"""The forecast of a scenario: plan it, compute its blocks anywhere, put the answer together."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from spotbeam.service.terminals import Terminals
from spotbeam.service.verdict import Outcome
from spotbeam.sky.propagation import Engine
from spotbeam.times import format_time
from spotbeam.twin import fleets, tables
from spotbeam.twin.coverage import BlockTally, CoverageInputs, blocks
from spotbeam.twin.decisions import Segment, decide
from spotbeam.twin.onward import onward_inputs
from spotbeam.twin.onward_tables import network_summary
from spotbeam.twin.world import World

FORMAT = 1


class Plan(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What has to be computed: the verdicts are in, the physics is cut into blocks.

    Attributes:
        key: Digest of everything that the result depends on; a folder with another key holds
            another forecast.
    """

    world: World
    segments: list[Segment]
    inputs: CoverageInputs
    blocks: list[tuple[int, int]]
    key: str


class Answer(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """What a forecast says, as tables.

    Attributes:
        cells: A row a cell (see `tables.cell_table`).
        terminals: A row a terminal.
        territories: A record a territory.
        fleets: A record a fleet.
        summary: The contents of `summary.json`.
    """

    cells: pa.Table
    terminals: pa.Table
    territories: list[dict[str, Any]]
    fleets: list[dict[str, Any]]
    summary: dict[str, Any]


def plan(world: World, *, engine: Engine = "auto") -> Plan:
    """Decide every verdict of the run and cut its physics into blocks."""
    cells = world.cells
    reference = Terminals.drawn(
        prefix="reference",
        lat_deg=cells.lat_deg,
        lon_deg=cells.lon_deg,
        common=fleets.given(world.scenario.reference_terminal),
        place="reference_terminal",
    )
    segments = decide(
        world.compiled,
        world.grid,
        reference,
        world.terminals,
        settled=world.scenario.memory == "settled",
    )
    inputs = CoverageInputs(
        elements=world.sky.in_service,
        grid=world.grid,
        min_elevation_deg=world.sky.min_elevation_deg,
        cell_lat_deg=cells.lat_deg,
        cell_lon_deg=cells.lon_deg,
        terminal_lat_deg=world.terminals.lat_deg,
        terminal_lon_deg=world.terminals.lon_deg,
        segment_first_step=tuple(segment.first_step for segment in segments),
        fields=world.scenario.output.fields,
        engine=engine,
        onward=onward_inputs(
            world,
            tables.cells_denied(world, segments) >= 0,
            np.stack([segment.terminals.outcome == Outcome.DENY for segment in segments]),
        ),
    )
    parts = [world.scenario.digest, format_time(world.grid.start_us)]
    parts += [f"{name} {digest}" for name, digest in sorted(world.sources.items())]
    return Plan(
        world=world,
        segments=segments,
        inputs=inputs,
        blocks=blocks(world.grid, len(cells.cell)),
        key=hashlib.sha256("\n".join(parts).encode()).hexdigest(),
    )


def answer(plan: Plan, tallies: BlockTally) -> Answer:
    """Put the answer together from the merged tallies of all blocks."""
    world, segments = plan.world, plan.segments
    cells = tables.cell_table(world, segments, tallies.cells, tallies.cells_onward)
    terminals = tables.terminal_table(world, segments, tallies.terminals, tallies.terminals_onward)
    territories = tables.territory_records(world, cells)
    fleets = tables.fleet_records(world, terminals)
    return Answer(
        cells=cells,
        terminals=terminals,
        territories=territories,
        fleets=fleets,
        summary=_rounded(_summary(plan, cells, terminals, territories, fleets)),
    )


def _summary(
    plan: Plan,
    cells: pa.Table,
    terminals: pa.Table,
    territories: list[dict[str, Any]],
    fleets: list[dict[str, Any]],
) -> dict[str, Any]:
    world = plan.world
    scenario, grid, sky = world.scenario, world.grid, world.sky
    area_km2 = world.cells.area_km2
    cells_by_status = Counter(cells["status"].to_pylist())
    area_by_status = Counter[str]()
    for word, weight in zip(cells["status"].to_pylist(), area_km2, strict=True):
        area_by_status[word] += weight
    return {
        "format": FORMAT,
        "key": plan.key,
        "scenario": {
            "name": scenario.name,
            "title": scenario.title,
            "description": scenario.description.strip(),
            "digest": scenario.digest,
        },
        "view": scenario.view,
        "time": {
            "start": format_time(grid.start_us),
            "end": format_time(grid.end_us),
            "step_s": grid.step_s,
            "steps": grid.count,
        },
        "constellation": {
            "source": sky.source,
            "satellites": sky.n_total,
            "satellites_in_service": len(sky.in_service),
            "classes": sky.class_counts,
            "min_elevation_deg": sky.min_elevation_deg,
            "median_age_s": sky.age_s,
            "element_sets_left_out": 0 if sky.report is None else sky.report.read - sky.report.kept,
        },
        "files": dict(world.sources),
        "area": {
            "resolution": scenario.area.resolution,
            "cells": len(area_km2),
            "area_km2": float(area_km2.sum()),
            "cells_by_status": dict(sorted(cells_by_status.items())),
            "area_km2_by_status": {k: float(v) for k, v in sorted(area_by_status.items())},
        },
        "coverage": {
            "available_fraction": float(
                np.average(cells["available_fraction"].to_numpy(), weights=area_km2)
            ),
            "satellites_mean": float(
                np.average(cells["satellites_mean"].to_numpy(), weights=area_km2)
            ),
            "satellites_min": int(cells["satellites_min"].to_numpy().min()),
            "satellites_max": int(cells["satellites_max"].to_numpy().max()),
            "longest_gap_s": float(cells["longest_gap_s"].to_numpy().max()),
        },
        "policy": {
            "version": world.policy.version,
            "record_index": world.policy.record_index,
            "rules": [rule.id for rule in world.policy.rules],
            "requests": len(world.policy.requests),
        },
        "territories": territories,
        "fleets": fleets,
        "terminals": terminals.num_rows,
        "notices": list(world.notices),
    } | network_summary(world, plan.inputs.onward, cells)


def _rounded(value: Any) -> Any:
    """Floats to nine significant digits: the last bits depend on the machine, not on the input."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
