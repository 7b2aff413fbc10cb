"""The tables of HTML outputs: the colours of their cells, and what stands astray between their rows."""

import re

from bs4 import BeautifulSoup, Comment
from PIL import ImageColor

RULE = re.compile(r"(#T_[^{}<>]*)\{([^{}]*)\}")  # of pandas.Styler
CELL = re.compile(r"<t[dh]\b[^>]*", re.I)
IN_TABLES = {  # what may stand where in a table
    **dict.fromkeys(("thead", "tbody", "tfoot"), {"tr"}),
    **{"table": {"caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr"}, "tr": {"td", "th"}},
}
ASTRAY = re.compile(
    r"(?:<(?:table|thead|tbody|tfoot|tr)\b[^>]*>|</(?:thead|tbody|tfoot|tr|td|th)>)\s*"
    r"(?!</?(?:table|thead|tbody|tfoot|tr|td|th|caption|col|colgroup)\b|\s)",
    re.I,
)


def _colour(value):
    """A colour of CSS as #rrggbb, None where it says that there is none; raises ValueError where it is unknown."""
    if value in ("transparent", "inherit", "initial", "none"):
        return None
    return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(value)[:3])


def _marks(css):
    """The attributes by which tables.lua knows how CSS colours a cell; raises ValueError where it does more."""
    css = dict(re.findall(r"([\w-]+)\s*:\s*([^;]+?)\s*(?:;|$)", css.replace("!important", "")))
    colours = {"fill": css.get("background-color", css.get("background")), "text-fill": css.get("color")}
    marks = {name: _colour((value or "none").lower()) for name, value in colours.items()}
    if css.get("font-weight", "").strip() in ("bold", "bolder", "600", "700", "800", "900"):
        marks["weight"] = "bold"
    return "".join(f' data-{name}="{value}"' for name, value in marks.items() if value)


def coloured(html):
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


def whole(html):
    """HTML with what stands astray between the rows of a table before it, as browsers show it; pandoc gives up."""
    if not ASTRAY.search(html):
        return html
    soup = BeautifulSoup(html, "html.parser")
    for node in list(soup.descendants):
        expected = IN_TABLES.get(node.parent.name)
        if expected and node.name not in expected and str(node).strip() and not isinstance(node, Comment):
            table = node.find_parent("table")
            if table:
                table.insert_before(node.extract())
    return str(soup)
