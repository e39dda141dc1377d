"""Decisions: how requests ended, when, over which ground, and who had a part in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.words import places_words
from spotbeam.governance.entries.acts import DropSponsor, PutSponsor
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.quorum import ground_of
from spotbeam.governance.roster import human_of
from spotbeam.governance.state import Asked, Proposed

Outcome: TypeAlias = Literal["granted", "refused", "lapsed"]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """How a request ended.

    Attributes:
        id: The change that answered it, or the request itself.
        at_us: When it took effect: bound, refused (as witnessed), or past its answer time.
        index: The entry with which it was taken; None: it follows from time alone.
        where: The ground that it is about; empty means everywhere.
        chain: Persons and parties who proposed, approved, refused, asked, registered or pay.
    """

    id: str
    outcome: Outcome
    asked: Asked
    at_us: int
    index: int | None
    where: tuple[str, ...]
    chain: frozenset[str]
    evidence: tuple[str, ...]

    @property
    def delay_us(self) -> int:
        """From when the request was witnessed."""
        return max(0, self.at_us - (self.asked.since_us or self.at_us))

    @property
    def says(self) -> str:
        """The decision in a few words."""
        verb, where = self.asked.request.verb, places_words(self.where)
        if self.outcome == "lapsed":
            return f"the request {self.asked.id} to {verb} in {where} lapsed unanswered"
        if self.outcome == "refused":
            return f"the request {self.asked.id} to {verb} in {where} was refused"
        return f"{self.id}, for the request {self.asked.id} to {verb} in {where}, took effect"


def decisions(chronicle: Chronicle, at_us: int) -> tuple[Decision, ...]:
    """Every decision up to an instant, in order of time."""
    found = _Deciding(chronicle).all(at_us)
    return tuple(sorted(found, key=lambda each: (each.at_us, each.id)))


class _Deciding:
    def __init__(self, chronicle: Chronicle) -> None:
        self.chronicle = chronicle
        self.roster = chronicle.now.roster
        persons = {} if self.roster is None else dict(self.roster.persons.items())
        self.approvers = tuple(
            name
            for name, person in persons.items()
            if "approver" in person.roles and not person.has_left
        )
        self.ids_of: dict[str, set[str]] = {}
        for name, person in persons.items():
            self.ids_of.setdefault(person.human, set()).add(name)
        parties = set() if self.roster is None else {f.party for f in self.roster.factors.values()}
        # Persons of the parties that seat the deciders: nobody there is out of the chain.
        self.owners = frozenset(
            told.body.party
            for told in chronicle.parties.values()
            if told.body.kind == "person" and told.body.part_of in parties
        )

    def all(self, at_us: int) -> Iterator[Decision]:
        bound: dict[str, Proposed] = {
            each.proposal.request: each
            for each in self.chronicle.proposals
            if each.bound_us is not None
        }
        for asked in self.chronicle.requests:
            proposed = bound.get(asked.id)
            if proposed is not None and proposed.bound_us is not None:
                yield self.granted(asked, proposed, proposed.bound_us)
            elif asked.status == "refused":
                yield from self.refused(asked)
            elif asked.since_us is not None and asked.has_lapsed(at_us):
                yield Decision(
                    id=asked.id,
                    outcome="lapsed",
                    asked=asked,
                    at_us=asked.request.answer_by_us,
                    index=None,
                    where=asked.request.where,
                    # Whoever could have answered and did not had a part in it.
                    chain=self.chain(asked, *self.approvers),
                    evidence=(asked.id,),
                )

    def refused(self, asked: Asked) -> Iterator[Decision]:
        for refusal in self.chronicle.about(asked.id, Refusal):
            if refusal.witnessed_us is not None:
                yield Decision(
                    id=asked.id,
                    outcome="refused",
                    asked=asked,
                    at_us=refusal.witnessed_us,
                    index=refusal.index,
                    where=asked.request.where,
                    chain=self.chain(asked, refusal.by),
                    evidence=(asked.id, refusal.id),
                )

    def granted(self, asked: Asked, proposed: Proposed, bound_us: int) -> Decision:
        sponsors: tuple[str, ...] = ()
        if not isinstance(proposed.proposal, Seal):
            sponsors = tuple(
                act.sponsor
                for act in proposed.proposal.acts
                if isinstance(act, PutSponsor | DropSponsor)
            )
        return Decision(
            id=proposed.id,
            outcome="granted",
            asked=asked,
            at_us=bound_us,
            index=proposed.bound_index,
            where=ground_of(self.chronicle.now, proposed),
            chain=self.chain(asked, proposed.proposer, *sorted(proposed.approvals), *sponsors),
            evidence=(asked.id, proposed.id),
        )

    def chain(self, asked: Asked, *people: str) -> frozenset[str]:
        request = asked.request
        names = {*people, asked.signed_by, request.asker, request.on_behalf_of or ""} - {""}
        for name in tuple(names):
            human = None if self.roster is None else human_of(self.roster, name)
            names |= self.ids_of.get(human or "", set())
        return frozenset(names | self.owners)
