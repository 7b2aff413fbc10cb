"""What a figure shows, in words made from its own axes and data, for readers who do not see it."""

import re
from itertools import islice

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FuncFormatter

GROUPS = 8  # of which each is described; more are counted


def describe(figure):
    """The kind of each panel, its axes with their ranges, and how each labelled line, bar or image runs (str)."""
    panels = [axis for axis in figure.axes if not hasattr(axis, "_colorbar") and (axis.axison or axis.images)]
    pictures = [axis for axis in panels if axis.images and not axis.axison]
    parts = [_pictures(pictures)] if pictures else []
    drawings = [axis for axis in figure.axes if axis.texts and not axis.axison and not axis.images]
    parts += [f"Drawing: {'; '.join(filter(None, (_words(t.get_text()) for t in axis.texts)))}." for axis in drawings]
    names = _legend(figure)
    drawn = [axis for axis in panels if axis not in pictures]
    parts += [
        (f"Panel {i} of {len(drawn)}: " if len(drawn) > 1 else "") + _panel(axis, names)
        for i, axis in enumerate(drawn, 1)
    ]
    return " ".join(parts)


def register(shell):
    """Gives every figure that `shell`, an IPython shell, displays its words as the output's metadata `alt`."""
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type(Figure, lambda figure, **_: ({}, {"alt": describe(figure)}))


def _legend(figure):
    """{colour: label} of all that is labelled anywhere in the figure, since panels share one legend."""
    shown = [pair for axis in figure.axes for pair in zip(*axis.get_legend_handles_labels(), strict=True)]
    lines = [(handle[0] if isinstance(handle, tuple) else handle, label) for handle, label in reversed(shown)]
    return {str(line.get_color()): _words(label) for line, label in lines if hasattr(line, "get_color")}


def _words(text):
    text = re.sub(r"\\mathdefault\{(.*)\}", r"\1", text).replace("$", "").replace("\\varepsilon", "epsilon")
    return " ".join(text.replace("\\", "").split())


def _number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits, _, exponent = f"{value:.3g}".partition("e")
    return f"{digits} × 10^{int(exponent)}" if exponent else digits


def _pictures(axes):
    titles = [_words(axis.get_title()) for axis in axes if axis.get_title()]
    told = f" with the titles {'; '.join(titles)}" if titles else ""
    return f"{len(axes)} small image{'s' * (len(axes) > 1)} in a grid{told}."


def _panel(axis, names):
    title = f"{_words(axis.get_title())}. " if axis.get_title() else ""
    what = [_image(axis), _bars(axis), *_lines(axis, names)]
    sides = [_side(axis, side) for side in ("x", "y")]
    return f"{title}{_kind(axis)}; {', '.join(filter(None, sides))}. {' '.join(filter(None, what))}".strip()


def _kind(axis):
    if axis.images:
        return "Map of values"
    if axis.patches:
        return "Bar chart"
    return "Line chart" if any(line.get_linestyle() != "None" for line in axis.lines) else "Chart of points"


def _side(axis, side):
    name = {"x": "horizontal", "y": "vertical"}[side]
    ticks = list(_names(axis, side).values())
    low, high = getattr(axis.dataLim, f"interval{side}")
    scale = {"log": " on a logarithmic scale", "symlog": " on a logarithmic scale"}
    named = _words(getattr(axis, f"get_{side}label")()) or "no label"
    reach = f"{ticks[0]} to {ticks[-1]}" if ticks else f"{_number(low)} to {_number(high)}"
    return f"{name}: {named}, {reach}{scale.get(getattr(axis, f'get_{side}scale')(), '')}"


def _image(axis):
    if not axis.images:
        return ""
    values = np.ma.filled(axis.images[0].get_array().astype(float), np.nan)
    row, column = np.unravel_index(np.nanargmax(values), values.shape[:2])
    where = [_tick(axis.get_xticklabels(), column), _tick(axis.get_yticklabels(), row)]
    rows, columns = values.shape[:2]
    return (
        f"{rows} rows by {columns} columns; the largest value, {_number(np.nanmax(values))}, at {', '.join(where)}."
    )


def _tick(labels, index):
    return _words(labels[index].get_text()) if index < len(labels) else str(index)


def _bars(axis):
    groups = [_bar(bars) for bars in axis.containers if hasattr(bars, "patches")]
    return " ".join(groups)


def _bar(bars):
    heights = [bar.get_height() for bar in bars]
    label = _words(bars.get_label()) if not bars.get_label().startswith("_") else "bars"
    return f"{label}: {len(heights)} bars from {_number(min(heights))} to {_number(max(heights))}."


def _lines(axis, names):
    told, rows = {}, _names(axis, "y")
    for line in axis.lines:
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        label = line.get_label()
        label = _words(label) if not label.startswith("_") else names.get(str(line.get_color()), "")
        row = rows.get(y[0], "") if len(y) and np.ptp(y) == 0 else ""
        values = x if row else y[np.isfinite(y)]
        if (row or label) not in ("", *told) and len(values) > 1:
            told[row or label] = _course(values, line, ordered=not row)
    rest = f"And {len(told) - GROUPS} more." if len(told) > GROUPS else ""
    return [*(f"{name}: {course}." for name, course in islice(told.items(), GROUPS)), rest]


def _names(axis, side):
    """{place: words} of an axis whose ticks bear names; {} of one that measures.

    Panels that share an axis may leave its names to one of them.
    """
    names = {}
    for one in getattr(axis, f"get_shared_{side}_axes")().get_siblings(axis):
        formatter = getattr(one, f"{side}axis").get_major_formatter()
        if isinstance(formatter, FixedFormatter | FuncFormatter) and getattr(one, f"get_{side}scale")() == "linear":
            ticks = zip(getattr(one, f"get_{side}ticks")(), getattr(one, f"get_{side}ticklabels")(), strict=False)
            names |= {place: _words(label.get_text()) for place, label in ticks if label.get_text()}
    return names


def _course(values, line, ordered):
    first, last, low, high = map(_number, (values[0], values[-1], values.min(), values.max()))
    if line.get_linestyle() == "None":
        return f"{len(values)} points between {low} and {high}"
    if not ordered:
        return f"from {low} to {high}"
    if low == high:
        return f"level at {first}"
    verb = "falls" if values[-1] < values[0] else "rises" if values[-1] > values[0] else "runs"
    between = "" if {low, high} == {first, last} else f", between {low} and {high}"
    return f"{verb} from {first} to {last}{between}"
