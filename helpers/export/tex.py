"""TeX maths as a tree of MathML, by latex2mathml; macros and all that it does not know are put in its terms first."""

import re
from contextlib import contextmanager
from html import unescape

from latex2mathml import converter

from . import colours

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
OPERATORS = {r"\arg": "arg", r"\dim": "dim", r"\hom": "hom", r"\ker": "ker", r"\LaTeX": "LaTeX", r"\TeX": "TeX"}
ARRAY = re.compile(r"(\\begin\{array\}\s*)(\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})")
WORDS = re.compile(r"\\(?:text(?:rm|bf|it)?|mbox)\s*\{((?:[^{}]|\{[^{}]*\})*\$(?:[^{}]|\{[^{}]*\})*)\}")
NUMBER, REFERENCE = "\ue000", "\ue001"  # begin a text that marks the number of a row, or refers to a label
DEPTH = 200  # replacements of macros in a formula


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
        command = stands_for.startswith(r"\operatorname") or re.fullmatch(r"\\[a-zA-Z]+\s*", stands_for)
        grouped = f"{stands_for} " if command else f"{{{stands_for}}}"
        tex = tex[: use.start()] + grouped + tex[end:]
    raise Unreadable("macros that call each other")


@contextmanager
def readable():
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:  # latex2mathml's errors have no class of their own, and its input is anybody's
        raise Unreadable(str(error) or type(error).__name__) from error


def tree(tex, macros=None):
    """Return the MathML of TeX, what stands between the dollars; `macros` as `definitions` gives them."""
    read = converter.convert_to_element(_known(_expanded(tex, macros)))
    for element in read.iter():
        text = said(element)
        if element.tag in ("mi", "mo") and text.startswith("\\") and len(text) > 1:
            if text not in OPERATORS:
                raise Unreadable(text)
            element.text = OPERATORS[text]
    return read


def said(element):
    """What an element says; latex2mathml escapes it."""
    return unescape(element.text or "")


def _known(tex):
    """TeX in terms that latex2mathml knows."""
    tex = re.sub(r"\\(?:class|cssId|style|href)\s*\{[^{}]*\}\s*(?=\{)", "", tex)  # of MathJax
    tex = colours.marked(tex)
    tex = WORDS.sub(_with_inner_maths, tex)
    tex = re.sub(r"\\(?:label|require|tag\*?)\s*\{[^}]*\}", "", tex)
    tex = re.sub(r"\\(?:eq|(?=r))ref\s*\{([^{}]*)\}", _reference, tex)
    tex = re.sub(r"\\[a-zA-Z]+", lambda name: RENAMED.get(name[0], name[0]), tex)
    tex = re.sub(r"\\operatorname\*?\{[^{}]*\}", lambda name: name[0].replace(r"\,", "\N{THIN SPACE}"), tex)
    tex = ARRAY.sub(lambda begin: begin[1] + re.sub(r"[@!<>]\{(?:[^{}]|\{[^{}]*\})*\}", "", begin[2]), tex)
    tex = re.sub(r"\*\{(\d{1,2})\}(?:\{([lcr])\}|([lcr]))", lambda spec: (spec[2] or spec[3]) * int(spec[1]), tex)
    tex = re.sub(r"\\(begin|end)\{(?:aligned|alignedat|align|flalign|split)\*?\}", r"\\\1{align*}", tex)
    tex = re.sub(r"\\begin\{eqnarray\*?\}(.*?)\\end\{eqnarray\*?\}", _two_columns, tex, flags=re.DOTALL)
    tex = re.sub(r"\\(begin|end)\{[dr]cases\*?\}", r"\\\1{cases}", tex)
    tex = re.sub(r"\\(begin|end)\{(?:gather|multline)\*?\}", r"\\\1{gathered}", tex)
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
