"""`spotbeam seal` and `open`: rules that the public may not see yet, and when it does."""

from __future__ import annotations

from pathlib import Path

import msgspec

from spotbeam.assembly.attachments import read_openings, seal_file
from spotbeam.assembly.proposals import prepare_seal
from spotbeam.assembly.sending import at_desk, entry_file
from spotbeam.cli.deciding import propose_prepared
from spotbeam.cli.signing import Flag, Signer, say_recorded
from spotbeam.control.drafts import parse_draft
from spotbeam.control.sealing import opening
from spotbeam.errors import InputError, UnknownName
from spotbeam.governance.entries.deciding import Seal

_WRITES = Signer()


def seal(file: Path, /, *, request: str, yes: Flag = False, by: Signer = _WRITES) -> None:
    """Propose sealed rules: the record gets a commitment and public bounds, no more.

    Value and salt stay in private/openings/seals: give them to the edges that enforce the rules,
    and keep them until `spotbeam open`. Approve it with `spotbeam change approve`.

    Parameters
    ----------
    file
        TOML: [[rule]], [bounds] where, cells, verb, lasts; and open_by.
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    draft = parse_draft(entry_file(file), file.name)
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        prepared = prepare_seal(
            desk.state,
            draft,
            file.resolve().parent,
            request,
            id=desk.new_id("seal", by.id),
            now_us=desk.now_us,
            place=file.name,
        )
        propose_prepared(desk, prepared, by, yes=yes)


def open_seal(seal: str, /, *, file: Path | None = None, by: Signer = _WRITES) -> None:
    """Open a seal for everybody: its rules and their salt go into the record.

    Parameters
    ----------
    seal
        The seal.
    file
        Its opening; private/openings/seals/<seal>.json if left out.
    """
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        proposed = desk.state.changes.get(seal)
        if proposed is None or not isinstance(proposed.proposal, Seal):
            known = [
                name for name, each in desk.state.changes.items() if isinstance(each.proposal, Seal)
            ]
            raise UnknownName("seal", seal, sorted(known))
        path = seal_file(here.openings, seal) if file is None else file
        found = read_openings(here.openings, (), (seal,), {seal: path})
        if seal not in found.seals:
            raise InputError(
                "holds no opening of this seal",
                place=str(path),
                hint="name the file that whoever proposed it keeps, with --file",
            )
        value, salt = found.seals[seal]
        signing.title = f"Open the seal {seal} for everybody"
        signing.facts = (("value", ascii(value.decode(errors="replace"))[1:-1]),)
        data = opening(
            desk.state,
            seal,
            value,
            salt,
            signing.hand,
            id=desk.new_id("opn", by.id),
            now_us=desk.now_us,
        )
        recorded = desk.send(data, wait=by.wait)
    say_recorded(
        recorded,
        f"the seal {seal} is open for everybody",
        by,
        rules=len(msgspec.json.decode(value)),
    )
