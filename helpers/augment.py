"""Images shifted and turned, each in its own way, by PyTorch."""

import numpy as np
import torch
from torch.nn import functional

from helpers.data import SIDE

BLOCK = 5000  # images at a time


def moved(images, shift, rotation):
    """Return images (N, 1, 28, 28), each shifted by up to `shift` pixels and turned by up to `rotation` degrees."""
    angle = torch.deg2rad(rotation * (2 * torch.rand(len(images)) - 1))
    # affine_grid measures in halves of the image.
    by = shift / (SIDE / 2) * (2 * torch.rand(len(images), 2) - 1)
    rows = (angle.cos(), -angle.sin(), by[:, 0], angle.sin(), angle.cos(), by[:, 1])
    theta = torch.stack(rows, dim=1).reshape(-1, 2, 3).to(images)
    grid = functional.affine_grid(theta, images.shape, align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def moved_arrays(X, shift, rotation, seed):
    """Return the same for images (N, 784) in NumPy; `seed` rules the draws."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        blocks = torch.from_numpy(X).reshape(-1, 1, SIDE, SIDE).split(BLOCK)
        return np.concatenate([moved(block, shift, rotation).reshape(len(block), -1).numpy() for block in blocks])
