"""A proposal tried out: the cells of its ground, the terminals to try, the policies to try them on.

One for each point of view on borders; what is signed and what is drawn are counted from the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.history import intended
from spotbeam.governance.policy import policy
from spotbeam.governance.preview import as_if_bound
from spotbeam.governance.state import Proposal, State
from spotbeam.land import views
from spotbeam.land.cells import is_cell
from spotbeam.land.territories import ground as ground_of
from spotbeam.service.policy import Policy
from spotbeam.service.rules import Rule
from spotbeam.twin.impact.area import area_of
from spotbeam.twin.impact.effects import Trial
from spotbeam.twin.impact.phases import Instant, instants_of
from spotbeam.twin.impact.placing import placed, unplaced
from spotbeam.twin.impact.references import Reference, references_for, with_references
from spotbeam.twin.impact.subject import (
    bounds_rule,
    sponsors_of,
    staged_ground,
    wordings_of,
)


class Asked(NamedTuple):
    """What is asked about one proposal, from whatever point of view.

    Attributes:
        bound: The state once it has bound.
        wordings: Every wording of the rules that it touches.
        instants: Where each of its phases begins; `left_out` more are not looked at.
        views: The record's points of view that these borders know; `un` where it has none.
    """

    state: State
    bound: State
    proposal: Proposal
    id: str
    wordings: tuple[Rule, ...]
    references: tuple[Reference, ...]
    instants: tuple[Instant, ...]
    left_out: int
    views: tuple[str, ...]

    @classmethod
    def of(cls, state: State, proposal: Proposal, id: str, at_us: int) -> Asked:
        """What follows from the record and the proposal.

        Raises:
            Refused: It could not bind in this state.
        """
        bound = as_if_bound(state, proposal, id, at_us)
        wordings = wordings_of(state, proposal, id)
        instants, left_out = instants_of(proposal, wordings, at_us)
        return cls(
            state=state,
            bound=bound,
            proposal=proposal,
            id=id,
            wordings=wordings,
            references=references_for(wordings, sponsors_of(proposal)),
            instants=instants,
            left_out=left_out,
            views=_views(bound, instants[0].at_us),
        )


class Tried(NamedTuple):
    """A proposal on the ground of one point of view.

    Attributes:
        pairs: The policies before and after, for each instant.
        unplaced: Ground of rules of the record that these borders do not have.
    """

    view: str
    trial: Trial
    instants: tuple[Instant, ...]
    pairs: tuple[tuple[Policy, Policy], ...]
    unplaced: tuple[str, ...]


def tried(asked: Asked, view: str) -> Tried:
    """The cells, the references and the policies for one point of view."""
    pairs = [_pair(asked, instant) for instant in asked.instants]
    everything = [each for pair in pairs for each in pair]
    names = {name for rule in asked.wordings for name in (*rule.where, *rule.except_)}
    names.update(staged_ground(asked.proposal))
    every_rule = (*asked.wordings, *(rule for each in everything for rule in each.rules))
    ground = ground_of(view, cells=named_cells(every_rule))
    known = set(ground.ids())
    area = area_of(
        ground,
        sorted(names & known),
        max((rule.guard_km for rule in every_rule), default=0.0),
        everywhere=any(not rule.where for rule in asked.wordings),
    )
    return Tried(
        view=view,
        trial=Trial(ground, area, asked.references),
        instants=asked.instants,
        pairs=tuple((placed(before, known), placed(after, known)) for before, after in pairs),
        unplaced=unplaced(every_rule, known),
    )


def named_cells(rules: Iterable[Rule]) -> tuple[str, ...]:
    """The cells that some rules name, sorted; ids that are no cells' are left out."""
    names = {name for rule in rules for name in (*rule.where, *rule.except_)}
    return tuple(sorted(name for name in names if name.startswith("h3:") and is_cell(name)))


def _pair(asked: Asked, instant: Instant) -> tuple[Policy, Policy]:
    at_us = instant.at_us
    before = policy(intended(asked.state, at_us), witnessed_at_us=at_us)
    after = policy(intended(asked.bound, at_us), witnessed_at_us=at_us)
    if isinstance(asked.proposal, Seal):
        rules = (*after.rules, bounds_rule(asked.id, asked.proposal))
        after = msgspec.structs.replace(after, rules=rules, version="")
    return with_references(before, asked.references), with_references(after, asked.references)


def _views(bound: State, at_us: int) -> tuple[str, ...]:
    """The record's points of view that these borders know; `un` where it has none."""
    known = set(views.names())
    found = sorted(each.view for each in intended(bound, at_us).boundaries if each.view in known)
    return tuple(found) or ("un",)
