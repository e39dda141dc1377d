"""The client against servers that misbehave: every fault is one message, and bounded."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from spotbeam.errors import InputError, Unreachable
from spotbeam.http import client
from spotbeam.http.client import check_url, fetch_from, get, post

OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def serving(answer: Callable[[bytes], bytes | None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server of raw bytes: what it is asked, and what it answers; None hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def run() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                head = b""
                while b"\r\n\r\n" not in head:
                    part = connection.recv(65_536)
                    if not part:
                        break
                    head += part
                asked.append(head)
                reply = answer(head)
                if reply is not None:
                    with suppress(OSError):
                        connection.sendall(reply)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def reply(status: bytes, body: bytes = b"", *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join([*lines, *headers, b"", body])


def test_a_file_that_is_not_there_is_none_and_all_else_is_a_fault() -> None:
    answers = {
        b"/log/checkpoint": reply(b"200 OK", b"note"),
        b"/log/gone": reply(b"410 Gone"),
        b"/log/missing": reply(b"404 Not Found", b"<html>"),
        b"/log/forbidden": reply(b"403 Forbidden"),
        b"/log/moved": reply(b"301 Moved", b"", b"Location: /log/checkpoint"),
    }
    with serving(lambda head: answers[head.split()[1]]) as (url, _):
        fetch = fetch_from(f"{url}/log/")
        assert fetch("checkpoint") == b"note"
        assert fetch("gone") is None
        assert fetch("missing") is None
        assert fetch("moved") == b"note"
        with pytest.raises(Unreachable, match="answered 403") as caught:
            fetch("forbidden")
        assert caught.value.status == 403
        assert caught.value.exit_code == 1


def test_a_busy_server_is_asked_again_and_a_post_never_is() -> None:
    left = [reply(b"503 Busy"), None, reply(b"200 OK", b"at last")]
    with serving(lambda head: left.pop(0)) as (url, asked):
        assert get(url).body == b"at last"
        assert len(asked) == 3
    with serving(lambda head: None) as (url, asked):
        with pytest.raises(Unreachable, match="broke off"):
            post(url, b"entry")
        assert len(asked) == 1
    with serving(lambda head: reply(b"503 Busy", b"no")) as (url, asked):
        assert post(url, b"entry").status == 503
        assert len(asked) == 1
    with serving(lambda head: reply(b"307 Moved", b"", b"Location: /x")) as (url, asked):
        assert post(url, b"entry").status == 307, "where a post goes is not for others to say"
        assert len(asked) == 1


def test_a_silent_server_and_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unreachable, match="did not answer in time"):
            get(url, timeout_s=0.2)
    with pytest.raises(Unreachable, match="no server answers there"):
        get(url, timeout_s=2)


def test_an_answer_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY", 100_000)
    with serving(lambda head: reply(b"200 OK", b"x" * 100_000)) as (url, _):
        assert len(get(url).body) == 100_000
    with (
        serving(lambda head: reply(b"200 OK", b"x" * 100_001)) as (url, _),
        pytest.raises(Unreachable, match="longer than"),
    ):
        get(url)
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000
    with (
        serving(lambda head: reply(b"200 OK", bomb, b"Content-Encoding: gzip")) as (url, _),
        pytest.raises(Unreachable, match="longer than"),
    ):
        get(url)
    squeezed = reply(b"200 OK", gzip.compress(b"note"), b"Content-Encoding: gzip")
    with serving(lambda head: squeezed) as (url, _):
        assert get(url).body == b"note"


@pytest.mark.parametrize(
    "bytes_",
    [
        b"junk\r\n\r\n",
        OK + b"Content-Length: 10\r\n\r\nshort",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_nonsense_is_a_fault_of_the_server(bytes_: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ATTEMPTS", 1)
    with serving(lambda head: bytes_) as (url, _), pytest.raises(Unreachable) as caught:
        get(url)
    assert "object at" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "log.example",
        "ftp://log.example",
        "file:///etc/passwd",
        "http://",
        "http://log.example:0",
        "http://log.example:99999",
        "http://user:secret@log.example",
        "http://log.example/?a=b",
        "http://log.example/#a",
        "http://log.example/a b",
        "http://log.example/\nHost: x",
        "http://lög.example",
    ],
)
def test_what_is_no_url_is_said_before_anybody_is_asked(url: str) -> None:
    with pytest.raises(InputError) as caught:
        check_url(url)
    assert caught.value.exit_code == 2


def test_a_url_may_have_a_path_and_ends_without_a_slash() -> None:
    assert check_url("https://log.example/black-sea//") == "https://log.example/black-sea"
    assert check_url("http://[::1]:80") == "http://[::1]:80"
