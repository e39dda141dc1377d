"""Folding a record, and asking it what was intended when, as known when.

    history = fold(entries)
    state(history, at_us)                   as known now
    state(history, at_us, known_at_us=T2)   as known at T2

Nothing has to happen for a right to end: expiry, lapse, schedule, revert and the next stage of a
roll-out follow from the instant asked about.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import msgspec

from spotbeam.governance.apply import apply
from spotbeam.governance.entries.acts import PutBoundaries, PutList, PutRule, PutSponsor
from spotbeam.governance.entries.people import Boundaries
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.state import Asked, Layer, State
from spotbeam.governance.succession import onward


class History(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A folded record: its state now, and at every anchor.

    Attributes:
        now: After the last entry.
        anchors: Witnessed time of each anchor, never falling.
        states: The state after each anchor; the maps share what did not change.
        begins_us: From when on it knows what was known, where it was not folded from entry 0;
            None: from the beginning.
    """

    now: State = State()
    anchors: tuple[int, ...] = ()
    states: tuple[State, ...] = ()
    begins_us: int | None = None

    def known_at(self, at_us: int) -> State:
        """What a reader could know by then: the state after the last anchor dated no later.

        Raises:
            ValueError: That was before this history begins: fold the record from entry 0.
        """
        if self.begins_us is not None and at_us < self.begins_us:
            raise ValueError("this history goes on from a snapshot, and knows no earlier state")
        number = bisect_right(self.anchors, at_us)
        return self.states[number - 1] if number else State()


class RuleInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, the change that brought it, and the ground that its roll-out has reached.

    Attributes:
        where: Where it acts now; None for all of the rule's own ground.
    """

    rule: RuleEntry
    change: str
    where: tuple[str, ...] | None = None


class Intended(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What the record says is in force at an instant.

    Attributes:
        at_us: The instant asked about.
        known: The state that was asked: its `witnessed_us` says how fresh it is.
        seals: Seals in force, whose rules only an opening shows.
        until_us: The next instant at which something begins or ends by itself; None: never.
    """

    at_us: int
    known: State
    rules: tuple[RuleInForce, ...] = ()
    lists: tuple[PutList, ...] = ()
    sponsors: tuple[PutSponsor, ...] = ()
    boundaries: tuple[Boundaries, ...] = ()
    requests: tuple[Asked, ...] = ()
    lapsed: tuple[Asked, ...] = ()
    seals: tuple[str, ...] = ()
    until_us: int | None = None


def fold(entries: Iterable[bytes], onto: History | None = None) -> History:
    """Fold entries, in order, onto nothing or onto a history that goes before them."""
    history = History() if onto is None else onto
    now = history.now
    anchors, states = list(history.anchors), list(history.states)
    for data in entries:
        before, now = now, apply(now, data)
        if now.anchored_size != before.anchored_size:
            anchors.append(now.witnessed_us)
            states.append(now)
    return History(
        now=now, anchors=tuple(anchors), states=tuple(states), begins_us=history.begins_us
    )


def next_log(history: History) -> History:
    """The history onto which the entries of the record's next log are folded.

    A record goes on in another log where this one was closed, or where its people left it. The
    reader says so with this call; nothing that a log holds makes a reader take it for another.

        history = fold(entries_of_next, onto=next_log(history))
    """
    return msgspec.structs.replace(history, now=onward(history.now))


def state(history: History, at_us: int, known_at_us: int | None = None) -> Intended:
    """What is intended at an instant, as known now or as known at another.

    Args:
        history: The folded record.
        at_us: The instant asked about; it may lie ahead.
        known_at_us: Only what was witnessed by then counts; None: all there is.
    """
    known = history.now if known_at_us is None else history.known_at(known_at_us)
    return intended(known, at_us)


def intended(known: State, at_us: int) -> Intended:
    """What one state says is in force at an instant."""
    rules: list[RuleInForce] = []
    lists: list[PutList] = []
    sponsors: list[PutSponsor] = []
    boundaries: list[Boundaries] = []
    seals: list[str] = []
    for key in sorted(known.layers):
        layer = _top(known.layers[key], at_us)
        match None if layer is None else layer.act:
            case PutRule(rule=rule):
                assert layer is not None
                where = _reached(layer, at_us)
                if where != ():
                    rules.append(RuleInForce(rule=rule, change=layer.change, where=where))
            case PutList() as act:
                lists.append(act)
            case PutSponsor() as act:
                sponsors.append(act)
            case PutBoundaries() as act:
                boundaries.append(act.boundaries)
            case None if layer is not None:
                seals.append(layer.change)
    asked = [known.requests[name] for name in sorted(known.requests)]
    return Intended(
        at_us=at_us,
        known=known,
        rules=tuple(rules),
        lists=tuple(lists),
        sponsors=tuple(sponsors),
        boundaries=tuple(boundaries),
        requests=tuple(each for each in asked if _is_open(each, at_us)),
        lapsed=tuple(each for each in asked if _lapsed_by(each, at_us)),
        seals=tuple(seals),
        until_us=min((edge for edge in _edges(known) if edge > at_us), default=None),
    )


def _top(layers: tuple[Layer, ...], at_us: int) -> Layer | None:
    """The layer that bound last among those in force; each drop uncovers nothing below it."""
    return next((layer for layer in reversed(layers) if layer.in_force(at_us)), None)


def _reached(layer: Layer, at_us: int) -> tuple[str, ...] | None:
    if not layer.stages:
        return None
    names = [name for from_us, where in layer.stages if from_us <= at_us for name in where]
    return tuple(dict.fromkeys(names))


def _is_open(asked: Asked, at_us: int) -> bool:
    return (
        asked.since_us is not None
        and asked.since_us <= at_us < asked.request.answer_by_us
        and (asked.ended_us is None or at_us < asked.ended_us)
    )


def _lapsed_by(asked: Asked, at_us: int) -> bool:
    """Whether nobody had answered by the answer time, and that time is past."""
    return (
        asked.since_us is not None
        and at_us >= asked.request.answer_by_us
        and (asked.ended_us is None or asked.ended_us >= asked.request.answer_by_us)
    )


def _edges(known: State) -> Iterator[int]:
    for layers in known.layers.values():
        for layer in layers:
            yield from (edge for edge in (layer.span.from_us, layer.span.until_us) if edge)
            yield from (from_us for from_us, _ in layer.stages)
    for asked in known.requests.values():
        yield from (edge for edge in (asked.since_us, asked.ended_us) if edge)
        yield asked.request.answer_by_us
