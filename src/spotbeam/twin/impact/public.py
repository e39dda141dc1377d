"""What a change would do to cells and rules: the part of an impact that people sign.

It follows from the record, the proposal and the packaged borders alone, in whole numbers, so that
every approver's machine computes the same digest from its own copy of the record, or signs
nothing. It knows no terminals, no lists' rows and no seal's contents.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
import rfc8785

from spotbeam.governance.entries.acts import DropList, PutList
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.history import intended
from spotbeam.governance.preview import as_read, reads
from spotbeam.governance.state import Proposal, State
from spotbeam.land.borders import borders_digest
from spotbeam.service.policy import Policy
from spotbeam.twin.impact.area import Place
from spotbeam.twin.impact.effects import Effect, Trial
from spotbeam.twin.impact.phases import Hours, Instant, at_hour, hours_of, silent
from spotbeam.twin.impact.references import Reference
from spotbeam.twin.impact.subject import (
    act_counts,
    proposal_digest,
    rule_ids,
    without_none,
)
from spotbeam.twin.impact.tried import Asked, Tried, tried

FORMAT = "spotbeam.org/impact/v1"


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, before and after: SHA-256 of each wording's canonical JSON; None: there is none."""

    rule: str
    before: str | None
    after: str | None


class ListChange(msgspec.Struct, frozen=True, kw_only=True):
    """One list, before and after, by version and by how many are on it; None: there is none."""

    list: str
    before: tuple[int, int] | None
    after: tuple[int, int] | None


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What the change does from one instant on, at some hours of a day.

    Attributes:
        begins_us: None: as soon as it binds.
        hours: From and until, minutes since midnight UTC; none: all day.
        effects: By the change, while the record is fresh.
        while_silent: By the change, once nothing has been heard for longer than any rule stands.
        by_silence: By such silence, once the change is in force: to those served until then.
        if_unserved: By such silence to those who were not being served when it began.
    """

    begins_us: int | None
    hours: Hours
    effects: tuple[Effect, ...]
    while_silent: tuple[Effect, ...]
    by_silence: tuple[Effect, ...]
    if_unserved: tuple[Effect, ...]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The change from one point of view on borders.

    Attributes:
        unplaced: Ground of rules of the record that these borders do not have: it is not counted.
    """

    view: str
    unplaced: tuple[str, ...]
    places: tuple[Place, ...]
    phases: tuple[Phase, ...]


