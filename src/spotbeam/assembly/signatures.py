"""Somebody's own signatures: what was made here against what the record holds."""

from __future__ import annotations

from collections.abc import Iterator

from spotbeam.assembly.journal import Compared, compared, read_journal
from spotbeam.assembly.key_files import read_key_file
from spotbeam.assembly.workspace import Followed, Workspace
from spotbeam.edge.keeping import Kept
from spotbeam.errors import InputError


def own_signatures(workspace: Workspace, followed: Followed) -> Compared:
    """Compare what was signed on this machine with the record, as far as it was followed.

    Raises:
        InputError: The journal is damaged.
        RecordError: What is kept of the record is damaged.
    """
    journal = read_journal(workspace.journal)
    keys = tuple(_own_keys(workspace))
    if not journal and not keys:
        return Compared()
    return compared(journal, keys, _logs(workspace), followed.now.genesis)


def _own_keys(workspace: Workspace) -> Iterator[str]:
    """Digests of the keys that lie in the workspace; a key that is elsewhere is in the journal."""
    for suffix in ("*.key", "*.passkey"):
        for path in sorted(workspace.keys.glob(suffix)):
            try:
                yield read_key_file(path).digest
            except InputError:
                continue


def _logs(workspace: Workspace) -> Iterator[Iterator[bytes]]:
    kept = Kept(workspace.folder / "following")
    for log in kept.logs():
        yield kept.reader(log).entries()
