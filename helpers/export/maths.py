"""TeX maths as Typst: latex2mathml reads it, and the tree of MathML that it gives is written here."""

import re
import unicodedata
from contextlib import contextmanager
from html import unescape
from xml.etree.ElementTree import Element  # noqa: S405 — made here, not parsed

from latex2mathml import converter

OPENING, CLOSING = "([{⟨⌈⌊⟦", ")]}⟩⌉⌋⟧"
BARS = {"|", "∣", "‖", "∥"}
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
KNOWN = {r"\arg": "arg", r"\LaTeX": "LaTeX", r"\TeX": "TeX", r"\dim": "dim", r"\ker": "ker", r"\hom": "hom"}
RENAMED = {
    **{r"\cr": r"\\", r"\hbox": r"\text", r"\mbox": r"\text", r"\bigl": r"\big", r"\bigr": r"\big"},
    **{r"\Bigl": r"\Big", r"\Bigr": r"\Big", r"\lvert": "|", r"\rvert": "|", r"\lVert": r"\|", r"\rVert": r"\|"},
    **{
        r"\bold": r"\mathbf",
        r"\cfrac": r"\frac",
        r"\nonumber": "",
        r"\notag": "",
        r"\displaylimits": "",
        r"\newline": r"\\",
    },
}


DEFINITION = re.compile(
    r"\\(?:(?P<how>(?:re|provide)?newcommand|DeclareMathOperator)(?P<star>\*?)\s*\{?\s*(?P<name>\\[a-zA-Z]+)\s*\}?"
    r"\s*(?:\[(?P<count>\d)\])?|def\s*(?P<defined>\\[a-zA-Z]+)(?P<arguments>(?:#\d)*))\s*(?=\{)"
)
NUMBER, REFERENCE = "\ue000", "\ue001"  # begin a text that marks the number of a row, or refers to a label
DEPTH = 200  # replacements of macros in a formula


ARRAY = re.compile(r"(\\begin\{array\}\s*)(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})")
WORDS = re.compile(r"\\(?:text(?:rm|bf|it)?|mbox)\s*\{((?:[^{}]|\{[^{}]*\})*\$(?:[^{}]|\{[^{}]*\})*)\}")


class Unreadable(ValueError):
    """Maths with something in it that is not known."""


def definitions(tex):
    """Return the macros that TeX defines, {name: (number of arguments, what it stands for)}, and TeX without them."""
    found, start = {}, 0
    while match := DEFINITION.search(tex, start):
        end = _end_of_group(tex, match.end())
        if end is None:
            break
        stands_for = tex[match.end() + 1 : end - 1]
        if match["how"] == "DeclareMathOperator":
            stands_for = rf"\operatorname{match['star']}{{{stands_for}}}"
        count = int(match["count"] or 0) or (match["arguments"] or "").count("#")
        found[match["name"] or match["defined"]] = count, stands_for
        tex, start = tex[: match.start()] + tex[end:], match.start()
    return found, tex


def _end_of_group(tex, start):
    """Where the group, or the one token, that begins at `start` has ended; None where it does not."""
    depth = 0
    for place in re.compile(r"\\[a-zA-Z]+|\\.|.", re.DOTALL).finditer(tex, start):
        depth += {"{": 1, "}": -1}.get(place[0], 0)
        if not depth and not place[0].isspace():
            return place.end()
    return None


def _expanded(tex, macros):
    """TeX with what its macros stand for in their place."""
    if not macros:
        return tex
    names = re.compile("(" + "|".join(map(re.escape, macros)) + r")(?![a-zA-Z])")
    for _ in range(DEPTH):
        use = names.search(tex)
        if not use:
            return tex
        count, stands_for = macros[use[0]]
        end, given = use.end(), []
        for _ in range(count):
            start, end = end, _end_of_group(tex, end)
            if end is None:
                raise Unreadable(f"{use[0]} lacks an argument")
            given.append(tex[start:end].strip())
        for i, argument in enumerate(given, start=1):
            stands_for = stands_for.replace(f"#{i}", argument)
        grouped = stands_for if stands_for.startswith(r"\operatorname") else f"{{{stands_for}}}"
        tex = tex[: use.start()] + grouped + tex[end:]
    raise Unreadable("macros that call each other")


def typst(tex, macros=None):
    """Return TeX maths, what stands between the dollars, as Typst maths; raise Unreadable where it cannot be read.

    `macros`: as `definitions` gives them.
    """
    with _readable():
        return _tight(_row(converter.convert_to_element(_known(_expanded(tex, macros))), top=True).strip())


