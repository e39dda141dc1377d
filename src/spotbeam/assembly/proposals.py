"""Proposing from a draft: read what it names, show what it would do, sign, keep what is secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from spotbeam.assembly.attachments import (
    Salted,
    attached,
    keep_list,
    keep_seal,
    list_file,
    seal_file,
)
from spotbeam.assembly.key_files import write_new
from spotbeam.assembly.sending import Desk, entry_file
from spotbeam.assembly.workspace import Workspace, private_folder
from spotbeam.control.drafts import Draft, parse_draft, read_toml
from spotbeam.control.proposing import change_body, emergency_body, proposal
from spotbeam.control.recording import Recorded
from spotbeam.control.sealing import Sealed, seal, sealed
from spotbeam.errors import InputError, Refused
from spotbeam.governance.entries.acts import PutList
from spotbeam.governance.entries.deciding import Change, Emergency, Seal
from spotbeam.governance.policy import Openings
from spotbeam.governance.state import State
from spotbeam.record.keys import encode_base64
from spotbeam.record.seal import new_salt


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that nobody has signed yet, with what the record will not hold of it.

    Attributes:
        rows: Salted rows of its lists, by name and version.
        identities: Salts of the identities that it seats.
        hidden: What a seal hides.
    """

    id: str
    body: Change | Emergency | Seal
    rows: Mapping[tuple[str, int], Sequence[tuple[str, bytes]]] = {}
    identities: tuple[Salted, ...] = ()
    hidden: Sealed | None = None

    def openings(self) -> Openings:
        """What a preview on this machine may know."""
        lists = {key: tuple(rows) for key, rows in self.rows.items()}
        hidden = self.hidden
        seals = {} if hidden is None else {self.id: (hidden.value, hidden.salt)}
        return Openings(lists=lists, seals=seals)


def read_draft(path: Path) -> Draft:
    """A draft from its file; the rules of one that `lasts` are emergency actions.

    Raises:
        InputError: It cannot be read, or is no draft.
    """
    text = entry_file(path)
    return parse_draft(text, path.name, emergency="lasts" in read_toml(text, path.name))


def prepare(
    state: State, draft: Draft, folder: Path, request: str, *, id: str, now_us: int, place: str
) -> Prepared:
    """A proposal of whatever kind a draft is: with bounds a seal, with `lasts` an emergency."""
    of_kind = prepare_change
    if draft.bounds is not None:
        of_kind = prepare_seal
    elif draft.lasts is not None:
        of_kind = prepare_emergency
    return of_kind(state, draft, folder, request, id=id, now_us=now_us, place=place)


def prepare_change(
    state: State, draft: Draft, folder: Path, request: str, *, id: str, now_us: int, place: str
) -> Prepared:
    """A change from a draft, with the files that it names read and its lists salted.

    Args:
        state: The record as followed.
        draft: From `parse_draft`.
        folder: What its file names are relative to.
        request: The request that it answers.
        id: The proposal's id: proofs of possession name it.
        now_us: The clock, which durations count from.
        place: The draft's file, for messages.

    Raises:
        InputError: A file is missing or wrong, there is no such request, or another proposal
            for the same version of a list is pending.
    """
    found, identities = attached(
        draft, folder, origin=state.origin, genesis=state.genesis, entry=id, place=place
    )
    body = change_body(state, draft, found, request, now_us=now_us, place=place)
    acts = [act for act in body.acts if isinstance(act, PutList)]
    _demand_no_rival(state, acts, place)
    rows = {(act.list, act.version): found.lists[act.list] for act in acts}
    return Prepared(id=id, body=body, rows=rows, identities=identities)


def prepare_emergency(
    state: State, draft: Draft, folder: Path, request: str, *, id: str, now_us: int, place: str
) -> Prepared:
    """An emergency action from a draft; as `prepare_change`."""
    found, _ = attached(
        draft, folder, origin=state.origin, genesis=state.genesis, entry=id, place=place
    )
    return Prepared(
        id=id, body=emergency_body(state, draft, found, request, now_us=now_us, place=place)
    )


def prepare_seal(
    state: State, draft: Draft, folder: Path, request: str, *, id: str, now_us: int, place: str
) -> Prepared:
    """A seal from a draft, with a fresh salt; as `prepare_change`."""
    found, _ = attached(
        draft, folder, origin=state.origin, genesis=state.genesis, entry=id, place=place
    )
    hidden = sealed(
        state, draft, found, request, id=id, salt=new_salt(), now_us=now_us, place=place
    )
    return Prepared(id=id, body=hidden.body, hidden=hidden)


def propose(desk: Desk, prepared: Prepared, impact: str, *, wait: bool = False) -> Recorded:
    """Sign a prepared proposal with the impact that was shown, keep its openings, hand it in.

    Raises:
        Refused: The record would void it; then nothing is kept.
        Unreachable: The log does not answer; it may have taken it, so what it hides is kept.
    """
    state, hand, now_us = desk.state, desk.signing.hand, desk.now_us
    body = prepared.body
    if isinstance(body, Seal):
        data = seal(state, body, impact, hand, id=prepared.id, now_us=now_us)
    else:
        data = proposal(state, body, impact, hand, id=prepared.id, now_us=now_us)
    kept = _kept(desk.workspace, prepared)
    try:
        return desk.send(data, wait=wait)
    except Refused:
        for path in kept:
            path.unlink(missing_ok=True)
        raise


def _kept(workspace: Workspace, prepared: Prepared) -> list[Path]:
    """Put on disk what the record will only commit to; the files."""
    private_folder(workspace.private)
    kept = []
    for (name, version), rows in prepared.rows.items():
        path = list_file(workspace.openings, name, version)
        keep_list(path, rows)
        kept.append(path)
    if prepared.hidden is not None:
        path = seal_file(workspace.openings, prepared.id)
        keep_seal(path, prepared.id, prepared.hidden.value, encode_base64(prepared.hidden.salt))
        kept.append(path)
    if prepared.identities:
        path = workspace.private / f"identities-{prepared.id}.json"
        data = msgspec.json.format(msgspec.json.encode(prepared.identities), indent=2)
        write_new(path, data + b"\n", secret=True)
        kept.append(path)
    return kept


def _demand_no_rival(state: State, acts: Sequence[PutList], place: str) -> None:
    """One version of a list has one set of rows here, so only one proposal may bring it."""
    wanted = {(act.list, act.version) for act in acts}
    for name in sorted(state.pending):
        other = state.changes[name].proposal
        for act in getattr(other, "acts", ()):
            if isinstance(act, PutList) and (act.list, act.version) in wanted:
                raise InputError(
                    f"{name} is pending and brings version {act.version} of the list too",
                    place=f"{place}, list {act.list!r}",
                    hint=f"wait for it, or take it back: spotbeam change withdraw {name}",
                )
