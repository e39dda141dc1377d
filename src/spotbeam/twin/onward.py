"""The way to the internet from every cell and terminal of a run, step by step, as counts.

The delay from every satellite to the nearest point of presence is settled once a period and once
for each set of landing rules; a site then takes the least of the satellites that it can use. What
it counts is the delay planned at the beginning of the period that a step lies in, and where there
is none, the reason.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from spotbeam.kernels.paths import UNREACHABLE_NS, GroundLinks, satellite_delays_ns
from spotbeam.kernels.paths.ground import InReach
from spotbeam.kernels.paths.onward import onward_ns
from spotbeam.kernels.visibility import Sites
from spotbeam.network.ground_segment import (
    GroundSegment,
    Mask,
    internet_ends,
    landing_classes,
    may_land,
)
from spotbeam.network.mesh import Limits, Mesh
from spotbeam.network.routing import Plan
from spotbeam.network.settings import Network
from spotbeam.network.topology import Topology
from spotbeam.sky.elements import ElementSets
from spotbeam.sky.propagation import Propagator
from spotbeam.twin.nets import Net, net_of, periods
from spotbeam.twin.routes import why_no_landing
from spotbeam.twin.world import World
from spotbeam.units import SPEED_OF_LIGHT_KM_S

Ints = npt.NDArray[np.int64]
Delays = npt.NDArray[np.int32]
Reasons = npt.NDArray[np.uint8]

UNROUTED = (
    "no_satellite",
    "no_lasting_satellite",
    "no_gateway",
    "no_gateway_in_reach",
    "not_linked",
    "landing_rule",
)


class OnwardInputs(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """All that a block needs of the network, whatever process computes it.

    Attributes:
        rules: The sets of landing rules that bind some site, as indices.
        cell_kind: (n_cell,), which of those binds each cell.
        terminal_kind: (n_terminal,).
        cell_denied: (n_segment, n_cell), where the policy serves nobody.
        terminal_denied: (n_segment, n_terminal), whom it does not serve.
    """

    settings: Network
    topology: Topology
    limits: Limits
    segment: GroundSegment
    period_us: int | None
    min_elevation_deg: float
    rules: list[tuple[int, ...]]
    cell_kind: Ints
    terminal_kind: Ints
    cell_denied: Mask
    terminal_denied: Mask


def onward_inputs(world: World, cell_denied: Mask, terminal_denied: Mask) -> OnwardInputs | None:
    """The network of a world as blocks need it; None where the scenario has none."""
    if world.scenario.network is None:
        return None
    net = net_of(world, engine="sgp4")
    names = world.ground.face_territories
    terminals = world.terminals
    of_cells = [names[face] for face in world.cell_face]
    of_terminals = [
        names[face] if face >= 0 else ()
        for face in world.ground.locate(terminals.lat_deg, terminals.lon_deg)
    ]
    rules, kind = landing_classes(net.settings.landing, [*of_cells, *of_terminals])
    return OnwardInputs(
        settings=net.settings,
        topology=net.mesh.topology,
        limits=net.mesh.limits,
        segment=net.segment,
        period_us=net.period_us,
        min_elevation_deg=net.min_elevation_deg,
        rules=rules,
        cell_kind=kind[: len(of_cells)],
        terminal_kind=kind[len(of_cells) :],
        cell_denied=cell_denied,
        terminal_denied=terminal_denied,
    )


class Ways(NamedTuple):
    """Ways on of n sites at some steps.

    Attributes:
        delay_ns: (n_time, n), one way, as planned; `UNREACHABLE_NS` without a way.
        reason: (n_time, n), why there is none: an index into `UNROUTED`.
    """

    delay_ns: Delays
    reason: Reasons

    @classmethod
    def none(cls, n_time: int, n: int) -> Ways:
        """No way anywhere."""
        return cls(
            np.full((n_time, n), UNREACHABLE_NS, dtype=np.int32),
            np.zeros((n_time, n), dtype=np.uint8),
        )


class OnwardTally(NamedTuple):
    """Steps with a way on, and how long it was, of n sites over some consecutive steps.

    Attributes:
        routed: (n_segment, n), steps with a way, by segment of the policy.
        total_ns: one-way planned delays, added up; whole numbers, so that no order of adding them
            changes the sum.
        least_ns, most_ns: over the steps with a way; `UNREACHABLE_NS` and 0 without any.
        unrouted: (len(UNROUTED), n), by reason, steps without a way although a satellite is in
            view and the policy would serve.
    """

    steps: int
    routed: npt.NDArray[np.uint32]
    total_ns: npt.NDArray[np.uint64]
    least_ns: Delays
    most_ns: Delays
    unrouted: npt.NDArray[np.uint32]


def onward_tally(ways: Ways, seen: Mask, denied: Mask, segment: Ints) -> OnwardTally:
    """Count one block.

    Args:
        ways: Of its sites.
        seen: (n_time, n), a satellite is in view.
        denied: (n_segment, n), the policy would not serve.
        segment: (n_time,), the segment of the policy that each step lies in.
    """
    delay_ns = ways.delay_ns
    is_routed = delay_ns < UNREACHABLE_NS
    unrouted = np.zeros((len(UNROUTED), delay_ns.shape[1]), dtype=np.uint32)
    for at, routed_now in enumerate(is_routed):
        lost = np.flatnonzero(seen[at] & ~routed_now & ~denied[segment[at]])
        unrouted[ways.reason[at, lost], lost] += 1
    routed = np.zeros((len(denied), delay_ns.shape[1]), dtype=np.uint32)
    for index in np.unique(segment):
        routed[index] = is_routed[segment == index].sum(axis=0)
    return OnwardTally(
        steps=len(delay_ns),
        routed=routed,
        total_ns=np.where(is_routed, delay_ns, 0).sum(axis=0, dtype=np.uint64),
        least_ns=delay_ns.min(axis=0),
        most_ns=np.where(is_routed, delay_ns, 0).max(axis=0).astype(np.int32),
        unrouted=unrouted,
    )


def merge_onward(earlier: OnwardTally, later: OnwardTally) -> OnwardTally:
    """The tally of two blocks."""
    return OnwardTally(
        steps=earlier.steps + later.steps,
        routed=earlier.routed + later.routed,
        total_ns=earlier.total_ns + later.total_ns,
        least_ns=np.minimum(earlier.least_ns, later.least_ns),
        most_ns=np.maximum(earlier.most_ns, later.most_ns),
        unrouted=earlier.unrouted + later.unrouted,
    )


class OnwardWorker:
    """Finds the ways of blocks; one lives in each process."""

    def __init__(self, inputs: OnwardInputs, elements: ElementSets, propagator: Propagator) -> None:
        self._inputs = inputs
        self._net = Net(
            settings=inputs.settings,
            elements=elements,
            mesh=Mesh(inputs.topology, propagator, inputs.limits),
            segment=inputs.segment,
            period_us=inputs.period_us,
            min_elevation_deg=inputs.min_elevation_deg,
        )
        # Traffic that nothing binds is always among them: what the rules lose has a way there.
        classes = inputs.rules if () in inputs.rules else [*inputs.rules, ()]
        self._free = classes.index(())
        self._allowed = [
            may_land(inputs.segment, inputs.settings.landing, rules) for rules in classes
        ]

    def ways(self, times_us: Ints, cells: Sites, terminals: Sites) -> tuple[Ways, Ways]:
        """Planned ways to the internet, of the cells and of the terminals."""
        n_time = len(times_us)
        of_cells = Ways.none(n_time, len(cells.up_ecef))
        of_terminals = Ways.none(n_time, len(terminals.up_ecef))
        for period, group, _ in periods(self._net, times_us):
            reach = self._net.mesh.reach(self._net.segment.gateways, period.now, period.until)
            onward = self._onward(period, reach)
            for sites, kind, ways in (
                (cells, self._inputs.cell_kind, of_cells),
                (terminals, self._inputs.terminal_kind, of_terminals),
            ):
                ways.delay_ns[group] = self._least(period, sites, kind, onward)
                lost = ways.delay_ns[group[0]] == UNREACHABLE_NS
                if lost.any():
                    ways.reason[group] = self._why(period, sites, kind, onward, reach, lost)
        return of_cells, of_terminals

    def _least(
        self, period: Plan, sites: Sites, kind: Ints, onward: Delays, wanted: Mask | None = None
    ) -> Delays:
        return onward_ns(
            sites,
            kind,
            period.now.position_ecef_km,
            period.until.position_ecef_km,
            onward,
            self._inputs.min_elevation_deg,
            self._inputs.limits.max_ground_km,
            1e9 / SPEED_OF_LIGHT_KM_S,
            wanted=wanted,
        )

    def _why(
        self, period: Plan, sites: Sites, kind: Ints, onward: Delays, reach: InReach, lost: Mask
    ) -> Reasons:
        """Why the sites that are lost have no way, as `routes.why_no_internet` finds for one."""
        same = np.zeros_like(kind)
        free_ns = onward[self._free : self._free + 1]
        at_once = np.zeros_like(free_ns)
        begun = period._replace(until=period.now)
        free = self._least(period, sites, same, free_ns, lost) < UNREACHABLE_NS
        up = self._least(period, sites, same, at_once, lost) < UNREACHABLE_NS
        up_now = up | (self._least(begun, sites, same, at_once, lost & ~up) < UNREACHABLE_NS)
        is_bent_pipe = self._inputs.settings.mode == "bent_pipe"
        anywhere = UNROUTED.index(why_no_landing(reach, is_bent_pipe=is_bent_pipe))
        why = np.full(len(kind), anywhere, dtype=np.uint8)
        why[free] = UNROUTED.index("landing_rule")
        why[~up] = UNROUTED.index("no_lasting_satellite")
        why[~up_now] = UNROUTED.index("no_satellite")
        return why

    def _onward(self, period: Plan, reach: InReach) -> Delays:
        """Delay from every satellite to the internet, for each set of rules: (n_kind, n_sat)."""
        offset, satellite, delay = [0], [], []
        for allowed in self._allowed:
            links = internet_ends(self._net.segment, reach, allowed).links
            satellite.append(links.satellite)
            delay.append(links.delay_ns)
            offset.append(offset[-1] + len(links.satellite))
        ends = GroundLinks(
            np.array(offset, dtype=np.int64), np.concatenate(satellite), np.concatenate(delay)
        )
        return np.ascontiguousarray(satellite_delays_ns(period.links, ends).T)


def round_trip_ms(one_way_ns: npt.ArrayLike, settings: Network) -> npt.NDArray[np.float64]:
    """Round trips of planned one-way delays, with what the terminal waits and the first satellite.

    The plan counts a satellite for each link between two, which leaves one.
    """
    latency = settings.latency
    across_ms = np.asarray(one_way_ns, dtype=np.float64) / 1e6 + latency.satellite_ms
    return np.asarray(2.0 * across_ms + latency.terminal_round_trip_ms)
