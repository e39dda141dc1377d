"""From what the record says to what an edge enforces: the same function with more or less known.

Lists and seals are commitments in the record; `Openings` holds what this reader was given. An
opening fills in only what the record committed to, so knowing less never gives another answer
about what is known.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from spotbeam.errors import RecordError
from spotbeam.governance.entries.acts import PutList
from spotbeam.governance.entries.deciding import Seal
from spotbeam.governance.entries.rules import rule_of
from spotbeam.governance.history import Intended
from spotbeam.governance.seals import demand_opens, rules_within
from spotbeam.governance.state import State
from spotbeam.record.canonical import canonical_json
from spotbeam.record.keys import decode_base64
from spotbeam.record.seal import SALT_SIZE, list_root
from spotbeam.service.policy import Policy, Request, Sponsor, TerminalList
from spotbeam.service.rules import Rule
from spotbeam.times import to_datetime


class Openings(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader was given beside the record.

    Attributes:
        lists: Rows of list versions, by list and version: terminal id and salt, in order.
        seals: Value and salt, by seal.
    """

    lists: Mapping[tuple[str, int], tuple[tuple[str, bytes], ...]] = {}
    seals: Mapping[str, tuple[bytes, bytes]] = {}


def policy(
    intended: Intended, openings: Openings | None = None, *, witnessed_at_us: int | None = None
) -> Policy:
    """The policy in force: what the record says, filled in with what these openings reveal.

    Args:
        intended: From `state(history, at_us)`; it stands until its `until_us`.
        openings: What this reader was given. A list without rows has nobody on it, and a seal
            without an opening no rules; `missing` names both.
        witnessed_at_us: When the record was last witnessed, if the reader knows better than its
            last anchor.
    """
    given = Openings() if openings is None else openings
    known = intended.known
    rules = [rule_of(each.rule, each.where) for each in intended.rules]
    for name in intended.seals:
        rules += _sealed_rules(intended, name, given) or ()
    lists = {act.list: _rows(known, act, given) or frozenset() for act in intended.lists}
    for rule in rules:
        for name in (*rule.who.on_list, *rule.who.not_on_list):
            lists.setdefault(name, frozenset())
    return Policy(
        rules=tuple(rules),
        lists=tuple(TerminalList(name=name, terminals=lists[name]) for name in sorted(lists)),
        sponsors=tuple(
            Sponsor(
                id=act.sponsor, until=None if act.until_us is None else to_datetime(act.until_us)
            )
            for act in intended.sponsors
        ),
        requests=tuple(
            Request(
                verb=asked.request.verb,
                asker=asked.request.asker,
                where=asked.request.where,
                since=to_datetime(asked.since_us or 0),
            )
            for asked in intended.requests
        ),
        record_index=known.before + known.size,
        witnessed_at_us=known.witnessed_us if witnessed_at_us is None else witnessed_at_us,
    )


def missing(intended: Intended, openings: Openings) -> tuple[str, ...]:
    """What this reader should hold to enforce everything, and does not: `list:…` and `seal:…`.

    Inside the bounds of these it is stale, however fresh the record is.
    """
    lists = [
        f"list:{act.list}" for act in intended.lists if _rows(intended.known, act, openings) is None
    ]
    seals = [f"seal:{n}" for n in intended.seals if _sealed_rules(intended, n, openings) is None]
    return (*lists, *seals)


def row_bytes(terminal: str) -> bytes:
    """One row of a list of terminals, as its salted hash covers it."""
    return canonical_json({"terminal": terminal})


def _rows(known: State, act: PutList, openings: Openings) -> frozenset[str] | None:
    """The terminals of a list version, or None if what was given does not lead to its root."""
    rows = openings.lists.get((act.list, act.version))
    if rows is None or len(rows) != act.count or any(len(salt) != SALT_SIZE for _, salt in rows):
        return None
    pairs = [(row_bytes(terminal), salt) for terminal, salt in rows]
    if list_root(_origin_of(known, act), act.list, act.version, pairs).hex() != act.root:
        return None
    return frozenset(terminal for terminal, _ in rows)


def _origin_of(known: State, act: PutList) -> str:
    """The log in which a list version was proposed: its root is bound to that."""
    for layer in reversed(known.layers[f"list:{act.list}"]):
        if layer.act == act:
            return known.located(known.changes[layer.change].index)[0]
    return known.origin


def _sealed_rules(intended: Intended, name: str, openings: Openings) -> tuple[Rule, ...] | None:
    """The rules of a seal, or None if it cannot be opened with what is known."""
    known = intended.known
    proposed = known.changes[name]
    assert isinstance(proposed.proposal, Seal)
    if name in known.openings:
        text, salt_text = known.openings[name]
        value, salt = text.encode(), decode_base64(salt_text, "the salt")
    elif name in openings.seals:
        value, salt = openings.seals[name]
    else:
        return None
    try:
        demand_opens(known.located(proposed.index)[0], proposed, value, salt)
    except RecordError:
        return None
    return rules_within(name, proposed.proposal.bounds, value)
