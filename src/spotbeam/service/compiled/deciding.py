"""Verdicts in columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt

from spotbeam.kernels import verdicts as kernel
from spotbeam.service.compiled.binding import Bound, bind
from spotbeam.service.compiled.tables import (
    CompiledPolicy,
    clock,
    mask,
    next_moments_us,
    next_requests_us,
    no_grant_reasons,
)
from spotbeam.service.memory import Memory, RuleMemory
from spotbeam.service.rules import DAY_US
from spotbeam.service.terminals import Terminals
from spotbeam.service.verdict import OUTCOMES, REASONS, Outcome


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class MemoryColumns:
    """What is remembered of n terminals; `Memory` says what each means.

    Attributes:
        over_since_us: Shape (n, n_motion_rule); `kernel.NEVER` where not over.
        blocked: Shape (n, n_motion_rule).
        days, last_day: Shape (n, n_day_rule); last_day is `kernel.NO_DAY` before the first.
        served: Shape (n,).
        data_gb: Shape (n,).
    """

    over_since_us: npt.NDArray[np.int64]
    blocked: npt.NDArray[np.bool_]
    days: npt.NDArray[np.int32]
    last_day: npt.NDArray[np.int32]
    served: npt.NDArray[np.bool_]
    data_gb: npt.NDArray[np.float64]

    @classmethod
    def fresh(cls, compiled: CompiledPolicy, n: int) -> Self:
        """Nothing has happened yet."""
        motion, days = (n, len(compiled.motion_rules)), (n, len(compiled.day_rules))
        return cls(
            over_since_us=np.full(motion, kernel.NEVER, dtype=np.int64),
            blocked=np.zeros(motion, dtype=bool),
            days=np.zeros(days, dtype=np.int32),
            last_day=np.full(days, kernel.NO_DAY, dtype=np.int32),
            served=np.zeros(n, dtype=bool),
            data_gb=np.zeros(n),
        )

    def row(self, compiled: CompiledPolicy, index: int) -> Memory:
        """The memory of one terminal."""
        rules: dict[str, RuleMemory] = {}
        for slot, name in enumerate(compiled.motion_rules):
            since_us = int(self.over_since_us[index, slot])
            rules[name] = RuleMemory(
                over_since_us=None if since_us == kernel.NEVER else since_us,
                blocked=bool(self.blocked[index, slot]),
            )
        for slot, name in enumerate(compiled.day_rules):
            last_day = int(self.last_day[index, slot])
            rules[name] = RuleMemory(
                days=int(self.days[index, slot]),
                last_day=None if last_day == kernel.NO_DAY else last_day,
            )
        return Memory(
            rules=rules, served=bool(self.served[index]), data_gb=float(self.data_gb[index])
        )


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class VerdictColumns:
    """Verdicts on n terminals at one moment.

    Attributes:
        outcome: uint8, code of `Outcome`.
        reason: uint8, place in `REASONS`.
        rule: int16, place in the policy's rules; -1 where a default or a built-in check decided.
        max_mbps: float32; NaN but for limits.
        valid_until_us: int64; `kernel.NEVER` where no rule around follows a clock. May be a
            read-only view.
        memory: For the next verdict; None where the motion was settled.
    """

    at_us: int
    outcome: npt.NDArray[np.uint8]
    reason: npt.NDArray[np.uint8]
    rule: npt.NDArray[np.int16]
    max_mbps: npt.NDArray[np.float32]
    valid_until_us: npt.NDArray[np.int64]
    memory: MemoryColumns | None

    def __len__(self) -> int:
        return len(self.outcome)

    def outcome_words(self) -> npt.NDArray[np.object_]:
        """`allow`, `limit` or `deny`, shape (n,)."""
        return np.array(OUTCOMES, dtype=object)[self.outcome]

    def reason_words(self) -> npt.NDArray[np.object_]:
        """Reason codes as text, shape (n,)."""
        return np.array(REASONS, dtype=object)[self.reason]


def verdicts(
    compiled: CompiledPolicy,
    terminals: Terminals | Bound,
    at_us: int,
    memory: MemoryColumns | None = None,
    *,
    settled: bool = True,
    validity: bool = True,
) -> VerdictColumns:
    """Decide all terminals at one moment, as `service.verdict.verdict` decides one.

    Args:
        compiled: The policy over its ground.
        terminals: Terminals, or what `bind` made of them: worth it where they stay in place.
        at_us: When.
        memory: What was remembered of each.
        settled: Without a memory: the motion has lasted (`SETTLED`), else nothing has happened yet
            (`FRESH`).
        validity: Work out until when each verdict holds; without, `valid_until_us` is `at_us`.
    """
    bound = terminals if isinstance(terminals, Bound) else bind(compiled, terminals)
    n = len(bound)
    if memory is None and not settled:
        memory = MemoryColumns.fresh(compiled, n)
    places, kinds = _places(bound, at_us), _kinds(bound, at_us)
    readings, remembered = _readings(bound.terminals), _remembered(compiled, memory)
    if memory is not None:
        kernel.remember(
            compiled.rules, places, kinds.flags, readings, remembered, at_us, at_us // DAY_US
        )
    outcome, reason = np.empty(n, dtype=np.uint8), np.empty(n, dtype=np.uint8)
    rule, max_mbps = np.empty(n, dtype=np.int16), np.empty(n, dtype=np.float32)
    kernel.decide(
        compiled.rules,
        places,
        kinds,
        clock(compiled, at_us),
        readings,
        remembered,
        outcome,
        reason,
        rule,
        max_mbps,
    )
    return VerdictColumns(
        at_us=at_us,
        outcome=outcome,
        reason=reason,
        rule=rule,
        max_mbps=max_mbps,
        valid_until_us=(
            _valid_until_us(bound, at_us, None if memory is None else remembered)
            if validity
            else np.broadcast_to(np.int64(at_us), (n,))
        ),
        memory=None if memory is None else _next_memory(remembered, outcome),
    )


def _places(bound: Bound, at_us: int) -> kernel.Places:
    return kernel.Places(
        face_bits=bound.compiled.face_bits,
        set_bits=bound.set_bits,
        guard_masks=bound.compiled.guard_masks,
        word_start=bound.word_start,
        words=bound.words,
        word_bits=bound.word_bits,
        face_start=bound.face_start,
        faces=bound.faces,
        no_grant_reason=no_grant_reasons(bound.compiled, at_us),
        own=bound.own,
        touched=bound.touched,
    )


def _kinds(bound: Bound, at_us: int) -> kernel.Kinds:
    """Kinds at a moment: whether a sponsor has lapsed depends on when one asks."""
    rules = bound.compiled.ordered
    if all(rule.who.sponsor_lapsed is None for rule in rules):
        return kernel.Kinds(bound.flags, bound.who_bits, bound.who)
    lapsed_ids = {s.id for s in bound.compiled.policy.sponsors if s.has_lapsed(at_us)}
    lapsed = np.array([name in lapsed_ids for name in bound.terminals.sponsor_names], dtype=bool)
    rows = np.stack(
        [
            mask(rules, (rule.who.sponsor_lapsed in (None, is_lapsed) for rule in rules))
            for is_lapsed in (False, True)
        ]
    )
    row = (lapsed[bound.terminals.sponsor] + len(bound.who_bits)).astype(np.int32)
    return kernel.Kinds(
        bound.flags,
        np.concatenate([bound.who_bits, rows]),
        np.ascontiguousarray(np.column_stack([bound.who, row])),
    )


def _readings(terminals: Terminals) -> kernel.Readings:
    return kernel.Readings(
        lat_deg=terminals.lat_deg,
        lon_deg=terminals.lon_deg,
        position_error_m=terminals.position_error_m,
        assurance=terminals.assurance,
        speed_kmh=terminals.speed_kmh,
        altitude_m=terminals.altitude_m,
        service_lat_deg=terminals.service_lat_deg,
        service_lon_deg=terminals.service_lon_deg,
    )


def _remembered(compiled: CompiledPolicy, memory: MemoryColumns | None) -> kernel.Remembered:
    """A copy for the kernel to write the moment into; empty where the motion is settled."""
    columns = MemoryColumns.fresh(compiled, 0) if memory is None else memory
    return kernel.Remembered(
        is_settled=memory is None,
        over_since_us=columns.over_since_us.copy(),
        blocked=columns.blocked.copy(),
        days=columns.days.copy(),
        last_day=columns.last_day.copy(),
        served=columns.served,
        data_gb=columns.data_gb,
    )


def _next_memory(remembered: kernel.Remembered, outcome: npt.NDArray[np.uint8]) -> MemoryColumns:
    return MemoryColumns(
        over_since_us=remembered.over_since_us,
        blocked=remembered.blocked,
        days=remembered.days,
        last_day=remembered.last_day,
        served=outcome != Outcome.DENY,
        data_gb=remembered.data_gb,
    )


def _valid_until_us(
    bound: Bound, at_us: int, remembered: kernel.Remembered | None
) -> npt.NDArray[np.int64]:
    """As `service.validity.valid_until_us`, for columns."""
    compiled, n = bound.compiled, len(bound)
    rules = compiled.ordered
    widest = bound.touched[:, -1]
    known = (bound.flags & kernel.FLAG_UNKNOWN) == 0

    def near(numbers: Iterable[int]) -> npt.NDArray[np.bool_]:
        """Which sets of faces hold ground of any of some rules."""
        chosen = set(numbers)
        bits = bound.any_bits & mask(rules, (number in chosen for number in range(len(rules))))
        found: npt.NDArray[np.bool_] = np.bitwise_or.reduce(bits, axis=1) != 0
        return found

    # What is the same for all terminals is worked out once a set of faces.
    following = next_moments_us(compiled, at_us)
    if remembered is not None:
        midnight_us = at_us - at_us % DAY_US + DAY_US
        for number in np.flatnonzero(compiled.rules.day_slot >= 0).tolist():
            following[number] = min(following.get(number, kernel.NEVER), midnight_us)
    by_set = np.full(len(bound.any_bits), kernel.NEVER, dtype=np.int64)
    for moment_us in sorted(set(following.values()), reverse=True):
        by_set[near(number for number, when in following.items() if when == moment_us)] = moment_us
    parts = [by_set[widest]] if (by_set != kernel.NEVER).any() else []
    requests = next_requests_us(compiled, at_us)
    if requests is not None:
        parts.append(requests[bound.own])
    sponsored = [n for n, rule in enumerate(rules) if rule.who.sponsor_lapsed is not None]
    if sponsored:
        asked = near(sponsored)[widest]
        parts.append(np.where(asked, _sponsor_ends_us(bound, at_us), kernel.NEVER))
    if remembered is not None:
        for number in np.flatnonzero(compiled.rules.motion_slot >= 0).tolist():
            since_us = remembered.over_since_us[:, compiled.rules.motion_slot[number]]
            over = (since_us != kernel.NEVER) & near([number])[widest]
            bites_us = np.where(over, since_us, 0) + compiled.rules.for_us[number]
            parts.append(np.where(over & (bites_us > at_us), bites_us, kernel.NEVER))
    if not parts:
        return np.broadcast_to(np.int64(kernel.NEVER), (n,))
    return np.where(known, np.minimum.reduce(parts), kernel.NEVER)


def _sponsor_ends_us(bound: Bound, at_us: int) -> npt.NDArray[np.int64]:
    """When each terminal's sponsor lapses, if that is still to come."""
    ends = {
        sponsor.id: sponsor.until_us
        for sponsor in bound.compiled.policy.sponsors
        if sponsor.until_us is not None and sponsor.until_us > at_us
    }
    by_code = [ends.get(name, kernel.NEVER) for name in bound.terminals.sponsor_names]
    return np.array(by_code, dtype=np.int64)[bound.terminals.sponsor]
