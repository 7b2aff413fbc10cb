"""The report: small notebooks made here, typeset, and looked at as Typst text or as the PDF's own objects."""

import base64
import io
import logging
import os
import re
import resource
import runpy
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace as replaced
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from pypdf import PdfReader

from helpers import data, runs
from helpers.export import ReportError, markdown, revision, typeset
from helpers.export.exporter import TypstPDFExporter
from helpers.export.files import replace
from helpers.export.html import PageExporter
from helpers.report import command, facts
from helpers.report.execute import execute
from helpers.report.reuse import Executed
from helpers.report.stitch import stitch
from helpers.training import Run

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="60pt"><rect width="9" height="9"/></svg>'
TABLE = "<div><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table></div>"
REPORT = {"title": "T", "subtitle": "", "authors": [], "course": "", "warning": None, "date": "", "facts": {"A": "b"}}


def display(**data):
    return new_output("display_data", data={mime.replace("__", "/"): value for mime, value in data.items()})


def code(*outputs, tags=()):
    return new_code_cell("1", outputs=list(outputs), metadata={"tags": list(tags)})


def text(source, tags=()):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def figure(name, caption="A line."):
    return [code(display(**{"image__svg+xml": SVG})), text(f'<a id="fig-{name}"></a>**Figure 7.** {caption}')]


def notebook(*parts):
    return new_notebook(cells=[cell for part in parts for cell in (part if isinstance(part, list) else [part])])


def typeset_text(nb, monkeypatch, **settings):
    """The PDF of a notebook and the Typst text it was made from."""
    bodies = []
    compile_ = typeset.to_pdf
    monkeypatch.setattr(typeset, "to_pdf", lambda body, *a, **k: bodies.append(body) or compile_(body, *a, **k))
    pdf, _ = TypstPDFExporter(**settings).from_notebook_node(nb, {"metadata": {"name": "nb"}})
    return pdf, bodies[0]


def report(*notebooks, monkeypatch, **settings):
    nb = stitch([(f"n{i}", nb) for i, nb in enumerate(notebooks)], REPORT)
    return typeset_text(nb, monkeypatch, strict=True, passes=command.PASSES, **settings)


def page(*notebooks, bibliography=""):
    """The HTML report of notebooks n0, n1, ..., parsed."""
    nb = stitch([(f"n{i}", nb) for i, nb in enumerate(notebooks)], REPORT)
    exporter = PageExporter(strict=True, passes=command.PASSES, bibliography=str(bibliography))
    return BeautifulSoup(exporter.from_notebook_node(nb, {"metadata": {"name": "T"}})[0], "html.parser")


def words(element):
    return " ".join(element.get_text(" ").split())


