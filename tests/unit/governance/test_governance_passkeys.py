"""Passkeys: what a browser and an authenticator give, and each way in which it must not count."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec.structs import replace
from support.governance import Keys, World, seed

from spotbeam.governance.entries import (
    entry_bytes,
    possession_statement,
    statement,
    unsigned,
)
from spotbeam.governance.entries.acts import AddKey
from spotbeam.governance.entries.people import (
    FileKey,
    Key,
    PasskeyKey,
    PasskeyProof,
    Possession,
    Proof,
)
from spotbeam.governance.entries.words import DAY_US
from spotbeam.governance.proofs import check_proof, key_digest
from spotbeam.governance.void import Void
from spotbeam.record.keys import encode_base64

MESSAGE = b"what is signed"
ORIGIN = "http://localhost:8471"


class Device:
    """A software authenticator: makes an assertion as WebAuthn Level 2 section 6.3.3 does."""

    def __init__(self, kind: str = "es256") -> None:
        self.kind = kind
        if kind == "es256":
            self.private = ec.derive_private_key(int.from_bytes(seed("passkey")), ec.SECP256R1())
            numbers = self.private.public_key().public_numbers()
            x, y = numbers.x.to_bytes(32), numbers.y.to_bytes(32)
            # CBOR, by hand: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
            cose = bytes([0xA5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32, *x, 0x22, 0x58, 32, *y])
        else:
            self.private = ed25519.Ed25519PrivateKey.from_private_bytes(seed("passkey"))
            raw = self.private.public_key().public_bytes_raw()
            # {1: 1, 3: -8, -1: 6, -2: x}
            cose = bytes([0xA4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 32, *raw])
        self.key = PasskeyKey(
            cose=encode_base64(cose),
            credential=encode_base64(b"credential"),
            rp_id="localhost",
            origins=(ORIGIN,),
        )

    def answer(
        self,
        message: bytes = MESSAGE,
        *,
        kind: str = "webauthn.get",
        origin: str = ORIGIN,
        cross: str = "false",
        rp_id: str = "localhost",
        flags: int = 0x05,
        client: bytes | None = None,
        credential: bytes = b"credential",
    ) -> PasskeyProof:
        challenge = base64.urlsafe_b64encode(sha256(message).digest()).rstrip(b"=").decode()
        if client is None:
            client = (
                f'{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}",'
                f'"crossOrigin":{cross}}}'
            ).encode()
        data = sha256(rp_id.encode()).digest() + bytes([flags]) + bytes(4)
        signed = data + sha256(client).digest()
        if self.kind == "es256":
            signature = self.private.sign(signed, ec.ECDSA(SHA256()))
        else:
            signature = self.private.sign(signed)
        return PasskeyProof(
            authenticator_data=encode_base64(data),
            client_data=encode_base64(client),
            signature=encode_base64(signature),
            credential=encode_base64(credential),
        )


@pytest.mark.parametrize("kind", ["es256", "ed25519"])
def test_an_honest_answer_counts(kind: str) -> None:
    device = Device(kind)
    assert len(key_digest(device.key)) == 64
    check_proof(device.key, device.answer(), MESSAGE)


CHALLENGE = base64.urlsafe_b64encode(sha256(MESSAGE).digest()).rstrip(b"=")


@pytest.mark.parametrize(
    "how",
    [
        {"message": b"something else"},
        {"kind": "webauthn.create"},
        {"origin": "http://localhost:8472"},
        {"origin": "https://control.example"},
        {"cross": "true"},
        {"rp_id": "control.example"},
        {"flags": 0x01},  # present, but nobody checked who it was
        {"flags": 0x04},
        {"flags": 0x0D},  # can be backed up
        {"flags": 0x1D},
        {"credential": b"another"},
        # The keys in another order: another reader might take the second origin.
        {
            "client": b'{"origin":"%s","type":"webauthn.get","challenge":"%s","crossOrigin":false}'
            % (ORIGIN.encode(), CHALLENGE)
        },
        {"client": b'{"type":"webauthn.get","challenge":"%s"}' % CHALLENGE},
        {"client": b""},
    ],
    ids=str,
)
def test_a_crooked_answer_does_not(how: dict[str, object]) -> None:
    device = Device()
    proof = device.answer(**how)  # type: ignore[arg-type]
    with pytest.raises(Void):
        check_proof(device.key, proof, MESSAGE)


def test_every_byte_of_an_answer_is_signed_or_compared() -> None:
    device = Device()
    good = device.answer()
    for field in ("authenticator_data", "client_data"):
        data = base64.b64decode(getattr(good, field))
        for place in range(len(data)):
            bad = bytearray(data)
            bad[place] ^= 1
            fields = {name: getattr(good, name) for name in good.__struct_fields__}
            fields[field] = encode_base64(bytes(bad))
            with pytest.raises(Void):
                check_proof(device.key, PasskeyProof(**fields), MESSAGE)


def test_a_file_key_does_not_answer_for_a_passkey() -> None:
    device, keys = Device(), Keys("ada")
    with pytest.raises(Void):
        check_proof(keys.key, device.answer(), MESSAGE)


@pytest.mark.parametrize("cose", [b"", b"\xa5" + bytes(76), bytes(42)])
def test_a_key_in_another_form_is_none(cose: bytes) -> None:
    key = Device().key
    with pytest.raises(Void):
        key_digest(
            PasskeyKey(
                cose=encode_base64(cose),
                credential=key.credential,
                rp_id=key.rp_id,
                origins=key.origins,
            )
        )


def test_a_change_is_approved_by_passkey_from_loopback() -> None:
    world, device = World(), Device()
    digest = key_digest(device.key)

    def prove(message: bytes) -> PasskeyProof:
        return device.answer(message)

    text = possession_statement(world.origin, world.now.genesis, "cy", digest, "add")
    possession = Possession(key=digest, proof=prove(text))
    body = world.change_body(AddKey(person="cy", key=device.key, possession=possession))
    world.say(body, "ada", "add")
    world.approve("add", "bo", "dee")
    world.anchor()
    world.anchor(after_us=4 * DAY_US)
    change = world.change()
    world.approve(change, "bo")
    said = unsigned(world.approval(change), id="by-passkey", actor="cy", key=digest)
    proof = prove(statement(world.origin, world.now.genesis, said))
    world.add(entry_bytes(replace(said, proof=proof)))
    world.anchor()
    assert world.codes() == []
    assert world.status(change) == "bound"


def test_a_page_of_the_control_plane_cannot_be_an_origin() -> None:
    world, device = World(), Device()
    key = device.key
    for origin in ("https://control.example", "http://localhost.evil.example", "http://localhost/"):
        crooked = PasskeyKey(
            cose=key.cose, credential=key.credential, rp_id="localhost", origins=(origin,)
        )
        possession = Possession(key=key_digest(key), proof=device.answer(b""))
        world.change(AddKey(person="cy", key=crooked, possession=possession))
        assert world.last_code() == "malformed"


def _small_order() -> list[bytes]:
    """The encodings of the eight points of small order, computed and not copied."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    found = []
    root = pow(2, (p - 1) // 4, p)

    def square_root(a: int) -> int | None:
        x = pow(a, (p + 3) // 8, p)
        x = x if (x * x - a) % p == 0 else x * root % p
        return x if (x * x - a) % p == 0 else None

    ys = [1, p - 1, 0]
    for sign in (1, -1):  # order 8: d y^4 + 2 y^2 - 1 = 0
        half = square_root((1 + d) % p)
        assert half is not None
        y = square_root((-1 + sign * half) * pow(d, -1, p) % p)
        ys += [y, p - y] if y is not None else []
    for y in ys:
        for sign in (0, 1):
            found.append((y | sign << 255).to_bytes(32, "little"))
            if y + p < 2**255:
                found.append((y + p | sign << 255).to_bytes(32, "little"))
    return found


def test_weak_keys_are_refused_in_every_encoding() -> None:
    weak = _small_order()
    assert len(set(weak)) == 14  # five values of y, both signs, and 0 and 1 written as y + p
    for raw in weak:
        with pytest.raises(Void):
            key_digest(FileKey(encode_base64(raw)))


def _cases() -> list[tuple[str, PasskeyKey, PasskeyProof, bool]]:
    """Run this file as a script to write the vectors anew; ECDSA signs differently each time."""
    es256, eddsa = Device(), Device("ed25519")
    return [
        ("ES256, user verified, loopback", es256.key, es256.answer(), True),
        ("Ed25519, user verified, loopback", eddsa.key, eddsa.answer(), True),
        ("user present but not verified", es256.key, es256.answer(flags=0x01), False),
        ("backup eligible", es256.key, es256.answer(flags=0x0D), False),
        ("from another page", es256.key, es256.answer(origin="https://control.example"), False),
        ("in a cross-origin frame", es256.key, es256.answer(cross="true"), False),
        ("for another statement", es256.key, es256.answer(b"another"), False),
    ]


VECTORS = Path(__file__).parents[2] / "data" / "governance" / "passkeys-1.json"


def test_the_vectors_of_passkeys_hold() -> None:
    counted = []
    for case in json.loads(VECTORS.read_text()):
        key = msgspec.convert(case["key"], Key)
        proof = msgspec.convert(case["proof"], Proof)
        try:
            check_proof(key, proof, case["statement"].encode())
        except Void:
            assert not case["counts"], case["what"]
        else:
            assert case["counts"], case["what"]
        counted.append(case["counts"])
    assert counted.count(True) == 2
    assert counted.count(False) == 5


if __name__ == "__main__":
    written = [
        {
            "what": what,
            "statement": MESSAGE.decode(),
            "key": msgspec.to_builtins(key),
            "proof": msgspec.to_builtins(proof),
            "counts": counts,
        }
        for what, key, proof, counts in _cases()
    ]
    VECTORS.write_text(json.dumps(written, indent=1) + "\n")
