"""What servers have in common: bounded bodies, plain answers, files with the right headers."""

from __future__ import annotations

import asyncio
import gzip
import inspect
import re
import sys
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from spotbeam.errors import MalformedRecord
from spotbeam.record.tiles import CHECKPOINT_PATH, ENTRIES, parse_tile_path

TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
FOR_EVER = "public, max-age=31536000, immutable"
"""Tiles never change."""
BODY_S = 30.0
"""A request whose body is not here by then is dropped."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*\Z", re.ASCII)


class TooMuch(Exception):
    """A body is larger than the server takes, or compressed in a way that it does not know.

    Args:
        status: The HTTP status that says so.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def calmly(endpoint: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose unforeseen faults are one line here and an answer there, no traceback.

    Plain functions run in a thread, as they may wait for a disk.
    """

    async def answer(request: Request) -> Response:
        try:
            if inspect.iscoroutinefunction(endpoint):
                response = await endpoint(request)
            else:
                response = await run_in_threadpool(endpoint, request)
        except (TooMuch, HTTPException):
            raise
        except Exception as fault:
            print(
                f"spotbeam: {request.method} {request.url.path!a}: {type(fault).__name__}: {fault}",
                file=sys.stderr,
                flush=True,
            )
            return text(500, "this server could not do that; its owner can read why")
        assert isinstance(response, Response)
        return response

    return answer


def too_much(request: Request, fault: Exception) -> Response:
    """The answer to a body that is not taken."""
    assert isinstance(fault, TooMuch)
    words = {408: "the body did not come in time", 413: "the body is too long"}
    answer = text(fault.status, words.get(fault.status, "the body is not gzip, or not plain"))
    answer.headers["Accept-Encoding"] = "gzip"
    answer.headers["Connection"] = "close"
    return answer


async def read_body(request: Request, limit: int) -> bytes:
    """The body of a request.

    Raises:
        TooMuch: It is longer than `limit`, compressed, or slower than `BODY_S`.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise TooMuch(415)
    body, is_whole = await _read(request, limit, None)
    if not is_whole:
        raise TooMuch(413)
    return body


async def read_upload(request: Request, limit: int) -> bytes:
    """The beginning of a body that may be compressed with gzip: no more than `limit` of it.

    Raises:
        TooMuch: It is compressed in another way, or wrongly, or slower than `BODY_S`.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding not in ("identity", "gzip"):
        raise TooMuch(415)
    unzip = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    return (await _read(request, limit, unzip))[0]


def text(status: int, words: str) -> Response:
    """A plain answer for people."""
    return Response(f"{words}\n", status, media_type=TEXT)


def json(value: object, status: int = 200, media_type: str = "application/json") -> Response:
    """An answer for scripts."""
    body = msgspec.json.encode(value)
    return Response(body, status, {"Cache-Control": "no-store"}, media_type)


def problem(status: int, code: str, detail: str) -> Response:
    """What went wrong, as RFC 9457 has it, with the slug of the rule."""
    body = {"type": "about:blank", "status": status, "code": code, "detail": detail}
    return json(body, status, "application/problem+json")


def record_file(folder: Path, name: str, request: Request) -> Response:
    """A file of a record, with the headers that tlog-tiles asks for; 404 for everything else.

    Args:
        folder: Where the record is published.
        name: The path under it, as in the URL.
        request: What it accepts: entry bundles are compressed where it takes gzip.
    """
    headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    kind, is_bundle = TEXT, False
    if name != CHECKPOINT_PATH:
        try:
            is_bundle = parse_tile_path(name).level == ENTRIES
        except MalformedRecord:
            return text(404, "there is no such file in a record")
        headers["Cache-Control"] = FOR_EVER
        kind = BINARY
    try:
        data = (folder / name).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Response("not here\n", 404, {"Cache-Control": "no-store"}, TEXT)
    if is_bundle:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            data = gzip.compress(data, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
    return Response(data, 200, headers, kind)


def is_name(part: str) -> bool:
    """Whether a part of a path is a plain name: no `..`, no hidden file, no slash."""
    return bool(_NAME.match(part)) and len(part) <= 128


async def _read(request: Request, limit: int, unzip: zlib._Decompress | None) -> tuple[bytes, bool]:
    """As much of a body as is allowed, and whether that is all.

    What comes beyond is read and dropped: a client that is still sending would not see the answer.
    """
    parts: list[bytes] = []
    left = limit
    is_whole = True
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                if not is_whole:
                    continue
                part = unzip.decompress(chunk, left + 1) if unzip else chunk
                parts.append(part[:left])
                is_whole = len(part) <= left
                left -= len(part)
    except (TimeoutError, ClientDisconnect):
        raise TooMuch(408) from None
    except zlib.error:
        raise TooMuch(400) from None
    if is_whole and unzip is not None and not unzip.eof:
        raise TooMuch(400)
    return b"".join(parts), is_whole
