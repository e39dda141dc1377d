"""What people told, one sentence each: who says it, of whom, and in whose words."""

from __future__ import annotations

from collections.abc import Callable

from spotbeam.chronicle.redaction import count_words, shown_counts
from spotbeam.chronicle.words import named, places_words, quoted
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
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


def told_words(actor: str, body: Account | Contact, name_of: NameOf = str) -> str:
    """One telling in one sentence.

    Args:
        actor: Who signed it.
        body: What they told.
        name_of: What a party or person is called; as their id if not given.
    """
    match body:
        case Party():
            role = f", {named(body.role)}" if body.role else ""
            of = f" of {name_of(body.part_of)}" if body.part_of else ""
            return f"{actor} registers {body.party}: {named(body.name)}, a {body.kind}{role}{of}"
        case Interest():
            span = _span(body.from_us, body.until_us)
            where = places_words(body.where)
            party = name_of(body.party)
            return f"{actor} records that {party} {_INTERESTS[body.kind]} {where}{span}"
        case Tie():
            whose = "their own tie" if body.person == actor else f"a tie of {name_of(body.person)}"
            about = f" about {places_words(body.where)}" if body.where else ""
            span = _span(body.from_us, body.until_us)
            kind = body.kind.replace("-", " ")
            party = name_of(body.party)
            return f"{actor} declares {whose} to {party} ({kind}){about}{span}"
        case TieEnd():
            return (
                f"{actor} says that the tie {body.tie} is over since {format_time(body.until_us)}"
            )
        case Contact():
            return _contact_words(actor, body, name_of)
        case Disclosure():
            to, at = named(body.disclosed.to), format_time(body.disclosed.at_us)
            return f"{actor} says that the contact {body.contact} was disclosed to {to} on {at}"
        case ZeroReport():
            span = _span(body.from_us, body.until_us)
            return f"{actor} reports no contacts{span}"
        case Matter():
            date = f" ({body.date})" if body.date else ""
            where = f" in {places_words(body.where)}" if body.where else ""
            return f"{actor} opens the matter {quoted(body.title)}{date}{where}"
        case Claim():
            return f"{source_words(body.source)} {body.stance} {body.about}: {quoted(body.quote)}"
        case Grade():
            marks = f"{body.reliability or '-'}/{body.credibility or '-'}"
            return f"{actor} grades the claim {body.claim} {marks}"
        case Verification():
            return f"{actor} has verified the request {body.request} {_CHECKS[body.how]}"
        case Notice():
            done = (
                "is told" if body.receipt else f"could not be told ({quoted(body.failure or '')})"
            )
            return (
                f"{named(body.to)} ({body.role}) {done} of {body.about}, {format_time(body.at_us)}"
            )
        case AlertAct():
            return f"{actor} {_ACTS[body.act]} the alert {body.alert}: {quoted(body.words)}"
        case Observation():
            at = format_time(body.at_us)
            return f"{actor} records what {named(body.by)} saw at {at}: {_seen_words(body)}"


def source_words(source: Source) -> str:
    """Who says something, where and when it was published."""
    relies = f", citing {quoted(source.attributed_to)}," if source.attributed_to else ""
    place = f" in {quoted(source.place)}" if source.place else ""
    return f"{named(source.name)}{relies}{place} ({source.published})"


def _contact_words(actor: str, body: Contact, name_of: NameOf) -> str:
    whose = "their own contact" if body.person == actor else f"a contact of {name_of(body.person)}"
    channel = f" by {body.channel}" if body.channel else ""
    through = f" through {named(body.through)}" if body.through else ""
    behalf = f" on behalf of {named(body.on_behalf_of)}" if body.on_behalf_of else ""
    subject = f", on {quoted(body.subject)}" if body.subject else ""
    return (
        f"{actor} records {whose} with {name_of(body.party)}{channel}{through}{behalf} about "
        f"{places_words(body.where)}{subject}, on {format_time(body.at_us)}"
    )


def _seen_words(body: Observation) -> str:
    match body.seen:
        case ServiceSeen() as seen:
            reason = f" ({named(seen.reason)})" if seen.reason else ""
            return f"service {seen.service} in {places_words((seen.where,))}{reason}"
        case RegistrantsSeen() as seen:
            many = count_words(shown_counts([seen.terminals])[0])
            return f"{many} terminals on the list {seen.list}, counted by registrant"
        case PositionSeen() as seen:
            return f"a position in {places_words((seen.where,))} that does not hold together"
        case LossSeen() as seen:
            many = count_words(shown_counts([seen.terminals])[0])
            whom = "protected users among them" if seen.protected else "nobody protected"
            where = places_words((seen.where,))
            return f"{many} terminals lost service in {where} within {seen.within_s:,} s, {whom}"
        case WitnessSeen() as seen:
            return f"the witness {named(seen.witness)}: {seen.found.replace('-', ' ')}"


def _span(from_us: int | None, until_us: int | None) -> str:
    begin = "" if from_us is None else f" from {format_time(from_us)}"
    end = "" if until_us is None else f" until {format_time(until_us)}"
    return f"{begin}{end}"
