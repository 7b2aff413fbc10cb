"""The two networks that travel with the project: they load without pickle and read digits."""

import numpy as np
import pytest
import torch

from helpers import configs, data, pretrained, record, store, training


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
    halved = pretrained.halved({"W": w})["W"]
    assert 2**-12 < np.abs(halved / w - 1).max() <= 2**-11
    np.testing.assert_array_equal(halved.view(np.uint32) % 2**13, 0)  # bits that half precision lacks
    assert halved.dtype == pretrained.load("mlp").weights["W1"].dtype == np.float32


def test_what_is_written_is_the_best_run_of_each_choice(tmp_path, monkeypatch, made):
    def run(seed, config, error):
        run = made(seed)
        run.config = configs.complete(
            {"dataset": "digits", "lr": 1, "batch_size": 1, "epochs": 1, "seed": seed} | config
        )
        run.history["valid_error"][-1] = error
        return run

    def weights(run):
        if run.config["model"] == "cnn":
            torch.manual_seed(run.config["seed"])
            return {name: w.numpy() for name, w in training.model("cnn").build(run.config).state_dict().items()}
        network = training.model("mlp").build(run.config)
        network.initialize_weights((784, 10))
        return network.weights

    chosen = {
        "best MLP": [
            run(seed, {"model": "mlp", "hidden_dims": [9 + seed]}, error) for seed, error in ((0, 0.2), (1, 0.1))
        ],
        "best CNN": [
            run(seed, {"model": "cnn", "fc1_units": 9 + seed}, error) for seed, error in ((2, 0.2), (3, 0.1))
        ],
    }
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path / "networks")
    monkeypatch.setattr(store, "read_weights", weights)
    monkeypatch.setattr(record, "chosen", lambda name: {"mnist": chosen}[name])
    pretrained.write()
    X = np.random.default_rng(0).random((5, 784), dtype=np.float32)
    for name, label in pretrained.CHOSEN.items():
        best = chosen[label][1]
        assert best.config["model"] == name
        expected = training.network(best.config, pretrained.halved(weights(best)))
        np.testing.assert_array_equal(pretrained.load(name).predict(X), expected.predict(X))


def test_the_cost_of_rounding_is_told_in_images(monkeypatch):
    """A perceptron whose last bias decides: 1 + 2^-12 becomes 1 in half precision, and then the first class wins."""
    config = configs.complete(
        {"model": "mlp", "dataset": "digits", "hidden_dims": [], "lr": 1, "batch_size": 1, "epochs": 1}
    )
    weights = {"W1": np.zeros((784, 10), np.float32), "b1": np.zeros((1, 10), np.float32)}
    weights["b1"][0, :2] = 1, 1 + 2**-12
    monkeypatch.setattr(store, "read_weights", lambda run: weights)
    split = data.Split(np.zeros((4, 784), np.float32), np.array([0, 1, 1, 2]))
    run = store.Run(config, "", 7850, {}, {})
    [row] = pretrained.rounding({"MLP": run}, split).to_numpy().tolist()
    assert row == ["MLP", 7850, "50.00%", "25.00%", 3]


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="'svm' is not one of mlp, cnn"):
        pretrained.load("svm")
