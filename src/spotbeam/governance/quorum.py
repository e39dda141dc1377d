"""Who may approve a proposal, and whether enough of them did: separation of duties.

Two natural persons of two factors at least, none of them the proposer or the requester under any
id of theirs, none kept away by a contact, none seated or given a key after the proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spotbeam.governance.entries.acts import DropList, DropRule, ExtendSeal, PutList, PutRule
from spotbeam.governance.entries.deciding import Change, Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule, SmallRule
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.ground import countries, is_cell, may_overlap, same_country
from spotbeam.governance.layers import reached, stages_of
from spotbeam.governance.roster import human_of
from spotbeam.governance.state import Given, Proposal, Proposed, Seated, State
from spotbeam.governance.void import demand

CONTACT_COUNTS_US = 90 * DAY_US
"""From when it is recorded until this long after it happened, a contact keeps its person from
approving anything on that ground; a tie until this long after its end."""
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
    for name in contacts_of(state, person):
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
    for name in ties_of(state, person):
        tied = state.ties[name]
        demand(
            not (
                tied.counts
                and tied.tie.from_us <= at_us
                and (tied.until_us is None or at_us < tied.until_us + CONTACT_COUNTS_US)
                and may_overlap(tied.tie.where, ground_of(state, proposed))
            ),
            "recused",
            "a tie to a party that has an interest in this ground",
        )


def contacts_of(state: State, person: Seated) -> Iterator[str]:
    """The contacts of a human: whoever has several ids has those of all of them."""
    for name, each in state.seated.persons.items():
        if each.human == person.human:
            yield from state.contacts_of.get(name, ())


def ties_of(state: State, person: Seated) -> Iterator[str]:
    """The ties of a human that name some ground, under any of their ids."""
    for name, each in state.seated.persons.items():
        if each.human == person.human:
            yield from (id for id in state.ties_of.get(name, ()) if state.ties[id].tie.where)


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
        if isinstance(act, PutRule | DropRule):
            places = act_ground(state, proposal, act)
        elif isinstance(act, PutList | DropList):
            places = _list_ground(state, act.list)
        elif isinstance(act, ExtendSeal):
            places = sealed_ground(state, act.seal)
        if places is not None and not places:
            return ()
        names.update(places or ())
    return tuple(sorted(names))


def act_ground(state: State, proposal: Proposal, act: PutRule | DropRule) -> tuple[str, ...]:
    """The ground that an act on a rule moves; empty means everywhere.

    Another wording also takes away what the rule did where it stood before.
    """
    if isinstance(act, DropRule):
        return rule_ground(state, act.rule)
    places = reached(act.rule, stages_of(proposal))
    if f"rule:{act.rule.id}" not in state.layers:
        return places
    before = rule_ground(state, act.rule.id)
    return tuple(dict.fromkeys((*places, *before))) if places and before else ()


def _list_ground(state: State, name: str) -> tuple[str, ...] | None:
    """The ground of the rules that ask about a list; None where none does."""
    grounds = [
        rule_ground(state, key.removeprefix("rule:")) for key in state.rules_naming.get(name, ())
    ]
    if not grounds:
        return None
    return tuple({place for ground in grounds for place in ground}) if all(grounds) else ()


def sealed_ground(state: State, name: str) -> tuple[str, ...]:
    """The ground within the bounds of a seal; nothing where there is no such seal."""
    proposed = state.changes.get(name)
    if proposed is None or not isinstance(proposed.proposal, Seal):
        return ()
    return (*proposed.proposal.bounds.where, *proposed.proposal.bounds.cells)


def rule_ground(state: State, rule: str) -> tuple[str, ...]:
    """The ground of every wording that a rule has or had; empty means everywhere."""
    standing = state.standing.get(f"rule:{rule}")
    return () if standing is None else standing.ground


def full_quorum(state: State) -> QuorumRule:
    """The full quorum in force."""
    return state.seated.quorum_at(state.witnessed_us)


def quorum_for(state: State, proposed: Proposed) -> QuorumRule:
    """How many must agree to this proposal, in this state."""
    full = full_quorum(state)
    if isinstance(proposed.proposal, Change):
        small = full.small
        if small is None or not is_small(state, proposed.proposal, small):
            return full
        return QuorumRule(
            persons=small.persons, factors=small.factors, must_include=full.must_include
        )
    if not isinstance(proposed.proposal, Emergency):
        return full
    ground = ground_of(state, proposed)
    for name in sorted(state.unreviewed):
        if same_country(state.unreviewed[name], ground):
            return full
    return EMERGENCY


def is_small(state: State, change: Change, small: SmallRule) -> bool:
    """Whether a change may pass by the rule for small ones.

    Its request names places of one country, its acts are rules on fine cells and nothing else, and
    with all cells that small changes moved before they are few enough. Which country a cell is in
    its id does not say, so cells count together wherever their requests say they are: asking under
    another country's name gains nothing.
    """
    cells = moved_cells(state, change)
    return (
        small_country(state, change) is not None
        and bool(cells)
        and all(is_cell(cell, small.resolution) for cell in cells)
        and len(cells.union(*state.moved.values())) <= small.cells
    )


def moved_cells(state: State, change: Change) -> frozenset[str]:
    """The ground of a change that is nothing but rules on ground of their own; else none."""
    names: set[str] = set()
    for act in change.acts:
        if isinstance(act, PutRule):
            if not act.rule.where or act.rule.guard_km != "0":
                return frozenset()
            names.update(reached(act.rule, stages_of(change)))
        elif not isinstance(act, DropRule):
            return frozenset()
        key = act.rule.id if isinstance(act, PutRule) else act.rule
        for layer in state.layers.get(f"rule:{key}", ()):
            if isinstance(layer.act, PutRule):
                if not layer.act.rule.where or layer.act.rule.guard_km != "0":
                    return frozenset()
                names.update(reached(layer.act.rule, layer.stages))
    return frozenset(names)


def small_country(state: State, change: Change) -> str | None:
    """The one country whose places a change's request names; None for several, or for others."""
    found = countries(state.requests[change.request].request.where)
    return next(iter(found)) if len(found) == 1 and "*" not in found else None


def allows_emergencies(state: State) -> bool:
    """Whether the full quorum is larger than that of an emergency."""
    full = full_quorum(state)
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
