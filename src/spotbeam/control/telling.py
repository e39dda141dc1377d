"""Telling: what somebody puts on record about people, contacts and the words of others.

The fold takes in any telling that is whole. Before a person signs one, their own machine checks
more: that names are known, that dates are dates, that counts can be counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.readings import date_span, number_span
from spotbeam.chronicle.telling import told_words
from spotbeam.chronicle.timeline import parties_in
from spotbeam.control.hand import Hand, written
from spotbeam.control.wording import plain
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.accounts import (
    Claim,
    Contact,
    Disclosure,
    Grade,
    Interest,
    Matter,
    Notice,
    Party,
    Tie,
    TieEnd,
    Verification,
)
from spotbeam.governance.entries.envelope import Account
from spotbeam.governance.state import State


def telling(state: State, body: Account | Contact, hand: Hand, *, id: str, now_us: int) -> bytes:
    """Put something on record, signed by whoever tells it.

    Raises:
        Refused: The record would void it, with the reason.
    """
    return written(state, body, hand, id=id, now_us=now_us)


def telling_facts(
    chronicle: Chronicle, actor: str, body: Account | Contact
) -> tuple[tuple[str, str], ...]:
    """What somebody signs, in plain words: label and value."""
    facts = [("says", plain(told_words(actor, body, chronicle.name_of)))]
    if isinstance(body, Claim):
        facts += [("of its " + each.aspect, plain(each.value)) for each in body.says]
        if body.names:
            facts.append(("names", ", ".join(map(chronicle.name_of, body.names))))
        if body.alternative:
            facts.append(("else explains", plain(body.alternative)))
    if isinstance(body, Contact | Tie) and body.person == actor and body.where:
        facts.append(("then", "it keeps you from approving anything on that ground"))
    return tuple(facts)


def demand_known(chronicle: Chronicle, body: Account | Contact) -> None:
    """Stop before a telling is signed that speaks of nobody known, or of no date there is.

    Raises:
        UnknownName: A party, person or entry is not on record, with the nearest one.
        InputError: A date is none, or a number cannot be read.
    """
    _demand_parties(chronicle, body)
    match body:
        case Claim():
            _demand_entry(chronicle, body.about, "ABOUT")
            if body.stance == "retracts":
                _demand_claim(chronicle, body.about)
            _demand_date(body.source.published, "--published")
            for each in body.says:
                if each.aspect == "number":
                    _demand_readable(number_span, each.value, "--number")
                elif each.aspect == "date":
                    _demand_date(each.value, "--date")
                elif each.aspect == "occurred" and each.value not in ("yes", "no"):
                    raise InputError(f"{each.value!r} is neither yes nor no", place="--occurred")
        case Matter(date=str() as date):
            _demand_date(date, "--date")
        case Notice():
            _demand_entry(chronicle, body.about, "ABOUT")
        case Grade():
            _demand_claim(chronicle, body.claim)
        case Disclosure():
            _demand("contact", body.contact, chronicle.now.contacts.keys(), "CONTACT")
        case TieEnd():
            _demand("tie", body.tie, chronicle.now.ties.keys(), "TIE")
        case Verification():
            _demand("request", body.request, chronicle.now.requests.keys(), "REQUEST")


def people(chronicle: Chronicle) -> frozenset[str]:
    """Ids of natural persons: on the roster, or in the register as such."""
    persons = {name for name, told in chronicle.parties.items() if told.body.kind == "person"}
    return frozenset(persons | set(chronicle.now.seated.persons.keys()))


def parties(chronicle: Chronicle) -> frozenset[str]:
    """Ids of all parties: in the register, on the roster, or seating a factor."""
    seating = {factor.party for factor in chronicle.now.seated.factors.values()}
    return frozenset(set(chronicle.parties) | seating | people(chronicle))


def _demand_parties(chronicle: Chronicle, body: Account | Contact) -> None:
    everybody = parties(chronicle)
    match body:
        case Party():
            needed: Iterable[str] = () if body.part_of is None else (body.part_of,)
        case Tie() | Contact():
            _among("person", body.person, people(chronicle))
            needed = (body.party,)
        case Interest() | Matter() | Claim():
            needed = parties_in(body)
        case Notice(role="licensor" | "named"):
            needed = (body.to,)
        case _:
            needed = ()
    for name in needed:
        _among("party", name, everybody)


def _among(kind: str, name: str, known: frozenset[str]) -> None:
    if name not in known:
        raise UnknownName(f"{kind} (`spotbeam party add` registers one)", name, sorted(known))


def _demand_entry(chronicle: Chronicle, name: str, place: str) -> None:
    _demand("entry", name, chronicle.now.seen.keys(), place)


def _demand_claim(chronicle: Chronicle, name: str) -> None:
    _demand("claim", name, [told.id for told in chronicle.of(Claim)], "CLAIM")


def _demand(kind: str, name: str, known: Collection[str], place: str) -> None:
    if name not in known:
        raise UnknownName(kind, name, sorted(known), place=place)


def _demand_date(text: str, place: str) -> None:
    _demand_readable(date_span, text, place)


def _demand_readable(read: Callable[[str], object], text: str, place: str) -> None:
    try:
        read(text)
    except InputError as fault:
        raise InputError(fault.message, place=place, hint=fault.hint) from None
