"""What is intended on some ground at an instant, as known now and as known at another.

The record alone is asked. It shows what people decided and what follows from that by time; what an
edge did with it, and what satellites could reach, it does not show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from spotbeam.assembly.extents import Extent, demand_ground
from spotbeam.assembly.reading import ReadRecord
from spotbeam.assembly.switching import (
    Switch,
    There,
    Word,
    about,
    asker_words,
    rules_there,
    switch_of,
    word_at,
)
from spotbeam.assembly.timelines import timeline
from spotbeam.chronicle.reading import Witnessed
from spotbeam.chronicle.sentences import rule_words
from spotbeam.chronicle.timeline import Event
from spotbeam.chronicle.words import places_words
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.history import RuleInForce, intended
from spotbeam.governance.state import State
from spotbeam.land.territories import Standing as GroundStanding
from spotbeam.land.territories import ground
from spotbeam.times import format_time


class RuleThere(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in force on the ground, and whose decision it follows.

    Attributes:
        extent: On how much of the asked ground.
        change: The proposal that brought it; `index` is its entry, `bound_index` the anchor at
            which it bound.
        approvers: Those whose approvals stood when it bound.
        until_us: When it ends by itself; None: never.
    """

    rule: str
    says: str
    effect: str
    extent: Extent
    change: str
    index: int
    request: str
    asker: str
    on_behalf_of: str | None
    proposer: str
    approvers: tuple[str, ...]
    bound_index: int | None
    bound_us: int | None
    until_us: int | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is intended on the ground at an instant, by one state of knowledge.

    Attributes:
        known_us: The witnessed time of the last anchor that was known; 0 before there was one.
        size: How many entries were known.
        word: In one word; `switch` says how it came to that.
        seals: Seals in force over the ground that nobody has opened: their bounds.
    """

    at_us: int
    known_us: int
    size: int
    word: Word
    switch: Switch
    rules: tuple[RuleThere, ...] = ()
    seals: tuple[str, ...] = ()
    open_requests: tuple[str, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The history of some ground.

    Attributes:
        now: As known now.
        then: As known at the other instant.
        learnt: What was witnessed only after that, in order.
        events: All there is about the ground, in order of time.
    """

    territory: str
    name: str
    view: str
    administered_by: tuple[str, ...]
    claimed_by: tuple[str, ...]
    citation: str
    now: Standing
    then: Standing
    learnt: tuple[Event, ...]
    events: tuple[Event, ...]


def account(
    read: ReadRecord, territory: str, *, at_us: int, known_us: int, view: str = "un"
) -> Account:
    """What is intended on some ground at an instant, as known now and as known at another.

    Args:
        read: The record.
        territory: A territory id of the view, a cell as `h3:…`, or a name that the record uses.
        at_us: The instant asked about.
        known_us: Only what was witnessed by then counts for the second answer.
        view: The point of view in which names mean ground.

    Raises:
        UnknownName: There is no such territory or view.
        InputError: It is no cell.
    """
    whole = read.history.now
    demand_ground(territory, view, _names_in(whole))
    now = about(whole, read.entries, territory, view)
    then = about(read.history.known_at(known_us), read.entries, territory, view)
    ahead_us = max(at_us, whole.witnessed_us)
    events = timeline(now, Witnessed(read.history).at, ahead_us)
    standing, name = _ground_words(territory, view)
    return Account(
        territory=territory,
        name=name,
        view=view,
        administered_by=standing.administered_by if standing else (),
        claimed_by=standing.claimed_by if standing else (),
        citation=standing.citation if standing else "a name that only the record uses",
        now=_standing(now, at_us),
        then=_standing(then, at_us),
        learnt=tuple(each for each in events if each.known_us is None or each.known_us > known_us),
        events=events,
    )


def _ground_words(territory: str, view: str) -> tuple[GroundStanding | None, str]:
    land = ground(view)
    if territory in land.ids():
        return land.standing(territory), land.name_of(territory)
    if territory.startswith("h3:"):
        return GroundStanding(citation="a cell of the H3 grid"), territory
    return None, territory


def _names_in(state: State) -> Iterable[str]:
    for asked in state.requests.values():
        yield from asked.request.where
    for layers in state.layers.values():
        for layer in layers:
            if isinstance(layer.act, PutRule):
                yield from (*layer.act.rule.where, *layer.act.rule.except_)


def _standing(there: There, at_us: int) -> Standing:
    state = there.whole
    found = intended(there.near, at_us)
    ends = {
        layer.change: layer.span.until_us
        for layers in there.near.layers.values()
        for layer in layers
        if layer.span.until_us is not None
    }
    return Standing(
        at_us=at_us,
        known_us=state.witnessed_us,
        size=state.newest + 1 if state.genesis else 0,
        word=word_at(there, at_us),
        switch=switch_of(there, at_us),
        rules=tuple(_rule_there(there, ends, *each) for each in rules_there(there, at_us)),
        seals=tuple(
            _bounds_words(there, name) for name in found.seals if name not in state.openings
        ),
        open_requests=tuple(
            f"{asker_words(each)} to {each.request.verb}, to be answered by "
            f"{format_time(each.request.answer_by_us)}"
            for each in found.requests
        ),
    )


def _rule_there(
    there: There, ends: Mapping[str, int], each: RuleInForce, reached: Extent
) -> RuleThere:
    proposed = there.whole.changes[each.change]
    asked = there.whole.requests[proposed.proposal.request]
    return RuleThere(
        rule=each.rule.id,
        says=rule_words(each.rule),
        effect=each.rule.effect,
        extent=reached,
        change=each.change,
        index=proposed.index,
        request=asked.id,
        asker=asked.request.asker,
        on_behalf_of=asked.request.on_behalf_of,
        proposer=proposed.proposer,
        approvers=tuple(sorted(proposed.approvals)),
        bound_index=proposed.bound_index,
        bound_us=proposed.bound_us,
        until_us=ends.get(each.change),
    )


def _bounds_words(there: There, name: str) -> str:
    proposed = there.whole.changes[name]
    seal = proposed.proposal
    assert isinstance(seal, Seal)
    by_us = there.whole.overdue_from.get(name, seal.open_by_us)
    late = ", OVERDUE" if by_us <= there.whole.witnessed_us else ""
    return (
        f"the seal {name} (entry {proposed.index}) may {seal.bounds.verb} within "
        f"{places_words(seal.bounds.where)}, in {len(seal.bounds.cells):,} cells at most; to be "
        f"opened by {format_time(by_us)}{late}"
    )
