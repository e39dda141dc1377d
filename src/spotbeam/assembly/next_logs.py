"""Makes the workspace of the log in which a record goes on: its key first, then the close.

The new log stays empty until the log before it was closed in its favour, or was left by its people
with a succession; only then has it an entry 0.
"""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

import msgspec

from spotbeam.assembly.founding import demand_free, whole_folder
from spotbeam.assembly.key_files import write_new
from spotbeam.assembly.workspace import (
    SETTINGS,
    Settings,
    Workspace,
    follow,
    open_workspace,
    private_folder,
    settings_text,
)
from spotbeam.errors import InputError, MalformedRecord
from spotbeam.record.keys import (
    ED25519,
    check_key_name,
    format_signer_key,
    new_seed,
    signer_from_seed,
)
from spotbeam.record.log import create_log

CLOSING = "close-log.toml"


class NextLog(msgspec.Struct, frozen=True, kw_only=True):
    """The workspace of a next log.

    Attributes:
        log_key: Its verifier key: the draft names it, and the witnesses are given it.
        before: The log that it goes on from.
        witnesses: Name and URL of each witness of that log.
    """

    workspace: Workspace
    log_key: str
    before: str
    witnesses: tuple[tuple[str, str], ...]


def found_next(folder: Path, after: Workspace, origin: str) -> NextLog:
    """Make the workspace of the next log, with its key, an empty log and a draft that names it.

    Openings and the edges' token come along where the workspace before has them.

    Args:
        folder: Must not exist yet, or be empty.
        after: A workspace that follows the record.
        origin: The next log's name.

    Raises:
        InputError: The origin cannot name a log, or names one of this record.
        OutputError: The folder is there already, or cannot be made.
        RecordError: The record does not hold, or cannot be read.
    """
    try:
        check_key_name(origin)
    except MalformedRecord as fault:
        raise InputError(fault.message, place="--origin", hint=fault.hint) from None
    demand_free(folder)
    now = follow(after).now
    if origin in {now.origin, *(each.origin for each in now.earlier)}:
        raise InputError(
            f"the record has a log {origin!r} already",
            place="--origin",
            hint="the next log has a name of its own, as log.example/strait-2",
        )
    seed = new_seed()
    key = str(signer_from_seed(origin, ED25519, seed).key)
    before = tuple(
        name if "://" in name else str(Path(name).resolve()) for name in after.source_names()
    )
    settings = Settings(
        origin=origin,
        genesis=after.settings.genesis,
        record=(*before, "record"),
        scenario=_lasting(after),
        view=after.settings.view,
    )
    with whole_folder(folder) as half:
        private = private_folder(half / "private")
        private_folder(half / "keys")
        (half / "record").mkdir()
        _take_openings(after, private)
        signer = format_signer_key(origin, ED25519, seed)
        write_new(private / "log.key", f"{signer}\n".encode(), secret=True)
        create_log(private / "log.sqlite", origin)
        write_new(half / CLOSING, f"[close_log]\nkey = {json.dumps(key)}\n".encode())
        write_new(half / SETTINGS, settings_text(settings).encode())
    policy = now.witness_policy
    return NextLog(
        workspace=open_workspace(folder),
        log_key=key,
        before=now.origin,
        witnesses=tuple((each.name, each.url or "-") for each in policy.witnesses)
        if policy
        else (),
    )


def _take_openings(after: Workspace, private: Path) -> None:
    if after.openings.is_dir():
        shutil.copytree(after.openings, private / "openings")
    for name in ("lists", "seals"):
        (private / "openings" / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    token = after.private / "edge.token"
    data = token.read_bytes() if token.is_file() else f"{secrets.token_urlsafe(32)}\n".encode()
    write_new(private / "edge.token", data, secret=True)


def _lasting(after: Workspace) -> str | None:
    """A scenario that the settings before name by a path relative to their folder."""
    name = after.settings.scenario
    if name is not None and (after.folder / name).is_file():
        return str((after.folder / name).resolve())
    return name
