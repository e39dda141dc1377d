"""`spotbeam record`: check a record, read it, prove one decision, keep a copy."""

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
from spotbeam.assembly.record_files import Leftovers
from spotbeam.assembly.sources import is_url
from spotbeam.assembly.verifying import Verified, check_source, evidence_name, read_file
from spotbeam.assembly.verifying import verify as verify_record
from spotbeam.cli.output import print_json, progress, say
from spotbeam.errors import InputError, RecordError
from spotbeam.formats import atomic
from spotbeam.record.policy import parse_policy
from spotbeam.times import format_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def verify(
    source: str,
    /,
    *more: str,
    genesis: str | None = None,
    policy: Path | None = None,
    held: Path | None = None,
    evidence: Path | None = None,
    entry: Path | None = None,
    json: Flag = False,
) -> int:
    """Check a whole record, or a receipt, and name the first fault.

    Parameters
    ----------
    source
        A record's folder, its address, or a file: a receipt, a tlog-proof, evidence of two views.
    more
        Mirrors of the same log, which must show the same history.
    genesis
        SHA-256 of entry 0, brought by hand; without it the digest is printed as unchecked.
    policy
        A C2SP policy file: check a log of another kind to its root and these signatures.
    held
        A checkpoint that you kept from an earlier time; the record must continue it.
    evidence
        Where to write the evidence if the log has signed two views.
    entry
        The file of the entry that a tlog-proof is about.
    json
        Print the finding as JSON.
    """
    if len(more) == 0 and not is_url(source) and Path(source).is_file():
        return _verify_file(Path(source), genesis, policy, entry, json)
    try:
        with progress("Checking", quiet=json) as bar:
            found = verify_record(
                source,
                *more,
                genesis=genesis,
                policy=policy,
                held=held,
                evidence=evidence or evidence_name(source),
                progress=bar,
            )
    except RecordError as fault:
        if not json:
            raise
        print_json({"holds": False, **_fault(fault)})
        return 1
    if json:
        print_json({"holds": True, "verified": found})
    else:
        _show_verified(found)
    return 0


def prove(
    source: str,
    entry: str,
    /,
    *,
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
    out
        The file to write; standard output if not given.
    genesis
        SHA-256 of entry 0, brought by hand.
    plain
        A C2SP tlog-proof instead: only that the entry was logged, for other people's tools.
    """
    with progress("Reading", quiet=False) as bar:
        data = make_receipt(source, entry, genesis=genesis, is_plain=plain, progress=bar)
    if out is None:
        sys.stdout.write(data.decode())
        return
    atomic.write_bytes(out, data)
    say(f"wrote {out}: check it with `spotbeam record verify {out}`")


def _verify_file(
    path: Path, genesis: str | None, policy: Path | None, entry: Path | None, json: bool
) -> int:
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
            print_json({"holds": False, **_fault(fault)})
            return 1
        place = f"{path}, {fault.place}" if fault.place else str(path)
        said = fault.message.removeprefix(f"{fault.place}: ")
        raise type(fault)(said, place=place, hint=fault.hint) from None
    if json:
        print_json({"holds": found.holds, "proven": found})
    else:
        _show_proven(path, found)
    return 0 if found.holds else 1


def _verify_plain(
    kind: str, data: bytes, path: Path, policy: Path | None, entry: Path | None
) -> Proven:
    if policy is None:
        raise InputError(
            f"a {kind} does not say whose signatures count",
            place=str(path),
            hint="give a C2SP policy file as --policy",
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
        _show_genesis(found.genesis, found.is_genesis_checked)
    say("it proves:" if found.holds else "it does NOT prove a decision; what it holds is:")
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


def _show_genesis(genesis: str, is_checked: bool) -> None:
    if is_checked:
        say(f"  entry 0 is the one you named: {genesis}")
    else:
        say(f"  entry 0: {genesis} (UNCHECKED: compare it with the digest you were given)")


def _fault(fault: RecordError) -> dict[str, object]:
    said = fault.message.removeprefix(f"{fault.place}: ")
    return {"code": fault.code, "place": fault.place, "message": said, "hint": fault.hint}


def _show_verified(found: Verified) -> None:
    say(f"{found.origin} holds: {found.size:,} entries, root {found.root}")
    for source in found.sources:
        witnessed = "no witness was asked"
        if source.witnessed_us is not None:
            by = ", ".join(source.signed_by)
            witnessed = f"witnessed {format_time(source.witnessed_us)} by {by}"
        behind = found.size - source.size
        late = f"; {behind:,} entries behind" if behind else ""
        files = f"{source.tiles:,} files, {source.entry_bytes:,} bytes of entries"
        say(f"  {source.source}: {files}; {witnessed}{late}")
        _show_leftovers(source.leftovers)
    if found.state_digest is None:
        say("  the entries are opaque here: nothing is said about what they mean")
        return
    _show_genesis(found.genesis, found.is_genesis_checked)
    say(f"  {found.anchors:,} anchors; state digest {found.state_digest}")
    if found.void:
        say(f"  {len(found.void):,} findings: without effect, and no fault of the record")
        for each in found.void:
            say(f"    entry {each.index} {each.code}: {each.reason}")


def _show_leftovers(left: Leftovers) -> None:
    if left.past:
        say(
            f"  {len(left.past):,} files go past the checkpoint and are not checked, the first is "
            f"{left.past[0]}: a publication under way, or an old checkpoint"
        )
    if left.unknown:
        say(f"  not files of a record: {', '.join(left.unknown[:5])}")


def fsck(source: str, /, *, json: Flag = False) -> int:
    """Rebuild every tile of a record from its entries; name the first file that is wrong.

    Parameters
    ----------
    source
        A record's folder, or its address.
    json
        Print the finding as JSON.
    """
    try:
        with progress("Rebuilding", quiet=json) as bar:
            found = check_source(source, bar)
    except RecordError as fault:
        if not json:
            raise
        print_json({"holds": False, **_fault(fault)})
        return 1
    if json:
        print_json({"holds": True, "files": found})
        return 0
    say(
        f"{found.origin}: all {found.tiles:,} files of {found.size:,} entries lead to the root "
        f"{found.root}"
    )
    say("signatures were not checked: `spotbeam record verify` does")
    _show_leftovers(found.leftovers)
    return 0
