"""`spotbeam record`: check a record, read it, prove one decision, keep a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts
import msgspec

from spotbeam.assembly.copying import mirror as keep_copy
from spotbeam.assembly.reading import ReadRecord, read_record
from spotbeam.assembly.receipts import index_of
from spotbeam.assembly.record_files import Leftovers
from spotbeam.assembly.showing import Line, in_full, lines
from spotbeam.assembly.sources import is_url
from spotbeam.assembly.verifying import Verified, check_source, evidence_name
from spotbeam.assembly.verifying import verify as verify_record
from spotbeam.cli.output import print_json, progress, say
from spotbeam.cli.receipts import as_json, show_genesis, verify_file
from spotbeam.errors import RecordError
from spotbeam.times import MICROSECONDS as SECOND_US
from spotbeam.times import format_time, parse_time

Flag = Annotated[bool, cyclopts.Parameter(negative="")]
Several = Annotated[tuple[str, ...], cyclopts.Parameter(negative="")]


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
        return verify_file(Path(source), genesis, policy, entry, json)
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
        print_json({"holds": False, **as_json(fault)})
        return 1
    if json:
        print_json({"holds": True, "verified": found})
    else:
        _show_verified(found)
    return 0


def show(
    source: str,
    entry: str | None = None,
    /,
    *,
    also: Several = (),
    type: str | None = None,
    since: str | None = None,
    genesis: str | None = None,
    json: Flag = False,
) -> None:
    """Say in plain sentences what is in a record, newest last, or show one entry in full.

    Parameters
    ----------
    source
        A record's folder, or its address.
    entry
        Index or id: that entry in full, and what followed from it.
    also
        Another log of the same record, or a mirror; may be given several times.
    type
        Only entries of this kind, as request, change, approval; void: those without effect.
    since
        Only what was witnessed from this time on, RFC 3339 with Z.
    genesis
        SHA-256 of entry 0, brought by hand.
    json
        Print JSON: a list of entries, or the one.
    """
    since_us = None if since is None else parse_time(since, place="--since")
    with progress("Reading", quiet=json) as bar:
        read = read_record(source, *also, genesis=genesis, progress=bar)
    if entry is not None:
        _show_entry(read, index_of(read, entry), json)
        return
    found = list(lines(read, type=type, since_us=since_us))
    if json:
        print_json({"record": _heading(read), "entries": found})
        return
    for line in found:
        say(_one_line(line))
    if not read.is_genesis_checked:
        show_genesis(read.history.now.genesis, False)


def mirror(
    source: str,
    copy: Path,
    /,
    *,
    also: Several = (),
    genesis: str | None = None,
    evidence: Path | None = None,
    json: Flag = False,
) -> None:
    """Keep a full copy of a record, verified before it is kept; the same command brings it up.

    Parameters
    ----------
    source
        A record's folder, or its address.
    copy
        The copy's folder. Any web server can serve it as it is.
    also
        A log of the record before this one, where it is not the first; may be given several times.
    genesis
        SHA-256 of entry 0, brought by hand.
    evidence
        Where to write the evidence if the log has signed two views.
    json
        Print what the copy holds as JSON.
    """
    with progress("Copying", quiet=json) as bar:
        found = keep_copy(
            source,
            copy,
            genesis=genesis,
            earlier=also,
            evidence=evidence or evidence_name(source),
            progress=bar,
        )
    if json:
        print_json(found)
        return
    new = found.size - found.before
    say(f"{copy} holds {found.origin}: {found.size:,} entries, {new:,} of them new")
    say(f"  root {found.root}, witnessed {format_time(found.time_s * SECOND_US)}")
    show_genesis(found.genesis, found.is_genesis_checked)


def _heading(read: ReadRecord) -> dict[str, object]:
    return {
        "origin": read.checkpoint.origin,
        "size": read.checkpoint.size,
        "root": read.checkpoint.root.hex(),
        "genesis": read.history.now.genesis,
        "is_genesis_checked": read.is_genesis_checked,
        "witnessed": format_time(read.time_s * SECOND_US),
    }


def _one_line(line: Line) -> str:
    at = "not witnessed yet" if line.witnessed_us is None else format_time(line.witnessed_us)
    name = f" [{line.id}]" if line.id else ""
    after = f" -> {'; '.join(line.followed)}" if line.followed else ""
    return f"{line.index}  {at}{name}  {line.says}{after}"


def _show_entry(read: ReadRecord, index: int, json: bool) -> None:
    line, plain = in_full(read, index)
    if json:
        print_json({"record": _heading(read), "entry": line, "in_full": plain})
        return
    at = "by nobody yet" if line.witnessed_us is None else format_time(line.witnessed_us)
    say(f"entry {line.index}, {line.type}{f' {line.id}' if line.id else ''}, witnessed {at}")
    say(f"  {line.says}")
    for each in line.followed:
        say(f"  -> {each}")
    if plain is None:
        data = read.entries[index]
        say(f"  the bytes, in hexadecimal: {data[:200].hex()}{'…' if len(data) > 200 else ''}")
        return
    for text in msgspec.json.format(msgspec.json.encode(plain), indent=2).decode().split("\n"):
        say(f"  {text}")


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
    show_genesis(found.genesis, found.is_genesis_checked)
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
        print_json({"holds": False, **as_json(fault)})
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
