"""The one style of all figures: sizes, colours, panels and axes."""

import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.ticker import LogLocator, NullFormatter

from helpers import alt

WIDTH = 6.3  # inches: the text width of the printed report
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito: safe for colour-blind
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))  # so that grey print tells curves apart

plt.rcParams.update(
    {
        "figure.dpi": 150,
        "figure.constrained_layout.use": True,
        "font.family": "serif",
        "font.serif": ["STIXGeneral"],
        "mathtext.fontset": "stix",
        "font.size": 9.5,
        "axes.titlesize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "0.9",
        "legend.frameon": False,
        "lines.linewidth": 1.5,
        "svg.hashsalt": "helpers",  # the same figure is the same bytes
        "image.cmap": "gray_r",
    }
)

if get_ipython():  # in a notebook every figure that is shown says in words what it shows
    alt.register(get_ipython())


def subplots(n, columns=2, **kwargs):
    """Return a figure of `n` panels, `columns` side by side, and their axes; a place left over stays empty."""
    rows = -(-n // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 0.4 + 2.1 * rows), squeeze=False, **kwargs)
    for axis in axes.flat[n:]:
        axis.axis("off")
    return figure, axes.flat[:n]


def logarithmic(axis):
    """Make the vertical axis of a panel logarithmic, labelled with plain numbers."""
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 6 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def axis_label(measure):
    """Return the words for a measure of a Run's history, with the unit."""
    split, quantity = measure.split("_", 1)
    words = {"loss": "loss (nats)", "unclipped_loss": "loss, not clipped (nats)", "error": "error (%)"}
    return f"{ {'train': 'training', 'valid': 'validation'}[split] } {words[quantity]}"
