"""A picture in few colours, which is a third of the size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from spotbeam.report import legend


def reduced(
    pixels: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A picture in 256 colours: those of the legend exactly, the rest as Pillow finds them.

    Pillow's own mapping to a palette is approximate and would tint the paper.

    Args:
        pixels: Red, green and blue, shape (height, width, 3).

    Returns:
        The place in the palette of each pixel, shape (height, width), and the palette, shape
        (256, 3).
    """
    exact = bytes.fromhex("".join(colour[1:] for colour in legend.exact_colours()))
    n_found = 256 - len(exact) // 3
    found = Image.fromarray(pixels).quantize(n_found, Image.Quantize.MEDIANCUT).getpalette() or []
    palette = np.zeros((256, 3), dtype=np.uint8)
    flat = np.frombuffer(exact + bytes(found[: 3 * n_found]), dtype=np.uint8)
    palette[: len(flat) // 3] = flat.reshape(-1, 3)
    # Boxes of four levels a channel: each goes to the colour nearest to the mean of what is in it,
    # which for the legend's large areas is their very colour.
    red, green, blue = (pixels[:, :, channel].astype(np.int32) for channel in range(3))
    box = (red >> 2 << 12) | (green >> 2 << 6) | (blue >> 2)
    number = np.bincount(box.ravel(), minlength=1 << 18)
    used = np.flatnonzero(number)
    mean = np.column_stack(
        [np.bincount(box.ravel(), channel.ravel(), 1 << 18)[used] for channel in (red, green, blue)]
    )
    centre = mean / number[used, np.newaxis]
    distance = ((centre[:, np.newaxis, :] - palette.astype(np.float64)) ** 2).sum(axis=2)
    nearest = np.zeros(1 << 18, dtype=np.uint8)
    nearest[used] = distance.argmin(axis=1)
    return nearest[box], palette
