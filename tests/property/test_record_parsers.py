"""Whatever bytes come in, a parser answers or refuses; it never falls over, and never rewrites."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spotbeam.errors import RecordError, WitnessPolicyError
from spotbeam.record import keys
from spotbeam.record.canonical import canonical_json, parse_canonical
from spotbeam.record.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
)
from spotbeam.record.checkpoint_store import MemoryCheckpoints
from spotbeam.record.cosignature import cosign
from spotbeam.record.evidence import equivocation, verify_equivocation
from spotbeam.record.keys import parse_verifier_key, signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.mirror import MirrorInfo, add_entries_requests, parse_mirror_info, parse_upload
from spotbeam.record.note import add_signatures, parse_note, parse_signatures
from spotbeam.record.policy import format_policy, parse_policy
from spotbeam.record.proof import LogProof, parse_proof
from spotbeam.record.receipt import Receipt, ReceiptEntry, parse_receipt
from spotbeam.record.tiles import decode_bundle, encode_bundle
from spotbeam.record.witness import AddCheckpoint, Witness, parse_add_checkpoint

LOG = signer_from_seed("log.example/f", keys.ED25519, b"\1" * 32)
WITNESS = signer_from_seed("w.example", keys.COSIGNATURE_ED25519, b"\2" * 32)
TREE = Tree(leaf_hash(b"%d" % n) for n in range(9))
POINT = Checkpoint(LOG.key.name, 9, TREE.root())
NOTE = add_signatures(sign_checkpoint(POINT, [LOG]), [cosign(POINT, WITNESS, 1_800_000_000)])
PROOF = tuple(TREE.inclusion_proof(4))
POLICY = f"log {LOG.key} x:/y\nwitness W {WITNESS.key}\ngroup G 1 W\nquorum G\n".encode()
REQUEST = bytes(AddCheckpoint(5, tuple(TREE.consistency_proof(5)), NOTE))
(UPLOAD,) = add_entries_requests(
    LOG.key.name, 0, 9, lambda a, b: [b"%d" % n for n in range(a, b)], TREE.subtree_proof, b"t"
)
SEEDS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "note": (NOTE, lambda data: bytes(parse_note(data))),
    "signatures": (
        NOTE.split(b"\n\n")[1],
        lambda d: "".join(map(str, parse_signatures(d))).encode(),
    ),
    "signed checkpoint": (NOTE, lambda data: bytes(parse_signed_checkpoint(data)[1])),
    "checkpoint": (format_checkpoint(POINT), lambda d: format_checkpoint(parse_checkpoint(d))),
    "proof": (bytes(LogProof(4, PROOF, NOTE, b"x")), lambda data: bytes(parse_proof(data))),
    "receipt": (
        bytes(Receipt((ReceiptEntry(4, b"4", PROOF),), NOTE)),
        lambda data: bytes(parse_receipt(data)),
    ),
    "add-checkpoint": (REQUEST, lambda data: bytes(parse_add_checkpoint(data))),
    "mirror info": (bytes(MirrorInfo(9, 3, b"t")), lambda data: bytes(parse_mirror_info(data))),
    "json": (
        canonical_json({"a": [1, {"\u20ac": None}], "b": 'x"\\\n'}),
        lambda data: canonical_json(parse_canonical(data)),
    ),
    "bundle": (encode_bundle([b"a", b"", b"ccc"]), lambda d: encode_bundle(decode_bundle(d, 3))),
    "verifier key": (
        str(LOG.key).encode(),
        lambda d: str(parse_verifier_key(d.decode(errors="surrogateescape"))).encode(
            errors="surrogateescape"
        ),
    ),
}

PIECES = st.sampled_from(
    [b"", b"\n", b"\n\n", b" ", b"\r", b"\0", b"\xff", b"\xed\xa0\x80", b"0", b"9" * 30, b"+", b"=",
     b"[" * 40, b'"', b"\\ud800", "—".encode(), "\u2028".encode(), "٣".encode(), b"-1", b"\x7f"]
)  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn, seed: bytes) -> bytes:
    """The seed with a few cuts, flips, insertions and repetitions."""
    data = seed
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + draw(st.sampled_from([0, 1, 4, 60])))))
        piece = draw(PIECES | st.binary(max_size=4) | st.just(data[at:end] * 2))
        data = data[:at] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", list(SEEDS))
def test_a_parser_takes_one_form_or_refuses(name: str) -> None:
    seed, again = SEEDS[name]
    assert again(seed) == seed

    @settings(max_examples=120, deadline=None)
    @given(mutations(seed) | st.binary(max_size=40))
    @example(b"")
    def check(data: bytes) -> None:
        try:
            written = again(data)
        except RecordError:
            return
        # What was accepted is written back byte for byte: no two texts mean the same.
        assert written == data

    check()


@settings(max_examples=250, deadline=None)
@given(mutations(POLICY))
def test_a_policy_is_read_or_refused(data: bytes) -> None:
    try:
        read = parse_policy(data)
    except WitnessPolicyError as fault:
        str(fault).encode()  # a message can always be shown
        return
    assert parse_policy(format_policy(read)) == read


@settings(max_examples=150, deadline=None)
@given(mutations(REQUEST))
def test_a_witness_answers_whatever_it_is_sent(data: bytes) -> None:
    witness = Witness({LOG.key.name: [LOG.key]}, [WITNESS], MemoryCheckpoints())
    assert witness.add_checkpoint(data, now_s=1_800_000_000).status in (400, 403, 404, 409, 422)
    assert witness.latest(LOG.key.name) is None


@settings(max_examples=150, deadline=None)
@given(mutations(UPLOAD))
def test_an_upload_s_head_is_read_or_refused(data: bytes) -> None:
    try:
        head = parse_upload(data)
    except RecordError:
        return
    assert 0 <= head.start <= head.end
    assert head.at <= len(data)


@settings(max_examples=150, deadline=None)
@given(mutations(bytes(equivocation(NOTE, NOTE))))
def test_no_junk_convicts_an_honest_log(data: bytes) -> None:
    with pytest.raises(RecordError):
        verify_equivocation(data, [LOG.key])
