"""A1 and A2: decisions that follow contacts, ties or reported contacts which nobody knew of then.

What the record did not show by the time of the decision counts as undisclosed, whatever somebody
says later about having told others: that is told with the alert, and does not stop it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from spotbeam.chronicle.contesting import Voice, accounts, events
from spotbeam.chronicle.reading import Chronicle, Told
from spotbeam.chronicle.readings import date_span
from spotbeam.chronicle.telling import source_words
from spotbeam.chronicle.words import named, places_words
from spotbeam.errors import InputError
from spotbeam.governance.entries.accounts import Contact, Disclosure, Interest, Matter, Tie
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.ground import may_overlap
from spotbeam.times import format_time, parse_time
from spotbeam.watch.alerts import NEVER, Alert, raised
from spotbeam.watch.decisions import Decision, decisions
from spotbeam.watch.rules import Level, Settings

_STAKES = frozenset({"claimant", "administrator", "neighbour", "beneficiary"})
_TRUSTED = frozenset("ABC")
_LIKELY = frozenset({1, 2, 3})


def find(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    """Every A1 and A2."""
    made = decisions(chronicle, at_us)
    stakes = Stakes(chronicle)
    bearing = _Bearing(chronicle, made, stakes, settings)
    late: dict[str, list[tuple[Told[Any], Decision, int]]] = {}
    for told, decision, known_us in bearing.contacts():
        yield _follows_contact(chronicle, told, decision, known_us)
        late.setdefault(told.id, []).append((told, decision, known_us))
    for tie, decision, known_us in bearing.ties():
        yield _follows_tie(chronicle, tie, decision, known_us)
        late.setdefault(tie.id, []).append((tie, decision, known_us))
    for found in late.values():
        yield _told_late(found)
    yield from bearing.claims()


class Stakes:
    """Which parties have an interest in which ground: their own, or that of what they belong to."""

    def __init__(self, chronicle: Chronicle) -> None:
        self._interests: dict[str, list[Told[Interest]]] = {}
        for told in chronicle.of(Interest):
            if told.body.kind in _STAKES:
                self._interests.setdefault(told.body.party, []).append(told)
        self._part_of = {
            name: told.body.part_of for name, told in chronicle.parties.items() if told.body.part_of
        }

    def since(self, party: str, where: tuple[str, ...], at_us: int) -> int | None:
        """From when the record shows that a party has an interest in some ground; None: never."""
        known = [
            NEVER if told.witnessed_us is None else told.witnessed_us
            for name in self._with_what_it_is_part_of(party)
            for told in self._interests.get(name, ())
            if (told.body.from_us or 0) <= at_us
            and (told.body.until_us is None or at_us < told.body.until_us)
            and may_overlap(told.body.where, where)
        ]
        return min(known, default=None)

    def _with_what_it_is_part_of(self, party: str) -> list[str]:
        found = [party]
        while (above := self._part_of.get(found[-1])) is not None and above not in found:
            found.append(above)
        return found


class _Bearing:
    """What was told late, beside the decisions that it bears on."""

    def __init__(
        self,
        chronicle: Chronicle,
        made: tuple[Decision, ...],
        stakes: Stakes,
        settings: Settings,
    ) -> None:
        self.chronicle, self.made, self.stakes = chronicle, made, stakes
        self.counts_us = settings.contact_counts_us
        self.times = [decision.at_us for decision in made]

    def between(self, from_us: int, until_us: int, told: Told[Any]) -> Iterable[Decision]:
        """Decisions in [from, until), and before something was on record."""
        shown_us = _shown(told)
        first = bisect_left(self.times, from_us)
        last = bisect_left(self.times, min(until_us, shown_us + 1))
        for decision in self.made[first:last]:
            # Witnessed times are whole seconds: within one, the order of the record decides.
            is_after = decision.index is not None and told.index > decision.index
            if decision.at_us < shown_us or is_after:
                yield decision

    def contacts(self) -> Iterator[tuple[Told[Contact], Decision, int]]:
        for told in self.chronicle.of(Contact):
            shown_us = _shown(told)
            begin_us = told.body.at_us
            for decision in self.between(begin_us, begin_us + self.counts_us, told):
                if told.body.person in decision.chain:
                    known_us = self.interest_shown(told.body.party, told.body.where, decision)
                    if known_us is not None:
                        yield told, decision, max(shown_us, known_us)

    def ties(self) -> Iterator[tuple[Told[Tie], Decision, int]]:
        for told in self.chronicle.of(Tie):
            shown_us, until_us = _shown(told), told.body.until_us
            end_us = NEVER if until_us is None else until_us + self.counts_us
            for decision in self.between(told.body.from_us, end_us, told):
                if told.body.person in decision.chain:
                    known_us = self.interest_shown(told.body.party, told.body.where, decision)
                    if known_us is not None:
                        yield told, decision, max(shown_us, known_us)

    def interest_shown(self, party: str, where: tuple[str, ...], decision: Decision) -> int | None:
        """From when the record shows the party's interest; the teller's own word counts too."""
        if where and may_overlap(where, decision.where):
            return 0
        return self.stakes.since(party, decision.where, decision.at_us)

    def claims(self) -> Iterator[Alert]:
        """A2 for contacts that only claims tell of: one alert for each event."""
        for event in events(self.chronicle):
            told = self.chronicle.get(event)
            if told is None or not isinstance(told.body, Matter):
                continue
            said = accounts(self.chronicle, event)
            for voice in said.voices:
                if (
                    voice.stands
                    and voice.occurred == "yes"
                    and voice.claim.body.stance == "asserts"
                ):
                    found = list(self.of_claim(voice, told))
                    if found:
                        yield _claimed_late(voice, said.is_contested, found)

    def of_claim(self, voice: Voice, matter: Told[Matter]) -> Iterator[Decision]:
        names = {*voice.claim.body.names, *matter.body.parties}
        span = _span_us(voice, matter.body)
        if span is None:
            return
        for decision in self.between(span[0], span[1] + self.counts_us, voice.claim):
            others = names - decision.chain
            if names & decision.chain and any(
                self.stakes.since(party, decision.where, decision.at_us) is not None
                for party in others
            ):
                yield decision


def _shown(told: Told[Any]) -> int:
    return NEVER if told.witnessed_us is None else told.witnessed_us


def _span_us(voice: Voice, matter: Matter) -> tuple[int, int] | None:
    """When what a claim tells of happened: by its own word, else by its matter's date."""
    dates = [each.value for each in voice.claim.body.says if each.aspect == "date"]
    text = dates[0] if dates else matter.date
    if text is None:
        return None
    try:
        first, last = date_span(text)
    except InputError:
        return None
    begin = parse_time(f"{first.isoformat()}T00:00:00Z")
    return begin, parse_time(f"{last.isoformat()}T00:00:00Z") + DAY_US


