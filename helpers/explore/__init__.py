"""The playground: trainings to watch and to change, digits to draw, gradients to break, in JupyterLab."""

from helpers.explore.breaking import BreakIt
from helpers.explore.reading import Draw
from helpers.explore.watching import Train, end_all, end_when_interrupted

_page = None  # the last page of a training: a second Run All ends what the first one began


def train():
    """Return the page of a training; the one before it ends its own."""
    global _page
    end_all()
    end_when_interrupted()
    _page = Train()
    return _page


def draw():
    """Return the page of a drawing; the network of the last `train` reads along."""
    return Draw(_page)


def break_it():
    """Return the page of the gradient check."""
    return BreakIt()
