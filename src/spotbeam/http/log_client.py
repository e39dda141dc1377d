"""Hand entries to a log that another machine keeps: the `Recorder` over HTTP."""

from __future__ import annotations

from typing import Literal

import msgspec

from spotbeam.control.recording import Recorded
from spotbeam.errors import QuorumNotMet, Refused, Unreachable
from spotbeam.http.client import check_url, get, post

_WAIT_S = {"durable": 30.0, "anchored": 90.0}


class _Problem(msgspec.Struct):
    code: str
    detail: str


class LogClient:
    """A log's server as a place to hand entries to.

    Args:
        url: The server, as `spotbeam log` prints it.

    Raises:
        InputError: It is not a URL.
    """

    def __init__(self, url: str) -> None:
        self._url = check_url(url)

    def submit(self, entry: bytes, wait: Literal["durable", "anchored"] = "durable") -> Recorded:
        """Have an entry added to the log.

        An entry that is handed in twice is added once: where the answer was lost it is asked for
        again.

        Raises:
            Refused: The record would void it, or the log cannot go on.
            QuorumNotMet: It is on disk, but was not witnessed in time.
            Unreachable: No answer; the entry may have been added all the same.
        """
        url = f"{self._url}/entries?wait={wait}"
        try:
            answer = post(url, entry, timeout_s=_WAIT_S[wait])
        except Unreachable:
            answer = post(url, entry, timeout_s=_WAIT_S[wait])
        try:
            if answer.status == 201:
                return msgspec.json.decode(answer.body, type=Recorded)
            if answer.headers.get("content-type") == "application/problem+json":
                problem = msgspec.json.decode(answer.body, type=_Problem)
                if problem.code == QuorumNotMet.code:
                    raise QuorumNotMet(problem.detail)
                raise Refused(problem.code, problem.detail)
        except msgspec.DecodeError:
            pass
        raise Unreachable(
            url, f"the server answered {answer.status}, not as a log does", status=answer.status
        )

    def status(self) -> dict[str, object]:
        """What the log says of itself.

        Raises:
            Unreachable: No answer.
        """
        url = f"{self._url}/status"
        answer = get(url)
        try:
            if answer.status == 200:
                return msgspec.json.decode(answer.body, type=dict[str, object])
        except msgspec.DecodeError:
            pass
        raise Unreachable(
            url, f"the server answered {answer.status}, not as a log does", status=answer.status
        )
