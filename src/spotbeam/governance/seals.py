"""Seals: acts that the public may not see yet, inside bounds that it may.

Validity never depends on an opening. An opening that goes outside its bounds has no effect.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from spotbeam.errors import SpotbeamError
from spotbeam.governance.entries.acts import ExtendSeal, PutRule
from spotbeam.governance.entries.deciding import Bounds, Opening, Seal
from spotbeam.governance.entries.rules import RuleEntry, rule_of
from spotbeam.governance.ground import cell_within
from spotbeam.governance.state import Proposed, State
from spotbeam.governance.void import Void, demand
from spotbeam.record.canonical import canonical_json, parse_canonical
from spotbeam.record.keys import decode_base64
from spotbeam.record.seal import commit, verify_opening
from spotbeam.service.rules import Effect, Rule

FIELD = "acts"


def sealed_value(rules: tuple[RuleEntry, ...]) -> bytes:
    """What is committed to: the rules that a seal brings in, as canonical JSON."""
    return canonical_json(msgspec.to_builtins([PutRule(rule) for rule in rules]))


def commitment(origin: str, entry_id: str, value: bytes, salt: bytes) -> str:
    """The commitment that a seal of this id carries in this log, in hexadecimal."""
    return commit(origin, entry_id, FIELD, value, salt).hex()


def opened(state: State, body: Opening) -> State:
    """Take in an opening for everybody; the seal is no longer overdue."""
    proposed = state.changes.get(body.seal)
    demand(
        proposed is not None and isinstance(proposed.proposal, Seal),
        "unknown",
        "there is no such seal",
    )
    assert proposed is not None
    demand(body.seal not in state.openings, "repeated", "the seal is open already")
    try:
        salt = decode_base64(body.salt, "the salt")
        origin, _ = state.located(proposed.index)
        demand_opens(origin, proposed, body.value.encode(), salt)
    except SpotbeamError as fault:
        raise Void("bad_opening", fault.message[:300]) from None
    return replace(
        state,
        openings=state.openings.insert(body.seal, (body.value, body.salt)),
        overdue_from=state.overdue_from.discard(body.seal),
    )


def demand_extendable(state: State, act: ExtendSeal) -> None:
    """Void more time for a seal that is not waiting, is overdue, or was given more before."""
    due_us = state.overdue_from.get(act.seal)
    demand(due_us is not None, "unknown", "there is no such seal, or it is open")
    assert due_us is not None
    demand(act.seal not in state.extended, "extended", "the seal was given more time before")
    demand(due_us > state.witnessed_us, "seal_overdue", "its opening is due already")
    demand(act.open_by_us > due_us, "too_late", "an extension ends later than what it extends")


def extended(state: State, act: ExtendSeal, change: str) -> State:
    """Give a seal more time; it is on record which change did it."""
    demand_extendable(state, act)
    return replace(
        state,
        overdue_from=state.overdue_from.insert(act.seal, act.open_by_us),
        extended=state.extended.insert(act.seal, change),
    )


def demand_opens(origin: str, proposed: Proposed, value: bytes, salt: bytes) -> None:
    """Check that a value and its salt are what a seal committed to.

    Raises:
        ProofMismatch: They are not.
    """
    assert isinstance(proposed.proposal, Seal)
    digest = bytes.fromhex(proposed.proposal.commitment)
    verify_opening(digest, origin, proposed.id, FIELD, value, salt)


def rules_within(name: str, bounds: Bounds, value: bytes) -> tuple[Rule, ...]:
    """The rules that an opening reveals; none at all if any of them goes outside the bounds.

    Args:
        name: The seal; its rules are named after it, so that they replace no other.
        bounds: What the public was told.
        value: The opening, already checked against the commitment.
    """
    try:
        acts = msgspec.convert(parse_canonical(value), tuple[PutRule, ...], strict=True)
        rules = [rule_of(act.rule) for act in acts]
    except (SpotbeamError, ValueError):
        return ()
    if not all(_is_within(rule, bounds) for rule in rules):
        return ()
    return tuple(replace(rule, id=f"{name}/{number}") for number, rule in enumerate(rules, 1))


def _is_within(rule: Rule, bounds: Bounds) -> bool:
    restricts = rule.effect in (Effect.DENY, Effect.LIMIT)
    return (
        bool(rule.where)
        and all(any(cell_within(cell, larger) for larger in bounds.cells) for cell in rule.where)
        and rule.guard_km == 0
        and restricts == (bounds.verb not in ("activate", "extend"))
        # Protected users are untouched: a rule that takes something away names the others only.
        and (not restricts or rule.who.protection == ("none",))
        and not (rule.who.on_list or rule.who.not_on_list or rule.emergency)
    )
