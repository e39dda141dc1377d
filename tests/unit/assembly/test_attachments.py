"""What a draft's files hold: lists, documents, proofs; and what is kept beside the record."""

from __future__ import annotations

import stat
from hashlib import sha256
from pathlib import Path

import pytest
from support.governance import ORIGIN

from spotbeam.assembly.attachments import (
    attached,
    keep_list,
    keep_seal,
    list_file,
    read_openings,
    seal_file,
)
from spotbeam.assembly.key_files import new_key_file, read_key_file
from spotbeam.assembly.rule_drafts import draft_of
from spotbeam.assembly.scenarios import load_scenario
from spotbeam.control.drafts import parse_draft
from spotbeam.control.proposing import Attached
from spotbeam.errors import InputError, OutputError
from spotbeam.governance.entries import possession_statement
from spotbeam.governance.entries.rules import rule_of
from spotbeam.governance.proofs import check_proof
from spotbeam.record.keys import decode_base64, encode_base64
from spotbeam.record.seal import commit, verify_opening

GENESIS = "7" * 64


def read(text: str, folder: Path) -> Attached:
    found, _ = attached(
        parse_draft(text, "d.toml"), folder, origin=ORIGIN, genesis=GENESIS, entry="c1", place="d"
    )
    return found


def kits(folder: Path, data: bytes) -> list[str]:
    (folder / "kits").write_bytes(data)
    rows = read('[[list]]\nname = "kits"\nfile = "kits"', folder).lists["kits"]
    salts = [salt for _, salt in rows]
    assert all(len(salt) == 16 for salt in salts)
    assert len(set(salts)) == len(salts)
    assert salts == sorted(salts), "a row's place tells nothing of the others"
    return sorted(terminal for terminal, _ in rows)


@pytest.mark.parametrize(
    "data",
    [
        b"a\nb\nc\n",
        b"a\r\nb\r\nc",
        b"\xef\xbb\xbf# kits\na # first\n\nb\nc\n",
        b"terminal\na\nb\nc\n",
        b"ID\na\nb\nc\n",
        b'no,terminal,remark\n1,a,\n2,b,x\n3,c,"y\nz"\n',
    ],
)
def test_a_list_is_read_from_lines_or_from_a_column(tmp_path: Path, data: bytes) -> None:
    assert kits(tmp_path, data) == ["a", "b", "c"]


def test_an_empty_list_is_a_list(tmp_path: Path) -> None:
    assert kits(tmp_path, b"") == []
    assert kits(tmp_path, b"terminal\n") == []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a\nb\na\n", "line 3: the terminal 'a' stands there twice"),
        (b"terminal,x\na,1\n,2\n", "line 3: '' is no terminal's id"),
        (b"kit,x\na,1\n", "no column 'terminal'"),
        (b"x,terminal\n1,a\n2\n", "line 3"),
        (b"\xff\n", "byte 0 is not UTF-8"),
        (b"a\x07\n", "is no terminal's id"),
        (b"x" * 201 + b"\n", "is no terminal's id"),
    ],
)
def test_a_list_that_is_wrong_is_told_by_its_line(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        kits(tmp_path, data)


def test_a_ground_goes_in_by_the_digest_of_its_document(tmp_path: Path) -> None:
    (tmp_path / "order.pdf").write_bytes(b"whereas")
    text = 'drop_rule = ["a"]\n[[ground]]\nkind = "order"\nid = "o-1"\nfile = "order.pdf"'
    assert read(text, tmp_path).grounds == {"order.pdf": sha256(b"whereas").hexdigest()}


def test_openings_come_back_as_they_were_kept(tmp_path: Path) -> None:
    rows = [("kit-1", b"a" * 16), ('kit,"2"', b"b" * 16), ("кит", b"c" * 16)]
    keep_list(list_file(tmp_path, "kits", 3), rows)
    keep_seal(seal_file(tmp_path, "s1"), "s1", b"[]", encode_base64(b"s" * 16))
    found = read_openings(tmp_path, [("kits", 3), ("kits", 4)], ["s1", "s2"])
    assert found.lists == {("kits", 3): tuple(rows)}
    assert found.seals == {"s1": (b"[]", b"s" * 16)}
    for path in (list_file(tmp_path, "kits", 3), seal_file(tmp_path, "s1")):
        path.write_bytes(path.read_bytes()[:-9])
    assert read_openings(tmp_path, [], ["s1"]).seals == {}


SEAT = '[[seat]]\nid = "fay"\nfactor = "civil"\nroles = ["approver"]\nkeys = ["fay.key"]\n'


def test_a_private_key_at_hand_proves_itself_and_identities_are_salted(tmp_path: Path) -> None:
    new_key_file(tmp_path / "fay.key", "fay")
    draft = parse_draft(SEAT + 'name = "Fay Example"', "d.toml")
    found, salted = attached(draft, tmp_path, origin=ORIGIN, genesis=GENESIS, entry="c1", place="d")
    proven = found.keys["fay.key"]
    text = possession_statement(ORIGIN, GENESIS, "fay", proven.possession.key, "c1")
    check_proof(proven.key, proven.possession.proof, text)
    (one,) = salted
    assert found.identities == {"fay": one.identity}
    salt = decode_base64(one.salt, "salt")
    verify_opening(bytes.fromhex(one.identity), ORIGIN, "c1", "identity:fay", b"Fay Example", salt)
    guessed = commit(ORIGIN, "c1", "identity:fay", b"Fay Example", bytes(16)).hex()
    assert guessed != one.identity, "without the salt nobody can guess who it is"


def test_a_key_file_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "ada.key"
    made = new_key_file(path, "ada")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(OutputError, match="never written over"):
        new_key_file(path, "ada")
    assert path.read_bytes() == before
    again = read_key_file(path)
    assert (again.person, again.digest) == ("ada", made.digest)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"PRIVATE+KEY+ada+00000000+AAAA\n", b"\xff\xfe", b'{"spotbeam":"passkey/v1"}',
     b'{"spotbeam":"possession/v1"}', b"[1]", b"x" * 70_000],
)  # fmt: skip
def test_junk_is_no_key_file_and_its_message_shows_no_secret(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.key"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_key_file(path)
    assert "AAAA" not in str(caught.value)


def test_the_rules_of_a_scenario_become_a_draft_that_means_the_same() -> None:
    made = draft_of("black-sea")
    loaded, _ = load_scenario("black-sea")
    draft = parse_draft(made.text, "first-rules.toml")
    assert tuple(rule_of(entry) for entry in draft.rules) == loaded.rules
    assert set(made.where) == {name for rule in loaded.rules for name in rule.where}
    assert set(made.grounds) == {name for rule in loaded.rules for name in rule.grounds}
