"""Training: both kinds of network leave the same record, and the same configuration the same numbers."""

from itertools import islice

import numpy as np
import pytest
import torch

from helpers import augment, cnn, configs, data, metrics, mlp, schedules, training
from helpers.nn import NN

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "dropout": [0.25, 0.5], "lr": 0.1, "batch_size": 64, "epochs": 2}


@pytest.mark.parametrize("config", [MLP, CNN], ids=["mlp", "cnn"])
def test_a_run_records_what_its_weights_do(config):
    run, weights = training.train(config)
    network = training.network(run.config, weights)
    dataset = data.load("digits")
    for where, split in (("train", dataset.train), ("valid", dataset.valid)):
        found = metrics.evaluate(network, split)
        assert run.history[f"{where}_loss"][-1] == pytest.approx(found.loss, rel=1e-5)
        assert run.history[f"{where}_unclipped_loss"][-1] == pytest.approx(found.unclipped_loss, rel=1e-5)
        assert run.history[f"{where}_error"][-1] == pytest.approx(found.error, abs=1e-12)
    assert run.wrong == found.wrong
    assert {len(values) for values in run.history.values()} == {2}
    assert run.n_parameters == sum(w.size for w in weights.values())
    assert not run.diverged


@pytest.mark.parametrize("config", [MLP, CNN], ids=["mlp", "cnn"])
def test_the_seed_rules_everything(config):
    (_, first), (_, again), (_, other) = (training.train(config | {"seed": seed}) for seed in (1, 1, 2))
    for name, w in first.items():
        np.testing.assert_array_equal(again[name], w)
    assert any((other[name] != w).any() for name, w in first.items())


def test_the_seed_rules_the_order_too():
    config = MLP | {"shuffle": True, "init_method": "zero", "epochs": 1}  # all begin with the same weights
    (_, first), (_, again), (_, other) = (training.train(config | {"seed": seed}) for seed in (1, 1, 2))
    np.testing.assert_array_equal(again["b2"], first["b2"])
    assert (other["b2"] != first["b2"]).any()


def test_the_perceptron_is_trained_as_nn_trains_itself():
    _, weights = training.train(MLP)
    dataset = data.load("digits")
    pairs = [split.one_hot() for split in (dataset.train, dataset.valid, dataset.test)]
    plain = NN([20], lr=0.1, batch_size=32, seed=0, data=pairs, dtype=np.float32)
    plain.initialize_weights((784, 10))
    plain.train_loop(2)
    for name, w in plain.weights.items():
        np.testing.assert_allclose(weights[name], w, rtol=1e-3, atol=1e-5)


def test_the_cnn_is_trained_by_stochastic_gradient_descent_with_a_falling_rate():
    _, weights = training.train(CNN | {"dropout": [0.0, 0.0], "decay": True})
    train = data.load("digits").train
    X, y = torch.from_numpy(train.X).reshape(-1, 1, 28, 28), torch.from_numpy(train.y)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = cnn.network()
        batches = [batch for _ in range(2) for batch in torch.randperm(len(X)).split(64)]
    for step, batch in enumerate(batches):
        loss = torch.nn.functional.cross_entropy(plain(X[batch]), y[batch])
        for w, dw in zip(plain.parameters(), torch.autograd.grad(loss, plain.parameters()), strict=True):
            w.data -= 0.1 * (1 - step / len(batches)) * dw
    for name, w in plain.state_dict().items():
        np.testing.assert_allclose(weights[name], w, rtol=1e-3, atol=1e-4)


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    training.train(CNN | {"epochs": 1})
    assert torch.rand(1) == expected


def test_loss_is_the_clipped_cross_entropy():
    torch.manual_seed(0)
    network, split = cnn.network(), data.load("digits").valid
    with torch.inference_mode():
        scores = network(torch.from_numpy(split.X).reshape(-1, 1, 28, 28))
    expected = torch.nn.functional.cross_entropy(scores, torch.from_numpy(split.y)).item()
    found = metrics.evaluate(network, split)
    assert found.unclipped_loss == pytest.approx(expected, rel=1e-5)
    assert found.loss == pytest.approx(expected, rel=1e-5)
    assert found.error == (scores.argmax(dim=1).numpy() != split.y).mean()
    np.testing.assert_array_equal(found.wrong, np.flatnonzero(network.predict(split.X).argmax(axis=1) != split.y))
    network.fc2.weight.data *= 1e4
    p = np.clip(network.predict(split.X)[np.arange(len(split)), split.y].astype(float), 1e-6, 1 - 1e-6)
    certain = metrics.evaluate(network, split)
    assert certain.loss == pytest.approx(-np.log(p).mean(), rel=1e-5)
    assert certain.unclipped_loss > 10 * certain.loss
    right = np.flatnonzero(p == 1 - 1e-6)  # whose loss is clipped from below
    sure = metrics.evaluate(network, data.Split(split.X[right], split.y[right]))
    assert sure.unclipped_loss < sure.loss == pytest.approx(-np.log(1 - 1e-6))


@pytest.mark.parametrize("hidden_dims", [[20], [20, 20]], ids=["all units dead", "not a number"])
def test_divergence_is_a_result(hidden_dims):
    run, _ = training.train(MLP | {"lr": 1e6, "hidden_dims": hidden_dims})
    assert run.diverged


