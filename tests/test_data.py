"""The data sets: sizes, ranges, splits, checksums, and what happens without a network."""

import gzip
import hashlib
import socket
import time
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torchvision import datasets

from helpers import data, mirrors


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


def idx(array):
    """The bytes of an array as a file of the IDX format."""
    return b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


@pytest.fixture(scope="module")
def files():
    """{name: (packed, unpacked)} of four files like Fashion-MNIST's, with two pixels that are not zero."""
    rng, found = np.random.default_rng(0), {}
    for prefix, n in (("train", 60_000), ("t10k", 10_000)):
        pixels = np.zeros((n, 28, 28), np.uint8)
        pixels[:, 0, :2] = [0, 255]
        labels = np.r_[np.arange(10), rng.integers(0, 10, n - 10)].astype(np.uint8)
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            found[f"{prefix}-{kind}-ubyte"] = gzip.compress(idx(array), compresslevel=1), idx(array)
    return found


@pytest.fixture
def mirror(files, tmp_path, monkeypatch):
    """A server of this machine that has these files."""
    served = tmp_path / "server"
    served.mkdir()
    for name, (packed, _) in files.items():
        (served / f"{name}.gz").write_bytes(packed)
    resources = [(f"{name}.gz", hashlib.md5(packed).hexdigest()) for name, (packed, _) in files.items()]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=served))
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [url])
    monkeypatch.setattr(datasets.FashionMNIST, "resources", resources)
    yield url
    server.shutdown()
    server.server_close()


def test_download_is_checked_and_cut_like_mnist(mirror, tmp_path):
    dataset = data.load("fashion-mnist", folder=tmp_path)
    assert [len(split) for split in (dataset.train, dataset.valid, dataset.test)] == [50_000, 10_000, 10_000]
    assert dataset.train.X[0, :3].tolist() == [0, 1, 0]
    assert dataset.classes[0] == "T-shirt/top"
    assert len(list((tmp_path / "FashionMNIST" / "raw").iterdir())) == 4


BAD = {
    "says nothing": b"",
    "garbage": b"What?\r\n\r\n",
    "stops in the middle": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(100),
    "cut chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\nabc",
    "no such file": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "another file": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "a length that is none": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nabc",
}


@pytest.fixture
def bad_mirror(request):
    """(A server that answers each request with these bytes and mostly keeps the line open, the lines to it)."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines = []

    def serve():
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                lines.append(line)
                line.sendall(request.param)
                if b"chunked" in request.param or b"What" in request.param:
                    line.close()

    Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", lines
    listener.close()
    for line in lines:
        line.close()


@pytest.mark.parametrize("bad_mirror", BAD.values(), ids=BAD, indirect=True)
def test_a_mirror_that_fails_is_asked_once_and_then_the_next_one(mirror, bad_mirror, tmp_path, monkeypatch):
    bad_mirror, lines = bad_mirror
    monkeypatch.setattr(mirrors, "PATIENCE", 2)  # seconds
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [bad_mirror, mirror])
    assert len(data.load("fashion-mnist", folder=tmp_path / "two").train) == 50_000
    assert len(lines) == 2  # whether it can be reached, and the first file
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [bad_mirror])
    with pytest.raises(data.DataError, match="train-images-idx3-ubyte.gz is missing.*could not be downloaded"):
        data.load("fashion-mnist", folder=tmp_path / "one")
    assert not list((tmp_path / "one" / "FashionMNIST" / "raw").glob("*"))


def test_processes_may_download_into_one_folder(mirror, tmp_path, monkeypatch):
    """Threads stand in for them; each asks for all files at the same time."""
    obtain, at_once, errors = mirrors.obtain, Barrier(4), []

    def work():
        try:
            at_once.wait()
            for name, _ in datasets.FashionMNIST.resources:
                obtain(datasets.FashionMNIST, name.removesuffix(".gz"), tmp_path, [mirror])
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(path.name for path in tmp_path.glob("*.gz")) == sorted(
        name for name, _ in datasets.FashionMNIST.resources
    )


def test_files_that_torchvision_unpacked_are_taken(files, mirror, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [])
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, (_, unpacked) in files.items():
        (raw / name).write_bytes(unpacked)
    assert len(data.load("fashion-mnist", folder=tmp_path).test) == 10_000
    path = raw / "t10k-labels-idx1-ubyte"
    for content in (path.read_bytes()[:-1], b"", b"\0\0\x09" + path.read_bytes()[3:]):
        path.write_bytes(content)
        data._load.cache_clear()
        with pytest.raises(
            data.DataError, match="t10k-labels-idx1-ubyte is no whole file of the IDX format.*delete it"
        ):
            data.load("fashion-mnist", folder=tmp_path)


@pytest.mark.usefixtures("unreachable")
def test_auto_falls_back_within_seconds_and_says_so(tmp_path):
    started = time.perf_counter()
    with pytest.warns(UserWarning, match="the figures are not those of MNIST"):
        dataset = data.load("auto", folder=tmp_path)
    assert time.perf_counter() - started < 60
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


@pytest.mark.parametrize(
    ("url", "proxies", "address"),
    [
        ("http://mirror.example/", {}, ("mirror.example", 80)),
        ("https://mirror.example/", {}, ("mirror.example", 443)),
        ("http://mirror.example:81/", {"https": "http://proxy.example:3128"}, ("mirror.example", 81)),
        ("https://mirror.example/a", {"https": "http://proxy.example:3128"}, ("proxy.example", 3128)),
    ],
)
def test_what_must_answer_is_the_server_or_the_proxy(url, proxies, address, monkeypatch):
    asked = []
    monkeypatch.setattr(mirrors, "getproxies", lambda: proxies)
    monkeypatch.setattr(
        mirrors.socket, "create_connection", lambda where, timeout: asked.append(where) or socket.socket()
    )
    mirrors._reachable.cache_clear()
    assert mirrors._reachable(url)
    assert asked == [address]
    mirrors._reachable.cache_clear()


def test_names_are_taken_in_capitals_and_with_blanks(monkeypatch):
    assert data.load(" DIGITS") is data.load("digits")
    monkeypatch.setenv("DATASET", "Digits ")
    assert data.load() is data.load("digits")


def test_pixels_that_are_no_numbers_are_refused():
    split = data.Split(np.full((2, 784), np.nan, np.float32), np.array([0, 1]))
    with pytest.raises(data.DataError, match="pixels outside"):
        data._dataset("mine", (split, split, split), ("a", "b"))


def test_unknown_name_is_refused():
    with pytest.raises(ValueError, match="'cifar' is not one of mnist"):
        data.load("cifar")
