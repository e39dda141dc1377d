"""All that a preview found, as one value: what people sign, what an operator claims, estimates."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from spotbeam.governance.state import Proposal
from spotbeam.times import format_time
from spotbeam.twin.impact.over_terminals import TerminalImpact
from spotbeam.twin.impact.public import PublicImpact
from spotbeam.twin.impact.spill import BorderEffect, Covering


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Impact:
    """What a proposal would do.

    Attributes:
        id: The proposal's, or that which the draft would have.
        at_us: When it was taken to bind.
        public: On cells and rules; `digest` is what approvals name.
        reads: What else it depends on, as `rule:…`.
        rivals: Pending proposals on the same things: they are taken not to bind before it.
        terminals: At its start and at each later stage of its own; empty without terminals.
        terminals_of: The scenario whose terminals they are.
        missing: Lists and seals that this machine cannot open, before or after.
        borders: Spill and starvation along the borders of the ground that it names.
        coverings: The cells by which beams obey each rule that it brings in.
        notices: What a reader should know besides.
    """

    id: str
    at_us: int
    proposal: Proposal
    public: PublicImpact
    digest: str
    reads: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    terminals: tuple[TerminalImpact, ...] = ()
    terminals_of: str | None = None
    missing: tuple[str, ...] = ()
    borders: tuple[BorderEffect, ...] = ()
    coverings: tuple[Covering, ...] = ()
    notices: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """Everything but the rows of changed terminals, as plain values for JSON."""
        return {
            "id": self.id,
            "at": format_time(self.at_us),
            "digest": self.digest,
            "public": msgspec.to_builtins(self.public),
            "reads": list(self.reads),
            "rivals": list(self.rivals),
            "terminals": {
                "claimed_by": "the operator",
                "scenario": self.terminals_of,
                "stages": [_terminal_facts(each) for each in self.terminals],
            }
            if self.terminals_of is not None
            else None,
            "missing": list(self.missing),
            "borders": msgspec.to_builtins(self.borders),
            "coverings": msgspec.to_builtins(self.coverings),
            "notices": list(self.notices),
        }


def _terminal_facts(found: TerminalImpact) -> dict[str, Any]:
    return {
        "at": format_time(found.at_us),
        "terminals": found.terminals,
        "protected": msgspec.to_builtins(found.protected),
        "kinds": dict(found.kinds),
        "by": msgspec.to_builtins(dict(found.by)),
        "reasons": msgspec.to_builtins(found.reasons),
        "unknown_position": found.unknown,
        "straddling_a_border": found.straddling,
    }
