"""Verifier keys, signer keys and who may sign: the text forms of C2SP signed-note.

    verifier key   <name>+<key id, 8 hex digits>+<base64 of type byte and public key>
    signer key     PRIVATE+KEY+<name>+<key id>+<base64 of type byte and 32-byte seed>

The signer key's form is that of Go's `sumdb/note`; with the types 0x04 and 0x06 it is our own
extension of it (the seed of an ML-DSA-44 key is the 32-byte ξ of FIPS 204).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
)

from spotbeam.errors import BadSignature, MalformedRecord, RecordError

ED25519 = 0x01
"""Plain Ed25519 over the note's text: how a log signs."""
COSIGNATURE_ED25519 = 0x04
"""Timestamped Ed25519 cosignature of a checkpoint."""
COSIGNATURE_MLDSA44 = 0x06
"""Timestamped ML-DSA-44 cosignature of a checkpoint or subtree (FIPS 204)."""

KEY_SIZES = {ED25519: 32, COSIGNATURE_ED25519: 32, COSIGNATURE_MLDSA44: 1312}
SIGNATURE_SIZES = {ED25519: 64, COSIGNATURE_ED25519: 64, COSIGNATURE_MLDSA44: 2420}
_SEED_SIZE = 32
_FIELD = 2**255 - 19
# The y of the points whose order divides 8 (RFC 8032 section 5.1): with such a "public key" some
# signature holds for any message, so that everybody, and nobody, has signed.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD - 1,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)
_ID = re.compile(r"[0-9a-f]{8}\Z", re.ASCII)


class VerifierKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key with the name and type under which it signs notes."""

    name: str
    algorithm: int
    public_key: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        size = KEY_SIZES.get(self.algorithm)
        if size is None:
            raise MalformedRecord(
                f"the key of {self.name!r} has the unknown type 0x{self.algorithm:02x}",
                hint="known types: 0x01, 0x04 (Ed25519) and 0x06 (ML-DSA-44)",
            )
        if len(self.public_key) != size:
            raise MalformedRecord(
                f"the key of {self.name!r} has {len(self.public_key)} bytes; this type has {size}"
            )
        if self.algorithm != COSIGNATURE_MLDSA44:
            y = int.from_bytes(self.public_key, "little") & (2**255 - 1)
            if y >= _FIELD or y in _SMALL_ORDER_Y:
                raise MalformedRecord(f"the key of {self.name!r} is one that anybody can sign for")

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, say which key signed."""
        marked = b"%s\n%c" % (self.name.encode(), self.algorithm)
        return sha256(marked + self.public_key).digest()[:4]

    def __str__(self) -> str:
        material = b"%c" % self.algorithm + self.public_key
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(material)}"

    def check(self, message: bytes, signature: bytes) -> None:
        """Check a bare signature of this key over `message`.

        Raises:
            BadSignature: It does not verify.
        """
        try:
            if self.algorithm == COSIGNATURE_MLDSA44:
                MLDSA44PublicKey.from_public_bytes(self.public_key).verify(signature, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise BadSignature(f"the signature of {self.name!r} does not verify") from None
        except UnsupportedAlgorithm as fault:
            raise RecordError(
                f"the signature of {self.name!r} cannot be checked here: {fault}",
                hint="the cryptography package was built without ML-DSA",
            ) from None


class Signer(msgspec.Struct, frozen=True, eq=False):
    """A key that can sign: the private half may be a file, a token or another process.

    Args:
        key: The public half, as verifiers know it.
        sign: A bare signature over the bytes given.
    """

    key: VerifierKey
    sign: Callable[[bytes], bytes]


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a verifier key, and refuse it when its id does not belong to it.

    Raises:
        MalformedRecord: It is not in the one form it may have.
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not _ID.match(parts[1]):
        raise MalformedRecord(f"not a verifier key: {_shown(text)}", hint="<name>+<id>+<base64>")
    name, key_id, encoded = parts
    material = decode_base64(encoded, f"the verifier key of {name!r}")
    if not material:
        raise MalformedRecord(f"the verifier key of {name!r} is empty")
    key = VerifierKey(name, material[0], material[1:])
    if key.key_id.hex() != key_id:
        raise MalformedRecord(f"the id {key_id} does not belong to the key of {name!r}")
    return key


def parse_signer_key(text: str) -> Signer:
    """Read a private key as Go's `sumdb/note` writes it; the error never shows the key.

    Raises:
        MalformedRecord: It is not in the one form it may have.
    """
    parts = text.split("+", 4)
    if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"] or not _ID.match(parts[3]):
        raise MalformedRecord("not a signer key", hint="PRIVATE+KEY+<name>+<id>+<base64>")
    name, key_id, encoded = parts[2:]
    material = decode_base64(encoded, f"the signer key of {name!r}", secret=True)
    if len(material) != 1 + _SEED_SIZE:
        raise MalformedRecord(f"the signer key of {name!r} has the wrong length")
    signer = signer_from_seed(name, material[0], material[1:])
    if signer.key.key_id.hex() != key_id:
        raise MalformedRecord(f"the id {key_id} does not belong to the signer key of {name!r}")
    return signer


def format_signer_key(name: str, algorithm: int, seed: bytes) -> str:
    """The text form of a private key: keep it where only its owner reads."""
    key_id = signer_from_seed(name, algorithm, seed).key.key_id.hex()
    return f"PRIVATE+KEY+{name}+{key_id}+{encode_base64(b'%c' % algorithm + seed)}"


def signer_from_seed(name: str, algorithm: int, seed: bytes) -> Signer:
    """A signer whose private key is the 32-byte seed given."""
    if len(seed) != _SEED_SIZE:
        raise MalformedRecord(f"the seed of a key is {_SEED_SIZE} bytes, not {len(seed)}")
    private: Ed25519PrivateKey | MLDSA44PrivateKey
    if algorithm == COSIGNATURE_MLDSA44:
        private = MLDSA44PrivateKey.from_seed_bytes(seed)
    else:
        private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    return Signer(VerifierKey(name, algorithm, public), private.sign)


def new_seed() -> bytes:
    """Thirty-two fresh bytes from the operating system, for a new key of any type."""
    return os.urandom(_SEED_SIZE)


def check_key_name(name: str) -> None:
    """Refuse a key name that a signature line could not carry.

    Raises:
        MalformedRecord: It is empty, or holds a space, a plus or a control character.
    """
    # str.isspace is Unicode White_Space plus U+001C to U+001F, which are control characters.
    if not name or "+" in name or any(char.isspace() or char < " " for char in name):
        raise MalformedRecord(
            f"not a key name: {_shown(name)}", hint="no spaces, no plus: example.com/log"
        )
    try:
        name.encode()
    except UnicodeEncodeError:
        raise MalformedRecord(f"not a key name: {_shown(name)}") from None


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, what: str, *, secret: bool = False) -> bytes:
    """Decode base64 that could have been written in no other way.

    Python's decoder skips junk and ignores spare bits, so two texts could mean the same bytes:
    what was read is therefore encoded again and compared.

    Raises:
        MalformedRecord: It is not the one encoding of any bytes.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = None
    if data is None or encode_base64(data) != text:
        shown = "" if secret else f": {_shown(text)}"
        raise MalformedRecord(f"{what} is not canonical base64{shown}")
    return data


def _shown(text: str) -> str:
    """What a message may show of foreign text: escaped, and no more than a line of it."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")
