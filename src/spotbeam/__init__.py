"""Forecast which ground a satellite constellation can serve, who is served there, and why.

The public names load when they are first used, so that `import spotbeam` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spotbeam.assembly.explain import why
    from spotbeam.assembly.forecast import Forecast, forecast
    from spotbeam.assembly.impacts import impact
    from spotbeam.assembly.reading import fold
    from spotbeam.assembly.route import route
    from spotbeam.assembly.scenarios import load_scenario
    from spotbeam.assembly.trace import trace
    from spotbeam.assembly.verifying import verify
    from spotbeam.errors import InputError, SpotbeamError

__version__ = "0.1.0"

_HOME = {
    "Forecast": "spotbeam.assembly.forecast",
    "InputError": "spotbeam.errors",
    "SpotbeamError": "spotbeam.errors",
    "fold": "spotbeam.assembly.reading",
    "forecast": "spotbeam.assembly.forecast",
    "impact": "spotbeam.assembly.impacts",
    "load_scenario": "spotbeam.assembly.scenarios",
    "route": "spotbeam.assembly.route",
    "trace": "spotbeam.assembly.trace",
    "verify": "spotbeam.assembly.verifying",
    "why": "spotbeam.assembly.explain",
}

__all__ = [
    "Forecast",
    "InputError",
    "SpotbeamError",
    "fold",
    "forecast",
    "impact",
    "load_scenario",
    "route",
    "trace",
    "verify",
    "why",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
