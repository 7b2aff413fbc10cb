"""What networks get wrong and how sure they are, from probabilities made by hand."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose, assert_array_equal
from reading import contrast, legend, sides, texts

from helpers import mistakes, runs, statistics
from helpers.data import Split

pytestmark = pytest.mark.usefixtures("no_windows")

NAMES = tuple("abcdefghij")


def probabilities(*rows):
    """Probabilities (N, 10) of which each row gives those of the first classes."""
    p = np.zeros((len(rows), 10))
    for values, row in zip(p, rows, strict=True):
        values[: len(row)] = row
    return p


def test_what_all_misread_is_shown_with_the_surest_mistake_first():
    labels = np.array([0, 0, 0, 1])
    p = {
        "first": probabilities((0.1, 0.9), (0.2, 0.8), (0.9, 0.1), (0.6, 0.4)),
        "last": probabilities((0.3, 0.7), (0.1, 0.9), (0.4, 0.6), (0.2, 0.8)),
    }
    wrong, shown = mistakes.shared(p, labels)
    assert (wrong.tolist(), shown.tolist()) == ([0, 1], [1, 0])
    assert mistakes.shared(p, labels, n=1)[1].tolist() == [1]


def test_where_none_is_misread_the_least_sure_are_shown():
    p = {"only": probabilities((0.9, 0.1), (0.6, 0.4))}
    wrong, shown = mistakes.shared(p, np.array([0, 0]))
    assert (wrong.tolist(), shown.tolist()) == ([], [1, 0])


def test_hesitations_are_between_two_classes_that_are_nearly_as_likely():
    p = probabilities((0.9, 0.1), (0.45, 0.55), (0.5, 0.2, 0.3))
    assert mistakes.hesitations(p, np.array([0, 0, 2]), NAMES, n=2) == [
        (1, "b 55%, a 45%\na"),
        (2, "a 50%, c 30%\nc"),
    ]


def test_mistakes_that_two_share_are_counted():
    labels = np.array([0, 0, 1, 1, 2, 2, 2, 2])
    first, second = labels.copy(), labels.copy()
    first[[0, 1, 2, 3]] = [1, 1, 0, 2]
    second[[1, 2, 4]] = [1, 2, 0]
    assert mistakes.overlap(first, second, labels) == (4, 3, 2, 4 * 3 / 8, 1)
    assert mistakes.overlap(labels, second, labels) == (0, 3, 0, 0, 0)


def test_judgements_of_all_runs_stand_in_a_row(monkeypatch):
    class Network:
        def __init__(self, p):
            self.predict = lambda X: p

    split = Split(np.zeros((2, 784)), np.array([0, 1]))
    both = {"a": Network(probabilities((0.995, 0.005), (0.7, 0.3))), "b": Network(probabilities((0.2, 0.8), (0, 1)))}
    monkeypatch.setattr(runs, "network", both.get)
    confidence, right = mistakes.judged(["a", "b"], split)
    assert confidence.tolist() == [0.995, 0.7, 0.8, 1]
    assert right.tolist() == [True, False, False, True]


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
