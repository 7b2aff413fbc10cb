"""Markdown to PDF: pandoc writes Typst, Typst writes the PDF."""

import json
import os
import re
from pathlib import Path

import pypandoc
import typst

from . import ReportError, maths, pages
from .outputs import shorten
from .tex import Unreadable, definitions

HERE = Path(__file__).parent
READER = "commonmark+fenced_divs+raw_attribute+attributes"
TEXT = r'("(?:[^"\\]|\\.)*")'  # a string of Typst
MATHS = re.compile(rf"#maths\({TEXT}, block: (true|false|rows)(?:, label: {TEXT})?\)\[\];")
SET = re.compile(rf"#maths\({TEXT}\)\[(?:[^$\\]|\\.)*?\$(?:\"(?:[^\"\\]|\\.)*\"|[^$\"\\]|\\.)*\$[^\]]*\];")
PICTURE = re.compile(rf"#picture(?:-in-line)?\({TEXT}[^\n]*?\);")
START = 2  # lines before the body
MARKER = re.compile(r"^// cell (\d+) of (.*)$")


class TypesetError(ReportError):
    """What Typst cannot set: its `line` and `column` in the body, or None where it lies elsewhere, in a picture."""

    def __init__(self, message, line, column, folder):
        super().__init__(message)
        self.line, self.column, self._folder = line, column, folder

    def draws(self, name):
        """Whether Typst can draw the picture of this name, a string of Typst."""
        (self._folder / "picture.typ").write_text(f"#image({name})")
        try:
            typst.compile(self._folder / "picture.typ")
        except typst.TypstError:
            return False
        return True


def convert(
    markdown, folder, to="typst", *, search=".", bibliography=(), language="en", strict=False, passes=(), options=()
):
    """The text of a document in pandoc's format `to`; images are looked for in `folder` and `search`.

    `passes`: Lua files that work on the tree before it is written (see filter.lua).  Raises ReportError with all that
    they find wrong.
    """
    pairs = [("lang", language), *([("strict", "true")] if strict else [])]
    pairs += [("passes", str(file)) for file in passes]
    pairs += [("bibliography", str(Path(file).resolve())) for file in bibliography]
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


def with_maths(body, strict, log):
    """Typst with its maths, which writing.lua leaves as TeX; what cannot be read stays TeX, with a warning.

    Raises ReportError with all that cannot be read if `strict`.
    """
    macros, problems = {}, []

    def written(found):
        string, block, label = found.groups()
        defined, tex = definitions(re.sub(r"\\(.)", r"\1", string[1:-1]))
        macros.update(defined)
        if not tex.strip():
            return ""
        try:
            if block == "rows":
                return f"#maths({string})[{maths.typst_rows(tex, macros)}];"
            formula = maths.typst(tex, macros)
        except Unreadable as error:
            problems.append(
                f"{_cell(body[: found.start()].splitlines())}the maths {tex:.80} cannot be read ({error})"
            )
            return _source(found)
        space = " " if block == "true" else ""
        label = f" #label({label})" if label else ""
        return f"#maths({string})[${space}{formula}{space}${label}];"

    body = MATHS.sub(written, body)
    if strict and problems:
        raise ReportError("\n".join(problems))
    for problem in problems:
        log.warning(problem)
    return body


def _source(found):
    """The Typst that shows the TeX of a formula that MATHS or SET has found."""
    return f"#raw({found.group(1)});"


def without(body, error):
    """(Typst without the piece that `error`, a TypesetError, is about, the name of that piece), or None.

    A formula is replaced by its TeX, a picture by words, anything else by the source of its cell.
    """
    lines = body.splitlines()
    if error.line is None:
        pictures = [found for found in PICTURE.finditer(body) if not error.draws(found[1])]
        if not pictures:
            return None
        found = pictures[0]
        name = f"{_cell(body[: found.start()].splitlines())}a picture"
        return f"{body[: found.start()]}[picture that cannot be read]{body[found.end() :]}", name
    place = _cell(lines[: error.line])
    for found in SET.finditer(lines[error.line - 1]):
        if found.start() <= error.column < found.end():
            line = lines[error.line - 1]
            lines[error.line - 1] = line[: found.start()] + _source(found) + line[found.end() :]
            return "\n".join(lines), f"{place}the maths {found[1]:.80}"
    starts = [i for i, line in enumerate(lines) if MARKER.match(line)]
    start = max((i for i in starts if i < error.line), default=None)
    if start is None:
        return None
    end = min((i for i in starts if i > start), default=len(lines))
    shown = json.dumps(shorten("\n".join(lines[start + 1 : end]).strip()), ensure_ascii=False)
    lines[start + 1 : end] = [f"#raw(block: true, {shown})", ""]
    return "\n".join(lines), f"{place}the cell"


def _cell(lines):
    """The notebook and cell that the last of these lines belongs to, as messages begin, or nothing."""
    marker = next(filter(None, map(MARKER.match, reversed(lines))), None)
    return "notebook {1}, cell {0}: ".format(*marker.groups()) if marker else ""


def _located(error, lines):
    """One line for each error that Typst reports, with the notebook and cell that it comes from."""
    found = []
    for report in re.split(r"\n(?=error: )", error.diagnostic):
        message = report.partition("\n")[0].removeprefix("error: ").removeprefix("panicked with: ")
        places = re.findall(r"main\.typ:(\d+):", report)
        found.append((_cell(lines[: int(places[-1])]) if places else "") + message)
    return "\n".join(dict.fromkeys(found))


def to_pdf(body, folder, *, title, report, layout, timestamp, standard, system_fonts=False):
    """The PDF (bytes) of a Typst text; raises ReportError that names notebook and cell.

    `report` has the facts of the title page, `layout` the `paper` and the `size` of the text in points.
    With `system_fonts`, those of the machine stand in for characters that Typst's own lack.
    """
    (folder / "style.typ").write_text((HERE / "style.typ").read_text("utf-8"), "utf-8")
    start = f'#import "style.typ": *\n#show: page-style.with({json.dumps(title, ensure_ascii=False)})\n'
    (folder / "main.typ").write_text(start + body, "utf-8")
    inputs = {"report": json.dumps(report), "layout": json.dumps(layout)}
    try:
        compiler = typst.Compiler(folder / "main.typ", sys_inputs=inputs, ignore_system_fonts=not system_fonts)
        made = {"format": "pdf", "pdf_standards": standard, "timestamp": timestamp}
        (folder / "plan.json").write_text("{}")
        pdf = compiler.compile(**made)  # raises what is wrong, with its place
        return compiler.compile(**made) if pages.settle(compiler, folder / "plan.json") else pdf
    except typst.TypstError as error:
        places = re.findall(r"(?<=[/ ])main\.typ:(\d+):(\d+)", error.diagnostic)
        line, column = (int(places[0][0]) - START, int(places[0][1]) - 1) if places else (None, None)
        raise TypesetError(_located(error, (start + body).splitlines()), line, column, folder) from error
