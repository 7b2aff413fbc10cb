"""The elements of MathML as Typst maths."""

import re
from html import unescape
from xml.etree.ElementTree import Element  # noqa: S405 — made here, not parsed

from .brackets import BARS, barred, merged
from .tex import REFERENCE, said

UNDER = {"lim", "max", "min", "sup", "inf", "limsup", "liminf", "argmin", "argmax", "det", "gcd", "Pr"}
ACCENTS = {
    **{"^": "hat", "ˆ": "hat", "~": "tilde", "˜": "tilde", "→": "arrow", "⃗": "arrow", "˙": "dot"},
    **{"¨": "dot.double", "ˇ": "caron", "˘": "breve", "´": "acute", "`": "grave", "¯": "macron"},
}
STRETCHED = {
    "mover": {"―": "overline", "‾": "overline", "⏞": "overbrace", "⎴": "overbracket"},
    "munder": {"―": "underline", "_": "underline", "⏟": "underbrace", "⎵": "underbracket"},
}
VARIANTS = {
    **{"bold": "upright(bold({}))", "bold-italic": "bold({})", "normal": "upright({})", "italic": "italic({})"},
    **{"script": "scr({})", "bold-script": "bold(scr({}))", "fraktur": "frak({})", "double-struck": "bb({})"},
    **{"sans-serif": "sans({})", "monospace": "mono({})"},
}


def _write(element):
    """One element as Typst maths."""
    writer = WRITERS.get(element.tag)
    return writer(element) if writer else sequence(element)


def sequence(element):
    """The children of an element, one after the other."""
    children = merged(list(element))
    if len(children) > 1 and _is_fence(children[0]) and _is_fence(children[-1]):
        return _held(children)
    if len(children) == 2 and _is_fence(children[0]):
        return f"lr({_fence(children[0])} {_write(children[1])})"
    return " ".join(map(_write, barred(children)))


def _is_fence(element):
    return element.tag == "mo" and element.get("fence") == "true" and element.get("stretchy") == "true"


def _fence(element):
    text = said(element).strip()
    return "" if text in ("", ".") else _escaped(text)


def _escaped(text):
    """Characters that mean something to Typst as themselves."""
    text = text.replace("~", "∼")
    return re.sub(r"[!-/:-@\[-`{-~⟨⟩⌈⌉⌊⌋⟦⟧‖∣∥]", r"\\\g<0>", text)


def string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\xa0", " ") + '"'


def _identifier(element):
    text = said(element)
    plain = _escaped(text) if len(text) == 1 else string(text) if text else '""'
    if len(text) > 1 and not element.get("mathvariant"):
        return f"op({plain})"
    return VARIANTS.get(element.get("mathvariant"), "{}").format(plain)


def _operator(element):
    if len(element):  # \mathop{...}
        words = "".join(element.itertext())
        return f"op({string(unescape(words))}, limits: #true)"
    text = said(element)
    if len(text) > 1 and text[0].isalpha():
        under = "".join(text.split()) in UNDER or element.get("movablelimits") == "true"
        return f"op({string(text)}{', limits: #true' if under else ''})"
    if element.get("minsize"):  # \big and its kind
        return f"lr(size: #{float(element.get('minsize').removesuffix('em')) * 100:.0f}%, {_escaped(text)})"
    if text in BARS:
        return f'class("normal", {_escaped(text)})'  # else it stands apart like a relation
    return _escaped(text) if text else '""'


def _scripts(element):
    """An element with what stands above or below it."""
    names = {"msub": "b", "msup": "t", "msubsup": "bt", "munder": "b", "mover": "t", "munderover": "bt"}[element.tag]
    scripts = element[-len(names) :]
    first = element[0]
    if len(element) > len(scripts) + 1:  # a matrix and its brackets
        first = Element("mrow")
        first.extend(element[: -len(scripts)])
    written = _write(first) or '""'
    if len(scripts) == 1 and scripts[0].tag == "mo":
        sign = said(scripts[0])
        if sign in STRETCHED.get(element.tag, {}):
            return f"{STRETCHED[element.tag][sign]}({written})"
        if element.tag == "mover" and sign in ACCENTS and (sign != "→" or scripts[0].get("stretchy")):
            wide = sign == "¯" and len(first) > 1
            return f"overline({written})" if wide else f"accent({written}, {ACCENTS[sign]})"
    if element.tag.startswith("mu") or element.tag == "mover":
        written = f"limits({written})"
    parts = [f"{name}: {_write(script) or '#none'}" for name, script in zip(names, scripts, strict=True)]
    return f"attach({written}, {', '.join(parts)})"


