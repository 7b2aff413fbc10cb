"""What is done to the cells of a notebook before its template sees them."""

import io
import re
from base64 import b64decode, b64encode
from contextlib import suppress
from itertools import takewhile
from mimetypes import guess_extension

import yaml
from nbconvert.filters import strip_ansi
from PIL import Image, ImageColor

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
LINE = r"(?:\\.|[^$\\\n])+?"
TEX = r"(?:\\.|\n(?!\s*\n)|[^$\\\n])+?"
MATH = re.compile(
    r"\\\$|\$\$(?P<display>.+?)\$\$|\\begin\{(?P<env>[a-z]+\*?)\}(?P<rows>.+?)\\end\{(?P=env)\}"
    rf"|\$(?P<inline>(?!\s){TEX}(?<!\s)|\s{TEX}\s|(?=[^$\n]*(?:\\[a-zA-Z ]|[_^])){LINE})\$(?!\d)|\$",
    re.S,
)
DIRECTIVE = re.compile(
    r"^(?P<fence>`{3,}|~{3,}|:{3,}(?=\{))(?:\{(?P<name>[\w-]+)\})?[ \t]*(?P<title>[^\n]*)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^(?P=fence)[ \t]*$",
    re.M | re.S,
)
BOXES = {"note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error", "seealso"}
BOXES |= {"admonition"}
ICON = re.compile(r"<button\b.*?</button\s*>|<svg\b(?:(?!</svg).)*<(?:use|symbol)\b.*?</svg\s*>", re.S | re.I)
RULE = re.compile(r"(#T_[^{}<>]*)\{([^{}]*)\}")  # of pandas.Styler
CELL = re.compile(r"<t[dh]\b[^>]*", re.I)
BROWSER = re.compile(
    r"<(?P<name>script|iframe|video|audio|canvas|object)\b.*?</(?P=name)\s*>|<embed\b[^>]*>", re.S | re.I
)
OPTION = re.compile(r"\s*(?:#|//|--|%)\| ?(.*)")  # of Quarto, in the comments of a language
OPTIONS = {  # the tags that do what they say when they are false
    "echo": "remove-input",
    "output": "remove-output",
    "eval": "remove-output",
    "include": "remove-cell",
}
FLAG = re.compile(r"[\w-]+( [\w.-]+)*\s*")  # of nbdev, beside or instead of options
FLAGS = {"hide": "remove-cell", "hide_input": "remove-input", "hide_output": "remove-output"}
LINES = 150  # of an output, of which more would fill pages
COLUMNS = 95  # characters of a line in print
STANDS_IN = re.compile(r"<.*\bobject\b.*>\s*", re.S)  # what Python says of an object that has nothing else to say
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
    """The formula that MATH matched as pandoc reads it, in one line."""
    display, env, rows, inline = match.group("display", "env", "rows", "inline")
    tex = display or rows or inline
    if tex is None:
        return r"\$"
    tex = re.sub(r"(?<!\\)%.*", "", tex)
    tex = re.sub(r"\\(?:nonumber|notag)\b|\\[bB]igg?[lrm]?(?![a-z])", "", tex)
    tex = re.sub(r"(?<!\\)\\\|(.+?)(?<!\\)\\\|", r"\\lVert \1 \\rVert", " ".join(tex.split()))
    if re.search(r"(?<!\\)(?:\\\\)*\\$", tex):  # a blank that was written "\ " and stood at the end
        tex = tex[:-1].rstrip()
    if env:
        inner = re.sub(r"^(?:equation|displaymath|math)\*?$", "", env)
        tex = rf"\begin{{{inner}}} {tex} \end{{{inner}}}" if inner else tex
    return f"${tex}$" if inline else f"$${tex}$$"


def plain_maths(text):
    """`text` with its TeX maths, as JupyterLab reads it, in the only form that pandoc reads: `$x$`, `$$x$$`."""
    return outside_code(lambda piece: MATH.sub(one_line, piece), text)


