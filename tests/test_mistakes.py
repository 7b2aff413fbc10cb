"""What networks get wrong and how sure they are, from probabilities made by hand."""

import numpy as np

from helpers import mistakes, runs
from helpers.data import Split

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
