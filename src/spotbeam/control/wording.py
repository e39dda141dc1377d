r"""Proposals in plain words, safe to show: what people read before they sign.

Free text comes from strangers. Characters that control a terminal, turn text round, hide or look
like nothing are shown as `\u202e`, so that what is read is what is there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import msgspec

from spotbeam.chronicle.conditions import conditions_words, windows_words
from spotbeam.control.standing import kind_of
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
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.deciding import Change, Emergency, Seal
from spotbeam.governance.entries.people import QuorumRule
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.entries.words import Ground, Span
from spotbeam.governance.proofs import key_digest
from spotbeam.governance.state import Asked, Proposal, Proposed, State
from spotbeam.record.policy import parse_policy
from spotbeam.times import format_duration, format_time

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MOST_PLACES = 12
_VERBS = {
    "grant": "grants service",
    "deny": "denies service",
    "limit": "limits service",
    "exempt": "exempts",
}


def plain(text: str) -> str:
    """A text with everything escaped that could control, hide or turn round what is shown."""
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char == "\\":
        return "\\\\"
    is_odd_space = char.isspace() and char != " "
    if is_odd_space or unicodedata.category(char) in _HIDDEN or unicodedata.combining(char) > 239:
        return char.encode("unicode_escape", "surrogatepass").decode("ascii")
    return char


def request_facts(asked: Asked) -> tuple[tuple[str, str], ...]:
    """Who asked for what, on which grounds: label and value."""
    return (("request", asked.id), *asking_facts(asked.request, asked.signed_by))


def asking_facts(body: Request, signed_by: str) -> tuple[tuple[str, str], ...]:
    """What a request says, before or after it is on record: label and value."""
    facts = [
        ("verb", body.verb),
        ("where", places(body.where)),
        ("asked by", plain(body.asker)),
    ]
    if body.on_behalf_of is not None:
        facts.append(("on behalf of", plain(body.on_behalf_of)))
    facts += [
        ("came by", f"{plain(body.channel)}, registered by {signed_by}"),
        *_how_it_came(body),
        ("grounds", "; ".join(ground_words(ground) for ground in body.grounds)),
        ("answer by", format_time(body.answer_by_us)),
    ]
    return tuple(facts)


def _how_it_came(body: Request) -> list[tuple[str, str]]:
    facts = []
    if body.spoken is not None:
        facts.append(("spoken", plain(body.spoken)))
    if body.contacts:
        facts.append(("voiced in", ", ".join(body.contacts)))
    if body.verified == "unverified":
        facts.append(
            ("verified", "no: nothing can be proposed for it until somebody else verifies it")
        )
    elif body.verified is not None:
        facts.append(("verified", f"by its registrar: {body.verified.replace('-', ' ')}"))
    return facts


def proposal_facts(state: State, proposed: Proposed) -> tuple[tuple[str, str], ...]:
    """What a proposal would do, in plain words: label and value, one for each act."""
    return prepared_facts(state, proposed.id, proposed.proposer, proposed.proposal)


def prepared_facts(
    state: State, name: str, proposer: str, proposal: Proposal
) -> tuple[tuple[str, str], ...]:
    """As `proposal_facts`, of a proposal that may not be in the record yet."""
    facts = [(kind_of(proposal), name), ("proposed by", proposer)]
    asked = state.requests[proposal.request]
    known = set(map(str, asked.request.grounds))
    facts += request_facts(asked)
    added = [ground_words(ground) for ground in proposal.grounds if str(ground) not in known]
    if added:
        facts.append(("more grounds", "; ".join(added)))
    facts += [("act", words) for words in act_words(state, proposal)]
    facts.append(("has effect", effect_words(proposal)))
    facts.append(("can bind until", format_time(proposal.lapses_us)))
    return tuple(facts)


def act_words(state: State, proposal: Proposal) -> tuple[str, ...]:
    """Each thing that a proposal does, as a sentence."""
    if isinstance(proposal, Seal):
        bounds = proposal.bounds
        return (
            f"sealed rules, bound to {proposal.commitment[:16]}…: they can do no more than "
            f"{bounds.verb} in {places(bounds.where)}, on {len(bounds.cells)} cells and those "
            f"within them, for {format_duration(bounds.lasts_us)}; protected users are untouched; "
            f"to be opened by {format_time(proposal.open_by_us)}",
        )
    return tuple(_act(state, act) for act in proposal.acts)


def effect_words(proposal: Proposal) -> str:
    """When a proposal has effect, once it binds."""
    if isinstance(proposal, Change):
        text = span_words(proposal.window)
        if proposal.rollout:
            stages = (
                f"{format_time(stage.from_us)} {places(stage.where)}" for stage in proposal.rollout
            )
            text += "; ground by ground: " + "; ".join(stages)
        return text
    if isinstance(proposal, Emergency):
        return f"from when it binds, for {format_duration(proposal.lasts_us)}; then it reverts"
    return f"from when it binds, for {format_duration(proposal.bounds.lasts_us)}"


def span_words(span: Span) -> str:
    """From when until when."""
    begin = "from when it binds" if span.from_us is None else f"from {format_time(span.from_us)}"
    end = "without end" if span.until_us is None else f"until {format_time(span.until_us)}"
    return f"{begin}, {end}"


def rule_words(rule: RuleEntry) -> str:
    """A rule as a sentence."""
    parts = [_VERBS[rule.effect]]
    if rule.lifts:
        parts[0] += f" from {', '.join(rule.lifts)}"
    if rule.gate is not None:
        parts.append(f"at the {rule.gate} gate")
    parts.append(f"in {places(rule.where)}" if rule.where else "everywhere")
    if rule.except_:
        parts.append(f"except {places(rule.except_)}")
    asked = conditions_words(rule.who, rule.thresholds)
    if asked:
        parts.append(f"for terminals {plain(asked)}")
    if rule.when:
        parts.append(windows_words(rule.when))
    if rule.max_mbps is not None:
        parts.append(f"to {rule.max_mbps} Mbit/s")
    if rule.guard_km != "0":
        parts.append(f"with a guard of {rule.guard_km} km")
    after = "" if rule.stale_after_us is None else f" after {format_duration(rule.stale_after_us)}"
    parts.append(f"on silence {rule.on_stale}{after}")
    parts.append(f"grounds {', '.join(map(plain, rule.grounds))}")
    return ", ".join(parts)


def quorum_words(quorum: QuorumRule) -> str:
    """How many must agree."""
    text = f"{quorum.persons} persons of {quorum.factors} factors"
    text += f", with {', '.join(quorum.must_include)}" if quorum.must_include else ""
    if (small := quorum.small) is not None:
        text += (
            f"; for up to {small.cells} cells together, {small.persons} persons of "
            f"{small.factors} factors"
        )
    return text


def ground_words(ground: Ground) -> str:
    """A ground, who issued it, and when it begins and ends."""
    document = "" if ground.digest is None else f" (document {ground.digest[:16]}…)"
    ends = "" if ground.until_us is None else f", until {format_time(ground.until_us)}"
    begins = "" if ground.from_us is None else f", from {format_time(ground.from_us)}"
    issuer = "" if ground.issuer is None else f" by {plain(ground.issuer)}"
    return f"{ground}{issuer}{document}{begins}{ends}"


def places(names: Iterable[str]) -> str:
    """Ground by its ids; long lists are cut, with their number."""
    known = list(names)
    if not known:
        return "everywhere"
    text = ", ".join(known[:_MOST_PLACES])
    rest = len(known) - _MOST_PLACES
    return text + (f" and {rest} more" if rest > 0 else "")


def _act(state: State, act: Act) -> str:
    match act:
        case PutRule(rule=rule):
            new = "another wording of" if f"rule:{rule.id}" in state.layers else "new"
            return f"{new} rule {rule.id}: {rule_words(rule)}"
        case DropRule():
            return f"takes out the rule {act.rule}"
        case PutList():
            return (
                f"version {act.version} of the list {act.list}: {act.count} terminals, "
                f"root {act.root[:16]}…"
            )
        case DropList():
            return f"takes out the list {act.list}"
        case PutSponsor():
            until = "without end" if act.until_us is None else f"until {format_time(act.until_us)}"
            return f"the sponsor {act.sponsor} pays {until}"
        case DropSponsor():
            return f"takes out the sponsor {act.sponsor}"
        case PutBoundaries(boundaries=drawn):
            return (
                f"draws the point of view {drawn.view} with {plain(drawn.source)} "
                f"({drawn.digest[:16]}…)"
            )
        case _:
            return _act_once(act)


def _act_once(act: Act) -> str:
    match act:
        case Seat(person=person):
            roles = ", ".join(person.roles) or "no role"
            return f"seats {person.id} in {person.factor} as {roles}, 72 hours after it binds"
        case Unseat():
            return f"takes the seat of {act.person} as soon as it binds"
        case AddKey():
            return (
                f"gives {act.person} the key {key_digest(act.key)[:16]}…, 72 hours after it binds"
            )
        case DropKey():
            return f"takes the key {act.key[:16]}… from {act.person} as soon as it binds"
        case Merge():
            return f"{act.person} and {act.same_as} count as one person from now on"
        case AddFactor(factor=factor):
            return f"new factor {factor.id} ({plain(factor.name)}), filled by {factor.party}"
        case SetQuorum():
            return f"another quorum: {quorum_words(act.quorum)}, 72 hours after it binds"
        case SetWitnesses():
            names = ", ".join(sorted(act.witness_quorum.organisations))
            return f"other witnesses or log key: {plain(names)}"
        case CloseLog():
            names = ", ".join(sorted(act.witness_quorum.organisations))
            key = str(parse_policy(act.witness_quorum.policy.encode()).logs[0].key)
            return (
                f"closes this log as soon as it binds; the record goes on in {plain(act.origin)}, "
                f"with the key {plain(key)} and the witnesses {plain(names)}"
            )
        case SetRules():
            return f"entries mean what rules version {act.version} says"
        case ConfirmContact():
            return f"confirms the contact or tie {act.contact}"
        case SilenceAlerts():
            where = places(act.where)
            until = format_time(act.until_us)
            return f"silences {act.rule} in {where} until {until}: {plain(act.words)}"
        case ExtendSeal():
            return f"gives the seal {act.seal} until {format_time(act.open_by_us)} to be opened"
        case Review():
            return f"finds the emergency {act.emergency} {act.finding}: {plain(act.words)}"
        case _:
            return f"{type(act).__name__}: {plain(msgspec.json.encode(act).decode())}"
