"""Proposals: what a change, an emergency or a seal must be before anybody can approve it."""

from __future__ import annotations

from typing import get_args

from msgspec.structs import replace

from spotbeam.errors import RuleError
from spotbeam.governance.asking import open_request
from spotbeam.governance.entries import Entry
from spotbeam.governance.entries.acts import (
    Act,
    CloseLog,
    ConfirmContact,
    DropList,
    DropRule,
    DropSponsor,
    ExtendSeal,
    PolicyAct,
    PutList,
    PutRule,
    Review,
    RosterAct,
    SetRules,
    SetWitnesses,
    SilenceAlerts,
)
from spotbeam.governance.entries.deciding import Change, Emergency, Seal
from spotbeam.governance.entries.rules import rule_of
from spotbeam.governance.entries.words import Grounds, Span
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.layers import lists_named
from spotbeam.governance.quorum import act_ground, allows_emergencies, rule_ground, sealed_ground
from spotbeam.governance.reads import act_key
from spotbeam.governance.roster import altered
from spotbeam.governance.seals import demand_extendable
from spotbeam.governance.state import Layer, Proposal, Proposed, Seated, State
from spotbeam.governance.testimony import demand_silence, demand_unconfirmed, demand_verified
from spotbeam.governance.void import Void, demand
from spotbeam.governance.witnesses import next_policy, worthy_policy

_POLICY_ACTS = get_args(PolicyAct)
_ROSTER_ACTS = get_args(RosterAct)


def proposed(state: State, entry: Entry, body: Proposal, person: Seated) -> State:
    """Take in a proposal; it has no effect until a quorum has approved it and it is witnessed."""
    name = entry.envelope.id
    open_request(state, body.request)
    demand(body.lapses_us > state.witnessed_us, "too_late", "the proposal has lapsed already")
    demand_possible(state, body, name)
    found = Proposed(
        id=name,
        digest=entry.digest,
        proposal=body,
        proposer=person.id,
        index=state.newest,
        proposed_us=state.witnessed_us,
    )
    return replace(
        state,
        changes=state.changes.insert(name, found),
        by_digest=state.by_digest.insert(entry.digest, name),
        pending=state.pending.insert(name, found.index),
        awaiting=state.awaiting.insert(found.index, ("proposal", name)),
    )


def window_of(proposal: Proposal) -> Span:
    """The effect window that approvals must name; only a change has one of its own."""
    return proposal.window if isinstance(proposal, Change) else Span()


def demand_possible(state: State, proposal: Proposal, name: str) -> None:
    """Void a proposal that could not be carried out in this state.

    It is asked twice: when it is proposed, and when it would bind.
    """
    demand_verified(state, proposal.request)
    _demand_grounds(state, proposal.grounds)
    if isinstance(proposal, Seal):
        _demand_seal(state, proposal)
        return
    keys = [key for key in map(act_key, proposal.acts) if key is not None]
    demand(len(set(keys)) == len(keys), "repeated", "two acts are on one thing")
    if isinstance(proposal, Emergency):
        demand(
            allows_emergencies(state),
            "no_emergencies",
            "the full quorum is as small as that of an emergency: propose a change",
        )
    elif len(keys) != len(proposal.acts):
        demand(not keys, "mixed", "acts with a window and acts that happen once are two changes")
        demand(
            proposal.window == Span() and not proposal.rollout,
            "window",
            "an act on people, witnesses or rules versions has no window",
        )
    if isinstance(proposal, Change):
        _demand_schedule(state, proposal)
    _demand_acts(state, proposal, name)


def _demand_grounds(state: State, grounds: Grounds) -> None:
    for ground in grounds:
        demand(
            ground.until_us is None or ground.until_us > state.witnessed_us,
            "ground_expired",
            f"the ground {ground} has ended",
        )
        demand(
            ground.from_us is None or ground.from_us <= state.witnessed_us,
            "ground_not_yet",
            f"the ground {ground} does not hold yet",
        )


def _demand_seal(state: State, seal: Seal) -> None:
    late = [name for name, by_us in state.overdue_from.items() if by_us <= state.witnessed_us]
    demand(not late, "seal_overdue", "another seal should have been opened")
    demand(seal.open_by_us > state.witnessed_us, "too_late", "its opening is due already")
    demand(
        all(cell.startswith("h3:") for cell in seal.bounds.cells),
        "bounds",
        "the largest set of cells is a set of cells",
    )


def _demand_schedule(state: State, change: Change) -> None:
    window = change.window
    demand(not window.is_empty, "window", "the window ends before it begins")
    demand(
        window.until_us is None or window.until_us > state.witnessed_us,
        "window",
        "the window is past",
    )
    previous = -1 if window.from_us is None else window.from_us - 1
    for stage in change.rollout:
        demand(stage.from_us > previous, "rollout", "the stages are not in order of time")
        previous = stage.from_us
        demand(
            window.until_us is None or stage.from_us < window.until_us,
            "rollout",
            "a stage begins after the end",
        )
    if not change.rollout:
        return
    for act in change.acts:
        demand(isinstance(act, PutRule), "rollout", "only rules are rolled out ground by ground")
        assert isinstance(act, PutRule)
        # Two wordings of one rule cannot stand side by side on parts of its ground.
        demand(
            f"rule:{act.rule.id}" not in state.layers, "rollout", "a roll-out brings in new rules"
        )
        for stage in change.rollout:
            demand(
                all(place.startswith("h3:") or place in act.rule.where for place in stage.where),
                "rollout",
                "a stage is of cells, or of ground that the rule names",
            )


