"""Who plays: invented organisations, people in roles, and the terminals that one looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

ORIGIN = "log.example/black-sea"
VIEW = "un"
SCENARIO = "black-sea"


class Seat(NamedTuple):
    """A person of the story: their id, the factor that their seat belongs to, what they may do."""

    person: str
    factor: str
    roles: tuple[str, ...]


class Witnessing(NamedTuple):
    """An organisation that runs a witness; one of them also keeps a copy of the record."""

    organisation: str
    name: str
    is_mirror: bool


FACTORS = {
    "operator": ("The operator of the constellation", "meridian-link"),
    "regulator": ("The licensing authority", "licensing-authority"),
    "relief": ("The relief organisations", "relief-consortium"),
}
SEATS = (
    Seat("duty-officer", "operator", ("operator",)),
    Seat("network-director", "operator", ("approver", "operator")),
    Seat("registrar", "operator", ("registrar", "operator")),
    Seat("licence-officer", "regulator", ("approver",)),
    Seat("relief-delegate", "relief", ("approver",)),
)
WITNESSES = (
    Witnessing("Harbour University", "harbour-university.example/witness", False),
    Witnessing("Cable Institute", "cable-institute.example/witness", False),
    Witnessing("Press Archive", "press-archive.example/witness", True),
)

# id, latitude, longitude, and what else sets it apart
LOOKED_AT: tuple[dict[str, Any], ...] = (
    {
        "id": "clinic-kherson",
        "lat_deg": 46.69,
        "lon_deg": 32.68,
        "protection": "medical",
    },
    {
        "id": "ambulance-mykolaiv",
        "lat_deg": 46.97,
        "lon_deg": 32.00,
        "mobility": "land",
        "protection": "medical",
        "verified": False,
        "speed_kmh": 95.0,
    },
    {
        "id": "unlisted-vehicle",
        "lat_deg": 46.98,
        "lon_deg": 32.01,
        "mobility": "land",
        "verified": False,
        "speed_kmh": 95.0,
    },
    {"id": "clinic-simferopol", "lat_deg": 44.95, "lon_deg": 34.10, "protection": "medical"},
    {
        "id": "boat-off-sevastopol",
        "lat_deg": 44.55,
        "lon_deg": 33.32,
        "mobility": "uncrewed",
        "verified": False,
        "speed_kmh": 62.0,
        "position_error_m": 20.0,
    },
)

EXEMPTION_ID = "medical"
EXEMPTION = """\
# An ambulance is not stopped for paperwork or for its speed.
[[rule]]
id = "medical"
effect = "exempt"
where = ["UA"]
who = { protection = ["medical", "emergency"] }
lifts = ["list", "mobility"]
grounds = ["contract:relief-2022"]
"""
REFUSED_ON = "sanction:crimea-services"
REFUSED_WORDS = (
    "No licence of the authority that we recognise under this view covers the peninsula, and the "
    "sanction named forbids the service there. We do not switch it on."
)


def roster_text(keys: dict[str, str], witnesses: Sequence[tuple[Witnessing, str, str]]) -> str:
    """The first roster as TOML.

    Args:
        keys: File of each person's proof of possession, by their id.
        witnesses: Each with its verifier key and URL.
    """
    parts = [f'origin = "{ORIGIN}"\n']
    for factor, (name, party) in FACTORS.items():
        parts.append(f'[[factor]]\nid = "{factor}"\nname = "{name}"\nparty = "{party}"\n')
    for seat in SEATS:
        roles = ", ".join(f'"{role}"' for role in seat.roles)
        parts.append(
            f'[[person]]\nid = "{seat.person}"\nfactor = "{seat.factor}"\nroles = [{roles}]\n'
            f'keys = ["{keys[seat.person]}"]\nname = "{seat.person}, played by nobody"\n'
        )
    parts.append("[quorum]\npersons = 2\nfactors = 2\n")
    parts.append(f"[witnesses]\nquorum = {len(witnesses)}\n")
    for witness, key, url in witnesses:
        parts.append(
            f'[[witnesses.witness]]\nname = "{label(witness)}"\nkey = "{key}"\nurl = "{url}"\n'
            f'organisation = "{witness.organisation}"\n'
            f"mirror = {'true' if witness.is_mirror else 'false'}\n"
        )
    return "\n".join(parts)


def label(witness: Witnessing) -> str:
    """What the witness policy calls it."""
    return witness.name.partition(".")[0]
