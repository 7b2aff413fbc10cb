"""The step of NN at the speed of the machine: the same mathematics with fewer passes over the weights.

NN.step writes gradients as large as the weights, scales them and reads them again.  Here BLAS adds each product
straight to the weights, W <- W - (lr / N) Z^T dA, and the arrays of a step are kept for the next one.
"""

import numpy as np
from scipy.linalg import get_blas_funcs

from helpers.nn import BLOCK, NN


class FastNN(NN):
    """NN that trains and predicts in less time.  Its numbers are those of NN but for rounding.

    Only `step` and `scores` differ; `forward` and `backward` stay the textbook's.  W_i is updated in place where it
    lies row by row in memory, as `initialize_weights` makes it, else replaced.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._gemm = get_blas_funcs("gemm", dtype=self.dtype)
        self._kept = {}

    def step(self, X, y):
        """Learn from one batch: images `X` (N, n_inputs) and one-hot labels `y` (N, n_classes)."""
        Z = self._activations(X)
        rate = -self.lr / len(X)
        dA = _softmax(Z[-1])
        dA -= y
        for i in range(self.n_layers, 0, -1):
            W, b = self.weights[f"W{i}"], self.weights[f"b{i}"]
            if i > 1:
                dZ = self._array("dZ", Z[i - 1].shape, i - 1)
                np.matmul(W, dA.T, out=dZ.T)  # the transpose of dA W^T: BLAS then reads W in the order of memory
            b += rate * dA.sum(axis=0)
            updated = self._gemm(rate, dA.T, Z[i - 1].T, beta=1, c=W.T, trans_b=True, overwrite_c=True)
            self.weights[f"W{i}"] = updated.T
            if i > 1:
                dA = self._through_activation(dZ, Z[i - 1])

    def scores(self, X):
        """Return A_m, what enters the softmax, (N, n_classes), for images `X` (N, n_inputs)."""
        X = self._inputs(X)
        blocks = (X[start : start + BLOCK] for start in range(0, len(X), BLOCK))
        return np.concatenate([self._activations(block)[-1].copy() for block in blocks])

    def _activations(self, X):
        """The list [Z_0, ..., Z_(m-1), A_m] for a batch; all but Z_0 are kept arrays."""
        Z = [np.asarray(X, self.dtype)]
        for i in range(1, self.n_layers + 1):
            b = self.weights[f"b{i}"]
            A = self._array("Z", (len(X), b.shape[1]), i)
            np.matmul(Z[-1], self.weights[f"W{i}"], out=A)
            A += b
            Z.append(self._activated(A, i) if i < self.n_layers else A)
        return Z

    def _activated(self, A, i):
        """The activation of A, written over it."""
        if self.activation_str == "relu":
            # With an array of zeros NumPy takes a quarter of the time that it takes with the number 0.
            return np.maximum(A, self._array("zero", A.shape, i), out=A)
        if self.activation_str == "tanh":
            return np.tanh(A, out=A)
        A *= 0.5  # the logistic sigmoid is (tanh(x / 2) + 1) / 2
        np.tanh(A, out=A)
        A += 1
        A *= 0.5
        return A

    def _through_activation(self, dZ, Z):
        """dA = dZ * activation'(A), written over dZ; the derivative is taken from the value Z = activation(A)."""
        if self.activation_str == "relu":
            dZ *= Z > 0
        elif self.activation_str == "tanh":
            dZ *= 1 - Z * Z
        else:
            dZ *= Z * (1 - Z)
        return dZ

    def _array(self, name, shape, layer):
        """An array of zeros, or what was last written to it, for this purpose, shape and layer."""
        key = name, shape, layer
        if key not in self._kept:
            self._kept[key] = np.zeros(shape, self.dtype)
        return self._kept[key]


def _softmax(A):
    """The softmax of each row, written over it."""
    A -= A.max(axis=1, keepdims=True)
    np.exp(A, out=A)
    A /= A.sum(axis=1, keepdims=True)
    return A
