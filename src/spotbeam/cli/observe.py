"""`spotbeam observe`: what was measured outside the record, signed by whoever records it."""

from __future__ import annotations

from typing import Any, Literal

from spotbeam.assembly.sending import checked
from spotbeam.cli.signing import Signer
from spotbeam.cli.telling import ground, instant, put
from spotbeam.control.wording import plain
from spotbeam.governance.entries.accounts import (
    LossSeen,
    Observation,
    PositionSeen,
    RegistrantsSeen,
    ServiceSeen,
    WitnessSeen,
)

_BY = Signer()


def service(
    where: str,
    /,
    *,
    found: Literal["on", "off"],
    at: str,
    probe: str,
    reason: str | None = None,
    by: Signer = _BY,
) -> None:
    """Record that a probe on some ground had service, or had none.

    Parameters
    ----------
    where
        A territory or cell.
    found
        on or off.
    at
        When, RFC 3339 with Z.
    probe
        What measured it.
    reason
        The reason code that it was given, as CELL_IS_DISABLED.
    """
    ground(by, [where])
    _put(by, at, probe, checked(ServiceSeen, "--", where=where, service=found, reason=reason))


def losses(
    where: str,
    /,
    *,
    terminals: int,
    protected: int,
    within_s: int,
    at: str,
    probe: str,
    by: Signer = _BY,
) -> None:
    """Record how many terminals lost service on some ground within a time.

    Parameters
    ----------
    where
        A territory or cell.
    terminals
        How many.
    protected
        How many of them are protected users.
    within_s
        Within how many seconds.
    at
        By when, RFC 3339 with Z.
    probe
        What counted it.
    """
    ground(by, [where])
    seen = checked(
        LossSeen, "--", where=where, terminals=terminals, protected=protected, within_s=within_s
    )
    _put(by, at, probe, seen)


def position(
    where: str,
    /,
    *,
    terminal_class: str,
    at: str,
    probe: str,
    jump_m: int | None = None,
    jump_s: int | None = None,
    apart_m: int | None = None,
    by: Signer = _BY,
) -> None:
    """Record a position that jumped, or that the network finds elsewhere.

    Parameters
    ----------
    where
        A territory or cell.
    terminal_class
        fixed, portable, land, maritime, aero or uncrewed.
    at
        When, RFC 3339 with Z.
    probe
        What measured it.
    jump_m
        How far it jumped.
    jump_s
        In which time.
    apart_m
        How far GNSS and the network's estimate are apart.
    """
    ground(by, [where])
    seen = checked(
        PositionSeen,
        "--",
        where=where,
        terminal_class=terminal_class,
        jump_m=jump_m,
        jump_s=jump_s,
        apart_m=apart_m,
    )
    _put(by, at, probe, seen)


def registrants(
    list: str,
    /,
    *,
    terminals: int,
    most_by_registrant: int,
    most_at_address: int,
    most_by_payer: int,
    most_in_day: int,
    far_first_fixes: int,
    at: str,
    probe: str,
    by: Signer = _BY,
) -> None:
    """Record counts over those who registered the terminals of a list; no names.

    Parameters
    ----------
    list
        The list.
    terminals
        How many are on it.
    most_by_registrant
        The most that one registrant has.
    most_at_address
        The most at one address.
    most_by_payer
        The most by one payer.
    most_in_day
        The most in one day.
    far_first_fixes
        How many were first seen far from their registrant.
    at
        When, RFC 3339 with Z.
    probe
        What counted it.
    """
    seen = checked(
        RegistrantsSeen,
        "--",
        list=list,
        terminals=terminals,
        most_by_registrant=most_by_registrant,
        most_at_address=most_at_address,
        most_by_payer=most_by_payer,
        most_in_day=most_in_day,
        far_first_fixes=far_first_fixes,
    )
    _put(by, at, probe, seen)


def witness(
    witness: str,
    /,
    *,
    found: Literal["refused", "missing", "two-roots"],
    at: str,
    probe: str,
    by: Signer = _BY,
) -> None:
    """Record that a witness refused, was missing, or was shown two roots for one size.

    Parameters
    ----------
    witness
        The witness, by its name.
    found
        What it did.
    at
        When, RFC 3339 with Z.
    probe
        Who saw it.
    """
    _put(by, at, probe, checked(WitnessSeen, "--", witness=witness, found=found))


def _put(by: Signer, at: str, probe: str, seen: Any) -> None:
    body = checked(Observation, "--", by=probe, at_us=instant(at, "--at"), seen=seen)
    what = f"what {plain(probe)} saw is on record"
    put(by, body, prefix="obs", title="Record an observation", what=what)
