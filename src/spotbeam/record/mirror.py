"""A mirror: it signs a checkpoint only once it holds, and serves, every entry under it.

C2SP tlog-mirror, the draft of the commit named in docs/record-formats.md. A client first moves
the *pending* checkpoint (`add-checkpoint`, as of a witness, but nothing is signed), then uploads
entries (`add-entries`) in packages aligned with entry bundles, each with a proof of its own.

What this mirror chooses where the draft leaves it open: it accepts the pending and the mirror
checkpoint as `upload_end` and needs no ticket; it asks again for entries of finished bundles;
after a restart the next entry is that of the mirror checkpoint.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from spotbeam.errors import MalformedRecord, ProofMismatch, RecordError
from spotbeam.record import disk, keys, merkle
from spotbeam.record.checkpoint import (
    Checkpoint,
    parse_number,
    parse_signed_checkpoint,
)
from spotbeam.record.cosignature import cosign, verify_cosignature
from spotbeam.record.keys import Signer, VerifierKey
from spotbeam.record.merkle import HASH_SIZE, leaf_hash
from spotbeam.record.note import Note, Signature, add_signatures, parse_note
from spotbeam.record.tile_reader import directory
from spotbeam.record.tile_writer import TileWriter
from spotbeam.record.tiles import CHECKPOINT_PATH, TILE_WIDTH, encode_bundle
from spotbeam.record.witness import (
    Answer,
    CheckpointStore,
    Witness,
    origin_hash,
    parse_add_checkpoint,
)

INFO_TYPE = "text/x.tlog.mirror-info"
MAX_PACKAGES = 32
"""Packages that a client puts in one request, as the draft advises."""
MAX_REQUEST = 8 * 2**20
"""After so many bytes a client begins another request, so that neither side holds much of one."""
MAX_PROOF_HASHES = 63
SKEW_S = 30
"""How far another cosigner's clock may be ahead of the mirror's."""


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entries of one bundle, and the proof that they belong under the pending checkpoint."""

    start: int
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]


class Upload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of an `add-entries` request, and where its packages begin."""

    origin: str
    start: int
    end: int
    ticket: bytes
    at: int


class MirrorInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a mirror stands: what a client goes on from."""

    pending_size: int
    next_entry: int
    ticket: bytes = b""

    def __bytes__(self) -> bytes:
        ticket = keys.encode_base64(self.ticket)
        return f"{self.pending_size}\n{self.next_entry}\n{ticket}\n".encode()


