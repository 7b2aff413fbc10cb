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


def convert(markdown, folder, to="typst", *, search=".", bibliography="", strict=False, passes=(), options=()):
    """The text of a document in pandoc's format `to`; images are looked for in `folder` and `search`.

    `passes`: Lua files that work on the tree before it is written (see filter.lua).  Raises ReportError with all that
    they find wrong.
    """
    metadata = {"strict": "true"} if strict else {}
    metadata |= {"bibliography": str(Path(bibliography).resolve())} if bibliography else {}
    pairs = [*metadata.items(), *(("passes", str(file)) for file in passes)]
    given = [
        "--wrap=none",
        f"--lua-filter={HERE / 'filter.lua'}",
        *(f"--metadata={k}={v}" for k, v in pairs),
        *options,
    ]
    given += [f"--resource-path={os.pathsep.join([str(folder), str(Path(search).resolve())])}"]
    try:
        return pypandoc.convert_text(markdown, to, READER, given, cworkdir=str(folder))
    except RuntimeError as error:
        raise ReportError(str(error).partition("during conversion: ")[2].strip()) from error


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
        for floats in (True, False):
            inputs = {"report": json.dumps(report), "layout": json.dumps(layout | {"floats": floats})}
            pdf, warnings = typst.compile_with_warnings(folder / "main.typ", sys_inputs=inputs, **options)
            if not any("converge" in warning.message for warning in warnings):
                break  # else numbers and pages could be wrong: without floats they are right
        return pdf
    except typst.TypstError as error:
        raise ReportError(_located(error, (start + body).splitlines())) from error
