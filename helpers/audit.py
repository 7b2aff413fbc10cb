"""The audit of the original report: from Runs and networks to the Finding for each claim.

Where a function returns Findings, they are in a dict by the names of the claims, as in original.CLAIMS.
"""

import numpy as np

from helpers import architecture, cnn, original, replay, statistics, verdicts, words
from helpers.data import N_CLASSES
from helpers.nn import one_hot
from helpers.verdicts import Finding

ROUNDING = 1e-14  # nats that another order of additions, on another processor, may change in a loss
EPOCH = 10  # after which the original gives the validation loss of its best MLP


def replayed_losses(runs):
    """Return the Findings of training losses that can be replayed to the digit; `runs`: {scheme: Run}."""
    return {
        f"loss/{scheme}/{epoch}": Finding(loss, ROUNDING / 2)
        for scheme, run in runs.items()
        for epoch, loss in enumerate(run.history["train_loss"], start=1)
    }


def normal_losses(runs):
    """Return the Findings of the training losses of the normal start, from Runs that differ by rounding alone.

    The value is their mean, the noise the standard deviation of one run more about that mean, at its epoch or pooled
    over the epochs, whichever is larger.
    """
    curves = np.array([run.history["train_loss"] for run in runs])
    spread = np.maximum(curves.std(axis=0, ddof=1), statistics.pooled(curves.T)) * np.sqrt(1 + 1 / len(curves))
    return {
        f"loss/normal/{epoch}": Finding(float(mean), float(noise))
        for epoch, (mean, noise) in enumerate(zip(curves.mean(axis=0), spread, strict=True), start=1)
    }


def starts(runs):
    """Return the Findings of the best start and of the network's size and shapes; `runs`: {scheme: Run}."""
    lowest = min(runs, key=lambda scheme: runs[scheme].final("train_loss"))
    shapes = {f"shape/{name}": Finding(words.times(shape)) for name, shape in runs["glorot"].shapes.items()}
    return shapes | {
        "best start": Finding(lowest, why="after ten epochs by its rule"),
        "parameters/initialisation": Finding(runs["glorot"].n_parameters),
    }


def first_gradients(config, split):
    """Return which arrays of a replay's network have no gradient for the first batch of a Split, and which have one.

    That is two lists of names.
    """
    network, n = replay.build(config), config["batch_size"]
    replay.initialize(network, perturbation=None)
    grads = network.backward(network.forward(replay.images(split.X[:n])), one_hot(split.y[:n], N_CLASSES))
    moving = [name for name in network.weights if np.any(grads[f"d{name}"])]
    return [name for name in network.weights if name not in moving], moving


def zero_gradients(still, moving):
    """Return the Finding of which arrays have no gradient; `still`, `moving`: the names of those without and with."""
    if not moving:
        return {"zero gradients": Finding(f"all {len(still)}")}
    why = f"the gradient of {' and '.join(moving)} is the class frequencies less the probabilities"
    return {"zero gradients": Finding(f"{len(still)} of {len(still) + len(moving)}", why=why)}


def epsilon(best):
    """Return the Finding of the best epsilon for the original's image; None: no epsilon is better than another."""
    why = "its image, its network by its rule, double precision, clipped loss"
    if best is None:
        why = "for its image the clipped loss leaves nothing to see, or no gradient reaches the ten weights"
    return {"epsilon": Finding(best, why=why)}


def accuracies(runs, noise):
    """Return the Findings of the search's accuracies, from Runs by its rule, {combination: Run}.

    `noise` is one standard deviation of the difference of two such accuracies, as a share of 1.
    """
    return {f"accuracy/{name}": Finding(run.valid_accuracy, noise, "by its rule") for name, run in runs.items()}


def images_apart(runs, n_images):
    """Return by how many of `n_images` the accuracy of each replayed Run differs from the printed one, by its name.

    `runs`: {combination: Run}, in the order of original.FIRST_ACCURACIES.
    """
    pairs = zip(runs.items(), original.FIRST_ACCURACIES, strict=True)
    return {name: round(n_images * (run.valid_accuracy - printed)) for (name, run), printed in pairs}


def search(searched, fast, slow, n_images):
    """Return the Findings of the search as a whole.

    `searched`: the Runs of our own search; `fast`, `slow`: Runs of one network at too large a learning rate and at
    its best one, judged on `n_images`.
    """
    dataset, epochs = searched[0].config["dataset"], words.number(searched[0].config["epochs"], "epoch")
    theirs = f"not for {original.SEARCH['epochs']} by its own"
    rates = f"{fast[0].config['lr']:g} against {slow[0].config['lr']:g} with the network of the initialisation"
    answer = verdicts.answer(statistics.errors(fast, slow, n_images))
    return {
        "combinations": Finding(len(original.search_configs(dataset))),
        "reach 98%": Finding(None, why=f"ours were trained for {epochs} by another rule, {theirs}"),
        "large rate": Finding(answer, why=rates),
    }


