"""Witness and mirror: each status of the specifications, races, forks, and what must be kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from spotbeam.errors import BadSignature, MalformedRecord, RecordError
from spotbeam.record import keys
from spotbeam.record.checkpoint import (
    Checkpoint,
    format_checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
)
from spotbeam.record.checkpoint_store import MemoryCheckpoints, SqliteCheckpoints
from spotbeam.record.cosignature import cosign, verify_cosignatures
from spotbeam.record.keys import Signer, signer_from_seed
from spotbeam.record.merkle import EMPTY_ROOT, Tree, leaf_hash
from spotbeam.record.mirror import (
    Mirror,
    MirrorInfo,
    add_entries_requests,
    parse_mirror_info,
)
from spotbeam.record.note import add_signatures, sign_note
from spotbeam.record.tile_reader import directory, fsck
from spotbeam.record.witness import (
    AddCheckpoint,
    Answer,
    Witness,
    origin_hash,
    parse_add_checkpoint,
    read_witness_answer,
)

NOW_S = 1_800_000_000
ORIGIN = "log.example/w"
LOG = signer_from_seed(ORIGIN, keys.ED25519, b"\1" * 32)
SIGNERS = [
    signer_from_seed("witness.example", keys.COSIGNATURE_ED25519, b"\2" * 32),
    signer_from_seed("witness.example", keys.COSIGNATURE_MLDSA44, b"\3" * 32),
]
KEYS = [signer.key for signer in SIGNERS]


def entry(number: int) -> bytes:
    return b"entry %d" % number


TREE = Tree(leaf_hash(entry(i)) for i in range(1_000))
OTHER = Tree(leaf_hash(entry(i)) for i in (*range(6), *range(7, 40)))


def note(size: int, tree: Tree = TREE, signer: Signer = LOG) -> bytes:
    return sign_checkpoint(Checkpoint(signer.key.name, size, tree.root(size)), [signer])


def request(old: int, size: int, tree: Tree = TREE) -> bytes:
    return bytes(AddCheckpoint(old, tuple(tree.consistency_proof(old, size)), note(size, tree)))


@pytest.fixture
def witness() -> Witness:
    return Witness({ORIGIN: [LOG.key]}, SIGNERS, MemoryCheckpoints())


def test_a_witness_signs_what_continues(witness: Witness) -> None:
    for old, new in ((0, 0), (0, 5), (5, 5), (5, 8), (8, 1_000)):
        answer = witness.add_checkpoint(request(old, new), now_s=NOW_S + new)
        assert answer.status == 200
        read = read_witness_answer(200, answer.body, note(new), KEYS, now_s=NOW_S + new)
        assert [line.key_id for line in read.cosignatures] == [key.key_id for key in KEYS]
        whole = add_signatures(note(new), read.cosignatures)
        times = {each.time_s for each in verify_cosignatures(whole, KEYS, now_s=NOW_S + new)}
        assert times == {NOW_S + new}
        # The note that anyone may ask for carries the log's signature and exactly these.
        assert witness.checkpoint(origin_hash(ORIGIN)) == Answer(200, whole)


def test_the_request_is_laid_out_as_in_the_specification() -> None:
    lines = request(5, 8).decode().split("\n")
    assert lines[0] == "old 5"
    assert lines[1 : lines.index("")] == [
        keys.encode_base64(step) for step in TREE.consistency_proof(5, 8)
    ]
    assert bytes(parse_add_checkpoint(request(5, 8))) == request(5, 8)


def status(witness: Witness, body: bytes) -> int:
    before = witness.latest(ORIGIN)
    answer = witness.add_checkpoint(body, now_s=NOW_S)
    assert answer.status == 200 or witness.latest(ORIGIN) == before
    return answer.status


def test_each_refusal_has_its_status_and_changes_nothing(witness: Witness) -> None:
    assert status(witness, request(0, 8)) == 200
    proof = tuple(TREE.consistency_proof(8, 20))
    stranger = signer_from_seed("log.example/unknown", keys.ED25519, b"\1" * 32)
    assert status(witness, bytes(AddCheckpoint(0, (), note(3, signer=stranger)))) == 404
    thief = signer_from_seed(ORIGIN, keys.ED25519, b"\x66" * 32)
    assert status(witness, bytes(AddCheckpoint(8, proof, note(20, signer=thief)))) == 403
    forged = note(20).replace(note(20)[-12:], note(21)[-12:])
    assert status(witness, bytes(AddCheckpoint(8, proof, forged))) == 403
    assert status(witness, bytes(AddCheckpoint(21, (), note(20)))) == 400
    for old in (0, 7, 9):
        answer = witness.add_checkpoint(bytes(AddCheckpoint(old, (), note(20))), now_s=NOW_S)
        assert (answer.status, answer.body) == (409, b"8\n")
        assert answer.content_type == "text/x.tlog.size"
        read = read_witness_answer(409, answer.body, note(20), KEYS, now_s=NOW_S)
        assert read.held_size == 8
    for bad in ((), proof[:-1], (*proof, EMPTY_ROOT), (proof[1], proof[0], *proof[2:])):
        assert status(witness, bytes(AddCheckpoint(8, bad, note(20)))) == 422
    assert status(witness, bytes(AddCheckpoint(8, (EMPTY_ROOT,), note(8)))) == 422
    assert status(witness, request(8, 20)) == 200


def test_an_empty_tree_has_one_root(witness: Witness) -> None:
    hollow = Checkpoint(ORIGIN, 0, b"\1" * 32)
    body = bytes(AddCheckpoint(0, (), sign_note(format_checkpoint(hollow), [LOG])))
    assert status(witness, body) == 422
    assert status(witness, bytes(AddCheckpoint(0, (EMPTY_ROOT,), note(8)))) == 422


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body[1:],
        lambda body: body.replace(b"old 0\n", b"old 00\n"),
        lambda body: body.replace(b"old 0\n", b"old -1\n"),
        lambda body: body.replace(b"old 0\n", b"old 0 \n"),
        lambda body: body.replace(b"old 0\n", b"old 0\r\n"),
        lambda body: body.replace(b"old 0\n", b"OLD 0\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"=\n" * 1 + b"junk\n"),
        lambda body: body.replace(
            b"old 0\n", b"old 0\n" + (keys.encode_base64(EMPTY_ROOT).encode() + b"\n") * 64
        ),
        lambda body: body.replace(b"old 0\n\n", b"old 0\n"),
        lambda body: body[:-1],
        lambda body: body + b"\n",
    ],
)
def test_a_malformed_request_is_400(witness: Witness, change: Callable[[bytes], bytes]) -> None:
    assert status(witness, change(request(0, 8))) == 400


def test_two_views_never_both_get_a_signature_and_the_fork_is_kept(witness: Witness) -> None:
    assert status(witness, request(0, 8)) == 200
    answer = witness.add_checkpoint(bytes(AddCheckpoint(8, (), note(8, OTHER))), now_s=NOW_S)
    assert answer.status == 422
    assert answer.forked is not None
    first, second = (parse_signed_checkpoint(each)[0] for each in answer.forked)
    assert first.size == second.size == 8
    assert first.root != second.root
    assert status(witness, request(8, 30, OTHER)) == 422


def test_a_clock_that_goes_back_signs_nothing(witness: Witness) -> None:
    assert witness.add_checkpoint(request(0, 8), now_s=NOW_S).status == 200
    assert witness.add_checkpoint(request(8, 9), now_s=NOW_S - 1).status == 503
    assert witness.add_checkpoint(request(8, 9), now_s=NOW_S).status == 200


def test_a_witness_s_answer_is_not_believed_blindly(witness: Witness) -> None:
    body = witness.add_checkpoint(request(0, 8), now_s=NOW_S).body
    with pytest.raises(BadSignature):
        read_witness_answer(200, body, note(9), KEYS, now_s=NOW_S)
    with pytest.raises(BadSignature, match="future"):
        read_witness_answer(200, body, note(8), KEYS, now_s=NOW_S - 1)
    assert not read_witness_answer(200, body, note(8), [LOG.key], now_s=NOW_S).cosignatures
    with pytest.raises(RecordError, match="403"):
        read_witness_answer(403, b"no", note(8), KEYS, now_s=NOW_S)
    for bad in (b"8", b"8\n\n", b"08\n", b"\xff\n", b""):
        with pytest.raises(MalformedRecord):
            read_witness_answer(409, bad, note(8), KEYS, now_s=NOW_S)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_racing_requests_never_roll_a_witness_back(tmp_path: Path, kind: str) -> None:
    store = (
        MemoryCheckpoints()
        if kind == "memory"
        else SqliteCheckpoints(tmp_path / "w.sqlite", create=True)
    )
    witness = Witness({ORIGIN: [LOG.key]}, SIGNERS[:1], store)
    statuses: list[int] = []
    bodies = [request(0, size) for size in range(1, 25)]

    def send(body: bytes) -> None:
        statuses.append(witness.add_checkpoint(body, now_s=NOW_S).status)

    threads = [threading.Thread(target=send, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 23


def test_a_race_between_check_and_write_is_judged_again() -> None:
    class Raced(MemoryCheckpoints):
        """Another request wins between `latest` and `replace`, once."""

        def replace(self, origin: str, old: bytes | None, new: bytes) -> bool:
            if old is None and self.latest(origin) is None:
                super().replace(origin, None, note(20))
            return super().replace(origin, old, new)

    witness = Witness({ORIGIN: [LOG.key]}, SIGNERS, Raced())
    answer = witness.add_checkpoint(request(0, 8), now_s=NOW_S)
    assert (answer.status, answer.body) == (409, b"20\n")


def test_a_witness_s_file_is_never_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "w.sqlite"
    with pytest.raises(FileNotFoundError):
        SqliteCheckpoints(path)
    store = SqliteCheckpoints(path, create=True)
    witness = Witness({ORIGIN: [LOG.key]}, SIGNERS, store)
    assert witness.add_checkpoint(request(0, 8), now_s=NOW_S).status == 200
    store.close()
    with pytest.raises(FileExistsError):
        SqliteCheckpoints(path, create=True)
    again = SqliteCheckpoints(path)
    reopened = Witness({ORIGIN: [LOG.key]}, SIGNERS, again)
    assert reopened.add_checkpoint(request(0, 9, OTHER), now_s=NOW_S).status == 409
    again.close()


# The mirror

MIRROR = signer_from_seed("mirror.example", keys.COSIGNATURE_ED25519, b"\4" * 32)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror({ORIGIN: [LOG.key]}, [MIRROR], MemoryCheckpoints(), tmp_path)


def uploads(start: int, end: int, tree: Tree = TREE) -> list[bytes]:
    return list(
        add_entries_requests(
            ORIGIN, start, end, lambda a, b: map(entry, range(a, b)), tree.subtree_proof
        )
    )


def test_a_mirror_signs_only_what_it_holds(mirror: Mirror) -> None:
    assert mirror.add_entries(uploads(0, 300)[0], now_s=NOW_S).status == 422
    held = 0
    for size in (1, 300, 512, 1_000):
        answer = mirror.add_checkpoint(request(held, size), now_s=NOW_S)
        assert (answer.status, answer.body) == (200, b"")
        (body,) = uploads(held, size)
        answer = mirror.add_entries(body, now_s=NOW_S + size)
        assert answer.status == 200
        read = read_witness_answer(200, answer.body, note(size), [MIRROR.key], now_s=NOW_S + size)
        assert len(read.cosignatures) == 1
        point = parse_signed_checkpoint(note(size))[0]
        assert fsck(directory(mirror.folder(ORIGIN)), point).entries == size
        served = mirror.checkpoint(origin_hash(ORIGIN))
        assert served.body == add_signatures(note(size), read.cosignatures)
        held = size
    assert mirror.folder(ORIGIN).name == sha256(ORIGIN.encode()).hexdigest()


def test_a_mirror_signs_afresh_without_new_entries(mirror: Mirror) -> None:
    mirror.add_checkpoint(request(0, 300), now_s=NOW_S)
    mirror.add_entries(uploads(0, 300)[0], now_s=NOW_S)
    (empty,) = uploads(300, 300)
    answer = mirror.add_entries(empty, now_s=NOW_S + 60)
    assert answer.status == 200
    again = verify_cosignatures(
        mirror.checkpoint(origin_hash(ORIGIN)).body, [MIRROR.key], now_s=NOW_S + 60
    )
    assert [each.time_s for each in again] == [NOW_S + 60]


def test_an_interrupted_upload_goes_on_where_it_stopped(mirror: Mirror) -> None:
    mirror.add_checkpoint(request(0, 1_000), now_s=NOW_S)
    (body,) = uploads(0, 1_000)
    first = len(uploads(0, 256)[0])
    cut = body[: first + 5_000]
    answer = mirror.add_entries(cut, now_s=NOW_S)
    assert (answer.status, answer.content_type) == (202, "text/x.tlog.mirror-info")
    info = parse_mirror_info(answer.body)
    assert info.pending_size == 1_000
    assert info.next_entry in (256, 512)
    assert mirror.checkpoint(origin_hash(ORIGIN)).status == 404  # nothing is signed yet
    (rest,) = uploads(info.next_entry, info.pending_size)
    assert mirror.add_entries(rest, now_s=NOW_S).status == 200


def test_a_mirror_refuses_what_does_not_belong(mirror: Mirror) -> None:
    mirror.add_checkpoint(request(0, 300), now_s=NOW_S)
    (body,) = uploads(0, 300)

    def sent(body: bytes) -> int:
        return mirror.add_entries(body, now_s=NOW_S).status

    assert sent(body.replace(ORIGIN.encode(), b"log.example/x")) == 404
    assert sent(b"") == 400
    assert sent(body[:30]) == 400
    assert sent(uploads(0, 299)[0]) == 409  # no pending checkpoint of that size
    assert sent(uploads(290, 300)[0]) == 409  # what is before that is missing
    assert sent(body.replace(b"entry 17", b"entry 71")) == 422
    assert sent(body.replace(b"entry 299", b"entry 298")) == 422  # the first bundle stays
    answer = mirror.add_entries(body, now_s=NOW_S)
    assert (answer.status, answer.body) == (409, b"300\n256\n\n")
    (rest,) = uploads(256, 300)
    assert sent(rest + b"\0") == 400
    assert mirror.checkpoint(origin_hash(ORIGIN)).status == 404  # so far nothing is signed
    # An entry uploaded twice is taken once.
    assert sent(rest) == sent(uploads(280, 300)[0]) == 200
    point = parse_signed_checkpoint(note(300))[0]
    for at in range(0, len(rest), 61):
        changed = rest[:at] + bytes([rest[at] ^ 0x40]) + rest[at + 1 :]
        assert sent(changed) in (400, 404, 409, 422)
    assert fsck(directory(mirror.folder(ORIGIN)), point).entries == 300


def test_a_mirror_that_restarts_asks_again_for_what_it_had_not_signed(
    mirror: Mirror, tmp_path: Path
) -> None:
    store = MemoryCheckpoints()
    first = Mirror({ORIGIN: [LOG.key]}, [MIRROR], store, tmp_path / "m")
    first.add_checkpoint(request(0, 300), now_s=NOW_S)
    assert first.add_entries(uploads(0, 300)[0], now_s=NOW_S).status == 200
    first.add_checkpoint(request(300, 1_000), now_s=NOW_S)
    body = uploads(300, 1_000)[0]
    assert first.add_entries(body[: len(body) - 10], now_s=NOW_S).status == 202
    second = Mirror({ORIGIN: [LOG.key]}, [MIRROR], store, tmp_path / "m")
    answer = second.add_entries(uploads(768, 1_000)[0], now_s=NOW_S)
    assert answer.status == 409
    assert parse_mirror_info(answer.body) == MirrorInfo(1_000, 300)
    assert second.add_entries(body, now_s=NOW_S).status == 200
    point = parse_signed_checkpoint(note(1_000))[0]
    assert fsck(directory(second.folder(ORIGIN)), point).entries == 1_000


def test_a_mirror_s_pending_checkpoint_is_a_witness_s(mirror: Mirror) -> None:
    assert mirror.add_checkpoint(request(0, 8), now_s=NOW_S).status == 200
    forked = bytes(AddCheckpoint(8, (), note(8, OTHER)))
    assert mirror.add_checkpoint(forked, now_s=NOW_S).status == 422
    assert mirror.add_checkpoint(request(5, 9), now_s=NOW_S).body == b"8\n"


def test_cosign_lines_of_witness_and_mirror_stand_side_by_side(witness: Witness) -> None:
    line = cosign(parse_signed_checkpoint(note(8))[0], MIRROR, NOW_S)
    body = bytes(AddCheckpoint(0, (), add_signatures(note(8), [line])))
    assert witness.add_checkpoint(body, now_s=NOW_S).status == 200
    kept = parse_signed_checkpoint(witness.checkpoint(origin_hash(ORIGIN)).body)[1]
    # A stranger's line is not passed on: the witness serves what it verified itself.
    assert [each.name for each in kept.signatures] == [ORIGIN, *["witness.example"] * 2]


def test_a_mirror_serves_what_others_signed_and_no_junk_that_anybody_brings(
    tmp_path: Path,
) -> None:
    mine = signer_from_seed("m.example", keys.COSIGNATURE_ED25519, b"\4" * 32)
    known = SIGNERS[0]
    mirror = Mirror(
        {ORIGIN: [LOG.key]}, [mine], MemoryCheckpoints(), tmp_path, lambda origin: [known.key]
    )
    checkpoint = Checkpoint(ORIGIN, 8, TREE.root(8))

    def bring(*lines: object) -> list[object]:
        brought = add_signatures(note(8), lines)  # type: ignore[arg-type]
        answer = mirror.add_checkpoint(bytes(AddCheckpoint(8, (), brought)), now_s=NOW_S)
        assert (answer.status, answer.body) == (200, b"")
        return list(
            parse_signed_checkpoint(mirror.checkpoint(origin_hash(ORIGIN)).body)[1].signatures
        )

    assert mirror.add_checkpoint(request(0, 8), now_s=NOW_S).status == 200
    (body,) = add_entries_requests(
        ORIGIN, 0, 8, lambda a, b: [entry(i) for i in range(a, b)], TREE.subtree_proof
    )
    assert mirror.add_entries(body, now_s=NOW_S).status == 200
    first, later = cosign(checkpoint, known, NOW_S - 60), cosign(checkpoint, known, NOW_S)
    bogus = msgspec.structs.replace(later, signature=later.signature[:-1] + b"\0")
    stranger = cosign(checkpoint, SIGNERS[1], NOW_S)
    other = cosign(Checkpoint(ORIGIN, 8, OTHER.root(8)), known, NOW_S)
    ahead = cosign(checkpoint, known, NOW_S + 3_600)
    before = bring()
    for junk in (bogus, stranger, other, ahead):
        assert bring(junk) == before
    assert first in bring(first)
    with_later = bring(later)
    assert later in with_later
    assert bring(first) == with_later, "an older word replaces none"
    # A fresh signature of its own keeps what others have signed.
    (empty,) = add_entries_requests(ORIGIN, 8, 8, lambda a, b: [], TREE.subtree_proof)
    assert mirror.add_entries(empty, now_s=NOW_S + 60).status == 200
    assert later in bring()
