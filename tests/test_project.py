"""What the project promises about itself: pins, settings and the numbers of figures and tables."""

import ast
import re
import tomllib
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SETTINGS = tomllib.loads((NOTEBOOKS / "report.toml").read_text())
CITATION = re.compile(r"<cite data-cite=[\"'](\w+)[\"']>(.*?)</cite>")


def cells(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells


def test_conda_and_pip_users_get_the_same_versions():
    pins = re.findall(r"^[\w.-]+==\S+$", (ROOT / "requirements.txt").read_text(), re.M)
    conda = re.findall(r'^ +- "(\S+==\S+)"$', (ROOT / "environment.yml").read_text(), re.M)
    assert pins == conda
    assert len(pins) > 15


def test_every_section_belongs_to_the_report():
    assert SETTINGS["notebooks"] == sorted(path.stem for path in NOTEBOOKS.glob("0*.ipynb"))


def test_equations_are_numbered_as_in_the_report():
    sources = [cell.source for name in SETTINGS["notebooks"] for cell in cells(name)]
    numbered = [pair for text in sources for pair in re.findall(r'<a id="(eq-\w+)"></a>\n.*?\\tag\{(\d+)\}', text)]
    assert [number for _, number in numbered] == [str(i) for i in range(1, len(numbered) + 1)]
    assert len(numbered) == sum(text.count('<a id="eq-') for text in sources)
    for number, label in re.findall(r"\[equation (\d+)\]\([\w.]*#(eq-\w+)\)", "\n".join(sources)):
        assert (label, number) in numbered


@pytest.mark.parametrize("name", SETTINGS["notebooks"])
def test_cells_that_only_show_something_are_collapsed(name):
    for cell in cells(name):
        if cell.cell_type == "code" and "show-input" not in cell.metadata.get("tags", []):
            last = ast.unparse(ast.parse(cell.source).body[-1])
            trains = re.search(r"runs\.(train|sweep)\(", cell.source)
            shows = re.match(r"Markdown\(|plt\.show\(|tables\.|plots\.|print\(", last) and not trains
            assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == bool(shows), cell.source


@pytest.mark.parametrize("kind", ["fig", "tbl"])
def test_figures_and_tables_are_numbered_as_in_the_report(kind):
    """GitHub and JupyterLab show the numbers that were typed; the PDF counts for itself. Both must say the same."""
    in_order = [(cell, name) for name in SETTINGS["notebooks"] for cell in cells(name)]
    in_order.sort(key=lambda pair: "appendix" in pair[0].metadata.get("tags", []))
    word = {"fig": "Figure", "tbl": "Table"}[kind]
    captions = [
        (re.search(rf'<a id="({kind}-[\w-]+)"></a>$', above.source)[1], int(number))
        for (above, _), _, (cell, _) in zip(in_order, in_order[1:], in_order[2:], strict=False)
        for number in re.findall(rf"^\*\*{word} (\d+)\.\*\*", cell.source)
    ]
    assert [number for _, number in captions] == list(range(1, len(captions) + 1))
    for cell, name in in_order:
        for number, label in re.findall(rf"\[{word} (\d+)\]\([\w.]*#({kind}-[\w-]+)\)", cell.source):
            assert (label, int(number)) in captions, f"{name}: {word} {number} is not {label}"


def test_citations_lead_to_the_works_of_the_bibliography():
    bibliography = (NOTEBOOKS / "references.bib").read_text()
    works = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", bibliography, re.M | re.S))
    cited = [pair for name in SETTINGS["notebooks"] for cell in cells(name) for pair in CITATION.findall(cell.source)]
    assert {key for key, _ in cited} == works.keys()
    for key, text in cited:
        name, place = re.search(r"^  (doi|url) = \{(.+)\},$", works[key], re.M).groups()
        assert re.search(r"\]\((.+?)\)", text)[1] == ("https://doi.org/" if name == "doi" else "") + place
