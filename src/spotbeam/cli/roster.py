"""`spotbeam roster`: who decides, with which keys, how many must agree, and which witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
import msgspec

from spotbeam.assembly.proposals import prepare_change
from spotbeam.assembly.sending import at_desk, checked_id, entry_file
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.signing import Flag, Place, Signer, ask, say_recorded
from spotbeam.control.drafts import (
    AddKeyTable,
    Draft,
    MergeTable,
    PersonTable,
    QuorumTable,
    parse_draft,
)
from spotbeam.control.seating import revocation
from spotbeam.control.wording import plain, quorum_words
from spotbeam.decode import decode
from spotbeam.errors import InputError
from spotbeam.governance.entries.people import FileKey
from spotbeam.governance.state import Seated, State
from spotbeam.times import format_time

Role = Literal["approver", "registrar", "operator"]
_HERE, _WRITES = Place(), Signer()


def show(*, at: Place = _HERE) -> None:
    """List persons, factors, keys, the quorum and the witnesses."""
    state = at.followed().now
    roster = state.seated
    persons = [roster.persons[name] for name in sorted(roster.persons)]
    quorum = roster.quorum_at(state.witnessed_us)
    coming = [(at_us, each) for at_us, each in roster.quorums if at_us > state.witnessed_us]
    if at.json:
        print_json(_facts(state, persons))
        return
    out = console()
    rows = [
        [p.id, p.factor, ", ".join(p.roles) or "-", _since(p.from_us), _keys(state, p)]
        for p in persons
        if not p.has_left
    ]
    out.print(table("Persons", ["id", "factor", "roles", "counts", "keys"], rows))
    factors = [roster.factors[name] for name in sorted(roster.factors)]
    rows = [[f.id, plain(f.name), f.party] for f in factors]
    out.print(table("Factors", ["id", "name", "filled by"], rows))
    out.print(f"Quorum: {quorum_words(quorum)}", markup=False)
    for at_us, each in coming:
        out.print(f"  from {format_time(at_us)}: {quorum_words(each)}", markup=False)
    assert state.witness_quorum is not None
    witnesses = state.witness_quorum
    policy = state.witness_policy
    assert policy is not None
    rows = [
        [
            plain(each.name),
            plain(witnesses.organisations[each.name]),
            "mirror" if each.name in witnesses.mirrors else "witness",
            plain(each.url or "-"),
        ]
        for each in policy.witnesses
    ]
    out.print(table("Witnesses", ["name", "organisation", "kind", "address"], rows))
    rule = next((g for g in policy.groups if g.name == policy.quorum), None)
    if rule is not None:
        out.print(
            f"Witness quorum: {rule.threshold} of {', '.join(map(plain, rule.members))}",
            markup=False,
        )


def seat(
    person: str,
    /,
    *,
    factor: str,
    proof: Annotated[list[Path], cyclopts.Parameter(negative=())],
    request: str,
    role: Annotated[list[Role] | None, cyclopts.Parameter(negative=())] = None,
    identity: str | None = None,
    name: str | None = None,
    yes: Flag = False,
    by: Signer = _WRITES,
) -> None:
    """Propose to seat a person, with proof of their key; counts 72 hours after it binds.

    They make the proof for the id of this proposal, so choose it first and give it with --id.

    Parameters
    ----------
    person
        Their id; never used again.
    factor
        The group of seats.
    proof
        Their proof of possession: spotbeam key prove FILE --entry ID.
    request
        The request that it answers.
    role
        approver, registrar, operator; give it again for more.
    identity
        Salted commitment to who it is; made from --name and kept here if left out.
    name
        Who it is; it does not go into the record.
    yes
        Do not ask before signing.
    """
    table_ = decode(
        {
            "id": person,
            "factor": factor,
            "roles": list(role or ()),
            "keys": [str(path.resolve()) for path in proof],
            **({} if identity is None else {"identity": identity}),
            **({} if name is None else {"name": name}),
        },
        PersonTable,
        place="roster seat",
    )
    _propose(Draft(seat=(table_,)), request, by, yes=yes)


def unseat(person: str, /, *, request: str, yes: Flag = False, by: Signer = _WRITES) -> None:
    """Propose to take a person's seat, as soon as it binds.

    Parameters
    ----------
    person
        Their id.
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    _propose(Draft(unseat=(checked_id(person, "PERSON"),)), request, by, yes=yes)


