"""Entries about people: who is seated by whom, with which keys, and how many must agree."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from spotbeam.governance.entries.words import Base64, Digest, Id, Name

Role = Literal["approver", "registrar", "operator"]
"""An approver decides; a registrar signs requests for askers without a key; an operator proposes.
Anybody rostered may propose and may ask for themselves."""


class FileKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ed25519"):
    """An Ed25519 key in a file or a hardware token: 32 bytes in base64."""

    public: Base64


class PasskeyKey(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="passkey", kw_only=True
):
    """A device-bound passkey that verifies its user.

    Attributes:
        cose: The COSE key (ES256 on P-256, or Ed25519) in base64.
        credential: The credential id in base64.
        rp_id: The relying party: the approver's own machine, `localhost`.
        origins: Where it may be asked: loopback origins only.
    """

    cose: Base64
    credential: Base64
    rp_id: Name
    origins: Annotated[
        tuple[
            Annotated[
                str,
                msgspec.Meta(pattern=r"\Ahttp://(?:localhost|127\.0\.0\.1)(?::[1-9][0-9]{0,4})?\Z"),
            ],
            ...,
        ],
        msgspec.Meta(min_length=1, max_length=8),
    ]


Key: TypeAlias = FileKey | PasskeyKey


class FileProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ed25519"):
    """An Ed25519 signature over the statement: 64 bytes in base64."""

    signature: Base64


class PasskeyProof(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="passkey", kw_only=True
):
    """A passkey's assertion whose challenge is the SHA-256 of the statement; all in base64."""

    authenticator_data: Base64
    client_data: Base64
    signature: Base64
    credential: Base64


Proof: TypeAlias = FileProof | PasskeyProof


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named group of seats that one party fills. Its id is never used again."""

    id: Id
    name: Name
    party: Id


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A natural person, seated in one factor, with keys of their own.

    Attributes:
        id: Never used again, even after the person left.
        identity: Salted commitment to who it is, kept by the party that seats them; their name
            is not in the record, so that it can be erased.
    """

    id: Id
    identity: Digest
    factor: Id
    roles: Annotated[tuple[Role, ...], msgspec.Meta(max_length=3)]
    keys: Annotated[tuple[Key, ...], msgspec.Meta(min_length=1, max_length=8)]


class SmallRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many must agree to a change of a few cells, where that is fewer than the full quorum.

    Attributes:
        cells: How many cells changes may move so, all of them together, until the full quorum
            passes a change there again.
        resolution: Cells count only from this H3 resolution on; a larger one is not small.
    """

    persons: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    factors: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    cells: Annotated[int, msgspec.Meta(ge=1, le=1_000)]
    resolution: Annotated[int, msgspec.Meta(ge=0, le=15)] = 5


class QuorumRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many must agree: so many persons AND so many factors AND these factors.

    Fewer than two of either cannot be written.

    Attributes:
        small: For changes of a few cells; None: they need the full quorum like any other.
    """

    persons: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    factors: Annotated[int, msgspec.Meta(ge=2, le=100)] = 2
    must_include: Annotated[tuple[Id, ...], msgspec.Meta(max_length=20)] = ()
    small: SmallRule | None = None


class WitnessQuorum(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose cosignatures make a checkpoint count.

    Attributes:
        policy: A C2SP tlog-policy file, with the log's own key in it.
        organisations: Who runs each witness that it names.
        mirrors: Those that keep and serve every entry before they sign.
        faulty: How many organisations may lie together.
    """

    policy: Annotated[str, msgspec.Meta(max_length=30_000)]
    organisations: Annotated[dict[Name, Name], msgspec.Meta(max_length=20)]
    mirrors: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)]
    faulty: Annotated[int, msgspec.Meta(ge=1, le=5)] = 1


class Possession(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Proof that somebody holds a key: their signature over where the key is brought in."""

    key: Digest
    proof: Proof


class Boundaries(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The borders that a point of view is drawn with, by digest."""

    view: Id
    source: Name
    digest: Digest


class Genesis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="genesis"):
    """Entry 0: all that a reader must be brought by hand is its digest.

    Attributes:
        salt: 32 random bytes: two logs of one origin never begin alike.
        possessions: Of every key of every person.
    """

    origin: Name
    salt: Digest
    rules_version: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    factors: Annotated[tuple[Factor, ...], msgspec.Meta(min_length=2, max_length=50)]
    persons: Annotated[tuple[Person, ...], msgspec.Meta(min_length=2, max_length=100)]
    quorum: QuorumRule
    witness_quorum: WitnessQuorum
    boundaries: Annotated[tuple[Boundaries, ...], msgspec.Meta(max_length=50)] = ()
    possessions: Annotated[tuple[Possession, ...], msgspec.Meta(max_length=200)]


class Revocation(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="revocation"
):
    """A person gives up one of their own keys, at once."""

    revoked: Digest
