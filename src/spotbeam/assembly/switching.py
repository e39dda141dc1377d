"""Whether service is granted on some ground, and how it came to that.

That it was turned off is one thing, that it was refused to turn it on another, that nobody answered
a third; the record alone tells them apart.

    granted          a rule grants it, on all of the ground and to everybody
    granted_in_part  on some of it, or to some
    denied           a rule denies it to everybody there, whatever else is granted
    not_granted      no rule grants it: dark by default

The words go by the rules in force, not by what a terminal meets: lists, speeds and the like decide
about single terminals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec
from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.assembly.extents import Extent, extent
from spotbeam.chronicle.words import named, quoted
from spotbeam.errors import SpotbeamError
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.entries.rules import RuleEntry, ThresholdsEntry, WhoEntry
from spotbeam.governance.history import RuleInForce, intended
from spotbeam.governance.seals import rules_within
from spotbeam.governance.state import Asked, Layer, Proposed, State
from spotbeam.governance.void import Void
from spotbeam.record.canonical import parse_canonical
from spotbeam.times import format_time

Word: TypeAlias = Literal["granted", "granted_in_part", "denied", "not_granted"]
How: TypeAlias = Literal[
    "turned_on", "turned_off", "refused_to_turn_on", "left_unanswered", "asked", "never_asked"
]
_ON = ("granted", "granted_in_part")
_TO_TURN_ON = ("activate", "extend")
_TO_TURN_OFF = ("deactivate", "restrict")


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """How service on some ground came to be on or off.

    Attributes:
        how: `turned_off` only where it was on before; `refused_to_turn_on` and `left_unanswered`
            only where it never was.
        since_us: Since when it is so; None where nothing ever changed.
        follows: The proposals which that follows.
        says: The same in sentences, and what was asked since without a change.
    """

    is_on: bool
    how: How
    since_us: int | None = None
    follows: tuple[str, ...] = ()
    says: tuple[str, ...] = ()


class There(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One state of knowledge about some ground.

    Attributes:
        whole: Everything that was known.
        near: The same with only the rules, seals and requests that are about the ground.
        entries: The entries of the record, for words that a state does not keep.
    """

    whole: State
    near: State
    entries: tuple[bytes, ...]
    territory: str
    view: str

    def extent(self, where: tuple[str, ...], without: tuple[str, ...] = ()) -> Extent | None:
        """How much of the ground some places cover."""
        return extent(where, without, self.territory, self.view)


def about(state: State, entries: tuple[bytes, ...], territory: str, view: str) -> There:
    """What a state knows about some ground."""
    there = There(whole=state, near=state, entries=entries, territory=territory, view=view)

    def is_there(layer: Layer) -> bool:
        if layer.act is None:
            proposal = state.changes[layer.change].proposal
            assert isinstance(proposal, Seal)
            return there.extent((*proposal.bounds.where, *proposal.bounds.cells)) is not None
        if not isinstance(layer.act, PutRule):
            return False
        rule = layer.act.rule
        return there.extent(rule.where, rule.except_) is not None

    layers = {
        key: those
        for key, those in state.layers.items()
        if key.startswith(("rule:", "seal:")) and any(is_there(layer) for layer in those)
    }
    requests = {
        name: asked
        for name, asked in state.requests.items()
        if there.extent(asked.request.where) is not None
    }
    near = replace(state, layers=HashTrieMap(layers), requests=HashTrieMap(requests))
    return replace(there, near=near)


def rules_there(there: There, at_us: int) -> list[tuple[RuleInForce, Extent]]:
    """The rules in force on the ground, those of opened seals among them."""
    found = intended(there.near, at_us)
    rules = list(found.rules)
    for name in found.seals:
        if name in there.whole.openings:
            rules += _opened(there.whole, name)
    placed = []
    for each in rules:
        where = each.rule.where if each.where is None else each.where
        reached = there.extent(where, each.rule.except_)
        if reached is not None:
            placed.append((each, reached))
    return placed


def word_at(there: There, at_us: int) -> Word:
    """In one word what is intended on the ground at an instant."""
    return _word(_counted(there, at_us))