def _follows_contact(
    chronicle: Chronicle, told: Told[Contact], decision: Decision, known_us: int
) -> Alert:
    contact = told.body
    elsewhere = [*(contact.disclosed or ())]
    elsewhere += [each.body.disclosed for each in chronicle.about(told.id, Disclosure)]
    said = "".join(
        f"; said to have been disclosed to {named(each.to)} on {format_time(each.at_us)}"
        for each in elsewhere
    )
    who, party = (named(chronicle.name_of(name)) for name in (contact.person, contact.party))
    return raised(
        "A1",
        (told.id, decision.id),
        cause=told.id,
        at_us=decision.at_us,
        known_us=max(known_us, decision.at_us),
        says=f"On {format_time(decision.at_us)} {decision.says}. This follows a contact of {who} "
        f"with {party} on {format_time(contact.at_us)}, which the record shows only since "
        f"{_since(told)}{said}.",
        evidence=(told.id, *decision.evidence),
        decisions=(decision.id,),
        where=decision.where,
        named=(contact.person,),
    )


def _follows_tie(chronicle: Chronicle, told: Told[Tie], decision: Decision, known_us: int) -> Alert:
    tie = told.body
    who, party = (named(chronicle.name_of(name)) for name in (tie.person, tie.party))
    return raised(
        "A1",
        (told.id, decision.id),
        cause=told.id,
        at_us=decision.at_us,
        known_us=max(known_us, decision.at_us),
        says=f"On {format_time(decision.at_us)} {decision.says}. {who}, who had a part in it, has "
        f"a tie to {party} ({tie.kind.replace('-', ' ')}), which the record shows only since "
        f"{_since(told)}.",
        evidence=(told.id, *decision.evidence),
        decisions=(decision.id,),
        where=decision.where,
        named=(tie.person,),
    )


def _told_late(found: list[tuple[Told[Any], Decision, int]]) -> Alert:
    told = found[0][0]
    ids = tuple(dict.fromkeys(decision.id for _, decision, _ in found))
    plural = "decision" if len(ids) == 1 else "decisions"
    where = tuple(sorted({place for _, decision, _ in found for place in decision.where}))
    return raised(
        "A2",
        (told.id,),
        cause=told.id,
        at_us=min(decision.at_us for _, decision, _ in found),
        known_us=max(min(known for _, _, known in found), _shown(told)),
        says=f"{told.id} came on record on {_since(told)}, and bears on {len(ids)} earlier "
        f"{plural}: {', '.join(ids)}.",
        evidence=(told.id, *(name for _, decision, _ in found for name in decision.evidence)),
        decisions=ids,
        where=where,
        named=(told.body.person,),
    )


def _claimed_late(voice: Voice, is_contested: bool, found: list[Decision]) -> Alert:
    claim = voice.claim
    level: Level = "high" if _is_supported(voice) else "review"
    ids = tuple(dict.fromkeys(decision.id for decision in found))
    grades = ", ".join(
        f"{each.by} {each.body.reliability or '-'}/{each.body.credibility or '-'}"
        for each in voice.grades
    )
    where = tuple(sorted({place for decision in found for place in decision.where}))
    other = " Other accounts contradict it." if is_contested else ""
    return raised(
        "A2",
        (claim.id,),
        cause=claim.id,
        level=level,
        at_us=min(decision.at_us for decision in found),
        known_us=_shown(claim),
        says=f"{source_words(claim.body.source)} says what, if it is so, came before decisions on "
        f"{places_words(where)}: {', '.join(ids)}. It is on record since {_since(claim)}; graded "
        f"{grades or 'by nobody'}.{other}",
        evidence=(claim.id, *(name for decision in found for name in decision.evidence)),
        decisions=ids,
        where=where,
        named=claim.body.names,
    )


def _is_supported(voice: Voice) -> bool:
    """Whether some grader finds the source fairly reliable and the information possibly true."""
    reliable = any(each.body.reliability in _TRUSTED for each in voice.grades)
    return reliable and any(each.body.credibility in _LIKELY for each in voice.grades)


def _since(told: Told[Any]) -> str:
    return "no checkpoint yet" if told.witnessed_us is None else format_time(told.witnessed_us)
