"""The data sets: MNIST, Fashion-MNIST, and scikit-learn's digits enlarged to the same 28x28 pixels."""

import gzip
import hashlib
import os
import threading
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np

from helpers import nn

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data"
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "digits": "scikit-learn's digits"}
N_CLASSES = 10
SIDE = 28  # pixels
PATIENCE = 4  # seconds that an unreachable network may cost

FALLBACK = (
    "MNIST is not there and could not be downloaded, so these are scikit-learn's 1,797 handwritten digits, enlarged "
    "to 28x28 pixels. Every network and every protocol is the same; the figures are not those of MNIST."
)


class DataError(Exception):
    """A data set is not there, or is not what its checksum says."""


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
    """Return the Dataset `name`: mnist, fashion-mnist, digits or auto.

    Without a name it is the one that the environment variable DATASET names, else auto.
    `auto` is MNIST, downloaded if need be, and digits, with a warning, where that is impossible.
    Raises DataError where the named set cannot be had and ValueError for an unknown name.
    """
    name = name or os.environ.get("DATASET") or "auto"
    if name not in (*TITLES, "auto"):
        raise ValueError(f"data set {name!r} is not one of {', '.join(TITLES)}, auto")
    dataset = _load(name, Path(folder))
    if dataset.warning:
        warnings.warn(dataset.warning, stacklevel=2)
    return dataset


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
    from torchvision import datasets  # imported late: digits need no PyTorch

    source = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name]
    raw = folder / source.__name__ / "raw"
    for filename, md5 in source.resources:
        _obtain(source.mirrors, filename, md5, raw)
    X, y = _read(raw, "train")
    X_test, y_test = _read(raw, "t10k")
    splits = Split(X[:50_000], y[:50_000]), Split(X[50_000:], y[50_000:]), Split(X_test, y_test)
    return _dataset(name, splits, tuple(source.classes) if name == "fashion-mnist" else _DIGITS)


def checksums(name):
    """Return the names of the files of a data set of torchvision with their MD5 sums, {} for another."""
    if name == "digits":
        return {}
    from torchvision import datasets

    return dict({"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name].resources)


def _obtain(mirrors, filename, md5, raw):
    """Leave a file with this checksum in `raw`; raise DataError where no mirror gives one."""
    from torchvision.datasets.utils import check_integrity, download_url

    if check_integrity(raw / filename, md5):
        return
    reasons = []
    for mirror in mirrors:
        if not _reachable(mirror):
            reasons.append(f"{mirror} cannot be reached")
            continue
        try:
            download_url(mirror + filename, raw, filename, md5)
            return
        except (OSError, RuntimeError) as error:
            reasons.append(f"{mirror}: {error}")
    state = "does not match its checksum" if (raw / filename).exists() else "is missing"
    raise DataError(
        f"{raw / filename} {state}, and it could not be downloaded ({'; '.join(reasons)}). "
        "Put the file there, or use DATASET=digits, which needs no download."
    )


@cache
def _reachable(url):
    """Whether the server of `url` answers anything within PATIENCE seconds of asking for its name."""
    answered = threading.Event()

    def knock():
        try:
            urlopen(Request(url, method="HEAD"), timeout=PATIENCE).close()
        except HTTPError:
            pass
        except OSError:
            return
        answered.set()

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answered.is_set()


def _read(raw, prefix):
    """One pair of files in the IDX format: 16 and 8 bytes of header, then unsigned bytes."""
    pixels = gzip.decompress((raw / f"{prefix}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((raw / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())
    X = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, SIDE * SIDE)
    return X.astype(np.float32) / np.float32(255), np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


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
        digest.update(np.ascontiguousarray(split.X))
        digest.update(np.ascontiguousarray(split.y))
    return Dataset(name, *splits, classes, digest.hexdigest()[:16], warning)
