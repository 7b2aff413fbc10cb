"""Figures, read back from what is drawn in them: each thing stands where its axes, labels and legend say."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose, assert_array_equal

from helpers import (
    alt,
    claims,
    cnn,
    comparisons,
    data,
    frequencies,
    gradient_checks,
    initializations,
    inside,
    mistakes,
    plots,
    searches,
    statistics,
    style,
    visualization,
)
from helpers.statistics import Difference

pytestmark = pytest.mark.usefixtures("no_windows")

LABELS = {
    "train_loss": "training loss (nats)",
    "train_unclipped_loss": "training loss, not clipped (nats)",
    "train_error": "training error (%)",
    "valid_loss": "validation loss (nats)",
    "valid_unclipped_loss": "validation loss, not clipped (nats)",
    "valid_error": "validation error (%)",
}


def values(runs, measure):
    """A measure of Runs in the unit of its axis, (runs, epochs)."""
    return np.array([run.history[measure] for run in runs]) * (100 if "error" in measure else 1)


def extent(band):
    """The lowest and the highest point of a band at each x, (N, 2)."""
    x, y = np.concatenate([path.vertices for path in band.get_paths()]).T
    return np.array([(y[x == place].min(), y[x == place].max()) for place in np.unique(x)])


def coloured_alike(band, line):
    return tuple(band.get_facecolor()[0, :3]) == mpl.colors.to_rgb(line.get_color())


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


def test_images_stand_in_order_under_their_titles():
    X = np.random.default_rng(0).random((5, 784))
    figure = visualization.images(X, list("abcde"), columns=3)
    assert len(figure.axes) == 6
    for axis, x, title in zip(figure.axes, X, "abcde", strict=False):
        assert_array_equal(axis.images[0].get_array(), x.reshape(28, 28))
        assert axis.images[0].get_clim() == (0, x.max())
        assert axis.get_title() == title
    assert not figure.axes[-1].images
    assert not any(axis.axison for axis in figure.axes)
    assert figure.get_figheight() == 2 * visualization.images(X[:3], list("abc"), columns=3).get_figheight()
    assert texts(axis.title for axis in visualization.images(X).axes[:5]) == [""] * 5


def test_bars_are_the_shares_of_the_classes_in_each_set():
    labels = {"train": [0, 0, 0, 1, 2], "valid": [1, 1, 1, 2], "test": [2, 2]}
    splits = {name: data.Split(np.zeros((len(y), 784)), np.array(y)) for name, y in labels.items()}
    figure = visualization.class_counts(data.Dataset("some", **splits, classes=("cat", "dog", "owl"), fingerprint=""))
    (axis,) = figure.axes
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in axis.containers}
    assert heights == {"train": [60, 20, 20], "valid": [0, 75, 25], "test": [0, 0, 100]}
    assert texts(axis.get_legend().get_texts()) == list(labels)
    centres = np.array([[bar.get_x() + bar.get_width() / 2 for bar in bars] for bars in axis.containers])
    assert_allclose(centres.mean(axis=0), axis.get_xticks())
    assert (np.diff(centres, axis=0) >= axis.patches[0].get_width()).all()  # beside each other, in this order
    assert texts(axis.get_xticklabels()) == ["cat", "dog", "owl"]
    assert len({bars[0].get_facecolor() for bars in axis.containers}) == 3
    assert sides(axis) == ("class", "share of the set (%)")


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


def test_any_number_of_panels_may_be_asked_for(made):
    shown = {"a": [made(0)]}
    assert [axis.axison for axis in plots.curves(shown, ["train_loss"] * 3).axes] == [True, True, True, False]
    panels = dict.fromkeys("xyz", {"a": {1: [1], 2: [2]}})
    assert [axis.axison for axis in plots.trends(panels, "y").axes] == [True, True, True, False]
    assert plots.trends(panels, "y", columns=1).axes[0].get_gridspec().get_geometry() == (3, 1)
    assert len(visualization.feature_maps(np.zeros(784), {"conv": np.ones((2, 3, 3))}, n=2).axes) == 3
    ones = np.ones(2)
    assert len(gradient_checks.differences(ones, {"float64": (ones, ones, ones, ones)}).axes) == 1


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


def test_rows_of_the_confusion_are_classes_and_columns_what_they_were_taken_for():
    counts, names = np.array([[5, 1, 0], [4, 6, 2], [0, 0, 3]]), ("cat", "dog", "owl")
    truth, predicted = (np.repeat(places.ravel(), counts.ravel()) for places in np.indices(counts.shape))
    (axis,) = mistakes.confusion_matrix(truth, predicted, names).axes
    assert sides(axis) == ("taken for", "class")
    assert texts(axis.get_yticklabels()) == texts(axis.get_xticklabels()) == list(names)
    assert axis.yaxis_inverted()
    assert_array_equal(axis.images[0].get_array(), [[0, 1, 0], [4, 0, 2], [0, 0, 0]])
    assert {text.get_position(): text.get_text() for text in axis.texts} == {
        (column, row): str(count) for (row, column), count in np.ndenumerate(counts) if count
    }
    assert min(contrast(axis, text) for text in axis.texts) > 3
    (short,) = mistakes.confusion_matrix(truth, predicted, "012").axes
    assert [each.get_xticklabels()[0].get_rotation() for each in (axis, short)] == [45, 0]


def test_reliability_sorts_images_by_their_doubt():
    edges = [2**-7, 2**-4, 2**-2, 0.75]
    doubt = np.array([2**-9, 2**-6, 2**-4, 2**-3, 0.5, 0.9])  # the outer ones are drawn in to the edges
    bins = [([0, 1], [2**-7, 2**-6]), ([2, 3], [2**-4, 2**-3]), ([4, 5], [0.5, 0.75])]
    right = {"a": np.array([1, 1, 1, 0, 0, 0], bool), "b": np.array([0, 1, 1, 1, 0, 1], bool)}
    figure = mistakes.reliability_diagram({label: (1 - doubt, each) for label, each in right.items()}, edges)
    (axis,) = figure.axes
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert axis.get_ylim()[0] < 1e-5 < 1 < axis.get_ylim()[1]
    assert sides(axis) == ("1 − probability of the predicted class", "share that is wrong")
    diagonal, *rest = axis.lines
    assert_allclose(diagonal.get_xydata(), [[edges[0]] * 2, [edges[-1]] * 2])
    for i, (label, each) in enumerate(right.items()):
        marks, hollow, *rest = rest
        bars = axis.collections[i]
        wrong = [~each[within] for within, _ in bins]
        x = [np.sqrt(np.prod(doubts)) * 1.06**i for _, doubts in bins]
        ends = [statistics.wilson(w.sum(), len(w)) for w in wrong]
        assert_allclose(bars.get_segments(), [[(a, max(b, 1e-5)), (a, c)] for a, (b, c) in zip(x, ends, strict=True)])
        assert_allclose(marks.get_xydata(), [(a, w.mean() or 1e-5) for a, w in zip(x, wrong, strict=True)])
        assert_allclose(hollow.get_xydata(), [(a, 1e-5) for a, w in zip(x, wrong, strict=True) if not w.any()])
        assert hollow.get_markerfacecolor() == "white"
        assert marks.get_marker() == hollow.get_marker() == {"a": "o", "b": "s"}[label]
        assert legend(axis)[label] == marks.get_color() == marks.get_markerfacecolor() == hollow.get_color()
        assert to_hex(bars.get_color()[0]) == to_hex(marks.get_color())
    assert list(legend(axis)) == ["as sure as right", "a", "b"]
    assert rest == []


def test_replays_are_shown_less_their_mean_and_as_they_are(made):
    runs, printed = [made(0), made(1), made(2)], np.array([0.3, 0.2, 0.1])
    curves, unclipped = values(runs, "train_loss"), np.array(runs[0].history["train_unclipped_loss"])
    figure = claims.replays(printed, runs)
    left, right = figure.axes
    assert list(legend(figure)) == [
        *("replayed", "replayed, $W_2$ changed (2 runs)", "printed", "replayed, unclipped"),
    ]
    for line, curve in zip(left.lines, [*curves, printed], strict=True):
        assert_allclose(line.get_xydata(), np.c_[[1, 2, 3], curve - curves.mean(axis=0)])
    for line, curve in zip(right.lines, [unclipped, curves[0], printed], strict=True):
        assert_allclose(line.get_xydata(), np.c_[[1, 2, 3], curve])
    assert right.lines[1].get_color() == left.lines[0].get_color() != left.lines[1].get_color()
    assert [line.get_label() for line in (left.lines[3], right.lines[0])] == ["printed", "replayed, unclipped"]
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")
    assert [sides(axis) for axis in figure.axes] == [
        *(("epoch", "training loss (nats) less mean"), ("epoch", "training loss (nats)")),
    ]
    assert [len(axis.lines) for axis in claims.replays(None, runs).axes] == [3, 2]


def test_the_gain_is_shown_beside_its_limit_and_what_was_measured():
    labels = np.repeat(np.arange(10), [5, 6, 7, 8, 9, 11, 12, 13, 14, 15])
    shares = np.bincount(labels) / len(labels)
    points = {"MNIST": ([1, 2], [2.2, 2.1]), "digits": ([3], [2.05])}
    (axis,) = claims.gain_over_guessing(labels, points).axes
    lines = by_label(axis)
    times, curve = lines["closed form"].get_xydata().T
    assert (times[0], times[-1]) == pytest.approx((0.5, 100))
    assert_allclose(curve, np.log(10) - frequencies.constant_predictor_loss(times, shares))
    limit = np.log(10) + np.sum(shares * np.log(shares))
    assert_allclose(lines["ln 10 less the entropy of the classes"].get_ydata(), limit)
    for label, (when, losses) in points.items():
        assert_allclose(lines[label].get_xydata(), np.c_[when, np.log(10) - losses])
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert legend(axis) == {label: line.get_color() for label, line in lines.items()}
    assert sides(axis) == ("time: learning rate of the last bias × steps", "ln 10 − training loss (nats)")


def test_best_epsilons_stand_over_the_loss_of_their_image():
    rows = [
        (precision, kind, value, 10.0**-k)
        for k, (precision, kind, value) in enumerate(
            (precision, kind, value)
            for precision in ("float64", "float32")
            for kind in ("clipped", "unclipped")
            for value in (0.1, 3.0)
        )
    ]
    frame = pd.DataFrame(rows, columns=["precision", "loss", "value", "best"])
    figure = gradient_checks.best_epsilons(frame, 0.003)
    for axis in figure.axes:
        assert axis.get_xscale() == axis.get_yscale() == "log"
        lines = by_label(axis)
        assert legend(figure) == {kind: line.get_color() for kind, line in lines.items()}
        for kind, line in lines.items():
            of_kind = frame[(frame["precision"] == axis.get_title()) & (frame["loss"] == kind)]
            assert_allclose(line.get_xydata(), of_kind[["value", "best"]], rtol=0.08)  # moved apart a little
        (mark,) = (line for line in axis.lines if line not in lines.values())
        assert_allclose(mark.get_ydata(), 0.003)
        assert axis.get_xlabel() == "loss of the image (nats)"
    assert figure.axes[0].get_ylabel() == r"best $\varepsilon$"
    assert [axis.get_title() for axis in figure.axes] == ["float64", "float32"]


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


@pytest.fixture
def frame():
    """A search in any order: three rates, two batch sizes, three pairs of widths."""
    rng = np.random.default_rng(0)
    rows = [
        (rate, batch, *widths, 1 - error, rng.random())
        for (rate, batch, widths), error in zip(
            ((r, b, w) for r in (0.01, 0.1, 0.001) for b in (32, 16) for w in ((20, 10), (10, 20), (20, 30))),
            rng.uniform(0.01, 0.5, 18),
            strict=True,
        )
    ]
    names = ["learning rate", "batch size", "layer 1", "layer 2", "validation accuracy", "training loss"]
    return pd.DataFrame(rows, columns=names).sample(frac=1, random_state=0)


@pytest.mark.parametrize("perfect", [0, 1, 18])
def test_each_cell_of_the_map_is_its_combination(frame, perfect):
    frame.loc[frame.index < perfect, "validation accuracy"] = 1.0
    (axis,) = searches.heatmap(frame).axes
    columns, rows = [(r, b) for r in (0.1, 0.01, 0.001) for b in (16, 32)], [(10, 20), (20, 10), (20, 30)]
    assert texts(axis.get_xticklabels()) == [str(batch) for _, batch in columns]
    assert texts(axis.get_yticklabels()) == [f"{first}, {second}" for first, second in rows]
    accuracy = frame.set_index(["layer 1", "layer 2", "learning rate", "batch size"])["validation accuracy"]
    grid = np.array([[accuracy[(*widths, *column)] for column in columns] for widths in rows])
    assert sides(axis) == ("batch size", "hidden units, layer 1 and layer 2")
    picture = axis.images[0]
    assert_allclose(picture.get_array(), 100 * (1 - grid))
    assert picture.norm(picture.get_array()).flat[grid.argmax()] == 0
    assert axis.yaxis_inverted()
    cells, heads = axis.texts[: grid.size], axis.texts[grid.size :]
    assert {text.get_position(): text.get_text() for text in cells} == {
        (column, row): f"{100 * value:.2f}" for (row, column), value in np.ndenumerate(grid)
    }
    assert min(contrast(axis, text) for text in cells) > 3
    assert [(text.get_position()[0], text.get_text()) for text in heads] == [
        *((0.5, "learning rate 0.1"), (2.5, "learning rate 0.01"), (4.5, "learning rate 0.001")),
    ]
    assert [line.get_xdata()[0] for line in axis.lines] == [1.5, 3.5, 5.5]


def test_effects_stand_over_their_values_with_medians(frame):
    figure = searches.effects(frame)
    names = ["learning rate", "batch size", "layer 1", "layer 2"]
    assert [axis.get_xlabel() for axis in figure.axes] == [*names[:2], "units in layer 1", "units in layer 2"]
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_yscale()) == ("validation error (%)", "log")
    errors = 100 * (1 - frame["validation accuracy"])
    for axis, name in zip(figure.axes, names, strict=True):
        levels = sorted(frame[name].unique())
        assert texts(axis.get_xticklabels()) == [f"{level:g}" for level in levels]
        lines = by_label(axis)
        assert legend(figure) == {label: line.get_color() for label, line in lines.items()}
        assert list(lines) == ["rate 0.1", "rate 0.01", "rate 0.001"]
        for label, line in lines.items():
            of_rate = frame["learning rate"] == float(label.removeprefix("rate "))
            places = [levels.index(value) for value in frame.loc[of_rate, name]]
            assert_allclose(line.get_ydata(), errors[of_rate])
            assert_array_equal(np.round(line.get_xdata()), places)
        for place, (level, segment) in enumerate(zip(levels, axis.collections[0].get_segments(), strict=True)):
            assert_allclose(segment[:, 1], np.median(errors[frame[name] == level]))
            assert_allclose(segment[:, 0], [place - 0.32, place + 0.32])


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


def test_maps_of_a_layer_share_one_scale():
    rng = np.random.default_rng(0)
    image, layers = rng.random(784), {"conv1": rng.random((4, 6, 6)), "conv2": np.zeros((2, 3, 3))}
    axes = np.reshape(visualization.feature_maps(image, layers, n=3).axes, (2, 4))
    assert_array_equal(axes[0, 0].images[0].get_array(), image.reshape(28, 28))
    assert axes[0, 0].get_title() == "image"
    for row, (name, maps) in zip(axes, layers.items(), strict=True):
        assert [axis.get_title() for axis in row[1:]] == [name, "", ""]
        for axis, one in zip(row[1:], maps, strict=False):
            assert_array_equal(axis.images[0].get_array(), one)
            assert axis.images[0].get_clim() == (0, maps.max() or 1)
    assert [len(axis.images) for axis in axes[1]] == [0, 1, 1, 0]


def test_differences_of_gradients_stand_over_one_by_epsilon():
    epsilons = np.array([0.1, 0.01, 0.001])
    given = {
        "float64": (
            np.array([3e-3, 3e-5, 3e-7]),
            np.array([4e-3, 4e-5, 4e-7]),
            np.array([1e-9, 1e-8, 1e-7]),
            [2, 1, 0],
        ),
        "float32": (
            np.array([5e-3, 5e-4, 5e-2]),
            np.array([6e-3, 6e-5, 6e-7]),
            np.array([1e-4, 1e-3, 1e-2]),
            [0, 0, 3],
        ),
    }
    figure = gradient_checks.differences(epsilons, given)
    for axis, (precision, (differences, truncation, round_off, kinks)) in zip(
        figure.axes, given.items(), strict=True
    ):
        assert (axis.get_title(), axis.get_xlabel()) == (precision, r"$N = 1/\varepsilon$")
        assert axis.get_ylim()[0] < 1e-9 < 0.05 < axis.get_ylim()[1]
        assert axis.get_xscale() == axis.get_yscale() == "log"
        lines = by_label(axis)
        assert legend(figure) == {label: line.get_color() for label, line in lines.items()}
        crossed = [k for k, count in enumerate(kinks) if count]
        for label, x, y in (
            ("largest difference", 1 / epsilons, differences),
            ("truncation, predicted", 1 / epsilons, truncation),
            ("round-off, predicted", 1 / epsilons, round_off),
            ("a unit crosses its kink", 1 / epsilons[crossed], differences[crossed]),
        ):
            assert_allclose(lines[label].get_xydata(), np.c_[x, y])


def test_kernels_have_one_scale_with_white_at_zero():
    weights = np.random.default_rng(0).normal(size=(5, 1, 3, 3))
    weights[2, 0, 1, 1] = -9
    figure = visualization.kernels(weights, columns=3)
    *axes, bar = figure.axes
    assert len(axes) == 6
    for axis, kernel in zip(axes, weights[:, 0], strict=False):
        assert_array_equal(axis.images[0].get_array(), kernel)
        assert axis.images[0].get_clim() == (-9, 9)
    (negative, zero, positive) = axes[0].images[0].cmap([0.05, 0.5, 0.95])[:, :3]
    assert negative.argmax() == 2  # blue
    assert positive.argmax() == 0  # red
    assert zero.min() > 0.95
    assert bar.get_ylabel() == "weight"


def test_an_architecture_is_drawn_to_scale():
    stages = inside.stages(cnn.network())
    assert [name for name, *_ in stages] == ["image", "conv1", "pool1", "conv2", "conv3", "pool2", "fc1", "fc2"]
    figure = visualization.architecture(stages)
    [axis] = figure.axes
    boxes = [
        (round(box.get_width(), 3), box.get_facecolor()[:3]) for box in axis.patches if isinstance(box, Rectangle)
    ]
    channels = [width for width, colour in boxes if colour == (1, 1, 1)]
    assert channels == [28, *[24] * 4, *[12] * 4, *[9] * 6, *[7] * 8, *[3] * 8, 3, 3]
    assert [width for width, colour in boxes if colour != (1, 1, 1)] == [5, 2, 4, 3, 2]
    words = [text.get_text() for text in axis.texts if text.get_text()]
    assert words[0] == "image\n1 × 28 × 28"
    assert words[3] == "conv2\n30 × 9 × 9\nwindow 4 × 4"
    assert alt.describe(figure).startswith("Drawing: image 1 × 28 × 28; conv1 20 × 24 × 24 window 5 × 5; ")
