"""Claims as somebody gives them: by options, or a long one in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from spotbeam.assembly.attachments import document_digest
from spotbeam.assembly.sending import checked, entry_file
from spotbeam.control.drafts import read_toml
from spotbeam.decode import decode
from spotbeam.errors import InputError
from spotbeam.governance.entries.accounts import Claim, Said, Source

_ASPECTS = ("occurred", "number", "date", "subject", "effect", "channel", "who")


class ClaimTable(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, with the names that the options of `spotbeam claim record` have.

    Attributes:
        archive: File of an archived copy.
    """

    stance: Literal["asserts", "denies", "qualifies"]
    source: str
    published: str | int
    quote: str
    source_party: str | None = None
    attributed_to: str | None = None
    place: str | None = None
    archive: str | None = None
    names: tuple[str, ...] = ()
    occurred: Literal["yes", "no"] | None = None
    number: str | int | None = None
    date: str | int | None = None
    subject: str | None = None
    effect: str | None = None
    channel: str | None = None
    who: str | None = None
    alternative: str | None = None


def claim_body(about: str, given: Mapping[str, Any], file: Path | None = None) -> Claim:
    """A claim from options, a file, or both.

    Args:
        about: What it is about.
        given: Options by the names of `ClaimTable`; None: not given. One wins over the file.
        file: TOML, or JSON where it is named `.json`; `archive` in it is relative to it.

    Raises:
        InputError: The file cannot be read; a field is unknown, missing, or of another kind.
    """
    fields = {} if file is None else _table(file)
    fields |= {name: value for name, value in given.items() if value is not None}
    table = decode(fields, ClaimTable, place="claim" if file is None else str(file))
    says = [(aspect, getattr(table, aspect)) for aspect in _ASPECTS]
    found: Claim = checked(
        Claim,
        "--",
        about=about,
        stance=table.stance,
        source=claim_source(
            table.source,
            str(table.published),
            party=table.source_party,
            attributed_to=table.attributed_to,
            place=table.place,
            archive=table.archive,
        ),
        quote=table.quote,
        says=tuple(
            checked(Said, "--", aspect=aspect, value=str(value))
            for aspect, value in says
            if value is not None
        ),
        names=table.names,
        alternative=table.alternative,
    )
    return found


def claim_source(
    name: str,
    published: str,
    *,
    party: str | None = None,
    attributed_to: str | None = None,
    place: str | None = None,
    archive: str | None = None,
) -> Source:
    """Where words were published; an archived copy goes in by its digest.

    Raises:
        InputError: A field is not what the record can hold, or the copy cannot be read.
    """
    found: Source = checked(
        Source,
        "--",
        name=name,
        party=party,
        attributed_to=attributed_to,
        place=place,
        published=published,
        digest=None if archive is None else document_digest(Path(archive), "--archive"),
    )
    return found


def _table(file: Path) -> dict[str, Any]:
    text = entry_file(file)
    if file.suffix != ".json":
        fields: Any = read_toml(text, str(file))
    else:
        try:
            fields = json.loads(text)
        except ValueError as fault:
            raise InputError(f"not valid JSON: {fault}", place=str(file)) from None
    if not isinstance(fields, dict):
        raise InputError("is no table", place=str(file), hint='as {"stance": "asserts", …}')
    # A day of TOML is a date, not a text.
    found: dict[str, Any] = {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in fields.items()
    }
    if isinstance(archive := found.get("archive"), str):
        found["archive"] = str(file.parent / archive)
    return found
