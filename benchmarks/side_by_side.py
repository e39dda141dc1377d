"""Time several ways of doing one job, side by side in one run.

The bar is a ratio of CPU time: wall time says more about the neighbours than about the code.
Rounds are interleaved, so that a noisy moment falls on every contender alike.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def compare(
    contenders: Mapping[str, Callable[[], object]],
    repeats: int = 5,
    *,
    items: tuple[float, str] | None = None,
    title: str | None = None,
) -> dict[str, float]:
    """Print a Markdown table of CPU seconds and of the ratio to the first; return the medians.

    Args:
        contenders: What each is called, and a callable without arguments. The first is the one
            that the others are divided by: "4.0x" means that it takes 4.0 times the CPU time of
            the first. All threads of the process count.
        repeats: Timed rounds after one warm-up round (at least 5 for a figure to be quoted).
        items: How many items one call handles and what they are, for a rate per CPU second.
        title: A heading over the table.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(repeats + 1):
        for name, call in contenders.items():
            began = time.process_time()
            call()
            spent = time.process_time() - began
            if round_:
                seconds[name].append(spent)
    medians = {name: statistics.median(spent) for name, spent in seconds.items()}
    first = next(iter(medians.values()))
    rate = f" {items[1]} per CPU second |" if items else ""
    print(f"\n### {title}\n" if title else "")
    print(f"| | CPU seconds, median of {repeats} | least to most | to the first |{rate}")
    print("| --- | --- | --- | --- |" + (" --- |" if items else ""))
    for name, median in medians.items():
        spread = f"{min(seconds[name]):.3g} to {max(seconds[name]):.3g}"
        per_second = f" {items[0] / median:,.3g} |" if items and median else " |" if items else ""
        ratio = f"{median / first:.2f}x" if first else "?"
        print(f"| {name} | {median:.4g} | {spread} | {ratio} |{per_second}")
    print(f"\n{machine()}")
    return medians


def machine() -> str:
    """One line on what the figures were measured with."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else ())
        if line.startswith("model name")
    ]
    processor = f"{len(models)} x {models[0]}" if models else platform.processor() or "?"
    return f"Measured on {processor}, {platform.system()}, Python {platform.python_version()}."
