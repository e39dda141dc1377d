"""Ask servers over HTTP: sizes and times are bounded, and reads that failed are tried again.

Nothing that comes back is believed here: whoever asked checks every byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

import spotbeam
from spotbeam.errors import InputError, Unreachable
from spotbeam.record.tile_reader import Fetch

MAX_BODY = 20 * 2**20
"""Bytes read of one answer: an entry bundle has at most 16.8 million."""
CONNECT_S = 5.0
READ_S = 15.0
"""Without a byte for so long, the server counts as silent."""
ATTEMPTS = 3
_CHUNK = 2**16
_GONE = frozenset({404, 410})

_pool = urllib3.PoolManager(num_pools=64, maxsize=16, headers={"User-Agent": "spotbeam"})


class Response(NamedTuple):
    """What a server answered.

    Attributes:
        status: The HTTP status.
        headers: By name in lower case.
        body: Decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch_from(url: str, *, timeout_s: float = READ_S) -> Fetch:
    """Read a record that is published under a URL.

    Args:
        url: The log's prefix, `http` or `https`; a mirror's is `…/<origin hash>`.
        timeout_s: How long the server may be silent.

    Returns:
        A function from a path under the prefix to its bytes; None where there is nothing (404 or
        410). It raises `Unreachable` where the server did not say either way.

    Raises:
        InputError: It is not such a URL.
    """
    prefix = check_url(url)

    def fetch(path: str) -> bytes | None:
        answer = get(f"{prefix}/{quote(path)}", timeout_s=timeout_s)
        if answer.status in _GONE:
            return None
        if answer.status != 200:
            raise Unreachable(
                f"{prefix}/{path}", f"the server answered {answer.status}", status=answer.status
            )
        return answer.body

    return fetch


def get(
    url: str, headers: Mapping[str, str] | None = None, *, timeout_s: float = READ_S
) -> Response:
    """Read a URL; tried three times where the server cannot be reached or says that it is busy.

    Raises:
        Unreachable: No answer, or one that is longer than `MAX_BODY`.
    """
    retries = Retry(
        total=ATTEMPTS - 1,
        redirect=3,
        status_forcelist=(502, 503, 504),
        backoff_factor=0.1,
        backoff_max=1.0,
        respect_retry_after_header=False,
        raise_on_status=False,
    )
    return _ask("GET", url, None, headers or {}, retries, timeout_s)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    *,
    timeout_s: float = READ_S,
) -> Response:
    """Send bytes to a URL, once: whether to send them again is for the caller to know.

    Returns:
        Status, headers and body, whatever the status is.

    Raises:
        Unreachable: No answer: the server may or may not have done what it was asked.
    """
    given = {"Content-Type": "application/octet-stream", **(headers or {})}
    return _ask("POST", url, body, given, Retry(0, redirect=False), timeout_s)


def check_url(url: str) -> str:
    """A URL that may be asked, without slashes at its end.

    Raises:
        InputError: It is no `http` or `https` URL, or carries more than host, port and path.
    """
    try:
        parts = urlsplit(url)
        is_good = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and not (parts.query or parts.fragment or parts.username)
            and (parts.port is None or parts.port > 0)
            and url.isascii()
            and not any(char <= " " for char in url)
        )
    except ValueError:
        is_good = False
    if not is_good:
        raise InputError(
            f"not a URL that can be asked: {ascii(url)[:100]}",
            hint="for example https://log.example/black-sea",
        )
    return url.rstrip("/")


def _ask(
    method: str,
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    retries: Retry,
    timeout_s: float,
) -> Response:
    limits = Timeout(connect=min(CONNECT_S, timeout_s), read=timeout_s)
    wanted = {
        "Accept-Encoding": "gzip, identity",
        "User-Agent": f"spotbeam/{spotbeam.__version__}",
        **headers,
    }
    try:
        answer = _pool.request(
            method,
            url,
            body=body,
            headers=wanted,
            retries=retries,
            timeout=limits,
            preload_content=False,
        )
        try:
            data = b"".join(_bounded(answer, url))
        except BaseException:
            answer.close()
            raise
        finally:
            answer.release_conn()
    except HTTPError as fault:
        raise Unreachable(url, _why(fault)) from None
    return Response(
        answer.status, {name.lower(): value for name, value in answer.headers.items()}, data
    )


def _bounded(answer: urllib3.BaseHTTPResponse, url: str) -> list[bytes]:
    parts: list[bytes] = []
    size = 0
    while part := answer.read(_CHUNK, decode_content=True):
        size += len(part)
        if size > MAX_BODY:
            raise Unreachable(url, f"the answer is longer than {MAX_BODY:,} bytes")
        parts.append(part)
    return parts


def _why(fault: HTTPError) -> str:
    """A few words on why there was no answer; urllib3's own name objects in memory."""
    cause: BaseException = fault
    while True:
        inner = getattr(cause, "reason", None) or cause.__cause__
        if not isinstance(inner, BaseException):
            break
        cause = inner
    for kind, words in (
        (urllib3.exceptions.ConnectTimeoutError, "the server cannot be reached in time"),
        (urllib3.exceptions.ReadTimeoutError, "the server did not answer in time"),
        (TimeoutError, "the server did not answer in time"),
        (urllib3.exceptions.NewConnectionError, "no server answers there"),
        (ConnectionRefusedError, "no server answers there"),
        (urllib3.exceptions.SSLError, "the connection is not secure"),
        (urllib3.exceptions.ProtocolError, "the server broke off"),
        (urllib3.exceptions.DecodeError, "the answer is compressed wrongly"),
    ):
        if isinstance(cause, kind):
            return words
    return type(cause).__name__
