"""Numbers and facts in the words of a caption: every number has its unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NB = "\N{NO-BREAK SPACE}"  # a number and its unit stay on one line


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number of things, as `1 cell` or `4,312 cells`."""
    return f"{number:,}{_NB}{noun if number == 1 else plural or noun + 's'}"


def square_km(area_km2: float) -> str:
    """An area, as `940 km²`, `12,300 km²` or `3.41 million km²`."""
    if area_km2 >= 999_500:
        return f"{area_km2 / 1e6:,.2f} million{_NB}km²"
    if area_km2 >= 9_995:
        return f"{round(area_km2, -2):,.0f}{_NB}km²"
    return f"{area_km2:,.0f}{_NB}km²"


def share(fraction: float) -> str:
    """A fraction in per cent; 100 % and 0 % only where they are exact."""
    if fraction >= 1.0:
        return f"100{_NB}%"
    if fraction <= 0.0:
        return f"0{_NB}%"
    percent = 100.0 * fraction
    for digits in (1, 2):
        text = f"{percent:.{digits}f}"
        if 0.0 < float(text) < 100.0:
            return f"{text}{_NB}%"
    return f"over 99.99{_NB}%" if fraction > 0.5 else f"under 0.01{_NB}%"


def duration(seconds: float) -> str:
    """A stretch of time, as `45 s`, `12 min`, `3 h 20 min` or `2.4 days`."""
    if seconds < 120:
        return f"{seconds:g}{_NB}s"
    minutes = seconds / 60
    if minutes < 120:
        whole, rest = divmod(round(seconds), 60)
        return f"{whole}{_NB}min {rest}{_NB}s" if rest else f"{whole}{_NB}min"
    hours = seconds / 3600
    if hours < 48:
        whole, rest = divmod(round(seconds / 60), 60)
        return f"{whole}{_NB}h {rest}{_NB}min" if rest else f"{whole}{_NB}h"
    return f"{seconds / 86400:.1f}{_NB}days"


def moment(text: str) -> str:
    """A time in RFC 3339 as people read it, as `2026-01-01 00:00 UTC`."""
    day, _, clock = text.removesuffix("Z").partition("T")
    return f"{day} {clock.removesuffix(':00')} UTC"


def window(summary: Mapping[str, Any]) -> str:
    """The run's window, as `2026-01-01 00:00 to 01:00 UTC`."""
    start, end = moment(summary["time"]["start"]), moment(summary["time"]["end"])
    if start[:10] == end[:10]:
        return f"{start.removesuffix(' UTC')} to {end[11:]}"
    return f"{start.removesuffix(' UTC')} to {end}"


def window_line(summary: Mapping[str, Any]) -> str:
    """Model, window, step and point of view in a line."""
    time = summary["time"]
    return (
        f"Model · {window(summary)}, {count(time['steps'], 'step')} of {duration(time['step_s'])} "
        f"· point of view on borders: {summary['view']}"
    )


def age(summary: Mapping[str, Any]) -> str:
    """How old the element sets are at the start of the run."""
    age_s = summary["constellation"]["median_age_s"]
    if age_s is None:
        return "no age: shells as filed"
    if age_s < 0:
        return f"element sets {duration(-age_s)} ahead of the start (median)"
    return f"element sets {duration(age_s)} old at the start (median)"


def source(summary: Mapping[str, Any]) -> str:
    """Where the satellites come from: a file, or shells of the catalogue."""
    text: str = summary["constellation"]["source"]
    kind, _, name = text.partition(":")
    return f"Filed shells of {name}" if kind == "catalogue" and name else text


def constellation_line(summary: Mapping[str, Any]) -> str:
    """Source, satellites in service, mask and age in a line."""
    sky = summary["constellation"]
    return (
        f"{source(summary)} · {count(sky['satellites_in_service'], 'satellite')} in service · "
        f"above {sky['min_elevation_deg']:g}° elevation · {age(summary)}"
    )