def hostile():
    first = text(
        "# One ![x](attachment:a.png)\nλ ≤ ✓ 漢字, $5 or $6, $ x $, $m \\odot n \\cap o$\n\n"
        "\\begin{align}\na &= b \\tag{2}\n\\end{align}\n"
        "[gone](#nowhere) <cite data-cite='k'>Foo (2000)</cite> $\\foo$ ![no](missing.png)\n\n---\n\n```\nopen fence"
    )
    first.attachments = {"a.png": {"image/png": PNG}}
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "HBox()"}
    second = text("<img src='attachment:a.png' width='50%'>")
    second.attachments = {"a.png": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()}}
    return notebook(
        first,
        second,
        new_raw_cell("\\LaTeX{} #panic()"),
        code(display(text__html=TABLE, text__plain="a"), display(text__latex="$\\frac12$")),
        code(display(text__markdown="a price of $3, $ z $", text__plain="<Markdown>")),
        code(new_output("stream", text="\x1b[31mred\x1b[0m ```` #panic()\n")),
        code(new_output("error", ename="E", evalue="v", traceback=["\x1b[31mTraceback", "E: v"])),
        code(new_output("display_data", data=widget)),
        code(display(image__png=PNG, text__html="<b>no table</b>", text__plain="Figure")),
        code(),
        text('<a id="fig-unrun"></a>**Figure 1.** Of a cell that was not run.'),
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with one notebook, built in this process."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/report.toml").write_text('title = "T"\nnotebooks = ["one"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("DATASET", "digits")
    monkeypatch.setenv("BUILD", str(tmp_path / "out"))
    monkeypatch.setattr(sys, "argv", ["report"])
    return tmp_path


@pytest.mark.parametrize("in_the_machine", [True, False])
def test_pdf_ua_is_lost_only_for_a_character_that_no_font_has(in_the_machine, monkeypatch, caplog):
    typed = typeset.to_pdf

    def as_if_typst_lacked_a_character(body, folder, *, standard, system_fonts=False, **options):
        if standard and not (system_fonts and in_the_machine):
            raise ReportError('the text `"字"` could not be displayed with font')
        return typed(body, folder, standard=standard, **options)

    monkeypatch.setattr(typeset, "to_pdf", as_if_typst_lacked_a_character)
    with caplog.at_level(logging.WARNING):
        pdf, _ = TypstPDFExporter().from_notebook_node(notebook(text("# One")))
    assert (b"pdfuaid" in pdf) == in_the_machine
    assert ("The PDF is not PDF/UA-1" in caplog.text) != in_the_machine


def test_hostile_notebook_is_typeset_and_says_what_is_missing(monkeypatch, caplog):
    with caplog.at_level(logging.WARNING):
        pdf, body = typeset_text(hostile(), monkeypatch, log=logging.getLogger())
    assert pdf.startswith(b"%PDF")
    assert "widget-view+json (notebook nb, cell 8)" in caplog.text
    for expected in (
        r"\$5 or \$6",
        r"of \$3",
        "$z$",
        "$x$",
        'a & "" \\= b',
        "table.header",
        "Foo (2000)",
        "red ```` #panic()",
        "E: v",
    ):
        assert expected in body
    for absent in ("\x1b", "HBox", "no table", "LaTeX", "attachment:"):
        assert absent not in body
    assert [name.rpartition(".")[2] for name in re.findall(r'#picture\("([^"]+)"', body)] == ["png", "svg", "png"]
    assert "// cell 9 of nb" in body


def test_maths_is_read_as_jupyterlab_reads_it():
    plain = markdown.plain_maths("`$a$` $a$ and $ b $, $5 or $6, \\$7\n$$\nx\n+ y % z\n$$\n```\n$ k $\n```")
    assert plain == "`$a$` $a$ and $b$, \\$5 or \\$6, \\$7\n$$x + y$$\n```\n$ k $\n```"


def three_links(*, computed=False):
    """Two sections with wrong numbers typed in; the links of the first are typed or computed."""
    links = "See [Figure 9](#fig-b), [section 5](n1.ipynb#The-end-of-x) and [Table 7](n1.ipynb#tbl-t)."
    first = notebook(text("# One"), *figure("a"), code(display(text__markdown=links)) if computed else text(links))
    table = [code(display(text__html=TABLE, text__plain="a")), text("<a name='tbl-t'></a> **Table 3.** All of $x$.")]
    equation = text('<a id="eq-e"></a>\n$$x\n= 1$$\n\n[Equation 7](#eq-e), [Fig. 8](n0.ipynb#fig-a)')
    return first, notebook(text("# Two"), *figure("b"), *table, equation, text("## The `end` of x"), text("# Three"))


@pytest.mark.parametrize("computed", [False, True])
def test_captions_and_links_have_the_true_numbers_in_both_outputs(computed, monkeypatch):
    soup = page(*three_links(computed=computed))
    links = {words(a): a["href"] for a in soup.select("p a, figcaption a")}
    assert links | {"code": ""} == {
        "Figure 2": "#fig-b",
        "section 2.1": "#n1--The-end-of-x",
        "Table 1": "#tbl-t",
        "Equation 1": "#eq-e",
        "Fig. 1": "#fig-a",
        "code": "",
    }
    assert [words(caption)[:9] for caption in soup.find_all("figcaption")] == ["Figure 1.", "Figure 2.", "Table 1. "]
    assert [words(h) for h in soup.main.find_all(["h1", "h2"])] == ["1 One", "2 Two", "2.1 The end of x", "3 Three"]
    assert words(soup.select_one(".equation .number")) == "(1)"
    pdf, body = report(*three_links(computed=computed), monkeypatch=monkeypatch)
    assert '#ref(label("fig-b"), supplement: [Figure])' in body
    assert '#ref(label("n1--The-end-of-x"), supplement: [section])' in body
    text_of = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
    assert "See Figure 2, section 2.1 and Table 1." in text_of


def test_references_of_tex_and_myst_have_the_true_numbers_in_both_outputs(monkeypatch):
    equations = text(r"$$x \label{m}$$" + "\n\n<a id='eq-old'></a>\n$$y \\tag{7}$$\n\n$$z \\tag{T} \\label{t}$$")
    referring = text(r"# Two" + "\n\n" + r"By \eqref{m}, \ref{old}, @eq-old, \eqref{t}, {ref}`n0` and $a \eqref{m}$.")
    soup = page(notebook(text("# One"), equations), notebook(referring))
    assert [words(number) for number in soup.select(".equation .number")] == ["(1)", "(2)", "(T)"]
    said = "".join(soup.main.find_all("p")[-1].get_text().split())
    assert said.startswith("By(1),2,Equation2,(T),Section1and")
    assert "a(1)" in said
    pdf, _ = report(notebook(text("# One"), equations), notebook(referring), monkeypatch=monkeypatch)
    last = " ".join(PdfReader(io.BytesIO(pdf)).pages[-1].extract_text().split())
    assert "𝑥 (1) 𝑦 (2) 𝑧 (T)" in last
    assert "By (1), 2, Equation 2, (T), Section 1 and 𝑎(1)." in last.replace("\xa0", " ")
    with pytest.raises(ReportError, match="notebook n1, cell 1: the label m stands in more than one equation"):
        report(
            notebook(text("# One"), equations), notebook(text(r"$$\label{m} y$$"), referring), monkeypatch=monkeypatch
        )


HOLES = runpy.run_path(str(Path(__file__).parents[1] / ".ci/check_report.py"))["holes"]


def lengthy(n_rows):
    rows = [f"| row{i} | {i} |" for i in range(n_rows)]
    table = "\n".join(["| head | number |", "|---|---|", *rows])
    return [code(display(text__markdown=table)), text('<a id="tbl-tall"></a>**Table 1.** Tall.')]


def tall(points):
    large = SVG.replace("60pt", f"{points}pt")
    return [code(display(**{"image__svg+xml": large})), text('<a id="fig-tall"></a>**Figure 1.** Tall.')]


def pages_of(*parts, monkeypatch):
    """The text of each page of a report with these parts after some text, and the holes at their feet."""
    pdf, _ = report(notebook(text("# One"), text("word " * 420), *parts), monkeypatch=monkeypatch)
    reader = PdfReader(io.BytesIO(pdf))
    return [" ".join(page.extract_text().split()) for page in reader.pages], dict(HOLES(reader)), reader


@pytest.mark.parametrize("kind", ["Figure", "Table"])
def test_the_list_of_figures_and_links_lead_to_the_page_where_a_figure_stands(kind, monkeypatch):
    large = {"Figure": tall(430), "Table": lengthy(25)}[kind]
    link = text(f"[{kind} 1](#{kind[:3].lower().replace('tab', 'tbl')}-tall)")
    pages, _, reader = pages_of(*large, text("word " * 300), link, monkeypatch=monkeypatch)
    shown = next(i for i, page in enumerate(pages) if f"{kind} 1. Tall." in page)
    assert re.search(rf"{kind} 1 Tall\.[ .]*(\d+)", pages[1])[1] == str(shown + 1)
    assert shown == 3  # the text goes on where the figure has no room
    assert pages[2].count("word") > 450
    links = [ref.get_object() for page in reader.pages[2:] for ref in page.get("/Annots", [])]
    targets = {reader.get_page_number(link["/Dest"].get_object()[0].get_object()) for link in links}
    assert targets == {shown}


def test_a_long_table_breaks_where_no_text_could_fill_its_page(monkeypatch):
    pages, holes, _ = pages_of(lengthy(24), text("## Next\n\nword"), monkeypatch=monkeypatch)
    first, last = (set(map(int, re.findall(r"row(\d+)", page))) for page in pages[2:4])
    assert min(len(first), len(last)) >= 3
    assert first | last == set(range(24))
    assert all("head number" in page for page in pages[2:4])  # the head is repeated
    assert max(holes.values()) < 0.12


def test_a_row_is_broken_only_if_it_is_long(monkeypatch):
    long = [lengthy(24), lengthy(24)]
    for (cell, _), n_words in zip(long, (30, 900), strict=True):
        table = cell.outputs[0].data["text/markdown"]
        cell.outputs[0].data["text/markdown"] = re.sub(r"row(\d+) \|", rf"from\1 {'word ' * n_words}to\1 |", table)
        pages, _, _ = pages_of([cell, long[0][1]], text("word"), monkeypatch=monkeypatch)
        whole = [re.findall(r"from(\d+)", page) == re.findall(r"to(\d+)", page) for page in pages[2:]]
        assert all(whole) == (n_words == 30)
        assert "to23" in pages[-1] + pages[-2]  # nothing is lost


def test_a_small_table_is_not_broken_and_passes_no_section(monkeypatch):
    words = text("word " * 160)  # leaves room for some of the rows
    pages, _, _ = pages_of(words, lengthy(6), text("# Two\n\n" + "word " * 300), monkeypatch=monkeypatch)
    (shown,) = (page for page in pages if "row0" in page)
    assert all(f"row{i}" in shown for i in range(6))
    assert re.search(r"Table 1 Tall\.[ .]*(\d+)", pages[1])[1] == str(pages.index(shown) + 1)
    assert shown.index("row5") < shown.index("2 Two")


def test_a_figure_comes_after_no_more_than_one_heading_below_the_one_above_it(monkeypatch):
    more = [text(f"## {name}\n\n" + "word " * 400) for name in ("Second", "Third")]
    pages, _, _ = pages_of(tall(430), *more, monkeypatch=monkeypatch)
    body = " ".join(pages[2:])
    assert "Second" in pages[2]  # rather than a hole
    assert body.index("Figure 1. Tall.") < body.index("Third")


def test_a_heading_right_above_a_figure_goes_with_it(monkeypatch):
    pages, _, _ = pages_of(text("## Shown"), tall(430), text("## Next\n\nword"), monkeypatch=monkeypatch)
    (shown,) = (page for page in pages[2:] if "Figure 1. Tall." in page)
    assert "1.1 Shown" in shown


def test_an_anchor_above_a_figure_is_that_of_its_caption(monkeypatch):
    drawn = code(display(**{"image__svg+xml": SVG}))
    under = [drawn, text('<a id="fig-a"></a>**Figure 1.** A line.')]
    above = [text('<a id="fig-a"></a>'), drawn, text("**Figure 1.** A line.")]
    bodies = [
        report(notebook(text("# One\n\n[Figure 1](#fig-a)"), cells), monkeypatch=monkeypatch)[1]
        for cells in (under, above)
    ]
    assert '#label("fig-a")' in bodies[0]
    bare = [re.sub(r"// cell .*\n\s*", "", body) for body in bodies]
    assert bare[0] == bare[1]


def test_a_heading_in_an_output_is_no_section(monkeypatch):
    nb = notebook(text("# One"), code(display(text__markdown="# Loud\n\n### Deep\n\nsaid")), text("## Two"))
    assert [words(h) for h in page(nb).main.find_all(["h1", "h2", "h3"])] == ["1 One", "1.1 Two"]
    _, body = report(nb, monkeypatch=monkeypatch)
    assert "#strong[Loud]" in body


def test_all_that_is_wrong_is_told_at_once(monkeypatch):
    nb = notebook(
        text("# One\n\n[a](#gone) and [b](02_left_out.ipynb#x)"),
        text('Here <a id="fig-c"></a>**Figure 1.** is no caption.'),
        text('<a id="mine"></a>'),
        code(display(text__markdown='<a id="mine"></a> [c](#lost)')),
    )
    with pytest.raises(ReportError) as error:
        report(nb, monkeypatch=monkeypatch)
    for expected in (
        "cell 1: the link to #gone",
        "cell 1: the link to 02_left_out.ipynb#x",
        "cell 2: the anchor fig-c belongs to no caption",
        "cell 4: the anchor mine stands in notebook n0, cell 3 too",
        "cell 4: the link to #lost",
    ):
        assert f"notebook n0, {expected}" in str(error.value)


def test_numbers_are_written_as_people_write_them():
    table = "| a | b | c |\n|---|---|---|\n| 1.5 | -1 | 0.25 ± 0.1 |\n| 10 | 1e+01 | 12 ± 0.05 |"
    soup = page(
        notebook(
            text("# One\n\nIt is 6.3e-08, 2e+03, -0.5 and 0.2 ± 0.1, not `1e-08`."),
            code(display(text__markdown=table)),
        )
    )
    assert words(soup.main.find_all("p")[-1]) == "It is 6.3 · 10 −8 , 2000, −0.5 and 0.2 ± 0.1, not 1e-08 ."
    assert "0.2\u00a0±\u00a00.1" in str(soup)
    cells_ = [cell.get_text() for cell in soup.find_all("td")]
    assert cells_ == [
        "1.5",
        "−1",
        "\u20070.25\u00a0±\u00a00.1\u2007".lstrip("\u2007"),
        "10\u2008\u2007",
        "10",
        "12\u2008\u2007\u2007\u00a0±\u00a00.05",
    ]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (text("See [Figure 1](#fig-none)."), "notebook n0, cell 2: .*#fig-none has no target"),
        (text('<a id="fig-none"></a>**Figure 1.** Nothing.'), "notebook n0, cell 2: .*nothing to caption"),
        (text('A <a href="#none">link</a>.'), "notebook n0, cell 2: .*none"),
        (text("<cite data-cite='none'>None (1900)</cite>"), "notebook n0, cell 2: .*none"),
        (text("$\\foo$"), "notebook n0, cell 2: .*foo"),
        (text("漢"), "notebook n0, cell 2: .*漢"),
        (text("![x](none.png)"), "notebook n0, cell 2: .*none.png"),
    ],
)
def test_errors_name_notebook_and_cell(cell, message, monkeypatch, tmp_path):
    bibliography = tmp_path / "a.bib"
    bibliography.write_text("@book{known, title={T}, author={A, B}, year={1999}}")
    with pytest.raises(ReportError, match=message):
        report(notebook(text("# One"), cell, text("end")), monkeypatch=monkeypatch, bibliography=str(bibliography))


