"""Check a whole record: every byte, every signature, every anchor, and that there is one history.

    verified = verify("record/", "https://mirror.example/black-sea", genesis="ab12…")

Everything that a record claims is rebuilt from its entries, beginning with entry 0, whose digest is
all that must be brought by hand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from spotbeam.assembly.chains import ended_where_left, in_order
from spotbeam.assembly.record_views import (
    Progress,
    SourceChecked,
    View,
    demand_continued,
    demand_one_history,
    opened,
    part_of,
)
from spotbeam.errors import InputError
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.history import History
from spotbeam.governance.state import listed, state_digest
from spotbeam.governance.void import Finding
from spotbeam.record.policy import parse_policy

_GENESIS = re.compile(r"[0-9a-f]{64}\Z")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A record that holds, as the source with the most entries of its newest log shows it.

    Attributes:
        logs: Every log that the record went through, by origin.
        genesis: Digest of entry 0 in hexadecimal; empty where the entries were not read.
        is_genesis_checked: Whether it is the one that the caller brought.
        state_digest: Over all that the entries mean: two readers compare it.
        anchors: How many anchors count.
        void: Entries without effect, and approvals that fell: no faults, but worth reading.
    """

    origin: str
    size: int
    root: str
    logs: tuple[str, ...]
    genesis: str = ""
    is_genesis_checked: bool = False
    witnessed_us: int | None = None
    state_digest: str | None = None
    anchors: int = 0
    void: tuple[Finding, ...] = ()
    sources: tuple[SourceChecked, ...]


def verify(
    source: str | Path,
    *more: str | Path,
    genesis: str | None = None,
    policy: Path | None = None,
    held: Path | None = None,
    evidence: Path | None = None,
    now_s: int | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Check a record from entry 0 on; several sources must show one history.

    Args:
        source: A folder, or an address as `https://…`.
        more: Mirrors of it, or the logs in which the record goes on.
        genesis: Digest of entry 0 in hexadecimal. None: it is reported, and was not checked.
        policy: A C2SP tlog-policy file. With it the entries are opaque: a log of another kind is
            checked to its root and its signatures, and nothing is folded.
        held: A checkpoint that was kept from an earlier time, which the record must continue.
        evidence: Where evidence of two signed views is written; None: nowhere.
        now_s: POSIX seconds after which cosignatures do not count. None: this machine's clock.
        progress: Told of each step.

    Raises:
        RecordError: The first fault; `place` names the file or entry.
        Unreachable: A server did not answer.
        InputError: A source, file or digest that was given is not one.
    """
    if genesis is not None and not _GENESIS.match(genesis):
        raise InputError(
            f"{genesis!r} is not a digest", place="genesis", hint="64 hexadecimal digits"
        )
    names = [str(each) for each in (source, *more)]
    for name in names:
        if names.count(name) > 1:
            raise InputError("is given twice", place=name)
    known = None if policy is None else parse_policy(read_file(policy), str(policy))
    held_note = None if held is None else read_file(held)
    at_s = int(time.time()) if now_s is None else now_s
    with opened(names) as views:
        for view in views:
            view.check_files(part_of(progress, views, view, 0))
        if known is None:
            logs = _read_in_order(views, genesis, at_s, progress)
        else:
            logs = list(dict.fromkeys(view.origin for view in views))
            _demand_one_log(views)
            for view in views:
                view.check_signatures(known, at_s)
        demand_one_history(views, evidence)
        for view in views:
            if view.fault is not None:
                raise view.fault
        if held_note is not None:
            demand_continued(views, held_note, str(held), evidence)
        return _verified(views, logs, genesis)


def check_source(source: str | Path, progress: Progress | None = None) -> SourceChecked:
    """Rebuild every tile of a source from its entries; signatures are not looked at.

    Raises:
        RecordError: The first file that is wrong.
    """
    with opened([str(source)]) as (view,):
        size = view.checkpoint.size
        view.check_files(lambda done: progress(done, size) if progress else None)
        return view.checked()


def read_file(path: Path) -> bytes:
    """The bytes of a file that the user named.

    Raises:
        InputError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=str(path)) from None


def evidence_name(source: str) -> Path:
    """Where evidence is put if nobody says where: a name of its own for each source."""
    return Path(f"two-views-{sha256(source.encode()).hexdigest()[:12]}.txt")


def _read_in_order(
    views: Sequence[View], genesis: str | None, now_s: int, progress: Progress | None
) -> list[str]:
    """Fold each log of the record onto the ones before it; every view of a log by itself."""
    firsts = {view.origin: view.first() for view in views}
    logs = in_order(firsts, {view.origin: view.source for view in views})
    before: History | None = None
    for number, origin in enumerate(logs):
        those = [view for view in views if view.origin == origin]
        for view in those:
            view.read(genesis, now_s, part_of(progress, views, view, 1), before)
        held = [view.walked for view in those if view.walked is not None and view.fault is None]
        if not held or number + 1 == len(logs):
            return logs  # with nothing that holds there is nothing to go on from
        newest = max(held, key=lambda each: each.checkpoint.size)
        following = firsts[logs[number + 1]]
        before, _ = ended_where_left(before, newest.entries, newest.history, following)
    return logs


def _demand_one_log(views: Sequence[View]) -> None:
    for view in views[1:]:
        if view.origin != views[0].origin:
            raise InputError(
                f"is the log {view.origin!a}, and {views[0].source} is {views[0].origin!a}",
                place=view.source,
                hint="with --policy, give mirrors of one log",
            )


def _verified(views: Sequence[View], logs: Sequence[str], genesis: str | None) -> Verified:
    newest = max(
        (view for view in views if view.origin == logs[-1]), key=lambda view: view.checkpoint.size
    )
    sources = tuple(view.checked() for view in views)
    point = newest.checkpoint
    time_us = None if newest.time_s is None else newest.time_s * SECOND_US
    if newest.walked is None:
        return Verified(
            origin=point.origin,
            size=point.size,
            root=point.root.hex(),
            logs=tuple(logs),
            witnessed_us=time_us,
            sources=sources,
        )
    history = newest.walked.history
    return Verified(
        origin=point.origin,
        size=point.size,
        root=point.root.hex(),
        logs=tuple(logs),
        genesis=newest.walked.genesis,
        is_genesis_checked=genesis is not None,
        witnessed_us=time_us,
        state_digest=state_digest(history.now),
        anchors=len(history.anchors),
        void=listed(history.now),
        sources=sources,
    )
