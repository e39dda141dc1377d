"""`spotbeam log` with its witnesses as processes: killed, stopped, restored, robbed of space."""

from __future__ import annotations

import http.client
import json
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from support.governance import NEXT, ORIGIN, World, seed
from support.processes import (
    LOG_KEY,
    Server,
    empty_log,
    policy_lines,
    quorum_of,
    until,
    workspace,
)

from spotbeam.edge.walk import walk
from spotbeam.errors import Refused
from spotbeam.governance.entries import LOG, entry_bytes, unsigned
from spotbeam.governance.entries.acts import CloseLog
from spotbeam.governance.entries.asking import Arrival
from spotbeam.governance.history import History, next_log
from spotbeam.governance.state import state_digest
from spotbeam.http.client import fetch_from, get, post
from spotbeam.http.log_client import LogClient
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.keys import ED25519, signer_from_seed
from spotbeam.record.note import parse_note
from spotbeam.record.tile_reader import fsck
from spotbeam.record.witness import origin_hash


class Town:
    """Three witnesses (one of them a mirror), a workspace, and its log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.witnesses: dict[str, Server] = {}
        self.servers: list[Server] = []

    def settled(self, names: tuple[str, ...] = ("w1", "w2", "m3")) -> Town:
        lines = {}
        for name in names:
            mirror = ["--mirror"] if name.startswith("m") else []
            server = self.started("witness", name, "--port", 0, "--log", LOG_KEY, *mirror)
            self.witnesses[name] = server
            key = f"{name}-mirror" if mirror else name
            lines[key] = policy_lines(server)[key]
        mirrors = [name for name in lines if name.endswith("-mirror")]
        self.quorum = quorum_of(lines, 3, mirrors)
        self.world: World = workspace(self.work, self.quorum)
        return self

    def started(self, *arguments: object, prepare: Callable[[], object] | None = None) -> Server:
        server = Server(arguments, self.folder, prepare)
        self.servers.append(server)
        return server

    def log(self, port: int = 0, prepare: Callable[[], object] | None = None) -> Server:
        return self.started("log", "-w", self.work, "--port", port, prepare=prepare)

    def request(self, **how: object) -> bytes:
        self.world.request(**how)
        return self.world.entries[-1]

    def close(self) -> None:
        for server in self.servers:
            server.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory):
    made = Town(tmp_path_factory.mktemp("town"))
    try:
        yield made.settled()
    finally:
        made.close()


@pytest.fixture
def log(town: Town):
    server = town.log()
    yield server
    server.close()


def status(server: Server) -> dict:
    return json.loads(get(f"{server.url}/status").body)


def test_an_entry_goes_in_is_witnessed_by_all_and_read_by_a_stranger(
    town: Town, log: Server
) -> None:
    recorded = LogClient(log.url).submit(town.request(), wait="anchored")
    found = status(log)
    assert found["key"] == LOG_KEY
    assert found["log"]["standing"] == "witnessed"
    assert found["log"]["anchored_size"] > recorded.index
    assert all(each["fault"] is None for each in found["log"]["witnesses"])
    assert f"genesis, for its readers {town.world.now.genesis}" in "\n".join(log.lines)
    # From the log, and from the mirror alone, a reader comes to the same state.
    mirror = f"{town.witnesses['m3'].url}/mirror/{origin_hash(ORIGIN)}"
    shown = get(f"{log.url}/checkpoint").body
    until(
        lambda: (
            parse_note(shown).signatures
            and set(parse_note(shown).signatures)
            <= set(parse_note(get(f"{mirror}/checkpoint").body).signatures)
        ),
        "the mirror serves the whole quorum",
    )
    digests = set()
    for source in (log.url, mirror):
        read = walk(fetch_from(source), genesis=town.world.now.genesis, now_s=4_000_000_000)
        assert read.history.now.requests[recorded.id].since_us is not None
        assert not read.history.now.findings
        digests.add((read.checkpoint.size, state_digest(read.history.now)))
        assert fsck(fetch_from(source), read.checkpoint).entries == read.checkpoint.size
    assert len(digests) == 1
    again = LogClient(log.url).submit(town.world.entries[-1])
    assert again == recorded, "handed in twice, added once"


def test_the_files_have_the_headers_of_the_specification(town: Town, log: Server) -> None:
    LogClient(log.url).submit(town.request(), wait="anchored")
    checkpoint = get(f"{log.url}/checkpoint")
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["cache-control"] == "no-cache"
    size = parse_signed_checkpoint(checkpoint.body)[0].size
    for path in (f"tile/0/000.p/{size}", f"tile/entries/000.p/{size}"):
        tile = get(f"{log.url}/{path}")
        assert tile.status == 200
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]
        plain = get(f"{log.url}/{path}", {"Accept-Encoding": "identity"})
        assert plain.body == tile.body
    assert get(f"{log.url}/tile/entries/000.p/{size}").headers["content-encoding"] == "gzip"
    assert get(f"{log.url}/tile/0/900").headers["cache-control"] == "no-store"
    for path in ("/../private/log.key", "/%2e%2e/private/log.key", "/tile/../../private/log.key"):
        connection = http.client.HTTPConnection("127.0.0.1", log.port)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 404, path
        connection.close()


def test_what_is_refused_says_why_and_the_log_speaks_for_itself(town: Town, log: Server) -> None:
    before = status(log)["log"]["size"]
    forged = town.request().replace(b"letter", b"portal")
    with pytest.raises(Refused) as caught:
        LogClient(log.url).submit(forged)
    assert caught.value.code == "bad_signature"
    for body in (b"", b"{}", b"\xff", forged[:-1]):
        answer = post(f"{log.url}/entries", body)
        assert answer.status == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(json.loads(answer.body)) >= {"status", "code", "detail"}
    said = entry_bytes(unsigned(Arrival(digest="0" * 64, channel="letter"), id="a1", actor=LOG))
    answer = post(f"{log.url}/entries", said)
    assert (answer.status, json.loads(answer.body)["code"]) == (403, "not_the_log")
    assert post(f"{log.url}/entries", b"x" * 70_000).status == 413
    assert post(f"{log.url}/entries?wait=never", forged).status == 400
    assert status(log)["log"]["size"] == before


def test_acks_are_compared_and_openings_need_the_token(town: Town, log: Server) -> None:
    LogClient(log.url).submit(town.request(), wait="anchored")
    read = walk(fetch_from(log.url), genesis=town.world.now.genesis, now_s=4_000_000_000)
    ack = {
        "edge": "edge-1",
        "origin": ORIGIN,
        "size": read.checkpoint.size,
        "state_digest": state_digest(read.history.now),
        "at_us": 1,
    }

    def sent(how: dict | None = None, headers: dict | None = None, **changes: object) -> object:
        answer = post(f"{log.url}/acks", json.dumps(ack | changes).encode(), headers)
        return json.loads(answer.body)["agrees"] if answer.status == 200 else answer.status

    assert sent() is True
    assert sent(state_digest="0" * 64) is False
    assert sent(size=read.checkpoint.size + 40) is None
    assert sent(origin="another.example/log") is None
    assert sent(edge="no such name!") == 400
    assert sent(surprise=1) == 400

    openings = town.work / "private" / "openings"
    (openings / "lists" / "clinics").mkdir(parents=True, exist_ok=True)
    (openings / "lists" / "clinics" / "2.csv").write_text("terminal,salt\nt1,AAAA\n")
    (openings / "seals").mkdir(exist_ok=True)
    (openings / "seals" / "s1.json").write_text("{}")
    place = f"{log.url}/openings/lists/clinics/2"
    assert get(place).status == 401
    (town.work / "private" / "edge.token").write_text("secret\n")
    bearer = {"Authorization": "Bearer secret"}
    assert get(place, {"Authorization": "Bearer secre"}).status == 401
    assert get(place, bearer).body == b"terminal,salt\nt1,AAAA\n"
    assert get(f"{log.url}/openings/seals/s1", bearer).body == b"{}"
    for path in ("lists/clinics/3", "lists/..%2f../edge", "seals/..%2f..%2fedge.token"):
        assert get(f"{log.url}/openings/{path}", bearer).status == 404, path
    # Whoever has no token does not speak over one that has it.
    assert sent(headers=bearer) is True
    assert sent(state_digest="0" * 64) is False
    (edge,) = [each for each in status(log)["edges"] if each["edge"] == "edge-1"]
    assert edge["agrees"] is True
    assert edge["has_token"] is True


def test_a_killed_log_goes_on_where_it_was(town: Town) -> None:
    server = town.log()
    done = []
    for number in range(6):
        done.append(LogClient(server.url).submit(town.request()))
        if number == 3:
            server.stop(signal.SIGKILL)
            server = town.log(server.port)
    recorded = LogClient(server.url).submit(town.request(), wait="anchored")
    read = walk(fetch_from(server.url), genesis=town.world.now.genesis, now_s=4_000_000_000)
    assert {each.id for each in (*done, recorded)} <= set(read.history.now.requests)
    assert not read.history.now.findings
    assert server.stop() == 0
    assert server.said() == ""


def test_one_process_has_the_log(town: Town, log: Server, spotbeam) -> None:
    second = spotbeam("log", "-w", town.work, "--port", 0)
    assert second.returncode == 2
    assert "in use by another process" in second.stderr
    assert "Traceback" not in second.stderr
    assert status(log)["log"]["standing"] in ("witnessed", "waiting")


def test_a_dead_witness_leaves_entries_durable_and_unwitnessed(town: Town, log: Server) -> None:
    LogClient(log.url).submit(town.request(), wait="anchored")
    before = get(f"{log.url}/checkpoint").body
    witness = town.witnesses["w2"]
    witness.stop(signal.SIGKILL)
    recorded = LogClient(log.url).submit(town.request())
    until(lambda: status(log)["log"]["standing"] == "waiting", "the log says that it waits")
    found = status(log)["log"]
    assert found["size"] > recorded.index >= found["published_size"]
    assert "not signed by w2" in found["why"]
    assert parse_signed_checkpoint(get(f"{log.url}/checkpoint").body)[0].size == (
        parse_signed_checkpoint(before)[0].size
    )
    town.witnesses["w2"] = town.started("witness", "w2", "--port", witness.port)
    until(lambda: status(log)["log"]["anchored_size"] > recorded.index, "the entry is witnessed")


def test_a_restored_copy_signs_nothing(town: Town) -> None:
    server = town.log()
    LogClient(server.url).submit(town.request(), wait="anchored")
    assert server.stop() == 0
    backup = town.folder / "backup"
    shutil.copytree(town.work, backup)
    server = town.log()
    LogClient(server.url).submit(town.request(), wait="anchored")
    assert server.stop() == 0
    restored = town.started("log", "-w", backup, "--port", 0)
    until(lambda: status(restored)["log"]["standing"] == "stopped", "it stops")
    assert "restore the rest" not in restored.said() or "has signed" in restored.said()
    assert "has signed" in status(restored)["log"]["why"]
    with pytest.raises(Refused, match="stopped"):
        LogClient(restored.url).submit(town.request())
    assert restored.stop() == 0


def test_a_full_disk_stops_the_log_and_loses_nothing(town: Town) -> None:
    largest = 400_000  # bytes of one file, as if the disk were full from there on

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    server = town.log(prepare=limit)
    client = LogClient(server.url)
    acknowledged = []
    fault = None
    while fault is None and len(acknowledged) < 2_000:
        try:
            acknowledged.append(client.submit(town.request(where=("UA",) * 200)))
        except Refused as caught:
            fault = caught
    assert acknowledged
    assert fault is not None
    assert fault.code == "stopped"
    assert status(server)["log"]["standing"] == "stopped"
    until(lambda: "the log has stopped" in server.said(), "it says so")
    assert "Traceback" not in server.said()
    assert get(f"{server.url}/checkpoint").status == 200, "what is published can still be read"
    assert server.stop() == 0
    server = town.log()
    recorded = LogClient(server.url).submit(town.request(), wait="anchored")
    read = walk(fetch_from(server.url), genesis=town.world.now.genesis, now_s=4_000_000_000)
    assert {each.id for each in (*acknowledged, recorded)} <= set(read.history.now.requests)
    assert not read.history.now.findings
    assert server.stop() == 0


def test_a_witness_that_hangs_holds_up_nobody(tmp_path: Path) -> None:
    town = Town(tmp_path)
    try:
        town.settled(("w1", "w2", "m3", "m4"))
        server = town.log()
        LogClient(server.url).submit(town.request(), wait="anchored")
        town.witnesses["w2"].process.send_signal(signal.SIGSTOP)
        recorded = LogClient(server.url).submit(town.request(), wait="anchored")
        found = status(server)["log"]
        assert found["anchored_size"] > recorded.index
        assert found["standing"] == "witnessed"
        faults = {each["name"]: each["fault"] for each in found["witnesses"]}
        assert faults["w2"] is not None
        assert faults["w1"] is None
        town.witnesses["w2"].process.send_signal(signal.SIGCONT)
        name = policy_lines(town.witnesses["w2"])["w2"].split(" ")[2].split("+")[0]
        until(
            lambda: f"— {name} ".encode() in get(f"{server.url}/checkpoint").body,
            "its late word is published",
        )
    finally:
        town.close()


def test_a_record_goes_on_in_another_log(tmp_path: Path, spotbeam) -> None:
    town = Town(tmp_path)
    try:
        world = town.settled().world
        server = town.log()
        client = LogClient(server.url)

        def now() -> History:
            read = walk(fetch_from(server.url), genesis=world.now.genesis, now_s=4_000_000_000)
            return read.history

        key = signer_from_seed(NEXT, ED25519, seed("log-2")).key
        quorum = msgspec.structs.replace(
            town.quorum, policy=town.quorum.policy.replace(LOG_KEY, str(key))
        )
        for name in town.witnesses:
            assert spotbeam("witness", name, "--prepare", "--log", key).returncode == 0
        world.change(CloseLog(origin=NEXT, witness_quorum=quorum))
        for data in world.entries[-2:]:
            change = client.submit(data, wait="anchored")
        world.now = now().now
        world.approve(change.id, "bo", "cy")
        for data in world.entries[-2:]:
            client.submit(data)
        until(lambda: status(server)["log"]["standing"] == "closed", "the log is closed")
        until(lambda: now().now.closing is not None, "its last checkpoint is published")
        with pytest.raises(Refused, match="closed"):
            client.submit(town.request())

        town.work = tmp_path / "next"
        empty_log(town.work, NEXT, "log-2", world.now.genesis, [server.url, "record"])
        second = town.log()
        world.now, world.origin = now().now, NEXT
        asked = LogClient(second.url).submit(town.request(), wait="anchored")
        second.stop(signal.SIGKILL)
        second = town.log()
        again = LogClient(second.url).submit(town.request(), wait="anchored")
        read = walk(
            fetch_from(second.url),
            genesis=world.now.genesis,
            onto=next_log(now()),
            now_s=4_000_000_000,
        )
        assert {asked.id, again.id} <= set(read.history.now.requests)
        assert read.history.now.earlier[0].size == status(server)["log"]["size"]
        assert not read.history.now.findings
    finally:
        town.close()
