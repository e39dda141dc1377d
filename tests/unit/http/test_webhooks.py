"""Webhooks after Standard Webhooks: a real receiver, replays, a receiver that comes and goes."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from spotbeam.assembly.feed_items import Item
from spotbeam.assembly.webhooks import deliver, message_id
from spotbeam.errors import BadSignature, InputError, Refused, Unreachable
from spotbeam.http.webhooks import ATTEMPTS, Receiver, opened, send, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Hearing(http.server.ThreadingHTTPServer):
    """A receiver that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Hearing

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hearing() -> Iterator[Hearing]:
    with Hearing() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return path


def items(count: int) -> list[Item]:
    return [
        Item(
            id=f"urn:spotbeam:{'ab' * 32}:entry:{number}",
            index=number,
            at_us=1_780_000_000_000_000 + number,
            kind="request",
            title=f"Request {number}",
            says="somebody asks.",
        )
        for number in range(count)
    ]


def test_each_item_arrives_signed_with_its_place_in_the_record(
    hearing: Hearing, secret: Path, tmp_path: Path
) -> None:
    assert deliver(items(3), hearing.url, secret, tmp_path / "cursor") == 3
    for number, (headers, body) in enumerate(hearing.calls):
        # The judge is the specification's own library, not what signed.
        told: Any = Webhook(SECRET).verify(body, headers)
        assert told["data"]["index"] == number
        assert told["type"] == "record.request"
    assert len({headers["webhook-id"] for headers, _ in hearing.calls}) == 3
    assert deliver(items(4), hearing.url, secret, tmp_path / "cursor") == 1


def test_the_specifications_own_vector() -> None:
    """The example of the Standard Webhooks specification, `Verifying webhooks manually`."""
    headers = signed_headers(
        opened(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', 1_614_265_330
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_moment_in_another_zone_is_not_relabelled() -> None:
    at_s = 1_614_265_330
    east = datetime.fromtimestamp(at_s, tz=timezone(timedelta(hours=8)))
    trap = Webhook(SECRET).sign("m", east, "x")
    sound = Webhook(SECRET).sign("m", datetime.fromtimestamp(at_s, tz=UTC), "x")
    assert trap != sound  # the library takes the clock's digits for UTC
    assert signed_headers(opened(SECRET), "m", "x", at_s)["webhook-signature"] == sound


def captured(hearing: Hearing, secret: Path, cursor: Path) -> tuple[dict[str, str], bytes]:
    deliver(items(1), hearing.url, secret, cursor)
    return hearing.calls[0]


def test_a_captured_call_that_is_sent_again_within_five_minutes(
    hearing: Hearing, secret: Path, tmp_path: Path
) -> None:
    headers, body = captured(hearing, secret, tmp_path / "cursor")
    receiver = Receiver(SECRET)
    receiver.check(body, headers)
    with pytest.raises(Refused, match="received already"):
        receiver.check(body, headers)
    # The control: the signature alone lets the replay in.
    Webhook(SECRET).verify(body, headers)
    Webhook(SECRET).verify(body, headers)


def test_what_was_seen_is_forgotten_once_its_time_stamp_would_fail() -> None:
    seen: dict[str, float] = {}
    receiver = Receiver(SECRET, seen)
    now = time.time()
    headers = signed_headers(opened(SECRET), "m1", "x", int(now))
    receiver.check(b"x", headers, now_s=now)
    receiver.check(b"x", signed_headers(opened(SECRET), "m2", "x", int(now)), now_s=now + 3_600)
    assert list(seen) == ["m2"]


@pytest.mark.parametrize("change", ["body", "id", "timestamp", "secret", "nothing signed"])
def test_a_call_that_was_changed_is_not_its_senders(change: str) -> None:
    now = int(time.time())
    headers, body = signed_headers(opened(SECRET), "m", "x", now), b"x"
    receiver = Receiver(SECRET)
    if change == "body":
        body = b"y"
    elif change == "id":
        headers["webhook-id"] = "n"
    elif change == "timestamp":
        headers["webhook-timestamp"] = str(now - 400)
    elif change == "secret":
        receiver = Receiver("whsec_" + "A" * 32)
    else:
        del headers["webhook-signature"]
    with pytest.raises(BadSignature):
        receiver.check(body, headers)


def test_a_receiver_that_is_busy_is_asked_again_later_and_later(hearing: Hearing) -> None:
    hearing.answers += [503, 429, 500]
    waits: list[float] = []
    send(opened(SECRET), hearing.url, "m", "x", sleep=waits.append)
    assert waits == [1.0, 2.0, 4.0]
    assert {headers["webhook-id"] for headers, _ in hearing.calls} == {"m"}


def test_one_that_is_not_there_is_given_up_and_what_it_took_is_remembered(
    hearing: Hearing, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotbeam.http.webhooks.time.sleep", lambda _: None)
    monkeypatch.setattr("spotbeam.http.webhooks._FIRST_WAIT_S", 0.0)
    hearing.answers += [204] + [503] * ATTEMPTS
    cursor = tmp_path / "cursor"
    with pytest.raises(Unreachable):
        deliver(items(3), hearing.url, secret, cursor)
    hearing.calls.clear()
    assert deliver(items(3), hearing.url, secret, cursor) == 2
    assert [json.loads(body)["data"]["index"] for _, body in hearing.calls] == [1, 2]


@pytest.mark.parametrize("status", [307, 400, 410])
def test_a_receiver_that_says_no_or_sends_elsewhere_is_not_pressed(
    hearing: Hearing, status: int
) -> None:
    hearing.answers += [status]
    with pytest.raises(Refused):
        send(opened(SECRET), hearing.url, "m", "x")
    assert len(hearing.calls) == 1


@pytest.mark.parametrize("torn", [0, 1, 7, 40])
def test_a_sender_killed_between_a_delivery_and_its_note_sends_it_again(
    hearing: Hearing, secret: Path, tmp_path: Path, torn: int
) -> None:
    """The note is cut at any byte, as after kill -9: nothing is lost, and repeats say so."""
    cursor = tmp_path / "cursor"
    deliver(items(3), hearing.url, secret, cursor)
    whole = cursor.read_bytes()
    cursor.write_bytes(whole[: len(whole) - torn])
    deliver(items(5), hearing.url, secret, cursor)
    heard = [json.loads(body)["data"]["index"] for _, body in hearing.calls]
    assert set(heard) == {0, 1, 2, 3, 4}
    ids = [headers["webhook-id"] for headers, _ in hearing.calls]
    assert set(ids) == {message_id(item) for item in items(5)}
    assert deliver(items(5), hearing.url, secret, cursor) == 0


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_QUJD", "secret", "whsec_!!!!", SECRET[6:]])
def test_what_is_no_secret(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no webhook secret"):
        opened(text)


def test_a_file_that_is_no_cursor_is_left_alone(
    hearing: Hearing, secret: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis").write_text("mine\n")
    with pytest.raises(InputError, match="no cursor"):
        deliver(items(1), hearing.url, secret, tmp_path / "thesis")
    assert (tmp_path / "thesis").read_text() == "mine\n"
    assert hearing.calls == []
