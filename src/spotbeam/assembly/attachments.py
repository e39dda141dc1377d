"""The files that a draft names, read: lists, documents, proofs of possession; and what is kept.

Rows of lists are salted here, one by one, and kept in `private/openings`; only version, count and
root go into the record.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from spotbeam.assembly.key_files import PersonalKey, proven, read_key_file
from spotbeam.control.drafts import Draft, ListTable, PersonTable
from spotbeam.control.hand import file_hand
from spotbeam.control.proposing import Attached, Proven
from spotbeam.control.seating import possession
from spotbeam.errors import InputError, MalformedRecord
from spotbeam.formats.atomic import write_bytes
from spotbeam.governance.policy import Openings
from spotbeam.record.keys import decode_base64, encode_base64
from spotbeam.record.seal import SALT_SIZE, commit

_HEADERS = ("terminal", "id")
_LONGEST_ID = 200


class Salted(msgspec.Struct, frozen=True, kw_only=True):
    """The salt of who somebody is: without it the commitment in the record tells nothing."""

    person: str
    name: str
    salt: str
    identity: str


def attached(
    draft: Draft, folder: Path, *, origin: str, genesis: str, entry: str, place: str
) -> tuple[Attached, tuple[Salted, ...]]:
    """What the files of a draft hold.

    Args:
        draft: From `parse_draft`.
        folder: What its file names are relative to.
        origin: The log's name.
        genesis: Digest of entry 0, in hexadecimal.
        entry: Id of the proposal: proofs of possession name it.
        place: The draft's file, for messages.

    Returns:
        What they hold, and the salts of identities that were made here.

    Raises:
        InputError: A file is missing or wrong, with file, line and fix.
    """
    documents = {
        table.file: document_digest(folder / table.file, f"{place}, ground {table.id!r}, file")
        for table in draft.ground
        if table.file is not None
    }
    names = [*draft.seat, *draft.add_key]
    files = {name for each in names for name in _keys_of(each)}
    made = [identity_of(table, origin, entry) for table in draft.seat if table.identity is None]
    found = Attached(
        grounds=documents,
        lists={table.name: _salted(_terminals(table, folder, place)) for table in draft.list_},
        keys={name: proven_key(folder / name, origin, genesis, entry) for name in sorted(files)},
        identities={each.person: each.identity for each in made},
    )
    return found, tuple(made)


def proven_key(path: Path, origin: str, genesis: str, entry: str) -> Proven:
    """A key with its holder's proof: from a proof file, or made from a private key that is here.

    Raises:
        InputError: The file is missing or none of these, or the proof is for another entry.
    """
    found = read_key_file(path)
    if found.proof is not None:
        return proven(found, origin, genesis, entry)
    if found.signer is None:
        raise InputError(
            "is a passkey without a proof of possession",
            place=str(path),
            hint=f"{found.person} proves it: spotbeam key prove {path.name} --origin {origin} "
            f"--entry {entry}" + (f" --genesis {genesis}" if genesis else ""),
        )
    return _proven_here(found, origin, genesis, entry)


def identity_of(table: PersonTable, origin: str, entry: str) -> Salted:
    """A salted commitment to who a person is, and its salt, for the party that seats them."""
    salt, name = os.urandom(SALT_SIZE), table.name or table.id
    digest = commit(origin, entry, f"identity:{table.id}", name.encode(), salt).hex()
    return Salted(person=table.id, name=name, salt=encode_base64(salt), identity=digest)


def document_digest(path: Path, place: str) -> str:
    """SHA-256 of a document, in hexadecimal.

    Raises:
        InputError: It cannot be read.
    """
    try:
        if path.is_dir():
            raise InputError(f"{path.name!r} is a folder, not a file", place=place)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as fault:
        raise InputError(f"{path.name!r} cannot be read: {fault.strerror}", place=place) from None


def list_file(openings: Path, name: str, version: int) -> Path:
    """Where the rows of a version of a list are kept."""
    return openings / "lists" / name / f"{version}.csv"


def seal_file(openings: Path, name: str) -> Path:
    """Where the value and the salt of a seal are kept."""
    return openings / "seals" / f"{name}.json"


def keep_list(path: Path, rows: Sequence[tuple[str, bytes]]) -> None:
    """Keep the rows of a list version with their salts."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("terminal", "salt"))
    writer.writerows((terminal, encode_base64(salt)) for terminal, salt in rows)
    write_bytes(path, text.getvalue().encode())


