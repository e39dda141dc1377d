"""`apply(state, entry_bytes)`: the only place where the rules of governance live.

Pure and total: it reads entries only, no clock, network, geometry or opening, and there are no
bytes that it fails on. A broken entry is void: listed, with a reason, and without any effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from spotbeam.governance import version_1
from spotbeam.governance.state import State

VERSIONS: Mapping[int, Callable[[State, bytes], State]] = {version_1.VERSION: version_1.step}
"""Every rules version there ever was. Old ones stay, so that an old record means what it meant."""


def apply(state: State, entry_bytes: bytes) -> State:
    """The state after one more entry of the record.

    An entry means what the rules version in force at its index says. A reader that lacks the
    version stops there (`halted`), says so, and is stale from then on; its state stands still.
    """
    if state.halted is not None:
        return state
    after = VERSIONS[state.rules_version](state, entry_bytes)
    if after.rules_version not in VERSIONS:
        return replace(
            after,
            halted=f"entries from {after.size} on are of rules version {after.rules_version}, "
            "which this release does not know",
        )
    return after