def _fraction(element):
    above, below = (_write(part) or '""' for part in element)
    if element.get("linethickness") == "0":
        return f"mat(delim: #none, {above}; {below})"
    return f"frac({above}, {below})"


def cells_of(table):
    rows = [[sequence(cell) for cell in row] for row in table]
    return [row for row in rows if any(row)] or [['""']]


def _table(table, size="display"):
    """A table; Typst sets the cells of one in a line small, TeX does not."""
    if table.get("displaystyle"):
        rows = [[f"display({cell})" if cell else "" for cell in row] for row in cells_of(table)]
        gap, aligned = "column-gap: #0.3em, ", "left"
    else:
        rows, gap = cells_of(table), ""
        sides = [cell.get("columnalign", "center") for cell in max(table, key=len)]
        aligned = sides[0] if len({*sides}) == 1 else "center"
        if len({*sides}) > 1:
            rows = [[_beside(cell, side) for cell, side in zip(row, sides, strict=False)] for row in rows]
    width = max(map(len, rows))
    rows = [", ".join(cell or '""' for cell in [*row, *[""] * (width - len(row))]) for row in rows]
    written = f"mat(delim: #none, {gap}align: #{aligned}, {'; '.join(rows)})"
    return written if table.get("displaystyle") else f"{size}({written})"


def _beside(cell, side):
    """A cell of a column that has its own alignment, at which & stands for it."""
    return {"left": f"& {cell}", "right": f"{cell} &"}.get(side, cell)


def _space(element):
    if element.get("linebreak"):
        return "\\"
    width = element.get("width") or ""
    if width.startswith("negative"):
        return "#h(-0.167em)"
    number = re.fullmatch(r"(-?[\d.]+)(em|mm|cm|pt|in)", width)
    return f"#h({number[0]})" if number else {"mu": ""}.get(width[-2:], "#h(0.167em)")


def _style(element):
    if element.get("scriptlevel") == "1" and len(element) == 1 and element[0].tag == "mtable":
        return _table(element[0], "inline")
    inner = sequence(element)
    if inner and element.get("mathcolor"):
        return f"text(fill: #rgb({string(element.get('mathcolor'))}), {inner})"
    if inner and element.get("displaystyle"):
        return f"{'display' if element.get('displaystyle') == 'true' else 'inline'}({inner})"
    return inner


def _enclosed(element):
    inner = sequence(element)
    if "strike" in (element.get("notation") or ""):
        return f"cancel({inner})"
    return f"#box(stroke: 0.5pt, inset: 2pt, baseline: 2pt)[$display({inner})$]"


def _held(elements):
    inner = " ".join(map(_write, elements[1:-1]))
    return f"lr({_fence(elements[0])} {inner} {_fence(elements[-1])})"


def _words(element):
    text = said(element)
    if text.startswith(REFERENCE):
        return f"#eqref({string('eq-' + text[1:])})"
    return string(re.sub(r"\\([#$%&_{}])", r"\1", text))


WRITERS = {
    "mi": _identifier,
    "mo": _operator,
    "mn": lambda element: said(element) if re.fullmatch(r"[\d.]+", said(element)) else string(said(element)),
    "mtext": _words,
    "mspace": _space,
    "mfrac": _fraction,
    "msqrt": lambda element: f"sqrt({sequence(element)})",
    "bracketed": _held,
    "mroot": lambda element: f"root({_write(element[1])}, {_write(element[0])})",
    "mtable": _table,
    "mstyle": _style,
    "mphantom": lambda element: f"#hide[$display({sequence(element)})$]",
    "menclose": _enclosed,
    **dict.fromkeys(("msub", "msup", "msubsup", "munder", "mover", "munderover"), _scripts),
}
