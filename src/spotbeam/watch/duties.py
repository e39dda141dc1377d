"""A9 to A12 and A16: emergencies, anchors, seals, zero reports and notices that are owed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from spotbeam.chronicle.notices import owed
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.words import lasting, named, places_words
from spotbeam.governance.entries.accounts import Contact, ZeroReport
from spotbeam.governance.entries.deciding import Emergency, Opening, Seal
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.quorum import ground_of
from spotbeam.times import format_time
from spotbeam.watch.alerts import NEVER, Alert, raised
from spotbeam.watch.rules import Settings


def find(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    """Every A9, A10 of anchors, A11, A12 and A16."""
    yield from _emergencies(chronicle, settings)
    yield from _silent_witnesses(chronicle, at_us, settings)
    yield from _seals(chronicle, at_us)
    yield from _zero_reports(chronicle, at_us, settings)
    yield from _notices(chronicle, at_us)


def _emergencies(chronicle: Chronicle, settings: Settings) -> Iterator[Alert]:
    earlier: list[tuple[int, str, tuple[str, ...]]] = []
    used = [each for each in chronicle.proposals if isinstance(each.proposal, Emergency)]
    for proposed in sorted(used, key=lambda each: (each.bound_us or 0, each.id)):
        if proposed.bound_us is None:
            continue
        where, bound_us = ground_of(chronicle.now, proposed), proposed.bound_us
        again = [
            name
            for when_us, name, there in earlier
            if bound_us - when_us <= settings.emergencies_apart_us and may_overlap(there, where)
        ]
        earlier.append((bound_us, proposed.id, where))
        follows = f" It follows {', '.join(again)} within 30 days on ground there." if again else ""
        yield raised(
            "A9",
            (proposed.id,),
            level="critical" if again else "high",
            cause=proposed.id,
            at_us=bound_us,
            known_us=bound_us,
            says=f"The emergency {proposed.id} took effect in {places_words(where)} on "
            f"{format_time(bound_us)}, proposed by {proposed.proposer}, signed by "
            f"{', '.join(sorted(proposed.approvals))}.{follows}",
            evidence=(proposed.id, *again),
            decisions=(proposed.id,),
            where=where,
            named=(proposed.proposer, *proposed.approvals),
        )


def _silent_witnesses(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    known = chronicle.known_us
    times = [each for each in chronicle.history.anchors if known is None or each <= known]
    for before_us, after_us in pairwise([*times, at_us]):
        due_us = before_us + settings.anchor_age_us
        if after_us > due_us:
            yield raised(
                "A10",
                ("anchor", str(before_us)),
                cause="anchors",
                at_us=due_us,
                known_us=due_us,
                says=f"No anchor followed that of {format_time(before_us)} within "
                f"{lasting(settings.anchor_age_us)}: nothing was witnessed.",
                evidence=(),
            )


def _seals(chronicle: Chronicle, at_us: int) -> Iterator[Alert]:
    for proposed in chronicle.proposals:
        if proposed.bound_us is None or not isinstance(proposed.proposal, Seal):
            continue
        due_us = chronicle.now.overdue_from.get(proposed.id, proposed.proposal.open_by_us)
        opened = [told.witnessed_us or NEVER for told in chronicle.about(proposed.id, Opening)]
        if due_us <= at_us and min(opened, default=NEVER) > due_us:
            yield raised(
                "A11",
                (proposed.id,),
                cause=proposed.id,
                at_us=due_us,
                known_us=due_us,
                says=f"The seal {proposed.id} was to be opened by {format_time(due_us)}, and was "
                "not.",
                evidence=(proposed.id,),
                decisions=(proposed.id,),
                where=proposed.proposal.bounds.where,
            )


def _zero_reports(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    if chronicle.now.roster is None or not chronicle.history.anchors:
        return
    begin_us = chronicle.history.anchors[0]
    told = _told_by(chronicle)
    for name in sorted(chronicle.now.seated.persons.keys()):
        person = chronicle.now.seated.persons[name]
        if "approver" not in person.roles or person.has_left:
            continue
        start_us, missed = max(begin_us, person.from_us), 0
        while start_us + settings.period_us + settings.grace_us <= at_us:
            end_us = start_us + settings.period_us
            due_us = end_us + settings.grace_us
            if _is_covered(told.get(name, []), start_us, end_us, due_us):
                missed = 0
            else:
                missed += 1
                yield _missing(name, start_us, end_us, due_us, missed)
            start_us = end_us


def _told_by(chronicle: Chronicle) -> dict[str, list[tuple[int, int, int]]]:
    """What each person told: from, until, and since when the record shows it."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for report in chronicle.of(ZeroReport):
        shown_us = NEVER if report.witnessed_us is None else report.witnessed_us
        body = report.body
        found.setdefault(report.by, []).append((body.from_us, body.until_us, shown_us))
    for contact in chronicle.of(Contact):
        if contact.by == contact.body.person and contact.witnessed_us is not None:
            at_us = contact.body.at_us
            found.setdefault(contact.by, []).append((at_us, at_us, contact.witnessed_us))
    return {name: sorted(spans) for name, spans in found.items()}


def _is_covered(told: list[tuple[int, int, int]], start_us: int, end_us: int, due_us: int) -> bool:
    """Whether reports cover a period without a gap, or a contact in it was told, in time."""
    reached_us = start_us
    for from_us, until_us, shown_us in told:
        if shown_us > due_us:
            continue
        if from_us == until_us and start_us <= from_us < end_us:
            return True
        if from_us <= reached_us:
            reached_us = max(reached_us, until_us)
    return reached_us >= end_us


def _missing(name: str, start_us: int, end_us: int, due_us: int, missed: int) -> Alert:
    again = f" It is the {missed}. period in a row." if missed > 1 else ""
    return raised(
        "A12",
        (name, str(start_us)),
        cause=name,
        at_us=due_us,
        known_us=due_us,
        says=f"{name} reported neither a contact nor that there was none, from "
        f"{format_time(start_us)} until {format_time(end_us)}.{again}",
        evidence=(),
        named=(name,),
    )


def _notices(chronicle: Chronicle, at_us: int) -> Iterator[Alert]:
    for each in owed(chronicle, at_us):
        is_late = each.was_late and each.status == "served"
        if each.status in ("overdue", "failed") or is_late:
            when_us = each.due_us
            if each.status == "failed" and each.at_us is not None:
                when_us = min(each.due_us, each.at_us)
            if when_us > at_us:
                continue
            name = chronicle.name_of(each.to)
            yield raised(
                "A16",
                (each.about, each.role, each.to),
                cause=each.about,
                level="high" if each.role != "named" else "medium",
                at_us=when_us,
                known_us=max(when_us, _shown(chronicle, each.notice)),
                says=f"{named(name)} ({each.role}) was owed a notice of {each.about} by "
                f"{format_time(each.due_us)}: {_OUTCOMES[each.status]}.",
                evidence=tuple(filter(None, (each.about, each.notice))),
            )


_OUTCOMES = {
    "overdue": "none is on record",
    "failed": "it could not be served",
    "served": "it was served later",
}


def _shown(chronicle: Chronicle, notice: str | None) -> int:
    told = None if notice is None else chronicle.get(notice)
    return 0 if told is None or told.witnessed_us is None else told.witnessed_us
