"""A rule as an entry carries it: the same words, without floats and without terminal ids.

Numbers that are not whole are decimals in text, in one form only: `75`, `0.5`. Terminals are named
by lists, whose rows are salted; an id in a rule could never be erased.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

import msgspec

from spotbeam.errors import RuleError
from spotbeam.governance.entries.words import Id, Moment, Name, Place
from spotbeam.service.rules import Effect, Gate, OnStale, Rule, Thresholds, Who, Window
from spotbeam.service.terminals import Account, Mobility, Protection

Number: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"\A(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{0,5}[1-9])?\Z")
]
_Names: TypeAlias = Annotated[tuple[Name, ...], msgspec.Meta(max_length=200)]
_Ids: TypeAlias = Annotated[tuple[Id, ...], msgspec.Meta(max_length=50)]
_Ground: TypeAlias = Annotated[tuple[Place, ...], msgspec.Meta(max_length=2_000)]
_Minute: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=1_439)]
_NUMBERS = (
    "over_kmh",
    "clear_below_kmh",
    "for_s",
    "over_altitude_m",
    "over_position_error_m",
    "over_km_from_service_address",
    "over_gb",
)
_MINUTE_US = 60_000_000


class WhoEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which terminals; as `service.rules.Who`."""

    fleet: _Names = ()
    sponsor: _Ids = ()
    registrant_country: _Names = ()
    mobility: tuple[Mobility, ...] = ()
    protection: tuple[Protection, ...] = ()
    verified: bool | None = None
    account: tuple[Account, ...] = ()
    plan: _Names = ()
    on_list: _Ids = ()
    not_on_list: _Ids = ()
    sponsor_lapsed: bool | None = None


class WindowEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When; as `service.rules.Window`. Daily hours are minutes since midnight UTC."""

    from_us: Moment | None = None
    until_us: Moment | None = None
    daily: tuple[_Minute, _Minute] | None = None


class ThresholdsEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers to pass; as `service.rules.Thresholds`."""

    over_kmh: Number | None = None
    clear_below_kmh: Number | None = None
    for_s: Number | None = None
    over_altitude_m: Number | None = None
    below_assurance: int | None = None
    over_position_error_m: Number | None = None
    over_km_from_service_address: Number | None = None
    over_days: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    over_gb: Number | None = None


class RuleEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule; as `service.rules.Rule`."""

    id: Id
    effect: Effect
    gate: Gate | None = None
    lifts: tuple[Gate, ...] = ()
    who: WhoEntry = WhoEntry()
    where: _Ground = ()
    except_: _Ground = msgspec.field(default=(), name="except")
    when: Annotated[tuple[WindowEntry, ...], msgspec.Meta(max_length=100)] = ()
    thresholds: ThresholdsEntry = ThresholdsEntry()
    grounds: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=20)]
    on_stale: OnStale = "hold"
    stale_after_us: Moment | None = None
    guard_km: Number = "0"
    max_mbps: Number | None = None
    emergency: bool = False


def rule_of(entry: RuleEntry, where: tuple[str, ...] | None = None) -> Rule:
    """The rule that an entry's rule means, on its own ground or only on `where`.

    Raises:
        RuleError: It cannot mean anything.
    """
    thresholds = {name: _float(getattr(entry.thresholds, name)) for name in _NUMBERS}
    return Rule(
        id=entry.id,
        effect=entry.effect,
        gate=entry.gate,
        lifts=entry.lifts,
        who=Who(**msgspec.structs.asdict(entry.who)),
        where=entry.where if where is None else where,
        except_=entry.except_,
        when=tuple(_window(window) for window in entry.when),
        thresholds=Thresholds(
            below_assurance=entry.thresholds.below_assurance,
            over_days=entry.thresholds.over_days,
            **thresholds,
        ),
        grounds=entry.grounds,
        on_stale=entry.on_stale,
        stale_after_us=entry.stale_after_us,
        guard_km=float(entry.guard_km),
        max_mbps=_float(entry.max_mbps),
        emergency=entry.emergency,
    )


def rule_entry(rule: Rule) -> RuleEntry:
    """A rule as an entry may carry it.

    Raises:
        RuleError: It names terminals, hours with seconds, or a number that has no short decimal.
    """
    if rule.who.terminal:
        raise RuleError(
            "a rule in the record names no terminals",
            place=f"rule {rule.id!r}, who.terminal",
            hint="put them on a list, and write who.on_list",
        )
    who = {n: getattr(rule.who, n) for n in WhoEntry.__struct_fields__}
    numbers = {name: _text(getattr(rule.thresholds, name), rule, name) for name in _NUMBERS}
    return RuleEntry(
        id=rule.id,
        effect=rule.effect,
        gate=rule.gate,
        lifts=rule.lifts,
        who=WhoEntry(**who),
        where=rule.where,
        except_=rule.except_,
        when=tuple(_window_entry(window, rule) for window in rule.when),
        thresholds=ThresholdsEntry(
            below_assurance=rule.thresholds.below_assurance,
            over_days=rule.thresholds.over_days,
            **numbers,
        ),
        grounds=rule.grounds,
        on_stale=rule.on_stale,
        stale_after_us=rule.stale_after_us,
        guard_km=_text(rule.guard_km, rule, "guard_km") or "0",
        max_mbps=_text(rule.max_mbps, rule, "max_mbps"),
        emergency=rule.emergency,
    )


def _window(entry: WindowEntry) -> Window:
    daily = None
    if entry.daily is not None:
        daily = (entry.daily[0] * _MINUTE_US, entry.daily[1] * _MINUTE_US)
    return Window(from_us=entry.from_us, until_us=entry.until_us, daily=daily)


def _window_entry(window: Window, rule: Rule) -> WindowEntry:
    if window.daily is None:
        return WindowEntry(from_us=window.from_us, until_us=window.until_us)
    if any(of_day % _MINUTE_US for of_day in window.daily):
        raise RuleError("daily hours are whole minutes", place=f"rule {rule.id!r}, when")
    begin, end = (of_day // _MINUTE_US for of_day in window.daily)
    return WindowEntry(from_us=window.from_us, until_us=window.until_us, daily=(begin, end))


def _float(text: str | None) -> float | None:
    return None if text is None else float(text)


def _text(value: float | None, rule: Rule, field: str) -> str | None:
    if value is None:
        return None
    text = format(Decimal(repr(float(value))), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if not (value >= 0 and float(text) == value and len(text.partition(".")[2]) <= 6):
        raise RuleError(
            f"{value!r} has no short decimal", place=f"rule {rule.id!r}, {field}", hint="as 0.5"
        )
    return text
