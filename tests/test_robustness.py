"""Distorted images, against what NumPy makes of them."""

import numpy as np

from helpers import robustness
from helpers.data import Split


def images(n=8):
    X = np.zeros((n, 28, 28), np.float32)
    X[:, 8:20, 10:18] = np.random.default_rng(0).random((n, 12, 8), dtype=np.float32)
    return X


def test_a_shift_is_by_whole_pixels_in_four_directions():
    X = images()
    moved = robustness.shifted(X.reshape(8, -1), 3).reshape(X.shape)
    expected = [np.roll(X[i], shift, axis=(0, 1)) for i, shift in enumerate([(0, -3), (0, 3), (-3, 0), (3, 0)])]
    np.testing.assert_allclose(moved[:4], expected, atol=1e-5)


def test_a_turn_by_a_right_angle_is_one_of_the_array():
    X = images()
    turned = robustness.turned(X.reshape(8, -1), 90).reshape(X.shape)
    for i in range(2):
        np.testing.assert_allclose(turned[i], np.rot90(X[i], -1 if i == 0 else 1), atol=1e-4)


def test_noise_has_its_deviation_and_no_strength_changes_nothing():
    X = np.full((50, 784), 0.5, np.float32)
    assert abs(np.std(robustness.noisy(X, 0.1)) - 0.1) < 0.002
    for distort, strengths in robustness.DISTORTIONS.values():
        assert strengths[0] == 0
        np.testing.assert_allclose(distort(images().reshape(8, -1), 0), images().reshape(8, -1), atol=1e-5)


def test_a_square_is_covered():
    X = np.ones((20, 784), np.float32)
    for image in robustness.covered(X, 4).reshape(-1, 28, 28):
        rows, columns = np.nonzero(image == 0)
        assert len(rows) == 16
        assert np.ptp(rows) == np.ptp(columns) == 3


def test_errors_are_those_of_each_network_and_strength():
    class Right:
        def scores(self, X):
            return np.eye(10)[np.where(np.abs(X - X.mean()).sum(axis=1) > 0, 3, 0)]

    split = Split(images(4).reshape(4, -1), np.array([3, 3, 3, 0]))
    found = robustness.errors({"a": [Right(), Right()]}, split)
    assert found["shift (pixels)"]["a"][0] == [0.25, 0.25]
    assert set(found) == set(robustness.DISTORTIONS)
    assert [*found["rotation (degrees)"]["a"]] == [0, 10, 20, 30, 45]
