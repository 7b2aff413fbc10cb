"""The peers of the benchmarks: the same training as most would write it with other libraries, from the same weights.

Each has `prepare(images, labels)`, which returns the pair in the form that it takes; `steps(pair)`, which passes over
it once in file order; and `evaluate(pair)`, which returns its accuracy and computes its mean loss.
"""

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn
from torchvision import datasets, transforms

from helpers import cnn, data, mlp
from helpers.fast import FastNN
from helpers.nn import one_hot

BLOCK = 1000  # images evaluated at a time, as by NN
TINY = 1e-9  # a learning rate that leaves the weights as they are, nearly: with 0, BLAS computes nothing


class Ours:
    """NN or a subclass of it."""

    def __init__(self, kind, config, weights):
        self.network = mlp.build(config, kind=kind)
        self.network.weights = {name: w.copy() for name, w in weights.items()}
        self.batch_size = config["batch_size"]

    def prepare(self, images, labels):
        """Images and one-hot labels."""
        return images, one_hot(labels, data.N_CLASSES).astype(np.float32)

    def steps(self, pair):
        """One pass."""
        X, y = pair
        for start in range(0, len(X), self.batch_size):
            self.network.step(X[start : start + self.batch_size], y[start : start + self.batch_size])

    def evaluate(self, pair):
        """Accuracy."""
        return self.network.compute_loss_and_accuracy(*pair)[1]


def _scores(parameters, X):
    *hidden, (W, b) = parameters
    for w, c in hidden:
        X = jax.nn.relu(X @ w + c)
    return X @ W + b


def _loss(parameters, X, y):
    return -jnp.mean(jnp.sum(jax.nn.log_softmax(_scores(parameters, X)) * y, axis=1))


@partial(jax.jit, donate_argnums=0)
def _step(parameters, rate, X, y):
    grads = jax.grad(_loss)(parameters, X, y)
    return jax.tree.map(lambda w, dw: w - rate * dw, parameters, grads)


@partial(jax.jit, donate_argnums=0)
def _scan(parameters, rate, X, y):
    return jax.lax.scan(lambda p, batch: (_step(p, rate, *batch), None), parameters, (X, y))[0]


@jax.jit
def _measure(parameters, X, y):
    return _loss(parameters, X, y), jnp.mean(_scores(parameters, X).argmax(1) == y.argmax(1))


