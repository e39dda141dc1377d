"""Merkle trees as RFC 6962 section 2.1 (the same as RFC 9162): roots, proofs, and their checks.

A hash is 32 bytes of SHA-256. `hash_at(level, index)` stands for the hash over the entries
`[index << level, (index + 1) << level)`: what `Tree` keeps in memory and `TileReader` finds in
stored tiles. Everything here needs only O(log size) of them, so a proof over 10^6 entries never
loads the tree.

A *subtree* `[start, end)` and its consistency proof are those of draft-ietf-plants-merkle-tree-
certs section 4; an RFC 6962 consistency proof is the case `start == 0`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from spotbeam.errors import ProofMismatch

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without entries (RFC 6962 section 2.1)."""
MAX_SIZE = 2**63 - 1
"""A signed 64-bit number, so that every reader in every language can hold a tree's size."""

HashAt = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: SHA-256(0x00, entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two neighbours: SHA-256(0x01, left, right)."""
    return sha256(b"\x01" + left + right).digest()


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, for a tree that nobody needs to keep."""
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        paired = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        if len(level) & 1:
            paired.append(level[-1])
        level = paired
    return level[0]


class Tree:
    """A Merkle tree in memory that grows at its end; every earlier size can still be proven.

    It keeps the hash of each complete subtree, so that an append costs two hashes on average, and
    a proof costs look-ups and at most one walk along the ragged right edge.
    """

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        self.extend(leaf_hashes)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash; its index."""
        levels = self._levels
        leaves = levels[0]
        index = len(leaves)
        leaves.append(leaf)
        position, depth = index, 0
        hashed = leaf
        while position & 1:
            hashed = sha256(b"\x01" + levels[depth][-2] + hashed).digest()
            depth += 1
            if depth == len(levels):
                levels.append([])
            levels[depth].append(hashed)
            position >>= 1
        return index

    def extend(self, leaf_hashes: Iterable[bytes]) -> int:
        """Add many leaf hashes, level by level; the size afterwards."""
        levels = self._levels
        levels[0].extend(leaf_hashes)
        depth = 0
        while len(levels[depth]) > 1:
            below = levels[depth]
            depth += 1
            if depth == len(levels):
                levels.append([])
            above = levels[depth]
            done = 2 * len(above)
            full = len(below) & ~1
            if done == full:
                break
            above.extend(
                [
                    sha256(b"\x01" + left + right).digest()
                    for left, right in zip(
                        below[done:full:2], below[done + 1 : full : 2], strict=True
                    )
                ]
            )
        return len(levels[0])

    def hash_at(self, level: int, index: int) -> bytes:
        """The hash of one complete subtree."""
        return self._levels[level][index]

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree as it was at `size` entries (default: now)."""
        return root_at(self.hash_at, self._within(size))

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that the entry at `index` is in the tree of `size` entries."""
        size = self._within(size)
        if not 0 <= index < size:
            raise IndexError(f"no entry {index} in a tree of {size}")
        # The same walk as `inclusion_proof_at`, over the lists themselves: it is called for every
        # entry of a receipt run, and the indirection is half of its time.
        levels = self._levels
        proof = []
        last = size - 1
        depth = 0
        while last:
            sibling = index ^ 1
            if sibling < last or (sibling == last and (sibling + 1) << depth <= size):
                proof.append(levels[depth][sibling])
            elif sibling == last:
                proof.append(_range_hash(self.hash_at, sibling << depth, size))
            index >>= 1
            last >>= 1
            depth += 1
        return proof

    def consistency_proof(self, old_size: int, new_size: int | None = None) -> list[bytes]:
        """The proof that the tree of `old_size` is a beginning of the tree of `new_size`."""
        return consistency_proof_at(self.hash_at, old_size, self._within(new_size))

    def subtree_proof(self, start: int, end: int, size: int | None = None) -> list[bytes]:
        """The proof that the subtree `[start, end)` is part of the tree of `size`."""
        return subtree_proof_at(self.hash_at, start, end, self._within(size))

    def _within(self, size: int | None) -> int:
        if size is None:
            return len(self)
        if not 0 <= size <= len(self):
            raise IndexError(f"the tree has {len(self)} entries, not {size}")
        return size


def root_at(hash_at: HashAt, size: int) -> bytes:
    """The root of a tree of `size` from the hashes of complete subtrees."""
    return _range_hash(hash_at, 0, size) if size else EMPTY_ROOT


def inclusion_proof_at(hash_at: HashAt, index: int, size: int) -> list[bytes]:
    """An inclusion proof, sibling of the leaf first, from the hashes of complete subtrees."""
    if not 0 <= index < size:
        raise IndexError(f"no entry {index} in a tree of {size}")
    proof = []
    last, depth = size - 1, 0
    while last:
        sibling = index ^ 1
        if sibling <= last:
            proof.append(_range_hash(hash_at, sibling << depth, min((sibling + 1) << depth, size)))
        index >>= 1
        last >>= 1
        depth += 1
    return proof


def consistency_proof_at(hash_at: HashAt, old_size: int, new_size: int) -> list[bytes]:
    """A consistency proof from the hashes of complete subtrees; empty from size 0."""
    if not 0 <= old_size <= new_size:
        raise IndexError(f"no consistency from {old_size} to {new_size} entries")
    return subtree_proof_at(hash_at, 0, old_size, new_size) if old_size else []


def is_subtree(start: int, end: int) -> bool:
    """Whether `[start, end)` may be a subtree: it starts where a tree that holds it would."""
    return 0 <= start < end and start & ((1 << (end - start - 1).bit_length()) - 1) == 0


def subtree_hash_at(hash_at: HashAt, start: int, end: int) -> bytes:
    """The hash of the subtree `[start, end)` from the hashes of complete subtrees."""
    if not is_subtree(start, end):
        raise IndexError(f"[{start}, {end}) is not a subtree")
    return _range_hash(hash_at, start, end)


def subtree_proof_at(hash_at: HashAt, start: int, end: int, size: int) -> list[bytes]:
    """A subtree consistency proof from the hashes of complete subtrees."""
    if not is_subtree(start, end) or end > size:
        raise IndexError(f"[{start}, {end}) is not a subtree of a tree of {size}")
    proof = []
    low, high, whole = 0, size, True
    while (start, end) != (low, high):
        split = low + (1 << (high - low - 1).bit_length() - 1)
        if end <= split:
            proof.append(_range_hash(hash_at, split, high))
            high = split
        else:
            proof.append(_range_hash(hash_at, low, split))
            low = split
            if start < split:  # then start was low: go on with the part right of the split
                start, whole = split, False
    if not whole:
        proof.append(_range_hash(hash_at, low, high))
    return proof[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the entry with this leaf hash is at `index` in the tree of `size` and `root`.

    The algorithm of RFC 9162 section 2.1.3.2.

    Raises:
        ProofMismatch: It is not, or the proof is not the one proof there is.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofMismatch(f"no entry {index} in a tree of {size}")
    _check_hashes(leaf, root, proof)
    node, last, hashed = index, size - 1, leaf
    for step in proof:
        if not last:
            raise ProofMismatch(f"the inclusion proof of entry {index} is too long")
        if node & 1 or node == last:
            hashed = node_hash(step, hashed)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            hashed = node_hash(hashed, step)
        node >>= 1
        last >>= 1
    if last:
        raise ProofMismatch(f"the inclusion proof of entry {index} is too short")
    if hashed != root:
        raise ProofMismatch(f"entry {index} is not in the tree of {size} with this root")


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `old_size` is a beginning of the tree of `new_size`.

    Raises:
        ProofMismatch: It is not, or the proof is not the one proof there is.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ProofMismatch(f"no consistency from {old_size} to {new_size} entries")
    _check_hashes(old_root, new_root, proof)
    if old_size:
        verify_subtree(0, old_size, new_size, old_root, new_root, proof)
        return
    if old_root != EMPTY_ROOT:
        raise ProofMismatch("the root of the empty tree is wrong")
    if not new_size and new_root != EMPTY_ROOT:
        raise ProofMismatch("the root of the empty tree is wrong")
    if proof:
        raise ProofMismatch("from the empty tree there is nothing to prove, yet there is a proof")


def verify_subtree(
    start: int, end: int, size: int, subtree: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the subtree `[start, end)` with hash `subtree` is part of the tree of `size`.

    It replays the walk of `subtree_proof_at` from the root down, then hashes back up: once
    towards the subtree and once towards the root.

    Raises:
        ProofMismatch: It is not, or the proof is not the one proof there is.
    """
    if not is_subtree(start, end) or not end <= size <= MAX_SIZE:
        raise ProofMismatch(f"[{start}, {end}) is not a subtree of a tree of {size}")
    _check_hashes(subtree, root, proof)
    turns = []  # from the root down: does the proof's hash stand left, and is it in the subtree?
    low, high, at = 0, size, start
    while (at, end) != (low, high):
        split = low + (1 << (high - low - 1).bit_length() - 1)
        if end <= split:
            turns.append((False, False))
            high = split
        else:
            turns.append((True, at < split))
            low = split
            at = max(at, split)
    whole = at == start
    if len(proof) != len(turns) + (not whole):
        raise ProofMismatch(
            f"a consistency proof from [{start}, {end}) to {size} entries has "
            f"{len(turns) + (not whole)} hashes, not {len(proof)}"
        )
    inner = outer = subtree if whole else proof[0]
    for (is_left, is_inside), step in zip(
        reversed(turns), proof if whole else proof[1:], strict=True
    ):
        if is_inside:
            inner = node_hash(step, inner)
        outer = node_hash(step, outer) if is_left else node_hash(outer, step)
    if inner != subtree:
        raise ProofMismatch(f"the proof does not rebuild the hash of [{start}, {end})")
    if outer != root:
        raise ProofMismatch(f"the proof does not rebuild the root of {size} entries")


def _range_hash(hash_at: HashAt, start: int, end: int) -> bytes:
    """The hash of the ragged subtree `[start, end)`, complete subtrees folded from the right."""
    length = end - start
    hashed = None
    while length:
        level = (length & -length).bit_length() - 1
        length -= 1 << level
        complete = hash_at(level, (start + length) >> level)
        hashed = complete if hashed is None else node_hash(complete, hashed)
    if hashed is None:
        raise IndexError("an empty range has no hash")
    return hashed


def _check_hashes(first: bytes, second: bytes, proof: Sequence[bytes]) -> None:
    if any(len(each) != HASH_SIZE for each in (first, second, *proof)):
        raise ProofMismatch(f"a hash is {HASH_SIZE} bytes")
