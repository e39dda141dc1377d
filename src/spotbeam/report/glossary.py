"""Codes of a verdict in plain language, and rules as one would say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from spotbeam.report.captions import duration
from spotbeam.service.rules import Rule
from spotbeam.times import format_time

REASONS: Mapping[str, str] = {
    "OK": "Every gate passed.",
    "NO_ACTIVE_ACCOUNT": "The terminal has no active account.",
    "ACCOUNT_DISABLED": "The terminal's account is disabled.",
    "UNSUPPORTED_VERSION": "The terminal runs a version that is not supported.",
    "POSITION_NOT_ASSURED": "The position is less assured than a rule asks for.",
    "UNKNOWN_LOCATION": "The position is unknown, or less exact than a rule asks for.",
    "BLOCKED_COUNTRY": "An order or sanction denies service on this ground.",
    "EMERGENCY_ACTION": "An emergency action denies service on this ground.",
    "NOT_AUTHORISED": "No rule authorises service on this ground.",
    "PENDING_AUTHORISATION": (
        "No rule authorises service on this ground; a request to activate it is open."
    ),
    "IN_OCEAN": "At sea, where no rule authorises service for this terminal.",
    "GUARD_BAND": (
        "On authorised ground, but the position's error or a rule's guard band reaches beyond it."
    ),
    "CELL_IS_DISABLED": "A rule disables this cell.",
    "NOT_LISTED": "The terminal is not on a list that a rule asks for.",
    "SPONSOR_LAPSED": "The sponsor's term has ended.",
    "MOVING_TOO_FAST_FOR_POLICY": "The terminal moves faster, or flies higher, than a rule allows.",
    "TOO_FAR_FROM_SERVICE_ADDRESS": "Farther from the service address than a rule allows.",
    "ROAM_RESTRICTED": "More days on this ground than a rule allows.",
    "DATA_OVERAGE": "More data used than a rule allows.",
    "POLICY_STALE": (
        "The policy has not been witnessed for longer than the rule stands for, and it then denies."
    ),
    "no_satellite": "Policy allows service; no satellite is above the mask at most steps.",
    "no_beam": "Policy allows service; the model has no beam left here.",
    "no_lasting_satellite": "Policy allows service; no satellite stays in reach through a period.",
    "no_gateway": "Policy allows service; there is no gateway at all.",
    "no_gateway_in_reach": (
        "Policy allows service and satellites are in reach, but no gateway is in reach of them."
    ),
    "not_linked": (
        "Policy allows service and satellites are in reach; no links lead from them to a gateway."
    ),
    "landing_rule": (
        "Policy allows service and there is a way on, but not to a gateway that the landing rules "
        "allow."
    ),
}

VERBS: Mapping[str, str] = {
    "activate": "open service",
    "deactivate": "end service",
    "restrict": "narrow service",
    "extend": "widen service",
    "withhold": "not open service",
}

_WHO = {
    "fleet": "fleet",
    "sponsor": "sponsor",
    "registrant_country": "registered in",
    "mobility": "mobility",
    "protection": "protection",
    "account": "account",
    "plan": "plan",
    "terminal": "terminal",
    "on_list": "on the list",
    "not_on_list": "not on the list",
}


def reason_in_words(reason: str | None) -> str:
    """A reason code in a sentence; nothing for a code without one."""
    return REASONS.get(reason or "", "")


def where_in_words(rule: Rule) -> str:
    """The ground of a rule."""
    text = ", ".join(rule.where) if rule.where else "everywhere"
    if rule.except_:
        text += f"; except {', '.join(rule.except_)}"
    if rule.guard_km:
        text += f"; guard band {rule.guard_km:g} km"
    return text


def whom_in_words(rule: Rule) -> str:
    """The terminals of a rule."""
    parts = []
    for key, value in msgspec.to_builtins(rule.who).items():
        if key in _WHO and value:
            shown = [str(item) for item in value]
            more = f" and {len(shown) - 6:,} more" if len(shown) > 6 else ""
            parts.append(f"{_WHO[key]} {' or '.join(shown[:6])}{more}")
        elif key == "verified" and value is not None:
            parts.append("verified" if value else "not verified")
        elif key == "sponsor_lapsed" and value is not None:
            parts.append("sponsor's term has ended" if value else "sponsor's term runs")
    return "; ".join(parts) or "all terminals"


def conditions_in_words(rule: Rule) -> str:
    """Thresholds, windows, limit and behaviour when stale."""
    limits = rule.thresholds
    parts = []
    if rule.max_mbps is not None:
        parts.append(f"at most {rule.max_mbps:g} Mbit/s")
    if limits.over_kmh is not None:
        text = f"over {limits.over_kmh:g} km/h"
        if limits.clear_below_kmh is not None:
            text += f", clears below {limits.clear_below_kmh:g} km/h"
        parts.append(text)
    if limits.over_altitude_m is not None:
        parts.append(f"over {limits.over_altitude_m:g} m of altitude")
    if limits.for_s is not None:
        parts.append(f"for {duration(limits.for_s)} or longer")
    if limits.below_assurance is not None:
        parts.append(f"position assurance below level {limits.below_assurance}")
    if limits.over_position_error_m is not None:
        parts.append(f"position error over {limits.over_position_error_m:g} m")
    if limits.over_km_from_service_address is not None:
        parts.append(f"over {limits.over_km_from_service_address:g} km from the service address")
    if limits.over_days is not None:
        parts.append(f"over {limits.over_days:g} days on this ground")
    if limits.over_gb is not None:
        parts.append(f"over {limits.over_gb:g} GB used")
    parts += [_window_in_words(window) for window in rule.when]
    if rule.stale_after_us is not None:
        stale = {"hold": "stays", "deny": "denies", "allow_protected": "spares the protected"}
        after = duration(rule.stale_after_us / 1e6)
        parts.append(f"after {after} without a witness it {stale[rule.on_stale]}")
    return "; ".join(parts)


def effect_in_words(rule: Rule) -> str:
    """What a rule does, and at which gate."""
    if rule.effect == "exempt":
        return f"exempts from {', '.join(rule.lifts)}"
    verb = {"grant": "grants", "deny": "denies", "limit": "limits"}[str(rule.effect)]
    return f"{verb} at the {rule.gate} gate" + (" (emergency)" if rule.emergency else "")


def _window_in_words(window: Any) -> str:
    parts = []
    if window.from_us is not None:
        parts.append(f"from {format_time(window.from_us)}")
    if window.until_us is not None:
        parts.append(f"until {format_time(window.until_us)}")
    if window.daily is not None:
        clock = [f"{us // 3_600_000_000:02d}:{us // 60_000_000 % 60:02d}" for us in window.daily]
        parts.append(f"daily {clock[0]} to {clock[1]} UTC")
    return " ".join(parts)