def test_the_network_has_the_parameters_of_the_report():
    assert sum(w.numel() for w in cnn.network().parameters()) == 206_500
    dropped = cnn.network(dropout=(0.25, 0.5))
    assert (dropped.dropout1.p, dropped.dropout2.p) == (0.25, 0.5)
    assert not [name for name, _ in cnn.network().named_children() if "dropout" in name]
    names = [name for name, _ in dropped.named_children()]
    assert names.index("conv3") < names.index("dropout1") < names.index("fc1") < names.index("dropout2")


def test_images_are_shifted_by_pixels_and_turned_by_degrees(monkeypatch):
    X = torch.rand(1, 1, 28, 28)
    draws = iter([torch.tensor([0.5]), torch.tensor([[1.0, 0.5]])])  # no turn; all the way right and no way up
    monkeypatch.setattr(torch, "rand", lambda *_: next(draws))
    moved = augment.moved(X, 2.0, 90.0)
    torch.testing.assert_close(moved[..., :-2], X[..., 2:], atol=1e-4, rtol=0)
    assert moved[..., -2:].abs().max() < 1e-4
    draws = iter([torch.tensor([1.0]), torch.tensor([[0.5, 0.5]])])
    torch.testing.assert_close(augment.moved(X, 2.0, 90.0), X.rot90(1, (2, 3)), atol=1e-4, rtol=0)


MLP_CHANGES = [
    *(
        {"shuffle": True},
        {"decay": True},
        {"shift": 2.0},
        {"rotation": 15.0},
    ),
    *({"permutation": 0}, {"perturbation": 0}, {"init_method": "he"}),
]
CNN_CHANGES = [
    *({"dropout": [0.0, 0.0]}, {"decay": True}, {"shift": 2.0}, {"rotation": 15.0}),
    *({"pooling": False}, {"permutation": 0}, {"init_method": "glorot"}),
]


@pytest.mark.parametrize(
    ("config", "change"),
    [(MLP, change) for change in MLP_CHANGES] + [(CNN, change) for change in CNN_CHANGES],
    ids=lambda value: value.get("model") or next(iter(value)),
)
def test_each_parameter_takes_effect_and_the_seed_rules_it(config, change):
    config = config | {"epochs": 1}
    plain, changed, again = (training.train(config | extra)[1] for extra in ({}, change, change))
    assert any((changed[name] != w).any() for name, w in plain.items())
    for name, w in changed.items():
        np.testing.assert_array_equal(again[name], w)


def test_the_rate_falls_linearly_to_zero_or_stays():
    config = {"lr": 0.2, "epochs": 3, "decay": True}
    rates = [schedules.rate(config, step, n_steps=4) for step in range(12)]
    np.testing.assert_allclose(rates, 0.2 * (1 - np.arange(12) / 12))
    assert schedules.rate(config | {"decay": False}, 7, n_steps=4) == 0.2


def test_the_rate_of_the_perceptron_falls_from_epoch_to_epoch():
    config = configs.complete(MLP | {"decay": True, "batch_size": 600})  # two steps an epoch
    networks = training.steps(config, data.load("digits"))
    assert [network.lr for network in islice(networks, 1, 5)] == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_a_permutation_is_one_for_all_images():
    plain, permuted = (training.dataset(MLP | {"permutation": seed}) for seed in (None, 3))
    order = np.random.default_rng(3).permutation(784)
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(permuted, split).X, getattr(plain, split).X[:, order])
        np.testing.assert_array_equal(getattr(permuted, split).y, getattr(plain, split).y)


def test_a_perturbation_is_one_unit_in_the_last_place_of_one_weight():
    W = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    changed = W.copy()
    mlp._perturb(changed, seed=1)
    (place,) = np.argwhere(changed != W)
    assert changed[tuple(place)] == np.nextafter(W[tuple(place)], np.float32(np.inf))


def test_without_shared_weights_equal_kernels_are_a_convolution():
    torch.manual_seed(0)
    convolution, local = torch.nn.Conv2d(3, 4, 5), cnn.LocallyConnected2d(3, 4, 5, side=9)
    local.take(convolution)
    x = torch.rand(2, 3, 9, 9)
    torch.testing.assert_close(local(x), convolution(x))


def test_without_pooling_the_first_pixel_of_each_window_is_taken():
    x = torch.arange(49.0).reshape(1, 1, 7, 7)
    assert cnn.Subsample2d(2)(x).tolist() == [[[[0, 2, 4], [14, 16, 18], [28, 30, 32]]]]
    shapes = [
        cnn.network(pooling=pooling, shared=shared)(torch.zeros(1, 1, 28, 28)).shape
        for pooling, shared in ((True, True), (False, True), (True, False), (False, False))
    ]
    assert set(shapes) == {(1, 10)}


def test_the_curve_of_training_is_that_of_the_first_images_and_the_end_that_of_all(monkeypatch):
    monkeypatch.setattr(cnn, "CURVE", 100)
    whole = training.train(CNN | {"epochs": 1})[0]
    run, weights = training.train(CNN | {"epochs": 2})
    train = data.load("digits").train
    assert run.history["train_error"][0] * 100 == pytest.approx(round(run.history["train_error"][0] * 100))
    found = metrics.evaluate(training.network(run.config, weights), train)
    assert run.history["train_loss"][-1] == pytest.approx(found.loss, rel=1e-5)
    assert whole.history["train_loss"][0] != run.history["train_loss"][0]
