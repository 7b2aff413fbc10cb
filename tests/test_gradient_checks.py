"""Figures of gradient checks, read back from what is drawn."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from reading import by_label, legend

from helpers import gradient_checks

pytestmark = pytest.mark.usefixtures("no_windows")


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
        moved = {}
        for kind, line in lines.items():
            of_kind = frame[(frame["precision"] == axis.get_title()) & (frame["loss"] == kind)]
            assert_allclose(line.get_xydata(), of_kind[["value", "best"]], rtol=0.08)  # moved apart a little
            moved[kind] = line.get_ydata() / of_kind["best"]
        assert min(moved["clipped"]) > max(moved["unclipped"])  # side by side where they are equal
        (mark,) = (line for line in axis.lines if line not in lines.values())
        assert_allclose(mark.get_ydata(), 0.003)
        assert axis.get_xlabel() == "loss of the image (nats)"
    assert figure.axes[0].get_ylabel() == r"best $\varepsilon$"
    assert [axis.get_title() for axis in figure.axes] == ["float64", "float32"]


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