def _tight(written):
    """Typst maths without the blanks beside words, which Typst would set and TeX does not."""
    words = r'\\.|""|( ?)((?:[a-z]+\()*)("(?:[^"\\]|\\.)+"\)*)( ?)'

    def tight(found):
        blank, calls, text, _ = found.groups()
        return (blank if calls else "") + calls + text if text else found[0]

    return re.sub(words, tight, written)


@contextmanager
def _readable():
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:  # latex2mathml's errors have no class of their own, and its input is anybody's
        raise Unreadable(str(error) or type(error).__name__) from error


def typst_rows(tex, macros=None):
    """Return aligned equations, of which some rows have a \\label or a \\tag, as Typst, as style.typ has them."""
    tex = re.sub(r"\\(label|tag\*?)\s*\{([^{}]*)\}", rf"\\text{{{NUMBER}\1=\2}}", tex)
    tex = re.sub(r"\\(begin|end)\{gather\*?\}", r"\\\1{align*}", tex)
    with _readable():
        table = converter.convert_to_element(_known(_expanded(tex, macros)))
        while table.tag != "mtable":
            (table,) = table
        columns, rows = max(map(len, table)), []
        for row in table:
            number = _number([text for text in row.iter("mtext") if _text(text).startswith(NUMBER)])
            written = [f"[${cell and f'display({_tight(cell)})'}$]" for cell in map(_row, row)]
            rows.append(", ".join(["[]", *written, *["[]"] * (columns - len(row)), number]))
    return f"#rows({columns}, {', '.join(rows)})"


def _number(marks):
    """What stands at the end of a row with these marks of its number, which are taken out of it."""
    found = dict(_text(mark).removeprefix(NUMBER).split("=", 1) for mark in marks)
    for mark in marks:
        mark.text = ""
    if not found:
        return "[]"
    tag = found.get("tag", found.get("tag*"))
    shown = f"({tag})" if "tag" in found else tag
    numbering = '"(1)"' if tag is None else f"tagged({_string(tag)}, {_string(shown)})"
    label = f"#label({_string('eq-' + found['label'])})" if "label" in found else ""
    back = "" if tag is None else "#uncounted()"
    return f'[#set math.equation(numbering: {numbering}); $ "" ${label}{back}]'


def _known(tex):
    """TeX in terms that latex2mathml knows."""
    tex = re.sub(r"\\(?:class|cssId|style|href)\s*\{[^{}]*\}\s*(?=\{)", "", tex)  # of MathJax
    tex = WORDS.sub(_with_inner_maths, tex)
    tex = re.sub(r"\\(?:label|require|tag\*?)\s*\{[^}]*\}", "", tex)
    tex = re.sub(r"\\(?:eq|(?=r))ref\s*\{([^{}]*)\}", _reference, tex)
    tex = re.sub(r"\\[a-zA-Z]+", lambda name: RENAMED.get(name[0], name[0]), tex)
    tex = re.sub(r"\\operatorname\*?\{[^{}]*\}", lambda name: name[0].replace(r"\,", "\N{THIN SPACE}"), tex)
    tex = ARRAY.sub(lambda begin: begin[1] + re.sub(r"[@!<>]\{(?:[^{}]|\{[^{}]*\})*\}", "", begin[2]), tex)
    tex = re.sub(r"\*\{(\d{1,2})\}(?:\{([lcr])\}|([lcr]))", lambda spec: (spec[2] or spec[3]) * int(spec[1]), tex)
    tex = re.sub(r"\\(begin|end)\{(?:aligned|alignedat|align|flalign|split)\*?\}", r"\\\1{align*}", tex)
    tex = re.sub(r"\\begin\{eqnarray\*?\}(.*?)\\end\{eqnarray\*?\}", _two_columns, tex, flags=re.DOTALL)
    tex = re.sub(r"\\(begin|end)\{(?:gather|multline|dcases|rcases|smallmatrix)\*?\}", _other_name, tex)
    return re.sub(r"\\\\\s*(\\end\{)", r"\1", tex)  # a last row that is none


def _with_inner_maths(match):
    """Words in a formula, with maths between dollars in them, as words and maths in turn."""
    pieces = match[1].replace(r"\$", "\N{FULLWIDTH DOLLAR SIGN}").split("$")
    turns = [piece if i % 2 else rf"\text{{{piece}}}" for i, piece in enumerate(pieces) if piece]
    return "{" + " ".join(turns).replace("\N{FULLWIDTH DOLLAR SIGN}", r"\$") + "}"


def _reference(match):
    text = rf"\text{{{REFERENCE}{match[1]}}}"
    return f"({text})" if match[0].startswith(r"\eq") else text


def _two_columns(match):
    return r"\begin{align*}" + re.sub(r"&([^&\\]*)&", r"&\1", match[1]) + r"\end{align*}"


