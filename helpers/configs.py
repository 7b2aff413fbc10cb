"""Configurations: the plain data that determine a training, for example

    {"model": "mlp", "dataset": "mnist", "hidden_dims": [500, 400], "lr": 0.1, "batch_size": 64, "epochs": 10}

Parameters that a configuration leaves out have the values in DEFAULTS.  Another model is a module of this package
with the functions `build`, `load` and `steps`, and an entry in DEFAULTS under its name.
"""

import math
import sys
from collections.abc import Mapping
from numbers import Real

import numpy as np

from helpers import data

REQUIRED = ("model", "dataset", "lr", "batch_size", "epochs")
DEFAULTS = {
    "mlp": {
        "seed": 0,
        "hidden_dims": [784, 256],
        "activation": "relu",
        "init_method": "glorot",
        "shuffle": False,  # whether the images come in a new order in each epoch, or as in the file
        "decay": False,  # whether the learning rate falls linearly to zero over the training
        "shift": 0.0,  # pixels: training images are shifted by up to this in each direction ...
        "rotation": 0.0,  # degrees: ... and turned by up to this, anew in each epoch
        "permutation": None,  # a seed that draws another order of the pixels
        "perturbation": None,  # a seed that draws one weight of W1, to be changed by one unit in the last place
    },
    "cnn": {
        "seed": 0,
        "init_method": "pytorch",
        "decay": False,
        "pooling": True,  # see cnn.network
        "shared": True,  # see cnn.network
        "permutation": None,
        "fc1_units": 500,
        "dropout": [0.0, 0.0],  # see cnn.network
        "shift": 0.0,
        "rotation": 0.0,
    },
    "planted": {
        "seed": 0,
        "hidden_dims": [400, 400],
        "activation": "relu",
        "init_method": "glorot",
        "bug": "none",  # one of BUGS
    },
    "replay": {
        "seed": 0,
        "hidden_dims": [500, 400],
        "activation": "relu",
        "init_method": "glorot",
        "perturbation": None,  # a seed that draws the signs of changes of W2 by one part in 1e15
        "measured": "train",  # which set is evaluated after each epoch, "train" or "valid"
    },
}


BUGS = (  # what `planted` does wrong in its gradients
    "none",
    "a sign of dW2",
    "dW2 transposed",
    "biases divided twice",
    "no mask of the ReLU",
    "no db2",
    "dW1 doubled",
)


def _whole(least, most=math.inf):
    def check(value):
        good = isinstance(value, Real) and not isinstance(value, bool) and value == value // 1
        return int(value) if good and least <= value <= most else None

    return check, f"a whole number from {least}" + (f" to {most}" if most < math.inf else " on")


def _number(least, below, open_=False):
    def check(value):
        good = isinstance(value, Real) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
        return float(value) + 0.0 if good and (least < value if open_ else least <= value) and value < below else None

    bounds = f"above {least}" if open_ else f"from {least}"
    return check, f"a number {bounds}" + (f" and below {below}" if below < math.inf else "")


def _one_of(*allowed):
    return lambda value: value if type(value) in map(type, allowed) and value in allowed else None, (
        f"one of {', '.join(map(str, allowed))}"
    )


def _list_of(*rules, repeated=False):
    """A list with an entry for each rule, or any number of entries for one that is repeated."""

    def check(value):
        if not isinstance(value, list | tuple) or not (repeated or len(value) == len(rules)):
            return None
        checks = [check for check, _ in rules] * (len(value) if repeated else 1)
        values = [check(entry) for check, entry in zip(checks, value, strict=True)]
        return None if None in values else values

    words = [words for _, words in rules]
    return check, f"a list of {words[0]} each" if repeated else f"a list: {', then '.join(words)}"


SEED = _whole(0, 2**32 - 1)
PARAMETERS = {  # by name: a function that returns the value as it is stored, or None, and what is allowed, in words
    "lr": _number(0, math.inf, open_=True),
    "batch_size": _whole(1),
    "epochs": _whole(1),
    "seed": SEED,
    "hidden_dims": _list_of(_whole(1), repeated=True),
    "activation": _one_of("relu", "sigmoid", "tanh"),
    "init_method": _one_of("glorot", "he", "normal", "zero"),
    "shuffle": _one_of(False, True),
    "decay": _one_of(False, True),
    "shift": _number(0, data.SIDE),
    "rotation": _number(0, 360),
    "permutation": SEED,
    "perturbation": SEED,
    "pooling": _one_of(False, True),
    "shared": _one_of(False, True),
    "fc1_units": _whole(1),
    "dropout": _list_of(_number(0, 1), _number(0, 1)),
    "measured": _one_of("train", "valid"),
    "bug": _one_of(*BUGS),
}
OF_MODEL = {  # where a model knows other values
    "cnn": {"init_method": _one_of("pytorch", "glorot")},
}


def complete(config):
    """Return `config` with the defaults filled in and each value as plain Python has it.

    NumPy's scalars and arrays count as the numbers that they hold, and `auto` as the data set that it stands for.
    Raises ValueError that names all that is missing, unknown or not allowed, and what is.
    """
    if not isinstance(config, Mapping):
        raise ValueError(f"a configuration is a dict of parameters, not {config!r}")
    model = config.get("model")
    if not isinstance(model, str) or model not in DEFAULTS:
        raise ValueError(f"model {model!r} is not one of {', '.join(DEFAULTS)}")
    known = {*REQUIRED, *DEFAULTS[model]}
    faults = []
    if unknown := sorted(map(str, set(config) - known)):
        faults.append(f"{model} has no parameter {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    if missing := [name for name in REQUIRED if name not in config]:
        faults.append(f"the configuration lacks {', '.join(missing)}")
    whole = {name: DEFAULTS[model].get(name) for name in known} | dict(config)
    rules = PARAMETERS | OF_MODEL.get(model, {})
    found = {"model": model}
    for name in sorted(known - {"model", "dataset", *missing}):
        value = whole[name].tolist() if isinstance(whole[name], np.ndarray | np.generic) else whole[name]
        check, allowed = rules[name]
        found[name] = check(value)
        may_be_none = name in DEFAULTS[model] and DEFAULTS[model][name] is None
        if found[name] is None and not (value is None and may_be_none):
            faults.append(f"{name} is {value!r}, but must be {allowed}{' or None' if may_be_none else ''}")
    if "dataset" not in missing:
        try:
            found["dataset"] = data.resolve(config["dataset"])
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    return found
