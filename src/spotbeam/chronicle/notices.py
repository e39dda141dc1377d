"""Who is owed a notice of what, by when, and whether it was served.

Every request and every proposal on some ground is told to whoever licenses service there, to the
sponsors and to the protected users whom it touches; every claim to those whom it names, so that
they may reply. It goes by the record alone: by ids of ground, by what rules and lists say of
themselves; which terminals of whom are there is in no record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

from spotbeam.chronicle.reading import Chronicle
from spotbeam.governance.entries.accounts import Claim, Interest, Notice
from spotbeam.governance.entries.acts import (
    DropList,
    DropRule,
    DropSponsor,
    PutList,
    PutRule,
    PutSponsor,
)
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.layers import lists_named
from spotbeam.governance.state import Asked, Proposed, State

Role: TypeAlias = Literal["licensor", "sponsor", "protected", "named"]
DUE_US: Mapping[Role, int] = MappingProxyType(
    {
        "licensor": 72 * HOUR_US,
        "sponsor": 7 * DAY_US,
        "protected": 7 * DAY_US,
        "named": 14 * DAY_US,
    }
)
"""From when the entry is witnessed. Ours to choose: no rule of law that we know sets them."""
PROTECTED = "protected users"
"""What the class is called in a notice: nobody among them is named."""
_NEVER = 2**63


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that is owed, and what became of it.

    Attributes:
        about: The request, proposal or claim.
        to: A party's or sponsor's id, or `protected users`.
        due_us: By when.
        status: `served`, `failed` (tried, and the record says why not), `owed`, or `overdue`.
        notice: The entry that says so.
        at_us: When it was served or tried.
    """

    about: str
    to: str
    role: Role
    due_us: int
    status: Literal["owed", "served", "failed", "overdue"]
    notice: str | None = None
    at_us: int | None = None

    @property
    def was_late(self) -> bool:
        """Whether it was served after its time."""
        return self.at_us is not None and self.at_us > self.due_us


def owed(chronicle: Chronicle, at_us: int) -> tuple[Owed, ...]:
    """Every notice that was ever owed, in order of the record.

    Args:
        chronicle: As far as it was known.
        at_us: What is unserved and due by then is overdue.
    """
    found = sorted(_all(chronicle, at_us), key=lambda pair: pair[0])
    return tuple(each for _, each in found)


def _all(chronicle: Chronicle, at_us: int) -> Iterator[tuple[int, Owed]]:
    licensors, wordings = _Licensors(chronicle), _Wordings(chronicle.now)
    for asked in chronicle.requests:
        if asked.since_us is not None:
            for party in licensors.of(asked.request.where):
                yield asked.index, _owed(chronicle, asked.id, party, "licensor", asked, at_us)
    for proposed in chronicle.proposals:
        if proposed.anchored_us is not None:
            for to, role in _touched(chronicle, licensors, wordings, proposed):
                yield proposed.index, _owed(chronicle, proposed.id, to, role, proposed, at_us)
    for claim in chronicle.of(Claim):
        if claim.witnessed_us is not None and claim.body.stance != "retracts":
            due_us = claim.witnessed_us + DUE_US["named"]
            for party in claim.body.names:
                if party != claim.body.source.party:
                    owes = _stands(chronicle, claim.id, party, "named", due_us, at_us)
                    yield claim.index, owes


class _Licensors:
    """Whoever licenses service on some ground, as of everything that is known."""

    def __init__(self, chronicle: Chronicle) -> None:
        self._all = [told.body for told in chronicle.of(Interest) if told.body.kind == "licensor"]

    def of(self, where: tuple[str, ...]) -> tuple[str, ...]:
        found = (each.party for each in self._all if may_overlap(each.where, where))
        return tuple(dict.fromkeys(found))


def _touched(
    chronicle: Chronicle, licensors: _Licensors, wordings: _Wordings, proposed: Proposed
) -> Iterator[tuple[str, Role]]:
    proposal = proposed.proposal
    where = chronicle.now.requests[proposal.request].request.where
    yield from ((party, "licensor") for party in licensors.of(where))
    if isinstance(proposal, Seal):
        return  # protected users are untouched, and sponsors would learn what is sealed
    sponsors: dict[str, None] = {}
    reaches_protected = False
    for act in proposal.acts:
        if isinstance(act, PutSponsor | DropSponsor):
            sponsors[act.sponsor] = None
        elif isinstance(act, PutRule | DropRule | PutList | DropList):
            moved = wordings.moved_by(act, proposed.proposed_us)
            reaches_protected |= any(map(_reaches_protected, moved))
            for rule in moved:
                named = rule.who.sponsor or wordings.sponsors(rule, proposed.proposed_us)
                sponsors.update(dict.fromkeys(named))
    yield from ((sponsor, "sponsor") for sponsor in sponsors)
    if reaches_protected:
        yield PROTECTED, "protected"


