"""Terminals: who they are, where they say they are, and how they move.

A `Terminals` is columns, a `Terminal` is one row. All columns but id, latitude and longitude have
defaults (`DEFAULTS`). Values are checked when columns become a `Terminals`.
"""

from spotbeam.service.terminals.checks import Fault, first_fault
from spotbeam.service.terminals.columns import Terminals, concatenate, terminals_from_rows
from spotbeam.service.terminals.values import (
    COLUMNS,
    DEFAULTS,
    REQUIRED,
    Account,
    Mobility,
    Protection,
    Terminal,
)

__all__ = [
    "COLUMNS",
    "DEFAULTS",
    "REQUIRED",
    "Account",
    "Fault",
    "Mobility",
    "Protection",
    "Terminal",
    "Terminals",
    "concatenate",
    "first_fault",
    "terminals_from_rows",
]