def add_key(
    person: str,
    proof: Path,
    /,
    *,
    request: str,
    yes: Flag = False,
    by: Signer = _WRITES,
) -> None:
    """Propose another key for a person; counts 72 hours after it binds.

    Parameters
    ----------
    person
        Their id.
    proof
        Their proof of possession, for the id of this proposal.
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    added = AddKeyTable(person=checked_id(person, "PERSON"), key=str(proof.resolve()))
    _propose(Draft(add_key=(added,)), request, by, yes=yes)


def revoke(digest: str | None = None, /, *, yes: Flag = False, by: Signer = _WRITES) -> None:
    """Give up one of your own keys, at once: needs nobody else.

    All approvals of what you had approved with it fall.

    Parameters
    ----------
    digest
        The key's digest; the key that signs if left out.
    yes
        Do not ask before signing.
    """
    here, signing = by.here, by.signing()
    revoked = signing.found.digest if digest is None else digest
    if len(revoked) != 64 or set(revoked) - set("0123456789abcdef"):
        raise InputError(f"{revoked!r} is no digest of a key", hint="`spotbeam roster show --json`")
    with at_desk(here, signing) as desk:
        ask(f"Give up the key {revoked[:16]}… of {signing.person}, for good?", yes=yes)
        signing.title = "Give up a key, for good"
        signing.facts = (("key", revoked),)
        data = revocation(
            desk.state,
            revoked,
            signing.hand,
            id=desk.new_id("rev", by.id),
            now_us=desk.now_us,
        )
        recorded = desk.send(data, wait=by.wait)
    say_recorded(recorded, f"the key {revoked[:16]}… no longer counts", by)


def merge(
    person: str, same_as: str, /, *, request: str, yes: Flag = False, by: Signer = _WRITES
) -> None:
    """Propose that two ids count as one human from now on.

    Parameters
    ----------
    person
        One id.
    same_as
        The other, which stands for both.
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    merged = MergeTable(person=checked_id(person, "PERSON"), same_as=checked_id(same_as, "SAME-AS"))
    _propose(Draft(merge=(merged,)), request, by, yes=yes)


def quorum(
    *,
    persons: int,
    factors: int,
    request: str,
    must_include: Annotated[list[str] | None, cyclopts.Parameter(negative=())] = None,
    yes: Flag = False,
    by: Signer = _WRITES,
) -> None:
    """Propose how many must agree, from 72 hours after it binds.

    Parameters
    ----------
    persons
        How many persons; two at least.
    factors
        Of how many factors; two at least.
    request
        The request that it answers.
    must_include
        A factor that must be among them; give it again for more.
    yes
        Do not ask before signing.
    """
    wanted = decode(
        {"persons": persons, "factors": factors, "must_include": must_include or []},
        QuorumTable,
        place="roster quorum",
    )
    _propose(Draft(quorum=wanted), request, by, yes=yes)


def witnesses(file: Path, /, *, request: str, yes: Flag = False, by: Signer = _WRITES) -> None:
    """Propose other witnesses, or another log key; the old and the new quorum must sign it.

    Parameters
    ----------
    file
        TOML with a [witnesses] table, as in the first roster.
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    draft = parse_draft(entry_file(file), file.name)
    if draft.witnesses is None:
        raise InputError("has no [witnesses] table", place=file.name)
    _propose(draft, request, by, yes=yes, folder=file.resolve().parent, place=file.name)


def _propose(
    draft: Draft,
    request: str,
    by: Signer,
    *,
    yes: bool,
    folder: Path | None = None,
    place: str = "roster",
) -> None:
    from spotbeam.cli.deciding import propose_prepared  # loads all that impacts need

    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        prepared = prepare_change(
            desk.state,
            draft,
            folder or Path.cwd(),
            request,
            id=desk.new_id("chg", by.id),
            now_us=desk.now_us,
            place=place,
        )
        propose_prepared(desk, prepared, by, yes=yes)


def _since(from_us: int) -> str:
    return "from the beginning" if not from_us else f"from {format_time(from_us)}"


def _keys(state: State, person: Seated) -> str:
    shown = []
    for digest in sorted(person.keys):
        key = person.keys[digest]
        kind = "file" if isinstance(key.key, FileKey) else "passkey"
        note = " revoked" if key.is_revoked else ""
        if key.from_us > state.witnessed_us:
            note = f" {_since(key.from_us)}"
        shown.append(f"{kind} {digest[:12]}…{note}")
    return ", ".join(shown)


def _facts(state: State, persons: list[Seated]) -> dict[str, Any]:
    roster = state.seated
    return {
        "persons": [
            {
                "id": person.id,
                "human": person.human,
                "factor": person.factor,
                "roles": person.roles,
                "has_left": person.has_left,
                "from_us": person.from_us,
                "keys": [
                    {
                        "digest": digest,
                        "kind": "file" if isinstance(key.key, FileKey) else "passkey",
                        "from_us": key.from_us,
                        "is_revoked": key.is_revoked,
                    }
                    for digest, key in sorted(person.keys.items())
                ],
            }
            for person in persons
        ],
        "factors": [msgspec.to_builtins(roster.factors[n]) for n in sorted(roster.factors)],
        "quorums": [
            {"from_us": from_us, **msgspec.to_builtins(rule)} for from_us, rule in roster.quorums
        ],
        "witness_quorum": msgspec.to_builtins(state.witness_quorum),
    }
