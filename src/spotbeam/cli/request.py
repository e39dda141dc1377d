"""`spotbeam request`: what was asked for, by whom, on which grounds, and how it ended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts

from spotbeam.assembly.attachments import document_digest
from spotbeam.assembly.requests import grounds_from, request_body
from spotbeam.assembly.sending import at_desk, checked
from spotbeam.chronicle.words import lasting
from spotbeam.cli.output import console, print_json, table
from spotbeam.cli.signing import Place, Signer, say_recorded, show_facts
from spotbeam.cli.telling import put
from spotbeam.control import asking
from spotbeam.control.standing import standing, word_of
from spotbeam.control.wording import asking_facts, places, plain, request_facts
from spotbeam.errors import UnknownName
from spotbeam.governance.entries.accounts import Check, Verification
from spotbeam.governance.entries.asking import Refusal
from spotbeam.governance.state import Asked, State
from spotbeam.times import format_time

Verb = Literal["activate", "deactivate", "restrict", "extend", "withhold"]
Texts = Annotated[list[str], cyclopts.Parameter(negative=())]
_HERE, _WRITES = Place(), Signer()


def new(
    *,
    verb: Verb,
    asker: str,
    channel: str,
    answer_by: str,
    where: Texts | None = None,
    ground: Texts | None = None,
    on_behalf_of: str | None = None,
    draft: Path | None = None,
    letter: Path | None = None,
    arrival: str | None = None,
    verified: Literal["call-back", "signed-order", "in-person", "second-channel", "unverified"]
    | None = None,
    contact: Texts | None = None,
    spoken: str | None = None,
    issued_by: Texts | None = None,
    valid: Texts | None = None,
    by: Signer = _WRITES,
) -> None:
    """Register a request, signed by the asker or by a registrar.

    Parameters
    ----------
    verb
        What is asked for; `withhold` asks that nothing be done.
    asker
        Who asks: a name, or a rostered id.
    channel
        How it came, as letter, portal, telephone, in-person.
    answer_by
        When it lapses if nobody has answered: a duration, as 30d, or an instant.
    where
        A territory or cell, as UA, UA-43/sea, h3:841e265ffffffff; give it again for more. None:
        everywhere.
    ground
        Why, as kind:id or kind:id:file; the file goes in by its digest. Kinds: authorisation,
        sanction, order, contract, safety, initiative.
    on_behalf_of
        For whom, where the asker speaks for another.
    draft
        Take --where and --ground from the rules of a draft.
    letter
        The request as it came; it goes in by its digest.
    arrival
        The entry that recorded its arrival.
    verified
        How you made sure that it comes from its asker; needed where that is not you. Nothing can
        be proposed for one that is unverified, until somebody else verifies it.
    contact
        A contact in which it was voiced; give it again for more.
    spoken
        What was asked for, as you noted it; needed by telephone or in person without a --letter.
    issued_by
        Who issued a ground, as order:x-1=harbour-authority; give it again for more.
    valid
        From when until when a ground holds, as order:x-1=2026-01-01T00:00:00Z/; again for more.
    """
    here, signing = by.here, by.signing()
    now_us = time.time_ns() // 1000
    body = request_body(
        view=here.settings.view,
        verb=verb,
        asker=asker,
        channel=channel,
        answer_by=answer_by,
        where=tuple(where or ()),
        grounds=tuple(ground or ()),
        on_behalf_of=on_behalf_of,
        draft=draft,
        letter=None if letter is None else document_digest(letter, "--letter"),
        arrival=arrival,
        verified=verified,
        contacts=None if contact is None else tuple(contact),
        spoken=spoken,
        issued_by=tuple(issued_by or ()),
        valid=tuple(valid or ()),
        now_us=now_us,
    )
    with at_desk(here, signing) as desk:
        name = desk.new_id("req", by.id)
        signing.title = f"Register a request to {verb}"
        signing.facts = asking_facts(body, signing.hand.person)
        data = asking.request(desk.state, body, signing.hand, id=name, now_us=desk.now_us)
        recorded = desk.send(data, wait=by.wait)
    say_recorded(
        recorded,
        f"request to {verb} in {places(body.where)}, to be answered by "
        f"{format_time(body.answer_by_us)}",
        by,
        next_steps=(
            f"spotbeam request verify {name} --how … (by somebody else: nothing can be proposed "
            "for it before)"
            if verified == "unverified"
            else f"spotbeam change propose FILE.toml --request {name}",
            f"spotbeam request refuse {name} --ground … --quote …",
        ),
    )


def verify(
    request: str,
    /,
    *,
    how: Check,
    words: str | None = None,
    by: Signer = _WRITES,
) -> None:
    """Sign that you made sure a request comes from its asker; not for one that you registered.

    Parameters
    ----------
    request
        The request.
    how
        By calling back, a signed order, in person, or through a second channel.
    words
        What you did.
    """
    body = checked(Verification, "--", request=request, how=how, words=words)
    what = f"{request} is verified: {how.replace('-', ' ')}"
    put(by, body, prefix="ver", title=f"Verify the request {request}", what=what)


def refuse(
    request: str,
    /,
    *,
    quote: str,
    ground: Texts,
    by: Signer = _WRITES,
) -> None:
    """Refuse a request, on stated grounds that are quoted; service stays as it is.

    Parameters
    ----------
    request
        The request.
    quote
        What the ground says, in its own words.
    ground
        Why, as kind:id or kind:id:file.
    """
    here, signing = by.here, by.signing()
    grounds = grounds_from(ground)
    body = checked(Refusal, "--", request=request, grounds=grounds, quote=quote)
    with at_desk(here, signing) as desk:
        _asked(desk.state, request)
        name = desk.new_id("ref", by.id)
        signing.title = f"Refuse the request {request}"
        signing.facts = (*request_facts(desk.state.requests[request]), ("quoted", plain(quote)))
        data = asking.refusal(
            desk.state,
            request,
            body.grounds,
            body.quote,
            signing.hand,
            id=name,
            now_us=desk.now_us,
        )
        recorded = desk.send(data, wait=by.wait)
    say_recorded(recorded, f"the request {request} is refused", by)


def withdraw(request: str, /, *, by: Signer = _WRITES) -> None:
    """Take back a request that you signed.

    Parameters
    ----------
    request
        The request.
    """
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        _asked(desk.state, request)
        name = desk.new_id("wdr", by.id)
        signing.title = f"Take back the request {request}"
        signing.facts = request_facts(desk.state.requests[request])
        data = asking.withdrawal(desk.state, request, signing.hand, id=name, now_us=desk.now_us)
        recorded = desk.send(data, wait=by.wait)
    say_recorded(recorded, f"the request {request} is withdrawn", by)


def show(request: str, /, *, at: Place = _HERE) -> None:
    """Say who asked for what, on which grounds, and how it stands.

    Parameters
    ----------
    request
        The request.
    """
    state = at.followed().now
    asked = _asked(state, request)
    if at.json:
        print_json(_facts(state, asked))
        return
    facts = [*request_facts(asked), ("stands", word_of(asked, state.witnessed_us))]
    if asked.has_lapsed(state.witnessed_us):
        waited = asked.request.answer_by_us - (asked.since_us or asked.request.answer_by_us)
        facts.append(("lapsed", f"nobody answered it within {lasting(waited)}"))
    if request in state.verified:
        facts.append(("verified", f"by {state.verified[request]}"))
    if asked.ended_by is not None:
        facts.append(("ended by", asked.ended_by))
    answers = [name for name in sorted(state.changes) if _is_for(state, name, request)]
    facts += [("proposal", f"{name}: {standing(state, name).word}") for name in answers]
    show_facts(facts)


def show_all(
    *, all: Annotated[bool, cyclopts.Parameter(negative="")] = False, at: Place = _HERE
) -> None:
    """List requests: the open ones, or all.

    Parameters
    ----------
    all
        Those that have ended too.
    """
    state = at.followed().now
    found = sorted(state.requests.values(), key=lambda asked: asked.index)
    kept = [a for a in found if all or word_of(a, state.witnessed_us) == "open"]
    if at.json:
        print_json([_facts(state, asked) for asked in kept])
        return
    rows = [
        [
            asked.id,
            word_of(asked, state.witnessed_us),
            asked.request.verb,
            places(asked.request.where),
            plain(asked.request.asker),
            format_time(asked.request.answer_by_us),
        ]
        for asked in kept
    ]
    title = "Requests" if all else "Open requests"
    columns = ["request", "stands", "verb", "where", "asked by", "answer by"]
    console().print(table(title, columns, rows) if rows else f"{title}: none.")


def _asked(state: State, name: str) -> Asked:
    if name not in state.requests:
        raise UnknownName("request", name, sorted(state.requests))
    return state.requests[name]


def _is_for(state: State, change: str, request: str) -> bool:
    return state.changes[change].proposal.request == request


def _facts(state: State, asked: Asked) -> dict[str, Any]:
    body = asked.request
    return {
        "id": asked.id,
        "stands": word_of(asked, state.witnessed_us),
        "verb": body.verb,
        "where": body.where,
        "asker": body.asker,
        "on_behalf_of": body.on_behalf_of,
        "channel": body.channel,
        "grounds": [str(ground) for ground in body.grounds],
        "answer_by": format_time(body.answer_by_us),
        "verified": state.verified.get(asked.id, body.verified),
        "contacts": body.contacts or (),
        "spoken": body.spoken,
        "signed_by": asked.signed_by,
        "index": asked.index,
        "since": None if asked.since_us is None else format_time(asked.since_us),
        "ended_by": asked.ended_by,
        "ended": None if asked.ended_us is None else format_time(asked.ended_us),
        "proposals": [name for name in sorted(state.changes) if _is_for(state, name, asked.id)],
    }
