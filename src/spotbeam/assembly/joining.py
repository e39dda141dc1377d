"""Makes a workspace for somebody who keeps no log: it follows a record from its entry 0 on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from spotbeam.assembly.founding import lasting_name, whole_folder
from spotbeam.assembly.key_files import write_new
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.assembly.sources import is_url
from spotbeam.assembly.workspace import (
    SETTINGS,
    Followed,
    Settings,
    Workspace,
    demand_current,
    follow,
    open_workspace,
    private_folder,
    settings_text,
)
from spotbeam.errors import InputError


def join_workspace(
    folder: Path,
    *,
    genesis: str,
    record: tuple[str, ...],
    log: str | None = None,
    scenario: str | None = None,
    view: str = "un",
    progress: Callable[[int, int], object] | None = None,
) -> tuple[Workspace, Followed]:
    """Make a workspace that follows a record, and follow it.

    Args:
        folder: Must not exist yet, or be empty.
        genesis: Digest of entry 0, in hexadecimal, brought by hand.
        record: Where the record is read: folders or URLs.
        log: The log's server, to which entries go; None: the first URL of the record.
        scenario: Whose terminals and area impacts are shown for.
        view: Point of view on borders.
        progress: Told how many entries are folded, and of how many.

    Raises:
        InputError: A source is none, the digest is none, or there is nowhere to write to.
        OutputError: The folder is there already, or cannot be made.
        RecordError: The record does not hold, or begins with another entry 0.
        Unreachable: No source answers.
    """
    if len(genesis) != 64 or set(genesis) - set("0123456789abcdef"):
        raise InputError(
            f"{genesis[:80]!r} is no digest", place="--genesis", hint="64 hexadecimal digits"
        )
    if scenario is not None:
        load_scenario(scenario)
    to = log or next((source for source in record if is_url(source)), None)
    if to is None:
        raise InputError(
            "where entries go is not said", place="--log", hint="as --log http://127.0.0.1:7400"
        )
    if not is_url(to):
        raise InputError(f"{to!r} is no URL", place="--log", hint="as http://127.0.0.1:7400")
    sources = tuple(each if is_url(each) else str(Path(each).resolve()) for each in record)
    settings = Settings(
        origin="",
        genesis=genesis,
        record=sources[0] if len(sources) == 1 else sources,
        log=to,
        scenario=lasting_name(scenario),
        view=view,
    )
    with whole_folder(folder) as half:
        private_folder(half / "private")
        private_folder(half / "keys")
        new = Workspace(folder=half, settings=settings)
        followed = demand_current(follow(new, now_s=int(time.time()), progress=progress))
        settings = msgspec.structs.replace(settings, origin=followed.now.origin)
        write_new(half / SETTINGS, settings_text(settings).encode())
    return open_workspace(folder), followed
