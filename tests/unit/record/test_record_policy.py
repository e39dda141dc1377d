"""Witness policies: the file's form, the quorum's meaning, and the quorums that promise nothing."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotbeam.errors import (
    BadSignature,
    MalformedRecord,
    ProofMismatch,
    QuorumNotMet,
    RecordError,
    WitnessPolicyError,
)
from spotbeam.record import keys, quorum
from spotbeam.record.checkpoint import Checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign
from spotbeam.record.keys import Signer, signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.note import Signature, add_signatures
from spotbeam.record.policy import (
    Group,
    WitnessPolicy,
    format_policy,
    parse_policy,
    verify_witnessed,
    witnessed_time_s,
)
from spotbeam.record.proof import LogProof, parse_proof, verify_proof
from spotbeam.record.quorum import check_quorum

NOW_S = 1_800_000_000
LOG = signer_from_seed("log.example/p", keys.ED25519, b"\1" * 32)
W = [
    signer_from_seed(f"witness.example/w{n}", keys.COSIGNATURE_ED25519, bytes([n + 10]) * 32)
    for n in range(8)
]
W[2] = signer_from_seed("witness.example/w2", keys.COSIGNATURE_MLDSA44, b"\x0c" * 32)
LINES = [f"log {LOG.key}", *(f"witness W{n} {w.key}" for n, w in enumerate(W))]


def policy(*lines: str, count: int = 8) -> WitnessPolicy:
    return parse_policy("".join(f"{line}\n" for line in (*LINES[: count + 1], *lines)).encode())


NESTED = policy(
    "group X 2 W0 W1 W2", "group Y any W3 W4 W5", "group X-and-Y all X Y", "quorum X-and-Y"
)


def test_the_example_of_the_specification_means_what_it_says() -> None:
    assert NESTED.is_met(["W0", "W2", "W5"])
    assert not NESTED.is_met(["W0", "W5", "W4", "W3"])
    assert not NESTED.is_met(["W0", "W1", "W2", "W6", "W7"])
    assert policy("quorum W3").is_met(["W3"])
    assert policy("quorum none").is_met([])
    assert parse_policy(format_policy(NESTED)) == NESTED


def test_spaces_tabs_comments_and_opaque_bytes_are_taken() -> None:
    data = (
        b"  # log nothing\n\n\t log\t" + str(LOG.key).encode() + b"  x:/y \t\n"
        b"witness \xff\xfe " + str(W[0].key).encode() + b"\n"
        b"quorum \xff\xfe\n"
    )
    read = parse_policy(data)
    assert read.logs[0].url == "x:/y"
    assert read.is_met([b"\xff\xfe".decode(errors="surrogateescape")])
    assert b"quorum \xff\xfe\n" in format_policy(read)


@pytest.mark.parametrize(
    ("says", "lines"),
    [
        ("no quorum", []),
        ("two quorum", ["quorum W0", "quorum W0"]),
        ("not a witness or group", ["quorum W9"]),
        ("not a witness or group", ["quorum G", "group G any W0"]),
        ("not a witness or group", ["group G any H", "group H any W0", "quorum G"]),
        ("not a witness or group", ["group G any none", "quorum G"]),
        ("not a witness or group", ["group G any G W0", "quorum G"]),
        ("already a member", ["group G any W0 W0", "quorum G"]),
        ("already a member", ["group G any W0", "group H any W0 W1", "quorum G"]),
        ("already taken", ["group W0 any W1", "quorum W0"]),
        ("already taken", ["group none any W1", "quorum none"]),
        ("cannot sign", ["group G 3 W0 W1", "quorum G"]),
        ("cannot sign", ["group G 0 W0 W1", "quorum G"]),
        ("not a decimal", ["group G 02 W0 W1 W2", "quorum G"]),
        ("not a decimal", ["group G +1 W0 W1 W2", "quorum G"]),
        ("not a decimal", ["group G ANY W0 W1 W2", "quorum G"]),
        ("expected: group", ["group G all", "quorum W0"]),
        ("expected: quorum", ["quorum W0 W1"]),
        ("one public key", [f"witness again {W[0].key}", "quorum W0"]),
        (
            "one public key",
            [f"witness again {signer_from_seed('x', 4, bytes([10]) * 32).key}", "quorum W0"],
        ),
        ("listed twice", [f"log {LOG.key}", "quorum W0"]),
        ("listed twice", [f"log {signer_from_seed('x', 1, bytes([1]) * 32).key}", "quorum W0"]),
        ("not of type 0x01", [f"log {W[0].key}", "quorum W0"]),
        ("not of type 0x04", [f"witness L {LOG.key}", "quorum W0"]),
        ("not a verifier key", ["witness x y", "quorum W0"]),
        ("unknown line", ["Quorum W0"]),
        ("not allowed", ["quorum W0\r"]),
        ("not allowed", ["quorum W0\0"]),
        ("not allowed", ["quorum W0 \x7f"]),
        ("not a witness or group", ["quorum\u00a0W0 W0"[:6] + " \u00a0W0"]),
    ],
)
def test_a_policy_that_is_none_is_refused_with_its_line(says: str, lines: list[str]) -> None:
    with pytest.raises(WitnessPolicyError, match=says):
        policy(*lines)
    with pytest.raises(WitnessPolicyError, match="newline"):
        parse_policy(b"quorum none")


ORGANISATIONS = {"W0": "A", "W1": "A", "W2": "B", "W3": "C", "W4": "D", "W5": "E"}


@pytest.mark.parametrize(
    ("says", "lines", "organisations", "mirrors"),
    [
        ("nobody would notice", ["quorum none"], ORGANISATIONS, ["W0"]),
        ("alone can meet", ["quorum W0"], ORGANISATIONS, ["W0"]),
        ("'A' alone can meet", ["group G all W0 W1", "quorum G"], ORGANISATIONS, ["W0"]),
        ("'A' alone can meet", ["group G 2 W0 W1 W2", "quorum G"], ORGANISATIONS, ["W0", "W1"]),
        ("without a mirror", ["group G 3 W0 W2 W3 W4", "quorum G"], ORGANISATIONS, ["W0"]),
        ("without a mirror", ["group G all W0 W2 W3", "quorum G"], ORGANISATIONS, ["W5"]),
        (
            "have nobody in common",
            ["group G 2 W0 W2 W3 W4", "quorum G"],
            ORGANISATIONS,
            ["W0", "W2", "W3"],
        ),
        ("share only", ["group G 2 W0 W2 W3", "quorum G"], ORGANISATIONS, ["W0", "W2"]),
        (
            "share only 'A'",
            ["group G any W2 W3", "group H all W0 G", "quorum H"],
            ORGANISATIONS,
            ["W0"],
        ),
        ("who runs", ["group G all W0 W2 W3", "quorum G"], {"W0": "A"}, ["W0"]),
    ],
)
def test_a_quorum_that_promises_nothing_is_refused(
    says: str, lines: list[str], organisations: dict[str, str], mirrors: list[str]
) -> None:
    with pytest.raises(WitnessPolicyError, match=says):
        check_quorum(policy(*lines, count=6), organisations, mirrors)


def test_sound_quorums_pass() -> None:
    check_quorum(policy("group G all W0 W2 W3", "quorum G", count=6), ORGANISATIONS, ["W0"])
    check_quorum(policy("group G 3 W0 W2 W3 W4", "quorum G", count=6), ORGANISATIONS, ["W0", "W2"])
    with pytest.raises(WitnessPolicyError, match="share only"):
        check_quorum(
            policy("group G 3 W0 W2 W3 W4", "quorum G", count=6),
            ORGANISATIONS,
            ["W0", "W2"],
            faulty=2,
        )


def test_the_largest_quorum_is_weighed_in_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    # A person alone can propose one. Five of twenty are one of 15,504 groups of liars.
    count = 20
    signers = [
        signer_from_seed(f"w{n}.example", keys.COSIGNATURE_ED25519, bytes([n + 40]) * 32)
        for n in range(count)
    ]
    names = [f"W{n}" for n in range(count)]
    lines = [f"log {LOG.key}", *(f"witness W{n} {w.key}" for n, w in enumerate(signers))]
    lines += [f"group G 14 {' '.join(names)}", "quorum G"]
    large = parse_policy("".join(f"{line}\n" for line in lines).encode())
    steps = 0
    has = quorum._has

    def counted(number: int, total: int) -> int:
        nonlocal steps
        steps += 1
        return has(number, total)

    monkeypatch.setattr(quorum, "_has", counted)
    check_quorum(large, {name: f"org-{name}" for name in names}, names, faulty=5)
    assert steps < 1_000


def test_a_log_may_not_witness_itself() -> None:
    myself = signer_from_seed("self.example", keys.COSIGNATURE_ED25519, b"\1" * 32)
    own = parse_policy(
        f"log {LOG.key}\nwitness S {myself.key}\nwitness T {W[0].key}\n"
        "group G all S T\nquorum G\n".encode()
    )
    with pytest.raises(WitnessPolicyError, match="has the key of the log"):
        check_quorum(own, {"S": "A", "T": "B"}, ["S"])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_weighing_agrees_with_trying_every_pair(data: st.DataObject) -> None:
    count = data.draw(st.integers(2, 6))
    free = [f"W{n}" for n in range(count)]
    groups = []
    while len(free) > 1:
        size = data.draw(st.integers(1, len(free)))
        members = data.draw(st.permutations(free))[:size]
        name = f"G{len(groups)}"
        groups.append(Group(name, data.draw(st.integers(1, size)), tuple(members)))
        free = [each for each in free if each not in members] + [name]
        if len(groups) > 4:
            break
    bare = policy("quorum W0", count=count)
    drawn = WitnessPolicy(bare.logs, bare.witnesses, tuple(groups), groups[-1].name)
    runs = {f"W{n}": data.draw(st.sampled_from("ABCDE")) for n in range(count)}
    faulty = data.draw(st.integers(1, 2))
    everybody = sorted(set(runs.values()))

    def meets(chosen: tuple[str, ...]) -> bool:
        return drawn.is_met(name for name, org in runs.items() if org in chosen)

    sets = [
        set(each)
        for each in chain.from_iterable(
            combinations(everybody, n) for n in range(len(everybody) + 1)
        )
        if meets(each)
    ]
    sound = all(len(a & b) > faulty for a in sets for b in sets) and all(len(a) > 1 for a in sets)
    try:
        check_quorum(drawn, runs, list(runs), faulty=faulty)
        passed = True
    except WitnessPolicyError:
        passed = False
    assert passed == sound


POINT = Checkpoint(LOG.key.name, 8, Tree(leaf_hash(b"%d" % n) for n in range(8)).root())


def signed(*by: tuple[Signer, int]) -> bytes:
    note = sign_checkpoint(POINT, [LOG])
    return add_signatures(note, [cosign(POINT, signer, time_s) for signer, time_s in by])


def test_witnessed_time_is_the_earliest_that_suffices() -> None:
    note = signed((W[0], NOW_S - 50), (W[1], NOW_S - 10), (W[2], NOW_S - 30), (W[3], NOW_S - 40))
    found = verify_witnessed(note, NESTED, now_s=NOW_S)
    assert found.checkpoint == POINT
    assert found.time_s == NOW_S - 30
    # To a reader whose clock stands earlier, the quorum is not there yet.
    with pytest.raises(QuorumNotMet, match="W0"):
        verify_witnessed(note, NESTED, now_s=NOW_S - 31)
    assert verify_witnessed(note, NESTED, now_s=NOW_S - 30).time_s == NOW_S - 30
    with pytest.raises(QuorumNotMet):
        witnessed_time_s(policy("quorum none"), found.cosignatures)


def test_a_quorum_is_not_met_by_strangers_or_by_saying_it_twice() -> None:
    stranger = signer_from_seed("witness.example/w1", keys.COSIGNATURE_ED25519, b"\x77" * 32)
    note = signed((W[0], NOW_S), (stranger, NOW_S), (W[3], NOW_S))
    with pytest.raises(QuorumNotMet):
        verify_witnessed(note, NESTED, now_s=NOW_S)
    doubled = note + str(cosign(POINT, W[0], NOW_S - 1)).encode()
    with pytest.raises(QuorumNotMet):
        verify_witnessed(doubled, NESTED, now_s=NOW_S)
    with pytest.raises(BadSignature):
        verify_witnessed(
            signed((W[0], NOW_S)),
            policy("quorum W0", count=1).__class__((), NESTED.witnesses, (), "W0"),
            now_s=NOW_S,
        )


def test_a_proof_file_round_trips_and_every_changed_byte_is_noticed() -> None:
    tree = Tree(leaf_hash(b"%d" % n) for n in range(8))
    note = signed((W[0], NOW_S), (W[1], NOW_S), (W[3], NOW_S))
    data = bytes(LogProof(5, tuple(tree.inclusion_proof(5)), note, b"\x01\x02"))
    assert data.startswith(b"c2sp.org/tlog-proof@v1\nextra AQI=\nindex 5\n")
    read, witnessed = verify_proof(data, leaf_hash(b"5"), NESTED, now_s=NOW_S)
    assert (bytes(read), read.extra, witnessed.checkpoint.size) == (data, b"\x01\x02", 8)
    with pytest.raises(ProofMismatch):
        verify_proof(data, leaf_hash(b"6"), NESTED, now_s=NOW_S)
    extra = range(data.index(b"AQI="), data.index(b"AQI=") + 4)
    for at in range(len(data)):
        if at in extra:
            continue  # nothing vouches for the extra data, and the specification says so
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(RecordError):
            verify_proof(changed, leaf_hash(b"5"), NESTED, now_s=NOW_S)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"c2sp.org/tlog-proof@v1\n", b"c2sp.org/tlog-proof@v2\n"),
        (b"index 5\n", b"index 05\n"),
        (b"index 5\n", b""),
        (b"index 5\n", b"extra AQI=\nindex 5\n"),
        (b"extra AQI=\n", b"extra AQI\n"),
        (b"index 5\n", b"index 5 \n"),
        (b"index 5\n", b"index 5\n\n"),
        (b"index 5\n", b"index 5\nAAAA\n"),
        (b"index 5\n", b"index 5\r\n"),
    ],
)
def test_a_proof_file_has_one_form(old: bytes, new: bytes) -> None:
    tree = Tree(leaf_hash(b"%d" % n) for n in range(8))
    data = bytes(LogProof(5, tuple(tree.inclusion_proof(5)), signed(), b"\x01\x02"))
    assert parse_proof(data)
    with pytest.raises(MalformedRecord):
        parse_proof(data.replace(old, new))


def test_a_signature_line_of_a_policy_s_witness_must_verify() -> None:
    line = cosign(POINT, W[5], NOW_S)
    broken = Signature(
        line.name, line.key_id, line.signature[:-1] + bytes([line.signature[-1] ^ 1])
    )
    note = add_signatures(signed((W[0], NOW_S), (W[1], NOW_S), (W[3], NOW_S)), [broken])
    with pytest.raises(BadSignature):
        verify_witnessed(note, NESTED, now_s=NOW_S)
