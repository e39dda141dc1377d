"""The finitely many sorts of terminals, readings and moments that a policy can tell apart.

Rules compare. A policy therefore sees only on which side of each of its names and numbers a
terminal stands, and one representative a side stands for all. Representatives that the same rules
accept fall together. What is true of all of them is true of every terminal.
"""

from __future__ import annotations

import itertools
import math
import string
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from spotbeam.service.memory import Memory, RuleMemory, remember
from spotbeam.service.policy import Policy, is_stale
from spotbeam.service.position import MEAN_RADIUS_KM, Motion, Position
from spotbeam.service.rules import DAY_US
from spotbeam.service.terminals import DEFAULTS, Account, Mobility, Protection
from spotbeam.service.terminals.checks import RANGES

MOTIONS = ("held", "begun", "slowed")
_LONG_AGO_US = -(10**18)


class TooMany(Exception):
    """More combinations than are tried."""


class Atom(NamedTuple):
    """One representative.

    Attributes:
        values: By column of a terminal, or `motion`, `data_gb`, `days:RULE`, `served`.
        bits: The rules that accept it, by their place in the policy.
        sort: What else tells it apart (protected, active, sponsor's end).
    """

    values: dict[str, Any]
    bits: int
    sort: tuple[Any, ...] = ()


def combine(dimensions: Iterable[Sequence[Atom]], relevant: int, most: int) -> list[Atom]:
    """All combinations that differ to the rules in `relevant` (bits), one representative each.

    Raises:
        TooMany: there are more than `most`.
    """
    found = {(relevant, ()): Atom({}, relevant)}
    for dimension in dimensions:
        distinct: dict[tuple[int, tuple[Any, ...]], Atom] = {}
        for atom in dimension:
            distinct.setdefault((atom.bits & relevant, atom.sort), atom)
        joined: dict[tuple[int, tuple[Any, ...]], Atom] = {}
        for (bits, sort), base in found.items():
            for (more, further), atom in distinct.items():
                key = (bits & more, sort + further)
                if key not in joined:  # the first stays: the plainest stand first
                    joined[key] = Atom({**base.values, **atom.values}, *key)
        if len(joined) > most:
            raise TooMany
        found = joined
    return list(found.values())


def who_dimensions(policy: Policy) -> list[list[Atom]]:
    """Every attribute of a terminal that rules name: the values they name, and one they do not."""
    rules = policy.rules
    asks_lapse = any(rule.who.sponsor_lapsed is not None for rule in rules)
    ends = {sponsor.id: sponsor.until_us for sponsor in policy.sponsors}

    def accepting(column: str, value: Any) -> int:
        asked = (getattr(rule.who, column) for rule in rules)
        return _bits(not values or value in values for values in asked)

    def named(column: str) -> list[Atom]:
        values = dict.fromkeys(name for rule in rules for name in getattr(rule.who, column))
        follows_lapse = column == "sponsor" and asks_lapse
        if follows_lapse:
            values |= dict.fromkeys(ends)
        default = DEFAULTS[column]
        other = default if default not in values else _unused(values, column)
        return [
            Atom(
                {column: value},
                accepting(column, value),
                (ends.get(value),) if follows_lapse else (),
            )
            for value in (other, *values)
        ]

    return [
        named("fleet"),
        named("sponsor"),
        named("registrant_country"),
        named("plan"),
        [Atom({"mobility": value}, accepting("mobility", value)) for value in Mobility],
        [
            Atom({"protection": p}, accepting("protection", p), (p != Protection.NONE,))
            for p in Protection
        ],
        [Atom({"account": a}, accepting("account", a), (a == Account.ACTIVE,)) for a in Account],
        [
            Atom({"verified": value}, _bits(rule.who.verified in (None, value) for rule in rules))
            for value in (True, False)
        ],
        _listed(policy),
    ]


def _unused(values: Iterable[str], column: str) -> str:
    taken = set(values)
    if column == "registrant_country":  # user-assigned codes of ISO 3166-1 name no country
        names = (f"X{letter}" for letter in string.ascii_uppercase)
    else:
        names = (f"other-{column}-{number}" for number in itertools.count(1))
    return next(name for name in names if name not in taken)


def _listed(policy: Policy) -> list[Atom]:
    """Terminal ids: one for each combination of lists and rules that name ids, and one unnamed."""
    members: dict[str, set[str]] = {}
    for entry in policy.lists:
        for terminal in entry.terminals:
            members.setdefault(terminal, set()).add(entry.name)
    for rule in policy.rules:
        for terminal in rule.who.terminal:
            members.setdefault(terminal, set())
    atoms: dict[int, Atom] = {}
    for terminal in [_unused(members, "terminal"), *sorted(members)]:
        on = members.get(terminal, set())
        bits = _bits(
            (not who.terminal or terminal in who.terminal)
            and (not who.on_list or not on.isdisjoint(who.on_list))
            and on.isdisjoint(who.not_on_list)
            for who in (rule.who for rule in policy.rules)
        )
        atoms.setdefault(bits, Atom({"id": terminal}, bits))
    return list(atoms.values())


def reading_dimensions(policy: Policy) -> list[list[Atom]]:
    """Every number that rules compare: at each threshold, just beside it, and at the ends."""
    asked = [rule.thresholds for rule in policy.rules]
    every_rule = (1 << len(asked)) - 1
    levels = [t.below_assurance for t in asked]
    dimensions = [
        [
            Atom({"assurance": level}, _bits(below is None or level < below for below in levels))
            for level in (3, 2, 1, 0)
        ],
        _sides("position_error_m", [t.over_position_error_m for t in asked]),
        _distances([t.over_km_from_service_address for t in asked]),
        _sides("data_gb", [t.over_gb for t in asked]),
        _motions(policy),
    ]
    for place, rule in enumerate(policy.rules):
        limit = rule.thresholds.over_days
        if limit is not None:
            within = Atom({f"days:{rule.id}": limit}, every_rule & ~(1 << place))
            dimensions.append([within, Atom({f"days:{rule.id}": limit + 1}, every_rule)])
    if policy.witnessed_at_us is not None and any(rule.on_stale != "hold" for rule in policy.rules):
        # Silence treats those apart who were served when it began.
        dimensions.append([Atom({"served": was}, every_rule, (was,)) for was in (False, True)])
    return dimensions


