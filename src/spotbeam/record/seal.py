"""Commit now to what the public may see later; prove one row of a list without the others.

Our own constructions over SHA-256, laid out in docs/record-formats.md. Every field goes in after
its length, so that no two different inputs hash the same bytes, and each construction has a label
of its own. A salt of 128 random bits stands between a commitment and whoever would guess what is
sealed from its hash; whoever destroys the salt makes the value unprovable for ever.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

from spotbeam.errors import ProofMismatch
from spotbeam.record.merkle import HASH_SIZE, Tree, leaf_hash, root_hash, verify_inclusion

SALT_SIZE = 16
_FIELD = b"spotbeam.org/commitment/v1"
_ROW = b"spotbeam.org/list-row/v1"
_LIST = b"spotbeam.org/list-root/v1"


def new_salt() -> bytes:
    """A fresh salt of 128 bits from the operating system: one for each value, never used twice."""
    return secrets.token_bytes(SALT_SIZE)


def commit(origin: str, entry_id: str, field: str, value: bytes, salt: bytes) -> bytes:
    """The commitment to one field's value: 32 bytes that tell nothing of it.

    Args:
        origin: The log in which it is made; elsewhere it means nothing.
        entry_id: The entry in which it is made.
        field: The field of the entry.
        value: What is sealed, in canonical JSON.
        salt: From `new_salt`.
    """
    _check_salt(salt)
    return _hash(_FIELD, origin.encode(), entry_id.encode(), field.encode(), salt, value)


def verify_opening(
    commitment: bytes, origin: str, entry_id: str, field: str, value: bytes, salt: bytes
) -> None:
    """Check that an opening shows what was committed to in that place.

    Raises:
        ProofMismatch: It does not.
    """
    if len(salt) != SALT_SIZE or not hmac.compare_digest(
        commit(origin, entry_id, field, value, salt), commitment
    ):
        raise ProofMismatch(f"the opening of {field!a} in {entry_id!a} is not what was sealed")


def row_hash(origin: str, list_id: str, row: bytes, salt: bytes) -> bytes:
    """The leaf of one row of a list, salted on its own: a row shown betrays no other."""
    _check_salt(salt)
    return leaf_hash(_hash(_ROW, origin.encode(), list_id.encode(), salt, row))


def list_root(
    origin: str, list_id: str, version: int, rows: Sequence[tuple[bytes, bytes]]
) -> bytes:
    """The root of one version of a list: binds the log, the list, its version, count and rows.

    Args:
        origin: The log in which it is published.
        list_id: The list.
        version: Its version, from 1.
        rows: Each row's bytes and its salt, in the list's order.
    """
    leaves = [row_hash(origin, list_id, row, salt) for row, salt in rows]
    return _list_root(origin, list_id, version, len(leaves), root_hash(leaves))


def row_proof(
    origin: str, list_id: str, rows: Sequence[tuple[bytes, bytes]], index: int
) -> list[bytes]:
    """The proof that a row is in a list, to be given with the row, its salt, index and count."""
    return Tree(row_hash(origin, list_id, row, salt) for row, salt in rows).inclusion_proof(index)


def verify_row(
    root: bytes,
    origin: str,
    list_id: str,
    version: int,
    count: int,
    *,
    index: int,
    row: bytes,
    salt: bytes,
    proof: Sequence[bytes],
) -> None:
    """Check that a row is at `index` of the version of a list that has this root.

    Raises:
        ProofMismatch: It is not.
    """
    if len(salt) != SALT_SIZE:
        raise ProofMismatch(f"a salt is {SALT_SIZE} bytes, not {len(salt)}")
    leaf = row_hash(origin, list_id, row, salt)
    inner = _climb(leaf, index, count, proof)
    if not hmac.compare_digest(_list_root(origin, list_id, version, count, inner), root):
        raise ProofMismatch(f"the row is not at {index} in version {version} of {list_id!a}")
    verify_inclusion(leaf, index, count, proof, inner)


def _climb(leaf: bytes, index: int, count: int, proof: Sequence[bytes]) -> bytes:
    """The root that a proof leads to; whether it may lead there, `verify_inclusion` says."""
    if not 0 <= index < count:
        raise ProofMismatch(f"no row {index} in a list of {count}")
    hashed, last = leaf, count - 1
    steps = iter(proof)
    try:
        while last:
            if index & 1:
                hashed = sha256(b"\x01" + next(steps) + hashed).digest()
            elif index < last:
                hashed = sha256(b"\x01" + hashed + next(steps)).digest()
            index >>= 1
            last >>= 1
    except StopIteration:
        raise ProofMismatch("the proof of the row is too short") from None
    return hashed


def _list_root(origin: str, list_id: str, version: int, count: int, inner: bytes) -> bytes:
    if version < 1 or len(inner) != HASH_SIZE:
        raise ValueError(f"a list's version counts from 1, not {version}")
    numbers = version.to_bytes(8, "big") + count.to_bytes(8, "big")
    return _hash(_LIST, origin.encode(), list_id.encode(), numbers, inner)


def _hash(label: bytes, *parts: bytes) -> bytes:
    hasher = sha256(label + b"\0")
    for part in parts:
        hasher.update(len(part).to_bytes(8, "big") + part)
    return hasher.digest()


def _check_salt(salt: bytes) -> None:
    if len(salt) != SALT_SIZE:
        raise ValueError(f"a salt is {SALT_SIZE} bytes, not {len(salt)}")