class Mirror:
    """Keeps copies of logs as static tiles, one folder a log, named by the hash of its origin.

    Args:
        logs: The keys that may sign for each log, by origin.
        signers: The mirror's own keys, of types 0x04 and 0x06: not those of a witness.
        store: Where the pending checkpoint of each log is kept.
        path: The folder under which the copies lie, for any file server to publish.
        others: The keys of other cosigners of a log, by origin. Whoever has their signatures may
            bring them (`add_checkpoint`, for what is mirrored already); those that verify are
            served too, so that a reader finds a whole quorum at the mirror.
    """

    def __init__(
        self,
        logs: Mapping[str, Sequence[VerifierKey]],
        signers: Sequence[Signer],
        store: CheckpointStore,
        path: Path,
        others: Callable[[str], Iterable[VerifierKey]] = lambda origin: (),
    ) -> None:
        self._others = others
        self._pending = Witness(logs, (), store)
        self._signers = tuple(signers)
        self._path = path
        self._writers: dict[str, TileWriter] = {}
        self._locks = {origin: threading.Lock() for origin in logs}

    def know(self, key: VerifierKey) -> None:
        """Take in a log, or a further key of one; what is known stays known.

        Args:
            key: The log's key; its name is the log's origin.
        """
        self._locks.setdefault(key.name, threading.Lock())
        self._pending.know(key)

    def add_checkpoint(self, body: bytes, *, now_s: int) -> Answer:
        """Answer `POST <prefix>/add-checkpoint`: what is pending moves; nothing is signed."""
        answer = self._pending.add_checkpoint(body, now_s=now_s)
        if answer.status == 200:
            self._keep_others(parse_add_checkpoint(body).checkpoint, now_s)
        return answer

    def add_entries(self, body: bytes, *, now_s: int) -> Answer:
        """Answer `POST <prefix>/add-entries`.

        Args:
            body: The request's body, decompressed.
            now_s: The mirror's clock, POSIX seconds.
        """
        try:
            upload = parse_upload(body)
        except MalformedRecord as fault:
            return Answer(400, f"{fault.message}\n".encode())
        lock = self._locks.get(upload.origin)
        if lock is None:
            return Answer(404, b"this log is not known here\n")
        with lock:
            try:
                return self._take(upload, body, now_s)
            except BaseException:
                # What the writer holds in memory may be half done: read it again from disk.
                self._writers.pop(upload.origin, None)
                raise

    def checkpoint(self, hashed_origin: str) -> Answer:
        """Answer `GET <prefix>/<origin hash>/checkpoint`, for those without a file server."""
        known = hashed_origin in {origin_hash(origin) for origin in tuple(self._locks)}
        kept = directory(self._path / hashed_origin)(CHECKPOINT_PATH) if known else None
        return Answer(200, kept) if kept else Answer(404, b"nothing is mirrored of this log\n")

    def folder(self, origin: str) -> Path:
        """Where the copy of a log lies."""
        return self._path / origin_hash(origin)

    def _take(self, upload: Upload, body: bytes, now_s: int) -> Answer:
        pending_note = self._pending.latest(upload.origin)
        if pending_note is None:
            return Answer(422, b"no checkpoint of this log is pending\n")
        writer = self._writers.get(upload.origin)
        if writer is None:
            writer = self._writers[upload.origin] = TileWriter(self.folder(upload.origin))
        pending, note = parse_signed_checkpoint(pending_note)
        if upload.end != pending.size:
            published = directory(self.folder(upload.origin))(CHECKPOINT_PATH)
            if published is None or writer.published is None:
                return _info(409, pending, writer)
            if upload.end != writer.published.size:
                return _info(409, pending, writer)
            pending, note = parse_signed_checkpoint(published)
            if upload.start != upload.end:  # all of it is here: nothing is to be uploaded
                return _info(409, pending, writer)
        first_kept = writer.size - writer.size % TILE_WIDTH
        if upload.start > writer.size or upload.start < min(first_kept, upload.end):
            return _info(409, pending, writer)
        fault = self._append(upload, body, pending, writer)
        if fault:
            return fault
        return self._sign(pending, note, writer, now_s)

    def _append(
        self, upload: Upload, body: bytes, pending: Checkpoint, writer: TileWriter
    ) -> Answer | None:
        """Append what the packages hold; an answer where that is not all there should be."""
        at, start = upload.at, upload.start
        while start < upload.end:
            try:
                package, at = _parse_package(body, at, start, upload.end)
            except MalformedRecord as fault:
                if start > upload.start:
                    return _info(202, pending, writer)
                return Answer(400, f"{fault.message}\n".encode())
            rounded = start - start % TILE_WIDTH
            end = start + len(package.entries)
            leaves = [writer.hash_at(0, index) for index in range(rounded, start)]
            leaves += map(leaf_hash, package.entries)
            try:
                merkle.verify_subtree(
                    rounded,
                    end,
                    pending.size,
                    merkle.root_hash(leaves),
                    pending.root,
                    package.proof,
                )
            except ProofMismatch as fault:
                return Answer(422, f"{fault.message}\n".encode())
            writer.append(package.entries[max(writer.size - start, 0) :])
            start = end
        if at != len(body):
            return Answer(400, b"the request goes on after its last package\n")
        return None

    def _sign(self, pending: Checkpoint, note: Note, writer: TileWriter, now_s: int) -> Answer:
        lines = [cosign(pending, signer, now_s) for signer in self._signers]
        mine = {(signer.key.name, signer.key.key_id) for signer in self._signers}
        kept = [line for line in note.signatures if (line.name, line.key_id) not in mine]
        signed = bytes(Note(note.text, (*kept, *lines)))
        before = directory(self.folder(pending.origin))(CHECKPOINT_PATH)
        if before is not None and parse_note(before).text == note.text:
            signed = add_signatures(before, parse_note(signed).signatures)
        if pending.size == writer.size:
            writer.flush()
            writer.publish(signed)
        # Otherwise entries past the mirror checkpoint are already here; the checkpoint that is
        # published keeps its signature, and only the answer carries the fresh one.
        return Answer(200, "".join(map(str, lines)).encode())

    def _keep_others(self, data: bytes, now_s: int) -> None:
        """Publish what others have signed of the checkpoint that is mirrored, if this holds it."""
        checkpoint, note = parse_signed_checkpoint(data)
        folder = self.folder(checkpoint.origin)
        with self._locks[checkpoint.origin]:
            published = directory(folder)(CHECKPOINT_PATH)
            if published is None or parse_note(published).text != note.text:
                return
            known = set(self._others(checkpoint.origin)) - {each.key for each in self._signers}
            fresh = newer_lines(checkpoint, parse_note(published), note, known, now_s)
            if fresh:
                disk.replace(folder / CHECKPOINT_PATH, add_signatures(published, fresh))


