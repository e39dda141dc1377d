"""What auditors do by command: check a record from a folder and over HTTP, prove, copy, ask.

Wrong input of every kind is one message and exit code 2; what does not hold is one message that
names file, entry and expectation, and exit code 1.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.edge_records import forked, junk, publish
from support.governance import World, rule

from spotbeam.cli.app import main
from spotbeam.governance.anchors import genesis_digest
from spotbeam.governance.entries.acts import PutRule
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.entries.words import Ground

Said = Callable[..., str]


@pytest.fixture(scope="module")
def world() -> World:
    made = World()
    made.pass_change(PutRule(rule("on", where=("UA",), except_=("UA-43",))))
    request = made.request(where=("UA-43",), asker="A ministry\x1b[2J\u202e")
    refusal = Refusal(
        request=request,
        grounds=(Ground(kind="sanction", id="eu-2014"),),
        quote="Never on there.\x07\nentry 3 -> granted",
    )
    made.say(refusal, "cy", "the-refusal")
    made.anchor()
    junk(made, 300 - len(made.entries))
    made.anchor()
    return made


@pytest.fixture
def record(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    publish(world, tmp_path / "record")
    return tmp_path / "record"


@pytest.fixture
def genesis(world: World) -> str:
    return genesis_digest(world.entries[0])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([*map(str, arguments)])
        out, err = capsys.readouterr()
        for text in (out, err):  # whatever the record holds
            assert all(each.isprintable() or each == "\n" for each in text)
        return code, out, err

    return command


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def server(record: Path) -> Iterator[str]:
    """Any file server will do."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(record))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join(10)


def test_a_record_is_verified_from_a_folder_and_over_http(
    run: Run, record: Path, server: str, genesis: str, world: World
) -> None:
    for source in (record, server):
        code, out, err = run("record", "verify", source, "--genesis", genesis)
        assert (code, err) == (0, "")
        assert f"holds: {len(world.entries)} entries" in out
        assert "the one you named" in out
        code, out, err = run("record", "verify", source)
        assert code == 0
        assert f"{genesis} (UNCHECKED" in out
    code, out, _ = run("record", "verify", record, server, "--genesis", genesis, "--json")
    found = json.loads(out)
    assert (code, found["holds"]) == (0, True)
    assert [each["source"] for each in found["verified"]["sources"]] == [str(record), server]
    assert found["verified"]["is_genesis_checked"] is True
    assert len(found["verified"]["void"]) == len(world.now.findings)


def test_the_first_fault_is_named_over_http_too(run: Run, record: Path, server: str) -> None:
    bundle = record / "tile/entries/000"
    data = bytearray(bundle.read_bytes())
    at = data.index(b'"junk"')
    data[at + 1] ^= 1
    bundle.write_bytes(data)
    for source in (record, server):
        code, out, err = run("record", "verify", source)
        assert (code, out) == (1, "")
        assert err.startswith("spotbeam: tile/entries/000: entry ")
        assert "is not the one that was logged" in err
        assert "Traceback" not in err
    code, out, err = run("record", "verify", record, "--json")
    assert (code, err) == (1, "")
    found = json.loads(out)
    assert (found["holds"], found["place"]) == (False, "tile/entries/000")
    code, _, err = run("record", "fsck", server)
    assert code == 1
    assert "tile/entries/000" in err


def test_two_views_leave_evidence_that_anyone_can_check(
    run: Run, record: Path, world: World, tmp_path: Path
) -> None:
    other = forked(world)
    other.entries[50] = b"another entry"
    publish(other, tmp_path / "other")
    code, _, err = run("record", "verify", record, tmp_path / "other")
    assert code == 1
    (evidence,) = tmp_path.glob("two-views-*.txt")
    assert evidence.name in err
    quorum = world.now.witness_quorum
    assert quorum is not None
    (tmp_path / "policy").write_text(quorum.policy)
    code, out, _ = run("record", "verify", evidence, "--policy", tmp_path / "policy")
    assert code == 0
    assert "it has signed two views" in out
    code, _, _ = run("record", "verify", record, tmp_path / "other", "--evidence", "mine.txt")
    assert (code, (tmp_path / "mine.txt").read_bytes()) == (1, evidence.read_bytes())


