"""A witness's folder and its server: keys, what it signed last, and the logs it knows.

witness.key          PRIVATE+KEY+…, one line a key, 0600
checkpoints.sqlite   what it signed last of each log: never to be lost, never to go back
logs                 the verifier keys of the logs, one a line
mirror.key           with --mirror: its own key
pending.sqlite       what the mirror was last asked to hold
mirror/<hash>/…      its copies, which any web server can publish
evidence/…           two views that a log has signed, should that happen
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from spotbeam.assembly.folder_lock import hold
from spotbeam.assembly.named_witnesses import NamedWitnesses
from spotbeam.errors import InputError, MalformedRecord, RecordError
from spotbeam.http.client import check_url
from spotbeam.http.serving import listen, serve_on, url_of
from spotbeam.http.witness_server import Duties, Identity, witness_app
from spotbeam.record import disk
from spotbeam.record.checkpoint_store import SqliteCheckpoints
from spotbeam.record.evidence import equivocation
from spotbeam.record.keys import (
    COSIGNATURE_ED25519,
    COSIGNATURE_MLDSA44,
    ED25519,
    Signer,
    VerifierKey,
    check_key_name,
    format_signer_key,
    new_seed,
    parse_signer_key,
    parse_verifier_key,
)
from spotbeam.record.mirror import Mirror
from spotbeam.record.witness import Witness

_STORES = {"witness": "checkpoints.sqlite", "mirror": "pending.sqlite"}


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness hands to a log: its keys, and the lines for the log's witness policy.

    Attributes:
        witness, mirror: Verifier keys; there is no mirror's without `--mirror`.
        policy: `witness <name> <verifier key> <url>`, one for each key.
        logs: The verifier keys of the logs that it knows.
        is_new: Whether the folder was made just now.
    """

    folder: str
    witness: tuple[str, ...]
    mirror: tuple[str, ...]
    policy: tuple[str, ...]
    logs: tuple[str, ...]
    is_new: bool


def prepare_witness(
    path: Path,
    url: str,
    *,
    name: str | None = None,
    mirror: bool = False,
    mldsa: bool = False,
    logs: Sequence[str] = (),
) -> Enrolment:
    """Make a witness's folder, or take the one that is there; what is there never begins anew.

    Args:
        path: The folder.
        url: Where its server is reached from outside.
        name: The name of new keys; None: the folder's own. The mirror's is `<name>/mirror`.
        mirror: Whether it is to be a mirror too; once it is, it stays one.
        mldsa: Whether it is to have an ML-DSA-44 key beside the Ed25519 key.
        logs: Verifier keys of logs to know from now on; a running server takes them in.

    Raises:
        InputError: A key or its file of checkpoints is missing beside the other, a key cannot be
            read, the name cannot be a key's, or one of `logs` is no log's key.
    """
    outside = check_url(url)
    is_new = not (path / "witness.key").exists()
    witness, mirroring = _open_keys(path, name, mirror, mldsa)
    _know(path, logs)
    lines = [
        f"witness {_label(signer)} {signer.key} {outside}/{kind}"
        for kind, signers in (("witness", witness), ("mirror", mirroring))
        for signer in signers
    ]
    return Enrolment(
        folder=str(path),
        witness=tuple(str(signer.key) for signer in witness),
        mirror=tuple(str(signer.key) for signer in mirroring),
        policy=tuple(lines),
        logs=tuple(map(str, _read_logs(path))),
        is_new=is_new,
    )


def serve_witness(
    path: Path,
    *,
    host: str,
    port: int,
    url: str | None,
    show: Callable[[Enrolment], object],
    name: str | None = None,
    mirror: bool = False,
    mldsa: bool = False,
    logs: Sequence[str] = (),
) -> None:
    """Serve a witness from its folder until it is told to stop.

    Args:
        path: The folder; made on the first run.
        host, port: Where it listens; port 0 takes any.
        url: Where it is reached from outside; None: there.
        show: Told its keys and policy lines before the first request.
        name, mirror, mldsa, logs: As for `prepare_witness`.

    Raises:
        InputError: As there; or another process serves the folder, or the port is taken.
    """
    _make_folder(path)
    with contextlib.ExitStack() as opened:
        opened.enter_context(
            hold(path / "lock", "this witness", "one process serves a witness's folder")
        )
        socket = listen(host, port)
        opened.callback(socket.close)
        show(
            prepare_witness(
                path, url or url_of(socket), name=name, mirror=mirror, mldsa=mldsa, logs=logs
            )
        )
        duties = _duties(path, opened)
        serve_on(witness_app(duties), socket, "mirror" if duties.mirror else "witness")


def _duties(path: Path, opened: contextlib.ExitStack) -> Duties:
    witness_keys, mirror_keys = _open_keys(path, None, False, False)

    def store(kind: str) -> SqliteCheckpoints:
        kept = SqliteCheckpoints(path / _STORES[kind])
        opened.callback(kept.close)
        return kept

    witness = Witness({}, witness_keys, store("witness"))
    mirror = None
    if mirror_keys:
        named = NamedWitnesses(path / "mirror")
        mirror = Mirror({}, mirror_keys, store("mirror"), path / "mirror", named.of)
    seen: list[tuple[int, ...]] = [()]

    def look() -> None:
        """Take in logs that were added to the file since it was read last."""
        try:
            found = os.stat(path / "logs")
        except FileNotFoundError:
            return
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen[0] != mark:
            for key in _read_logs(path):
                witness.know(key)
                if mirror is not None:
                    mirror.know(key)
            seen[0] = mark

    def keep(one: bytes, other: bytes) -> None:
        proof = bytes(equivocation(one, other))
        place = path / "evidence" / f"{sha256(proof).hexdigest()[:16]}.txt"
        disk.write_once(place, proof)
        print(f"spotbeam: a log has signed two views: {place}", file=sys.stderr, flush=True)

    look()
    return Duties(
        witness=witness,
        mirror=mirror,
        copies=path / "mirror",
        identity=lambda: Identity(
            witness=tuple(str(signer.key) for signer in witness_keys),
            mirror=tuple(str(signer.key) for signer in mirror_keys),
            logs=tuple(map(str, _read_logs(path))),
        ),
        now_s=lambda: int(time.time()),
        look=look,
        keep=keep,
    )


