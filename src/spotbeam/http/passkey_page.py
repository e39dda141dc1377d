"""The page on which somebody signs with a passkey: served by their own machine, to it alone.

    made = register("cy", port=8471)
    proof = sign(key, statement, shown, announce=…)

One page for one question. The process that asks has computed the text and the challenge itself
from the record; nothing that a control plane serves is shown here or counts. The page is static,
loads nothing from elsewhere, and computes the challenge from the text that it shows. Every answer
is checked here as `apply` will check it, before anything is sent on.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any, Generic, TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spotbeam.control.passkeys import RP_ID, Registration, demand_signed, origin_at, registered
from spotbeam.errors import InputError, Refused, SpotbeamError
from spotbeam.governance.entries.people import PasskeyKey, PasskeyProof
from spotbeam.http.serving import listen
from spotbeam.record.keys import encode_base64

Taken = TypeVar("Taken")

WAIT_S = 300.0
_LARGEST = 64 * 1024
_KINDS = {"page.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what is shown.

    Attributes:
        is_claim: Somebody else's word, which this machine could not check.
    """

    title: str
    text: str
    is_claim: bool = False


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What the person reads before they sign, already free of control characters.

    Attributes:
        facts: Label and value.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    declined: bool = False
    client_data: str = ""
    authenticator_data: str = ""
    credential: str = ""
    signature: str = ""


def register(
    person: str,
    *,
    port: int,
    wait_s: float = WAIT_S,
    announce: Callable[[str], object],
) -> PasskeyKey:
    """Have somebody make a passkey on a page of this machine.

    Args:
        person: Their id, as their device will show it.
        port: Where the page is served; the passkey then counts only from there.
        wait_s: How long to wait.
        announce: Told the page's address once it is there.

    Raises:
        InputError: The port cannot be had.
        SpotbeamError: Nobody answered in time, or they declined.
    """
    challenge = secrets.token_bytes(32)
    task = {
        "kind": "register",
        "title": f"Make a passkey for {person}",
        "button": "Make a passkey",
        "facts": [
            ["For", person],
            ["Counts from", origin_at(port)],
            ["Needs", "a device that checks who you are and does not copy its keys elsewhere"],
        ],
        "sections": [],
        "rp_id": RP_ID,
        "person": person,
        "challenge": encode_base64(challenge),
        "user": encode_base64(secrets.token_bytes(16)),
    }

    def take(answer: _Answer) -> PasskeyKey:
        made = Registration(
            client_data=answer.client_data,
            authenticator_data=answer.authenticator_data,
            credential=answer.credential,
        )
        return registered(made, challenge, origin_at(port))

    return _asked(
        task, take, port, wait_s, announce, "The passkey is made. You can close this page."
    )


def sign(
    key: PasskeyKey,
    statement: bytes,
    shown: Shown,
    *,
    wait_s: float = WAIT_S,
    announce: Callable[[str], object],
) -> PasskeyProof:
    """Have somebody read a statement and sign it with their passkey.

    Args:
        key: Their passkey; the page is served where it counts.
        statement: The exact bytes that are signed, canonical JSON.
        shown: The same in plain words, with the impact.
        wait_s: How long to wait.
        announce: Told the page's address once it is there.

    Raises:
        InputError: The port cannot be had, or the passkey counts nowhere on this machine.
        SpotbeamError: Nobody signed in time, or they declined.
    """
    port = port_of(key)
    task = {
        "kind": "sign",
        "title": shown.title,
        "button": "Sign with my passkey",
        "facts": shown.facts,
        "sections": shown.sections,
        "rp_id": key.rp_id,
        "credential": key.credential,
        "statement": encode_base64(statement),
        # ASCII only: no character of a foreign text can hide or turn round another.
        "shown": ascii(statement.decode())[1:-1],
    }

    def take(answer: _Answer) -> PasskeyProof:
        proof = PasskeyProof(
            authenticator_data=answer.authenticator_data,
            client_data=answer.client_data,
            signature=answer.signature,
            credential=answer.credential,
        )
        demand_signed(key, proof, statement)
        return proof

    return _asked(task, take, port, wait_s, announce, "Signed. You can close this page.")


def port_of(key: PasskeyKey) -> int:
    """The port of this machine from which a passkey counts.

    Raises:
        InputError: It was made for no page of `localhost` with a port.
    """
    for origin in key.origins:
        _, _, port = origin.rpartition(":")
        if origin.startswith("http://localhost:") and port.isdecimal():
            return int(port)
    raise InputError(
        "the passkey counts from no page that this machine can serve",
        hint="make another with `spotbeam key passkey`",
    )