def test_citations_are_in_one_style_in_both_outputs(monkeypatch, tmp_path):
    bibliography = tmp_path / "a.bib"
    bibliography.write_text("@book{known, title={The Title}, author={Able, Ann}, year={1999}}")
    nb = notebook(
        text("# One\n\nBy <cite data-cite='known'>B (1999)</cite> <cite data-cite='known'>(B 1999)</cite>.")
    )
    soup = page(nb, bibliography=bibliography)
    assert "By Able ( 1999 ) ( Able 1999 )." in words(soup.main)
    assert words(soup.find(id="ref-known")) == "Able, Ann. 1999. The Title ."
    pdf, _ = report(nb, monkeypatch=monkeypatch, bibliography=str(bibliography))
    last = " ".join(PdfReader(io.BytesIO(pdf)).pages[-1].extract_text().split())
    assert "By Able (1999) (Able 1999)." in last
    assert "Bibliography Able, Ann. 1999. The Title." in last


def test_the_page_loads_nothing_from_a_network_and_has_maths_notes_and_foldable_code():
    nb = notebook(
        text("# One\n\n$a_1 * b_2 < 3$ and `$c$` for $5.[^n]\n\n[^n]: A note.\n\n![far](https://a.invalid/b.png)"),
        *figure("a", "It rises."),
        code(tags=["show-input"]),
        text("```python\nin_the_text\n```"),
    )
    nb.cells[1].outputs[0].metadata["alt"] = "A line from *1* to 2."
    soup = page(nb)
    assert str(soup) == str(page(nb))
    loaded = [element.get(name, "") for element in soup.find_all(True) for name in ("src", "srcset", "data")]
    assert all(url.startswith("data:") for url in loaded if url)
    assert not soup.find_all("link")
    assert words(soup.math.mrow) == "a 1 * b 2 < 3"
    assert soup.find("code", string="$c$")
    assert "A note." in words(soup.find(id="fn1"))
    assert soup.img.get("alt") or soup.img["aria-label"] == "A line from *1* to 2."
    assert [("open" in found.attrs, "1" in words(found.pre)) for found in soup.select("details.code")] == [
        (False, True),
        (True, True),
    ]
    assert "in_the_text" not in "".join(map(words, soup.select("details.code")))
    assert soup.find("a", class_="to-code")["href"] == f"#{soup.details['id']}"


