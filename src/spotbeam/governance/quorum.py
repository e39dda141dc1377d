"""Who may approve a proposal, and whether enough of them did: separation of duties.

Two natural persons of two factors at least, none of them the proposer or the requester under any
id of theirs, none kept away by a contact, none seated or given a key after the proposal.
"""

from __future__ import annotations

from collections.abc import Iterable

from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.deciding import Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.ground import may_overlap, same_country
from spotbeam.governance.roster import human_of
from spotbeam.governance.state import Given, Proposed, Seated, State
from spotbeam.governance.void import demand

CONTACT_COUNTS_US = 90 * DAY_US
"""From when it is recorded until this long after it happened, a contact keeps its person from
approving anything on that ground."""
EMERGENCY = QuorumRule(persons=2, factors=2)


def demand_eligible(state: State, proposed: Proposed, person: Seated, key: str, at_us: int) -> None:
    """Void the word of somebody who may not decide on this proposal."""
    demand(not person.has_left, "not_seated", "the approver has no seat any more")
    demand("approver" in person.roles, "not_approver", "the person's seat does not approve")
    seated_key = person.keys.get(key)
    demand(seated_key is not None and not seated_key.is_revoked, "revoked", "the key is revoked")
    assert seated_key is not None
    demand(
        max(person.from_us, seated_key.from_us) <= proposed.proposed_us,
        "newcomer",
        "a new person or key approves only what is proposed later",
    )
    demand(
        person.human not in parties_to(state, proposed),
        "own_proposal",
        "whoever proposed or asked does not approve",
    )
    for name in state.contacts_of.get(person.id, ()):
        touched = state.contacts[name]
        since_us = touched.contact.at_us
        demand(
            not (
                touched.counts
                and at_us < since_us + CONTACT_COUNTS_US
                and may_overlap(touched.contact.where, ground_of(state, proposed))
            ),
            "recused",
            "a contact with a party that has an interest in this ground",
        )


def parties_to(state: State, proposed: Proposed) -> frozenset[str]:
    """The humans on the roster who proposed it, asked for it, or are asked for."""
    asked = state.requests[proposed.proposal.request]
    names = (
        proposed.proposer,
        asked.signed_by,
        asked.request.asker,
        asked.request.on_behalf_of,
    )
    humans = (human_of(state.seated, name) for name in names)
    return frozenset(human for human in humans if human is not None)


def ground_of(state: State, proposed: Proposed) -> tuple[str, ...]:
    """The ground that a proposal is about; empty means everywhere."""
    proposal = proposed.proposal
    request = state.requests[proposal.request].request
    if not request.where:
        return ()
    if isinstance(proposal, Seal):
        return (*request.where, *proposal.bounds.where, *proposal.bounds.cells)
    names = set(request.where)
    for act in proposal.acts:
        places: tuple[str, ...] | None = None
        if isinstance(act, PutRule):
            places = act.rule.where
        elif isinstance(act, DropRule):
            places = rule_ground(state, act.rule)
        if places is not None and not places:
            return ()
        names.update(places or ())
    return tuple(sorted(names))


def rule_ground(state: State, rule: str) -> tuple[str, ...]:
    """The ground of every wording that a rule has or had; empty means everywhere."""
    names: set[str] = set()
    for layer in state.layers.get(f"rule:{rule}", ()):
        if isinstance(layer.act, PutRule):
            if not layer.act.rule.where:
                return ()
            names.update(layer.act.rule.where)
    return tuple(sorted(names))


def quorum_for(state: State, proposed: Proposed) -> QuorumRule:
    """How many must agree to this proposal, in this state."""
    full = state.seated.quorum_at(state.witnessed_us)
    if not isinstance(proposed.proposal, Emergency):
        return full
    ground = ground_of(state, proposed)
    for name in sorted(state.unreviewed):
        if same_country(state.unreviewed[name], ground):
            return full
    return EMERGENCY


def allows_emergencies(state: State) -> bool:
    """Whether the full quorum is larger than that of an emergency."""
    full = state.seated.quorum_at(state.witnessed_us)
    return full.persons > EMERGENCY.persons or full.factors > EMERGENCY.factors


def is_met(state: State, quorum: QuorumRule, approvals: Iterable[Given]) -> bool:
    """Whether these approvals are enough: persons AND factors AND the factors that must be there.

    A human with several ids counts once, in the factor of the id that stands for them.
    """
    return is_enough(state, quorum, (given.person for given in approvals))


def is_enough(state: State, quorum: QuorumRule, names: Iterable[str]) -> bool:
    """As `is_met`, of people."""
    persons = state.seated.persons
    humans = {persons[name].human for name in names}
    factors = {persons[human].factor for human in humans}
    return (
        len(humans) >= quorum.persons
        and len(factors) >= quorum.factors
        and factors.issuperset(quorum.must_include)
    )
