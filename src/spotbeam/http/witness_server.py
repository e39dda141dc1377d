"""A witness, and a mirror, as a server: the routes of tlog-witness and tlog-mirror.

    POST /witness/add-checkpoint               GET /witness/<origin hash>/checkpoint
    POST /mirror/add-checkpoint                GET /mirror/<origin hash>/checkpoint
    POST /mirror/add-entries                   GET /mirror/<origin hash>/tile/…
    GET  /status                               who this is, and which logs it knows

The two have keys and prefixes of their own: the witness signs what continues, the mirror only what
it holds.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spotbeam.http.requests import (
    TooMuch,
    calmly,
    json,
    read_body,
    read_upload,
    record_file,
    text,
    too_much,
)
from spotbeam.record import note
from spotbeam.record.mirror import Mirror
from spotbeam.record.witness import Answer, Witness

MAX_CHECKPOINT = note.MAX_SIZE + 8_192
"""A note and its proof."""
MAX_UPLOAD = 48 * 2**20
"""No more of an upload is read at once: its beginning is taken, and the client goes on from there.
One package of the longest entries has 16.8 million bytes."""
_UPLOADS = 4
_HASH = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers here.

    Attributes:
        witness: The witness's verifier keys.
        mirror: The mirror's; none where this is no mirror.
        logs: The verifier keys of the logs that it knows.
    """

    witness: tuple[str, ...]
    mirror: tuple[str, ...]
    logs: tuple[str, ...]


class Duties(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a server of witnesses does, without the HTTP.

    Attributes:
        witness: Signs what continues.
        mirror: Signs what it holds; None: there is none.
        copies: Where mirrored logs lie, by the hashes of their origins.
        identity: Who it is.
        now_s: Its clock, POSIX seconds.
        look: Called before each checkpoint: takes in logs that were added meanwhile.
        keep: Keeps the two notes of a log that has signed two views.
    """

    witness: Witness
    mirror: Mirror | None
    copies: Path
    identity: Callable[[], Identity]
    now_s: Callable[[], int]
    look: Callable[[], None]
    keep: Callable[[bytes, bytes], None]


def witness_app(duties: Duties) -> Starlette:
    """The ASGI application of a witness and, with a mirror, of that too."""
    uploads = asyncio.Semaphore(_UPLOADS)

    def add_checkpoint(party: Witness | Mirror) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = await read_body(request, MAX_CHECKPOINT)

            def judge() -> Answer:
                duties.look()
                return party.add_checkpoint(body, now_s=duties.now_s())

            found = await run_in_threadpool(judge)
            if found.forked is not None:
                await run_in_threadpool(duties.keep, *found.forked)
            return _response(found)

        return answer

    async def add_entries(request: Request) -> Response:
        assert duties.mirror is not None
        mirror = duties.mirror
        async with uploads:
            body = await read_upload(request, MAX_UPLOAD)
            found = await run_in_threadpool(lambda: mirror.add_entries(body, now_s=duties.now_s()))
        return _response(found)

    def checkpoint(request: Request) -> Response:
        return _response(duties.witness.checkpoint(request.path_params["origin"]))

    def copy(request: Request) -> Response:
        origin = request.path_params["origin"]
        if not _HASH.match(origin):
            return text(404, "not the hash of an origin")
        return record_file(duties.copies / origin, request.path_params["path"], request)

    def status(request: Request) -> Response:
        return json(duties.identity())

    routes = [
        _route("/status", status, "GET"),
        _route("/witness/add-checkpoint", add_checkpoint(duties.witness), "POST"),
        _route("/witness/{origin}/checkpoint", checkpoint, "GET"),
    ]
    if duties.mirror is not None:
        routes += [
            _route("/mirror/add-checkpoint", add_checkpoint(duties.mirror), "POST"),
            _route("/mirror/add-entries", add_entries, "POST"),
            _route("/mirror/{origin}/{path:path}", copy, "GET"),
        ]
    return Starlette(routes=routes, exception_handlers={TooMuch: too_much})


def _route(path: str, endpoint: Callable[[Request], Any], method: str) -> Route:
    return Route(path, calmly(endpoint), methods=[method])


def _response(answer: Answer) -> Response:
    # As a header, since Starlette adds a charset to every media type that begins with text.
    headers = {
        "Content-Type": answer.content_type,
        "Accept-Encoding": "gzip",
        "Cache-Control": "no-store",
    }
    return Response(answer.body, answer.status, headers)
