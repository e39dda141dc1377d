"""Until when a verdict holds if nothing but the clock moves."""

from __future__ import annotations

from collections.abc import Iterator

from spotbeam.service.conditions import Case
from spotbeam.service.memory import bites_at_us, recall
from spotbeam.service.policy import Policy
from spotbeam.service.rules import DAY_US, Rule
from spotbeam.times import from_datetime


def valid_until_us(case: Case) -> int | None:
    """The first moment at which a rule with ground around here may change by the clock.

    Around here means the widest disc that the policy asks about. Sound rather than sharp: the
    verdict may well stay the same then, but it does not change before.
    """
    moments = [
        moment
        for rule in case.policy.rules
        if any(rule.covers(face) for face in case.position.widest)
        for moment in _moments(rule, case)
    ]
    if case.position.own is not None:
        moments += [
            from_datetime(request.since)
            for request in case.policy.requests
            if any(name in request.where for name in case.position.own)
        ]
    return min((moment for moment in moments if moment > case.at_us), default=None)


def clock_moments_us(rule: Rule, policy: Policy, at_us: int) -> Iterator[int]:
    """When a rule may change for everybody: its windows, and the moment it goes stale."""
    for window in rule.when:
        edge = window.next_edge_us(at_us)
        if edge is not None:
            yield edge
    if (
        rule.on_stale != "hold"
        and rule.stale_after_us is not None
        and policy.witnessed_at_us is not None
    ):
        yield policy.witnessed_at_us + rule.stale_after_us + 1


def _moments(rule: Rule, case: Case) -> Iterator[int]:
    yield from clock_moments_us(rule, case.policy, case.at_us)
    if rule.who.sponsor_lapsed is not None:
        for sponsor in case.policy.sponsors:
            if sponsor.id == case.terminal.sponsor and sponsor.until_us is not None:
                yield sponsor.until_us
    if case.memory.held:
        return
    since_us = recall(case.memory, rule).over_since_us
    if since_us is not None:
        yield bites_at_us(rule, since_us)
    if rule.thresholds.over_days is not None:
        yield case.at_us - case.at_us % DAY_US + DAY_US
