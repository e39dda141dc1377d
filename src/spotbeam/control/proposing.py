"""Changes and emergencies: from a draft, with the files that it names read, to a proposal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from spotbeam.control.drafts import Draft, PersonTable, later_us, moment_us
from spotbeam.control.hand import Hand, written
from spotbeam.control.witnessing import closing_act, witness_quorum
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.acts import (
    Act,
    AddFactor,
    AddKey,
    ConfirmContact,
    DropKey,
    DropList,
    DropRule,
    DropSponsor,
    ExtendSeal,
    Merge,
    PutBoundaries,
    PutList,
    PutRule,
    PutSponsor,
    Review,
    Seat,
    SetQuorum,
    SetRules,
    SetWitnesses,
    SilenceAlerts,
    Unseat,
)
from spotbeam.governance.entries.deciding import Change, Emergency, Stage
from spotbeam.governance.entries.people import (
    Boundaries,
    Factor,
    Key,
    Person,
    Possession,
    QuorumRule,
)
from spotbeam.governance.entries.words import Ground, Span
from spotbeam.governance.policy import row_bytes
from spotbeam.governance.proposing import latest_version
from spotbeam.governance.state import Asked, State
from spotbeam.record.seal import list_root
from spotbeam.times import parse_duration

DAY_US = 86_400_000_000


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """A key, with its holder's proof of possession for one entry.

    Attributes:
        person: Whose it is.
    """

    person: str
    key: Key
    possession: Possession


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """What the files of a draft hold.

    Attributes:
        grounds: Digest of each ground's file, by file.
        lists: Salted rows of each list, by its name: terminal and salt, in order of the salt, so
            that a row's place tells nothing of the others.
        keys: Proven keys, by file.
        identities: Commitment to who a person is, by their id.
    """

    grounds: Mapping[str, str] = {}
    lists: Mapping[str, Sequence[tuple[str, bytes]]] = {}
    keys: Mapping[str, Proven] = {}
    identities: Mapping[str, str] = {}


def change_body(
    state: State, draft: Draft, attached: Attached, request: str, *, now_us: int, place: str
) -> Change:
    """The change that a draft describes, without its impact, which only a preview can tell.

    Args:
        state: The record as the proposer follows it.
        draft: From `parse_draft`.
        attached: What its files hold.
        request: The request that it answers.
        now_us: The proposer's clock, which durations count from.
        place: The draft's file, for messages.

    Raises:
        InputError: The draft holds what a change does not, or an instant that is none; there is
            no such request.
    """
    for field in ("lasts", "open_by", "bounds"):
        if getattr(draft, field) is not None:
            raise InputError(
                f"{field!r} has no meaning in a change", place=place, hint="take it out"
            )
    asked = asked_for(state, request)
    stages = tuple(
        Stage(from_us=_needed(stage.from_, f"{place}, rollout[{n}], from"), where=stage.where)
        for n, stage in enumerate(draft.rollout)
    )
    return Change(
        request=request,
        grounds=grounds_of(asked, draft, attached, place),
        acts=tuple(_acts(state, draft, attached, place)),
        window=Span(
            from_us=moment_us(draft.from_, f"{place}, from"),
            until_us=moment_us(draft.until, f"{place}, until"),
        ),
        rollout=stages,
        impact="0" * 64,
        lapses_us=later_us(draft.lapses, now_us, f"{place}, lapses"),
    )


def emergency_body(
    state: State, draft: Draft, attached: Attached, request: str, *, now_us: int, place: str
) -> Emergency:
    """The emergency action that a draft describes, without its impact.

    Raises:
        InputError: The draft holds more than rules and for how long; there is no such request.
    """
    lasts_us = parse_duration(draft.lasts or "24h", place=f"{place}, lasts")
    if lasts_us > DAY_US:
        raise InputError(
            f"an emergency lasts at most 24 hours, not {draft.lasts}",
            place=f"{place}, lasts",
            hint="what must last longer is a change",
        )
    acts = tuple(_acts(state, draft, attached, place))
    kept = tuple(act for act in acts if isinstance(act, PutRule | DropRule))
    if len(kept) < len(acts) or draft.rollout or draft.from_ is not None or draft.until is not None:
        raise InputError(
            "an emergency is of rules only, from when it binds on",
            place=place,
            hint="keep [[rule]], drop_rule, lasts, lapses and [[ground]]; propose the rest as a "
            "change",
        )
    return Emergency(
        request=request,
        grounds=grounds_of(asked_for(state, request), draft, attached, place),
        acts=kept,
        lasts_us=lasts_us,
        impact="0" * 64,
        lapses_us=later_us(draft.lapses, now_us, f"{place}, lapses"),
    )


def proposal(
    state: State, body: Change | Emergency, impact: str, hand: Hand, *, id: str, now_us: int
) -> bytes:
    """Propose a change or an emergency, with the impact that its preview showed.

    Raises:
        Refused: It could not be carried out, with the reason.
    """
    body = msgspec.structs.replace(body, impact=impact)
    return written(state, body, hand, id=id, now_us=now_us)


def asked_for(state: State, request: str) -> Asked:
    """A request of the record.

    Raises:
        UnknownName: There is none of this id.
    """
    asked = state.requests.get(request)
    if asked is None:
        raise UnknownName("request", request, sorted(state.requests))
    return asked


def grounds_of(asked: Asked, draft: Draft, attached: Attached, place: str) -> tuple[Ground, ...]:
    """The grounds of the request and those that the draft adds, each once."""
    added = [
        Ground(
            kind=table.kind,
            id=table.id,
            digest=attached.grounds.get(table.file or ""),
            issuer=table.issuer,
            from_us=moment_us(table.from_, f"{place}, ground[{n}], from"),
            until_us=moment_us(table.until, f"{place}, ground[{n}], until"),
        )
        for n, table in enumerate(draft.ground)
    ]
    known = {str(ground) for ground in asked.request.grounds}
    for ground in added:
        if str(ground) in known:
            raise InputError(
                f"the request states the ground {ground} already", place=place, hint="take it out"
            )
    grounds = (*asked.request.grounds, *added)
    names = [str(ground) for ground in grounds]
    for rule in draft.rules:
        for name in rule.grounds:
            if name not in names:
                raise UnknownName(
                    "ground", name, names, place=f"{place}, rule {rule.id!r}, grounds"
                )
    return grounds


def person_of(
    table: PersonTable, attached: Attached, place: str
) -> tuple[Person, list[Possession]]:
    """A person to be seated and the proofs of their keys.

    Raises:
        InputError: A key is somebody else's.
    """
    proven = [_theirs(attached, name, table.id, place) for name in table.keys]
    person = Person(
        id=table.id,
        identity=table.identity or attached.identities[table.id],
        factor=table.factor,
        roles=table.roles,
        keys=tuple(each.key for each in proven),
    )
    return person, [each.possession for each in proven]


def _acts(state: State, draft: Draft, attached: Attached, place: str) -> Iterable[Act]:
    yield from (PutRule(rule) for rule in draft.rules)
    yield from (DropRule(_there(state, "rule", n, place)) for n in draft.drop_rule)
    for table in draft.list_:
        yield put_list(state, table.name, attached.lists[table.name])
    yield from (DropList(_there(state, "list", n, place)) for n in draft.drop_list)
    for number, sponsor in enumerate(draft.sponsor):
        until_us = moment_us(sponsor.until, f"{place}, sponsor[{number}], until")
        yield PutSponsor(sponsor=sponsor.id, until_us=until_us)
    yield from (DropSponsor(_there(state, "sponsor", n, place)) for n in draft.drop_sponsor)
    for each in draft.boundaries:
        yield PutBoundaries(Boundaries(view=each.view, source=each.source, digest=each.digest))
    yield from _acts_once(state, draft, attached, place)


def _acts_once(state: State, draft: Draft, attached: Attached, place: str) -> Iterable[Act]:
    for factor in draft.factor:
        yield AddFactor(Factor(id=factor.id, name=factor.name, party=factor.party))
    for seat in draft.seat:
        person, possessions = person_of(seat, attached, f"{place}, seat {seat.id!r}")
        yield Seat(person=person, possessions=tuple(possessions))
    for added in draft.add_key:
        proven = _theirs(attached, added.key, added.person, f"{place}, add_key")
        yield AddKey(person=added.person, key=proven.key, possession=proven.possession)
    yield from (DropKey(person=each.person, key=each.key) for each in draft.drop_key)
    yield from (Unseat(name) for name in draft.unseat)
    yield from (Merge(person=each.person, same_as=each.same_as) for each in draft.merge)
    if draft.quorum is not None:
        yield SetQuorum(QuorumRule(**msgspec.structs.asdict(draft.quorum)))
    if draft.witnesses is not None:
        assert state.witness_policy is not None
        log = state.witness_policy.logs[0]
        key = draft.witnesses.log_key or str(log.key)
        yield SetWitnesses(witness_quorum(draft.witnesses, key, log.url, place))
    if draft.close_log is not None:
        yield closing_act(state, draft.close_log, place)
    if draft.rules_version is not None:
        yield SetRules(draft.rules_version)
    yield from (ConfirmContact(name) for name in draft.confirm_contact)
    for more in draft.extend_seal:
        open_by_us = _needed(more.open_by, f"{place}, extend_seal {more.seal!r}, open_by")
        yield ExtendSeal(seal=more.seal, open_by_us=open_by_us)
    for mute in draft.silence:
        until_us = _needed(mute.until, f"{place}, silence {mute.rule!r}, until")
        yield SilenceAlerts(rule=mute.rule, where=mute.where, until_us=until_us, words=mute.words)
    for review in draft.review:
        yield Review(emergency=review.emergency, finding=review.finding, words=review.words)


def _there(state: State, kind: str, name: str, place: str) -> str:
    """The name of something that the record has, to be taken out."""
    known = [key.partition(":")[2] for key in sorted(state.layers) if key.startswith(f"{kind}:")]
    if name not in known:
        raise UnknownName(kind, name, known, place=f"{place}, drop_{kind}")
    return name


def put_list(state: State, name: str, rows: Sequence[tuple[str, bytes]]) -> PutList:
    """The next version of a list, by the root over its salted rows."""
    version = latest_version(state, name) + 1
    salted = [(row_bytes(terminal), salt) for terminal, salt in rows]
    root = list_root(state.origin, name, version, salted).hex()
    return PutList(list=name, version=version, count=len(rows), root=root)


def _theirs(attached: Attached, file: str, person: str, place: str) -> Proven:
    proven = attached.keys[file]
    if proven.person != person:
        raise InputError(
            f"{file} proves a key of {proven.person!r}, not of {person!r}", place=place
        )
    return proven


def _needed(value: object, place: str) -> int:
    found = moment_us(value, place)
    if found is None:
        raise InputError("an instant is missing", place=place, hint="as 2026-06-14T00:00:00Z")
    return found
