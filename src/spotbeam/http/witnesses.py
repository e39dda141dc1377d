"""Ask a witness to sign, and fill a mirror until it does: the other half of their servers."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from spotbeam.control.cosigning import Disputed, Party
from spotbeam.errors import InputError, RecordError, SpotbeamError
from spotbeam.http.client import Response, check_url, fetch_from, post
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.mirror import add_entries_requests, parse_mirror_info
from spotbeam.record.note import Signature
from spotbeam.record.tile_reader import TileReader
from spotbeam.record.tiles import CHECKPOINT_PATH
from spotbeam.record.witness import (
    TEXT_TYPE,
    AddCheckpoint,
    Witnessing,
    origin_hash,
    read_witness_answer,
)

SKEW_S = 30
"""How far the witness's clock may be ahead of this machine's."""
_ROUNDS = 4
"""How often a witness may say that it stands elsewhere than was thought before we give up."""
_COMPRESS_OVER = 4_096


class WitnessClient:
    """One witness or mirror, as a log talks to it.

    Args:
        party: Its URL, and the keys under which it signs.
        origin: The log.
        now_s: This machine's clock, POSIX seconds.
        timeout_s: How long it may be silent.

    Raises:
        InputError: It has no URL, or one that cannot be asked.
    """

    def __init__(
        self, party: Party, origin: str, now_s: Callable[[], int], *, timeout_s: float = 10.0
    ) -> None:
        if party.url is None:
            raise InputError(
                "the witness policy does not say where this witness is",
                hint="witness <name> <verifier key> <url>",
            )
        self._url = check_url(party.url)
        self._party = party
        self._origin = origin
        self._now_s = now_s
        self._timeout_s = timeout_s
        self._held_size = 0
        self._next_entry = 0

    def latest(self) -> bytes | None:
        """The note that it signed last for this log, or None where it never did.

        Raises:
            Unreachable: It did not say.
        """
        prefix = f"{self._url}/{origin_hash(self._origin)}"
        note = fetch_from(prefix, timeout_s=self._timeout_s)(CHECKPOINT_PATH)
        if note is not None:
            self._held_size = self._next_entry = parse_signed_checkpoint(note)[0].size
        return note

    def cosign(self, note: bytes, tree: TileReader) -> tuple[Signature, ...]:
        """Its verified signature lines on a note that the log has signed.

        Raises:
            Disputed: It holds more, or something else, of this log.
            RecordError: It refused, or its signature does not hold.
            Unreachable: It did not answer as it must.
        """
        size = parse_signed_checkpoint(note)[0].size
        if not self._party.is_mirror:
            lines = self._add_checkpoint(note, size, tree)
        else:
            if self._held_size != size:
                self._add_checkpoint(note, size, tree)
            lines = self._add_entries(note, size, tree)
        if not lines:
            raise RecordError("it has not signed with the key that the policy names")
        return lines

    def show(self, note: bytes) -> None:
        """Bring a mirror the signatures of the others on what it has signed last.

        Raises:
            RecordError: It has gone on, or does not take it.
            Unreachable: It did not answer.
        """
        size = parse_signed_checkpoint(note)[0].size
        body = bytes(AddCheckpoint(size, (), note))
        answer = self._post("add-checkpoint", body, TEXT_TYPE)
        if answer.status != 200:
            raise RecordError(f"it did not take the signatures of others ({answer.status})")

    def _add_checkpoint(self, note: bytes, size: int, tree: TileReader) -> tuple[Signature, ...]:
        for _ in range(_ROUNDS):
            if self._held_size > size:
                raise self._disputed(f"it holds {self._held_size} entries, more than {size}")
            proof = tuple(tree.consistency_proof(self._held_size, size)) if self._held_size else ()
            body = bytes(AddCheckpoint(self._held_size, proof, note))
            answer = self._post("add-checkpoint", body, TEXT_TYPE)
            if answer.status == 422:
                raise self._disputed(f"it refuses the checkpoint: {_words(answer)}")
            read = self._read(answer, note)
            if read.held_size is None:
                self._held_size = size
                return read.cosignatures
            self._held_size = read.held_size
        raise RecordError("the witness says each time that it holds another size")

    def _add_entries(self, note: bytes, size: int, tree: TileReader) -> tuple[Signature, ...]:
        ticket = b""
        stuck = 0
        self._next_entry = min(self._next_entry, size)
        while stuck < _ROUNDS:
            requests = add_entries_requests(
                self._origin, self._next_entry, size, tree.entries, tree.subtree_proof, ticket
            )
            answer = self._post("add-entries", next(iter(requests)), "application/octet-stream")
            if answer.status not in (202, 409):
                lines = self._read(answer, note).cosignatures
                self._next_entry = size
                return lines
            info = parse_mirror_info(answer.body)
            ticket = info.ticket
            if info.pending_size > size:
                raise self._disputed(f"{info.pending_size} entries are pending there, not {size}")
            if info.pending_size < size:
                self._held_size = info.pending_size
                self._add_checkpoint(note, size, tree)
            stuck = 0 if self._next_entry < info.next_entry <= size else stuck + 1
            self._next_entry = min(info.next_entry, size)
        raise RecordError("the mirror takes no further entries, and does not sign either")

    def _post(self, what: str, body: bytes, kind: str) -> Response:
        headers = {"Content-Type": kind}
        if len(body) > _COMPRESS_OVER:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return post(f"{self._url}/{what}", body, headers, timeout_s=self._timeout_s)

    def _read(self, answer: Response, note: bytes) -> Witnessing:
        now_s = self._now_s() + SKEW_S
        return read_witness_answer(answer.status, answer.body, note, self._party.keys, now_s=now_s)

    def _disputed(self, message: str) -> Disputed:
        """The fault, with what the witness serves of this log: only that can show a fork."""
        self._held_size = self._next_entry = 0
        try:
            held = fetch_from(
                f"{self._url}/{origin_hash(self._origin)}", timeout_s=self._timeout_s
            )(CHECKPOINT_PATH)
        except SpotbeamError:
            held = None
        return Disputed(message, held)


def connect_to(
    origin: str, now_s: Callable[[], int], *, timeout_s: float = 10.0
) -> Callable[[Party], WitnessClient]:
    """How a log talks to its witnesses over HTTP, for a `Sequencer`."""
    return lambda party: WitnessClient(party, origin, now_s, timeout_s=timeout_s)


def _words(answer: Response) -> str:
    return ascii(answer.body[:200].decode(errors="replace").strip())[1:-1]
