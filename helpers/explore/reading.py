"""The page of a drawing: what networks read in it, and why."""

from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from helpers import data, inside, pretrained
from helpers.explore import drawing, pictures
from helpers.explore.controls import TITLES, WIDE, form_of, labelled, refusal, row


class Pad(anywidget.AnyWidget):
    """A square to draw on; `pixels` are its ink, row by row, a byte each."""

    _esm = Path(__file__).with_name("pad.js")
    side = traitlets.Int(112).tag(sync=True)
    pixels = traitlets.CBytes(b"").tag(sync=True)
    cleared = traitlets.Int(0).tag(sync=True)  # counts how often it was cleared from here

    def ink(self):
        """Return what is drawn, (side, side), from 0 to 1."""
        if len(self.pixels) != self.side**2:
            return np.zeros((self.side, self.side), np.float32)
        return np.frombuffer(self.pixels, np.uint8).reshape(self.side, self.side).astype(np.float32) / 255


class Draw(widgets.VBox):
    """The page of a drawing: what networks read in it, and why.  `page`: a Train, whose network reads too."""

    def __init__(self, page=None):
        self._page, self._networks = page, {name.upper(): pretrained.load(name) for name in ("mlp", "cnn")}
        self.pad = Pad()
        self._clear = widgets.Button(description="Clear", icon="eraser", layout=widgets.Layout(width="110px"))
        self.controls = {
            "source": labelled(
                widgets.Dropdown,
                "Image",
                options={"my drawing": None} | {f"{title}, validation": name for title, name in TITLES.items()},
            ),
            "number": labelled(widgets.BoundedIntText, "Number of the image", 0, 0, 9999),
            "right": labelled(widgets.IntSlider, "Shift right (pixels)", 0, -8, 8),
            "down": labelled(widgets.IntSlider, "Shift down (pixels)", 0, -8, 8),
            "degrees": labelled(widgets.IntSlider, "Turn (degrees)", 0, -90, 90),
            "noise": labelled(widgets.FloatSlider, "Noise (std. deviation)", 0, min=0, max=1, step=0.05),
        }
        form, self.refusals = form_of(self.controls)
        self.answers, self.maps = widgets.HTML(layout=WIDE), widgets.HTML(layout=WIDE)
        self._clear.on_click(lambda _: self.clear())
        self.pad.observe(self._read, "pixels")
        for control in self.controls.values():
            control.observe(self._read, "value")
        self._read()
        left = widgets.VBox([self.pad, self._clear, form], layout=widgets.Layout(flex="0 0 350px"))
        right = widgets.VBox([self.answers, self.maps], layout=widgets.Layout(flex="1 1 490px"))
        super().__init__([row(left, right)])

    def clear(self):
        """Clear the pad."""
        self.pad.pixels = b""
        self.pad.cleared += 1

    def image(self):
        """Return the image (784,) that the networks read; data.DataError where the chosen set cannot be had."""
        value = {name: control.value for name, control in self.controls.items()}
        source, number = value.pop("source"), value.pop("number")
        if source is None:
            return drawing.changed(drawing.normalised(self.pad.ink()), **value)
        valid = data.load(source).valid
        return drawing.changed(valid.X[number % len(valid)], **value)

    def _read(self, *_):
        """Show what the networks make of the image; called after each stroke and each move of a control."""
        self.controls["number"].layout.display = "none" if self.controls["source"].value is None else None
        try:
            image = self.image()
        except data.DataError as error:
            self.refusals["source"].value = refusal(str(error))
            return
        self.refusals["source"].value = ""
        if not image.any():
            self.answers.value, self.maps.value = "Draw a digit, or choose an image.", ""
            return
        networks, classes = dict(self._networks), [str(i) for i in range(data.N_CLASSES)]
        live = None if self._page is None else self._page.live
        if live is not None and live.network is not None:
            networks["trained above"] = live.trained()
        read = {
            label: (network.predict(image[None])[0], inside.evidence(network, image))
            for label, network in networks.items()
        }
        self.answers.value = pictures.answers(image, read, classes)
        self.maps.value = pictures.maps(inside.feature_maps(self._networks["CNN"], image))
