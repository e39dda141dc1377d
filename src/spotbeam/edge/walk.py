"""Read one log from what its source publishes, and believe it only once its witnesses vouch for it.

    walked = walk(fetch, genesis="ab12…", now_s=…)                       from entry 0
    walked = walk(fetch, genesis="ab12…", now_s=…,
                  onto=walked.history, held=walked.checkpoint)           only what is new

Every new entry is hashed onto the tree that was accepted before, so that the root of the published
checkpoint proves at once that nothing was taken out, put in or rewritten. The entries are folded
on a candidate, and the candidate is handed out only if the witness quorum at which it arrives has
signed the checkpoint. That is sound because the fold moves the quorum only at anchors which the
old quorum signed; a cold reader starts from entry 0, of which it knows the digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from spotbeam.errors import (
    BadSignature,
    Forked,
    MalformedRecord,
    MissingRecord,
    ProofMismatch,
    QuorumNotMet,
    RecordError,
    RolledBack,
)
from spotbeam.governance.anchors import genesis_digest, grown, root_of
from spotbeam.governance.dating import demand_dated
from spotbeam.governance.history import History, fold
from spotbeam.governance.state import State
from spotbeam.record.checkpoint import Checkpoint, parse_signed_checkpoint, verify_checkpoint
from spotbeam.record.merkle import leaf_hash
from spotbeam.record.policy import Witnessed, WitnessPolicy, verify_witnessed
from spotbeam.record.tile_reader import Fetch, TileReader, fetch_bundle
from spotbeam.record.tiles import CHECKPOINT_PATH, ENTRIES, TILE_WIDTH, Tile

MOST_UNVOUCHED = 100_000
"""Entries that are folded without a new anchor under a checkpoint that the known quorum did not
sign. A log anchors each batch, so that an honest one stays far below; junk ends here."""
MOST_UNVOUCHED_BYTES = 128 * 2**20
"""As many bytes of such entries: a source of compressed junk must not fill the memory."""
_FOLDED_AT_ONCE = 1_024

Found = TypeVar("Found")
Progress = Callable[[int, int], object]
"""Told how many entries are folded, and of how many."""


class Walked(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A log as far as it was read, checked and witnessed.

    Attributes:
        history: The fold. Where `history.now.halted` says something, it stops before the
            checkpoint's size.
        checkpoint: What the log and the quorum signed.
        note: The signed note itself.
        time_s: The earliest time by which enough cosignatures were made, POSIX seconds.
        genesis: Digest of the first log's entry 0, in hexadecimal.
        first: Index of the first entry that was new.
        entries: Those that were new, in order.
    """

    history: History
    checkpoint: Checkpoint
    note: bytes
    time_s: int
    genesis: str
    first: int = 0
    entries: tuple[bytes, ...] = ()


def walk(
    fetch: Fetch,
    *,
    genesis: str | None,
    onto: History | None = None,
    held: Checkpoint | None = None,
    now_s: int | None,
    progress: Progress | None = None,
    note: bytes | None = None,
) -> Walked:
    """Read a log up to its published checkpoint, and check all of it.

    Args:
        fetch: Where the bytes come from; nothing of them is believed.
        genesis: What the digest of entry 0 must be, in hexadecimal; None: it is not checked.
        onto: What was read and accepted before; `next_log` of it for the log in which a record
            goes on, read from that log's entry 0. None: nothing.
        held: The checkpoint up to which `onto` was accepted.
        now_s: The reader's clock, POSIX seconds: cosignatures after it do not count. None: no
            clock, as for a replay.
        progress: Told how many entries are folded, and of how many.
        note: The checkpoint's note, where it was fetched already.

    Raises:
        MissingRecord: A file is not there.
        RolledBack: The checkpoint is smaller than the one held.
        Forked: The log signed another root for what is held, or one that does not continue it.
        ProofMismatch: Entries do not lead to the checkpoint's root, or entry 0 is another one.
        BadSignature: The log did not sign, or a signature does not hold.
        QuorumNotMet: Too few witnesses have signed.
        MalformedRecord: Bytes are not in the only form that they may have.
    """
    note = _published(fetch) if note is None else note
    checkpoint = _placed(lambda: parse_signed_checkpoint(note)[0])
    start = onto.now if onto is not None else State()
    if start.genesis:
        _demand_same(start, genesis)
    if start.size:
        _demand_continues(start, held, checkpoint, note)
    reading = _Reading(
        fetch, checkpoint, note, History() if onto is None else onto, held, genesis, progress
    )
    history = reading.read()
    found = _placed(lambda: _witnessed(history.now, note, now_s))
    return Walked(
        history=history,
        checkpoint=checkpoint,
        note=note,
        time_s=found.time_s,
        genesis=history.now.genesis,
        first=start.size,
        entries=tuple(reading.entries),
    )


