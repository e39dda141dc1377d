"""Compile the kernels that the story needs, once and side by side, before its processes start.

The compiler keeps what it made beside the code, for every later process. Processes that start at
the same moment on a new machine would each compile the same kernels: on two cores, in twice the
time. Each part here is a process of its own, and no kernel is in both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spotbeam.assembly.story.stage import Stage
from spotbeam.kernels.lookup.build import build_lookup
from spotbeam.kernels.lookup.locate import locate
from spotbeam.kernels.lookup.touch import touched
from spotbeam.kernels.verdicts.waiting import first_bite_us
from spotbeam.kernels.visibility import prepare, satellites_in_view
from spotbeam.service.compiled import MemoryColumns, compile_policy, verdicts
from spotbeam.service.policy import Policy
from spotbeam.service.rules import rules_from
from spotbeam.service.terminals import Terminals

_LOADS_S = 4.0
_COMPILES_S = 300.0
_PLACE: Any = np.full(1, 0.5)
_SQUARE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)])


class _OneFace:
    """Ground without borders, so that no kernel of borders is compiled for it."""

    view = "none"
    face_territories = (("XZ",),)

    def locate(self, lat_deg: Any, lon_deg: Any) -> Any:
        return np.zeros(len(lat_deg), dtype=np.int32)

    def touched(self, lat_deg: Any, lon_deg: Any, radius_m: Any) -> Any:
        return np.zeros(len(lat_deg), dtype=np.int32), [(0,)]

    def ids(self) -> Sequence[str]:
        return ("XZ",)


def _borders() -> None:
    region = np.zeros(1, dtype=np.int32)
    lookup = build_lookup(_SQUARE, np.array([0, len(_SQUARE)]), region, 1)
    final = np.arange(len(lookup.faces), dtype=np.int32)
    own = locate(lookup.raster, final, _PLACE, _PLACE)
    touched(lookup.raster, lookup.edges, final, own, _PLACE, _PLACE, _PLACE)


def _sky_and_verdicts() -> None:
    satellites_in_view(prepare(_PLACE, _PLACE), np.full((1, 1, 3), 7000.0), 25.0)
    table = {"id": "none", "effect": "grant", "gate": "territory", "grounds": ["a:b"]}
    compiled = compile_policy(Policy(rules=rules_from([table], "rehearsal")), _OneFace())
    someone = Terminals.from_columns({"id": ["one"], "lat_deg": _PLACE, "lon_deg": _PLACE})
    memory = MemoryColumns.fresh(compiled, 1)
    verdicts(compiled, someone, 0, memory)
    first_bite_us(memory.over_since_us, memory.blocked, np.zeros(0, dtype=np.int64))


_PARTS: dict[str, Callable[[], None]] = {"borders": _borders, "sky": _sky_and_verdicts}


def rehearse(stage: Stage, say: Callable[[], None]) -> None:
    """Have all parts compiled, each in a process of its own.

    Args:
        stage: Where they run.
        say: Called once where it takes longer than loading what is compiled already.

    Raises:
        SpotbeamError: One of them failed.
    """
    players = [stage.start(part, part, module=__name__) for part in _PARTS]
    if not all(player.ends_within(_LOADS_S) for player in players):
        say()
    for player in players:
        player.await_end(_COMPILES_S)


if __name__ == "__main__":
    _PARTS[sys.argv[1]]()
