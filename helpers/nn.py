"""A multilayer perceptron for classification, trained by mini-batch gradient descent, in NumPy alone.

For layers i = 1..m:  A_i = Z_{i-1} W_i + b_i,  Z_i = activation(A_i),  Z_0 = input,  Z_m = softmax(A_m).
Rows are samples.  The loss is the mean cross-entropy in nats.
"""

import numpy as np

N_RANDOM = 400  # samples in each of the three random sets that stand in for missing data
BLOCK = 1000  # samples evaluated at a time: large products, small memory


class NN:
    """A multilayer perceptron with the public face of the course's template.

    `data` holds three pairs, images (N, n_inputs) and one-hot labels (N, n_classes): training, validation and
    test.  Without it the network gets three random sets of 400, enough to exercise every method.  Wherever a batch
    is taken, one sample may be given as a vector.
    Raises ValueError for an argument, or later for images and labels, that cannot be meant.
    """

    def __init__(self, hidden_dims=(784, 256), epsilon=1e-6, lr=7e-4, batch_size=64, seed=None,
                 activation="relu", data=None, init_method="glorot", dtype=np.float64):  # fmt: skip
        if activation not in ("relu", "sigmoid", "tanh"):
            raise ValueError(f"activation {activation!r} is not one of relu, sigmoid, tanh")
        if init_method not in ("zero", "normal", "glorot", "he"):
            raise ValueError(f"init_method {init_method!r} is not one of zero, normal, glorot, he")
        widths = hidden_dims if np.ndim(hidden_dims) else [hidden_dims]
        self.hidden_dims = tuple(_number("hidden_dims", width, 1, whole=True) for width in widths)
        self.n_hidden = len(self.hidden_dims)
        self.n_layers = self.n_hidden + 1
        self.epsilon = _number("epsilon", epsilon, 0, below=0.5)
        self.lr = _number("lr", lr, 0)
        self.batch_size = _number("batch_size", batch_size, 1, whole=True)
        self.seed = None if seed is None else _number("seed", seed, 0, below=2**32, whole=True)
        self.activation_str = activation
        self.init_method = init_method
        self.dtype = np.dtype(dtype)
        if self.dtype.kind != "f":
            raise ValueError(f"dtype {dtype!r} is none of floating-point numbers")
        self.weights = {}
        self.train_logs = {}
        sets = _random_data(self.seed) if data is None else data
        if not isinstance(sets, list | tuple) or len(sets) != 3 or any(len(pair) != 2 for pair in sets):
            raise ValueError("data must be three pairs, images and labels, to train, to validate and to test")
        self.train, self.valid, self.test = (self._pair(*pair) for pair in sets)

    def _pair(self, images, labels):
        """Images and one-hot labels as arrays of this network's type, which must fit each other."""
        X, y = (np.atleast_2d(np.asarray(array, self.dtype)) for array in (images, labels))
        if X.ndim != 2 or y.ndim != 2 or len(X) != len(y) or not X.size or y.shape[1] < 2:
            raise ValueError(
                f"images of shape {np.shape(images)} with labels of shape {np.shape(labels)} are no data set: "
                "expected (N, n_inputs) and, one-hot, (N, n_classes)"
            )
        return X, y

    def initialize_weights(self, dims):
        """Fill `weights` with W1, b1, ... for `dims` = (n_inputs, n_classes).

        W_i has shape (n_in, n_out) and is drawn layer by layer from RandomState(seed): zeros; the standard
        normal; uniform(-d, d) with d = sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010, equation 16); or normal
        with variance 2 / n_in (He et al. 2015, equation 10).  b_i is zero and has shape (1, n_out).
        """
        n_inputs, n_classes = (_number("dims", n, 1, whole=True) for n in dims)
        rng = np.random.RandomState(self.seed)
        sizes = (n_inputs, *self.hidden_dims, n_classes)
        self.weights = {}
        for i, shape in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
            if self.init_method == "zero":
                W = np.zeros(shape)
            elif self.init_method == "normal":
                W = rng.normal(0, 1, shape)
            elif self.init_method == "he":
                W = rng.normal(0, np.sqrt(2 / shape[0]), shape)
            else:
                limit = np.sqrt(6 / sum(shape))
                W = rng.uniform(-limit, limit, shape)
            self.weights[f"W{i}"] = W.astype(self.dtype)
            self.weights[f"b{i}"] = np.zeros((1, shape[1]), self.dtype)

    # Each activation returns its value at x or, with grad=True, its derivative there.

    def relu(self, x, grad=False):
        """max(x, 0); derivative 1 where x > 0, else 0."""
        x = np.asarray(x)
        return (x > 0).astype(x.dtype) if grad else np.maximum(x, 0)

    def sigmoid(self, x, grad=False):
        """1 / (1 + exp(-x)), through tanh, which does not overflow; derivative s (1 - s)."""
        s = (np.tanh(np.divide(x, 2)) + 1) / 2
        return s * (1 - s) if grad else s

    def tanh(self, x, grad=False):
        """Hyperbolic tangent t; derivative 1 - t^2."""
        t = np.tanh(x)
        return 1 - t**2 if grad else t

    def activation(self, x, grad=False):
        """The activation that the network was made with."""
        return getattr(self, self.activation_str)(x, grad=grad)

    def softmax(self, x):
        """exp(x) / sum(exp(x)) over the last axis; the maximum is subtracted first, lest exp overflow."""
        p = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return p / np.sum(p, axis=-1, keepdims=True)

    def _inputs(self, x):
        """Inputs as rows, which must fit the weights."""
        x = _rows(x)
        if not self.weights:
            raise ValueError("the network has no weights yet: call train_loop or initialize_weights first")
        n_inputs = len(self.weights["W1"])
        if x.ndim != 2 or x.shape[1] != n_inputs or not len(x):
            raise ValueError(f"inputs of shape {x.shape} do not fit a network that takes (N, {n_inputs})")
        return x

    def forward(self, x):
        """Return the cache {Z0, A1, Z1, ..., Am, Zm} for a batch `x` of shape (N, n_inputs)."""
        cache = {"Z0": self._inputs(x)}
        for i in range(1, self.n_layers + 1):
            A = cache[f"A{i}"] = cache[f"Z{i - 1}"] @ self.weights[f"W{i}"] + self.weights[f"b{i}"]
            cache[f"Z{i}"] = self.activation(A) if i < self.n_layers else self.softmax(A)
        return cache

    def backward(self, cache, labels):
        """Return the gradients {dAm, dWm, dbm, dZ(m-1), ..., dA1, dW1, db1} for a batch with these one-hot labels.

        As in the course's template, dA_i and dZ_i (N, n_i) hold, row by row, the gradient of each sample's own
        cross-entropy, so dA_m = Z_m - labels; dW_i and db_i are those of the mean over the N samples of the batch.
        """
        grads = {}
        dA = cache[f"Z{self.n_layers}"] - _like(cache[f"Z{self.n_layers}"], labels)
        for i in range(self.n_layers, 0, -1):
            grads[f"dA{i}"] = dA
            grads[f"dW{i}"] = cache[f"Z{i - 1}"].T @ (dA / len(dA))
            grads[f"db{i}"] = np.mean(dA, axis=0, keepdims=True)
            if i > 1:
                dZ = grads[f"dZ{i - 1}"] = dA @ self.weights[f"W{i}"].T
                dA = dZ * self.activation(cache[f"A{i - 1}"], grad=True)
        return grads

    def update(self, grads):
        """Take one step of gradient descent, w <- w - lr dw, in place."""
        for name, w in self.weights.items():
            w -= self.lr * grads[f"d{name}"]

    def step(self, X, y):
        """Learn from one batch: forward, backward, update.  A subclass may do the same in another way."""
        self.update(self.backward(self.forward(X), y))

    def loss(self, prediction, labels):
        """Mean cross-entropy in nats, the probabilities clipped to [epsilon, 1 - epsilon]."""
        clipped = np.clip(np.atleast_2d(prediction), self.epsilon, 1 - self.epsilon)
        return -np.sum(_like(clipped, labels) * np.log(clipped)) / len(clipped)

    def scores(self, X):
        """Return A_m, what enters the softmax, (N, n_classes), for images `X` (N, n_inputs)."""
        X = self._inputs(X)
        blocks = (X[start : start + BLOCK] for start in range(0, len(X), BLOCK))
        return np.concatenate([self.forward(block)[f"A{self.n_layers}"] for block in blocks])

    def predict(self, X):
        """Return the probabilities (N, n_classes) that the network gives to images `X` (N, n_inputs)."""
        return self.softmax(self.scores(X))

    def compute_loss_and_accuracy(self, X, y):
        """Return (mean loss, accuracy, predicted classes (N,)) on images `X` and one-hot labels `y`."""
        probabilities = self.predict(X)
        predictions = np.argmax(probabilities, axis=1)
        accuracy = np.mean(predictions == np.argmax(_like(probabilities, y), axis=1))
        return float(self.loss(probabilities, y)), float(accuracy), predictions

    def train_loop(self, n_epochs, callback=None):
        """Initialise, train for `n_epochs` in file order and return `train_logs`.

        The logs are lists with one value per epoch, measured over the whole sets at its end: train_accuracy,
        validation_accuracy, train_loss, validation_loss.  `callback(train_logs)` is called after each epoch.
        """
        X, y = self.train
        n_epochs = _number("n_epochs", n_epochs, 0, whole=True)
        self.initialize_weights((X.shape[1], y.shape[1]))
        names = ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss")
        self.train_logs = {name: [] for name in names}
        for _ in range(n_epochs):
            for start in range(0, len(X), self.batch_size):
                batch = slice(start, start + self.batch_size)
                self.step(X[batch], y[batch])
            for name, pair in (("train", self.train), ("validation", self.valid)):
                loss, accuracy, _ = self.compute_loss_and_accuracy(*pair)
                self.train_logs[f"{name}_loss"].append(loss)
                self.train_logs[f"{name}_accuracy"].append(accuracy)
            if callback is not None:
                callback(self.train_logs)
        return self.train_logs

    def evaluate(self):
        """Return (loss, accuracy) on the test set."""
        return self.compute_loss_and_accuracy(*self.test)[:2]


def _like(prediction, labels):
    """The labels, which must have the shape of the predictions: neither is stretched to fit the other."""
    labels = _rows(labels)
    if labels.shape != prediction.shape:
        raise ValueError(f"labels of shape {labels.shape} are not one-hot rows of shape {prediction.shape}")
    return labels


def _rows(array):
    """Numbers as rows: a vector is one of them."""
    array = np.atleast_2d(array)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"an array of {array.dtype} holds no real numbers")
    return array


def _number(name, value, least, below=np.inf, whole=False):
    """The value, which must be a number within these bounds."""
    known = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not (known and least <= value < below and (not whole or value == np.floor(value))):
        kind = "whole number" if whole else "number"
        raise ValueError(f"{name} is {value!r}, but must be a {kind} from {least} to below {below}")
    return int(value) if whole else float(value)


def one_hot(labels, n_classes):
    """Return integer `labels` (N,) as rows of the identity, (N, n_classes)."""
    return np.eye(n_classes)[labels]


def _random_data(seed):
    rng = np.random.RandomState(seed)
    return [(rng.rand(N_RANDOM, 784), one_hot(rng.randint(0, 10, N_RANDOM), 10)) for _ in range(3)]
