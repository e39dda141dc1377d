"""A witness: it signs a checkpoint only if it continues the one it signed before.

C2SP tlog-witness v1.0.0, as functions from bytes to bytes: a server adapter moves them. The
witness keeps one note a log, in a store that replaces it atomically and durably; that, and the
consistency proof, is why two views of a log cannot both find a quorum.

`sign-subtree`, which is optional there, is not offered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec

from spotbeam.errors import BadSignature, MalformedRecord, ProofMismatch, RecordError
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    parse_number,
    parse_signed_checkpoint,
)
from spotbeam.record.cosignature import cosign, verify_cosignature
from spotbeam.record.keys import Signer, VerifierKey
from spotbeam.record.note import Note, Signature, parse_note, parse_signatures, verify_note
from spotbeam.record.proof import parse_hash_lines

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


class CheckpointStore(Protocol):
    """Keeps one signed checkpoint a log. What it has replaced stays replaced, come what may."""

    def latest(self, origin: str) -> bytes | None:
        """The note kept for a log, or None."""

    def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
        """Put `new` in the place of `old`, on disk before it returns.

        Returns:
            False, and nothing is changed, where something else than `old` is kept by now.
        """


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An HTTP response without the HTTP.

    Args:
        status: The status code.
        body: The body.
        content_type: Its type.
        forked: Where the log signed another root for the size that is kept: its two notes.
    """

    status: int
    body: bytes = b""
    content_type: str = TEXT_TYPE
    forked: tuple[bytes, bytes] | None = None


class AddCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request to sign a checkpoint.

    Args:
        old_size: The size that the witness is thought to have signed last.
        proof: The consistency proof from there.
        checkpoint: The note, signed by its log.
    """

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        lines = [f"old {self.old_size}", *map(keys.encode_base64, self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint


class Witness:
    """Signs checkpoints of the logs it knows.

    Args:
        logs: The keys that may sign for each log, by origin.
        signers: The witness's own keys, of types 0x04 and 0x06. A mirror, which signs only what
            it holds, gives none here.
        store: Where the last checkpoint of each log is kept.
    """

    def __init__(
        self,
        logs: Mapping[str, Sequence[VerifierKey]],
        signers: Sequence[Signer],
        store: CheckpointStore,
    ) -> None:
        self._logs = {origin: tuple(known) for origin, known in logs.items()}
        self._signers = tuple(signers)
        self._store = store
        self._origin_of = {origin_hash(origin): origin for origin in logs}

    def know(self, key: VerifierKey) -> None:
        """Take in a log, or a further key of one; what is known stays known.

        Args:
            key: The log's key; its name is the log's origin.
        """
        trusted = self._logs.get(key.name, ())
        if key not in trusted:
            self._logs[key.name] = (*trusted, key)
            self._origin_of[origin_hash(key.name)] = key.name

    def add_checkpoint(self, body: bytes, *, now_s: int) -> Answer:
        """Answer `POST <prefix>/add-checkpoint`.

        Args:
            body: The request's body.
            now_s: The witness's clock, POSIX seconds.
        """
        try:
            request = parse_add_checkpoint(body)
            new, note = parse_signed_checkpoint(request.checkpoint)
        except MalformedRecord as fault:
            return _refused(400, fault)
        trusted = self._logs.get(new.origin)
        if trusted is None:
            return Answer(404, b"this log is not known here\n")
        try:
            signed = verify_note(request.checkpoint, trusted)
        except BadSignature as fault:
            return _refused(403, fault)
        if request.old_size > new.size:
            return Answer(400, b"the old size is larger than the checkpoint\n")
        while True:
            held_note = self._store.latest(new.origin)
            held = parse_signed_checkpoint(held_note)[0] if held_note else None
            if request.old_size != (held.size if held else 0):
                return _conflict(held)
            try:
                _check_follows(request, held, new)
            except ProofMismatch as fault:
                # With equal sizes no proof can be to blame: the log has signed two views.
                is_fork = held is not None and held_note and held.size == new.size
                forked = (held_note, request.checkpoint) if is_fork and held_note else None
                return _refused(422, fault, forked)
            if held_note and now_s < self._last_time_s(held_note):
                return Answer(503, b"the clock of this witness has gone backwards\n")
            lines = [cosign(new, signer, now_s) for signer in self._signers]
            kept = bytes(Note(note.text, (*signed.signatures, *lines)))
            if self._store.replace(new.origin, held_note, kept):
                return Answer(200, "".join(map(str, lines)).encode())
            # Another request came first: judge this one again by what is kept now.

    def checkpoint(self, hashed_origin: str) -> Answer:
        """Answer `GET <prefix>/<origin hash>/checkpoint`: how readers ask past a silent log."""
        origin = self._origin_of.get(hashed_origin)
        kept = self._store.latest(origin) if origin is not None else None
        return Answer(200, kept) if kept else Answer(404, b"nothing is signed for this log\n")

    def latest(self, origin: str) -> bytes | None:
        """The note last accepted for a log."""
        return self._store.latest(origin)

    def _last_time_s(self, held_note: bytes) -> int:
        checkpoint, note = parse_signed_checkpoint(held_note)
        times = [
            verify_cosignature(checkpoint, line, signer.key, now_s=None).time_s
            for signer in self._signers
            for line in note.signatures
            if line.is_by(signer.key)
        ]
        return max(times, default=0)


class Witnessing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a witness answered to a log.

    Args:
        cosignatures: Its verified signature lines, to be added to the checkpoint.
        held_size: Where it holds another size than was thought: that size. Then there are none.
    """

    cosignatures: tuple[Signature, ...] = ()
    held_size: int | None = None


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Read a request to sign a checkpoint.

    Raises:
        MalformedRecord: It is not in the one form it may have.
    """
    head, blank, checkpoint = body.partition(b"\n\n")
    if not blank:
        raise MalformedRecord("the request has no empty line before its checkpoint")
    try:
        first, *proof = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise MalformedRecord("the request's first lines are not ASCII") from None
    if not first.startswith("old "):
        raise MalformedRecord("the request does not begin with the old size")
    old_size = parse_number(first.removeprefix("old "), "the old size")
    return AddCheckpoint(old_size, parse_hash_lines(proof), checkpoint)


def read_witness_answer(
    status: int, body: bytes, checkpoint: bytes, witness: Iterable[VerifierKey], *, now_s: int
) -> Witnessing:
    """Read what a witness answered to a checkpoint that it was asked to sign.

    Lines of keys that are not the witness's are dropped.

    Args:
        status: The HTTP status of the answer.
        body: The answer's body.
        checkpoint: The note that was sent.
        witness: The witness's keys.
        now_s: The log's clock; a cosignature after it is refused.

    Raises:
        RecordError: The witness refused, with the words it gave.
        BadSignature: It has answered with a signature that does not hold.
        MalformedRecord: Its answer is not in the one form it may have.
    """
    if status == 409:
        text = body.decode("ascii", errors="replace")
        if not text.endswith("\n"):
            raise MalformedRecord("the size that the witness holds does not end in a newline")
        return Witnessing(held_size=parse_number(text[:-1], "the size that the witness holds"))
    if status != 200:
        raise RecordError(f"the witness refused ({status}): {body[:200].decode(errors='replace')}")
    if not body:
        return Witnessing()
    read = parse_checkpoint(parse_note(checkpoint).text)
    known = list(witness)
    lines = []
    for line in parse_signatures(body):
        for key in known:
            if line.is_by(key):
                verify_cosignature(read, line, key, now_s=now_s)
                lines.append(line)
    return Witnessing(tuple(lines))


def origin_hash(origin: str) -> str:
    """How a log is named in the paths of witnesses and mirrors."""
    return sha256(origin.encode()).hexdigest()


def _check_follows(request: AddCheckpoint, held: Checkpoint | None, new: Checkpoint) -> None:
    if not new.size and new.root != merkle.EMPTY_ROOT:
        raise ProofMismatch("the root of the empty tree is wrong")
    old_root = held.root if held else merkle.EMPTY_ROOT
    merkle.verify_consistency(request.old_size, new.size, old_root, new.root, request.proof)


def _conflict(held: Checkpoint | None) -> Answer:
    return Answer(409, b"%d\n" % (held.size if held else 0), SIZE_TYPE)


def _refused(status: int, fault: RecordError, forked: tuple[bytes, bytes] | None = None) -> Answer:
    return Answer(status, f"{fault.message}\n".encode(errors="replace"), forked=forked)
