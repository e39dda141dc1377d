"""What a scenario says of its network: the table `[network]`.

Every figure of the delay model that is nobody's publication says "assumption" here, and can be
set; `Latency.geometry_only` switches all of them off.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=1000)]
# What adds up along a path stays within a second, which is what the kernels can hold.
AlongThePath = Annotated[float, msgspec.Meta(ge=0, le=30)]


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Delays besides light on its straight way, each one way unless its name says otherwise.

    Attributes:
        satellite_ms: in each satellite on the path: forwarding, waiting, and the detours that a
            loaded network takes. Assumption, fitted: see `uplink_wait_ms`.
        uplink_wait_ms: how long a terminal waits for its turn to send. Starlink's frame is 1/750 s
            (Humphreys et al. 2023, "Signal structure of the Starlink Ku-band downlink"); how many
            frames a grant takes is nobody's publication. Assumption, fitted with `satellite_ms`
            to what users see: the operator's own medians for 136 countries in March 2026
            (`scripts/compare_latency.py`). The least that anybody sees is some 5 ms less.
        downlink_wait_ms: how long traffic waits for a frame towards its terminal: half of 1/750 s
            and as much again for framing. Assumption.
        gateway_ms: processing between the gateway's antenna and its fibre. Assumption.
        fibre_detour: length of the fibre from a gateway to its point of presence, over the great
            circle between them. Assumption; surveys find 1.2 to 2.
        fibre_index: refractive index of the fibre; 1.468 is that of common single-mode fibre at
            1550 nm (Corning SMF-28 data sheet).
    """

    satellite_ms: AlongThePath = 2.0
    uplink_wait_ms: Milliseconds = 14.0
    downlink_wait_ms: Milliseconds = 1.33
    gateway_ms: AlongThePath = 0.5
    fibre_detour: Annotated[float, msgspec.Meta(ge=1, le=3)] = 1.5
    fibre_index: Annotated[float, msgspec.Meta(ge=1, le=2)] = 1.468

    @classmethod
    def geometry_only(cls) -> Latency:
        """Light on straight lines, and on the great circle from gateway to point of presence."""
        return cls(
            satellite_ms=0.0,
            uplink_wait_ms=0.0,
            downlink_wait_ms=0.0,
            gateway_ms=0.0,
            fibre_detour=1.0,
            fibre_index=1.0,
        )

    @property
    def terminal_round_trip_ms(self) -> float:
        """What one terminal adds to a round trip: one wait up and one down."""
        return self.uplink_wait_ms + self.downlink_wait_ms


class Landing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A landing rule: traffic of some territories must come down in some territories.

    Attributes:
        of: ids of territories; a terminal in any of them is bound.
        at: ids of territories; its traffic may land at gateways in any of them and nowhere else.
        grounds: who asks for it, `kind:id`.
    """

    of: tuple[str, ...]
    at: tuple[str, ...]
    grounds: tuple[str, ...] = ()


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Links, gateways, points of presence, and how long things take.

    Attributes:
        mode: `lasers`: satellites pass traffic on; `bent_pipe`: what goes up comes straight down.
        reconfigure: routes are planned anew so often, everywhere at once, at whole multiples of
            it since 1970-01-01T00:00:00Z; between two plans they stay, and only links that hold
            through are planned with. At most 5 minutes. `always` plans anew for every moment
            asked about. Starlink does so every 15 s, all over the globe at once (arXiv 2310.09242).
        max_link_km: no link between satellites is longer; unbounded if left out.
        link_floor_km: such links pass no lower over the Earth (a sphere of the equatorial
            radius). 80 km, above most of the weather, is what studies take since Hypatia (2020).
        max_ground_km: no link to the ground is longer; the mask alone decides if left out.
        gateway_min_elevation_deg: gateways' own mask; the scenario's if left out.
        gateways: `shipped`, `none`, or a CSV file with name, lat_deg, lon_deg.
        pops: points of presence, likewise; without any, traffic ends at its gateway.
        planned: take sites that the shipped list calls planned, too.
        failed_satellites: catalogue numbers.
        failed_links: pairs of catalogue numbers.
        landing: landing rules; all that bind a terminal must be met.
        latency: what is added to straight lines.
    """

    mode: Literal["lasers", "bent_pipe"] = "lasers"
    reconfigure: str | float = "15s"
    max_link_km: Annotated[float, msgspec.Meta(gt=0)] | None = None
    link_floor_km: Annotated[float, msgspec.Meta(ge=0)] = 80.0
    max_ground_km: Annotated[float, msgspec.Meta(gt=0)] | None = None
    gateway_min_elevation_deg: Annotated[float, msgspec.Meta(ge=0, le=90)] | None = None
    gateways: str = "shipped"
    pops: str = "shipped"
    planned: bool = False
    failed_satellites: tuple[int, ...] = ()
    failed_links: tuple[tuple[int, int], ...] = ()
    landing: tuple[Landing, ...] = ()
    latency: Latency = msgspec.field(default_factory=Latency)
