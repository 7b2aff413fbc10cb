"""Many notebooks into one: what has a name in each of them gets one that is unique in the report."""

import copy
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from . import ReportError
from .cells import LINK, drop_progress, markdown_cells, name_cells, outside_code, where
from .numbering import anchors, renumber

HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$", re.M)


def _tags(cell):
    return cell.metadata.get("tags", [])


def _heading_anchor(title):
    return re.sub(r"<[^>]*>|[`*]", "", title).strip().replace(" ", "-")


def _link_inside(nb, name, known):
    """Anchors the headings of a notebook and points its links to where their targets are in the report."""
    taken = Counter()

    def heading(match):
        level, title = match.groups()
        own = name if level == "#" and not taken["#"] else f"{name}--{_heading_anchor(title)}"
        again = f"-{taken[own] + 1}" if taken[own] else ""
        taken.update([level, own])
        return f'{level} <a id="{own}{again}"></a>{title}'

    def link(match):
        notebook = Path(match["file"]).name if match["file"] else name
        anchor = unquote(match["anchor"] or "")
        if notebook not in known or not (match["file"] or anchor):
            return match.group()
        explicit = anchor.startswith(("fig-", "tbl-", "eq-")) or anchor in sum(known.values(), [])
        return f"](#{anchor})" if explicit else f"](#{notebook}{'--' if anchor else ''}{anchor})"

    for cell in markdown_cells(nb.cells):
        cell.source = outside_code(lambda text: HEADING.sub(heading, LINK.sub(link, text)), cell.source)


def _prepared(nb, name, number, known):
    nb = copy.deepcopy(nb)
    name_cells(nb, name)
    drop_progress(nb)
    _link_inside(nb, name, known)
    for cell in nb.cells:
        cell.id = f"{number}-{cell.get('id', cell.metadata.report.index)}"[:64]
        if cell.cell_type == "code" and "show-input" not in _tags(cell):
            cell.metadata.tags = [*_tags(cell), "hide-input"]
    return nb


def _raised(cells):
    """The appendix cells of one notebook with their highest heading made a section."""
    levels = [len(level) for cell in markdown_cells(cells) for level, _ in HEADING.findall(cell.source)]
    if cells and not (levels and HEADING.match(cells[0].source)):
        raise ReportError(f"{where(cells[0])}: the first cell tagged `appendix` must start with a heading.")
    deeper = re.compile(rf"^#{{{min(levels, default=1) - 1}}}(?=#)", re.M)
    for cell in markdown_cells(cells):
        cell.source = outside_code(lambda text: deeper.sub("", text), cell.source)
    return cells


def _special(role, source, notebook="report", index=0):
    cell = new_markdown_cell(source)
    cell.id = f"{role}-{index}"
    cell.metadata.report = {"notebook": notebook, "index": index, "role": role}
    return cell


def _abstract(cell):
    """A Markdown cell with the text of the cell or, of a code cell, the Markdown that it has computed."""
    computed = [output.get("data", {}).get("text/markdown") for output in cell.get("outputs", [])]
    source = cell.source if cell.cell_type == "markdown" else "\n\n".join(filter(None, computed))
    if not source:
        raise ReportError(f"{where(cell)}: a code cell tagged `abstract` must have Markdown as its output.")
    return _special("abstract", source, **cell.metadata.report)


def _front(report):
    lines = [f"# {report['title']}", report["subtitle"], ", ".join(report["authors"]), report["course"]]
    lines += [report["date"], f"**{report['warning']}**" if report["warning"] else ""]
    lines += [f"*{name}*: {value}" for name, value in report["facts"].items()]
    return _special("front", "\n\n".join(filter(None, lines)))


def stitch(notebooks, report, provenance=""):
    """One notebook of (name, node) pairs, in order; `report` (title, facts, ...) becomes its metadata.

    Cells tagged `abstract` come first, those tagged `appendix` last, and then `provenance`, the Markdown of an
    appendix of its own. Raises ReportError that names a cell.
    """
    known = {name: anchors(nb.cells) for name, nb in notebooks}
    twice = [anchor for anchor, count in Counter(sum(known.values(), [])).items() if count > 1]
    if twice:
        raise ReportError(f"The anchors {', '.join(twice)} stand in the report twice; rename one of each.")
    parts = [_prepared(nb, name, number, known).cells for number, (name, nb) in enumerate(notebooks)]
    abstract, body, appendix = [], [], []
    for cells in parts:
        abstract += [_abstract(cell) for cell in cells if "abstract" in _tags(cell)]
        body += [cell for cell in cells if not {"abstract", "appendix"} & set(_tags(cell))]
        appendix += _raised([cell for cell in cells if "appendix" in _tags(cell)])
    if provenance:
        appendix.append(_special(None, f'# <a id="provenance"></a>Provenance\n\n{provenance}', "provenance"))
    cells = [_front(report), *abstract, *body]
    cells += [_special("appendix", "# Appendix"), *appendix] if appendix else []
    nb = new_notebook(cells=cells, metadata={"report": {**report, "numbers": renumber(cells)}})
    nb.metadata.update({k: v for k, v in notebooks[0][1].metadata.items() if k in ("kernelspec", "language_info")})
    nbformat.validate(nb)
    return nb
