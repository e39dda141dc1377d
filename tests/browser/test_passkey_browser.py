"""Passkeys in a real browser with a virtual authenticator: made, used, and attacked.

Each attack stands beside a control in which the rule that stops it is taken out, and it succeeds.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec.structs import replace
from support.chromium import Chromium
from support.governance import World
from support.weakened import without

from spotbeam.control import approving
from spotbeam.control.passkeys import passkey_hand
from spotbeam.control.seating import possession
from spotbeam.control.wording import proposal_facts
from spotbeam.errors import InputError, Refused, SpotbeamError
from spotbeam.governance.apply import apply
from spotbeam.governance.entries import entry_bytes, statement, unsigned
from spotbeam.governance.entries.acts import AddKey
from spotbeam.governance.entries.people import PasskeyKey, PasskeyProof
from spotbeam.governance.entries.words import DAY_US, HOUR_US
from spotbeam.governance.proofs import check_proof, key_digest
from spotbeam.governance.void import Void
from spotbeam.http.passkey_page import Section, Shown, register, sign

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WAIT_S = 60.0


class Desk:
    """A browser with an authenticator, on the machine on which pages are served."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self.device: str | None = None

    def plug_in(self, **how: Any) -> None:
        """An authenticator; by default one that verifies its user and copies no keys."""
        if self.device is not None:
            self.browser.call("WebAuthn.removeVirtualAuthenticator", authenticatorId=self.device)
        options = {
            "protocol": "ctap2",
            "transport": "usb",
            "hasResidentKey": False,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            "defaultBackupEligibility": False,
            "defaultBackupState": False,
        } | how
        added = self.browser.call("WebAuthn.addVirtualAuthenticator", options=options)
        self.device = added["authenticatorId"]

    def verified(self, is_verified: bool) -> None:
        self.browser.call(
            "WebAuthn.setUserVerified", authenticatorId=self.device, isUserVerified=is_verified
        )

    def until(self, expression: str, what: str) -> Any:
        end = time.monotonic() + WAIT_S
        while not (value := self.browser.value(expression)):
            assert time.monotonic() < end, f"that never came: {what}: {self.words()}"
            time.sleep(0.02)
        return value

    def words(self) -> str:
        return str(self.browser.value("document.body.innerText"))

    def click(self, name: str) -> None:
        self.until(f"!document.getElementById('{name}').disabled", "the button can be pressed")
        self.browser.value(f"document.getElementById('{name}').click()")

    def answer(self, ask: Callable[[Callable[[str], object]], Any], click: str = "go") -> Any:
        """What comes back from a page that was opened and on which a button was pressed."""
        result: list[Any] = []
        opened = threading.Event()
        address: list[str] = []

        def announce(where: str) -> None:
            address.append(where)
            opened.set()

        def run() -> None:
            try:
                result.append(ask(announce))
            except SpotbeamError as fault:
                result.append(fault)
            opened.set()

        thread = threading.Thread(target=run)
        thread.start()
        assert opened.wait(WAIT_S)
        try:
            if address:
                self.browser.open(address[0], width=390)
                self.click(click)
                self.until(
                    "!/^(|Waiting.*)$/.test(document.getElementById('outcome').textContent)",
                    "an outcome",
                )
        finally:
            thread.join(WAIT_S)
        if isinstance(result[0], SpotbeamError):
            raise result[0]
        return result[0]

    def register(self, person: str = "cy", **how: Any) -> PasskeyKey:
        options = {"port": free_port(), "wait_s": 20.0} | how
        made: PasskeyKey = self.answer(lambda told: register(person, announce=told, **options))
        return made

    def sign(self, key: PasskeyKey, text: bytes, shown: Shown | None = None) -> PasskeyProof:
        page = shown or Shown(title="Sign")
        proof: PasskeyProof = self.answer(
            lambda told: sign(key, text, page, announce=told, wait_s=20.0)
        )
        return proof


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: CI must have it")
        pytest.skip("needs Chromium (as the package chromium of Debian)")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as found:
        found.call("WebAuthn.enable")
        yield found


@pytest.fixture(scope="module")
def one_desk(browser: Chromium) -> Desk:
    return Desk(browser)


@pytest.fixture
def desk(one_desk: Desk) -> Desk:
    one_desk.plug_in()
    return one_desk


