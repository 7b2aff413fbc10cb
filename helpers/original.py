"""The original report: what it printed, the list of its claims, and the verdict on each.

Losses are mean cross-entropies in nats, accuracies shares of 1.
"""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import pandas as pd

from helpers.data import N_CLASSES, SIDE

INITIALISATION = {"hidden_dims": [500, 400], "activation": "relu", "lr": 7e-4, "batch_size": 64, "epochs": 10}
TRAIN_LOSS = {  # at the end of each epoch, on the 50,000 training images
    "zero": (
        2.3025823920240978, 2.3025796956493596, 2.30257700386218, 2.302574316654922, 2.3025716340199622,
        2.3025689559496856, 2.3025662824364908, 2.302563613472792, 2.3025609490510086, 2.3025582891635814,
    ),
    "normal": (
        2.0580302500668157, 1.6435337149232274, 1.3848512069114924, 1.2091570947519965, 1.120734630499463,
        1.0233777498287164, 0.8985837433154218, 0.8354616197398361, 0.8217522399206727, 0.773342501491482,
    ),
    "glorot": (
        1.9345233573819667, 1.568176365112443, 1.2365064002272124, 0.9936469375559156, 0.8320996049241498,
        0.7241287333693052, 0.6487440543347597, 0.593578051134673, 0.5515687221224399, 0.5185363217750453,
    ),
}  # fmt: skip
SECONDS_PER_EPOCH = {"zero": 11.6, "normal": 17.0, "glorot": 12.8}
SHAPES = {"W1": (784, 500), "b1": (1, 500), "W2": (500, 400), "b2": (1, 400), "W3": (400, 10), "b3": (1, 10)}

SEARCH = {"activation": "relu", "init_method": "glorot", "epochs": 15}
GRID = {"lr": (0.1, 0.01, 0.001), "batch_size": (16, 32, 64), "widths": (400, 500, 600)}
PARAMETER_RANGE = (500_000, 1_000_000)
N_COMBINATIONS = 72
N_AT_LEAST_98 = 17
WANTED_ACCURACY = 0.97
FIRST_ACCURACIES = (0.9760, 0.9834, 0.9835, 0.9821, 0.9792, 0.9842, 0.9821, 0.9810, 0.9826, 0.9814)  # of the 72
LEAD = round(10_000 * (max(FIRST_ACCURACIES) - sorted(FIRST_ACCURACIES)[-2]))  # images, of the best before the next
BEST = {"lr": 0.1, "batch_size": 16, "hidden_dims": [600, 400]}

BEST_EPSILON = 0.003  # where it found the smallest difference of its gradient check

CNN = {"lr": 0.01, "batch_size": 64, "epochs": 10}
CNN_LAYERS = {  # the printed output and the parameters
    "conv1": ((20, 12, 12), 520),
    "pool1": ((20, 12, 12), 0),
    "conv2": ((30, 9, 9), 9_630),
    "conv3": ((40, 7, 7), 10_840),
    "pool2": ((40, 3, 3), 0),
    "fc1": ((500,), 180_500),
    "fc2": ((10,), 5_010),
}
DROPOUT = [0.25, 0.5]

ARITHMETIC, NUMBER, CONCLUSION = KINDS = ("arithmetic", "measured number", "conclusion")
TO_THE_DIGIT = "reproduced to the digit"
WITHIN_NOISE = "reproduced within noise"
NOT_REPRODUCED = "not reproduced"
WRONG = "wrong"
HOLDS = "holds"
UNDECIDED = "not told apart"
CONTRADICTED = "contradicted"
NOT_COMPARABLE = "not comparable"
VERDICTS = (
    *(TO_THE_DIGIT, WITHIN_NOISE, NOT_REPRODUCED),
    *(HOLDS, UNDECIDED, CONTRADICTED),
    *(WRONG, NOT_COMPARABLE),
)
ULPS = 2  # units in the last place of a double that count as the same digits: the order of a sum moves as much


