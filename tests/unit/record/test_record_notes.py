"""Notes, keys, checkpoints and cosignatures: published vectors, and every way to be strict."""

from __future__ import annotations

import pytest

from spotbeam.errors import BadSignature, MalformedRecord, ProofMismatch
from spotbeam.record import keys
from spotbeam.record.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from spotbeam.record.cosignature import cosign, verify_cosignature, verify_cosignatures
from spotbeam.record.keys import Signer, parse_signer_key, parse_verifier_key, signer_from_seed
from spotbeam.record.merkle import EMPTY_ROOT
from spotbeam.record.note import (
    Signature,
    add_signatures,
    parse_note,
    parse_signatures,
    sign_note,
    verify_note,
)

# The example of the signed-note specification.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRK"
    "uwHjG1Yu72IneyaQM=\n"
).encode()
# The keys and notes of the examples in Go's golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
    "6KE6RyyBwJnAM=\n"
).encode()
NOW_S = 1_800_000_000


@pytest.fixture(scope="module")
def log() -> Signer:
    return signer_from_seed("log.example/one", keys.ED25519, b"\1" * 32)


@pytest.fixture(scope="module", params=[keys.COSIGNATURE_ED25519, keys.COSIGNATURE_MLDSA44])
def witness(request: pytest.FixtureRequest) -> Signer:
    return signer_from_seed("witness.example/w1", request.param, b"\2" * 32)


POINT = Checkpoint("log.example/one", 20_852_163, bytes(range(32)))


def test_published_notes_verify() -> None:
    assert verify_note(NOTE, [parse_verifier_key(VKEY)]).text == b"This is an example message.\n"
    assert verify_note(GO_NOTE, [parse_verifier_key(GO_VKEY)]).text.startswith(b"If you think")


def test_signing_with_go_s_key_gives_go_s_note() -> None:
    signer = parse_signer_key(GO_SKEY)
    assert str(signer.key) == GO_VKEY
    assert sign_note(GO_NOTE.partition(b"\n\n")[0] + b"\n", [signer]) == GO_NOTE
    assert keys.format_signer_key("PeterNeumann", 1, _seed(GO_SKEY)) == GO_SKEY


def _seed(skey: str) -> bytes:
    return keys.decode_base64(skey.split("+", 4)[4], "key")[1:]


def test_every_changed_byte_of_a_note_is_noticed() -> None:
    key = parse_verifier_key(VKEY)
    for at in range(len(NOTE)):
        for flip in (0x01, 0x20, 0x80):
            changed = bytearray(NOTE)
            changed[at] ^= flip
            with pytest.raises((MalformedRecord, BadSignature)):
                verify_note(bytes(changed), [key])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("no signature", b"text\n"),
        ("no final newline", NOTE[:-1]),
        ("no blank line", NOTE.replace(b"\n\n", b"\n")),
        ("a carriage return", NOTE.replace(b"\n\n", b"\r\n\n")),
        ("a tab in the text", b"\t" + NOTE),
        ("a NUL in the text", b"\0" + NOTE),
        ("not UTF-8", b"\xff" + NOTE),
        ("a surrogate", b"\xed\xa0\x80" + NOTE),
        ("another dash", NOTE.replace("—".encode(), "–".encode())),
        ("no dash", NOTE.replace("— ".encode(), b"")),
        ("two spaces before the name", NOTE.replace("— ".encode(), "—  ".encode())),
        ("two spaces after the name", NOTE.replace(b"foo ", b"foo  ")),
        ("space after the signature", NOTE[:-1] + b" \n"),
        ("no padding", NOTE.replace(b"QM=\n", b"QM\n")),
        ("spare bits in base64", NOTE.replace(b"QM=\n", b"QN=\n")),
        ("url-safe base64", NOTE.replace(b"Jn+", b"Jn-").replace(b"/", b"_", 1)),
        ("a newline in base64", NOTE.replace(b"Uw2Q", b"Uw2Q\n")),
        ("too short for a signature", NOTE[: NOTE.index(b"Uw2Q")] + b"Uw2QOg==\n"),
        ("a plus in the name", NOTE.replace(b"example.com/foo", b"example.com+foo")),
        ("a wide space in the name", NOTE.replace(b"example.com/", "example.com\u3000".encode())),
        ("101 signatures", NOTE + NOTE.split(b"\n\n")[1] * 100),
        ("over a megabyte", b"x" * 1_000_000 + NOTE),
        ("empty", b""),
        ("only newlines", b"\n\n\n"),
    ],
)
def test_a_note_has_one_form(name: str, data: bytes) -> None:
    with pytest.raises((MalformedRecord, BadSignature)):
        verify_note(data, [parse_verifier_key(VKEY)])


def test_line_separators_of_unicode_are_text_not_lines(log: Signer) -> None:
    text = "one\u2028two\u0085three\n".encode()
    assert verify_note(sign_note(text, [log]), [log.key]).text == text


