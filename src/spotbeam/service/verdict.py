"""Who is served, and why: one pure function from facts to a verdict.

    verdict(policy, terminal, position, motion, memory, at_us, view) -> (Verdict, Memory)

Gates are asked in order: identity, assurance, order, territory, cell, list, mobility, plan. All
must pass, and the first that does not gives the reason. Only the territory gate needs a grant;
without one the answer is no. Nothing here reads a clock, a file or a table, so that whoever holds
the same facts reaches the same verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

import msgspec

from spotbeam.service.conditions import Case, darkens, matches, matches_but_for
from spotbeam.service.memory import FRESH, SETTLED, Memory, RuleMemory, remember
from spotbeam.service.policy import Policy
from spotbeam.service.position import Ids, Motion, Position, is_at_sea
from spotbeam.service.rules import GATES, Effect, Gate, Rule
from spotbeam.service.terminals import Account, Terminal
from spotbeam.service.validity import valid_until_us

__all__ = [
    "FRESH",
    "OUTCOMES",
    "REASONS",
    "SETTLED",
    "Memory",
    "Motion",
    "Outcome",
    "Position",
    "RuleMemory",
    "Verdict",
    "deny_reason",
    "verdict",
]


class Outcome(IntEnum):
    """What a verdict comes to, as columns hold it; `OUTCOMES` has the words."""

    ALLOW = 0
    LIMIT = 1
    DENY = 2


OutcomeWord = Literal["allow", "limit", "deny"]
OUTCOMES: tuple[OutcomeWord, ...] = ("allow", "limit", "deny")

# In columns a reason is its place in this list.
REASONS = (
    "OK",
    "NO_ACTIVE_ACCOUNT",
    "ACCOUNT_DISABLED",
    "UNSUPPORTED_VERSION",
    "POSITION_NOT_ASSURED",
    "UNKNOWN_LOCATION",
    "BLOCKED_COUNTRY",
    "EMERGENCY_ACTION",
    "NOT_AUTHORISED",
    "PENDING_AUTHORISATION",
    "IN_OCEAN",
    "GUARD_BAND",
    "CELL_IS_DISABLED",
    "NOT_LISTED",
    "SPONSOR_LAPSED",
    "MOVING_TOO_FAST_FOR_POLICY",
    "TOO_FAR_FROM_SERVICE_ADDRESS",
    "ROAM_RESTRICTED",
    "DATA_OVERAGE",
    "POLICY_STALE",
)

_ACCOUNT_REASONS = {
    Account.NONE: "NO_ACTIVE_ACCOUNT",
    Account.DISABLED: "ACCOUNT_DISABLED",
    Account.UNSUPPORTED: "UNSUPPORTED_VERSION",
}


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The answer for one terminal at one moment, with what it rests on.

    Attributes:
        rule: The rule that decided; None where a default or a built-in check did.
        matched: All rules that matched, decisive or not, in the policy's order.
        lifted: The gates that exempts, or distress, had opened.
        grounds: Why the deciding rule stands, `kind:id`.
        view: The point of view that the ground was seen from.
        valid_until_us: Until then (excluded) the same terminal, in the same place and motion and
            with the same memory, gets the same verdict; None: no rule here follows a clock.
        max_mbps: For a limit.
    """

    outcome: OutcomeWord
    reason: str
    rule: str | None
    matched: tuple[str, ...]
    lifted: tuple[Gate, ...]
    grounds: tuple[str, ...]
    policy_version: str
    record_index: int | None
    view: str
    assurance: int
    valid_until_us: int | None
    max_mbps: float | None


class _Denial(NamedTuple):
    reason: str
    rule: Rule | None = None


def verdict(
    policy: Policy,
    terminal: Terminal,
    position: Position,
    motion: Motion,
    memory: Memory,
    at_us: int,
    view: str,
) -> tuple[Verdict, Memory]:
    """Decide one terminal, and say why.

    Args:
        policy: Rules, lists, sponsors and requests.
        terminal: Who it is. Where it is and how it moves are taken from the next two only.
        position: With the ground around it (`position.place`).
        motion: Ground speed and altitude.
        memory: What was remembered; `SETTLED` for a motion that has lasted, `FRESH` for a start.
        at_us: When.
        view: The point of view that `position` was placed in.

    Returns:
        The verdict, and the memory for the next one.
    """
    remembered = remember(policy, position, motion, memory, at_us)
    case = Case(policy, terminal, position, motion, remembered, at_us)
    matched = [rule for rule in policy.rules if matches(rule, case)]
    lifted = _lifted(terminal, matched)
    denial = next(_denials(case, matched, lifted), None)
    limit = None if denial else _tightest_limit(matched, lifted)
    if denial is not None:
        outcome, reason, rule = Outcome.DENY, denial.reason, denial.rule
    elif limit is not None:
        outcome, reason, rule = Outcome.LIMIT, deny_reason(limit), limit
    else:
        outcome, reason, rule = Outcome.ALLOW, "OK", _granting_rule(case)
    decided = Verdict(
        outcome=OUTCOMES[outcome],
        reason=reason,
        rule=rule.id if rule else None,
        matched=tuple(rule.id for rule in matched),
        lifted=tuple(gate for gate in GATES if gate in lifted),
        grounds=rule.grounds if rule else (),
        policy_version=policy.version,
        record_index=policy.record_index,
        view=view,
        assurance=position.assurance,
        valid_until_us=valid_until_us(case),
        max_mbps=limit.max_mbps if limit else None,
    )
    if memory.held:
        return decided, memory
    return decided, msgspec.structs.replace(remembered, served=outcome is not Outcome.DENY)


