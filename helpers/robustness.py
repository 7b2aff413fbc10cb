"""What networks make of images that are shifted, turned, noisy or partly covered."""

import numpy as np
import pandas as pd
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as transforms

from helpers.data import SIDE
from helpers.tables import markdown

DIRECTIONS = [(-1, 0), (1, 0), (0, -1), (0, 1)]


def shifted(X, pixels):
    """Return images (N, 784) shifted by `pixels`, a quarter of them in each direction; what comes in is black."""
    return _by_group(X, len(DIRECTIONS), lambda images, i: affine(images, [pixels * d for d in DIRECTIONS[i]], 0))


def turned(X, degrees):
    """Return images (N, 784) turned by `degrees` about their middle, every other one the other way."""
    return _by_group(X, 2, lambda images, i: affine(images, [0, 0], degrees * (-1) ** i))


def noisy(X, deviation):
    """Return images (N, 784) with Gaussian noise of this standard deviation, clipped to [0, 1]; always the same."""
    noise = np.random.default_rng(0).standard_normal(X.shape, dtype=np.float32)
    return np.clip(X + np.float32(deviation) * noise, 0, 1)


def covered(X, side):
    """Return images (N, 784) with a black square of `side` pixels in the middle 20 x 20; always the same."""
    corners = np.random.default_rng(0).integers(4, 25 - max(side, 1), (len(X), 2))
    images = X.reshape(-1, SIDE, SIDE).copy()
    for image, (row, column) in zip(images, corners, strict=True):
        image[row : row + side, column : column + side] = 0
    return images.reshape(len(X), -1)


DISTORTIONS = {  # {what is changed, with its unit: (function, its strengths)}
    "shift (pixels)": (shifted, (0, 1, 2, 3, 4, 6)),
    "rotation (degrees)": (turned, (0, 10, 20, 30, 45)),
    "noise (standard deviation)": (noisy, (0, 0.15, 0.3, 0.45, 0.6)),
    "covered square (pixels)": (covered, (0, 4, 8, 12)),
}


def errors(networks, split):
    """Return the errors of networks under all DISTORTIONS, {name: {label: {strength: [share of 1, ...]}}}.

    `networks`: {label: [networks with a method `scores`]}; `split` has the images and their classes.
    """
    found = {name: {label: {} for label in networks} for name in DISTORTIONS}
    for name, (distort, strengths) in DISTORTIONS.items():
        for strength in strengths:
            X = distort(split.X, strength)
            for label, same in networks.items():
                wrong = [np.mean(network.scores(X).argmax(axis=1) != split.y) for network in same]
                found[name][label][strength] = [float(share) for share in wrong]
    return found


def percent(errors, least):
    """Return errors, as `errors` gives them, in per cent; `least` is added, so that a logarithmic axis shows zero."""
    return {
        name: {
            label: {strength: [100 * share + least for share in shares] for strength, shares in points.items()}
            for label, points in by_label.items()
        }
        for name, by_label in errors.items()
    }


def strongest(errors):
    """Return the means of `errors` under the strongest distortion of each kind, as a Markdown table."""
    rows = []
    for name, by_label in errors.items():
        strength = max(next(iter(by_label.values())))
        means = {label: f"{np.mean(points[strength]):.1%}" for label, points in by_label.items()}
        rows.append({"distortion": f"{name}, {strength:g}"} | means)
    return markdown(pd.DataFrame(rows))


def affine(images, translate, angle):
    """Return images (N, 1, 28, 28) turned clockwise by `angle` degrees, then shifted by [right, down] pixels."""
    return transforms.affine(images, angle, translate, 1.0, [0.0], interpolation=InterpolationMode.BILINEAR)


def _by_group(X, n_groups, change):
    """Images changed group by group: image k belongs to group k modulo `n_groups`."""
    images = torch.from_numpy(X).reshape(-1, 1, SIDE, SIDE).clone()
    for i in range(n_groups):
        images[i::n_groups] = change(images[i::n_groups], i)
    return images.reshape(len(X), -1).numpy()
