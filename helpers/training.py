"""Training: from a configuration to a Run and the trained weights, for NN and for PyTorch alike.

A configuration is plain data, for example

    {"model": "mlp", "dataset": "mnist", "hidden_dims": [500, 400], "lr": 0.1, "batch_size": 64, "epochs": 10}

Parameters that it leaves out have the values in DEFAULTS.
"""

import platform
import time
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np

from helpers import data, nn

EPSILON = 1e-6  # probabilities are clipped to [EPSILON, 1 - EPSILON] in every loss that is reported
EVALUATION_BLOCK = 100  # images; larger blocks leave the processor's caches
HISTORY = ("train_loss", "train_error", "valid_loss", "valid_error", "seconds")

REQUIRED = ("model", "dataset", "lr", "batch_size", "epochs")
DEFAULTS = {
    "mlp": {"seed": 0, "hidden_dims": [784, 256], "activation": "relu", "init_method": "glorot"},
    "cnn": {"seed": 0, "dropout": [0.0, 0.0]},
}


@dataclass
class Run:
    """What one training leaves.

    `history` has the lists named in HISTORY, one value per epoch, measured over the whole sets at its end: losses
    in nats, errors as shares of 1.  `test` is None until the run has been chosen and evaluated on the test set.
    """

    config: dict
    fingerprint: str
    n_parameters: int
    history: dict
    versions: dict
    test: dict | None = None
    key: str = ""
    shapes: dict = field(default_factory=dict)

    @property
    def diverged(self):
        """Whether a loss is no finite number, or training ended at twice the loss of guessing or more."""
        losses = self.history["train_loss"] + self.history["valid_loss"]
        return not np.all(np.isfinite(losses)) or self.history["train_loss"][-1] >= 2 * np.log(data.N_CLASSES)

    @property
    def valid_accuracy(self):
        """Validation accuracy at the end of the last epoch."""
        return 1 - self.history["valid_error"][-1]


def complete(config):
    """Return `config` with the defaults filled in; raise ValueError that names what is missing or unknown."""
    model = config.get("model")
    if model not in DEFAULTS:
        raise ValueError(f"model {model!r} is not one of {', '.join(DEFAULTS)}")
    known = {*REQUIRED, *DEFAULTS[model]}
    if unknown := sorted(set(config) - known):
        raise ValueError(f"{model} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    if missing := [name for name in REQUIRED if name not in config]:
        raise ValueError(f"the configuration lacks {', '.join(missing)}")
    return DEFAULTS[model] | config


def train(config):
    """Return (Run, weights as a dict of arrays) of one configuration."""
    config = complete(config)
    dataset = data.load(config["dataset"])
    history = {name: [] for name in HISTORY}
    with np.errstate(all="ignore"):  # a loss that is no number is a result: see Run.diverged
        weights = {"mlp": _train_mlp, "cnn": _train_cnn}[config["model"]](config, dataset, history)
    return Run(
        config=config,
        fingerprint=dataset.fingerprint,
        n_parameters=sum(int(w.size) for w in weights.values()),
        history=history,
        versions={name: version(name) for name in ("numpy", "torch")} | {"python": platform.python_version()},
        shapes={name: list(w.shape) for name, w in weights.items()},
    ), weights


def mlp(config, sets=None):
    """Return the NN that `config` describes, in float32, with the training, validation and test `sets`."""
    names = ("hidden_dims", "lr", "batch_size", "seed", "activation", "init_method")
    return nn.NN(**{name: config[name] for name in names}, epsilon=EPSILON, data=sets, dtype=np.float32)


def _train_mlp(config, dataset, history):
    network = mlp(config, [split.one_hot() for split in (dataset.train, dataset.valid, dataset.test)])
    started = time.perf_counter()

    def record(logs):
        nonlocal started
        now = time.perf_counter()
        row = (
            logs["train_loss"][-1],
            1 - logs["train_accuracy"][-1],
            logs["validation_loss"][-1],
            1 - logs["validation_accuracy"][-1],
            now - started,
        )
        _append(history, row)
        started = now

    network.train_loop(config["epochs"], callback=record)
    return network.weights


def _train_cnn(config, dataset, history):
    """Stochastic gradient descent on shuffled batches; the seed rules initialisation, order and dropout."""
    import torch
    from torch.nn import functional

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        torch.manual_seed(config["seed"])
        network = cnn(config).to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"])
        X = torch.from_numpy(dataset.train.X).reshape(-1, 1, data.SIDE, data.SIDE).to(device)
        y = torch.from_numpy(dataset.train.y).to(device)
        for _ in range(config["epochs"]):
            started = time.perf_counter()
            network.train()
            for batch in torch.randperm(len(X)).to(device).split(config["batch_size"]):
                loss = functional.cross_entropy(network(X[batch]), y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            measured = *evaluate(network, dataset.train), *evaluate(network, dataset.valid)
            _append(history, (*measured, time.perf_counter() - started))
    return {name: tensor.numpy(force=True) for name, tensor in network.state_dict().items()}


def cnn(config):
    """Return the PyTorch network that `config` describes, untrained."""
    from helpers import cnn as networks

    return networks.cnn(dropout=config["dropout"])


def _append(history, row):
    for name, value in zip(HISTORY, row, strict=True):
        history[name].append(float(value))


def network(config, weights):
    """Return the network of `config` with these `weights`, ready to predict: an NN or a PyTorch module."""
    config = complete(config)
    if config["model"] == "mlp":
        trained = mlp(config)
        trained.weights = dict(weights)
        return trained
    import torch

    trained = cnn(config)
    trained.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})
    return trained.eval()


def probabilities(network, X):
    """Return the probabilities (N, 10) that `network`, an NN or a PyTorch module, gives to images `X`."""
    blocks = np.split(X, range(EVALUATION_BLOCK, len(X), EVALUATION_BLOCK))
    if isinstance(network, nn.NN):
        return np.concatenate([network.forward(block)[f"Z{network.n_layers}"] for block in blocks])
    import torch

    device = next(network.parameters()).device
    network.eval()
    with torch.inference_mode():
        images = (torch.from_numpy(block).reshape(-1, 1, data.SIDE, data.SIDE) for block in blocks)
        scores = torch.cat([network(image.to(device)) for image in images])
        return scores.softmax(1).numpy(force=True)


def evaluate(network, split):
    """Return (mean cross-entropy in nats, error) on a Split, by the same rule for both kinds of network."""
    p = probabilities(network, split.X)
    of_the_truth = np.clip(p[np.arange(len(split)), split.y], EPSILON, 1 - EPSILON)
    return float(-np.mean(np.log(of_the_truth))), float(np.mean(p.argmax(axis=1) != split.y))


def sources(model):
    """Return the modules and functions whose source determines the numbers of `model`."""
    from helpers import cnn as networks

    return {
        "mlp": (nn, mlp, _train_mlp),
        "cnn": (networks, cnn, _train_cnn, probabilities, evaluate),
    }[model]
