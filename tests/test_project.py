"""What the project promises about itself: pins, settings and the numbers of figures and tables."""

import ast
import copy
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from nbformat import v4
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.configs import DEFAULTS
from helpers.report.numbering import number

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SETTINGS = tomllib.loads((NOTEBOOKS / "report.toml").read_text())
TABLES = "tables|setups|architecture|results|comparisons|searches|initializations|robustness|claims"
CITATION = re.compile(r"<cite data-cite=[\"'](\w+)[\"']>(.*?)</cite>")


def cells(name):
    return nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells


def pins(name):
    found = re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / name).read_text(), re.M)
    return {canonicalize_name(package): version for package, version in found}


def test_what_is_needed_is_pinned_and_all_that_comes_along():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    direct, locked = pins("requirements.txt"), pins("constraints.txt")
    assert {canonicalize_name(name) for group in groups for name in group} == direct.keys()
    needed, missing = list(direct), []
    seen = set(needed)
    while needed:
        name = needed.pop()
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:  # of another system
            continue
        if locked.get(name) != metadata.version(name):
            missing.append(name)
        for requirement in map(Requirement, required):
            other = canonicalize_name(requirement.name)
            if (requirement.marker is None or requirement.marker.evaluate({"extra": ""})) and other not in seen:
                seen.add(other)
                needed.append(other)
    assert missing == [], "make lock mends this"
    assert direct.items() <= locked.items()


def test_every_section_belongs_to_the_report():
    assert SETTINGS["notebooks"] == sorted(path.stem for path in NOTEBOOKS.glob("0*.ipynb"))


@pytest.mark.parametrize("name", SETTINGS["notebooks"])
def test_cells_that_only_show_something_are_collapsed(name):
    for cell in cells(name):
        if cell.cell_type == "code" and "show-input" not in cell.metadata.get("tags", []):
            last = ast.unparse(ast.parse(cell.source).body[-1])
            trains = re.search(r"runs\.(train|sweep)\(", cell.source)
            shows = re.match(rf"Markdown\(|plt\.show\(|print\(|({TABLES})\.", last) and not trains
            assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == bool(shows), cell.source


def test_make_clean_deletes_the_runs_of_every_model():
    done = subprocess.run(
        ["make", "-n", "clean", "RESULTS=stored"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for made in (*DEFAULTS, "chosen"):
        assert f"stored/{made}-*" in done.stdout


def test_numbers_are_typed_as_the_report_counts_them():
    notebooks = [nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4) for name in SETTINGS["notebooks"]]
    numbered = copy.deepcopy(notebooks)
    number(numbered)
    assert numbered == notebooks, "make number mends this"
    sources = [cell.source for nb in notebooks for cell in nb.cells]
    for word in ("Figure", "Table"):
        typed = [int(n) for text in sources for n in re.findall(rf"^\*\*{word} (\d+)\.\*\*", text)]
        assert sorted(typed) == list(range(1, len(typed) + 1))


def test_what_is_put_in_or_moved_changes_the_numbers_and_what_refers_to_them():
    def item(kind, name, appendix=False):
        word = {"fig": "Figure", "tbl": "Table"}[kind]
        cells = [v4.new_markdown_cell(f'Text.\n\n<a id="{kind}-{name}"></a>'), v4.new_code_cell("draw()")]
        cells.append(v4.new_markdown_cell(f"**{word} 9.** Of {name}."))
        for cell in cells if appendix else ():
            cell.metadata["tags"] = ["appendix"]
        return cells

    text = (
        "[Figure 9](two.ipynb#fig-c), [Figure 7](#fig-a), [Table 3](#tbl-t), [equation 8](#eq-e), [Figure 5](#fig-no)"
    )
    output = v4.new_output("display_data", {"text/markdown": "See [Figure 9](#fig-b)."})
    equation = v4.new_markdown_cell('<a id="eq-d"></a>\n$$x \\tag{5}$$\n\n<a id="eq-e"></a>\n$$y \\tag{5}$$')
    one = v4.new_notebook(cells=[*item("fig", "late", appendix=True), *item("fig", "a"), *item("tbl", "t"), equation])
    two = v4.new_notebook(cells=[*item("fig", "b"), *item("fig", "c"), v4.new_code_cell(text, outputs=[output])])
    number([one, two])
    captions = [cell.source for nb in (one, two) for cell in nb.cells if cell.source.startswith("**")]
    assert captions == [
        *("**Figure 4.** Of late.", "**Figure 1.** Of a.", "**Table 1.** Of t."),
        *("**Figure 2.** Of b.", "**Figure 3.** Of c."),
    ]
    assert re.findall(r"tag\{(\d)\}", one.cells[-1].source) == ["1", "2"]
    assert re.findall(r" (\d)\]", two.cells[-1].source) == ["3", "1", "1", "2", "5"]
    assert output.data["text/markdown"] == "See [Figure 2](#fig-b)."


def test_citations_lead_to_the_works_of_the_bibliography():
    bibliography = (NOTEBOOKS / "references.bib").read_text()
    works = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", bibliography, re.M | re.S))
    cited = [pair for name in SETTINGS["notebooks"] for cell in cells(name) for pair in CITATION.findall(cell.source)]
    assert {key for key, _ in cited} == works.keys()
    for key, text in cited:
        name, place = re.search(r"^  (doi|url) = \{(.+)\},$", works[key], re.M).groups()
        assert re.search(r"\]\((.+?)\)", text)[1] == ("https://doi.org/" if name == "doi" else "") + place


@pytest.mark.parametrize("name", SETTINGS["notebooks"])
def test_a_cell_that_trains_says_what_it_costs(name):
    for cell in cells(name):
        if cell.cell_type == "code" and re.search(r"runs\.(train|sweep)\(", cell.source):
            assert re.match(r"# Trains for about .* with MNIST, .* DATASET=digits\.\n", cell.source)
