"""Statistics, against independent computations."""

import numpy as np
import pytest
from scipy import stats

from helpers import statistics
from helpers.store import Run


@pytest.mark.parametrize("n", [2, 5])
def test_paired_is_the_paired_t_test(n):
    a, b = np.random.default_rng(0).normal(size=(2, n))
    reference = stats.ttest_rel(a, b)
    low, high = reference.confidence_interval(0.95)
    found = statistics.paired(a, b)
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    assert found.p == pytest.approx(reference.pvalue)


def test_independent_is_welchs_test():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=5), rng.normal(1, 3, size=3)
    reference = stats.ttest_ind(a, b, equal_var=False)
    low, high = reference.confidence_interval(0.95)
    found = statistics.independent(a, b)
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    assert found.p == pytest.approx(reference.pvalue)


def test_no_interval_is_narrower_than_the_noise_of_the_images():
    same = [0.01, 0.01, 0.01]
    assert statistics.paired(same, same).half == 0
    for compare in (statistics.paired, statistics.independent):
        found = compare([0.02, 0.02, 0.02], same, image_noise=0.003)
        assert found.half == pytest.approx(1.96 * 0.003, rel=1e-3)
        assert found.sign == 1
        wider = compare([0.02, 0.03, 0.01], same, image_noise=0.003)
        assert wider.half > compare([0.02, 0.03, 0.01], same).half
        assert wider.sign == 0


def test_signs():
    rng = np.random.default_rng(2)
    low, high = rng.normal(0, 1, 5), rng.normal(9, 1, 5)
    assert [statistics.paired(*pair).sign for pair in ((low, high), (high, low), (low, low + [1, -1, 1, -1, 0]))] == [
        -1,
        1,
        0,
    ]
    assert statistics.Difference(0.5, 0.5, 0.05).sign == 0  # an interval that reaches zero
    assert statistics.paired(high, low, 1e-9).p > statistics.paired(high + 1e9, low).p == statistics.TINY
    assert [statistics.paired([1, 1], pair).p for pair in ([1, 1], [2, 2])] == [1, 0]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="5 and 3 values are no pairs"):
        statistics.paired(range(5), range(3))


@pytest.mark.parametrize("compare", [statistics.paired, statistics.independent])
def test_one_seed_alone_tells_nothing_apart(compare):
    found = compare([1.0], [2.0], 0.1)
    assert (found.mean, found.half, found.p, found.sign) == (-1.0, np.inf, 1.0, 0)


def test_one_seed_against_many_tells_nothing_apart():
    assert statistics.independent([1.0], [2.0, 2.1, 1.9]).sign == 0


def test_image_noise_of_two_runs_is_mcnemars():
    rng = np.random.default_rng(3)
    first, second = (rng.choice(10_000, n, replace=False) for n in (150, 100))
    only_first, only_second = len(np.setdiff1d(first, second)), len(np.setdiff1d(second, first))
    # The variance of the difference of two shares on the same images, as in McNemar's test without the hypothesis.
    variance = (only_first + only_second - (only_first - only_second) ** 2 / 10_000) / 10_000 / 9_999
    assert statistics.image_noise([first], [second], 10_000) == pytest.approx(np.sqrt(variance))


def test_image_noise_is_that_of_drawing_other_images():
    """Three and two runs on images of which some are hard: the spread over drawn sets of images."""
    rng = np.random.default_rng(4)
    hard = rng.beta(0.05, 2, size=200_000)
    wrong = [rng.random(len(hard)) < hard * factor for factor in (1, 1, 1, 0.7, 0.7)]
    differences, noises = [], []
    for _ in range(300):
        drawn = rng.choice(len(hard), 2000)
        lists = [np.flatnonzero(each[drawn]) for each in wrong]
        differences.append(np.mean([len(w) for w in lists[:3]]) / 2000 - np.mean([len(w) for w in lists[3:]]) / 2000)
        noises.append(statistics.image_noise(lists[:3], lists[3:], 2000))
    assert np.mean(noises) == pytest.approx(np.std(differences), rel=0.1)


def test_holm():
    # Holm's procedure by hand: 4 * 0.01, 3 * 0.02, then at least as much, 1 * 0.2.
    assert statistics.holm([0.02, 0.2, 0.01, 0.025]) == pytest.approx([0.06, 0.2, 0.04, 0.06])
    assert statistics.holm([0.9, 0.8]) == [1, 1]


