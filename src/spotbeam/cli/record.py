"""`spotbeam record`: check a record, read it, prove one decision, keep a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.record_files import Leftovers
from spotbeam.assembly.verifying import Verified, check_source, evidence_name
from spotbeam.assembly.verifying import verify as verify_record
from spotbeam.cli.output import print_json, progress, say
from spotbeam.errors import RecordError
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
    if found.is_genesis_checked:
        say(f"  entry 0 is the one you named: {found.genesis}")
    else:
        say(f"  entry 0: {found.genesis} (UNCHECKED: compare it with the digest you were given)")
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
