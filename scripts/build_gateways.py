"""Make `gateways.csv` of the package: gateways and points of presence, from one licensed list.

    git clone https://github.com/juliensimon/starlink-viz
    git -C starlink-viz checkout 35dd1f1a39e7535a3f6e48de0a66940a0e17635a
    python scripts/build_gateways.py starlink-viz

The list (MIT License, Copyright (c) 2026 Julien Simon; its own date 2026-03-20) was put together
from licence filings and checked by its community. No operator has published one: it is a
plausible ground segment, not a statement of fact about any site. Nothing is added to it.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src" / "spotbeam" / "land" / "data" / "gateways.csv"


def main(checkout: str) -> None:
    listed = json.loads(Path(checkout, "data", "ground-stations.json").read_text())["stations"]
    listed.sort(key=lambda site: (site["type"], site["name"]))
    with OUT.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["kind", "name", "lat_deg", "lon_deg", "status"])
        for site in listed:
            row = [site["type"], site["name"], site["lat"], site["lon"], site["status"]]
            writer.writerow(row)


if __name__ == "__main__":
    main(sys.argv[1])
