"""Passkeys: what a browser answers, checked before anything is kept or sent.

A key that counts is bound to one device, verifies its user, and was made for a page that this
machine served on loopback. What a browser says is checked by the limited verification of WebAuthn
Level 2 section 5.8.1.2, as `apply` checks it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import sha256

import msgspec

from spotbeam.control.hand import Hand
from spotbeam.errors import Refused
from spotbeam.governance.entries.people import PasskeyKey, PasskeyProof
from spotbeam.governance.proofs import check_proof, key_digest
from spotbeam.governance.void import Void
from spotbeam.record.keys import encode_base64

RP_ID = "localhost"
_PRESENT, _VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP, _HAS_KEY, _HAS_EXTENSIONS = (
    0x01,
    0x04,
    0x08,
    0x10,
    0x40,
    0x80,
)
_KEY_LENGTHS = (77, 42)
_HEAD = 37
"""Bytes before the attested credential: hash of the relying party, flags, counter."""


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a browser answers when a passkey was made; all in base64."""

    client_data: str
    authenticator_data: str
    credential: str


def origin_at(port: int) -> str:
    """The origin of the page that this machine serves."""
    return f"http://localhost:{port}"


def registered(answer: Registration, challenge: bytes, origin: str) -> PasskeyKey:
    """The passkey that was made, as the roster holds it.

    Args:
        answer: What the browser said.
        challenge: What it was asked with.
        origin: Where the page was.

    Raises:
        Refused: It is no passkey that could count: another page or challenge, a user who was not
            verified, a key that can be copied, or an algorithm other than ES256 and Ed25519.
    """
    client, data, credential = (
        _decoded(each)
        for each in (answer.client_data, answer.authenticator_data, answer.credential)
    )
    begin = b'{"type":"webauthn.create","challenge":"%s","origin":"%s","crossOrigin":false' % (
        base64.urlsafe_b64encode(challenge).rstrip(b"="),
        origin.encode(),
    )
    if not client.startswith(begin) or client[len(begin) : len(begin) + 1] not in (b"}", b","):
        raise Refused("bad_passkey", "another page, or another challenge, made this key")
    if len(data) < _HEAD or data[:32] != sha256(RP_ID.encode()).digest():
        raise Refused("bad_passkey", "the key was made for another relying party")
    flags = data[32]
    if not flags & _PRESENT or not flags & _VERIFIED:
        raise Refused(
            "bad_passkey",
            "the device did not check who used it",
            hint="take a device with a PIN, a fingerprint or a face, and set it up first",
        )
    if flags & (_BACKUP_ELIGIBLE | _BACKED_UP):
        raise Refused(
            "bad_passkey",
            "the key can be copied to other devices, so that it does not stand for one",
            hint="take a security key, or a device whose passkeys are not synchronised",
        )
    key = PasskeyKey(
        cose=encode_base64(_cose(data, flags, credential)),
        credential=encode_base64(credential),
        rp_id=RP_ID,
        origins=(origin,),
    )
    try:
        key_digest(key)
    except Void as fault:
        raise Refused(fault.code, fault.reason) from None
    return key


def passkey_hand(
    person: str, key: PasskeyKey, ask: Callable[[PasskeyKey, bytes], PasskeyProof]
) -> Hand:
    """The hand of somebody who signs with a passkey.

    Args:
        person: Their id.
        key: Their passkey.
        ask: Shows a statement and has the passkey sign it.
    """

    def sign(text: bytes) -> PasskeyProof:
        proof = ask(key, text)
        demand_signed(key, proof, text)
        return proof

    return Hand(person, key_digest(key), sign)


def demand_signed(key: PasskeyKey, proof: PasskeyProof, text: bytes) -> None:
    """Check a passkey's answer as `apply` will.

    Raises:
        Refused: It does not hold, with the reason.
    """
    try:
        check_proof(key, proof, text)
    except Void as fault:
        raise Refused(fault.code, fault.reason) from None


def _cose(data: bytes, flags: int, credential: bytes) -> bytes:
    """The COSE key in attested credential data (WebAuthn Level 2 section 6.5.1)."""
    at = _HEAD + 16
    length = int.from_bytes(data[at : at + 2], "big")
    start = at + 2 + length
    if not flags & _HAS_KEY or data[at + 2 : start] != credential:
        raise Refused("bad_passkey", "the answer holds no new key, or that of another credential")
    key = data[start:]
    for size in _KEY_LENGTHS:
        # Extensions follow the key; without them it is what is left.
        if len(key) == size or (flags & _HAS_EXTENSIONS and len(key) > size and _fits(key, size)):
            return key[:size]
    raise Refused("bad_passkey", "the key is neither ES256 nor Ed25519 in canonical form")


def _fits(key: bytes, size: int) -> bool:
    return key[:1] == (b"\xa5" if size == _KEY_LENGTHS[0] else b"\xa4")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("bad_passkey", "the browser's answer is not base64") from None
