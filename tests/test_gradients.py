"""Finite differences: they agree with right gradients, and expose wrong ones."""

import numpy as np
import pytest

from helpers import configs, gradients, planted
from helpers.nn import NN


@pytest.fixture
def case():
    """A network and one sample, in double precision."""
    rng = np.random.default_rng(1)
    network = NN((12, 11), seed=1, activation="tanh")
    network.initialize_weights((20, 10))
    return gradients.unclipped(network, np.float64), rng.normal(size=(1, 20)), np.eye(10)[[3]]


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_right_gradients_agree(case, layer):
    assert gradients.largest_differences(*case, layer, 10, [1e-5])[0] < 1e-9


def test_wrong_gradients_are_exposed(case, monkeypatch):
    network, *sample = case
    right = network.backward
    monkeypatch.setattr(network, "backward", lambda *a: {k: v * 1.001 for k, v in right(*a).items()}, raising=False)
    assert gradients.largest_differences(network, *sample, 2, 10, [1e-5])[0] > 1e-7


def test_weights_are_left_as_they_were(case):
    network, X, y = case
    before = network.weights["W2"].copy()
    gradients.largest_differences(network, X, y, 2, 10, [1.0, 1e-5])
    gradients.predicted_errors(network, X, y, 2, 10, [1.0])
    np.testing.assert_array_equal(network.weights["W2"], before)


def test_truncation_is_predicted_where_it_rules(case):
    epsilons = np.array([1e-2, 1e-3])
    measured = gradients.largest_differences(*case, 2, 10, epsilons)
    truncation, round_off = gradients.predicted_errors(*case, 2, 10, epsilons)
    np.testing.assert_allclose(measured, truncation, rtol=0.05)
    assert (round_off < truncation).all()


@pytest.mark.parametrize(("dtype", "half_unit"), [(np.float64, 2**-53), (np.float32, 2**-24)])
def test_round_off_is_half_a_unit_of_what_is_rounded(case, dtype, half_unit):
    network, X, y = case
    twin, epsilons = gradients.unclipped(network, dtype), np.array([1e-2, 1e-3])
    for logit in (0, 30):  # the loss is below 1, or far above
        twin.weights["b3"] = network.weights["b3"] + logit * np.eye(10)[[3 if logit == 0 else 4]]
        twin.weights["b3"][0, 3] += 4 if logit == 0 else 0
        size = max(1, gradients.loss(twin, X, y))
        assert (size == 1) == (logit == 0)
        _, round_off = gradients.predicted_errors(twin, X, y, 2, 10, epsilons)
        np.testing.assert_allclose(round_off, half_unit * size / epsilons)


def test_truncation_is_that_of_double_precision(case):
    network, *sample = case
    expected, _ = gradients.predicted_errors(network, *sample, 2, 10, [1e-2])
    rough, sample = gradients.unclipped(network, np.float32), [a.astype(np.float32) for a in sample]
    found, _ = gradients.predicted_errors(rough, *sample, 2, 10, [1e-2])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_spreads_are_standard_deviations_over_units_and_samples():
    network = NN((12, 11), seed=1)
    network.initialize_weights((20, 10))
    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(30, 20)), np.eye(10)[rng.integers(0, 10, 30)], network.weights
    A1 = X @ w["W1"] + 0.0
    A2 = np.maximum(A1, 0) @ w["W2"]
    A3 = np.maximum(A2, 0) @ w["W3"]
    dA3 = network.softmax(A3) - y
    dA2 = dA3 @ w["W3"].T * (A2 > 0)
    dA1 = dA2 @ w["W2"].T * (A1 > 0)
    deviations = [[np.sqrt(np.mean((a - a.mean()) ** 2)) for a in same] for same in ((A1, A2, A3), (dA1, dA2, dA3))]
    np.testing.assert_allclose(gradients.spreads(network, X, y), deviations)


