"""Signed notes, strictly as C2SP signed-note v1.0.0 has them.

    text, one or more lines
                                     <- the last empty line
    — <key name> base64(4-byte key id, signature)

A note's bytes can be read in one way only: anything else is refused. What a signature of types
0x04 and 0x06 is made over is in `cosignature`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from spotbeam.errors import BadSignature, MalformedRecord
from spotbeam.record import keys
from spotbeam.record.keys import Signer, VerifierKey

MAX_SIZE = 1_000_000
"""No longer note is read. Go's `sumdb/note` stops at the same number."""
MAX_SIGNATURES = 100
"""No more signature lines are read; the specification asks for at least 16."""
_DASH = "— "
_NOT_CONTROL = b"\n" + bytes(range(0x20, 0x100))


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature line: who claims to have signed, and what they wrote."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {keys.encode_base64(self.key_id + self.signature)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether the line names this key: its name and its id, not one of them."""
        return self.name == key.name and self.key_id == key.key_id


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A note as it was read: nothing in it is verified."""

    text: bytes
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return self.text + b"\n" + "".join(map(str, self.signatures)).encode()


def parse_note(data: bytes) -> Note:
    """Read a note without verifying it.

    Raises:
        MalformedRecord: The bytes are not those of a note.
    """
    if len(data) > MAX_SIZE:
        raise MalformedRecord(f"a note of {len(data):,} bytes; at most {MAX_SIZE:,} are read")
    text, blank, rest = data.rpartition(b"\n\n")
    if not blank:
        raise MalformedRecord("the note has no empty line before its signatures")
    body = text + b"\n"
    _check_text(body)
    return Note(body, parse_signatures(rest))


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Read one or more signature lines, as at the end of a note or in a witness's answer.

    Raises:
        MalformedRecord: A line is not that of a signature, or there is none.
    """
    if not data.endswith(b"\n"):
        raise MalformedRecord("the signatures do not end in a newline")
    _check_text(data)
    lines = data[:-1].decode().split("\n")  # not splitlines, which splits on much else
    if len(lines) > MAX_SIGNATURES:
        raise MalformedRecord(f"{len(lines)} signatures; at most {MAX_SIGNATURES} are read")
    return tuple(_parse_line(line, number) for number, line in enumerate(lines, 1))


def verify_note(data: bytes, trusted: Iterable[VerifierKey]) -> Note:
    """Check a note that a log signed: every line of a trusted key must verify, and one must exist.

    Lines of other keys are ignored, as the specification asks. Only keys of type 0x01 can be
    trusted here; cosignatures say when, and are checked by `verify_cosignatures`.

    Returns:
        The note with the verified signatures only, each key once.

    Raises:
        MalformedRecord: The bytes are not those of a note.
        BadSignature: A line of a trusted key does not verify, or there is none.
    """
    note = parse_note(data)
    chosen = list(trusted)
    if any(key.algorithm != keys.ED25519 for key in chosen):
        raise ValueError("a note is verified with keys of type 0x01")
    verified = verified_lines(note, chosen, lambda key, line: key.check(note.text, line.signature))
    if not verified:
        raise BadSignature("no trusted key has signed the note", hint=_who(note.signatures, chosen))
    return Note(note.text, tuple(line for _, line in verified))


def sign_note(text: bytes, signers: Iterable[Signer], others: Sequence[Signature] = ()) -> bytes:
    """Sign a text, after the signatures of others.

    Raises:
        MalformedRecord: The text cannot be a note's.
    """
    _check_text(text)
    mine = []
    for signer in signers:
        if signer.key.algorithm != keys.ED25519:
            raise ValueError("a note is signed with keys of type 0x01")
        mine.append(Signature(signer.key.name, signer.key.key_id, signer.sign(text)))
    kept = [
        line
        for line in others
        if not any((line.name, line.key_id) == (new.name, new.key_id) for new in mine)
    ]
    lines = (*kept, *mine)
    if not lines:
        raise ValueError("a note needs a signature")
    return bytes(Note(text, lines))


def add_signatures(data: bytes, more: Iterable[Signature]) -> bytes:
    """The same note with more signature lines: a line of the same key is replaced."""
    note = parse_note(data)
    lines = {(line.name, line.key_id): line for line in note.signatures}
    lines.update({(line.name, line.key_id): line for line in more})
    return bytes(Note(note.text, tuple(lines.values())))


def verified_lines(
    note: Note,
    trusted: Sequence[VerifierKey],
    check: Callable[[VerifierKey, Signature], object],
) -> list[tuple[VerifierKey, Signature]]:
    """The lines of trusted keys, each checked; a second line of one key is checked and dropped.

    Raises:
        BadSignature: A line of a trusted key does not verify: the whole note falls.
        ValueError: Two trusted keys share name and id, so that a line could be either's.
    """
    by_id = {(key.name, key.key_id): key for key in trusted}
    if len(by_id) != len(set(trusted)):
        raise ValueError("two trusted keys share a name and an id")
    found: dict[VerifierKey, Signature] = {}
    for line in note.signatures:
        key = by_id.get((line.name, line.key_id))
        if key is not None:
            check(key, line)
            found.setdefault(key, line)
    return list(found.items())


def _parse_line(line: str, number: int) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise MalformedRecord("not a signature line", place=f"signature {number}")
    keys.check_key_name(name)
    material = keys.decode_base64(encoded, f"signature {number}")
    if len(material) < 5:
        raise MalformedRecord("too short for a signature", place=f"signature {number}")
    return Signature(name, material[:4], material[4:])


def _check_text(text: bytes) -> None:
    """A note's text: UTF-8 that ends in a newline, no other control character below U+0020."""
    if not text.endswith(b"\n"):
        raise MalformedRecord("the text of a note ends in a newline")
    if len(text) > MAX_SIZE:
        raise MalformedRecord(f"a text of {len(text):,} bytes; at most {MAX_SIZE:,} are read")
    try:
        text.decode()
    except UnicodeDecodeError as fault:
        raise MalformedRecord(f"not UTF-8 at byte {fault.start}") from None
    found = text.translate(None, _NOT_CONTROL)
    if found:
        raise MalformedRecord(f"the control character 0x{found[0]:02x} is not allowed in a note")


def _who(found: Sequence[Signature], wanted: Sequence[VerifierKey]) -> str:
    signed = ", ".join(f"{line.name} ({line.key_id.hex()})" for line in found)
    return f"signed by {signed}; trusted: " + (
        ", ".join(f"{key.name} ({key.key_id.hex()})" for key in wanted) or "nobody"
    )