@dataclass(frozen=True)
class Claim:
    """A number or statement of the original report.

    `kind` is one of KINDS.  `printed` is a float for a measured number, an int or a str for arithmetic, and for a
    conclusion the answer that it gives.  `unit` is the last place that was printed.  `portable`: whether it can be
    judged on other data than MNIST.
    """

    kind: str
    part: str
    text: str
    printed: float | int | str
    unit: float = 0.0
    portable: bool = False


@dataclass(frozen=True)
class Finding:
    """What was measured for a claim, the noise that a difference is held against, and, in words, the reason.

    `noise` is one standard deviation of the difference.  `value` None: there is nothing to compare.
    """

    value: float | int | str | None
    noise: float = 0.0
    why: str = ""


def _claims():
    """All claims by a short name, in the order of the original report."""
    claims = {}

    def add(name, *args, **kwargs):
        claims[name] = Claim(*args, **kwargs)

    part = "initialisation"
    add("parameters/initialisation", ARITHMETIC, part, "parameters of 784 · 500 · 400 · 10", 596_910, portable=True)
    for name, shape in SHAPES.items():
        add(f"shape/{name}", ARITHMETIC, part, f"shape of {name}", times(shape), portable=True)
    for scheme, losses in TRAIN_LOSS.items():
        for epoch, loss in enumerate(losses, start=1):
            add(f"loss/{scheme}/{epoch}", NUMBER, part, f"{scheme}: training loss after epoch {epoch}", loss)
    for scheme, seconds in SECONDS_PER_EPOCH.items():
        add(f"seconds/{scheme}", NUMBER, part, f"{scheme}: seconds per epoch", seconds, 0.1)
    add("zero gradients", CONCLUSION, part, "zero: arrays whose gradients are zero", "all 6", portable=True)
    add("best start", CONCLUSION, part, "the start with the lowest training loss", "glorot")

    part = "search"
    text = "combinations of 500,000 to 1,000,000 parameters"
    add("combinations", ARITHMETIC, part, text, N_COMBINATIONS, portable=True)
    for config, accuracy in zip(search_configs("mnist"), FIRST_ACCURACIES, strict=False):
        name = label(config)
        add(f"accuracy/{name}", NUMBER, part, f"validation accuracy of {name}", accuracy, 1e-4)
    add("reach 98%", NUMBER, part, "combinations that reach 98% on validation", float(N_AT_LEAST_98), 1)
    text = "parameters of the best combination"
    add("parameters/winner", ARITHMETIC, part, text, "715 4010", portable=True)
    add("large rate", CONCLUSION, part, "error at too large a learning rate, of that at the best one", "higher")

    part = "gradient check"
    add("epsilon", NUMBER, part, "ε of the smallest difference", BEST_EPSILON, 0.001)

    part = "CNN"
    for name, (output, n_parameters) in CNN_LAYERS.items():
        add(f"output/{name}", ARITHMETIC, part, f"output of {name}", times(output), portable=True)
        if n_parameters:
            add(f"parameters/{name}", ARITHMETIC, part, f"parameters of {name}", n_parameters, portable=True)
    add("parameters/cnn", ARITHMETIC, part, "parameters of the CNN", 206_500, portable=True)
    for name, network, loss in (("mlp", "best MLP", 0.09), ("cnn", "CNN", 0.08)):
        add(f"valid loss/{name}", NUMBER, part, f"validation loss of the {network} after epoch 10", loss, 0.01)
        add(f"valid accuracy/{name}", NUMBER, part, f"validation accuracy of the {network}", 0.98, 0.01)
    add("fewer parameters", CONCLUSION, part, "parameters of the CNN, of the best MLP's", "lower", portable=True)
    add("train loss/cnn", CONCLUSION, part, "training loss of the CNN, of the Glorot MLP's", "lower")
    add("cnn and mlp", CONCLUSION, part, "validation loss of the CNN, of the best MLP's", "lower")

    part = "dropout"
    text = "validation loss of the CNN with dropout"
    add("valid loss/dropout", NUMBER, part, text, 0.074, 0.001)
    text = "validation accuracy of the CNN with dropout"
    add("valid accuracy/dropout", NUMBER, part, text, 0.98, 0.01)
    add("dropout and vanilla", CONCLUSION, part, "validation loss with dropout, of that without", "lower")
    return claims