def _open_keys(
    path: Path, name: str | None, mirror: bool, mldsa: bool
) -> tuple[tuple[Signer, ...], tuple[Signer, ...]]:
    """The keys of the witness and of the mirror, made where they are to be and are not yet."""
    chosen = path.resolve().name if name is None else name
    if name is not None or not (path / "witness.key").exists():
        try:
            check_key_name(chosen)
        except MalformedRecord as fault:
            raise InputError(fault.message, place="--name", hint=fault.hint) from None
    _make_folder(path)
    witness = _party(path, "witness", chosen, mldsa)
    if name is not None and witness[0].key.name != name:
        raise InputError(
            f"this witness is named {witness[0].key.name!a}, not {name!a}",
            place="--name",
            hint="a name is for good: another witness needs another folder",
        )
    if not mirror and not (path / "mirror.key").exists():
        return witness, ()
    return witness, _party(path, "mirror", f"{witness[0].key.name}/mirror", mldsa)


def _make_folder(path: Path) -> None:
    if not path.is_dir():
        try:
            disk.make_folder(path)
            path.chmod(0o700)
        except OSError as fault:
            raise InputError(f"cannot be made: {fault.strerror}", place=str(path)) from None


def _party(path: Path, kind: str, name: str, mldsa: bool) -> tuple[Signer, ...]:
    """The keys of one of the two; new ones only where nothing was ever signed."""
    key_path, store_path = path / f"{kind}.key", path / _STORES[kind]
    if not key_path.exists():
        _begin_store(path, store_path, key_path)
        _write_keys(key_path, [format_signer_key(name, COSIGNATURE_ED25519, new_seed())])
    try:
        SqliteCheckpoints(store_path).close()
    except (FileNotFoundError, RecordError) as fault:
        message = fault.message if isinstance(fault, RecordError) else str(fault)
        raise InputError(
            f"what this {kind} signed last cannot be read: {message}",
            place=str(store_path),
            hint=f"a {kind} that has forgotten would sign a second view of a log: make a new one, "
            "with new keys, in another folder",
        ) from None
    lines = _read_keys(key_path)
    signers = [_signer(key_path, line) for line in lines]
    if mldsa and all(each.key.algorithm != COSIGNATURE_MLDSA44 for each in signers):
        line = format_signer_key(signers[0].key.name, COSIGNATURE_MLDSA44, new_seed())
        _write_keys(key_path, [*lines, line])
        signers.append(parse_signer_key(line))
    return tuple(signers)


def _begin_store(path: Path, store_path: Path, key_path: Path) -> None:
    """A new file of checkpoints; it is on disk before there is a key that could sign."""
    if not store_path.exists():
        SqliteCheckpoints(store_path, create=True).close()
        return
    kept = SqliteCheckpoints(store_path)
    try:
        for log in _read_logs(path):
            if kept.latest(log.name) is not None:
                raise InputError(
                    f"the key is gone, but what it signed of {log.name!a} is here",
                    place=str(key_path),
                    hint="put the key back, or make a new witness in another folder",
                )
    finally:
        kept.close()


def _write_keys(path: Path, lines: Sequence[str]) -> None:
    disk.replace(path, "".join(f"{line}\n" for line in lines).encode(), mode=0o600)


def _read_keys(path: Path) -> list[str]:
    try:
        lines = path.read_text("ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    if not lines:
        raise InputError("the key cannot be read", place=str(path))
    return lines


def _signer(path: Path, line: str) -> Signer:
    try:
        signer = parse_signer_key(line)
    except MalformedRecord as fault:
        raise InputError(fault.message, place=str(path), hint=fault.hint) from None
    if signer.key.algorithm == ED25519:
        raise InputError("this is the key of a log, not of a witness", place=str(path))
    return signer


def _label(signer: Signer) -> str:
    """What the policy calls a key: any word will do there."""
    label = signer.key.name.replace("/", "-")
    return f"{label}-mldsa" if signer.key.algorithm == COSIGNATURE_MLDSA44 else label


def _know(path: Path, keys: Sequence[str]) -> None:
    known = _read_logs(path)
    added = list(known)
    for text in keys:
        try:
            key = parse_verifier_key(text.strip())
        except MalformedRecord as fault:
            raise InputError(fault.message, place="--log", hint=fault.hint) from None
        if key.algorithm != ED25519:
            raise InputError(
                f"the key of {key.name!a} is not a log's",
                place="--log",
                hint="`spotbeam log` prints the log's key when it starts",
            )
        if key not in added:
            added.append(key)
    if len(added) != len(known):
        disk.replace(path / "logs", "".join(f"{key}\n" for key in added).encode())


def _read_logs(path: Path) -> tuple[VerifierKey, ...]:
    place = path / "logs"
    try:
        lines = place.read_text("utf-8").split("\n")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError):
        raise InputError("the file of known logs cannot be read", place=str(place)) from None
    keys = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            keys.append(parse_verifier_key(line.strip()))
        except MalformedRecord as fault:
            raise InputError(
                fault.message, place=f"{place}, line {number}", hint=fault.hint
            ) from None
    return tuple(keys)
