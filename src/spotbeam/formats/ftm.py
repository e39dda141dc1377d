"""FollowTheMoney: entities as JSON lines, which investigators' tools read and write.

The model (followthemoney.tech, MIT) has parties, links between them, events and notes. It has no
place for grades, for what somebody may approve, or for ground; those stay in the record, and every
entity says which entry it is from (`recordId`, `notes`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import msgspec

from spotbeam.chronicle.contesting import root_of
from spotbeam.chronicle.reading import Chronicle, Told
from spotbeam.chronicle.readings import date_span
from spotbeam.errors import InputError
from spotbeam.governance.entries.accounts import Claim, Contact, Interest, Matter, Party, Tie
from spotbeam.times import format_time, parse_time

_SCHEMATA: Mapping[str, str] = MappingProxyType(
    {
        "state": "PublicBody",
        "firm": "Company",
        "unit": "Organization",
        "body": "PublicBody",
        "press": "Organization",
        "person": "Person",
    }
)
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "Person": "person",
        "Company": "firm",
        "PublicBody": "body",
        "Organization": "body",
        "LegalEntity": "body",
    }
)
_LINKS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        # schema: who, to whom, and the kind of tie
        "Employment": ("employee", "employer", "office"),
        "Directorship": ("director", "organization", "office"),
        "Membership": ("member", "organization", "office"),
        "Ownership": ("owner", "asset", "holding"),
        "Family": ("person", "relative", "family"),
        "UnknownLink": ("subject", "object", "contract"),
    }
)
MAX_BYTES = 64 * 1024 * 1024
_URL = re.compile(r"https?://\S+")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of entities holds that a record can hold.

    Attributes:
        parties: By the id that they get.
        ties: Told by others: they keep nobody away.
        matters: Events, with a number by which claims name them.
        claims: Notes on events: the number of the matter, and what is said.
        skipped: How many entities of each other schema there were.
    """

    parties: tuple[Party, ...] = ()
    ties: tuple[tuple[str, str, str, int, int | None, str], ...] = ()
    matters: tuple[Matter, ...] = ()
    claims: tuple[tuple[int, str, str, str], ...] = ()
    skipped: Mapping[str, int] = MappingProxyType({})


def entity_lines(chronicle: Chronicle) -> bytes:
    """Parties, links, events and notes of a record, one entity a line, in order of the record."""
    lines = (json.dumps(each, ensure_ascii=False, sort_keys=True) for each in entities(chronicle))
    return "".join(f"{line}\n" for line in lines).encode()


def entities(chronicle: Chronicle) -> Iterator[dict[str, Any]]:
    """The entities of a record. Ids follow from its genesis, so that they stay as it grows."""
    writer = _Writer(chronicle)
    for told in chronicle.parties.values():
        yield from writer.party(told)
    for tie in chronicle.of(Tie):
        yield writer.tie(tie)
    for contact in chronicle.of(Contact):
        yield writer.contact(contact)
    for matter in chronicle.of(Matter):
        yield writer.matter(matter)
    for claim in chronicle.of(Claim):
        yield writer.claim(claim)
    yield from writer.others()


