"""Gradients put to the test: finite differences against backpropagation, and their spread over the layers of NN."""

import copy

import numpy as np
import pandas as pd


def unclipped(network, dtype):
    """Return a copy of `network` in `dtype` whose loss does not clip probabilities: the one that backward derives."""
    twin = copy.copy(network)
    twin.dtype, twin.epsilon = np.dtype(dtype), 0
    twin.weights = {name: w.astype(dtype) for name, w in network.weights.items()}
    return twin


def loss(network, X, y):
    """Return the mean loss of `network` on images `X` (N, n_inputs) and one-hot labels `y`."""
    return network.loss(network.forward(X)[f"Z{network.n_layers}"], y)


def central_differences(network, X, y, layer, p, epsilon):
    """Return (L(w + epsilon) - L(w - epsilon)) / (2 epsilon) for the first `p` weights of W`layer`, shape (p,)."""
    estimates = np.empty(p)
    for i in range(p):
        above, below = (loss(network, X, y) for _ in _moved(network, layer, i, (epsilon, -epsilon)))
        estimates[i] = (above - below) / (2 * epsilon)
    return estimates


def _moved(network, layer, i, steps):
    """Move weight i of W`layer` by each of `steps` in turn, yield each step, and put the weight back at the end."""
    W = network.weights[f"W{layer}"]
    place = np.unravel_index(i, W.shape)
    w = W[place]
    try:
        for step in steps:
            W[place] = w + step
            yield step
    finally:
        W[place] = w


def backpropagated(network, X, y, layer, p):
    """Return the gradient of the mean loss in the first `p` weights of W`layer`, shape (p,)."""
    grads = network.backward(network.forward(X), y)
    return grads[f"dW{layer}"].ravel()[:p]


def largest_differences(network, X, y, layer, p, epsilons):
    """Return, for each epsilon, the largest |finite difference - backpropagation| over the first `p` weights."""
    exact = backpropagated(network, X, y, layer, p)
    estimates = (central_differences(network, X, y, layer, p, epsilon) for epsilon in epsilons)
    return np.array([np.max(np.abs(estimate - exact)) for estimate in estimates])


def best_epsilons(network, X, y, layer, p, epsilons):
    """Return a DataFrame with the epsilon of the smallest of `largest_differences`, image by image.

    Its columns: image; value, its loss in nats; precision and loss ("clipped" or "unclipped") of the check; best; and
    flat, whether all epsilons do equally well.  Images without a gradient in the first `p` weights are left out.
    """
    exact, twins, rows = unclipped(network, np.float64), {}, []
    for dtype in (np.float64, np.float32):
        for kind, clip in (("clipped", network.epsilon), ("unclipped", 0)):
            twins[dtype, kind] = unclipped(network, dtype)
            twins[dtype, kind].epsilon = clip
    for image in range(len(X)):
        pair = X[[image]], y[[image]]
        if not backpropagated(exact, *pair, layer, p).any():
            continue
        value = loss(exact, *pair)
        for (dtype, kind), twin in twins.items():
            differences = largest_differences(twin, *(a.astype(dtype) for a in pair), layer, p, epsilons)
            best, flat = epsilons[differences.argmin()], np.ptp(differences) == 0
            rows.append((dtype.__name__, kind, image, value, best, flat))
    return pd.DataFrame(rows, columns=["precision", "loss", "image", "value", "best", "flat"])


def best_of_image(checked, image):
    """Return the best epsilon of one image in each way of checking it, {"float64, clipped loss": epsilon, ...}.

    `checked`: a DataFrame of `best_epsilons`.  None: all epsilons do equally well, or the image is not in it.
    """
    found = {f"{dtype}, {kind} loss": None for dtype in ("float64", "float32") for kind in ("clipped", "unclipped")}
    for row in checked[(checked["image"] == image) & ~checked["flat"]].itertuples():
        found[f"{row.precision}, {row.loss} loss"] = float(row.best)
    return found


def telling_sample(network, X, y, layer, p):
    """Return the index of the sample for which the first `p` weights have, in the median, the largest gradient.

    With ReLU, a weight has none at all where a unit at either end of it is inactive.
    """
    cache = network.forward(X)
    dA = network.backward(cache, y)[f"dA{layer}"]
    rows, columns = np.unravel_index(np.arange(p), network.weights[f"W{layer}"].shape)
    sizes = np.abs(cache[f"Z{layer - 1}"][:, rows] * dA[:, columns])
    return int(np.argmax(np.median(sizes, axis=1)))


