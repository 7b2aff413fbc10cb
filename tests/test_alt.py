"""The words for those who do not see a figure, read from figures whose data are known."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import alt, comparisons, mistakes, statistics

pytestmark = pytest.mark.usefixtures("no_windows")


@pytest.fixture
def axis():
    return plt.subplots()[1]


def test_lines_are_told_by_their_labels_and_their_course(axis):
    axis.plot([1, 2, 3], [4.0, 9.0, 2.0], label="down")
    axis.plot([1, 2, 3], [1, 1, 1], label="flat")
    axis.plot([1, 2], [1, 2], color="0.5")
    axis.set(xlabel="epoch $i$", ylabel="loss", title="all")
    assert alt.describe(axis.figure) == (
        "all. Line chart; horizontal: epoch i, 1 to 3, vertical: loss, 1 to 9. "
        "down: falls from 4 to 2, between 2 and 9. flat: level at 1."
    )


def test_a_level_line_is_not_named_by_the_number_at_its_height(axis):
    axis.plot([1, 3], [0, 0], label="zero")
    axis.plot([1, 3], [1, 2000], label="normal")
    axis.set_yscale("symlog", linthresh=1e-3)
    axis.figure.canvas.draw()
    told = alt.describe(axis.figure)
    assert "zero: level at 0. normal: rises from 1 to 2,000." in told
    assert "vertical: no label, 0 to 2,000 on a logarithmic scale." in told


def test_a_line_is_told_as_far_as_its_values_are_numbers(axis):
    axis.plot([1, 2, 3, 4], [5, 3, 1, np.nan], label="a")
    assert alt.describe(axis.figure).endswith("a: falls from 5 to 1.")


def test_more_lines_than_can_be_told_are_counted(axis):
    for i in range(alt.GROUPS + 2):
        axis.plot([1, 2], [i, i + 1], label=f"line {i}")
    told = alt.describe(axis.figure)
    assert told.endswith(f"line {alt.GROUPS - 1}: rises from {alt.GROUPS - 1} to {alt.GROUPS}. And 2 more.")


def test_bars_are_told_by_their_label_and_their_range(axis):
    axis.bar(range(3), [5, 2, 7], label="train")
    told = alt.describe(axis.figure)
    assert told.startswith("Bar chart; ")
    assert told.endswith("train: 3 bars from 2 to 7.")


def test_a_map_is_told_by_its_largest_value_and_without_its_scale(axis):
    shown = axis.imshow([[1, 2, 3], [9, 0, 4]])
    axis.set_xticks(range(3), ["a", "b", "c"])
    axis.set_yticks(range(2), ["above", "below"])
    axis.figure.colorbar(shown)
    told = alt.describe(axis.figure)
    assert told.startswith("Map of values; horizontal: no label, a to c, vertical: no label, above to below. ")
    assert told.endswith("2 rows by 3 columns; the largest value, 9, at a, below.")


def test_an_axis_of_names_is_told_by_them_on_each_panel_that_shares_it():
    figure, (left, right) = plt.subplots(1, 2, sharey=True)
    for panel in (left, right):
        for row in range(2):
            panel.plot([1, 2 + row], [row] * 2, "o")
    left.set_yticks([0, 1], ["500, 400", "600, 400"])
    left.set_xticks([1, 2], ["0.1", "0.01"])
    told = alt.describe(figure)
    assert told.count("500, 400 to 600, 400. 500, 400: 2 points between 1 and 2. 600, 400: 2 points") == 2
    assert "horizontal: no label, 0.1 to 0.01, " in told


def test_intervals_are_no_courses():
    found = statistics.Difference(-0.01, 0.005, 0.01)
    told = alt.describe(comparisons.forest_plot([("dropout", found)]))
    assert told.endswith("dropout: from -1.5 to -0.5.")


def test_marks_with_intervals_are_one_series():
    doubt = np.array([0.01, 0.02, 0.2, 0.3])
    told = alt.describe(
        mistakes.reliability_diagram({"a": (1 - doubt, np.array([1, 1, 0, 1], bool))}, [0.005, 0.1, 0.5])
    )
    assert told.endswith("as sure as right: rises from 0.005 to 0.5. a: 2 points between 1 × 10^-5 and 0.5.")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.123456, "0.123"), (2.0, "2"), (2150, "2,150"), (-12345678, "-12,345,678"), (3.57e-16, "3.57 × 10^-16")],
)
def test_numbers_are_written_as_people_write_them(axis, value, told):
    axis.plot([0, 1], [value, value], label="a")
    assert alt.describe(axis.figure).endswith(f"a: level at {told}.")
