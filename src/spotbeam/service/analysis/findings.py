"""What `policy check` has to say about a rule, with a case that shows it."""

from __future__ import annotations

from typing import Literal

import msgspec

from spotbeam.service.terminals import Terminal
from spotbeam.service.verdict import Verdict

Kind = Literal["dead", "shadowed", "contradictory", "not_decided"]


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One case, decided by the scalar verdict: anybody can check it.

    Attributes:
        terminal: Who; its latitude and longitude are filled where a point of the ground was found
            at which the whole policy gives this verdict.
        territories: The ground that it stands on.
        also_touched: Other ground that its position disc touches.
        guard_km: From this guard width on; 0 if the disc itself does.
        at_us: When.
        motion: `held`: the motion has lasted; `begun`: it has just begun; `slowed`: it has just
            come down from the highest speed and altitude.
        verdict: What the whole policy says.
        failing: For a dead rule: what of its conditions does not hold here.
    """

    terminal: Terminal
    territories: tuple[str, ...]
    also_touched: tuple[str, ...] = ()
    guard_km: float = 0.0
    at_us: int
    motion: Literal["held", "begun", "slowed"]
    verdict: Verdict
    failing: tuple[str, ...] = ()


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that is wrong with a rule, or that could not be decided.

    Attributes:
        kind: `dead`: never matches. `shadowed`: matches and never makes a difference.
            `contradictory`: a grant and a deny that undo each other, or an exempt that lifts
            nothing. `not_decided`: the policy has too many combinations to try.
        because: The rules that decide in its place.
        text: What is wrong, in a sentence.
        fix: What to do about it.
        method: How far the claim reaches: what was tried.
        n_cases: How many cases were tried.
        example: The case that shows it.
    """

    kind: Kind
    rule: str
    because: tuple[str, ...] = ()
    text: str
    fix: str
    method: str
    n_cases: int
    example: Example | None
