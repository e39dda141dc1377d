"""A small forecast made by hand, with every word, state and kind of rule that readers meet."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from spotbeam.land.cells import CellGrid, cells_in
from spotbeam.land.territories import Standing
from spotbeam.service.policy import Policy, Request
from spotbeam.service.rules import rules_from
from spotbeam.times import to_datetime
from spotbeam.twin.scenario import parse_scenario
from spotbeam.twin.tables import TERMINAL_STATES

BOX = (29.0, 43.0, 41.0, 52.0)  # west, south, east, north

# Status, reason and rule of each seventh of the cells, from west to east.
DECISIONS = (
    ("available", None, "ua-authorised"),
    ("at_capacity", "no_beam", None),
    ("out_of_view", "no_satellite", None),
    ("awaiting_approval", "PENDING_AUTHORISATION", None),
    ("not_offered", "NOT_AUTHORISED", None),
    ("withheld", "CELL_IS_DISABLED", "front-line"),
    ("blocked_by_order", "BLOCKED_COUNTRY", "sanction"),
)
_STATES = (
    ("served", None, "ua-authorised"),
    ("limited", "OK", "aid-bandwidth"),
    ("no_satellite", "no_satellite", None),
    ("denied", "MOVING_TOO_FAST_FOR_POLICY", "ua-speed-cap"),
)
_FLEETS = {"hospitals": 80, "ships": 70, "boats": 6}

_SCENARIO = """
name = "small"
title = TITLE
description = "A forecast made by hand."
[constellation]
shells = ["starlink-gen1"]
[area]
bounds = [43.0, 29.0, 52.0, 41.0]
[[fleet]]
id = "hospitals"
note = NOTE
count = 80
where = ["UA"]
"""

_RULES: list[dict[str, Any]] = [
    {"id": "ua-authorised", "effect": "grant", "gate": "territory", "where": ["UA", "UA/sea"],
     "except": ["UA-43"], "guard_km": 5.0, "grounds": ["authorisation:ua-2022-02"]},
    {"id": "front-line", "effect": "deny", "gate": "cell", "where": ["UA-14"],
     "grounds": ["order:mod-7"]},
    {"id": "sanction", "effect": "deny", "gate": "order", "where": ["UA-43"],
     "when": [{"from": "2025-01-01T00:00:00Z", "daily": "22:00-06:00"}],
     "grounds": ["sanction:eu-833-2014", "order:ofac-1"]},
    {"id": "ua-speed-cap", "effect": "deny", "gate": "mobility", "where": ["UA"],
     "who": {"verified": False, "mobility": ["land"]},
     "thresholds": {"over_kmh": 75.0, "clear_below_kmh": 65.0, "for_s": 10.0},
     "grounds": ["order:mod-1"]},
    {"id": "medical", "effect": "exempt", "lifts": ["list", "mobility"],
     "who": {"protection": ["medical"]}, "grounds": ["contract:relief"]},
    {"id": "aid-bandwidth", "effect": "limit", "gate": "plan", "max_mbps": 50.0,
     "stale_after": "2d", "on_stale": "deny", "grounds": ["contract:foundation"]},
]  # fmt: skip


def small_forecast(
    *,
    title: str = "A small forecast",
    note: str = "clinics",
    asker: str = "a ministry",
    fleet: str = "ships",
    territory: str = "Crimea",
    terminals: bool = True,
    resolution: int = 4,
    cells: CellGrid | None = None,
    notices: tuple[str, ...] = ("made by hand: nothing was computed",),
) -> tuple[Any, Any]:
    """A world and an answer with the columns of the real ones; texts of a user's can be given."""
    grid = cells_in(shapely.box(*BOX), resolution) if cells is None else cells
    n = len(grid.cell)
    rank = np.empty(n, dtype=np.int64)
    rank[np.argsort(grid.lon_deg, kind="stable")] = np.arange(n)
    part = rank * len(DECISIONS) // n
    status, reason, rule = ([DECISIONS[i][field] for i in part.tolist()] for field in range(3))
    mean = np.where(part == 2, 0.0, 4.0 + part + 0.25)
    fraction = np.where(part == 2, 0.0, np.where(part == 1, 0.9995, 1.0))
    table = pa.table(
        {
            "cell": pa.array(grid.cell, type=pa.uint64()),
            "lat_deg": grid.lat_deg,
            "lon_deg": grid.lon_deg,
            "area_km2": grid.area_km2,
            "territories": [["UA", "UA-43"] if i == 6 else ["UA"] for i in part.tolist()],
            "satellites_min": pa.array(np.floor(mean / 2), type=pa.uint16()),
            "satellites_mean": mean,
            "satellites_max": pa.array(np.ceil(mean * 2), type=pa.uint16()),
            "available_fraction": fraction,
            "longest_gap_s": np.where(part == 1, 15.0, np.where(part == 2, 3600.0, 0.0)),
            "status": status,
            "reason": pa.array(reason, type=pa.string()),
            "rule": pa.array(rule, type=pa.string()),
        }
    )
    sizes = {fleet if name == "ships" else name: size for name, size in _FLEETS.items()}
    people, fleets = _terminals(grid, sizes if terminals else {})
    territories = [
        _territory("UA", "Ukraine", table, np.ones(n, dtype=bool)),
        _territory("UA-43", territory, table, part == 6),
        _territory("x-crimea", territory, table, part == 6),
    ]
    scenario = parse_scenario(
        _SCENARIO.replace("TITLE", _toml(title)).replace("NOTE", _toml(note)), place="small"
    )
    request = Request(
        verb="activate", asker=asker, where=("RS",), since=to_datetime(1_760_000_000_000_000)
    )
    policy = Policy(rules=rules_from(_RULES, "small"), requests=(request,))
    ground = SimpleNamespace(
        view="un",
        ids=lambda: ("UA", "UA-43", "x-crimea"),
        name_of=lambda name: {"UA": "Ukraine"}.get(name, territory),
        standing=lambda name: Standing(
            claimed_by=("RU", "UA"), administered_by=("RU",), citation="resolution 68/262"
        ),
    )
    world = SimpleNamespace(scenario=scenario, cells=grid, ground=ground, policy=policy)
    answer = SimpleNamespace(
        cells=table,
        terminals=people,
        territories=territories,
        fleets=fleets,
        summary=_summary(scenario, policy, table, people, territories, fleets, notices, resolution),
    )
    return world, answer


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _terminals(grid: CellGrid, sizes: dict[str, int]) -> tuple[pa.Table, list[dict[str, Any]]]:
    fleet_of = [name for name, size in sizes.items() for _ in range(size)]
    rows = [_STATES[i % len(_STATES)] for i in range(len(fleet_of))]
    at = np.arange(len(fleet_of)) * 7 % len(grid.cell)
    state, reason, rule = ([row[field] for row in rows] for field in range(3))
    table = pa.table(
        {
            "id": pa.array([f"{name}-{i}" for i, name in enumerate(fleet_of)], type=pa.string()),
            "fleet": pa.array(fleet_of, type=pa.string()),
            "lat_deg": grid.lat_deg[at],
            "lon_deg": grid.lon_deg[at],
            "territories": pa.array([["UA"]] * len(fleet_of), type=pa.list_(pa.string())),
            "state": pa.array(state, type=pa.string()),
            "reason": pa.array(reason, type=pa.string()),
            "rule": pa.array(rule, type=pa.string()),
            "max_mbps": pa.array(
                [50.0 if word == "limited" else None for word in state], type=pa.float64()
            ),
            "available_fraction": np.ones(len(fleet_of)),
            "longest_gap_s": np.zeros(len(fleet_of)),
        }
    )
    fleets = []
    for name, size in sizes.items():
        counts = Counter(row for row, of in zip(rows, fleet_of, strict=True) if of == name)
        fleets.append(
            {
                "id": name,
                "terminals": size,
                "states": {
                    word: sum(n for row, n in counts.items() if row[0] == word)
                    for word in TERMINAL_STATES
                },
                "reasons": [
                    {"state": row[0], "reason": row[1], "rule": row[2], "terminals": number}
                    for row, number in counts.items()
                ],
            }
        )
    return table, fleets


