"""Markdown to PDF: pandoc writes Typst, Typst writes the PDF."""

import json
import os
import re
from pathlib import Path

import pypandoc
import typst

from . import ReportError

HERE = Path(__file__).parent
READER = "commonmark+fenced_divs+raw_attribute+attributes"
MARKER = re.compile(r"^// cell (\d+) of (.*)$")


def to_typst(markdown, folder, *, search=".", bibliography="", strict=False):
    """The Typst text of a document; images are looked for in `folder` and `search` and copied to `folder`."""
    options = ["--wrap=none", f"--lua-filter={HERE / 'filter.lua'}"]
    options += [f"--resource-path={os.pathsep.join([str(folder), str(Path(search).resolve())])}"]
    options += ["-M", "strict=true"] * strict + ["-M", "with-bibliography=true"] * bool(bibliography)
    body = pypandoc.convert_text(markdown, "typst", READER, options, cworkdir=str(folder))
    if bibliography and "#cite(label(" in body:
        (folder / "references.bib").write_bytes(Path(bibliography).read_bytes())
        body += '\n#bibliography("references.bib", style: "apa")\n'
    return body


def _located(error, lines):
    """One line for each error that Typst reports, with the notebook and cell that it comes from."""
    found = []
    for report in re.split(r"\n(?=error: )", error.diagnostic):
        message = report.partition("\n")[0].removeprefix("error: ").removeprefix("panicked with: ")
        places = re.findall(r"main\.typ:(\d+):", report)
        markers = [m for m in map(MARKER.match, lines[: int(places[-1])]) if m] if places else []
        place = "notebook {1}, cell {0}: ".format(*markers[-1].groups()) if markers else ""
        found.append(place + message)
    return "\n".join(dict.fromkeys(found))


def to_pdf(body, folder, *, title, report, layout, timestamp, standard, system_fonts=False):
    """The PDF (bytes) of a Typst text; raises ReportError that names notebook and cell.

    `report` has the facts of the title page, `layout` the `paper` and the `size` of the text in points.
    With `system_fonts`, those of the machine stand in for characters that Typst's own lack.
    """
    (folder / "style.typ").write_text((HERE / "style.typ").read_text("utf-8"), "utf-8")
    start = f'#import "style.typ": *\n#show: page-style.with({json.dumps(title, ensure_ascii=False)})\n'
    (folder / "main.typ").write_text(start + body, "utf-8")
    options = {"ignore_system_fonts": not system_fonts, "pdf_standards": standard, "timestamp": timestamp}
    try:
        inputs = {"report": json.dumps(report), "layout": json.dumps(layout)}
        return typst.compile(folder / "main.typ", sys_inputs=inputs, **options)
    except typst.TypstError as error:
        raise ReportError(_located(error, (start + body).splitlines())) from error
