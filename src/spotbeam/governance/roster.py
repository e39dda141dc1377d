"""Who is seated, whose keys count, and what may be done to the roster."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace
from rpds import HashTrieMap

from spotbeam.errors import MalformedRecord
from spotbeam.governance.entries import LOG, Entry, possession_statement
from spotbeam.governance.entries.acts import (
    AddFactor,
    AddKey,
    DropKey,
    Merge,
    RosterAct,
    Seat,
    SetQuorum,
    Unseat,
)
from spotbeam.governance.entries.envelope import statement_of
from spotbeam.governance.entries.people import Genesis, Key, Person, Possession, QuorumRule
from spotbeam.governance.entries.words import HOUR_US
from spotbeam.governance.proofs import check_proof, key_digest
from spotbeam.governance.state import Roster, Seated, SeatedKey, State
from spotbeam.governance.void import Void, demand

NEWCOMER_WAITS_US = 72 * HOUR_US
"""From when an addition to the roster binds until it counts."""


def first_roster(genesis: Genesis, entry_id: str) -> Roster:
    """The roster of entry 0: every key of every person is proven to be theirs."""
    roster = Roster(
        persons=HashTrieMap(),
        factors=HashTrieMap(),
        key_owner=HashTrieMap(),
        identities=HashTrieMap(),
        quorums=((0, genesis.quorum),),
    )
    for factor in genesis.factors:
        roster = _with_factor(roster, AddFactor(factor))
    possessions = list(genesis.possessions)
    for person in genesis.persons:
        roster = _with_person(roster, person, possessions, (genesis.origin, "", entry_id), 0)
    demand(not possessions, "possession", "a possession is of a key that nobody has")
    demand_feasible(roster, genesis.quorum)
    return roster


def signer(state: State, entry: Entry) -> Seated:
    """The person who is named as actor, if one of their keys signed.

    Raises:
        Void: They did not sign, are not seated, or the key is revoked or too new.
    """
    envelope = entry.envelope
    person = state.seated.persons.get(envelope.actor)
    demand(person is not None and not person.has_left, "not_seated", "the actor has no seat")
    assert person is not None
    demand(envelope.key is not None and envelope.proof is not None, "unsigned", "nobody signed it")
    key = person.keys.get(envelope.key or "")
    demand(key is not None, "not_their_key", "the key is not one of the actor's")
    assert key is not None
    demand(not key.is_revoked, "revoked", "the key is revoked")
    demand(key.from_us <= state.witnessed_us, "newcomer", "the key does not count yet")
    _check(state, entry, key)
    return person


def _check(state: State, entry: Entry, key: SeatedKey) -> None:
    assert entry.envelope.proof is not None
    try:
        text = statement_of(state.origin, state.genesis, entry)
    except MalformedRecord:  # with a long origin the statement may be larger than its entry
        raise Void("too_large", "the statement is larger than an entry may be") from None
    check_proof(key.key, entry.envelope.proof, text)


def human_of(roster: Roster, name: str | None) -> str | None:
    """The human behind a rostered id; None for a name that nobody on the roster has."""
    person = roster.persons.get(name or "")
    return None if person is None else person.human


def altered(state: State, roster: Roster, act: RosterAct, entry_id: str, at_us: int) -> Roster:
    """The roster after an act that a quorum passed.

    Args:
        state: For the log's name.
        roster: As it stands.
        act: What is done.
        entry_id: The entry that proposed it; proofs of possession name it.
        at_us: Witnessed time at which it binds.

    Raises:
        Void: It cannot be done.
    """
    # A change that waited while the record moved on was signed for the log that it stands in.
    at = state.seen.get(entry_id)
    origin = state.origin if at is None else state.located(at)[0]
    place = (origin, state.genesis, entry_id)
    later = at_us + NEWCOMER_WAITS_US
    match act:
        case AddFactor():
            return _with_factor(roster, act)
        case Seat():
            possessions = list(act.possessions)
            roster = _with_person(roster, act.person, possessions, place, later)
            demand(not possessions, "possession", "a possession is of another key")
            return roster
        case AddKey():
            person = _seated(roster, act.person)
            return _with_key(roster, person, act.key, [act.possession], place, later)
        case DropKey():
            roster = without_key(roster, _seated(roster, act.person), act.key)
        case Unseat():
            gone = replace(_seated(roster, act.person), has_left=True)
            roster = replace(roster, persons=roster.persons.insert(gone.id, gone))
        case Merge():
            roster = _merged(roster, act)
        case SetQuorum():
            demand_feasible(roster, act.quorum)
            return replace(roster, quorums=(*roster.quorums, (later, act.quorum)))
    demand_feasible(roster, roster.quorum_at(at_us))
    demand_feasible(roster, roster.quorums[-1][1])
    return roster


def without_key(roster: Roster, person: Seated, digest: str) -> Roster:
    """The roster with a key revoked. It stays known, so that it can never be brought in again."""
    key = person.keys.get(digest)
    demand(key is not None and not key.is_revoked, "not_their_key", "they have no such key")
    assert key is not None
    keys = person.keys.insert(digest, replace(key, is_revoked=True))
    return replace(roster, persons=roster.persons.insert(person.id, replace(person, keys=keys)))


def demand_feasible(roster: Roster, quorum: QuorumRule) -> None:
    """Refuse a quorum that nobody could ever reach."""
    able = [person for person in _approvers(roster) if _may_sign(person)]
    factor_of = {person.human: person.factor for person in able}
    factors = set(factor_of.values())
    demand(
        len(factor_of) >= quorum.persons
        and len(factors) >= quorum.factors
        and factors.issuperset(quorum.must_include),
        "starved",
        "the roster could never reach the full quorum",
    )
    small = quorum.small
    demand(
        small is None or (small.persons <= quorum.persons and small.factors <= quorum.factors),
        "small",
        "small changes would need more than the full quorum",
    )


def _approvers(roster: Roster) -> Iterable[Seated]:
    for name in sorted(roster.persons):
        person = roster.persons[name]
        if not person.has_left and "approver" in person.roles:
            yield person


def _may_sign(person: Seated) -> bool:
    return any(not key.is_revoked for key in person.keys.values())


def _seated(roster: Roster, name: str) -> Seated:
    person = roster.persons.get(name)
    demand(
        person is not None and not person.has_left, "not_seated", "nobody with this id has a seat"
    )
    assert person is not None
    return person


def _with_factor(roster: Roster, act: AddFactor) -> Roster:
    factor = act.factor
    demand(factor.id not in roster.factors, "repeated", "a factor's id is used a second time")
    # Groups with one name would be taken for one another; one party with two factors could meet
    # alone what is meant to need two parties.
    for other in roster.factors.values():
        demand(other.name != factor.name, "same_name", "two factors have one name")
        demand(other.party != factor.party, "same_party", "one party fills two factors")
    return replace(roster, factors=roster.factors.insert(factor.id, factor))


def _with_person(
    roster: Roster,
    person: Person,
    possessions: list[Possession],
    place: tuple[str, str, str],
    from_us: int,
) -> Roster:
    demand(person.id != LOG, "repeated", "the log is not a person")
    demand(person.id not in roster.persons, "repeated", "a person's id is used a second time")
    demand(
        person.identity not in roster.identities, "same_human", "this identity has a seat already"
    )
    demand(person.factor in roster.factors, "unknown_factor", "there is no such factor")
    demand(len(set(person.roles)) == len(person.roles), "repeated", "a role stands there twice")
    seated = Seated(
        id=person.id,
        human=person.id,
        factor=person.factor,
        roles=person.roles,
        keys=HashTrieMap(),
        from_us=from_us,
    )
    roster = replace(
        roster,
        persons=roster.persons.insert(person.id, seated),
        identities=roster.identities.insert(person.identity, person.id),
    )
    for key in person.keys:
        seated = roster.persons[person.id]
        roster = _with_key(roster, seated, key, possessions, place, from_us)
    return roster


def _with_key(
    roster: Roster,
    person: Seated,
    key: Key,
    possessions: list[Possession],
    place: tuple[str, str, str],
    from_us: int,
) -> Roster:
    digest = key_digest(key)
    demand(digest not in roster.key_owner, "key_reused", "the key is or was somebody's already")
    mine = next((each for each in possessions if each.key == digest), None)
    demand(mine is not None, "possession", "nobody proved to hold the key")
    assert mine is not None
    origin, genesis, entry_id = place
    check_proof(
        key,
        mine.proof,
        possession_statement(origin, genesis, person.id, digest, entry_id),
    )
    possessions.remove(mine)
    keys = person.keys.insert(digest, SeatedKey(key=key, from_us=from_us))
    return replace(
        roster,
        persons=roster.persons.insert(person.id, replace(person, keys=keys)),
        key_owner=roster.key_owner.insert(digest, person.id),
    )


def _merged(roster: Roster, act: Merge) -> Roster:
    one, other = roster.persons.get(act.person), roster.persons.get(act.same_as)
    demand(one is not None and other is not None, "not_seated", "nobody has one of these ids")
    assert one is not None
    assert other is not None
    demand(one.human != other.human, "repeated", "they count as one already")
    persons = roster.persons
    for name in sorted(roster.persons):
        person = roster.persons[name]
        if person.human == one.human:
            persons = persons.insert(name, replace(person, human=other.human))
    return replace(roster, persons=persons)
