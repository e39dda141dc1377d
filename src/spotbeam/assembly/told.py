"""The whole history of a subject: what people decided, what follows by time, what people told."""

from __future__ import annotations

import msgspec

from spotbeam.assembly.extents import demand_ground
from spotbeam.assembly.histories import Account, account
from spotbeam.assembly.reading import ReadRecord
from spotbeam.chronicle.contesting import Accounts, accounts, event_title, events, root_of
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.timeline import Event, order, place_of, timeline, told_on
from spotbeam.governance.ground import may_overlap
from spotbeam.land.territories import ground


class ToldHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A subject's history.

    Attributes:
        title: What the subject is called.
        events: In order of time.
        accounts: What is said about each of its events that anybody speaks of.
        ground: Of a territory, how its service stands; None for any other subject.
    """

    subject: str
    title: str
    events: tuple[Event, ...]
    accounts: tuple[Accounts, ...] = ()
    ground: Account | None = None


def told_history(
    read: ReadRecord, chronicle: Chronicle, subject: str, *, at_us: int, view: str
) -> ToldHistory:
    """The history of a territory or cell, or of an entry, a party or a person.

    Args:
        read: The record.
        chronicle: The same, as far as it was known.
        subject: A territory, `h3:…`, or an id that the record has.
        at_us: For which instant a territory's service is told.
        view: Point of view on borders.

    Raises:
        UnknownName: It is none of these.
    """
    if subject.startswith("h3:") or subject in ground(view).ids():
        demand_ground(subject, view, ())
        return _of_ground(read, chronicle, subject, at_us=at_us, view=view)
    found = timeline(chronicle, subject)
    indices = {event.index for event in found}
    about = [
        accounts(chronicle, name)
        for name in events(chronicle)
        if chronicle.now.seen.get(name) in indices
    ]
    return ToldHistory(
        subject=subject,
        title=chronicle.name_of(subject)
        if subject in chronicle.people
        else event_title(chronicle, root_of(chronicle, subject)),
        events=found,
        accounts=tuple(each for each in about if each.voices),
    )


def _of_ground(
    read: ReadRecord, chronicle: Chronicle, place: str, *, at_us: int, view: str
) -> ToldHistory:
    known_us = at_us if chronicle.known_us is None else chronicle.known_us
    there = account(read, place, at_us=at_us, known_us=known_us, view=view)
    decided = [
        event
        for event in there.events
        if chronicle.known_us is None
        or (event.known_us is not None and event.known_us <= chronicle.known_us)
    ]
    shown = {event.index for event in decided if event.index is not None}
    told = [event for event in told_on(chronicle, place) if event.index not in shown]
    about = [
        accounts(chronicle, name) for name in events(chronicle) if _is_on(chronicle, name, place)
    ]
    return ToldHistory(
        subject=place,
        title=there.name,
        events=tuple(sorted((*decided, *told), key=order)),
        accounts=tuple(each for each in about if each.voices),
        ground=there,
    )


def _is_on(chronicle: Chronicle, name: str, place: str) -> bool:
    told = chronicle.get(name)
    where = () if told is None else place_of(told.body)
    if name in chronicle.now.requests:
        where = chronicle.now.requests[name].request.where
    elif name in chronicle.now.changes:
        request = chronicle.now.changes[name].proposal.request
        where = chronicle.now.requests[request].request.where
    return bool(where) and may_overlap(where, (place,))