def test_a_decision_is_proven_in_one_file_and_checked_offline(
    run: Run, record: Path, server: str, genesis: str, world: World, tmp_path: Path
) -> None:
    change = next(each for each in world.now.changes.values() if each.status == "bound")
    for source, entry in ((record, change.id), (server, str(change.index))):
        code, out, _ = run("record", "prove", source, entry, "--out", "r.txt")
        assert code == 0
        assert "record verify r.txt" in out
        code, out, _ = run("record", "verify", "r.txt", "--genesis", genesis)
        assert code == 0
        assert f"bound at entry {change.bound_index}" in out
        assert "approved by bo (operator), cy (regulator)" in out
        assert "only a fold of the whole record shows it" in out
        assert "the one you named" in out
    code, out, _ = run("record", "prove", record, "the-refusal")
    (tmp_path / "s.txt").write_text(out)
    code, out, _ = run("record", "verify", "s.txt", "--json")
    found = json.loads(out)
    assert (code, found["holds"], found["proven"]["kind"]) == (0, True, "receipt")
    assert any("cy refuses the request" in says for _, says in found["proven"]["says"])
    (tmp_path / "r.txt").write_bytes((tmp_path / "r.txt").read_bytes().replace(b"A", b"B", 1))
    code, out, err = run("record", "verify", "r.txt", "--genesis", genesis)
    assert (code, out) == (1, "")
    assert err.startswith("spotbeam: r.txt")


def test_a_record_is_shown_in_sentences(run: Run, record: Path, world: World) -> None:
    code, out, _ = run("record", "show", record, "--type", "refusal")
    assert code == 0
    assert "cy refuses the request" in out
    assert r"“Never on there.\x07\nentry 3 -> granted”" in out
    code, out, _ = run("record", "show", record, "the-refusal")
    assert '"quote": "Never on there.\\u0007\\nentry 3 -> granted"' in out
    code, out, _ = run("record", "show", record, "--json", "--type", "request")
    assert [each["type"] for each in json.loads(out)["entries"]] == ["request", "request"]
    code, out, _ = run("record", "show", record, "--since", "2026-05-28T20:28:00Z")
    assert len(out.splitlines()) < len(world.entries)
    code, out, _ = run("record", "show", record, "299")
    assert "no effect" in out


def test_a_copy_is_kept_over_http_and_serves_as_a_record(
    run: Run, record: Path, server: str, genesis: str, tmp_path: Path
) -> None:
    for new in (301, 0):
        code, out, _ = run("record", "mirror", server, "copy", "--genesis", genesis)
        assert code == 0
        assert f"{new} of them new" in out
    code, _, _ = run("record", "verify", record, "copy", "--genesis", genesis)
    assert code == 0
    code, out, _ = run("record", "fsck", "copy")
    assert code == 0
    assert "signatures were not checked" in out


def test_history_tells_how_it_came_to_that(run: Run, record: Path) -> None:
    code, out, _ = run("history", "UA-43", "--source", record)
    assert code == 0
    assert "UA-43 (Crimea), in the point of view un" in out
    assert "Service was never on here" in out
    assert "Turning it on was refused" in out
    # Nobody asked what was known at another time: it is not told twice.
    assert "the same" not in out
    assert "Witnessed only after" not in out
    assert "turned off" not in out
    given = ("--time", "2026-05-28T20:28:00Z", "--known-time", "2026-05-01T00:00:00Z")
    code, out, _ = run("history", "UA", "--source", record, *given, "--json")
    found = json.loads(out)["history"]
    assert (found["now"]["word"], found["then"]["word"]) == ("granted_in_part", "not_granted")