def cnn_layers():
    """Return {layer: (output as text, number of parameters)} of the CNN."""
    return {name: (output, n_parameters) for name, _, output, n_parameters in architecture.layers(cnn.network())}


def misprinted(layers):
    """Return what the original printed as the output of `cnn_layers`, where that is wrong, by the layer's name."""
    printed = {name: words.times(shape) for name, (shape, _) in original.CNN_LAYERS.items()}
    return {name: output for name, output in printed.items() if output != layers[name][0]}


def sizes(layers):
    """Return the Findings of shapes and counts of the CNN, from its `cnn_layers`, and of the best MLP."""
    wrong, found = misprinted(layers), {}
    for name in original.CNN_LAYERS:
        output, n_parameters = layers[name]
        why = "what was printed is the output of the pooling after it" if name in wrong else ""
        found[f"output/{name}"] = Finding(output, why=why)
        if f"parameters/{name}" in original.CLAIMS:
            found[f"parameters/{name}"] = Finding(n_parameters)
    n_cnn = sum(n_parameters for _, n_parameters in layers.values())
    n_mlp = architecture.perceptron_parameters(original.BEST["hidden_dims"])
    return found | {
        "parameters/cnn": Finding(n_cnn),
        "fewer parameters": Finding("lower" if n_cnn < n_mlp else "higher", why=f"{n_cnn:,} against {n_mlp:,}"),
        "parameters/winner": Finding(f"{n_mlp:,}".replace(",", " "), why="a misprint, with one digit too many"),
    }


def convolutional(plain, dropped):
    """Return the Findings of the validation figures of the CNN; `plain`, `dropped`: Runs without and with dropout.

    The noise is the deviation of one run about the mean of its list, with the spread pooled over both.
    """
    found = {}
    for what, measure in (("loss", "valid_loss"), ("accuracy", "valid_error")):
        both = [statistics.finals(same, measure) for same in (plain, dropped)]
        for name, values in zip(("cnn", "dropout"), both, strict=True):
            value = values.mean() if what == "loss" else 1 - values.mean()
            noise = statistics.pooled(both) * np.sqrt(1 + 1 / len(values))
            found[f"valid {what}/{name}"] = Finding(float(value), float(noise), f"mean of {len(values)} seeds")
    return found


def winner(run, ours, noise):
    """Return the Findings of the validation figures of the best MLP, from a Run by its rule.

    `ours`: Runs of our own MLP, between whose losses the noise is measured; `noise` is that of an accuracy.
    """
    late = [each.history["valid_loss"][EPOCH - 1] for each in ours]
    of_loss = float(np.sqrt(2) * np.std(late, ddof=1))
    return {
        "valid loss/mlp": Finding(run.history["valid_loss"][EPOCH - 1], of_loss, f"by its rule, after epoch {EPOCH}"),
        "valid accuracy/mlp": Finding(run.valid_accuracy, noise, "by its rule, after epoch 15"),
    }


def comparisons(plain, dropped, replayed, starts):
    """Return what conclusions on the original's CNN compare, {claim: (Difference of losses, how it was measured)}.

    `plain`, `dropped`: Runs of its CNN without and with dropout; `replayed`: Runs of its search by its rule;
    `starts`: Runs of the network of the initialisation.
    """
    valid, train = statistics.finals(plain, "valid_loss"), statistics.finals(plain, "train_loss")
    mlps = [run.history["valid_loss"][EPOCH - 1] for run in replayed if run.config["batch_size"] == 16]
    initialisation = "against five seeds of its network of the initialisation"
    return {
        "dropout and vanilla": (
            statistics.independent(statistics.finals(dropped, "valid_loss"), valid),
            "two seeds each",
        ),
        "cnn and mlp": (statistics.independent(valid, mlps), "against its perceptrons with batches of 16"),
        "train loss/cnn": (statistics.independent(train, statistics.finals(starts, "train_loss")), initialisation),
    }


def answers(compared):
    """Return the Findings of conclusions from `comparisons`, {claim: (Difference, how measured)}."""
    return {name: Finding(verdicts.answer(apart), why=how) for name, (apart, how) in compared.items()}


def seconds():
    """Return the Findings of the seconds of an epoch, which nothing here can tell."""
    return {f"seconds/{scheme}": Finding(None, why="another machine") for scheme in original.SECONDS_PER_EPOCH}
