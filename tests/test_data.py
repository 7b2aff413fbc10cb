"""The data sets: sizes, ranges, splits, checksums, and what happens without a network."""

import gzip
import hashlib
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torchvision import datasets

from helpers import data


@pytest.fixture
def unreachable(monkeypatch):
    """Mirrors at a port of this machine where nothing listens."""
    monkeypatch.setattr(datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])


def check_splits(dataset, sizes):
    splits = dataset.train, dataset.valid, dataset.test
    assert tuple(map(len, splits)) == sizes
    for split in splits:
        assert (split.X.shape, split.X.dtype, split.y.dtype) == ((len(split), 784), np.float32, np.int64)
        assert split.X.min() == 0
        assert split.X.max() == 1
        assert set(split.y) == set(range(10))


def test_digits_are_stratified_and_enlarged_bilinearly():
    dataset = data.load("digits")
    check_splits(dataset, (1197, 300, 300))
    for split in (dataset.valid, dataset.test):
        assert np.ptp(np.bincount(split.y)) <= 2
    original = torch.tensor(load_digits().images[:, None] / 16)
    enlarged = torch.nn.functional.interpolate(original, size=(28, 28), mode="bilinear").reshape(-1, 784).numpy()
    ours = np.concatenate([split.X for split in (dataset.train, dataset.valid, dataset.test)])
    np.testing.assert_allclose(np.sort(ours.sum(axis=1)), np.sort(enlarged.sum(axis=1)), rtol=1e-5)
    np.testing.assert_allclose(ours[0], enlarged[np.abs(enlarged - ours[0]).sum(axis=1).argmin()], atol=1e-6)


def test_mnist_is_split_in_file_order():
    raw = data.FOLDER / "MNIST" / "raw"
    if not raw.exists():
        pytest.skip("MNIST is not on this machine")
    dataset = data.load("mnist")
    check_splits(dataset, (50_000, 10_000, 10_000))
    labels = gzip.decompress((raw / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    np.testing.assert_array_equal(np.concatenate([dataset.train.y, dataset.valid.y]), list(labels))
    assert dataset.train.X[0].sum() == pytest.approx(27525 / 255)  # the first image's pixels sum to 27,525


def test_download_is_checked_and_cut_like_mnist(tmp_path, monkeypatch):
    """A small server of this machine's stands in for the mirror; the files are random pixels in the IDX format."""
    rng = np.random.default_rng(0)
    served, resources = tmp_path / "server", []
    served.mkdir()
    for prefix, n in (("train", 60_000), ("t10k", 10_000)):
        pixels = np.zeros((n, 784), np.uint8)
        pixels[:, :2] = [0, 255]
        labels = np.r_[np.arange(10), rng.integers(0, 10, n - 10)].astype(np.uint8)
        for kind, header, content in (("images-idx3", 16, pixels), ("labels-idx1", 8, labels)):
            packed = gzip.compress(bytes(header) + content.tobytes(), compresslevel=1)
            (served / f"{prefix}-{kind}-ubyte.gz").write_bytes(packed)
            resources.append((f"{prefix}-{kind}-ubyte.gz", hashlib.md5(packed).hexdigest()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=served))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    dataset = data.load("fashion-mnist", folder=tmp_path)
    server.shutdown()
    server.server_close()
    assert [len(split) for split in (dataset.train, dataset.valid, dataset.test)] == [50_000, 10_000, 10_000]
    assert dataset.train.X[0, :3].tolist() == [0, 1, 0]
    assert dataset.classes[0] == "T-shirt/top"
    assert (tmp_path / "FashionMNIST" / "raw" / resources[0][0]).exists()


@pytest.mark.usefixtures("unreachable")
def test_auto_falls_back_within_seconds_and_says_so(tmp_path):
    started = time.perf_counter()
    with pytest.warns(UserWarning, match="the figures are not those of MNIST"):
        dataset = data.load("auto", folder=tmp_path)
    assert time.perf_counter() - started < 15
    assert dataset.name == "digits"
    assert "scikit-learn" in dataset.warning
    assert data.load("digits").warning is None


@pytest.mark.usefixtures("unreachable")
def test_a_file_with_the_wrong_checksum_is_named(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(b"not the data")
    with pytest.raises(data.DataError, match="train-images-idx3-ubyte.gz does not match its checksum"):
        data.load("mnist", folder=tmp_path)


def test_fingerprint_tells_data_apart():
    dataset = data.load("digits")
    changed = data.Split(dataset.train.X.copy(), dataset.train.y)
    changed.X[0, 0] = 0.5
    splits = changed, dataset.valid, dataset.test
    assert data._dataset("digits", splits, dataset.classes).fingerprint != dataset.fingerprint


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match="'cifar' is not one of mnist"):
        data.load("cifar")