def test_verifying_can_be_interrupted(record: Path, world: World, tmp_path: Path) -> None:
    """Ctrl-C ends it with one line, however large the record is, and leaves nothing behind."""
    (tmp_path / "pipe").mkdir()
    code = (
        "import signal, sys, time\n"
        # A shell starts what runs in the background with interrupts ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from spotbeam.assembly import record_views\n"
        "real = record_views.check_files\n"
        "def slow(*given):\n"
        "    print('begun', flush=True)\n"
        "    time.sleep(60)\n"
        "record_views.check_files = slow\n"
        "from spotbeam.cli.app import main\n"
        f"sys.exit(main(['record', 'verify', {str(record)!r}]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("spotbeam: interrupted")
    assert "Traceback" not in err


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    # what is wrong: the command, and what the message says
    "no source": (("record", "verify"), "SOURCE"),
    "a folder that is not there": (("record", "verify", "nowhere"), "nowhere: there is no such"),
    "another kind of address": (("record", "verify", "ftp://x/y"), "only http and https are read"),
    "an address that is none": (("record", "verify", "http://"), "http://"),
    "a source given twice": (("record", "verify", "record", "record"), "is given twice"),
    "a digest that is none": (("record", "verify", "record", "--genesis", "ab"), "not a digest"),
    "a digest in capitals": (
        ("record", "verify", "record", "--genesis", "A" * 64),
        "not a digest",
    ),
    "an option that is none": (("record", "verify", "record", "--genisis", "ab"), "--genisis"),
    "a policy that is not there": (
        ("record", "verify", "record", "--policy", "nowhere"),
        "nowhere: cannot be read",
    ),
    "a policy that is none": (
        ("record", "verify", "record", "--policy", "text"),
        "text",
    ),
    "a checkpoint that is none": (
        ("record", "verify", "record", "--held", "text"),
        "text: not a checkpoint",
    ),
    "a checkpoint that is not there": (
        ("record", "verify", "record", "--held", "nowhere"),
        "nowhere: cannot be read",
    ),
    "a checkpoint of another log": (
        ("record", "verify", "record", "--held", "other/checkpoint"),
        "it is a checkpoint of the log 'log.example/else'",
    ),
    "two logs that are not one record": (("record", "verify", "record", "other"), "is the log"),
    "a file that is no receipt": (("record", "verify", "text"), "text: is neither a receipt"),
    "an empty file": (("record", "verify", "empty"), "empty: is neither a receipt"),
    "a proof without a policy": (
        ("record", "verify", "plain"),
        "plain: this file (tlog-proof) does not say whose signatures count",
    ),
    "a tile in the place of a folder": (("record", "fsck", "record/checkpoint"), "is a file"),
    "fsck of nothing": (("record", "fsck", "nowhere"), "there is no such folder"),
    "show: no such entry": (("record", "show", "record", "9999"), "there is no entry 9999"),
    "show: no such id": (("record", "show", "record", "the-refusl"), "did you mean 'the-refusal'?"),
    "show: no such kind": (("record", "show", "record", "--type", "refusals"), "'refusal'"),
    "show: no such time": (("record", "show", "record", "--since", "May"), "'May' is not a time"),
    "prove: an entry that is void": (("record", "prove", "record", "299"), "has no effect"),
    "prove: no such entry": (("record", "prove", "record", "-5"), "-5"),
    "prove: no entry": (("record", "prove", "record"), "ENTRY"),
    "prove: into a folder": (
        ("record", "prove", "record", "the-refusal", "--out", "other"),
        "other: is a folder",
    ),
    "prove: into a folder that is not there": (
        ("record", "prove", "record", "the-refusal", "--out", "nowhere/r.txt"),
        "cannot be written",
    ),
    "mirror: onto itself": (("record", "mirror", "record", "record"), "not its own source"),
    "mirror: into a folder of something else": (
        ("record", "mirror", "record", "thesis"),
        "thesis: holds something else: 'page.txt'",
    ),
    "mirror: onto a file": (("record", "mirror", "record", "text"), "text: is not a folder"),
    "mirror: of another log": (("record", "mirror", "record", "other"), "and the copy is of"),
    "history: no such territory": (("history", "UA-433", "--source", "record"), "'UA-43'"),
    "history: no such view": (
        ("history", "UA", "--source", "record", "--view", "unn"),
        "unknown point of view 'unn'",
    ),
    "history: no such cell": (("history", "h3:12", "--source", "record"), "is not an H3 cell"),
    "history: no such time": (
        ("history", "UA", "--source", "record", "--time", "yesterday"),
        "--time: 'yesterday' is not a time",
    ),
    "history: a time without its zone": (
        ("history", "UA", "--source", "record", "--known-time", "2026-01-01T00:00:00"),
        "--known-time",
    ),
    "history: no record and no workspace": (("history", "UA"), "spotbeam.toml"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_usage_is_one_message(name: str, run: Run, record: Path, tmp_path: Path) -> None:
    arguments, message = WRONG[name]
    publish(World(origin="log.example/else"), tmp_path / "other")
    (tmp_path / "text").write_text("some text\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis/page.txt").write_text("years of work")
    if name == "a proof without a policy":
        _, plain, _ = run("record", "prove", record, "the-refusal", "--plain")
        (tmp_path / "plain").write_text(plain)
    before = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    code, out, err = run(*arguments)
    assert code == 2, err
    assert out == ""
    assert err.startswith("spotbeam: ")
    assert message in err
    assert "Traceback" not in err
    assert {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()} == before


FAULTY: dict[str, tuple[tuple[str, ...], str]] = {
    "a record without a checkpoint": (("record", "verify", "bare"), "checkpoint: a file of the"),
    "a checkpoint that is junk": (("record", "fsck", "junk"), "checkpoint: "),
    "a record of somebody else": (
        ("record", "verify", "record", "--genesis", "0" * 64),
        "entry 0: the record begins with another entry",
    ),
    "a server that is not there": (("record", "verify", "http://127.0.0.1:1"), "127.0.0.1:1"),
    "a receipt that is cut off": (("record", "verify", "short"), "short"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_does_not_hold_is_one_message(
    name: str, run: Run, record: Path, tmp_path: Path
) -> None:
    arguments, message = FAULTY[name]
    (tmp_path / "bare").mkdir()
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk/checkpoint").write_bytes(b"junk\n")
    (tmp_path / "short").write_bytes(b"spotbeam.org/receipt@v1\nentry 0 aaaa\n")
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("spotbeam: ")
    assert message in err
    assert "Traceback" not in err


def test_a_pipe_that_closes_early_is_no_fault_of_ours(record: Path) -> None:
    command = f"{sys.executable} -m spotbeam record show {record} | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONWARNINGS": ""},
    )
    assert done.stdout.startswith("0  ")
    assert "Traceback" not in done.stderr
