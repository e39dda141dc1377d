"""All that is on record about a request, a decision, a contact, a matter, a party or a person.

Each event has two times: when it happened, as the record or its teller says, and from when the
record shows it. What comes later follows; it is never said to be because of what came before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from spotbeam.chronicle.contesting import accounts, root_of
from spotbeam.chronicle.reading import Chronicle, Told, subject_of
from spotbeam.chronicle.readings import date_span
from spotbeam.chronicle.sentences import entry_says
from spotbeam.chronicle.telling import told_words
from spotbeam.chronicle.words import lasting
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosure,
    Grade,
    Interest,
    Matter,
    Notice,
    Observation,
    Party,
    Tie,
    TieEnd,
    Verification,
    ZeroReport,
)
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Opening
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.state import PROPOSAL_LASTS_US, Asked, Proposed, State
from spotbeam.times import format_time, parse_time


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, or that follows from what was set.

    Attributes:
        at_us: When it happened or happens; of what is told with a date, its first day.
        known_us: From when the record shows it: for a time that was set beforehand, the witnessed
            time of what set it. None: no checkpoint covers it yet.
        index: The entry that shows it; None where it follows from time alone.
        kind: What it is, in one word.
        date: The date as its teller gives it, where that is not an instant.
    """

    at_us: int
    known_us: int | None
    index: int | None
    kind: str
    says: str
    date: str | None = None

    @property
    def when(self) -> str:
        """The time or date to show."""
        return self.date or format_time(self.at_us)

    @property
    def known(self) -> str:
        """From when the record shows it, where that is later; empty where it is not."""
        if self.known_us is None:
            return "not witnessed yet"
        return f"on record since {format_time(self.known_us)}" if self.known_us > self.at_us else ""


def timeline(chronicle: Chronicle, subject: str) -> tuple[Event, ...]:
    """What is on record about a subject, in order of time.

    Args:
        chronicle: As far as it was known.
        subject: The id of an entry, a party or a person.

    Raises:
        UnknownName: Nothing in the record has this id.
    """
    telling = _Telling(chronicle)
    found = list(dict.fromkeys(telling.about(subject)))
    if not found and subject not in chronicle.people and subject not in chronicle.now.seen:
        known = sorted({*chronicle.now.seen, *chronicle.people})
        raise UnknownName("entry, party or person of this record", subject, known)
    return tuple(sorted(found, key=order))


def told_on(chronicle: Chronicle, place: str) -> tuple[Event, ...]:
    """Contacts, interests, ties, matters and observations on some ground, and the claims on them.

    Args:
        chronicle: As far as it was known.
        place: A territory or cell; ids alone are compared.
    """
    telling = _Telling(chronicle)
    found: dict[Event, None] = {}
    for told in chronicle.told:
        if place_of(told.body) and may_overlap(place_of(told.body), (place,)):
            found.update(dict.fromkeys(telling.with_claims(told)))
    for asked in chronicle.requests:
        if asked.request.where and may_overlap(asked.request.where, (place,)):
            found.update(dict.fromkeys(telling.beside(asked.id)))
    for proposed in chronicle.proposals:
        where = chronicle.now.requests[proposed.proposal.request].request.where
        if where and may_overlap(where, (place,)):
            found.update(dict.fromkeys(telling.beside(proposed.id)))
    return tuple(sorted(found, key=order))


def place_of(body: object) -> tuple[str, ...]:
    """The ground that a telling names; empty where it names none."""
    if isinstance(body, Contact | Interest | Tie | Matter):
        return body.where
    if isinstance(body, Observation):
        where = getattr(body.seen, "where", None)
        return () if where is None else (where,)
    return ()


def order(event: Event) -> tuple[int, bool, int]:
    """By time; what service came to stands after what it follows."""
    return event.at_us, event.kind == "turned", -1 if event.index is None else event.index


def parties_in(body: object) -> frozenset[str]:
    """The parties and persons of whom a telling speaks, by their ids."""
    match body:
        case Party():
            return frozenset(filter(None, (body.party, body.part_of)))
        case Interest():
            return frozenset((body.party,))
        case Tie() | Contact():
            return frozenset((body.person, body.party))
        case Matter():
            return frozenset(body.parties)
        case Claim():
            return frozenset(filter(None, (*body.names, body.source.party)))
        case Notice():
            return frozenset((body.to,))
    return frozenset()


