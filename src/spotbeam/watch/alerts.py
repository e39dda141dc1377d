"""Alerts: what follows what in the record, with the evidence for it.

An alert is a fact about the record, found anew by whoever reads it; nobody sets one, and its id
follows from its rule and its evidence. It says what was known when. It never says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

import msgspec

from spotbeam.chronicle.reading import Chronicle
from spotbeam.watch.rules import LEVELS, RULES, Level, Settings

NEVER = 2**62
"""The witnessed time of what no checkpoint covers."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something that deserves a second look.

    Attributes:
        id: As `a1-` and 16 hexadecimal digits, of its rule and what it rests on.
        cause: What it has in common with others: they are one page.
        at_us: When it became true.
        known_us: From when the record shows it.
        says: In plain words.
        evidence: Entries that show it.
        decisions: Requests or proposals that it is about.
        named: Persons of whom it speaks; none of them closes it.
    """

    id: str
    rule: str
    level: Level
    cause: str
    at_us: int
    known_us: int
    says: str
    evidence: tuple[str, ...]
    decisions: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def is_late(self) -> bool:
        """Whether the record showed it only after it had become true."""
        return self.known_us > self.at_us


Find = Callable[[Chronicle, int, Settings], Iterable[Alert]]


def alerts(chronicle: Chronicle, at_us: int, settings: Settings | None = None) -> tuple[Alert, ...]:
    """Every alert that the record shows, gravest first, then by time.

    Args:
        chronicle: As far as it was known.
        at_us: What follows from time alone (a lapse, a missing notice) counts up to here.
        settings: Other limits.
    """
    found = {alert.id: alert for alert in _all(chronicle, at_us, settings or Settings())}
    return tuple(sorted(found.values(), key=order))


def order(alert: Alert) -> tuple[int, int, str]:
    """Gravest first, then by the time at which it became true."""
    return LEVELS.index(alert.level), alert.at_us, alert.id


def raised(
    rule: str,
    key: tuple[str, ...],
    *,
    cause: str,
    at_us: int,
    known_us: int,
    says: str,
    evidence: Iterable[str],
    level: Level | None = None,
    decisions: tuple[str, ...] = (),
    where: tuple[str, ...] = (),
    named: Iterable[str] = (),
) -> Alert:
    """An alert of a rule.

    Args:
        rule: `A1` and so on.
        key: What makes it this one and no other.
        cause, at_us, known_us, says, evidence, decisions, where, named: As in `Alert`.
        level: Where it is not the rule's own.
    """
    digest = sha256("\n".join((rule, *key)).encode()).hexdigest()
    return Alert(
        id=f"{rule.lower()}-{digest[:16]}",
        rule=rule,
        level=level or RULES[rule].level,
        cause=f"{rule}:{cause}",
        at_us=at_us,
        known_us=known_us,
        says=says,
        evidence=tuple(dict.fromkeys(evidence)),
        decisions=decisions,
        where=where,
        named=tuple(sorted(set(named))),
    )


def _all(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    # Here, because these modules need the values above.
    from spotbeam.watch import asked, contacts, duties, seen, silences

    for module in (contacts, asked, seen, duties):
        yield from module.find(chronicle, at_us, settings)
    yield from silences.find(chronicle)
