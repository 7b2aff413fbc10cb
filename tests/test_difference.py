"""What differs between two executions, from notebooks that are known."""

import copy
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.report import command, drawn

TABLE = "| seed   | error |\n|:-------|------:|\n| 0      | 1.5%  |\n| 1      | 1.7%  |"


@pytest.fixture
def old():
    alt = {"alt": "falls from 3 to 1"}
    outputs = [
        new_output("display_data", {"text/markdown": TABLE, "text/plain": "<Markdown object>"}),
        new_output("display_data", {"image/png": "AAAA", "text/plain": "<Figure size 945x315>"}, metadata=alt),
        new_output("stream", name="stdout", text="all agree: yes\n"),
    ]
    return new_notebook(cells=[new_markdown_cell("# One"), *(new_code_cell("1", outputs=[each]) for each in outputs)])


@pytest.fixture
def compared(tmp_path, monkeypatch, capsys):
    def compare(old, new):
        for name, nb in (("old", old), ("new", new)):
            (tmp_path / name).mkdir()
            nbformat.write(nb, tmp_path / name / "one.ipynb")
        monkeypatch.setattr(sys, "argv", ["report", "diff", str(tmp_path / "old"), str(tmp_path / "new")])
        return command.main(), capsys.readouterr().out

    return compare


def test_what_only_aligns_or_runs_on_is_no_difference(old, compared):
    new = copy.deepcopy(old)
    new.cells[1].outputs[0].data["text/markdown"] = TABLE.replace("  ", "")
    new.cells[2].outputs[0].data["image/png"] = "BBBB"
    new.cells[3].outputs.insert(0, new_output("stream", name="stderr", text="training: 50%|█ | 1/2 [00:01<00:01]"))
    assert compared(old, new) == (0, "")


def test_a_changed_number_is_told_with_its_cell_and_its_row(old, compared):
    new = copy.deepcopy(old)
    new.cells[1].outputs[0].data["text/markdown"] = TABLE.replace("1.7%", "2.7%")
    new.cells[2].outputs[0].metadata["alt"] = "falls from 3 to 2"
    new.cells[3].outputs = []
    new.cells.append(new_code_cell("2", outputs=[new_output("error", ename="ValueError", evalue="no", traceback=[])]))
    status, told = compared(old, new)
    told = [line for line in told.splitlines() if not line.startswith("?")]
    assert status == 1
    assert told == [
        *("one, cell 2", "- | 1 | 1.7% |", "+ | 1 | 2.7% |", ""),
        *("one, cell 3", "- falls from 3 to 1", "+ falls from 3 to 2", ""),
        *("one, cell 4", "- all agree: yes", ""),
        *("one, cell 5", "+ no", ""),
    ]


def test_figures_with_data_are_compared_by_these(old, compared):
    old.cells[2].outputs[0].data[drawn.MIME] = "line a, x: 1 2\nline a, y: 3 1"
    new = copy.deepcopy(old)
    new.cells[2].outputs[0].data[drawn.MIME] = "line a, x: 1 2\nline a, y: 3 2"
    status, told = compared(old, new)
    told = [line for line in told.splitlines() if not line.startswith("?")]
    assert (status, told) == (1, ["one, cell 3", "- line a, y: 3 1", "+ line a, y: 3 2", ""])


def test_two_notebooks_are_compared_whatever_they_are_called(old, tmp_path, monkeypatch, capsys):
    for name in ("a", "b"):
        nbformat.write(old, tmp_path / f"{name}.ipynb")
    for path, status in (("b.ipynb", 0), ("c.ipynb", 1)):
        monkeypatch.setattr(sys, "argv", ["report", "diff", str(tmp_path / "a.ipynb"), str(tmp_path / path)])
        assert command.main() == status
    assert "c.ipynb is not a Jupyter notebook" in capsys.readouterr().err
