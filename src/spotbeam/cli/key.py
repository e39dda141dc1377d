"""`spotbeam key`: keys of persons, in files and as passkeys, and proofs that somebody holds one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import cyclopts
import msgspec

from spotbeam.assembly.hands import announcer, signing
from spotbeam.assembly.key_files import (
    PasskeyFile,
    PersonalKey,
    ProofFile,
    new_key_file,
    read_key_file,
    write_new,
)
from spotbeam.assembly.sending import checked_id
from spotbeam.assembly.workspace import Workspace, find_workspace
from spotbeam.cli.output import console, print_json
from spotbeam.cli.signing import Flag, show_facts
from spotbeam.control.founding import GENESIS_ID
from spotbeam.control.seating import possession
from spotbeam.control.wording import plain
from spotbeam.errors import InputError
from spotbeam.governance.entries.people import FileKey

USUAL_PORT = 8471
Browser = Annotated[bool, cyclopts.Parameter(negative="--no-browser")]


def new(*, person: str, out: Path | None = None, json: Flag = False) -> None:
    """Make an Ed25519 key in a file that only you read, and print its public half.

    Parameters
    ----------
    person
        Your id on the roster, as ada.
    out
        The file; never written over. keys/<person>.key of the workspace, or here, if left out.
    json
        Print the facts as JSON.
    """
    checked_id(person, "--person")
    made = new_key_file(out or _usual_place(f"{person}.key"), person)
    _show(made, json, secret=True)


def show(file: Path, /, *, json: Flag = False) -> None:
    """Print whose key a file holds, its public half and its digest; never the private one.

    Parameters
    ----------
    file
        A key file, a passkey file or a proof of possession.
    json
        Print the facts as JSON.
    """
    _show(read_key_file(file), json)


def prove(
    file: Path,
    /,
    *,
    origin: str | None = None,
    entry: str = GENESIS_ID,
    genesis: str | None = None,
    out: Path | None = None,
    workspace: Annotated[Path | None, cyclopts.Parameter(name=["--workspace", "-w"])] = None,
    browser: Browser = True,
    json: Flag = False,
) -> None:
    """Prove that you hold a key: for a first roster, or for the change that will seat you.

    The proof is good for one entry of one record, and holds nothing secret: send it to whoever
    writes the roster or proposes the change.

    Parameters
    ----------
    file
        Your key file or passkey file.
    origin
        The log's name; the workspace's if left out.
    entry
        Id of the entry that brings the key in: `genesis`, or that of the proposal.
    genesis
        Digest of entry 0; none for entry 0 itself, else the workspace's if left out.
    out
        The file; <person>.proof here if left out.
    workspace
        Your workspace.
    browser
        Open the page for a passkey; --no-browser only prints its address.
    json
        Print the proof as JSON.
    """
    checked_id(entry, "--entry")
    origin, genesis = _record(origin, genesis, entry, workspace)
    signer = signing(None, None, file, browser=browser)
    signer.title = f"Prove that you hold this key, for the entry {entry}"
    signer.facts = (("record", plain(origin)), ("entry", entry), ("begins with", genesis or "-"))
    proof = ProofFile(
        person=signer.person,
        origin=origin,
        genesis=genesis,
        entry=entry,
        key=signer.found.key,
        possession=possession(origin, genesis, entry, signer.hand),
    )
    path = out or Path(f"{signer.person}.proof")
    write_new(path, msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n")
    if json:
        print_json(proof)
        return
    show_facts(
        [
            ("proof", str(path)),
            ("of", signer.person),
            ("key", signer.found.digest),
            ("good for", f"the entry {entry} of {plain(origin)}, and for nothing else"),
        ]
    )


def passkey(
    *,
    person: str,
    out: Path | None = None,
    port: int = USUAL_PORT,
    browser: Browser = True,
    json: Flag = False,
) -> None:
    """Make a passkey on a page that your own machine serves; it never leaves its device.

    Parameters
    ----------
    person
        Your id on the roster, as ada.
    out
        The file for its public half; keys/<person>.passkey of the workspace, or here.
    port
        Where the page is served: the passkey will count only from there.
    browser
        Open the page; --no-browser only prints its address.
    json
        Print the facts as JSON.
    """
    from spotbeam.http.passkey_page import register  # nothing else here needs a server

    checked_id(person, "--person")
    if not 1024 <= port <= 65_535:
        raise InputError(f"{port} is not within 1024 to 65535", place="--port")
    path = out or _usual_place(f"{person}.passkey")
    if path.exists():
        raise InputError("is there already, and is never written over", place=str(path))
    key = register(person, port=port, announce=announcer(browser=browser))
    write_new(
        path,
        msgspec.json.format(msgspec.json.encode(PasskeyFile(person=person, key=key)), indent=2)
        + b"\n",
    )
    _show(PersonalKey(path=path, person=person, key=key), json)


def _usual_place(name: str) -> Path:
    try:
        keys = find_workspace().keys
    except InputError:
        return Path(name)
    return keys / name if keys.is_dir() else Path(name)


def _record(
    origin: str | None, genesis: str | None, entry: str, workspace: Path | None
) -> tuple[str, str]:
    """For which record a proof is: what was said, or the workspace's."""
    found: Workspace | None = None
    if origin is None or (genesis is None and entry != GENESIS_ID):
        try:
            found = find_workspace(workspace)
        except InputError:
            lacks = "--origin" if origin is None else "--genesis"
            raise InputError(
                f"for which record is not said: {lacks} is missing",
                hint="give --origin NAME, and --genesis DIGEST unless it is for entry 0",
            ) from None
    if entry == GENESIS_ID:
        genesis = ""
    elif genesis is None:
        assert found is not None
        genesis = found.settings.genesis
    if genesis and (len(genesis) != 64 or set(genesis) - set("0123456789abcdef")):
        raise InputError(
            f"{genesis!r} is no digest", place="--genesis", hint="64 hexadecimal digits"
        )
    if origin is None:
        assert found is not None
        origin = found.settings.origin
    return origin, genesis


def _show(found: PersonalKey, json: bool, *, secret: bool = False) -> None:
    key = found.key
    is_file = isinstance(key, FileKey)
    facts = {
        "file": str(found.path),
        "person": found.person,
        "kind": "file" if is_file else "passkey",
        "public": key.public if isinstance(key, FileKey) else key.cose,
        "digest": found.digest,
    }
    if not isinstance(key, FileKey):
        facts["counts from"] = ", ".join(key.origins)
    if found.proof is not None:
        facts["proof for"] = f"the entry {found.proof.entry} of {plain(found.proof.origin)}"
    if json:
        print_json({name.replace(" ", "_"): value for name, value in facts.items()})
        return
    show_facts(tuple(facts.items()))
    if secret:
        console().print(
            "Keep the file where only you read it; nobody else ever needs it.", markup=False
        )
