"""Trees and proofs against published vectors and a recursive model written from the RFC."""

from __future__ import annotations

from hashlib import sha256

import pytest

from spotbeam.errors import ProofMismatch
from spotbeam.record import merkle
from spotbeam.record.merkle import Tree, leaf_hash

# The eight entries and nine roots of the RFC 6962 reference tree (google/certificate-transparency).
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# (index, size): the inclusion proof, from the same tree.
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(map(leaf_hash, ENTRIES))


def test_the_roots_are_those_of_rfc_6962(tree: Tree) -> None:
    for size, root in enumerate(ROOTS):
        assert tree.root(size).hex() == root
        assert merkle.root_hash(map(leaf_hash, ENTRIES[:size])).hex() == root


def test_the_proofs_are_those_of_the_reference_tree(tree: Tree) -> None:
    for (index, size), proof in INCLUSION.items():
        assert [step.hex() for step in tree.inclusion_proof(index, size)] == proof
    for (old, new), proof in CONSISTENCY.items():
        assert [step.hex() for step in tree.consistency_proof(old, new)] == proof


def _mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + _mth(leaves[:split]) + _mth(leaves[split:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*_path(index, leaves[:split]), _mth(leaves[split:])]
    return [*_path(index - split, leaves[split:]), _mth(leaves[:split])]


def _subproof(start: int, end: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """SUBTREE_SUBPROOF of draft-ietf-plants-merkle-tree-certs; RFC 6962 SUBPROOF at start 0."""
    if (start, end) == (0, len(leaves)):
        return [] if whole else [_mth(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if end <= split:
        return [*_subproof(start, end, leaves[:split], whole), _mth(leaves[split:])]
    if split <= start:
        return [*_subproof(start - split, end - split, leaves[split:], whole), _mth(leaves[:split])]
    return [*_subproof(0, end - split, leaves[split:], False), _mth(leaves[:split])]


def test_every_small_tree_agrees_with_the_recursive_model() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(40)]
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    for size in range(41):
        root = tree.root(size)
        assert root == _mth(leaves[:size])
        for index in range(size):
            proof = tree.inclusion_proof(index, size)
            assert proof == _path(index, leaves[:size])
            assert proof == merkle.inclusion_proof_at(tree.hash_at, index, size)
            merkle.verify_inclusion(leaves[index], index, size, proof, root)
        for old in range(size + 1):
            proof = tree.consistency_proof(old, size)
            assert proof == (_subproof(0, old, leaves[:size], True) if old else [])
            merkle.verify_consistency(old, size, tree.root(old), root, proof)


def test_every_subtree_of_small_trees_is_proven() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(21)]
    tree = Tree(leaves)
    seen = 0
    for size in range(1, 22):
        for start in range(size):
            for end in range(start + 1, size + 1):
                aligned = start % (1 << max(end - start - 1, 0).bit_length()) == 0
                assert merkle.is_subtree(start, end) == aligned
                if not aligned:
                    continue
                seen += 1
                inside = _mth(leaves[start:end])
                assert merkle.subtree_hash_at(tree.hash_at, start, end) == inside
                proof = tree.subtree_proof(start, end, size)
                assert proof == _subproof(start, end, leaves[:size], True)
                merkle.verify_subtree(start, end, size, inside, tree.root(size), proof)
                with pytest.raises(ProofMismatch):
                    merkle.verify_subtree(start, end, size, b"\0" * 32, tree.root(size), proof)
    assert seen == 630


def test_a_proof_with_any_bit_changed_any_hash_dropped_or_added_fails() -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(23)]
    tree = Tree(leaves)
    root, old_root = tree.root(), tree.root(13)
    inclusion, consistency = tree.inclusion_proof(9), tree.consistency_proof(13)

    def included(proof: list[bytes]) -> None:
        merkle.verify_inclusion(leaves[9], 9, 23, proof, root)

    def consistent(proof: list[bytes]) -> None:
        merkle.verify_consistency(13, 23, old_root, root, proof)

    for check, proof in ((included, inclusion), (consistent, consistency)):
        check(proof)
        for at in range(len(proof)):
            for byte in range(32):
                changed = bytearray(proof[at])
                changed[byte] ^= 1 << byte % 8
                with pytest.raises(ProofMismatch):
                    check([*proof[:at], bytes(changed), *proof[at + 1 :]])
            with pytest.raises(ProofMismatch):
                check([*proof[:at], *proof[at + 1 :]])
            with pytest.raises(ProofMismatch):
                check([*proof[:at], proof[at][:-1], *proof[at + 1 :]])
            with pytest.raises(ProofMismatch):
                check([*proof[:at], proof[at], *proof[at:]])
        for extra in ([root], [b"\0" * 32]):
            with pytest.raises(ProofMismatch):
                check(proof + extra)


@pytest.mark.parametrize(
    ("index", "size"), [(-1, 23), (23, 23), (22, 23), (9, 16), (9, 33), (8, 23), (9, 2**63)]
)
def test_an_entry_is_only_where_it_is(index: int, size: int) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(23)]
    tree = Tree(leaves)
    with pytest.raises(ProofMismatch):
        merkle.verify_inclusion(leaves[9], index, size, tree.inclusion_proof(9), tree.root())


def test_consistency_from_nothing_is_no_blank_cheque() -> None:
    tree = Tree(map(leaf_hash, ENTRIES))
    merkle.verify_consistency(0, 8, merkle.EMPTY_ROOT, tree.root(), [])
    merkle.verify_consistency(0, 0, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])
    merkle.verify_consistency(8, 8, tree.root(), tree.root(), [])
    for old, new, old_root, new_root, proof in (
        (0, 8, tree.root(), tree.root(), []),
        (0, 8, merkle.EMPTY_ROOT, tree.root(), [tree.root()]),
        (0, 0, merkle.EMPTY_ROOT, tree.root(), []),
        (8, 8, tree.root(7), tree.root(), []),
        (8, 8, tree.root(), tree.root(), [tree.root()]),
        (8, 7, tree.root(), tree.root(7), []),
        (7, 8, tree.root(7), tree.root(7), tree.consistency_proof(7)),
    ):
        with pytest.raises(ProofMismatch):
            merkle.verify_consistency(old, new, old_root, new_root, proof)
