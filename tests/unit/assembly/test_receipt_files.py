"""Receipts as files: what they prove offline, and what every change of a byte does to them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from support.edge_records import publish
from support.governance import NEXT, ORIGIN, Keys, World, person, rule, seed, witness_quorum
from support.governance_records import rich_world

from spotbeam import errors
from spotbeam.assembly.receipts import (
    check_evidence,
    check_plain_proof,
    check_receipt,
    file_kind,
    prove,
)
from spotbeam.errors import InputError, RecordError
from spotbeam.governance.anchors import genesis_digest
from spotbeam.governance.entries.acts import PutRule, Seat, SetWitnesses
from spotbeam.governance.entries.words import HOUR_US
from spotbeam.record.evidence import equivocation
from spotbeam.record.keys import COSIGNATURE_ED25519, ED25519, signer_from_seed
from spotbeam.record.policy import parse_policy
from spotbeam.record.receipt import parse_receipt


@pytest.fixture(scope="module")
def world() -> World:
    made = rich_world()
    made.witnesses = ("w1", "w2", "w3", "w4")
    made.anchor()
    return made


@pytest.fixture(scope="module")
def record(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published") / "record"
    publish(world, path)
    return path


def first(world: World) -> str:
    """The first change that bound."""
    return min(
        (each for each in world.now.changes.values() if each.status == "bound"),
        key=lambda each: each.index,
    ).id


def test_a_receipt_proves_its_decision_and_says_what_it_does_not(
    world: World, record: Path
) -> None:
    genesis = genesis_digest(world.entries[0])
    for name, whole in world.now.changes.items():
        if whole.status != "bound":
            continue
        data = prove(record, name, genesis=genesis)
        assert file_kind(data) == "receipt"
        found = check_receipt(data, genesis=genesis)
        (decision,) = (each for each in found.decisions if each.id == name)
        assert found.holds
        assert found.is_genesis_checked
        assert (decision.status, decision.bound_us) == ("bound", whole.bound_us)
        assert {person for person, _ in decision.approvers} == set(whole.approvals)
        assert found.signed_by == ("w1", "w2", "w3", "w4")
        assert any("nothing later undid it" in each for each in found.not_proven)
    by_index = prove(record, str(world.now.changes["seat-fay"].index))
    assert by_index == prove(record, "seat-fay")
    assert not check_receipt(by_index).is_genesis_checked


def test_a_receipt_of_another_record_is_not_ours(record: Path) -> None:
    with pytest.raises(errors.ProofMismatch) as fault:
        check_receipt(prove(record, "seat-fay"), genesis="0" * 64)
    assert fault.value.place == "entry 0"


def test_every_byte_of_a_receipt_matters(record: Path, world: World) -> None:
    """All witnesses are needed here, so that not even a signature line may change unseen."""
    genesis = genesis_digest(world.entries[0])
    data = prove(record, first(world))
    assert check_receipt(data, genesis=genesis).holds
    step = max(1, len(data) // 150)
    for offset in range(0, len(data), step):
        changed = bytearray(data)
        changed[offset] ^= 1
        if file_kind(bytes(changed)) != "receipt":
            continue
        with pytest.raises(RecordError):
            check_receipt(bytes(changed), genesis=genesis)
    for size in range(0, len(data), step):
        with pytest.raises(RecordError):
            check_receipt(data[:size], genesis=genesis)


def test_an_entry_that_was_never_logged_proves_nothing(record: Path, world: World) -> None:
    """The forger holds the keys of two approvers, yet the log and witnesses never saw it."""
    data = prove(record, first(world))
    receipt = parse_receipt(data)
    at = next(each for each in receipt.entries if b'"approval"' in each.entry)
    forged = world.write(world.approval(first(world)), "eli", "forged")
    lines = data.replace(base64.b64encode(at.entry), base64.b64encode(forged))
    with pytest.raises(errors.ProofMismatch):
        check_receipt(lines)


def test_a_checkpoint_of_too_few_witnesses_proves_nothing(
    record: Path, world: World, tmp_path: Path
) -> None:
    data = prove(record, first(world))
    head, _, _ = data.partition(b"\n\n")
    for by in ((), ("w1", "w2")):
        with pytest.raises(errors.QuorumNotMet):
            check_receipt(head + b"\n\n" + world.note(by=by))
    with pytest.raises(errors.QuorumNotMet):
        check_receipt(data, now_s=1_000)  # before any of them signed
    ahead = world.note(at_us=3_000_000_000_000_000)
    with pytest.raises(errors.QuorumNotMet):
        check_receipt(head + b"\n\n" + ahead, now_s=2_000_000_000)
    with pytest.raises(errors.BadSignature):
        check_receipt(head + b"\n\n" + world.note(logs=("a thief",)))


def test_witnesses_that_came_later_are_believed_as_the_old_ones_handed_over(
    tmp_path: Path,
) -> None:
    world = World()
    name = world.pass_change()
    moved = ("w4", "w5", "w6")
    world.witnesses = ("w1", "w2", "w3", *moved)
    world.pass_change(SetWitnesses(witness_quorum(moved)))
    world.witnesses = moved
    world.anchor()
    publish(world, tmp_path / "record")
    found = check_receipt(prove(tmp_path / "record", name))
    assert found.holds
    assert found.signed_by == moved
    # A quorum of one's own choice cannot be put in the place of that one.
    world.witnesses = ("w7", "w8", "w9")
    head, _, _ = prove(tmp_path / "record", name).partition(b"\n\n")
    with pytest.raises(errors.QuorumNotMet):
        check_receipt(head + b"\n\n" + world.note())


def test_a_receipt_without_its_approvals_does_not_show_a_decision(tmp_path: Path) -> None:
    world = World()
    name = world.pass_change(PutRule(rule()))
    publish(world, tmp_path / "record")
    data = prove(tmp_path / "record", name)
    approvals = [each.index for each in parse_receipt(data).entries if b'"approval"' in each.entry]
    head, _, note = data.partition(b"\n\n")
    lines = head.decode().split("\n")
    at = lines.index(next(each for each in lines if each.startswith(f"entry {approvals[0]} ")))
    end = next((n for n in range(at + 1, len(lines)) if lines[n].startswith("entry ")), len(lines))
    shorter = "\n".join([*lines[:at], *lines[end:]]).encode() + b"\n\n" + note
    found = check_receipt(shorter)
    assert not found.holds
    assert [each.status for each in found.decisions] == ["pending"]


def test_a_plain_proof_is_for_other_peoples_tools(record: Path, world: World) -> None:
    data = prove(record, first(world), is_plain=True)
    assert file_kind(data) == "tlog-proof"
    quorum = world.now.witness_quorum
    assert quorum is not None
    policy = parse_policy(quorum.policy.encode())
    found = check_plain_proof(data, policy, None)
    index = world.now.seen[first(world)]
    assert [each for each, _ in found.says] == [index]
    assert check_plain_proof(data, policy, world.entries[index]) == found
    with pytest.raises(errors.ProofMismatch):
        check_plain_proof(data, policy, world.entries[index + 1])
    lines = data.split(b"\n")
    bare = b"\n".join(line for line in lines if not line.startswith(b"extra "))
    assert check_plain_proof(bare, policy, world.entries[index]) == found
    with pytest.raises(InputError, match="without its entry"):
        check_plain_proof(bare, policy, None)
    stranger = signer_from_seed("w.example", COSIGNATURE_ED25519, b"3" * 32).key
    log = policy.logs[0].key
    other = parse_policy(f"log {log}\nwitness w {stranger}\nquorum w\n".encode())
    with pytest.raises(errors.QuorumNotMet):
        check_plain_proof(data, other, None)


def test_evidence_of_two_views_convicts_one_log_only(world: World) -> None:
    one, other = world.note(), world.note(root=bytes(32))
    data = bytes(equivocation(one, other))
    assert file_kind(data) == "evidence"
    log = signer_from_seed(world.origin, ED25519, seed("log")).key
    found = check_evidence(data, parse_policy(f"log {log}\nquorum none\n".encode()))
    assert (found.origin, found.size) == (world.origin, len(world.entries))
    stranger = signer_from_seed(world.origin, ED25519, b"3" * 32).key
    with pytest.raises(errors.BadSignature):
        check_evidence(data, parse_policy(f"log {stranger}\nquorum none\n".encode()))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("99999", "there is no entry 99999"),
        ("seat-fai", "unknown entry 'seat-fai'"),
        ("-1", "unknown entry"),
        ("\u0661", "unknown entry"),
        ("45", "has no effect"),
    ],
)
def test_a_receipt_of_nothing_is_wrong_usage(record: Path, entry: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prove(record, entry)


def chain(tmp_path: Path) -> tuple[World, list[Path]]:
    """A record in three logs: one was closed, the second was left by its people."""
    world = World()
    paths = [tmp_path / name for name in ("first", "second", "third")]
    world.pass_change(PutRule(rule("in-the-first")))
    fay = Keys("fay")
    proof = fay.possession("fay", "seat-fay", world.now.genesis, world.origin)
    seat = Seat(person=person("fay", fay, "civil", ("approver",)), possessions=(proof,))
    world.say(world.change_body(seat), "ada", "seat-fay")
    world.approve("seat-fay", "bo", "cy")
    world.anchor()
    world.anchor(after_us=80 * HOUR_US)
    world.keys["fay"] = fay
    world.close()
    publish(world, paths[0])
    world.move_on()
    world.open()
    world.pass_change(PutRule(rule("in-the-second")), people=("bo", "fay"))
    publish(world, paths[1])
    world.move_on("log.example/third", "log-3")
    world.log_says(world.succession("bo", "cy"))
    world.pass_change(PutRule(rule("in-the-third")), people=("dee", "fay"))
    world.anchor()
    publish(world, paths[2])
    return world, paths


def test_a_receipt_goes_through_all_logs_of_a_record(tmp_path: Path) -> None:
    """An approver of the third log was seated in the first: both ends are in the file."""
    world, paths = chain(tmp_path)
    genesis = genesis_digest(world.logs[0][0])
    shown = 0
    for name, whole in world.now.changes.items():
        if whole.status != "bound":
            continue
        data = prove(paths[2], name, also=paths[:2], genesis=genesis)
        found = check_receipt(data, genesis=genesis)
        (decision,) = (each for each in found.decisions if each.id == name)
        assert found.holds
        assert found.logs == (ORIGIN, NEXT, "log.example/third")
        assert (decision.bound_index, decision.bound_us) == (whole.bound_index, whole.bound_us)
        shown += 1
    assert shown == 5
    plain = prove(paths[2], "seat-fay", also=paths[:2], is_plain=True)
    assert f"{ORIGIN}\n".encode() in plain


def test_parts_of_a_receipt_cannot_be_left_out_or_taken_from_elsewhere(tmp_path: Path) -> None:
    world, paths = chain(tmp_path)
    name = max(world.now.changes.values(), key=lambda each: each.index).id
    data = prove(paths[2], name, also=paths[:2])
    begin = b"spotbeam.org/receipt@v1\n"
    first, second, third = (begin + part for part in data.split(begin)[1:])
    assert first + second + third == data
    for wrong in (
        second + third,
        third,
        first + third,
        first + b"\n" + second + third,
        second + first + third,
        first + second,
    ):
        try:
            found = check_receipt(wrong)
        except RecordError:
            continue
        assert name not in {each.id for each in found.decisions}
    with pytest.raises(RecordError):
        check_receipt(first + third)
