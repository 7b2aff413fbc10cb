"""The original report: what it printed, and the list of its claims.

Losses are mean cross-entropies in nats, accuracies shares of 1.
"""

from dataclasses import dataclass
from itertools import product

from helpers import setups, words
from helpers.architecture import perceptron_parameters

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


def _claims():
    """All claims by a short name, in the order of the original report."""
    claims = {}

    def add(name, *args, **kwargs):
        claims[name] = Claim(*args, **kwargs)

    part = "initialisation"
    add("parameters/initialisation", ARITHMETIC, part, "parameters of 784 · 500 · 400 · 10", 596_910, portable=True)
    for name, shape in SHAPES.items():
        add(f"shape/{name}", ARITHMETIC, part, f"shape of {name}", words.times(shape), portable=True)
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
        name = setups.combination(config)
        add(f"accuracy/{name}", NUMBER, part, f"validation accuracy of {name}", accuracy, 1e-4)
    add("reach 98%", NUMBER, part, "combinations that reach 98% on validation", float(N_AT_LEAST_98), 1)
    text = "parameters of the best combination"
    add("parameters/winner", ARITHMETIC, part, text, "715 4010", portable=True)
    add("large rate", CONCLUSION, part, "error at too large a learning rate, of that at the best one", "higher")

    part = "gradient check"
    add("epsilon", NUMBER, part, "ε of the smallest difference", BEST_EPSILON, 0.001)

    part = "CNN"
    for name, (output, n_parameters) in CNN_LAYERS.items():
        add(f"output/{name}", ARITHMETIC, part, f"output of {name}", words.times(output), portable=True)
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


def search_configs(dataset):
    """Return the 72 configurations of the search on the data set of this name, in the original's order."""
    low, high = PARAMETER_RANGE
    shapes = [list(pair) for pair in product(GRID["widths"], repeat=2) if low <= perceptron_parameters(pair) <= high]
    common = {"model": "mlp", "dataset": dataset, **SEARCH, "seed": 0}
    return [
        common | {"lr": lr, "batch_size": batch_size, "hidden_dims": shape}
        for lr, batch_size, shape in product(GRID["lr"], GRID["batch_size"], shapes)
    ]


CLAIMS = _claims()
