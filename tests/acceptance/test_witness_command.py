"""`spotbeam witness` as a process: each answer of the specification, and what it never forgets."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import signal
import stat
from pathlib import Path

import pytest
from support.governance import ORIGIN, seed
from support.processes import LOG_KEY, Server, policy_lines, until

from spotbeam.http.client import fetch_from, get, post
from spotbeam.record.checkpoint import (
    Checkpoint,
    parse_signed_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from spotbeam.record.evidence import verify_equivocation
from spotbeam.record.keys import COSIGNATURE_MLDSA44, ED25519, parse_verifier_key, signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.mirror import add_entries_requests, parse_mirror_info
from spotbeam.record.tile_reader import fsck
from spotbeam.record.witness import AddCheckpoint, origin_hash, read_witness_answer

LOG = signer_from_seed(ORIGIN, ED25519, seed("log"))
LATER_S = 4_000_000_000


def entry(number: int) -> bytes:
    return b"entry %d" % number


TREE = Tree(leaf_hash(entry(number)) for number in range(600))
OTHER = Tree(leaf_hash(b"another %d" % number) for number in range(600))


def note(size: int, tree: Tree = TREE, signer=LOG) -> bytes:
    return sign_checkpoint(Checkpoint(signer.key.name, size, tree.root(size)), [signer])


def request(old: int, size: int, tree: Tree = TREE, signer=LOG) -> bytes:
    proof = tuple(tree.consistency_proof(old, size)) if old else ()
    return bytes(AddCheckpoint(old, proof, note(size, tree, signer)))


def ask(server: Server, body: bytes, kind: str = "witness"):
    return post(f"{server.url}/{kind}/add-checkpoint", body)


def test_a_witness_answers_as_specified_and_survives_being_killed(tmp_path: Path) -> None:
    server = Server(["witness", "w", "--port", 0, "--log", LOG_KEY], tmp_path)
    place = f"{server.url}/witness/{origin_hash(ORIGIN)}/checkpoint"
    try:
        (line,) = policy_lines(server).values()
        key = parse_verifier_key(line.split(" ")[2])
        assert get(place).status == 404
        answer = ask(server, request(0, 5))
        assert answer.status == 200
        read = read_witness_answer(200, answer.body, note(5), [key], now_s=LATER_S)
        assert len(read.cosignatures) == 1
        for old, new in ((0, 5), (0, 9), (4, 9), (6, 9)):
            wrong = ask(server, bytes(AddCheckpoint(old, (), note(new))))
            assert (wrong.status, wrong.body) == (409, b"5\n")
            assert wrong.headers["content-type"] == "text/x.tlog.size"
        assert ask(server, request(5, 9, OTHER)).status == 422
        assert ask(server, bytes(AddCheckpoint(9, (), note(5)))).status == 400
        stranger = signer_from_seed("log.example/unknown", ED25519, seed("x"))
        assert ask(server, request(0, 5, signer=stranger)).status == 404
        thief = signer_from_seed(ORIGIN, ED25519, seed("thief"))
        assert ask(server, request(5, 9, signer=thief)).status == 403
        assert ask(server, b"junk").status == 400
        assert ask(server, b"old 0\n" * 400_000).status == 413
        assert get(f"{server.url}/witness/add-checkpoint").status == 405
        shown = get(place)
        assert shown.headers["content-type"] == "text/plain; charset=utf-8"
        assert verify_checkpoint(shown.body, [LOG.key]).size == 5

        server.stop(signal.SIGKILL)
        port = server.port
        server.close()
        server = Server(["witness", "w", "--port", port], tmp_path)
        assert list(policy_lines(server).values()) == [line], "the same key at the same place"
        assert get(place).body == shown.body
        assert ask(server, request(0, 5)).body == b"5\n"
        assert ask(server, request(5, 9)).status == 200
        # Two views of one size: neither is signed, and the proof of it is kept.
        assert ask(server, bytes(AddCheckpoint(9, (), note(9, OTHER)))).status == 422
        (proof,) = (tmp_path / "w" / "evidence").iterdir()
        verify_equivocation(proof.read_bytes(), [LOG.key])
        assert "two views" in server.said()
        assert server.stop(signal.SIGTERM) == 0
    finally:
        server.close()


def test_a_running_witness_takes_in_logs_and_shares_its_folder_with_nobody(
    tmp_path: Path, spotbeam
) -> None:
    server = Server(["witness", "w", "--port", 0, "--mldsa"], tmp_path)
    try:
        lines = policy_lines(server)
        assert set(lines) == {"w", "w-mldsa"}
        keys = [parse_verifier_key(line.split(" ")[2]) for line in lines.values()]
        assert keys[1].algorithm == COSIGNATURE_MLDSA44
        assert ask(server, request(0, 5)).status == 404
        second = spotbeam("witness", "w", "--port", 0)
        assert second.returncode == 2
        assert "in use by another process" in second.stderr
        added = spotbeam("witness", "w", "--prepare", "--log", LOG_KEY, "--url", server.url)
        assert added.returncode == 0, added.stderr
        assert LOG_KEY in added.stdout
        answer = ask(server, request(0, 5))
        assert answer.status == 200
        read = read_witness_answer(200, answer.body, note(5), keys, now_s=LATER_S)
        assert len(read.cosignatures) == 2
        assert server.stop(signal.SIGINT) == 0
        assert server.said() == ""
    finally:
        server.close()


def test_a_witness_that_has_forgotten_never_begins_anew(tmp_path: Path, spotbeam) -> None:
    made = spotbeam("witness", "w", "--mirror", "--prepare", "--json")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "w"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("witness.key", "mirror.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    again = spotbeam("witness", "w", "--prepare", "--json")
    assert again.stdout.replace("false", "true") == made.stdout, "a mirror stays one"

    for name in ("checkpoints.sqlite", "pending.sqlite"):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        for arguments in (["--prepare"], ["--port", "0"]):
            refused = spotbeam("witness", "w", *arguments)
            assert refused.returncode == 2
            assert name in refused.stderr
            assert "another folder" in refused.stderr
            assert not (folder / name).exists()
        (folder / name).write_bytes(b"")
        refused = spotbeam("witness", "w", "--prepare")
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
        (folder / name).write_bytes(kept)
    assert spotbeam("witness", "w", "--prepare").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--log", "log.example/x+00000000+AAAA"], "--log"),
        (["--log", "nonsense"], "not a verifier key"),
        (["--name", "has a space"], "--name"),
        (["--url", "ftp://w.example"], "not a URL"),
    ],
)
def test_wrong_options_are_one_message_and_leave_nothing_half_made(
    spotbeam, arguments: list[str], words: str
) -> None:
    done = spotbeam("witness", "w", "--prepare", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert spotbeam("witness", "w", "--prepare").returncode == 0


def uploads(start: int, end: int, tree: Tree = TREE) -> list[bytes]:
    return list(
        add_entries_requests(
            ORIGIN,
            start,
            end,
            lambda first, last: [entry(number) for number in range(first, last)],
            tree.subtree_proof,
        )
    )


def raw_status(server: Server, path: str) -> int:
    """The status of a path sent as it stands; a client of ours would tidy it up first."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def test_a_mirror_signs_only_what_it_holds_and_serves_what_it_signed(tmp_path: Path) -> None:
    server = Server(["witness", "m", "--mirror", "--port", 0, "--log", LOG_KEY], tmp_path)
    prefix = f"{server.url}/mirror/{origin_hash(ORIGIN)}"
    place = f"{server.url}/mirror/add-entries"
    try:
        line = policy_lines(server)["m-mirror"]
        key = parse_verifier_key(line.split(" ")[2])
        assert line.endswith(f"{server.url}/mirror")
        (body,) = uploads(0, 600)
        assert post(place, body).status == 422, "no checkpoint is pending yet"
        pending = ask(server, request(0, 600), "mirror")
        assert (pending.status, pending.body) == (200, b""), "pending is not signed"
        assert get(f"{prefix}/checkpoint").status == 404
        lie = body.replace(b"entry 7", b"entry 8")
        assert post(place, lie).status == 422
        # All but the last package: it says how far it has come, and still signs nothing.
        partial = post(place, body[: len(body) - 700])
        assert partial.status == 202
        assert partial.headers["content-type"] == "text/x.tlog.mirror-info"
        assert parse_mirror_info(partial.body).next_entry == 512
        assert get(f"{prefix}/checkpoint").status == 404

        server.stop(signal.SIGKILL)
        port = server.port
        server.close()
        server = Server(["witness", "m", "--port", port], tmp_path)
        squeezed = gzip.compress(body)
        wrong = post(place, squeezed, {"Content-Encoding": "br"})
        assert (wrong.status, wrong.headers["accept-encoding"]) == (415, "gzip")
        assert post(place, squeezed[:-20], {"Content-Encoding": "gzip"}).status == 400
        done = post(place, squeezed, {"Content-Encoding": "gzip"})
        assert done.status == 200
        read = read_witness_answer(200, done.body, note(600), [key], now_s=LATER_S)
        assert len(read.cosignatures) == 1
        fetch = fetch_from(prefix)
        shown = fetch("checkpoint")
        assert shown is not None
        checkpoint, signed = parse_signed_checkpoint(shown)
        assert any(each.is_by(key) for each in signed.signatures)
        assert fsck(fetch, checkpoint).entries == 600
        tile = get(f"{prefix}/tile/0/000")
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]
        for outside in (
            "../../w",
            "%2e%2e/%2e%2e/mirror.key",
            "tile/../checkpoint",
            "tile/%2e%2e/%2e%2e/%2e%2e/mirror.key",
            "..%2f..%2fmirror.key",
            ".checkpoint",
            "tile/0/1",
            "",
        ):
            assert raw_status(server, f"/mirror/{origin_hash(ORIGIN)}/{outside}") == 404, outside
        # The witness beside it is another party: it was never asked.
        assert get(f"{server.url}/witness/{origin_hash(ORIGIN)}/checkpoint").status == 404
        until(lambda: get(f"{server.url}/status").status == 200, "its status")
        assert server.stop() == 0
    finally:
        server.close()
