"""A7, A8, A10, A13 and A14: what probes and counts on record say beside what was intended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from spotbeam.chronicle.reading import Chronicle, Told
from spotbeam.chronicle.words import named, places_words
from spotbeam.governance.entries.accounts import (
    LossSeen,
    Observation,
    PositionSeen,
    RegistrantsSeen,
    ServiceSeen,
    WitnessSeen,
)
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.history import RuleInForce, intended
from spotbeam.times import format_time
from spotbeam.watch.alerts import Alert, raised
from spotbeam.watch.rules import Settings

_BLANKET = frozenset({"order", "territory", "cell"})
DISABLEMENTS = frozenset(
    {
        "ACCOUNT_DISABLED",
        "BLOCKED_COUNTRY",
        "CELL_IS_DISABLED",
        "EMERGENCY_ACTION",
        "GUARD_BAND",
        "IN_OCEAN",
        "NOT_AUTHORISED",
        "PENDING_AUTHORISATION",
        "POLICY_STALE",
        "UNKNOWN_LOCATION",
    }
)
"""Reasons by which somebody turned it off. Obstruction, weather and no satellite are outages: a
probe that names no reason may have met one, so its `off` alone raises nothing."""


def find(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    """Every alert on an observation that a checkpoint covers."""
    for told in chronicle.of(Observation):
        if told.witnessed_us is None or told.body.at_us > at_us:
            continue
        match told.body.seen:
            case ServiceSeen() as seen:
                yield from _drift(chronicle, told, seen, settings)
            case LossSeen() as seen:
                yield from _losses(told, seen, settings)
            case RegistrantsSeen() as seen:
                yield from _straws(told, seen, settings)
            case PositionSeen() as seen:
                yield from _jumps(told, seen, settings)
            case WitnessSeen() as seen:
                yield _raised(
                    "A10",
                    told,
                    cause=f"witness:{seen.witness}",
                    says=f"The witness {named(seen.witness)} {_FOUND[seen.found]}",
                )


_FOUND = {
    "refused": "refused to sign",
    "missing": "did not answer",
    "two-roots": "was shown two roots for one size",
}


def intended_at(chronicle: Chronicle, place: str, at_us: int) -> Literal["on", "off", "unsure"]:
    """What the rules known at an instant intend for an ordinary terminal on some ground.

    By ids alone: `unsure` where a rule is about a part of it, or about some terminals only.
    """
    found = intended(chronicle.history.known_at(at_us), at_us)
    if found.seals:
        return "unsure"
    granted = False
    for each in found.rules:
        rule = each.rule
        if not _touches(each, place) or rule.effect in ("limit", "exempt"):
            continue
        is_for_all = rule.who == WhoEntry() and rule.thresholds == ThresholdsEntry()
        is_whole = place in _ground(each) or not _ground(each)
        if not (is_for_all and is_whole and not rule.when):
            return "unsure"
        if rule.effect == "deny" and rule.gate in _BLANKET:
            return "off"
        granted |= rule.effect == "grant"
    return "on" if granted else "off"


def _ground(each: RuleInForce) -> tuple[str, ...]:
    return each.rule.where if each.where is None else each.where


def _touches(each: RuleInForce, place: str) -> bool:
    return place not in each.rule.except_ and may_overlap(_ground(each), (place,))


def _drift(
    chronicle: Chronicle, told: Told[Observation], seen: ServiceSeen, settings: Settings
) -> Iterator[Alert]:
    if seen.service == "off" and seen.reason not in DISABLEMENTS:
        return
    at_us = told.body.at_us
    # What was intended all the while since the edges had time to hear of it.
    before = intended_at(chronicle, seen.where, at_us - settings.propagation_us)
    meant = intended_at(chronicle, seen.where, at_us)
    if meant == "unsure" or meant != before or meant == seen.service:
        return
    reason = f" ({named(seen.reason)})" if seen.reason else ""
    yield _raised(
        "A7",
        told,
        cause=f"{seen.where}:{seen.service}",
        says=f"In {places_words((seen.where,))} service was to be {meant}; {named(told.body.by)} "
        f"found it {seen.service}{reason} at {format_time(at_us)}",
        where=(seen.where,),
    )


def _losses(told: Told[Observation], seen: LossSeen, settings: Settings) -> Iterator[Alert]:
    is_many = seen.terminals > settings.many_terminals and seen.within_s <= settings.many_within_s
    if not (is_many or seen.protected):
        return
    whom = "protected users among them" if seen.protected else "no protected user among them"
    how_many = f"more than {settings.many_terminals:,} terminals" if is_many else "terminals"
    yield _raised(
        "A8",
        told,
        cause=seen.where,
        says=f"In {places_words((seen.where,))} {how_many} lost service, {whom}, by "
        f"{format_time(told.body.at_us)}",
        where=(seen.where,),
    )


def _straws(told: Told[Observation], seen: RegistrantsSeen, settings: Settings) -> Iterator[Alert]:
    found = []
    if seen.most_by_registrant > settings.by_registrant:
        found.append("one registrant")
    if seen.most_at_address > settings.at_address:
        found.append("one address")
    if seen.most_by_payer > settings.by_payer:
        found.append("one payer")
    if seen.most_in_day > settings.in_day:
        found.append("one day")
    far = seen.far_first_fixes
    if far >= settings.far_least and far > settings.far_share * seen.terminals:
        found.append("first positions far from the registrant")
    if found:
        yield _raised(
            "A13",
            told,
            cause=seen.list,
            says=f"On the list {seen.list} many terminals go with {', '.join(found)}",
        )


def _jumps(told: Told[Observation], seen: PositionSeen, settings: Settings) -> Iterator[Alert]:
    found = []
    limit_kmh = settings.speed_kmh.get(seen.terminal_class, settings.fastest_kmh)
    if seen.jump_m is not None and seen.jump_s is not None:
        speed_kmh = 3.6 * seen.jump_m / max(seen.jump_s, 1)
        if speed_kmh > limit_kmh:
            found.append(
                f"moved {seen.jump_m / 1000:,.0f} km in {seen.jump_s:,} s, faster than a "
                f"{seen.terminal_class} terminal can ({limit_kmh:,.0f} km/h)"
            )
    if seen.apart_m is not None and seen.apart_m > settings.apart_m:
        found.append(f"is {seen.apart_m / 1000:,.0f} km from where the network finds it")
    if found:
        yield _raised(
            "A14",
            told,
            cause=seen.where,
            says=f"A position in {places_words((seen.where,))} {' and '.join(found)}",
            where=(seen.where,),
        )


def _raised(
    rule: str, told: Told[Observation], *, cause: str, says: str, where: tuple[str, ...] = ()
) -> Alert:
    shown_us = told.witnessed_us or 0
    return raised(
        rule,
        (told.id,),
        cause=cause,
        at_us=min(told.body.at_us, shown_us),
        known_us=shown_us,
        says=f"{says}; recorded by {told.by}.",
        evidence=(told.id,),
        where=where,
    )
