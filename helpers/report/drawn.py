"""What figures are drawn from, in words and numbers, so that two drawings can be compared by their data."""

import numpy as np
from IPython.core.formatters import BaseFormatter
from matplotlib.collections import PathCollection
from matplotlib.figure import FigureBase
from traitlets import ObjectName, Unicode

MIME = "text/x-figure-data"
FEW = 150  # entries of an image that are told one by one; of a larger one, the mean of each row


class DataFormatter(BaseFormatter):
    """Gives a figure that is displayed its data as one more representation."""

    format_type = Unicode(MIME)
    print_method = ObjectName("_repr_figure_data_")


def register(shell):
    """Gives every figure that `shell`, an IPython shell, displays `drawn` of it, under MIME."""
    formatter = DataFormatter(parent=shell.display_formatter)
    formatter.for_type(FigureBase, lambda figure: "\n".join(drawn(figure)))  # pyplot takes out what is for Figure
    shell.display_formatter.formatters[MIME] = formatter


def drawn(figure):
    """Return what the axes of a figure are called and what is drawn in them, as a list of lines of text."""
    return [told for i, axes in enumerate(figure.axes, start=1) for told in _axes(axes, i)]


def _axes(axes, i):
    names = (axes.get_title(), axes.get_xlabel(), axes.get_ylabel(), axes.get_xscale(), axes.get_yscale())
    yield f"axes {i}: {'; '.join(names)}"
    for line in axes.lines:
        x, y = line.get_data()
        yield from (_values(f"line {line.get_label()}, x", x), _values(f"line {line.get_label()}, y", y))
    for patch in axes.patches:
        box = patch.get_path().get_extents(patch.get_patch_transform())
        yield _values(f"patch {patch.get_label()}", box.bounds)
    for each in axes.collections:
        is_scatter = isinstance(each, PathCollection)
        parts = [each.get_offsets()] if is_scatter else [path.vertices for path in each.get_paths()]
        for side, name in enumerate("xy"):
            values = [value for part in parts for value in np.ma.filled(part, np.nan)[:, side]]
            yield _values(f"collection {each.get_label()}, {name}", values)
    for image in axes.images:
        pixels = np.ma.filled(image.get_array().astype(float), np.nan)
        yield _values("image", pixels.ravel() if pixels.size <= FEW else pixels.reshape(len(pixels), -1).mean(axis=1))
    if axes.texts:
        yield "texts: " + "; ".join(" ".join(text.get_text().split()) for text in axes.texts)


def _values(name, values):
    return f"{name}: {' '.join(f'{value:.3g}' for value in np.asarray(values, dtype=float))}"
