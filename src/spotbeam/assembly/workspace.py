"""The folder from which somebody works: which record, where it is read, where it is written.

    spotbeam.toml    origin, genesis, record, log, scenario, view
    record/          published static files, where this machine keeps the log
    private/         0700: log.sqlite, log.key, openings/, edge.token, signed.jsonl
    keys/            persons' key files (0600)
    following/       what this machine has accepted of the record

An operator's folder holds the log; an approver's holds `spotbeam.toml` with the genesis digest
that was brought by hand, their key, and what they have followed.
"""

from __future__ import annotations

import json
import os
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from spotbeam.assembly.sources import is_url, open_source
from spotbeam.control.recording import Recorder
from spotbeam.control.sequencer import Sequencer
from spotbeam.decode import decode
from spotbeam.edge.follow import Follower
from spotbeam.edge.walk import Walked
from spotbeam.errors import InputError, MissingRecord, OutputError, QuorumNotMet, SpotbeamError
from spotbeam.governance.entries.words import Digest
from spotbeam.governance.state import State

SETTINGS = "spotbeam.toml"
PRIVATE_LOG = "private"
_PUBLISHED_S = 8.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `spotbeam.toml` says.

    Attributes:
        origin: The log's name.
        genesis: Digest of the first log's entry 0, in hexadecimal, brought by hand.
        record: Where the record is read: folders or URLs, any mirrors of any log of the chain.
        log: `private` where this machine keeps the log, else the URL of the log's server.
        scenario: Whose terminals and area impacts are shown for: a shipped name or a file.
        view: Point of view on borders.
    """

    origin: str
    genesis: Digest
    record: str | tuple[str, ...]
    log: str = PRIVATE_LOG
    scenario: str | None = None
    view: str = "un"

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the record is read."""
        return (self.record,) if isinstance(self.record, str) else self.record


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """A folder and what its settings say; every path hangs on it.

    Attributes:
        folder: Where `spotbeam.toml` lies.
    """

    folder: Path
    settings: Settings

    @property
    def private(self) -> Path:
        """What nobody else may read."""
        return self.folder / "private"

    @property
    def keys(self) -> Path:
        """Persons' key files."""
        return self.folder / "keys"

    @property
    def journal(self) -> Path:
        """What was signed on this machine."""
        return self.private / "signed.jsonl"

    @property
    def openings(self) -> Path:
        """What the record only commits to: rows of lists, values of seals."""
        return self.private / "openings"

    @property
    def keeps_log(self) -> bool:
        """Whether this machine keeps the log."""
        return self.settings.log == PRIVATE_LOG

    def source_names(self) -> tuple[str, ...]:
        """Where the record is read; folders as whole paths."""
        return tuple(
            name if is_url(name) else str(self.folder / name) for name in self.settings.sources
        )