def newer_lines(
    checkpoint: Checkpoint, held: Note, brought: Note, known: Iterable[VerifierKey], now_s: int
) -> list[Signature]:
    """Cosignatures that verify and are newer than the same cosigner's that are held.

    Lines that do not verify are left out: anybody may bring them.
    """
    found = []
    for key in known:
        times: list[tuple[int, Signature | None]] = [(0, None)]
        for lines, is_new in ((held.signatures, False), (brought.signatures, True)):
            for line in lines:
                with contextlib.suppress(RecordError):
                    if line.is_by(key):
                        word = verify_cosignature(checkpoint, line, key, now_s=now_s + SKEW_S)
                        times.append((word.time_s, line if is_new else None))
        newest = max(times, key=lambda each: each[0])[1]
        if newest is not None:
            found.append(newest)
    return found


def add_entries_requests(
    origin: str,
    start: int,
    end: int,
    entries: Callable[[int, int], Iterable[bytes]],
    proof: Callable[[int, int, int], Sequence[bytes]],
    ticket: bytes = b"",
) -> Iterable[bytes]:
    """The bodies that upload the entries `[start, end)` to a mirror, at most 32 packages each.

    Args:
        origin: The log.
        start: The next entry that the mirror wants.
        end: The size of its pending checkpoint.
        entries: The entries of a range.
        proof: The subtree consistency proof of `[start, end)` to a size: `Tree.subtree_proof`.
        ticket: What the mirror gave with its last answer.
    """
    at = start
    while True:
        parts = [_head(origin, at, end, ticket)]
        for _ in range(MAX_PACKAGES):
            if at == end or sum(map(len, parts)) > MAX_REQUEST:
                break
            rounded = at - at % TILE_WIDTH
            stop = min(end, rounded + TILE_WIDTH)
            hashes = proof(rounded, stop, end)
            parts.append(encode_bundle(entries(at, stop)))
            parts.append(b"%c" % len(hashes) + b"".join(hashes))
            at = stop
        yield b"".join(parts)
        if at == end:
            return


def parse_upload(body: bytes) -> Upload:
    """Read the head of an `add-entries` request.

    Raises:
        MalformedRecord: It ends too early, or its numbers make no range.
    """
    name, at = _take_bytes(body, 0, 2)
    start, end = (int.from_bytes(body[at + skip : at + skip + 8], "big") for skip in (0, 8))
    ticket, done = _take_bytes(body, at + 16, 2)
    if not start <= end <= merkle.MAX_SIZE:
        raise MalformedRecord(f"[{start}, {end}) is not a range of entries")
    try:
        return Upload(name.decode(), start, end, ticket, done)
    except UnicodeDecodeError:
        raise MalformedRecord("the origin is not UTF-8") from None


def parse_mirror_info(body: bytes) -> MirrorInfo:
    """Read where a mirror stands, from an answer with status 202 or 409.

    Raises:
        MalformedRecord: It is not three lines in the one form they may have.
    """
    lines = body.decode("ascii", errors="replace").split("\n")
    if len(lines) != 4 or lines[3]:
        raise MalformedRecord("what the mirror says of itself is not three lines")
    return MirrorInfo(
        parse_number(lines[0], "the pending size"),
        parse_number(lines[1], "the next entry"),
        keys.decode_base64(lines[2], "the ticket"),
    )


def _parse_package(body: bytes, at: int, start: int, end: int) -> tuple[Package, int]:
    stop = min(end, start - start % TILE_WIDTH + TILE_WIDTH)
    entries = []
    for _ in range(start, stop):
        entry, at = _take_bytes(body, at, 2)
        entries.append(entry)
    proof, at = _take_bytes(body, at, 1, HASH_SIZE)
    if len(proof) > MAX_PROOF_HASHES * HASH_SIZE:
        raise MalformedRecord(f"a proof has at most {MAX_PROOF_HASHES} hashes")
    hashes = tuple(proof[i : i + HASH_SIZE] for i in range(0, len(proof), HASH_SIZE))
    return Package(start, tuple(entries), hashes), at


def _take_bytes(body: bytes, at: int, length_size: int, unit: int = 1) -> tuple[bytes, int]:
    begin = at + length_size
    end = begin + unit * int.from_bytes(body[at:begin], "big")
    if begin > len(body) or end > len(body):
        raise MalformedRecord("the request ends too early")
    return body[begin:end], end


def _head(origin: str, start: int, end: int, ticket: bytes) -> bytes:
    name = origin.encode()
    return b"".join(
        (
            len(name).to_bytes(2, "big"),
            name,
            start.to_bytes(8, "big"),
            end.to_bytes(8, "big"),
            len(ticket).to_bytes(2, "big"),
            ticket,
        )
    )


def _info(status: int, pending: Checkpoint, writer: TileWriter) -> Answer:
    return Answer(status, bytes(MirrorInfo(pending.size, writer.size)), INFO_TYPE)
