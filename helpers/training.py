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
    "cnn": {
        "seed": 0,
        "decay": False,  # whether the learning rate falls linearly to zero over the training
        "fc1_units": 500,
        "dropout": [0.0, 0.0],  # see cnn.cnn
        "dropblock": [0.0, 3],  # see cnn.cnn; the probability grows linearly from zero over the epochs
        "weight_decay": 0.0,  # times the weight is added to its gradient
        "label_smoothing": 0.0,  # share of the label that is spread over all classes
        "noise": 0.0,  # standard deviation of Gaussian noise added to the training images
        "shift": 0.0,  # pixels: training images are shifted by up to this in each direction ...
        "rotation": 0.0,  # degrees: ... and turned by up to this, anew in each epoch
        "patience": None,  # epochs without a lower validation loss after which training stops
    },
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
    def kept(self):
        """The index of the epoch whose weights were kept: the last, unless training was to stop early."""
        losses = self.history["valid_loss"]
        return len(losses) - 1 if self.config.get("patience") is None else int(np.argmin(losses))

    def final(self, measure):
        """The value of a measure of the history for the weights that were kept."""
        return self.history[measure][self.kept]

    @property
    def valid_accuracy(self):
        """Validation accuracy of the weights that were kept."""
        return 1 - self.final("valid_error")


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
    """Stochastic gradient descent on shuffled batches; the seed rules initialisation, order and all noise."""
    import torch
    from torch.nn import functional

    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.random.fork_rng():
        torch.manual_seed(config["seed"])
        network = cnn(config).to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"], weight_decay=config["weight_decay"])
        X = torch.from_numpy(dataset.train.X).reshape(-1, 1, data.SIDE, data.SIDE).to(device)
        y = torch.from_numpy(dataset.train.y).to(device)
        batches = -(-len(X) // config["batch_size"])
        slope = float(config["decay"]) / (batches * config["epochs"])
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - slope * step)
        for epoch in range(config["epochs"]):
            started = time.perf_counter()
            network.train()
            if hasattr(network, "dropblock"):
                network.dropblock.progress = epoch / max(1, config["epochs"] - 1)
            for batch in torch.randperm(len(X)).to(device).split(config["batch_size"]):
                scores = network(_disturbed(X[batch], config))
                loss = functional.cross_entropy(scores, y[batch], label_smoothing=config["label_smoothing"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            measured = *evaluate(network, dataset.train), *evaluate(network, dataset.valid)
            _append(history, (*measured, time.perf_counter() - started))
            best = int(np.argmin(history["valid_loss"]))
            if config["patience"] is None or best == epoch:
                weights = {name: tensor.numpy(force=True).copy() for name, tensor in network.state_dict().items()}
            elif epoch - best >= config["patience"]:
                break
    return weights


def _disturbed(images, config):
    """The images (N, 1, 28, 28) turned, shifted and noisy as `config` says, each in its own way."""
    import torch
    from torch.nn import functional

    if config["shift"] or config["rotation"]:
        angle = torch.deg2rad(config["rotation"] * (2 * torch.rand(len(images)) - 1))
        # affine_grid measures in halves of the image.
        shift = config["shift"] / (data.SIDE / 2) * (2 * torch.rand(len(images), 2) - 1)
        rows = (angle.cos(), -angle.sin(), shift[:, 0], angle.sin(), angle.cos(), shift[:, 1])
        theta = torch.stack(rows, dim=1).reshape(-1, 2, 3).to(images)
        grid = functional.affine_grid(theta, images.shape, align_corners=False)
        images = functional.grid_sample(images, grid, align_corners=False)
    if config["noise"]:
        images = images + config["noise"] * torch.randn(images.shape).to(images)
    return images


def cnn(config):
    """Return the PyTorch network that `config` describes, untrained."""
    from helpers import cnn as networks

    return networks.cnn(**{name: config[name] for name in ("fc1_units", "dropout", "dropblock")})


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


def calibration_error(confidence, right, n_bins=15):
    """Return the expected calibration error: how far, on average, confidence is from the share that is right.

    `confidence` (N,) are the probabilities of the predicted classes, `right` (N,) whether they were right.  The mean
    is over images, in `n_bins` equally wide bins of confidence (Guo, Pleiss, Sun and Weinberger 2017, equation 3).
    """
    place = np.minimum((np.asarray(confidence) * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(place, np.asarray(right, dtype=float) - confidence, n_bins)
    return float(np.abs(gaps).sum() / len(place))


def sources(model):
    """Return the modules and functions whose source determines the numbers of `model`."""
    from helpers import cnn as networks

    return {
        "mlp": (nn, mlp, _train_mlp),
        "cnn": (networks, cnn, _train_cnn, _disturbed, probabilities, evaluate),
    }[model]