def test_wilson():
    z, k, n = stats.norm.ppf(0.975), 4, 4
    centre, half = (k / n + z**2 / (2 * n)) / (1 + z**2 / n), z / (1 + z**2 / n) * np.sqrt(z**2 / (4 * n**2))
    assert statistics.wilson(k, n) == pytest.approx((centre - half, centre + half))


def test_calibration_error_is_the_mean_gap_of_bins():
    confidence, right = [0.95, 0.95, 0.35, 0.31], [True, False, True, True]
    # Two bins of two images: |0.95 - 0.5| and |0.33 - 1|.
    assert statistics.calibration_error(confidence, right) == pytest.approx((0.45 + 0.67) / 2)
    assert statistics.calibration_error([1.0, 1.0], [True, True]) == 0
    # Four bins of a fifteenth hold one image each.
    assert statistics.calibration_error([0.41, 0.48, 0.54, 0.61], [True, False, True, False]) == pytest.approx(0.535)
    assert statistics.calibration_error([1.0, 0.95], [False, True]) == pytest.approx(0.475)  # one bin


def test_errors_are_those_of_the_set_that_is_asked_for():
    def run(valid, test):
        history = {"valid_error": [0.9, len(valid) / 10]}
        return Run({}, "", 0, history, {}, wrong=valid, test={"error": len(test) / 10, "wrong": test})

    valid = [[0], [1, 5], [1]], [[0, 1], [0, 1, 2, 3], []]
    test = [[0, 1, 2], [4], [5, 6]], [[3], [3], [7, 8, 9]]
    first, second = ([run(*pair) for pair in zip(*lists, strict=True)] for lists in zip(valid, test, strict=True))
    for on_test, lists in ((False, valid), (True, test)):
        noise = statistics.image_noise(*lists, 10)
        shares = [[len(wrong) / 10 for wrong in same] for same in lists]
        assert statistics.errors(first, second, 10, on_test=on_test) == statistics.independent(*shares, noise)
        assert statistics.errors(first, second, 10, True, on_test) == statistics.paired(*shares, noise)


def test_what_is_told_apart_is_so_after_holms_correction():
    found = {
        name: statistics.Difference(mean, 0.1, p)
        for name, mean, p in (("a", -1.0, 0.01), ("b", 0.5, 0.02), ("c", -0.5, 0.03), ("d", 0.1, 0.2))
    }
    assert list(statistics.adjusted(found).values()) == statistics.holm([0.01, 0.02, 0.03, 0.2])  # 0.04, 0.06, ...
    assert statistics.told_apart(found) == (["a"], [], ["b", "c", "d"])
    assert statistics.told_apart(found, level=0.07) == (["a", "c"], ["b"], ["d"])


def runs(*errors):
    """Runs of two epochs that begin with an error of 1 and end with these."""
    return [Run({}, "", 0, {"valid_error": [1.0, error]}, {}) for error in errors]


def test_the_best_has_the_lowest_mean_error():
    by_label = {"a": runs(0.25, 0.5), "b": runs(0.125, 0.25), "c": runs(0.0, 0.375)}
    assert statistics.finals(by_label["a"], "valid_error").tolist() == [0.25, 0.5]
    assert statistics.best(by_label) == "b"  # the first of two


def test_pooled_deviations():
    assert statistics.pooled([[1, 3], [0, 4]]) == pytest.approx(np.sqrt((2 + 8) / 2))
    assert statistics.pooled([[1], [5]]) == 0


def test_chance_spans_the_differences_of_two_draws():
    values = np.random.default_rng(5).normal(0, 2, (2, 20_000))
    half = statistics.by_chance(values[0]).half
    assert np.mean(np.abs(values[0] - values[1]) < half) == pytest.approx(0.95, abs=0.01)


def test_in_a_grid_runs_are_paired_by_their_place():
    def run(lr, batch_size, error, activation="relu"):
        config = {"lr": lr, "batch_size": batch_size, "hidden_dims": [5], "activation": activation}
        return Run(config, "", 0, {"valid_error": [error]}, {}, wrong=[])

    slow, fast = [run(0.1, 16, 0.3), run(0.1, 32, 0.5)], [run(1.0, 16, 0.2), run(1.0, 32, 0.3)]
    searched = [fast[1], *slow, fast[0], run(1.0, 16, 0.9, activation="tanh")]
    found = statistics.in_grid(searched, "lr", 0.1, 1.0, n_images=10)
    assert found == statistics.errors(fast, slow, 10, pairs=True)
    assert found.mean == pytest.approx(-0.15)
    assert statistics.in_grid(searched, "batch_size", 16, 32, 10, lr=1.0).mean == pytest.approx(0.1)