class PublicImpact(msgspec.Struct, frozen=True, kw_only=True):
    """What people sign the digest of.

    Attributes:
        proposal: SHA-256 of the proposal's canonical JSON without its own `impact`.
        borders: Digest of the packaged borders.
        references: Who was tried, each with what sets it apart.
        acts: How many acts there are of each kind.
        sealed: Seals in force over the same ground, whose rules nobody may see yet.
        left_out: Phases or hours past the most that are tried; 0 nearly always.
    """

    format: str
    proposal: str
    kind: str
    borders: str
    references: tuple[tuple[str, str], ...]
    acts: Mapping[str, int]
    rules: tuple[RuleChange, ...]
    lists: tuple[ListChange, ...]
    sealed: tuple[str, ...]
    seen: tuple[Seen, ...]
    left_out: int

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the canonical JSON of all of this."""
        return sha256(rfc8785.dumps(msgspec.to_builtins(self))).hexdigest()


def public_impact(
    state: State,
    proposal: Proposal,
    id: str,
    at_us: int,
) -> PublicImpact:
    """What a proposal would do to cells and rules if it bound.

    Args:
        state: The record as folded so far.
        proposal: A draft, or a logged proposal. Its own `impact` does not matter.
        id: The id that it has or will have.
        at_us: When it would bind. The answer changes with it only where something in force does.

    Raises:
        Refused: It could not bind in this state.
    """
    proposal = as_read(proposal)
    asked = Asked.of(state, proposal, id, at_us)
    seen, hours_left_out = [], 0
    for view in asked.views:
        one, left = _seen(tried(asked, view))
        seen.append(one)
        hours_left_out = max(hours_left_out, left)
    start_us = asked.instants[0].at_us
    before, after = intended(state, start_us), intended(asked.bound, start_us)
    return PublicImpact(
        format=FORMAT,
        proposal=proposal_digest(proposal),
        kind=type(proposal).__name__.lower(),
        borders=borders_digest(),
        references=tuple((each.name, _apart(each)) for each in asked.references),
        acts=act_counts(proposal),
        rules=tuple(_rule_change(name, before.rules, after.rules) for name in rule_ids(proposal)),
        lists=tuple(_list_changes(proposal, before.lists, after.lists)),
        sealed=tuple(key for key in reads(state, proposal) if key.startswith("seal:")),
        seen=tuple(seen),
        left_out=asked.left_out + hours_left_out,
    )


def _seen(found: Tried) -> tuple[Seen, int]:
    phases, left_out = [], 0
    for instant, (before, after) in zip(found.instants, found.pairs, strict=True):
        hours, left = hours_of((before, after))
        left_out = max(left_out, left)
        phases += [
            _phase(found.trial, instant, of_day, alike, before, after) for of_day, alike in hours
        ]
    seen = Seen(
        view=found.view,
        unplaced=found.unplaced,
        places=found.trial.area.places,
        phases=tuple(phases),
    )
    return seen, left_out


def _phase(
    trial: Trial, instant: Instant, of_day_us: int, hours: Hours, before: Policy, after: Policy
) -> Phase:
    at_us = instant.at_us
    before, after = at_hour(before, of_day_us), at_hour(after, of_day_us)
    quiet_before, quiet_after = silent(before, at_us, [after]), silent(after, at_us, [before])
    while_silent: tuple[Effect, ...] = ()
    by_silence: tuple[Effect, ...] = ()
    if_unserved: tuple[Effect, ...] = ()
    if quiet_before is not None and quiet_after is not None:
        while_silent = trial.effects(quiet_before, quiet_after, at_us)
        by_silence = trial.effects(after, quiet_after, at_us)
        if_unserved = trial.effects(after, quiet_after, at_us, served=False)
    return Phase(
        begins_us=instant.begins_us,
        hours=hours,
        effects=trial.effects(before, after, at_us),
        while_silent=while_silent,
        by_silence=by_silence,
        if_unserved=if_unserved if if_unserved != by_silence else (),
    )


def _rule_change(name: str, before: Sequence[Any], after: Sequence[Any]) -> RuleChange:
    return RuleChange(rule=name, before=_wording(name, before), after=_wording(name, after))


def _wording(name: str, rules: Sequence[Any]) -> str | None:
    for each in rules:
        if each.rule.id == name:
            plain = without_none(msgspec.to_builtins(each.rule))
            return sha256(
                rfc8785.dumps([plain, without_none(msgspec.to_builtins(each.where))])
            ).hexdigest()
    return None


def _list_changes(
    proposal: Proposal, before: Sequence[PutList], after: Sequence[PutList]
) -> Iterator[ListChange]:
    if isinstance(proposal, Seal):
        return
    names = {act.list for act in proposal.acts if isinstance(act, PutList | DropList)}
    was = {act.list: (act.version, act.count) for act in before}
    will = {act.list: (act.version, act.count) for act in after}
    for name in sorted(names):
        yield ListChange(list=name, before=was.get(name), after=will.get(name))


@functools.lru_cache(maxsize=256)
def _apart(each: Reference) -> str:
    """What sets a reference apart from an ordinary terminal, as text."""
    plain = Reference(name=each.name)
    told = []
    for name in each.__struct_fields__:
        value = getattr(each, name)
        if value != getattr(plain, name):
            shown = f"{value:g}" if isinstance(value, float) else value
            shown = ",".join(value) if isinstance(value, tuple) else shown
            told.append(f"{name}={shown}")
    return " ".join(told)
