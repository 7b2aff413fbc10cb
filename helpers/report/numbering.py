"""`python -m helpers.report.numbering`: types the numbers of figures, tables and equations into the notebooks.

GitHub and JupyterLab show what is typed; the PDF counts for itself, in the same order.
"""

import re
import sys

import nbformat

from helpers.export import ReportError
from helpers.export.captions import ANCHOR_ABOVE

from .settings import NOTEBOOKS, read_notebooks, read_settings

WORDS = {"fig": "Figure", "tbl": "Table"}
CAPTION = re.compile(r"\A\*\*(?:Figure|Table) \d+\.\*\*")
EQUATION = re.compile(r'(<a id="(eq-[\w-]+)"></a>\n(?:(?!<a id=).)*?\\tag\{)\d+(?=\})', re.S)
REFERENCE = re.compile(r"(\[(?:Figure|Table|equation|Equation) )(\d+)(\]\([\w./%-]*#((?:fig|tbl|eq)-[\w-]+)\))")


def number(notebooks):
    """Number what has a caption or a tag in a list of notebooks, in place, in their order, appendices last.

    Captions, equations and references in Markdown, code and stored outputs follow.
    """
    cells = [cell for nb in notebooks for cell in nb.cells]
    in_order = sorted(cells, key=lambda cell: "appendix" in cell.metadata.get("tags", []))
    counts, numbers = {"fig": 0, "tbl": 0, "eq": 0}, {}

    def next_number(anchor):
        kind = anchor.partition("-")[0]
        counts[kind] += 1
        numbers[anchor] = counts[kind]
        return counts[kind]

    for cell in in_order:
        cell.source = EQUATION.sub(lambda found: f"{found[1]}{next_number(found[2])}", cell.source)
    for above, _, below in zip(in_order, in_order[1:], in_order[2:], strict=False):
        anchor = ANCHOR_ABOVE.search(above.source)
        if anchor and CAPTION.match(below.source):
            n = next_number(anchor["id"])
            below.source = CAPTION.sub(f"**{WORDS[anchor['id'][:3]]} {n}.**", below.source)
    for cell in cells:
        cell.source = _refer(cell.source, numbers)
        for output in cell.get("outputs", []):
            if "text/markdown" in output.get("data", {}):
                output.data["text/markdown"] = _refer(output.data["text/markdown"], numbers)


def _refer(text, numbers):
    """`text` with these numbers in its references; what is not numbered keeps its own."""
    return REFERENCE.sub(lambda found: f"{found[1]}{numbers.get(found[4], found[2])}{found[3]}", text)


def main():
    """Number the notebooks of the report; return an exit status."""
    try:
        notebooks = read_notebooks(read_settings()["notebooks"])
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    number(list(notebooks.values()))
    for name, nb in notebooks.items():
        nbformat.write(nb, NOTEBOOKS / f"{name}.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