# -- the honest path


def seated(world: World, key: PasskeyKey, desk: Desk) -> None:
    """Give cy the passkey, with proof of possession, and let 72 hours pass."""
    hand = passkey_hand("cy", key, desk.sign)
    mine = possession(world.origin, world.now.genesis, "k1", hand)
    body = world.change_body(AddKey(person="cy", key=key, possession=mine))
    world.say(body, "ada", "k1")
    world.approve("k1", "bo", "dee")
    world.anchor()
    assert world.status("k1") == "bound", world.codes()
    world.anchor(after_us=4 * DAY_US)


def test_from_a_new_passkey_to_a_change_that_binds(desk: Desk) -> None:
    world = World()
    key = desk.register()
    assert key_digest(key)
    seated(world, key, desk)
    name = world.change()
    world.approve(name, "bo")
    proposed = world.now.changes[name]
    impact = Section(title="Effect on cells and rules", text="1,204 cells gain service\n0 lose it")
    claim = Section(title="Terminals", text="17 <b>lose</b> service", is_claim=True)
    facts = proposal_facts(world.now, proposed)
    shown = Shown(title=f"Approve {name}", facts=facts, sections=(impact, claim))
    seen: list[dict[str, Any]] = []

    def ask(asked: PasskeyKey, text: bytes) -> PasskeyProof:
        proof = desk.sign(asked, text, shown)
        seen.append(
            {
                "text": desk.words(),
                "digest": desk.browser.value("document.getElementById('digest').textContent"),
                "width": desk.browser.value("document.documentElement.scrollWidth"),
                "asked": [each for each in desk.browser.requests if "localhost" not in each],
                "complaints": list(desk.browser.complaints),
                "statement": desk.browser.value("document.getElementById('statement').textContent"),
                "exact": text,
            }
        )
        return proof

    data = approving.approval(
        world.now,
        name,
        proposed.proposal.impact,
        passkey_hand("cy", key, ask),
        id="a1",
        expires_us=world.clock_us + 20 * HOUR_US,
        now_us=7,
    )
    world.add(data)
    world.anchor()
    assert world.status(name) == "bound", world.codes()
    page = seen[0]
    # What is approved, in plain words, with the impact as text, at the width of a telephone.
    for words in (f"Approve {name}", "new rule ua-authorised: grants service", "1,204 cells gain"):
        assert words in page["text"]
    assert "17 <b>lose</b> service" in page["text"], "foreign text is text"
    assert page["width"] <= 390
    assert page["asked"] == []
    assert page["complaints"] == []
    # The digest under the signature is that of the very text that the page shows.
    assert page["digest"] == sha256(page["exact"]).hexdigest()
    assert page["statement"] == page["exact"].decode()
    # Cut or turned over anywhere, the entry is void.
    for at in range(0, len(data), 97):
        bent = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert apply(world.now, bent).approvals == world.now.approvals


def test_nobody_signs_what_they_decline(desk: Desk) -> None:
    key = desk.register()
    with pytest.raises(SpotbeamError, match="declined on the page: nothing was signed"):
        desk.answer(
            lambda told: sign(key, b"{}", Shown(title="No"), announce=told, wait_s=20.0), "no"
        )


def test_a_page_that_nobody_answers_ends(desk: Desk) -> None:
    with pytest.raises(SpotbeamError, match="nobody answered"):
        register("cy", port=free_port(), wait_s=0.05, announce=lambda _: None)


def test_a_port_that_somebody_has_is_told_and_nothing_served(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"cannot listen.*\n.*one port only"):
            register("cy", port=taken.getsockname()[1], announce=lambda _: None)


# -- keys that could not count


@pytest.mark.parametrize(
    "how",
    [
        {"defaultBackupEligibility": True},
        {"defaultBackupEligibility": True, "defaultBackupState": True},
    ],
)
def test_a_key_that_can_be_copied_is_not_taken(desk: Desk, how: dict[str, bool]) -> None:
    desk.plug_in(**how)
    fault = registered_anyway(desk)
    assert "can be copied" in fault


def test_a_device_that_does_not_check_its_user_makes_no_key(desk: Desk) -> None:
    desk.verified(False)
    assert "Nothing was signed" in registered_anyway(desk)


