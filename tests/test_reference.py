"""Outputs held against recorded ones: by ranges of numbers, by words, and figures by their data."""

import json
import shutil

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers.data import ROOT
from helpers.report import drawn, reference

pytest_plugins = "pytester"

ROWS = ["| rate | error |", "| 0.1 | 1.5% |"]


def recorded(*executions):
    variants = []
    for lines in executions:
        variants = reference.widened(variants, lines)
    return variants


def test_a_number_may_lie_as_far_outside_of_its_range_as_that_is_wide():
    variants = recorded(ROWS, ["| rate | error |", "| 0.1 | 1.7% |"], ["| rate | error |", "| 0.1 | 1.6% |"])
    assert variants == [["| rate | error |", "| 0.1 | 1.5…1.7% |"]]
    for error in ("1.3%", "1.5%", "1.9%"):
        assert not reference.changes(variants, ["| rate | error |", f"| 0.1 | {error} |"])
    for error in ("1.2%", "2.0%", "−1.6%"):
        told = f"row 2, | 0.1 | {error} |: {error.removesuffix('%')} where 1.5…1.7 was recorded"
        assert reference.changes(variants, ["| rate | error |", f"| 0.1 | {error} |"]) == [told]


def test_what_never_differed_must_be_the_same():
    variants = recorded(ROWS, ROWS)
    assert reference.is_steady(variants)
    assert reference.changes(variants, ["| rate | error |", "| 0.11 | 1.5% |"]) == [
        "row 2, | 0.11 | 1.5% |: 0.11 where 0.1 was recorded"
    ]
    assert not reference.is_steady(recorded(ROWS, ["| rate | error |", "| 0.1 | 1.7% |"]))


@pytest.mark.parametrize(
    ("low", "high"),
    [
        *(("−2.5", "3"), ("1,200", "1,300"), ("999", "1,300"), ("-1.5", "+1.5")),
        *(("9.9e-05", "1.2e-04"), ("9.9 × 10^-5", "1.2 × 10^-4")),
    ],
)
def test_numbers_are_read_as_people_write_them(low, high):
    told = "conv1 of 600-500 has {} nats"
    [[line]] = variants = recorded([told.format(high)], [told.format(low)])
    assert line == told.format(f"{low}…{high}")
    assert not reference.changes(variants, [told.format(high)])
    assert reference.changes(variants, [told.format("7e6")])
    assert reference.changes(variants, [f"conv1 of 600-501 has {low} nats"])
    assert reference.changes(variants, [f"conv2 of 600-500 has {low} nats"])[0] == "- conv1 of #-# has # nats"


def test_other_words_are_another_variant_and_unknown_ones_are_told():
    ahead, apart = ["The error is lower by 0.3 points."], ["The two are not told apart."]
    variants = recorded(ahead, apart, ahead)
    assert sorted(variants) == [ahead, apart]
    assert not reference.is_steady(variants)
    assert not reference.changes(variants, ahead)
    assert reference.changes(variants, ["The error is higher by 0.3 points."]) == [
        "- The error is lower by # points.",
        "+ The error is higher by # points.",
    ]


def test_lines_and_columns_are_left_out_by_a_word():
    lines = ["It took 3 s.", "| a | seconds | b |", "| 1 | 2 | 3 |", "said", "| seconds |", "| 9 |"]
    assert reference.without(lines, ["seconds", "took"]) == ["| a | b |", "| 1 | 3 |", "said", "||", "||"]
    assert reference.without(lines, []) == lines


def test_a_figure_is_told_by_its_names_scales_and_data(no_windows):
    figure, axes = plt.subplots()
    axes.plot([1, 2], [3, 4.5678], label="MLP")
    axes.fill_between([1, 2], [0, 1], [2, np.nan])
    axes.scatter([5], [6])
    axes.bar([7], [8], 2)
    axes.imshow([[0, 1], [2, np.nan]])
    axes.text(0, 0, "seen\nhere")
    axes.set(title="t", xlabel="epoch", ylabel="loss", yscale="log")
    told = drawn.drawn(figure)
    assert told[:4] == ["axes 1: t; epoch; loss; linear; log", "line MLP, x: 1 2", "line MLP, y: 3 4.57", told[3]]
    assert told[3].endswith(": 6 0 2 8")
    assert [line.partition(": ")[2] for line in told[-4:]] == ["5", "6", "0 1 2 nan", "seen here"]
    assert [line.partition(": ")[0][-3:] for line in told[-4:-2]] == [", x", ", y"]


def test_a_large_image_is_told_by_the_means_of_its_rows(no_windows):
    figure, axes = plt.subplots()
    axes.imshow(np.repeat(np.arange(20.0), 20).reshape(20, 20))
    assert drawn.drawn(figure)[1] == "image: " + " ".join(map(str, range(20)))


@pytest.fixture
def executed(pytester, monkeypatch):
    """A function that executes cells by nbval with the project's plugin, and gives pytester's result."""
    monkeypatch.setenv("DATASET", "digits")
    pytester.mkdir("notebooks")
    shutil.copy(ROOT / "notebooks/conftest.py", "notebooks")

    def execute(*sources, options=()):
        cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
        nbformat.write(new_notebook(cells=cells), "notebooks/one.ipynb")
        fixed = ("--nbval-lax", "--nbval-current-env", "--color=no", "notebooks/one.ipynb")
        return pytester.runpytest_subprocess(*fixed, *options)

    return execute


@pytest.mark.slow
def test_changed_outputs_fail_and_what_depends_on_another_processor_is_only_told(executed, pytester):
    drawing = "import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, {}])\nplt.xlabel('{}')\nplt.show()"
    as_recorded = ["print('error: 1.7%')", "print('images: 3')", drawing.format(4, "epoch")]
    for first in ("print('error: 1.5%')", as_recorded[0]):
        executed(first, *as_recorded[1:], options=["--record"]).assert_outcomes(passed=3)

    done = executed("print('error: 2.5%')", "print('images: 4')", drawing.format(5, "epoch"), "print('new')")
    done.assert_outcomes(passed=1, failed=3)
    done.stdout.fnmatch_lines(
        [
            "row 1, error: 2.5%: 2.5 where 1.5…1.7 was recorded",
            "row 1, images: 4: 4 where 3 was recorded",
            "row 3, line _child0, y: 3 5: 5 where 4 was recorded",
            "*Cell 3 is new*",
        ]
    )
    path = pytester.path / "tests/reference/one.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"processors": ["another"]}))
    done = executed("print('error: 2.5%')", as_recorded[1], drawing.format(4, "step"))
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["+ axes #: ; step; ; linear; linear", "*may be right*", "row 1, error: 2.5%: *"])
