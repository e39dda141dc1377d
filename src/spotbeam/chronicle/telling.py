"""What people told, one sentence each: who says it, of whom, and in whose words."""

from __future__ import annotations

from collections.abc import Callable

from spotbeam.chronicle.redaction import count_words
from spotbeam.chronicle.words import named, places_words, quoted
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosed,
    Disclosure,
    Grade,
    Interest,
    LossSeen,
    Matter,
    Notice,
    Observation,
    Party,
    PositionSeen,
    RegistrantsSeen,
    ServiceSeen,
    Source,
    Tie,
    TieEnd,
    Verification,
    WitnessSeen,
    ZeroReport,
)
from spotbeam.governance.entries.envelope import Account
from spotbeam.times import format_time

NameOf = Callable[[str], str]
_ACTS = {
    "acknowledge": "acknowledges",
    "explain": "explains",
    "escalate": "escalates",
    "close": "closes",
}
_CHECKS = {
    "call-back": "by calling back",
    "signed-order": "by a signed order",
    "in-person": "in person",
    "second-channel": "through a second channel",
}
_INTERESTS = {
    "claimant": "claims",
    "administrator": "administers",
    "neighbour": "borders on",
    "beneficiary": "is named as gaining in",
    "licensor": "licenses service in",
}
_CAPACITIES = {
    "official": "in office",
    "private": "in a private capacity",
    "spontaneous": "by chance",
}
RELIABILITY = {
    "A": "completely reliable",
    "B": "usually reliable",
    "C": "fairly reliable",
    "D": "not usually reliable",
    "E": "unreliable",
    "F": "cannot be judged",
}
CREDIBILITY = {
    1: "confirmed",
    2: "probably true",
    3: "possibly true",
    4: "doubtful",
    5: "improbable",
    6: "cannot be judged",
}
"""The words of the Admiralty code for its marks."""


def told_words(
    actor: str, body: Account | Contact, name_of: NameOf = str, terminals: int | None = None
) -> str:
    """One telling in one sentence.

    Args:
        actor: Who signed it.
        body: What they told.
        name_of: What a party or person is called; as their id if not given.
        terminals: What may be shown of an observed count (`Chronicle.shown_terminals`); None: no
            count is told.
    """

    def called(name: str) -> str:
        return named(name_of(name))

    match body:
        case Party():
            role = f", {named(body.role)}" if body.role else ""
            of = f" of {called(body.part_of)}" if body.part_of else ""
            return f"{actor} registers {body.party}: {named(body.name)}, a {body.kind}{role}{of}"
        case Interest():
            span = _span(body.from_us, body.until_us)
            does = f"{called(body.party)} {_INTERESTS[body.kind]} {places_words(body.where)}"
            return f"{actor} records that {does}{span}{_in_words(body.words)}"
        case Tie():
            whose = "their own tie" if body.person == actor else f"a tie of {called(body.person)}"
            about = f" about {places_words(body.where)}" if body.where else ""
            span = _span(body.from_us, body.until_us)
            tie = f"{called(body.party)} ({body.kind.replace('-', ' ')})"
            return f"{actor} declares {whose} to {tie}{about}{span}{_in_words(body.words)}"
        case TieEnd():
            return (
                f"{actor} says that the tie {body.tie} is over since {format_time(body.until_us)}"
            )
        case Contact():
            return _contact_words(actor, body, called)
        case Disclosure():
            return f"{actor} says that the contact {body.contact} was {_told_to(body.disclosed)}"
        case ZeroReport():
            span = _span(body.from_us, body.until_us)
            return f"{actor} reports no contacts{span}"
        case Matter():
            date = f" ({body.date})" if body.date else ""
            where = f" in {places_words(body.where)}" if body.where else ""
            return f"{actor} opens the matter {quoted(body.title)}{date}{where}"
        case Claim():
            other = body.alternative
            explains = f"; as another explanation it gives {quoted(other)}" if other else ""
            said = f"{body.stance} {body.about}: {quoted(body.quote)}{explains}"
            return f"{source_words(body.source)} {said}"
        case Grade():
            return (
                f"{actor} grades the claim {body.claim}: {_grade_words(body)}"
                f"{_in_words(body.words)}"
            )
        case Verification():
            how = _CHECKS[body.how]
            return f"{actor} has verified the request {body.request} {how}{_in_words(body.words)}"
        case Notice():
            done = (
                "is told" if body.receipt else f"could not be told ({quoted(body.failure or '')})"
            )
            at = format_time(body.at_us)
            return f"{called(body.to)} ({body.role}) {done} of {body.about}, {at}"
        case AlertAct():
            return f"{actor} {_ACTS[body.act]} the alert {body.alert}: {quoted(body.words)}"
        case Observation():
            at = format_time(body.at_us)
            return (
                f"{actor} records what {named(body.by)} saw at {at}: {_seen_words(body, terminals)}"
            )


