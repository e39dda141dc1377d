"""An edge and its server: the folder it keeps, the sources it follows, the threads that drive it.

<store>/genesis, logs/…     the record as far as accepted (`edge.keeping`)
<store>/clock               what of its clock outlives the process
<store>/openings/…          lists and seals that it was given, 0700
<store>/evidence/…          two views that a log has signed, should that happen
"""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from spotbeam.assembly.folder_lock import hold
from spotbeam.assembly.sources import is_url, open_source
from spotbeam.edge.clock import Clock
from spotbeam.edge.edge import Edge
from spotbeam.edge.follow import Follower
from spotbeam.edge.live import LiveTable
from spotbeam.edge.openings import Give, Held
from spotbeam.edge.walk import Progress
from spotbeam.edge.watching import Watch
from spotbeam.errors import InputError, SpotbeamError, Unreachable
from spotbeam.http.client import check_url, fetch_from, get, post
from spotbeam.http.edge_server import edge_app
from spotbeam.http.serving import listen, serve_on
from spotbeam.land.borders import borders_digest
from spotbeam.land.territories import ground
from spotbeam.record import disk
from spotbeam.record.tile_reader import Fetch, directory

_TICK_S = 0.1
_LOOK_S = 1.0
_WITNESSES_S = 15.0
_LEAST_S = 0.01
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_WITNESS_TIMEOUT_S = 5.0


class EdgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge is told.

    Attributes:
        sources: Folders or URLs of the log and its mirrors.
        genesis: Digest of entry 0, in hexadecimal, brought by hand; None: that of the store.
        store: Where it keeps what it has accepted.
        openings: A folder, or the URL of the log's server.
        token: What it shows to be given openings, and with its acknowledgements.
        ack: URL of the log's server.
        view: Point of view on borders.
        every_s: How often sources are asked.
        name: What it calls itself.
    """

    sources: Sequence[str]
    genesis: str | None
    store: Path
    openings: str | None = None
    token: str | None = None
    ack: str | None = None
    view: str = "un"
    every_s: float = 1.0
    name: str = "edge"


def serve_edge(
    settings: EdgeSettings, *, host: str, port: int, progress: Progress | None = None
) -> None:
    """Run an edge until it is told to stop.

    Raises:
        InputError: A setting is wrong, or the address cannot be had.
        RecordError: What the store holds does not hold.
    """
    opened = listen(host, port)
    try:
        disk.make_folder(settings.store)
        lock = hold(
            settings.store / "edge.lock", "the store", "give each edge a --store of its own"
        )
        with lock:
            edge = open_edge(settings, progress=progress)
            with driven(edge, settings):
                serve_on(edge_app(edge), opened, "edge")
    finally:
        opened.close()


def open_edge(settings: EdgeSettings, *, progress: Progress | None = None) -> Edge:
    """An edge as it stands on its disk; nobody drives it yet.

    Raises:
        InputError: A setting is wrong.
        RecordError: What the store holds does not hold.
    """
    _check(settings)
    follower = Follower(
        [open_source(source) for source in settings.sources],
        settings.genesis,
        settings.store,
        names=settings.sources,
        progress=progress,
    )
    if follower.genesis is None:
        raise InputError(
            "which record is to be followed?",
            place="--genesis",
            hint="give the digest of its entry 0, as those who began it handed it out",
        )
    kept = follower.kept
    known = follower.walked
    clock = Clock(
        _steady_s,
        boot=_boot(),
        wall_s=time.time(),
        kept=kept.read("clock"),
        known_s=None if known is None else known.time_s,
    )
    return Edge(
        settings.name,
        follower,
        clock,
        LiveTable(ground(settings.view)),
        Held(directory(settings.store / "openings"), _keeping(settings.store / "openings")),
        watch=Watch(follower, _reach),
        borders=borders_digest(),
        keep_clock=lambda data: kept.write("clock", data),
    )


@contextlib.contextmanager
def driven(edge: Edge, settings: EdgeSettings) -> Iterator[None]:
    """Drive an edge in threads of its own as long as the context lasts."""
    stop, news = threading.Event(), threading.Event()
    acks = _Acks(edge, settings)
    give = _giving(settings)

    def follow() -> None:
        if edge.follow() is not None:
            news.set()

    def look() -> None:
        news.clear()
        if give is not None:
            edge.take_openings(give)
        edge.prepare()
        acks.send()

    threads = [
        threading.Thread(target=_again, name=name, daemon=True, args=(name, work, every_s, *ends))
        for name, work, every_s, ends in (
            ("follow", follow, settings.every_s, (stop, stop)),
            ("tick", edge.tick, _TICK_S, (stop, stop)),
            ("look", look, _LOOK_S, (stop, news)),
            ("witnesses", edge.ask_witnesses, _WITNESSES_S, (stop, stop)),
        )
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        news.set()
        edge.follower.close()
        for thread in threads:
            thread.join(timeout=2.0)


def _again(
    name: str,
    work: Callable[[], object],
    every_s: float,
    stop: threading.Event,
    early: threading.Event,
) -> None:
    """Do something again and again until told to stop; what goes wrong is said and no end.

    Args:
        early: Set when it should not wait for the next turn.
    """
    said = ""
    while not stop.is_set():
        began_s = _steady_s()
        try:
            work()
        except Exception as fault:
            is_ours = isinstance(fault, SpotbeamError | OSError)
            words = str(fault) if is_ours else f"{type(fault).__name__}: {fault}"
            if words != said:
                said = words
                print(f"spotbeam: edge, {name}: {words!a}", file=sys.stderr, flush=True)
        early.wait(max(every_s - (_steady_s() - began_s), _LEAST_S))


class _Acks:
    """Tells the log how far an edge is, once for each checkpoint."""

    def __init__(self, edge: Edge, settings: EdgeSettings) -> None:
        self._edge = edge
        self._url = None if settings.ack is None else f"{check_url(settings.ack)}/acks"
        self._headers = {"Content-Type": "application/json", **_bearer(settings.token)}
        self._sent: tuple[str, int] | None = None

    def send(self) -> None:
        walked = self._edge.follower.walked
        if self._url is None or walked is None:
            return
        mine = walked.checkpoint.origin, walked.checkpoint.size
        ack = None if mine == self._sent else self._edge.ack()
        if ack is None:
            return
        with contextlib.suppress(Unreachable):
            answer = post(self._url, msgspec.json.encode(ack), self._headers, timeout_s=5.0)
            if answer.status < 500:
                self._sent = ack.origin, ack.size


def _check(settings: EdgeSettings) -> None:
    if not settings.sources:
        raise InputError("no source is given", place="SOURCE", hint="a folder, or http://…")
    if settings.genesis is not None and not _DIGEST.match(settings.genesis):
        raise InputError(
            f"{settings.genesis[:80]!r} is no digest",
            place="--genesis",
            hint="64 hexadecimal digits in lower case",
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", settings.name):
        raise InputError(
            f"{settings.name!r} cannot name an edge",
            place="--name",
            hint="small letters, digits, dots and dashes",
        )
    if settings.ack is not None:
        check_url(settings.ack)
    openings = settings.openings
    if openings is not None and not is_url(openings) and not Path(openings).is_dir():
        raise InputError("there is no such folder", place=f"--openings {openings}")


def _giving(settings: EdgeSettings) -> Give | None:
    """Where openings come from."""
    if settings.openings is None:
        return None
    if is_url(settings.openings):
        return _from_server(check_url(settings.openings), settings.token)
    folder = directory(Path(settings.openings))

    def give(name: str) -> bytes | None:
        return folder(f"{name}.csv" if name.startswith("lists/") else f"{name}.json")

    return give


def _from_server(url: str, token: str | None) -> Give:
    def give(name: str) -> bytes | None:
        answer = get(f"{url}/openings/{name}", _bearer(token))
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            raise Unreachable(
                f"{url}/openings/{name}",
                f"the server answered {answer.status}",
                status=answer.status,
                hint="--token-file names the file with the edge token"
                if answer.status == 401
                else None,
            )
        return answer.body

    return give


def _keeping(folder: Path) -> Callable[[str, bytes], None]:
    """Keep openings where nobody else reads them."""

    def keep(name: str, data: bytes) -> None:
        disk.make_folder(folder)
        folder.chmod(0o700)
        disk.replace(folder / name, data)

    return keep


def _reach(url: str) -> Fetch:
    return fetch_from(url, timeout_s=_WITNESS_TIMEOUT_S)


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def _steady_s() -> float:
    """Seconds since this machine started; time asleep counts where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _boot() -> str | None:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


def default_name() -> str:
    """The machine's own name, as far as it can name an edge."""
    name = re.sub(r"[^a-z0-9._-]", "-", socket.gethostname().lower()).strip("-._")
    return name[:64] or "edge"
