"""The colours of TeX maths: what \\color and \\textcolor say, in one form that maths and pages can carry over."""

import re

from PIL import ImageColor

COLOUR = re.compile(r"\\(?:text)?color\s*(?:\[(\w+)\]\s*)?\{([^{}]*)\}\s*")
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL)
SCALES = {"rgb": 255, "RGB": 1, "gray": 255}


def _hexadecimal(model, value):
    """A colour of TeX as #rrggbb, or None where it is not known."""
    value = value.strip()
    try:
        if model in SCALES:
            numbers = [round(float(part) * SCALES[model]) for part in value.split(",")]
            return "#{:02x}{:02x}{:02x}".format(*(numbers * 3 if model == "gray" else numbers))
        return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(f"#{value}" if model == "HTML" else value)[:3])
    except (ValueError, IndexError):
        return None


def _end(tex, start, grouped):
    """Where a colour that begins at `start` of TeX ends: with its group or, before none, with the cell around."""
    depth, ends = 0, ("}",) if grouped else ("}", "&", "\\\\", "\\end", "\\right")
    for place in TOKEN.finditer(tex, start):
        token = place[0]
        if not depth and token in ends:
            return place.start()
        depth += {"{": 1, "\\begin": 1, "\\left": 1, "}": -1, "\\end": -1, "\\right": -1}.get(token, 0)
    return len(tex)


def marked(tex):
    """TeX with every colour as \\textcolor{#rrggbb}{...}, and what has one that is not known as a group."""
    start = 0
    while found := COLOUR.search(tex, start):
        colour, grouped = _hexadecimal(*found.groups()), tex.startswith("{", found.end())
        end = _end(tex, found.end() + grouped, grouped)
        head = tex[: found.start()] + (rf"\textcolor{{{colour}}}" if colour else "")
        inside, after = tex[found.end() + grouped : end], tex[end + grouped :]
        tex, start = f"{head}{{{inside}}}{after}", len(head)
    return tex


def tell_unknown(nb, log):
    """Says in one logged sentence which colours of the formulas of a notebook are not known and so are lost."""
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    lost = dict.fromkeys(found[2] for found in COLOUR.finditer(text) if not _hexadecimal(*found.groups()))
    if lost:
        log.warning("Formulas lose colours that are not known: %s.", ", ".join(lost))
