"""Append to a log that never forgets what it acknowledged and never signs two views.

The entries are in one SQLite file (WAL, `synchronous=FULL`), the tree is in static tiles beside
it. An entry is on disk before `append` returns; a checkpoint is signed only over entries on disk,
is kept in the same file before it is shown to anyone, and is published only after the tiles that
it needs, and only with the witnesses' quorum.

Who writes is fenced: opening the log counts a number in the file up, and a writer that finds
another number than its own stops. After opening, nothing is signed until a quorum of witnesses
has said what it signed last (`confirm`): a restored backup would otherwise fork the log.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from spotbeam.errors import Forked, MalformedRecord, QuorumNotMet, RecordError
from spotbeam.record.checkpoint import (
    Checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from spotbeam.record.entry_store import EntryStore, create_entry_store
from spotbeam.record.keys import Signer
from spotbeam.record.merkle import Tree, leaf_hash, node_hash, root_at
from spotbeam.record.policy import WitnessPolicy, verify_witnessed
from spotbeam.record.tile_reader import TileReader, directory
from spotbeam.record.tile_writer import TileWriter
from spotbeam.record.tiles import MAX_ENTRY_SIZE, TILE_HEIGHT, TILE_WIDTH
from spotbeam.record.witness import AddCheckpoint

_MEND = "mend the cause, then open it again"


class _Waiting:
    """Entries that wait for the next transaction, and what became of them."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.numbers: range | None = None
        self.fault: BaseException | None = None


def create_log(path: Path, origin: str) -> None:
    """Start a new, empty log in a file that must not exist yet.

    Raises:
        FileExistsError: There is such a file: a log is never started over.
        RecordError: It cannot be written.
    """
    Checkpoint(origin, 0, b"\0" * 32)  # refuses what cannot be an origin
    create_entry_store(path, origin)


