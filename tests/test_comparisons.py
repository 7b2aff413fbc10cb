"""Comparisons of networks: their tables, and the figure read back from what is drawn."""

import matplotlib as mpl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reading import rows, runs, texts

from helpers import comparisons, statistics, tables, words
from helpers.statistics import Difference
from helpers.store import Run

pytestmark = pytest.mark.usefixtures("no_windows")


def test_changes_are_held_against_what_is_expected():
    def with_losses(train, valid):
        return [Run({}, "", 0, {"train_loss": [t], "valid_loss": [v]}, {}) for t, v in zip(train, valid, strict=True)]

    base = with_losses([0.1, 0.2], [0.3, 0.4])
    other = with_losses([0.2, 0.3], [0.3, 0.4])
    expected = {"training loss": 1, "gap of the losses": 1, "validation loss": -1}
    found = rows(comparisons.changes({"a": other}, base, expected))
    assert [row[1] for row in found] == [*expected]
    assert [row[3] for row in found] == ["as expected", "against expectation", "not told apart from zero"]
    assert found[0][2].startswith("+0.1000")


def test_comparisons_have_both_p_values():
    found = {("a", "b"): Difference(-0.01, 0.005, 0.01), ("c", "b"): Difference(0.0, 0.005, 0.9)}
    assert [row[3:] for row in rows(comparisons.pairwise(found))] == [["0.01", "0.02"], ["0.9", "0.9"]]


def test_ablations_are_compared_with_the_network_as_it_is():
    by_label = {"CNN": runs(0.1, 0.2), "CNN, no pooling": runs(0.3, 0.4), "CNN, permuted pixels": runs(0.3, 0.4)}
    base, paired, independent = rows(comparisons.ablations(by_label, n_images=100))
    assert base == ["CNN", "7", tables.spread([0, 0], ".2%"), tables.spread([0.1, 0.2], ".2%"), ""]
    for row, pairs in ((paired, True), (independent, False)):
        difference = statistics.errors(by_label["CNN, no pooling"], by_label["CNN"], 100, pairs)
        assert row[-1] == words.interval(difference, unit="")


def test_the_forest_has_an_interval_per_row_in_points():
    rows = [
        ("b", Difference(-0.02, 0.005, 0.01)),
        ("a", Difference(0.001, 0.03, 0.9)),
        ("c", Difference(0.05, 0.01, 0)),
    ]
    (axis,) = comparisons.forest_plot(rows).axes
    assert texts(axis.get_yticklabels()) == ["b", "a", "c"]
    assert axis.yaxis_inverted()
    assert axis.get_xlabel() == "change of the validation error (points)"
    *lines, zero = axis.lines
    assert_array_equal(zero.get_xdata(), 0)
    for row, (bar, dot) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        found = rows[row][1]
        assert_allclose(bar.get_xydata(), [[100 * (found.mean + side * found.half), row] for side in (-1, 1)])
        assert_allclose(dot.get_xydata(), [[100 * found.mean, row]])
        assert bar.get_color() == dot.get_color()
    assert [dot.get_markerfacecolor() == dot.get_color() for dot in lines[1::2]] == [True, False, True]
    colours = [mpl.colors.to_rgb(dot.get_color()) for dot in lines[1::2]]
    assert [len(set(colour)) > 1 for colour in colours] == [True, False, True]  # what is not told apart is grey
    assert (axis.get_xscale(), axis.xaxis.get_transform().linthresh) == ("symlog", 0.1)
    assert_array_equal(axis.get_xticks(), [-3, -1, -0.3, -0.1, 0, 0.1, 0.3, 1, 3])
    assert texts(axis.get_xticklabels()) == [f"{tick:g}" for tick in axis.get_xticks()]
