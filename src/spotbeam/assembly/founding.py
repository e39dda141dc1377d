"""Makes a workspace with a new log: all of it, or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spotbeam.assembly.attachments import Salted, identity_of, proven_key
from spotbeam.assembly.key_files import write_new
from spotbeam.assembly.rule_drafts import RuleDraft, draft_of
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.assembly.workspace import (
    SETTINGS,
    Settings,
    Workspace,
    open_workspace,
    private_folder,
    settings_text,
)
from spotbeam.control.founding import GENESIS_ID, genesis_entry, parse_roster
from spotbeam.control.proposing import Attached
from spotbeam.errors import InputError, OutputError
from spotbeam.governance.anchors import genesis_digest
from spotbeam.record import disk
from spotbeam.record.keys import ED25519, format_signer_key, new_seed, signer_from_seed
from spotbeam.record.log import Log, create_log

FIRST_RULES = "first-rules.toml"
_HALF_DONE = ".part"


class Founded(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace that was made.

    Attributes:
        log_key: The log's verifier key: its witnesses are given it.
        witnesses: Name and URL of each witness.
        rules: The draft of the first change, where one was asked for; it is in
            `first-rules.toml`.
    """

    workspace: Workspace
    log_key: str
    witnesses: tuple[tuple[str, str], ...] = ()
    rules: RuleDraft | None = None


def found_workspace(
    folder: Path,
    roster_file: Path,
    *,
    scenario: str | None = None,
    with_rules: bool = False,
    now_us: int,
) -> Founded:
    """Make a workspace, its log and entry 0.

    Args:
        folder: Must not exist yet, or be empty.
        roster_file: TOML: factors, persons with their keys, quorum, witnesses.
        scenario: Whose terminals and area impacts are shown for.
        with_rules: Write the scenario's rules as the draft of a first change.
        now_us: The clock.

    Raises:
        InputError: The roster is wrong, or governance refuses it, with the reason; nothing is
            written then.
        OutputError: The folder is there already, or cannot be made.
    """
    try:
        text = roster_file.read_text(encoding="utf-8")
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", place=str(roster_file)) from None
    except UnicodeDecodeError as fault:
        raise InputError(f"byte {fault.start} is not UTF-8", place=str(roster_file)) from None
    place = roster_file.name
    roster = parse_roster(text, place)
    if with_rules and scenario is None:
        raise InputError("whose rules is not said", hint="give --scenario NAME")
    rules = None
    if scenario is not None:
        load_scenario(scenario)
        rules = draft_of(scenario) if with_rules else None
    demand_free(folder)
    keys = {
        name: proven_key(roster_file.parent / name, roster.origin, "", GENESIS_ID)
        for person in roster.person
        for name in person.keys
    }
    made = [
        identity_of(person, roster.origin, GENESIS_ID)
        for person in roster.person
        if person.identity is None
    ]
    seed = new_seed()
    log_key = signer_from_seed(roster.origin, ED25519, seed).key
    entry = genesis_entry(
        roster,
        Attached(keys=keys, identities={each.person: each.identity for each in made}),
        str(log_key),
        secrets.token_hex(32),
        now_us=now_us,
        place=place,
    )
    settings = Settings(
        origin=roster.origin,
        genesis=genesis_digest(entry),
        record="record",
        scenario=lasting_name(scenario),
        view=roster.views[0],
    )
    with whole_folder(folder) as half:
        _fill(half, settings, entry, seed, made)
        write_new(half / SETTINGS, settings_text(settings).encode())
        if rules is not None:
            write_new(half / FIRST_RULES, rules.text.encode())
    return Founded(
        workspace=open_workspace(folder),
        log_key=str(log_key),
        witnesses=tuple((each.name, each.url) for each in roster.witnesses.witness),
        rules=rules,
    )


def lasting_name(scenario: str | None) -> str | None:
    """A scenario's name as it can stand in settings: a file by its whole path."""
    is_file = scenario is not None and Path(scenario).is_file()
    return str(Path(scenario).resolve()) if is_file and scenario else scenario


def demand_free(folder: Path) -> None:
    """Stop before anything is written where something is already.

    Raises:
        OutputError: There is a file, or a folder that is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            "is there already" + (", and is not empty" if folder.is_dir() else ""),
            place=str(folder),
            hint="name a folder that does not exist yet",
        )


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder that is there whole or not at all: written beside its place, then moved there.

    Raises:
        OutputError: It is there already, or cannot be made.
    """
    demand_free(folder)
    target = folder.resolve()
    half = target.with_name(f".{target.name}.{secrets.token_hex(4)}{_HALF_DONE}")
    try:
        half.mkdir(parents=True)
    except OSError as fault:
        raise OutputError(
            f"cannot be made: {fault.strerror}",
            place=str(folder),
            hint="choose a folder that you may write to",
        ) from None
    try:
        yield half
        if target.exists():
            target.rmdir()
        os.replace(half, target)
        disk.sync_folder(target.parent)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise


def _fill(half: Path, settings: Settings, entry: bytes, seed: bytes, made: list[Salted]) -> None:
    private = private_folder(half / "private")
    private_folder(half / "keys")
    (half / "record").mkdir()
    for name in ("lists", "seals"):
        (private / "openings" / name).mkdir(mode=0o700, parents=True)
    key = format_signer_key(settings.origin, ED25519, seed)
    write_new(private / "log.key", f"{key}\n".encode(), secret=True)
    write_new(private / "edge.token", f"{secrets.token_urlsafe(32)}\n".encode(), secret=True)
    if made:
        data = msgspec.json.format(msgspec.json.encode(made), indent=2)
        write_new(private / "identities.json", data + b"\n", secret=True)
    create_log(private / "log.sqlite", settings.origin)
    log = Log(
        private / "log.sqlite",
        half / "record",
        signer_from_seed(settings.origin, ED25519, seed),
    )
    try:
        log.append([entry])
    finally:
        log.close()