def _directive(match):
    """What DIRECTIVE matched as pandoc reads it: a box, an equation, code or a figure."""
    fence, name, title, given, body = match.group("fence", "name", "title", "options", "body")
    options = dict(re.findall(r"^:([\w-]+):[ \t]*(.*)$", given or "", re.M))
    if name in BOXES:
        title, body = title or name.replace("seealso", "see also").capitalize(), directives(body)
        outer = ":" * (max(map(len, re.findall(":{3,}", body)), default=3) + 1)
        return f"{outer} {{.{name}}}\n\n::: {{.title}}\n{title}\n:::\n\n{body}\n\n{outer}"
    if name == "math":
        label = rf"\label{{{options['label']}}}" if "label" in options else ""
        return f"$$\n{title}\n{body.strip()}{label}\n$$"
    if name in ("code", "code-block", "code-cell"):
        return f"{fence}{title}\n{body}{fence}"
    if name in ("figure", "image"):
        width = f"{{width={options['width']}}}" if "width" in options else ""
        image = f"![{options.get('alt', '')}](<{title}>){width}"
        if name == "image" or not body.strip():
            return image
        label = options.get("name", "")
        label = label if re.fullmatch(r"[\w:.-]+", label) else f"fig-{match.start()}-{len(body)}"
        return f":::: {{.captioned #{label}}}\n\n{image}\n\n::: caption\n{directives(body)}\n:::\n\n::::"
    return match.group()


def directives(text):
    """`text` with MyST's directives, as ```{note} or :::{note}, in pandoc's Markdown; others stay."""
    return DIRECTIVE.sub(_directive, text)


def _is_progress(output):
    lines = re.split(r"[\r\n]+", output.get("text", "").strip())
    return "name" in output and all(PROGRESS.search(line) or not line.strip() for line in lines)


def tag_hidden(nb):
    """Tags what JupyterLab shows collapsed, so that it is not printed either."""
    for cell in nb.cells:
        tags, collapsed = cell.metadata.get("tags", []), cell.metadata.get("jupyter", {})
        for key, tag in (("source_hidden", "hide-input"), ("outputs_hidden", "hide-output")):
            if collapsed.get(key) and not {tag, "show-input"} & {*tags}:
                tags = cell.metadata.tags = [*tags, tag]


def _is_widget(output):
    return WIDGET in output.get("data", {}) and not output.data.keys() & set(IMAGES)


def drop_progress(nb):
    """Removes widget views and what progress bars wrote, which only mean something while running."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_widget(output) and not _is_progress(output)]


def _without_scripts(html):
    """HTML without what only a browser can run, the names of what was taken out, and without icons and buttons."""
    found = sorted(set(map(str.lower, re.findall(r"<(script|iframe|video|audio|canvas|object|embed)\b", html, re.I))))
    return BROWSER.sub("", ICON.sub("", html)), found


def _colour(value):
    """A colour of CSS as #rrggbb, None where it says that there is none; raises ValueError where it is unknown."""
    if value in ("transparent", "inherit", "initial", "none"):
        return None
    return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(value)[:3])


def _marks(css):
    """The attributes by which filter.lua knows how CSS colours a cell; raises ValueError where it does more."""
    css = dict(re.findall(r"([\w-]+)\s*:\s*([^;]+?)\s*(?:;|$)", css.replace("!important", "")))
    colours = {"fill": css.get("background-color", css.get("background")), "text-fill": css.get("color")}
    marks = {name: _colour((value or "none").lower()) for name, value in colours.items()}
    if css.get("font-weight", "").strip() in ("bold", "bolder", "600", "700", "800", "900"):
        marks["weight"] = "bold"
    return "".join(f' data-{name}="{value}"' for name, value in marks.items() if value)


def _coloured(html):
    """HTML with what the style of each cell of a table says in attributes of it, and whether some of it is lost."""
    styles, lost = {}, False
    for selectors, css in RULE.findall(html):
        for selector in map(str.strip, selectors.split(",")):
            styles[selector[1:]] = f"{styles.get(selector[1:], '')};{css}"
            lost |= not re.fullmatch(r"#[\w-]+", selector) and ":hover" not in selector and "color" in css

    def mark(cell):
        nonlocal lost
        css = [found[2] for found in re.finditer(r"""\bstyle\s*=\s*(["'])(.*?)\1""", cell[0])]
        name = re.search(r"""\bid\s*=\s*["']([^"']+)""", cell[0])
        try:
            return cell[0] + _marks(";".join([styles.get(name[1], "") if name else "", *css]))
        except ValueError:
            lost = True
            return cell[0]

    return CELL.sub(mark, html), lost


