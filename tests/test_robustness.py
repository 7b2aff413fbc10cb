"""Distorted images, against what NumPy makes of them."""

import numpy as np
import pytest
from reading import rows

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
    half = robustness.shifted(X.reshape(8, -1), 0.5).reshape(X.shape)
    np.testing.assert_allclose(half[1], (X[1] + np.roll(X[1], 1, axis=1)) / 2, atol=1e-5)


def test_a_turn_by_a_right_angle_is_one_of_the_array():
    X = images()
    turned = robustness.turned(X.reshape(8, -1), 90).reshape(X.shape)
    for i in range(2):
        np.testing.assert_allclose(turned[i], np.rot90(X[i], -1 if i == 0 else 1), atol=1e-4)


def test_noise_has_its_deviation_and_no_strength_changes_nothing():
    X = np.full((50, 784), 0.5, np.float32)
    assert abs(np.std(robustness.noisy(X, 0.1)) - 0.1) < 0.002
    assert (robustness.noisy(X, 2).min(), robustness.noisy(X, 2).max()) == (0, 1)
    for distort, strengths in robustness.DISTORTIONS.values():
        assert strengths[0] == 0
        np.testing.assert_allclose(distort(images().reshape(8, -1), 0), images().reshape(8, -1), atol=1e-5)


def test_a_square_is_covered_anywhere_in_the_middle():
    X, corners = np.ones((300, 784), np.float32), []
    for image in robustness.covered(X, 12).reshape(-1, 28, 28):
        rows, columns = np.nonzero(image == 0)
        assert len(rows) == 144
        assert np.ptp(rows) == np.ptp(columns) == 11
        corners.append((rows[0], columns[0]))
    assert (np.min(corners, axis=0) == 4).all()
    assert (np.max(corners, axis=0) + 12 == 24).all()
    assert X.all()


@pytest.mark.parametrize("distort", [robustness.noisy, robustness.covered])
def test_what_is_drawn_is_always_the_same(distort):
    X = np.ones((20, 784), np.float32)
    np.testing.assert_array_equal(distort(X, 4), distort(X, 4))


def test_errors_are_those_of_each_network_and_strength():
    class Looks:
        """Reads 3 where a pixel has more ink than `bound`, else 0."""

        def __init__(self, bound):
            self.bound = bound

        def scores(self, X):
            return np.eye(10)[np.where(X[:, 28 * 13 + 13] > self.bound, 3, 0)]

    rng = np.random.default_rng(0)
    split = Split(rng.random((40, 784), dtype=np.float32), rng.choice([0, 3], 40))
    networks = {"a": [Looks(0.2), Looks(0.5)], "b": [Looks(0.7)]}
    found = robustness.errors(networks, split)
    assert set(found) == set(robustness.DISTORTIONS)
    for name, (distort, strengths) in robustness.DISTORTIONS.items():
        for label, same in networks.items():
            inks = {strength: distort(split.X, strength)[:, 28 * 13 + 13] for strength in strengths}
            assert found[name][label] == {
                strength: [np.mean((ink > network.bound) != (split.y == 3)) for network in same]
                for strength, ink in inks.items()
            }
            assert len({tuple(shares) for shares in found[name][label].values()}) > 1


def test_errors_in_per_cent():
    assert robustness.percent({"shift": {"a": {0: [0.0, 0.5]}}}, least=0.01) == {"shift": {"a": {0: [0.01, 50.01]}}}


def test_the_strongest_distortion_has_a_row_each():
    errors = {"shift (pixels)": {"a": {0: [0.1], 2: [0.2, 0.4]}, "b": {0: [0.1], 2: [0.5]}}}
    assert rows(robustness.strongest(errors)) == [["shift (pixels), 2", "30.0%", "50.0%"]]