def times(shape):
    """Return a shape as text, as in 20 × 24 × 24."""
    return " × ".join(map(str, shape))


def label(config):
    """Return a configuration of the search in words."""
    first, second = config["hidden_dims"]
    return f"{first}-{second}, rate {config['lr']:g}, batch {config['batch_size']}"


def n_parameters(*hidden_dims):
    """Return the number of parameters of a perceptron with these hidden layers, for images and ten classes."""
    return sum((n_in + 1) * n_out for n_in, n_out in pairwise((SIDE**2, *hidden_dims, N_CLASSES)))


def search_configs(dataset):
    """Return the 72 configurations of the search on the data set of this name, in the original's order."""
    low, high = PARAMETER_RANGE
    shapes = [list(pair) for pair in product(GRID["widths"], repeat=2) if low <= n_parameters(*pair) <= high]
    common = {"model": "mlp", "dataset": dataset, **SEARCH, "seed": 0}
    return [
        common | {"lr": lr, "batch_size": batch_size, "hidden_dims": shape}
        for lr, batch_size, shape in product(GRID["lr"], GRID["batch_size"], shapes)
    ]


CLAIMS = _claims()


def accuracy_noise(accuracy, n):
    """Return the standard deviation of the difference of two accuracies near `accuracy` on `n` images each."""
    return float(np.sqrt(2 * accuracy * (1 - accuracy) / n))


def ulps(printed, measured):
    """Return measured - printed in units of the last place of `printed` in double precision."""
    printed = np.asarray(printed, np.float64)
    return np.rint((np.asarray(measured, np.float64) - printed) / np.spacing(np.abs(printed))).astype(int)


def verdict(claim, finding):
    """Return one of VERDICTS: how what was measured stands to what was printed.

    A float is reproduced to the digit where it rounds to the printed one, or is within ULPS units in the last place
    of it; within noise where the difference, less what rounding explains, is at most twice the noise.  A conclusion
    holds, is contradicted, or is UNDECIDED where the measurement says so.  Anything else is right or wrong.
    """
    if finding.value is None:
        return NOT_COMPARABLE
    if claim.kind == CONCLUSION:
        return {claim.printed: HOLDS, UNDECIDED: UNDECIDED}.get(finding.value, CONTRADICTED)
    if not isinstance(claim.printed, float):
        return TO_THE_DIGIT if finding.value == claim.printed else WRONG
    difference = abs(finding.value - claim.printed)
    digits = max(claim.unit / 2, ULPS * np.spacing(claim.printed)) * (1 + 1e-9)
    if difference <= digits:
        return TO_THE_DIGIT
    return WITHIN_NOISE if difference - digits <= 2 * finding.noise else NOT_REPRODUCED


def answer(difference):
    """Return "lower", "higher" or UNDECIDED, as a statistics.Difference has it."""
    return {-1: "lower", 0: UNDECIDED, 1: "higher"}[difference.sign]


def verdicts(findings, on_mnist=True):
    """Return a DataFrame with a row per claim: kind, part, claim, printed, measured, noise, verdict, why, unit.

    `findings`: name of the claim -> Finding, one for each of CLAIMS; else ValueError names what is missing or
    unknown.  On other data than MNIST only portable claims are judged.
    """
    if wrong := sorted(findings.keys() ^ CLAIMS.keys()):
        raise ValueError(f"claims without a finding, or findings without a claim: {', '.join(wrong)}")
    rows = []
    for name, claim in CLAIMS.items():
        finding = findings[name] if on_mnist or claim.portable else Finding(None, why="only MNIST can tell")
        judged = verdict(claim, finding)
        told = (finding.value, finding.noise, judged, finding.why)
        rows.append((claim.kind, claim.part, claim.text, claim.printed, *told, claim.unit))
    columns = ["kind", "part", "claim", "printed", "measured", "noise", "verdict", "why", "unit"]
    return pd.DataFrame(rows, columns=columns)