def source_words(source: Source) -> str:
    """Who says something, where and when it was published."""
    relies = f", citing {quoted(source.attributed_to)}," if source.attributed_to else ""
    place = f" in {quoted(source.place)}" if source.place else ""
    return f"{named(source.name)}{relies}{place} ({source.published})"


def _contact_words(actor: str, body: Contact, called: NameOf) -> str:
    whose = "their own contact" if body.person == actor else f"a contact of {called(body.person)}"
    met = f" ({', '.join(map(named, body.met))})" if body.met else ""
    channel = f" by {body.channel}" if body.channel else ""
    through = f" through {named(body.through)}" if body.through else ""
    behalf = f" on behalf of {named(body.on_behalf_of)}" if body.on_behalf_of else ""
    capacity = f", {_CAPACITIES[body.capacity]}," if body.capacity else ""
    subject = f", on {quoted(body.subject)}" if body.subject else ""
    told = "".join(f", {_told_to(each)}" for each in body.disclosed or ())
    return (
        f"{actor} records {whose} with {called(body.party)}{met}{channel}{through}{behalf}"
        f"{capacity} about {places_words(body.where)}{subject}, on {format_time(body.at_us)}{told}"
    )


def _told_to(disclosed: Disclosed) -> str:
    return f"disclosed to {named(disclosed.to)} on {format_time(disclosed.at_us)}"


def _grade_words(body: Grade) -> str:
    marks = []
    if body.reliability is not None:
        marks.append(f"its source {body.reliability} ({RELIABILITY[body.reliability]})")
    if body.credibility is not None:
        marks.append(f"its information {body.credibility} ({CREDIBILITY[body.credibility]})")
    return ", ".join(marks) or "neither its source nor its information"


def _in_words(words: str | None) -> str:
    return f": {quoted(words)}" if words else ""


def _seen_words(body: Observation, shown: int | None) -> str:
    many = "terminals" if shown is None else f"{count_words(shown)} terminals"
    match body.seen:
        case ServiceSeen() as seen:
            reason = f" ({named(seen.reason)})" if seen.reason else ""
            return f"service {seen.service} in {places_words((seen.where,))}{reason}"
        case RegistrantsSeen() as seen:
            return f"{many} on the list {seen.list}, counted by registrant"
        case PositionSeen() as seen:
            return f"a position in {places_words((seen.where,))} that does not hold together"
        case LossSeen() as seen:
            whom = "protected users among them" if seen.protected else "nobody protected"
            where = places_words((seen.where,))
            return f"{many} lost service in {where} within {seen.within_s:,} s, {whom}"
        case WitnessSeen() as seen:
            return f"the witness {named(seen.witness)}: {seen.found.replace('-', ' ')}"


def _span(from_us: int | None, until_us: int | None) -> str:
    begin = "" if from_us is None else f" from {format_time(from_us)}"
    end = "" if until_us is None else f" until {format_time(until_us)}"
    return f"{begin}{end}"
