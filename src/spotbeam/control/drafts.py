"""What somebody wants to propose, as they write it: TOML in the words of a scenario's policy.

    drop_rule = ["ua-speed-cap"]      from = 2026-12-01T00:00:00Z      until = …
    [[rule]] [[list]] [[sponsor]] [[rollout]] [[ground]]            acts with a window
    [[seat]] [[add_key]] [[drop_key]] [[factor]] [[merge]] [quorum] [witnesses] [close_log] …   once

Reading the files that a draft names, and salting lists, is `assembly`'s work.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from spotbeam.decode import decode, value_at
from spotbeam.errors import InputError
from spotbeam.governance.entries.people import Role, SmallRule
from spotbeam.governance.entries.rules import RuleEntry, rule_entry
from spotbeam.governance.entries.words import Digest, GroundKind, Id, Name, Place, Verb, Words
from spotbeam.service.rules import rules_from
from spotbeam.times import MICROSECONDS, from_datetime, parse_duration, parse_time


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a draft."""


class GroundTable(_Table, frozen=True):
    """A document beyond those of the request; its file goes into the record by its digest."""

    kind: GroundKind
    id: Id
    file: str | None = None
    issuer: Name | None = None
    from_: Any = msgspec.field(default=None, name="from")
    until: Any = None


class ListTable(_Table, frozen=True):
    """The next version of a list of terminals: in the draft, or a file with one a line."""

    name: Id
    file: str | None = None
    terminals: tuple[Name, ...] = ()


class SponsorTable(_Table, frozen=True):
    """Who pays, and until when."""

    id: Id
    until: Any = None


class StageTable(_Table, frozen=True):
    """One step of a gradual roll-out."""

    from_: Any = msgspec.field(name="from")
    where: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=2_000)]


class PersonTable(_Table, frozen=True):
    """A person to be seated: keys are files, each a proof of possession or a key file.

    Attributes:
        identity: Salted commitment to who it is; one is made from `name` where it is left out.
        name: Who it is; it does not go into the record.
    """

    id: Id
    factor: Id
    roles: tuple[Role, ...]
    keys: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=8)]
    identity: Digest | None = None
    name: str | None = None


class AddKeyTable(_Table, frozen=True):
    """Another key for somebody who is seated: a proof of possession, as a file."""

    person: Id
    key: str


class DropKeyTable(_Table, frozen=True):
    """A key to be taken from somebody."""

    person: Id
    key: Digest


class MergeTable(_Table, frozen=True):
    """Two ids that are one human."""

    person: Id
    same_as: Id


class FactorTable(_Table, frozen=True):
    """A group of seats that one party fills."""

    id: Id
    name: Name
    party: Id


class QuorumTable(_Table, frozen=True):
    """How many must agree; `small` is for changes of a few cells."""

    persons: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    factors: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    must_include: tuple[Id, ...] = ()
    small: SmallRule | None = None


class WitnessTable(_Table, frozen=True):
    """A witness: its verifier key, where it answers, and who runs it.

    Attributes:
        mirror: Whether it keeps and serves every entry before it signs.
    """

    name: str
    key: str
    url: str
    organisation: Name
    mirror: bool = False


class GroupTable(_Table, frozen=True):
    """Witnesses or groups of which so many must sign."""

    name: str
    needs: Annotated[int, msgspec.Meta(ge=1)]
    members: tuple[str, ...]


class WitnessesTable(_Table, frozen=True):
    """How many witnesses must sign: a number, or the name of a group.

    Attributes:
        faulty: How many organisations may lie together.
        log_key: Another key for the log itself, when it is changed.
    """

    quorum: int | str
    faulty: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1
    witness: tuple[WitnessTable, ...] = ()
    group: tuple[GroupTable, ...] = ()
    log_key: str | None = None


class CloseLogTable(_Table, frozen=True):
    """The log in which the record goes on when this one is closed or left.

    Attributes:
        key: Its verifier key, which carries its name: NAME+ID+BASE64.
        url: Where it will be published, if that is known.
        witnesses: Its witnesses; those of the log at hand where they are left out.
    """

    key: str
    url: str | None = None
    witnesses: WitnessesTable | None = None


class ReviewTable(_Table, frozen=True):
    """What a full quorum finds of an emergency afterwards."""

    emergency: Id
    finding: Literal["upheld", "faulted"]
    words: Words


class BoundariesTable(_Table, frozen=True):
    """The borders that a point of view is drawn with."""

    view: Id
    source: Name
    digest: Digest


class ExtendTable(_Table, frozen=True):
    """More time until a seal must be opened, once."""

    seal: Id
    open_by: Any


class SilenceTable(_Table, frozen=True):
    """Alerts of one rule to be muted, visibly, for 30 days at most."""

    rule: Annotated[str, msgspec.Meta(pattern=r"\AA[1-9][0-9]?\Z")]
    until: Any
    words: Words
    where: tuple[Place, ...] = ()


class BoundsTable(_Table, frozen=True):
    """What the public is told of a seal."""

    where: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=2_000)]
    cells: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=2_000)]
    verb: Verb
    lasts: str | float


