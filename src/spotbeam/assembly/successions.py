"""The files that people pass round when they leave a log, and the log that begins with them.

succession.json       what everybody signs: where the log ended, the next one, why
cy.signature.json     one person's signature over it; nothing in it is secret
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from spotbeam.assembly.chains import ended_where_left
from spotbeam.assembly.folder_lock import hold
from spotbeam.assembly.hands import Signing
from spotbeam.assembly.journal import By, note_statement
from spotbeam.assembly.key_files import read_small, write_new
from spotbeam.assembly.logs import IN_USE, other_logs, read_log_keys
from spotbeam.assembly.reading import read_record
from spotbeam.assembly.sending import checked, entry_file
from spotbeam.assembly.workspace import Workspace, private_folder
from spotbeam.control.drafts import later_us, parse_draft
from spotbeam.control.hand import new_id, tried
from spotbeam.control.succeeding import (
    demand_leavable,
    leaving,
    signature,
    statement_of,
    succession_entry,
)
from spotbeam.control.witnessing import closing_act
from spotbeam.errors import InputError
from spotbeam.governance.entries.logs import Ended, Signature, Succession
from spotbeam.governance.entries.people import WitnessQuorum
from spotbeam.governance.entries.words import Digest, Moment, Name, Words
from spotbeam.governance.state import State
from spotbeam.record.log import Log
from spotbeam.record.policy import parse_policy

Found = TypeVar("Found")


class LeavingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What everybody signs, as it is passed round."""

    spotbeam: Literal["succession/v1"] = "succession/v1"
    origin: Name
    previous: Ended
    witness_quorum: WitnessQuorum
    begin_by_us: Moment
    words: Words

    @property
    def body(self) -> Succession:
        """The entry without signatures."""
        fields: dict[str, Any] = msgspec.structs.asdict(self)
        del fields["spotbeam"]
        return Succession(**fields, signatures=())


class SignatureFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One person's signature.

    Attributes:
        statement: SHA-256 of what was signed, in hexadecimal.
    """

    spotbeam: Literal["succession-signature/v1"] = "succession-signature/v1"
    statement: Digest
    signature: Signature


class _Why(msgspec.Struct, frozen=True):
    words: Words


def write_leaving(
    state: State, draft: Path, words: str, begin_by: str, out: Path, *, now_us: int
) -> Succession:
    """Write down how the record goes on without its log, for its people to sign.

    Args:
        state: The record as this machine follows it.
        draft: TOML with a `[close_log]` table, as `spotbeam init --after` makes it.
        words: Why.
        begin_by: Until when the next log begins: a duration or an instant.
        out: The file; it must not exist yet.
        now_us: The clock.

    Raises:
        InputError: The draft names no next log, or something in it is wrong.
        Refused: The record could not go on so.
        OutputError: There is such a file.
    """
    found = parse_draft(entry_file(draft), draft.name)
    if found.close_log is None:
        raise InputError("names no next log", place=draft.name, hint="write a [close_log] table")
    body = leaving(
        state,
        closing_act(state, found.close_log, draft.name),
        checked(_Why, "--", words=words).words,
        begin_by_us=later_us(begin_by, now_us, "--begin-by"),
        now_us=now_us,
    )
    fields = {name: getattr(body, name) for name in LeavingFile.__struct_fields__[1:]}
    _write(out, LeavingFile(**fields))
    return body


def read_leaving(path: Path) -> Succession:
    """What is to be signed.

    Raises:
        InputError: The file is not there, or is none.
    """
    return _read(path, LeavingFile, "`spotbeam succession write` makes one").body


def sign_leaving(
    workspace: Workspace, state: State, body: Succession, by: Signing, out: Path, *, now_us: int
) -> None:
    """Sign it on the signer's own machine, over the record as this machine follows it.

    Raises:
        InputError: It is not about the record as it is followed here, or comes too late.
        Refused: The signer does not decide.
        OutputError: There is such a file.
    """
    demand_leavable(state, body, now_us=now_us)
    text = statement_of(state, body)
    signed = signature(state, body, by.hand)
    private_folder(workspace.private)
    who = By(by.hand.person, by.hand.key)
    note_statement(
        workspace.journal, text, type="succession", id=body.origin, by=who, now_us=now_us
    )
    _write(out, SignatureFile(statement=sha256(text).hexdigest(), signature=signed))


def begin_succession(workspace: Workspace, leaving_file: Path, signed: Sequence[Path]) -> str:
    """Write entry 0 of a workspace's empty log, tried first as every reader will read it.

    Args:
        workspace: That of the next log; its `record` names the log before, or a mirror of it.
        leaving_file: What was signed.
        signed: The signatures.

    Returns:
        The entry's id.

    Raises:
        InputError: The log has begun, is another one, or a file is wrong.
        Refused: The entry would be void, with the reason, as when the quorum is not met.
        RecordError: The log before does not hold.
    """
    body = read_leaving(leaving_file)
    private, now_us = workspace.private, time.time_ns() // 1_000
    signer, *more = read_log_keys(private / "log.key")
    key = parse_policy(body.witness_quorum.policy.encode()).logs[0].key
    if key != signer.key:
        raise InputError(
            f"names the key {key}, and this log's is {signer.key}", place=str(leaving_file)
        )
    with hold(private / "log.lock", "this log", IN_USE):
        log = Log(private / "log.sqlite", workspace.folder / "record", signer, more)
        try:
            if log.size:
                raise InputError("this log has begun already", place=str(workspace.folder))
            found = read_record(
                *other_logs(workspace, log.origin), genesis=workspace.settings.genesis
            )
            state = found.history.now
            files = [(path, _read(path, SignatureFile, _SIGN)) for path in signed]
            whole = _entry(state, body, files, now_us)
            before = ended_where_left(found.onto, found.newest, found.history, whole)[0]
            tried(before.now, whole)
            log.append([whole])
        finally:
            log.close()
    return str(msgspec.json.decode(whole)["id"])


_SIGN = "`spotbeam succession sign` makes one"


def _entry(
    state: State, body: Succession, files: Sequence[tuple[Path, SignatureFile]], now_us: int
) -> bytes:
    wanted = sha256(statement_of(state, body)).hexdigest()
    for path, each in files:
        if each.statement != wanted:
            raise InputError(
                f"is over another statement: {each.statement[:16]}…, not {wanted[:16]}…",
                place=str(path),
                hint=f"{each.signature.person} signs this one",
            )
    return succession_entry(
        state,
        body,
        [each.signature for _, each in files],
        id=new_id("suc", now_us, os.urandom(8)),
        now_us=now_us,
    )


def _read(path: Path, kind: type[Found], hint: str) -> Found:
    try:
        return msgspec.json.decode(read_small(path), type=kind, strict=True)
    except msgspec.DecodeError as fault:
        raise InputError(f"is none: {fault}", place=str(path), hint=hint) from None


def _write(path: Path, value: msgspec.Struct) -> None:
    write_new(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
