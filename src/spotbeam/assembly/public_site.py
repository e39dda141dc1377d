"""What the public site of a record shows: each file by its path, made when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property

from spotbeam.assembly.feed_items import feed_items, write_feeds
from spotbeam.assembly.histories import RuleThere
from spotbeam.assembly.reading import ReadRecord
from spotbeam.assembly.receipts import plain_proof
from spotbeam.assembly.told import ToldHistory, told_history
from spotbeam.chronicle.contesting import accounts, events
from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.redaction import LEAST, count_words, shown_counts
from spotbeam.chronicle.sentences import entry_says, what_followed
from spotbeam.chronicle.telling import told_words
from spotbeam.chronicle.timeline import place_of, timeline
from spotbeam.control.standing import word_of
from spotbeam.formats import ftm
from spotbeam.governance.entries import parse_entry
from spotbeam.governance.entries.acts import PutList, PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.state import State
from spotbeam.governance.void import Void
from spotbeam.land.territories import ground
from spotbeam.record.note import parse_note
from spotbeam.report.public import overviews, pages
from spotbeam.report.public.parts import entry_path, party_path, proof_path, territory_path
from spotbeam.report.public.shell import POLICY, STYLE, Edition, stylesheet
from spotbeam.times import MICROSECONDS, format_time
from spotbeam.watch.alerts import alerts
from spotbeam.watch.standing import Page, standings
from spotbeam.watch.standing import pages as alert_pages

RECORD = "record"
"""The folder of the site in which a copy of the log lies."""
MARK = "spotbeam-site"
"""The file by which a site is known."""
_NEWEST = 3


def list_counts(state: State, least: int = LEAST) -> tuple[tuple[str, int], ...]:
    """What may be shown of the length of each list that is in force: over all its versions."""
    found = []
    for key in sorted(state.layers):
        acts = [layer.act for layer in state.layers[key] if isinstance(layer.act, PutList)]
        if acts:
            acts.sort(key=lambda act: act.version)
            found.append((acts[-1].list, shown_counts([act.count for act in acts], least)[-1]))
    return tuple(found)


File = tuple[str, Callable[[], bytes], bool]
"""Path, what makes its bytes, and whether it is written once for all."""


class Site:
    """A record as its pages show it."""

    def __init__(
        self, read: ReadRecord, chronicle: Chronicle, view: str, *, has_record: bool
    ) -> None:
        self.read, self.chronicle, self.view = read, chronicle, view
        self.state = chronicle.now
        self.now_us = read.time_s * MICROSECONDS
        self.edition = Edition(
            origin=read.checkpoint.origin,
            size=len(read.entries),
            root=read.checkpoint.root.hex(),
            witnessed=format_time(self.now_us),
            view=view,
            genesis=self.state.genesis,
            signed_by=_signers(read),
            record=RECORD if has_record else None,
        )

    def files(self, base_url: str | None) -> Iterator[File]:
        """Every file, those that others link to first."""
        yield STYLE, lambda: stylesheet().encode(), False
        quorum = self.state.witness_quorum
        yield POLICY, lambda: ("" if quorum is None else quorum.policy).encode(), False
        for index in range(len(self.read.entries)):
            item = self.item(index)
            if item is not None:
                yield proof_path(index), _proof(self.read, index), True
                yield entry_path(index), _text(pages.entry_page, self, item), False
        places = [self.place(name) for name in self.places()]
        for place in places:
            yield territory_path(place.id), _text(pages.territory_page, self, place), False
        people = [self.who(name) for name in sorted(self.chronicle.people)]
        for who in people:
            yield party_path(who.id), _text(pages.party_page, self, who), False
        yield "who.html", lambda: overviews.who_page(self.edition, people).encode(), False
        yield "requests.html", self.requests, False
        yield "accounts.html", self.accounts, False
        yield "alerts.html", self.alerts, False
        yield "how-to-check.html", self.check, False
        yield "entities.ftm.jsonl", lambda: ftm.entity_lines(self.chronicle), False
        items = feed_items(self.chronicle, self.read.entries, self.now_us)
        for name, data in write_feeds(self.chronicle, items, base_url):
            yield name, _constant(data), False
        lists = [
            f"{name}: {count_words(shown)} terminals" for name, shown in list_counts(self.state)
        ]
        yield (
            "index.html",
            lambda: overviews.index_page(
                self.edition,
                places,
                waiting=self.waiting(),
                sealed=self.sealed(),
                alerts=tuple(Counter(each.level for each in self.alerted).items()),
                lists=lists,
            ).encode(),
            False,
        )

    def item(self, index: int) -> pages.Item | None:
        """An entry as its page shows it; None: it is no entry at all."""
        try:
            entry = parse_entry(self.read.entries[index])
        except Void:
            return None
        name = entry.envelope.id
        witnessed_us = self.chronicle.witnessed_at(index)
        is_known = name in self.state.seen and self.state.seen[name] == index
        about = accounts(self.chronicle, name) if is_known else None
        belongs = timeline(self.chronicle, name) if is_known and self._has_story(name) else ()
        return pages.Item(
            id=name,
            index=index,
            kind=entry.envelope.type.replace("_", " "),
            witnessed=format_time(witnessed_us) if witnessed_us else "not witnessed yet",
            says=entry_says(entry, self.state),
            followed=what_followed(index, entry, self.state),
            events=belongs,
            accounts=about,
        )

    def _has_story(self, name: str) -> bool:
        told = self.chronicle.get(name)
        is_decided = name in self.state.requests or name in self.state.changes
        return is_decided or (told is not None and not isinstance(told.body, Refusal))

    def places(self) -> tuple[str, ...]:
        """The territories of which anything in the record speaks."""
        named: set[str] = set()
        for asked in self.chronicle.requests:
            named.update(asked.request.where)
        for layers in self.state.layers.values():
            for layer in layers:
                if isinstance(layer.act, PutRule):
                    named.update((*layer.act.rule.where, *layer.act.rule.except_))
        for told in self.chronicle.told:
            named.update(place_of(told.body))
        return tuple(sorted(named & set(ground(self.view).ids())))

    def place(self, name: str) -> pages.Place:
        """A territory as its page shows it."""
        told = told_history(self.read, self.chronicle, name, at_us=self.now_us, view=self.view)
        there = told.ground
        assert there is not None
        standing = there.now
        asked, decided = self._asked(name, standing.rules), self._decided(told, standing.rules)
        since_us = standing.switch.since_us
        return pages.Place(
            id=name,
            name=there.name,
            word=standing.word,
            since=None if since_us is None else format_time(since_us),
            says=standing.switch.says,
            asked=asked,
            decided=decided,
            sealed=tuple(self._seals(name)),
            open=standing.open_requests,
            administered_by=there.administered_by,
            claimed_by=there.claimed_by,
            citation=there.citation,
            events=told.events,
            accounts=told.accounts,
        )

    def who(self, name: str) -> pages.Who:
        """A party or person as their page shows them."""
        told = told_history(self.read, self.chronicle, name, at_us=self.now_us, view=self.view)
        registered = self.chronicle.parties.get(name)
        says = []
        if registered is not None:
            says.append(f"{told_words(registered.by, registered.body, self.chronicle.name_of)}.")
        if self.state.roster is not None and name in self.state.roster.persons:
            seat = self.state.roster.persons[name]
            says.append(f"On the roster for {seat.factor}: {', '.join(seat.roles)}.")
        return pages.Who(
            id=name,
            name=self.chronicle.name_of(name),
            says=tuple(says),
            events=told.events,
            accounts=told.accounts,
        )

    def waiting(self) -> tuple[tuple[str, int], ...]:
        """Requests that nobody has answered yet, and the entry of each."""
        return tuple(
            (
                f"{asked.request.asker}, to {asked.request.verb} in "
                f"{', '.join(asked.request.where) or 'all ground'}, to be answered by "
                f"{format_time(asked.request.answer_by_us)}",
                asked.index,
            )
            for asked in self.chronicle.requests
            if asked.status == "registered" and not asked.has_lapsed(self.state.witnessed_us)
        )

    def _asked(self, place: str, rules: tuple[RuleThere, ...]) -> tuple[tuple[str, int], ...]:
        names = dict.fromkeys(rule.request for rule in rules)
        if not names:  # then whoever asked last, whatever came of it
            about = [
                asked.id
                for asked in self.chronicle.requests
                if asked.request.where and may_overlap(asked.request.where, (place,))
            ]
            names = dict.fromkeys(about[-_NEWEST:])
        found = [self.state.requests[name] for name in names]
        return tuple(
            (
                f"{asked.request.asker}, to {asked.request.verb}: "
                f"{word_of(asked, self.state.witnessed_us)}",
                asked.index,
            )
            for asked in found
        )

    def _decided(
        self, told: ToldHistory, rules: tuple[RuleThere, ...]
    ) -> tuple[tuple[str, int], ...]:
        found = {
            rule.change: (
                f"proposed by {rule.proposer}, signed by {', '.join(rule.approvers)}",
                rule.index,
            )
            for rule in rules
        }
        for name in () if found or told.ground is None else told.ground.now.switch.follows:
            proposed = self.state.changes[name]
            signed = ", ".join(sorted(proposed.approvals))
            says = f"proposed by {proposed.proposer}, signed by {signed}"
            found[name] = (says, proposed.index)
        if found:
            return tuple(found.values())
        refusals = [event for event in told.events if event.kind == "refused"]
        shown = []
        for event in refusals[-_NEWEST:]:
            if event.index is not None:
                by = parse_entry(self.read.entries[event.index]).envelope.actor
                shown.append((f"{by} refused", event.index))
        return tuple(shown)

    def sealed(self) -> tuple[str, ...]:
        """When each seal that nobody has opened is to be opened; nothing else of it."""
        return tuple(self._seals(None))

    def _seals(self, place: str | None) -> Iterator[str]:
        for name in self.state.seals:
            proposal = self.state.changes[name].proposal
            if name in self.state.openings or not isinstance(proposal, Seal):
                continue
            if place is None or may_overlap(proposal.bounds.where, (place,)):
                by_us = self.state.overdue_from.get(name, proposal.open_by_us)
                late = " (overdue)" if by_us <= self.now_us else ""
                yield f"by {format_time(by_us)}{late}"

    def check(self) -> bytes:
        return overviews.check_page(self.edition).encode()

    def requests(self) -> bytes:
        rows = [
            (
                asked.index,
                [
                    asked.id,
                    asked.request.verb,
                    ", ".join(asked.request.where) or "everywhere",
                    asked.request.asker,
                    asked.request.channel,
                    word_of(asked, self.state.witnessed_us),
                ],
            )
            for asked in self.chronicle.requests
        ]
        return overviews.requests_page(self.edition, rows).encode()

    def accounts(self) -> bytes:
        every = (accounts(self.chronicle, name) for name in events(self.chronicle))
        told = [found for found in every if found.voices]
        return overviews.accounts_page(self.edition, self.chronicle, told).encode()

    def alerts(self) -> bytes:
        return overviews.alerts_page(self.edition, self.chronicle, self.alerted).encode()

    @cached_property
    def alerted(self) -> tuple[Page, ...]:
        """Alerts by cause, gravest first."""
        found = alerts(self.chronicle, self.now_us)
        return alert_pages(standings(self.chronicle, found, self.now_us))


def _signers(read: ReadRecord) -> tuple[str, ...]:
    origin = read.checkpoint.origin
    names = [line.name for line in parse_note(read.note).signatures]
    return tuple(sorted({name for name in names if name != origin}))


def _proof(read: ReadRecord, index: int) -> Callable[[], bytes]:
    return lambda: plain_proof(read, index)


def _text(draw: Callable[..., str], site: Site, what: object) -> Callable[[], bytes]:
    return lambda: draw(site.edition, site.chronicle, what).encode()


def _constant(data: bytes) -> Callable[[], bytes]:
    return lambda: data
