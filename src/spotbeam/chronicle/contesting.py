"""Who says what about one event, and exactly where accounts differ.

Nothing here decides who is right. `contested` follows from what stands in the record; nobody sets
it, a grade does not change it, and a retraction takes a claim out of it without taking it out of
sight.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Literal, TypeAlias, get_args

import msgspec

from spotbeam.chronicle.reading import Chronicle, Told
from spotbeam.chronicle.readings import may_agree, plain_words
from spotbeam.chronicle.words import named, places_words
from spotbeam.governance.entries.accounts import (
    Aspect,
    Claim,
    Contact,
    Grade,
    Matter,
    Notice,
    Said,
    Source,
)

Status: TypeAlias = Literal["recorded", "corroborated", "contested", "retracted"]


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """One claim with all that bears on how it is read.

    Attributes:
        grades: By every grader, in order; none changes another's, nor any other claim's.
        retracted_by: The claim in which its own source takes it back.
        is_reply: Whether it comes from somebody whom an earlier claim names.
        occurred: Whether the event happened, by this claim: in its own words, or else by its
            stance, so that whoever denies a denial stands with those who assert. None: it does
            not say.
    """

    claim: Told[Claim]
    grades: tuple[Told[Grade], ...] = ()
    retracted_by: str | None = None
    is_reply: bool = False
    occurred: Literal["yes", "no"] | None = None

    @property
    def stands(self) -> bool:
        """Whether its source still holds it."""
        return self.retracted_by is None and self.claim.body.stance != "retracts"


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What some claims say of one aspect, in one wording."""

    value: str
    claims: tuple[str, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """An aspect of which standing claims say things that cannot all be true."""

    aspect: Aspect
    readings: tuple[Reading, ...]


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody named in a claim who has not replied.

    Attributes:
        asked_us: When they were first told of a claim that names them; None: no notice arrived.
        failure: Why a notice did not arrive, where one was tried and none arrived.
    """

    party: str
    claim: str
    asked_us: int | None
    failure: str | None = None


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is said about one event.

    Attributes:
        about: The matter, contact, request or decision.
        voices: Every claim about it, or about a claim about it, in order of publication.
        differences: Where the standing ones differ; empty where they do not.
        status: `contested` if some standing claim denies what another (or the record of the
            contact itself) asserts, or if they differ; `corroborated` if two sources that do not
            rest on each other tell it alike; `retracted` if nothing stands any more.
        since_us: From when the record shows the first of them; None: none is witnessed.
        unanswered: Whom claims name and who has not replied.
    """

    about: str
    voices: tuple[Voice, ...]
    differences: tuple[Difference, ...]
    status: Status
    since_us: int | None
    unanswered: tuple[Unanswered, ...] = ()

    @property
    def is_contested(self) -> bool:
        """Whether accounts contradict each other."""
        return self.status == "contested"


def accounts(chronicle: Chronicle, about: str) -> Accounts:
    """Lay the accounts of one event side by side.

    Args:
        chronicle: As far as it was known.
        about: The entry that they are about. Claims about its claims belong to it too.
    """
    voices = sorted(_voices(chronicle, about), key=_by_publication)
    standing = [voice for voice in voices if voice.stands]
    differences = tuple(_differences(standing))
    return Accounts(
        about=about,
        voices=tuple(voices),
        differences=differences,
        status=_status(voices, standing, differences, _teller(chronicle, about)),
        since_us=min(
            (v.claim.witnessed_us for v in voices if v.claim.witnessed_us is not None), default=None
        ),
        unanswered=tuple(_unanswered(chronicle, voices)),
    )


def events(chronicle: Chronicle) -> tuple[str, ...]:
    """The events that anybody says anything about, in order of the record; claims are not."""
    found = dict.fromkeys(root_of(chronicle, told.body.about) for told in chronicle.of(Claim))
    for matter in chronicle.of(Matter):
        found.setdefault(matter.id)
    return tuple(found)


def event_title(chronicle: Chronicle, name: str) -> str:
    """What an event is called, in a few neutral words."""
    told, state = chronicle.get(name), chronicle.now
    if told is not None and isinstance(told.body, Matter):
        return told.body.title
    if told is not None and isinstance(told.body, Contact):
        who, party = (named(chronicle.name_of(n)) for n in (told.body.person, told.body.party))
        return f"The contact of {who} with {party}"
    if name in state.requests:
        request = state.requests[name].request
        return f"The request to {request.verb} in {places_words(request.where)} ({name})"
    if name in state.changes:
        request = state.requests[state.changes[name].proposal.request].request
        return f"The decision {name}, on {places_words(request.where)}"
    return f"Entry {name}"


def root_of(chronicle: Chronicle, name: str) -> str:
    """The event behind a claim about a claim."""
    seen = set()
    while name not in seen:
        seen.add(name)
        told = chronicle.get(name)
        if told is None or not isinstance(told.body, Claim):
            return name
        name = told.body.about
    return name


def _voices(chronicle: Chronicle, about: str) -> Iterator[Voice]:
    """Claims about an event, then those about these, however deep."""
    waiting, spoken_of = [about], set[str]()
    found: dict[str, Voice] = {}
    while waiting:
        name = waiting.pop(0)
        over = found.get(name)
        for claim in chronicle.about(name, Claim):
            if claim.id in found:
                continue
            voice = found[claim.id] = Voice(
                claim=claim,
                grades=chronicle.about(claim.id, Grade),
                retracted_by=_retraction(chronicle, claim),
                is_reply=claim.body.source.party in spoken_of,
                occurred=_occurred(claim.body, "yes" if over is None else over.occurred),
            )
            spoken_of.update(claim.body.names)
            waiting.append(claim.id)
            yield voice


def _occurred(claim: Claim, asserted: Literal["yes", "no"] | None) -> Literal["yes", "no"] | None:
    """Whether the event happened, by a claim about something that says `asserted` of it."""
    for said in claim.says:
        if said.aspect == "occurred":
            return "no" if plain_words(said.value) == "no" else "yes"
    if asserted is None or claim.stance not in ("asserts", "denies"):
        return None
    return asserted if claim.stance == "asserts" else "no" if asserted == "yes" else "yes"


def _retraction(chronicle: Chronicle, claim: Told[Claim]) -> str | None:
    """Only a source takes back what it said."""
    for later in chronicle.about(claim.id, Claim):
        if later.body.stance == "retracts" and _is_same(later.body.source, claim.body.source):
            return later.id
    return None


def _is_same(one: Source, other: Source) -> bool:
    """By their parties; by their names, where one has no party on record."""
    if one.party is not None and other.party is not None:
        return one.party == other.party
    return plain_words(one.name) == plain_words(other.name)


def _by_publication(voice: Voice) -> tuple[str, int]:
    return voice.claim.body.source.published, voice.claim.index


def _said(voice: Voice) -> tuple[Said, ...]:
    """What a claim says of each aspect; that it happened or not follows from its stance."""
    said = tuple(each for each in voice.claim.body.says if each.aspect != "occurred")
    if voice.occurred is None:
        return said
    return (Said(aspect="occurred", value=voice.occurred), *said)


def _differences(standing: list[Voice]) -> Iterator[Difference]:
    said = [(each, voice.claim.id) for voice in standing for each in _said(voice)]
    for aspect in get_args(Aspect):
        of_it = [(each, name) for each, name in said if each.aspect == aspect]
        apart = any(not may_agree(one, other) for (one, _), (other, _) in combinations(of_it, 2))
        if apart:
            values = dict.fromkeys(each.value for each, _ in of_it)
            yield Difference(
                aspect=aspect,
                readings=tuple(
                    Reading(value=v, claims=tuple(n for each, n in of_it if each.value == v))
                    for v in values
                ),
            )


def _teller(chronicle: Chronicle, about: str) -> Source | None:
    """Who put a contact on record: that is an account of it too. None: it is no contact."""
    told = chronicle.get(about)
    if told is None or not isinstance(told.body, Contact):
        return None
    return Source(name=chronicle.name_of(told.by), party=told.by, published="0001")


def _status(
    voices: list[Voice],
    standing: list[Voice],
    differences: tuple[Difference, ...],
    teller: Source | None,
) -> Status:
    is_denied = teller is not None and any(voice.occurred == "no" for voice in standing)
    names = {voice.claim.id for voice in standing}
    denied = {v.claim.body.about for v in standing if v.claim.body.stance == "denies"}
    if differences or is_denied or denied & names:
        return "contested"
    if voices and not standing and teller is None:
        return "retracted"
    # Nothing differs, so whoever says whether it happened says the same.
    alike = [voice.claim.body.source for voice in standing if voice.occurred is not None]
    if teller is not None:
        alike.append(teller)
    if any(_are_independent(one, other) for one, other in combinations(alike, 2)):
        return "corroborated"
    return "recorded"


def _are_independent(one: Source, other: Source) -> bool:
    """Neither is the other, cites it, or cites whom the other cites."""
    if _is_same(one, other):
        return False
    cited, other_cited = _cited(one), _cited(other)
    if plain_words(one.name) == other_cited or plain_words(other.name) == cited:
        return False
    return cited is None or cited != other_cited


def _cited(source: Source) -> str | None:
    return None if source.attributed_to is None else plain_words(source.attributed_to)


def _unanswered(chronicle: Chronicle, voices: list[Voice]) -> Iterator[Unanswered]:
    replied = {voice.claim.body.source.party for voice in voices}
    naming: dict[str, list[str]] = {}
    for voice in voices:
        for party in voice.claim.body.names:
            if party not in replied:
                naming.setdefault(party, []).append(voice.claim.id)
    for party, claims in naming.items():
        notices = [
            notice.body
            for name in claims
            for notice in chronicle.about(name, Notice)
            if notice.body.role == "named" and notice.body.to == party
        ]
        asked = [notice.at_us for notice in notices if notice.receipt]
        failures = [notice.failure for notice in notices if notice.failure]
        yield Unanswered(
            party=party,
            claim=claims[0],
            asked_us=min(asked, default=None),
            failure=failures[-1] if failures and not asked else None,
        )
