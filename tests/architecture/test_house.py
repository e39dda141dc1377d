"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import spotbeam

SOURCE = Path(spotbeam.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400, "past 400 lines a module becomes a folder"
    tree = ast.parse(text)
    assert ast.get_docstring(tree) is not None
    for node in ast.walk(tree):
        is_public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith(
            "_"
        )
        if is_public and node in tree.body:
            assert ast.get_docstring(node), f"{node.name} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_is_a_drawer_for_everything(path: Path) -> None:
    assert path.stem not in {
        "utils",
        "util",
        "helpers",
        "helper",
        "manager",
        "base",
        "common",
        "misc",
    }


def test_public_names_are_complete_and_sorted() -> None:
    assert sorted(spotbeam.__all__) == spotbeam.__all__
    for name in spotbeam.__all__:
        assert getattr(spotbeam, name).__doc__, name


def test_importing_spotbeam_loads_nothing_heavy() -> None:
    code = "import sys, spotbeam; print(','.join(sorted(m for m in sys.modules if '.' not in m)))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    heavy = {"numpy", "numba", "xarray", "pyarrow", "shapely", "matplotlib", "pandas", "rich"}
    assert not heavy & set(loaded.split(","))
