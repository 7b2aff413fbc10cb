"""What differs between the outputs of two executions of notebooks, line by line, as a reader sees them."""

import re
from difflib import ndiff
from pathlib import Path

from helpers.export import ReportError
from helpers.export.join import read
from helpers.export.outputs import drop_progress

from .drawn import MIME

RULE = re.compile(r"[|:\s-]*")  # an empty line, or the one below the head of a table


def differences(old, new):
    """Yield a text for each cell whose outputs differ: which it is, and its lines as `difflib.ndiff` marks them.

    `old` and `new` are the paths of two notebooks, or of two folders of them, whose notebooks are matched by name.
    Cells are matched by their ids.  Raises ReportError where there is no notebook.
    """
    before, after = _outputs(Path(old)), _outputs(Path(new))
    for cell, (where, _) in (before | after).items():
        compared = ndiff(*(outputs.get(cell, ("", []))[1] for outputs in (before, after)))
        changed = [line.rstrip() for line in compared if not line.startswith(" ")]
        if changed:
            yield "\n".join([where, *changed])


def _outputs(path):
    """{(name of the notebook, id of a cell): (where it stands, the lines that it shows)}."""
    folder = path.is_dir()
    found = sorted(path.glob("*.ipynb")) if folder else [path]
    if not found:
        raise ReportError(f"there is no notebook in {path}.")
    told = {}
    for each in found:
        nb = read(each)
        drop_progress(nb)
        for index, cell in enumerate(nb.cells, start=1):
            if cell.cell_type == "code":
                told[folder and each.stem, cell.id] = f"{each.stem}, cell {index}", lines(cell.outputs)
    return told


def lines(outputs):
    """Return what the outputs of a cell show, as a list of lines: a figure by its data if they have them, else by its
    alternative text; rows of tables without the blanks that only align them."""
    told = []
    for output in outputs:
        data = output.get("data", {})
        if any(kind.startswith("image/") for kind in data):
            told += data.get(MIME, output.metadata.get("alt", "")).splitlines()
        else:
            text = output.get("text") or output.get("evalue") or data.get("text/markdown") or data.get("text/plain")
            told += (text or "").splitlines()
    return [re.sub(r"\s*\|\s*", " | ", line).strip() for line in told if not RULE.fullmatch(line)]
