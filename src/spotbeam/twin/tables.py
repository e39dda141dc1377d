"""From counts and verdicts to what people read: cells, territories, terminals, fleets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spotbeam.service import status
from spotbeam.service.compiled import VerdictColumns
from spotbeam.service.status import ServiceState
from spotbeam.service.verdict import REASONS, Outcome
from spotbeam.twin.decisions import Segment
from spotbeam.twin.onward import OnwardTally
from spotbeam.twin.onward_tables import onward_columns, onward_record, unrouted_reasons
from spotbeam.twin.tally import Tally
from spotbeam.twin.world import World

NO_SATELLITE = str(ServiceState.NO_SATELLITE)


class SiteStates(NamedTuple):
    """What most steps of the run were like at each of n sites.

    Attributes:
        state: Index into `names`.
        segment: The segment that speaks for it: its verdict gives reason and rule.
        names: State names, from the better to the worse.
    """

    state: npt.NDArray[np.int64]
    segment: npt.NDArray[np.int64]
    names: tuple[str, ...]


def prevailing(
    denied_state: npt.NDArray[np.int64],
    served_state: npt.NDArray[np.int64],
    unseen_state: int,
    available: npt.NDArray[np.uint32],
    segment_steps: Sequence[int],
    names: tuple[str, ...],
    *,
    routed: npt.NDArray[np.uint32] | None = None,
    unrouted_state: int | None = None,
) -> SiteStates:
    """The state at most steps of the run; ties go to the worse, which stands later in `names`.

    Args:
        denied_state: State while denied, -1 while not: shape (n_segment, n).
        served_state: State while allowed and in view, shape (n_segment, n).
        unseen_state: State while allowed and not in view.
        available: Steps with a satellite in view, shape (n_segment, n).
        segment_steps: Steps of each segment.
        routed: Steps with a way on, shape (n_segment, n); as `available` if left out.
        unrouted_state: State while allowed, in view, and without a way on.
    """
    n_segments, n = denied_state.shape
    sites = np.arange(n)
    steps = np.zeros((len(names), n), dtype=np.int64)
    longest = np.zeros((len(names), n), dtype=np.int64)
    speaker = np.zeros((len(names), n), dtype=np.int64)

    def add(state: npt.NDArray[np.int64], count: npt.NDArray[np.int64], segment: int) -> None:
        steps[state, sites] += count
        longer = count > longest[state, sites]
        longest[state, sites] = np.where(longer, count, longest[state, sites])
        speaker[state, sites] = np.where(longer, segment, speaker[state, sites])

    for segment in range(n_segments):
        denied = denied_state[segment] >= 0
        seen = available[segment].astype(np.int64)
        on = seen if routed is None else np.minimum(routed[segment].astype(np.int64), seen)
        total = segment_steps[segment]
        add(np.where(denied, denied_state[segment], 0), np.where(denied, total, 0), segment)
        add(np.where(denied, 0, served_state[segment]), np.where(denied, 0, on), segment)
        if unrouted_state is not None:
            add(np.full(n, unrouted_state), np.where(denied, 0, seen - on), segment)
        add(np.full(n, unseen_state), np.where(denied, 0, total - seen), segment)
    worst_first = steps[::-1].argmax(axis=0)
    state = len(names) - 1 - worst_first
    return SiteStates(state, speaker[state, sites], names)


def _pick(segments: Sequence[VerdictColumns], states: SiteStates, column: str) -> npt.NDArray[Any]:
    """A verdict column at the segment that speaks for each site."""
    stacked = np.stack([getattr(columns, column) for columns in segments])
    picked: npt.NDArray[Any] = stacked[states.segment, np.arange(stacked.shape[1])]
    return picked


def cells_denied(world: World, segments: Sequence[Segment]) -> npt.NDArray[np.int64]:
    """The public word of each cell where its reference terminal is denied, else -1.

    Shape (n_segment, n_cell).
    """
    return np.stack(
        [
            status.public_word_codes(world.compiled, segment.cells, world.cell_face)
            for segment in segments
        ]
    )


def cell_states(
    world: World, segments: Sequence[Segment], cells: Tally, onward: OnwardTally | None = None
) -> SiteStates:
    """The public status of each cell: that of its reference terminal at most steps."""
    names = status.PUBLIC_WORDS
    denied = cells_denied(world, segments)
    return prevailing(
        denied,
        np.full_like(denied, names.index("available")),
        names.index("out_of_view"),
        cells.available,
        [segment.steps for segment in segments],
        names,
        routed=None if onward is None else onward.routed,
        unrouted_state=None if onward is None else names.index("out_of_view"),
    )


def cell_table(
    world: World, segments: Sequence[Segment], cells: Tally, onward: OnwardTally | None = None
) -> pa.Table:
    """A row a cell: what is in view, its public status, the reason, and the rule behind it."""
    states = cell_states(world, segments, cells, onward)
    of_cells = [segment.cells for segment in segments]
    names = world.ground.face_territories
    word = np.array(states.names, dtype=object)[states.state]
    reason = _reasons(_pick(of_cells, states, "reason"), word == "available", word == "out_of_view")
    if onward is not None:
        steps = np.array([[segment.steps] for segment in segments])
        allowed = cells_denied(world, segments) < 0
        unseen = np.where(allowed, steps - cells.available, 0).sum(axis=0)
        unrouted = word == "out_of_view"
        reason[unrouted] = unrouted_reasons(onward, unseen)[unrouted]
    denied = ~np.isin(word, ("available", "out_of_view"))
    rule = _rule_ids(world, _pick(of_cells, states, "rule"), denied | (word == "available"))
    step_s = world.grid.step_s
    return pa.table(
        {
            "cell": pa.array(world.cells.cell, type=pa.uint64()),
            "lat_deg": world.cells.lat_deg,
            "lon_deg": world.cells.lon_deg,
            "area_km2": world.cells.area_km2,
            "territories": pa.array(
                [list(names[face]) for face in world.cell_face], type=pa.list_(pa.string())
            ),
            "satellites_min": pa.array(cells.minimum, type=pa.uint16()),
            "satellites_mean": cells.mean,
            "satellites_max": pa.array(cells.maximum, type=pa.uint16()),
            "available_fraction": cells.available_fraction,
            "longest_gap_s": cells.longest_gap * step_s,
            "status": pa.array(word, type=pa.string()),
            "reason": pa.array(reason, type=pa.string()),
            "rule": pa.array(rule, type=pa.string()),
        }
        | onward_columns(world, onward)
    )


def _reasons(
    code: npt.NDArray[Any], served: npt.NDArray[np.bool_], unseen: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:
    text: npt.NDArray[Any] = np.array(REASONS, dtype=object)[code]
    text[unseen] = NO_SATELLITE
    text[served] = None
    return text


def _rule_ids(
    world: World, rule: npt.NDArray[Any], shown: npt.NDArray[np.bool_]
) -> npt.NDArray[Any]:
    """Ids of the deciding rules; None where no rule decided (a default) or none is shown."""
    names = [*(each.id for each in world.policy.rules), None]  # -1 finds the last
    ids: npt.NDArray[Any] = np.array(names, dtype=object)[rule]
    ids[~shown] = None
    return ids


TERMINAL_STATES = ("served", "limited", "no_satellite", "no_route", "denied")


def terminal_table(
    world: World, segments: Sequence[Segment], tally: Tally, onward: OnwardTally | None = None
) -> pa.Table:
    """A row a terminal: its service state at most steps of the run, with reason and rule."""
    of_terminals = [segment.terminals for segment in segments]
    outcome = np.stack([columns.outcome for columns in of_terminals])
    states = prevailing(
        np.where(outcome == Outcome.DENY, TERMINAL_STATES.index("denied"), -1),
        np.where(outcome == Outcome.LIMIT, TERMINAL_STATES.index("limited"), 0),
        TERMINAL_STATES.index("no_satellite"),
        tally.available,
        [segment.steps for segment in segments],
        TERMINAL_STATES,
        routed=None if onward is None else onward.routed,
        unrouted_state=None if onward is None else TERMINAL_STATES.index("no_route"),
    )
    state = np.array(TERMINAL_STATES, dtype=object)[states.state]
    unseen = state == "no_satellite"
    is_decided = ~unseen & (state != "no_route")
    reason = _reasons(_pick(of_terminals, states, "reason"), state == "served", unseen)
    if onward is not None:
        unrouted = state == "no_route"
        reason[unrouted] = unrouted_reasons(onward)[unrouted]
    max_mbps = _pick(of_terminals, states, "max_mbps").astype(np.float64)
    terminals = world.terminals
    face = world.ground.locate(terminals.lat_deg, terminals.lon_deg)
    names = world.ground.face_territories
    return pa.table(
        {
            "id": terminals.id_array(),
            "fleet": terminals.fleet_array(),
            "lat_deg": terminals.lat_deg,
            "lon_deg": terminals.lon_deg,
            "territories": pa.array(
                [list(names[index]) if index >= 0 else [] for index in face],
                type=pa.list_(pa.string()),
            ),
            "state": pa.array(state, type=pa.string()),
            "reason": pa.array(reason, type=pa.string()),
            "rule": pa.array(
                _rule_ids(world, _pick(of_terminals, states, "rule"), is_decided), type=pa.string()
            ),
            "max_mbps": pa.array(max_mbps, mask=~np.isfinite(max_mbps) | (state != "limited")),
            "available_fraction": tally.available_fraction,
            "longest_gap_s": tally.longest_gap * world.grid.step_s,
        }
        | onward_columns(world, onward)
    )


def territory_records(world: World, cells: pa.Table) -> list[dict[str, Any]]:
    """Per territory: cells, area, availability, and the status of most of its area with the rule.

    A territory without a cell centre is not listed: it is too small for the resolution. `named`
    says that a rule or a request speaks of it.
    """
    face = world.cell_face
    area_km2 = world.cells.area_km2
    available = cells["available_fraction"].to_numpy()
    status_of = np.array(cells["status"].to_pylist(), dtype=object)
    reason_of = np.array(cells["reason"].to_pylist(), dtype=object)
    rule_of = np.array(cells["rule"].to_pylist(), dtype=object)
    faces_of: dict[str, list[int]] = {}
    for index, ids in enumerate(world.ground.face_territories):
        for name in ids:
            faces_of.setdefault(name, []).append(index)
    records = []
    present = set(np.unique(face).tolist())
    named = {place for rule in world.policy.rules for place in (*rule.where, *rule.except_)}
    named |= {place for request in world.policy.requests for place in request.where}
    for name in sorted(faces_of):
        if not present.intersection(faces_of[name]):
            continue
        inside = np.isin(face, faces_of[name])
        weights = area_km2[inside]
        groups = Counter[tuple[str, str | None, str | None]]()
        for key_status, key_reason, key_rule, weight in zip(
            status_of[inside], reason_of[inside], rule_of[inside], weights, strict=True
        ):
            groups[(key_status, key_reason, key_rule)] += weight
        by_status = Counter[str]()
        for (word, _, _), weight in groups.items():
            by_status[word] += weight
        word = max(by_status, key=lambda w: (by_status[w], status.PUBLIC_WORDS.index(w)))
        (_, reason, rule), _ = max(
            ((key, weight) for key, weight in groups.items() if key[0] == word),
            key=lambda item: (item[1], str(item[0])),
        )
        records.append(
            {
                "id": name,
                "name": world.ground.name_of(name),
                "named": name in named,
                "cells": int(inside.sum()),
                "area_km2": float(weights.sum()),
                "available_fraction": float(np.average(available[inside], weights=weights)),
                "status": word,
                "reason": reason,
                "rule": rule,
                "area_km2_by_status": {w: float(by_status[w]) for w in sorted(by_status)},
            }
            | onward_record(cells, inside, weights)
        )
    return records


def fleet_records(world: World, terminals: pa.Table) -> list[dict[str, Any]]:
    """Per fleet: terminals by service state and, within it, by reason."""
    records = []
    fleet_of = np.array(terminals["fleet"].to_pylist(), dtype=object)
    state_of = np.array(terminals["state"].to_pylist(), dtype=object)
    reason_of = np.array(terminals["reason"].to_pylist(), dtype=object)
    rule_of = np.array(terminals["rule"].to_pylist(), dtype=object)
    for name in dict.fromkeys(fleet_of.tolist()):
        inside = fleet_of == name
        counts = Counter(zip(state_of[inside], reason_of[inside], rule_of[inside], strict=True))
        records.append(
            {
                "id": name,
                "terminals": int(inside.sum()),
                "states": {
                    state: sum(n for key, n in counts.items() if key[0] == state)
                    for state in TERMINAL_STATES
                },
                "reasons": [
                    {"state": state, "reason": reason, "rule": rule, "terminals": n}
                    for (state, reason, rule), n in sorted(
                        counts.items(), key=lambda item: (-item[1], str(item[0]))
                    )
                ],
            }
            | onward_record(terminals, inside, np.ones(int(inside.sum())))
        )
    return records
