"""How alerts stand: who took them up, which are closed or muted, and one page for each cause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from spotbeam.chronicle.reading import Chronicle, Told
from spotbeam.governance.entries.accounts import AlertAct
from spotbeam.watch.alerts import Alert, order, raised
from spotbeam.watch.rules import LEVELS, Level
from spotbeam.watch.silences import silences

Status: TypeAlias = Literal["raised", "acknowledged", "explained", "escalated", "closed"]
_AFTER: dict[str, Status] = {
    "acknowledge": "acknowledged",
    "explain": "explained",
    "escalate": "escalated",
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """An alert and how it stands.

    Attributes:
        acts: What people did with it, in order of the record; some have no effect.
        silenced_by: The change that mutes it now, and until when.
        closing: Who has signed for closing it; a critical one needs two persons of two factors.
    """

    alert: Alert
    status: Status
    acts: tuple[Told[AlertAct], ...] = ()
    silenced_by: str | None = None
    silenced_until_us: int | None = None
    closing: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether somebody should look at it now."""
        return self.status != "closed" and self.silenced_by is None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """All alerts of one cause: one thing to look at."""

    cause: str
    level: Level
    first: Standing
    standings: tuple[Standing, ...]

    @property
    def says(self) -> str:
        """The first alert, and how many more there are."""
        more = len(self.standings) - 1
        return f"{self.first.alert.says} ({more:,} more like it)" if more else self.first.alert.says


def standings(chronicle: Chronicle, found: Sequence[Alert], at_us: int) -> tuple[Standing, ...]:
    """How each alert stands, and an A15 for each that was closed by somebody whom it names.

    Args:
        chronicle: As far as it was known.
        found: The alerts of that chronicle.
        at_us: For silences.
    """
    mutes = silences(chronicle)
    stands = [_standing(chronicle, alert) for alert in found]
    own = [alert for each in stands for alert in _closed_by_named(each)]
    stands += [_standing(chronicle, alert) for alert in own]
    shown = []
    for each in stands:
        mute = next((mute for mute in mutes if mute.mutes(each.alert, at_us)), None)
        if mute is not None:
            each = msgspec.structs.replace(
                each, silenced_by=mute.change, silenced_until_us=mute.act.until_us
            )
        shown.append(each)
    return tuple(sorted(shown, key=lambda each: order(each.alert)))


def pages(found: Sequence[Standing]) -> tuple[Page, ...]:
    """One page for each cause, gravest first, those that nobody closed or muted before others."""
    causes: dict[str, list[Standing]] = {}
    for each in found:
        causes.setdefault(each.alert.cause, []).append(each)
    made = []
    for cause, members in causes.items():
        members.sort(key=lambda each: (not each.is_open, order(each.alert)))
        level = min(
            (each.alert.level for each in members if each.is_open),
            key=LEVELS.index,
            default=members[0].alert.level,
        )
        made.append(Page(cause=cause, level=level, first=members[0], standings=tuple(members)))
    return tuple(sorted(made, key=_urgency))


def _urgency(page: Page) -> tuple[bool, int, int, str]:
    first = page.first
    return not first.is_open, LEVELS.index(page.level), first.alert.at_us, page.cause


def _standing(chronicle: Chronicle, alert: Alert) -> Standing:
    status: Status = "raised"
    acts = tuple(
        told for told in chronicle.about(alert.id, AlertAct) if told.witnessed_us is not None
    )
    closing: dict[str, str] = {}
    for told in acts:
        if told.body.act != "close":
            status = _AFTER[told.body.act]
            closing.clear()  # somebody takes it up again: it is to be closed anew
            continue
        if told.by in alert.named:
            continue  # nobody closes what names them
        person = chronicle.now.seated.persons[told.by]
        closing.setdefault(person.human, person.factor)
        is_enough = len(closing) >= 2 and len(set(closing.values())) >= 2
        if alert.level != "critical" or is_enough:
            status = "closed"
    return Standing(alert=alert, status=status, acts=acts, closing=tuple(sorted(closing)))


def _closed_by_named(standing: Standing) -> list[Alert]:
    alert = standing.alert
    return [
        raised(
            "A15",
            (alert.id, told.id),
            cause=alert.id,
            at_us=told.witnessed_us or 0,
            known_us=told.witnessed_us or 0,
            says=f"{told.by} signed to close the alert {alert.id}, which names {told.by}; it "
            "stays open.",
            evidence=(told.id, *alert.evidence),
            decisions=alert.decisions,
            where=alert.where,
            named=(told.by,),
        )
        for told in standing.acts
        if told.body.act == "close" and told.by in alert.named
    ]
