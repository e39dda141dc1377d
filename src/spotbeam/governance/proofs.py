"""Whether a person's key signed a statement: Ed25519 from a file or token, or a passkey.

A passkey signs `authenticatorData || SHA-256(clientDataJSON)`. The client data is checked by the
limited verification of WebAuthn Level 2 section 5.8.1.2: its beginning is compared byte for byte
with the only one that the serialisation of section 5.8.1.1 allows, and no JSON is parsed, so two
readers cannot read two things.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

from spotbeam.errors import MalformedRecord
from spotbeam.governance.entries.people import (
    FileKey,
    FileProof,
    Key,
    PasskeyKey,
    PasskeyProof,
    Proof,
)
from spotbeam.governance.void import Void, demand
from spotbeam.record.keys import decode_base64

_ES256 = bytes.fromhex("a5010203262001215820"), bytes.fromhex("225820")
_EDDSA = bytes.fromhex("a4010103272006215820")
_USER_PRESENT, _USER_VERIFIED, _BACKUP_ELIGIBLE, _BACKED_UP = 0x01, 0x04, 0x08, 0x10
_P = 2**255 - 19
# Points of order 1, 2, 4 and 8: any signature verifies under some of them. Their y coordinates;
# the sign bit is left out of the comparison, and y + p of the same points is refused as not
# canonical.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _P - 1,
        2707385501144840649318225287225658788936804267575313519463743609750303402022,
        55188659117513257062467267217118295137698188065244968500265048394206261417927,
    }
)


def key_digest(key: Key) -> str:
    """The name of a key: SHA-256 over its kind and its public bytes, in hexadecimal.

    Raises:
        Void: It is not a key that can be trusted.
    """
    if isinstance(key, FileKey):
        return sha256(b"ed25519\0" + _ed25519_public(_bytes(key.public))).hexdigest()
    return sha256(b"passkey\0" + _cose(key)[1]).hexdigest()


def check_proof(key: Key, proof: Proof, message: bytes) -> None:
    """Check that a key signed a statement.

    Raises:
        Void: It did not.
    """
    try:
        if isinstance(key, FileKey):
            demand(isinstance(proof, FileProof), "bad_signature", "this key signs as a file key")
            assert isinstance(proof, FileProof)
            _file_key(key.public).verify(_bytes(proof.signature), message)
        else:
            demand(isinstance(proof, PasskeyProof), "bad_signature", "this key is a passkey")
            assert isinstance(proof, PasskeyProof)
            _check_passkey(key, proof, message)
    except (InvalidSignature, ValueError):
        raise Void("bad_signature", "the signature does not verify") from None


def _check_passkey(key: PasskeyKey, proof: PasskeyProof, message: bytes) -> None:
    demand(proof.credential == key.credential, "bad_passkey", "another credential answered")
    data, client = _bytes(proof.authenticator_data), _bytes(proof.client_data)
    demand(len(data) >= 37, "bad_passkey", "the authenticator data is too short")
    demand(data[:32] == sha256(key.rp_id.encode()).digest(), "bad_passkey", "another relying party")
    flags = data[32]
    demand(flags & _USER_PRESENT, "bad_passkey", "the user was not present")
    demand(flags & _USER_VERIFIED, "bad_passkey", "the user was not verified")
    demand(not flags & (_BACKUP_ELIGIBLE | _BACKED_UP), "bad_passkey", "the key can be copied")
    challenge = base64.urlsafe_b64encode(sha256(message).digest()).rstrip(b"=")
    for origin in key.origins:
        begin = b'{"type":"webauthn.get","challenge":"%s","origin":"%s","crossOrigin":false' % (
            challenge,
            origin.encode(),
        )
        if client.startswith(begin) and client[len(begin) : len(begin) + 1] in (b"}", b","):
            break
    else:
        raise Void("bad_passkey", "another challenge, another page, or not this kind of answer")
    signed = data + sha256(client).digest()
    public, _ = _cose(key)
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(_bytes(proof.signature), signed, ec.ECDSA(SHA256()))
    else:
        public.verify(_bytes(proof.signature), signed)


def _cose(key: PasskeyKey) -> tuple[ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey, bytes]:
    """A COSE key in the one canonical form of its algorithm, and its bytes."""
    data = _bytes(key.cose)
    begin, middle = _ES256
    if len(data) == 77 and data.startswith(begin) and data[42:45] == middle:
        try:
            point = b"\x04" + data[10:42] + data[45:]
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), data
        except ValueError:
            raise Void("bad_key", "the passkey is not a point of P-256") from None
    if len(data) == 42 and data.startswith(_EDDSA):
        raw = _ed25519_public(data[10:])
        return ed25519.Ed25519PublicKey.from_public_bytes(raw), data
    raise Void("bad_key", "the passkey is neither ES256 nor Ed25519 in canonical COSE")


@lru_cache(maxsize=1_000)
def _file_key(text: str) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(_bytes(text))


def _ed25519_public(raw: bytes) -> bytes:
    demand(len(raw) == 32, "bad_key", "an Ed25519 key is 32 bytes")
    y = int.from_bytes(raw, "little") & ((1 << 255) - 1)
    demand(y < _P and y not in _SMALL_ORDER_Y, "bad_key", "the key is weak: anybody can sign as it")
    return raw


def _bytes(text: str) -> bytes:
    try:
        return decode_base64(text, "a field")
    except MalformedRecord:
        raise Void("malformed", "a field is not canonical base64") from None
