"""Which elements of MathML belong together: words, signs that are struck, brackets and bars with what they hold."""

import unicodedata
from xml.etree.ElementTree import Element  # noqa: S405 — made here, not parsed

from .tex import said

OPENING, CLOSING = "([{⟨⌈⌊⟦", ")]}⟩⌉⌋⟧"
BARS = {"|", "∣", "‖", "∥"}


def merged(children):
    """Upright letters that follow one another as one word, two bars as one double bar, and what \\not strikes."""
    style = next((i for i, child in enumerate(children, 1) if child.tag == "mstyle" and not len(child)), None)
    if style:  # in a cell of an array it stands before all that it is for
        children[style - 1].extend(children[style:])
        del children[style:]
    found = []
    for child in children:
        last = found[-1] if found else None
        bar = _bar(child)
        if last is not None and child.tag == last.tag == "mi" and _is_word(child) and _is_word(last):
            last.text = said(last) + said(child)
        elif last is not None and last.tag == "mpadded" and last.get("width") == "0" and child.tag in ("mo", "mi"):
            child.text = unicodedata.normalize("NFC", said(child) + "\u0338")
            found[-1] = child
        elif last is not None and last.tag == "mo" and said(last) == "|" and bar is not None and said(bar) == "|":
            bar.text = "‖"
            found[-1] = child
        elif _is_bracketed(found[-2:], child):
            found[-2:] = [_bracketed([*found[-2:], child])]
        else:
            found.append(child)
    return found


def _is_bracketed(before, closing):
    """Whether a table, or the two numbers of a binomial, stands between brackets or bars, which are as tall as it."""
    if len(before) < 2 or not before[0].tag == closing.tag == "mo":
        return False
    pair = said(before[0]), said(closing)
    table = before[1].tag == "mtable" or before[1].get("linethickness") == "0"
    return table and (pair[0] in OPENING and pair[1] in CLOSING or pair[0] == pair[1] and pair[0] in BARS)


def _is_word(element):
    return element.get("mathvariant") == "normal" and said(element).isalpha()


def _bar(element):
    """The bar that an element is, with or without indices, or None."""
    base = element[0] if element.tag in ("msub", "msup", "msubsup") else element
    return base if base.tag == "mo" and said(base) in BARS and not len(base) else None


def barred(children):
    """The children, with bars that open and close around what is between them."""
    found, opened = [], []
    for i, child in enumerate(children):
        bar = _bar(child)
        if bar is not None:
            sign, expected = said(bar), _expects(children[i - 1] if i else None)
            if opened and opened[-1][0] == sign and not expected:
                start = opened.pop()[1]
                held = _bracketed([*found[start:], bar])
                if bar is not child:  # it has indices
                    whole = Element(child.tag)
                    whole.extend([held, *child[1:]])
                    held = whole
                found[start:] = [held]
                continue
            if expected and bar is child:
                opened.append((sign, len(found)))
        found.append(child)
    return found


def _bracketed(elements):
    whole = Element("bracketed")
    whole.extend(elements)
    return whole


def _expects(before):
    """Whether an element, an operator or nothing at all, asks for something to follow."""
    if before is None or before.tag == "mspace":
        return True
    return before.tag == "mo" and said(before) not in CLOSING + "!′"
