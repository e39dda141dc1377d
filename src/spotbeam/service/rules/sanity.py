"""Which combinations of a rule's fields mean nothing, and what was probably meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from spotbeam.service.rules.values import Rule

LIFTABLE = ("assurance", "cell", "list", "mobility", "plan")
_GATES = ("assurance", "order", "territory", "cell", "list", "mobility", "plan")
_ID = re.compile(r"[^\s\x00-\x1f]+")
_GROUND = re.compile(r"[a-z][a-z0-9_-]*:\S+")
GROUND_HINT = "as 'authorisation:ua-2022-02', 'order:…', 'sanction:…' or 'contract:…'"
_LARGEST_THRESHOLD = 1e9
_CELL = re.compile(r"h3:[0-9a-f]{15}")
_COUNTRY = re.compile(r"[A-Z]{2}")

# Each threshold with the gates at which it says something.
_THRESHOLD_GATES = {
    "over_kmh": ("mobility",),
    "clear_below_kmh": ("mobility",),
    "for_s": ("mobility",),
    "over_altitude_m": ("mobility",),
    "below_assurance": ("assurance",),
    "over_position_error_m": ("assurance",),
    "over_km_from_service_address": ("plan",),
    "over_days": ("plan",),
    "over_gb": ("plan",),
}


class Fault(NamedTuple):
    """What is wrong with a rule, where, and how to mend it."""

    field: str
    reason: str
    fix: str


def first_fault(rule: Rule) -> Fault | None:
    """The first reason why a rule cannot mean anything, or None."""
    return next(_faults(rule), None)


def _faults(rule: Rule) -> Iterator[Fault]:
    if not _ID.fullmatch(rule.id):
        yield Fault("id", f"{rule.id!r} is empty or has blanks", "write a name without blanks")
    yield from _gate_faults(rule)
    yield from _effect_faults(rule)
    yield from _threshold_faults(rule)
    yield from _ground_faults(rule)
    yield from _who_faults(rule)
    yield from _time_faults(rule)


def _gate_faults(rule: Rule) -> Iterator[Fault]:
    gate, effect = rule.gate, rule.effect
    if effect == "exempt":
        if gate is not None:
            yield Fault(
                "gate",
                f"an exempt has no gate, and this one says {gate.value!r}",
                f'take it out; name the gates that it opens, as lifts = ["{_liftable(gate)}"]',
            )
        return
    if gate is None:
        yield Fault("gate", f"a {effect.value} needs a gate", f"one of {', '.join(_GATES)}")
    elif gate == "identity":
        yield Fault(
            "gate",
            "no rule may stand at the gate 'identity': it is the only one that stops a terminal "
            "in distress",
            "set the terminal's account to 'disabled', or deny at the gate 'list'",
        )
    elif effect == "grant" and gate != "territory":
        yield Fault(
            "gate",
            f"a grant stands at the gate 'territory', not at {gate.value!r}: every other gate is "
            "open unless a rule denies",
            "write gate = 'territory', or an exempt that lifts this gate",
        )
    elif effect == "limit" and gate == "territory":
        yield Fault(
            "gate",
            "the gate 'territory' grants or denies; it does not limit",
            "put the limit at the gate 'plan'",
        )


def _liftable(gate: str) -> str:
    return gate if gate in LIFTABLE else "mobility"


def _effect_faults(rule: Rule) -> Iterator[Fault]:
    effect = rule.effect.value
    if effect == "exempt":
        if not rule.lifts:
            yield Fault(
                "lifts", "an exempt must say what it lifts", f"any of {', '.join(LIFTABLE)}"
            )
        for gate in rule.lifts:
            if gate not in LIFTABLE:
                yield Fault(
                    "lifts",
                    f"no exempt can lift the gate {gate.value!r}",
                    f"it may lift {', '.join(LIFTABLE)}",
                )
    elif rule.lifts:
        yield Fault(
            "lifts",
            f"only an exempt lifts gates, and this is a {effect}",
            "take 'lifts' out, or write effect = 'exempt'",
        )
    if effect == "limit":
        if rule.max_mbps is None:
            yield Fault("max_mbps", "a limit needs max_mbps", "as max_mbps = 50")
        elif not (math.isfinite(rule.max_mbps) and rule.max_mbps > 0):
            yield Fault(
                "max_mbps",
                f"{rule.max_mbps:g} is not a number above 0",
                "to stop service altogether write effect = 'deny'",
            )
    elif rule.max_mbps is not None:
        yield Fault(
            "max_mbps",
            f"only a limit has max_mbps, and this is a {effect}",
            "take it out, or write effect = 'limit'",
        )
    if rule.emergency and rule.gate != "order":
        yield Fault(
            "emergency", "an emergency action stands at the gate 'order'", "write gate = 'order'"
        )


def _threshold_faults(rule: Rule) -> Iterator[Fault]:
    given = {
        name: value
        for name in _THRESHOLD_GATES
        if (value := getattr(rule.thresholds, name)) is not None
    }
    for name, value in given.items():
        field = f"thresholds.{name}"
        if rule.effect not in ("deny", "limit"):
            yield Fault(
                field,
                f"a {rule.effect.value} has no thresholds",
                "narrow it by who, where and when",
            )
        elif rule.gate not in _THRESHOLD_GATES[name]:
            yield Fault(
                field,
                f"means nothing at the gate {rule.gate.value if rule.gate else None!r}",
                f"it belongs to the gate {_THRESHOLD_GATES[name][0]!r}",
            )
        if not (math.isfinite(value) and value >= 0):
            yield Fault(field, f"{value} is not a number of 0 or more", "give a plain number")
        elif value > _LARGEST_THRESHOLD:
            yield Fault(field, f"{value:g} is out of all proportion", "it is never reached")
    level = given.get("below_assurance")
    if level is not None and not 1 <= level <= 3:
        yield Fault(
            "thresholds.below_assurance", f"{level} is not a level from 1 to 3", "levels are 0 to 3"
        )
    over, clear = given.get("over_kmh"), given.get("clear_below_kmh")
    if clear is not None and over is None:
        yield Fault("thresholds.clear_below_kmh", "needs over_kmh", "give over_kmh as well")
    elif clear is not None and over is not None and clear > over:
        yield Fault(
            "thresholds.clear_below_kmh",
            f"{clear:g} is above over_kmh = {over:g}",
            "a rule must clear at or below the speed at which it bites",
        )
    if "for_s" in given and over is None and "over_altitude_m" not in given:
        yield Fault(
            "thresholds.for_s", "needs over_kmh or over_altitude_m", "say what must last that long"
        )
    asked = {"below_assurance", "over_position_error_m"} & given.keys()
    if rule.gate == "assurance" and not asked:
        yield Fault(
            "thresholds",
            "a rule at the gate 'assurance' needs a threshold",
            "below_assurance or over_position_error_m",
        )


def is_ground(text: str) -> bool:
    """Whether a text says on which grounds a rule stands, in the form `kind:id`."""
    return _GROUND.fullmatch(text) is not None


def _ground_faults(rule: Rule) -> Iterator[Fault]:
    for field, names in (("where", rule.where), ("except", rule.except_)):
        for name in names:
            if not name or (name.startswith("h3:") and not _CELL.fullmatch(name)):
                yield Fault(
                    field,
                    f"{name!r} is not a territory id or a cell",
                    "as 'UA', 'UA-43', 'UA/sea', 'XZ' or 'h3:841e265ffffffff'",
                )
            elif names.count(name) > 1:
                yield Fault(field, f"{name!r} stands there twice", "take one out")
    if not (math.isfinite(rule.guard_km) and 0 <= rule.guard_km <= 1000):
        yield Fault(
            "guard_km", f"{rule.guard_km:g} is not a width from 0 to 1000 km", "as guard_km = 5"
        )
    if not rule.grounds:
        yield Fault("grounds", "a rule needs at least one ground", "as 'order:ministry-2026-01'")
    for ground in rule.grounds:
        if not is_ground(ground):
            yield Fault("grounds", f"{ground!r} is not of the form kind:id", GROUND_HINT)


def _who_faults(rule: Rule) -> Iterator[Fault]:
    for country in rule.who.registrant_country:
        if country and not _COUNTRY.fullmatch(country):
            yield Fault(
                "who.registrant_country",
                f"{country!r} is not an ISO 3166-1 alpha-2 code",
                "as 'UA'",
            )


def _time_faults(rule: Rule) -> Iterator[Fault]:
    for index, window in enumerate(rule.when):
        field = f"when[{index}]"
        if window.from_us is None and window.until_us is None and window.daily is None:
            yield Fault(field, "says nothing", "give from, until or daily")
        if (
            window.from_us is not None
            and window.until_us is not None
            and window.from_us >= window.until_us
        ):
            yield Fault(field, "'until' is not after 'from'", "swap them")
        if window.daily is not None and window.daily[0] == window.daily[1]:
            yield Fault(field, "the daily hours are empty", "leave 'daily' out for the whole day")
    if rule.on_stale != "hold" and rule.stale_after_us is None:
        yield Fault(
            "on_stale",
            f"on_stale = {rule.on_stale!r} needs stale_after",
            "as stale_after = '6h', measured from when the policy was last witnessed",
        )
    if rule.stale_after_us is not None and rule.stale_after_us <= 0:
        yield Fault("stale_after", "is not above zero", "as stale_after = '6h'")