def test_predicted_optimum_is_the_minimum_of_the_sum():
    epsilons = np.logspace(-8, 0, 10_001)
    truncation, round_off = 0.7 * epsilons**2, 1e-16 / epsilons
    best = epsilons[np.argmin(truncation + round_off)]
    assert gradients.predicted_optimum(epsilons, truncation, round_off) == pytest.approx(best, rel=1e-3)


def test_telling_sample_has_a_gradient_where_others_have_none():
    network = NN((2, 2), seed=0)
    network.initialize_weights((3, 10))
    network.weights["W1"][:] = [[-1, 1], [-1, 1], [-1, 1]]
    network.weights["W2"][:] = 1
    X = np.array([[1.0, 1, 1], [-1, -1, -1], [2, 2, 2]])  # only for the second is the first hidden unit active
    y = np.eye(10)[[0, 1, 2]]
    chosen = gradients.telling_sample(network, X, y, layer=2, p=2)
    assert chosen == 1
    assert np.all(gradients.backpropagated(network, X[[chosen]], y[[chosen]], 2, 2) != 0)


def test_telling_sample_has_the_largest_gradients_in_the_median():
    network = NN((12, 11), seed=1, activation="tanh")
    network.initialize_weights((20, 10))
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 20)), np.eye(10)[rng.integers(0, 10, 30)]
    sizes = np.abs([gradients.backpropagated(network, X[[i]], y[[i]], 2, 25) for i in range(30)])
    assert np.median(sizes, axis=1).argmax() != sizes.max(axis=1).argmax()
    assert gradients.telling_sample(network, X, y, 2, 25) == np.median(sizes, axis=1).argmax()


def test_unclipped_copy_leaves_the_network_alone():
    network = NN((5,), seed=0)
    network.initialize_weights((4, 10))
    copy = gradients.unclipped(network, np.float32)
    copy.weights["W1"][:] = 0
    assert network.weights["W1"].all()
    assert (network.epsilon, copy.epsilon) == (1e-6, 0)


def test_best_epsilons_leave_out_blind_images_and_mark_flat_checks():
    network = NN((2, 2), seed=0)
    network.initialize_weights((3, 10))
    network.weights["W1"][:] = [[-1, 1], [-1, 1], [-1, 1]]
    network.weights["W2"][:] = 1
    network.weights["b3"][0, 7] = 30  # so sure of class 7 that the clip hides every change
    X, y = -np.array([[1.0, 1, 1], [-1, -1, -1], [2, 2, 2]]), np.eye(10)[[7, 7, 1]]
    epsilons = np.array([1.0, 1e-2, 1e-4])
    frame = gradients.best_epsilons(network, X, y, 2, 1, epsilons)
    assert list(frame["image"].unique()) == [0, 2]  # only for these is the first hidden unit active
    assert frame[frame["loss"] == "clipped"]["flat"].all()
    row = frame[(frame["image"] == 2) & (frame["precision"] == "float64") & (frame["loss"] == "unclipped")].iloc[0]
    twin, pair = gradients.unclipped(network, np.float64), (X[[2]], y[[2]])
    differences = gradients.largest_differences(twin, *pair, 2, 1, epsilons)
    assert (row["best"], row["value"]) == (epsilons[np.argmin(differences)], gradients.loss(twin, *pair))
    assert not row["flat"]
    frame = gradients.best_epsilons(network, X, y, 2, 3, epsilons)  # one unit or the other is active
    assert list(frame["image"].unique()) == [0, 1, 2]