class _Reading:
    """One walk under way: entries are hashed as they come, and folded as soon as that is wise."""

    def __init__(
        self,
        fetch: Fetch,
        checkpoint: Checkpoint,
        note: bytes,
        history: History,
        held: Checkpoint | None,
        genesis: str | None,
        progress: Progress | None,
    ) -> None:
        self.fetch = fetch
        self.checkpoint = checkpoint
        self.note = note
        self.history = history
        self.held = held
        self.genesis = genesis
        self.progress = progress
        self.entries: list[bytes] = []
        self._first = history.now.size
        self._folded = 0
        self._unvouched = 0
        self._frontier = history.now.frontier

    def read(self) -> History:
        """The candidate after every entry up to the checkpoint."""
        # A checkpoint that the known quorum signed is worth its work: hash all, fold after. One
        # that it did not sign may be junk, or rest on a change of quorum among these entries:
        # fold step by step, and only as long as anchors come.
        is_vouched = self._is_vouched()
        for entries in _bundles(self.fetch, self._first, self.checkpoint.size):
            for entry in entries:
                size = self._first + len(self.entries)
                self._frontier = grown(self._frontier, size, entry)
                self.entries.append(entry)
                self._unvouched += len(entry)
            if self._first == 0 and self._folded == 0:
                self._begin()
                is_vouched = self._is_vouched()
            if not is_vouched:
                policy, anchored_size = self._anchored()
                if self._unvouched > MOST_UNVOUCHED_BYTES:
                    self._demand_vouched()
                self._fold()
                if self._anchored()[1] != anchored_size:
                    self._unvouched = 0
                if self.history.now.witness_policy != policy:
                    is_vouched = self._is_vouched()
        if root_of(self._frontier) != self.checkpoint.root:
            self._blame()
        self._fold()
        return self.history

    def _anchored(self) -> tuple[WitnessPolicy | None, int]:
        """Whose signatures count by now, and up to where the log is anchored."""
        return self.history.now.witness_policy, self.history.now.anchored_size

    def _begin(self) -> None:
        """Take entry 0, which alone says whose log this is, or from which it goes on."""
        digest = genesis_digest(self.entries[0])
        is_next = self.history.now.genesis != ""
        if not is_next and self.genesis is not None and digest != self.genesis:
            raise ProofMismatch(
                f"the record begins with another entry: its digest is {digest}",
                place="entry 0",
                hint="this is the record of somebody else, or the digest was mistyped",
            )
        self.history = fold(self.entries[:1], self.history)
        self._folded = 1
        now = self.history.now
        if now.witness_policy is None or not now.is_open or now.newest in now.findings:
            found = now.findings.get(now.newest, ())
            reason = found[-1].reason if found else "it seats nobody"
            what = "does not go on from the one before" if is_next else "does not begin"
            raise MalformedRecord(f"the record {what}: {reason}", place="entry 0")
        if now.origin != self.checkpoint.origin:
            raise BadSignature(
                f"the checkpoint is of {self.checkpoint.origin!r}, the entries of {now.origin!r}",
                place=CHECKPOINT_PATH,
            )

    def _fold(self) -> None:
        while self._folded < len(self.entries):
            batch = self.entries[self._folded : self._folded + _FOLDED_AT_ONCE]
            self.history = fold(batch, self.history)
            self._folded += len(batch)
            now = self.history.now
            if now.halted is None and now.size - now.anchored_size > MOST_UNVOUCHED:
                # Only what is not vouched for is folded before the root is known to hold.
                self._demand_vouched()
            if self.progress:
                self.progress(self._first + self._folded, self.checkpoint.size)

    def _is_vouched(self) -> bool:
        """Whether the quorum known so far signed this checkpoint."""
        try:
            self._demand_vouched()
        except RecordError:
            return False
        return True

    def _demand_vouched(self) -> None:
        policy = self.history.now.witness_policy
        if policy is None:
            raise QuorumNotMet("no witness is known yet", place=CHECKPOINT_PATH)
        _placed(lambda: verify_witnessed(self.note, policy, now_s=None))

    def _blame(self) -> None:
        """Say which file is wrong, now that the entries do not lead to the root."""
        reader = TileReader(self.fetch, self.checkpoint)
        if self.held is not None and reader.root(self.held.size) != self.held.root:
            raise _forked(
                self.note,
                self.history.now,
                f"the record of {self.checkpoint.size} entries does not continue the "
                f"{self.held.size} that were accepted",
            )
        for index, entry in enumerate(self.entries, self._first):
            if leaf_hash(entry) != reader.hash_at(0, index):
                raise ProofMismatch(
                    f"entry {index} is not the one that was logged",
                    place=_bundle(index, self.checkpoint.size).path,
                )
        raise ProofMismatch(
            f"the {self.checkpoint.size} entries do not lead to the root", place=CHECKPOINT_PATH
        )