def _lifted(terminal: Terminal, matched: Sequence[Rule]) -> frozenset[Gate]:
    """The gates that stand open: for distress all but identity, built in and not up to rules."""
    if terminal.distress:
        return frozenset(GATES) - {Gate.IDENTITY}
    return frozenset(gate for rule in matched for gate in rule.lifts)


def _denials(case: Case, matched: Sequence[Rule], lifted: frozenset[Gate]) -> Iterator[_Denial]:
    """What each gate that does not pass says, in the order of the gates."""
    if case.terminal.account is not Account.ACTIVE:
        yield _Denial(_ACCOUNT_REASONS[case.terminal.account])
    if not case.position.is_known and not case.terminal.distress:
        yield _Denial("UNKNOWN_LOCATION")  # assurance may be lifted, its absence may not
    for gate in GATES:
        if gate in lifted:
            continue
        denying = [rule for rule in matched if rule.effect is Effect.DENY and rule.gate is gate]
        dark = [rule for rule in case.policy.rules if rule.gate is gate and darkens(rule, case)]
        if gate is Gate.TERRITORY:
            denial = _territory_denial(case, denying)
            if denial is not None:
                yield denial
        elif denying:
            yield _Denial(deny_reason(denying[0]), denying[0])
        if dark:
            yield _Denial("POLICY_STALE", dark[0])


def _territory_denial(case: Case, denying: Sequence[Rule]) -> _Denial | None:
    """The territory gate: the whole disc must lie in granted ground, and touch no denied ground."""
    position = case.position
    own = position.own
    if own is None:
        return _Denial("UNKNOWN_LOCATION")
    for rule in denying:
        if rule.covers(own):
            return _Denial("NOT_AUTHORISED", rule)
    grants = _grants(case)
    here = [rule for rule in grants if rule.covers(own)]
    if here and denying:
        return _Denial("GUARD_BAND", denying[0])
    if _passing_grant(position, grants) is not None:
        return None
    stale = None if denying else _grant_lost_to_silence(case, grants)
    if stale is not None:
        return _Denial("POLICY_STALE", stale)
    if here:
        return _Denial("GUARD_BAND", here[0])
    if case.policy.has_open_request("activate", own, case.at_us):
        return _Denial("PENDING_AUTHORISATION")
    return _Denial("IN_OCEAN" if is_at_sea(own) else "NOT_AUTHORISED")


def _grants(case: Case, *ignored: str) -> list[Rule]:
    """The grants to this terminal at this moment, wherever they grant."""
    return [
        rule
        for rule in case.policy.rules
        if rule.effect is Effect.GRANT and matches_but_for(rule, case, "where", *ignored)
    ]


def _passing_grant(position: Position, grants: Sequence[Rule]) -> Rule | None:
    """The first grant for the own ground such that all that the disc touches is granted.

    Any grant may cover what lies beyond a border, so that no dark strip runs between two
    territories that are both granted.
    """
    for grant in grants:
        if (
            position.own is not None
            and grant.covers(position.own)
            and all(_is_granted(face, grants) for face in position.faces(grant.guard_km))
        ):
            return grant
    return None


def _is_granted(face: Ids, grants: Sequence[Rule]) -> bool:
    return any(grant.covers(face) for grant in grants)


def _grant_lost_to_silence(case: Case, grants: Sequence[Rule]) -> Rule | None:
    """The stale grant for want of which the gate does not pass, if that alone is why."""
    with_stale = _grants(case, "on_stale")
    passing = _passing_grant(case.position, with_stale)
    if passing is None:
        return None
    faces = case.position.faces(passing.guard_km)
    lost = (rule for rule in with_stale if rule not in grants)
    return next(rule for rule in lost if any(rule.covers(face) for face in faces))


def _tightest_limit(matched: Sequence[Rule], lifted: frozenset[Gate]) -> Rule | None:
    """The limit that counts: the smallest, and of equal ones the first."""
    limits = [rule for rule in matched if rule.effect is Effect.LIMIT and rule.gate not in lifted]
    return min(limits, key=lambda rule: rule.max_mbps or 0.0, default=None)


def _granting_rule(case: Case) -> Rule | None:
    """The grant that a served terminal is served by; distress needs none."""
    return None if case.terminal.distress else _passing_grant(case.position, _grants(case))


def deny_reason(rule: Rule) -> str:
    """The reason code that a deny or a limit gives, in the public service's own words."""
    asked = rule.thresholds
    match rule.gate:
        case Gate.ASSURANCE:
            is_level = asked.below_assurance is not None
            return "POSITION_NOT_ASSURED" if is_level else "UNKNOWN_LOCATION"
        case Gate.ORDER:
            return "EMERGENCY_ACTION" if rule.emergency else "BLOCKED_COUNTRY"
        case Gate.TERRITORY:
            return "NOT_AUTHORISED"
        case Gate.CELL:
            return "CELL_IS_DISABLED"
        case Gate.LIST:
            return "SPONSOR_LAPSED" if rule.who.sponsor_lapsed else "NOT_LISTED"
        case Gate.MOBILITY:
            return "MOVING_TOO_FAST_FOR_POLICY"
        case _:
            if asked.over_gb is not None:
                return "DATA_OVERAGE"
            is_far = asked.over_km_from_service_address is not None and asked.over_days is None
            return "TOO_FAR_FROM_SERVICE_ADDRESS" if is_far else "ROAM_RESTRICTED"
