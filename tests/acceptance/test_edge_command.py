"""`spotbeam edge` as a process: killed at any moment, restored from an old image, told lies."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support.edge_records import forked, junk, publish
from support.edges import KYIV, bring_in, deny, put_list
from support.governance import World, rule
from support.processes import Server, until

from spotbeam.edge.keeping import Kept
from spotbeam.edge.walk import walk
from spotbeam.governance.entries.rules import WhoEntry
from spotbeam.governance.state import state_digest
from spotbeam.http.client import get, post
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.tile_reader import fsck

ARROW = "application/vnd.apache.arrow.stream"


class Site:
    """A folder with a published log, and an edge that follows it as a process."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self.world = world
        self.log = folder / "log"
        self.store = folder / "store"
        self.server: Server | None = None

    def publish(self, log: Path | None = None, world: World | None = None, **how: Any) -> None:
        world = self.world if world is None else world
        world.clock_us = max(world.clock_us, time.time_ns() // 1_000)
        publish(world, self.log if log is None else log, **how)

    def start(self, *more: object, sources: tuple[Path, ...] = ()) -> Server:
        if self.server is not None:
            self.server.close()
        self.server = Server(
            ["edge", *(sources or (self.log,)), "--genesis", self.world.now.genesis,
             "--store", self.store, "--port", 0, "--every", "50ms", *more],
            self.folder,
        )  # fmt: skip
        return self.server

    def status(self) -> dict[str, Any]:
        assert self.server is not None
        return json.loads(get(f"{self.server.url}/status").body)

    def verdicts(self) -> dict[str, str]:
        assert self.server is not None
        rows = json.loads(get(f"{self.server.url}/verdicts").body)["verdicts"]
        return {row["id"]: row["reason"] for row in rows}

    def put(self, *rows: dict[str, Any]) -> None:
        assert self.server is not None
        body = json.dumps([{**KYIV, **row} for row in rows]).encode()
        answer = post(f"{self.server.url}/terminals", body, {"Content-Type": "application/json"})
        assert answer.status == 200, answer.body

    def follows(self) -> None:
        size = len(self.world.entries)
        until(lambda: self.status()["size"] == size, f"the edge is at {size}")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    # Written an hour ago by real time: the edge's own clock is in this.
    world = World(clock_us=time.time_ns() // 1_000 - 3_600_000_000)
    bring_in(world, rule("ua"))
    found = Site(tmp_path, world)
    found.publish()
    yield found
    if found.server is not None:
        found.server.close()


def test_a_change_reaches_live_terminals_and_it_ends_cleanly(site: Site) -> None:
    server = site.start("--ack", "http://127.0.0.1:9")  # where nobody listens
    site.follows()
    site.put({"id": "a"}, {"id": "b", "lat_deg": 52.5, "lon_deg": 13.4})
    assert site.verdicts() == {"a": "OK", "b": "NOT_AUTHORISED"}
    bring_in(site.world, deny("off"))
    site.publish()
    until(lambda: site.verdicts()["a"] == "BLOCKED_COUNTRY", "the change is enforced")
    one = post(f"{server.url}/verdict", json.dumps({"id": "c", **KYIV}).encode())
    answer = json.loads(one.body)
    assert answer["verdict"]["reason"] == "BLOCKED_COUNTRY"
    assert answer["verdict"]["rule"] == "off"
    assert answer["verdict"]["record_index"] == len(site.world.entries)
    assert answer["freshness"]["state"] == "fresh"
    status = site.status()
    assert status["state_digest"] == state_digest(site.world.now)
    assert status["genesis"] == site.world.now.genesis
    assert server.stop(signal.SIGTERM) == 0


def test_terminals_come_and_go_as_json_and_as_arrow(site: Site) -> None:
    server = site.start()
    site.follows()
    table = pa.table({"id": ["x", "y"], "lat_deg": [50.4, 52.5], "lon_deg": [30.5, 13.4]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    body = bytes(sink.getvalue())
    assert post(f"{server.url}/terminals", body, {"Content-Type": ARROW}).status == 200
    site.put({"id": "x", "lat_deg": 52.5, "lon_deg": 13.4})  # it has moved
    assert site.verdicts() == {"y": "NOT_AUTHORISED", "x": "NOT_AUTHORISED"}
    answer = get(f"{server.url}/verdicts", {"Accept": ARROW})
    shown = pa.ipc.open_stream(answer.body).read_all()
    assert shown.column_names == ["id", "outcome", "reason", "rule", "max_mbps"]
    assert shown.column("outcome").to_pylist() == ["deny", "deny"]


WRONG = (
    ("verdict", b"{", 400, "truncated"),
    ("verdict", b'{"id":"a","lat_deg":91,"lon_deg":0}', 422, "lat_deg"),
    ("verdict", b'{"id":"a","lat":1,"lon_deg":0}', 422, "lat_deg"),
    ("verdict", b'{"lat_deg":1,"lon_deg":2}', 422, "id"),
    ("verdict", b"[]", 400, "object"),
    ("verdict", b"9" * 100_000, 413, "too long"),
    ("terminals", b'[{"id":"a","lat_deg":1,"lon_deg":2,"speed":3}]', 422, "speed_kmh"),
    ("terminals", b'[{"id":"a","lat_deg":1},{"id":"a","lat_deg":1}]', 422, "a"),
    ("terminals", b'"all of them"', 400, "array"),
    ("terminals", b"\xff", 400, ""),
)


def test_wrong_requests_are_told_what_is_wrong(site: Site) -> None:
    server = site.start()
    for path, body, status, says in WRONG:
        answer = post(f"{server.url}/{path}", body)
        assert answer.status == status, (body, answer.body)
        assert says in answer.body.decode()
    answer = post(f"{server.url}/terminals", b"not Arrow", {"Content-Type": ARROW})
    assert answer.status == 400
    assert server.said() == ""


def test_killed_at_any_moment_it_goes_on_and_never_back(site: Site) -> None:
    """kill -9 while it follows; whatever was accepted before is there, whole, afterwards."""
    source = random.Random(7)
    sizes = [0]
    for _ in range(5):
        server = site.start()
        killed_at = time.monotonic() + source.uniform(0.0, 0.8)
        until(lambda: site.status()["size"] >= sizes[-1], "what was accepted is still there")
        while time.monotonic() < killed_at:
            junk(site.world, source.choice((1, 40, 300)))
            site.publish()
            sizes.append(max(sizes[-1], site.status()["size"]))
        junk(site.world, 200)
        site.publish()
        time.sleep(source.uniform(0.0, 0.15))  # it is reading, writing, or done
        server.stop(signal.SIGKILL)
        kept = Kept(site.store)
        if not kept.logs():
            continue
        note = kept.note(0)
        assert note is not None
        checkpoint = parse_signed_checkpoint(note)[0]
        assert checkpoint.size >= sizes[-1]
        sizes.append(checkpoint.size)
        # Everything under the accepted checkpoint is there, and holds from entry 0 on.
        assert fsck(kept.fetch(0), checkpoint).entries == checkpoint.size
        walk(kept.fetch(0), genesis=site.world.now.genesis, now_s=None)
    assert sizes[-1] > 500
    site.start()
    site.follows()
    assert site.status()["state_digest"] == state_digest(site.world.now)


def test_an_old_image_says_so_and_goes_forward_only(site: Site) -> None:
    """Row 37, with the process and its disk."""
    site.start()
    site.follows()
    site.server.stop(signal.SIGKILL)
    shutil.copytree(site.store, site.folder / "image")
    bring_in(site.world, deny("since-then"))
    site.publish()
    site.start()
    site.follows()
    site.server.close()
    shutil.rmtree(site.store)
    shutil.copytree(site.folder / "image", site.store)
    old = len(site.world.entries)
    # While its only source is a copy of the same age it stays where it is, and says so.
    image = site.store / "logs" / "000"
    frozen = site.folder / "frozen"
    shutil.copytree(image, frozen)
    site.start(sources=(frozen,))
    site.put({"id": "a"})
    status = site.status()
    assert status["size"] < old
    assert any("from its disk" in each for each in status["freshness"]["reasons"])
    assert site.verdicts()["a"] == "OK"
    site.server.close()
    site.start(sources=(frozen, site.log))
    site.put({"id": "a"})
    site.follows()
    assert site.verdicts()["a"] == "BLOCKED_COUNTRY"


def test_two_views_are_kept_as_evidence_and_raise_the_flag(site: Site) -> None:
    other = forked(site.world)
    bring_in(site.world, rule("one"))
    bring_in(other, deny("two"))
    junk(other, 3)
    site.publish()
    site.start()
    site.follows()
    site.server.close()
    site.publish(site.folder / "fork", other)
    site.start(sources=(site.folder / "fork", site.log))
    until(lambda: site.status()["freshness"]["split"], "the split is seen")
    status = site.status()
    assert status["size"] == len(site.world.entries)
    assert status["sources"][0]["code"] == "forked"
    (name,) = status["evidence"]
    assert (site.store / "evidence" / name).stat().st_size > 300
    site.put({"id": "a"})
    assert site.verdicts()["a"] == "OK"


def test_openings_come_from_a_folder_and_outlive_it(site: Site) -> None:
    act, rows = put_list(site.world, "kits", 1, ["a"])
    listed = deny("listed", gate="list", who=WhoEntry(not_on_list=("kits",)))
    bring_in(site.world, listed, acts=[act])
    site.publish()
    openings = site.folder / "openings"
    (openings / "lists" / "kits").mkdir(parents=True)
    site.start("--openings", openings)
    site.follows()
    site.put({"id": "a"}, {"id": "b"})
    assert site.status()["freshness"]["state"] == "stale"
    assert [each["what"] for each in site.status()["lacks"]] == ["list:kits"]
    (openings / "lists" / "kits" / "1.csv").write_bytes(rows)
    until(lambda: site.verdicts() == {"a": "OK", "b": "NOT_LISTED"}, "the list is taken in")
    site.server.close()
    assert (site.store / "openings").stat().st_mode & 0o077 == 0
    shutil.rmtree(openings)
    openings.mkdir()
    site.start("--openings", openings)
    site.put({"id": "a"}, {"id": "b"})
    assert site.verdicts() == {"a": "OK", "b": "NOT_LISTED"}


def test_one_store_takes_one_edge(site: Site) -> None:
    site.start()
    found = run("edge", site.log, "--genesis", site.world.now.genesis, "--store", site.store)
    assert found.returncode == 2
    assert "in use" in found.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "which record"),
        (("--genesis", "abc"), "64 hexadecimal digits"),
        (("--genesis", "a" * 64, "--every", "soon"), "not a duration"),
        (("--genesis", "a" * 64, "--view", "unn"), "did you mean"),
        (("--genesis", "a" * 64, "--name", "Edge One"), "cannot name an edge"),
        (("--genesis", "a" * 64, "--openings", "nowhere"), "no such folder"),
        (("--genesis", "a" * 64, "--token-file", "nowhere"), "cannot be read"),
        (("--genesis", "a" * 64, "--ack", "ftp://x"), "not a URL"),
    ],
)
def test_wrong_options_are_one_message(site: Site, options: tuple[str, ...], says: str) -> None:
    found = run("edge", site.log, "--store", site.store, "--port", "0", *options)
    assert found.returncode == 2, found.stderr
    assert says in found.stderr
    assert len(found.stderr.splitlines()) <= 3


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spotbeam", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
