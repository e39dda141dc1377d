"""Laying a layer on a rule, a list, a sponsor, borders or a seal, with what follows from it.

What follows is kept beside the layers, so that no entry has to walk through all of them.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.deciding import Change
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.ground import countries
from spotbeam.governance.state import Layer, Standing, State

Stages: TypeAlias = tuple[tuple[int, tuple[str, ...]], ...]
SPONSORS = "sponsor:"
"""Under this name `rules_naming` has the rules that ask whether a sponsor's time is over; no list
has it."""


def laid(state: State, key: str, layer: Layer) -> State:
    """The state with one more layer on a thing.

    Args:
        state: As it is.
        key: `rule:…`, `list:…`, `sponsor:…`, `boundaries:…` or `seal:…`.
        layer: The newest; it counts before those below.
    """
    state = replace(
        state,
        layers=state.layers.insert(key, (*state.layers.get(key, ()), layer)),
        standing=state.standing.insert(key, _standing(state.standing.get(key), key, layer)),
    )
    if not isinstance(layer.act, PutRule):
        return state
    over, naming = state.rules_over, state.rules_naming
    for country in sorted(countries(reached(layer.act.rule, layer.stages))):
        over = _indexed(over, country, key)
    for name in sorted((*lists_named(layer.act.rule), *_sponsors_asked(layer.act.rule))):
        naming = _indexed(naming, name, key)
    return replace(state, rules_over=over, rules_naming=naming)


def lists_named(rule: RuleEntry) -> frozenset[str]:
    """The lists that a rule asks about."""
    return frozenset((*rule.who.on_list, *rule.who.not_on_list))


def reached(rule: RuleEntry, stages: Stages) -> tuple[str, ...]:
    """All ground on which a rule acts at some time; empty means everywhere.

    A stage of a roll-out may name cells, of which ids do not say whether they lie in the ground
    that the rule names: so they count as ground of their own.
    """
    if not rule.where or not stages:
        return rule.where
    return tuple(dict.fromkeys((*rule.where, *(name for _, where in stages for name in where))))


def stages_of(proposal: object) -> Stages:
    """The roll-out of a proposal: from when, and on which ground; only a change has one."""
    if not isinstance(proposal, Change):
        return ()
    return tuple((stage.from_us, stage.where) for stage in proposal.rollout)


def _sponsors_asked(rule: RuleEntry) -> tuple[str, ...]:
    return () if rule.who.sponsor_lapsed is None else (SPONSORS,)


def _standing(before: Standing | None, key: str, layer: Layer) -> Standing:
    before = Standing(lines=f"{key}\n".encode()) if before is None else before
    begin = "-" if layer.span.from_us is None else layer.span.from_us
    end = "-" if layer.span.until_us is None else layer.span.until_us
    lines = before.lines + f"{key} {layer.change} {begin} {end}\n".encode()
    if not isinstance(layer.act, PutRule):
        return replace(before, lines=lines)
    where = reached(layer.act.rule, layer.stages)
    is_everywhere = before.is_everywhere or not where
    ground = () if is_everywhere else tuple(sorted({*before.ground, *where}))
    return Standing(ground=ground, is_everywhere=is_everywhere, lines=lines)


def _indexed(
    index: HashTrieMap[str, tuple[str, ...]], name: str, key: str
) -> HashTrieMap[str, tuple[str, ...]]:
    keys = index.get(name, ())
    return index if key in keys else index.insert(name, (*keys, key))