class Question(Generic[Taken]):
    """One question and its answer, handed over between the server's thread and the asker's.

    Args:
        task: What the page is told.
        take: Checks an answer and gives what it is worth; raises `Refused` where it does not count.
        origin: Where the page is served; answers from elsewhere are refused.
        word: What the page says when it is done.
    """

    def __init__(
        self, task: dict[str, Any], take: Callable[[_Answer], Taken], origin: str, word: str
    ) -> None:
        self.number = secrets.token_urlsafe(16)
        self.task = {**task, "number": self.number}
        self.take = take
        self.origin = origin
        self.word = word
        self.answered = threading.Event()
        self.result: Taken | None = None
        self._lock = threading.Lock()

    def page(self, request: Request) -> Response:
        """One of the three static files."""
        name = request.path_params.get("name") or "page.html"
        if name not in _KINDS or not self._is_ours(request):
            return _plain(404, "there is nothing here")
        data = (resources.files("spotbeam.http") / "passkey" / name).read_bytes()
        return Response(data, media_type=_KINDS[name], headers=_HEADERS)

    def asked(self, request: Request) -> Response:
        """The question."""
        if not self._is_ours(request):
            return _plain(404, "there is nothing here")
        return _json(200, self.task)

    async def answer(self, request: Request) -> Response:
        """Take an answer, if it comes from our page and holds."""
        if not self._is_ours(request) or request.headers.get("origin") != self.origin:
            return _plain(403, "this answer does not come from the page")
        data = b""
        async for part in request.stream():
            data += part
            if len(data) > _LARGEST:
                return _plain(413, "too long")
        try:
            answer = msgspec.json.decode(data, type=_Answer)
        except msgspec.DecodeError:
            return _plain(400, "not an answer")
        if answer.number != self.number:
            return _json(409, {"word": "This page is old; open the new one.", "done": True})
        with self._lock:
            if self.answered.is_set():
                return _json(409, {"word": "It has been answered already.", "done": True})
            if answer.declined:
                self.answered.set()
                return _json(200, {"word": "Nothing was signed.", "done": True})
            try:
                self.result = self.take(answer)
            except Refused as fault:
                hint = f" {fault.hint}." if fault.hint else ""
                word = f"This does not count: {fault.reason}.{hint}"
                return _json(422, {"word": word, "done": False})
            self.answered.set()
            return _json(200, {"word": self.word, "done": True})

    def _is_ours(self, request: Request) -> bool:
        """Only under our own name: a foreign name that leads here sees nothing."""
        return f"http://{request.headers.get('host', '')}" == self.origin


def page_app(question: Question[Any]) -> Starlette:
    """The page's server for one question."""
    return Starlette(
        routes=[
            Route("/", question.page),
            Route("/task", question.asked),
            Route("/answer", question.answer, methods=["POST"]),
            Route("/{name}", question.page),
        ]
    )


def _asked(
    task: dict[str, Any],
    take: Callable[[_Answer], Taken],
    port: int,
    wait_s: float,
    announce: Callable[[str], object],
    word: str,
) -> Taken:
    question = Question(task, take, origin_at(port), word)
    with _served(page_app(question), port):
        announce(f"{origin_at(port)}/")
        if not question.answered.wait(wait_s):
            raise SpotbeamError(
                f"nobody answered on the page within {wait_s:.0f} s: nothing was signed",
                hint="run the command again, and open its page on this machine",
            )
    if question.result is None:
        raise SpotbeamError("it was declined on the page: nothing was signed")
    return question.result


@contextlib.contextmanager
def _served(app: Starlette, port: int) -> Iterator[None]:
    """Serve on every loopback address, so that `localhost` can lead to nobody else."""
    sockets = _listen_everywhere(port)
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=32,
        h11_max_incomplete_event_size=16_384,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        for each in sockets:
            each.close()


def _listen_everywhere(port: int) -> list[socket.socket]:
    opened: list[socket.socket] = []
    hosts = ("127.0.0.1", "::1") if _has_ipv6_loopback() else ("127.0.0.1",)
    try:
        opened.extend(listen(host, port) for host in hosts)
    except InputError as fault:
        for each in opened:
            each.close()
        raise InputError(
            fault.message, hint="a passkey counts from one port only: end what is using it"
        ) from None
    return opened


def _has_ipv6_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def _json(status: int, value: Any) -> Response:
    data = msgspec.json.encode(value)
    return Response(data, status, headers=_HEADERS, media_type="application/json")


def _plain(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, headers=_HEADERS, media_type="text/plain")
