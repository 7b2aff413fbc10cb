"""The page of a training: what to train, how it goes, what goes on inside, and what was kept."""

import math
import threading
import time

import ipywidgets as widgets
from IPython import get_ipython

from helpers import data, inside
from helpers.explore import choosing, pictures, status
from helpers.explore.controls import WIDE, form_of, refusal, row
from helpers.explore.live import PROBE, Live

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
        self.controls = choosing.controls()
        form, self.refusals = form_of(self.controls)
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
            self.controls[name].observe(getattr(self, f"_on_{name}"), "value")
        for name in self.controls.keys() - {"lr"}:
            self.controls[name].observe(self._on_late, "value")
        self._on_model()
        self._show()
        right = widgets.VBox([self.status, self.curves, self.table, self._see, self.inside])
        form.layout.flex, right.layout.flex = "0 0 350px", "1 1 490px"
        super().__init__([row(*self.buttons.values()), row(form, right)])

    def _on_model(self, *_):
        choosing.show_those_of_model(self.controls)

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
        self._refuse("hidden_dims", lambda: choosing.widths(self.controls["hidden_dims"].value))

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
        if not self._refuse("hidden_dims", lambda: choosing.configuration(self.controls)):
            return
        self.end()
        self._pressed = time.monotonic(), epochs
        self.refusals["dataset"].value = ""
        self.live = Live(choosing.configuration(self.controls), self._changed)
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
        label = f"{len(self._kept) + 1}: {status.label(self.live)}"
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
            self.status.value = "Choose, and press Start." if live is None else status.line(live)
            shown = {label: points for label, (points, _) in self._kept.items()}
            if live is not None and (live.points or not shown):
                shown["now"] = list(live.points)
            self.curves.value = pictures.curves(shown) if any(shown.values()) else ""
            self.table.value = status.table(self._kept)
            self.buttons["pause"].description = "Go on" if state == "paused" else "Pause"
            self.buttons["pause"].icon = "play" if state == "paused" else "pause"
            for name in ("pause", "stop"):
                self.buttons[name].disabled = not busy
            self.buttons["keep"].disabled = live is None or busy or not live.points
