"""`spotbeam record prove`, and what `spotbeam record verify` says of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.receipts import (
    Proven,
    check_evidence,
    check_plain_proof,
    check_receipt,
    file_kind,
)
from spotbeam.assembly.receipts import prove as make_receipt
from spotbeam.assembly.verifying import read_file
from spotbeam.cli.output import print_json, progress, say
from spotbeam.errors import InputError, RecordError
from spotbeam.formats import atomic
from spotbeam.record.policy import parse_policy
from spotbeam.times import format_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def prove(
    source: str,
    entry: str,
    /,
    *,
    also: Annotated[tuple[str, ...], cyclopts.Parameter(negative="")] = (),
    out: Path | None = None,
    genesis: str | None = None,
    plain: Flag = False,
) -> None:
    """Write a receipt for a decision: one file that proves it without us and without a network.

    Parameters
    ----------
    source
        A record's folder, or its address.
    entry
        Index or id of the decision: a change, an emergency, a seal, a refusal.
    also
        Another log of the same record, or a mirror; may be given several times.
    out
        The file to write; standard output if not given.
    genesis
        SHA-256 of entry 0, brought by hand.
    plain
        A C2SP tlog-proof instead: only that the entry was logged, for other people's tools.
    """
    with progress("Reading", quiet=False) as bar:
        data = make_receipt(source, entry, also=also, genesis=genesis, is_plain=plain, progress=bar)
    if out is None:
        sys.stdout.write(data.decode())
        return
    atomic.write_bytes(out, data)
    say(f"wrote {out}: check it with `spotbeam record verify {out}`")


def verify_file(
    path: Path, genesis: str | None, policy: Path | None, entry: Path | None, json: bool
) -> int:
    """Check a receipt, a tlog-proof or evidence, and say what it proves; the exit code."""
    data = read_file(path)
    kind = file_kind(data)
    if kind is None:
        raise InputError(
            "is neither a receipt, nor a tlog-proof, nor evidence of two views",
            place=str(path),
            hint="a record is a folder: name the one that holds `checkpoint` and `tile/`",
        )
    try:
        if kind == "receipt":
            found = check_receipt(data, genesis=genesis)
        else:
            found = _verify_plain(kind, data, path, policy, entry)
    except RecordError as fault:
        if json:
            print_json({"holds": False, **as_json(fault)})
            return 1
        place = f"{path}, {fault.place}" if fault.place else str(path)
        said = fault.message.removeprefix(f"{fault.place}: ")
        raise type(fault)(said, place=place, hint=fault.hint) from None
    if json:
        print_json({"holds": found.holds, "proven": found})
    else:
        _show_proven(path, found)
    return 0 if found.holds else 1


def show_genesis(genesis: str, is_checked: bool) -> None:
    """Say which entry 0 it was, and whether the user had named it."""
    if is_checked:
        say(f"  entry 0 is the one you named: {genesis}")
    else:
        say(f"  entry 0: {genesis} (UNCHECKED: compare it with the digest you were given)")


def as_json(fault: RecordError) -> dict[str, object]:
    """A fault as `--json` prints it."""
    said = fault.message.removeprefix(f"{fault.place}: ")
    return {"code": fault.code, "place": fault.place, "message": said, "hint": fault.hint}


def _verify_plain(
    kind: str, data: bytes, path: Path, policy: Path | None, entry: Path | None
) -> Proven:
    if policy is None:
        raise InputError(
            f"this file ({kind}) does not say whose signatures count",
            place=str(path),
            hint="give a C2SP policy file as --policy; entry 0 of a record holds one as "
            "witness_quorum: `spotbeam record show RECORD 0`",
        )
    known = parse_policy(read_file(policy), str(policy))
    if kind == "evidence":
        return check_evidence(data, known)
    return check_plain_proof(data, known, None if entry is None else read_file(entry))


def _show_proven(path: Path, found: Proven) -> None:
    if found.kind == "evidence":
        say(f"{path} convicts the log {found.origin}: it has signed two views")
    else:
        say(f"{path} is a {found.kind} of {found.origin}, {found.size:,} entries")
    if found.witnessed_us is not None:
        say(f"  witnessed {format_time(found.witnessed_us)} by {', '.join(found.signed_by)}")
    if found.genesis:
        show_genesis(found.genesis, found.is_genesis_checked)
    if not found.holds:
        say("it does NOT prove a decision; what it holds is:")
    elif found.genesis and not found.is_genesis_checked:
        say("it proves, if that is the right entry 0:")
    else:
        say("it proves:")
    for index, text in found.says:
        say(f"  entry {index}: {text}")
    for each in found.decisions:
        people = ", ".join(f"{person} ({factor})" for person, factor in each.approvers) or "nobody"
        bound = "NOT shown to have taken effect" if each.status == "pending" else each.status
        if each.bound_us is not None:
            bound = f"bound at entry {each.bound_index}, {format_time(each.bound_us)}"
        say(f"  the {each.kind} {each.id} of {each.proposer}, approved by {people}: {bound}")
    for gone in found.void:
        say(f"  entry {gone.index} has no effect here: {gone.code}: {gone.reason}")
    say("it does not prove:")
    for text in found.not_proven:
        say(f"  {text}")
