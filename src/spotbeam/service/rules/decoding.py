"""Rules as people write them: strict reading of TOML tables, one clear message per mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import msgspec

from spotbeam.decode import decode
from spotbeam.errors import InputError, RuleError, nearest
from spotbeam.service.rules.values import (
    GATES,
    Effect,
    Gate,
    OnStale,
    Rule,
    Thresholds,
    Who,
    Window,
)
from spotbeam.service.terminals import Account, Mobility, Protection
from spotbeam.times import from_datetime, parse_duration, parse_time

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_MINUTE_US = 60 * 1_000_000
_DAY_MINUTES = 24 * 60


class _WindowTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    from_: Any = msgspec.field(default=None, name="from")  # text, or a TOML date and time
    until: Any = None
    daily: str | None = None


class _RuleTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rule with times and durations still as text."""

    id: str
    effect: Effect
    gate: Gate | None = None
    lifts: tuple[Gate, ...] = ()
    who: Who = Who()
    where: tuple[str, ...] | None = None
    except_: tuple[str, ...] = msgspec.field(default=(), name="except")
    when: tuple[_WindowTable, ...] | None = None
    thresholds: Thresholds = Thresholds()
    grounds: tuple[str, ...]
    on_stale: OnStale = "hold"
    stale_after: str | float | None = None
    guard_km: float = 0.0
    max_mbps: float | None = None
    emergency: bool = False


def rules_from(
    mappings: Iterable[Mapping[str, Any]],
    place: str,
    *,
    known_territories: Sequence[str] | None = None,
) -> tuple[Rule, ...]:
    """The rules that TOML tables describe, in order.

    Args:
        mappings: A `[[rule]]` table each.
        place: The file, as it should stand in messages.
        known_territories: The ids of the ground, if it is known already; else
            `refuse_unknown_territories` checks them later.

    Raises:
        RuleError: one message with file, rule, field, value and fix.
    """
    rules: list[Rule] = []
    for index, mapping in enumerate(mappings):
        rule = _rule(mapping, place, index)
        if any(rule.id == earlier.id for earlier in rules):
            raise RuleError(
                f"two rules have the id {rule.id!r}",
                place=f"{place}, rule[{index}], id",
                hint="give each rule a name of its own",
            )
        rules.append(rule)
    if known_territories is not None:
        refuse_unknown_territories(rules, known_territories, place)
    return tuple(rules)


def refuse_unknown_territories(rules: Iterable[Rule], known: Iterable[str], place: str) -> None:
    """Stop at the first rule that names ground which this point of view does not have.

    Cells (`h3:…`) are ground of any point of view.
    """
    names = frozenset(known)
    for rule in rules:
        for field, ids in (("where", rule.where), ("except", rule.except_)):
            for name in ids:
                if name not in names and not name.startswith("h3:"):
                    near = nearest(name, sorted(names))
                    raise RuleError(
                        f"unknown territory {name!r}",
                        place=f"{place}, rule {rule.id!r}, {field}",
                        hint=f"did you mean {near!r}?" if near else "see `spotbeam territories`",
                    )


def _rule(mapping: Any, place: str, index: int) -> Rule:
    name = mapping.get("id") if isinstance(mapping, Mapping) else None
    here = f"{place}, rule {name!r}" if isinstance(name, str) else f"{place}, rule[{index}]"
    _refuse_unknown_words(mapping, here)
    table = decode(mapping, _RuleTable, place=here, error=RuleError)
    _refuse_empty_lists(mapping, here)
    fields = {
        name: getattr(table, name)
        for name in _RuleTable.__struct_fields__
        if name not in ("where", "when", "stale_after")
    }
    fields["where"] = table.where or ()
    fields["when"] = tuple(
        _window(window, f"{here}, when[{number}]") for number, window in enumerate(table.when or ())
    )
    try:
        fields["stale_after_us"] = (
            None
            if table.stale_after is None
            else parse_duration(table.stale_after, place=f"{here}, stale_after")
        )
        return Rule(**fields)
    except RuleError as error:
        message = error.message.removeprefix(f"{error.place}: ")
        raise RuleError(message, place=f"{place}, {error.place}", hint=error.hint) from None
    except InputError as error:
        raise RuleError(error.message, hint=error.hint) from None


_WORDS: Mapping[str, tuple[str, ...]] = {
    "effect": tuple(Effect),
    "gate": GATES,
    "lifts": GATES,
    "on_stale": get_args(OnStale),
    "who.mobility": tuple(Mobility),
    "who.protection": tuple(Protection),
    "who.account": tuple(Account),
}


def _refuse_unknown_words(mapping: Any, here: str) -> None:
    """A misspelt gate or mobility, with the nearest word that there is."""
    if not isinstance(mapping, Mapping):
        return
    who = mapping.get("who")
    nested = {f"who.{key}": value for key, value in who.items()} if isinstance(who, Mapping) else {}
    for field, value in {**mapping, **nested}.items():
        known = _WORDS.get(field)
        for word in value if isinstance(value, list) else [value]:
            if known and isinstance(word, str) and word not in known:
                near = nearest(word, known)
                raise RuleError(
                    f"{word!r} is not one of {', '.join(known)}",
                    place=f"{here}, {field}",
                    hint=f"did you mean {near!r}?" if near else None,
                )


def _refuse_empty_lists(mapping: Mapping[str, Any], here: str) -> None:
    """An empty list could mean "everyone" or "nobody"; nobody should have to guess."""
    who = mapping.get("who", {})
    nested = {f"who.{key}": value for key, value in who.items()}
    for key, value in {**mapping, **nested}.items():
        if value == [] and key not in ("lifts", "grounds"):
            raise RuleError(
                f"{key} = [] names nothing",
                place=f"{here}, {key}",
                hint=f"leave {key} out to mean all of them",
            )


def _window(table: _WindowTable, place: str) -> Window:
    return Window(
        from_us=_instant(table.from_, f"{place}, from"),
        until_us=_instant(table.until, f"{place}, until"),
        daily=_hours(table.daily, f"{place}, daily"),
    )


def _instant(value: Any, place: str) -> int | None:
    if value is None:
        return None
    try:
        return from_datetime(value) if isinstance(value, datetime) else parse_time(str(value))
    except InputError as error:
        raise RuleError(error.message, place=place, hint=error.hint) from None


def _hours(text: str | None, place: str) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _HOURS.fullmatch(text)
    minutes = [int(part) for part in found.groups()] if found else [0, 0, 25, 0]
    begin, end = minutes[0] * 60 + minutes[1], minutes[2] * 60 + minutes[3]
    if end > _DAY_MINUTES:
        raise RuleError(
            f"{text!r} is not two times of day",
            place=place,
            hint="as '22:00-06:00', in UTC",
        )
    return begin * _MINUTE_US, (end % _DAY_MINUTES) * _MINUTE_US