def test_unknown_signatures_are_ignored_and_trusted_ones_must_hold(log: Signer) -> None:
    other = signer_from_seed("other.example", keys.ED25519, b"\3" * 32)
    note = sign_note(b"text\n", [other, log])
    assert [line.name for line in verify_note(note, [log.key]).signatures] == ["log.example/one"]
    with pytest.raises(BadSignature, match="no trusted key"):
        verify_note(note, [signer_from_seed("third.example", 1, b"\4" * 32).key])
    # The right name and id over another text: the whole note falls, though `other` signed well.
    forged = parse_note(sign_note(b"else\n", [log])).signatures[0]
    with pytest.raises(BadSignature, match="does not verify"):
        verify_note(sign_note(b"text\n", [other], [forged]), [log.key, other.key])
    # The same name with another id is another key, and only a trusted one counts.
    namesake = signer_from_seed(log.key.name, keys.ED25519, b"\5" * 32)
    with pytest.raises(BadSignature, match="no trusted key"):
        verify_note(sign_note(b"text\n", [namesake]), [log.key])
    assert verify_note(sign_note(b"text\n", [namesake, log]), [log.key]).signatures


def test_signing_again_replaces_the_line(log: Signer) -> None:
    once = sign_note(b"text\n", [log])
    assert sign_note(b"text\n", [log], parse_note(once).signatures) == once
    assert add_signatures(once, parse_note(once).signatures) == once
    assert bytes(parse_note(NOTE)) == NOTE


@pytest.mark.parametrize(
    "text",
    [
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("foo+", "foo +"),
        VKEY[:-1],
        VKEY + "=",
        VKEY.replace("+Aeky", "+Aeky+"),
        "example.com/foo+530d903a",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "",
    ],
)
def test_a_verifier_key_has_one_form(text: str) -> None:
    with pytest.raises(MalformedRecord):
        parse_verifier_key(text)


def test_a_refused_signer_key_is_not_shown() -> None:
    secret = GO_SKEY.split("+", 4)[4]
    for text in (GO_SKEY.replace("c74f20a3", "c74f20a4"), GO_SKEY[:-1], GO_SKEY + "!"):
        with pytest.raises(MalformedRecord) as caught:
            parse_signer_key(text)
        assert secret[:20] not in str(caught.value)


def test_a_checkpoint_has_one_form(log: Signer) -> None:
    text = format_checkpoint(POINT)
    assert text == b"log.example/one\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert parse_checkpoint(text) == POINT
    for bad in (
        text[:-1],
        text + b"extension\n",
        text + b"\n",
        text.replace(b"20852163", b"020852163"),
        text.replace(b"20852163", b"+20852163"),
        text.replace(b"20852163", b"20_852_163"),
        text.replace(b"20852163", "２０".encode()),
        text.replace(b"20852163", b"-1"),
        text.replace(b"20852163", b""),
        text.replace(b"20852163", b"9223372036854775808"),
        text.replace(b"8=\n", b"9=\n"),
        text.replace(b"AAEC", b""),
        text.replace(b"log.example/one", b""),
        text.replace(b"\n", b"\r\n"),
    ):
        with pytest.raises(MalformedRecord):
            parse_checkpoint(bad)
    assert parse_checkpoint(text.replace(b"20852163", b"9223372036854775807")).size == 2**63 - 1


def test_only_the_log_s_own_keys_sign_its_checkpoints(log: Signer) -> None:
    note = sign_checkpoint(POINT, [log])
    assert verify_checkpoint(note, [log.key]) == POINT
    other = signer_from_seed("log.example/two", keys.ED25519, b"\1" * 32)
    with pytest.raises(ValueError, match="only keys named"):
        sign_checkpoint(POINT, [other])
    # A trusted key of another log may not vouch for this one.
    borrowed = sign_note(format_checkpoint(POINT), [other])
    with pytest.raises(BadSignature, match="no trusted key is named"):
        verify_checkpoint(borrowed, [other.key])
    extended = sign_note(format_checkpoint(POINT) + b"extension\n", [log])
    with pytest.raises(MalformedRecord, match="extension"):
        verify_checkpoint(extended, [log.key])
    hollow = sign_note(format_checkpoint(Checkpoint(POINT.origin, 0, b"\1" * 32)), [log])
    with pytest.raises(ProofMismatch):
        verify_checkpoint(hollow, [log.key])
    assert verify_checkpoint(
        sign_checkpoint(Checkpoint(POINT.origin, 0, EMPTY_ROOT), [log]), [log.key]
    )


