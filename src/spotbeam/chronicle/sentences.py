"""What an entry says and what followed from it, in plain sentences.

The words of others (names, grounds, quotes) stand in the sentences as they are in the record:
whoever prints a sentence escapes what could steer a terminal. Nothing here says why anything
happened; it says what follows what.
"""

from __future__ import annotations

from collections.abc import Iterable

from spotbeam.chronicle.conditions import conditions_words, windows_words
from spotbeam.chronicle.telling import told_words
from spotbeam.chronicle.words import named, places_words, quoted
from spotbeam.governance.entries import Entry
from spotbeam.governance.entries.acts import (
    Act,
    AddFactor,
    AddKey,
    CloseLog,
    ConfirmContact,
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
    Review,
    Seat,
    SetQuorum,
    SetRules,
    SetWitnesses,
    SilenceAlerts,
    Unseat,
)
from spotbeam.governance.entries.asking import Arrival, Lapse, Refusal, Request, Withdrawal
from spotbeam.governance.entries.deciding import (
    Anchor,
    Approval,
    Change,
    Emergency,
    Opening,
    Seal,
)
from spotbeam.governance.entries.logs import Open, Succession
from spotbeam.governance.entries.people import Genesis, QuorumRule, Revocation
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import Grounds, Span
from spotbeam.governance.state import PROPOSAL_LASTS_US, Asked, Proposed, State
from spotbeam.times import format_duration, format_time


def entry_says(entry: Entry, state: State) -> str:
    """One entry in one sentence.

    Args:
        entry: As it was read.
        state: A state that knows the proposals which approvals name by digest.
    """
    actor = entry.envelope.actor
    match entry.body:
        case Genesis() as body:
            return (
                f"the log {named(body.origin)} begins: {_counted(len(body.persons), 'person')} of "
                f"{_counted(len(body.factors), 'factor')}; {quorum_words(body.quorum)} decide"
            )
        case Arrival() as body:
            return f"something arrived by {body.channel}; its digest is {body.digest[:16]}…"
        case Request() as body:
            asks = named(body.asker)
            if body.asker != actor:
                asks = f"{asks} (registered by {actor})"
            behalf = f" on behalf of {named(body.on_behalf_of)}" if body.on_behalf_of else ""
            spoken = f", saying {quoted(body.spoken)}" if body.spoken else ""
            unsure = ", unverified" if body.verified == "unverified" else ""
            came = "in person" if body.channel == "in-person" else f"by {body.channel}"
            return (
                f"{asks} asks{behalf} to {body.verb} {places_words(body.where)}, {came}"
                f"{unsure}{spoken}, on {grounds_words(body.grounds)}; to be "
                f"answered by {format_time(body.answer_by_us)}"
            )
        case Refusal() as body:
            return (
                f"{actor} refuses the request {body.request}, on {grounds_words(body.grounds)}: "
                f"{quoted(body.quote)}"
            )
        case Withdrawal() as body:
            return f"{actor} takes back {body.target}"
        case Lapse() as body:
            return f"the log notes that the request {body.request} has lapsed unanswered"
        case Change() as body:
            return (
                f"{actor} proposes, for the request {body.request}, on "
                f"{grounds_words(body.grounds)}: {acts_words(body.acts)}{span_words(body.window)}"
            )
        case Emergency() as body:
            return (
                f"{actor} proposes an emergency action of {format_duration(body.lasts_us)}, for "
                f"the request {body.request}: {acts_words(body.acts)}"
            )
        case Seal() as body:
            bounds = body.bounds
            return (
                f"{actor} proposes, sealed, for the request {body.request}: to {bounds.verb} "
                f"within {places_words(bounds.where)}, in "
                f"{_counted(len(bounds.cells), 'cell')} at most, for "
                f"{format_duration(bounds.lasts_us)} at most; to be opened by "
                f"{format_time(body.open_by_us)}"
            )
        case Opening() as body:
            return f"{actor} opens the seal {body.seal}"
        case Approval() as body:
            proposal = state.by_digest.get(body.change, f"{body.change[:16]}…")
            word = "approves" if body.word == "approve" else "rejects"
            return f"{actor} {word} {proposal}"
        case Revocation() as body:
            return f"{actor} gives up the key {body.revoked[:16]}…"
        case Anchor() as body:
            return f"witnesses have signed for the first {_counted(body.size, 'entry')}"
        case Open() as body:
            return (
                f"the record goes on here in {named(body.origin)}, from "
                f"{named(body.previous.origin)} with {_counted(body.previous.size, 'entry')}"
            )
        case Succession() as body:
            people = ", ".join(each.person for each in body.signatures)
            return (
                f"{people} leave the log {named(body.previous.origin)} at "
                f"{_counted(body.previous.size, 'entry')} and go on in {named(body.origin)}: "
                f"{quoted(body.words)}"
            )
        case _:
            return told_words(actor, entry.body)