def test_best_epsilons_are_those_of_each_precision(case, monkeypatch):
    def checked(twin, X, y, *args, right=gradients.largest_differences):
        assert twin.weights["W1"].dtype == X.dtype == y.dtype
        return right(twin, X, y, *args)

    monkeypatch.setattr(gradients, "largest_differences", checked)
    network, X, y = case
    network.epsilon = 1e-6
    epsilons = np.logspace(-9, 0, 19)
    best = gradients.best_epsilons(network, X, y, 2, 10, epsilons).groupby("precision")["best"]
    # Truncation and round-off are equal near the cube root of the unit of rounding.
    assert 1e-6 < best.get_group("float64").min() <= best.get_group("float64").max() < 1e-4
    assert 1e-3 < best.get_group("float32").min() <= best.get_group("float32").max() < 1e-1


def test_a_kink_is_counted_where_a_step_crosses_it():
    network = NN((1, 2), seed=0)
    network.initialize_weights((1, 10))
    network = gradients.unclipped(network, np.float64)
    network.weights |= {"W1": np.ones((1, 1)), "b1": np.zeros((1, 1)), "b2": np.array([[0.0, 0.0]])}
    network.weights["W2"] = np.array([[0.01, -0.5]])  # A2 = (0.01, -0.5) for x = 1
    network.weights["b3"] = -0.0105 * network.weights["W3"][:1]  # the scores change sign, which is no kink
    X = np.array([[1.0]])
    assert gradients.kinks(network, X, 2, 2, [1.0, 0.1, 0.001]).tolist() == [2, 1, 0]
    np.testing.assert_array_equal(network.weights["W2"], [[0.01, -0.5]])


def test_a_direction_sees_every_array(case):
    network, X, y = case
    assert max(gradients.directional_differences(network, X, y).values()) < 1e-7
    right = network.backward
    for name in network.weights:
        network.backward = lambda *a, name=name: right(*a) | {f"d{name}": 1.01 * right(*a)[f"d{name}"]}
        found = gradients.directional_differences(network, X, y)
        assert [other for other, value in found.items() if value > 1e-5] == [name]
    network.weights["W3"][:] = 0  # now the loss does not depend on what is below
    network.backward = right
    assert [gradients.directional_differences(network, X, y)[name] for name in ("W1", "b1", "W2", "b2")] == [0] * 4


def broken(bug):
    """An untrained network with a planted bug, in double precision."""
    config = configs.complete(
        {"model": "planted", "dataset": "digits", "hidden_dims": [8, 8], "lr": 0.1, "batch_size": 4, "epochs": 1}
        | {"bug": bug}
    )
    network = planted.build(config)
    network.initialize_weights((784, 10))
    return gradients.unclipped(network, np.float64)


@pytest.fixture
def six():
    """Six images and their labels."""
    rng = np.random.default_rng(0)
    return rng.random((6, 784)), np.eye(10)[rng.integers(0, 10, 6)]


def test_two_checks_see_bugs_where_they_look(six):
    checked = gradients.two_checks({bug: broken(bug) for bug in configs.BUGS}, *six, 2, 10)
    shares = {bug: share for bug, (share, _) in checked.items()}
    seen = ["a sign of dW2", "dW2 transposed", "no mask of the ReLU"]
    assert [bug for bug, share in shares.items() if share > 1e-5] == seen
    assert shares["a sign of dW2"] == pytest.approx(2)  # the largest gradient has the other sign
    assert checked["no db2"][1] == gradients.directional_differences(broken("no db2"), *six)


@pytest.mark.parametrize("bug", configs.BUGS)
def test_each_planted_bug_is_where_its_name_says(bug, six):
    network = broken(bug)
    found = gradients.directional_differences(network, *six)
    wrong = [name for name, value in found.items() if value > 1e-5]
    expected = {
        "none": [],
        "a sign of dW2": ["W2"],
        "dW2 transposed": ["W2"],
        "biases divided twice": ["b1", "b2", "b3"],
        "no mask of the ReLU": ["W1", "b1", "W2", "b2"],
        "no db2": ["b2"],
        "dW1 doubled": ["W1"],
    }[bug]
    assert wrong == expected
    if bug == "dW1 doubled":
        assert found["W1"] == pytest.approx(1 / 2)