def _reaches_protected(rule: RuleEntry) -> bool:
    return not rule.who.protection or set(rule.who.protection) != {"none"}


class _Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says, from when it is binding until it is over or replaced for good."""

    rule: RuleEntry
    from_us: int
    until_us: int

    def stands(self, at_us: int) -> bool:
        return self.from_us <= at_us < self.until_us


class _Wordings:
    """Rules as they stood at an instant, as far as the record shows; in doubt they stand."""

    def __init__(self, state: State) -> None:
        self._of: dict[str, list[_Wording]] = {}
        self._asking: dict[str, list[_Wording]] = {}
        self._sponsored: list[_Wording] = []
        for key in sorted(key for key in state.layers if key.startswith("rule:")):
            for wording in _wordings(state, key):
                self._of.setdefault(wording.rule.id, []).append(wording)
                for name in lists_named(wording.rule):
                    self._asking.setdefault(name, []).append(wording)
                if wording.rule.who.sponsor:
                    self._sponsored.append(wording)

    def moved_by(
        self, act: PutRule | DropRule | PutList | DropList, at_us: int
    ) -> tuple[RuleEntry, ...]:
        """The rules that an act adds, takes out or changes, those that ask about a list too."""
        match act:
            case PutRule():
                return (act.rule, *_standing(self._of.get(act.rule.id, ()), at_us))
            case DropRule():
                return _standing(self._of.get(act.rule, ()), at_us)
            case PutList() | DropList():
                return _standing(self._asking.get(act.list, ()), at_us)

    def sponsors(self, moved: RuleEntry, at_us: int) -> Iterator[str]:
        """Those whose terminals other rules name on ground of this one."""
        for rule in _standing(self._sponsored, at_us):
            if may_overlap(rule.where, moved.where):
                yield from rule.who.sponsor


def _standing(wordings: Iterable[_Wording], at_us: int) -> tuple[RuleEntry, ...]:
    return tuple(each.rule for each in wordings if each.stands(at_us))


def _wordings(state: State, key: str) -> Iterator[_Wording]:
    """The wordings of one rule, newest first; those of seals are not in the record."""
    replaced_us = _NEVER
    for layer in reversed(state.layers[key]):
        change = state.changes.get(layer.change)  # none: it stands since entry 0
        bound_us = 0 if change is None else change.bound_us or 0
        until_us = _NEVER if layer.span.until_us is None else layer.span.until_us
        if isinstance(layer.act, PutRule):
            yield _Wording(
                rule=layer.act.rule, from_us=bound_us, until_us=min(until_us, replaced_us)
            )
        if layer.span.until_us is None:
            replaced_us = min(replaced_us, max(bound_us, layer.span.from_us or 0))


def _owed(
    chronicle: Chronicle, about: str, to: str, role: Role, what: Asked | Proposed, at_us: int
) -> Owed:
    since_us = what.since_us if isinstance(what, Asked) else what.anchored_us
    return _stands(chronicle, about, to, role, (since_us or 0) + DUE_US[role], at_us)


def _stands(chronicle: Chronicle, about: str, to: str, role: Role, due_us: int, at_us: int) -> Owed:
    tries = [
        told
        for told in chronicle.about(about, Notice)
        if told.body.role == role and told.body.to == to
    ]
    served = next((told for told in tries if told.body.receipt is not None), None)
    if served is not None:
        status: Literal["owed", "served", "failed", "overdue"] = "served"
    else:
        status = "failed" if tries else "overdue" if at_us >= due_us else "owed"
    shown = served or (tries[-1] if tries else None)
    return Owed(
        about=about,
        to=to,
        role=role,
        due_us=due_us,
        status=status,
        notice=None if shown is None else shown.id,
        at_us=None if shown is None else shown.body.at_us,
    )