def turns(there: There, until_us: int) -> list[tuple[int, Word, Word]]:
    """Every instant up to another at which the word changes: when, from what, to what."""
    bare = replace(there.near, requests=HashTrieMap())
    parts = {
        key: replace(there, near=replace(bare, layers=HashTrieMap({key: layers})))
        for key, layers in there.near.layers.items()
    }
    moving: dict[int, set[str]] = {}
    for key, layers in there.near.layers.items():
        for layer in layers:
            for at_us in _layer_edges(layer):
                moving.setdefault(at_us, set()).add(key)
    found: list[tuple[int, Word, Word]] = []
    before: Word = "not_granted"
    counts: dict[str, Counter[str]] = {}
    total: Counter[str] = Counter()
    for at_us in sorted(each for each in moving if each <= until_us):
        for key in moving[at_us]:  # what stands still need not be looked at again
            total.subtract(counts.get(key, {}))
            counts[key] = _counted(parts[key], at_us)
            total.update(counts[key])
        after = _word(total)
        if after != before:
            found.append((at_us, before, after))
        before = after
    return found


def switch_of(there: There, at_us: int) -> Switch:
    """How service on the ground came to be on or off at an instant."""
    changed = [
        (when_us, after in _ON)
        for when_us, before, after in turns(there, at_us)
        if (before in _ON) != (after in _ON)
    ]
    since_us, is_on = changed[-1] if changed else (None, False)
    follows = () if since_us is None else proposals_at(there, since_us)
    says = []
    if since_us is not None:
        turned = "turned on" if is_on else "turned off"
        when = format_time(since_us)
        says.append(f"Service was {turned} at {when}; it follows {_by(there, since_us)}.")
    how: How = "turned_on" if is_on else "turned_off"
    later = [each for each in _ended(there, at_us) if since_us is None or each[0] >= since_us]
    verbs = _TO_TURN_OFF if is_on else _TO_TURN_ON
    without = [each for each in later if each[2].request.verb in verbs]
    for ended_us, what, asked in without:
        says.append(_not_done(there, ended_us, what, asked, is_on))
    if since_us is None:
        kinds = {what for _, what, _ in without}
        still = [
            asked
            for asked in there.near.requests.values()
            if asked.request.verb in _TO_TURN_ON and _is_open(asked, at_us)
        ]
        how = "never_asked"
        if "refused" in kinds:
            how = "refused_to_turn_on"
        elif "lapsed" in kinds:
            how = "left_unanswered"
        elif still:
            how = "asked"
        says.insert(0, "Service was never on here, by this record, up to that time.")
    return Switch(is_on=is_on, how=how, since_us=since_us, follows=follows, says=tuple(says))


def proposals_at(there: There, at_us: int) -> tuple[str, ...]:
    """The proposals on the ground of which something begins or ends at an instant."""
    names = [
        layer.change
        for layers in there.near.layers.values()
        for layer in layers
        if at_us in _layer_edges(layer)
    ]
    return tuple(sorted(set(names), key=lambda name: there.whole.changes[name].index))


def refusal_words(there: There, asked: Asked) -> str:
    """What a refusal said: its grounds, and its words quoted."""
    index = there.whole.seen.get(asked.ended_by or "")
    if index is None or index >= len(there.entries):
        return "in words that are not at hand"
    try:
        body = parse_entry(there.entries[index]).body
    except Void:
        return "in words that cannot be read"
    assert isinstance(body, Refusal)
    grounds = ", ".join(str(each) for each in body.grounds)
    return f"entry {index}, on {grounds}: {quoted(body.quote)}"


def asker_words(asked: Asked) -> str:
    """Who asked, for whom, and what."""
    request = asked.request
    behalf = f" on behalf of {named(request.on_behalf_of)}" if request.on_behalf_of else ""
    return f"the request {asked.id} (entry {asked.index}) of {named(request.asker)}{behalf}"


def proposal_words(there: There, proposed: Proposed) -> str:
    """A proposal with its request and those who approved it."""
    asked = there.whole.requests[proposed.proposal.request]
    people = ", ".join(sorted(proposed.approvals)) or "nobody"
    kind = type(proposed.proposal).__name__.lower()
    return (
        f"the {kind} {proposed.id} (entry {proposed.index}), proposed by {proposed.proposer} for "
        f"{asker_words(asked)} and approved by {people}"
    )