def _other_name(match):
    name = match[0][match[0].index("{") + 1 : -1].rstrip("*")
    return (
        rf"\{match[1]}{{{ {'dcases': 'cases', 'rcases': 'cases', 'smallmatrix': 'matrix'}.get(name, 'gathered') }}}"
    )


def _text(element):
    return unescape(element.text or "")


def _write(element):
    """One element as Typst maths."""
    writer = WRITERS.get(element.tag)
    return writer(element) if writer else _row(element)


def _row(element, top=False):
    """The children of an element, one after the other."""
    children = _merged(list(element))
    if top and len(children) == 1 and children[0].tag in ("mrow", "mstyle"):
        inner = _row(children[0], top=True)
        # The columns of aligned equations must not be inside a call.
        return f"display({inner})" if children[0].get("displaystyle") == "true" and " & " not in inner else inner
    if top and len(children) == 1 and children[0].tag == "mtable" and children[0].get("displaystyle"):
        return _aligned(children[0])
    if len(children) > 1 and _is_fence(children[0]) and _is_fence(children[-1]):
        inner = " ".join(map(_write, children[1:-1]))
        return f"lr({_fence(children[0])} {inner} {_fence(children[-1])})"
    if len(children) == 2 and _is_fence(children[0]):
        return f"lr({_fence(children[0])} {_write(children[1])})"
    return " ".join(_with_bars(children))


def _merged(children):
    """Upright letters that follow one another as one word, two bars as one double bar, and what \\not strikes."""
    found = []
    for child in children:
        last = found[-1] if found else None
        bar = _bar(child)
        if last is not None and child.tag == last.tag == "mi" and _is_word(child) and _is_word(last):
            last.text = _text(last) + _text(child)
        elif last is not None and last.tag == "mpadded" and last.get("width") == "0" and child.tag in ("mo", "mi"):
            child.text = unicodedata.normalize("NFC", _text(child) + "\u0338")
            found[-1] = child
        elif last is not None and last.tag == "mo" and _text(last) == "|" and bar is not None and _text(bar) == "|":
            bar.text = "‖"
            found[-1] = child
        elif _is_bracketed(found[-2:], child):
            whole = Element("bracketed")
            whole.extend([*found[-2:], child])
            found[-2:] = [whole]
        else:
            found.append(child)
    return found


def _is_bracketed(before, closing):
    """Whether a table, or the two numbers of a binomial, stands between brackets or bars, which are as tall as it."""
    if len(before) < 2 or not before[0].tag == closing.tag == "mo":
        return False
    pair = _text(before[0]), _text(closing)
    table = before[1].tag == "mtable" or before[1].get("linethickness") == "0"
    return table and (pair[0] in OPENING and pair[1] in CLOSING or pair[0] == pair[1] and pair[0] in BARS)


def _is_word(element):
    return element.get("mathvariant") == "normal" and _text(element).isalpha()


def _is_fence(element):
    return element.tag == "mo" and element.get("fence") == "true" and element.get("stretchy") == "true"


def _fence(element):
    text = _text(element).strip()
    return "" if text in ("", ".") else _escaped(text)


def _bar(element):
    """The bar that an element is, with or without indices, or None."""
    base = element[0] if element.tag in ("msub", "msup", "msubsup") else element
    return base if base.tag == "mo" and _text(base) in BARS and not len(base) else None


def _with_bars(children):
    """The Typst of each child; bars that open and close hold what is between them."""
    written, opened = [], []
    for i, child in enumerate(children):
        bar = _bar(child)
        if bar is not None:
            sign, expected = _text(bar), _expects(children[i - 1] if i else None)
            if opened and opened[-1][0] == sign and not expected:
                start = opened.pop()[1]
                held = f"lr({_escaped(sign)} {' '.join(written[start + 1 :])} {_escaped(sign)})"
                written[start:] = [held if bar is child else _scripts(child, base=held)]
                continue
            if expected and bar is child:
                opened.append((sign, len(written)))
        written.append(_write(child))
    return written


def _expects(before):
    """Whether an element, an operator or nothing at all, asks for something to follow."""
    if before is None or before.tag == "mspace":
        return True
    return before.tag == "mo" and _text(before) not in CLOSING + "!′"


def _escaped(text):
    """Characters that mean something to Typst as themselves."""
    text = text.replace("~", "∼")
    return re.sub(r"[!-/:-@\[-`{-~⟨⟩⌈⌉⌊⌋⟦⟧‖∣∥]", r"\\\g<0>", text)


def _string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\xa0", " ") + '"'