def registered_anyway(desk: Desk) -> str:
    """What the page says; nothing may come back from it."""
    with pytest.raises(SpotbeamError, match="nobody answered"):
        desk.register(wait_s=4.0)
    return str(desk.browser.value("document.getElementById('outcome').textContent"))


# -- attacks


class Page:
    """Somebody else's page: a server that holds whatever it likes, on a name and port of its own.

    `ask` has the browser's passkey sign a challenge there; the user is shown `text`.
    """

    def __init__(self, text: str = "", port: int = 0, frame: str | None = None) -> None:
        inner = OBEYS if frame is None else FRAMES.replace("FRAME", frame)
        body = f"<!doctype html><title>x</title><p>{text}</p>{inner}".encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@contextlib.contextmanager
def served(*pages: Page) -> Iterator[None]:
    try:
        yield
    finally:
        for page in pages:
            page.close()


OBEYS = """<script>onmessage = async (told) => {
  parent.postMessage(await eval(told.data).catch((fault) => `${fault}`), "*");
}</script>"""
FRAMES = """<script>onmessage = (told) => { document.title = told.data; }</script>
<iframe allow="publickey-credentials-get *" src="FRAME"></iframe>"""
GET = """
(async () => {{
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const found = await navigator.credentials.get({{publicKey: {{
    challenge: bytes("{challenge}"), rpId: "localhost", userVerification: "{verify}",
    allowCredentials: [{{type: "public-key", id: bytes("{credential}")}}]}}}});
  return JSON.stringify({{client_data: text(found.response.clientDataJSON),
    authenticator_data: text(found.response.authenticatorData),
    signature: text(found.response.signature), credential: text(found.rawId)}});
}})()
"""


def script_for(key: PasskeyKey, text: bytes, verify: str = "required") -> str:
    challenge = base64.b64encode(sha256(text).digest()).decode()
    return GET.format(challenge=challenge, verify=verify, credential=key.credential)


def stolen(desk: Desk, key: PasskeyKey, text: bytes, *, verify: str = "required") -> PasskeyProof:
    """What the passkey signs for whatever page is open."""
    answer = desk.browser.call(
        "Runtime.evaluate",
        expression=script_for(key, text, verify),
        awaitPromise=True,
        returnByValue=True,
        userGesture=True,
    )
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return PasskeyProof(**json.loads(answer["result"]["value"]))


def stolen_in_frame(desk: Desk, key: PasskeyKey, text: bytes) -> PasskeyProof:
    """What the passkey signs for a frame in the page that is open."""
    script = json.dumps(script_for(key, text))
    desk.browser.value(f"document.querySelector('iframe').contentWindow.postMessage({script}, '*')")
    title = str(desk.until("document.title !== 'x' && document.title", "an answer of the frame"))
    return PasskeyProof(**json.loads(title))


def approval_by(
    world: World, name: str, key: PasskeyKey, proof_of: Callable[[bytes], PasskeyProof]
) -> bytes:
    """An approval of cy's, with whatever proof somebody got."""
    envelope = unsigned(world.approval(name), id="a9", actor="cy", key=key_digest(key))
    text = statement(world.origin, world.now.genesis, envelope)
    return entry_bytes(replace(envelope, proof=proof_of(text)))


def has_approved(world: World, data: bytes) -> bool:
    return "a9" in apply(world.now, data).approvals


def test_a_page_of_the_control_plane_that_shows_one_change_and_has_another_signed(
    desk: Desk,
) -> None:
    world = World()
    key = desk.register()
    seated(world, key, desk)
    harmless, harmful = world.change(), world.change()
    page = Page(text=f"Please approve {harmless}, a small correction")
    with served(page):
        desk.browser.open(f"http://localhost:{page.port}/", width=390)
        assert harmful not in desk.words()
        data = approval_by(world, harmful, key, lambda text: stolen(desk, key, text))
    assert not has_approved(world, data)
    # The control: where the origin is not looked at, the shown page was worth nothing.
    loose = replace(key, origins=(f"http://localhost:{page.port}",))
    weakened = world.now.seated.persons["cy"]
    held = weakened.keys[key_digest(key)]
    keys = weakened.keys.insert(key_digest(key), replace(held, key=loose))
    persons = world.now.seated.persons.insert("cy", replace(weakened, keys=keys))
    lax = replace(world.now, roster=replace(world.now.seated, persons=persons))
    assert "a9" in apply(lax, data).approvals