class Jax:
    """JAX, the whole pass one compiled loop (`lax.scan`); a last, short batch is a step of its own."""

    def __init__(self, config, weights):
        self.batch_size, self.rate = config["batch_size"], config["lr"]
        layers = range(1, len(weights) // 2 + 1)
        self.parameters = [(jnp.array(weights[f"W{i}"]), jnp.array(weights[f"b{i}"])) for i in layers]

    def prepare(self, images, labels):
        """Batches of one shape, stacked, the last and shorter one, and the whole."""
        X, y = (jnp.asarray(array, jnp.float32) for array in (images, one_hot(labels, data.N_CLASSES)))
        full = len(X) // self.batch_size * self.batch_size
        stacked = tuple(array[:full].reshape(-1, self.batch_size, array.shape[1]) for array in (X, y))
        return jax.block_until_ready((stacked, (X[full:], y[full:]), (X, y)))

    def steps(self, pair):
        """One pass."""
        stacked, rest, _ = pair
        self.parameters = _scan(self.parameters, self.rate, *stacked)
        if len(rest[0]):
            self.parameters = _step(self.parameters, self.rate, *rest)
        jax.block_until_ready(self.parameters)

    def evaluate(self, pair):
        """Accuracy."""
        loss, accuracy = _measure(self.parameters, *pair[-1])
        float(loss)
        return float(accuracy)


class JaxSteps(Jax):
    """JAX, one compiled step per batch."""

    def prepare(self, images, labels):
        """A list of batches, and the whole."""
        _, _, (X, y) = super().prepare(images, labels)
        starts = range(0, len(X), self.batch_size)
        batches = [(X[start : start + self.batch_size], y[start : start + self.batch_size]) for start in starts]
        return jax.block_until_ready((batches, (X, y)))

    def steps(self, pair):
        """One pass."""
        for X, y in pair[0]:
            self.parameters = _step(self.parameters, self.rate, X, y)
        jax.block_until_ready(self.parameters)


class Eager:
    """PyTorch as most would write it for tensors in memory: Linear, ReLU, SGD."""

    def __init__(self, config, weights):
        sizes = [weights["W1"].shape[0], *config["hidden_dims"], data.N_CLASSES]
        layers = [nn.Linear(*pair) for pair in pairwise(sizes)]
        for i, layer in enumerate(layers, start=1):
            layer.weight.data = torch.from_numpy(weights[f"W{i}"].T.copy())
            layer.bias.data = torch.from_numpy(weights[f"b{i}"][0].copy())
        self.network = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[:-1]
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=config["lr"])
        self.batch_size = config["batch_size"]

    def prepare(self, images, labels):
        """Tensors."""
        return torch.from_numpy(images), torch.from_numpy(labels)

    def steps(self, pair):
        """One pass."""
        for X, y in zip(*(tensor.split(self.batch_size) for tensor in pair), strict=True):
            loss = nn.functional.cross_entropy(self.network(X), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def evaluate(self, pair):
        """Accuracy."""
        X, y = pair
        with torch.inference_mode():
            scores = torch.cat([self.network(images) for images in X.split(BLOCK)])
            nn.functional.cross_entropy(scores, y).item()
            return (scores.argmax(1) == y).float().mean().item()


class Sklearn:
    """Scikit-learn's MLPClassifier, in float32, from its own initial weights."""

    def __init__(self, config, weights):
        self.network = MLPClassifier(
            config["hidden_dims"],
            solver="sgd",
            alpha=0,
            batch_size=config["batch_size"],
            learning_rate_init=config["lr"],
            momentum=0,
            shuffle=False,
            random_state=0,
        )

    def prepare(self, images, labels):
        """As they are."""
        return images, labels

    def steps(self, pair):
        """One pass."""
        self.network.partial_fit(*pair, classes=np.arange(data.N_CLASSES))

    def evaluate(self, pair):
        """Accuracy."""
        X, y = pair
        p = self.network.predict_proba(X)
        -np.mean(np.log(p[np.arange(len(p)), y] + 1e-6))
        return np.mean(p.argmax(axis=1) == y)


class Products:
    """The matrix products of our pass alone, by the same calls, into the same arrays: what it must take."""

    def __init__(self, config, weights):
        ours = Ours(FastNN, config, weights)
        self.network, self.batch_size, self.prepare = ours.network, ours.batch_size, ours.prepare

    def steps(self, pair):
        """One pass."""
        X, _ = pair
        W = [self.network.weights[f"W{i}"] for i in range(1, self.network.n_layers + 1)]
        kept = [np.ones((self.batch_size, w.shape[1]), np.float32) for w in W]
        kept_dA = [np.ones_like(array) for array in kept]
        for start in range(0, len(X), self.batch_size):
            Z = [X[start : start + self.batch_size]]
            n = len(Z[0])
            for w, array in zip(W, kept, strict=True):
                Z.append(np.matmul(Z[-1], w, out=array[:n]))
            for i in reversed(range(len(W))):
                dA = kept_dA[i][:n]
                if i > 0:
                    np.matmul(W[i], dA.T, out=kept_dA[i - 1][:n].T)
                self.network._gemm(TINY, dA.T, Z[i].T, beta=1, c=W[i].T, trans_b=True, overwrite_c=True)


def usual_cnn(config, folder=data.FOLDER):
    """An epoch of the convolutional network with torchvision's data set, a DataLoader, the default memory format."""
    torch.manual_seed(0)
    network = cnn.network()
    optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"])
    images = datasets.MNIST(folder, train=True, download=True, transform=transforms.ToTensor())
    train, valid = (
        torch.utils.data.Subset(images, range(50_000)),
        torch.utils.data.Subset(images, range(50_000, 60_000)),
    )

    def work():
        for X, y in torch.utils.data.DataLoader(train, batch_size=config["batch_size"], shuffle=True):
            loss = nn.functional.cross_entropy(network(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for split in (train, valid):
                for X, y in torch.utils.data.DataLoader(split, batch_size=BLOCK):
                    scores = network(X)
                    nn.functional.cross_entropy(scores, y).item()
                    (scores.argmax(1) == y).float().mean().item()

    return work
