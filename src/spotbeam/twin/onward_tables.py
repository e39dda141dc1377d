"""Ways to the internet in a forecast's tables: how long they are, and how often there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spotbeam.land.gateways import SOURCE
from spotbeam.network.settings import Network
from spotbeam.twin.onward import UNROUTED, OnwardInputs, OnwardTally, round_trip_ms
from spotbeam.twin.tally import Tally
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


def unrouted_reasons(seen: Tally, onward: OnwardTally) -> npt.NDArray[Any]:
    """Why most steps without a way have none, of n sites that have such: keys of `NO_ROUTE`.

    Steps without any satellite in view are not of them. Where one is in view, none may be in
    reach, for a link that is too long.
    """
    steps = onward.unrouted.astype(np.int64)
    unseen = seen.steps - seen.available.sum(axis=0, dtype=np.int64)
    for reason in ("no_satellite", "no_lasting_satellite"):
        row = steps[UNROUTED.index(reason)]
        taken = np.minimum(row, unseen)
        row -= taken
        unseen = unseen - taken
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
            "sites": SOURCE if world.gateways is None else "the scenario's own",
            "landing_rules": len(settings.landing),
            **onward_record(cells, everywhere, world.cells.area_km2),
            "out_of_view_area_km2": {
                each: float(world.cells.area_km2[reason == each].sum())
                for each in UNROUTED
                if (reason == each).any()
            },
        }
    }
