"""Names, tags and attachments of the cells of a notebook."""

from mimetypes import guess_extension


def where(cell):
    """Notebook and 1-based index of a cell, as they are named in messages."""
    report = cell.metadata.report
    return f"notebook {report.notebook}, cell {report.index}"


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


def rename_attachments(nb):
    """Gives attachments names that are unique in the notebook; nbconvert would overwrite one by the other."""
    for index, cell in enumerate(nb.cells):
        for number, (name, bundle) in enumerate(list(cell.get("attachments", {}).items())):
            unique = f"{index}-{number}{guess_extension(next(iter(bundle)))}"
            cell.attachments[unique] = cell.attachments.pop(name)
            cell.source = cell.source.replace(f"attachment:{name}", f"attachment:{unique}")