class _Writer:
    def __init__(self, chronicle: Chronicle) -> None:
        self.chronicle = chronicle
        self._needed: dict[str, None] = {}
        self._events: dict[str, None] = {}

    def id(self, kind: str, name: str) -> str:
        text = f"{self.chronicle.now.genesis}\n{kind}\n{name}"
        return f"spotbeam-{sha256(text.encode()).hexdigest()[:32]}"

    def entity(self, kind: str, name: str, schema: str, /, **properties: Any) -> dict[str, Any]:
        kept = {
            key: [str(each) for each in (value if isinstance(value, list) else [value])]
            for key, value in properties.items()
            if value not in (None, [], "")
        }
        return {"id": self.id(kind, name), "schema": schema, "properties": kept}

    def proof(self, told: Told[Any]) -> str:
        return (
            f"entry {told.index} of {self.chronicle.now.origin}, told by {told.by}; genesis "
            f"{self.chronicle.now.genesis}"
        )

    def name(self, party: str) -> str:
        self._needed.setdefault(party)
        return self.id("party", party)

    def party(self, told: Told[Party]) -> Iterator[dict[str, Any]]:
        body = told.body
        interests = [
            f"{each.body.kind} in {', '.join(each.body.where)} (entry {each.index})"
            for each in self.chronicle.of(Interest)
            if each.body.party == body.party
        ]
        more = {"position": body.role} if body.kind == "person" else {"summary": body.role}
        yield self.entity(
            "party",
            body.party,
            _SCHEMATA[body.kind],
            name=body.name,
            notes=[*interests, self.proof(told)],
            **more,
        )
        if body.part_of is not None:
            schema, mine, theirs = ("Membership", "member", "organization")
            if body.kind == "person":
                schema, mine, theirs = ("Employment", "employee", "employer")
            yield self.entity(
                "part-of",
                body.party,
                schema,
                role=body.role or "part of",
                recordId=told.id,
                **{mine: self.name(body.party), theirs: self.name(body.part_of)},
            )

    def tie(self, told: Told[Tie]) -> dict[str, Any]:
        body = told.body
        return self.entity(
            "entry",
            told.id,
            "UnknownLink",
            subject=self.name(body.person),
            object=self.name(body.party),
            role=body.kind.replace("-", " "),
            startDate=format_time(body.from_us)[:10],
            endDate=None if body.until_us is None else format_time(body.until_us)[:10],
            summary=body.words,
            description=self.proof(told),
            recordId=told.id,
        )

    def contact(self, told: Told[Contact]) -> dict[str, Any]:
        body = told.body
        self._events.setdefault(told.id)
        return self.entity(
            "entry",
            told.id,
            "Event",
            name=f"Contact {told.id}",
            date=format_time(body.at_us).removesuffix("Z"),  # the model's times have no zone
            involved=[self.name(body.person), self.name(body.party)],
            summary=body.subject,
            notes=self.proof(told),
            recordId=told.id,
        )

    def matter(self, told: Told[Matter]) -> dict[str, Any]:
        body = told.body
        self._events.setdefault(told.id)
        dates: dict[str, str | None] = {}
        if body.date is not None and "/" in body.date:
            dates["startDate"], _, dates["endDate"] = body.date.partition("/")
        else:
            dates["date"] = body.date
        return self.entity(
            "entry",
            told.id,
            "Event",
            name=body.title,
            involved=[self.name(party) for party in body.parties],
            notes=self.proof(told),
            recordId=told.id,
            **dates,
        )

    def claim(self, told: Told[Claim]) -> dict[str, Any]:
        body, source = told.body, told.body.source
        about = root_of(self.chronicle, body.about)
        self._events.setdefault(about)
        url = source.place if source.place and _URL.fullmatch(source.place) else None
        return self.entity(
            "entry",
            told.id,
            "Note",
            name=f"{source.name} {body.stance} ({source.published})",
            description=body.quote,
            entity=self.id("entry", about),
            publisher=source.name,
            sourceUrl=url,
            notes=[body.alternative, self.proof(told)] if body.alternative else self.proof(told),
        )

    def others(self) -> Iterator[dict[str, Any]]:
        """Whom and what the others speak of, and nobody has registered."""
        roster = self.chronicle.now.roster
        seated = {} if roster is None else dict(roster.persons.items())
        for party in self._needed:
            if party not in self.chronicle.parties:
                schema = "Person" if party in seated else "Organization"
                yield self.entity("party", party, schema, name=party)
        known = {told.id for kind in (Contact, Matter) for told in self.chronicle.of(kind)}
        for name in self._events:
            if name not in known:
                yield self.entity("entry", name, "Event", name=f"Entry {name}", recordId=name)


