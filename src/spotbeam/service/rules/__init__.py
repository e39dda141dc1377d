"""Rules of a policy: values, what they may combine, and how they are read."""

from spotbeam.service.rules.decoding import refuse_unknown_territories, rules_from
from spotbeam.service.rules.values import (
    DAY_US,
    GATES,
    Effect,
    Gate,
    OnStale,
    Rule,
    Thresholds,
    Who,
    Window,
)

__all__ = [
    "DAY_US",
    "GATES",
    "Effect",
    "Gate",
    "OnStale",
    "Rule",
    "Thresholds",
    "Who",
    "Window",
    "refuse_unknown_territories",
    "rules_from",
]
