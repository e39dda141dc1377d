"""Whether a rule matches, condition by condition: what decides is also what explains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from spotbeam.service.memory import Memory, recall
from spotbeam.service.policy import Policy, is_stale
from spotbeam.service.position import Motion, Position, distance_km
from spotbeam.service.rules import Effect, Rule
from spotbeam.service.terminals import Protection, Terminal


class Case(NamedTuple):
    """One terminal at one moment under one policy.

    Attributes:
        memory: With this moment in it (`memory.remember`).
    """

    policy: Policy
    terminal: Terminal
    position: Position
    motion: Motion
    memory: Memory
    at_us: int


class Condition(NamedTuple):
    """One thing that a rule asks.

    Attributes:
        field: As in the rule: `where`, `when`, `who.verified`, `thresholds.over_kmh`, `on_stale`.
        holds: Whether it is so.
        found: What was found instead of, or as, what was asked.
    """

    field: str
    holds: bool
    found: object


def matches(rule: Rule, case: Case) -> bool:
    """Whether every condition of a rule holds."""
    return all(condition.holds for condition in conditions(rule, case))


def matches_but_for(rule: Rule, case: Case, *fields: str) -> bool:
    """Whether every condition holds that is not one of these."""
    return all(
        condition.holds for condition in conditions(rule, case) if condition.field not in fields
    )


def conditions(rule: Rule, case: Case) -> Iterator[Condition]:
    """Everything that a rule asks, and whether it is so. What it leaves open is not listed."""
    yield from _where(rule, case.position)
    if rule.when:
        yield Condition("when", rule.in_force(case.at_us), case.at_us)
    yield from _who(rule, case)
    yield from _thresholds(rule, case)
    if is_stale(rule, case.policy, case.at_us) and rule.on_stale != "hold":
        stands = stands_while_stale(
            rule, protected=is_protected(case.terminal), served=case.memory.served
        )
        yield Condition("on_stale", stands, case.policy.witnessed_at_us)


def darkens(rule: Rule, case: Case) -> bool:
    """Whether a stale deny or limit closes its whole ground to this terminal, whoever it is.

    A grant or an exempt that goes stale just stops; nothing else is closed by it, else taking
    such a rule away could let somebody in.
    """
    if rule.effect not in (Effect.DENY, Effect.LIMIT) or rule.on_stale == "hold":
        return False
    if not (is_stale(rule, case.policy, case.at_us) and rule.in_force(case.at_us)):
        return False
    if not touches(rule, case.position):
        return False
    if rule.on_stale == "deny":
        return not (is_protected(case.terminal) and case.memory.served)
    return not is_protected(case.terminal)


def touches(rule: Rule, position: Position) -> bool:
    """Whether the position disc, with the rule's guard band, touches the rule's ground."""
    return any(rule.covers(face) for face in position.faces(rule.guard_km))


def is_protected(terminal: Terminal) -> bool:
    """Whether a terminal serves people whom rules may spare."""
    return terminal.protection != Protection.NONE


def _where(rule: Rule, position: Position) -> Iterator[Condition]:
    """Denies, limits and grants look at any ground that the disc touches, exempts at all of it.

    What a grant needs beyond that is the territory gate's business.
    """
    faces = position.faces(rule.guard_km)
    covered = [rule.covers(face) for face in faces]
    is_inside = all(covered) if rule.effect is Effect.EXEMPT else any(covered)
    yield Condition("where", bool(faces) and is_inside, faces)


def _who(rule: Rule, case: Case) -> Iterator[Condition]:
    who, terminal = rule.who, case.terminal
    for name in ("fleet", "sponsor", "registrant_country", "mobility", "protection", "account"):
        asked, found = getattr(who, name), getattr(terminal, name)
        if asked:
            yield Condition(f"who.{name}", found in asked, found)
    if who.plan:
        yield Condition("who.plan", terminal.plan in who.plan, terminal.plan)
    if who.terminal:
        yield Condition("who.terminal", terminal.id in who.terminal, terminal.id)
    if who.verified is not None:
        yield Condition("who.verified", terminal.verified is who.verified, terminal.verified)
    if who.on_list or who.not_on_list:
        on = [entry.name for entry in case.policy.lists if terminal.id in entry.terminals]
        if who.on_list:
            yield Condition("who.on_list", any(name in on for name in who.on_list), on)
        if who.not_on_list:
            yield Condition("who.not_on_list", not any(name in on for name in who.not_on_list), on)
    if who.sponsor_lapsed is not None:
        lapsed = any(
            sponsor.id == terminal.sponsor and sponsor.has_lapsed(case.at_us)
            for sponsor in case.policy.sponsors
        )
        yield Condition("who.sponsor_lapsed", lapsed is who.sponsor_lapsed, lapsed)


def _thresholds(rule: Rule, case: Case) -> Iterator[Condition]:
    asked, position, motion = rule.thresholds, case.position, case.motion
    if asked.has_motion:
        # Speed and altitude hold or fail together: the memory knows since when, and whether the
        # rule still holds on to a terminal that has slowed down.
        blocked = recall(case.memory, rule).blocked
        if asked.over_kmh is not None:
            yield Condition("thresholds.over_kmh", blocked, motion.speed_kmh)
        if asked.over_altitude_m is not None:
            yield Condition("thresholds.over_altitude_m", blocked, motion.altitude_m)
    if asked.below_assurance is not None:
        is_below = position.assurance < asked.below_assurance
        yield Condition("thresholds.below_assurance", is_below, position.assurance)
    if asked.over_position_error_m is not None:
        is_over = position.error_m > asked.over_position_error_m
        yield Condition("thresholds.over_position_error_m", is_over, position.error_m)
    if asked.over_km_from_service_address is not None:
        terminal = case.terminal
        away_km = distance_km(
            position.lat_deg, position.lon_deg, terminal.service_lat_deg, terminal.service_lon_deg
        )
        is_over = away_km > asked.over_km_from_service_address
        yield Condition("thresholds.over_km_from_service_address", is_over, away_km)
    if asked.over_days is not None:
        days = recall(case.memory, rule).days
        yield Condition("thresholds.over_days", days > asked.over_days, days)
    if asked.over_gb is not None:
        used_gb = case.memory.data_gb
        yield Condition("thresholds.over_gb", used_gb > asked.over_gb, used_gb)


def stands_while_stale(rule: Rule, *, protected: bool, served: bool) -> bool:
    """Whether a stale rule that does not simply hold still does its work for a terminal."""
    if rule.effect in (Effect.GRANT, Effect.EXEMPT):
        return protected and (rule.on_stale == "allow_protected" or served)
    # A deny stands, but for those whom its people wanted served in silence; a limit stands.
    return rule.effect is Effect.LIMIT or rule.on_stale == "deny" or not protected