def read_entities(data: bytes, place: str) -> Found:
    """What a record can hold of a file of entities.

    Args:
        data: JSON, one entity a line.
        place: The file's name, for messages.

    Raises:
        InputError: It is too large, or a line is no entity, with its number.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"{len(data):,} bytes; {MAX_BYTES:,} are read", place=place)
    every = [
        _entity(line, f"{place}, line {number}")
        for number, line in enumerate(data.split(b"\n"), 1)
        if line.strip()
    ]
    return _Reader(every, place).found()


class _Entity(msgspec.Struct, frozen=True):
    id: str
    schema: str
    properties: dict[str, list[str]] = {}

    def first(self, name: str) -> str | None:
        """The first value of a property."""
        values = self.properties.get(name) or [None]  # type: ignore[list-item]
        return values[0]


def _entity(line: bytes, place: str) -> _Entity:
    try:
        return msgspec.json.decode(line, type=_Entity)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise InputError(
            f"no FollowTheMoney entity: {fault}",
            place=place,
            hint='a line is {"id": …, "schema": …, "properties": {…: […]}}',
        ) from None


class _Reader:
    def __init__(self, every: list[_Entity], place: str) -> None:
        self.every, self.place = every, place
        self.ids = {each.id: _id(each) for each in every if each.schema in _KINDS}

    def found(self) -> Found:
        events = [each for each in self.every if each.schema == "Event"]
        at = {each.id: number for number, each in enumerate(events)}
        skipped: dict[str, int] = {}
        claims, ties = [], []
        for each in self.every:
            if each.schema == "Note" and each.first("entity") in at:
                claims.append(self.claim(each, at[each.first("entity") or ""]))
            elif each.schema in _LINKS and self.is_between_known(each):
                ties.append(self.tie(each))
            elif each.schema not in _KINDS and each.schema != "Event":
                skipped[each.schema] = skipped.get(each.schema, 0) + 1
        return Found(
            parties=tuple(self.party(each) for each in self.every if each.schema in _KINDS),
            ties=tuple(ties),
            matters=tuple(map(self.matter, events)),
            claims=tuple(claims),
            skipped=MappingProxyType(skipped),
        )

    def party(self, each: _Entity) -> Party:
        name = each.first("name") or each.id
        return Party(
            party=self.ids[each.id],
            name=name[:200],
            kind=_KINDS[each.schema],  # type: ignore[arg-type]
            role=(each.first("position") or "")[:200] or None,
        )

    def is_between_known(self, each: _Entity) -> bool:
        who, whom, _ = _LINKS[each.schema]
        return each.first(who) in self.ids and each.first(whom) in self.ids

    def tie(self, each: _Entity) -> tuple[str, str, str, int, int | None, str]:
        who, whom, kind = _LINKS[each.schema]
        begin = self.day_us(each.first("startDate") or each.first("date"))
        end = self.day_us(each.first("endDate"))
        words = each.first("role") or each.schema
        return (
            self.ids[each.first(who) or ""],
            self.ids[each.first(whom) or ""],
            kind,
            begin or 0,
            end,
            words,
        )

    def matter(self, each: _Entity) -> Matter:
        involved = [
            self.ids[name] for name in each.properties.get("involved", ()) if name in self.ids
        ]
        begin, end = each.first("startDate") or each.first("date"), each.first("endDate")
        date = None if begin is None else begin[:10] + (f"/{end[:10]}" if end else "")
        return Matter(
            title=(each.first("name") or each.id)[:200],
            parties=tuple(dict.fromkeys(involved)),
            date=date if date and self.is_date(date) else None,
        )

    def claim(self, each: _Entity, matter: int) -> tuple[int, str, str, str]:
        publisher = each.first("publisher") or ""
        words = each.first("description") or each.first("name") or ""
        day = (each.first("date") or "")[:10]
        return matter, publisher, words, day if day and self.is_date(day) else ""

    def is_date(self, text: str) -> bool:
        try:
            date_span(text)
        except InputError:
            return False
        return True

    def day_us(self, text: str | None) -> int | None:
        if text is None or not self.is_date(text[:10]):
            return None
        return max(0, parse_time(f"{date_span(text[:10])[0].isoformat()}T00:00:00Z"))


def _id(each: _Entity) -> str:
    """An id that the record can hold: the entity's own if it can be one, else made of it."""
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", each.id):
        return each.id
    return f"ftm-{sha256(each.id.encode()).hexdigest()[:24]}"
