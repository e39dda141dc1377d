"""Requests as somebody gives them on a command line, checked before anything is signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import msgspec

from spotbeam.assembly.attachments import document_digest
from spotbeam.assembly.sending import checked, entry_file
from spotbeam.control.drafts import later_us, parse_draft
from spotbeam.errors import InputError, UnknownName, nearest
from spotbeam.governance.entries.asking import Request
from spotbeam.governance.entries.words import Ground, GroundKind
from spotbeam.times import parse_time


def request_body(
    *,
    view: str,
    verb: str,
    asker: str,
    channel: str,
    answer_by: str,
    where: tuple[str, ...],
    grounds: tuple[str, ...],
    on_behalf_of: str | None = None,
    draft: Path | None = None,
    letter: str | None = None,
    verified: str | None = None,
    contacts: tuple[str, ...] | None = None,
    spoken: str | None = None,
    issued_by: tuple[str, ...] = (),
    valid: tuple[str, ...] = (),
    arrival: str | None = None,
    now_us: int,
) -> Request:
    """A request from options.

    Args:
        view: Point of view on borders, whose ids `where` may name.
        verb, asker, channel, on_behalf_of, arrival: As in `Request`.
        answer_by: An instant, or a duration from now; from a minute on, one that ends on a
            whole second.
        where: Territories and cells; none means everywhere.
        grounds: `kind:id` or `kind:id:file`.
        draft: Whose rules' ground and grounds are added.
        letter: Digest of the letter.
        verified, contacts, spoken: As in `Request`.
        issued_by: Who issued a ground, as `order:x-1=harbour-authority`.
        valid: From when until when a ground holds, as `order:x-1=FROM/UNTIL`; either end may be
            left out.
        now_us: The clock.

    Raises:
        InputError: An option is wrong, with its name, value and fix.
    """
    stated = list(grounds_from(grounds))
    if draft is not None:
        rules = parse_draft(entry_file(draft), draft.name).rules
        if all(rule.where for rule in rules):
            where = tuple(dict.fromkeys((*where, *(n for rule in rules for n in rule.where))))
        known = {str(each) for each in stated}
        cited = dict.fromkeys(name for rule in rules for name in rule.grounds if name not in known)
        stated += grounds_from(tuple(cited))
    if not stated:
        raise InputError(
            "no ground is stated",
            place="--ground",
            hint="as --ground authorisation:ua-2022-02 or --ground order:x-1:letter.pdf",
        )
    stated = _holding(_issued(stated, issued_by), valid)
    demand_places(where, view, "--where")
    answer_by_us = later_us(answer_by, now_us, "--answer-by")
    if answer_by_us <= now_us:
        raise InputError(f"{answer_by!r} is past", place="--answer-by")
    found: Request = checked(
        Request,
        "--",
        verb=verb,
        where=where,
        asker=asker,
        on_behalf_of=on_behalf_of,
        channel=channel,
        grounds=tuple(stated),
        answer_by_us=answer_by_us,
        arrival=arrival,
        letter=letter,
        verified=verified,
        contacts=contacts,
        spoken=spoken,
    )
    return found


def grounds_from(texts: Sequence[str]) -> tuple[Ground, ...]:
    """Grounds as `kind:id` or `kind:id:file`; a file goes in by its digest.

    Raises:
        InputError: A kind is unknown, an id cannot be one, or a file cannot be read.
    """
    found = []
    for text in texts:
        kind, _, rest = text.partition(":")
        name, _, file = rest.partition(":")
        if kind not in get_args(GroundKind):
            near = nearest(kind, get_args(GroundKind))
            raise InputError(
                f"{text!r} does not begin with the kind of a ground",
                place="--ground",
                hint=f"did you mean {near}:{rest}?"
                if near
                else f"kind:id, with a kind of {', '.join(get_args(GroundKind))}",
            )
        digest = document_digest(Path(file), f"--ground {kind}:{name}") if file else None
        found.append(checked(Ground, "--ground ", kind=kind, id=name, digest=digest))
    return tuple(found)


def _issued(grounds: list[Ground], issued_by: Sequence[str]) -> list[Ground]:
    known = {str(ground): ground for ground in grounds}
    for text in issued_by:
        name, issuer = _told_of(known, text, "--issued-by", "order:x-1=harbour-authority")
        known[name] = msgspec.structs.replace(known[name], issuer=issuer)
    return list(known.values())


def _holding(grounds: list[Ground], valid: Sequence[str]) -> list[Ground]:
    known = {str(ground): ground for ground in grounds}
    form = "order:x-1=2026-01-01T00:00:00Z/2026-07-01T00:00:00Z"
    for text in valid:
        name, span = _told_of(known, text, "--valid", form)
        begins, slash, ends = span.partition("/")
        from_us, until_us = (
            parse_time(each, place="--valid") if each else None for each in (begins, ends)
        )
        stated = [each for each in (from_us, until_us) if each is not None]
        if not slash or not stated or (len(stated) == 2 and stated[0] >= stated[1]):
            raise InputError(f"{span!r} is no period", place="--valid", hint=f"as {form}")
        known[name] = msgspec.structs.replace(known[name], from_us=from_us, until_us=until_us)
    return list(known.values())


def _told_of(known: Mapping[str, Ground], text: str, place: str, form: str) -> tuple[str, str]:
    name, _, told = text.partition("=")
    if not told:
        raise InputError(f"{text!r} says nothing of a ground", place=place, hint=f"as {form}")
    if name not in known:
        raise UnknownName("ground of this request", name, sorted(known), place=place)
    return name, told


def demand_places(names: Sequence[str], view: str, place: str) -> None:
    """Stop at a name of ground that this point of view does not have.

    Raises:
        InputError: With the nearest one.
    """
    # Borders and cells load only where ground is named: listing requests needs none of it.
    from spotbeam.land import cells
    from spotbeam.land.territories import ground

    known = set(ground(view).ids()) if any(not n.startswith("h3:") for n in names) else set()
    for name in names:
        if name.startswith("h3:"):
            try:
                cells.cell_from_hex(name.removeprefix("h3:"))
            except (InputError, ValueError):
                raise InputError(
                    f"{name!r} is no H3 cell", place=place, hint="as h3:841e265ffffffff"
                ) from None
        elif name not in known and not name.startswith("x-"):
            raise UnknownName("territory", name, sorted(known), place=place)
