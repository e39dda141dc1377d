"""Current element sets from CelesTrak, asked for no more often than it wishes.

CelesTrak renews its data every two hours, serves it free of charge to everybody, and asks two
things of programs (its usage policy and "A New Way to Obtain GP Data", 2026): do not ask for
the same data again sooner, and stop at any answer but 200 until a person has read it. So a copy
is kept, its age decides whether anything is asked at all, and a refusal is remembered and
repeated from memory until the two hours are over.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import IO, Literal

import msgspec

from spotbeam.errors import FeedError, InputError, SpotbeamError
from spotbeam.sky.elements import parse_elements
from spotbeam.times import MICROSECONDS, format_time, parse_time

CELESTRAK_GP_URL = "https://celestrak.org/NORAD/elements/gp.php"
FAIR_USE_INTERVAL_S = 7200.0
LARGEST_BYTES = 64 * 1024 * 1024  # the whole catalogue (2026) is 15 MB of JSON
LONGEST_DOWNLOAD_S = 600.0
_CHUNK_BYTES = 65_536
_LONGEST_QUOTE = 300
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
# Their words when nothing is newer than what this network address has downloaded, and when that
# was: "GP data has not updated since your last successful download of GROUP=starlink at
# 2026-03-27 08:11:36 UTC. Data is updated once every 2 hours."
_NOT_UPDATED = re.compile(r"has\s+not\s+updated\s+since\s+your\s+last\s+successful", re.I)
_LAST_DOWNLOAD = re.compile(r"\bat\s+(\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d)\s+UTC", re.A)
_CLOCKS_DIFFER_US = 15 * 60 * MICROSECONDS


class Fetched(msgspec.Struct, frozen=True):
    """Where a group's element sets are, and how they came to be there.

    Attributes:
        path: The OMM JSON file in the cache.
        outcome: `fetched`: downloaded now. `cached`: the copy is young enough, nothing was
            asked. `not modified`: CelesTrak said that the copy is current.
        age_s: Seconds since CelesTrak last said that these are its current sets.
        satellites: Element sets in the file that can be used.
        skipped: Element sets in the file that cannot.
        address: What was asked.
    """

    path: Path
    outcome: Literal["fetched", "cached", "not modified"]
    age_s: float
    satellites: int
    skipped: int
    address: str


class _Refusal(msgspec.Struct, frozen=True):
    at_us: int
    status: int
    text: str


class _Notes(msgspec.Struct, frozen=True):
    """What is kept beside a copy: when it was current, and how to ask whether it still is."""

    address: str
    sha256: str = ""
    downloaded_at_us: int = 0
    current_at_us: int = 0
    satellites: int = 0
    skipped: int = 0
    etag: str = ""
    last_modified: str = ""
    refusal: _Refusal | None = None


class _Answer(msgspec.Struct, frozen=True):
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def fetch(
    group: str,
    *,
    cache_dir: Path,
    now_us: int,
    base_url: str = CELESTRAK_GP_URL,
    timeout_s: float = 30.0,
    max_age_s: float = FAIR_USE_INTERVAL_S,
) -> Fetched:
    """Get a group's current element sets (`starlink`, `oneweb`, `active`, …) as an OMM JSON file.

    Args:
        group: CelesTrak's name of the group.
        cache_dir: Folder of the copies; made if absent.
        now_us: The time now, microseconds since 1970.
        base_url: Address of `gp.php`.
        timeout_s: Longest silence of the server.
        max_age_s: A copy younger than this is good enough; less than two hours counts as two.

    Raises:
        FeedError: nothing usable was answered; the copy in the cache is as it was.
        InputError: no such name for a group, or no such address.
    """
    if not _GROUP.fullmatch(group):
        hint = "CelesTrak's names are letters, digits and hyphens, as starlink or last-30-days"
        raise InputError(f"{group!r} is not the name of a group", hint=hint)
    if not _is_web_address(base_url):
        raise InputError(f"{base_url!r} is not a web address", hint="it begins with https://")
    group = group.lower()
    query = urllib.parse.urlencode({"GROUP": group, "FORMAT": "json"})
    copy = _Copy(cache_dir, group, f"{base_url}?{query}")
    notes = copy.notes()
    oldest_s = max(max_age_s, FAIR_USE_INTERVAL_S)
    if notes.sha256 and 0 <= now_us - notes.current_at_us < oldest_s * MICROSECONDS:
        return copy.result(notes, "cached", now_us)
    refused = notes.refusal
    if refused and 0 <= now_us - refused.at_us < FAIR_USE_INTERVAL_S * MICROSECONDS:
        again = format_time(refused.at_us + int(FAIR_USE_INTERVAL_S * MICROSECONDS))
        raise copy.error(
            f"answered {refused.status} at {format_time(refused.at_us)}: {refused.text}",
            notes,
            now_us,
            f"it is not asked again before {again}, as CelesTrak's usage policy wants",
        )
    copy.make_folder()  # before asking, so that no download is wasted
    answer = _ask(copy, notes, timeout_s, now_us)
    if answer.status == 304 and notes.sha256:
        return copy.still_current(notes, now_us)
    if answer.status != 200:
        text = _quoted(answer.body) or http.client.responses.get(answer.status, "no text")
        if answer.status == 403 and _means_still_current(text, notes):
            return copy.still_current(notes, now_us)
        if 300 <= answer.status < 400:
            text = f"moved to {_quoted(str(answer.headers.get('Location', '')).encode())}"
        raise _refused(copy, answer.status, text, notes, now_us)
    return _take(copy, answer, notes, now_us)


def _refused(copy: _Copy, status: int, text: str, notes: _Notes, now_us: int) -> FeedError:
    """A refusal in the server's words, remembered so that it is not provoked again."""
    refusal = _Refusal(at_us=now_us, status=status, text=text)
    copy.keep_notes(msgspec.structs.replace(notes, refusal=refusal))
    hint = None
    if _NOT_UPDATED.search(text):
        hint = "this network address has downloaded the group already: use that file"
    return copy.error(f"answered {status}: {text}", notes, now_us, hint)


