"""`spotbeam emergency`: two people of two factors, 24 hours at most, and a review afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from spotbeam.assembly.proposals import prepare_change, prepare_emergency
from spotbeam.assembly.sending import at_desk, checked, entry_file
from spotbeam.cli.deciding import propose_prepared
from spotbeam.cli.signing import Flag, Signer
from spotbeam.control.drafts import Draft, ReviewTable, parse_draft
from spotbeam.errors import UnknownName

_WRITES = Signer()


def propose(file: Path, /, *, request: str, yes: Flag = False, by: Signer = _WRITES) -> None:
    """Propose an emergency action: rules on named ground, which revert by themselves.

    Approve it as any proposal, with `spotbeam change approve`. It is open only where the full
    quorum is larger than two people of two factors.

    Parameters
    ----------
    file
        TOML: [[rule]] or drop_rule, and lasts = "6h" (24h at most).
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    draft = parse_draft(entry_file(file), file.name, emergency=True)
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        prepared = prepare_emergency(
            desk.state,
            draft,
            file.resolve().parent,
            request,
            id=desk.new_id("emg", by.id),
            now_us=desk.now_us,
            place=file.name,
        )
        propose_prepared(desk, prepared, by, yes=yes)


def review(
    emergency: str,
    /,
    *,
    finding: Literal["upheld", "faulted"],
    words: str,
    request: str,
    yes: Flag = False,
    by: Signer = _WRITES,
) -> None:
    """Propose what a full quorum finds of an emergency action afterwards.

    Until then the next emergency in the same country needs the full quorum.

    Parameters
    ----------
    emergency
        The emergency action.
    finding
        upheld or faulted.
    words
        Why.
    request
        The request that it answers.
    yes
        Do not ask before signing.
    """
    told = checked(ReviewTable, "--", emergency=emergency, finding=finding, words=words)
    here, signing = by.here, by.signing()
    with at_desk(here, signing) as desk:
        if emergency not in desk.state.unreviewed:
            raise UnknownName("emergency to review", emergency, sorted(desk.state.unreviewed))
        prepared = prepare_change(
            desk.state,
            Draft(review=(told,)),
            Path.cwd(),
            request,
            id=desk.new_id("chg", by.id),
            now_us=desk.now_us,
            place="review",
        )
        propose_prepared(desk, prepared, by, yes=yes)
