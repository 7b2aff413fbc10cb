"""The audit's tables and figures, against what they are given."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from reading import body, by_label, legend, sides, values

from helpers import claims, frequencies, verdicts

pytestmark = pytest.mark.usefixtures("no_windows")


def test_digits_stand_beside_those_that_were_printed(made):
    run, other = made(0), made(1)
    losses = run.history["train_loss"]
    printed = [losses[0], np.nextafter(losses[1], 0), losses[2] + 3 * np.spacing(losses[2])]
    found = body(claims.digits({"zero": printed}, {"zero": run, "he": other}))
    assert list(found[0]) == ["initialisation", "epoch", "printed", "replayed", "units in the last place"]
    assert [tuple(row.values()) for row in found] == [
        *(
            ("zero", str(i + 1), repr(float(old)), repr(new), units)
            for i, (old, new, units) in enumerate(zip(printed, losses, ["0", "1", "-3"], strict=True))
        ),
        *(("he", str(i + 1), "–", repr(new), "–") for i, new in enumerate(other.history["train_loss"])),
    ]


@pytest.mark.parametrize(
    ("value", "unit", "printed", "measured"),
    [
        (None, 0.01, "–", "–"),
        ("lower", 0.0, "lower", "lower"),
        (206_500, 0.0, "206,500", "206,500"),
        (2.3025823920240978, 0.0, "2.3025823920240978", "2.3025823920240978"),
        (0.98127, 0.01, "0.98", "0.9813"),
        (0.074, 0.001, "0.074", "0.0740"),
        (11.64, 0.1, "11.6", "11.6"),
        (17.4, 1, "17", "17"),
    ],
)
def test_claims_are_told_to_the_place_that_was_printed(value, unit, printed, measured):
    rows = [("a", value, value, unit, 0.0123, verdicts.HOLDS, ""), ("b", "x", "y", 0, 0.0, "wrong", "a reason")]
    frame = pd.DataFrame(
        rows, columns=["claim", "printed", "measured", "unit", "noise", "verdict", "why"], dtype=object
    )
    found = [tuple(row.values()) for row in body(claims.verdict_by_verdict(frame))]
    assert found == [("a", printed, measured, "0.01", "holds"), ("b", "x", "y", "", "wrong: a reason")]


def test_best_epsilons_are_summed_up_by_precision_and_loss():
    rows = [("float64", "clipped", best) for best in (0.5, 0.0005, 0.002)] + [("float32", "unclipped", 0.01)]
    found = body(claims.best_epsilons(pd.DataFrame(rows, columns=["precision", "loss", "best"])))
    assert [tuple(row.values()) for row in found] == [
        ("float64", "clipped", "3", "0.002", "0.0005", "0.5", "1"),
        ("float32", "unclipped", "1", "0.01", "0.01", "0.01", "1"),
    ]
    assert list(found[0])[2:] == ["images", "median best epsilon", "smallest", "largest", "from 0.001 to 0.01"]


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
