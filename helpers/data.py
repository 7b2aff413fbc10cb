"""The data sets: MNIST, Fashion-MNIST, and scikit-learn's digits enlarged to the same 28x28 pixels."""

import hashlib
import os
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from helpers import mirrors, nn
from helpers.mirrors import DataError

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data"
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "digits": "scikit-learn's digits"}
N_CLASSES = 10
SIDE = 28  # pixels

FALLBACK = (
    "MNIST is not there and could not be downloaded, so these are scikit-learn's 1,797 handwritten digits, enlarged "
    "to 28x28 pixels. Every network and every protocol is the same; the figures are not those of MNIST."
)


@dataclass(frozen=True)
class Split:
    """Images `X`, float32 in [0, 1], shape (N, 784), and labels `y`, int64, shape (N,)."""

    X: np.ndarray
    y: np.ndarray

    def __len__(self):
        return len(self.y)

    def one_hot(self):
        """The pair (X, labels as rows of the identity (N, 10), float32) that NN takes."""
        return self.X, nn.one_hot(self.y, N_CLASSES).astype(np.float32)


@dataclass(frozen=True)
class Dataset:
    """Three splits, the names of the ten classes and a fingerprint of every pixel and label.

    `warning` says why these are not the data that were asked for; else it is None.
    """

    name: str
    train: Split
    valid: Split
    test: Split
    classes: tuple
    fingerprint: str
    warning: str | None = None


def load(name=None, folder=FOLDER):
    """Return the Dataset `name`: mnist, fashion-mnist, digits or auto, in capitals or not.

    Without a name it is the one that the environment variable DATASET names, else auto.
    `auto` is MNIST, downloaded if need be, and digits, with a warning, where that is impossible.
    Raises DataError where the named set cannot be had and ValueError for an unknown name.
    """
    dataset = _load(_known(name or os.environ.get("DATASET") or "auto"), Path(folder))
    if dataset.warning:
        warnings.warn(dataset.warning, stacklevel=2)
    return dataset


def resolve(name):
    """Return the name of the data set that `name` stands for, which differs for auto; raise as `load` does."""
    name = _known(name)
    return _load(name, FOLDER).name if name == "auto" else name


def _known(name):
    known = str(name).strip().lower()
    if known not in (*TITLES, "auto"):
        raise ValueError(f"data set {name!r} is not one of {', '.join(TITLES)}, auto")
    return known


@cache
def _load(name, folder):
    if name == "digits":
        return _digits()
    if name != "auto":
        return _torchvision(name, folder)
    try:
        return _torchvision("mnist", folder)
    except DataError:
        return _digits(warning=FALLBACK)


def _torchvision(name, folder):
    """The last 10,000 of the 60,000 training images are the validation set; the file order is kept."""
    source = _source(name)
    raw = folder / source.__name__ / "raw"
    sources = list(source.mirrors)
    (X, y), (X_test, y_test) = (
        [
            mirrors.read_idx(mirrors.obtain(source, f"{prefix}-{kind}-ubyte", raw, sources))
            for kind in ("images-idx3", "labels-idx1")
        ]
        for prefix in ("train", "t10k")
    )
    if (X.shape, y.shape, X_test.shape, y_test.shape) != ((60_000, 28, 28), (60_000,), (10_000, 28, 28), (10_000,)):
        raise DataError(f"the files in {raw} hold other numbers of images than {TITLES[name]}; delete them")
    X, X_test = (images.reshape(len(images), -1).astype(np.float32) / np.float32(255) for images in (X, X_test))
    y, y_test = y.astype(np.int64), y_test.astype(np.int64)
    splits = Split(X[:50_000], y[:50_000]), Split(X[50_000:], y[50_000:]), Split(X_test, y_test)
    return _dataset(name, splits, tuple(source.classes) if name == "fashion-mnist" else _DIGITS)


def _source(name):
    """Torchvision's class of a data set, which knows mirrors and checksums."""
    from torchvision import datasets  # here, since digits need no PyTorch

    return {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name]


def checksums(name):
    """Return the names of the files of a data set of torchvision with their MD5 sums, {} for another."""
    return {} if name == "digits" else dict(_source(name).resources)


def _digits(warning=None):
    """Bilinear enlargement from 8x8; stratified split into 1,197 / 300 / 300 with a fixed seed."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images, y, n = digits.images / 16, digits.target.astype(np.int64), digits.images.shape[1]
    centres = (np.arange(SIDE) + 0.5) * n / SIDE - 0.5  # of the new pixels, in units of the old ones
    enlarge = np.stack([np.interp(centres, np.arange(n), row) for row in np.eye(n)], axis=1)  # (28, 8)
    X = (enlarge @ images @ enlarge.T).reshape(len(y), -1).astype(np.float32)
    X, X_test, y, y_test = train_test_split(X, y, test_size=300, stratify=y, random_state=0)
    X, X_valid, y, y_valid = train_test_split(X, y, test_size=300, stratify=y, random_state=0)
    return _dataset("digits", (Split(X, y), Split(X_valid, y_valid), Split(X_test, y_test)), _DIGITS, warning)


_DIGITS = tuple("0123456789")


def _dataset(name, splits, classes, warning=None):
    digest = hashlib.sha256()
    for split in splits:
        if not (split.X.min() >= 0 and split.X.max() <= 1 and split.y.min() >= 0 and split.y.max() < len(classes)):
            raise DataError(f"{name} has pixels outside [0, 1], or that are no numbers, or labels without a class")
        digest.update(np.ascontiguousarray(split.X))
        digest.update(np.ascontiguousarray(split.y))
    return Dataset(name, *splits, classes, digest.hexdigest()[:16], warning)
