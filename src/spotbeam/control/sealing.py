"""Seals and their openings: rules that the public may not see yet, inside bounds that it may."""

from __future__ import annotations

import msgspec

from spotbeam.control.drafts import Draft, later_us
from spotbeam.control.hand import Hand, written
from spotbeam.control.proposing import Attached, asked_for, grounds_of
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.deciding import Bounds, Opening, Seal
from spotbeam.governance.seals import commitment, rules_within, sealed_value
from spotbeam.governance.state import State
from spotbeam.record.keys import encode_base64
from spotbeam.times import parse_duration


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A seal that is not signed yet, and what it hides.

    Attributes:
        body: What goes into the record, without its impact.
        value: The rules, as canonical JSON. Kept apart from the record until the opening.
        salt: Without it the commitment can be neither opened nor guessed.
    """

    body: Seal
    value: bytes
    salt: bytes


def sealed(
    state: State,
    draft: Draft,
    attached: Attached,
    request: str,
    *,
    id: str,
    salt: bytes,
    now_us: int,
    place: str,
) -> Sealed:
    """The seal that a draft describes: a commitment to its rules, inside its bounds.

    Args:
        state: The record as the proposer follows it.
        draft: From `parse_draft`: `[[rule]]`, `[bounds]`, `open_by`.
        attached: What its files hold.
        request: The request that it answers.
        id: The seal's id: the commitment binds it.
        salt: Sixteen fresh random bytes.
        now_us: The proposer's clock, which durations count from.
        place: The draft's file, for messages.

    Raises:
        InputError: Bounds or opening are missing, or the rules go outside the bounds: such a
            seal would have no effect; there is no such request.
    """
    if draft.bounds is None or draft.open_by is None:
        lacks = "bounds" if draft.bounds is None else "open_by"
        raise InputError(
            f"a seal needs {lacks}",
            place=place,
            hint='[bounds] where, cells, verb, lasts; and open_by = "14d"',
        )
    if not draft.rules or msgspec.structs.replace(
        draft, rules=(), bounds=None, open_by=None, ground=(), lapses="20d"
    ) != Draft(lapses="20d"):
        raise InputError(
            "a seal holds rules and nothing else",
            place=place,
            hint="keep [[rule]], [bounds], open_by, lapses and [[ground]]",
        )
    bounds = Bounds(
        where=draft.bounds.where,
        cells=draft.bounds.cells,
        verb=draft.bounds.verb,
        lasts_us=parse_duration(draft.bounds.lasts, place=f"{place}, bounds, lasts"),
    )
    value = sealed_value(draft.rules)
    if len(rules_within(id, bounds, value)) != len(draft.rules):
        raise InputError(
            "a rule goes outside the bounds, so that the seal would have no effect",
            place=place,
            hint="rules name cells within bounds.cells, have no guard_km, fit the verb, and take "
            'away only from who = { protection = ["none"] }',
        )
    body = Seal(
        request=request,
        grounds=grounds_of(asked_for(state, request), draft, attached, place),
        commitment=commitment(state.origin, id, value, salt),
        bounds=bounds,
        open_by_us=later_us(str(draft.open_by), now_us, f"{place}, open_by"),
        impact="0" * 64,
        lapses_us=later_us(draft.lapses, now_us, f"{place}, lapses"),
    )
    return Sealed(body=body, value=value, salt=salt)


def seal(state: State, body: Seal, impact: str, hand: Hand, *, id: str, now_us: int) -> bytes:
    """Propose a seal, with the impact of its bounds.

    Raises:
        Refused: It could not be carried out, with the reason.
    """
    body = msgspec.structs.replace(body, impact=impact)
    return written(state, body, hand, id=id, now_us=now_us)


def opening(
    state: State, seal: str, value: bytes, salt: bytes, hand: Hand, *, id: str, now_us: int
) -> bytes:
    """Open a seal for everybody.

    Raises:
        UnknownName: There is no such seal.
        Refused: It is open, or this is not what was sealed.
    """
    if seal not in state.changes or not isinstance(state.changes[seal].proposal, Seal):
        known = (n for n, each in state.changes.items() if isinstance(each.proposal, Seal))
        raise UnknownName("seal", seal, sorted(known))
    body = Opening(seal=seal, value=value.decode(), salt=encode_base64(salt))
    return written(state, body, hand, id=id, now_us=now_us)
