"""The data sets: MNIST, Fashion-MNIST, and scikit-learn's digits enlarged to the same 28x28 pixels."""

import gzip
import hashlib
import os
import socket
import threading
import warnings
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np
import pooch

from helpers import nn

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "data"
TITLES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST", "digits": "scikit-learn's digits"}
N_CLASSES = 10
SIDE = 28  # pixels
PATIENCE = 4  # seconds that a mirror may be silent: at most twice, when it is reached and when it sends

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
    mirrors = list(source.mirrors)
    (X, y), (X_test, y_test) = (
        [_idx(_obtain(source, f"{prefix}-{kind}-ubyte", raw, mirrors)) for kind in ("images-idx3", "labels-idx1")]
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


def _obtain(source, filename, raw, mirrors):
    """Return the path of a file in `raw`, packed or not; raise DataError where it is missing and no mirror has it.

    A mirror that fails is taken from the list `mirrors`: the next file need not wait for it.
    """
    packed, unpacked = raw / f"{filename}.gz", raw / filename
    md5 = dict(source.resources)[packed.name]
    if packed.is_file() and pooch.file_hash(packed, "md5") == md5:
        return packed
    if unpacked.is_file() and not packed.exists():
        return unpacked
    reasons = []
    for mirror in mirrors.copy():
        if not _reachable(mirror):
            mirrors.remove(mirror)
            reasons.append(f"{mirror} cannot be reached")
            continue
        download = pooch.HTTPDownloader(progressbar=True, timeout=PATIENCE)
        try:
            pooch.retrieve(mirror + packed.name, f"md5:{md5}", packed.name, raw, downloader=download)
            return packed
        except (OSError, ValueError) as error:  # ValueError: another checksum
            mirrors.remove(mirror)
            reasons.append(f"{mirror}: {(str(error) or repr(error)).splitlines()[0]}")
    state = "does not match its checksum" if packed.exists() else "is missing"
    raise DataError(
        f"{packed} {state}, and it could not be downloaded ({'; '.join(reasons)}). "
        "Put the file there, or use DATASET=digits, which needs no download."
    )


@cache
def _reachable(url):
    """Whether the server of `url` takes a connection within PATIENCE seconds of asking for its name."""
    answered = threading.Event()

    def knock():
        scheme = urlsplit(url).scheme
        address = urlsplit(getproxies().get(scheme, url))  # where there is a proxy, it is the one to be reached
        with suppress(OSError):
            port = address.port or {"http": 80, "https": 443}[address.scheme]
            socket.create_connection((address.hostname, port), PATIENCE).close()
            answered.set()

    thread = threading.Thread(target=knock, daemon=True)  # no time limit holds for the look-up of a name
    thread.start()
    thread.join(PATIENCE)
    return answered.is_set()


def _idx(path):
    """The array in a file of the IDX format: 0, 0, 8 for bytes, the number of dimensions, each of them, the bytes."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        shape = tuple(np.frombuffer(content, ">i4", content[3], offset=4))
        if content[:3] != b"\0\0\x08":
            raise ValueError("it does not begin as such a file does")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"{path} is no whole file of the IDX format ({error}); delete it") from error


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
pooch.get_logger().setLevel("WARNING")  # the progress bar says enough


def _dataset(name, splits, classes, warning=None):
    digest = hashlib.sha256()
    for split in splits:
        if not (split.X.min() >= 0 and split.X.max() <= 1 and split.y.min() >= 0 and split.y.max() < len(classes)):
            raise DataError(f"{name} has pixels outside [0, 1], or that are no numbers, or labels without a class")
        digest.update(np.ascontiguousarray(split.X))
        digest.update(np.ascontiguousarray(split.y))
    return Dataset(name, *splits, classes, digest.hexdigest()[:16], warning)
