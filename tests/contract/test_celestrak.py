"""Fetching element sets, against a server on this machine that misbehaves in every known way.

The texts are CelesTrak's own, as its users have quoted them. Nothing here asks CelesTrak.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from spotbeam.errors import FeedError, InputError
from spotbeam.feeds import celestrak
from spotbeam.feeds.celestrak import CELESTRAK_GP_URL, Fetched, fetch
from spotbeam.formats.element_files import read_elements
from spotbeam.times import parse_time

NOW_US = parse_time("2026-06-14T08:00:00Z")
HOUR_US = 3_600_000_000
BODY = (Path(__file__).resolve().parents[1] / "data" / "elements" / "eight.json").read_bytes()
NEWER = BODY.replace(b"2026-06-13T", b"2026-06-14T")
NOT_UPDATED = (
    "GP data has not updated since your last successful\r\n"
    "download of GROUP=starlink at 2026-06-14 {} UTC.\r\n"
    "Data is updated once every 2 hours.\r\n"
)

Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes | str = b"", **headers: str) -> Answer:
    data = body.encode() if isinstance(body, str) else body

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        sent = {"Content-Length": str(len(data))} | {
            key.replace("_", "-"): value for key, value in headers.items()
        }
        for key, value in sent.items():
            if value:
                handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(data)

    return write


class Server(ThreadingHTTPServer):
    """Gives its answers in turn and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/NORAD/elements/gp.php"

    def handle_error(self, request: object, client_address: object) -> None:
        """The client hangs up on purpose in some tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.answers.pop(0)(self)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


class Client:
    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder

    def __call__(self, *answers: Answer, hours: float = 0.0, **options: object) -> Fetched:
        self.server.answers = list(answers)
        settings: dict[str, object] = {
            "cache_dir": self.folder,
            "base_url": self.server.address,
            "now_us": NOW_US + round(hours * HOUR_US),
            "timeout_s": 5.0,
        }
        group = options.pop("group", "starlink")
        found = fetch(group, **(settings | options))  # type: ignore[arg-type]
        assert self.server.answers == []
        return found

    def fails(self, *answers: Answer, **options: object) -> str:
        """The message of the failure, which must leave the copy as it was."""
        before = self.files()
        with pytest.raises(FeedError) as caught:
            self(*answers, **options)
        assert self.server.answers == []
        assert {name: data for name, data in self.files().items() if "notes" not in name} == {
            name: data for name, data in before.items() if "notes" not in name
        }
        assert not [name for name in self.files() if name.endswith(".part")]
        return str(caught.value)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("*")}

    @property
    def headers(self) -> dict[str, str]:
        return self.server.asked[-1][1]


@pytest.fixture
def client(server: Server, tmp_path: Path) -> Client:
    return Client(server, tmp_path / "cache")


@pytest.fixture
def stocked(client: Client) -> Client:
    """A client with a copy, downloaded at 08:00."""
    client(answer(200, BODY, ETag='"v1"', Last_Modified="Sun, 14 Jun 2026 07:10:00 GMT"))
    client.server.asked.clear()
    return client


def test_the_default_address_is_the_documented_one() -> None:
    assert CELESTRAK_GP_URL == "https://celestrak.org/NORAD/elements/gp.php"


def test_a_group_is_downloaded(client: Client) -> None:
    found = client(answer(200, BODY), group="Starlink")
    assert (found.outcome, found.age_s, found.satellites, found.skipped) == ("fetched", 0, 8, 0)
    assert found.path == client.folder / "starlink.omm.json"
    assert found.path.read_bytes() == BODY
    elements, _ = read_elements(found.path)
    assert len(elements) == 8
    ((path, headers),) = client.server.asked
    assert path == "/NORAD/elements/gp.php?GROUP=starlink&FORMAT=json"
    assert headers["User-Agent"].startswith("spotbeam/")
    assert "If-None-Match" not in headers
    assert "If-Modified-Since" not in headers


def test_nothing_is_asked_for_two_hours(stocked: Client) -> None:
    for hours in (0, 1, 1.999):
        found = stocked(hours=hours, max_age_s=0)
        assert found.outcome == "cached"
        assert found.age_s == pytest.approx(hours * 3600)
        assert found.satellites == 8
    assert stocked.server.asked == []


def test_an_older_copy_can_be_good_enough(stocked: Client) -> None:
    assert stocked(hours=23, max_age_s=86400).outcome == "cached"
    assert stocked(answer(304), hours=25, max_age_s=86400).outcome == "not modified"


def test_after_two_hours_it_asks_whether_the_copy_is_current(stocked: Client) -> None:
    found = stocked(answer(304), hours=2)
    assert (found.outcome, found.age_s, found.satellites) == ("not modified", 0, 8)
    assert stocked.headers["If-None-Match"] == '"v1"'
    assert stocked.headers["If-Modified-Since"] == "Sun, 14 Jun 2026 07:10:00 GMT"
    assert found.path.read_bytes() == BODY
    assert stocked(hours=3.9).outcome == "cached"
    assert stocked(answer(304), hours=4).outcome == "not modified"


def test_newer_data_replace_the_copy(stocked: Client) -> None:
    found = stocked(answer(200, NEWER), hours=2)
    assert found.outcome == "fetched"
    assert found.path.read_bytes() == NEWER
    stocked(answer(304), hours=4)
    assert "If-None-Match" not in stocked.headers  # the old tag is not of the new copy


def test_not_updated_since_our_download_means_the_copy_is_current(stocked: Client) -> None:
    found = stocked(answer(403, NOT_UPDATED.format("08:00:21")), hours=2.5)
    assert (found.outcome, found.age_s) == ("not modified", 0)
    assert stocked(hours=4).outcome == "cached"


def test_not_updated_since_another_programs_download_is_no_proof(stocked: Client) -> None:
    message = stocked.fails(answer(403, NOT_UPDATED.format("10:20:00")), hours=2.5)
    assert "GP data has not updated since your last successful download" in message
    assert "10:20:00 UTC" in message
    assert "the copy of 2.5 h ago is kept" in message


def test_not_updated_without_a_copy_is_quoted_and_not_provoked_again(client: Client) -> None:
    message = client.fails(answer(403, NOT_UPDATED.format("07:30:00")))
    assert "answered 403: GP data has not updated since your last successful download" in message
    assert "Data is updated once every 2 hours." in message
    asked = len(client.server.asked)
    again = client.fails(hours=1.9)
    assert len(client.server.asked) == asked
    assert "Data is updated once every 2 hours." in again
    assert "not asked again before 2026-06-14T10:00:00Z" in again
    assert client(answer(200, BODY), hours=2).outcome == "fetched"
    assert client(hours=3).outcome == "cached"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (403, "Your IP address has been blocked because of excessive downloads."),
        (404, "No GP data found"),
        (404, 'Invalid query: "GROUP=starlnk&FORMAT=json" (GROUP=starlnk not found)'),
        (500, "Internal Server Error"),
        (503, ""),
        (200, "No GP data found"),
        (200, "<html><head><title>Maintenance</title></head></html>"),
        (200, ""),
        (204, ""),
        (304, ""),
    ],
)
def test_any_other_answer_is_quoted_and_remembered(client: Client, status: int, text: str) -> None:
    message = client.fails(answer(status, text))
    assert f"answered {status}: " in message
    assert text in message
    assert client.server.address in message
    asked = len(client.server.asked)
    assert "not asked again before" in client.fails(hours=1)
    assert len(client.server.asked) == asked
    assert client(answer(200, BODY), hours=2).outcome == "fetched"


def test_a_refusal_keeps_the_copy_and_says_where_it_is(stocked: Client) -> None:
    message = stocked.fails(answer(404, "No GP data found"), hours=5)
    assert "No GP data found" in message
    assert f"the copy of 5.0 h ago is kept: {stocked.folder / 'starlink.omm.json'}" in message


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_shown_and_not_followed(client: Client, status: int) -> None:
    with Server() as elsewhere:
        where = f"{elsewhere.address}?GROUP=starlink"
        message = client.fails(answer(status, "Moved", Location=where))
        assert f"answered {status}: moved to {where}" in message
        assert elsewhere.asked == []


@pytest.mark.parametrize("kept", [0, 1, 100, 1500, len(BODY) - 1])
def test_a_body_shorter_than_announced_is_no_download(stocked: Client, kept: int) -> None:
    cut = answer(200, BODY[:kept], Content_Length=str(len(BODY)))
    message = stocked.fails(cut, hours=2)
    assert f"broke off after {kept:,} of 3,392 bytes" in message
    # nothing was refused, so trying again is allowed
    assert stocked(answer(200, NEWER), hours=2.01).outcome == "fetched"


@pytest.mark.parametrize("kept", [100, 1500, len(BODY) - 1])
def test_json_that_breaks_off_is_no_download(stocked: Client, kept: int) -> None:
    cut = answer(200, BODY[:kept], Content_Length="")
    message = stocked.fails(cut, hours=2)
    assert f"{kept:,} bytes of JSON that breaks off" in message
    assert stocked(answer(200, NEWER), hours=2.01).outcome == "fetched"


def test_a_chunked_body_that_breaks_off_is_no_download(stocked: Client) -> None:
    def broken(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n" % len(BODY) + BODY + b"\r\n400\r\n[")

    assert "could not be asked" in stocked.fails(broken, hours=2)


def test_one_bad_set_in_a_download_does_not_refuse_the_others(client: Client) -> None:
    found = client(answer(200, BODY.replace(b'"ECCENTRICITY":0.0001784', b'"ECCENTRICITY":1.5')))
    assert (found.outcome, found.satellites, found.skipped) == ("fetched", 7, 1)
    assert client(hours=1).skipped == 1


def test_sets_of_which_none_is_usable_are_no_download(stocked: Client) -> None:
    message = stocked.fails(answer(200, json.dumps([{"NORAD_CAT_ID": 5}])), hours=2)
    assert "EPOCH: missing" in message


def test_packed_bodies(client: Client) -> None:
    packed = gzip.compress(BODY)
    found = client(answer(200, packed, Content_Encoding="gzip"))
    assert client.headers["Accept-Encoding"] == "gzip"
    assert found.path.read_bytes() == BODY


def test_packed_bodies_that_are_broken_or_bombs(
    stocked: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(NEWER)
    for data in (packed[:-20], packed[:-1], b"\x1f\x8bnonsense", b"x"):
        assert "gzip" in stocked.fails(answer(200, data, Content_Encoding="gzip"), hours=2)
    monkeypatch.setattr(celestrak, "LARGEST_BYTES", 2**20)
    bomb = gzip.compress(b"[" + b" " * 2**25 + b"]")
    assert "too much" in stocked.fails(answer(200, bomb, Content_Encoding="gzip"), hours=2)


def test_a_body_without_end_is_cut_off(stocked: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celestrak, "LARGEST_BYTES", 2**20)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 65_536)

    assert "more than 1 MiB" in stocked.fails(endless, hours=2)


def test_a_silent_server_is_given_up(stocked: Client) -> None:
    release = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        release.wait(10)

    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(BODY[:100])
        handler.wfile.flush()
        release.wait(10)

    for slow in (silent, half):
        message = stocked.fails(slow, hours=2, timeout_s=0.2)
        assert "silent for 0.2 s" in message
        assert "the copy of 2.0 h ago is kept" in message
    release.set()
    assert stocked(answer(304), hours=2.01).outcome == "not modified"


def test_a_server_that_drips_is_given_up(stocked: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celestrak, "LONGEST_DOWNLOAD_S", 0.3)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for at in range(500):
            handler.wfile.write(BODY[at : at + 1])
            time.sleep(0.02)

    assert "took longer than 0.3 s" in stocked.fails(drip, hours=2, timeout_s=5.0)


def test_no_server_and_no_http(stocked: Client) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}/gp.php"
    assert "could not be asked" in stocked.fails(hours=2, base_url=nobody)

    def noise(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x00\xff garbage\r\n\r\n")

    assert "could not be asked" in stocked.fails(noise, hours=2)


@pytest.mark.parametrize("group", ["", "../starlink", "a b", "x" * 65, "a&FORMAT=tle", "-x", "ä"])
def test_what_is_no_group_is_not_asked_for(client: Client, group: str) -> None:
    with pytest.raises(InputError, match="not the name of a group"):
        client(group=group)
    assert client.server.asked == []
    assert not client.folder.exists()


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h/x", "gp.php", "http://", "http://["]
)
def test_what_is_no_web_address_is_not_asked(client: Client, url: str) -> None:
    with pytest.raises(InputError, match="not a web address"):
        client(base_url=url)


def test_a_damaged_cache_is_downloaded_anew(stocked: Client) -> None:
    copy = stocked.folder / "starlink.omm.json"
    notes = stocked.folder / "starlink.notes.json"
    good = notes.read_bytes()
    for damage in (
        lambda: copy.write_bytes(BODY[:-5]),
        copy.unlink,
        lambda: notes.write_bytes(b"\xff{"),
        notes.unlink,
        lambda: notes.write_bytes(good.replace(b"127.0.0.1", b"127.0.0.2")),
        lambda: notes.write_bytes(good.replace(b'"sha256"', b'"sha255"')),
    ):
        damage()
        found = stocked(answer(200, BODY), hours=0.5)
        assert found.outcome == "fetched"
        assert "If-None-Match" not in stocked.headers
        assert copy.read_bytes() == BODY


def test_a_clock_that_was_set_back_does_not_keep_a_copy_for_ever(stocked: Client) -> None:
    assert stocked(answer(304), hours=-100).outcome == "not modified"


def test_groups_have_their_own_copies(stocked: Client) -> None:
    assert stocked(answer(200, NEWER), group="oneweb").path.name == "oneweb.omm.json"
    assert stocked(hours=1).path.read_bytes() == BODY


def test_words_of_the_server_move_no_cursor(client: Client) -> None:
    message = client.fails(answer(403, "\x1b[2J\x07blocked\r\nfor " + "x" * 5000))
    assert "blocked for xxx" in message
    assert all(line.isprintable() for line in message.split("\n"))
    assert len(message) < 1000


def test_a_cache_that_cannot_be_written_is_named(client: Client) -> None:
    client.folder.write_text("a file in its place")
    with pytest.raises(FeedError, match="cannot be written"):
        client()
    assert client.server.asked == []  # a download that cannot be kept is not asked for
    client.folder.unlink()
    (client.folder / "starlink.omm.json").mkdir(parents=True)
    with pytest.raises(FeedError, match="cannot be written"):
        client(answer(200, BODY))
    assert [path.name for path in client.folder.iterdir()] == ["starlink.omm.json"]