def _identifier(element):
    text = _text(element)
    if text.startswith("\\"):
        if text not in KNOWN:
            raise Unreadable(text)
        return f"op({_string(KNOWN[text])})"
    plain = _escaped(text) if len(text) == 1 else _string(text) if text else '""'
    if len(text) > 1 and not element.get("mathvariant"):
        return f"op({plain})"
    return VARIANTS.get(element.get("mathvariant"), "{}").format(plain)


def _operator(element):
    if len(element):  # \mathop{...}
        words = "".join(element.itertext())
        return f"op({_string(unescape(words))}, limits: #true)"
    text = _text(element)
    if text.startswith("\\") and len(text) > 1:
        return _identifier(element)
    if len(text) > 1 and text[0].isalpha():
        under = "".join(text.split()) in UNDER or element.get("movablelimits") == "true"
        return f"op({_string(text)}{', limits: #true' if under else ''})"
    if element.get("minsize"):  # \big and its kind
        return f"lr(size: #{float(element.get('minsize').removesuffix('em')) * 100:.0f}%, {_escaped(text)})"
    if text in BARS:
        return f'class("normal", {_escaped(text)})'  # else it stands apart like a relation
    return _escaped(text) if text else '""'


def _scripts(element, base=None):
    """An element with what stands above or below it; `base` replaces its own as Typst has it."""
    names = {"msub": "b", "msup": "t", "msubsup": "bt", "munder": "b", "mover": "t", "munderover": "bt"}[element.tag]
    scripts = element[-len(names) :]
    first = element[0]
    if len(element) > len(scripts) + 1:  # a matrix and its brackets
        first = Element("mrow")
        first.extend(element[: -len(scripts)])
    written = base or _write(first) or '""'
    if len(scripts) == 1 and scripts[0].tag == "mo":
        sign = _text(scripts[0])
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


def _cells(table):
    rows = [[_row(cell) for cell in row] for row in table]
    return [row for row in rows if any(row)] or [['""']]


def _aligned(table):
    """The rows of a table as aligned equations: every other column ends in a gap."""
    lines = []
    for row in _cells(table):
        cells = [cell + (" #h(2em)" if i % 2 and i + 1 < len(row) else "") for i, cell in enumerate(row)]
        lines.append(" & ".join(cells))
    return " \\ ".join(lines)


def _table(table):
    if table.get("displaystyle"):
        rows = [[f"display({cell})" if cell else "" for cell in row] for row in _cells(table)]
        gap, aligned = "column-gap: #0.3em, ", "left"
    else:
        rows, gap = _cells(table), ""
        aligned = next(
            (cell.get("columnalign") for row in table for cell in row if cell.get("columnalign")), "center"
        )
    width = max(map(len, rows))
    rows = [", ".join(cell or '""' for cell in [*row, *[""] * (width - len(row))]) for row in rows]
    return f"mat(delim: #none, {gap}align: #{aligned}, {'; '.join(rows)})"


def _space(element):
    if element.get("linebreak"):
        return "\\"
    width = element.get("width") or ""
    if width.startswith("negative"):
        return "#h(-0.167em)"
    number = re.fullmatch(r"(-?[\d.]+)(em|mm|cm|pt|in)", width)
    return f"#h({number[0]})" if number else {"mu": ""}.get(width[-2:], "#h(0.167em)")


def _style(element):
    inner = _row(element)
    if element.get("displaystyle"):
        return f"{'display' if element.get('displaystyle') == 'true' else 'inline'}({inner})"
    return inner


def _enclosed(element):
    inner = _row(element)
    if "strike" in (element.get("notation") or ""):
        return f"cancel({inner})"
    return f"#box(stroke: 0.5pt, inset: 2pt, baseline: 2pt)[$ {inner} $]"


def _words(element):
    text = _text(element)
    if text.startswith(REFERENCE):
        return f"#eqref({_string('eq-' + text[1:])})"
    return _string(re.sub(r"\\([#$%&_{}])", r"\1", text))


WRITERS = {
    "mi": _identifier,
    "mo": _operator,
    "mn": lambda element: _text(element) if re.fullmatch(r"[\d.]+", _text(element)) else _string(_text(element)),
    "mtext": _words,
    "mspace": _space,
    "mfrac": _fraction,
    "msqrt": lambda element: f"sqrt({_row(element)})",
    "bracketed": lambda element: f"lr({_fence(element[0])} {_write(element[1])} {_fence(element[2])})",
    "mroot": lambda element: f"root({_write(element[1])}, {_write(element[0])})",
    "mtable": _table,
    "mstyle": _style,
    "mphantom": lambda element: f"#hide[$ {_row(element)} $]",
    "menclose": _enclosed,
    **dict.fromkeys(("msub", "msup", "msubsup", "munder", "mover", "munderover"), _scripts),
}
