"""`spotbeam witness`: watches that a log never shows two views, and keeps copies of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import cyclopts

from spotbeam.assembly.serve_witness import Enrolment, prepare_witness, serve_witness
from spotbeam.cli.output import print_json

Flag = Annotated[bool, cyclopts.Parameter(negative="")]


def witness(
    folder: Path,
    /,
    *,
    mirror: Flag = False,
    log: Annotated[list[str] | None, cyclopts.Parameter(negative="")] = None,
    name: str | None = None,
    host: str = "127.0.0.1",
    port: int = 7410,
    url: str | None = None,
    mldsa: Flag = False,
    prepare: Flag = False,
    json: Flag = False,
) -> None:
    """Run a witness: it signs a log's checkpoint only if it continues the one before.

    The first run makes the folder and its keys, and prints the lines that a log puts into its
    witness policy. Later runs go on from there.

    Parameters
    ----------
    folder
        The witness's own folder. Never restore it from a backup: make a new witness instead.
    mirror
        Keep and serve every entry as well, under a second key that signs only what is kept.
    log
        Verifier key of a log to know from now on, NAME+ID+BASE64; may be given several times.
        A witness that is running takes it in.
    name
        Name of the keys, for good, such as `witness.example/w1`; else the folder's.
    host
        Address to listen on.
    port
        Port to listen on; 0 takes any.
    url
        Where it is reached from outside, for the policy lines; else where it listens.
    mldsa
        Add an ML-DSA-44 key, which signs beside the Ed25519 key.
    prepare
        Make the folder, add logs, print the lines, and do not serve.
    json
        Print keys and lines as JSON.
    """
    logs = tuple(log or ())
    if prepare:
        outside = url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        enrolment = prepare_witness(
            folder, outside, name=name, mirror=mirror, mldsa=mldsa, logs=logs
        )
        _show(enrolment, json)
        return
    serve_witness(
        folder,
        host=host,
        port=port,
        url=url,
        show=lambda enrolment: _show(enrolment, json),
        name=name,
        mirror=mirror,
        mldsa=mldsa,
        logs=logs,
    )


def _show(enrolment: Enrolment, json: bool) -> None:
    if json:
        print_json(enrolment)
    else:
        print("New witness: keys are in" if enrolment.is_new else "Witness in", enrolment.folder)
        print("For a log's witness policy:")
        for line in enrolment.policy:
            print(f"  {line}")
        if enrolment.logs:
            print("Knows these logs:")
            for key in enrolment.logs:
                print(f"  {key}")
        else:
            print("Knows no log yet: add one with --log VERIFIER-KEY")
    sys.stdout.flush()
