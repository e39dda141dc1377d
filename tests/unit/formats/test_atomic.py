"""Files are whole or not there, and what stood there before still stands when a write fails."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys

import pytest

from spotbeam.errors import OutputError
from spotbeam.formats.atomic import discard_leftovers, replacing, write_bytes, write_text


def test_a_file_is_replaced_whole_and_obeys_the_umask(tmp_path):
    path = tmp_path / "summary.json"
    old = os.umask(0o027)
    try:
        write_bytes(path, b"one")
        write_text(path, "zwei: ü\n")
    finally:
        os.umask(old)
    assert path.read_bytes() == "zwei: ü\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_that_fails_leaves_what_was_there(tmp_path, problem):
    path = tmp_path / "cells.parquet"
    path.write_bytes(b"before")

    def write():
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise problem

    with pytest.raises((KeyboardInterrupt, OSError)):
        write()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "map.png"
    path.write_bytes(b"before")
    with replacing(path) as temporary:
        temporary.write_bytes(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"


def test_what_a_killed_writer_left_is_swept_and_nothing_else(tmp_path):
    script = (
        "import os, signal, sys\n"
        "from spotbeam.formats.atomic import replacing\n"
        "with replacing(sys.argv[1]) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "map.png"
    path.write_bytes(b"before")
    killed = subprocess.run([sys.executable, "-c", script, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    (tmp_path / ".part").write_bytes(b"the user's own")
    assert path.read_bytes() == b"before"
    assert discard_leftovers(tmp_path) == 1
    assert sorted(item.name for item in tmp_path.iterdir()) == [".part", "map.png"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "real.json", tmp_path / "link.json"
    target.write_bytes(b"before")
    link.symlink_to(target)
    write_bytes(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"


def test_what_is_no_file_is_not_replaced(tmp_path):
    for path, message in (
        (tmp_path, "is a folder"),
        ("/dev/null", "not an ordinary file"),
        (tmp_path / "none" / "map.png", "No such file or directory"),
    ):
        with pytest.raises(OutputError, match=message) as caught:
            write_bytes(path, b"")
        assert caught.value.hint
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
