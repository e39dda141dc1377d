"""From verdict and physics to the words that people read.

Service state keeps causes apart: what was decided (`denied`, `limited`) and what the sky could not
give (`no_satellite`, `no_beam`, `no_route`). A disablement is never shown as an outage, nor the
reverse.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spotbeam.service.policy import Policy
from spotbeam.service.position import Ids
from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import REASONS, Outcome, OutcomeWord

if TYPE_CHECKING:
    from spotbeam.service.compiled import CompiledPolicy, VerdictColumns


class ServiceState(StrEnum):
    """What a terminal has at one moment, from the better to the worse."""

    SERVED = "served"
    LIMITED = "limited"
    NO_BEAM = "no_beam"
    NO_SATELLITE = "no_satellite"
    NO_ROUTE = "no_route"
    DENIED = "denied"


# A cell's public words, from the better to the worse; ties over a run go to the worse.
PUBLIC_WORDS = (
    "available",
    "at_capacity",
    "out_of_view",
    "awaiting_approval",
    "not_offered",
    "withheld",
    "blocked_by_order",
)

_WORD_OF_STATE = {
    ServiceState.SERVED: "available",
    ServiceState.LIMITED: "available",
    ServiceState.NO_BEAM: "at_capacity",
    ServiceState.NO_SATELLITE: "out_of_view",
    ServiceState.NO_ROUTE: "out_of_view",
}
_WORD_OF_REASON = {
    "PENDING_AUTHORISATION": "awaiting_approval",
    "BLOCKED_COUNTRY": "blocked_by_order",
    "EMERGENCY_ACTION": "blocked_by_order",
    "CELL_IS_DISABLED": "withheld",
}


def reference_terminal(lat_deg: float, lon_deg: float) -> Terminal:
    """Whose verdict is a cell's status unless a scenario says otherwise.

    Fixed, unprotected, verified, at rest, its position exact and fully assured.
    """
    return Terminal(id="reference", lat_deg=lat_deg, lon_deg=lon_deg)


def service_state(
    outcome: OutcomeWord,
    *,
    has_satellite: bool = True,
    has_beam: bool = True,
    has_route: bool = True,
) -> ServiceState:
    """Policy and physics of one moment in one state; denied wins over physical causes."""
    if outcome == "deny":
        return ServiceState.DENIED
    if not has_satellite:
        return ServiceState.NO_SATELLITE
    if not has_beam:
        return ServiceState.NO_BEAM
    if not has_route:
        return ServiceState.NO_ROUTE
    return ServiceState.LIMITED if outcome == "limit" else ServiceState.SERVED


def word_of(state: ServiceState, reason: str, *, is_withheld: bool = False) -> str:
    """The public word of a service state.

    Args:
        state: What the reference terminal has.
        reason: The reason code of its verdict; counts where it is denied.
        is_withheld: A request to withhold service is open on this ground (`is_withheld_at`).
    """
    if state is not ServiceState.DENIED:
        return _WORD_OF_STATE[state]
    if reason == "NOT_AUTHORISED" and is_withheld:
        return "withheld"
    return _WORD_OF_REASON.get(reason, "not_offered")


def is_withheld_at(policy: Policy, territories: Ids, at_us: int) -> bool:
    """Whether somebody's request to withhold service on this ground is open."""
    return policy.has_open_request("withhold", territories, at_us)


def public_word_codes(
    compiled: CompiledPolicy, columns: VerdictColumns, face: npt.NDArray[Any]
) -> npt.NDArray[np.int64]:
    """The public word of each denied site as its place in `PUBLIC_WORDS`; -1 where not denied.

    Args:
        compiled: The policy that the verdicts come from.
        columns: Verdicts, n of them.
        face: The face of the ground that each site lies in, shape (n,).
    """
    word_of_reason = np.array(
        [PUBLIC_WORDS.index(word_of(ServiceState.DENIED, reason)) for reason in REASONS]
    )
    withheld = np.array(
        [
            is_withheld_at(compiled.policy, territories, columns.at_us)
            for territories in compiled.ground.face_territories
        ],
        dtype=bool,
    )
    words = word_of_reason[columns.reason]
    is_withheld = withheld[face] & (columns.reason == REASONS.index("NOT_AUTHORISED"))
    words = np.where(is_withheld, PUBLIC_WORDS.index("withheld"), words)
    return np.where(columns.outcome == Outcome.DENY, words, -1)
