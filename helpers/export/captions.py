"""Captions of figures and tables, and what Quarto's options say of a cell."""

import re
from itertools import takewhile

import yaml

from . import ReportError
from .cells import where
from .outputs import IMAGES

CAPTION = re.compile(
    r"""\s*<a\s+(?:id|name)=(["'])(?P<id>(?:fig|tbl)-[^"']+)\1\s*(?:/>|>\s*</a>)\s*\*\*[^*\n]+\*\*[ \t]*"""
    r"(?P<text>.+?)(?:\n\s*\n|\Z)",
    re.DOTALL,
)
ANCHOR_ABOVE = re.compile(r"""\s*(<a\s+(?:id|name)=(["'])(?P<id>(?:fig|tbl)-[^"']+)\2\s*(?:/>|>\s*</a>))\s*\Z""")
OPTION = re.compile(r"\s*(?:#|//|--|%)\| ?(.*)")  # of Quarto, in the comments of a language
OPTIONS = {  # the tags that do what they say when they are false
    "echo": "remove-input",
    "output": "remove-output",
    "eval": "remove-output",
    "include": "remove-cell",
}
FLAG = re.compile(r"[\w-]+( [\w.-]+)*\s*")  # of nbdev, beside or instead of options
FLAGS = {"hide": "remove-cell", "hide_input": "remove-input", "hide_output": "remove-output"}


def obey_options(nb, strict, log):
    """Takes Quarto's options, as `#| echo: false`, and nbdev's out of the code cells and does what they say.

    Where they cannot be read or have nothing to caption, raises ReportError if `strict`; else there is a warning.
    """
    problems = []
    for cell in nb.cells:
        lines = cell.source.lstrip().splitlines(keepends=True) if cell.cell_type == "code" else []
        written = [line[1] for line in takewhile(bool, map(OPTION.match, lines))]
        flags = {line.strip() for line in written if FLAG.fullmatch(line)}
        try:
            options = yaml.safe_load("\n".join(line for line in written if not FLAG.fullmatch(line))) or {}
        except (yaml.YAMLError, ValueError):
            options = None
        if not isinstance(options, dict):
            problems.append(f"{where(cell)}: its options are not YAML, as `#| key: value`, and are printed.")
        elif written:
            cell.source = "".join(lines[len(written) :])
            problems += _obey(cell, options, flags)
    _tell(problems, strict, log)


def _obey(cell, options, flags):
    """Tags a cell and describes its outputs as its options say; returns what is wrong."""
    tags = [tag for name, tag in OPTIONS.items() if options.get(name) is False]
    tags += [FLAGS[name] for name in sorted(flags & FLAGS.keys())]
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), *tags]
    if options.get("warning") is False:
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    for output, alt in zip(_outputs(cell, "fig"), _several(options.get("fig-alt")), strict=False):
        output.metadata["alt"] = alt
    label, problems = "".join(_several(options.get("label"))), []
    for kind in ("fig", "tbl"):
        outputs, captions = _outputs(cell, kind), _several(options.get(f"{kind}-cap"))
        own = label if re.fullmatch(rf"{kind}-[\w:.-]+", label) else f"{kind}-of-cell-{cell.metadata.report.index}"
        for i, (output, text) in enumerate(zip(outputs, captions, strict=False)):
            output.metadata["caption"] = {"id": f"{own}-{i + 1}" if i else own, "text": text}
        if cell.outputs and len(captions) > len(outputs):
            problems.append(f"{where(cell)}: {kind}-cap has nothing to caption.")
    return problems


def _several(value):
    """The texts of an option that has one or a list of them."""
    values = value if isinstance(value, list) else [value]
    return [str(item) for item in values if isinstance(item, str | int | float)]


def _tell(problems, strict, log):
    if problems and strict:
        raise ReportError("\n".join(problems))
    for problem in problems:
        log.warning(problem)


def _outputs(cell, kind):
    """The outputs that are figures (`fig`) or tables (`tbl`)."""

    def fits(data):
        if kind == "fig":
            return any(mime in data for mime in IMAGES)
        return "<table" in data.get("text/html", "") or "|" in data.get("text/markdown", "")

    return [output for output in cell.get("outputs", []) if fits(output.get("data", {}))]


def lower_anchors(nb):
    """Moves each anchor from above a figure or table, where a link shows all of it, to the caption below."""
    for above, cell, below in zip(nb.cells, nb.cells[1:], nb.cells[2:], strict=False):
        anchor = [above.cell_type, cell.cell_type] == ["markdown", "code"] and ANCHOR_ABOVE.search(above.source)
        if anchor and below.cell_type == "markdown" and below.source.startswith("**"):
            above.source = above.source[: anchor.start()]
            below.source = anchor[1] + below.source


def attach_captions(nb, strict, log):
    """Moves each caption from its Markdown cell to the output above, as `metadata.caption` (id and text).

    Where the cell above has no image (`fig-`) or table (`tbl-`), raises ReportError if `strict`; else the caption
    stays text, with a warning.
    """
    problems = []
    for above, cell in zip(nb.cells, nb.cells[1:], strict=False):
        caption = cell.cell_type == "markdown" and CAPTION.match(cell.source)
        if not caption:
            continue
        identifier, text = caption["id"], caption["text"]
        outputs = _outputs(above, identifier[:3])
        if not outputs:
            wanted = {"fig": "an image", "tbl": "a table"}[identifier[:3]]
            problem = (
                f"{where(cell)}: the caption {identifier} has nothing to caption; has the notebook been run? "
                f"A caption stands right under a code cell whose output is {wanted}."
            )
            problems.append(problem)
            continue
        outputs[-1].metadata["caption"] = {"id": identifier, "text": text}
        cell.source = cell.source[caption.end() :]
    _tell(problems, strict, log)
