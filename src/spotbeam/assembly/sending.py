"""Writes to the record from a workspace: follow it, sign over what was followed, hand it in."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from spotbeam.assembly.hands import Signing
from spotbeam.assembly.journal import note_signed
from spotbeam.assembly.workspace import (
    Followed,
    Workspace,
    demand_current,
    follow,
    private_folder,
    recorder,
)
from spotbeam.control.hand import demand_signer, new_id
from spotbeam.control.recording import Recorded, Recorder
from spotbeam.control.standing import has_lapsed
from spotbeam.decode import value_at
from spotbeam.errors import InputError, SpotbeamError
from spotbeam.governance.entries.words import Id
from spotbeam.governance.state import State

Progress = Callable[[int, int], object]
WAIT_S = 120.0
_LOOK_EVERY_S = 0.25


class Desk(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Somebody about to write: the record as followed just now, and where entries go.

    Attributes:
        now_us: This machine's clock when it was followed.
    """

    workspace: Workspace
    signing: Signing
    followed: Followed
    to: Recorder
    now_us: int

    @property
    def state(self) -> State:
        """The record as followed."""
        return self.followed.now

    def new_id(self, prefix: str, given: str | None = None) -> str:
        """The id that was given, or a new one.

        Raises:
            InputError: The given one cannot be an id, or is used already.
        """
        if given is None:
            return new_id(prefix, self.now_us, os.urandom(8))
        checked_id(given, "--id")
        if given in self.state.seen:
            raise InputError(f"the id {given!r} is used already", place="--id")
        return given

    def send(self, data: bytes, *, wait: bool = False) -> Recorded:
        """Note what was signed here, and hand it in.

        Raises:
            Refused: The log does not take it, with the reason.
            Unreachable: The log does not answer; it may have taken it all the same.
        """
        private_folder(self.workspace.private)
        note_signed(
            self.workspace.journal,
            data,
            self.state.origin,
            self.state.genesis,
            now_us=self.now_us,
        )
        is_here = self.workspace.keeps_log
        return self.to.submit(data, "anchored" if wait or is_here else "durable")


@contextmanager
def at_desk(
    workspace: Workspace, signing: Signing, *, progress: Progress | None = None
) -> Iterator[Desk]:
    """Follow the record and get ready to write to it.

    Raises:
        Refused: The signer has no seat, or the key is not theirs.
        RecordError: The record does not hold.
        Unreachable: It cannot be read now.
    """
    with recorder(workspace) as to:
        followed = demand_current(follow(workspace, progress=progress))
        demand_signer(followed.now, signing.hand)
        yield Desk(
            workspace=workspace,
            signing=signing,
            followed=followed,
            to=to,
            now_us=time.time_ns() // 1000,
        )


def checked_id(text: str, place: str) -> str:
    """An id that an entry, a person or a list may have.

    Raises:
        InputError: It may not.
    """
    try:
        return msgspec.convert(text, Id)
    except msgspec.ValidationError:
        raise InputError(
            f"{text!r} cannot be an id",
            place=place,
            hint="lower-case letters, digits, '.', '_' and '-', 64 at most",
        ) from None


def checked(kind: Any, place: str, /, **fields: Any) -> Any:
    """A value of the record, from options as somebody gave them.

    Raises:
        InputError: A field is not what the record can hold.
    """
    given = msgspec.to_builtins({**_tagged(kind), **fields})
    try:
        return msgspec.convert(given, kind, strict=True)
    except msgspec.ValidationError as fault:
        message, _, path = str(fault).partition(" - at `$.")
        path = path.rstrip("`")
        value = value_at(given, path)
        what = f"{value!r} is nothing that the record can hold" if "regex" in message else message
        raise InputError(
            what.replace("Expected", "expected"),
            place=f"{place}{path.replace('_', '-')}" if path else place,
        ) from None


def wait_until_decided(workspace: Workspace, change: str, *, timeout_s: float = WAIT_S) -> Followed:
    """Follow the record until a proposal is bound, decided otherwise, or stands still.

    Raises:
        SpotbeamError: Nothing happened in time.
    """
    until = time.monotonic() + timeout_s
    while True:
        followed = follow(workspace)
        proposed = followed.now.changes[change]
        is_settled = proposed.status != "pending" or has_lapsed(followed.now, proposed)
        waits = any(not given.is_anchored for given in proposed.approvals.values())
        if is_settled or not (waits or proposed.anchored_us is None):
            return followed
        if time.monotonic() > until:
            raise SpotbeamError(
                f"{change} was handed in, but is not witnessed after {timeout_s:.0f} s",
                hint=f"`spotbeam change show {change}` says when it is",
            )
        time.sleep(_LOOK_EVERY_S)


def entry_file(path: Path) -> str:
    """The text of a draft.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise InputError(f"byte {fault.start} is not UTF-8", place=str(path)) from None
    except OSError as fault:
        raise InputError(f"cannot be read: {fault.strerror}", place=str(path)) from None


def _tagged(kind: Any) -> dict[str, str]:
    tag = kind.__struct_config__.tag
    return {} if tag is None else {"type": tag}
