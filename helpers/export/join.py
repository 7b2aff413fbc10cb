"""Several notebooks as one; join.lua names, numbers and links what stands in their cells."""

import copy
import os
import re
import warnings
from pathlib import Path

import nbformat
from nbformat.v4 import new_notebook

from . import ReportError
from .cells import complete, drop_invalid, name_cells
from .markdown import outside_code

JOIN = str(Path(__file__).with_name("join.lua"))
IMAGE = re.compile(r"""(!\[[^\]]*\]\(<?|<img\b[^>]*?\bsrc=["'])(?![a-z]+:|[/#])""", re.I)


def part(nb, name, number):
    """Return a copy of a notebook as part `number` of another: its cells know their place and have own ids."""
    nb = copy.deepcopy(nb)
    name_cells(nb, name)
    for cell in nb.cells:
        cell.id = f"{number}-{cell.get('id', cell.metadata.report.index)}"[:64]
    return nb


def read(path):
    """Return the notebook of this path; ReportError where it is none."""
    try:
        with warnings.catch_warnings(action="ignore", category=nbformat.warnings.MissingIDFieldWarning):
            nb = nbformat.from_dict(nbformat.read(path, as_version=4))
            complete(nb)
            drop_invalid(nb)
            nbformat.validate(nb)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ReportError(f"notebook {path} is not a Jupyter notebook: {reason[:200]}.") from error
    return nb


def join(paths, title):
    """Return (notebook, folder): the notebooks of these paths as one, each from a new page on, and the folder of all.

    Images beside a notebook are looked for from that folder on.  Raises ReportError where one is no notebook, or two
    have one name.
    """
    paths = [Path(path).resolve() for path in paths]
    names = [path.stem for path in paths]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ReportError(f"two notebooks are called {', '.join(twice)}; rename one, since links go by names.")
    folder = Path(os.path.commonpath([path.parent for path in paths]))
    cells, metadata = [], {"title": title}
    for number, path in enumerate(paths):
        nb = part(read(path), path.stem, number)
        _look_from(nb, path.parent.relative_to(folder).as_posix())
        if number and nb.cells:
            nb.cells[0].metadata["tags"] = [*nb.cells[0].metadata.get("tags", []), "page-break"]
        cells += nb.cells
        metadata["authors"] = _united(metadata.get("authors", []), nb.metadata.get("authors") or [])
        metadata = {**nb.metadata, **metadata}
    return new_notebook(cells=cells, metadata=metadata), folder


def _united(known, others):
    return [*known, *(author for author in others if author not in known)]


def _look_from(nb, place):
    """Lets the images of Markdown cells begin at `place`, the folder of their notebook."""
    if place == ".":
        return
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            prefix = place.replace("\\", "/").replace(" ", "%20")
            cell.source = outside_code(lambda text, at=prefix: IMAGE.sub(rf"\g<1>{at}/", text), cell.source)
