"""Everything in a record that is about some ground, in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from spotbeam.assembly.switching import (
    There,
    asker_words,
    proposal_words,
    refusal_words,
    turns,
)
from spotbeam.chronicle.sentences import entry_says, rule_words
from spotbeam.chronicle.timeline import Event, ending, order
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.acts import DropRule, PutRule
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.state import PROPOSAL_LASTS_US, Asked, Layer, Proposed
from spotbeam.governance.void import Void

WitnessedAt = Callable[[int], int | None]
"""When the entry of an index was witnessed; None as long as it is not."""


def timeline(there: There, witnessed_at: WitnessedAt, until_us: int) -> tuple[Event, ...]:
    """The events on some ground, those ahead that are already set among them.

    Args:
        there: What is known of it.
        witnessed_at: When an entry was witnessed.
        until_us: Nothing after it is told.
    """
    telling = _Telling(there, witnessed_at)
    found = [each for each in telling.all() if each.at_us <= until_us]
    return tuple(sorted(found, key=order))


def event_line(event: Event, now_us: int) -> str:
    """One event in one line; what lies ahead is marked, and what the record shows only later."""
    index = "" if event.index is None else f"  entry {event.index}"
    ahead = "  (ahead)" if event.at_us > now_us else ""
    known = f"  ({event.known})" if event.known else ""
    return f"{event.when}{index}{ahead}  {event.says}{known}"


class _Telling:
    def __init__(self, there: There, witnessed_at: WitnessedAt) -> None:
        self.there = there
        self.witnessed_at = witnessed_at
        self.now_us = there.whole.witnessed_us

    def all(self) -> Iterator[Event]:
        """Every event, in no order."""
        for asked in self.there.near.requests.values():
            yield from self.of_request(asked)
        for proposed in self.there.whole.changes.values():
            if self.is_about(proposed):
                yield from self.of_proposal(proposed)
        for layers in self.there.near.layers.values():
            for layer in layers:
                yield from self.of_layer(layer)
        yield from self.of_switch()

    def at_entry(self, index: int, kind: str, says: str) -> Iterator[Event]:
        """What an entry shows, once it is witnessed."""
        at_us = self.witnessed_at(index)
        if at_us is not None:
            yield Event(at_us=at_us, known_us=at_us, index=index, kind=kind, says=says)

    def said_in(self, index: int) -> str:
        """The sentence of an entry."""
        try:
            entry = parse_entry(self.there.entries[index])
        except Void:
            return "an entry that cannot be read"
        return entry_says(entry, self.there.whole)

    def of_request(self, asked: Asked) -> Iterator[Event]:
        yield from self.at_entry(asked.index, "asked", self.said_in(asked.index))
        ended = self.there.whole.seen.get(asked.ended_by or "")
        if asked.status == "refused" and ended is not None:
            says = f"{asker_words(asked)} is refused by {refusal_words(self.there, asked)}"
            yield from self.at_entry(ended, "refused", says)
        elif asked.status == "withdrawn" and ended is not None:
            yield from self.at_entry(ended, "withdrawn", f"{asker_words(asked)} is taken back")
        elif asked.status == "registered" and asked.since_us is not None:
            by_us = asked.request.answer_by_us
            if by_us <= self.now_us:
                says = f"{asker_words(asked)} lapses: nobody has answered it"
                yield Event(at_us=by_us, known_us=by_us, index=None, kind="lapsed", says=says)

    def is_about(self, proposed: Proposed) -> bool:
        proposal, there = proposed.proposal, self.there
        if isinstance(proposal, Seal):
            return there.extent((*proposal.bounds.where, *proposal.bounds.cells)) is not None
        for act in proposal.acts:
            if isinstance(act, PutRule) and there.extent(act.rule.where, act.rule.except_):
                return True
            if isinstance(act, DropRule) and f"rule:{act.rule}" in there.near.layers:
                return True
        return False

    def of_proposal(self, proposed: Proposed) -> Iterator[Event]:
        yield from self.at_entry(proposed.index, "proposed", self.said_in(proposed.index))
        for given in proposed.approvals.values():
            yield from self.at_entry(given.index, "approved", self.said_in(given.index))
        whole = proposal_words(self.there, proposed)
        if proposed.bound_us is not None and proposed.bound_index is not None:
            yield Event(
                at_us=proposed.bound_us,
                known_us=proposed.bound_us,
                index=proposed.bound_index,
                kind="bound",
                says=f"binding from here: {whole}",
            )
        elif proposed.status in ("rejected", "withdrawn"):
            index = ending(self.there.entries, self.there.whole, proposed)
            if index is not None:
                yield from self.at_entry(index, proposed.status, self.said_in(index))
        elif proposed.has_lapsed(self.now_us):
            ends = [proposed.proposal.lapses_us]
            if proposed.anchored_us is not None:
                ends.append(proposed.anchored_us + PROPOSAL_LASTS_US)
            says = f"lapses without enough approvals: {whole}"
            yield Event(at_us=min(ends), known_us=min(ends), index=None, kind="lapsed", says=says)
        if isinstance(proposed.proposal, Seal) and proposed.bound_us is not None:
            yield from self.of_opening(proposed, proposed.proposal)

    def of_opening(self, proposed: Proposed, seal: Seal) -> Iterator[Event]:
        if proposed.id in self.there.whole.openings:
            mark = f'"seal":"{proposed.id}"'.encode()
            findings = self.there.whole.findings
            for index in range(proposed.index + 1, len(self.there.entries)):
                data = self.there.entries[index]
                if index not in findings and mark in data and b'"type":"opening"' in data:
                    yield from self.at_entry(index, "opened", self.said_in(index))
                    return
            return
        by_us = self.there.whole.overdue_from.get(proposed.id, seal.open_by_us)
        if by_us <= self.now_us:
            says = f"the seal {proposed.id} is OVERDUE: it should have been opened by now"
            yield Event(at_us=by_us, known_us=by_us, index=None, kind="overdue", says=says)

    def of_layer(self, layer: Layer) -> Iterator[Event]:
        proposed = self.there.whole.changes.get(layer.change)
        if proposed is None or proposed.bound_us is None:
            return
        bound_us = proposed.bound_us
        rule = layer.act.rule if isinstance(layer.act, PutRule) else None
        if rule is not None and self.there.extent(rule.where, rule.except_) is None:
            return
        what = "what it seals" if layer.act is None else "a rule is out"
        if rule is not None:
            what = f"the rule {rule.id}: {rule_words(rule)}"
        of = f" ({layer.change}, entry {proposed.index})"
        begin_us = layer.span.from_us or 0
        if begin_us > bound_us:
            yield self.set(begin_us, bound_us, "begins", f"begins: {what}{of}")
        for from_us, where in layer.stages:
            if self.there.extent(where) is not None:
                said = f"reaches {', '.join(where[:6])}: {what}{of}"
                yield self.set(max(from_us, begin_us), bound_us, "reaches", said)
        if layer.span.until_us is not None:
            yield self.set(layer.span.until_us, bound_us, "ends", f"ends by itself: {what}{of}")

    def set(self, at_us: int, known_us: int, kind: str, says: str) -> Event:
        """What was set beforehand and needs nobody."""
        return Event(at_us=at_us, known_us=known_us, index=None, kind=kind, says=says)

    def of_switch(self) -> Iterator[Event]:
        last = self.there.near.layers.values()
        spans = [layer.span.until_us for layers in last for layer in layers]
        until_us = max([self.now_us, *(each for each in spans if each is not None)])
        for at_us, before, after in turns(self.there, until_us):
            says = f"service: {before.replace('_', ' ')} -> {after.replace('_', ' ')}"
            yield Event(at_us=at_us, known_us=at_us, index=None, kind="turned", says=says)
