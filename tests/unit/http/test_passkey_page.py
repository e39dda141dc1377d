"""The passkey page's server and its checks, without a browser: who is let in, and what is taken."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from spotbeam.control.passkeys import Registration, origin_at, registered
from spotbeam.errors import InputError, Refused, SpotbeamError
from spotbeam.governance.entries.people import PasskeyKey
from spotbeam.governance.proofs import check_proof
from spotbeam.http.passkey_page import Shown, port_of, sign

TEXT = b'{"what":"is signed"}'
PRIVATE = ec.derive_private_key(7, ec.SECP256R1())
_NUMBERS = PRIVATE.public_key().public_numbers()
COSE = bytes.fromhex("a5010203262001215820") + _NUMBERS.x.to_bytes(32) + bytes.fromhex("225820")
COSE += _NUMBERS.y.to_bytes(32)
CREDENTIAL = b"credential"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_at(port: int) -> PasskeyKey:
    return PasskeyKey(
        cose=b64(COSE), credential=b64(CREDENTIAL), rp_id="localhost", origins=(origin_at(port),)
    )


def client_data(kind: str, challenge: bytes, origin: str, cross: str = "false") -> bytes:
    text = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
    return (
        f'{{"type":"{kind}","challenge":"{text}","origin":"{origin}","crossOrigin":{cross}}}'
    ).encode()


def assertion(port: int, text: bytes = TEXT) -> dict[str, str]:
    client = client_data("webauthn.get", sha256(text).digest(), origin_at(port))
    data = sha256(b"localhost").digest() + b"\x05" + bytes(4)
    signature = PRIVATE.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
    return {
        "client_data": b64(client),
        "authenticator_data": b64(data),
        "signature": b64(signature),
        "credential": b64(CREDENTIAL),
    }


class Asked:
    """A page that waits for its answer, in a thread."""

    def __init__(self) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self.result: list[Any] = []
        ready = threading.Event()

        def run() -> None:
            shown = Shown(title="Approve c1", facts=(("change", "c1"),))
            try:
                found = sign(
                    key_at(self.port), TEXT, shown, wait_s=30.0, announce=lambda _: ready.set()
                )
                self.result.append(found)
            except SpotbeamError as fault:
                self.result.append(fault)
                ready.set()

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert ready.wait(30)
        self.number = json.loads(self.ask("GET", "/task")[2])["number"]

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        given = {"Host": f"localhost:{self.port}", "Origin": origin_at(self.port)} | {
            name.title(): value for name, value in headers.items()
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True)
        for name, value in given.items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        data = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        return answer.status, found, data

    def answer(self, **fields: object) -> tuple[int, bytes]:
        body = json.dumps({"number": self.number} | fields).encode()
        status, _, data = self.ask("POST", "/answer", body)
        return status, data


@pytest.fixture
def page() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    if asked.thread.is_alive():
        asked.answer(declined=True)
    asked.thread.join(30)


def test_an_answer_that_holds_ends_it(page: Asked) -> None:
    status, data = page.answer(**assertion(page.port))
    assert (status, json.loads(data)["done"]) == (200, True)
    page.thread.join(30)
    check_proof(key_at(page.port), page.result[0], TEXT)


def test_the_files_are_static_and_may_load_nothing_from_elsewhere(page: Asked) -> None:
    for path, kind in (
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/c"),
    ):
        status, headers, data = page.ask("GET", path)
        assert status == 200
        assert headers["content-type"].startswith(kind)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        for scheme in (b"http:", b"https:", b"//cdn", b"innerHTML"):
            assert scheme not in data, path


@pytest.mark.parametrize("path", ["/../passkey_page.py", "/passkey_page.py", "/%2e%2e/client.py"])
def test_nothing_else_is_served(page: Asked, path: str) -> None:
    assert page.ask("GET", path)[0] == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:1", "localhost", "evil.example:{port}"]
)
def test_under_another_name_there_is_nothing(page: Asked, host: str) -> None:
    for path in ("/", "/task"):
        assert page.ask("GET", path, host=host.format(port=page.port))[0] == 404
    body = json.dumps({"number": page.number, "declined": True}).encode()
    assert page.ask("POST", "/answer", body, host=host.format(port=page.port))[0] == 403
    assert page.thread.is_alive()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1"])
def test_another_page_cannot_answer_or_decline(page: Asked, origin: str) -> None:
    body = json.dumps({"number": page.number, "declined": True}).encode()
    assert page.ask("POST", "/answer", body, origin=origin)[0] == 403
    assert page.thread.is_alive()


def test_junk_and_old_pages_are_turned_away(page: Asked) -> None:
    for body, status in ((b"{}", 400), (b"\xff", 400), (b"[]", 400), (b" " * 70_000, 413)):
        assert page.ask("POST", "/answer", body)[0] == status
    body = json.dumps({"number": "another", "declined": True}).encode()
    assert page.ask("POST", "/answer", body)[0] == 409
    assert page.thread.is_alive()


@pytest.mark.parametrize("field", ["client_data", "authenticator_data", "signature", "credential"])
def test_an_answer_that_does_not_hold_leaves_the_question_open(page: Asked, field: str) -> None:
    good = assertion(page.port)
    for bad in ("", "AAAA", "not base64", b64(b"x" + base64.b64decode(good[field])[1:])):
        status, data = page.answer(**(good | {field: bad}))
        assert status == 422, (field, bad)
        assert json.loads(data)["done"] is False
    assert page.answer(**assertion(page.port, b"another text"))[0] == 422
    assert page.answer(**good)[0] == 200


def test_a_key_that_counts_from_nowhere_here_is_told() -> None:
    with pytest.raises(InputError, match="counts from no page"):
        port_of(
            PasskeyKey(
                cose=b64(COSE),
                credential=b64(CREDENTIAL),
                rp_id="localhost",
                origins=("http://localhost",),
            )
        )


CHALLENGE = bytes(range(32))
ORIGIN = origin_at(8471)


def answer(
    *,
    kind: str = "webauthn.create",
    challenge: bytes = CHALLENGE,
    origin: str = ORIGIN,
    cross: str = "false",
    rp_id: str = "localhost",
    flags: int = 0x45,
    cose: bytes = COSE,
    credential: bytes = CREDENTIAL,
    tail: bytes = b"",
) -> Registration:
    data = sha256(rp_id.encode()).digest() + bytes([flags]) + bytes(4)
    data += bytes(16) + len(CREDENTIAL).to_bytes(2, "big") + CREDENTIAL + cose + tail
    return Registration(
        client_data=b64(client_data(kind, challenge, origin, cross)),
        authenticator_data=b64(data),
        credential=b64(credential),
    )


def test_a_registration_gives_the_key_as_the_roster_holds_it() -> None:
    assert registered(answer(), CHALLENGE, ORIGIN) == key_at(8471)
    # Extensions may follow the key, where the flags say so.
    extended = answer(flags=0xC5, tail=b"\xa1\x63abc\x01")
    assert registered(extended, CHALLENGE, ORIGIN) == key_at(8471)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"kind": "webauthn.get"}, "another page"),
        ({"challenge": bytes(32)}, "another challenge"),
        ({"origin": "http://localhost:8472"}, "another page"),
        ({"origin": "https://control.example"}, "another page"),
        ({"cross": "true"}, "another page"),
        ({"rp_id": "control.example"}, "another relying party"),
        ({"flags": 0x41}, "did not check who used it"),
        ({"flags": 0x44}, "did not check who used it"),
        ({"flags": 0x4D}, "can be copied"),
        ({"flags": 0x5D}, "can be copied"),
        ({"flags": 0x05}, "no new key"),
        ({"credential": b"another"}, "no new key"),
        ({"cose": COSE[:-1]}, "neither ES256 nor Ed25519"),
        ({"cose": b"\xa6" + COSE[1:]}, "neither ES256 nor Ed25519"),
        ({"tail": b"\x00"}, "neither ES256 nor Ed25519"),
        ({"cose": COSE[:10] + bytes(32) + COSE[42:]}, "not a point"),
    ],
)
def test_a_registration_that_could_not_count_says_why(how: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match=told):
        registered(answer(**how), CHALLENGE, ORIGIN)


def test_a_registration_of_junk_is_refused() -> None:
    for field in ("client_data", "authenticator_data", "credential"):
        good = answer()
        values = {n: getattr(good, n) for n in good.__struct_fields__}
        for junk in ("", "AAAA", "?"):
            with pytest.raises(Refused):
                registered(Registration(**(values | {field: junk})), CHALLENGE, ORIGIN)