def test_stitching_keeps_ids_apart_and_moves_the_appendix():
    def one(name):
        nb = notebook(
            text(f"# {name}"),
            text("## Details\n\ntext", ["appendix"]),
            text("## Conclusion\n\n[there](#Conclusion) [note](#own)"),
            code(new_output("stream", name="stderr", text="50%|## | 1/2\r100%|##| 2/2")),
            code(tags=["show-input"]),
            text(f'<a id="{"own" if name == "A" else "other"}"></a>' + ("" if name == "A" else "[own](#own)")),
        )
        for index, cell in enumerate(nb.cells):
            cell.id = f"cell{index}"
        return nb

    nb = stitch([("n0", one("A")), ("n1", one("B"))], REPORT)
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)
    soup = page(one("A"), one("B"))
    assert [(words(h), h["id"]) for h in soup.main.find_all(["h1", "h2"])] == [
        ("1 A", "n0"),
        ("1.1 Conclusion", "n0--Conclusion"),
        ("2 B", "n1"),
        ("2.1 Conclusion", "n1--Conclusion"),
        ("Appendix", "appendix"),
        ("A Details", "n0--Details"),
        ("B Details", "n1--Details"),
    ]
    links = [a["href"] for a in soup.main.select("p a")]
    assert links == ["#n0--Conclusion", "#own", "#n1--Conclusion", "#own", "#own"]
    codes = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert [cell.metadata.tags for cell in codes] == [["hide-input"], ["show-input"]] * 2
    assert not any(cell.outputs for cell in codes)


