"""`spotbeam change preview`: what a change would do, in words, as JSON, as a map and as cells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import geopandas
import pytest
from support.switch import RULES, Town, done, run


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("town"), apart=True)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def ada(town: Town) -> Path:
    rex = town.join("rex")
    done(
        rex, "request", "new", "--verb", "activate", "--where", "MT", "--asker", "harbour-office",
        "--channel", "letter", "--verified", "call-back",
        "--answer-by", "30d", "--ground", "authorisation:mt-1",
        "--ground", "order:mt-2", "--as", "rex", "--id", "ask-1", "--wait",
    )  # fmt: skip
    folder = town.join("ada")
    (folder / "rules.toml").write_text(RULES)
    return folder


def test_a_preview_in_words_in_json_and_in_files_says_one_thing(town: Town, ada: Path) -> None:
    asked = ("change", "preview", ada / "rules.toml", "--request", "ask-1")
    told = done(ada, *asked)
    assert "Effect on cells and rules" in told
    assert "rule mt-authorised: new" in told
    facts = json.loads(
        done(ada, *asked, "--json", "--map", ada / "map.png", "--cells", ada / "cells.parquet")
    )
    assert "Impact digest, which approvals name: " in told  # another each time: see below
    assert (ada / "map.png").read_bytes().startswith(b"\x89PNG")
    effects = facts["public"]["seen"][0]["phases"][0]["effects"]
    gained = [
        e
        for e in effects
        if (e["reference"], e["territory"], e["kind"]) == ("ordinary", "MT", "gained")
    ]
    cells = geopandas.read_parquet(ada / "cells.parquet")
    chosen = cells[(cells.reference == "ordinary") & (cells.kind == "gained")]
    assert sum("MT" in ids for ids in chosen.territories) == sum(e["cells"] for e in gained) > 500
    # Somebody else's machine, from its own copy of the record, comes to the same.
    bo = town.join("bo")
    (bo / "rules.toml").write_text(RULES)
    other = json.loads(
        done(bo, "change", "preview", bo / "rules.toml", "--request", "ask-1", "--json")
    )
    # The draft's own time of lapsing is of the moment at which it was read.
    del facts["public"]["proposal"], other["public"]["proposal"]
    assert facts["public"] == other["public"]


def test_what_is_wrong_is_one_message(town: Town, ada: Path) -> None:
    asked = ("change", "preview", ada / "rules.toml", "--request", "ask-1")
    for arguments, words in (
        ((*asked, "--map", ada / "nowhere" / "map.png"), "cannot be written"),
        (("change", "preview", ada / "rules.toml", "--request", "ask-9"), "ask-9"),
    ):
        found = run(ada, *arguments, apart=True)
        assert found.returncode in (1, 2)
        assert words in found.stderr
        assert "Traceback" not in found.stderr