def test_what_our_page_signs_is_what_it_shows_and_nothing_else(desk: Desk) -> None:
    """Row 28 on our own page: a signature got for one statement is none for another."""
    world = World()
    key = desk.register()
    seated(world, key, desk)
    one, other = world.change(), world.change()
    proofs: list[PasskeyProof] = []

    def ask(text: bytes) -> PasskeyProof:
        proofs.append(desk.sign(key, text))
        return proofs[0]

    assert has_approved(world, approval_by(world, one, key, ask))
    assert not has_approved(world, approval_by(world, other, key, lambda _: proofs[0]))


def test_a_page_in_a_frame_of_a_stranger(desk: Desk) -> None:
    """Somebody has our port while no page of ours is open, and frames it in a page of theirs."""
    key = desk.register()
    port = int(key.origins[0].rsplit(":", 1)[1])
    framed = Page(port=port)
    around = Page(frame=f"http://localhost:{port}/")
    with served(framed, around):
        desk.browser.open(f"http://127.0.0.1:{around.port}/", width=390)
        proof = stolen_in_frame(desk, key, b"what is signed")
        client = base64.b64decode(proof.client_data)
        assert b'"crossOrigin":true' in client
        with pytest.raises(Void, match="another page"):
            check_proof(key, proof, b"what is signed")
        # The control: the same page, the same key, not in a frame.
        desk.browser.open(f"http://localhost:{port}/", width=390)
        check_proof(key, stolen(desk, key, b"what is signed"), b"what is signed")


def test_our_page_lets_nobody_frame_it(desk: Desk) -> None:
    key = desk.register()
    result: list[Any] = []
    opened: list[str] = []
    ready = threading.Event()

    def announce(address: str) -> None:
        opened.append(address)
        ready.set()

    def run() -> None:
        try:
            result.append(sign(key, b"{}", Shown(title="Sign"), announce=announce, wait_s=6.0))
        except SpotbeamError as fault:
            result.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(WAIT_S)
    around = Page(frame=opened[0])
    with served(around):
        desk.browser.open(f"http://127.0.0.1:{around.port}/", width=390)
        assert any("frame-ancestors" in each for each in desk.browser.complaints)
    thread.join(WAIT_S)
    assert isinstance(result[0], SpotbeamError)


def test_a_user_whom_the_device_did_not_check(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    key = desk.register()
    seated(world, key, desk)
    name = world.change()
    desk.verified(False)
    # Our page asks for it, so the device gives no answer at all.
    with pytest.raises(SpotbeamError, match="nobody answered"):
        desk.answer(lambda told: sign(key, b"{}", Shown(title="x"), announce=told, wait_s=4.0))
    assert "Nothing was signed" in desk.words()
    # A page that does not ask for it, on our own port: somebody found the device lying about.
    page = Page(port=int(key.origins[0].rsplit(":", 1)[1]))
    with served(page):
        desk.browser.open(f"http://localhost:{page.port}/", width=390)
        data = approval_by(
            world, name, key, lambda text: stolen(desk, key, text, verify="discouraged")
        )
    assert not has_approved(world, data)
    with monkeypatch.context() as patch:
        without("bad_passkey")(patch)
        assert has_approved(world, data), "the control: nothing else about it is wrong"


def test_the_browser_signs_as_the_specification_says(desk: Desk) -> None:
    """An oracle for `check_proof`: the signature verifies by hand over the browser's own bytes."""
    key = desk.register()
    proof = desk.sign(key, b"{}")
    data, client = base64.b64decode(proof.authenticator_data), base64.b64decode(proof.client_data)
    cose = base64.b64decode(key.cose)
    public = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256R1(), b"\x04" + cose[10:42] + cose[45:]
    )
    public.verify(
        base64.b64decode(proof.signature), data + sha256(client).digest(), ec.ECDSA(SHA256())
    )
    told = json.loads(client)
    challenge = base64.urlsafe_b64encode(sha256(b"{}").digest()).rstrip(b"=").decode()
    assert told["challenge"] == challenge
    assert told["origin"] == key.origins[0]
    assert told["type"] == "webauthn.get"
    with pytest.raises(Refused):
        passkey_hand("cy", key, lambda *_: proof).sign(b"[]")
