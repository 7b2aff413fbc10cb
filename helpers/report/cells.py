"""What is done to the cells of a notebook before its template sees them."""

import re
from mimetypes import guess_extension

from . import ReportError

IMAGES = ("image/svg+xml", "image/png", "image/jpeg")
TYPES = (*IMAGES, "text/markdown", "text/html", "text/latex", "text/plain")
WIDGET = "application/vnd.jupyter.widget-view+json"
PROGRESS = re.compile(r"\d+%\||\d+it \[|\d+/\d+ \[")
CAPTION = re.compile(
    r"""\s*<a\s+(?:id|name)=(["'])(?P<id>(?:fig|tbl)-[^"']+)\1\s*(?:/>|>\s*</a>)\s*\*\*[^*\n]+\*\*[ \t]*"""
    r"(?P<text>.+?)(?:\n\s*\n|\Z)",
    re.DOTALL,
)
ANCHOR_ABOVE = re.compile(r"""\s*(<a\s+(?:id|name)=(["'])(?:fig|tbl)-[^"']+\2\s*(?:/>|>\s*</a>))\s*\Z""")
CODE = re.compile(
    r"(^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)|\Z)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))",
    re.M | re.S,
)
TEX = r"(?:\\.|\n(?!\s*\n)|[^$\\\n])+?"
MATH = re.compile(
    r"\\\$|\$\$(?P<display>.+?)\$\$|\\begin\{(?P<env>[a-z]+\*?)\}(?P<rows>.+?)\\end\{(?P=env)\}"
    rf"|\$(?P<inline>(?!\s){TEX}(?<!\s)|\s{TEX}\s)\$(?!\d)|\$",
    re.S,
)
BROWSER = re.compile(
    r"<(?P<name>script|iframe|video|audio|canvas|object)\b.*?</(?P=name)\s*>|<embed\b[^>]*>", re.S | re.I
)
LINES = 150  # of an output, of which more would fill pages
LINK = re.compile(r"\]\((?:(?P<file>[\w./%-]+)\.ipynb)?(?:#(?P<anchor>[^)\s]+))?\)")


def markdown_cells(cells):
    """Those of the cells that are Markdown."""
    return [cell for cell in cells if cell.cell_type == "markdown"]


def where(cell):
    """Notebook and 1-based index of a cell, as they are named in messages."""
    report = cell.metadata.report
    return f"notebook {report.notebook}, cell {report.index}"


def name_cells(nb, notebook):
    """Notes in each cell's metadata the notebook and the index that it had there, unless noted before."""
    for index, cell in enumerate(nb.cells, 1):
        cell.metadata.setdefault("report", type(cell)(notebook=notebook, index=index))


def outside_code(function, text):
    """`text` with `function` applied to all that is not in code spans or fenced code."""
    pieces, start = [], 0
    for code in CODE.finditer(text):
        pieces += [function(text[start : code.start()]), code.group()]
        start = code.end()
    return "".join([*pieces, function(text[start:])])


def one_line(match):
    """The formula that MATH matched as pandoc reads it, in one line and without its number."""
    display, env, rows, inline = match.group("display", "env", "rows", "inline")
    tex = display or rows or inline
    if tex is None:
        return r"\$"
    tex = re.sub(r"(?<!\\)%.*", "", tex)
    tex = re.sub(r"\\(?:tag|label)\*?\{[^}]*\}|\\(?:nonumber|notag)\b|\\[bB]igg?[lrm]?(?![a-z])", "", tex)
    tex = re.sub(r"(?<!\\)\\\|(.+?)(?<!\\)\\\|", r"\\lVert \1 \\rVert", " ".join(tex.split()))
    if env:
        inner = re.sub(r"^(?:equation|displaymath|math)\*?$", "", env)
        tex = rf"\begin{{{inner}}} {tex} \end{{{inner}}}" if inner else tex
    return f"${tex}$" if inline else f"$${tex}$$"