def test_the_appendix_is_lettered_and_the_abstract_is_on_the_title_page(monkeypatch):
    nb = notebook(
        text("# One"),
        text("In short.", ["abstract"]),
        code(display(text__markdown="In figures.", text__plain="<Markdown>"), tags=["abstract"]),
        text("## More", ["appendix"]),
        text("See [appendix B](#More)."),
    )
    _, body = report(nb, monkeypatch=monkeypatch)
    assert (
        body.index("#abstract[")
        < body.index("In short.")
        < body.index("In figures.")
        < body.index("#show: body-pages")
        < body.index("= One")
    )
    assert body.index("See ") < body.index("#show: appendix") < body.index("= More")
    assert body.count("In short.") == 1


def test_same_notebook_same_bytes_and_another_date_others(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    nb = notebook(text("# One"), *figure("a"))
    pdf = report(nb, monkeypatch=monkeypatch)[0]
    assert pdf == report(nb, monkeypatch=monkeypatch)[0]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    dated = report(nb, monkeypatch=monkeypatch)[0]
    assert b"20010909" in dated
    assert b"19800101" in pdf


def test_wide_tables_shrink_and_plain_ones_do_not(monkeypatch):
    def markdown(columns):
        row = "|" + " 0.123456789 |" * columns
        return display(text__markdown="\n".join([row, "|" + "---|" * columns, row]), text__plain="<Markdown>")

    _, body = typeset_text(notebook(code(markdown(3))), monkeypatch)
    assert "set text(size" not in body
    _, body = typeset_text(notebook(code(markdown(14))), monkeypatch)
    assert float(re.search(r"set text\(size: ([\d.]+)em", body)[1]) < 0.7


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_build_executes_once_and_a_failure_keeps_the_last_report(folder, capsys, monkeypatch):
    source = folder / "notebooks/one.ipynb"
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    nbformat.write(notebook(text("# One"), new_code_cell(plot), text('<a id="fig-a"></a>**Figure 1.** Up.')), source)
    before = source.read_bytes()
    assert command.main() == 0
    first = (folder / "out/report.pdf").read_bytes()
    assert b"image/svg+xml" in (folder / "out/notebooks/one.ipynb").read_bytes()
    assert "Figure 1" in (folder / "out/report.html").read_text()
    assert source.read_bytes() == before
    with monkeypatch.context() as patch:
        patch.setattr("helpers.report.execute.execute", None)  # what is unchanged must not be executed again
        assert command.main() == 0
    assert (folder / "out/report.pdf").read_bytes() == first

    nbformat.write(notebook(text("# One"), new_code_cell("1 / 0")), source)
    assert command.main() == 1
    assert re.search(r"error: notebook one, cell 2 failed:(.|\n)*ZeroDivisionError", capsys.readouterr().err)
    assert (folder / "out/report.pdf").read_bytes() == first
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["notebooks", "report.html", "report.pdf"]


@pytest.mark.parametrize(
    ("settings", "messages"),
    [
        ('authors = "Ada"', ["`authors` must be a list of texts"]),
        ("timeout = true", ["`timeout` must be a whole number above 0, not True"]),
        ("timeout = 0\nsubtitle = 3", ["`timeout` must be", "`subtitle` must be a text in quotes, not 3"]),
        ('author = ["Ada"]', ["no setting `author`; those there are: title"]),
        ('run_last = ["two"]\nbibliography = "a.bib"', ["`run_last` names two", "a.bib, which is not in notebooks"]),
        ("= 3", ["report.toml cannot be read"]),
    ],
)
def test_settings_that_are_wrong_are_told_at_once(settings, messages, folder, capsys):
    nbformat.write(notebook(text("# One")), folder / "notebooks/one.ipynb")
    with open(folder / "notebooks/report.toml", "a") as file:
        file.write(settings)
    assert command.main() == 1
    told = capsys.readouterr().err
    assert all(message in told for message in messages), told


@pytest.mark.parametrize(
    ("names", "content", "messages"),
    [
        (["one", "one", "none"], None, ["names one 2 times", "names none, but there is no notebooks/none.ipynb"]),
        ([], None, ["names no notebook"]),
        (["one"], "", ["one.ipynb is not a Jupyter notebook"]),
        (["one"], "[]", ["one.ipynb is not a Jupyter notebook"]),
        (["one"], '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', ["notebook one is empty"]),
    ],
)
def test_notebooks_that_cannot_be_a_report_are_told_at_once(names, content, messages, folder, capsys):
    nbformat.write(notebook(text("# One")), folder / "notebooks/one.ipynb")
    if content is not None:
        (folder / "notebooks/one.ipynb").write_text(content)
    (folder / "notebooks/report.toml").write_text(f'title = "T"\nnotebooks = {names}')
    assert command.main() == 1
    told = capsys.readouterr().err
    assert all(message in told for message in messages), told


def test_what_is_wrong_in_the_text_is_told_before_anything_runs(folder, capsys, monkeypatch):
    monkeypatch.setattr("helpers.report.execute.execute", None)
    good = [
        text("# One\n\nSee [Figure 1](#fig-a), [this](#made-here)."),
        new_code_cell("print()"),
        text('<a id="fig-a"></a>**Figure 1.** Drawn later.'),
        new_code_cell("""Markdown('<a id="made-here"></a>')"""),
        new_code_cell("x", metadata={"tags": ["abstract"]}),
    ]
    nb = notebook(*good, text("[x](#gone)"), text("[y](#lost)"))
    nbformat.write(nb, folder / "notebooks/one.ipynb")
    assert command.main() == 1
    told = capsys.readouterr().err
    assert "notebook one, cell 6: the link to #gone" in told
    assert "notebook one, cell 7: the link to #lost" in told
    assert told.count("notebook one") == 2


@pytest.mark.parametrize("change", ["source", "metadata", "run", "choice", "copy", "data", "nothing"])
def test_an_executed_notebook_is_kept_only_if_nothing_that_determined_it_has_changed(change, results, tmp_path):
    run = Run({"seed": 0}, "", 0, {}, {})
    runs.write("used", run, {})
    nb, dataset = notebook(text("# One")), data.load("digits")
    nbformat.write(nb, tmp_path / "one.ipynb")
    first = Executed(tmp_path, dataset)
    assert first.find("one", nb) is None
    first.runs["one"] = ["used"]
    first.save()
    if change == "source":
        nb.cells[0].source = "# Two"
    elif change == "metadata":
        nb.cells[0].metadata["tags"] = ["appendix"]
    elif change == "run":
        runs.write("used", run, {"W": np.ones(3)})
    elif change == "choice":
        (results / "chosen-digits.json").write_text("{}")
    elif change == "copy":
        nbformat.write(notebook(text("# Two")), tmp_path / "one.ipynb")
    elif change == "data":
        dataset = replaced(dataset, fingerprint="other pixels")
    assert (Executed(tmp_path, dataset).find("one", nb) is None) == (change != "nothing")


def test_lists_of_figures_and_tables_have_the_first_sentence(monkeypatch):
    table = [
        code(display(text__html=TABLE, text__plain="a")),
        text('<a id="tbl-t"></a>**Table 3.** All of $x$: each. More.'),
    ]
    pdf, _ = report(notebook(text("# One"), *figure("a", "Up. Then down."), *table), monkeypatch=monkeypatch)
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]
    assert re.search(r"Figures Figure 1 Up\. [. ]*\d", pages[1])
    assert re.search(r"Tables Table 1 All of .\. [. ]*\d", pages[1])
    assert ": each. More." in pages[-1]
    assert "each" not in pages[1]
    assert "Figure 1. Up. Then down." in pages[-1]
    assert "Then down" not in pages[1]


