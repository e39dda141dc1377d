"""Faces and their numbers: a face is found again by the exclusive or of its regions' keys."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Int32s = npt.NDArray[np.int32]


class FaceLog(NamedTuple):
    """How each face was met first: by crossing `segment` from the face `parent`.

    Face 0 is where no region is. A face that was only passed through between two segments crossed
    at once may be no place at all.

    Attributes:
        hash, parent, segment: shape (capacity,); only the first `used[0]` are in use.
        used: shape (1,).
    """

    hash: npt.NDArray[np.uint64]
    parent: Int32s
    segment: Int32s
    used: Int32s


def empty_log(capacity: int) -> tuple[FaceLog, npt.NDArray[np.uint64], Int32s]:
    """A log that holds face 0 only, and a table with room for all that it can hold."""
    log = FaceLog(
        np.zeros(capacity, np.uint64),
        np.full(capacity, -1, np.int32),
        np.full(capacity, -1, np.int32),
        np.ones(1, np.int32),
    )
    return log, *_table(log.hash[:1], 2 * capacity)


def face_table(hashes: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], Int32s]:
    """A table (`slot_hash`, `slot_face`) of faces numbered in the order of their keys here."""
    return _table(hashes, 1 << (2 * len(hashes)).bit_length())


def _table(hashes: npt.NDArray[np.uint64], size: int) -> tuple[npt.NDArray[np.uint64], Int32s]:
    slot_hash = np.zeros(size, np.uint64)
    slot_face = np.full(size, -1, np.int32)
    for face, face_hash in enumerate(hashes.tolist()):
        slot = face_hash & (size - 1)
        while slot_face[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        slot_hash[slot] = face_hash
        slot_face[slot] = face
    return slot_hash, slot_face


# A millimetre: what is thinner counts as rounding.
SLIVER_DEG = 1e-8


@njit(cache=True, nogil=True)
def face_of_hash(slot_hash: Any, slot_face: Any, face_hash: Any) -> Any:
    """The face with a key, or -1."""
    mask = np.uint64(len(slot_hash) - 1)
    slot = face_hash & mask
    while slot_face[slot] >= 0:
        if slot_hash[slot] == face_hash:
            return np.int64(slot_face[slot])
        slot = (slot + np.uint64(1)) & mask
    return np.int64(-1)


@njit(cache=True, nogil=True)
def intern_face(
    log_hash: Any,
    log_parent: Any,
    log_segment: Any,
    log_used: Any,
    slot_hash: Any,
    slot_face: Any,
    face_hash: Any,
    parent: int,
    segment: int,
) -> Any:
    """The face with a key, entered if it is new. -1 if the log is full."""
    face = face_of_hash(slot_hash, slot_face, face_hash)
    if face >= 0:
        return face
    face = np.int64(log_used[0])
    if face >= len(log_hash):
        return -1
    log_hash[face] = face_hash
    log_parent[face] = parent
    log_segment[face] = segment
    log_used[0] = face + 1
    mask = np.uint64(len(slot_hash) - 1)
    slot = face_hash & mask
    while slot_face[slot] >= 0:
        slot = (slot + np.uint64(1)) & mask
    slot_hash[slot] = face_hash
    slot_face[slot] = face
    return face
