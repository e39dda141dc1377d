"""What a proposal is about: the rules whose effect it may alter, and the ground that they name."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
import rfc8785

from spotbeam.governance.entries.acts import (
    DropList,
    DropRule,
    DropSponsor,
    PutList,
    PutRule,
    PutSponsor,
)
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.entries.rules import RuleEntry, rule_of
from spotbeam.governance.state import Proposal, State
from spotbeam.service.rules import Effect, Gate, Rule, Who
from spotbeam.service.terminals import Protection


def proposal_digest(proposal: Proposal) -> str:
    """SHA-256, in hexadecimal, of a proposal's canonical JSON without its own `impact`."""
    plain = msgspec.to_builtins(proposal)
    del plain["impact"]
    return sha256(rfc8785.dumps(without_none(plain))).hexdigest()


def bounds_rule(id: str, seal: Seal) -> Rule:
    """The most that a seal can do, as a rule: what approvers see who have no opening."""
    if seal.bounds.verb in ("activate", "extend"):
        return Rule(
            id=f"{id}/bounds",
            effect=Effect.GRANT,
            gate=Gate.TERRITORY,
            where=seal.bounds.cells,
            grounds=tuple(map(str, seal.grounds)),
        )
    return Rule(
        id=f"{id}/bounds",
        effect=Effect.DENY,
        gate=Gate.CELL,
        who=Who(protection=(Protection.NONE,)),
        where=seal.bounds.cells,
        grounds=tuple(map(str, seal.grounds)),
    )


def wordings_of(state: State, proposal: Proposal, id: str) -> tuple[Rule, ...]:
    """Every wording, old and new, of the rules whose effect the proposal may alter."""
    if isinstance(proposal, Seal):
        rule = bounds_rule(id, proposal)
        return (rule,)
    keys: set[str] = set()
    found: list[RuleEntry] = []
    sponsors = set(sponsors_of(proposal))
    for act in proposal.acts:
        match act:
            case PutRule(rule=rule_entry):
                keys.add(f"rule:{rule_entry.id}")
                found.append(rule_entry)
            case DropRule():
                keys.add(f"rule:{act.rule}")
            case PutList() | DropList():
                keys.update(state.rules_naming.get(act.list, ()))
    for key in sorted(state.layers):
        for layer in state.layers[key]:
            if not isinstance(layer.act, PutRule):
                continue
            wording = layer.act.rule
            asks = bool(sponsors) and (
                wording.who.sponsor_lapsed is not None
                or not sponsors.isdisjoint(wording.who.sponsor)
            )
            if key in keys or asks:
                found.append(wording)
    unique = sorted(
        {rfc8785.dumps(without_none(msgspec.to_builtins(each))): each for each in found}.items()
    )
    return tuple(rule_of(each) for _, each in unique)


def sponsors_of(proposal: Proposal) -> tuple[str, ...]:
    """The sponsors that a proposal brings in or takes out."""
    if isinstance(proposal, Seal):
        return ()
    acts = (act for act in proposal.acts if isinstance(act, PutSponsor | DropSponsor))
    return tuple(dict.fromkeys(act.sponsor for act in acts))


def staged_ground(proposal: Proposal) -> set[str]:
    """The ground that the stages of a roll-out name."""
    stages = getattr(proposal, "rollout", ())
    return {name for stage in stages for name in stage.where}


def rule_ids(proposal: Proposal) -> list[str]:
    """The rules that a proposal brings in, changes or takes out, sorted."""
    if isinstance(proposal, Seal):
        return []
    ids = [
        act.rule.id if isinstance(act, PutRule) else act.rule
        for act in proposal.acts
        if isinstance(act, PutRule | DropRule)
    ]
    return sorted(ids)


def act_counts(proposal: Proposal) -> dict[str, int]:
    """How many acts there are of each kind."""
    if isinstance(proposal, Seal):
        return {"seal": 1}
    counts: dict[str, int] = {}
    for act in proposal.acts:
        kind = str(msgspec.structs.asdict(act) and type(act).__struct_config__.tag)
        counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def without_none(value: Any) -> Any:
    """What is None is left out, as in an entry's own bytes."""
    if isinstance(value, dict):
        return {key: without_none(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [without_none(each) for each in value]
    return value
