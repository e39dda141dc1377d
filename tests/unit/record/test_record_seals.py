"""Seals tell nothing, bind everything, and open only to what was sealed."""

from __future__ import annotations

from hashlib import sha256
from itertools import product

import pytest

from spotbeam.errors import ProofMismatch
from spotbeam.record import seal
from spotbeam.record.merkle import root_hash

SALT = bytes(range(16))


def test_the_construction_is_the_documented_one() -> None:
    def field(data: bytes) -> bytes:
        return len(data).to_bytes(8, "big") + data

    parts = (b"log.example", b"req_1", b"cells", SALT, b'["85"]')
    wanted = sha256(b"spotbeam.org/commitment/v1\0" + b"".join(map(field, parts))).digest()
    assert seal.commit("log.example", "req_1", "cells", b'["85"]', SALT) == wanted


def test_a_commitment_opens_only_in_its_place() -> None:
    place = ("log.example", "req_1", "cells", b"value", SALT)
    commitment = seal.commit(*place)
    seal.verify_opening(commitment, *place)
    for number, other in enumerate(("log.exampl", "req_2", "cell", b"valuf", SALT[::-1])):
        changed = (*place[:number], other, *place[number + 1 :])
        with pytest.raises(ProofMismatch):
            seal.verify_opening(commitment, *changed)
    # Moving a byte from one field to the next is another commitment.
    assert seal.commit("ab", "c", "f", b"", SALT) != seal.commit("a", "bc", "f", b"", SALT)
    with pytest.raises(ProofMismatch):
        seal.verify_opening(commitment, *place[:4], SALT[:-1])
    with pytest.raises(ValueError, match="16 bytes"):
        seal.commit(*place[:4], b"")


def test_a_sealed_value_is_not_found_by_trying_all_and_without_salt_it_is() -> None:
    cells = [f"85{a}{b}{c}fff".encode() for a, b, c in product("0123456789ab", repeat=3)]
    sealed = seal.commit("log.example", "req_1", "cells", cells[700], seal.new_salt())
    guesses = {seal.commit("log.example", "req_1", "cells", cell, bytes(16)) for cell in cells}
    assert sealed not in guesses
    # The control: the same attack on a hash without a salt finds the cell.
    bare = sha256(cells[700]).digest()
    assert [cell for cell in cells if sha256(cell).digest() == bare] == [cells[700]]
    assert len({seal.new_salt() for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_a_row_is_proven_without_the_others(count: int) -> None:
    rows = [(b"row %d" % n, seal.new_salt()) for n in range(count)]
    root = seal.list_root("log.example", "allow", 3, rows)
    for index, (row, salt) in enumerate(rows):
        proof = seal.row_proof("log.example", "allow", rows, index)
        place = ("log.example", "allow", 3, count)

        def check(
            place: tuple[str, str, int, int] = place,
            index: int = index,
            row: bytes = row,
            salt: bytes = salt,
            proof: list[bytes] = proof,
        ) -> None:
            seal.verify_row(root, *place, index=index, row=row, salt=salt, proof=proof)

        check()
        for changed in (
            {"place": ("log.exampl", "allow", 3, count)},
            {"place": ("log.example", "deny", 3, count)},
            {"place": ("log.example", "allow", 4, count)},
            {"place": ("log.example", "allow", 3, count + 1)},
            {"row": b"row x"},
            {"salt": bytes(16)},
            {"salt": salt[:15]},
            {"index": index + 1},
            {"index": -1},
            {"proof": [*proof, bytes(32)]},
            {"proof": [bytes(32), *proof[1:]]},
            {"proof": [each[:31] for each in proof] or [b""]},
            *([{"proof": proof[:-1]}] if proof else []),
        ):
            with pytest.raises(ProofMismatch):
                check(**changed)  # type: ignore[arg-type]


def test_a_list_s_root_is_not_its_tree_s() -> None:
    rows = [(b"row", SALT)]
    leaf = seal.row_hash("log.example", "allow", *rows[0])
    assert seal.list_root("log.example", "allow", 1, rows) != root_hash([leaf])
    assert seal.list_root("log.example", "allow", 1, []) != seal.list_root(
        "log.example", "allow", 2, []
    )


def test_versions_of_a_list_do_not_tell_who_came_in_and_without_salts_they_do() -> None:
    """Somebody compares the roots of two versions with all terminals that there might be."""

    def root(version: int, rows: list[tuple[bytes, bytes]]) -> bytes:
        return seal.list_root("log.example", "kits", version, rows)

    suspects = [b"kit-%03d" % n for n in range(300)]
    first = [(name, seal.new_salt()) for name in suspects[:40]]
    second = [*first, (suspects[123], seal.new_salt())]

    def found(known: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
        # They may even know the first version with its salts: a row has one of its own.
        return [name for name in suspects if root(2, [*known, (name, bytes(16))]) == wanted]

    assert found(first, root(2, second)) == []
    # The control: were rows salted alike, the newcomer is found at once.
    plain = [(name, bytes(16)) for name in suspects[:40]]
    assert found(plain, root(2, [*plain, (suspects[123], bytes(16))])) == [suspects[123]]
