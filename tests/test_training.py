"""Training: both kinds of network leave the same record, and the same configuration the same numbers."""

import numpy as np
import pytest
import torch

from helpers import cnn, data, training

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "dropout": [0.25, 0.5], "lr": 0.1, "batch_size": 64, "epochs": 2}


@pytest.mark.parametrize("config", [MLP, CNN], ids=["mlp", "cnn"])
def test_a_run_records_what_its_weights_do(config):
    run, weights = training.train(config)
    network = training.network(run.config, weights)
    dataset = data.load("digits")
    for where, split in (("train", dataset.train), ("valid", dataset.valid)):
        loss, error = training.evaluate(network, split)
        assert run.history[f"{where}_loss"][-1] == pytest.approx(loss, rel=1e-5)
        assert run.history[f"{where}_error"][-1] == pytest.approx(error, abs=1e-12)
    assert {len(values) for values in run.history.values()} == {2}
    assert run.n_parameters == sum(w.size for w in weights.values())
    assert not run.diverged


@pytest.mark.parametrize("config", [MLP, CNN], ids=["mlp", "cnn"])
def test_the_seed_rules_everything(config):
    (_, first), (_, again), (_, other) = (training.train(config | {"seed": seed}) for seed in (1, 1, 2))
    for name, w in first.items():
        np.testing.assert_array_equal(again[name], w)
    assert any((other[name] != w).any() for name, w in first.items())


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    training.train(CNN | {"epochs": 1})
    assert torch.rand(1) == expected


def test_loss_is_the_clipped_cross_entropy():
    torch.manual_seed(0)
    network, split = cnn.cnn(), data.load("digits").valid
    with torch.inference_mode():
        scores = network(torch.from_numpy(split.X).reshape(-1, 1, 28, 28))
    expected = torch.nn.functional.cross_entropy(scores, torch.from_numpy(split.y)).item()
    loss, error = training.evaluate(network, split)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert error == (scores.argmax(dim=1).numpy() != split.y).mean()


@pytest.mark.parametrize("hidden_dims", [[20], [20, 20]], ids=["all units dead", "not a number"])
def test_divergence_is_a_result(hidden_dims):
    run, _ = training.train(MLP | {"lr": 1e6, "hidden_dims": hidden_dims})
    assert run.diverged


def test_the_network_has_the_parameters_of_the_report():
    assert sum(w.numel() for w in cnn.cnn().parameters()) == 206_500
    dropped = cnn.cnn(dropout=(0.25, 0.5))
    assert (dropped.dropout1.p, dropped.dropout2.p) == (0.25, 0.5)
    names = [name for name, _ in dropped.named_children()]
    assert names.index("conv3") < names.index("dropout1") < names.index("fc1") < names.index("dropout2")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": "svm"}, "model 'svm' is not one of mlp, cnn"),
        (MLP | {"momentum": 0.9}, "mlp has no parameter momentum"),
        ({"model": "cnn", "dataset": "digits"}, "lacks lr, batch_size, epochs"),
    ],
)
def test_bad_configurations_are_named(config, message):
    with pytest.raises(ValueError, match=message):
        training.complete(config)
