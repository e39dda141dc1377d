"""An edge over a `World`'s record, with clocks that a test sets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.edge_records import publish
from support.governance import World, rule

from spotbeam.edge.clock import Clock
from spotbeam.edge.edge import Edge
from spotbeam.edge.follow import Follower
from spotbeam.edge.live import LiveTable
from spotbeam.edge.openings import Give, Held
from spotbeam.edge.watching import Watch
from spotbeam.governance.entries.acts import PutList, PutRule
from spotbeam.governance.entries.rules import RuleEntry
from spotbeam.governance.policy import row_bytes
from spotbeam.land.territories import ground
from spotbeam.record.keys import encode_base64
from spotbeam.record.seal import list_root
from spotbeam.record.tile_reader import Fetch, directory
from spotbeam.service.terminals import terminals_from_rows

KYIV = {"lat_deg": 50.45, "lon_deg": 30.52}
UNITED_NATIONS = cache(lambda: ground("un"))


class Steady:
    """A machine's steady clock: it stands still until told."""

    def __init__(self, at_s: float = 1_000.0) -> None:
        self.at_s = at_s

    def __call__(self) -> float:
        return self.at_s

    def passes(self, seconds: float) -> None:
        self.at_s += seconds


class Site:
    """A machine with an edge: its disk, its steady clock and its wall clock."""

    def __init__(self, world: World, folder: Path, sources: Sequence[Fetch] | None = None) -> None:
        self.world = world
        self.folder = folder
        self.log = folder / "log"
        self.store = folder / "store"
        self.steady = Steady()
        self.boot = "first"
        self.wall_s = world.clock_us / 1_000_000
        self.sources = sources
        self.watch: Watch | None = None
        self.edge: Edge | None = None

    def publish(self, **how: Any) -> None:
        publish(self.world, self.log, **how)

    def start(self, *, reach: Any = None, give: Give | None = None) -> Edge:
        """Start the edge's process, from what is on the disk."""
        sources = self.sources or [directory(self.log)]
        follower = Follower(sources, self.world.now.genesis, self.store)
        known = follower.walked
        clock = Clock(
            self.steady,
            boot=self.boot,
            wall_s=self.wall_s,
            kept=follower.kept.read("clock"),
            known_s=None if known is None else known.time_s,
        )
        self.edge = Edge(
            "edge",
            follower,
            clock,
            LiveTable(UNITED_NATIONS()),
            Held(give),
            watch=None if reach is None else Watch(follower, reach),
            keep_clock=lambda data: follower.kept.write("clock", data),
        )
        return self.edge

    def passes(self, seconds: float, *, witnessed: bool = False) -> None:
        """Let time pass for everybody; the log goes on being witnessed, or nobody is heard."""
        self.steady.passes(seconds)
        self.wall_s += seconds
        self.world.clock_us += int(seconds * 1_000_000)
        if witnessed:
            self.publish()
            assert self.edge is not None
            self.edge.follow()
        if self.edge is not None:
            self.edge.tick()

    def put(self, *rows: dict[str, Any]) -> None:
        assert self.edge is not None
        self.edge.put(terminals_from_rows([{**KYIV, **row} for row in rows]))

    def verdicts(self) -> dict[str, tuple[str, str]]:
        """Outcome and reason of every live terminal, and the scalar answer is the same."""
        assert self.edge is not None
        shown, _ = self.edge.shown()
        assert shown.columns is not None
        found = dict(
            zip(
                shown.terminals.id.to_pylist(),
                zip(shown.columns.outcome_words(), shown.columns.reason_words(), strict=True),
                strict=True,
            )
        )
        for row, name in enumerate(found):
            answer = self.edge.answer(shown.terminals.row(row))
            assert (answer.verdict.outcome, answer.verdict.reason) == found[name], name
        return found


def deny(name: str, **changes: Any) -> RuleEntry:
    return rule(name, **{"effect": "deny", "gate": "order", **changes})


def put_list(
    world: World, name: str, version: int, terminals: Sequence[str]
) -> tuple[PutList, bytes]:
    """A list version as an act, and the file with its rows."""
    rows = [(each, sha256(f"{name} {version} {each}".encode()).digest()[:16]) for each in terminals]
    root = list_root(world.origin, name, version, [(row_bytes(t), salt) for t, salt in rows])
    lines = ["terminal,salt", *(f"{t},{encode_base64(salt)}" for t, salt in rows)]
    act = PutList(list=name, version=version, count=len(rows), root=root.hex())
    return act, "".join(f"{line}\n" for line in lines).encode()


def bring_in(world: World, *rules: RuleEntry, acts: Sequence[Any] = ()) -> str:
    return world.pass_change(*acts, *(PutRule(each) for each in rules))
