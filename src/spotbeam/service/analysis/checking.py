"""Dead, shadowed and contradictory rules: found by trying everything that a policy can tell apart.

A rule makes a difference if there is a case in which it decides, or in which the answer would be
another without it. All cases are tried: a spot well inside each sort of ground, then spots where a
disc touches a second sort; every sort of terminal, reading, motion and moment (`atoms`). So
"never" is exact for all positions whose disc touches one or two sorts of ground.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from spotbeam.service.analysis.atoms import (
    Atom,
    TooMany,
    combine,
    moments_us,
    reading_dimensions,
    who_dimensions,
)
from spotbeam.service.analysis.cases import Cases, Spot
from spotbeam.service.analysis.findings import Example, Finding, Kind
from spotbeam.service.analysis.points import points_like, standing_at
from spotbeam.service.conditions import Case, conditions
from spotbeam.service.memory import remember
from spotbeam.service.policy import Policy
from spotbeam.service.position import GroundLike, place
from spotbeam.service.rules import Effect, Gate, Rule
from spotbeam.service.verdict import REASONS, Outcome, verdict

_MOST_SPOTS = 4000
_MOST_VERDICTS = 8_000_000


@dataclasses.dataclass
class _Seen:
    """What has been seen of one rule.

    Attributes:
        matters: It decided once, or an answer was missing without it.
        first: The first case that it matched, with the moment; one that is served if there
            is any and the rule does not deny.
        serves: Somebody whom it matches is served.
        instead: Which rules decided where it matched (-1: none, a default), and their reasons.
        too_many: It could not be tried.
    """

    matters: bool = False
    first: tuple[Cases, int, int] | None = None
    serves: bool = False
    instead: Counter[tuple[int, int]] = dataclasses.field(default_factory=Counter)
    too_many: bool = False
    n_cases: int = 0


def check(policy: Policy, ground: GroundLike, *, from_us: int | None = None) -> tuple[Finding, ...]:
    """Everything that is wrong with the rules of a policy, in their order.

    Args:
        policy: The policy.
        ground: What it stands on.
        from_us: Only moments from here on count, so that a window that is over shows; None: all.
    """
    seen = [_Seen() for _ in policy.rules]
    moments = moments_us(policy, from_us)
    faces = _sorts_of_ground(policy, ground)
    inside = [Spot(face, face) for face in faces]
    _try(range(len(seen)), seen, policy, ground, inside, moments)
    idle = [number for number, of_rule in enumerate(seen) if not of_rule.matters]
    for number in idle:
        if not seen[number].too_many:
            borders = _borders(policy.rules[number], policy, ground, faces)
            _try([number], seen, policy, ground, borders, moments)
    return tuple(
        _finding(number, seen[number], policy, ground, moments)
        for number in range(len(seen))
        if not seen[number].matters
    )


def _sorts_of_ground(policy: Policy, ground: GroundLike) -> list[int]:
    """One face for each set of rules that cover it."""
    sorts: dict[tuple[bool, ...], int] = {}
    for face, ids in enumerate(ground.face_territories):
        sorts.setdefault(tuple(rule.covers(ids) for rule in policy.rules), face)
    return list(sorts.values())


def _borders(rule: Rule, policy: Policy, ground: GroundLike, faces: Sequence[int]) -> list[Spot]:
    """Spots where a disc touches two sorts of ground, one of them the rule's."""
    covered = {face for face in faces if rule.covers(ground.face_territories[face])}
    return [
        Spot(own, other, guard)
        for own in faces
        for other in faces
        if own != other and (own in covered or other in covered)
        for guard in range(len(policy.guards_km()))
    ]


