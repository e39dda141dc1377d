"""What a proposal would do, before anybody approved it: the same commit, on a copy of the state.

Nothing here asks for approvals, and nothing is written. What comes out is the state that the fold
would reach at the anchor that binds the proposal, so that a preview and its outcome cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from spotbeam.errors import Refused
from spotbeam.governance.anchors import covered
from spotbeam.governance.binding import committed
from spotbeam.governance.entries.acts import (
    AddFactor,
    AddKey,
    ConfirmContact,
    DropKey,
    DropList,
    DropRule,
    DropSponsor,
    Merge,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Review,
    Seat,
    SetQuorum,
    SetRules,
    SetWitnesses,
    Unseat,
)
from spotbeam.governance.entries.deciding import Change, Emergency, Seal
from spotbeam.governance.proposing import demand_possible
from spotbeam.governance.reads import act_key, keys_read
from spotbeam.governance.state import Layer, Proposal, Proposed, State
from spotbeam.governance.void import Void, demand
from spotbeam.times import format_time


def as_if_bound(state: State, proposal: Proposal, id: str, at_us: int) -> State:
    """The state as it would be right after the anchor at which a proposal binds.

    What is in force then is `intended(as_if_bound(…), at_us)`; for a later window or stage, ask
    for that instant. Everything else that is in the log by now counts as witnessed at that anchor
    too; other proposals do not bind there.

    Args:
        state: The record as folded so far.
        proposal: A draft, or a proposal that is in the log.
        id: The id that it has or will have; a seal's commitment is bound to it.
        at_us: Witnessed time of the anchor; earlier than the last one's counts as that.

    Raises:
        Refused: It could not bind in this state, whoever approved it.
    """
    at_us = max(at_us, state.witnessed_us)
    known = state.changes.get(id)
    drafted = Proposed(
        id=id,
        digest="",
        proposal=proposal,
        proposer="",
        index=state.newest + 1,
        proposed_us=state.witnessed_us,
    )
    proposed = drafted if known is None else known
    try:
        demand(known is None or known.proposal == proposal, "repeated", "the id means another one")
        demand(proposed.status == "pending", "decided", f"the proposal is {proposed.status}")
        demand(
            proposal.request in state.requests, "unknown", f"there is no request {proposal.request}"
        )
        asked = state.requests[proposal.request]
        demand(asked.status == "registered", "answered", "the request has its answer")
        demand(not asked.has_lapsed(at_us), "lapsed", "the request has lapsed by then")
        demand(proposal.lapses_us > at_us, "lapsed", "the proposal has lapsed by then")
        after = replace(
            state,
            witnessed_us=at_us,
            anchored_size=state.size,
            changes=state.changes.insert(id, replace(proposed, anchored_us=at_us)),
        )
        after = covered(after, state.newest + 1)
        demand_possible(after, proposal, id)
        return committed(after, after.changes[id], None)
    except Void as fault:
        raise Refused(fault.code, fault.reason) from None


def touches(state: State, proposal: Proposal) -> tuple[str, ...]:
    """What a proposal does, in plain words, an act a line; foreign text is not escaped here."""
    if isinstance(proposal, Seal):
        bounds = proposal.bounds
        return (
            f"a sealed {bounds.verb} within {len(bounds.cells)} cells, about "
            f"{', '.join(bounds.where)}, for {_hours(bounds.lasts_us)} at most; to be opened by "
            f"{format_time(proposal.open_by_us)}; protected users are untouched",
        )
    return (*_timing(proposal), *(_act(state, act) for act in proposal.acts))


def reads(state: State, proposal: Proposal) -> tuple[str, ...]:
    """What else a proposal depends on, sorted: if any of it moves, its approvals fall.

    As `rule:…`, `list:…`, `sponsor:…`, `boundaries:…` and `seal:…`, without what it touches.
    """
    own: set[str | None] = set()
    if not isinstance(proposal, Seal):
        own = {act_key(act) for act in proposal.acts}
    return tuple(sorted(keys_read(state, proposal) - own))


def rivals(state: State, proposal: Proposal, id: str) -> tuple[str, ...]:
    """Pending proposals that touch something which this one touches or reads, sorted."""
    mine = keys_read(state, proposal)
    found = []
    for name in sorted(state.pending):
        other = state.changes[name].proposal
        if name == id or isinstance(other, Seal):
            continue
        if any(act_key(act) in mine for act in other.acts):
            found.append(name)
    return tuple(found)


def _timing(proposal: Change | Emergency) -> Iterator[str]:
    if isinstance(proposal, Emergency):
        yield f"an emergency action, for {_hours(proposal.lasts_us)} from when it binds"
        return
    window = proposal.window
    if window.from_us is not None:
        yield f"in effect from {format_time(window.from_us)}"
    if window.until_us is not None:
        yield f"until {format_time(window.until_us)}, when what was there before comes back"
    for stage in proposal.rollout:
        yield f"reaches {_some(stage.where)} at {format_time(stage.from_us)}"


def _act(state: State, act: object) -> str:
    match act:
        case PutRule(rule=rule):
            gate = f" at the {rule.gate} gate" if rule.gate else ""
            what = f"{rule.effect}{gate}, {_some(rule.where) or 'everywhere'}"
            what += f", except {_some(rule.except_)}" if rule.except_ else ""
            known = f"rule:{rule.id}" in state.layers
            return f"{'changes' if known else 'brings in'} rule {rule.id}: {what}"
        case DropRule():
            return f"takes out rule {act.rule}"
        case PutList():
            before = _latest(state, act.list)
            was = "" if before is None else f", after version {before.version} with {before.count}"
            return f"list {act.list}: version {act.version} with {act.count} terminals{was}"
        case DropList():
            return f"takes out list {act.list}"
        case PutSponsor():
            end = "without end" if act.until_us is None else f"until {format_time(act.until_us)}"
            return f"sponsor {act.sponsor}: pays {end}"
        case DropSponsor():
            return f"takes out sponsor {act.sponsor}"
        case PutBoundaries(boundaries=each):
            return f"draws point of view {each.view} with other borders: {each.source}"
        case _:
            return _act_on_people(act)


def _act_on_people(act: object) -> str:
    match act:
        case Seat():
            return f"seats {act.person.id} in {act.person.factor}, 72 hours after it binds"
        case Unseat():
            return f"takes the seat of {act.person}"
        case AddKey():
            return f"gives {act.person} another key, 72 hours after it binds"
        case DropKey():
            return f"takes a key from {act.person}"
        case Merge():
            return f"counts {act.person} and {act.same_as} as one human"
        case AddFactor(factor=factor):
            return f"adds the factor {factor.id}, filled by {factor.party}"
        case SetQuorum(quorum=quorum):
            return (
                f"asks for {quorum.persons} persons of {quorum.factors} factors from 72 hours "
                "after it binds"
            )
        case SetWitnesses(witness_quorum=quorum):
            names = ", ".join(sorted(quorum.organisations))
            return f"sets the witness quorum to one among {names}"
        case SetRules():
            return f"raises the rules version to {act.version}"
        case ConfirmContact():
            return f"confirms the contact {act.contact}"
        case Review():
            return f"reviews the emergency {act.emergency}: {act.finding}"
        case _:
            return type(act).__name__


def _latest(state: State, name: str) -> PutList | None:
    layers: tuple[Layer, ...] = state.layers.get(f"list:{name}", ())
    acts = [layer.act for layer in layers if isinstance(layer.act, PutList)]
    return max(acts, key=lambda act: act.version, default=None)


def _some(places: tuple[str, ...]) -> str:
    shown = ", ".join(places[:6])
    return f"{shown} and {len(places) - 6} more" if len(places) > 6 else shown


def _hours(span_us: int) -> str:
    hours = span_us / 3_600_000_000
    return f"{hours:g} hours" if hours < 48 else f"{hours / 24:g} days"
