"""Attacks on the fold, each beside a control: the same attack where one check is taken out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from support.governance import World

from spotbeam.governance import proofs, roster, succession
from spotbeam.governance.void import demand

Patch = pytest.MonkeyPatch


def without(*codes: str) -> Callable[[Patch], None]:
    """Take out every check that voids with one of these codes."""
    strict = demand

    def lax(holds: object, code: str, reason: str) -> None:
        if code not in codes:
            strict(holds, code, reason)

    def weaken(patch: Patch) -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("spotbeam.governance.") and hasattr(module, "demand"):
                patch.setattr(module, "demand", lax)

    return weaken


def instead(module: Any, name: str, weaker: Any) -> Callable[[Patch], None]:
    """Put a weaker rule in the place of a rule."""
    return lambda patch: patch.setattr(module, name, weaker, raising=False)


def no_signatures(patch: Patch) -> None:
    for module in (proofs, roster, succession):
        patch.setattr(module, "check_proof", lambda *_: None)


@dataclass
class Case:
    """An attack: whether it got its way, and what has to be taken out for it to."""

    attack: Callable[[], bool]
    weaken: Callable[[Patch], None]


def is_bound(world: World, change: str) -> bool:
    found = world.now.changes.get(change)
    return found is not None and found.status == "bound"