def _demand_acts(state: State, proposal: Change | Emergency, name: str) -> None:
    lists = {act.list for act in proposal.acts if isinstance(act, PutList)}
    dropped = {act.rule for act in proposal.acts if isinstance(act, DropRule)}
    roster = state.seated
    for act in proposal.acts:
        if isinstance(act, PutRule):
            _demand_rule(state, act, proposal, lists)
        elif isinstance(act, DropRule):
            _demand_dropped(state, act, proposal)
        elif isinstance(act, _ROSTER_ACTS):
            roster = altered(state, roster, act, name, state.witnessed_us)
        else:
            _demand_other(state, act, proposal, dropped)
            if isinstance(act, CloseLog):
                _demand_here(state, name)


def _demand_rule(state: State, act: PutRule, proposal: Change | Emergency, lists: set[str]) -> None:
    rule = act.rule
    try:
        rule_of(rule)
    except RuleError as fault:
        raise Void("rule", fault.message[:300]) from None
    stated = {str(ground) for ground in proposal.grounds}
    demand(stated.issuperset(rule.grounds), "grounds", "a rule cites a ground that nobody stated")
    demand(
        rule.emergency == isinstance(proposal, Emergency),
        "emergency",
        "a rule is marked as an emergency action exactly if it is one",
    )
    if isinstance(proposal, Emergency):
        demand(rule.where, "emergency", "an emergency action says where")
    for named in lists_named(rule):
        demand(
            named in lists or _stands(state, f"list:{named}"), "unknown", "there is no such list"
        )
    _demand_asked(state, proposal, act_ground(state, proposal, act))


def _demand_dropped(state: State, act: DropRule, proposal: Change | Emergency) -> None:
    demand(_stands(state, f"rule:{act.rule}"), "unknown", "there is no such rule")
    ground = rule_ground(state, act.rule)
    if isinstance(proposal, Emergency):
        demand(ground, "emergency", "an emergency action says where")
    _demand_asked(state, proposal, ground)


def _demand_asked(state: State, proposal: Proposal, ground: tuple[str, ...]) -> None:
    """A request about one country does not carry a change in another."""
    where = state.requests[proposal.request].request.where
    demand(
        (ground or not where) and all(may_overlap((place,), where) for place in ground),
        "not_asked",
        "a rule is about ground that the request does not name",
    )


def _demand_other(state: State, act: Act, proposal: Proposal, dropped: set[str]) -> None:
    match act:
        case PutList():
            demand(
                act.version == latest_version(state, act.list) + 1,
                "list_version",
                "a list's next version follows its last",
            )
        case DropList():
            demand(_stands(state, f"list:{act.list}"), "unknown", "there is no such list")
            for key in state.rules_naming.get(act.list, ()):
                for layer in state.layers[key]:
                    if isinstance(layer.act, PutRule) and key.removeprefix("rule:") not in dropped:
                        demand(
                            act.list not in lists_named(layer.act.rule) or _is_over(state, layer),
                            "list_needed",
                            "a rule still asks about the list",
                        )
        case DropSponsor():
            demand(_stands(state, f"sponsor:{act.sponsor}"), "unknown", "there is no such sponsor")
        case SetWitnesses():
            worthy_policy(act.witness_quorum, state.origin)
        case ExtendSeal():
            demand_extendable(state, act)
            _demand_asked(state, proposal, sealed_ground(state, act.seal))
        case CloseLog():
            next_policy(state, act.origin, act.witness_quorum)
        case SetRules():
            demand(act.version > state.rules_version, "rules_version", "rules versions only go up")
        case ConfirmContact():
            demand_unconfirmed(state, act.contact)
        case SilenceAlerts():
            demand_silence(state, act)
        case Review():
            demand(
                act.emergency in state.unreviewed, "unknown", "there is no such emergency to review"
            )
        case _:
            pass


def _demand_here(state: State, name: str) -> None:
    """A log is closed by what was proposed in it: people agreed to leave that one, no later one."""
    at = state.seen.get(name)
    demand(
        at is None or at >= state.before,
        "other_log",
        "it was proposed in a log that the record has left since",
    )


def latest_version(state: State, name: str) -> int:
    """The newest version of a list that ever bound; 0 where there is none."""
    for layer in reversed(state.layers.get(f"list:{name}", ())):
        if isinstance(layer.act, PutList):
            return layer.act.version  # each follows the one before
    return 0


def _stands(state: State, key: str) -> bool:
    """Whether a thing is or will be there: some layer that is not over brings it in."""
    return any(
        not isinstance(layer.act, DropRule | DropList | DropSponsor) and not _is_over(state, layer)
        for layer in state.layers.get(key, ())
    )


def _is_over(state: State, layer: Layer) -> bool:
    return layer.span.until_us is not None and layer.span.until_us <= state.witnessed_us
