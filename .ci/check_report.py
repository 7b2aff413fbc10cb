"""Exit with an error unless the folder named on the command line holds a whole report: PDF and HTML."""

import re
import sys
import tomllib
from pathlib import Path

import nbformat
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent
TOP, BOTTOM = 28 * 72 / 25.4, 26 * 72 / 25.4  # margins of a page, in points
LARGEST_HOLE = 0.25


def captions(notebooks):
    """The labels of all figures and tables that the notebooks promise."""
    for name in notebooks:
        for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells:
            yield from re.findall(r'<a id="((?:fig|tbl)-[\w-]+)"></a>$', cell.source)


def holes(reader):
    """(Number of a page, the share of its text's height that is empty below the last text), from Section 1 on.

    The last page, which ends where the report does, is left out.
    """
    first = reader.get_destination_page_number(reader.outline[0])
    for number, page in enumerate(reader.pages[first:-1], first + 1):
        heights = []

        def note(text, page_at, at, *font, heights=heights):
            if text.strip():
                heights.append(at[5] * page_at[3] + page_at[5])

        page.extract_text(visitor_text=note)
        top = float(page.mediabox.height) - TOP
        yield number, (min((y for y in heights if y > BOTTOM), default=top) - BOTTOM) / (top - BOTTOM)


def main(folder):
    settings = tomllib.loads((ROOT / "notebooks" / "report.toml").read_text())
    labels = list(captions(settings["notebooks"]))
    reader = PdfReader(folder / "report.pdf")
    text = "\n".join(page.extract_text() for page in reader.pages)
    html = (folder / "report.html").read_text()
    n_figures = len(set(re.findall(r"Figure (\d+)", text)))
    n_tables = len(set(re.findall(r"Table (\d+)", text)))
    empty = list(holes(reader))
    checks = {
        "title": settings["title"] in text,
        "contents, bibliography": "Contents" in text and "Bibliography" in text,
        f"a bookmark for each of {len(settings['notebooks'])} sections": len(reader.outline)
        >= len(settings["notebooks"]),
        "figures": n_figures == sum(label.startswith("fig") for label in labels),
        "tables": n_tables == sum(label.startswith("tbl") for label in labels),
        "tagged": "/StructTreeRoot" in reader.trailer["/Root"],
        "HTML with every caption": all(f'id="{label}"' in html for label in labels),
        "no traceback": "Traceback" not in text + html,
        f"no page with a hole of more than {LARGEST_HOLE:.0%} at its foot": all(
            hole <= LARGEST_HOLE for _, hole in empty
        ),
    }
    for name, passed in checks.items():
        print("ok    " if passed else "FAILED", name)
    print(f"{len(reader.pages)} pages, {n_figures} figures, {n_tables} tables")
    print("largest holes:", ", ".join(f"page {n} {hole:.0%}" for n, hole in sorted(empty, key=lambda at: -at[1])[:5]))
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
