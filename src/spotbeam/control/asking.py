"""Requests: asking, refusing with a stated ground, and taking back."""

from __future__ import annotations

from spotbeam.control.hand import Hand, written
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.asking import Refusal, Request, Withdrawal
from spotbeam.governance.entries.words import Ground
from spotbeam.governance.state import State


def request(state: State, body: Request, hand: Hand, *, id: str, now_us: int) -> bytes:
    """Register a request; a registrar signs for an asker without a key.

    Raises:
        Refused: The signer may not register it, or its answer time is past.
    """
    return written(state, body, hand, id=id, now_us=now_us)


def refusal(
    state: State,
    request: str,
    grounds: tuple[Ground, ...],
    quote: str,
    hand: Hand,
    *,
    id: str,
    now_us: int,
) -> bytes:
    """Refuse a request, on grounds that are stated and quoted.

    Raises:
        Refused: It has its answer, it lapsed, or the signer may not answer it.
    """
    body = Refusal(request=request, grounds=grounds, quote=quote)
    return written(state, body, hand, id=id, now_us=now_us)


def withdrawal(state: State, target: str, hand: Hand, *, id: str, now_us: int) -> bytes:
    """Take back a request, a proposal or an approval that the signer made.

    Raises:
        UnknownName: There is no such thing.
        Refused: It is not theirs, or it has had its effect.
    """
    known = sorted({*state.requests, *state.changes, *state.approvals})
    if target not in known:
        raise UnknownName("request, proposal or approval", target, known)
    return written(state, Withdrawal(target=target), hand, id=id, now_us=now_us)
