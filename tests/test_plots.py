"""Plots, read back from what is drawn: each thing stands where its axes, labels and legend say."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from reading import by_label, legend, sides, texts, values

from helpers import gradient_checks, plots, style, visualization

pytestmark = pytest.mark.usefixtures("no_windows")

LABELS = {
    "train_loss": "training loss (nats)",
    "train_unclipped_loss": "training loss, not clipped (nats)",
    "train_error": "training error (%)",
    "valid_loss": "validation loss (nats)",
    "valid_unclipped_loss": "validation loss, not clipped (nats)",
    "valid_error": "validation error (%)",
}


def extent(band):
    """The lowest and the highest point of a band at each x, (N, 2)."""
    x, y = np.concatenate([path.vertices for path in band.get_paths()]).T
    return np.array([(y[x == place].min(), y[x == place].max()) for place in np.unique(x)])


def coloured_alike(band, line):
    return tuple(band.get_facecolor()[0, :3]) == mpl.colors.to_rgb(line.get_color())


def test_curves_are_means_with_a_band_over_the_seeds(made):
    runs = {"three": [made(0), made(1), made(2)], "two": [made(3), made(4)], "one": [made(5)]}
    measures = ["valid_error", "train_loss", "valid_unclipped_loss", "train_error"]
    figure = plots.curves(runs, measures)
    for axis, measure in zip(figure.axes, measures, strict=True):
        assert (*sides(axis), axis.get_yscale()) == ("epoch", LABELS[measure], "log")
        lines, bands = by_label(axis), iter(axis.collections)
        assert legend(figure) == {label: lines[label].get_color() for label in runs}
        for label, same in runs.items():
            shown = values(same, measure)
            assert_allclose(lines[label].get_xydata(), np.c_[[1, 2, 3], shown.mean(axis=0)])
            if len(same) > 1:
                band = next(bands)
                assert_allclose(extent(band), np.c_[shown.min(axis=0), shown.max(axis=0)])
                assert coloured_alike(band, lines[label])
        assert next(bands, None) is None
        assert (
            len({line.get_color() for line in axis.lines}) == len({line.get_linestyle() for line in axis.lines}) == 3
        )


def test_curves_end_where_a_run_diverges_and_the_label_counts_them(made):
    runs = {"a": [made(0), made(1), made(2)], "b": [made(3)], "c": [made(4)]}
    whole = values(runs["a"], "train_loss")[:, 0]
    runs["a"][1].history |= {name: [runs["a"][1].history[name][0], np.nan, np.nan] for name in LABELS}
    runs["b"][0].history["train_unclipped_loss"][-1] = np.inf  # which the clip hides
    axis = plots.curves(runs, ["train_loss", "valid_loss"]).axes[0]
    lines = by_label(axis)
    assert list(lines) == ["a (1 of 3 diverged)", "b (1 of 1 diverged)", "c"]
    assert_allclose(lines["a (1 of 3 diverged)"].get_ydata(), [whole.mean(), np.nan, np.nan])
    assert_allclose(extent(axis.collections[0]), [[whole.min(), whole.max()]])
    assert np.isfinite(lines["b (1 of 1 diverged)"].get_ydata()).all()


@pytest.mark.parametrize(("epochs", "marker"), [(1, "o"), (2, "None")])
def test_one_epoch_alone_is_a_point_that_is_seen(epochs, marker, made):
    assert plots.curves({"a": [made(0, epochs)]}, ["train_loss"] * 2).axes[0].lines[0].get_marker() == marker


@pytest.mark.parametrize("first", [None, "in the search"])
def test_seeds_are_dots_with_a_bar_at_their_mean(first, made):
    runs = {"low": [made(i) for i in range(4)], "high": [made(i) for i in range(4, 7)]}
    measures = ["valid_error", "train_loss"]
    figure = plots.seeds(runs, measures, first)
    assert texts(figure.axes[0].get_yticklabels()) == list(runs)
    assert all(axis.yaxis_inverted() for axis in figure.axes)
    assert [legend(figure)] == [{first: figure.axes[0].lines[1].get_color()}] if first else not figure.legends
    for axis, measure in zip(figure.axes, measures, strict=True):
        assert axis.get_xlabel() == LABELS[measure]
        lines = iter(axis.lines)
        for row, (same, bar) in enumerate(zip(runs.values(), axis.collections, strict=True)):
            ends = values(same, measure)[:, -1]
            others = ends[1:] if first else ends
            dots = next(lines)
            assert_allclose(dots.get_xydata(), np.c_[others, [row] * len(others)])
            assert (dots.get_marker(), dots.get_linestyle(), dots.get_alpha() > 0.5) == ("o", "None", True)
            (segment,) = bar.get_segments()
            assert_allclose(segment, [[others.mean(), row - 0.3], [others.mean(), row + 0.3]])
            if first:
                apart = next(lines)
                assert_allclose(apart.get_xydata(), [[ends[0], row]])
                assert (apart.get_markerfacecolor(), dots.get_markerfacecolor()) == ("none", dots.get_color())
        assert next(lines, None) is None


@pytest.mark.parametrize("log_x", [False, True])
def test_trends_go_through_means_and_leave_out_what_is_no_number(log_x):
    panels = {
        "noise": {"MLP": {3: [3, 5], 1: [1, 2, 6], 2: [2, 4]}, "CNN": {1: [1, 1.5], 2: [7, np.inf], 3: [np.nan, 2]}},
        "shift": {"MLP": {1: [8, 9], 5: [9, 9]}},
        "turn": {"MLP": {1: [3, 4], 5: [5, 6]}},
    }
    expected = {
        ("noise", "MLP"): ([(1, 3), (2, 3), (3, 4)], [(1, 6), (2, 4), (3, 5)]),
        ("noise", "CNN"): ([(1, 1.25), (2, np.nan), (3, np.nan)], [(1, 1.5)]),
        ("shift", "MLP"): ([(1, 8.5), (5, 9)], [(8, 9), (9, 9)]),
        ("turn", "MLP"): ([(1, 3.5), (5, 5.5)], [(3, 4), (5, 6)]),
    }
    figure = plots.trends(panels, "error (%)", log_x=log_x)
    assert len(figure.axes) == 4
    for axis, (xlabel, labels) in zip(figure.axes, panels.items(), strict=False):
        assert (axis.get_xlabel(), axis.get_yscale()) == (xlabel, "log")
        assert axis.get_xscale() == ("log" if log_x else "linear")
        lines = by_label(axis)
        for (label, line), band in zip(lines.items(), axis.collections, strict=True):
            means, ends = expected[xlabel, label]
            assert_allclose(line.get_xydata(), means)
            assert_allclose(extent(band), ends)
            assert line.get_color() == legend(figure)[label]
            assert coloured_alike(band, line)
        assert list(lines) == list(labels)
    assert [axis.get_ylabel() for axis in figure.axes] == ["error (%)", "", "error (%)", ""]


@pytest.mark.parametrize(("low", "high"), [(1, 2), (0.2, 0.9), (0.001, 2), (0.5, 90)])
def test_a_logarithmic_axis_has_some_plain_numbers(low, high):
    _, axis = plt.subplots(figsize=(3, 2))
    axis.plot([0, 1], [low, high])
    style.logarithmic(axis)
    ticks = [tick for tick in axis.get_yticks() if axis.get_ylim()[0] <= tick <= axis.get_ylim()[1]]
    assert (axis.get_xscale(), axis.get_yscale()) == ("linear", "log")
    assert 3 <= len(ticks) <= 12
    axis.figure.draw_without_rendering()
    told = {label.get_position()[1]: label.get_text() for label in axis.get_yticklabels()}
    assert [told[tick] for tick in ticks] == [f"{tick:g}" for tick in ticks]
    assert not any(texts(axis.get_yticklabels(minor=True)))


def test_any_number_of_panels_may_be_asked_for(made):
    shown = {"a": [made(0)]}
    assert [axis.axison for axis in plots.curves(shown, ["train_loss"] * 3).axes] == [True, True, True, False]
    panels = dict.fromkeys("xyz", {"a": {1: [1], 2: [2]}})
    assert [axis.axison for axis in plots.trends(panels, "y").axes] == [True, True, True, False]
    assert plots.trends(panels, "y", columns=1).axes[0].get_gridspec().get_geometry() == (3, 1)
    assert len(visualization.feature_maps(np.zeros(784), {"conv": np.ones((2, 3, 3))}, n=2).axes) == 3
    ones = np.ones(2)
    assert len(gradient_checks.differences(ones, {"float64": (ones, ones, ones, ones)}).axes) == 1
