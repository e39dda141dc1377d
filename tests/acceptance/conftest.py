"""The command as a user runs it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def spotbeam(tmp_path: Path) -> Command:
    """Run `spotbeam …` in an empty folder; returns the finished process."""

    def run(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "spotbeam", *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "160"},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run


SMALL = """
name = "small"
title = "A small run"

[time]
start = "2026-01-01T00:00:00Z"
duration = "10m"
step = "15s"

[constellation]
shells = ["iridium-next"]
min_elevation_deg = 30

[area]
resolution = 3
bounds = [40.0, 26.0, 50.0, 42.0]

[[fleet]]
id = "clinics"
count = 50
where = ["UA"]
seed = 3
common = { protection = "medical", speed_kmh = 90.0, verified = false }

[[fleet]]
id = "lorries"
count = 40
where = ["UA"]
seed = 4
common = { mobility = "land", speed_kmh = 90.0, verified = false }

[[rule]]
id = "licence"
gate = "territory"
effect = "grant"
where = ["UA", "UA/sea"]
except = ["UA-43", "UA-40"]
grounds = ["authorisation:a"]

[[rule]]
id = "cap"
gate = "mobility"
effect = "deny"
who = { verified = false }
thresholds = { over_kmh = 75 }
grounds = ["order:b"]

[[rule]]
id = "clinics-first"
effect = "exempt"
who = { protection = ["medical"] }
lifts = ["mobility"]
grounds = ["contract:c"]
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A scenario that runs in a second."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path
