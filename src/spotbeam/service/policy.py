"""A policy: rules, with the lists, sponsors and requests that they refer to, under one digest."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec

from spotbeam.errors import RuleError, nearest
from spotbeam.service.rules import Rule
from spotbeam.times import from_datetime

Verb = Literal["activate", "deactivate", "restrict", "extend", "withhold"]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class TerminalList(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named list of terminal ids, as an allow-list of verified kits."""

    name: str
    terminals: frozenset[str]


class Sponsor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who pays for terminals, and until when (excluded; None: without end)."""

    id: str
    until: _Moment | None = None

    @property
    def until_us(self) -> int | None:
        return None if self.until is None else from_datetime(self.until)

    def has_lapsed(self, at_us: int) -> bool:
        """Whether the sponsor's term has ended."""
        return self.until_us is not None and at_us >= self.until_us


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An open request about ground. It changes the public word, never who is served."""

    verb: Verb
    asker: str
    where: tuple[str, ...]
    since: _Moment

    def covers(self, territories: tuple[str, ...], at_us: int) -> bool:
        """Whether the request was open at an instant and is about this ground."""
        return from_datetime(self.since) <= at_us and any(
            name in self.where for name in territories
        )


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a verdict is decided by, apart from the terminal, the place and the time.

    Attributes:
        record_index: Size of the record that it was folded from; None for rules of a scenario.
        witnessed_at_us: When the record was last witnessed; None for rules of a scenario, which are
            never stale.
        version: SHA-256 in hexadecimal over rules, lists, sponsors and requests. Always computed.
    """

    rules: tuple[Rule, ...] = ()
    lists: tuple[TerminalList, ...] = ()
    sponsors: tuple[Sponsor, ...] = ()
    requests: tuple[Request, ...] = ()
    record_index: int | None = None
    witnessed_at_us: int | None = None
    version: str = ""

    def __post_init__(self) -> None:
        _refuse_repeated("rule", (rule.id for rule in self.rules))
        _refuse_repeated("list", (entry.name for entry in self.lists))
        _refuse_repeated("sponsor", (sponsor.id for sponsor in self.sponsors))
        _refuse_unknown_lists(self)
        msgspec.structs.force_setattr(self, "version", _digest(self))

    def guards_km(self) -> tuple[float, ...]:
        """The widths that rules add to a position's error, smallest first; 0 is always there."""
        return tuple(sorted({0.0, *(rule.guard_km for rule in self.rules)}))

    def has_open_request(self, verb: Verb, territories: tuple[str, ...], at_us: int) -> bool:
        """Whether somebody was asking for this on this ground."""
        return any(
            request.verb == verb and request.covers(territories, at_us) for request in self.requests
        )


def is_stale(rule: Rule, policy: Policy, at_us: int) -> bool:
    """Whether the policy has been silent for longer than the rule stands for."""
    return (
        rule.stale_after_us is not None
        and policy.witnessed_at_us is not None
        and at_us > policy.witnessed_at_us + rule.stale_after_us
    )


def _digest(policy: Policy) -> str:
    """Canonical: keys sorted, no blanks, sets as sorted lists, instants in UTC."""
    content = {
        "rules": policy.rules,
        "lists": [
            {"name": entry.name, "terminals": _in_order(entry.terminals)} for entry in policy.lists
        ],
        "sponsors": [
            {"id": sponsor.id, "until_us": sponsor.until_us} for sponsor in policy.sponsors
        ],
        "requests": [
            {
                "verb": request.verb,
                "asker": request.asker,
                "where": request.where,
                "since": request.since.astimezone(UTC),
            }
            for request in policy.requests
        ],
    }
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


@functools.lru_cache(maxsize=32)
def _in_order(terminals: frozenset[str]) -> msgspec.Raw:
    """A list's terminals as they stand in the digest; long lists stay while rules change."""
    return msgspec.Raw(msgspec.json.encode(sorted(terminals)))


def _refuse_repeated(kind: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise RuleError(
                f"two {kind}s have the name {name!r}", hint=f"give each {kind} a name of its own"
            )
        seen.add(name)


def _refuse_unknown_lists(policy: Policy) -> None:
    known = {entry.name for entry in policy.lists}
    for rule in policy.rules:
        for field, name in _named_lists(rule):
            if name not in known:
                near = nearest(name, known)
                raise RuleError(
                    f"there is no list {name!r}",
                    place=f"rule {rule.id!r}, who.{field}",
                    hint=f"did you mean {near!r}?" if near else "write it as a [[list]] table",
                )


def _named_lists(rule: Rule) -> Iterator[tuple[str, str]]:
    for name in rule.who.on_list:
        yield "on_list", name
    for name in rule.who.not_on_list:
        yield "not_on_list", name
