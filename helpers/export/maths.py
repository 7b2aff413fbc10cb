"""TeX maths as Typst: formulas, and aligned equations with their numbers."""

import re

from .mathml import cells_of, sequence, string
from .tex import NUMBER, readable, said, tree


def typst(tex, macros=None):
    """Return TeX maths, what stands between the dollars, as Typst maths; raise Unreadable where it cannot be read.

    `macros`: as `definitions` gives them.
    """
    with readable():
        written = _tight(_top(tree(tex, macros)).strip())
    return re.sub(r"(?:\s\\)+$", "", written)  # a break before the end, where it would escape the dollar


def _top(element):
    """All of a formula; the columns of aligned equations must not be inside a call."""
    only = element[0] if len(element) == 1 else None
    if only is not None and (only.tag == "mrow" or only.get("displaystyle") and only.tag == "mstyle"):
        inner = _top(only)
        return f"display({inner})" if only.get("displaystyle") == "true" and " & " not in inner else inner
    if only is not None and only.tag == "mtable" and only.get("displaystyle"):
        return _aligned(only)
    return sequence(element)


def _aligned(table):
    """The rows of a table as aligned equations: every other column ends in a gap."""
    lines = []
    for row in cells_of(table):
        cells = [cell + (" #h(2em)" if i % 2 and i + 1 < len(row) else "") for i, cell in enumerate(row)]
        lines.append(" & ".join(cells))
    return " \\ ".join(lines)


def _tight(written):
    """Typst maths without the blanks beside words, which Typst would set and TeX does not."""
    words = r'\\.|""|( ?)((?:[a-z]+\()*)("(?:[^"\\]|\\.)+"\)*)( ?)'

    def tight(found):
        blank, calls, text, _ = found.groups()
        return (blank if calls else "") + calls + text if text else found[0]

    return re.sub(words, tight, written)


def typst_rows(tex, macros=None):
    """Return aligned equations, of which some rows have a \\label or a \\tag, as Typst, as style.typ has them."""
    marks = r"(?:\\(?:label|tag\*?)\s*\{[^{}]*\}\s*)+"
    tex = re.sub(rf"(\\end\{{[a-z]+\*?\}})\s*({marks})$", r"\2\1", tex)  # into the last row
    tex = re.sub(r"\\(label|tag\*?)\s*\{([^{}]*)\}", rf"\\text{{{NUMBER}\1=\2}}", tex)
    tex = re.sub(r"\\(begin|end)\{gather\*?\}", r"\\\1{align*}", tex)
    with readable():
        table = tree(tex, macros)
        while table.tag != "mtable":
            (table,) = table
        columns, rows = max(map(len, table)), []
        for row in table:
            number = _number([text for text in row.iter("mtext") if said(text).startswith(NUMBER)])
            written = [f"[${cell and f'display({_tight(cell)})'}$]" for cell in map(sequence, row)]
            rows.append(", ".join(["[]", *written, *["[]"] * (columns - len(row)), number]))
    return f"#rows({columns}, {', '.join(rows)})"


def _number(marks):
    """What stands at the end of a row with these marks of its number, which are taken out of it."""
    found = dict(said(mark).removeprefix(NUMBER).split("=", 1) for mark in marks)
    for mark in marks:
        mark.text = ""
    if not found:
        return "[]"
    tag = found.get("tag", found.get("tag*"))
    shown = f"({tag})" if "tag" in found else tag
    numbering = '"(1)"' if tag is None else f"tagged({string(tag)}, {string(shown)})"
    label = f"#label({string('eq-' + found['label'])})" if "label" in found else ""
    back = "" if tag is None else "#uncounted()"
    return f'[#set math.equation(numbering: {numbering}); $ "" ${label}{back}]'