class Draft(_Table, frozen=True):
    """A proposal as it was written; `rules` were read by the same function as a scenario's.

    Attributes:
        lapses: After this it cannot bind.
        lasts: Of an emergency only: from binding, at most 24 hours.
        bounds, open_by: Of a seal only.
    """

    from_: Any = msgspec.field(default=None, name="from")
    until: Any = None
    lapses: str | float = "20d"
    lasts: str | float | None = None
    open_by: Any = None
    bounds: BoundsTable | None = None
    ground: tuple[GroundTable, ...] = ()
    drop_rule: tuple[Id, ...] = ()
    list_: tuple[ListTable, ...] = msgspec.field(default=(), name="list")
    drop_list: tuple[Id, ...] = ()
    sponsor: tuple[SponsorTable, ...] = ()
    drop_sponsor: tuple[Id, ...] = ()
    rollout: tuple[StageTable, ...] = ()
    boundaries: tuple[BoundariesTable, ...] = ()
    seat: tuple[PersonTable, ...] = ()
    unseat: tuple[Id, ...] = ()
    add_key: tuple[AddKeyTable, ...] = ()
    drop_key: tuple[DropKeyTable, ...] = ()
    merge: tuple[MergeTable, ...] = ()
    factor: tuple[FactorTable, ...] = ()
    quorum: QuorumTable | None = None
    witnesses: WitnessesTable | None = None
    close_log: CloseLogTable | None = None
    rules_version: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    confirm_contact: tuple[Id, ...] = ()
    review: tuple[ReviewTable, ...] = ()
    extend_seal: tuple[ExtendTable, ...] = ()
    silence: tuple[SilenceTable, ...] = ()
    rules: tuple[RuleEntry, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it would do nothing at all."""
        plain = (
            *(self.drop_rule, self.list_, self.drop_list, self.sponsor, self.drop_sponsor),
            *(self.boundaries, self.seat, self.unseat, self.add_key, self.drop_key, self.merge),
            *(
                self.factor,
                self.confirm_contact,
                self.review,
                self.extend_seal,
                self.rules,
                self.silence,
            ),
        )
        single = (self.quorum, self.witnesses, self.close_log, self.rules_version)
        return not any(plain) and single == (None,) * len(single)


def parse_draft(text: str, place: str, *, emergency: bool = False) -> Draft:
    """The proposal that a TOML text describes.

    Args:
        text: The file.
        place: Its name, for messages.
        emergency: Its rules are emergency actions, and are marked so.

    Raises:
        InputError: Not TOML, an unknown key (with the nearest known one), or a value of another
            type, with file, field, value and fix.
        RuleError: A rule that cannot mean anything, or that no record can carry.
    """
    data = read_toml(text, place)
    tables = data.pop("rule", [])
    if "rules" in data:
        raise InputError("unknown key 'rules'", place=place, hint="write [[rule]] tables")
    draft = decode(data, Draft, place=place)
    if not isinstance(tables, list):
        raise InputError("'rule' must be written as [[rule]] tables", place=place)
    if emergency:
        tables = [_as_emergency(table) for table in tables]
    rules = tuple(rule_entry(rule) for rule in rules_from(tables, place))
    draft = msgspec.structs.replace(draft, rules=_narrow(rules, place))
    if draft.is_empty:
        raise InputError(
            "proposes nothing",
            place=place,
            hint="write [[rule]], drop_rule, [[list]] or other acts",
        )
    _demand_one_source(draft, place)
    return draft


def read_toml(text: str, place: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        InputError: It is not TOML, with line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise InputError(f"not valid TOML: {fault}", place=place) from None


def moment_us(value: Any, place: str) -> int | None:
    """An instant as TOML or text has it, in microseconds since 1970; None stays None.

    Raises:
        InputError: It is not an instant in UTC.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return from_datetime(value)
    return parse_time(str(value), place=place)


def later_us(value: str | float, now_us: int, place: str) -> int:
    """An instant given as such, or as a duration from now on: of a minute or more, a whole second.

    Raises:
        InputError: It is neither.
    """
    try:
        lasts_us = parse_duration(value, place=place)
        # Whoever says "in 30 days" means no microsecond: people read this instant, and quote it.
        whole = MICROSECONDS if lasts_us >= 60 * MICROSECONDS else 1
        return (now_us + lasts_us) // whole * whole
    except InputError as fault:
        if "T" not in str(value).upper():
            raise InputError(
                f"{value!r} is neither a duration nor an instant",
                place=place,
                hint="write 30d or 2026-06-14T00:00:00Z",
            ) from fault
    return parse_time(str(value), place=place)


def _as_emergency(table: Any) -> Any:
    if isinstance(table, dict) and table.get("emergency") is not False:
        return {**table, "emergency": True}
    return table


def _narrow(rules: tuple[RuleEntry, ...], place: str) -> tuple[RuleEntry, ...]:
    """The rules, if their ids and ground are such as the record can hold."""
    for rule in rules:
        try:
            msgspec.convert(msgspec.to_builtins(rule), RuleEntry, strict=True)
        except msgspec.ValidationError as fault:
            _, _, path = str(fault).partition(" - at `$.")
            path = path.rstrip("`")
            shown = value_at(msgspec.to_builtins(rule), path)
            raise InputError(
                f"{shown!r} is nothing that the record can hold",
                place=f"{place}, rule {rule.id!r}" + (f", {path}" if path else ""),
                hint="ids are lower-case letters, digits, '.', '_' and '-'; ground is UA, UA-43, "
                "UA/sea, x-… or h3:…",
            ) from None
    return rules


def _demand_one_source(draft: Draft, place: str) -> None:
    for table in draft.list_:
        if bool(table.file) and bool(table.terminals):
            raise InputError(
                "give either 'file' or 'terminals'", place=f"{place}, list {table.name!r}"
            )
