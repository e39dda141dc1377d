"""What a verdict remembers of a terminal, so that the verdict itself can stay a pure function."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from spotbeam.service.policy import Policy
from spotbeam.service.position import Motion, Position
from spotbeam.service.rules import DAY_US, Rule
from spotbeam.times import MICROSECONDS


class RuleMemory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one rule remembers of one terminal.

    Attributes:
        over_since_us: When speed and altitude began to be over the rule's thresholds.
        blocked: The rule has bitten and has not cleared since.
        days: Days (UTC) on the rule's ground.
        last_day: The latest of them, in days since 1970.
    """

    over_since_us: int | None = None
    blocked: bool = False
    days: int = 0
    last_day: int | None = None


class Memory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is remembered of one terminal.

    Attributes:
        rules: By rule id. Speed and altitude are followed wherever the terminal is, days are
            counted on the rule's own ground; neither depends on who the terminal is.
        served: The terminal was served at the verdict before.
        data_gb: Data used in the period that the operator bills by; kept by the operator.
        held: The present motion has lasted for as long as any rule asks. Such a memory never
            changes, so that a forecast may take its steps in any order.
    """

    rules: Mapping[str, RuleMemory] = {}
    served: bool = False
    data_gb: float = 0.0
    held: bool = False


FRESH = Memory()
SETTLED = Memory(served=True, held=True)
_NOTHING = RuleMemory()


def recall(memory: Memory, rule: Rule) -> RuleMemory:
    """What a rule remembers; a blank memory if it has never looked."""
    return memory.rules.get(rule.id, _NOTHING)


def remember(
    policy: Policy, position: Position, motion: Motion, memory: Memory, at_us: int
) -> Memory:
    """The memory with this moment in it, before anything is decided."""
    rules = {
        rule.id: _moment(rule, recall(memory, rule), position, motion, at_us, memory.held)
        for rule in policy.rules
        if rule.thresholds.has_motion or rule.thresholds.over_days is not None
    }
    return msgspec.structs.replace(memory, rules={**memory.rules, **rules})


def _moment(
    rule: Rule, before: RuleMemory, position: Position, motion: Motion, at_us: int, held: bool
) -> RuleMemory:
    if rule.thresholds.over_days is not None:
        today = at_us // DAY_US
        is_there = any(rule.covers(face) for face in position.faces(rule.guard_km))
        if not is_there or before.last_day == today:
            return before
        return RuleMemory(days=before.days + 1, last_day=today)
    since_us = None
    if is_over(rule, motion):
        since_us = at_us if before.over_since_us is None else before.over_since_us
    blocked = (before.blocked and not _is_clear(rule, motion)) or (
        since_us is not None and (held or at_us >= bites_at_us(rule, since_us))
    )
    return RuleMemory(over_since_us=since_us, blocked=blocked)


def is_over(rule: Rule, motion: Motion) -> bool:
    """Whether speed and altitude, as far as the rule asks for them, are over its thresholds."""
    asked = rule.thresholds
    return (asked.over_kmh is None or motion.speed_kmh > asked.over_kmh) and (
        asked.over_altitude_m is None or motion.altitude_m > asked.over_altitude_m
    )


def _is_clear(rule: Rule, motion: Motion) -> bool:
    asked = rule.thresholds
    if asked.clear_below_kmh is None:
        return not is_over(rule, motion)
    if asked.over_altitude_m is not None and motion.altitude_m <= asked.over_altitude_m:
        return True
    return motion.speed_kmh < asked.clear_below_kmh


def bites_at_us(rule: Rule, over_since_us: int) -> int:
    """When a rule bites on motion that began to be over at `over_since_us` and lasts."""
    return over_since_us + round((rule.thresholds.for_s or 0.0) * MICROSECONDS)
