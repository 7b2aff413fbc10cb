"""`python -m helpers.export one.ipynb two.ipynb -o both.pdf`: notebooks as one PDF, or as one HTML page."""

import argparse
import logging
import sys
from pathlib import Path

from . import ReportError
from .exporter import TypstPDFExporter
from .files import replace
from .html import PageExporter
from .join import JOIN, join


def main():
    """Write the PDF or the page; return an exit status: 0, or 1 after an error that is told in one message."""
    parser = argparse.ArgumentParser(prog="python -m helpers.export", description=__doc__)
    parser.add_argument("notebooks", nargs="+", metavar="NOTEBOOK.ipynb")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.pdf|html")
    parser.add_argument("--title", help="without one, the name of the file")
    parser.add_argument("--bibliography", default="", metavar="FILE.bib")
    given = parser.parse_args()
    try:
        nb, folder = join(given.notebooks, given.title or given.output.stem)
        options = {"bibliography": given.bibliography, "contents": len(given.notebooks) > 1}
        kind = PageExporter if given.output.suffix == ".html" else TypstPDFExporter
        exporter = kind(passes=[JOIN], log=logging.getLogger("export"), **options)
        made, _ = exporter.from_notebook_node(nb, {"metadata": {"name": given.output.stem, "path": str(folder)}})
        replace({given.output: made})
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {given.output} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