def ending(entries: Sequence[bytes], state: State, proposed: Proposed) -> int | None:
    """The entry that rejected a proposal or took it back: a state keeps no index of it.

    Args:
        entries: All that count, in order through all logs.
        state: What they were folded to.
        proposed: One that is `rejected` or `withdrawn`.
    """
    marks = (
        (b'"word":"reject"', f'"change":"{proposed.digest}"'.encode())
        if proposed.status == "rejected"
        else (b'"type":"withdrawal"', f'"target":"{proposed.id}"'.encode())
    )
    for index in range(proposed.index + 1, len(entries)):
        if index not in state.findings and all(mark in entries[index] for mark in marks):
            return index
    return None


class _Telling:
    def __init__(self, chronicle: Chronicle) -> None:
        self.chronicle = chronicle
        self.state = chronicle.now

    def about(self, subject: str) -> Iterator[Event]:
        told = self.chronicle.get(subject)
        over = None if told is None else subject_of(told.body)
        root = root_of(self.chronicle, over if over and over in self.state.seen else subject)
        event = self.chronicle.get(root)
        if root in self.state.changes:
            root = self.state.changes[root].proposal.request
        if root in self.state.requests:
            yield from self.of_request(self.state.requests[root])
        elif event is not None:
            yield from self.with_claims(event)
        elif root in self.state.seen:
            yield from self.of_entry(root)
        if subject in self.chronicle.people:
            yield from self.of_person(subject)

    def of_entry(self, name: str) -> Iterator[Event]:
        """Any other entry, and all that is told about it."""
        index = self.state.seen[name]
        if index not in self.state.findings:
            entry = parse_entry(self.chronicle.entries[index])
            yield from self.at_entry(index, entry.envelope.type)
        yield from self.beside(name)

    def of_request(self, asked: Asked) -> Iterator[Event]:
        """A request with what led to it on record, what followed, and what is said about it."""
        yield from self.at_entry(asked.index, "asked")
        yield from self.beside(asked.id)
        for name in asked.request.contacts or ():
            contact = self.chronicle.get(name)
            if contact is not None:
                yield from self.with_claims(contact)
        for refusal in self.chronicle.about(asked.id, Refusal):
            yield self.of_told(refusal, "refused")
            yield from self.beside(refusal.id)
        if asked.status == "withdrawn" and asked.ended_by is not None:
            yield from self.at_entry(self.state.seen[asked.ended_by], "withdrawn")
        if asked.has_lapsed(self.state.witnessed_us) and asked.since_us is not None:
            by_us = asked.request.answer_by_us
            waited = lasting(by_us - asked.since_us)
            says = f"the request {asked.id} lapses: nobody has answered it within {waited}"
            yield Event(at_us=by_us, known_us=by_us, index=None, kind="lapsed", says=says)
        for proposed in self.chronicle.proposals_for(asked.id):
            yield from self.of_proposal(proposed)

    def of_proposal(self, proposed: Proposed) -> Iterator[Event]:
        yield from self.at_entry(proposed.index, "proposed")
        yield from self.beside(proposed.id)
        for given in proposed.approvals.values():
            yield from self.at_entry(given.index, "approved")
        for opening in self.chronicle.about(proposed.id, Opening):
            yield self.of_told(opening)
        if proposed.bound_us is not None:
            yield Event(
                at_us=proposed.bound_us,
                known_us=proposed.bound_us,
                index=proposed.bound_index,
                kind="bound",
                says=f"{proposed.id} is binding from here: enough have signed, witnesses have seen",
            )
        elif proposed.status != "pending":
            index = ending(self.chronicle.entries, self.state, proposed)
            if index is not None:
                yield from self.at_entry(index, proposed.status)
        elif proposed.has_lapsed(self.state.witnessed_us):
            ends = [proposed.proposal.lapses_us]
            if proposed.anchored_us is not None:
                ends.append(proposed.anchored_us + PROPOSAL_LASTS_US)
            says = f"{proposed.id} lapses without enough approvals"
            yield Event(at_us=min(ends), known_us=min(ends), index=None, kind="lapsed", says=says)

    def with_claims(self, told: Told[Any]) -> Iterator[Event]:
        """A telling, and all that is told about it."""
        yield self.of_told(told)
        yield from self.beside(told.id)

    def beside(self, name: str) -> Iterator[Event]:
        """What is told about an entry: claims with their grades, notices, checks, disclosures."""
        for voice in accounts(self.chronicle, name).voices:
            yield self.of_told(voice.claim)
            for grade in voice.grades:
                yield self.of_told(grade)
            for notice in self.chronicle.about(voice.claim.id, Notice):
                yield self.of_told(notice)
        for kind in (Notice, Verification, Disclosure, TieEnd):
            for told in self.chronicle.about(name, kind):
                yield self.of_told(told)

    def of_person(self, who: str) -> Iterator[Event]:
        """What a party or person told, was part of, or is spoken of in."""
        for told in self.chronicle.told:
            is_own = told.by == who and isinstance(told.body, ZeroReport | Refusal)
            if is_own or who in parties_in(told.body):
                yield self.of_told(told)
        for asked in self.chronicle.requests:
            request = asked.request
            if who in (request.asker, request.on_behalf_of, asked.signed_by):
                yield from self.at_entry(asked.index, "asked")
        for proposed in self.chronicle.proposals:
            if proposed.proposer == who:
                yield from self.at_entry(proposed.index, "proposed")
            given = proposed.approvals.get(who)
            if given is not None:
                yield from self.at_entry(given.index, "approved")

    def at_entry(self, index: int, kind: str) -> Iterator[Event]:
        """What an entry says, at the time from which the record shows it.

        Before it is witnessed, that is when the log says it was written; whoever asks what was
        known at an instant is shown only what was witnessed by then.
        """
        known_us, until_us = self.chronicle.witnessed_at(index), self.chronicle.known_us
        if until_us is not None and (known_us is None or known_us > until_us):
            return
        entry = parse_entry(self.chronicle.entries[index])
        at_us = entry.envelope.recorded_us if known_us is None else known_us
        says = entry_says(entry, self.state)
        yield Event(at_us=at_us, known_us=known_us, index=index, kind=kind, says=says)

    def of_told(self, told: Told[Any], kind: str | None = None) -> Event:
        """A telling, at the time of what it tells, as far as it says one."""
        if isinstance(told.body, Refusal | Opening):
            says = entry_says(parse_entry(self.chronicle.entries[told.index]), self.state)
        else:
            shown = self.chronicle.shown_terminals.get(told.id)
            says = told_words(told.by, told.body, self.chronicle.name_of, shown)
        at_us, date = _time_of(told)
        return Event(
            at_us=at_us,
            known_us=told.witnessed_us,
            index=told.index,
            kind=kind or _kind(told.body),
            says=says,
            date=date,
        )


