"""The audit of the original report: its verdicts, its rule of update and what zero initialisation can learn."""

import hashlib
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers import configs, data, frequencies, original, replay, verdicts
from helpers.nn import NN
from helpers.original import Claim
from helpers.statistics import Difference
from helpers.verdicts import Finding


@pytest.fixture
def small():
    """A data set of 41 + 20 images of 12 pixels: two batches of 16 and one of 9."""
    rng = np.random.default_rng(0)
    X, y = rng.random((61, 12)).astype(np.float32), rng.integers(0, 10, 61)
    train, valid = data.Split(X[:41], y[:41]), data.Split(X[41:], y[41:])
    return data.Dataset("small", train, valid, valid, tuple("0123456789"), "fingerprint")


CONFIG = configs.complete(
    {"model": "replay", "dataset": "digits", "hidden_dims": [9, 8], "lr": 0.3, "batch_size": 16, "epochs": 3}
)


def replayed(config, dataset):
    """The Evaluations of the set that a replay measures, one per epoch."""
    n_steps = -(-len(dataset.train) // config["batch_size"])
    networks = replay.steps(config, dataset, lambda step: config["lr"])
    ends = islice(networks, n_steps, config["epochs"] * n_steps + 1, n_steps)
    return [replay.measure(network, dataset, last=False)[config["measured"]] for network in ends]


def test_the_printed_numbers_are_all_there():
    assert {scheme: len(losses) for scheme, losses in original.TRAIN_LOSS.items()} == dict.fromkeys(
        ("zero", "normal", "glorot"), 10
    )
    configs = original.search_configs("mnist")
    assert len(configs) == len({str(config) for config in configs}) == original.N_COMBINATIONS
    assert len(original.FIRST_ACCURACIES) == 10
    assert original.LEAD == 7  # 98.42% before 98.35%
    assert original.WANTED_ACCURACY == 0.97
    best = int(np.argmax(original.FIRST_ACCURACIES))
    assert {name: configs[best][name] for name in original.BEST} == original.BEST
    assert sum(n for _, n in original.CNN_LAYERS.values()) == original.CLAIMS["parameters/cnn"].printed
    assert sum(np.prod(shape) for shape in original.SHAPES.values()) == 596_910
    assert configs[0] == {
        **{"model": "mlp", "dataset": "mnist", "activation": "relu", "init_method": "glorot", "epochs": 15},
        **{"seed": 0, "lr": 0.1, "batch_size": 16, "hidden_dims": [400, 500]},
    }


def test_no_printed_number_has_changed():
    """A checksum of all that was typed, since a digit that is mistyped looks like any other."""
    claims = {name: (claim.kind, claim.printed, claim.unit) for name, claim in original.CLAIMS.items()}
    typed = (claims, original.INITIALISATION, original.SEARCH, original.BEST, original.CNN, original.DROPOUT)
    assert hashlib.md5(repr(typed).encode()).hexdigest() == "74a450a24eeff05e5105c18fef275715"


def test_the_noise_of_an_accuracy_is_that_of_two_binomials():
    one = stats.binom(10_000, 0.98).std() / 10_000
    assert verdicts.accuracy_noise(0.98, 10_000) == pytest.approx(np.hypot(one, one))


def test_a_unit_in_the_last_place_is_what_numpy_says():
    for x in (0.5185363217750453, 1.9345233573819667, 2.3025823920240978):
        assert verdicts.ulps(x, np.nextafter(x, 9)) == 1
        assert verdicts.ulps(x, x - 3 * np.spacing(x)) == -3
    np.testing.assert_array_equal(verdicts.ulps([1.0, 2.0], [1.0, 2.0 + 4.5e-16]), [0, 1])
    assert verdicts.ulps(1.0, [1 - 2**-52, 1 - 2**-53]).tolist() == [-1, 0]  # below 1 the units are half as large


@pytest.mark.parametrize(
    ("printed", "unit", "measured", "noise", "expected"),
    [
        (2.302579695649359, 0, 2.302579695649359 + 2 * 4.44e-16, 0, verdicts.TO_THE_DIGIT),
        (2.302579695649359, 0, 2.302579695649359 + 3 * 4.44e-16, 0, verdicts.NOT_REPRODUCED),
        (2.302579695649359, 0, 2.302579695649359 + 4 * 4.44e-16, 1e-14, verdicts.WITHIN_NOISE),
        (0.08, 0.01, 0.0751, 0, verdicts.TO_THE_DIGIT),
        (0.98, 0.01, 0.975, 0, verdicts.TO_THE_DIGIT),  # half a unit, in floats a little more
        (0.08, 0.01, 0.0703, 0, verdicts.NOT_REPRODUCED),
        (0.08, 0.01, 0.0703, 0.003, verdicts.WITHIN_NOISE),
        (0.08, 0.01, 0.0603, 0.003, verdicts.NOT_REPRODUCED),
        (17.0, 1, 22.0, 2, verdicts.NOT_REPRODUCED),
        (17.0, 1, 22.0, 2.5, verdicts.WITHIN_NOISE),
        (0.9842, 1e-4, float("nan"), 1, verdicts.NOT_REPRODUCED),
        (206_500, 0, 206_500, 0, verdicts.TO_THE_DIGIT),
        (206_500, 0, 206_501, 5, verdicts.WRONG),
        ("20 × 12 × 12", 0, "20 × 24 × 24", 0, verdicts.WRONG),
        (11.6, 0.1, None, 0, verdicts.NOT_COMPARABLE),
    ],
)
def test_verdicts(printed, unit, measured, noise, expected):
    kind = original.NUMBER if isinstance(printed, float) else original.ARITHMETIC
    assert verdicts.verdict(Claim(kind, "part", "text", printed, unit), Finding(measured, noise)) == expected


@pytest.mark.parametrize(
    ("mean", "expected"), [(-1.0, verdicts.HOLDS), (1.0, verdicts.CONTRADICTED), (-0.1, verdicts.UNDECIDED)]
)
def test_a_conclusion_holds_only_beyond_its_interval(mean, expected):
    claim = Claim(original.CONCLUSION, "part", "loss of a, of b's", "lower")
    found = verdicts.answer(Difference(mean, half=0.5, p=0.05))
    assert verdicts.verdict(claim, Finding(found)) == expected


def test_every_claim_gets_a_row():
    findings = {name: Finding(claim.printed) for name, claim in original.CLAIMS.items()}
    frame = verdicts.judge(findings)
    assert list(frame["claim"]) == [claim.text for claim in original.CLAIMS.values()]
    assert set(frame["verdict"]) == {verdicts.TO_THE_DIGIT, verdicts.HOLDS}
    assert set(frame["kind"]) == set(original.KINDS)
    findings["epsilon"] = Finding(0.006, 0.002, "as the images are")
    row = verdicts.judge(findings).set_index("claim").loc["ε of the smallest difference"]
    assert row[["printed", "measured", "noise", "unit"]].tolist() == [0.003, 0.006, 0.002, 0.001]
    assert row[["verdict", "why", "part"]].tolist() == [verdicts.WITHIN_NOISE, "as the images are", "gradient check"]
    elsewhere = verdicts.judge(findings, on_mnist=False)
    judged = elsewhere["verdict"] != verdicts.NOT_COMPARABLE
    assert elsewhere["why"][~judged].all()

    judged = verdicts.judge(findings, on_mnist=False)["verdict"] != verdicts.NOT_COMPARABLE
    portable = pd.Series([claim.portable for claim in original.CLAIMS.values()])
    assert (judged == portable).all()
    assert 0 < portable.sum() < len(portable)
    assert portable[[claim.kind == original.ARITHMETIC for claim in original.CLAIMS.values()]].all()
    with pytest.raises(ValueError, match=r"epsilon.*no such"):
        verdicts.judge({**{k: v for k, v in findings.items() if k != "epsilon"}, "no such": Finding(1)})


def test_a_replay_is_the_rule_written_out(small):
    plain = NN((9, 8), seed=0)
    plain.initialize_weights((12, 10))
    w, (X, y) = plain.weights, replay.pairs(small)["train"]
    losses = []
    for _ in range(3):
        for start in (0, 16, 32):
            Z0, truth = X[start : start + 16], y[start : start + 16]
            n = len(Z0)  # 16, 16 and 9
            cache = plain.forward(Z0)
            dA3 = cache["Z3"] - truth
            dA2 = (dA3 @ w["W3"].T) * (cache["A2"] > 0)
            dA1 = (dA2 @ w["W2"].T) * (cache["A1"] > 0)
            for i, (before, dA) in enumerate([(Z0, dA1), (cache["Z1"], dA2), (cache["Z2"], dA3)], start=1):
                w[f"W{i}"] = w[f"W{i}"] - 0.3 * (before.T @ dA) / 16
                w[f"b{i}"] = w[f"b{i}"] - 0.3 * dA.sum(axis=0, keepdims=True) / n / 16
        losses.append(plain.loss(plain.forward(X)["Z3"], y))
    evaluations = replayed(CONFIG, small)
    np.testing.assert_allclose([e.loss for e in evaluations], losses, rtol=1e-13)
    np.testing.assert_allclose([e.unclipped_loss for e in evaluations], losses, rtol=1e-4)
    assert len(set(losses)) == 3


def test_a_replay_may_be_measured_on_the_validation_set(small):
    train, valid = (replayed(CONFIG | {"measured": name}, small)[-1] for name in ("train", "valid"))
    assert train != valid
    assert valid.error == len(valid.wrong) / len(small.valid)


def test_a_pixel_of_the_original_is_k_over_256():
    X = np.arange(256, dtype=np.float32) / np.float32(255)
    np.testing.assert_array_equal(replay.images(X), np.arange(256) / 256)


def test_a_perturbation_changes_w2_by_one_part_in_1e15(small):
    pair = replay.pairs(small)["train"]
    before, after = (replay.build(CONFIG, [pair, pair, pair]) for _ in range(2))
    replay.initialize(before, None)
    replay.initialize(after, 1)
    change = after.weights["W2"] / before.weights["W2"] - 1
    assert 0.5e-15 < np.abs(change).min() <= np.abs(change).max() < 1.5e-15
    assert (change > 0).any()
    assert (change < 0).any()
    for name in before.weights.keys() - {"W2"}:
        np.testing.assert_array_equal(after.weights[name], before.weights[name])


def test_zero_initialisation_learns_class_frequencies_alone(small):
    pair = replay.pairs(small)["train"]
    network = NN((9, 8), lr=0.5, batch_size=20, init_method="zero", data=[pair, pair, pair])
    losses = network.train_loop(4)["train_loss"]
    counted = frequencies.constant_predictor_losses(small.train.y, 10, rate=0.5, batch_size=20, epochs=4)
    np.testing.assert_allclose(counted, losses, rtol=1e-13)


def test_closed_form_is_the_limit_of_balanced_classes():
    labels = np.repeat(np.arange(10), [98, 102, 101, 99, 100, 103, 97, 100, 100, 100])
    shares = np.bincount(labels) / len(labels)
    stepped = frequencies.constant_predictor_losses(labels, 10, rate=1e-2, batch_size=len(labels), epochs=2000)
    closed = frequencies.constant_predictor_loss(1e-2 * np.arange(1, 2001), shares)
    gained = np.log(10) - stepped
    np.testing.assert_allclose(np.log(10) - closed, gained, rtol=0.02)
    entropy = -np.sum(shares * np.log(shares))
    assert frequencies.constant_predictor_loss(1e9, shares) == pytest.approx(entropy, abs=1e-7)


def test_losses_are_explained_by_frequencies_as_far_as_they_follow_them():
    labels = np.repeat(np.arange(10), [98, 102, 101, 99, 100, 103, 97, 100, 100, 100])
    losses = frequencies.constant_predictor_losses(labels, 10, 0.5, len(labels), 3)
    found = frequencies.explained(losses, labels, 0.5, len(labels))
    assert found.stepped == 0
    assert 0 < found.closed < 0.05
    assert found.done == pytest.approx((np.log(10) - losses[-1]) / (np.log(10) - frequencies.entropy(labels)))
    assert found.done == pytest.approx(1 - np.exp(-2 * 3 * 0.5 / 10), rel=0.05)  # the closed form
    mixed = np.tile(np.repeat(np.arange(10), [8, 12, 11, 9, 10, 13, 7, 10, 10, 10]), 10)
    of_mixed = frequencies.constant_predictor_losses(mixed, 10, 0.1, 300, 3)  # 4 steps, of which the last is shorter
    assert frequencies.explained(of_mixed, mixed, 0.1, 300).closed < 0.1
    off = frequencies.explained([losses[0], losses[1] - 1e-3, losses[2]], labels, 0.5, len(labels))
    assert off.stepped == pytest.approx(1e-3)
    gained = np.log(10) - losses[1]
    assert off.closed == pytest.approx(1e-3 / (gained + 1e-3), rel=0.05)
    assert off.done == found.done


def test_entropy_is_the_least_loss_of_a_constant_prediction():
    assert frequencies.entropy([0, 0, 1, 3]) == pytest.approx(1.5 * np.log(2))
    assert frequencies.entropy(np.arange(10)) == pytest.approx(np.log(10))


@pytest.mark.slow
@pytest.mark.skipif(not (data.FOLDER / "MNIST" / "raw").exists(), reason="MNIST is not there")
def test_the_first_printed_digits_come_out():
    """One epoch of two schemes on MNIST, which is the original's whole computation in small."""
    for scheme in ("zero", "glorot"):
        config = original.INITIALISATION | {"model": "replay", "dataset": "mnist", "init_method": scheme, "epochs": 1}
        [first] = replayed(configs.complete(config), data.load("mnist"))
        assert first.loss == pytest.approx(original.TRAIN_LOSS[scheme][0], abs=1e-14)
