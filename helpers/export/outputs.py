"""What of a notebook can be printed, and what is lost."""

import io
import re
from base64 import b64decode, b64encode
from contextlib import suppress

from nbconvert.filters import strip_ansi
from PIL import Image

from . import html_tables
from .markdown import outside_code

IMAGES = ("image/svg+xml", "image/png", "image/jpeg")
TYPES = (*IMAGES, "text/markdown", "text/html", "text/latex", "text/plain")
WIDGET = "application/vnd.jupyter.widget-view+json"
PROGRESS = re.compile(r"\d+%\||\d+it \[|\d+/\d+ \[")
ICON = re.compile(r"<button\b.*?</button\s*>|<svg\b(?:(?!</svg).)*<(?:use|symbol)\b.*?</svg\s*>", re.S | re.I)
BROWSER = re.compile(
    r"<(?P<name>script|iframe|video|audio|canvas|object)\b.*?</(?P=name)\s*>|<embed\b[^>]*>", re.S | re.I
)
MATHS = re.compile(  # as Sage writes it
    r"""<script\b[^>]*\btype=["']math/tex(?P<display>;\s*mode=display)?["'][^>]*>(?P<tex>.*?)</script\s*>""",
    re.S | re.I,
)
ROWS = re.compile(
    r"\s*\\begin\{(\w*matrix|array|cases|split|aligned|gathered)\}.*\\end\{\1\}\s*", re.S
)  # without dollars
LINES = 150  # of an output, of which more would fill pages
COLUMNS = 95  # characters of a line in print
STANDS_IN = re.compile(r"<(?:.*\bobject\b.*|[\w.]+ at 0x\w+)>\s*", re.S)  # all that Python says of many objects


def _is_progress(output):
    lines = re.split(r"[\r\n]+", output.get("text", "").strip())
    return "name" in output and all(PROGRESS.search(line) or not line.strip() for line in lines)


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


def _with_maths(data):
    """Makes maths of the scripts that are maths, in the HTML of an output, and LaTeX where there is nothing else."""
    html = MATHS.sub(r"$\g<tex>$", data["text/html"])
    if "text/latex" not in data and (alone := MATHS.fullmatch(re.sub(r"</?html>", "", data["text/html"]).strip())):
        data["text/latex"] = f"$\\displaystyle {alone['tex']}$" if alone["display"] else f"${alone['tex']}$"
    data["text/html"] = html


def shorten(text):
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
        output.text = shorten(_plain_text(output.text))
    if "data" not in output:
        return [], True
    data, lost = output.data, []
    _as_png(data)
    if data.keys() & set(IMAGES):
        data.pop(WIDGET, None)
    if "text/html" in data:
        _with_maths(data)
        html, lost = _without_scripts(data["text/html"])
        data["text/html"], pale = html_tables.coloured(html_tables.whole(html))
        lost += ["some colours of a table"] if pale else []
        if not re.search(r"<(?:table|img|svg)\b|>[^<>]*\w", data["text/html"]):
            del data["text/html"]
    if ROWS.fullmatch(data.get("text/latex", "")):
        data["text/latex"] = f"$${data['text/latex'].strip()}$$"
    if "text/plain" in data:
        data["text/plain"] = shorten(_plain_text(data["text/plain"]))
    html, plain = data.get("text/html", ""), data.get("text/plain", "<")
    if "<table" in html and "xr-text-repr-fallback" not in html:
        data.pop("text/markdown", None)
    elif not plain.startswith("<") or "\n" in plain.strip():  # of more than a line, it says what there is
        data.pop("text/html", None)
    if (
        re.search(r"\b(?:list|dl)-inline\b", html) and "text/plain" in data
    ):  # a vector of R, which fills pages as a list
        for kind in ("text/html", "text/markdown", "text/latex"):
            data.pop(kind, None)
    shown = data.keys() & set(TYPES)
    richer = sorted(data.keys() - set(TYPES))
    stands_in = shown == {"text/plain"} and (lost or richer) and STANDS_IN.fullmatch(data["text/plain"])
    if WIDGET in data or not shown or stands_in:
        return lost or richer[:1] or ["what has no data"], False
    return lost, True


def _join_long_streams(cell):
    """Makes one of all that a cell has printed where it will be shortened, so that this is done once."""
    streams = [output for output in cell.outputs if output.output_type == "stream"]
    text = "".join(output.text for output in streams)
    if len(streams) > 1 and shorten(text) != text:
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


def _told(cells):
    """The notebooks of cells where something is lost, with the first of these cells and how many follow."""
    indices = {}
    for cell in cells:
        indices.setdefault(cell.metadata.report.notebook, []).append(str(cell.metadata.report.index))
    told = []
    for notebook, found in indices.items():
        shown = found if len(found) < 5 else [*found[:2], f"{found[2]} and {len(found) - 3} more"]
        told.append(f"notebook {notebook}, cell{'s' if len(found) > 1 else ''} {', '.join(shown)}")
    return ", ".join(told)


def keep_printable(nb, log):
    """Removes what cannot be typeset and says so in one logged sentence."""
    left_out = {}
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            lost = _clean_text(cell)
        elif cell.cell_type == "code":
            lost = _clean_outputs(cell)
        else:
            continue
        for name in dict.fromkeys(lost):
            left_out.setdefault(name, []).append(cell)
    if left_out:
        told = [f"{name} ({_told(cells)})" for name, cells in left_out.items()]
        log.warning("These outputs cannot be printed and were left out: %s.", ", ".join(told))
