"""Rules as values: who, where, when, and what then.

A rule that cannot mean anything cannot be made: `Rule(...)` raises a RuleError that names the
field, its value and the fix.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from spotbeam.errors import RuleError
from spotbeam.service.rules.sanity import first_fault
from spotbeam.service.terminals import Account, Mobility, Protection

DAY_US = 86_400 * 1_000_000


class Effect(StrEnum):
    """What a rule does to the terminals that it matches."""

    GRANT = "grant"
    DENY = "deny"
    LIMIT = "limit"
    EXEMPT = "exempt"


class Gate(StrEnum):
    """The gates of a verdict, in the order in which they are asked."""

    IDENTITY = "identity"
    ASSURANCE = "assurance"
    ORDER = "order"
    TERRITORY = "territory"
    CELL = "cell"
    LIST = "list"
    MOBILITY = "mobility"
    PLAN = "plan"


GATES: tuple[Gate, ...] = tuple(Gate)
OnStale = Literal["hold", "deny", "allow_protected"]


class Who(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which terminals a rule is about: all given keys must match, each list is "any of".

    Attributes:
        terminal: Terminal ids.
        on_list: Names of lists; the terminal is on at least one of them.
        not_on_list: Names of lists; the terminal is on none of them.
        sponsor_lapsed: Whether the terminal's sponsor is one whose term has ended.
    """

    fleet: tuple[str, ...] = ()
    sponsor: tuple[str, ...] = ()
    registrant_country: tuple[str, ...] = ()
    mobility: tuple[Mobility, ...] = ()
    protection: tuple[Protection, ...] = ()
    verified: bool | None = None
    account: tuple[Account, ...] = ()
    plan: tuple[str, ...] = ()
    terminal: tuple[str, ...] = ()
    on_list: tuple[str, ...] = ()
    not_on_list: tuple[str, ...] = ()
    sponsor_lapsed: bool | None = None


class Window(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a rule is in force: between two instants, in daily hours, or both at once. UTC.

    Attributes:
        from_us: The first instant, included.
        until_us: The last, excluded.
        daily: Two times of day in microseconds since midnight; the second is excluded, and the
            hours run over midnight where it is the smaller one.
    """

    from_us: int | None = None
    until_us: int | None = None
    daily: tuple[int, int] | None = None

    def contains(self, at_us: int) -> bool:
        """Whether an instant lies in the window."""
        if self.from_us is not None and at_us < self.from_us:
            return False
        if self.until_us is not None and at_us >= self.until_us:
            return False
        if self.daily is None:
            return True
        begin, end = self.daily
        of_day = at_us % DAY_US
        return begin <= of_day < end if begin < end else of_day >= begin or of_day < end

    def next_edge_us(self, at_us: int) -> int | None:
        """The first instant after `at_us` at which the window may open or close."""
        edges = [edge for edge in (self.from_us, self.until_us) if edge is not None]
        if self.daily is not None and not (self.until_us is not None and at_us >= self.until_us):
            midnight = at_us - at_us % DAY_US
            edges += [midnight + day * DAY_US + of_day for day in (0, 1) for of_day in self.daily]
        return min((edge for edge in edges if edge > at_us), default=None)


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Numbers that a terminal must pass for the rule to match: all given ones, strictly.

    Attributes:
        over_kmh: Ground speed above this.
        clear_below_kmh: Once the rule has bitten, it holds until the speed is below this.
        for_s: Speed and altitude must have been over for this long before the rule bites.
        below_assurance: Level of position assurance (0 to 3) below this.
        over_km_from_service_address: Distance to the service address above this; terminals without
            a service address do not match.
        over_days: Days (UTC, counted by the memory) on the rule's ground above this.
        over_gb: Data used, as the memory has it, above this.
    """

    over_kmh: float | None = None
    clear_below_kmh: float | None = None
    for_s: float | None = None
    over_altitude_m: float | None = None
    below_assurance: int | None = None
    over_position_error_m: float | None = None
    over_km_from_service_address: float | None = None
    over_days: int | None = None
    over_gb: float | None = None

    @property
    def has_motion(self) -> bool:
        """Whether speed or altitude count, and with them dwell and hysteresis."""
        return self.over_kmh is not None or self.over_altitude_m is not None


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule of a policy.

    Attributes:
        gate: Where it is asked; None for an exempt.
        lifts: The gates that an exempt opens.
        where: Territory ids and `h3:` cells; empty means everywhere.
        except_: Ground taken out of `where`; `except` in files.
        when: Any of these windows; empty means always.
        grounds: Why: `kind:id`, as `order:ua-mod-2026-01`.
        on_stale: What the rule does once the policy was last witnessed longer than
            `stale_after_us` ago.
        guard_km: Width that is added to the position's error before ground is compared.
        max_mbps: For a limit, in 10^6 bit/s.
        emergency: At the order gate: answers say EMERGENCY_ACTION.
    """

    id: str
    effect: Effect
    gate: Gate | None = None
    lifts: tuple[Gate, ...] = ()
    who: Who = Who()
    where: tuple[str, ...] = ()
    except_: tuple[str, ...] = msgspec.field(default=(), name="except")
    when: tuple[Window, ...] = ()
    thresholds: Thresholds = Thresholds()
    grounds: tuple[str, ...]
    on_stale: OnStale = "hold"
    stale_after_us: int | None = None
    guard_km: float = 0.0
    max_mbps: float | None = None
    emergency: bool = False

    def __post_init__(self) -> None:
        fault = first_fault(self)
        if fault is not None:
            raise RuleError(fault.reason, place=f"rule {self.id!r}, {fault.field}", hint=fault.fix)

    def covers(self, territories: tuple[str, ...]) -> bool:
        """Whether ground with these territory ids is ground of this rule."""
        if self.where and not any(name in self.where for name in territories):
            return False
        return not any(name in self.except_ for name in territories)

    def in_force(self, at_us: int) -> bool:
        """Whether one of the rule's windows contains an instant."""
        return not self.when or any(window.contains(at_us) for window in self.when)
