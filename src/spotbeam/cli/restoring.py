"""`spotbeam record restore`: a log's own file, filled again from a copy of the record."""

from __future__ import annotations

from spotbeam.assembly.restoring import restore_log
from spotbeam.cli.output import print_json, progress, say
from spotbeam.cli.signing import Place

_HERE = Place()


def restore(source: str, /, *, at: Place = _HERE) -> None:
    """Fill a workspace's log again from a copy of the record, checked to its witnesses first.

    The log's key must be there. Nothing that the log still holds is replaced. Entries that were
    taken, and never witnessed, are in no copy: who handed them in does so again.

    Parameters
    ----------
    source
        A copy's folder or its address: a mirror, or the workspace's own `record`.
    """
    with progress("Checking", quiet=at.json) as bar:
        found = restore_log(at.here, source, progress=bar)
    if at.json:
        print_json(found)
        return
    say(
        f"{found.origin} holds {found.size:,} entries, {found.size - found.before:,} of them "
        f"brought back from {found.shown:,} in {source}"
    )
    say("  next: spotbeam log, which asks the witnesses what they signed last")
