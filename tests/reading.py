"""What a table or a figure shows, read back from its Markdown or its axes."""

import matplotlib as mpl
import numpy as np

from helpers.store import Run


def cells(table):
    """The cells of a Markdown table: its header, its rule and its rows."""
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.data.splitlines()]


def body(table):
    """The rows of a Markdown table, each as {header: cell}."""
    header, _, *rows = cells(table)
    return [dict(zip(header, row, strict=True)) for row in rows]


def spread(values, digits, percent=False):
    """Mean and standard deviation of values, as NumPy has them, in words."""
    mean, deviation = (100**percent * number for number in (np.mean(values), np.std(values, ddof=1)))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}{'%' * percent}".replace(" ", "\N{NO-BREAK SPACE}")


def rows(table):
    """The rows of a Markdown table below its head, a list of cells each."""
    return cells(table)[2:]


def runs(*errors, **measures):
    """Runs of one epoch with these errors on the validation set, and twice as many on the test set."""
    return [
        Run({"epochs": 1}, "", 7, {"valid_error": [error], "train_error": [0.0]} | measures, {}, {"error": 2 * error})
        for error in errors
    ]


def values(runs, measure):
    """A measure of Runs in the unit of its axis, (runs, epochs)."""
    return np.array([run.history[measure] for run in runs]) * (100 if "error" in measure else 1)


def sides(axis):
    """What stands below and beside a panel."""
    return axis.get_xlabel(), axis.get_ylabel()


def texts(things):
    return [thing.get_text() for thing in things]


def legend(owner):
    """{label: colour} of the legend of a figure or of one of its axes."""
    found = owner.legends[0] if hasattr(owner, "legends") else owner.get_legend()
    return {text.get_text(): h.get_color() for text, h in zip(found.get_texts(), found.legend_handles, strict=True)}


def by_label(axis):
    """{label: line} of the lines of a panel that the legend tells apart."""
    labelled = [line for line in axis.lines if not line.get_label().startswith("_")]
    assert len({line.get_label() for line in labelled}) == len(labelled)
    assert len({(line.get_color(), line.get_linestyle()) for line in labelled}) == len(labelled)
    return {line.get_label(): line for line in labelled}


def contrast(axis, text):
    """How much lighter or darker a text is than the pixel of the image below it, as WCAG 2 defines it."""
    picture = axis.images[0]
    x, y = text.get_position()
    pixel = picture.cmap(picture.norm(picture.get_array()))[int(y), int(x)]
    rgb = np.array([pixel[:3], mpl.colors.to_rgb(text.get_color())])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    low, high = np.sort(linear @ [0.2126, 0.7152, 0.0722])
    return (high + 0.05) / (low + 0.05)
