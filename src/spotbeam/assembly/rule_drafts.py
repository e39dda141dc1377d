"""The rules of a scenario as the draft of a change, which a fresh record gets its policy by."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from spotbeam.assembly.scenarios import load_scenario, shipped_scenarios, shipped_text
from spotbeam.control.drafts import parse_draft
from spotbeam.errors import InputError
from spotbeam.times import format_time, from_datetime


class RuleDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A draft, and the request that it needs.

    Attributes:
        text: TOML for `spotbeam change propose`.
        where: The ground of the rules; empty where one acts everywhere.
        grounds: What the rules cite.
    """

    text: str
    where: tuple[str, ...]
    grounds: tuple[str, ...]

    @property
    def ask(self) -> str:
        """The command that asks for it, but for who asks and when it must be answered."""
        words = [f"--where {name}" for name in self.where] + [f"--ground {n}" for n in self.grounds]
        return f"spotbeam request new --verb activate {' '.join(words)}"


def draft_of(scenario: str) -> RuleDraft:
    """The rules, lists and sponsors of a scenario as a draft.

    Args:
        scenario: A shipped name or a TOML file.

    Raises:
        InputError: There is no such scenario, it has no rules, or a rule is one that no record
            can carry.
    """
    loaded, folder = load_scenario(scenario)
    is_shipped = scenario in shipped_scenarios()
    data = tomllib.loads(
        shipped_text(scenario) if is_shipped else Path(scenario).read_text(encoding="utf-8")
    )
    if not loaded.rules:
        raise InputError("has no rules", place=loaded.name, hint="take another scenario")
    grounds = tuple(dict.fromkeys(name for rule in loaded.rules for name in rule.grounds))
    is_everywhere = any(not rule.where for rule in loaded.rules)
    names = () if is_everywhere else tuple(n for rule in loaded.rules for n in rule.where)
    for table in data.get("list", []):
        if "file" in table:
            table["file"] = str((folder / table["file"]).resolve())
    tables = "\n".join(
        _table(key, table) for key in ("list", "sponsor", "rule") for table in data.get(key, [])
    )
    head = RuleDraft(text="", where=tuple(dict.fromkeys(names)), grounds=grounds)
    text = (
        f"# The rules of the scenario {loaded.name}, as a change that brings them in.\n"
        f"# Ask for it first:\n#   {head.ask} …\n# then:\n"
        f"#   spotbeam change propose first-rules.toml --request ID …\n\n{tables}"
    )
    parse_draft(text, f"the rules of {loaded.name}")
    return msgspec.structs.replace(head, text=text)


def _table(name: str, table: Mapping[str, Any]) -> str:
    return "".join([f"[[{name}]]\n", *(f"{_key(k)} = {_toml(v)}\n" for k, v in table.items())])


def _toml(value: Any) -> str:
    """A value as TOML writes it; strings as in JSON, which TOML reads as well."""
    if isinstance(value, datetime):
        return format_time(from_datetime(value))
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_toml(v)}' for k, v in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else json.dumps(name)
