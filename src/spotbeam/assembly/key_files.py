"""Persons' keys on disk: a file key, a passkey's public half, a proof of possession.

ada.key            PRIVATE+KEY+ada+<id>+<base64>     secret, 0600, never written over
ada.passkey        JSON: whose passkey, and its public half
ada.proof          JSON: a key, and its holder's proof for one entry of one record
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from spotbeam.control.hand import file_key
from spotbeam.control.proposing import Proven
from spotbeam.errors import InputError, MalformedRecord, OutputError
from spotbeam.governance.entries.people import Key, PasskeyKey, Possession
from spotbeam.governance.entries.words import Id
from spotbeam.governance.proofs import key_digest
from spotbeam.governance.void import Void
from spotbeam.record.keys import (
    ED25519,
    Signer,
    format_signer_key,
    new_seed,
    parse_signer_key,
    signer_from_seed,
)

_LARGEST = 64 * 1024


class PasskeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A passkey as its owner's machine knows it: nothing in it is secret."""

    spotbeam: Literal["passkey/v1"] = "passkey/v1"
    person: Id
    key: PasskeyKey


class ProofFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key and the proof that its holder has it, for whoever writes a roster or proposes a seat.

    Attributes:
        genesis: Digest of entry 0; empty where the proof is for entry 0 itself.
        entry: The entry that it is good for.
    """

    spotbeam: Literal["possession/v1"] = "possession/v1"
    person: Id
    origin: str
    genesis: Annotated[str, msgspec.Meta(pattern=r"\A(?:[0-9a-f]{64})?\Z")]
    entry: Id
    key: Key
    possession: Possession


class PersonalKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a key file holds.

    Attributes:
        signer: The private half, where the file has it.
        proof: The proof of possession, where the file is one.
    """

    path: Path
    person: str
    key: Key
    signer: Signer | None = None
    proof: ProofFile | None = None

    @property
    def digest(self) -> str:
        """What the roster calls it."""
        return key_digest(self.key)


def new_key_file(path: Path, person: str) -> PersonalKey:
    """Make an Ed25519 key in a file that only its owner reads; what is there is never lost.

    Raises:
        OutputError: There is such a file, or the folder may not be written.
    """
    seed = new_seed()
    write_new(path, f"{format_signer_key(person, ED25519, seed)}\n".encode(), secret=True)
    signer = signer_from_seed(person, ED25519, seed)
    return PersonalKey(path=path, person=person, key=file_key(signer), signer=signer)


def read_key_file(path: Path) -> PersonalKey:
    """What a file of a person's key holds: a private key, a passkey or a proof of possession.

    Raises:
        InputError: It is not there, cannot be read, or is none of these.
    """
    data = read_small(path)
    if data.startswith(b"PRIVATE+KEY+"):
        return _private(path, data)
    try:
        kind = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("spotbeam", b"")
        if bytes(kind) == b'"passkey/v1"':
            found = msgspec.json.decode(data, type=PasskeyFile)
            return _checked(PersonalKey(path=path, person=found.person, key=found.key))
        proof = msgspec.json.decode(data, type=ProofFile)
    except msgspec.DecodeError as fault:
        raise InputError(
            f"is not a key file: {fault}",
            place=str(path),
            hint="`spotbeam key new`, `key passkey` and `key prove` make them",
        ) from None
    return _checked(PersonalKey(path=path, person=proof.person, key=proof.key, proof=proof))


def proven(found: PersonalKey, origin: str, genesis: str, entry: str) -> Proven:
    """The key of a proof file, if the proof is for this entry of this record.

    Raises:
        InputError: It is for another one.
    """
    proof = found.proof
    assert proof is not None
    for field, theirs, ours in (
        ("origin", proof.origin, origin),
        ("genesis", proof.genesis, genesis),
        ("entry", proof.entry, entry),
    ):
        if theirs != ours:
            raise InputError(
                f"the proof is for the {field} {theirs!r}, not {ours!r}",
                place=str(found.path),
                hint=f"{found.person} makes it again: spotbeam key prove --origin {origin} "
                f"--entry {entry}" + (f" --genesis {genesis}" if genesis else ""),
            )
    return Proven(person=proof.person, key=proof.key, possession=proof.possession)


def write_new(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Write a file that must not exist yet; whole and on disk, or not there at all.

    Raises:
        OutputError: There is one, or the folder may not be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    except FileExistsError:
        raise OutputError(
            "is there already, and is never written over",
            place=str(path),
            hint="choose another name with --out",
        ) from None
    except OSError as fault:
        raise OutputError(
            f"cannot be written: {fault.strerror}",
            place=str(path),
            hint="choose a folder that exists and that you may write to",
        ) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_small(path: Path) -> bytes:
    """The bytes of a small ordinary file.

    Raises:
        InputError: It is not there, cannot be read, or is far too large.
    """
    try:
        if path.is_dir():
            raise InputError("is a folder, not a file", place=str(path))
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", place=str(path)) from None
    if len(data) > _LARGEST:
        raise InputError("is too large for what it should be", place=str(path))
    return data


def _private(path: Path, data: bytes) -> PersonalKey:
    try:
        signer = parse_signer_key(data.decode("ascii").strip("\r\n"))
    except (MalformedRecord, UnicodeDecodeError) as fault:
        message = fault.message if isinstance(fault, MalformedRecord) else "not ASCII"
        raise InputError(f"is not a key file: {message}", place=str(path)) from None
    if signer.key.algorithm != ED25519:
        raise InputError(
            "is the key of a witness, not of a person",
            place=str(path),
            hint="`spotbeam key new --person ID` makes one",
        )
    _warn_if_shared(path)
    return _checked(
        PersonalKey(path=path, person=signer.key.name, key=file_key(signer), signer=signer)
    )


def _checked(found: PersonalKey) -> PersonalKey:
    try:
        msgspec.convert(found.person, Id)
        key_digest(found.key)
    except msgspec.ValidationError:
        raise InputError(f"{found.person!r} is no person's id", place=str(found.path)) from None
    except Void as fault:
        raise InputError(fault.reason, place=str(found.path)) from None
    return found


def _warn_if_shared(path: Path) -> None:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        print(
            f"spotbeam: warning: {path} can be read by others\n  chmod 600 {path}",
            file=sys.stderr,
        )
