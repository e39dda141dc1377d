"""From an entry handed in to witnessed by three and published; and durable entries a second.

Witnesses, mirror and log are processes on loopback. These are wall times: they say how long people
wait on this machine, and depend on its disk and on its neighbours.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from side_by_side import machine
from support.governance import ORIGIN, World, seed
from support.processes import LOG_KEY, Server, policy_lines, quorum_of, workspace
from support.sequencing import Clock, MemoryWitness

from spotbeam.control.sequencer import Ports, Sequencer
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import parse_entry, statement
from spotbeam.governance.state import State
from spotbeam.http.client import get
from spotbeam.http.log_client import LogClient
from spotbeam.record.canonical import canonical_json, parse_canonical_object
from spotbeam.record.checkpoint import parse_signed_checkpoint
from spotbeam.record.keys import ED25519, signer_from_seed
from spotbeam.record.log import Log, create_log

COMMITS = 100
ENTRIES = 2_000
THREADS = 8


def requests(world: World, count: int) -> list[bytes]:
    """Signed entries, each different, that the fold takes."""
    made = []
    for _ in range(count):
        now = world.now
        world.request()
        made.append(world.entries.pop())
        world.now = now
    return made


def shown(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered) * 1e3:,.0f} | {p99 * 1e3:,.0f} | {ordered[-1] * 1e3:,.0f}"


def commits(folder: Path) -> None:
    """One entry after another, each waited for until it is published, and until it is anchored."""
    servers: list[Server] = []
    try:
        lines = {}
        for name in ("w1", "w2", "m3"):
            mirror = ["--mirror"] if name == "m3" else []
            servers.append(
                Server(["witness", name, "--port", 0, "--log", LOG_KEY, *mirror], folder)
            )
            key = f"{name}-mirror" if mirror else name
            lines[key] = policy_lines(servers[-1])[key]
        world = workspace(folder / "work", quorum_of(lines, 3, ["m3-mirror"]))
        servers.append(Server(["log", "-w", folder / "work", "--port", 0], folder))
        client = LogClient(servers[-1].url)
        client.submit(requests(world, 1)[0], wait="anchored")
        published = folder / "work" / "record" / "checkpoint"
        arguments = [servers[-1].url, "--genesis", world.now.genesis, "--port", 0]
        edge = Server(["edge", *arguments, "--store", folder / "edge"], folder)
        servers.append(edge)
        durable, witnessed, anchored, enforced = [], [], [], []
        chance = random.Random(1)
        for entry in requests(world, COMMITS):
            time.sleep(chance.random())  # people do not wait for the edge's next look
            began = time.perf_counter()
            recorded = client.submit(entry)
            durable.append(time.perf_counter() - began)
            while parse_signed_checkpoint(published.read_bytes())[0].size <= recorded.index:
                time.sleep(0.001)
            witnessed.append(time.perf_counter() - began)
            client.submit(entry, wait="anchored")  # is there already: only waits
            anchored.append(time.perf_counter() - began)
            # The anchor that covers the entry comes right after it.
            while msgspec.json.decode(get(f"{edge.url}/status").body)["size"] <= recorded.index + 1:
                time.sleep(0.005)
            enforced.append(time.perf_counter() - began)
    finally:
        for server in servers:
            server.close()
    print("\n### One entry at a time, over HTTP, witnessed by three processes (one a mirror)\n")
    print(f"| {COMMITS} commits, from handing in to | p50, ms | p99, ms | most, ms |")
    print("| --- | --- | --- | --- |")
    print(f"| on disk | {shown(durable)} |")
    print(f"| cosigned by three and published | {shown(witnessed)} |")
    print(f"| under a published anchor, so that changes bind | {shown(anchored)} |")
    print(f"| read and enforced by an edge that asks once a second | {shown(enforced)} |")


def spread(entries: Sequence[bytes], do: Callable[[bytes], object]) -> tuple[float, float]:
    """Entries a second that threads get through, of wall time and of CPU time."""

    def work(part: Sequence[bytes]) -> None:
        for entry in part:
            do(entry)

    threads = [threading.Thread(target=work, args=(entries[n::THREADS],)) for n in range(THREADS)]
    began, cpu_began = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    return len(entries) / seconds, len(entries) / cpu_seconds


def durable(folder: Path) -> None:
    """Many entries by many threads, into a log in this process; beside the parts alone."""
    world = World(clock_us=time.time_ns() // 1_000)
    entries = requests(world, ENTRIES)
    genesis = world.entries[0]
    signer = signer_from_seed(ORIGIN, ED25519, seed("log"))

    def opened(name: str) -> Log:
        create_log(folder / name / "log.sqlite", ORIGIN)
        log = Log(folder / name / "log.sqlite", folder / name / "record", signer)
        log.append([genesis])
        return log

    def sequencer(name: str) -> Sequencer:
        clock = Clock(time.time_ns() // 1_000)
        kept = {each: MemoryWitness(each, clock) for each in world.witnesses}
        ports = Ports(connect=lambda party: kept[party.names[0]], clock_us=lambda: clock.us)
        return Sequencer(opened(name), ports)

    whole, quiet, disk = [], [], []
    for round_ in range(5):
        with sequencer(f"whole-{round_}") as running:
            whole.append(spread(entries, running.submit))
        still = sequencer(f"quiet-{round_}")
        while still.step() == 0:
            pass
        quiet.append(spread(entries, still.submit))
        still.close()
        log = opened(f"disk-{round_}")
        disk.append(spread(entries, lambda entry, log=log: log.append([entry])))
        log.close()

    began = time.process_time()
    state = apply(State(), genesis)
    for entry in entries:
        apply(state, entry)
    fold = ENTRIES / (time.process_time() - began)
    text = statement(ORIGIN, world.now.genesis, parse_entry(entries[0]).envelope)
    key = Ed25519PrivateKey.from_private_bytes(seed("rex")).public_key()
    proof = world.keys["rex"].sign(text)
    began = time.process_time()
    for entry in entries:
        canonical_json(parse_canonical_object(entry))
        key.verify(proof, text)
    parts = ENTRIES / (time.process_time() - began)
    print(f"\n### Durable entries, {THREADS} threads, `synchronous=FULL`\n")
    print("| | entries a second, median of 5 | least to most | a CPU second |")
    print("| --- | --- | --- | --- |")
    for name, rates in (
        ("checked, on disk, witnessed and published meanwhile", whole),
        ("checked and on disk", quiet),
        ("on disk only, group commit, nothing checked", disk),
    ):
        walls, cpus = zip(*rates, strict=True)
        print(
            f"| {name} | {statistics.median(walls):,.0f} | {min(walls):,.0f} to {max(walls):,.0f} "
            f"| {statistics.median(cpus):,.0f} |"
        )
    print(f"| `apply` alone, one thread | | | {fold:,.0f} |")
    print(f"| one signature and canonical JSON alone | | | {parts:,.0f} |")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        durable(Path(place))
        commits(Path(place))
    print(f"\n{machine()}")