class Log:
    """One log, and the only writer to it.

    Args:
        path: Its SQLite file, from `create_log`.
        tiles: The folder where its tiles are published.
        signer: Its Ed25519 key, of type 0x01, named like its origin.
        more: Further keys of that kind, which sign as well: the next one, before a change of keys
            takes effect, or the last one, while some witness does not know the next yet.

    Raises:
        FileNotFoundError: There is no such file; `create_log` starts one.
        Forked: More was published or signed than the file holds: it has lost entries.
        RecordError: The file or the tiles are damaged, or there is no space.
    """

    def __init__(
        self, path: Path, tiles: Path, signer: Signer, more: Sequence[Signer] = ()
    ) -> None:
        self._signers = (signer, *more)
        self._keys = [each.key for each in self._signers]
        self._commit = threading.Lock()
        self._queue = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._broken: str | None = None
        self._confirmed = False
        self._signed: Checkpoint | None = None
        self._entries = EntryStore(path)
        try:
            self._open(path, tiles)
        except BaseException:
            self._entries.close()
            raise

    @property
    def size(self) -> int:
        """The number of entries on disk."""
        return self._entries.size

    def append(self, entries: Sequence[bytes]) -> range:
        """Add entries together; their numbers, once they are on disk.

        Callers in several threads share transactions: whoever comes while one is being written
        waits and goes with the next.

        Raises:
            MalformedRecord: An entry is too long; none is added.
            RecordError: The log cannot go on, and says why.
        """
        for entry in entries:
            if len(entry) > MAX_ENTRY_SIZE:
                raise MalformedRecord(
                    f"an entry of {len(entry):,} bytes; at most {MAX_ENTRY_SIZE:,} fit"
                )
        mine = _Waiting(entries)
        with self._queue:
            self._waiting.append(mine)
        with self._commit:
            if mine.numbers is None and mine.fault is None:
                self._write_waiting()
        if mine.fault is not None:
            raise RecordError(
                f"the entries are not acknowledged: {mine.fault}",
                hint="some may be on disk all the same; the log knows when it is opened again",
            ) from mine.fault
        if mine.numbers is None:
            raise RecordError("the entries are not acknowledged")
        return mine.numbers

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The entries `[start, end)` in order, in chunks, as they are on disk.

        Raises:
            RecordError: The file has lost one, or holds it otherwise than it was added.
        """
        end = self.size if end is None else end
        for at in range(start, end, 4 * TILE_WIDTH):
            with self._commit:
                chunk = self._entries.read(at, min(end, at + 4 * TILE_WIDTH))
            yield from chunk

    def confirm(self, held: Mapping[str, bytes | None], policy: WitnessPolicy) -> None:
        """Take what witnesses signed last, and refuse to go on where that is not ours.

        Args:
            held: What each witness that answered serves for this log, by its name in the policy:
                a note, or None where it never signed one.
            policy: Which of them are enough.

        Raises:
            QuorumNotMet: Too few have answered: an unasked one may know more than we do.
            Forked: A witness has signed more, or something else, than this log holds.
        """
        if not policy.is_met(held):
            raise QuorumNotMet(
                f"{len(held)} witnesses answered, which is not the quorum {policy.quorum!a}",
                hint="the log signs nothing before it knows what they signed last",
            )
        for name, note in held.items():
            if note is not None:
                self.check_held(name, note)
        self._confirmed = True

    def check_held(self, name: str, note: bytes) -> None:
        """Compare what a witness holds of this log with the log itself.

        Args:
            name: What messages call the witness.
            note: The note that it serves.

        Raises:
            Forked: This log's key has signed more, or something else, than this log holds.
            BadSignature: The note is not one that this log's key has signed.
        """
        seen = verify_checkpoint(note, self._keys)
        with self._commit:
            if seen.size > self.size:
                raise Forked(
                    f"the witness {name!a} has signed {seen.size} entries of {self.origin}; "
                    f"here are {self.size}; `spotbeam record restore MIRROR` brings the rest back",
                )
            if seen.size and self._root(seen.size) != seen.root:
                raise Forked(
                    f"the witness {name!a} has signed another root for {seen.size} entries"
                )

    def sign(self) -> bytes:
        """Sign a checkpoint over everything on disk, whose tiles are then in the folder.

        It is for witnesses only, until enough of them have signed and `publish` takes it: a
        signature that nobody has seen is forgotten without harm when a backup is restored, and
        one that a single witness has seen comes back with `confirm`.

        Raises:
            RecordError: `confirm` was not called, or the log cannot go on, as on a full disk.
        """
        if not self._confirmed:
            raise RecordError(
                "the log does not know yet what its witnesses signed last", hint="call confirm"
            )
        with self._commit:
            self._check_fit()
            with self._stopping():
                self._grow_tiles()
                new = Checkpoint(self.origin, self._tiles.size, self._tiles.root())
                note = sign_checkpoint(new, self._signers)
                self._tiles.flush()
                self._entries.keep_signed(note)
            self._signed = new
            return note

    def publish(self, note: bytes, policy: WitnessPolicy | None, *, now_s: int | None) -> None:
        """Publish the checkpoint that was signed last, once enough witnesses have signed it.

        It may be published again and again, with fresh cosignatures.

        Args:
            note: The checkpoint with its cosignatures.
            policy: Which witnesses are enough; None publishes without any, for a log that nobody
                relies on yet.
            now_s: The log's clock; later cosignatures do not count.

        Raises:
            QuorumNotMet: Too few have signed; the last published checkpoint stays.
            RecordError: The log cannot go on, as on a full disk.
        """
        if policy is not None:
            verify_witnessed(note, policy, now_s=now_s)
        with self._commit:
            self._check_fit()
            if verify_checkpoint(note, self._keys) != self._signed:
                raise RecordError("this is not the checkpoint that the log signed last")
            with self._stopping(), self._entries.held():
                self._tiles.publish(note)

    def reader(self) -> TileReader:
        """The tree as it was signed last, for proofs."""
        if self._signed is None:
            raise RecordError("nothing is signed yet")
        return TileReader(directory(self._tiles.path), self._signed)

    def witness_request(self, held_size: int, note: bytes) -> AddCheckpoint:
        """The request that asks a witness which holds `held_size` to sign a note from `sign`."""
        size = parse_signed_checkpoint(note)[0].size
        proof = self.reader().consistency_proof(held_size, size)
        return AddCheckpoint(held_size, tuple(proof), note)

    def close(self) -> None:
        """Close the file."""
        with self._commit:
            self._entries.close()

    def _open(self, path: Path, tiles: Path) -> None:
        self.origin = self._entries.origin
        wrong = [key.name for key in self._keys if key.name != self.origin]
        if wrong:  # before anyone else is fenced out
            raise ValueError(f"the log is {self.origin!r}, its key is named {wrong[0]!r}")
        self._entries.take_over()
        self._tiles = TileWriter(tiles)
        self._signed = self._check_nothing_lost(path)
        if self._signed and self._root(self._signed.size) != self._signed.root:
            raise Forked(
                f"the {self._signed.size} entries here are not those that were signed",
                place=str(path),
            )

    def _write_waiting(self) -> None:
        with self._queue:
            batch, self._waiting = self._waiting, []
        try:
            self._check_fit()
            first = self.size
            self._entries.add([entry for each in batch for entry in each.entries])
        except BaseException as fault:
            self._stop(fault)
            for each in batch:
                each.fault = fault
            if not isinstance(fault, Exception):
                raise
            return
        for each in batch:
            each.numbers = range(first, first + len(each.entries))
            first += len(each.entries)

    def _grow_tiles(self) -> None:
        """Take what is on disk and not yet in the tiles."""
        at = self._tiles.size
        while at < self.size:
            at = self._tiles.append(self._entries.read(at, min(self.size, at + 16 * TILE_WIDTH)))

    def _root(self, size: int) -> bytes:
        """The root at a size that may be past what is published; nothing is written for it."""
        published = self._tiles.published
        reader = TileReader(directory(self._tiles.path), published) if published else None
        if reader and size <= reader.size:
            return reader.root(size)
        base = reader.size - reader.size % TILE_WIDTH if reader else 0
        fresh = Tree(map(leaf_hash, self._entries.read(base, size)))

        def hash_at(level: int, index: int) -> bytes:
            if reader and (index + 1) << level <= base:
                return reader.hash_at(level, index)
            if level <= TILE_HEIGHT and index << level >= base:
                return fresh.hash_at(level, index - (base >> level))
            return node_hash(hash_at(level - 1, 2 * index), hash_at(level - 1, 2 * index + 1))

        return root_at(hash_at, size)

    def _check_nothing_lost(self, path: Path) -> Checkpoint | None:
        note = self._entries.signed()
        signed = verify_checkpoint(note, self._keys) if note is not None else None
        published = self._tiles.published
        if published and published.origin != self.origin:
            raise Forked(f"the tiles are those of {published.origin}, not of {self.origin}")
        known = max((each.size for each in (signed, published) if each is not None), default=0)
        if known > self.size:
            raise Forked(
                f"{known} entries were signed, but only {self.size} are here",
                place=str(path),
                hint="`spotbeam record restore SOURCE` brings the rest back from the tiles or a "
                "mirror; never go on without them",
            )
        return signed

    def _stop(self, fault: BaseException) -> None:
        self._broken = self._broken or str(fault) or type(fault).__name__

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Whatever goes wrong here, the log does not go on."""
        try:
            yield
        except OSError as fault:
            self._stop(fault)
            raise RecordError(f"the log has stopped: {self._broken}", hint=_MEND) from fault
        except BaseException as fault:
            self._stop(fault)
            raise

    def _check_fit(self) -> None:
        if self._broken is not None:
            raise RecordError(f"the log has stopped: {self._broken}", hint=_MEND)
