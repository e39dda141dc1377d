"""Webhooks signed after Standard Webhooks: sent at least once, and told apart by their id.

The signature says who sent a call, and a time stamp that it is not old. A call that is sent again
within these five minutes still looks good: a receiver has to remember the ids that it has seen.
`Receiver` does.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime

from standardwebhooks import Webhook, WebhookVerificationError

from spotbeam.errors import BadSignature, InputError, Refused, Unreachable
from spotbeam.http.client import check_url, post

ATTEMPTS = 5
TOLERANCE_S = 300
"""Of the specification: how old or how far ahead a time stamp may be."""
_FIRST_WAIT_S = 1.0
_PREFIX = "whsec_"
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})


def opened(secret: str) -> Webhook:
    """A shared secret, ready to sign.

    Raises:
        InputError: It is no secret: `whsec_` and base64 of 24 bytes or more.
    """
    text = secret.strip()
    try:
        is_long = len(base64.b64decode(text.removeprefix(_PREFIX), validate=True)) >= 24
    except ValueError:
        is_long = False
    if not is_long or not text.startswith(_PREFIX):
        raise InputError(
            "is no webhook secret", hint="whsec_ and base64 of at least 24 random bytes"
        )
    return Webhook(text)


def signed_headers(hook: Webhook, message_id: str, body: str, at_s: int) -> dict[str, str]:
    """The headers of one call.

    Args:
        hook: The secret.
        message_id: The same for every attempt at the same message.
        body: What is sent.
        at_s: POSIX seconds.
    """
    # The library takes the clock's digits for UTC whatever the zone is: give it UTC.
    moment = datetime.fromtimestamp(at_s, tz=UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": hook.sign(message_id, moment, body),
    }


def send(
    hook: Webhook,
    url: str,
    message_id: str,
    body: str,
    *,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.time,
) -> None:
    """Deliver one message: tried again, later and later, while its receiver is not there.

    Raises:
        Unreachable: No attempt got through; nothing is known of whether one arrived.
        Refused: The receiver does not want it, and says so.
    """
    address = check_url(url)
    wait_s, why = _FIRST_WAIT_S, ""
    for attempt in range(ATTEMPTS):
        if attempt:
            sleep(wait_s)
            wait_s *= 2
        headers = signed_headers(hook, message_id, body, int(clock()))
        try:
            answer = post(address, body.encode(), headers)
        except Unreachable as fault:
            why = fault.message
            continue
        if 200 <= answer.status < 300:
            return
        why = f"the receiver answered {answer.status}"
        if answer.status not in _BUSY:
            raise Refused("webhook", f"{address}: {why}")
    raise Unreachable(address, f"{why}, {ATTEMPTS} times")


class Receiver:
    """What a receiver checks of a call: whose it is, that it is new, and that it is not a repeat.

    Args:
        secret: Shared with the sender, as `whsec_…`.
        seen: Ids with the time until which they are remembered; a shelf or a table where several
            processes receive. None: a dictionary of this process.
    """

    def __init__(self, secret: str, seen: MutableMapping[str, float] | None = None) -> None:
        self._hook = opened(secret)
        self._seen: MutableMapping[str, float] = {} if seen is None else seen

    def check(self, body: bytes, headers: Mapping[str, str], *, now_s: float | None = None) -> None:
        """Check a call; it counts as seen from then on.

        Raises:
            BadSignature: It is not signed with the secret, or its time stamp is too far off.
            Refused: The same message was seen already: it was sent again, or replayed.
        """
        now = time.time() if now_s is None else now_s
        try:
            self._hook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError, UnicodeDecodeError) as fault:
            raise BadSignature(f"the call is not its sender's: {fault}") from None
        for name in [name for name, until in self._seen.items() if until < now]:
            del self._seen[name]
        message_id = {name.lower(): value for name, value in headers.items()}["webhook-id"]
        if message_id in self._seen:
            raise Refused("repeated", f"the message {message_id} was received already")
        # As long as its time stamp could pass, and then some for two clocks that differ.
        self._seen[message_id] = now + 2 * TOLERANCE_S