@pytest.mark.parametrize(("seconds", "day"), [(1762171200, "3 November 2025"), (1763985600, "24 November 2025")])
def test_the_date_is_that_of_the_source(seconds, day, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(seconds))
    assert facts.date() == day


def test_no_date_is_told_where_none_is_known(monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr(revision, "git", lambda *arguments: "")
    assert facts.date() == ""


def test_kernels_are_told_which_data_set_it_is_and_that_they_work_for_a_report(monkeypatch):
    monkeypatch.setenv("DATASET", " Digits")
    monkeypatch.setenv("REPORT_BUILDS", "")
    assert command.load_dataset() is data.load("digits")
    assert (os.environ["DATASET"], os.environ["REPORT_BUILDS"]) == ("digits", "1")


def test_provenance_counts_each_run_once(results):
    history = {"seconds": [1.0, 2.0]}
    for seed in (0, 1):
        versions = {"blas": f"openblas ({'Zen' * (seed + 1)})"}
        runs.write(f"run{seed}", Run({"seed": seed}, "", 0, history, versions), {})
    told = facts.provenance(data.load("digits"), {"one": ["run0"], "two": ["run0", "run1"], "three": []})
    assert re.findall(r"\| `(\w+)` \| (\d) \| ([\d, ]+) \| (\d+) \|", told) == [
        ("one", "1", "0", "3"),
        ("two", "1", "1", "3"),
    ]
    assert data.load("digits").fingerprint[:16] in told
    assert "products.** openblas (Zen); openblas (ZenZen)." in told


def test_a_typesetting_error_keeps_the_last_report(tmp_path):
    def stitched(source):
        return stitch([("n0", notebook(text("# One"), text(source)))], REPORT)

    command.typeset(stitched("good"), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ReportError):
        command.typeset(stitched("漢"), tmp_path)
    assert before.keys() == {"report.pdf", "report.html"}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_keeps_the_last_report_and_leaves_nothing_half_written(tmp_path):
    old = {tmp_path / "report.pdf": b"old", tmp_path / "report.html": b"old"}
    replace(old)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))  # bytes per file
    try:
        with pytest.raises(OSError, match=r"File too large: .*report\.html"):
            replace({tmp_path / "report.pdf": b"new", tmp_path / "report.html": b"much longer"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == old


def test_what_a_killed_writer_has_left_goes_with_the_next_report(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    (tmp_path / f".report.pdf.{ended.pid}").touch()
    others = {f".report.pdf.{os.getppid()}", f".report.html.{ended.pid}", ".report.pdf.mine"}
    for name in others:
        (tmp_path / name).touch()
    replace({tmp_path / "report.pdf": b"new"})
    assert {path.name for path in tmp_path.iterdir()} == others | {"report.pdf"}


def test_a_second_build_in_one_folder_waits_for_the_first(tmp_path, capsys):
    order = []

    def build(name):
        with command.alone(tmp_path):
            order.append(name)

    second = threading.Thread(target=build, args=["second"])
    with command.alone(tmp_path):
        second.start()
        while not (told := capsys.readouterr().err):
            time.sleep(0.05)
        order.append("first")
    second.join()
    assert order == ["first", "second"]
    assert told == f"another build works in {tmp_path}; this one waits for it\n"


def kernels_of(build):
    try:
        return [child for child in psutil.Process(build.pid).children() if "ipykernel" in str(child.cmdline())]
    except psutil.NoSuchProcess:  # pandoc and git come and go
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_while_a_kernel_starts_says_so_and_leaves_nothing(number, folder):
    nbformat.write(notebook(text("# One"), new_code_cell("1")), folder / "notebooks/one.ipynb")
    build = subprocess.Popen(
        [sys.executable, "-m", "helpers.report"],
        env=os.environ | {"PYTHONPATH": str(data.ROOT), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (kernels := kernels_of(build)) and build.poll() is None:
        time.sleep(0.05)
    build.send_signal(number)
    _, told = build.communicate()
    assert build.returncode == 130
    assert told == "executing one\nstopped; what was finished before is untouched\n"
    assert kernels
    assert not any(kernel.is_running() for kernel in kernels)
    assert not [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "notebooks"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cell_that_takes_too_long_is_named(tmp_path):
    nb = notebook(new_code_cell("import time\ntime.sleep(60)"))
    with pytest.raises(ReportError, match="notebook slow, cell 1 took more than 2 s"):
        execute(nb, "slow", tmp_path, 2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_kernel_that_does_not_start_is_told(tmp_path, monkeypatch):
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ReportError, match=r"notebook one: no kernel starts \(Kernel died"):
        execute(notebook(new_code_cell("1")), "one", tmp_path, 9)


def test_nbconvert_knows_the_exporter_and_its_settings(tmp_path):
    nbformat.write(notebook(text("# One")), tmp_path / "a.ipynb")
    command_line = [sys.executable, "-m", "nbconvert", "--to", "typstpdf", str(tmp_path / "a.ipynb")]
    settings = ["paper=us-letter", "font_size=20", "contents=True"]
    subprocess.run(
        [*command_line, *(f"--TypstPDFExporter.{setting}" for setting in settings)], check=True, capture_output=True
    )
    page = PdfReader(tmp_path / "a.pdf").pages[0]
    assert [float(side) for side in page.mediabox[2:]] == [612, 792]
    assert page.extract_text().count("One") == 2