class Followed(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The record as this machine follows it.

    Attributes:
        faults: What was wrong with sources, as far as something was.
        is_current: Whether some source showed a view that holds, just now.
    """

    walked: Walked
    faults: tuple[str, ...] = ()
    is_current: bool = True

    @property
    def now(self) -> State:
        """The fold."""
        return self.walked.history.now


def find_workspace(given: Path | None = None, start: Path | None = None) -> Workspace:
    """The workspace that is named, or the nearest one from the current directory upwards.

    Raises:
        InputError: There is none, or its settings are wrong.
    """
    if given is not None:
        folder = given.parent if given.name == SETTINGS else given
        if not (folder / SETTINGS).is_file():
            raise InputError(
                f"there is no {SETTINGS}", place=str(folder), hint="`spotbeam init` makes one"
            )
        return open_workspace(folder)
    here = (Path.cwd() if start is None else start).resolve()
    for folder in (here, *here.parents):
        if (folder / SETTINGS).is_file():
            return open_workspace(folder)
    raise InputError(
        f"there is no {SETTINGS} here or in a folder above",
        hint="go to your workspace, name it with --workspace, or make one: `spotbeam init`",
    )


def open_workspace(folder: Path) -> Workspace:
    """The workspace in a folder.

    Raises:
        InputError: Its settings cannot be read, are not TOML, or say what they must not.
    """
    path = folder / SETTINGS
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", place=str(path)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise InputError(f"not valid TOML: {fault}", place=str(path)) from None
    settings = decode(data, Settings, place=str(path))
    if not settings.sources:
        raise InputError(
            "record = [] names nothing", place=str(path), hint="name a folder or a URL"
        )
    if settings.log != PRIVATE_LOG and not is_url(settings.log):
        raise InputError(f"{settings.log!r} is neither 'private' nor a URL", place=f"{path}, log")
    return Workspace(folder=folder, settings=settings)


def settings_text(settings: Settings) -> str:
    """Settings as TOML."""
    given = {
        name: getattr(settings, name)
        for name in settings.__struct_fields__
        if getattr(settings, name) is not None
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in given.items()]
    return "".join(f"{line}\n" for line in lines)


def follow(
    workspace: Workspace,
    *,
    now_s: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Followed:
    """The record as far as this machine accepts it, after asking its sources once.

    What was accepted stays in `following/`, and an older or another record is refused from then
    on, whoever shows it.

    Raises:
        RecordError: No source shows a record that holds, and nothing was accepted before.
        Unreachable: No source answers, and nothing was accepted before.
        InputError: A source is no folder or URL.
    """
    now_s = int(time.time()) if now_s is None else now_s
    names = workspace.source_names()
    sources = [open_source(name) for name in names]
    follower = Follower(
        sources,
        workspace.settings.genesis,
        workspace.folder / "following",
        names=names,
        progress=progress,
    )
    try:
        follower.refresh(now_s)
        faults = tuple(f"{each.name}: {each.fault}" for each in follower.standings if each.fault)
        if follower.walked is None:
            raise _unread(workspace, faults)
        return Followed(
            walked=follower.walked,
            faults=faults,
            is_current=any(each.fault is None for each in follower.standings),
        )
    finally:
        follower.close()


def demand_current(followed: Followed) -> Followed:
    """Stop before something is signed over a record that could not be read just now.

    Raises:
        SpotbeamError: No source shows a view that holds.
    """
    if not followed.is_current:
        raise SpotbeamError(
            f"the record cannot be read now: {followed.faults[0]}",
            hint="nothing is signed over a view that may be old",
        )
    return followed


def private_folder(path: Path) -> Path:
    """A folder that only its owner enters, made where there is none.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(path, 0o700)
    except OSError as fault:
        raise OutputError(f"cannot be made: {fault.strerror}", place=str(path)) from None
    return path


@contextmanager
def recorder(workspace: Workspace) -> Iterator[Recorder]:
    """Where entries go: the log's server, or the log on this machine while the block lasts.

    A log on this machine is published up to its last entry before anything is added.

    Raises:
        InputError: The log is in use by `spotbeam log`, or is not here.
        RecordError: The log cannot go on, and says why.
        QuorumNotMet: Its witnesses do not sign now.
    """
    if not workspace.keeps_log:
        from spotbeam.http.log_client import LogClient  # readers of folders need no HTTP

        yield LogClient(workspace.settings.log)
        return
    from spotbeam.assembly.logs import opened_log

    with opened_log(workspace.folder) as sequencer:
        _await_published(sequencer)
        yield sequencer


def _await_published(sequencer: Sequencer) -> None:
    until = time.monotonic() + _PUBLISHED_S
    while (status := sequencer.status()).published_size < status.size:
        if status.standing == "stopped" or time.monotonic() > until:
            raise QuorumNotMet(
                f"the log on this machine is not witnessed: {status.why or 'no witness answers'}",
                hint="every witness of the quorum must run, and know this log's key",
            )
        time.sleep(0.01)


def _unread(workspace: Workspace, faults: Sequence[str]) -> SpotbeamError:
    what = faults[0] if faults else "no source answers"
    hint = "check `record` in spotbeam.toml"
    if workspace.keeps_log:
        hint = "the log publishes once its witnesses sign: start them, then `spotbeam log`"
    return MissingRecord(f"the record cannot be read: {what}", hint=hint)
