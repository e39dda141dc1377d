"""How a proposal or a request stands, in plain words: what it has, what it lacks, who may still."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from spotbeam.governance.binding import counting
from spotbeam.governance.entries.deciding import Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.quorum import demand_eligible, quorum_for
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import Asked, Given, Proposal, Proposed, Seated, State
from spotbeam.governance.void import Void
from spotbeam.times import format_time

Word: TypeAlias = Literal["pending", "bound", "rejected", "withdrawn", "lapsed"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """An approval, and whether it counts now.

    Attributes:
        why_not: Why it does not count, or None.
    """

    id: str
    person: str
    factor: str
    index: int
    expires_us: int
    why_not: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a proposal stands.

    Attributes:
        kind: `change`, `emergency` or `seal`.
        said: The approvals on it, in order of their index.
        missing: What it lacks, one sentence each; empty once it is bound or closed.
        may: Who may still approve, as `person (factor)`.
        bound_us, bound_index: When it became binding, and the anchor that made it so.
    """

    id: str
    kind: str
    word: Word
    request: str
    proposer: str
    index: int
    digest: str
    impact: str
    needs: QuorumRule
    said: tuple[Said, ...] = ()
    missing: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    bound_us: int | None = None
    bound_index: int | None = None
    lapses_us: int = 0


def standing(state: State, name: str) -> Standing:
    """How a proposal of the record stands."""
    proposed = state.changes[name]
    proposal = proposed.proposal
    word: Word = "lapsed" if has_lapsed(state, proposed) else proposed.status
    needs = quorum_for(state, proposed)
    counted = {each.id for each in counting(state, proposed)} if word == "pending" else set()
    given = sorted(proposed.approvals.values(), key=lambda each: each.index)
    said = tuple(_said(state, proposed, each, counted, word) for each in given)
    may = _may(state, proposed) if word == "pending" else ()
    return Standing(
        id=name,
        kind=kind_of(proposal),
        word=word,
        request=proposal.request,
        proposer=proposed.proposer,
        index=proposed.index,
        digest=proposed.digest,
        impact=proposal.impact,
        needs=needs,
        said=said,
        missing=_missing(state, proposed, needs, said, may) if word == "pending" else (),
        may=tuple(f"{person.id} ({person.factor})" for person in may),
        bound_us=proposed.bound_us,
        bound_index=proposed.bound_index,
        lapses_us=proposal.lapses_us,
    )


def has_lapsed(state: State, proposed: Proposed) -> bool:
    """Whether a proposal can bind no more."""
    return proposed.stood_still == "lapsed" or proposed.has_lapsed(state.witnessed_us)


def kind_of(proposal: Proposal) -> str:
    """What kind of proposal it is, in one word."""
    if isinstance(proposal, Seal):
        return "seal"
    return "emergency" if isinstance(proposal, Emergency) else "change"


def word_of(asked: Asked, at_us: int) -> str:
    """How a request stands at an instant: open, granted, refused, withdrawn or lapsed."""
    if asked.status != "registered":
        return asked.status
    return "lapsed" if asked.has_lapsed(at_us) else "open"


def _said(state: State, proposed: Proposed, given: Given, counted: set[str], word: Word) -> Said:
    person = state.seated.persons[given.person]
    counts = given.id in counted or word == "bound"
    return Said(
        id=given.id,
        person=person.id,
        factor=person.factor,
        index=given.index,
        expires_us=given.approval.expires_us,
        why_not=None if counts else _why_not(state, proposed, given, person),
    )


def _why_not(state: State, proposed: Proposed, given: Given, person: Seated) -> str:
    if not given.is_anchored:
        return "no witnessed checkpoint covers it yet"
    if given.approval.expires_us <= state.witnessed_us:
        return f"it expired at {format_time(given.approval.expires_us)}"
    if given.approval.reads != reads_digest(state, proposed.proposal):
        return "rules or lists that the proposal reads have moved since"
    try:
        demand_eligible(state, proposed, person, given.key, state.witnessed_us)
    except Void as fault:
        return fault.reason
    return "it does not count"


def _may(state: State, proposed: Proposed) -> tuple[Seated, ...]:
    """Who could approve now with some key of theirs, and has not."""
    persons = state.seated.persons
    done = {persons[name].human for name in proposed.approvals}
    found = []
    for name in sorted(persons):
        person = persons[name]
        if person.human in done or person.has_left:
            continue
        for key in sorted(person.keys):
            try:
                demand_eligible(state, proposed, person, key, state.witnessed_us)
            except Void:
                continue
            found.append(person)
            break
    return tuple(found)


def _missing(
    state: State,
    proposed: Proposed,
    needs: QuorumRule,
    said: tuple[Said, ...],
    may: tuple[Seated, ...],
) -> tuple[str, ...]:
    waiting = [each for each in said if each.why_not == "no witnessed checkpoint covers it yet"]
    good = [each for each in said if each.why_not is None or each in waiting]
    persons = state.seated.persons
    humans = {persons[each.person].human for each in good}
    factors = {persons[human].factor for human in humans}
    lacks = []
    if (short := needs.persons - len(humans)) > 0:
        lacks.append(f"{_counted(short, 'more approval')} of {needs.persons}")
    if (short := needs.factors - len(factors)) > 0:
        lacks.append(f"approvals from {_counted(short, 'more factor')} of {needs.factors}")
    lacks += [
        f"an approval from the factor {name}" for name in needs.must_include if name not in factors
    ]
    if lacks and not may:
        lacks.append("nobody else on the roster may approve it")
    if waiting or proposed.anchored_us is None:
        lacks.append("a witnessed checkpoint that covers it")
    if not lacks:
        why = proposed.stood_still
        lacks.append(
            f"the last checkpoint did not bind it: {why}" if why else "the next checkpoint"
        )
    return tuple(lacks)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"
