"""Ways to the internet in a forecast's tables: how long they are, and how often there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spotbeam.land.gateways import SOURCE
from spotbeam.network.settings import Network
from spotbeam.twin.onward import UNROUTED, OnwardInputs, OnwardTally, round_trip_ms
from spotbeam.twin.world import World


def onward_columns(world: World, onward: OnwardTally | None) -> dict[str, Any]:
    """Columns of a row a site: round trips in milliseconds, null where there is no way at all."""
    if onward is None:
        return {}
    settings = world.scenario.network or Network()
    count = onward.routed.sum(axis=0, dtype=np.int64)
    mean_ns = onward.total_ns / np.maximum(count, 1)
    never = count == 0
    columns = {"min": onward.least_ns, "mean": mean_ns, "max": onward.most_ns}
    return {
        "routed_fraction": count / max(1, onward.steps),
        **{
            f"round_trip_ms_{name}": pa.array(round_trip_ms(value, settings), mask=never)
            for name, value in columns.items()
        },
    }


def unrouted_reasons(onward: OnwardTally, unseen: npt.ArrayLike = 0) -> npt.NDArray[Any]:
    """Why most steps without a way have none: keys of `NO_ROUTE`, one of each of n sites.

    Args:
        onward: What was counted.
        unseen: (n,), steps without any satellite in view, if they are to count as well.
    """
    steps = onward.unrouted.astype(np.int64)
    steps[UNROUTED.index("no_satellite")] += np.asarray(unseen, dtype=np.int64)
    found: npt.NDArray[Any] = np.array(UNROUTED, dtype=object)[steps.argmax(axis=0)]
    return found


def onward_record(
    table: pa.Table, inside: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64]
) -> dict[str, Any]:
    """What a territory or a fleet has: weighted means over its rows; nothing without a network.

    Args:
        table: Cells or terminals, n rows.
        inside: (n,), which rows.
        weights: of those rows.
    """
    if "round_trip_ms_mean" not in table.column_names:
        return {}
    mean_ms = table["round_trip_ms_mean"].to_numpy()[inside]
    has = np.isfinite(mean_ms)
    routed = table["routed_fraction"].to_numpy()[inside]
    return {
        "routed_fraction": float(np.average(routed, weights=weights)),
        "round_trip_ms": float(np.average(mean_ms[has], weights=weights[has]))
        if has.any()
        else None,
    }


def network_summary(world: World, inputs: OnwardInputs | None, cells: pa.Table) -> dict[str, Any]:
    """What `summary.json` says of the network; nothing where the scenario has none."""
    if inputs is None:
        return {}
    settings = inputs.settings
    everywhere = np.ones(cells.num_rows, dtype=np.bool_)
    reason = np.array(cells["reason"].to_pylist(), dtype=object)
    return {
        "network": {
            "mode": settings.mode,
            "reconfigure": str(settings.reconfigure),
            "links": inputs.topology.n_links,
            "gateways": len(inputs.segment.gateways),
            "points_of_presence": len(inputs.segment.pop),
            "sites": _sites(world),
            "landing_rules": len(settings.landing),
            **onward_record(cells, everywhere, world.cells.area_km2),
            "out_of_view_area_km2": {
                each: float(world.cells.area_km2[reason == each].sum())
                for each in UNROUTED
                if (reason == each).any()
            },
        }
    }


def _sites(world: World) -> str:
    """Where gateways and points of presence are from."""
    own = "the scenario's own"
    of = [SOURCE if each is None else own for each in (world.gateways, world.pops)]
    return of[0] if of[0] == of[1] else f"gateways: {of[0]}; points of presence: {of[1]}"
