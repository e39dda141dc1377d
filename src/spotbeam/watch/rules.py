"""The alert rules as data: what each watches, how grave it is, and every limit with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, TypeAlias

import msgspec

from spotbeam.governance.entries.words import DAY_US, HOUR_US, SECOND_US

Level: TypeAlias = Literal["critical", "high", "medium", "review"]
LEVELS: tuple[Level, ...] = ("critical", "high", "medium", "review")
"""Gravest first. `review`: somebody may want to look; nothing is to be done at once."""


class AlertRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: its name, the level at which it is raised, and when."""

    id: str
    level: Level
    title: str
    when: str


RULES: Mapping[str, AlertRule] = MappingProxyType(
    {
        rule.id: rule
        for rule in (
            AlertRule(
                id="A1",
                level="critical",
                title="A decision follows a contact that the record did not show",
                when="somebody in the chain of a decision had a contact with, or a tie to, a party "
                "with an interest in its ground within 90 days before, not on record by then",
            ),
            AlertRule(
                id="A2",
                level="critical",
                title="Something told late throws light on decisions",
                when="a contact, a tie or a claim came on record after decisions that it bears on",
            ),
            AlertRule(
                id="A3",
                level="high",
                title="A request with no second record",
                when="it came by a private channel and nobody verified it, or nothing but its "
                "registrar's word shows it",
            ),
            AlertRule(
                id="A4",
                level="high",
                title="A requester without a ground",
                when="who asks from outside states no ground, or one whose issuer has no interest "
                "in the ground on record",
            ),
            AlertRule(
                id="A5",
                level="high",
                title="Like requests treated unlike",
                when="same verb and kinds of grounds, another outcome, or a delay over 10 times",
            ),
            AlertRule(
                id="A6",
                level="medium",
                title="A request past its answer time",
                when="nobody had answered it by then",
            ),
            AlertRule(
                id="A7",
                level="high",
                title="Intended and observed differ",
                when="a probe sees another service than has been intended for 5 minutes or longer",
            ),
            AlertRule(
                id="A8",
                level="high",
                title="Many lost service at once",
                when="over 100 terminals within an hour, or any protected user",
            ),
            AlertRule(
                id="A9",
                level="high",
                title="Emergency power was used",
                when="an emergency binds; critical where it is the second on one ground in 30 days",
            ),
            AlertRule(
                id="A10",
                level="critical",
                title="The record was not witnessed as it should be",
                when="a witness refuses, is missing or shows two roots, or no anchor for a day",
            ),
            AlertRule(
                id="A11",
                level="high",
                title="A seal is overdue",
                when="it was not opened by its date",
            ),
            AlertRule(
                id="A12",
                level="medium",
                title="A zero report is missing",
                when="an approver told of neither a contact nor of none within a period of 90 days",
            ),
            AlertRule(
                id="A13",
                level="medium",
                title="Many terminals in few hands",
                when="over 10 by one registrant, 20 at one address or by one payer, 50 in a day, "
                "or a fifth first seen far away",
            ),
            AlertRule(
                id="A14",
                level="medium",
                title="A position that does not hold together",
                when="a jump faster than its class can move, or GNSS and network over 5 km apart",
            ),
            AlertRule(
                id="A15",
                level="critical",
                title="The watch itself was touched",
                when="an alert rule is silenced, or an alert is closed by a person whom it names",
            ),
            AlertRule(
                id="A16",
                level="high",
                title="A notice was not served",
                when="whoever was owed one was not told by its time",
            ),
        )
    }
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit. They are ours to choose unless a source stands beside them.

    Attributes:
        contact_counts_us: As long as a contact keeps somebody from approving.
        unlike_factor: Between the delays of like requests.
        least_delay_us: Shorter delays are taken for this one: minutes are not treatment.
        private_channels: Ways in which nobody else hears what is asked.
        propagation_us: From when something binds until probes should see it.
        many_terminals: That lose service within `many_within_s`.
        emergencies_apart_us: Two on one ground within this time are one too many.
        anchor_age_us: The longest time without an anchor.
        period_us: For which each approver reports contacts, or that there were none.
        grace_us: After the end of a period.
        by_registrant: The civil limit of a national allow-list (10 for a firm, 2026).
        speed_kmh: How fast each class can move; jumps beyond it are not movement.
        apart_m: Between GNSS and the network's own estimate, well over the error of either.
    """

    contact_counts_us: int = 90 * DAY_US
    unlike_factor: int = 10
    least_delay_us: int = HOUR_US
    private_channels: frozenset[str] = frozenset(
        {"call", "in-person", "intermediary", "message", "messenger", "private", "telephone"}
    )
    propagation_us: int = 300 * SECOND_US
    many_terminals: int = 100
    many_within_s: int = 3_600
    emergencies_apart_us: int = 30 * DAY_US
    anchor_age_us: int = DAY_US
    period_us: int = 90 * DAY_US
    grace_us: int = 14 * DAY_US
    by_registrant: int = 10
    at_address: int = 20
    by_payer: int = 20
    in_day: int = 50
    far_share: float = 0.2
    far_least: int = 10
    speed_kmh: Mapping[str, float] = MappingProxyType(
        {
            "fixed": 5.0,
            "portable": 200.0,
            "land": 250.0,
            "maritime": 130.0,
            "aero": 1_300.0,
            "uncrewed": 400.0,
        }
    )
    fastest_kmh: float = 1_300.0
    apart_m: int = 5_000
