"""The page of the gradient check: an error to plant, and the epsilon that finds it or not."""

from functools import cache

import ipywidgets as widgets
import numpy as np

from helpers import configs, data, gradients
from helpers.explore import pictures
from helpers.explore.controls import WIDE, form_of, labelled, row
from helpers.nn import one_hot
from helpers.planted import Planted

EPSILONS = np.logspace(-10, 0, 31)  # at which the page of the gradient check draws its curves


class BreakIt(widgets.VBox):
    """The page of the gradient check: an error to plant, and the epsilon that finds it or not."""

    BUGS = {bug: bug for bug in configs.BUGS} | {"all gradients times 1 + d": "factor"}

    def __init__(self):
        self.controls = {
            "bug": labelled(widgets.Dropdown, "Bug", options=self.BUGS, value="dW2 transposed"),
            "d": labelled(widgets.FloatLogSlider, "d", 1e-6, min=-14, max=0, step=0.1, readout_format=".1e"),
            "epsilon": labelled(widgets.FloatLogSlider, "ε", 1e-5, min=-10, max=0, step=0.1, readout_format=".1e"),
            "activation": labelled(
                widgets.Dropdown, "Activation", options={"ReLU": "relu", "tanh": "tanh", "sigmoid": "sigmoid"}
            ),
        }
        form, _ = form_of(self.controls)
        self.picture, self.told = widgets.HTML(layout=WIDE), widgets.HTML(layout=WIDE)
        for control in self.controls.values():
            control.observe(self._check, "value")
        self._check()
        form.layout.flex = "0 0 350px"
        right = widgets.VBox([self.told, self.picture], layout=widgets.Layout(flex="1 1 490px"))
        super().__init__([row(form, right)])

    def _check(self, *_):
        bug, d, epsilon, activation = (self.controls[name].value for name in ("bug", "d", "epsilon", "activation"))
        self.controls["d"].layout.display = None if bug == "factor" else "none"
        network, (X, y, estimates) = _planted("none", activation), _checked(activation)
        gradient = gradients.backpropagated(network, X, y, layer=2, p=10)
        if bug == "factor":
            wrong = gradient * (1 + d)
        else:
            wrong = gradients.backpropagated(_planted(bug, activation), X, y, layer=2, p=10)
        here = gradients.central_differences(network, X, y, 2, 10, epsilon)
        largest = np.abs(gradient).max()
        without, with_bug = (np.abs(here - g).max() for g in (gradient, wrong))
        told = f"At ε = {epsilon:.1e} the largest difference is {with_bug:.1e}, without the bug {without:.1e}; "
        told += f"the largest of the ten gradients is {largest:.1e}. "
        self.told.value = told + (
            "The check finds the bug." if with_bug > 10 * without else "The check does not tell them apart."
        )
        curves = (np.abs(estimates - g).max(axis=1) for g in (gradient, wrong))
        self.picture.value = pictures.check(EPSILONS, *curves, epsilon, largest)


def _planted(bug, activation):
    """An untrained network with a bug in its gradients, or with none."""
    network = Planted((20, 20), seed=0, activation=activation, epsilon=0, bug=bug)
    network.initialize_weights((data.SIDE**2, data.N_CLASSES))
    return network


@cache
def _checked(activation):
    """What no slider changes: (image, label, estimates of the gradient (EPSILONS, ten weights of W2))."""
    network, split = _planted("none", activation), data.load("digits").valid
    X, y = split.X.astype(float), one_hot(split.y, data.N_CLASSES)
    i = gradients.telling_sample(network, X, y, layer=2, p=10)
    X, y = X[[i]], y[[i]]
    estimates = [gradients.central_differences(network, X, y, 2, 10, epsilon) for epsilon in EPSILONS]
    return X, y, np.array(estimates)
