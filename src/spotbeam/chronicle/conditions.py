"""What a rule asks of a terminal, as a person would say it."""

from __future__ import annotations

from collections.abc import Iterator

from spotbeam.chronicle.words import named
from spotbeam.governance.entries.rules import ThresholdsEntry, WhoEntry, WindowEntry
from spotbeam.times import format_time


def conditions_words(who: WhoEntry, thresholds: ThresholdsEntry) -> str:
    """Whom a rule is about; empty: every terminal."""
    return ", ".join((*_who(who), *_thresholds(thresholds)))


def windows_words(windows: tuple[WindowEntry, ...]) -> str:
    """When a rule holds; empty: always."""
    return " or ".join(map(_window, windows))


def _who(who: WhoEntry) -> Iterator[str]:
    if who.verified is not None:
        yield "verified" if who.verified else "not verified"
    if who.protection:
        yield f"with {_any(who.protection)} protection"
    if who.mobility:
        yield f"of the class {_any(who.mobility)}"
    if who.fleet:
        yield f"of the fleet {_any(who.fleet)}"
    if who.sponsor:
        yield f"paid for by {_any(who.sponsor)}"
    if who.sponsor_lapsed is not None:
        yield "whose sponsor has lapsed" if who.sponsor_lapsed else "whose sponsor pays"
    if who.registrant_country:
        yield f"registered in {_any(who.registrant_country)}"
    if who.on_list:
        yield f"on the list {_any(who.on_list)}"
    if who.not_on_list:
        yield f"not on the list {_any(who.not_on_list)}"
    if who.account:
        yield f"whose account is {_any(who.account)}"
    if who.plan:
        yield f"on the plan {_any(who.plan)}"


def _thresholds(asked: ThresholdsEntry) -> Iterator[str]:
    if asked.over_kmh is not None or asked.over_altitude_m is not None:
        parts = []
        if asked.over_kmh is not None:
            parts.append(f"faster than {asked.over_kmh} km/h")
        if asked.over_altitude_m is not None:
            parts.append(f"above {asked.over_altitude_m} m")
        lasting = f" for {asked.for_s} s" if asked.for_s is not None else ""
        clear = asked.clear_below_kmh
        until = f" until below {clear} km/h" if clear is not None else ""
        yield f"{' and '.join(parts)}{lasting}{until}"
    if asked.below_assurance is not None:
        yield f"with position assurance below {asked.below_assurance}"
    if asked.over_position_error_m is not None:
        yield f"with a position error over {asked.over_position_error_m} m"
    if asked.over_km_from_service_address is not None:
        yield f"over {asked.over_km_from_service_address} km from their service address"
    if asked.over_days is not None:
        yield f"there on more than {asked.over_days} days"
    if asked.over_gb is not None:
        yield f"that used over {asked.over_gb} GB"


def _window(window: WindowEntry) -> str:
    parts = []
    if window.from_us is not None:
        parts.append(f"from {format_time(window.from_us)}")
    if window.until_us is not None:
        parts.append(f"until {format_time(window.until_us)}")
    if window.daily is not None:
        begin, end = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in window.daily)
        parts.append(f"daily {begin} to {end} UTC")
    return " ".join(parts)


def _any(values: tuple[object, ...]) -> str:
    return " or ".join(named(str(value)) for value in values)
