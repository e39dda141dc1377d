"""`spotbeam publish`: the public site of a record, for any file server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.publishing import publish as write_site
from spotbeam.assembly.telling import chronicle_of
from spotbeam.assembly.workspace import find_workspace
from spotbeam.cli.output import print_json, progress, say
from spotbeam.cli.reads import Reads

_READS = Reads()


def publish(
    folder: Path,
    /,
    *,
    view: str | None = None,
    base_url: str | None = None,
    copy: Annotated[bool, cyclopts.Parameter(negative="--no-copy")] = True,
    reads: Reads = _READS,
) -> None:
    """Write the public site of a record, or bring it up to date.

    Pages without scripts, for any file server: what is on and off where, since when, by whose
    decision, at whose request; accounts side by side; a proof for every entry; feeds; and a copy of
    the record itself.

    Parameters
    ----------
    folder
        The site's folder: empty, or an earlier edition.
    view
        Point of view on borders; that of the workspace, or un.
    base_url
        Where the site will stand, for the addresses in its feeds.
    copy
        Keep a copy of the record in the site; --no-copy leaves it out.
    """
    read = reads.record()
    if not reads.source:
        found = find_workspace(reads.workspace)
        view = view or found.settings.view
        sources: tuple[str, ...] = tuple(found.source_names())
    else:
        sources = reads.source
    with progress("Publishing", quiet=reads.json) as bar:
        done = write_site(
            read,
            chronicle_of(read),
            folder,
            view=view or "un",
            source=sources[-1] if copy and len(read.logs) == 1 else None,
            genesis=read.history.now.genesis if copy else None,
            base_url=base_url,
            progress=bar,
        )
    if reads.json:
        print_json(done)
        return
    say(f"{folder}: {done.written:,} files written, {done.kept:,} kept as they were")
    say(f"  open {folder / 'index.html'}, or put the folder on any file server")
