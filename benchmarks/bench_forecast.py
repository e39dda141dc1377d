"""A whole forecast as a user runs it: CPU, peak memory and disk of a simulated day over land.

    python benchmarks/bench_forecast.py [ELEMENTS] [--duration 1d]

Without a file of element sets it takes the filed shells of Starlink's first and second generation
(14,488 satellites), which is more than fly.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SHELLS = 'shells = ["starlink-gen1", "starlink-gen2"]'


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("elements", nargs="?", type=Path)
    parser.add_argument("--durations", nargs="+", default=["1h", "1d"])
    options = parser.parse_args()
    print("| run | steps | cells | satellites | CPU s | CPU ms a step | peak MiB | disk MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as name:
        for duration in options.durations:
            measure(Path(name), options.elements, duration)


def measure(folder: Path, elements: Path | None, duration: str) -> None:
    """Run `spotbeam forecast world` in a process of its own and read what the system counted."""
    scenario = folder / "world.toml"
    listing = [sys.executable, "-m", "spotbeam", "scenarios", "world"]
    text = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    scenario.write_text(text.replace('shells = ["starlink-gen1"]', SHELLS))
    out = folder / f"out-{duration}"
    command = [sys.executable, "-m", "spotbeam", "forecast", str(scenario), "--json"]
    command += ["--duration", duration, "--workers", "1", "--out", str(out)]
    if elements is not None:
        command += ["--elements", str(elements.resolve())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    summary = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    cpu_s = used.ru_utime + used.ru_stime
    steps = summary["time"]["steps"]
    disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(
        f"| {duration} | {steps:,} | {summary['area']['cells']:,} "
        f"| {summary['constellation']['satellites_in_service']:,} | {cpu_s:.1f} "
        f"| {1000 * cpu_s / steps:.1f} | {used.ru_maxrss / 1024:,.0f} | {disk / 2**20:,.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