def keep_seal(path: Path, name: str, value: bytes, salt: str) -> None:
    """Keep what a seal hides, and its salt in base64."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = msgspec.json.encode({"seal": name, "value": value.decode(), "salt": salt})
    write_bytes(path, data + b"\n")


def read_openings(
    openings: Path,
    wanted: Iterable[tuple[str, int]],
    seals: Iterable[str],
    files: Mapping[str, Path] | None = None,
) -> Openings:
    """What is kept here of lists and seals; what is not there, or is damaged, is left out.

    Args:
        openings: The folder.
        wanted: Lists with their versions.
        seals: Ids of seals.
        files: Where an opening of a seal is instead, by its id.
    """
    lists = {}
    for name, version in wanted:
        rows = _rows(list_file(openings, name, version))
        if rows is not None:
            lists[name, version] = rows
    values = {}
    for name in seals:
        path = (files or {}).get(name, seal_file(openings, name))
        try:
            held = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
            values[name] = (held["value"].encode(), decode_base64(held["salt"], "the salt"))
        except (OSError, ValueError, KeyError, msgspec.DecodeError, MalformedRecord):
            continue
    return Openings(lists=lists, seals=values)


def _proven_here(found: PersonalKey, origin: str, genesis: str, entry: str) -> Proven:
    assert found.signer is not None
    hand = file_hand(found.person, found.signer)
    return Proven(
        person=found.person,
        key=found.key,
        possession=possession(origin, genesis, entry, hand),
    )


def _keys_of(table: object) -> tuple[str, ...]:
    return table.keys if isinstance(table, PersonTable) else (getattr(table, "key"),)  # noqa: B009


def _salted(terminals: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    """Each with a salt of its own, in order of the salts: a row's place tells nothing of others."""
    fresh = os.urandom(SALT_SIZE * len(terminals))
    salts = (fresh[at : at + SALT_SIZE] for at in range(0, len(fresh), SALT_SIZE))
    return tuple(sorted(zip(terminals, salts, strict=True), key=lambda row: row[1]))


def _terminals(table: ListTable, folder: Path, place: str) -> tuple[str, ...]:
    here = f"{place}, list {table.name!r}"
    if table.file is None:
        numbered = list(enumerate(table.terminals))
        where = "terminals[{}]"
    else:
        numbered = _read_list(folder / table.file, f"{here}, file")
        here, where = table.file, "line {}"
    first: dict[str, int] = {}
    for number, terminal in numbered:
        spot = f"{here}, {where.format(number)}"
        if not 0 < len(terminal) <= _LONGEST_ID or not terminal.isprintable():
            raise InputError(f"{terminal[:40]!r} is no terminal's id", place=spot)
        if terminal in first:
            raise InputError(
                f"the terminal {terminal!r} stands there twice",
                place=spot,
                hint=f"it is in {where.format(first[terminal])} already",
            )
        first[terminal] = number
    return tuple(first)


def _read_list(path: Path, place: str) -> list[tuple[int, str]]:
    """Ids with their lines: one a line, or the column `terminal` (or `id`) of a CSV file."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise InputError(f"{path.name!r} cannot be read: {fault.strerror}", place=place) from None
    except UnicodeDecodeError as fault:
        raise InputError(
            f"byte {fault.start} is not UTF-8",
            place=path.name,
            hint="a list is a text file with one terminal id a line, or a CSV file",
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    records = [(reader.line_num, record) for record in reader if record]
    if not records:
        return []
    header = [name.strip().lower() for name in records[0][1]]
    column = next((header.index(name) for name in _HEADERS if name in header), None)
    if column is None and max(len(record) for _, record in records) == 1:
        lines = ((number, record[0].split("#", 1)[0].strip()) for number, record in records)
        return [(number, name) for number, name in lines if name]
    if column is None:
        raise InputError(
            f"has no column 'terminal' but {', '.join(map(repr, records[0][1][:8]))}",
            place=path.name,
            hint="name one of its columns terminal (or id)",
        )
    found = []
    for number, record in records[1:]:
        if len(record) <= column:
            raise InputError("the row is too short", place=f"{path.name}, line {number}")
        found.append((number, record[column].strip()))
    return found


def _rows(path: Path) -> tuple[tuple[str, bytes], ...] | None:
    try:
        records = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        return tuple(
            (terminal, decode_base64(salt, "the salt")) for terminal, salt in list(records)[1:]
        )
    except (OSError, ValueError, MalformedRecord):
        return None
