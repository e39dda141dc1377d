"""What people told, in order, each with the time from which the record shows it.

Two times matter in everything: when a thing happened, as somebody says, and when it was witnessed
in the record. `known_at` goes back to what a reader could know at an instant.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_args

import msgspec

from spotbeam.chronicle.redaction import shown_counts
from spotbeam.governance.entries import BODIES, parse_entry
from spotbeam.governance.entries.accounts import (
    AlertAct,
    Claim,
    Contact,
    Disclosure,
    Grade,
    LossSeen,
    Notice,
    Observation,
    Party,
    RegistrantsSeen,
    TieEnd,
    Verification,
)
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Opening
from spotbeam.governance.entries.envelope import Account
from spotbeam.governance.history import History
from spotbeam.governance.state import Asked, Proposed, State

Telling: TypeAlias = Account | Contact | Refusal | Opening
"""What is kept here: accounts, contacts, and what a state keeps without its time or its words."""
T = TypeVar("T", bound=Telling)

_TELLINGS: tuple[type, ...] = get_args(Telling)
_TYPE = re.compile(rb',"type":"([a-z_]+)","v":[0-9]+}\Z')
_TOLD = frozenset(name.encode() for name, kind in BODIES.items() if kind in _TELLINGS)


class Told(msgspec.Struct, Generic[T], frozen=True, kw_only=True, eq=False):
    """Something that a person told.

    Attributes:
        index: Its entry, counted through all logs of the record.
        by: Who signed it.
        witnessed_us: From when the record shows it; None as long as no checkpoint covers it.
    """

    id: str
    index: int
    by: str
    witnessed_us: int | None
    body: T


class Chronicle:
    """A record read as history.

    Attributes:
        history: The fold: requests, changes and who decided stand there.
        entries: All entries that count, in order through all logs of the record.
        told: What people told, in order of the record; void entries are not in it.
        known_us: Only what was witnessed by then is in it; None: all there is.
    """

    def __init__(
        self,
        history: History,
        entries: Sequence[bytes],
        told: tuple[Told[Any], ...],
        witnessed: Witnessed,
        known_us: int | None = None,
    ) -> None:
        self.history = history
        self.entries = entries
        self.told = told
        self.known_us = known_us
        self._witnessed = witnessed

    @cached_property
    def now(self) -> State:
        """The state as far as it was known."""
        return self.history.now if self.known_us is None else self.history.known_at(self.known_us)

    def witnessed_at(self, index: int) -> int | None:
        """From when the record shows an entry, microseconds since 1970; None: not yet."""
        return self._witnessed.at(index)

    def known_at(self, at_us: int) -> Chronicle:
        """What a reader could know at an instant: only what was witnessed by then."""
        kept = bisect_right(self._dates, at_us)
        return Chronicle(self.history, self.entries, self.told[:kept], self._witnessed, at_us)

    def of(self, kind: type[T]) -> tuple[Told[T], ...]:
        """All that was told of one kind, as `chronicle.of(Contact)`, in order of the record."""
        return cast("tuple[Told[T], ...]", self._by_kind.get(kind, ()))

    def get(self, name: str) -> Told[Any] | None:
        """What an entry told, by its id; None where it is no such entry."""
        return self._by_id.get(name)

    def about(self, name: str, kind: type[T]) -> tuple[Told[T], ...]:
        """What was told of one kind about an entry: claims, grades, notices, acts on an alert."""
        found = self._about.get(name, ())
        return tuple(each for each in found if isinstance(each.body, kind))

    @cached_property
    def parties(self) -> Mapping[str, Told[Party]]:
        """Parties and persons by id, as last written."""
        return MappingProxyType({each.body.party: each for each in self.of(Party)})

    def name_of(self, party: str) -> str:
        """What a party or person is called: as the register has it, or the id itself."""
        known = self.parties.get(party)
        return party if known is None else known.body.name

    @cached_property
    def requests(self) -> tuple[Asked, ...]:
        """Requests in order of the record, as far as known."""
        return tuple(sorted(self.now.requests.values(), key=lambda asked: asked.index))

    @cached_property
    def proposals(self) -> tuple[Proposed, ...]:
        """Changes, emergencies and seals in order of the record, as far as known."""
        return tuple(sorted(self.now.changes.values(), key=lambda proposed: proposed.index))

    @cached_property
    def people(self) -> frozenset[str]:
        """Ids of everybody: parties and persons of the register, the roster, and its parties."""
        found = set(self.parties)
        if self.now.roster is not None:
            found.update(self.now.roster.persons.keys())
            found.update(factor.party for factor in self.now.roster.factors.values())
        return frozenset(found)

    @cached_property
    def shown_terminals(self) -> Mapping[str, int]:
        """What may be shown of each observed count of terminals, by entry.

        Counts of one ground, or of one list, are one series in order of the record, whoever
        counted: else two of them that straddle a rung would tell a small difference.
        """
        series: dict[tuple[type, str], list[tuple[str, int]]] = {}
        for told in self.of(Observation):
            seen = told.body.seen
            if isinstance(seen, LossSeen | RegistrantsSeen):
                what = seen.where if isinstance(seen, LossSeen) else seen.list
                series.setdefault((type(seen), what), []).append((told.id, seen.terminals))
        found: dict[str, int] = {}
        for counted in series.values():
            shown = shown_counts(true for _, true in counted)
            found.update(zip((name for name, _ in counted), shown, strict=True))
        return MappingProxyType(found)

    def proposals_for(self, request: str) -> tuple[Proposed, ...]:
        """The proposals that answer a request, in order of the record."""
        return self._proposals_for.get(request, ())

    @cached_property
    def _proposals_for(self) -> dict[str, tuple[Proposed, ...]]:
        found: dict[str, list[Proposed]] = {}
        for proposed in self.proposals:
            found.setdefault(proposed.proposal.request, []).append(proposed)
        return {name: tuple(proposals) for name, proposals in found.items()}

    @cached_property
    def _dates(self) -> list[int]:
        # Witnessed times never fall along the record, and what is not witnessed comes last.
        return [_NEVER if each.witnessed_us is None else each.witnessed_us for each in self.told]

    @cached_property
    def _by_kind(self) -> dict[type, tuple[Told[Any], ...]]:
        found: dict[type, list[Told[Any]]] = {}
        for each in self.told:
            found.setdefault(type(each.body), []).append(each)
        return {kind: tuple(tellings) for kind, tellings in found.items()}

    @cached_property
    def _by_id(self) -> dict[str, Told[Any]]:
        return {each.id: each for each in self.told}

    @cached_property
    def _about(self) -> dict[str, tuple[Told[Any], ...]]:
        found: dict[str, list[Told[Any]]] = {}
        for each in self.told:
            subject = subject_of(each.body)
            if subject is not None:
                found.setdefault(subject, []).append(each)
        return {name: tuple(tellings) for name, tellings in found.items()}


def read(entries: Sequence[bytes], history: History) -> Chronicle:
    """Read a folded record as history.

    Args:
        entries: All that count, in order through all logs.
        history: What they were folded to.
    """
    witnessed = Witnessed(history)
    told = tuple(_told(entries, history.now, witnessed))
    return Chronicle(history, entries, told, witnessed)


class Witnessed:
    """When each entry was witnessed: by the first anchor that covers it."""

    def __init__(self, history: History) -> None:
        self._covers = [state.before + state.anchored_size for state in history.states]
        self._times = history.anchors

    def at(self, index: int) -> int | None:
        """The witnessed time of an entry, microseconds since 1970; None as long as it has none."""
        number = bisect_right(self._covers, index)
        return self._times[number] if number < len(self._times) else None


def subject_of(body: Telling) -> str | None:
    """The entry (or the alert) that something was told about; None: it stands for itself."""
    match body:
        case Claim() | Notice():
            return body.about
        case Grade():
            return body.claim
        case Disclosure():
            return body.contact
        case TieEnd():
            return body.tie
        case Verification() | Refusal():
            return body.request
        case AlertAct():
            return body.alert
        case Opening():
            return body.seal
    return None


_NEVER = 2**63


def _told(entries: Iterable[bytes], state: State, witnessed: Witnessed) -> Iterator[Told[Any]]:
    for index, data in enumerate(entries):
        kind = _TYPE.search(data, max(0, len(data) - 64))
        if kind is None or kind[1] not in _TOLD or index in state.findings:
            continue
        entry = parse_entry(data)
        yield Told(
            id=entry.envelope.id,
            index=index,
            by=entry.envelope.actor,
            witnessed_us=witnessed.at(index),
            body=cast("Telling", entry.body),
        )
