"""The words of others, and ground, as they stand in a sentence."""

from __future__ import annotations

import re

from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def quoted(text: str) -> str:
    """What somebody wrote, in quotation marks that nothing inside it can close."""
    inside = text.replace("“", "\\u201c").replace("”", "\\u201d")
    return f"“{inside}”"


def named(text: str) -> str:
    """A name: as it is where it can be taken for nothing else, quoted where it could."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def places_words(where: tuple[str, ...]) -> str:
    """Ground by its ids; none at all is everywhere."""
    if not where:
        return "everywhere"
    if len(where) > 6:
        return f"{', '.join(where[:5])} and {len(where) - 5} more"
    return ", ".join(where)


def lasting(duration_us: int) -> str:
    """A length of time as people say it, rounded down: `3 days`, `26 hours`, `40 minutes`."""
    for unit_us, unit, least in (
        (DAY_US, "day", 2),
        (HOUR_US, "hour", 2),
        (60 * SECOND_US, "minute", 1),
    ):
        count = duration_us // unit_us
        if count >= least:
            return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"
    return "less than a minute"
