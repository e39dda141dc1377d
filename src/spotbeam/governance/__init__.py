"""What the entries of the record mean: who may decide, what was decided, and what is in force.

history = fold(entries)                  every entry, in order, checked
found = state(history, at_us)            what is intended at an instant
rules = policy(found, openings)          what an edge enforces
"""

from spotbeam.governance.apply import VERSIONS, apply
from spotbeam.governance.history import History, Intended, fold, intended, next_log, state
from spotbeam.governance.policy import Openings, missing, policy
from spotbeam.governance.reads import reads_digest
from spotbeam.governance.state import State, listed, state_digest
from spotbeam.governance.succession import ending
from spotbeam.governance.void import Finding

__all__ = [
    "VERSIONS",
    "Finding",
    "History",
    "Intended",
    "Openings",
    "State",
    "apply",
    "ending",
    "fold",
    "intended",
    "listed",
    "missing",
    "next_log",
    "policy",
    "reads_digest",
    "state",
    "state_digest",
]
