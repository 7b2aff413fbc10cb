"""The choice of what to train: its controls, and the configuration that they say."""

import ipywidgets as widgets

from helpers import configs
from helpers.explore.controls import TITLES, labelled

SCHEMES = {
    "mlp": {"Glorot's": "glorot", "He's": "he", "standard normal": "normal", "all zero": "zero"},
    "cnn": {"Glorot's": "glorot", "PyTorch's": "pytorch"},
}


def controls():
    """Return the controls of a training, by the name of what they set."""
    return {
        "dataset": labelled(widgets.Dropdown, "Data set", options=TITLES),
        "model": labelled(
            widgets.Dropdown, "Network", options={"perceptron in NumPy": "mlp", "convolutional network": "cnn"}
        ),
        "hidden_dims": labelled(widgets.Text, "Hidden layers (units)", "64, 64"),
        "fc1_units": labelled(widgets.BoundedIntText, "Dense layer (1 to 2000 units)", 500, 1, 2000),
        "activation": labelled(
            widgets.Dropdown, "Activation", options={"ReLU": "relu", "tanh": "tanh", "sigmoid": "sigmoid"}
        ),
        "init_method": labelled(widgets.Dropdown, "Initial weights"),
        "lr": labelled(widgets.FloatLogSlider, "Learning rate", 0.1, min=-4, max=1, step=0.05),
        "batch_size": labelled(widgets.BoundedIntText, "Batch size (1 to 1000)", 16, 1, 1000),
        "epochs": labelled(widgets.BoundedIntText, "Epochs (1 to 200)", 15, 1, 200),
        "seed": labelled(widgets.BoundedIntText, "Seed (from 0)", 0, 0, 2**32 - 1),
        "decay": widgets.Checkbox(description="Rate falls linearly to zero", indent=False),
        "shift": labelled(widgets.FloatSlider, "Shift by up to (pixels)", 0, min=0, max=6, step=0.5),
        "rotation": labelled(widgets.IntSlider, "Turn by up to (degrees)", 0, 0, 45),
        "dropout": labelled(widgets.FloatSlider, "Dropout, channels", 0, min=0, max=0.9, step=0.05),
        "dropout2": labelled(widgets.FloatSlider, "Dropout, units", 0, min=0, max=0.9, step=0.05),
    }


def configuration(controls):
    """Return the configuration that the controls say; ValueError where one of them cannot be meant."""
    value = {name: control.value for name, control in controls.items()}
    names = set(configs.REQUIRED) | set(configs.DEFAULTS[value["model"]])
    value["dropout"] = [value["dropout"], value.pop("dropout2")]
    value["hidden_dims"] = widths(value["hidden_dims"])
    return configs.complete({name: v for name, v in value.items() if name in names})


def widths(text):
    """Return the widths of hidden layers from text such as "500, 400"; an empty one means no hidden layers."""
    parts = text.replace(",", " ").split()
    if not all(part.isdigit() and 0 < int(part) <= 2000 for part in parts) or len(parts) > 10:
        raise ValueError("up to ten whole numbers from 1 to 2000, such as 500, 400")
    return [int(part) for part in parts]


def show_those_of_model(controls):
    """Show the controls that the chosen network has, and hide the others."""
    cnn = controls["model"].value == "cnn"
    for name in ("fc1_units", "dropout", "dropout2"):
        controls[name].layout.display = None if cnn else "none"
    for name in ("hidden_dims", "activation"):
        controls[name].layout.display = "none" if cnn else None
    controls["init_method"].options = SCHEMES["cnn" if cnn else "mlp"]
    controls["init_method"].index = 0
