"""The two networks that travel with the project: they load without pickle and read digits."""

import numpy as np
import pytest

from helpers import data, pretrained


@pytest.mark.parametrize("name", pretrained.CHOSEN)
def test_they_read_digits_of_another_source(name):
    test = data.load("digits").test
    p = pretrained.load(name).predict(test.X)
    assert p.shape == (len(test), 10)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert (p.argmax(axis=1) == test.y).mean() > 0.4  # guessing reads 0.1; these are coarser and fill the frame


@pytest.mark.skipif(not (data.FOLDER / "MNIST" / "raw").exists(), reason="MNIST is not there")
@pytest.mark.parametrize(("name", "wanted"), [("mlp", 0.99), ("cnn", 0.995)])
def test_they_read_mnist(name, wanted):
    test = data.load("mnist").test
    assert (pretrained.load(name).predict(test.X).argmax(axis=1) == test.y).mean() > wanted


def test_they_are_small():
    assert sum(path.stat().st_size for path in pretrained.FOLDER.glob("*.npz")) < 3e6


def test_half_precision_rounds_to_eleven_bits():
    w = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    assert np.abs(pretrained.halved({"W": w})["W"] / w - 1).max() <= 2**-11


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="'svm' is not one of mlp, cnn"):
        pretrained.load("svm")
