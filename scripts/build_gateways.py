"""Make `gateways.csv` of the package: gateways and points of presence.

    git clone https://github.com/juliensimon/starlink-viz
    git -C starlink-viz checkout 35dd1f1a39e7535a3f6e48de0a66940a0e17635a
    python scripts/build_gateways.py starlink-viz

The list (MIT License, Copyright (c) 2026 Julien Simon; its own date 2026-03-20) was put together
from licence filings and checked by its community. No operator has published one: it is a
plausible ground segment, not a statement of fact about any site. Two things are added to it:

* Points of presence that the operator's reverse DNS names. An address of a customer resolves to
  customer.CODE.pop.starlinkisp.net, CODE being the point of presence that the customer is bound to
  (the operator's page on peering says so). Where such a name was seen by April 2026 and
  PeeringDB lists a facility of the operator in that town, the point of presence is in operation,
  whatever the list says; one that the list lacks stands in the middle of its town, by GeoNames.
* A gateway beside every point of presence in operation that has none within 300 km, with the
  status `inferred`. The list has no gateway within 4,000 km of Johannesburg, and traffic for a
  point of presence does come down near it. Any distance from 200 to 500 km infers nearly the same.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

from spotbeam.land.gateways import great_circle_km

OUT = Path(__file__).resolve().parents[1] / "src" / "spotbeam" / "land" / "data" / "gateways.csv"

NEAR_KM = 300.0

IN_DNS = {
    "atlagax1": "Atlanta, GA",
    "chcoilx1": "Chicago, IL",
    "dllstxx1": "Dallas, TX",
    "dnvrcox1": "Denver, CO",
    "frtabra1": "Fortaleza, Brazil",
    "mmmiflx1": "Miami, FL",
    "mplsmnx1": "Minneapolis, MN",
    "nrbiken1": "Nairobi, Kenya",
    "nwyynyx1": "New York, NY",
    "snjecax1": "San Jose, CA",
}

IN_DNS_ONLY = {
    "frntdeu1": ("Frankfurt, Germany", 50.1155, 8.6842),
    "jtnaidn1": ("Jakarta, Indonesia", -6.2146, 106.8451),
    "mlnnita1": ("Milan, Italy", 45.4643, 9.1895),
    "mnlaphl1": ("Manila, Philippines", 14.6042, 120.9822),
    "msctomn1": ("Muscat, Oman", 23.5841, 58.4078),
    "qrtomex1": ("Querétaro, Mexico", 20.5881, -100.3881),
    "srbaidn2": ("Surabaya, Indonesia", -7.2492, 112.7508),
    "trnocan1": ("Toronto, Canada", 43.7064, -79.3986),
}


def main(checkout: str) -> None:
    listed = json.loads(Path(checkout, "data", "ground-stations.json").read_text())["stations"]
    sites: list[list[Any]] = [
        [
            site["type"],
            site["name"],
            site["lat"],
            site["lon"],
            "operational" if site["name"] in IN_DNS.values() else site["status"],
        ]
        for site in listed
    ]
    sites += [["pop", *place, "operational"] for place in IN_DNS_ONLY.values()]
    sites += _inferred(sites)
    sites.sort(key=lambda site: (site[0], site[1]))
    with OUT.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kind", "name", "lat_deg", "lon_deg", "status"])
        writer.writerows(sites)


def _inferred(sites: list[list[Any]]) -> list[list[Any]]:
    """A gateway beside each point of presence in operation that is far from all of them."""
    working = [site for site in sites if site[4] == "operational"]
    gateways = [site for site in working if site[0] == "gateway"]
    lat, lon = ([site[column] for site in gateways] for column in (2, 3))
    return [
        ["gateway", f"{name} (inferred)", at_lat, at_lon, "inferred"]
        for kind, name, at_lat, at_lon, _ in working
        if kind == "pop" and great_circle_km(at_lat, at_lon, lat, lon).min() > NEAR_KM
    ]


if __name__ == "__main__":
    main(sys.argv[1])