def _counted(there: There, at_us: int) -> Counter[str]:
    """How many rules in force grant or deny, and how many do so on all the ground to everybody."""
    found: Counter[str] = Counter()
    for each, reached in rules_there(there, at_us):
        rule = each.rule
        is_denial = rule.effect == "deny" and rule.gate in ("order", "territory", "cell")
        if (rule.effect == "grant" or is_denial) and _is_on(rule, at_us):
            found[str(rule.effect)] += 1
            found[f"{rule.effect} to all"] += _is_for_all(rule) and reached == "all"
    return found


def _word(counts: Mapping[str, int]) -> Word:
    if counts.get("deny to all"):
        return "denied"
    if not counts.get("grant"):
        return "not_granted"
    return "granted" if counts.get("grant to all") and not counts.get("deny") else "granted_in_part"


def _by(there: There, at_us: int) -> str:
    said = []
    for name in proposals_at(there, at_us):
        proposed = there.whole.changes[name]
        begins = any(
            layer.change == name and (layer.span.from_us or 0) == at_us
            for layers in there.near.layers.values()
            for layer in layers
        )
        what = "" if begins else "what was set beforehand in "
        said.append(f"{what}{proposal_words(there, proposed)}")
    return "; and ".join(said) or "a time set in a rule"


def _not_done(there: There, ended_us: int, what: str, asked: Asked, is_on: bool) -> str:
    """A request to turn it the other way, that ended without a change."""
    still = "stayed on" if is_on else "stayed off"
    when, asks = format_time(ended_us), f"{asker_words(asked)} to {asked.request.verb}"
    if what == "refused":
        act = "Turning it off" if is_on else "Turning it on"
        return (
            f"{act} was refused at {when}; service {still}. {asks[0].upper()}{asks[1:]} was "
            f"answered by {refusal_words(there, asked)}"
        )
    return f"Nobody answered {asks}: it lapsed at {when}. Service {still}."


def _ended(there: There, at_us: int) -> list[tuple[int, str, Asked]]:
    """Requests that ended without a change up to an instant: when, how, which."""
    found = []
    for asked in there.near.requests.values():
        if asked.status == "refused" and asked.ended_us is not None and asked.ended_us <= at_us:
            found.append((asked.ended_us, "refused", asked))
        elif (
            asked.status == "registered"
            and asked.since_us is not None
            and asked.request.answer_by_us <= at_us
        ):
            found.append((asked.request.answer_by_us, "lapsed", asked))
    return sorted(found, key=lambda each: (each[0], each[2].index))


def _is_open(asked: Asked, at_us: int) -> bool:
    return (
        asked.status == "registered"
        and asked.since_us is not None
        and asked.since_us <= at_us < asked.request.answer_by_us
    )


def _layer_edges(layer: Layer) -> set[int]:
    edges = {layer.span.from_us or 0, *(from_us for from_us, _ in layer.stages)}
    if layer.span.until_us is not None:
        edges.add(layer.span.until_us)
    if isinstance(layer.act, PutRule):
        for window in layer.act.rule.when:
            edges.update(each for each in (window.from_us, window.until_us) if each is not None)
    return edges


def _opened(state: State, name: str) -> list[RuleInForce]:
    """The rules that an opened seal held; none if any went outside its bounds."""
    proposal = state.changes[name].proposal
    assert isinstance(proposal, Seal)
    value = state.openings[name][0].encode()
    if not rules_within(name, proposal.bounds, value):
        return []
    try:
        acts = msgspec.convert(parse_canonical(value), tuple[PutRule, ...], strict=True)
    except (SpotbeamError, ValueError):
        return []
    return [RuleInForce(rule=act.rule, change=name) for act in acts]


def _is_on(rule: RuleEntry, at_us: int) -> bool:
    """Whether an instant lies in one of a rule's windows; hours of the day are left out."""
    return not rule.when or any(
        (window.from_us or 0) <= at_us and (window.until_us is None or at_us < window.until_us)
        for window in rule.when
    )


def _is_for_all(rule: RuleEntry) -> bool:
    """Whether a rule asks nothing of a terminal, nor of the hour."""
    return (
        rule.who == WhoEntry()
        and rule.thresholds == ThresholdsEntry()
        and not any(window.daily for window in rule.when)
    )
