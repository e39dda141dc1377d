"""Requests: asking, refusing with a stated ground, and taking back."""

from __future__ import annotations

from spotbeam.control.hand import Hand, written
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.asking import Refusal, Request, Withdrawal
from spotbeam.governance.entries.words import Ground
from spotbeam.governance.state import State

_ORAL = ("telephone", "in-person")


def request(state: State, body: Request, hand: Hand, *, id: str, now_us: int) -> bytes:
    """Register a request; a registrar signs for an asker without a key.

    Raises:
        UnknownName: It was voiced in a contact that is not on record.
        InputError: Its signer speaks for somebody else, and does not say how that was verified;
            or it was spoken, and nobody noted what was said.
        Refused: The signer may not register it, or its answer time is past.
    """
    for name in body.contacts or ():
        if name not in state.contacts:
            raise UnknownName("contact", name, sorted(state.contacts), place="--contact")
    if body.verified is None and body.asker != hand.person:
        raise InputError(
            "who registers for somebody else says how that was verified",
            place="--verified",
            hint="call-back, signed-order, in-person, second-channel; or unverified: then nothing "
            "can be proposed for it until somebody else verifies it",
        )
    if body.channel in _ORAL and body.spoken is None and body.letter is None:
        raise InputError(
            f"what came by {body.channel} is on record in no words",
            place="--spoken",
            hint="note what was asked for, in the asker's words",
        )
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
