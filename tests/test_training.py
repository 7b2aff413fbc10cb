"""Training: both kinds of network leave the same record, and the same configuration the same numbers."""

import numpy as np
import pytest
import torch

from helpers import cnn, configs, data, metrics, training

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [20], "lr": 0.1, "batch_size": 32, "epochs": 2}
CNN = {"model": "cnn", "dataset": "digits", "dropout": [0.25, 0.5], "lr": 0.1, "batch_size": 64, "epochs": 2}


@pytest.mark.parametrize("config", [MLP, CNN], ids=["mlp", "cnn"])
def test_a_run_records_what_its_weights_do(config):
    run, weights = training.train(config)
    network = training.network(run.config, weights)
    dataset = data.load("digits")
    for where, split in (("train", dataset.train), ("valid", dataset.valid)):
        loss, error = metrics.evaluate(network, split)
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
    network, split = cnn.network(), data.load("digits").valid
    with torch.inference_mode():
        scores = network(torch.from_numpy(split.X).reshape(-1, 1, 28, 28))
    expected = torch.nn.functional.cross_entropy(scores, torch.from_numpy(split.y)).item()
    loss, error = metrics.evaluate(network, split)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert error == (scores.argmax(dim=1).numpy() != split.y).mean()


@pytest.mark.parametrize("hidden_dims", [[20], [20, 20]], ids=["all units dead", "not a number"])
def test_divergence_is_a_result(hidden_dims):
    run, _ = training.train(MLP | {"lr": 1e6, "hidden_dims": hidden_dims})
    assert run.diverged


def test_the_network_has_the_parameters_of_the_report():
    assert sum(w.numel() for w in cnn.network().parameters()) == 206_500
    dropped = cnn.network(dropout=(0.25, 0.5))
    assert (dropped.dropout1.p, dropped.dropout2.p) == (0.25, 0.5)
    names = [name for name, _ in dropped.named_children()]
    assert names.index("conv3") < names.index("dropout1") < names.index("fc1") < names.index("dropout2")


def test_dropblock_drops_whole_blocks_and_keeps_the_sum():
    torch.manual_seed(0)
    x = torch.ones(400, 5, 7, 7)
    layer = cnn.DropBlock2d(0.1, block_size=3)
    assert layer.eval()(x) is x
    y = layer.train()(x)
    dropped = (y == 0).float()
    # Blocks overlap, so a little less than the wanted share is dropped (the paper's remark on equation 1).
    assert 0.08 < dropped.mean() < 0.1
    assert y.sum().item() == pytest.approx(x.sum().item(), rel=1e-4)
    # Every zero lies in a 3 x 3 block of zeros: opening, in the language of image processing, changes nothing.
    eroded = -torch.nn.functional.max_pool2d(-dropped, 3, stride=1)
    opened = torch.nn.functional.max_pool2d(torch.nn.functional.pad(eroded, [2] * 4), 3, stride=1)
    torch.testing.assert_close(opened, dropped)
    layer.progress = 0.0
    torch.testing.assert_close(layer(x), x)


def test_dropblock_sets_in_over_the_epochs():
    plain = CNN | {"dropout": [0.0, 0.0]}
    for epochs, same in ((1, True), (2, False)):
        config = plain | {"epochs": epochs}
        (_, without), (_, blocks) = (training.train(config | extra) for extra in ({}, {"dropblock": [0.2, 3]}))
        assert all((blocks[name] == w).all() for name, w in without.items()) == same


def test_block_size_1_is_dropout():
    torch.manual_seed(0)
    dropped = (cnn.DropBlock2d(0.25, block_size=1)(torch.ones(200, 5, 7, 7)) == 0).float()
    assert dropped.mean().item() == pytest.approx(0.25, abs=0.01)


def test_images_are_shifted_by_pixels_and_turned_by_degrees(monkeypatch):
    config = configs.complete(CNN | {"shift": 2.0, "rotation": 90.0})
    X = torch.rand(1, 1, 28, 28)
    draws = iter([torch.tensor([0.5]), torch.tensor([[1.0, 0.5]])])  # no turn; all the way right and no way up
    monkeypatch.setattr(torch, "rand", lambda *_: next(draws))
    moved = cnn._disturbed(X, config)
    torch.testing.assert_close(moved[..., :-2], X[..., 2:], atol=1e-4, rtol=0)
    assert moved[..., -2:].abs().max() < 1e-4
    draws = iter([torch.tensor([1.0]), torch.tensor([[0.5, 0.5]])])
    torch.testing.assert_close(cnn._disturbed(X, config), X.rot90(1, (2, 3)), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        {"weight_decay": 0.01},
        {"label_smoothing": 0.1},
        {"decay": True},
        {"noise": 0.3},
        {"shift": 2.0},
        {"rotation": 15.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_regulariser_takes_effect(change):
    vanilla, regularised = (training.train(CNN | {"epochs": 1} | extra)[1] for extra in ({}, change))
    assert any((regularised[name] != w).any() for name, w in vanilla.items())


def test_early_stopping_keeps_the_best_epoch():
    run, weights = training.train(CNN | {"lr": 0.5, "epochs": 40, "patience": 2})
    losses = run.history["valid_loss"]
    assert len(losses) < 40
    assert run.kept == len(losses) - 3 == np.argmin(losses)
    loss, _ = metrics.evaluate(training.network(run.config, weights), data.load("digits").valid)
    assert loss == pytest.approx(run.final("valid_loss"), rel=1e-5)


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
        configs.complete(config)
