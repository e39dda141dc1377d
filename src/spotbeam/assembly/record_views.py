"""One history, whoever shows it: each source is gone through, and then they are compared.

Two checkpoints that a log signed and that cannot both be true are written down as evidence, which
anybody can check with the log's key alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import msgspec

from spotbeam.assembly.record_files import Leftovers, check_files, check_leftovers
from spotbeam.assembly.sources import is_url, open_source, pinned, published_note, spooled
from spotbeam.edge.walk import Walked, walk
from spotbeam.errors import (
    Forked,
    InputError,
    MalformedRecord,
    MissingRecord,
    RecordError,
    RolledBack,
)
from spotbeam.formats import atomic
from spotbeam.governance.entries.words import SECOND_US
from spotbeam.governance.history import History, fold
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.evidence import equivocation, verify_equivocation
from spotbeam.record.keys import VerifierKey
from spotbeam.record.policy import WitnessPolicy, verify_witnessed
from spotbeam.record.tile_reader import Fetch, TileReader

Progress = Callable[[int, int], object]
"""Told how many steps are done, and of how many."""


class SourceChecked(msgspec.Struct, frozen=True, kw_only=True):
    """One source that was gone through, and held.

    Attributes:
        root: In hexadecimal.
        witnessed_us: By when enough witnesses had signed its checkpoint; None where none is asked.
        signed_by: The witnesses whose signatures counted, by their names in the quorum.
        leftovers: Files beside those that the checkpoint needs; known of folders only.
    """

    source: str
    origin: str
    size: int
    root: str
    witnessed_us: int | None
    signed_by: tuple[str, ...]
    tiles: int
    entry_bytes: int
    leftovers: Leftovers = Leftovers()


class View:
    """One source while it is gone through: opened, its checkpoint read and held for good."""

    def __init__(self, source: str, fetch: Fetch, is_alone: bool) -> None:
        self.source = source
        self._prefix = "" if is_alone else f"{source}, "
        self.fault: RecordError | None = None
        self.walked: Walked | None = None
        self.onto: History | None = None
        self.policy: WitnessPolicy | None = None
        self.tiles = self.entry_bytes = 0
        self.time_s: int | None = None
        self.signed_by: tuple[str, ...] = ()
        self.leftovers = Leftovers()
        with self.placing():
            self.note = published_note(fetch)
        self.fetch = pinned(fetch, self.note)
        with self.placing("checkpoint"):
            self.checkpoint = parse_signed_checkpoint(self.note)[0]

    @contextmanager
    def placing(self, file: str = "") -> Iterator[None]:
        """Say of every fault in which source and file it is."""
        try:
            yield
        except RecordError as fault:
            place = f"{self._prefix}{fault.place or file}"
            said = fault.message.removeprefix(f"{fault.place}: ")
            raise type(fault)(said, place=place or None, hint=fault.hint) from None

    def check_files(self, progress: Callable[[int], object]) -> None:
        """Rebuild every tile; the first file that is wrong is a fault at once."""
        with self.placing():
            report = check_files(self.fetch, self.checkpoint, progress)
            if not is_url(self.source):
                self.leftovers = check_leftovers(Path(self.source), self.checkpoint)
        self.tiles, self.entry_bytes = report.tiles, report.entry_bytes

    @property
    def origin(self) -> str:
        """The log that this is a view of."""
        return self.checkpoint.origin

    def first(self) -> bytes:
        """Entry 0, checked by `check_files`."""
        with self.placing("checkpoint"):
            _demand_begun(self.note)
            return TileReader(self.fetch, self.checkpoint).entry(0)

    def read(
        self,
        genesis: str | None,
        now_s: int,
        progress: Callable[[int], object],
        onto: History | None = None,
    ) -> None:
        """Fold, and check all signatures; a fault is kept until the sources are compared."""
        self.onto = onto
        try:
            with self.placing("checkpoint"):
                _demand_begun(self.note)
                self.walked = walk(
                    self.fetch,
                    genesis=genesis,
                    onto=onto,
                    now_s=now_s,
                    note=self.note,
                    progress=lambda done, _: progress(done),
                )
                halted = self.walked.history.now.halted
                if halted is not None:
                    raise MalformedRecord(
                        halted, place="entries", hint="a later release of Spotbeam reads on"
                    )
        except RecordError as fault:
            self.fault = fault
        else:
            self.policy = self.walked.history.now.witness_policy
            assert self.policy is not None
            self._take_signatures(self.policy, now_s)

    def check_signatures(self, policy: WitnessPolicy, now_s: int) -> None:
        """Check the signatures that a policy asks for; the entries stay opaque."""
        self.policy = policy
        try:
            with self.placing("checkpoint"):
                if policy.quorum == "none":
                    verify_checkpoint(self.note, [log.key for log in policy.logs])
                else:
                    self._take_signatures(policy, now_s)
        except RecordError as fault:
            self.fault = fault

    def log_keys(self) -> list[VerifierKey]:
        """The keys that may sign for this log, as far as its own entries or the policy say."""
        policy = self.policy
        if policy is None:  # the walk stopped at a fault: take what the entries say all the same
            entries = TileReader(self.fetch, self.checkpoint).entries()
            policy = fold(entries, self.onto).now.witness_policy
        return [log.key for log in policy.logs] if policy else []

    def _take_signatures(self, policy: WitnessPolicy, now_s: int) -> None:
        found = verify_witnessed(self.note, policy, now_s=now_s)
        self.time_s = found.time_s
        self.signed_by = tuple(sorted(policy.names_of(found.cosignatures)))

    def checked(self) -> SourceChecked:
        """What was found to hold."""
        return SourceChecked(
            source=self.source,
            origin=self.checkpoint.origin,
            size=self.checkpoint.size,
            root=self.checkpoint.root.hex(),
            witnessed_us=None if self.time_s is None else self.time_s * SECOND_US,
            signed_by=self.signed_by,
            tiles=self.tiles,
            entry_bytes=self.entry_bytes,
            leftovers=self.leftovers,
        )


@contextmanager
def opened(sources: Sequence[str]) -> Iterator[list[View]]:
    """Open every source; what comes over HTTP is fetched once."""
    with tempfile.TemporaryDirectory(prefix="spotbeam-") as folder:
        views = []
        for number, source in enumerate(sources):
            fetch = open_source(source)
            if is_url(source):
                fetch = spooled(fetch, Path(folder) / str(number))
            views.append(View(source, fetch, len(sources) == 1))
        yield views


def _demand_begun(note: bytes) -> None:
    if not parse_signed_checkpoint(note)[0].size:
        raise MissingRecord("the record has no entry yet, not even entry 0", place="checkpoint")


def part_of(
    progress: Progress | None, views: Sequence[View], view: View, half: int
) -> Callable[[int], object]:
    """Progress of one of two passes over one of several sources."""
    total = 2 * sum(each.checkpoint.size for each in views)
    before = 2 * sum(each.checkpoint.size for each in views[: views.index(view)])
    before += half * view.checkpoint.size
    return lambda done: progress(before + done, total) if progress else None


def demand_one_history(views: Sequence[View], evidence: Path | None) -> None:
    """Demand that all views of one log are views of one tree.

    Raises:
        Forked: Two are not, and the log signed both.
        BadSignature: Two are not, and the log did not sign one of them.
    """
    for one, other in combinations(views, 2):
        if one.origin != other.origin:
            continue
        smaller, larger = sorted((one, other), key=lambda view: view.checkpoint.size)
        reader = TileReader(larger.fetch, larger.checkpoint)
        if reader.root(smaller.checkpoint.size) != smaller.checkpoint.root:
            keys = {*smaller.log_keys(), *larger.log_keys()}
            for view in (smaller, larger):
                with view.placing("checkpoint"):
                    verify_checkpoint(view.note, keys)
            _convict(reader, smaller.note, larger.note, keys, evidence)


def demand_continued(views: Sequence[View], note: bytes, name: str, evidence: Path | None) -> None:
    """Demand that every view of a log continues what the caller saw of it at an earlier time.

    Raises:
        RolledBack: One shows less.
        Forked: One does not continue it, and the log signed both.
        BadSignature: The log did not sign what the caller kept.
        InputError: What was kept is no checkpoint, or none of these logs'.
    """
    try:
        kept: Checkpoint = parse_signed_checkpoint(note)[0]
    except MalformedRecord as fault:
        raise InputError(f"not a checkpoint: {fault.message}", place=name) from None
    if kept.origin not in {view.origin for view in views}:
        raise InputError(f"it is a checkpoint of the log {kept.origin!a}", place=name)
    for view in views:
        if view.origin != kept.origin:
            continue
        keys = view.log_keys()
        try:
            verify_checkpoint(note, keys)
        except RecordError as fault:
            raise type(fault)(fault.message, place=name, hint=fault.hint) from None
        if kept.size > view.checkpoint.size:
            raise RolledBack(
                f"it shows {view.checkpoint.size} entries; {name} has {kept.size}",
                place=view.source,
                hint="an older copy, or entries that were taken out: ask another mirror",
            )
        reader = TileReader(view.fetch, view.checkpoint)
        if reader.root(kept.size) != kept.root:
            _convict(reader, note, view.note, keys, evidence)


def _convict(
    reader: TileReader,
    smaller: bytes,
    larger: bytes,
    keys: Iterable[VerifierKey],
    evidence: Path | None,
) -> None:
    """Raise that a log signed two views, after putting the evidence where anyone can check it."""
    size = parse_signed_checkpoint(smaller)[0].size
    found = bytes(equivocation(smaller, larger, reader.root(size), reader.consistency_proof(size)))
    verify_equivocation(found, keys)
    if evidence is not None:
        atomic.write_bytes(evidence, found)
    raise Forked(
        f"{reader.checkpoint.origin} has signed two views: one of {size} entries, and one of "
        f"{reader.size} that does not continue it",
        place="checkpoint",
        hint=f"the evidence is in {evidence}; give it to everybody who follows this log"
        if evidence
        else "keep both checkpoints: together they convict the log",
    )