def _sides(column: str, limits: Sequence[float | None]) -> list[Atom]:
    return [
        Atom({column: value}, _bits(limit is None or value > limit for limit in limits))
        for value in _beside(_given(limits), column)
    ]


def _given(limits: Iterable[float | None]) -> set[float]:
    return {limit for limit in limits if limit is not None}


def _beside(limits: Iterable[float], column: str) -> list[float]:
    """The lowest value, each limit or what is just below it, what is just above it; in range."""
    bounds = RANGES.get(column)
    low, high = (0.0, math.inf) if bounds is None else (max(0.0, bounds.low), bounds.high)
    values = {low}
    for limit in limits:
        at = np.float32(limit)
        below = at if at <= limit else np.nextafter(at, np.float32(-np.inf))
        above = at if at > limit else np.nextafter(at, np.float32(np.inf))
        values |= {float(below), float(above)}
    return sorted(value for value in values if low <= value <= high)


def _distances(limits: Sequence[float | None]) -> list[Atom]:
    """Distances from the service address, as an address on the equator east of longitude 0."""
    farthest_km = math.pi * MEAN_RADIUS_KM * (1 - 1e-6)
    sides = (limit * side for limit in _given(limits) for side in (0.9999, 1.0001))
    atoms = [
        Atom(
            {"service_lat_deg": 0.0, "service_lon_deg": math.degrees(km / MEAN_RADIUS_KM)},
            _bits(limit is None or km > limit for limit in limits),
        )
        for km in sorted({0.0, farthest_km, *sides})
        if km <= farthest_km
    ]
    return [Atom({}, _bits(limit is None for limit in limits)), *atoms]


def _motions(policy: Policy) -> list[Atom]:
    """Speed and altitude with what came before: the product's own memory says what then holds."""
    asked = [rule.thresholds for rule in policy.rules if rule.thresholds.has_motion]
    speeds = _given([t.over_kmh for t in asked] + [t.clear_below_kmh for t in asked])
    lows = {float(np.nextafter(np.float32(speed), np.float32(0))) for speed in speeds if speed}
    altitudes = _given(t.over_altitude_m for t in asked)
    atoms: dict[int, Atom] = {}
    nowhere = Position(lat_deg=0.0, lon_deg=0.0)
    for speed_kmh in sorted({*_beside(speeds, "speed_kmh"), *lows}):
        for altitude_m in _beside(altitudes, "altitude_m"):
            motion = Motion(speed_kmh=speed_kmh, altitude_m=altitude_m)
            for sort in MOTIONS:
                of_rule = remember(policy, nowhere, motion, memory_of(policy, sort), 0).rules
                bits = _bits(
                    not rule.thresholds.has_motion or of_rule[rule.id].blocked
                    for rule in policy.rules
                )
                values = {"speed_kmh": speed_kmh, "altitude_m": altitude_m, "motion": sort}
                atoms.setdefault(bits, Atom(values, bits))
    return list(atoms.values())


def memory_of(policy: Policy, motion: str) -> Memory:
    """The memory that goes with a sort of motion."""
    of_rule = {
        "held": RuleMemory(over_since_us=_LONG_AGO_US),
        "begun": RuleMemory(),
        "slowed": RuleMemory(blocked=True),
    }[motion]
    return Memory(rules={rule.id: of_rule for rule in policy.rules if rule.thresholds.has_motion})


def moments_us(policy: Policy, from_us: int | None) -> list[int]:
    """A moment for every state that the clock puts the rules in.

    Between two dated edges the hours of the day repeat, so the first day shows all of them.
    """
    edges: set[int] = set()
    of_day: set[int] = set()
    for rule in policy.rules:
        for window in rule.when:
            edges |= {edge for edge in (window.from_us, window.until_us) if edge is not None}
            of_day |= set(window.daily or ())
        if rule.stale_after_us is not None and policy.witnessed_at_us is not None:
            edges.add(policy.witnessed_at_us + rule.stale_after_us + 1)
    edges |= {s.until_us for s in policy.sponsors if s.until_us is not None}
    start_us = from_us
    if start_us is None:
        start_us = min(edges, default=DAY_US) - DAY_US
    dated = sorted({start_us, *(edge for edge in edges if edge > start_us)})
    moments = set(dated)
    for begin, end in zip(dated, [*dated[1:], None], strict=True):
        for hour in of_day:
            moment = begin - begin % DAY_US + hour
            moment += DAY_US if moment < begin else 0
            if end is None or moment < end:
                moments.add(moment)
    alike: dict[tuple[Any, ...], int] = {}
    for moment in sorted(moments):
        alike.setdefault(_state(policy, moment), moment)
    return list(alike.values())


def _state(policy: Policy, at_us: int) -> tuple[Any, ...]:
    """All that a policy sees of the clock."""
    return (
        tuple(rule.in_force(at_us) for rule in policy.rules),
        tuple(is_stale(rule, policy, at_us) for rule in policy.rules),
        tuple(sponsor.has_lapsed(at_us) for sponsor in policy.sponsors),
    )


def _bits(accepts: Iterable[bool]) -> int:
    return sum(1 << place for place, is_accepted in enumerate(accepts) if is_accepted)