def predicted_errors(network, X, y, layer, p, epsilons, step=1e-3):
    """Return the two errors of central differences that theory predicts, (truncation, round-off), one per epsilon.

    Truncation is epsilon^2 / 6 times the largest third derivative, which is itself measured: a second difference
    with `step` of the gradient that backpropagation gives in double precision.  Round-off is u max(1, L) / epsilon:
    half a unit in the last place of a probability near 1, or of the loss where it is larger.  (Nocedal and Wright
    2006, section 8.1.)
    """
    epsilons = np.asarray(epsilons)
    exact = unclipped(network, np.float64)
    third = max(abs(_third_derivative(exact, X, y, layer, i, step)) for i in range(p))
    unit = np.finfo(network.dtype).eps / 2
    return epsilons**2 / 6 * third, unit * max(1.0, float(loss(network, X, y))) / epsilons


def predicted_optimum(epsilons, truncation, round_off):
    """Return the epsilon that makes the sum of the two predicted errors smallest."""
    epsilon = epsilons[0]
    return float((round_off[0] * epsilon / (2 * truncation[0] / epsilon**2)) ** (1 / 3))


def _third_derivative(network, X, y, layer, i, step):
    steps = _moved(network, layer, i, (-step, 0, step))
    below, here, above = (backpropagated(network, X, y, layer, i + 1)[i] for _ in steps)
    return (below - 2 * here + above) / step**2


def spreads(network, X, y):
    """Return two lists: the standard deviation of A_i and of dA_i (of each sample's own loss), i = 1..m."""
    cache = network.forward(X)
    grads = network.backward(cache, y)
    layers = range(1, network.n_layers + 1)
    return [float(cache[f"A{i}"].std()) for i in layers], [float(grads[f"dA{i}"].std()) for i in layers]


def kinks(network, X, layer, p, epsilons):
    """Return, for each epsilon, how many of the first `p` weights of W`layer` carry a ReLU across its kink.

    A change of W[j, k] by epsilon moves A_layer[k] by epsilon Z_(layer - 1)[j], for one image `X` (1, n_inputs); the
    layers above are run again, since their units may cross as well.
    """

    def signs():
        cache = network.forward(X)
        return [cache[f"A{k}"] > 0 for k in range(1, network.n_layers)]

    here = signs()

    def crosses(i, epsilon):
        moved = [signs() for _ in _moved(network, layer, i, (epsilon, -epsilon))]
        return any(np.any(there != before) for other in moved for there, before in zip(other, here, strict=True))

    return np.array([sum(crosses(i, epsilon) for i in range(p)) for epsilon in epsilons])


def directional_differences(network, X, y, epsilon=1e-6, seed=0):
    """Return {name: relative difference} of backpropagation and central differences for each array of weights.

    The derivative of the mean loss is taken along one random direction of unit length per array, so every entry takes
    part: |<dW, v> - (L(W + epsilon v) - L(W - epsilon v)) / (2 epsilon)| over the larger of the two.
    """
    rng = np.random.default_rng(seed)
    grads, found = network.backward(network.forward(X), y), {}
    for name, w in network.weights.items():
        v = rng.normal(size=w.shape)
        v /= np.linalg.norm(v)
        analytic = float(np.sum(grads[f"d{name}"] * v))
        network.weights[name] = w + epsilon * v
        above = loss(network, X, y)
        network.weights[name] = w - epsilon * v
        numeric = float(above - loss(network, X, y)) / (2 * epsilon)
        network.weights[name] = w
        size = max(abs(analytic), abs(numeric))
        found[name] = abs(analytic - numeric) / size if size else 0.0
    return found


def two_checks(networks, X, y, layer, p):
    """Return how far off two checks find the gradients of networks, {name: (share, {array: share})}.

    The first looks at the first `p` weights of W`layer` with the one sample of `X`, `y` that is most telling: the
    largest of `largest_differences`, in units of the largest of these gradients.  The other is
    `directional_differences` with all samples.  The first of the networks gives sample and unit: its gradients are
    right.
    """
    sound = next(iter(networks.values()))
    one = telling_sample(sound, X, y, layer, p)
    sample = X[[one]], y[[one]]
    unit = np.abs(backpropagated(sound, *sample, layer, p)).max()
    return {
        name: (
            float(largest_differences(network, *sample, layer, p, [1e-5])[0] / unit),
            directional_differences(network, X, y),
        )
        for name, network in networks.items()
    }
