"""From strokes on a pad to an image as those of MNIST are."""

import numpy as np
import torch
from torchvision.transforms import functional as transforms

from helpers import robustness
from helpers.data import SIDE

BOX = 20  # pixels: the longer side of a digit of MNIST
CENTRE = 14  # the row and column, counted from 0, where its centre of mass lies


def normalised(ink):
    """Return what is drawn on a pad (n, n), from 0 to 1, as an image (784,) in float32; an empty pad is all zeros.

    As MNIST's images were made: the drawing is scaled, its proportions kept, so that it just fits a box of 20 x 20
    pixels, and shifted so that its centre of mass lies in the middle (LeCun et al. 1998, section III.A).
    """
    image = np.zeros((SIDE, SIDE), np.float32)
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0.1) for axis in (1, 0))
    if not len(rows):
        return image.ravel()
    cut = torch.from_numpy(np.array(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], np.float32))
    size = [max(1, round(BOX * side / max(cut.shape))) for side in cut.shape]
    small = transforms.resize(cut[None], size, antialias=True)[0].clamp(0, 1).numpy()
    places = (np.arange(side) for side in small.shape)
    centre = [float((small.sum(axis=1 - axis) * place).sum() / small.sum()) for axis, place in enumerate(places)]
    # The digit stays whole: a centre of mass far off its middle moves it no further than to the edge.
    top, left = (min(max(round(CENTRE - c), 0), SIDE - side) for c, side in zip(centre, size, strict=True))
    image[top : top + size[0], left : left + size[1]] = small
    return image.ravel()


def changed(image, right=0, down=0, degrees=0, noise=0):
    """Return an image (784,) shifted by pixels, turned clockwise by degrees, with noise of a standard deviation."""
    moved = robustness.affine(torch.from_numpy(image).reshape(1, 1, SIDE, SIDE), [right, down], degrees)
    return robustness.noisy(moved.reshape(1, -1).numpy(), noise)[0]