def _kind(body: object) -> str:
    if isinstance(body, Claim):
        return {"asserts": "asserted", "denies": "denied", "qualifies": "qualified"}.get(
            body.stance, "retracted"
        )
    names: dict[type, str] = {
        Contact: "contact",
        Disclosure: "disclosed",
        Grade: "graded",
        Notice: "told",
        Verification: "verified",
        TieEnd: "tie-ended",
        ZeroReport: "none-reported",
        AlertAct: "alert",
        Observation: "observed",
        Opening: "opened",
    }
    return names.get(type(body), type(body).__name__.lower())


def _time_of(told: Told[Any]) -> tuple[int, str | None]:
    """When what is told happened, as far as its teller says; else when the record shows it."""
    body = told.body
    match body:
        case Contact() | Observation() | Notice():
            return body.at_us, None
        case Disclosure():
            return body.disclosed.at_us, None
        case ZeroReport():
            return body.until_us, None
        case Tie():
            return body.from_us, None
        case TieEnd():
            return body.until_us, None
        case Claim():
            return _first_day(body.source.published, told), body.source.published
        case Matter() if body.date is not None:
            return _first_day(body.date, told), body.date
    return told.witnessed_us or 0, None


def _first_day(date: str, told: Told[Any]) -> int:
    try:
        first = date_span(date)[0]
    except InputError:
        return told.witnessed_us or 0
    return parse_time(f"{first.isoformat()}T00:00:00Z")
