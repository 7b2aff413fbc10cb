"""Many notebooks into one: their cells in the order of the report, each with a role and a unique id.

What stands in the cells is left as it is; join.lua names, numbers and links it.
"""

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook

from helpers.export import ReportError
from helpers.export.cells import where
from helpers.export.join import part
from helpers.export.outputs import drop_progress


def _tags(cell):
    return cell.metadata.get("tags", [])


def _prepared(nb, name, number):
    nb = part(nb, name, number)
    drop_progress(nb)
    for cell in nb.cells:
        if cell.cell_type == "code" and "show-input" not in _tags(cell):
            cell.metadata.tags = [*_tags(cell), "hide-input"]
    return nb.cells


def _appendix(cells):
    cells = [cell for cell in cells if "appendix" in _tags(cell)]
    if cells and not (cells[0].cell_type == "markdown" and cells[0].source.startswith("#")):
        raise ReportError(f"{where(cells[0])}: the first cell tagged `appendix` must start with a heading.")
    return cells


def _special(role, source, notebook="report", index=0):
    cell = new_markdown_cell(source)
    cell.id = f"{role or 'appendix'}-{index}"
    cell.metadata.report = {"notebook": notebook, "index": index, "role": role}
    return cell


def _abstract(cell):
    """A Markdown cell with the text of the cell or, of a code cell, the Markdown that it has computed."""
    computed = [output.get("data", {}).get("text/markdown") for output in cell.get("outputs", [])]
    source = cell.source if cell.cell_type == "markdown" else "\n\n".join(filter(None, computed))
    if not source:
        raise ReportError(f"{where(cell)}: a code cell tagged `abstract` must have Markdown as its output.")
    return _special("abstract", source, **cell.metadata.report)


def stitch(notebooks, report, provenance=""):
    """One notebook of (name, node) pairs, in order; `report` (title, facts, ...) becomes its metadata.

    Cells tagged `abstract` come first, those tagged `appendix` last, and then `provenance`, the Markdown of an
    appendix of its own. Raises ReportError that names a cell.
    """
    parts = [_prepared(nb, name, number) for number, (name, nb) in enumerate(notebooks)]
    abstract = [_abstract(cell) for cells in parts for cell in cells if "abstract" in _tags(cell)]
    body = [cell for cells in parts for cell in cells if not {"abstract", "appendix"} & set(_tags(cell))]
    appendix = [cell for cells in parts for cell in _appendix(cells)]
    if provenance:
        source = f'# <a id="provenance"></a>Provenance\n\n{provenance}'
        appendix.append(_special(None, source, index="provenance"))
    start = [_special("appendix", "# Appendix")] if appendix else []
    nb = new_notebook(cells=[*abstract, *body, *start, *appendix], metadata={"report": report})
    nb.metadata.update({k: v for k, v in notebooks[0][1].metadata.items() if k in ("kernelspec", "language_info")})
    nbformat.validate(nb)
    return nb