def plain_maths(text):
    """`text` with its TeX maths, as JupyterLab reads it, in the only form that pandoc reads: `$x$`, `$$x$$`."""
    return outside_code(lambda piece: MATH.sub(one_line, piece), text)


def _is_progress(output):
    lines = re.split(r"[\r\n]+", output.get("text", "").strip())
    return "name" in output and all(PROGRESS.search(line) or not line.strip() for line in lines)


def drop_progress(nb):
    """Removes widget views and what progress bars wrote, which only mean something while running."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            keep = [o for o in cell.outputs if WIDGET not in o.get("data", {}) and not _is_progress(o)]
            cell.outputs = keep


def _without_scripts(output):
    """Takes out of an HTML output what only a browser can run, and the output with it where nothing else is there.

    Returns the names of what was taken out.
    """
    data = output.get("data", {})
    html = data.get("text/html", "")
    found = sorted(set(map(str.lower, re.findall(r"<(script|iframe|video|audio|canvas|object|embed)\b", html, re.I))))
    if found:
        data["text/html"] = BROWSER.sub("", html)
        if not re.search(r"<(?:table|img|svg)\b|>[^<>]*\w", data["text/html"]):
            del data["text/html"]
    return found


def _shorten(text):
    """`text` without its middle where it has more than LINES lines."""
    lines = text.splitlines(keepends=True)
    if len(lines) <= LINES:
        return text
    left_out = f"[{len(lines) - LINES:,} of {len(lines):,} lines left out]\n"
    return "".join([*lines[: LINES * 2 // 3], left_out, *lines[-LINES // 3 :]])


def _printable(output):
    data = output.get("data", {})
    if "text/plain" in data:
        data["text/plain"] = _shorten(data["text/plain"])
    if "text" in output:
        output.text = _shorten(output.text)
    if "<table" not in data.get("text/html", "") and not data.get("text/plain", "<").startswith("<"):
        data.pop("text/html", None)
    return "data" not in output or (WIDGET not in data and data.keys() & set(TYPES))


def keep_printable(nb, log):
    """Removes outputs that cannot be typeset and names them in one logged sentence."""
    left_out = []
    for cell in nb.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                left_out += [f"{element} ({where(cell)})" for element in _without_scripts(output)]
            lost = [output for output in cell.outputs if not _printable(output)]
            left_out += [f"{min(output.data, default='nothing')} ({where(cell)})" for output in lost]
            cell.outputs = [output for output in cell.outputs if output not in lost]
    if left_out:
        log.warning("These outputs cannot be printed and were left out: %s.", ", ".join(left_out))


def rename_attachments(nb):
    """Gives attachments names that are unique in the notebook; nbconvert would overwrite one by the other."""
    for index, cell in enumerate(nb.cells):
        for number, (name, bundle) in enumerate(list(cell.get("attachments", {}).items())):
            unique = f"{index}-{number}{guess_extension(next(iter(bundle)))}"
            cell.attachments[unique] = cell.attachments.pop(name)
            cell.source = cell.source.replace(f"attachment:{name}", f"attachment:{unique}")


def _captioned_output(cell, kind):
    def fits(data):
        if kind == "fig":
            return any(mime in data for mime in IMAGES)
        return "<table" in data.get("text/html", "") or "|" in data.get("text/markdown", "")

    return next((o for o in reversed(cell.get("outputs", [])) if fits(o.get("data", {}))), None)


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
        output = _captioned_output(above, identifier[:3])
        if output is None:
            wanted = {"fig": "an image", "tbl": "a table"}[identifier[:3]]
            problem = (
                f"{where(cell)}: the caption {identifier} has nothing to caption; has the notebook been run? "
                f"A caption stands right under a code cell whose output is {wanted}."
            )
            problems.append(problem)
            continue
        output.metadata["caption"] = {"id": identifier, "text": text}
        cell.source = cell.source[caption.end() :]
    if problems and strict:
        raise ReportError("\n".join(problems))
    for problem in problems:
        log.warning(problem)
