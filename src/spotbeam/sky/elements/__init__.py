"""Element sets: where satellites were, as the public catalogue gives it.

OMM in JSON, CSV, XML and KVN (CCSDS 502.0-B-3, as CelesTrak and Space-Track write it) and
two-line sets, with Alpha-5 numbers. What is wrong with one set never costs the others.
"""

from __future__ import annotations

from spotbeam.sky.elements.reading import FORMATS, parse_elements
from spotbeam.sky.elements.values import (
    COLUMNS,
    ElementFault,
    ElementSets,
    ElementsReport,
    Provenance,
    age_s,
)

__all__ = [
    "COLUMNS",
    "FORMATS",
    "ElementFault",
    "ElementSets",
    "ElementsReport",
    "Provenance",
    "age_s",
    "parse_elements",
]
