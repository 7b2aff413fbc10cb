"""Initialisations compared: their tables, and the figure read back from what is drawn."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from reading import by_label, legend, rows, runs, sides

from helpers import initializations, tables

pytestmark = pytest.mark.usefixtures("no_windows")


def test_growth_is_by_the_widths_in_theory():
    found = rows(initializations.growth({"normal": ([1.0, 3.0, 6.0], [1.0, 2.0, 8.0])}, [200, 50]))
    assert found[0] == ["normal", "3.00", "2.00", "0.25", "0.50"]
    # forward sqrt(200 / 2) and sqrt(50 / 2), backward sqrt(10 / 2) and sqrt(50 / 2)
    assert found[1] == ["theory for normal", "10.00", "5.00", "2.24", "5.00"]


def test_moves_are_means_over_networks():
    distances = [{"W1": 0.01, "W2": 0.5}, {"W1": 0.03, "W2": 0.5}]
    expected = [tables.spread([0.01, 0.03], ".1%"), tables.spread([0.5, 0.5], ".1%")]
    assert rows(initializations.moves({"He": distances})) == [["He", *expected]]


def test_each_start_stands_at_its_best_rate():
    same = runs(0.02, 0.04, train_loss=[0.5])
    for run, unclipped in zip(same, (0.25, 0.75), strict=True):
        run.config["lr"], run.history["train_unclipped_loss"] = 0.003, [unclipped]
    assert rows(initializations.best_rates({"He": same})) == [
        ["He", "0.003", tables.spread([0.02, 0.04], ".2%"), "0.5", "0.5"]
    ]


def test_spreads_of_values_and_gradients_have_a_panel_each():
    given = {"zero": ([0.0, 0.0], [0.1, 0.2, 0.3]), "glorot": ([1.0, 2.0], [3.0, 4.0, 5.0])}
    figure = initializations.spreads(given)
    titles = ["pre-activations $A_i$", "gradients of the loss in $A_i$"]
    for k, (axis, title) in enumerate(zip(figure.axes, titles, strict=True)):
        assert (axis.get_title(), *sides(axis)) == (title, "layer $i$", "standard deviation")
        assert axis.get_yscale() == "symlog"  # zero is on it
        assert axis.get_ylim()[0] == 0
        lines = by_label(axis)
        assert legend(figure) == {scheme: lines[scheme].get_color() for scheme in given}
        for scheme, both in given.items():
            assert_allclose(lines[scheme].get_xydata(), np.c_[np.arange(len(both[k])) + 1, both[k]])