def test_a_cosignature_says_who_when_and_what(witness: Signer) -> None:
    line = cosign(POINT, witness, NOW_S)
    found = verify_cosignature(POINT, line, witness.key, now_s=NOW_S)
    assert (found.key, found.time_s) == (witness.key, NOW_S)
    for other in (
        Checkpoint("log.example/two", POINT.size, POINT.root),
        Checkpoint(POINT.origin, POINT.size + 1, POINT.root),
        Checkpoint(POINT.origin, POINT.size, b"\0" * 32),
    ):
        with pytest.raises(BadSignature):
            verify_cosignature(other, line, witness.key, now_s=NOW_S)
    for at in (0, 7, 8, 40, len(line.signature) - 1):
        changed = bytearray(line.signature)
        changed[at] ^= 1
        with pytest.raises(BadSignature):
            verify_cosignature(
                POINT, Signature(line.name, line.key_id, bytes(changed)), witness.key, now_s=None
            )
    for signature in (line.signature[:-1], line.signature + b"\0", line.signature[8:]):
        with pytest.raises(MalformedRecord):
            verify_cosignature(
                POINT, Signature(line.name, line.key_id, signature), witness.key, now_s=None
            )


def test_a_cosignature_of_time_zero_or_of_the_future_is_refused(
    log: Signer, witness: Signer
) -> None:
    line = cosign(POINT, witness, NOW_S)
    with pytest.raises(BadSignature, match="in the future"):
        verify_cosignature(POINT, line, witness.key, now_s=NOW_S - 1)
    assert verify_cosignature(POINT, line, witness.key, now_s=None).time_s == NOW_S
    with pytest.raises(ValueError, match="dated 0"):
        cosign(POINT, witness, 0)
    # A witness can truly sign a zero time; its signature would hold.
    bare = witness.sign(_dated_zero(witness))
    zero = Signature(witness.key.name, witness.key.key_id, bytes(8) + bare)
    with pytest.raises(BadSignature, match="dated 0"):
        verify_cosignature(POINT, zero, witness.key, now_s=NOW_S)
    note = sign_checkpoint(POINT, [log], [zero])
    assert verify_cosignatures(note, [witness.key], now_s=NOW_S) == []
    early = sign_checkpoint(POINT, [log], [line])
    assert verify_cosignatures(early, [witness.key], now_s=NOW_S - 1) == []
    assert [each.time_s for each in verify_cosignatures(early, [witness.key], now_s=NOW_S)] == [
        NOW_S
    ]


def _dated_zero(witness: Signer) -> bytes:
    """The two messages written out by hand from the specification."""
    if witness.key.algorithm == keys.COSIGNATURE_ED25519:
        return b"cosignature/v1\ntime 0\n" + format_checkpoint(POINT)
    name, origin = witness.key.name.encode(), POINT.origin.encode()
    return (
        b"subtree/v1\n\x00"
        + bytes([len(name)])
        + name
        + bytes(8)
        + bytes([len(origin)])
        + origin
        + bytes(8)
        + (20_852_163).to_bytes(8, "big")
        + POINT.root
    )


def test_one_bad_line_of_a_known_witness_fells_the_note(log: Signer, witness: Signer) -> None:
    line = cosign(Checkpoint(POINT.origin, 5, POINT.root), witness, NOW_S)
    note = sign_checkpoint(POINT, [log], [line])
    with pytest.raises(BadSignature):
        verify_cosignatures(note, [witness.key], now_s=NOW_S)
    assert verify_cosignatures(note, [], now_s=NOW_S) == []


def test_a_witness_s_answer_is_lines_only() -> None:
    line = str(parse_note(NOTE).signatures[0]).encode()
    assert len(parse_signatures(line * 2)) == 2
    for bad in (b"", b"\n", line + b"\n", b"\n" + line, line[:-1]):
        with pytest.raises(MalformedRecord):
            parse_signatures(bad)


def test_a_key_that_anybody_can_sign_for_is_refused() -> None:
    """All points of small order, found here by computing with the curve itself (RFC 8032)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
        (x1, y1), (x2, y2) = one, two
        product = d * x1 * x2 * y1 * y2 % p
        return (
            (x1 * y2 + x2 * y1) * pow(1 + product, -1, p) % p,
            (y1 * y2 + x1 * x2) * pow(1 - product, -1, p) % p,
        )

    def double(point: tuple[int, int], times: int) -> tuple[int, int]:
        for _ in range(times):
            point = add(point, point)
        return point

    def with_y(y: int) -> tuple[int, int] | None:
        square = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        root = pow(square, (p + 3) // 8, p)
        for x in (root, root * pow(2, (p - 1) // 4, p) % p):
            if x * x % p == square:
                return x, y
        return None

    # Any point times the prime order of the base point has an order that divides 8.
    order = 2**252 + 27742317777372353535851937790883648493
    torsion: set[int] = set()
    for y in range(2, 60):
        point = with_y(y)
        if point is None:
            continue
        small, power = (0, 1), point
        for bit in range(order.bit_length()):
            if order >> bit & 1:
                small = add(small, power)
            power = add(power, power)
        assert double(small, 3) == (0, 1)
        torsion.add(small[1])
    assert torsion == keys._SMALL_ORDER_Y
    for y in torsion:
        for encoded in (y, y | 1 << 255, y + p):
            if encoded < 2**256 and (encoded & (2**255 - 1)) >= y:
                with pytest.raises(MalformedRecord, match="anybody"):
                    keys.VerifierKey("x", keys.ED25519, encoded.to_bytes(32, "little"))
