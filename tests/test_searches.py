"""Searches: their tables against Runs written out, their figures read back from what is drawn."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reading import body, by_label, contrast, legend, rows, runs, sides, texts

from helpers import searches, tables

pytestmark = pytest.mark.usefixtures("no_windows")


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


def test_a_search_is_ranked_by_validation_and_equals_by_their_configuration(made):
    ties = [(0.1, 16, 20, 30), (0.1, 16, 30, 20), (0.1, 16, 30, 30), (0.1, 32, 20, 20), (0.2, 16, 20, 20)]
    runs = [made(i, lr=lr, batch_size=b, hidden_dims=[*widths]) for i, (lr, b, *widths) in enumerate(ties)]
    for run in runs:
        run.history["valid_error"][-1] = 0.02345
    runs = [made(7), *runs[::-1], made(8)]
    runs[0].history["valid_error"][-1], runs[-1].history["valid_error"][-1] = 0.03, 0.01
    ranked = [runs[-1], *runs[-2:0:-1], runs[0]]
    expected = [
        (str(rank), f"{run.config['lr']:g}", str(run.config["batch_size"]), *map(str, run.config["hidden_dims"]))
        + (f"{run.n_parameters:,}", f"{100 * (1 - run.history['valid_error'][-1]):.2f}%")
        + (f"{run.history['train_loss'][-1]:.4f}",)
        for rank, run in enumerate(ranked, start=1)
    ]
    assert [tuple(row.values()) for row in body(searches.table(runs))] == expected
    assert [tuple(row.values()) for row in body(searches.table(runs, 3))] == expected[:3]
    assert list(body(searches.table(runs))[0]) == [
        *("rank", "learning rate", "batch size", "layer 1", "layer 2", "parameters"),
        *("validation accuracy", "training loss"),
    ]


def test_accuracies_stand_by_nonlinearity_and_rate():
    same = runs(0.1, 0.2, 0.3, 0.4)
    for run, (activation, lr) in zip(same, product(("relu", "tanh"), (0.1, 1.0)), strict=True):
        run.config = {"activation": activation, "lr": lr}
    table = searches.by_rate(same)
    assert [cell.strip() for cell in table.data.splitlines()[0].split("|")[1:-1]] == [
        "nonlinearity",
        "rate 0.1",
        "rate 1",
    ]
    assert rows(table) == [["ReLU", "90.00%", "80.00%"], ["tanh", "70.00%", "60.00%"]]


def test_optimism_is_against_the_fresh_seeds_alone():
    [row] = searches.optimism({"a": runs(0.1, 0.2, 0.4)}).to_numpy().tolist()
    assert row[:3] == ["a", "90.00%", tables.spread([0.8, 0.6], ".2%")]
    assert row[3] == pytest.approx(20)


def test_median_errors_by_value():
    frame = pd.DataFrame({"validation accuracy": [0.9, 0.8, 0.6], "learning rate": [0.1, 0.1, 1.0]})
    for name in ("batch size", "layer 1", "layer 2"):
        frame[name] = 5
    medians = searches.median_errors(frame)
    assert medians["learning rate"].to_dict() == pytest.approx({0.1: 0.15, 1.0: 0.4})
    assert medians["layer 2"].to_dict() == pytest.approx({5: 0.2})


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