def what_followed(index: int, entry: Entry, state: State) -> tuple[str, ...]:
    """What became of an entry, as far as the record goes; empty where nothing can.

    Args:
        index: Of the entry, counted through all logs of the record.
        entry: As it was read.
        state: The whole record's.
    """
    name = entry.envelope.id
    gone = [f"no effect: {each.code}: {each.reason}" for each in state.findings.get(index, ())]
    if gone and not isinstance(entry.body, Approval):
        return tuple(gone)
    if name in state.requests and state.requests[name].index == index:
        return (request_ended(state.requests[name], state),)
    if name in state.changes and state.changes[name].index == index:
        return tuple(proposal_stands(state.changes[name], state))
    if isinstance(entry.body, Approval) and name in state.approvals:
        proposed = state.changes[state.approvals[name]]
        if any(given.id == name for given in proposed.approvals.values()):
            counted = "it counted" if proposed.status == "bound" else "it stands"
            return (*gone, f"{counted}; {proposed.id} is {_status(proposed, state)}")
        return (*gone, "it fell or was replaced")
    return tuple(gone)


def request_ended(asked: Asked, state: State) -> str:
    """How a request stands, by the last witnessed time."""
    if asked.status == "registered":
        by = format_time(asked.request.answer_by_us)
        if asked.has_lapsed(state.witnessed_us):
            return f"lapsed: nobody had answered by {by}"
        return f"open until {by}"
    at = "" if asked.ended_us is None else f", witnessed {format_time(asked.ended_us)}"
    where = state.seen.get(asked.ended_by or "")
    who = asked.ended_by if where is None else f"entry {where} ({asked.ended_by})"
    return f"{asked.status} by {who}{at}"


def proposal_stands(proposed: Proposed, state: State) -> list[str]:
    """How a proposal stands, and who has approved it."""
    people = ", ".join(
        f"{given.person} (entry {given.index})"
        for given in sorted(proposed.approvals.values(), key=lambda each: each.index)
    )
    said = [f"approved by {people}"] if people else []
    if proposed.status == "bound" and proposed.bound_us is not None:
        said.append(f"bound at entry {proposed.bound_index}, {format_time(proposed.bound_us)}")
        if isinstance(proposed.proposal, Emergency):
            end_us = proposed.bound_us + proposed.proposal.lasts_us
            said.append(f"ends by itself {format_time(end_us)}")
            if proposed.id in state.unreviewed:
                said.append("nobody has reviewed it yet")
        if isinstance(proposed.proposal, Seal):
            said.append(_opening_words(proposed, state))
        return said
    said.append(_status(proposed, state))
    if proposed.stood_still not in (None, "lapsed"):
        said.append(f"it stood still: {proposed.stood_still}")
    return said


def acts_words(acts: Iterable[Act]) -> str:
    """What a change does."""
    return "; ".join(_act_words(act) for act in acts)


