"""Names, tags and attachments of the cells of a notebook."""

import re
from mimetypes import guess_extension

import yaml
from nbformat import from_dict
from nbformat.v4.rwbase import rejoin_lines
from nbformat.validator import iter_validate

FOOTNOTE = re.compile(r"^ {0,3}\[\^(?P<name>[^\]\s]+)\]:.*(?:\n(?! {0,3}\[\^)(?=.*\S).*|\n\s*\n(?: {4}|\t).*)*", re.M)
TEXT = {"metadata": {}, "source": ""}
CELLS = {"markdown": TEXT, "raw": TEXT, "code": {**TEXT, "outputs": [], "execution_count": None}}
SHOWN = {"data": {}, "metadata": {}}
OUTPUTS = {
    "stream": {"name": "stdout", "text": ""},
    "error": {"ename": "", "evalue": "", "traceback": []},
    **{"display_data": SHOWN, "execute_result": {**SHOWN, "execution_count": None}},
}


def complete(nb):
    """Gives cells and outputs what the format asks for and takes away what it forbids; Jupyter opens them too.

    Text is one string, which an upgrade from an old format may leave in lines.
    """
    _complete(nb, {"metadata": {}, "cells": []}, {"nbformat", "nbformat_minor"})
    for cell in nb.cells:
        _complete(cell, CELLS[cell.cell_type], {"cell_type", "id", "attachments"})
        for output in cell.get("outputs", []):
            _complete(output, OUTPUTS[output.output_type], {"output_type"})
    rejoin_lines(nb)


def _complete(item, fields, others):
    for name in item.keys() - fields.keys() - others:
        del item[name]
    for name, value in fields.items():
        item.setdefault(name, from_dict(value))


def drop_invalid(nb):
    """Takes from cells and outputs the numbers and data that the format forbids; Jupyter opens them too."""
    while any([_dropped(nb, *error.absolute_path) for error in iter_validate(nb)]):  # it tells one of each cell
        pass


def _dropped(nb, *place):
    """Whether what stands at this place of a notebook is a number or data, and is taken out."""
    match place:
        case ("cells", i, "execution_count"):
            nb.cells[i].execution_count = None
        case ("cells", i, "outputs", j, "execution_count"):
            nb.cells[i].outputs[j].execution_count = None
        case ("cells", i, "outputs", j, "data", kind, *_):
            nb.cells[i].outputs[j].data.pop(kind, None)
        case _:
            return False
    return True


def where(cell):
    """Notebook and 1-based index of a cell, as they are named in messages."""
    report = cell.metadata.report
    return f"notebook {report.notebook}, cell {report.index}"


def read_front_matter(nb):
    """Takes a title, as a heading, and a bibliography from YAML that the first cell may have between ---."""
    first = nb.cells[0] if nb.cells and nb.cells[0].cell_type != "code" else None
    found = first and re.match(r"\s*---[ \t]*\n(?=\S)(.*?)\n---[ \t]*(?:\n|\Z)", first.source, re.S)
    try:
        given = yaml.safe_load(found[1]) if found else None
    except (yaml.YAMLError, ValueError):
        return
    if isinstance(given, dict):
        below = first.source[found.end() :] if first.cell_type == "markdown" else ""
        title = given.get("title")
        first.source = f"# {title}\n\n{below}" if title else below
        first.cell_type = "markdown"
        if given.get("bibliography"):
            nb.metadata.setdefault("bibliography", given["bibliography"])


def name_cells(nb, notebook):
    """Notes in each cell's metadata the notebook and the index that it had there, unless noted before."""
    for index, cell in enumerate(nb.cells, 1):
        cell.metadata.setdefault("report", type(cell)(notebook=notebook, index=index))


def tag_hidden(nb):
    """Tags what JupyterLab shows collapsed, so that it is not printed either."""
    for cell in nb.cells:
        tags, collapsed = cell.metadata.get("tags", []), cell.metadata.get("jupyter", {})
        for key, tag in (("source_hidden", "hide-input"), ("outputs_hidden", "hide-output")):
            if collapsed.get(key) and not {tag, "show-input"} & {*tags}:
                tags = cell.metadata.tags = [*tags, tag]


def bring_footnotes(nb):
    """Brings to each cell the footnotes that it has from another cell of its notebook."""
    defined, read = {}, [cell for cell in nb.cells if cell.cell_type == "markdown"]
    for cell in read:
        for note in FOOTNOTE.finditer(cell.source):
            defined.setdefault((cell.metadata.report.notebook, note["name"]), note.group())
    for cell in read:
        own = {note["name"] for note in FOOTNOTE.finditer(cell.source)}
        for name in dict.fromkeys(re.findall(r"\[\^([^\]\s]+)\]", cell.source)):
            note = defined.get((cell.metadata.report.notebook, name))
            if note and name not in own:
                cell.source += f"\n\n{note}"


def rename_attachments(nb):
    """Gives attachments names that are unique in the notebook; nbconvert would overwrite one by the other."""
    for index, cell in enumerate(nb.cells):
        for number, (name, bundle) in enumerate(list(cell.get("attachments", {}).items())):
            unique = f"{index}-{number}{guess_extension(next(iter(bundle)))}"
            cell.attachments[unique] = cell.attachments.pop(name)
            cell.source = cell.source.replace(f"attachment:{name}", f"attachment:{unique}")
