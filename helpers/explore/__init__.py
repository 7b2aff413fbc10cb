"""The playground: trainings to watch and to change, digits to draw, gradients to break, in JupyterLab."""

from helpers.explore.pages import break_it, draw, train

__all__ = ["break_it", "draw", "train"]
