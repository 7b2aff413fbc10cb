"""What the pages of the playground are built from."""

from html import escape

import ipywidgets as widgets

from helpers import data

WIDE = widgets.Layout(width="100%")
TITLES = {title: name for name, title in sorted(data.TITLES.items(), key=lambda pair: pair[0] != "digits")}


def labelled(kind, description, *args, **kwargs):
    """A control of this kind with its words in front."""
    layout, style = widgets.Layout(width="340px"), {"description_width": "175px"}
    return kind(*args, description=description, layout=layout, style=style, **kwargs)


def row(*children):
    """Widgets beside each other, or below where the page is too narrow."""
    return widgets.HBox(children, layout=widgets.Layout(flex_flow="row wrap"))


def form_of(rows):
    """Controls one below the other, each with room for a refusal beside it, and these rooms by name."""
    told = {name: widgets.HTML() for name in rows}
    lines = [row(control, told[name]) for name, control in rows.items()]
    return widgets.VBox(lines), told


def refusal(text):
    """Why a value is not taken, as the HTML beside its control; none for an empty text."""
    return f'<span role="alert" style="color: var(--jp-error-color1, #b00020)">{escape(text)}</span>' if text else ""
