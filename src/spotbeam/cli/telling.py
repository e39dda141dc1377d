"""What every command does that puts a telling on record."""

from __future__ import annotations

from collections.abc import Sequence

from spotbeam.assembly.requests import demand_places
from spotbeam.assembly.telling import tell
from spotbeam.cli.output import progress
from spotbeam.cli.signing import Signer, say_recorded
from spotbeam.governance.entries.accounts import Contact
from spotbeam.governance.entries.envelope import Account
from spotbeam.times import parse_time


def put(
    by: Signer,
    body: Account | Contact,
    *,
    prefix: str,
    title: str,
    what: str,
    next_steps: Sequence[str] = (),
) -> None:
    """Have a telling signed and recorded, and say where it is.

    Args:
        by: Who signs.
        body: What they tell.
        prefix: Of a new id.
        title: What is signed.
        what: What is on record then.
        next_steps: Commands to go on with; `{id}` stands for the new entry.
    """
    here = by.here
    with progress("Following the record", quiet=by.json) as told:
        recorded = tell(
            here,
            by.signing(),
            body,
            prefix=prefix,
            title=title,
            id=by.id,
            wait=by.wait,
            progress=told,
        )
    steps = [step.replace("{id}", recorded.id) for step in next_steps]
    say_recorded(recorded, what, by, next_steps=steps)


def ground(by: Signer, where: Sequence[str] | None) -> tuple[str, ...]:
    """Ground as options name it, if there is such ground under the workspace's point of view."""
    names = tuple(where or ())
    demand_places(names, by.here.settings.view, "--where")
    return names


def instant(text: str, place: str) -> int:
    """An instant as an option gives it."""
    return parse_time(text, place=place)