def _means_still_current(text: str, notes: _Notes) -> bool:
    """Whether "not updated since your last download" speaks of the copy that is here.

    Another program behind the same network address may have made that download, and the copy
    here be older.
    """
    last = _LAST_DOWNLOAD.search(text)
    if not (notes.sha256 and last and _NOT_UPDATED.search(text)):
        return False
    try:
        last_us = parse_time(f"{last[1]}T{last[2]}Z")
    except InputError:
        return False
    return last_us <= notes.downloaded_at_us + _CLOCKS_DIFFER_US


def _is_web_address(address: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


def _take(copy: _Copy, answer: _Answer, notes: _Notes, now_us: int) -> Fetched:
    """Check a downloaded body and put it in the place of the copy."""
    body = answer.body.strip()
    if not (body.startswith(b"[") and body.endswith(b"]")):
        if body.startswith(b"["):
            reason = f"sent {len(body):,} bytes of JSON that breaks off"
            raise copy.error(reason, notes, now_us, "try again")
        raise _refused(copy, answer.status, _quoted(body) or "no text", notes, now_us)
    try:
        _, report = parse_elements(answer.body, source=copy.path.name, format="omm-json")
    except SpotbeamError as error:
        raise copy.error(f"sent nothing usable: {error.message}", notes, now_us) from None
    fresh = _Notes(
        address=copy.address,
        sha256=hashlib.sha256(answer.body).hexdigest(),
        downloaded_at_us=now_us,
        current_at_us=now_us,
        satellites=report.kept,
        skipped=report.skipped,
        etag=answer.headers.get("ETag", ""),
        last_modified=answer.headers.get("Last-Modified", ""),
    )
    copy.replace(answer.body, fresh)
    return copy.result(fresh, "fetched", now_us)


class _Copy:
    """One group's file in the cache, and the notes beside it."""

    def __init__(self, folder: Path, group: str, address: str) -> None:
        self.folder = folder
        self.path = folder / f"{group}.omm.json"
        self.address = address
        self._notes_path = folder / f"{group}.notes.json"

    def notes(self) -> _Notes:
        """The notes, if they are of this address; without a digest if the copy is not as noted."""
        nothing = _Notes(address=self.address)
        try:
            notes = msgspec.json.decode(self._notes_path.read_bytes(), type=_Notes)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return nothing
        if notes.address != self.address:
            return nothing
        try:
            digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError:
            digest = ""
        if not digest or digest != notes.sha256:
            return msgspec.structs.replace(nothing, refusal=notes.refusal)
        return notes

    def replace(self, body: bytes, notes: _Notes) -> None:
        """Put a new body in the place of the old, then its notes; each at one stroke."""
        self._write(self.path, body)
        self.keep_notes(notes)

    def keep_notes(self, notes: _Notes) -> None:
        self._write(self._notes_path, msgspec.json.format(msgspec.json.encode(notes)))

    def still_current(self, notes: _Notes, now_us: int) -> Fetched:
        """The server vouched for the copy."""
        notes = msgspec.structs.replace(notes, current_at_us=now_us, refusal=None)
        self.keep_notes(notes)
        return self.result(notes, "not modified", now_us)

    def result(
        self, notes: _Notes, outcome: Literal["fetched", "cached", "not modified"], now_us: int
    ) -> Fetched:
        return Fetched(
            path=self.path,
            outcome=outcome,
            age_s=(now_us - notes.current_at_us) / MICROSECONDS,
            satellites=notes.satellites,
            skipped=notes.skipped,
            address=self.address,
        )

    def error(self, message: str, notes: _Notes, now_us: int, hint: str | None = None) -> FeedError:
        """A failure that says what is still there."""
        hints = [hint] if hint else []
        if notes.sha256:
            hours = (now_us - notes.current_at_us) / MICROSECONDS / 3600
            hints.append(f"the copy of {hours:.1f} h ago is kept: {self.path}")
        else:
            hints.append("a file of element sets from elsewhere does as well: --elements FILE")
        return FeedError(f"{self.address} {message}", hint="; ".join(hints))

    def make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from None
        if not os.access(self.folder, os.W_OK):
            raise _unwritable(self.folder, PermissionError(13, "Permission denied"))

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with open(part, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(part, path)
        except OSError as error:
            raise _unwritable(path, error) from None
        finally:
            part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> FeedError:
    hint = "choose another folder for the cache, or make this one writable"
    return FeedError(f"{path} cannot be written: {error.strerror}", hint=hint)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer to show, not one to follow: the address is wrong or not theirs."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        return None


def _ask(copy: _Copy, notes: _Notes, timeout_s: float, now_us: int) -> _Answer:
    headers = {
        "User-Agent": f"spotbeam/{version('spotbeam')}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
    }
    if notes.etag:
        headers["If-None-Match"] = notes.etag
    if notes.last_modified:
        headers["If-Modified-Since"] = notes.last_modified
    request = urllib.request.Request(copy.address, headers=headers)
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        try:
            response = opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as refused:
            response = refused
        with response:
            body = _body(response, copy, notes, now_us)
            return _Answer(status=response.status or 0, headers=response.headers, body=body)
    except TimeoutError:
        raise copy.error(f"was silent for {timeout_s:g} s", notes, now_us, "try again") from None
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, TimeoutError):
            reason = f"silent for {timeout_s:g} s"
        message = f"could not be asked: {_quoted(str(reason).encode())}"
        raise copy.error(message, notes, now_us, "is there a network?") from None


def _body(
    response: http.client.HTTPResponse | urllib.error.HTTPError,
    copy: _Copy,
    notes: _Notes,
    now_us: int,
) -> bytes:
    """The whole body, unpacked; shorter than announced, too large or too slow is an error."""
    started = time.monotonic()
    body = bytearray()
    while chunk := response.read1(_CHUNK_BYTES):  # what has come, not what is wished for
        body += chunk
        if len(body) > LARGEST_BYTES:
            raise copy.error(f"sent more than {LARGEST_BYTES // 2**20} MiB", notes, now_us)
        if time.monotonic() - started > LONGEST_DOWNLOAD_S:
            raise copy.error(f"took longer than {LONGEST_DOWNLOAD_S:g} s", notes, now_us)
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and len(body) != int(announced) and response.status == 200:
        message = f"broke off after {len(body):,} of {int(announced):,} bytes"
        raise copy.error(message, notes, now_us, "try again")
    if response.headers.get("Content-Encoding", "").lower() != "gzip":
        return bytes(body)
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(bytes(body), LARGEST_BYTES + 1)
    except zlib.error as error:
        raise copy.error(f"sent damaged gzip: {error}", notes, now_us, "try again") from None
    if len(unpacked) > LARGEST_BYTES or not unpacking.eof:
        what = "too much" if len(unpacked) > LARGEST_BYTES else "gzip that breaks off"
        raise copy.error(f"sent {what}", notes, now_us, "try again")
    return unpacked


def _quoted(body: bytes) -> str:
    """The server's own words on one line, nothing in them that moves a cursor."""
    text = " ".join(body[: 4 * _LONGEST_QUOTE].decode("utf-8", "replace").split())
    text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"
