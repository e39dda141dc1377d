"""Trees of any size: proofs hold from memory and from tiles, and nothing false is ever proven."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotbeam.errors import ProofMismatch
from spotbeam.record import merkle
from spotbeam.record.merkle import Tree, leaf_hash

LEAVES = [leaf_hash(b"%d" % number) for number in range(2_100)]
TREE = Tree(LEAVES)
SIZES = st.integers(0, len(LEAVES))


def _mth(start: int, end: int) -> bytes:
    """RFC 6962 section 2.1, word by word."""
    if end - start <= 1:
        return LEAVES[start] if end > start else sha256(b"").digest()
    split = 1
    while split * 2 < end - start:
        split *= 2
    return sha256(b"\x01" + _mth(start, start + split) + _mth(start + split, end)).digest()


@settings(max_examples=60, deadline=None)
@given(SIZES)
def test_the_root_is_the_model_s(size: int) -> None:
    root = _mth(0, size)
    assert TREE.root(size) == root
    assert merkle.root_hash(LEAVES[:size]) == root


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=12))
def test_a_tree_grown_in_any_pieces_is_the_same_tree(pieces: list[int]) -> None:
    grown = Tree()
    at = 0
    for number, count in enumerate(pieces):
        if number % 2:
            assert grown.extend(LEAVES[at : at + count]) == at + count
        else:
            assert [grown.append(leaf) for leaf in LEAVES[at : at + count]] == list(
                range(at, at + count)
            )
        at += count
    assert len(grown) == at
    assert grown.root() == TREE.root(at)
    for index in range(0, at, 7):
        assert grown.inclusion_proof(index) == TREE.inclusion_proof(index, at)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_proof_proves_one_thing_only(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    proof, root = TREE.inclusion_proof(index, size), TREE.root(size)
    merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
    other = data.draw(st.integers(0, size - 1))
    if other != index:
        for leaf, at in ((LEAVES[other], index), (LEAVES[index], other)):
            with pytest.raises(ProofMismatch):
                merkle.verify_inclusion(leaf, at, size, proof, root)
    old = data.draw(st.integers(1, size))
    proof = TREE.consistency_proof(old, size)
    merkle.verify_consistency(old, size, TREE.root(old), root, proof)
    wrong = data.draw(st.integers(0, len(LEAVES)))
    if wrong != old:
        with pytest.raises(ProofMismatch):
            merkle.verify_consistency(wrong, size, TREE.root(old), root, proof)
        with pytest.raises(ProofMismatch):
            merkle.verify_consistency(old, size, TREE.root(wrong), root, proof)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_subtree_s_proof_holds_for_that_subtree(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(LEAVES)))
    level = data.draw(st.integers(0, size.bit_length()))
    start = data.draw(st.integers(0, (size - 1) >> level)) << level
    end = data.draw(st.integers(start + 1, min(size, start + (1 << level))))
    assert merkle.is_subtree(start, end)
    proof = TREE.subtree_proof(start, end, size)
    inside = _mth(start, end)
    merkle.verify_subtree(start, end, size, inside, TREE.root(size), proof)
    forged = leaf_hash(b"forged")
    if proof:
        with pytest.raises(ProofMismatch):
            merkle.verify_subtree(start, end, size, forged, TREE.root(size), proof)
        at = data.draw(st.integers(0, len(proof) - 1))
        with pytest.raises(ProofMismatch):
            merkle.verify_subtree(
                start, end, size, inside, TREE.root(size), [*proof[:at], forged, *proof[at + 1 :]]
            )


def test_two_logs_that_part_cannot_be_joined() -> None:
    """A split view: no proof we can make, or cut from either log's, joins the branches."""
    other = Tree([*LEAVES[:100], leaf_hash(b"forged"), *LEAVES[101:200]])
    for old in range(101, 200, 7):
        proofs = [TREE.consistency_proof(old, 200), other.consistency_proof(old, 200)]
        for proof in proofs:
            with pytest.raises(ProofMismatch):
                merkle.verify_consistency(old, 200, TREE.root(old), other.root(), proof)
        merkle.verify_consistency(
            100, 200, TREE.root(100), other.root(), other.consistency_proof(100)
        )
