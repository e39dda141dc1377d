"""What a proposal reads: the rules and lists that its effect depends on, under one digest.

An approval names this digest, so that it falls when what was shown to the approver has moved, and
stands when something else in the policy did. A proposal reads: every rule, list, sponsor and set
of borders that it touches; rules whose ground may overlap that of its rules; the lists that its
own rules name; for a list, the rules that name it; seals over the same ground; for acts on the
roster or the witnesses, both as they stand.

    SHA-256 over what is read, in order of keys: a line for the key, then one for each layer that
    is on it, in order of binding:
    <key> newline
    <key> <change> <from_us or -> <until_us or -> newline
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import msgspec

from spotbeam.governance.entries.acts import (
    AddFactor,
    AddKey,
    DropKey,
    DropList,
    DropRule,
    DropSponsor,
    ExtendSeal,
    Merge,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Seat,
    SetQuorum,
    SetWitnesses,
    Unseat,
)
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.ground import countries, may_overlap
from spotbeam.governance.layers import SPONSORS, lists_named, reached, stages_of
from spotbeam.governance.quorum import rule_ground
from spotbeam.governance.state import Proposal, State

_ROSTER = (Seat, Unseat, AddKey, DropKey, Merge, AddFactor, SetQuorum)


def reads_digest(state: State, proposal: Proposal) -> str:
    """The digest that an approval of this proposal must name in this state, in hexadecimal."""
    found = state.standing.get
    hasher = sha256(b"spotbeam.org/reads/v1\n")
    for key in sorted(keys_read(state, proposal)):
        standing = found(key)
        hasher.update(standing.lines if standing else f"{key}\n".encode())
    if not isinstance(proposal, Seal):
        if any(isinstance(act, _ROSTER) for act in proposal.acts):
            for name in sorted(state.seated.persons):
                person = state.seated.persons[name]
                keys = sorted(k for k, v in person.keys.items() if not v.is_revoked)
                line = f"person:{name} {person.human} {person.factor} {person.has_left} {keys}\n"
                hasher.update(line.encode())
            hasher.update(msgspec.json.encode(_quorums(state)))
        if any(isinstance(act, SetWitnesses) for act in proposal.acts):
            hasher.update(msgspec.json.encode(state.witness_quorum, order="sorted"))
    return hasher.hexdigest()


def act_key(act: object) -> str | None:
    """What an act lays a layer on; None for acts that happen once."""
    match act:
        case PutRule():
            return f"rule:{act.rule.id}"
        case DropRule():
            return f"rule:{act.rule}"
        case PutList() | DropList():
            return f"list:{act.list}"
        case PutSponsor() | DropSponsor():
            return f"sponsor:{act.sponsor}"
        case PutBoundaries():
            return f"boundaries:{act.boundaries.view}"
        case _:
            return None


def keys_read(state: State, proposal: Proposal) -> set[str]:
    """What a proposal reads: `rule:…`, `list:…`, `sponsor:…`, `boundaries:…` and `seal:…`."""
    keys: set[str] = set()
    grounds: list[tuple[str, ...]] = []
    lists: set[str] = set()
    if isinstance(proposal, Seal):
        grounds.append((*proposal.bounds.where, *proposal.bounds.cells))
    else:
        for act in proposal.acts:
            key = act_key(act)
            if isinstance(act, ExtendSeal):
                key = f"seal:{act.seal}"
            if key is None:
                continue
            keys.add(key)
            if isinstance(act, PutRule):
                grounds.append(reached(act.rule, stages_of(proposal)))
                keys.update(f"list:{name}" for name in lists_named(act.rule))
                keys.update(_sponsors_read(state, act.rule))
            if isinstance(act, PutRule | DropRule):
                rule = act.rule.id if isinstance(act, PutRule) else act.rule
                if key in state.layers:
                    grounds.append(rule_ground(state, rule))
            if isinstance(act, PutList | DropList):
                lists.add(act.list)
            if isinstance(act, PutSponsor | DropSponsor):
                lists.add(SPONSORS)
    for name in lists:
        keys.update(state.rules_naming.get(name, ()))
    for ground in grounds:
        _add_rules_near(state, ground, keys)
    for name in state.seals:
        sealed = state.changes[name].proposal
        assert isinstance(sealed, Seal)
        places = (*sealed.bounds.where, *sealed.bounds.cells)
        if any(may_overlap(ground, places) for ground in grounds):
            keys.add(f"seal:{name}")
    return keys


def _sponsors_read(state: State, rule: RuleEntry) -> Iterator[str]:
    """The sponsors whose dates decide whom a rule is about."""
    if rule.who.sponsor_lapsed is None:
        return iter(())
    if rule.who.sponsor:
        return (f"sponsor:{name}" for name in rule.who.sponsor)
    return (key for key in state.standing if key.startswith("sponsor:"))


def _quorums(state: State) -> list[tuple[int, dict[str, Any]]]:
    """The full quorums, as they were written before there were rules for small changes."""
    plain = msgspec.to_builtins(state.seated.quorums)
    for _, rule in plain:
        if rule["small"] is None:
            del rule["small"]
    return list(plain)


def _add_rules_near(state: State, ground: tuple[str, ...], keys: set[str]) -> None:
    """Add the rules whose ground may overlap this.

    The state's index answers for most of them: what may be anywhere overlaps whatever names a
    country. Only names of one country, or cells and cells, are compared one by one.
    """
    over, names = state.rules_over, countries(ground)
    doubtful: set[str] = set()
    if "*" in names:
        for country, rules in over.items():
            (doubtful if country == "*" else keys).update(rules)
    else:
        keys.update(over.get("*", ()))
    if names != {"*"}:
        for country in names - {"*"}:
            doubtful.update(over.get(country, ()))
    for key in doubtful - keys:
        if may_overlap(ground, rule_ground(state, key.removeprefix("rule:"))):
            keys.add(key)