def _shorten(text):
    """`text` without its middle where it would take many more than LINES lines in print."""
    lines = text.splitlines(keepends=True)
    pieces = [line[i : i + COLUMNS] for line in lines for i in range(0, len(line), COLUMNS)]
    if len(pieces) <= 1.1 * LINES:
        return text
    start, end = "".join(pieces[: LINES * 2 // 3]), "".join(pieces[-LINES // 3 :])
    left_out = len(lines) - len((start + end).splitlines())
    if left_out > 0:
        told = f"[{left_out:,} of {len(lines):,} lines left out]"
    else:
        told = f"[{len(text) - len(start) - len(end):,} of {len(text):,} characters left out]"
    return f"{start.removesuffix(chr(10))}\n{told}\n{end}"


def _plain_text(text):
    """What a terminal would show, without links, bells and other codes that do not print."""
    text = re.sub(r"\x1b\].*?(?:\x07|\x1b\\)", "", text, flags=re.S)
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", strip_ansi(text))


def _as_png(data):
    """Adds to the bundle of an output with a GIF or WebP, and no other picture, a PNG of its first frame."""
    packed = data.get("image/gif") or data.get("image/webp")
    if packed and not data.keys() & set(IMAGES):
        with suppress(OSError, ValueError), io.BytesIO() as png:  # a broken one is left out like any other type
            Image.open(io.BytesIO(b64decode(packed))).save(png, format="png")
            data["image/png"] = b64encode(png.getvalue()).decode()


def _printable(output):
    """Make an output fit for print; return the names of what it loses, and whether anything is left of it."""
    if "text" in output:
        output.text = _shorten(_plain_text(output.text))
    if "data" not in output:
        return [], True
    data, lost = output.data, []
    _as_png(data)
    if data.keys() & set(IMAGES):
        data.pop(WIDGET, None)
    if "text/html" in data:
        html, lost = _without_scripts(data["text/html"])
        data["text/html"], pale = _coloured(html)
        lost += ["some colours of a table"] if pale else []
        if not re.search(r"<(?:table|img|svg)\b|>[^<>]*\w", data["text/html"]):
            del data["text/html"]
    if "text/plain" in data:
        data["text/plain"] = _shorten(_plain_text(data["text/plain"]))
    if "<table" in data.get("text/html", ""):
        data.pop("text/markdown", None)
    elif not data.get("text/plain", "<").startswith("<"):
        data.pop("text/html", None)
    shown = data.keys() & set(TYPES)
    richer = sorted(data.keys() - set(TYPES))
    if WIDGET in data or not shown or (shown == {"text/plain"} and STANDS_IN.fullmatch(data["text/plain"])):
        return lost or richer[:1] or ["nothing"], False
    return lost, True


def _join_long_streams(cell):
    """Makes one of all that a cell has printed where it will be shortened, so that this is done once."""
    streams = [output for output in cell.outputs if output.output_type == "stream"]
    text = "".join(output.text for output in streams)
    if len(streams) > 1 and _shorten(text) != text:
        streams[0].text = text
        cell.outputs = [output for output in cell.outputs if output not in streams[1:]]


def _clean_outputs(cell):
    """Leaves a cell the outputs that can be printed; returns the names of what is lost."""
    _join_long_streams(cell)
    kept, all_lost = [], []
    for output in cell.outputs:
        lost, left = _printable(output)
        all_lost += lost
        kept += [output] if left else []
    cell.outputs = kept
    return all_lost


def _clean_text(cell):
    """Takes out of a Markdown cell what only a browser can run; returns the names of it."""
    lost = []

    def clean(text):
        text, found = _without_scripts(text)
        lost.extend(found)
        return text

    cell.source = outside_code(clean, cell.source)
    return lost


def keep_printable(nb, log):
    """Removes what cannot be typeset and says so in one logged sentence."""
    left_out = []
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            lost = _clean_text(cell)
        elif cell.cell_type == "code":
            lost = _clean_outputs(cell)
        else:
            continue
        left_out += [f"{name} ({where(cell)})" for name in lost]
    if left_out:
        log.warning("These outputs cannot be printed and were left out: %s.", ", ".join(left_out))


def rename_attachments(nb):
    """Gives attachments names that are unique in the notebook; nbconvert would overwrite one by the other."""
    for index, cell in enumerate(nb.cells):
        for number, (name, bundle) in enumerate(list(cell.get("attachments", {}).items())):
            unique = f"{index}-{number}{guess_extension(next(iter(bundle)))}"
            cell.attachments[unique] = cell.attachments.pop(name)
            cell.source = cell.source.replace(f"attachment:{name}", f"attachment:{unique}")


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
