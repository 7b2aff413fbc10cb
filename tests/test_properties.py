"""What holds whatever the numbers are: Hypothesis looks for some with which it does not."""

import math
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from helpers import configs, statistics, store, words
from helpers.fast import FastNN
from helpers.nn import NN

settings.register_profile("report", derandomize=True, deadline=None, database=None)
settings.load_profile("report")

ERRORS = st.lists(st.floats(0, 1).map(lambda share: round(share, 4)), min_size=2, max_size=6)
NOISE = st.floats(0, 0.1)


@given(st.data(), ERRORS, NOISE)
def test_an_interval_excludes_zero_where_the_chance_is_below_5_percent(data, first, noise):
    second = data.draw(st.lists(st.floats(0, 1), min_size=len(first), max_size=len(first)))
    for compare in (statistics.paired, statistics.independent):
        found, turned = compare(first, second, noise), compare(second, first, noise)
        assert found.mean == -turned.mean
        assert found.half == pytest.approx(turned.half)
        assert found.half >= 1.9599 * noise
        assert 0 <= found.p <= 1
        if abs(found.p - 0.05) > 1e-6:
            assert (found.sign != 0) == (found.p < 0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.randoms())
def test_holm_keeps_the_order_and_makes_nothing_surer(p_values, random):
    adjusted = statistics.holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, adjusted, strict=True))
    in_order = [after for _, after in sorted(zip(p_values, adjusted, strict=True))]
    assert in_order == sorted(in_order)
    order = random.sample(range(len(p_values)), len(p_values))
    assert statistics.holm([p_values[i] for i in order]) == pytest.approx([adjusted[i] for i in order])


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_interval_holds_the_share_and_stays_a_share(counts):
    k, n = counts
    low, high = statistics.wilson(k, n)
    assert 0 <= low <= k / n + 1e-12
    assert k / n - 1e-12 <= high <= 1


@given(st.floats(-1, 1), st.floats(0, 1))
def test_a_side_is_told_only_where_the_interval_shows_it(mean, half):
    told = words.compared(statistics.Difference(mean, half, 0.5), "a", "b")
    side = {-1: "lower than", 1: "higher than", 0: "not told apart from"}[statistics.Difference(mean, half, 0.5).sign]
    assert f"of a is {side} that of b (" in told


@given(st.integers(-(10**9), 10**9))
def test_a_count_can_be_read_back(count):
    number, noun = words.number(count, "image").split(words.BLANK)
    assert int(number.replace(",", "")) == count
    assert noun == ("image" if count == 1 else "images")


@given(
    st.lists(st.tuples(*[st.floats()] * len(store.HISTORY)), min_size=1, max_size=4),
    arrays(st.sampled_from([np.float32, np.float64]), array_shapes(max_dims=3, max_side=4)),
)
def test_a_run_comes_back_as_it_was_stored(epochs, weights):
    history = {name: [epoch[i] for epoch in epochs] for i, name in enumerate(store.HISTORY)}
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESULTS", folder)
        store.write("run", store.Run({"model": "mlp", "lr": 0.1}, "f", weights.size, history, {}), {"W": weights})
        run = store.read("run")
        found = store.read_weights(run)["W"]
    for name, values in history.items():
        expected = [value if math.isfinite(value) else math.nan for value in values]
        np.testing.assert_array_equal(run.history[name], expected)
    assert found.dtype == weights.dtype
    assert found.tobytes() == weights.tobytes()


MLPS = st.fixed_dictionaries(
    {
        "model": st.just("mlp"),
        "dataset": st.just("digits"),
        "lr": st.floats(0, 10, exclude_min=True),
        "batch_size": st.integers(1, 1000),
        "epochs": st.integers(1, 100),
        "seed": st.integers(0, 2**32 - 1),
        "hidden_dims": st.lists(st.integers(1, 2000), max_size=3),
        "shift": st.floats(0, 28, exclude_max=True),
        "shuffle": st.booleans(),
    }
)


@given(MLPS)
def test_a_complete_configuration_is_complete_and_numpys_numbers_are_numbers(config):
    whole = configs.complete(config)
    assert configs.complete(whole) == whole
    assert {name: whole[name] for name in config} == config
    as_numpy = {name: value if isinstance(value, str) else np.asarray(value) for name, value in config.items()}
    as_numpy["hidden_dims"] = np.array(config["hidden_dims"], int)
    assert configs.complete(as_numpy) == whole


@given(
    st.lists(st.integers(1, 6), max_size=3),
    st.sampled_from(["relu", "sigmoid", "tanh"]),
    st.integers(1, 9),
    st.integers(2, 5),
    st.integers(0, 1000),
)
def test_each_step_of_the_fast_network_is_that_of_the_plain_one(hidden_dims, activation, n, n_classes, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 7)), np.eye(n_classes)[rng.integers(0, n_classes, n)]
    plain, fast = (kind(hidden_dims, lr=0.5, batch_size=n, seed=seed, activation=activation) for kind in (NN, FastNN))
    for network in (plain, fast):
        network.initialize_weights((7, n_classes))
        for _ in range(3):
            network.step(X, y)
    for name, w in plain.weights.items():
        np.testing.assert_allclose(fast.weights[name], w, rtol=1e-9, atol=1e-12)
