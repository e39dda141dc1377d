"""Run a server until it is told to stop: it says when it is ready, and ends cleanly on a signal."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from spotbeam.errors import InputError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """A socket that a server will answer on; port 0 takes any that is free.

    Raises:
        InputError: The address cannot be had, as when another server has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer takes 40 ms.
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        opened.listen(1024)
    except (OSError, OverflowError) as fault:
        opened.close()
        why = getattr(fault, "strerror", None) or fault
        raise InputError(
            f"cannot listen on {host} port {port}: {why}",
            hint="--port 0 takes any free port",
        ) from None
    return opened


def url_of(opened: socket.socket) -> str:
    """The URL of a server that answers on a socket."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Any, host: str, port: int, what: str) -> None:
    """Serve an ASGI application until SIGINT or SIGTERM; open requests get two seconds to end.

    Prints `<what> ready at http://HOST:PORT` once requests are answered.

    Raises:
        InputError: The address cannot be had.
    """
    serve_on(app, listen(host, port), what)


def serve_on(app: Any, opened: socket.socket, what: str) -> None:
    """Serve as `serve` does, on a socket from `listen`: for those who need its port first."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="auto",
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        limit_concurrency=512,
        h11_max_incomplete_event_size=65_536,
    )
    try:
        _Server(config, what, url_of(opened)).run(sockets=[opened])
    finally:
        opened.close()


class _Server(uvicorn.Server):
    """uvicorn's, but it says when it is ready and takes a signal as a wish, not as a death."""

    def __init__(self, config: uvicorn.Config, what: str, url: str) -> None:
        super().__init__(config)
        self._ready = f"{what} ready at {url}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self._ready, flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in _SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
