"""When a change has which effect: at its start, at each of its own stages, at each hour of a day.

The clock of whoever asks must not show in what people sign. So nothing is asked "now": the first
phase is the binding, whenever that is; later ones begin at instants that the change itself names;
and rules that hold at certain hours are tried at each of those hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from spotbeam.governance.entries.acts import PutSponsor
from spotbeam.governance.entries.deciding import Change, Emergency
from spotbeam.governance.state import Proposal
from spotbeam.service.policy import Policy
from spotbeam.service.rules import DAY_US, Rule, Window

MOST_PHASES = 40
MOST_HOURS = 24
_MINUTE_US = 60_000_000

Hours = tuple[tuple[int, int], ...]
"""From and until, in minutes since midnight UTC; none means the whole day."""


class Instant(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of one phase.

    Attributes:
        at_us: Where to look.
        begins_us: What the change says of it; None: as soon as it binds.
    """

    at_us: int
    begins_us: int | None = None


def instants_of(
    proposal: Proposal, rules: Sequence[Rule], at_us: int
) -> tuple[tuple[Instant, ...], int]:
    """The phases of a proposal that binds at an instant, and how many are left out.

    Args:
        proposal: A draft or a logged one.
        rules: Every wording of the rules that it touches.
        at_us: When it binds.
    """
    start_us, stated_us, end_us = at_us, None, None
    edges: set[int] = set()
    if isinstance(proposal, Change):
        stated_us, end_us = proposal.window.from_us, proposal.window.until_us
        start_us = max(at_us, stated_us or 0)
        edges.update(stage.from_us for stage in proposal.rollout)
        edges.update(
            act.until_us
            for act in proposal.acts
            if isinstance(act, PutSponsor) and act.until_us is not None
        )
    elif isinstance(proposal, Emergency):
        end_us = at_us + proposal.lasts_us
    else:
        end_us = at_us + proposal.bounds.lasts_us
    for window in (window for rule in rules for window in rule.when):
        edges.update(edge for edge in (window.from_us, window.until_us) if edge is not None)
    later = sorted(e for e in edges if e > start_us and (end_us is None or e < end_us))
    first = Instant(at_us=start_us, begins_us=stated_us)
    found = [first, *(Instant(at_us=edge, begins_us=edge) for edge in later)]
    return tuple(found[:MOST_PHASES]), max(0, len(found) - MOST_PHASES)


def hours_of(policies: Iterable[Policy]) -> tuple[tuple[tuple[int, Hours], ...], int]:
    """The hours of a day at which these policies differ, and how many are left out.

    Returns:
        For each kind of hour an instant of the day in microseconds, and which hours are alike.
    """
    windows = sorted(
        {
            window.daily
            for policy in policies
            for rule in policy.rules
            for window in rule.when
            if window.daily is not None
        }
    )
    edges = sorted({edge for daily in windows for edge in daily})
    if not edges:
        return ((0, ()),), 0
    alike: dict[tuple[bool, ...], list[tuple[int, int]]] = {}
    first: dict[tuple[bool, ...], int] = {}
    for begin, end in zip(edges, [*edges[1:], edges[0]], strict=True):
        pattern = tuple(Window(daily=daily).contains(begin) for daily in windows)
        first.setdefault(pattern, begin)
        span = (begin // _MINUTE_US, end // _MINUTE_US)
        alike.setdefault(pattern, []).append(span)
    found = [(first[pattern], tuple(spans)) for pattern, spans in alike.items()]
    return tuple(found[:MOST_HOURS]), max(0, len(found) - MOST_HOURS)


def at_hour(policy: Policy, of_day_us: int) -> Policy:
    """The policy as it stands at one time of day, on whatever day."""
    if all(window.daily is None for rule in policy.rules for window in rule.when):
        return policy
    rules = []
    for rule in policy.rules:
        open_now = [_without_hours(window) for window in rule.when if _is_open(window, of_day_us)]
        if open_now or not rule.when:
            # A window of hours alone is open all through such an hour: always, then.
            when = () if Window() in open_now else tuple(open_now)
            rules.append(msgspec.structs.replace(rule, when=when))
    return msgspec.structs.replace(policy, rules=tuple(rules), version="")


def silent(policy: Policy, at_us: int, others: Iterable[Policy] = ()) -> Policy | None:
    """The policy as if nobody had heard of it for longer than any rule stands; None: no rule cares.

    Args:
        policy: What goes stale.
        at_us: The instant asked about.
        others: Policies whose rules' limits count as well.
    """
    limits = [
        rule.stale_after_us
        for each in (policy, *others)
        for rule in each.rules
        if rule.stale_after_us is not None and rule.on_stale != "hold"
    ]
    if not limits:
        return None
    long_ago_us = at_us - max(limits) - DAY_US
    return msgspec.structs.replace(policy, witnessed_at_us=long_ago_us)


def _is_open(window: Window, of_day_us: int) -> bool:
    return window.daily is None or Window(daily=window.daily).contains(of_day_us)


def _without_hours(window: Window) -> Window:
    return msgspec.structs.replace(window, daily=None)
