"""True numbers of sections, figures, tables and equations, in place of those that were typed by hand."""

import copy
import re
from collections import Counter

from . import ReportError
from .cells import CAPTION, LINK, markdown_cells, outside_code, where

ANCHOR = re.compile(r'<a (?:id|name)="([^"]+)"')
COUNTED = re.compile(
    r'^(?P<level>#{1,6}) <a id="(?P<heading>[^"]+)"|<a id="(?P<item>(?P<kind>fig|tbl|eq)-[^"]+)"', re.M
)
NUMBERED = re.compile(r"\[(?P<word>[^][]*?[^][\s])\s+[\dA-Z][\d.]*\]\(#(?P<anchor>[^)\s]+)\)")


def anchors(cells):
    """The names of all anchors that stand in the Markdown cells."""
    return [anchor for cell in markdown_cells(cells) for anchor in ANCHOR.findall(cell.source)]


class _Sections:
    """Counts headings: `next(level)` is `2.1`, or `A.1` once `letters` is set."""

    def __init__(self):
        self.counts, self.letters = [0] * 6, False

    def start_letters(self):
        self.counts, self.letters = [0] * 6, True

    def next(self, level):
        self.counts[level - 1 :] = [self.counts[level - 1] + 1] + [0] * (6 - level)
        first = chr(64 + self.counts[0]) if self.letters else self.counts[0]
        return ".".join(map(str, [first, *self.counts[1:level]]))


def numbers(cells):
    """Anchor -> number, as they are counted in the report, of headings, figures, tables and equations."""
    found, counts, sections = {}, Counter(), _Sections()
    for cell in markdown_cells(cells):
        role = cell.metadata.report.get("role")
        if role == "appendix":
            sections.start_letters()
        for match in COUNTED.finditer("" if role in ("front", "appendix") else cell.source):
            if match["level"]:
                found[match["heading"]] = sections.next(len(match["level"]))
            else:
                counts[match["kind"]] += 1
                found[match["item"]] = str(counts[match["kind"]])
    return found


def _check_links(cell, known):
    for match in LINK.finditer(cell.source):
        if match["anchor"] and not match["file"] and match["anchor"] not in known:
            raise ReportError(
                f"{where(cell)}: the link to #{match['anchor']} has no target in the report; "
                "correct it, or put an anchor where it should lead."
            )


def renumber(cells):
    """Writes the true numbers into captions and links and returns them, anchor -> number.

    Raises ReportError for a link whose target is nowhere in the report.
    """
    true, known = numbers(cells), set(anchors(cells))

    def link(match):
        number = true.get(match["anchor"])
        return f"[{match['word']} {number}](#{match['anchor']})" if number else match.group()

    for cell in markdown_cells(cells):
        _check_links(cell, known)
        cell.source = outside_code(lambda text: NUMBERED.sub(link, text), cell.source)
        caption = CAPTION.match(cell.source)
        if caption:
            head = re.sub(r"\d+(?=\D*$)", true[caption[1]], cell.source[: caption.start(2)])
            cell.source = head + cell.source[caption.start(2) :]
    return true


def numbered_headings(nb):
    """A copy whose headings start with their number, for HTML, where nothing else would count them."""
    nb = copy.deepcopy(nb)

    def number(match):
        return f"{match.group()}{nb.metadata.report.numbers[match[1]]}&ensp;"

    for cell in markdown_cells(nb.cells):
        if not cell.metadata.report.get("role"):
            cell.source = re.sub(r'^#{1,6} <a id="([^"]+)"></a>', number, cell.source, flags=re.M)
    return nb