def _territory(ident: str, name: str, table: pa.Table, inside: Any) -> dict[str, Any]:
    part = table.filter(pa.array(inside))
    areas = Counter[str]()
    for word, km2 in zip(part["status"].to_pylist(), part["area_km2"].to_pylist(), strict=True):
        areas[word] += km2
    word = max(areas, key=lambda key: areas[key])
    row = part["status"].to_pylist().index(word)
    return {
        "id": ident,
        "name": name,
        "cells": part.num_rows,
        "area_km2": sum(areas.values()),
        "available_fraction": float(np.mean(part["available_fraction"].to_numpy())),
        "status": word,
        "reason": part["reason"].to_pylist()[row],
        "rule": part["rule"].to_pylist()[row],
        "area_km2_by_status": dict(areas),
    }


def _summary(
    scenario: Any,
    policy: Policy,
    table: pa.Table,
    people: pa.Table,
    territories: list[dict[str, Any]],
    fleets: list[dict[str, Any]],
    notices: tuple[str, ...],
    resolution: int,
) -> dict[str, Any]:
    areas = Counter[str]()
    for word, km2 in zip(table["status"].to_pylist(), table["area_km2"].to_pylist(), strict=True):
        areas[word] += km2
    return {
        "key": "0" * 64,
        "scenario": {"name": scenario.name, "title": scenario.title, "digest": scenario.digest},
        "view": "un",
        "time": {
            "start": "2026-01-01T00:00:00Z",
            "end": "2026-01-01T01:00:00Z",
            "step_s": 15.0,
            "steps": 240,
        },
        "constellation": {
            "source": "constellations/starlink.csv.xz",
            "satellites": 7000,
            "satellites_in_service": 6500,
            "classes": {"in_service": 6500, "raising": 500},
            "min_elevation_deg": 25.0,
            "median_age_s": 34_000.0,
            "element_sets_left_out": 3,
        },
        "files": {"constellations/starlink.csv.xz": "ab" * 32},
        "area": {
            "resolution": resolution,
            "cells": table.num_rows,
            "area_km2": sum(areas.values()),
            "cells_by_status": dict(Counter(table["status"].to_pylist())),
            "area_km2_by_status": dict(areas),
        },
        "coverage": {
            "available_fraction": 0.999_999,
            "satellites_mean": 7.0,
            "satellites_min": 0,
            "satellites_max": 21,
            "longest_gap_s": 3600.0,
        },
        "policy": {
            "version": policy.version,
            "record_index": None,
            "rules": [rule.id for rule in policy.rules],
            "requests": 1,
        },
        "territories": territories,
        "fleets": fleets,
        "terminals": people.num_rows,
        "notices": list(notices),
    }
