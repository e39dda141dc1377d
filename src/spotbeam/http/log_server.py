"""A log as a server: its record as static files, a place for entries, and how it stands.

    GET  /checkpoint  /tile/…                       the record, for any reader
    POST /entries[?wait=anchored]                   one entry; 201 {index, id, digest}, or a problem
    GET  /status                                    the log, its witnesses and its edges
    POST /acks                                      an edge says how far it has come
    GET  /openings/lists/<list>/<version>           for holders of the edge token
    GET  /openings/seals/<id>                       likewise

What is not public lies under `openings` only. Entries on the log's own word are not taken here.
"""

from __future__ import annotations

import asyncio
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spotbeam.control.sequencer import Recorded, Sequencer, Status
from spotbeam.errors import QuorumNotMet, Refused
from spotbeam.governance.entries.envelope import ON_ITS_OWN_WORD, parse_entry
from spotbeam.governance.entries.words import Count, Digest, Id, Moment, Name
from spotbeam.governance.void import Void
from spotbeam.http.requests import (
    TooMuch,
    calmly,
    is_name,
    json,
    problem,
    read_body,
    record_file,
    text,
    too_much,
)
from spotbeam.record.canonical import MAX_SIZE

_BUSY = frozenset({"stopped", "unconfirmed", "halted"})
_EDGES = 1_000
_DIGESTS = 1_000
_ANCHORED_S = 60.0


class Ack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an edge says of itself: how far it has read the record, and what it makes of that."""

    edge: Id
    origin: Name
    size: Count
    state_digest: Digest
    at_us: Moment


class Acked(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge said last, and what the log makes of that.

    Attributes:
        received_us: When it came, by this machine's clock.
        agrees: Whether the log's own fold of so many entries has that digest; None: it was never
            published at that size, or is of another log.
        has_token: Whether the edge showed the edge token.
    """

    edge: str
    origin: str
    size: int
    state_digest: str
    at_us: int
    received_us: int
    agrees: bool | None
    has_token: bool


class LogStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /status`: as `Status`, with the log's key and its edges."""

    key: str
    log: Status
    edges: tuple[Acked, ...]


class Edges:
    """What edges said last; in memory, as each says it again and again.

    Args:
        origin: The log.
        digest_at: The log's own digest at a size, or None.
        clock_us: This machine's clock.
    """

    def __init__(
        self, origin: str, digest_at: Callable[[int], str | None], clock_us: Callable[[], int]
    ) -> None:
        self._origin = origin
        self._digest_at = digest_at
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._acked: OrderedDict[str, Acked] = OrderedDict()
        self._digests: OrderedDict[int, str] = OrderedDict()

    def take(self, ack: Ack, *, has_token: bool) -> Acked:
        """Compare what an edge says with the log, and keep it.

        An edge without the token does not replace what one with the token said.
        """
        with self._lock:
            own = self._own(ack.size) if ack.origin == self._origin else None
            acked = Acked(
                **msgspec.structs.asdict(ack),
                received_us=self._clock_us(),
                agrees=None if own is None else own == ack.state_digest,
                has_token=has_token,
            )
            before = self._acked.get(ack.edge)
            if before is None or has_token or not before.has_token:
                self._acked[ack.edge] = acked
                self._acked.move_to_end(ack.edge)
                while len(self._acked) > _EDGES:
                    self._acked.popitem(last=False)
            return acked

    def all(self) -> tuple[Acked, ...]:
        """What every edge said last, by name."""
        with self._lock:
            return tuple(self._acked[name] for name in sorted(self._acked))

    def _own(self, size: int) -> str | None:
        if size not in self._digests:
            found = self._digest_at(size)
            if found is None:
                return None
            self._digests[size] = found
            if len(self._digests) > _DIGESTS:
                self._digests.popitem(last=False)
        return self._digests[size]


def log_app(
    sequencer: Sequencer,
    *,
    record: Path,
    openings: Path,
    key: str,
    token: Callable[[], str | None],
    clock_us: Callable[[], int],
) -> Starlette:
    """The ASGI application of a log.

    Args:
        sequencer: The log.
        record: Where it is published.
        openings: Where rows of lists and contents of seals lie: `lists/<list>/<version>.csv`,
            `seals/<id>.json`.
        key: The log's verifier key.
        token: What edges must show to be given openings; None: nobody is.
        clock_us: This machine's clock.
    """
    edges = Edges(sequencer.origin, sequencer.state_at_digest, clock_us)

    def has_token(request: Request) -> bool:
        wanted = token()
        shown = request.headers.get("authorization", "")
        return bool(wanted) and hmac.compare_digest(
            shown.encode("utf-8", "replace"), f"Bearer {wanted}".encode()
        )

    async def entries(request: Request) -> Response:
        body = await read_body(request, MAX_SIZE)
        wait = request.query_params.get("wait", "durable")
        if wait not in ("durable", "anchored"):
            return problem(400, "wait", "wait is `durable` or `anchored`")
        try:
            if parse_entry(body).envelope.type in ON_ITS_OWN_WORD:
                return problem(403, "not_the_log", "only the log itself says this")
        except Void as fault:
            return problem(422, fault.code, fault.reason)
        try:
            recorded = await run_in_threadpool(sequencer.submit, body)
            if wait == "anchored":
                await _anchored(sequencer, recorded)
        except Refused as fault:
            return problem(503 if fault.code in _BUSY else 422, fault.code, fault.reason)
        except QuorumNotMet as fault:
            return problem(504, fault.code, fault.message)
        return json(recorded, 201)

    async def acks(request: Request) -> Response:
        body = await read_body(request, 4_096)
        try:
            ack = msgspec.json.decode(body, type=Ack)
        except msgspec.DecodeError as fault:
            return problem(400, "malformed", str(fault))
        shown = has_token(request)
        return json(await run_in_threadpool(lambda: edges.take(ack, has_token=shown)))

    def status(_: Request) -> Response:
        return json(LogStatus(key=key, log=sequencer.status(), edges=edges.all()))

    def opening(request: Request) -> Response:
        if not has_token(request):
            answer = problem(401, "token", "openings are for holders of the edge token")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        parts = list(request.path_params.values())
        if not all(is_name(part) for part in parts):
            return text(404, "not here")
        kind, end = ("lists", "csv") if len(parts) == 2 else ("seals", "json")
        place = openings.joinpath(kind, *parts[:-1], f"{parts[-1]}.{end}")
        try:
            data = place.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return text(404, "not here")
        media_type = "text/csv; charset=utf-8" if end == "csv" else "application/json"
        return Response(data, 200, {"Cache-Control": "no-store"}, media_type)

    def published(request: Request) -> Response:
        return record_file(record, request.url.path.removeprefix("/"), request)

    def route(path: str, endpoint: Callable[[Request], object], method: str = "GET") -> Route:
        return Route(path, calmly(endpoint), methods=[method])

    return Starlette(
        routes=[
            route("/checkpoint", published),
            route("/tile/{path:path}", published),
            route("/status", status),
            route("/entries", entries, "POST"),
            route("/acks", acks, "POST"),
            route("/openings/lists/{list}/{version}", opening),
            route("/openings/seals/{seal}", opening),
        ],
        exception_handlers={TooMuch: too_much},
    )


async def _anchored(sequencer: Sequencer, recorded: Recorded) -> None:
    """Wait without a thread of one's own until an entry is witnessed and anchored.

    Raises:
        QuorumNotMet: That did not happen in time.
    """
    try:
        await asyncio.wait_for(asyncio.wrap_future(sequencer.anchored(recorded)), _ANCHORED_S)
    except TimeoutError:
        raise sequencer.not_witnessed(recorded) from None