def _published(fetch: Fetch) -> bytes:
    note = fetch(CHECKPOINT_PATH)
    if note is None:
        raise MissingRecord("a file of the record is missing", place=CHECKPOINT_PATH)
    return note


def _demand_same(start: State, genesis: str | None) -> None:
    """Refuse to go on from another record, or where this release cannot read on."""
    if genesis is not None and start.genesis != genesis:
        raise ProofMismatch(
            f"what was read before began with another entry: its digest is {start.genesis}",
            place="entry 0",
        )
    if start.halted is not None:
        raise RecordError(start.halted, hint="a newer release may know these rules")


def _demand_continues(
    start: State, held: Checkpoint | None, checkpoint: Checkpoint, note: bytes
) -> None:
    """Refuse what cannot follow what was accepted."""
    if held is None or (held.size, held.root) != (start.size, root_of(start.frontier)):
        raise ValueError("`held` is the checkpoint up to which `onto` was folded")
    if checkpoint.origin != start.origin:
        raise BadSignature(
            f"the checkpoint is of {checkpoint.origin!r}, not of {start.origin!r}",
            place=CHECKPOINT_PATH,
        )
    if checkpoint.size < held.size:
        raise RolledBack(
            f"the source shows {checkpoint.size} entries; {held.size} were accepted already",
            place=CHECKPOINT_PATH,
        )
    if checkpoint.size == held.size and checkpoint.root != held.root:
        raise _forked(note, start, f"another root of {held.size} entries was accepted already")


def _forked(note: bytes, state: State, message: str) -> RecordError:
    """A fork, if the log itself signed the note: anybody can write a text."""
    policy = state.witness_policy
    assert policy is not None
    _placed(lambda: verify_checkpoint(note, [log.key for log in policy.logs]))
    return Forked(message, place=CHECKPOINT_PATH, hint="the log has signed two views of itself")


def _witnessed(state: State, note: bytes, now_s: int | None) -> Witnessed:
    """What the note proves under the quorum that a state arrived at."""
    assert state.witness_policy is not None
    assert state.witness_quorum is not None
    found = verify_witnessed(note, state.witness_policy, now_s=now_s)
    demand_dated(found, state.witness_policy, state.witness_quorum)
    return found


def _bundles(fetch: Fetch, first: int, size: int) -> Iterator[list[bytes]]:
    """The entries `[first, size)`, bundle by bundle, not yet checked against anything."""
    if first >= size:
        return
    for index in range(first // TILE_WIDTH, -(-size // TILE_WIDTH)):
        start = index * TILE_WIDTH
        entries = fetch_bundle(fetch, _bundle(start, size))
        yield entries[max(first - start, 0) :]


def _bundle(index: int, size: int) -> Tile:
    """The bundle that holds an entry of a record of some size."""
    number = index // TILE_WIDTH
    return Tile(ENTRIES, number, min(TILE_WIDTH, size - number * TILE_WIDTH))


def _placed(check: Callable[[], Found]) -> Found:
    """A check of the checkpoint, whose faults name the file."""
    try:
        return check()
    except RecordError as fault:
        if fault.place is not None:
            raise
        raise type(fault)(fault.message, place=CHECKPOINT_PATH, hint=fault.hint) from None
