"""What would change an answer: candidates from the policy's own words, each evaluated again.

A candidate is kept only if the answer really flips, so a suggestion can be taken at its word.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from spotbeam.service.policy import Policy, TerminalList
from spotbeam.service.rules import Effect, Gate, Rule
from spotbeam.service.terminals import Account, Mobility, Protection, Terminal
from spotbeam.service.verdict import Verdict


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One way to another answer.

    Attributes:
        kind: `terminal`: other properties of the terminal; `policy`: other rules, which people
            would have to decide; `place` or `time`: elsewhere or later; `network`: another
            network, where it is what has no way on.
        text: A sentence for people.
        patch: The change as data: terminal fields, a rule to add or to remove, a position, a time.
        outcome: What the answer then is.
    """

    kind: str
    text: str
    patch: Mapping[str, Any]
    outcome: str
    reason: str | None


Decide = Callable[[Terminal, Policy], Verdict]


def flips(before: Verdict, after: Verdict) -> bool:
    """Whether somebody would call it another answer: served, served with a limit, or not."""
    return before.outcome != after.outcome


def changes(
    terminal: Terminal,
    policy: Policy,
    verdict: Verdict,
    territories: tuple[str, ...],
    decide: Decide,
) -> list[Change]:
    """Changes of the terminal, then of the policy, that flip the answer; the smallest first.

    Args:
        territories: The ground that the terminal stands on.
        decide: The verdict on another terminal or under another policy, all else being equal.
    """
    singles = list(_terminal_patches(terminal, policy))
    found = [
        change
        for patch in singles
        if (change := _try_terminal(terminal, policy, verdict, decide, patch)) is not None
    ]
    if not found:
        for one, two in itertools.combinations(singles, 2):
            if one.keys().isdisjoint(two):
                change = _try_terminal(terminal, policy, verdict, decide, {**one, **two})
                if change is not None:
                    found.append(change)
    found = _nearest_numbers(terminal, found)
    found += _policy_changes(terminal, policy, verdict, territories, decide)
    return _distinct(found)


def _try_terminal(
    terminal: Terminal, policy: Policy, before: Verdict, decide: Decide, patch: Mapping[str, Any]
) -> Change | None:
    after = decide(msgspec.structs.replace(terminal, **patch), policy)
    if not flips(before, after):
        return None
    parts = [f"{name} were {_shown(value)}" for name, value in patch.items()]
    return Change(
        kind="terminal",
        text=f"if {' and '.join(parts)}: {_outcome(after)}",
        patch=dict(patch),
        outcome=after.outcome,
        reason=after.reason,
    )


def _terminal_patches(terminal: Terminal, policy: Policy) -> Iterator[dict[str, Any]]:
    """Other values of the terminal's fields that some rule of the policy speaks of."""
    values: dict[str, list[Any]] = {
        "account": [Account.ACTIVE],
        "verified": [True, False],
        "position_error_m": [0.0],
    }
    for rule in policy.rules:
        who, limits = rule.who, rule.thresholds
        for name in ("fleet", "sponsor", "registrant_country", "plan"):
            values.setdefault(name, []).extend(getattr(who, name))
        values.setdefault("mobility", []).extend(who.mobility)
        values.setdefault("protection", []).extend(who.protection)
        speeds = values.setdefault("speed_kmh", [])
        if limits.over_kmh is not None:
            clear = limits.clear_below_kmh
            speeds += [limits.over_kmh, limits.over_kmh + 1.0]
            speeds += [clear - 1.0] if clear is not None and clear >= 1.0 else []
        if limits.over_altitude_m is not None:
            values.setdefault("altitude_m", []).extend(
                [limits.over_altitude_m, limits.over_altitude_m + 1.0]
            )
        if limits.below_assurance is not None:
            values.setdefault("assurance", []).append(limits.below_assurance)
        if limits.over_position_error_m is not None:
            values["position_error_m"].append(limits.over_position_error_m)
        if limits.over_km_from_service_address is not None:
            yield {"service_lat_deg": terminal.lat_deg, "service_lon_deg": terminal.lon_deg}
    values.setdefault("mobility", []).append(Mobility.FIXED)
    values.setdefault("protection", []).append(Protection.NONE)
    values["distress"] = [True]  # last: it says nothing about the rules
    for name, options in values.items():
        for option in dict.fromkeys(options):
            if option != getattr(terminal, name):
                yield {name: option}


def _policy_changes(
    terminal: Terminal,
    policy: Policy,
    before: Verdict,
    territories: tuple[str, ...],
    decide: Decide,
) -> list[Change]:
    found = []

    def attempt(changed: Policy, text: str, patch: Mapping[str, Any]) -> None:
        after = decide(terminal, changed)
        if flips(before, after):
            found.append(
                Change(
                    kind="policy",
                    text=f"{text}: {_outcome(after)}",
                    patch=patch,
                    outcome=after.outcome,
                    reason=after.reason,
                )
            )

    for rule in policy.rules:
        if rule.id in before.matched:
            rest = tuple(other for other in policy.rules if other.id != rule.id)
            attempt(
                with_rules(policy, rest), f"without the rule {rule.id}", {"remove_rule": rule.id}
            )
    if before.outcome == "deny":
        granted = {
            name for rule in policy.rules if rule.effect is Effect.GRANT for name in rule.where
        }
        for name in (name for name in territories if name not in granted):
            grant = Rule(
                id=f"proposed-grant-{name.lower().replace('/', '-').replace(':', '-')}",
                effect=Effect.GRANT,
                gate=Gate.TERRITORY,
                where=(name,),
                grounds=("proposal:what-if",),
            )
            attempt(
                with_rules(policy, (*policy.rules, grant)),
                f"with a grant over {name}",
                {
                    "add_rule": {
                        "id": grant.id,
                        "effect": "grant",
                        "gate": "territory",
                        "where": [name],
                    }
                },
            )
    for entry in policy.lists:
        if terminal.id in entry.terminals:
            ids, verb = entry.terminals - {terminal.id}, "off"
        else:
            ids, verb = entry.terminals | {terminal.id}, "on"
        lists = tuple(
            TerminalList(name=other.name, terminals=ids) if other is entry else other
            for other in policy.lists
        )
        attempt(
            msgspec.structs.replace(policy, lists=lists),
            f"with the terminal {verb} the list {entry.name}",
            {"list": entry.name, verb: terminal.id},
        )
    return found


def with_rules(policy: Policy, rules: tuple[Rule, ...]) -> Policy:
    """The same policy with other rules."""
    return msgspec.structs.replace(policy, rules=rules)


def _nearest_numbers(terminal: Terminal, found: list[Change]) -> list[Change]:
    """Of several values of one number with the same effect, the one nearest to what is."""
    nearest: dict[tuple[str, str], tuple[float, Change]] = {}
    rest = []
    for change in found:
        ((name, value), *more) = change.patch.items()
        if more or isinstance(value, bool) or not isinstance(value, int | float):
            rest.append(change)
            continue
        step = abs(value - getattr(terminal, name))
        key = (name, change.outcome)
        if key not in nearest or step < nearest[key][0]:
            nearest[key] = (step, change)
    return rest + [change for _, change in nearest.values()]


def _distinct(found: list[Change]) -> list[Change]:
    return list({change.text: change for change in found}.values())


def _outcome(verdict: Verdict) -> str:
    words = {"allow": "allowed", "limit": "allowed with a limit", "deny": "denied"}
    reason = f" ({verdict.reason})" if verdict.outcome == "deny" else ""
    return words[verdict.outcome] + reason


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
