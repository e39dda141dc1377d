"""A3 to A6: how requests came in, on which ground, and whether like ones were treated alike."""

from __future__ import annotations

from collections.abc import Iterator

from spotbeam.chronicle.reading import Chronicle
from spotbeam.chronicle.words import lasting, named, places_words
from spotbeam.governance.entries.accounts import Interest
from spotbeam.governance.ground import may_overlap
from spotbeam.governance.state import Asked
from spotbeam.times import format_time
from spotbeam.watch.alerts import Alert, raised
from spotbeam.watch.decisions import Decision, decisions
from spotbeam.watch.rules import Settings

_LAWFUL = frozenset({"licensor", "administrator", "claimant"})
_BY_OFFICE = frozenset({"authorisation", "sanction", "order"})


def find(chronicle: Chronicle, at_us: int, settings: Settings) -> Iterator[Alert]:
    """Every A3 to A6."""
    interests = [told.body for told in chronicle.of(Interest) if told.body.kind in _LAWFUL]
    for asked in chronicle.requests:
        if asked.since_us is None:
            continue
        yield from _unrecorded(chronicle, asked, asked.since_us, settings)
        yield from _groundless(chronicle, asked, asked.since_us, interests)
        by_us = asked.request.answer_by_us
        if by_us <= at_us and (asked.ended_us is None or asked.ended_us >= by_us):
            yield _late(asked)
    yield from _unlike(decisions(chronicle, at_us), settings)


def _unrecorded(
    chronicle: Chronicle, asked: Asked, since_us: int, settings: Settings
) -> Iterator[Alert]:
    request = asked.request
    if asked.signed_by == request.asker:
        return  # the asker's own signature is a record that nobody else can make
    is_verified = asked.id in chronicle.now.verified or request.verified not in (
        None,
        "unverified",
    )
    is_private = request.channel in settings.private_channels and not is_verified
    has_second = is_verified or request.letter or request.arrival or request.contacts
    if not is_private and has_second:
        return
    how = "a private channel, and nobody verified it" if is_private else "nothing else shows it"
    yield raised(
        "A3",
        (asked.id,),
        cause=asked.id,
        at_us=since_us,
        known_us=since_us,
        says=f"The request {asked.id} of {named(request.asker)} came by {request.channel}: {how}. "
        f"Only {asked.signed_by}, who registered it, vouches for it.",
        evidence=(asked.id,),
        where=request.where,
        named=(asked.signed_by,),
    )


def _groundless(
    chronicle: Chronicle, asked: Asked, since_us: int, interests: list[Interest]
) -> Iterator[Alert]:
    request = asked.request
    if request.asker in chronicle.now.seated.persons:
        return  # on our own initiative: who decides is on record as the requester
    kinds = {ground.kind for ground in request.grounds}
    missing = ""
    if kinds <= {"initiative"}:
        missing = "states no ground but its own wish"
    for ground in request.grounds:
        if (
            ground.kind in _BY_OFFICE
            and ground.issuer is not None
            and ground.issuer in chronicle.parties
            and not any(
                each.party == ground.issuer and may_overlap(each.where, request.where)
                for each in interests
            )
        ):
            missing = (
                f"cites {ground}, issued by {named(chronicle.name_of(ground.issuer))}, of whom no "
                f"interest in {places_words(request.where)} is on record"
            )
    if missing:
        yield raised(
            "A4",
            (asked.id,),
            cause=asked.id,
            at_us=since_us,
            known_us=since_us,
            says=f"The request {asked.id} of {named(request.asker)} {missing}.",
            evidence=(asked.id,),
            where=request.where,
        )


def _late(asked: Asked) -> Alert:
    request, since_us = asked.request, asked.since_us or 0
    waited = lasting(request.answer_by_us - since_us)
    return raised(
        "A6",
        (asked.id,),
        cause=asked.id,
        at_us=request.answer_by_us,
        known_us=request.answer_by_us,
        says=f"Nobody had answered the request {asked.id} of {named(request.asker)} to "
        f"{request.verb} in {places_words(request.where)} by {format_time(request.answer_by_us)}, "
        f"{waited} after it was on record.",
        evidence=(asked.id,),
        decisions=(asked.id,),
        where=request.where,
    )


def _unlike(made: tuple[Decision, ...], settings: Settings) -> Iterator[Alert]:
    """Each decision beside the earlier like ones: the last of another outcome, and the extremes."""
    latest: dict[tuple[str, ...], dict[str, Decision]] = {}
    fastest: dict[tuple[str, ...], Decision] = {}
    slowest: dict[tuple[str, ...], Decision] = {}
    for decision in made:
        request = decision.asked.request
        kinds = sorted({str(ground.kind) for ground in request.grounds})
        key = (request.verb, *kinds)
        of_it = latest.setdefault(key, {})
        least_us = settings.least_delay_us
        other = next((each for name, each in of_it.items() if name != decision.outcome), None)
        if other is None and key in fastest:
            quick, slow = fastest[key], slowest[key]
            took_us = max(decision.delay_us, least_us)
            if took_us > settings.unlike_factor * max(quick.delay_us, least_us):
                other = quick
            elif max(slow.delay_us, least_us) > settings.unlike_factor * took_us:
                other = slow
        if other is not None:
            yield _treated_unlike(other, decision, kinds)
        of_it.pop(decision.outcome, None)
        of_it[decision.outcome] = decision
        fastest[key] = min(fastest.get(key, decision), decision, key=lambda each: each.delay_us)
        slowest[key] = max(slowest.get(key, decision), decision, key=lambda each: each.delay_us)


def _treated_unlike(one: Decision, other: Decision, kinds: list[str]) -> Alert:
    verb = one.asked.request.verb
    return raised(
        "A5",
        (one.id, other.id),
        cause=":".join((verb, *kinds)),
        at_us=other.at_us,
        known_us=other.at_us,
        says=f"Two requests to {verb}, both on grounds of {' and '.join(kinds)}: "
        f"{_ended(one)}; {_ended(other)}.",
        evidence=(*one.evidence, *other.evidence),
        decisions=(one.id, other.id),
        where=tuple(sorted({*one.where, *other.where})),
    )


def _ended(decision: Decision) -> str:
    return (
        f"{decision.asked.id} over {places_words(decision.asked.request.where)} {decision.outcome} "
        f"after {lasting(decision.delay_us)}"
    )
