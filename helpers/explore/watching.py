"""The page of a training: what to train, how it goes, what goes on inside, and what was kept."""

import math
import threading
import time
from html import escape

import ipywidgets as widgets
import numpy as np
from IPython import get_ipython

from helpers import configs, data, inside
from helpers.explore import pictures
from helpers.explore.controls import TITLES, WIDE, form_of, labelled, refusal, row
from helpers.explore.live import PROBE, Live

SCHEMES = {
    "mlp": {"Glorot's": "glorot", "He's": "he", "standard normal": "normal", "all zero": "zero"},
    "cnn": {"Glorot's": "glorot", "PyTorch's": "pytorch"},
}
STATES = {
    "loading": "Loading the images …",
    "running": "Training",
    "paused": "Paused",
    "finished": "Finished",
    "stopped": "Stopped",
    "diverged": "Diverged: the loss is no number any more. A smaller learning rate may help.",
    "failed": "Failed",
}
UNDER_WAY = ("loading", "running", "paused")
LATE = 1.0  # seconds after Start in which a changed control still counts
_alive = set()  # the trainings that go on, on whatever page


def end_all():
    for live in list(_alive):
        live.stop()


def end_when_interrupted():
    """Let an interrupt of an idle kernel, which ipykernel would ignore, end the trainings."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is not None and threading.current_thread() is threading.main_thread():
        kernel.saved_sigint_handler = lambda *_: end_all()  # ipykernel puts it in place when the cell has ended


class Train(widgets.VBox):
    """The page of a training: what to train, how it goes, what goes on inside, and what was kept."""

    def __init__(self):
        self.live, self._kept, self._due, self._lock = None, {}, {}, threading.RLock()
        self._pressed = -math.inf, None  # when Start was pressed last, and for how many epochs
        c = self.controls = {
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
        form, self.refusals = form_of(c)
        self.buttons = {
            "start": widgets.Button(description="Start", icon="play", button_style="primary"),
            "pause": widgets.Button(description="Pause", icon="pause", tooltip="Hold the training, or go on"),
            "step": widgets.Button(
                description="One epoch", icon="step-forward", tooltip="Train for one epoch, then hold"
            ),
            "stop": widgets.Button(description="Stop", icon="stop", tooltip="End the training; the network stays"),
            "keep": widgets.Button(description="Keep", icon="thumb-tack", tooltip="Lay its curve over the next ones"),
            "reset": widgets.Button(description="Reset", icon="eraser", tooltip="End, and forget all that was kept"),
        }
        for name, button in self.buttons.items():
            button.layout.width = "110px"
            button.on_click(lambda _, name=name: getattr(self, f"_{name}")())
        self.status, self.curves, self.inside, self.table = (widgets.HTML(layout=WIDE) for _ in range(4))
        self._see = widgets.Checkbox(description="Look inside while it trains", value=True, indent=False)
        for name in ("model", "lr", "hidden_dims"):
            c[name].observe(getattr(self, f"_on_{name}"), "value")
        for name in c.keys() - {"lr"}:
            c[name].observe(self._on_late, "value")
        self._on_model()
        self._show()
        right = widgets.VBox([self.status, self.curves, self.table, self._see, self.inside])
        form.layout.flex, right.layout.flex = "0 0 350px", "1 1 490px"
        super().__init__([row(*self.buttons.values()), row(form, right)])

    def configuration(self):
        """Return the configuration that the controls say; ValueError where one of them cannot be meant."""
        value = {name: control.value for name, control in self.controls.items()}
        names = set(configs.REQUIRED) | set(configs.DEFAULTS[value["model"]])
        value["dropout"] = [value["dropout"], value.pop("dropout2")]
        value["hidden_dims"] = _widths(value["hidden_dims"])
        return configs.complete({name: v for name, v in value.items() if name in names})

    def _on_model(self, *_):
        """Show the controls that the chosen network has."""
        cnn = self.controls["model"].value == "cnn"
        for name in ("fc1_units", "dropout", "dropout2"):
            self.controls[name].layout.display = None if cnn else "none"
        for name in ("hidden_dims", "activation"):
            self.controls[name].layout.display = "none" if cnn else None
        self.controls["init_method"].options = SCHEMES["cnn" if cnn else "mlp"]
        self.controls["init_method"].index = 0

    def _on_lr(self, *_):
        """A training that goes on takes the new rate at its next step."""
        if self.live is not None and self.live.alive:
            self.live.lr = self.controls["lr"].value

    def _on_late(self, *_):
        """Begin again with a value that comes after the press of the button: JupyterLab may hold it back."""
        pressed, epochs = self._pressed
        if self.live is not None and self.live.alive and time.monotonic() - pressed < LATE:
            self._start(epochs)

    def _on_hidden_dims(self, *_):
        self._refuse("hidden_dims", lambda: _widths(self.controls["hidden_dims"].value))

    def _refuse(self, name, check):
        """Say beside the control `name` why `check` raises ValueError; return whether it does not."""
        try:
            check()
        except ValueError as error:
            self.refusals[name].value = refusal(str(error))
            return False
        self.refusals[name].value = ""
        return True

    def _start(self, epochs=None):
        if not self._refuse("hidden_dims", self.configuration):
            return
        self.end()
        self._pressed = time.monotonic(), epochs
        self.refusals["dataset"].value = ""
        self.live = Live(self.configuration(), self._changed)
        if epochs is not None:
            self.live.go_on(epochs)
        self._due = {}
        _alive.add(self.live)
        self.live.start()
        self._show()

    def _pause(self):
        if self.live.state == "paused":
            self.live.go_on()
        else:
            self.live.pause()

    def _step(self):
        if self.live is not None and self.live.alive:
            self.live.go_on(1)
        else:
            self._start(1)

    def _stop(self):
        self.end()
        self._show()

    def end(self):
        """End the training of this page, if one goes on."""
        if self.live is not None:
            self.live.stop(timeout=30)

    def _keep(self):
        stored = self.live.keep()
        label = f"{len(self._kept) + 1}: {_words(self.live)}"
        self._kept[label] = (list(self.live.points), stored)
        self._show()

    def _reset(self):
        self.end()
        self.live, self._kept = None, {}
        self._show()

    def _changed(self, live):
        """Called in the thread of a training: draw, but for no more than about half of its time."""
        if live.state not in UNDER_WAY:
            _alive.discard(live)
        if live is not self.live:
            return
        if live.state == "failed":
            self.refusals["dataset"].value = refusal(live.error)
        self._when_due("curves", self._show, at_once=live.state != "running")
        if self._see.value and live.network is not None and live.state in ("running", "finished"):
            self._when_due("inside", lambda: self._look_inside(live), at_once=live.state == "finished")

    def _when_due(self, what, draw, at_once):
        """Call `draw`, unless it was called a short while ago, measured by the time that it takes."""
        began = time.perf_counter()
        if at_once or began > self._due.get(what, 0):
            draw()
            now = time.perf_counter()
            self._due[what] = now + 3 * (now - began)

    def _look_inside(self, live):
        network, valid = live.network, live.dataset.valid
        split = data.Split(valid.X[:PROBE], valid.y[:PROBE])
        relu = live.config.get("activation", "relu") == "relu"
        layers, hard = inside.layers(network, split), inside.hardest(network, split)
        self.inside.value = pictures.inside(inside.first_weights(network), layers, hard, split, relu)

    def _show(self):
        with self._lock:
            live = self.live
            state = "" if live is None else live.state
            busy = live is not None and live.alive and state in UNDER_WAY
            self.status.value = "Choose, and press Start." if live is None else _status(live)
            shown = {label: points for label, (points, _) in self._kept.items()}
            if live is not None and (live.points or not shown):
                shown["now"] = list(live.points)
            self.curves.value = pictures.curves(shown) if any(shown.values()) else ""
            self.table.value = _table(self._kept)
            self.buttons["pause"].description = "Go on" if state == "paused" else "Pause"
            self.buttons["pause"].icon = "play" if state == "paused" else "pause"
            for name in ("pause", "stop"):
                self.buttons[name].disabled = not busy
            self.buttons["keep"].disabled = live is None or busy or not live.points


def _widths(text):
    """The widths of hidden layers from text such as "500, 400"; none at all is a network without hidden layers."""
    parts = text.replace(",", " ").split()
    if not all(part.isdigit() and 0 < int(part) <= 2000 for part in parts) or len(parts) > 10:
        raise ValueError("up to ten whole numbers from 1 to 2000, such as 500, 400")
    return [int(part) for part in parts]


def _words(live):
    """What sets a training apart, in a few words."""
    config = live.config
    widths = "-".join(map(str, config["hidden_dims"])) if config["model"] == "mlp" else f"CNN {config['fc1_units']}"
    words = [widths or "no hidden layer", config.get("activation"), config["init_method"]]
    words += [f"rate {live.config['lr']:.3g}" + ("" if live.undisturbed else ", changed")]
    words += [f"batch {config['batch_size']}", f"seed {config['seed']}"]
    words += ["decay"] if config["decay"] else []
    for name, unit in (("shift", "px"), ("rotation", "°")):
        words += [f"{name} {config[name]:g} {unit}"] if config[name] else []
    words += [f"dropout {config['dropout']}"] if any(config.get("dropout", ())) else []
    return " · ".join(filter(None, words))


def _status(live):
    """One line: the state, how far it is, and what it reads."""
    if not live.points:
        return f"{STATES[live.state]} {escape(live.error)}"
    last = live.points[-1]
    told = f"epoch {last.epoch:.2f} of {live.config['epochs']}" if last.epoch else "before the first step"
    told += f" · training loss {last.train.loss:.3f} · validation error {last.valid.error:.1%}"
    if last.valid.error > 0.8:
        told += ", about that of guessing (90%)"
    n = min(PROBE, len(live.dataset.valid))
    if live.epoch:
        seconds = (live.config["epochs"] - last.epoch) * float(np.mean(live.history["seconds"]))
        told += f" · {seconds:.0f} s left" if live.state == "running" else ""
    return f"<b>{STATES[live.state]}</b> · {told} <small>(of {n:,} images)</small>"


def _table(kept):
    """The runs that were kept, as a table."""
    if not kept:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("run", "epochs", "training loss", "validation error", "stored"))
    rows = []
    for label, (points, stored) in kept.items():
        last, where = points[-1], "with the report’s" if stored else "on this page alone"
        told = (escape(label), f"{last.epoch:.1f}", f"{last.train.loss:.3f}", f"{last.valid.error:.2%}", where)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in told) + "</tr>")
    return f"<table>{head}{''.join(rows)}</table>"
