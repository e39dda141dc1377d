"""Cosignatures: a witness says when, and that this was the largest consistent tree it had seen.

C2SP tlog-cosignature v1.0.1 (Ed25519, type 0x04) and v1.1.0-rc (ML-DSA-44, type 0x06). Either is
a signature line over a checkpoint that begins with the witness's time, 64 bits of POSIX seconds.
A time of zero, or after the reader's own clock, is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import msgspec

from spotbeam.errors import BadSignature, MalformedRecord
from spotbeam.record import keys
from spotbeam.record.checkpoint import Checkpoint, format_checkpoint, parse_signed_checkpoint
from spotbeam.record.keys import Signer, VerifierKey
from spotbeam.record.note import Signature, verified_lines

_TIME = struct.Struct(">Q")
_SUBTREE_LABEL = b"subtree/v1\n\0"


class Cosignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A witness's verified word on a checkpoint.

    Args:
        key: The witness.
        time_s: When it signed, POSIX seconds.
    """

    key: VerifierKey
    time_s: int


def cosign(checkpoint: Checkpoint, signer: Signer, time_s: int) -> Signature:
    """The signature line of a witness on a checkpoint."""
    if not 0 < time_s <= 2**63 - 1:
        raise ValueError(f"a cosignature cannot be dated {time_s}")
    signed = signer.sign(_message(checkpoint, signer.key, time_s))
    return Signature(signer.key.name, signer.key.key_id, _TIME.pack(time_s) + signed)


def verify_cosignature(
    checkpoint: Checkpoint, line: Signature, key: VerifierKey, *, now_s: int | None
) -> Cosignature:
    """Check one cosignature by one witness.

    Args:
        checkpoint: What was signed.
        line: The witness's signature line.
        key: The witness's key, of type 0x04 or 0x06.
        now_s: The reader's clock; a later time is refused. Allow for its error before you call.
            None is for readers without a clock, such as a replay of an old record.

    Raises:
        BadSignature: The line is not this key's, does not verify, or is dated 0 or in the future.
        MalformedRecord: The line is not in the form of a cosignature.
    """
    if not line.is_by(key):
        raise BadSignature(f"the line of {line.name!r} is not by the key {key.name!r}")
    time_s = _time_of(line, key)
    if not time_s:
        raise BadSignature(f"the cosignature of {key.name!r} is dated 0")
    if time_s > 2**63 - 1:
        raise BadSignature(f"the cosignature of {key.name!r} is dated past any clock")
    if now_s is not None and time_s > now_s:
        raise BadSignature(
            f"the cosignature of {key.name!r} is dated {time_s - now_s} s in the future",
            hint="check this machine's clock",
        )
    key.check(_message(checkpoint, key, time_s), line.signature[_TIME.size :])
    return Cosignature(key, time_s)


def verify_cosignatures(
    data: bytes, witnesses: Iterable[VerifierKey], *, now_s: int | None
) -> list[Cosignature]:
    """Every cosignature on a checkpoint's note by the witnesses given; there may be none.

    One that verifies but is dated 0, or after `now_s`, does not count and is left out: else a
    single witness with a wrong clock could stop everybody. Whether the rest are enough is for a
    policy to say; whether the log itself signed is for `verify_checkpoint`.

    Raises:
        BadSignature: A line of one of these witnesses does not verify: the whole note falls.
        MalformedRecord: The bytes are not those of a checkpoint.
    """
    checkpoint, note = parse_signed_checkpoint(data)
    found: dict[VerifierKey, Cosignature] = {}

    def check(key: VerifierKey, line: Signature) -> None:
        time_s = _time_of(line, key)
        if 0 < time_s <= 2**63 - 1:
            verified = verify_cosignature(checkpoint, line, key, now_s=None)
            if now_s is None or time_s <= now_s:
                found.setdefault(key, verified)

    verified_lines(note, list(witnesses), check)
    return list(found.values())


def _time_of(line: Signature, key: VerifierKey) -> int:
    """The time a cosignature claims; nothing is verified."""
    if key.algorithm == keys.ED25519:
        raise ValueError("a cosignature is of type 0x04 or 0x06")
    if len(line.signature) != _TIME.size + keys.SIGNATURE_SIZES[key.algorithm]:
        raise MalformedRecord(f"the cosignature of {key.name!r} has the wrong length")
    return int.from_bytes(line.signature[: _TIME.size], "big")


def _message(checkpoint: Checkpoint, key: VerifierKey, time_s: int) -> bytes:
    """What a witness signs."""
    if key.algorithm == keys.COSIGNATURE_ED25519:
        return b"cosignature/v1\ntime %d\n" % time_s + format_checkpoint(checkpoint)
    if key.algorithm != keys.COSIGNATURE_MLDSA44:
        raise ValueError("a cosignature is of type 0x04 or 0x06")
    return b"".join(
        (
            _SUBTREE_LABEL,
            _short(key.name),
            _TIME.pack(time_s),
            _short(checkpoint.origin),
            _TIME.pack(0),
            _TIME.pack(checkpoint.size),
            checkpoint.root,
        )
    )


def _short(text: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise MalformedRecord(f"a name of {len(data)} bytes; ML-DSA cosignatures hold 1 to 255")
    return b"%c" % len(data) + data
