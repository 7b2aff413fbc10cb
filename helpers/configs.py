"""Configurations: the plain data that determine a training, for example

    {"model": "mlp", "dataset": "mnist", "hidden_dims": [500, 400], "lr": 0.1, "batch_size": 64, "epochs": 10}

Parameters that a configuration leaves out have the values in DEFAULTS.  Another model is a module of this package
with the functions `build`, `load` and `train`, and an entry in DEFAULTS under its name.
"""

REQUIRED = ("model", "dataset", "lr", "batch_size", "epochs")
DEFAULTS = {
    "mlp": {
        "seed": 0,
        "hidden_dims": [784, 256],
        "activation": "relu",
        "init_method": "glorot",
        "shuffle": False,  # whether the images come in a new order in each epoch, or as in the file
        "decay": False,  # whether the learning rate falls linearly to zero over the training
        "dropout": 0.0,  # the probability of dropping a hidden unit
        "weight_decay": 0.0,  # times the weight is added to its gradient, but for biases
        "shift": 0.0,  # pixels: training images are shifted by up to this in each direction ...
        "rotation": 0.0,  # degrees: ... and turned by up to this, anew in each epoch
        "permutation": None,  # a seed that draws another order of the pixels
        "perturbation": None,  # a seed that draws one weight of W1, to be changed by one unit in the last place
    },
    "cnn": {
        "seed": 0,
        "init_method": "pytorch",  # or glorot
        "decay": False,
        "average": 0.0,  # of the weights over the steps: the share that is kept of the mean so far
        "pooling": True,  # see cnn.network
        "shared": True,  # see cnn.network
        "permutation": None,
        "fc1_units": 500,
        "dropout": [0.0, 0.0],  # see cnn.network
        "dropblock": [0.0, 3],  # see cnn.network; the probability grows linearly from zero over the epochs
        "weight_decay": 0.0,  # times the weight or bias is added to its gradient
        "label_smoothing": 0.0,  # share of the label that is spread over all classes
        "noise": 0.0,  # standard deviation of Gaussian noise added to the training images
        "shift": 0.0,
        "rotation": 0.0,
        "patience": None,  # epochs without a lower validation loss after which training stops
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