def _try(
    numbers: Sequence[int],
    seen: Sequence[_Seen],
    policy: Policy,
    ground: GroundLike,
    spots: Sequence[Spot],
    moments: Sequence[int],
) -> None:
    """Decide all cases on some spots at all moments, and note what these rules did."""
    try:
        if len(spots) > _MOST_SPOTS:
            raise TooMany
        cases = Cases(policy, ground, spots, most=_MOST_VERDICTS // len(moments))
    except TooMany:
        for number in numbers:
            seen[number].too_many = True
        return
    for at_us in moments:
        decided = set(np.unique(cases.decide(at_us).rule).tolist())
        for number in numbers:
            seen[number].matters |= number in decided
            seen[number].n_cases += len(cases)
    for number in numbers:
        if not seen[number].matters:
            _look_closer(number, seen[number], cases, moments)


def _look_closer(number: int, seen: _Seen, cases: Cases, moments: Sequence[int]) -> None:
    """What happens where a rule matches that never decided, and whether it would be missed."""
    rules = cases.policy.rules
    without = msgspec.structs.replace(cases.policy, rules=rules[:number] + rules[number + 1 :])
    touching = cases.touching(number)
    if not touching.any():
        return
    concerned = cases.take(touching)
    for at_us in moments:
        one, other = concerned.decide(at_us), concerned.decide(at_us, without)
        if (
            np.any(one.outcome != other.outcome)
            or np.any(one.reason != other.reason)
            or not np.array_equal(one.max_mbps, other.max_mbps, equal_nan=True)
        ):
            seen.matters = True
            return
        rows = concerned.matching(number, at_us)
        if (rows & concerned.is_active).any():
            rows &= concerned.is_active  # the identity gate is nobody's fault
        if rows.any() and (seen.first is None or seen.first[0] is concerned):
            pairs = zip(one.rule[rows].tolist(), one.reason[rows].tolist(), strict=True)
            seen.instead.update(pairs)
            served = rows & (one.outcome != Outcome.DENY)
            if rules[number].effect is Effect.DENY:
                served &= False  # whom a deny misses is no example of what denies in its place
            if seen.first is None or (served.any() and not seen.serves):
                shown = served if served.any() else rows
                seen.first = (concerned, int(shown.argmax()), at_us)
            seen.serves |= bool(served.any())


def _finding(
    number: int, seen: _Seen, policy: Policy, ground: GroundLike, moments: Sequence[int]
) -> Finding:
    rule = policy.rules[number]
    method = (
        f"{seen.n_cases:,} cases: every sort of ground alone and beside another, every sort of "
        f"terminal, reading and motion that the rules tell apart, at {len(moments)} moments"
    )
    if seen.too_many:
        return Finding(
            kind="not_decided",
            rule=rule.id,
            text="the policy can tell too many cases apart to try them all",
            fix="check the policy of a smaller ground, or fewer rules at once",
            method=f"gave up after {seen.n_cases:,} cases",
            n_cases=seen.n_cases,
            example=None,
        )
    if seen.first is None:
        text, fix, example = _dead(number, policy, ground, moments)
        return Finding(
            kind="dead",
            rule=rule.id,
            text=text,
            fix=fix,
            method=method,
            n_cases=seen.n_cases,
            example=example,
        )
    example = _example(*seen.first, ground)
    because = _because(rule, seen, policy, example)
    defaults = {REASONS[reason] for (number, reason) in seen.instead if number < 0}
    kind, text, fix = _shadowed(rule, because, sorted(defaults - {"OK"}), policy, example)
    return Finding(
        kind=kind,
        rule=rule.id,
        because=because,
        text=text,
        fix=fix,
        method=method,
        n_cases=seen.n_cases,
        example=example,
    )


def _because(rule: Rule, seen: _Seen, policy: Policy, example: Example) -> tuple[str, ...]:
    """The rules that decide in a rule's place, the most frequent first."""
    numbers = [number for (number, _), _ in seen.instead.most_common() if number >= 0]
    ids = [policy.rules[number].id for number in dict.fromkeys(numbers)]
    by_id = {other.id: other for other in policy.rules}
    stronger = [
        other.id
        for other in (by_id[name] for name in example.verdict.matched if name != rule.id)
        if rule.gate in other.lifts
        or (rule.effect is Effect.GRANT is other.effect and example.verdict.outcome != "deny")
    ]
    return tuple(dict.fromkeys(stronger + ids))


def _shadowed(
    rule: Rule,
    because: Sequence[str],
    defaults: Sequence[str],
    policy: Policy,
    example: Example,
) -> tuple[Kind, str, str]:
    """Kind, text and fix of a rule that matches and makes no difference."""
    by_id = {other.id: other for other in policy.rules}
    named = [f"'{name}'" for name in because[:4]] + (["others"] if len(because) > 4 else [])
    instead = " or ".join([*named, *(f"the default ({reason})" for reason in defaults)])
    if rule.effect is Effect.EXEMPT:
        return (
            "contradictory",
            f"lifts {', '.join(rule.lifts)}, and nothing at these gates ever stops or limits a "
            "terminal that it matches",
            "take it out, or name the gates of the rules that it is meant to open",
        )
    if rule.effect is Effect.GRANT and any(
        by_id[name].effect is Effect.DENY and by_id[name].gate is Gate.TERRITORY for name in because
    ):
        return (
            "contradictory",
            f"grants what {instead} denies: the same ground to the same terminals",
            "a deny wins; take one of them out, or narrow the deny",
        )
    if rule.effect is Effect.LIMIT and example.verdict.outcome == "deny":
        return (
            "contradictory",
            f"limits nobody: whoever it matches is denied by {instead}",
            "take it out, or grant service on its ground",
        )
    return (
        "shadowed",
        f"never makes a difference: wherever it matches, {instead} decides",
        "take it out, move it up, or narrow what stands before it"
        if because
        else "take it out, or grant service on its ground",
    )


def _dead(
    number: int, policy: Policy, ground: GroundLike, moments: Sequence[int]
) -> tuple[str, str, Example | None]:
    """Why a rule never matches, and a case that fulfils as much of it as can be."""
    rule = policy.rules[number]
    covered = [face for face, ids in enumerate(ground.face_territories) if rule.covers(ids)]
    at_us = next((moment for moment in moments if rule.in_force(moment)), None)
    who = _satisfying(number, who_dimensions(policy))
    reading = _satisfying(number, reading_dimensions(policy))
    causes = [
        ("where less except leaves no ground", "mend where and except", bool(covered)),
        ("no terminal is all that 'who' asks for", "mend who", who is not None),
        ("its windows are over", "renew 'when', or take the rule out", at_us is not None),
        ("no terminal can pass its thresholds", "mend thresholds", reading is not None),
    ]
    failing = [(text, fix) for text, fix, holds in causes if not holds]
    text, fix = failing[0] if failing else ("its conditions never hold together", "mend it")
    spot = Spot(covered[0], covered[0]) if covered else Spot(0, 0)
    cases = Cases.of(policy, ground, spot, who, reading)
    return f"never matches: {text}", fix, _example(cases, 0, at_us or moments[-1], ground, rule)


def _satisfying(number: int, dimensions: Sequence[Sequence[Atom]]) -> Atom | None:
    """A combination that one rule accepts, if there is any."""
    found = combine(dimensions, 1 << number, 1000)
    accepted = [atom for atom in found if atom.bits]
    plain = [atom for atom in accepted if atom.values.get("account", "active") == "active"]
    return next(iter(plain or accepted), None)


def _example(
    cases: Cases, case: int, at_us: int, ground: GroundLike, dead: Rule | None = None
) -> Example:
    """A case as a person can check it, decided by the scalar verdict."""
    policy, spot = cases.policy, cases.spots[cases.spot[case]]
    terminal, position, motion = cases.terminal(case), cases.position(case), cases.motion(case)
    memory = cases.memory(case, at_us)
    decided, _ = verdict(policy, terminal, position, motion, memory, at_us, ground.view)
    failing: tuple[str, ...] = ()
    if dead is not None:
        now = remember(policy, position, motion, memory, at_us)
        asked = conditions(dead, Case(policy, terminal, position, motion, now, at_us))
        failing = tuple(condition.field for condition in asked if not condition.holds)
    faces = ground.face_territories
    territories = faces[spot.own]
    terminal = msgspec.structs.replace(terminal, lat_deg=math.nan, lon_deg=math.nan)
    if spot.other == spot.own:
        for point, ids in points_like(policy, ground, spot.own):
            there = standing_at(terminal, point)
            at = place(
                policy,
                ground,
                *point,
                error_m=terminal.position_error_m,
                assurance=terminal.assurance,
            )
            again, _ = verdict(policy, there, at, motion, memory, at_us, ground.view)
            if again.matched == decided.matched and again.rule == decided.rule:
                terminal, territories, decided = there, ids, again
                break
    return Example(
        terminal=terminal,
        territories=territories,
        also_touched=faces[spot.other] if spot.other != spot.own else (),
        guard_km=policy.guards_km()[spot.guard],
        at_us=at_us,
        motion=cases.readings[cases.reading[case]].values["motion"],
        verdict=decided,
        failing=failing,
    )
