"""Exit with an error unless the folder named on the command line holds a whole report: PDF and HTML."""

import re
import sys
import tomllib
from pathlib import Path

import nbformat
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent


def captions(notebooks):
    """The labels of all figures and tables that the notebooks promise."""
    for name in notebooks:
        for cell in nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4).cells:
            yield from re.findall(r'<a id="((?:fig|tbl)-[\w-]+)"></a>$', cell.source)


def main(folder):
    settings = tomllib.loads((ROOT / "notebooks" / "report.toml").read_text())
    labels = list(captions(settings["notebooks"]))
    reader = PdfReader(folder / "report.pdf")
    text = "\n".join(page.extract_text() for page in reader.pages)
    html = (folder / "report.html").read_text()
    n_figures = len(set(re.findall(r"Figure (\d+)", text)))
    n_tables = len(set(re.findall(r"Table (\d+)", text)))
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
    }
    for name, passed in checks.items():
        print("ok    " if passed else "FAILED", name)
    print(f"{len(reader.pages)} pages, {n_figures} figures, {n_tables} tables")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
