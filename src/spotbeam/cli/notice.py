"""`spotbeam notice`: who is owed one, by when, and whether it was served."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from spotbeam.assembly.attachments import document_digest
from spotbeam.assembly.sending import checked
from spotbeam.chronicle.notices import owed
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.reads import Flag, Reads
from spotbeam.cli.signing import Signer
from spotbeam.cli.telling import instant, put
from spotbeam.control.wording import plain
from spotbeam.governance.entries.accounts import Notice
from spotbeam.times import format_time

Role = Literal["licensor", "sponsor", "protected", "named"]
_BY, _READS = Signer(), Reads()


def serve(about: str, /, *, to: str, role: Role, at: str, receipt: Path, by: Signer = _BY) -> None:
    """Record that somebody was told of a request, a change or a claim.

    Parameters
    ----------
    about
        Of what.
    to
        The party or sponsor; "protected users" for these as a class.
    role
        As whom: licensor, sponsor, protected, or named in a claim.
    at
        When, RFC 3339 with Z.
    receipt
        What shows that it arrived; it goes in by its digest.
    """
    body = checked(
        Notice,
        "--",
        about=about,
        to=to,
        role=role,
        at_us=instant(at, "--at"),
        receipt=document_digest(receipt, "--receipt"),
    )
    put(by, body, prefix="ntc", title="Record a notice", what=f"{plain(to)} was told of {about}")


def fail(about: str, /, *, to: str, role: Role, at: str, why: str, by: Signer = _BY) -> None:
    """Record that somebody could not be told, and why.

    Parameters
    ----------
    about
        Of what.
    to
        The party or sponsor; "protected users" for these as a class.
    role
        As whom: licensor, sponsor, protected, or named in a claim.
    at
        When it was tried, RFC 3339 with Z.
    why
        Why it failed.
    """
    body = checked(
        Notice, "--", about=about, to=to, role=role, at_us=instant(at, "--at"), failure=why
    )
    what = f"{plain(to)} could not be told of {about}"
    put(by, body, prefix="ntc", title="Record a notice that failed", what=what)


def show_all(*, all: Flag = False, reads: Reads = _READS) -> None:
    """List notices that are owed or failed, or all.

    Parameters
    ----------
    all
        Those that were served too.
    """
    chronicle = reads.chronicle()
    found = [each for each in owed(chronicle, reads.at_us) if all or each.status != "served"]
    if reads.json:
        print_json(found)
        return
    rows = [
        [
            each.about,
            plain(chronicle.name_of(each.to)),
            each.role,
            format_time(each.due_us),
            f"{each.status}, late" if each.was_late and each.status == "served" else each.status,
            each.notice or "",
        ]
        for each in found
    ]
    columns = ["about", "to", "as", "due", "stands", "entry"]
    title = "Notices" if all else "Notices that are owed"
    console().print(table(title, columns, rows) if rows else f"{title}: none.")