def rule_words(rule: RuleEntry) -> str:
    """A rule in one phrase."""
    gate = f" at the {rule.gate} gate" if rule.gate else ""
    without = f" except {places_words(rule.except_)}" if rule.except_ else ""
    lifts = f", lifting {', '.join(rule.lifts)}" if rule.lifts else ""
    limit = f", at most {rule.max_mbps} Mbit/s" if rule.max_mbps else ""
    asks = conditions_words(rule.who, rule.thresholds)
    to = f", for terminals {asks}" if asks else ""
    to += f", {windows_words(rule.when)}" if rule.when else ""
    where = f"in {places_words(rule.where)}" if rule.where else "everywhere"
    return f"{rule.effect}{gate} {where}{without}{to}{lifts}{limit}"


def grounds_words(grounds: Grounds) -> str:
    """Grounds as rules cite them."""
    return ", ".join(str(ground) for ground in grounds)


def span_words(span: Span) -> str:
    """A window; nothing where it has no bounds."""
    begin = f" from {format_time(span.from_us)}" if span.from_us is not None else ""
    end = f" until {format_time(span.until_us)}" if span.until_us is not None else ""
    return f";{begin}{end}" if begin or end else ""


def quorum_words(quorum: QuorumRule) -> str:
    """How many must agree."""
    named = f", among them {', '.join(quorum.must_include)}" if quorum.must_include else ""
    return f"{quorum.persons} persons of {quorum.factors} factors{named}"


def _act_words(act: Act) -> str:
    match act:
        case PutRule(rule=rule):
            return f"bring in the rule {rule.id}: {rule_words(rule)}"
        case DropRule(rule=name):
            return f"take out the rule {name}"
        case PutList():
            return f"version {act.version} of the list {act.list}"
        case DropList():
            return f"take out the list {act.list}"
        case PutSponsor():
            end = "" if act.until_us is None else f" until {format_time(act.until_us)}"
            return f"the sponsor {act.sponsor} pays{end}"
        case DropSponsor():
            return f"take out the sponsor {act.sponsor}"
        case PutBoundaries(boundaries=drawn):
            return f"draw the point of view {drawn.view} with {named(drawn.source)}"
        case Seat(person=person):
            return f"seat {person.id} in the factor {person.factor}"
        case Unseat():
            return f"take the seat of {act.person}"
        case AddKey():
            return f"another key for {act.person}"
        case DropKey():
            return f"take the key {act.key[:16]}… from {act.person}"
        case Merge():
            return f"{act.person} and {act.same_as} count as one"
        case AddFactor(factor=factor):
            return f"a new factor {factor.id}, filled by {factor.party}"
        case SetQuorum(quorum=quorum):
            return f"from now on {quorum_words(quorum)} decide"
        case SetWitnesses():
            names = sorted(act.witness_quorum.organisations)
            return f"other witnesses: {', '.join(map(named, names))}"
        case SetRules():
            return f"entries mean what rules version {act.version} says"
        case CloseLog():
            return f"close this log; the record goes on in {named(act.origin)}"
        case ExtendSeal():
            return f"the seal {act.seal} has until {format_time(act.open_by_us)} to be opened"
        case ConfirmContact():
            return f"confirm the contact {act.contact}"
        case SilenceAlerts():
            where = places_words(act.where)
            until = format_time(act.until_us)
            return f"silence {act.rule} {where} until {until}: {quoted(act.words)}"
        case Review():
            words = quoted(act.words)
            return f"the emergency {act.emergency} was looked at and {act.finding}: {words}"


def _status(proposed: Proposed, state: State) -> str:
    if proposed.status != "pending":
        return proposed.status
    if proposed.has_lapsed(state.witnessed_us):
        ends = [proposed.proposal.lapses_us]
        if proposed.anchored_us is not None:
            ends.append(proposed.anchored_us + PROPOSAL_LASTS_US)
        return f"lapsed {format_time(min(ends))}"
    return "pending"


def _opening_words(proposed: Proposed, state: State) -> str:
    assert isinstance(proposed.proposal, Seal)
    if proposed.id in state.openings:
        return "it was opened"
    by_us = proposed.proposal.open_by_us
    if by_us <= state.witnessed_us:
        return f"OVERDUE: it was to be opened by {format_time(by_us)}"
    return f"to be opened by {format_time(by_us)}"


def _counted(count: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{count:,} {what if count == 1 else plural}"
