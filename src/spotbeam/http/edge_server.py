"""An edge as a server: who is served, and how much of the record it knows.

    GET    /status                  size, root, state digest, witnessed time, freshness, findings
    POST   /verdict                 one terminal where it is now -> its verdict, and why
    POST   /terminals               terminals report; rows as JSON, or an Arrow IPC stream
    DELETE /terminals               ids, as JSON: they are no longer there
    GET    /verdicts                every live terminal's verdict, as JSON or an Arrow IPC stream

A terminal has the columns of a fleet: `id`, `lat_deg` and `lon_deg` at least. Arrow is sent and
asked for as `application/vnd.apache.arrow.stream`.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spotbeam.edge.edge import Edge
from spotbeam.edge.live import Shown
from spotbeam.errors import InputError
from spotbeam.http.requests import TooMuch, calmly, json, problem, read_body, too_much
from spotbeam.service.terminals import COLUMNS, REQUIRED, Terminals, terminals_from_rows
from spotbeam.service.verdict import OUTCOMES, REASONS
from spotbeam.times import format_time

ARROW = "application/vnd.apache.arrow.stream"
_ONE = 65_536
_MANY = 512 * 2**20


def edge_app(edge: Edge) -> Starlette:
    """The ASGI application of an edge."""

    def status(_: Request) -> Response:
        return json(edge.status())

    async def verdict(request: Request) -> Response:
        body = await read_body(request, _ONE)
        try:
            row = msgspec.json.decode(body, type=dict[str, Any])
            terminal = terminals_from_rows([row], place="terminal").row(0)
        except (msgspec.DecodeError, InputError, TypeError, ValueError) as fault:
            return _unreadable(fault)
        return json(edge.answer(terminal))

    async def report(request: Request) -> Response:
        body = await read_body(request, _MANY)
        try:
            kind = request.headers.get("content-type", "").partition(";")[0].strip()
            terminals = _from_arrow(body) if kind == ARROW else _from_json(body)
        except (msgspec.DecodeError, InputError, TypeError, ValueError, pa.ArrowException) as fault:
            return _unreadable(fault)
        edge.put(terminals)
        return json({"taken": len(terminals), "terminals": len(edge.table)})

    async def gone(request: Request) -> Response:
        body = await read_body(request, _MANY)
        try:
            ids = msgspec.json.decode(body, type=list[str])
        except msgspec.DecodeError as fault:
            return _unreadable(fault)
        edge.drop(ids)
        return json({"terminals": len(edge.table)})

    def verdicts(request: Request) -> Response:
        table, at_us = edge.shown()
        if ARROW in request.headers.get("accept", ""):
            return Response(_to_arrow(table), 200, {"Cache-Control": "no-store"}, ARROW)
        return json(
            {
                "at": format_time(at_us),
                "record_index": table.policy.record_index,
                "policy_version": table.policy.version,
                "verdicts": _columns(table).to_pylist(),
            }
        )

    return Starlette(
        routes=[
            Route("/status", calmly(status), methods=["GET"]),
            Route("/verdict", calmly(verdict), methods=["POST"]),
            Route("/terminals", calmly(report), methods=["POST"]),
            Route("/terminals", calmly(gone), methods=["DELETE"]),
            Route("/verdicts", calmly(verdicts), methods=["GET"]),
        ],
        exception_handlers={TooMuch: too_much},
    )


def _unreadable(fault: Exception) -> Response:
    if isinstance(fault, InputError):
        return problem(422, fault.code, str(fault))
    return problem(400, "malformed", str(fault))


def _from_json(body: bytes) -> Terminals:
    """Rows, alone or under `terminals`."""
    rows = msgspec.json.decode(body)
    if isinstance(rows, dict):
        rows = rows.get("terminals")
    return terminals_from_rows(msgspec.convert(rows, list[dict[str, Any]]), place="terminals")


def _from_arrow(body: bytes) -> Terminals:
    with pa.ipc.open_stream(body) as reader:
        read = reader.read_all()
    unknown = set(read.column_names) - set(COLUMNS)
    lost = set(REQUIRED) - set(read.column_names)
    if unknown or lost:
        what = f"unknown column {min(unknown)!r}" if unknown else f"no column {min(lost)!r}"
        raise InputError(what, place="terminals", hint=f"columns are {', '.join(COLUMNS)}")
    columns = {name: read.column(name).combine_chunks() for name in read.column_names}
    return Terminals.from_columns(columns, place="terminals")


def _columns(table: Shown) -> pa.Table:
    columns = table.columns
    if columns is None:
        return pa.table({"id": pa.array([], pa.string())})
    rules = [*(rule.id for rule in table.policy.rules), None]
    return pa.table(
        {
            "id": table.terminals.id,
            "outcome": _words(OUTCOMES, columns.outcome),
            "reason": _words(REASONS, columns.reason),
            "rule": _words(rules, columns.rule),
            "max_mbps": pa.array(columns.max_mbps, from_pandas=True),
        }
    )


def _words(names: Any, codes: Any) -> pa.Array:
    """Codes as text; -1 is the last name."""
    return pa.array(names, pa.string()).take(pa.array(codes % len(names), pa.int32()))


def _to_arrow(table: Shown) -> bytes:
    shown = _columns(table)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, shown.schema) as writer:
        writer.write_table(shown)
    return bytes(sink.getvalue())
