"""A multilayer perceptron for classification, trained by mini-batch gradient descent, in NumPy alone.

For layers i = 1..m:  A_i = Z_{i-1} W_i + b_i,  Z_i = activation(A_i),  Z_0 = input,  Z_m = softmax(A_m).
Rows are samples.  The loss is the mean cross-entropy in nats.
"""

import numpy as np

N_RANDOM = 400  # samples in each of the three random sets that stand in for missing data
BLOCK = 1000  # samples evaluated at a time: large products, small memory
CHUNK = 1 << 16  # weights updated at a time: few enough to stay in the processor's caches


class NN:
    """A multilayer perceptron with the public face of the course's template.

    `data` holds three pairs, images (N, n_inputs) and one-hot labels (N, n_classes): training, validation and
    test.  Without it the network gets three random sets of 400, enough to exercise every method.
    Raises ValueError for an unknown `activation` or `init_method`.
    """

    def __init__(self, hidden_dims=(784, 256), epsilon=1e-6, lr=7e-4, batch_size=64, seed=None,
                 activation="relu", data=None, init_method="glorot", dtype=np.float64):  # fmt: skip
        if activation not in ("relu", "sigmoid", "tanh"):
            raise ValueError(f"activation {activation!r} is not one of relu, sigmoid, tanh")
        if init_method not in ("zero", "normal", "glorot"):
            raise ValueError(f"init_method {init_method!r} is not one of zero, normal, glorot")
        self.hidden_dims = tuple(hidden_dims)
        self.n_hidden = len(self.hidden_dims)
        self.n_layers = self.n_hidden + 1
        self.epsilon = epsilon
        self.lr = lr
        self.batch_size = batch_size
        self.seed = seed
        self.activation_str = activation
        self.init_method = init_method
        self.dtype = np.dtype(dtype)
        self.weights = {}
        self.train_logs = {}
        sets = _random_data(seed) if data is None else data
        self.train, self.valid, self.test = ((np.asarray(X, self.dtype), np.asarray(y, self.dtype)) for X, y in sets)

    def initialize_weights(self, dims):
        """Fill `weights` with W1, b1, ... for `dims` = (n_inputs, n_classes).

        W_i has shape (n_in, n_out) and is drawn layer by layer from RandomState(seed): zeros, the standard
        normal, or uniform(-d, d) with d = sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010, equation 16).
        b_i is zero and has shape (1, n_out).
        """
        rng = np.random.RandomState(self.seed)
        sizes = (dims[0], *self.hidden_dims, dims[1])
        self.weights = {}
        for i, shape in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
            if self.init_method == "zero":
                W = np.zeros(shape)
            elif self.init_method == "normal":
                W = rng.normal(0, 1, shape)
            else:
                limit = np.sqrt(6 / sum(shape))
                W = rng.uniform(-limit, limit, shape)
            self.weights[f"W{i}"] = W.astype(self.dtype)
            self.weights[f"b{i}"] = np.zeros((1, shape[1]), self.dtype)

    # Each activation returns its value at x or, with grad=True, its derivative there.  As everywhere in
    # this file, `out` names an array to write the result to, as in NumPy; without it a new one is returned.

    def relu(self, x, grad=False, out=None):
        """max(x, 0); derivative 1 where x > 0, else 0."""
        if grad:
            return np.greater(x, 0, out=np.empty_like(x) if out is None else out)
        return np.maximum(x, 0, out=out)

    def sigmoid(self, x, grad=False, out=None):
        """1 / (1 + exp(-x)), through tanh, which does not overflow; derivative s (1 - s)."""
        s = np.tanh(np.multiply(x, 0.5, out=out), out=out)
        s = np.multiply(np.add(s, 1, out=out), 0.5, out=out)
        return np.multiply(s, 1 - s, out=out) if grad else s

    def tanh(self, x, grad=False, out=None):
        """Hyperbolic tangent t; derivative 1 - t^2."""
        t = np.tanh(x, out=out)
        return np.subtract(1, np.square(t, out=out), out=out) if grad else t

    def activation(self, x, grad=False, out=None):
        """The activation that the network was made with."""
        return getattr(self, self.activation_str)(x, grad=grad, out=out)

    def softmax(self, x, out=None):
        """exp(x) / sum(exp(x)) over the last axis; the maximum is subtracted first, lest exp overflow."""
        p = np.exp(np.subtract(x, np.max(x, axis=-1, keepdims=True), out=out), out=out)
        return np.divide(p, np.sum(p, axis=-1, keepdims=True), out=out)

    def forward(self, x, out=None):
        """Return the cache {Z0, A1, Z1, ..., Am, Zm} for a batch `x` of shape (N, n_inputs).

        `out`: an earlier cache of the same shapes, whose arrays are overwritten.
        """
        out = out or {}
        cache = {"Z0": np.atleast_2d(x)}
        for i in range(1, self.n_layers + 1):
            A = np.matmul(cache[f"Z{i - 1}"], self.weights[f"W{i}"], out=out.get(f"A{i}"))
            A += self.weights[f"b{i}"]
            cache[f"A{i}"] = A
            squash = self.activation if i < self.n_layers else self.softmax
            cache[f"Z{i}"] = squash(A, out=out.get(f"Z{i}"))
        return cache

    def backward(self, cache, labels, out=None):
        """Return the gradients {dAm, dWm, dbm, dZ(m-1), ..., dA1, dW1, db1} of the mean loss.

        The gradient of the mean cross-entropy through the softmax is (Z_m - labels) / N.
        `out`: earlier gradients of the same shapes, whose arrays are overwritten.
        """
        out = out or {}
        grads = {}
        m = self.n_layers
        dA = np.subtract(cache[f"Z{m}"], labels, out=out.get(f"dA{m}"))
        dA /= len(dA)
        for i in range(m, 0, -1):
            grads[f"dA{i}"] = dA
            grads[f"dW{i}"] = np.matmul(cache[f"Z{i - 1}"].T, dA, out=out.get(f"dW{i}"))
            grads[f"db{i}"] = np.sum(dA, axis=0, keepdims=True, out=out.get(f"db{i}"))
            if i > 1:
                # The transpose of dA W^T: BLAS reads W in the order of memory, twice as fast for small batches.
                dZ = out.get(f"dZ{i - 1}")
                dZ = np.matmul(self.weights[f"W{i}"], dA.T, out=None if dZ is None else dZ.T).T
                dA = self.activation(cache[f"A{i - 1}"], grad=True, out=out.get(f"dA{i - 1}"))
                dA *= dZ
                grads[f"dZ{i - 1}"] = dZ
        return grads

    def update(self, grads):
        """Take one step of gradient descent, w <- w - lr dw, in place."""
        for name, w in self.weights.items():
            dw = grads[f"d{name}"]
            step = max(1, CHUNK // w.shape[1])
            for start in range(0, len(w), step):  # no temporary as large as a weight matrix
                w[start : start + step] -= self.lr * dw[start : start + step]

    def loss(self, prediction, labels):
        """Mean cross-entropy in nats, the probabilities clipped to [epsilon, 1 - epsilon]."""
        clipped = np.clip(prediction, self.epsilon, 1 - self.epsilon)
        return -np.sum(labels * np.log(clipped)) / len(clipped)

    def compute_loss_and_accuracy(self, X, y):
        """Return (mean loss, accuracy, predicted classes (N,)) on images `X` and one-hot labels `y`."""
        predictions = np.empty(len(X), dtype=np.intp)
        total_loss, cache = 0.0, None
        for start in range(0, len(X), BLOCK):
            rows = slice(start, start + BLOCK)
            cache = self.forward(X[rows], out=cache if len(X) - start >= BLOCK else None)
            probabilities = cache[f"Z{self.n_layers}"]
            predictions[rows] = np.argmax(probabilities, axis=1)
            total_loss += float(self.loss(probabilities, y[rows])) * len(probabilities)
        accuracy = float(np.mean(predictions == np.argmax(y, axis=1)))
        return total_loss / len(X), accuracy, predictions

    def train_loop(self, n_epochs, callback=None):
        """Initialise, train for `n_epochs` in file order and return `train_logs`.

        The logs are lists with one value per epoch, measured over the whole sets at its end: train_accuracy,
        validation_accuracy, train_loss, validation_loss.  `callback(train_logs)` is called after each epoch.
        """
        X, y = self.train
        self.initialize_weights((X.shape[1], y.shape[1]))
        names = ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss")
        self.train_logs = {name: [] for name in names}
        kept = {}  # the arrays of the last step with this batch size, written again by the next
        for _ in range(n_epochs):
            for start in range(0, len(X), self.batch_size):
                X_batch, y_batch = X[start : start + self.batch_size], y[start : start + self.batch_size]
                cache, grads = kept.get(len(X_batch), (None, None))
                cache = self.forward(X_batch, out=cache)
                grads = self.backward(cache, y_batch, out=grads)
                self.update(grads)
                kept[len(X_batch)] = cache, grads
            self._log()
            if callback is not None:
                callback(self.train_logs)
        return self.train_logs

    def _log(self):
        for name, (X, y) in (("train", self.train), ("validation", self.valid)):
            loss, accuracy, _ = self.compute_loss_and_accuracy(X, y)
            self.train_logs[f"{name}_loss"].append(loss)
            self.train_logs[f"{name}_accuracy"].append(accuracy)

    def evaluate(self):
        """Return (loss, accuracy) on the test set."""
        return self.compute_loss_and_accuracy(*self.test)[:2]


def _random_data(seed):
    rng = np.random.RandomState(seed)
    return [(rng.rand(N_RANDOM, 784), np.eye(10)[rng.randint(0, 10, N_RANDOM)]) for _ in range(3)]
