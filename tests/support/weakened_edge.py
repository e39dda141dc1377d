"""An edge with one check taken out, as a program: the control beside an attack that must fail.

python -m support.weakened_edge CHECK edge SOURCE …      (the rest as for `spotbeam`)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import pytest
from support.weakened import instead, no_signatures, without

from spotbeam.cli.app import main
from spotbeam.edge import walk
from spotbeam.governance import anchors, binding, witnesses
from spotbeam.record import policy
from spotbeam.record.cosignature import Cosignature

Patch = pytest.MonkeyPatch


def no_witness_quorum(patch: Patch) -> None:
    """The log's own signature is enough."""

    def whenever(_: object, found: Iterable[Cosignature]) -> int:
        return max((each.time_s for each in found), default=int(time.time()))

    patch.setattr(policy, "witnessed_time_s", whenever)
    patch.setattr(walk, "demand_dated", lambda *_: None)
    patch.setattr(anchors, "is_dated", lambda *_: True)


def two_of_three(patch: Patch) -> None:
    """A quorum that two organisations meet which lie together."""
    patch.setattr(policy.WitnessPolicy, "is_met", lambda _, signed: len(set(signed)) >= 2)
    patch.setattr(witnesses, "check_quorum", lambda *_, **__: None)


CHECKS: dict[str, Callable[[Patch], None]] = {
    "signatures": no_signatures,
    "quorum": instead(binding, "is_met", lambda *_: True),
    "own proposal": without("own_proposal"),
    "expiry": instead(anchors, "APPROVAL_LASTS_US", 10**15),
    "witness quorum": no_witness_quorum,
    "third witness": two_of_three,
}

if __name__ == "__main__":
    CHECKS[sys.argv[1]](pytest.MonkeyPatch())
    sys.exit(main(sys.argv[2:]))
