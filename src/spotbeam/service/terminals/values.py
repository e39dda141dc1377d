"""One terminal, and the words that its columns are written in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class Mobility(StrEnum):
    """How a terminal may move."""

    FIXED = "fixed"
    PORTABLE = "portable"
    LAND = "land"
    MARITIME = "maritime"
    AERO = "aero"
    UNCREWED = "uncrewed"


class Protection(StrEnum):
    """Whom a terminal serves, where that gives it protection."""

    NONE = "none"
    MEDICAL = "medical"
    EMERGENCY = "emergency"
    AID = "aid"


class Account(StrEnum):
    """The state of a terminal's account and software."""

    ACTIVE = "active"
    NONE = "none"
    DISABLED = "disabled"
    UNSUPPORTED = "unsupported"


class Terminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One terminal: a row of the table.

    Attributes:
        position_error_m: Radius of the disc that holds the true position with 95 % probability.
        assurance: 0 self-report, 1 plausible track, 2 network-derived position agrees, 3 both and
            an attested terminal.
        service_lat_deg: Latitude of the service address; NaN for none.
    """

    id: str
    fleet: str = "default"
    sponsor: str = ""
    registrant_country: str = ""
    mobility: Mobility = Mobility.FIXED
    protection: Protection = Protection.NONE
    verified: bool = True
    account: Account = Account.ACTIVE
    plan: str = "standard"
    distress: bool = False
    lat_deg: float = float("nan")
    lon_deg: float = float("nan")
    position_error_m: float = 0.0
    assurance: int = 3
    speed_kmh: float = 0.0
    altitude_m: float = 0.0
    service_lat_deg: float = float("nan")
    service_lon_deg: float = float("nan")


DEFAULTS: Mapping[str, Any] = {
    field.name: field.default
    for field in msgspec.structs.fields(Terminal)
    if field.name not in ("id", "lat_deg", "lon_deg")
}
COLUMNS: tuple[str, ...] = Terminal.__struct_fields__
REQUIRED = ("id", "lat_deg", "lon_deg")
