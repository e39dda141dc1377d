#!/usr/bin/env python3
"""Set up Spotbeam in `.venv` and run something in it. Needs Python 3.11+ and the package index.

python3 dev.py demo          set up, then run `spotbeam demo` (options are passed on)
python3 dev.py test          set up, then lint, types, architecture and all tests
python3 dev.py test PATH …   set up, then only these tests
python3 dev.py soak          the long tests
python3 dev.py bench [NAME]  the benchmarks, side by side with what a user would pick instead
python3 dev.py run …         set up, then `spotbeam …`
python3 dev.py lock          renew requirements/*.txt from pyproject.toml (needs uv)
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCKS = {"run": ROOT / "requirements" / "run.txt", "test": ROOT / "requirements" / "test.txt"}


def main(arguments):
    """Run one task; the exit code is the task's."""
    if sys.version_info < (3, 11):
        found = ".".join(str(part) for part in sys.version_info[:3])
        return f"Spotbeam needs Python 3.11 or newer; this is {found} ({sys.executable})."
    task, *rest = arguments or ["help"]
    tasks = {"demo": demo, "test": test, "soak": soak, "bench": bench, "run": run, "lock": lock}
    if task not in tasks:
        print(__doc__)
        return 0 if task in ("help", "-h", "--help") else 2
    return tasks[task](rest)


def demo(options):
    """The main job, on an embedded default."""
    return set_up("run") or call(PYTHON, "-m", "spotbeam", "demo", *options)


def run(options):
    """Any `spotbeam` command."""
    return set_up("run") or call(PYTHON, "-m", "spotbeam", *options)


def test(paths):
    """Everything that must pass before a change lands, or only the tests named."""
    if code := set_up("test"):
        return code
    if paths:
        return call(PYTHON, "-m", "pytest", *paths)
    checks = [
        (BIN / "ruff", "format", "--check", "."),
        (BIN / "ruff", "check", "."),
        (PYTHON, "-m", "mypy"),
        (BIN / "lint-imports",),
        (PYTHON, "-m", "pytest", "-n", "auto", "-m", "not soak", "--dist", "worksteal"),
    ]
    for command in checks:
        print(f"\n$ {' '.join([Path(command[0]).name, *command[1:]])}", flush=True)
        if code := call(*command):
            return code
    return 0


def soak(options):
    """The long tests."""
    return set_up("test") or call(PYTHON, "-m", "pytest", "-m", "soak", *options)


def bench(names):
    """Every benchmark, or those named: `bench visibility` runs benchmarks/bench_visibility.py."""
    if code := set_up("test"):
        return code
    found = sorted((ROOT / "benchmarks").glob("bench_*.py"))
    chosen = [path for path in found if not names or path.stem.removeprefix("bench_") in names]
    for path in chosen:
        print(f"\n## {path.stem.removeprefix('bench_')}", flush=True)
        if code := call(PYTHON, path):
            return code
    return 0 if chosen else f"no such benchmark; there are {[p.stem[6:] for p in found]}"


def lock(_options):
    """Renew the lock files: one version of each package, with hashes, no registry named."""
    shared = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--quiet"]
    shared += ["--generate-hashes", "--no-emit-index-url", "--no-annotate", "--upgrade"]
    shared += ["--no-header", "pyproject.toml", "requirements/build.in"]
    return call(*shared, "-o", LOCKS["run"]) or call(
        *shared, "--group", "test", "-o", LOCKS["test"]
    )


def set_up(kind):
    """Make `.venv` and install what is locked, unless that has been done."""
    lock_file = LOCKS[kind]
    digest = hashlib.sha256(lock_file.read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    wanted = f"{kind} {digest.hexdigest()} {sys.version_info[:2]}"
    stamp = VENV / f"spotbeam-{kind}.stamp"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return 0
    if not PYTHON.exists():
        print("Making .venv …", flush=True)
        venv.create(VENV, with_pip=True)
    print(f"Installing {lock_file.relative_to(ROOT)} …", flush=True)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    pip = [PYTHON, "-m", "pip", "install", *quiet]
    if code := call(*pip, "--require-hashes", "--no-deps", "-r", lock_file):
        return code
    if code := call(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT):
        return code
    stamp.write_text(wanted)
    return 0


def call(*command):
    """Run a command here; its exit code."""
    try:
        return subprocess.call([str(part) for part in command], cwd=ROOT)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
