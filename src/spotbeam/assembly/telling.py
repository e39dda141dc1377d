"""Put a telling on record from a workspace, and read what others told."""

from __future__ import annotations

from pathlib import Path

from spotbeam.assembly.hands import Signing
from spotbeam.assembly.reading import ReadRecord, read_record
from spotbeam.assembly.sending import Progress, at_desk
from spotbeam.assembly.workspace import Workspace, find_workspace
from spotbeam.chronicle.reading import Chronicle, read
from spotbeam.control.recording import Recorded
from spotbeam.control.telling import demand_known, telling, telling_facts
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.envelope import Account


def tell(
    workspace: Workspace,
    signing: Signing,
    body: Account | Contact,
    *,
    prefix: str,
    title: str,
    id: str | None = None,
    wait: bool = False,
    progress: Progress | None = None,
) -> Recorded:
    """Check a telling against the record, have it signed, and hand it in.

    Args:
        workspace: Of whoever tells it.
        signing: Their key; shown what they sign.
        body: What they tell.
        prefix: Of a new id, as `con`.
        title: What is signed, in a few words.
        id: The entry's id; a new one if not given.
        wait: Until witnesses have seen it.
        progress: Told how much of the record is read.

    Raises:
        UnknownName: It speaks of a party, person or entry that is not on record.
        InputError: A date is none, or a number cannot be read.
        Refused: The record would void it.
    """
    with at_desk(workspace, signing, progress=progress) as desk:
        chronicle = chronicle_of(own_record(workspace))
        demand_known(chronicle, body)
        name = desk.new_id(prefix, id)
        signing.title = title
        signing.facts = telling_facts(chronicle, signing.hand.person, body)
        data = telling(desk.state, body, signing.hand, id=name, now_us=desk.now_us)
        return desk.send(data, wait=wait)


def own_record(workspace: Workspace, *, progress: Progress | None = None) -> ReadRecord:
    """The record that a workspace follows, read to its end."""
    names = workspace.source_names()
    return read_record(*names, genesis=workspace.settings.genesis, progress=progress)


def some_record(
    sources: tuple[str, ...],
    *,
    genesis: str | None = None,
    workspace: Path | None = None,
    progress: Progress | None = None,
) -> ReadRecord:
    """The record that is named, or that of the workspace.

    Args:
        sources: Its folders or addresses; none: the workspace's.
        genesis: Digest of entry 0, brought by hand; the workspace's where no source is named.
        workspace: A folder with `spotbeam.toml`; None: the nearest one.
        progress: Told how much is read.

    Raises:
        RecordError: It does not hold.
        Unreachable: No source answered.
        InputError: A source is none, or there is no workspace.
    """
    if not sources:
        found = find_workspace(workspace)
        sources, genesis = tuple(found.source_names()), genesis or found.settings.genesis
    return read_record(*sources, genesis=genesis, progress=progress)


def chronicle_of(record: ReadRecord) -> Chronicle:
    """A record that was read, as history."""
    return read(record.entries, record.history)
