"""What was told late, and every decision that it throws light on."""

from __future__ import annotations

import msgspec

from spotbeam.chronicle.reading import Chronicle
from spotbeam.watch.alerts import Alert, alerts
from spotbeam.watch.rules import Settings


class Reopened(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions to look at again, since something came on record after them.

    Attributes:
        told: The contact, tie or claim.
        known_us: From when the record shows it.
        decisions: Each one that was taken without it, in order of time.
        alerts: What it makes true in the past.
    """

    told: str
    known_us: int
    decisions: tuple[str, ...]
    alerts: tuple[Alert, ...]


def replay(
    chronicle: Chronicle, at_us: int, settings: Settings | None = None
) -> tuple[Reopened, ...]:
    """Run every rule over all that is known now, and list what late entries change about the past.

    Args:
        chronicle: As far as it was known.
        at_us: What follows from time alone counts up to here.
        settings: Other limits.
    """
    found = alerts(chronicle, at_us, settings)
    late = [alert for alert in found if alert.rule == "A2"]
    followed: dict[str, list[Alert]] = {}
    for alert in found:
        if alert.rule == "A1":
            followed.setdefault(alert.evidence[0], []).append(alert)
    reopened = [
        Reopened(
            told=alert.evidence[0],
            known_us=alert.known_us,
            decisions=alert.decisions,
            alerts=(alert, *followed.get(alert.evidence[0], ())),
        )
        for alert in late
    ]
    return tuple(sorted(reopened, key=lambda each: (each.known_us, each.told)))
