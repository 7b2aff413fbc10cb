"""Notebooks of anyone's, each with something that a converter may stumble over: every one gives a page."""

import base64
import http.server
import io
import json
import logging
import re
import threading
import warnings

import nbformat
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from PIL import Image
from pypdf import PdfReader

from helpers.export import ReportError, markdown, maths, typeset
from helpers.export import __main__ as binding
from helpers.export.exporter import TypstPDFExporter
from helpers.export.join import JOIN


def displayed(**data):
    return new_code_cell(
        "x", outputs=[new_output("display_data", {k.replace("__", "/"): v for k, v in data.items()})]
    )


def printed(text):
    return new_code_cell("print(x)", outputs=[new_output("stream", text=text)])


def picture(kind):
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.plot([0, 1])
    with io.BytesIO() as file:
        figure.savefig(file, format=kind)
        plt.close(figure)
        return base64.b64encode(file.getvalue()).decode()


FRAME = pd.DataFrame(
    np.arange(8).reshape(2, 4),
    index=pd.MultiIndex.from_tuples([("north", 1), ("north", 2)], names=["where", "n"]),
    columns=pd.MultiIndex.from_product([["low", "high"], ["a", "b"]]),
)
STYLED = pd.DataFrame({"gain": [0.25, -1]}, index=["up", "down"]).style.format("{:.2f}").highlight_max()

NOTEBOOKS = {
    "MultiIndex": ([displayed(text__html=FRAME.to_html(), text__plain=str(FRAME))], ["north", "high", "where"], []),
    "Styler": ([displayed(text__html=STYLED.to_html(), text__plain="<Styler>")], ["gain", "0.25", "down"], ["#T_"]),
    "long stream": (
        [printed("".join(f"line {i}\n" for i in range(5000)))],
        ["line 0", "line 4999", "[4,850 of 5,000 lines left out]"],
        [],
    ),
    "long line": ([printed("x" * 3000 + "END")], ["END"], []),
    "ANSI": (
        [printed("\x1b[1;31mred\x1b[0m and\x1b[2K \x1b[38;5;12mblue\x1b[0m")],
        ["red and", "blue"],
        ["\x1b", "[0m"],
    ),
    "carriage return": ([printed("10 %\r50 %\r100 %\n")], ["100 %"], ["50 %"]),
    "script": (
        [displayed(text__html="<script>alert(1)</script><iframe src='http://x.invalid'></iframe><p>kept</p>")],
        ["kept"],
        ["alert"],
    ),
    "plotly": (
        [
            displayed(
                **{"application/vnd.plotly.v1+json": {"data": []}, "text__html": "<div><script>p()</script></div>"}
            )
        ],
        [],
        ["p()"],
    ),
    "LaTeX": ([displayed(text__latex="$$\\int_0^1 x\\,dx = \\frac{1}{2}$$", text__plain="1/2")], ["∫"], ["frac"]),
    "macros": (
        [new_markdown_cell("$\\newcommand{\\R}{\\mathbb{R}} x \\in \\R$ and $\\unknown{y}$ end")],
        ["end"],
        [],
    ),
    "no maths": ([new_markdown_cell("It costs $5, not $6, and `$z$`.")], ["$5, not $6", "$z$"], []),
    "markup": (
        [
            new_markdown_cell(
                "# *Big* `code` $x$\n- [ ] todo\n- [x] done\n   1. one\n   2. two\n\n> said\n\n"
                "Text[^1].\n\n[^1]: The note.\n\n<div align='center'><b>mid</b><br/>dle</div>\n\n"
                "~~gone~~ <kbd>Esc</kbd>"
            )
        ],
        ["todo", "done", "two", "said", "The note", "mid", "Esc"],
        ["<div"],
    ),
    "Typst in text": (
        [new_markdown_cell("#panic(1) *a* _b_ @c <d> $e$ \\#f // g"), printed('#image("x")')],
        ["#panic(1)", "@c", '#image("x")'],
        [],
    ),
    "images that are not there": (
        [new_markdown_cell("![one](none.png) ![two](https://x.invalid/a.png) <img src='none.svg'> end")],
        ["one", "two", "end"],
        [],
    ),
    "Unicode": ([new_markdown_cell("λ ≤ ✓ → é ß Ω 漢字 😀 end")], ["λ ≤", "end"], []),
    "raw": ([new_raw_cell("---\ntitle: x\n---"), new_raw_cell("\\newpage")], [], ["newpage"]),
    "other language": (
        [new_code_cell("x <- c(1, 2) # `R`\nprint('```')", outputs=[new_output("stream", text="[1] 1 2")])],
        ["x <- c(1, 2)", "[1] 1 2"],
        [],
    ),
    "no cells": ([], [], []),
    "empty cell": ([new_code_cell("  \n"), new_markdown_cell("end")], ["end"], []),
    "chunks": (
        [
            new_code_cell(
                "x",
                outputs=[
                    new_output(
                        "stream", name=("stdout", "stderr")[i % 2], text="".join(f"{i} {k}\n" for k in range(100))
                    )
                    for i in range(8)
                ],
            )
        ],
        ["0 0", "7 99", "[650 of 800 lines left out]"],
        ["4 50"],
    ),
    "one endless line": (
        [printed(", ".join(map(str, range(40_000))))],
        ["0, 1, 2", "39999", "characters left out]"],
        [],
    ),
    "control codes": (
        [printed("a\x08b\x07 \x1b]8;;http://x.invalid\x1b\\link\x1b]8;;\x1b\\ end")],
        ["ab link end"],
        ["x.invalid"],
    ),
    "dollars in words in maths": ([new_markdown_cell(r"$y \mbox{ if $x$ is}$ end")], ["if 𝑥 is end"], ["$", "mbox"]),
    "an entry of an index": ([new_markdown_cell("```{index} tides\n```\nText")], ["Text"], ["index", "tides"]),
    "TeX that is no maths": (
        [new_markdown_cell(r"\section{One} and \textbf{two}")],  # as JupyterLab and GitHub show it
        [r"\section{One} and \textbf{two}"],
        [],
    ),
    "icons": (
        [
            displayed(
                text__html="<div><svg><use xlink:href='#i'></use></svg><table><tr><td>seen</td></tr></table>"
                "<button><svg viewBox='0 0 9 9'><path d='M0 0h9v9z'/></svg>more</button></div>"
            )
        ],
        ["seen"],
        ["more"],
    ),
    "calls": (
        [new_markdown_cell("**n**.ipynb, H<sub>2</sub>.x, $f$(x), $x$.shape, [l](https://x.invalid)[1], `c`.d end")],
        ["n.ipynb", "H2.x", ".shape", "l[1]", "end"],
        [],
    ),
    "one blank in dollars": (
        [new_markdown_cell("Let $ x_1 \\in A$ and $y_2 \\le 3 $ hold at $5 or $6.")],
        ["∈", "≤", "hold at $5 or $6."],
        ["$ x"],
    ),
    "maths in HTML": ([new_markdown_cell("<div class='alert'>take $a_b$</div>")], ["take"], ["a_b"]),
    "a character of no font": ([new_markdown_cell("none \u0378 end")], ["none", "end"], []),
    "an image outside": (
        [new_markdown_cell("![up](../up.png) ![root](/etc/hostname) ![e](%2e%2e/up.png) end")],
        ["up", "end"],
        [],
    ),
    "anchors that are no figures": (
        [new_markdown_cell("<a id='fig-x'></a>[Figure 1](#fig-x) @fig-x {ref}`fig-x` end\n\n- \n- [ ] todo\n\n> ")],
        ["Figure 1", "end", "todo"],
        ["{ref}"],
    ),
    "divisions": (
        [new_markdown_cell("::: {.captioned}\nkept\n:::\n\n::: captioned\n:::\n\n::: {.title}\nend\n:::")],
        ["kept", "end"],
        [":::"],
    ),
    "attributes of a link": ([new_markdown_cell('[a](http://x.invalid){.b c="d e"} end {f}')], ["a end {f}"], ["{."]),
    "headings without a blank": (
        [new_markdown_cell("#Heading\n##sub\n#hash #1\n`#Code`\n```\n#More\n```")],
        ["#hash #1", "#Code", "#More"],
        ["#Heading", "#sub"],
    ),
    "escaped brackets": (
        [new_markdown_cell("\\\\(a_1\\\\) and\n\\\\[\nb_1\n\\\\] end")],
        ["and", "end"],
        ["(", "]", "_"],
    ),
    "braces of headings": (
        [new_markdown_cell("# One {#sec-one .unnumbered}\n\n## Two {a, b}")],
        ["One Two {a, b}"],
        ["sec-"],
    ),
    "other directives": (
        [new_markdown_cell(":::{odd} path/x\n:::\n\n::::{tabs}\n:::{tab-item} First\ninner\n:::\n::::")],
        ["First inner"],
        ["odd", "path", ":::"],
    ),
    "other roles": (
        [new_markdown_cell("{class}`~a.b.Name` and {doc}`words <c>` end")],
        ["Name and words end"],
        ["{", "a.b"],
    ),
    "badges": (
        [
            new_markdown_cell(
                "[![a](https://x.invalid/b.svg)](c)[![](https://y.invalid/d.svg?e=f)](g)![](https://z.invalid/h%20i.png?j)"
            )
        ],
        ["a y.invalid h i.png"],
        ["e=f"],
    ),
    "list in a cell": (
        [new_markdown_cell("|a|\n|-|\n|<ul><li>one</li><li>two</li></ul>|")],
        ["• one • two"],
        ["<li>"],
    ),
    "figure of HTML": (
        [new_markdown_cell("<figure><img src='https://x.invalid/a.png'></figure>\n\n<figure>end</figure>")],
        ["a.png", "end"],
        ["Figure"],
    ),
    "front matter": (
        [new_raw_cell("---\ntitle: What it *is*\nauthor:\n  - name: Ann\n---")],
        ["What it is"],
        ["title", "name", "---"],
    ),
    "a heading right under HTML": ([new_markdown_cell("<br>\n## Heading\n\nx<br>\n# Other")], ["Other"], ["#"]),
    "options of a directive": (
        [new_markdown_cell(":::{tip icon=false .wide} Title\nbody\n:::")],
        ["Title", "body"],
        ["icon", ":::"],
    ),
    "dollars after two strokes": ([new_markdown_cell("*1\\\\$* or *2\\\\$* end")], ["1$ or 2$ end"], ["\\"]),
    "one blank in dollars with a sign": ([new_markdown_cell("$ t = 0$, at $5 or $6")], ["𝑡 = 0, at $5 or $6"], []),
    "a share in a formula": ([new_markdown_cell(r"$\text{at 95%}$ and $x % gone$")], ["at 95% and 𝑥"], ["gone"]),
    "a formula that ends in a break": ([new_markdown_cell("$a \\\\ b \\\\$ end $c$")], ["end 𝑐"], ["\\", "$"]),
    "a table of nothing": (
        [displayed(text__html="<table><thead><tr></tr></thead><tbody><tr></tr></tbody></table>")],
        [],
        ["table"],
    ),
    "a table with a foot of nothing": (
        [
            displayed(
                text__html="<table><tr><td>a</td><td>b</td></tr><tfoot><tr><td colspan=9></td></tr></tfoot></table>"
            )
        ],
        ["a b"],
        ["table"],
    ),
    "a cell over more columns than there are": (
        [displayed(text__html="<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td colspan=9>d</td></tr></table>")],
        ["a b c d"],
        ["table"],
    ),
    "a box of HTML with empty lines": (
        [new_markdown_cell('<div class="alert alert-info">\n\n**Note** `a`\n\n- one\n</div>\n\nend `</div>`')],
        ["Note a", "one", "end </div>"],
        ["alert", "**", ":::"],
    ),
    "a footnote in another cell": (
        [new_markdown_cell("Here[^1] and[^b].\n\n[^b]: near"), new_markdown_cell("[^1]: far\n  away\n\n[^2]: none")],
        ["far away", "near"],
        ["[^", "none"],
    ),
    "tables in tables": (
        [displayed(text__html="<table><tr><th>h</th><td>" * 7 + "inmost" + "</td></tr></table>" * 7)],
        ["inmost"],
        ["table"],
    ),
    "maths of Sage": (
        [
            displayed(
                text__html="<html><script type='math/tex; mode=display'>a<b^2</script></html>", text__plain="a"
            ),
            displayed(text__html="<table><tr><td><script type='math/tex'>\\mu</script></td></tr></table>"),
        ],
        ["𝑎 < 𝑏2", "𝜇"],
        ["script", "$"],
    ),
    "a matrix without dollars": (
        [displayed(text__latex="\\begin{bmatrix}1&a\\\\0&1\\end{bmatrix}", text__plain="m")],
        ["𝑎"],
        ["&"],
    ),
    "a section by its name": (
        [new_markdown_cell("See @sec-tides.\n\n# Ebb {#sec-tides}")],
        ["See Ebb."],
        ["@", "sec"],
    ),
    "what stands in for a map": (
        [displayed(text__html="<iframe src='x'></iframe>", text__plain="<maps.Map at 0x7f>")],
        [],
        ["Map"],
    ),
    "words beside an image on the web": ([new_markdown_cell("![](https://x.invalid/a.png)Run")], ["a.png Run"], []),
    "rules and a colon": ([new_markdown_cell("---\n\nsaid: kept\n\n---\nend")], ["said: kept", "end"], []),
    "blanks at the end of maths": ([new_markdown_cell("$a_1\\ \\ $ end")], ["end"], ["$", "_"]),
    "a mark of the order of bytes": ([new_markdown_cell("\ufeffend")], ["end"], ["\ufeff"]),
    "HTML that folds": (
        [displayed(text__html="<ul><li>folded</li></ul>", text__plain="<Dataset>\nsizes: 3")],
        ["sizes: 3"],
        ["folded"],
    ),
    "a vector of R": (
        [
            displayed(
                text__html="<ol class=list-inline><li>1</li><li>2</li></ol>",
                text__markdown="1. 1\n2. 2",
                text__plain="[1] 1 2",
            )
        ],
        ["[1] 1 2"],
        ["1."],
    ),
    "wide table": (
        [displayed(text__html=pd.DataFrame(np.eye(3, 40)).to_html(), text__plain="t")],
        ["39"],
        [],
    ),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_gives_a_page_with_what_can_be_printed(name, tmp_path, caplog):
    cells, present, absent = NOTEBOOKS[name]
    exporter = TypstPDFExporter(log=logging.getLogger("foreign"))
    resources = {"metadata": {"name": name, "path": str(tmp_path)}}
    pdf, _ = exporter.from_notebook_node(new_notebook(cells=cells), resources)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
    for expected in present:
        assert expected in text
    for unwanted in absent:
        assert unwanted not in text


@pytest.mark.parametrize("kind", ["png", "svg", "jpg"])
def test_pictures_are_printed(kind):
    mime = {"png": "image/png", "svg": "image/svg+xml", "jpg": "image/jpeg"}[kind]
    content = picture(kind)
    data = base64.b64decode(content).decode() if kind == "svg" else content
    attached = new_markdown_cell("![seen](attachment:a)", attachments={"a": {mime: content}})
    nb = new_notebook(cells=[displayed(**{mime: data, "text__plain": "<Figure>"}), attached])
    pdf, _ = TypstPDFExporter().from_notebook_node(nb, {"metadata": {"name": "pictures"}})
    assert b"/Image" in pdf if kind != "svg" else len(pdf) > 8000
    assert "Figure" not in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("script", "script"),
        ("plotly", "plotly"),
        ("a character of no font", "u{378}"),
        ("images that are not there", "none.png"),
        ("images that are not there", "1 image lies on the web"),
        (
            "an image outside",
            "images outside the folder of the notebook are not shown: ../up.png, /etc/hostname, %2e%2e/up.png",
        ),
    ],
)
def test_what_is_left_out_is_told(name, told, tmp_path, caplog, capfd):
    with caplog.at_level(logging.WARNING):
        exporter = TypstPDFExporter(log=logging.getLogger("foreign"))
        exporter.from_notebook_node(new_notebook(cells=NOTEBOOKS[name][0]), {"metadata": {"name": name}})
    assert told in caplog.text + capfd.readouterr().err


def exported(cells, caplog, metadata=None, path=".", **options):
    """The text of the PDF of a notebook with these cells, what was warned, and the PDF."""
    nb = new_notebook(cells=cells, metadata=metadata or {})
    with caplog.at_level(logging.WARNING):
        exporter = TypstPDFExporter(log=logging.getLogger("foreign"), **options)
        pdf, _ = exporter.from_notebook_node(nb, {"metadata": {"name": "nb", "path": str(path)}})
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split()), caplog.text, pdf


def typst_of(cells, caplog, monkeypatch):
    """What Typst gets of the cells, and what was warned."""
    bodies, to_pdf = [], typeset.to_pdf
    monkeypatch.setattr(typeset, "to_pdf", lambda body, *a, **k: bodies.append(body) or to_pdf(body, *a, **k))
    _, told, _ = exported(cells, caplog)
    return bodies[0], told


def test_a_figure_of_a_widget_is_its_picture(caplog):
    widget = "application/vnd.jupyter.widget-view+json"
    _, told, pdf = exported([displayed(**{widget: {"model_id": "x"}, "image__png": picture("png")})], caplog)
    assert b"/Image" in pdf
    assert told == ""


def test_a_gif_is_its_first_frame(caplog):
    with io.BytesIO() as file:
        Image.new("RGB", (4, 4), "red").save(file, format="gif")
        gif = base64.b64encode(file.getvalue()).decode()
    text, told, pdf = exported([displayed(image__gif=gif, text__plain="<IPython.core.display.Image object>")], caplog)
    assert b"/Image" in pdf
    assert (told, "object" in text) == ("", False)


@pytest.mark.parametrize("gif", ["R0lGODlh", "no base64!", base64.b64encode(b"GIF89a" + b"x" * 40).decode()])
def test_a_broken_gif_is_named_and_the_rest_is_set(gif, caplog):
    text, told, _ = exported(
        [displayed(image__gif=gif, text__plain="<Image object>"), new_markdown_cell("end")], caplog
    )
    assert "image/gif (notebook nb, cell 1)" in told
    assert "end" in text


def test_a_picture_is_known_by_what_it_is_and_a_broken_one_is_named(caplog):
    _, told, pdf = exported([displayed(image__png=picture("jpg"))], caplog)
    assert b"/Image" in pdf
    broken = base64.b64encode(base64.b64decode(picture("png"))[:100]).decode()
    text, told, _ = exported([displayed(image__png=broken), new_markdown_cell("end")], caplog)
    assert "notebook nb, cell 1: a picture cannot be typeset" in told
    assert text.endswith("[picture that cannot be read] end 1") or "end" in text


def test_a_formula_that_cannot_be_read_is_shown_and_named_and_the_rest_is_set(caplog):
    tex = "\\undefined{x}" + "+ y" * 99
    text, told, _ = exported([new_markdown_cell("one"), new_markdown_cell(f"${tex}$ and $y^2$ end")], caplog)
    assert f"notebook nb, cell 2: the maths {tex[:80]} cannot be read" in told
    assert "\\undefined{x}" in text
    assert "end" in text


def test_what_typst_refuses_is_shown_as_its_source(caplog, monkeypatch):
    monkeypatch.setattr(maths, "typst", lambda tex, macros=None: "nosuch" if tex == "bad" else "x")
    text, told, _ = exported([new_markdown_cell("$bad$ and $good$"), new_markdown_cell("end")], caplog)
    assert "notebook nb, cell 1: the maths" in told
    assert "bad and 𝑥" in text


def test_the_source_of_a_cell_is_shortened(caplog, monkeypatch):
    monkeypatch.setattr(maths, "typst", lambda tex, macros=None: "x")
    cell = new_raw_cell("#nosuch(1)" + "\n\nmore" * 900, metadata={"raw_mimetype": "text/markdown"})
    monkeypatch.setattr(typeset, "with_maths", lambda body, strict, log: body.replace("\\#nosuch", "#nosuch"))
    text, told, _ = exported([cell], caplog)
    assert "nosuch" in told
    assert "lines left out" in text


def test_what_a_notebook_says_of_itself_is_taken(caplog):
    cells = [
        new_markdown_cell("gone", metadata={"tags": ["remove-cell"]}),
        new_code_cell(
            "hidden_code", metadata={"jupyter": {"source_hidden": True}}, outputs=[new_output("stream", text="seen")]
        ),
        new_code_cell("tagged_code", metadata={"tags": ["hide-input"]}),
        new_code_cell(
            "open_code",
            metadata={"jupyter": {"outputs_hidden": True}},
            outputs=[new_output("stream", text="folded_away")],
        ),
        new_code_cell(
            "shown_code", metadata={"tags": ["hide-output"]}, outputs=[new_output("stream", text="unseen")]
        ),
    ]
    notebook = new_notebook(cells=cells, metadata={"title": "On things", "authors": [{"name": "Ada"}]})
    pdf, _ = TypstPDFExporter().from_notebook_node(notebook, {"metadata": {"name": "nb"}})
    reader = PdfReader(io.BytesIO(pdf))
    text = reader.pages[0].extract_text()
    assert (reader.metadata.title, reader.metadata.author) == ("On things", "Ada")
    assert "seen" in text
    assert "shown_code" in text
    assert "open_code" in text
    for left_out in ("gone", "hidden_code", "tagged_code", "unseen", "folded_away"):
        assert left_out not in text


def test_nothing_is_fetched(caplog):
    class Seen(http.server.BaseHTTPRequestHandler):
        asked = []

        def do_GET(self):
            self.asked.append(self.path)
            self.send_response(404)
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Seen)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    markdown = f"<iframe src='{url}/a'></iframe>\n\n![i]({url}/b.png) <img src='{url}/c.png'>"
    markdown += f"\n\n<object data='{url}/d'></object>"
    html = f"<div><img src='{url}/e.png'><iframe src='{url}/f'></iframe><embed src='{url}/g'></div>"
    exported([new_markdown_cell(markdown), displayed(text__html=html)], caplog)
    server.shutdown()
    server.server_close()
    assert Seen.asked == []


def n_links(pdf):
    return sum(
        annotation["/Subtype"] == "/Link"
        for page in PdfReader(io.BytesIO(pdf)).pages
        for annotation in page.get("/Annots", [])
    )


def test_references_to_equations_are_their_numbers_with_a_link(caplog):
    cells = [
        new_markdown_cell(r"\begin{equation}\label{eq:a}x=1\end{equation}" + "\n\n$$y=2$$"),
        new_markdown_cell(r"By \eqref{eq:a}, (\ref{eq:a}), $\eqref{eq:a}$, $b \ge \ref{eq_c}$ and \ref{d}."),
        new_markdown_cell(r"\begin{align} a &= b \\ c &= d \label{eq_c} \\ e &= f \label{d} \end{align}"),
    ]
    text, told, pdf = exported(cells, caplog)
    assert "𝑥 = 1 (1) 𝑦 = 2 By (1), (1), (1), 𝑏 ≥ 2 and 3." in text
    assert "𝑎 = 𝑏 𝑐 = 𝑑 (2) 𝑒 = 𝑓 (3)" in text
    assert (told, n_links(pdf)) == ("", 5)


def test_rows_that_cannot_be_read_are_shown_and_references_to_them_are_readable(caplog):
    rows = r"\begin{align} a &= \frac{1} \label{one} \\ b &= \undefined \end{align} by \eqref{one}"
    text, told, _ = exported([new_markdown_cell(rows)], caplog)
    assert "cannot be read" in told
    assert r"\undefined" in text
    assert "by (one)" in text


def test_a_tag_is_the_number_of_its_equation_and_counts_for_no_other(caplog):
    cells = [
        new_markdown_cell(r"$$u \tag{$\dagger$} \label{t}$$" + "\n\n" + r"$$v \tag*{V}$$"),
        new_markdown_cell(r"$$w \label{w}$$" + "\n\n" + r"\eqref{t}, \ref{w}"),
    ]
    text, told, _ = exported(cells, caplog)
    assert "𝑢 (†) 𝑣 V 𝑤 (1) (†), 1" in text
    assert told == ""
    rows = new_markdown_cell(r"$$\begin{align}a&=b\tag{A}\\c&=d\label{c}\end{align}$$" + "\n\n" + r"by \eqref{c}")
    assert "by (1)" in exported([rows], caplog)[0]


def test_a_reference_to_no_equation_is_named_and_stays_readable(caplog):
    text, told, _ = exported([new_markdown_cell(r"See \eqref{none} and $a \ref{never}$.")], caplog)
    assert "See (none) and 𝑎never." in text
    assert "the label none that" in told
    assert "the label never that" in told
    with pytest.raises(ReportError, match="notebook nb, cell 1: the label none"):
        exported([new_markdown_cell(r"\eqref{none}")], caplog, strict=True)


def alternatives(pdf):
    """The texts that are read out instead of pictures and formulas."""
    reader = PdfReader(io.BytesIO(pdf))
    objects = [reader.get_object(number) for number in range(1, len(reader.xref[0]) + 1)]
    return [str(thing["/Alt"]) for thing in objects if isinstance(thing, dict) and "/Alt" in thing]


OPTIONS = {  # of a cell with a source, a picture and a table: what is printed, and what is not
    "#| echo: false": (["printed"], ["the_source", "echo"]),
    "#| eval: false": (["the_source"], ["printed", "eval"]),
    "#| output: false": (["the_source"], ["printed", "output"]),
    "#| include: false": ([], ["the_source", "printed", "include"]),
    "#| warning: false": (["the_source", "printed"], ["careful"]),
    "#| label: fig-one\n#| fig-cap: 'What: *this*.'": (["the_source", "Figure 1. What: this."], ["label"]),
    "#| tbl-cap: >\n#|   The\n#|   numbers.\n\n": (["Table 1. The numbers.", "the_source"], ["tbl"]),
    "#|export": (["the_source", "printed"], ["export"]),
    "#| hide": ([], ["the_source", "printed", "hide"]),
    "#| hide_input\n#| warning: false": (["printed"], ["the_source", "hide", "careful"]),
    "#| day: 2024-99-99": (["day: 2024", "the_source"], []),
    "//| echo: [": (["echo: [", "the_source", "printed"], []),
}


@pytest.mark.parametrize("options", OPTIONS)
def test_quarto_options_are_obeyed_and_not_printed(options, caplog):
    present, absent = OPTIONS[options]
    outputs = [
        new_output("stream", text="printed"),
        new_output("stream", name="stderr", text="careful"),
        new_output("display_data", {"image/png": picture("png")}),
        new_output("display_data", {"text/html": "<table><tr><td>1</td></tr></table>"}),
    ]
    text, told, _ = exported([new_code_cell(f"{options}\nthe_source", outputs=outputs)], caplog)
    assert [word for word in present if word not in text] == []
    assert [word for word in absent if word in text] == []
    assert ("notebook nb, cell 1: its options" in told) == ("[" in options or "99" in options)


def test_a_caption_of_nothing_is_named(caplog):
    _, told, _ = exported([new_code_cell("#| fig-cap: x\ny", outputs=[new_output("stream", text="z")])], caplog)
    assert "notebook nb, cell 1: fig-cap has nothing to caption" in told


def test_an_alternative_text_is_read_out(caplog):
    cell = new_code_cell("#| fig-alt: A (rising) line\nx")
    cell.outputs = [new_output("display_data", {"image/png": picture("png")})]
    assert alternatives(exported([cell], caplog)[2]) == ["A (rising) line"]


BOXES = {
    "> [!NOTE]\n> said": "Note said",
    "```{tip} My *title*\n:class: dropdown\nbody\n```": "My title body",
    "::::{warning}\n:::{seealso}\nsaid\n:::\nmore\n::::": "Warning See also said more",
    '<div class="alert alert-info">mind</div>': "mind",
}


@pytest.mark.parametrize("written", BOXES)
def test_admonitions_are_boxes(written, caplog, monkeypatch):
    cells = [new_markdown_cell(f"{written}\n\nend")]
    assert exported(cells, caplog)[0] == f"{BOXES[written]} end 1"
    body, told = typst_of(cells, caplog, monkeypatch)
    assert (told, body.count("#admonition[")) == ("", 1 + written.count("seealso"))


def test_directives_in_longer_fences_are_examples(caplog):
    text, _, _ = exported([new_markdown_cell("````\n```{note}\nsaid\n```\n````")], caplog)
    assert text == "```{note} said ``` 1"


def test_roles_and_cross_references_lead_where_they_say(caplog):
    cells = [
        new_markdown_cell(
            "(start)=\n# The *start*\n\n```{math}\n:label: one\nx = 1\n```\n\n$$y$$ (two)\n\n$$z$$ {#eq-three}"
        ),
        new_code_cell("#| label: fig-line\n#| fig-cap: A line.\nx"),
        new_markdown_cell(
            "{ref}`start`, {ref}`here <start>`, {eq}`one` {eq}`two` @eq-three, @fig-line, {numref}`fig-line`. @tbl-no"
        ),
    ]
    cells[1].outputs = [new_output("display_data", {"image/png": picture("png")})]
    text, told, pdf = exported(cells, caplog)
    assert "The start, here, (1) (2) Equation 3, Figure 1, Figure 1. @tbl-no" in text
    assert "the name tbl-no" in told
    assert n_links(pdf) == 7


def test_citations_are_those_of_the_bibliography_that_the_notebook_names(tmp_path, caplog):
    (tmp_path / "works.bib").write_text("@book{knuth, author={Knuth, D.}, title={TeX}, year={1984}}")
    cells = [new_markdown_cell("As @knuth, [see @knuth, p. 3], {cite}`knuth` and @nobody; [@none] x@knuth.org")]
    text, told, _ = exported(cells, caplog, {"bibliography": "works.bib"}, tmp_path)
    assert "As Knuth (1984), (see Knuth 1984, 3), (Knuth 1984) and @nobody; [@none] x@knuth.org" in text
    assert "Bibliography Knuth, D. 1984. TeX." in text
    assert "the citation key none is not" in told
    front = new_raw_cell("---\nbibliography: works.bib\n---")
    assert "As Knuth (1984)" in exported([front, *cells], caplog, path=tmp_path)[0]
    text, told, _ = exported(cells, caplog, {"bibliography": "../works.bib"}, tmp_path)
    assert "As @knuth, [see @knuth" in text
    assert "works.bib is not in the folder" in told


def images(pdf):
    """The width and height in points, rounded, of each picture on the first page, from left to right and down."""
    found = []

    def visit(operator, operands, matrix, _):
        if operator == b"Do":
            found.append((round(abs(matrix[0])), round(abs(matrix[3]))))

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_operand_before=visit)
    return found


def red(width=80, height=40):
    with io.BytesIO() as file:
        Image.new("RGB", (width, height), "red").save(file, format="png")
        return base64.b64encode(file.getvalue()).decode()


SIZED = {
    "![a](attachment:a){width=40}": (30, 15),
    '![a](attachment:a){height="20px"} b': (30, 15),
    '<img src="attachment:a" width="40px">': (30, 15),
    '<img src="attachment:a" style="max-width: 9px; width: 1in">': (72, 36),
    "![a](attachment:a){width=50%}": (221, 111),
    "![a](attachment:a){width=x}": (80, 40),
}


@pytest.mark.parametrize("written", SIZED)
def test_images_are_as_large_as_a_notebook_says(written, caplog):
    cell = new_markdown_cell(written, attachments={"a": {"image/png": red()}})
    text, _, pdf = exported([cell], caplog)
    assert images(pdf) == [SIZED[written]]
    assert "{" not in text


def test_figures_are_as_large_as_their_metadata_says(caplog):
    cell = displayed(image__png=red())
    cell.outputs[0].metadata = {"image/png": {"width": 20, "height": 10}}
    assert images(exported([cell], caplog)[2]) == [(15, 8)]


def test_images_in_a_line_stay_there(caplog):
    cell = new_markdown_cell(
        "one ![a](attachment:a) two ![](attachment:a) three", attachments={"a": {"image/png": red()}}
    )
    text, _, pdf = exported([cell], caplog)
    places = []

    def visit(text, _, matrix, *font):
        places.extend([matrix[5]] * any(word in text for word in ("one", "two", "three")))

    PdfReader(io.BytesIO(pdf)).pages[0].extract_text(visitor_text=visit)
    assert len(set(places)) == 1
    assert alternatives(pdf) == ["a", "No description of this image."]


def test_tasks_have_a_box_and_no_bullet(caplog):
    text, _, _ = exported([new_markdown_cell("- [ ] todo\n- [x] done\n  - part")], caplog)
    assert text == "☐ todo ☒ done • part 1"


def test_links_lead_to_headings_by_their_words_or_ids(caplog):
    links = "[a](#What-is%3F) [b](#own) [c](#Head-two) [d](#The-$x$-axis) [e](#The-x-axis) [f](#none) [g](#Last-one)"
    cells = [
        new_markdown_cell(links),
        new_markdown_cell(
            "# What is?\n\n<h2 id='own'>Head two</h2>\n\n## The $x$ axis\n\n## Last one <a id='l'></a>"
        ),
    ]
    assert n_links(exported(cells, caplog)[2]) == 6


def test_a_break_after_an_equation_is_no_empty_line(caplog, monkeypatch):
    assert "$ x $];after" in typst_of([new_markdown_cell("$$x$$  \nafter")], caplog, monkeypatch)[0]


def test_a_figure_of_markdown_has_its_caption_and_its_own_alternative_text(caplog):
    written = '![A *red* one](attachment:a){#fig-red fig-alt="All red."}\n\nIn @fig-red.'
    cell = new_markdown_cell(written, attachments={"a": {"image/png": red()}})
    text, told, pdf = exported([cell], caplog)
    assert "Figure 1. A red one In Figure 1." in text
    assert (told, alternatives(pdf)) == ("", ["All red."])


LANGUAGES = [  # metadata, option, what the PDF says, the name of a figure
    ({}, "", "en", "Figure"),
    ({"language": "de-CH"}, "", "de-CH", "Abbildung"),
    ({"lang": "fr", "language": "python"}, "", "fr", "Fig."),
    ({"lang": "fr"}, "es", "es", "Figura"),
]


@pytest.mark.parametrize(("metadata", "option", "language", "figure"), LANGUAGES)
def test_the_language_is_that_of_the_notebook_or_the_option(metadata, option, language, figure, caplog):
    cell = displayed(image__png=red())
    cell.source = "#| fig-cap: x.\nx"
    text, told, pdf = exported([cell], caplog, metadata, language=option)
    assert (told, PdfReader(io.BytesIO(pdf)).root_object["/Lang"]) == ("", language)
    assert f"{figure} 1. x." in text.replace("\xa0", " ")


def test_a_cell_may_begin_a_page(caplog):
    cells = [new_markdown_cell("one"), new_markdown_cell("two", metadata={"tags": ["page-break"]})]
    _, told, pdf = exported(cells, caplog)
    assert [page.extract_text().split()[0] for page in PdfReader(io.BytesIO(pdf)).pages] == ["one", "two"]
    assert told == ""


@pytest.mark.parametrize("typst", ['#read("/etc/passwd")', '#read("../secret.txt")', '#image("../../x.png")'])
def test_typst_reads_nothing_outside_its_folder(typst, tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    layout = {"paper": "a4", "size": 10, "language": "en", "region": None}
    with pytest.raises(ReportError):
        typeset.to_pdf(typst, folder, title="x", report={}, layout=layout, timestamp=None, standard=[])


NO_TYPST = {  # what would be Typst if a notebook could write any, and what it gives
    "raw": new_raw_cell("#panic(1)", metadata={"raw_mimetype": "text/typst"}),
    "heading": new_markdown_cell("<h1 id='a\"]#panic(1)'>end</h1>"),
    "heading of HTML": displayed(text__html="<h1 id='b>]#panic(1)'>end</h1>"),
    "anchor": new_markdown_cell("<a id='a\")#panic(1)'></a> end"),
    "tag": new_markdown_cell('$$x \\tag{")#panic(1)}$$ end'),
    "reference": new_markdown_cell('$$x \\label{a")#panic(1)}$$ $\\eqref{a")#panic(1)}$ end'),
    "figure": new_markdown_cell("```{figure} attachment:a\n:name: x>]#panic(1)\n:width: 1pt,#panic(1)\nend\n```"),
    "image": new_markdown_cell("![](attachment:a){#fig-x>]#panic(1) width='1pt,#panic(1)'} end"),
    "option": new_code_cell("#| label: fig-x>]#panic(1)\n#| fig-cap: '\")#panic(1)'\nend"),
    "colour": displayed(
        text__html='<table><tr><td data-typst:fill="panic(1)" data-fill="panic(2)">end</td></tr></table>'
    ),
    "box": new_markdown_cell('::: {.note typst:fill="panic(1)"}\nend\n:::'),
    "input": displayed(text__latex="\\input{/etc/passwd} \\includegraphics{/etc/passwd} end"),
}


@pytest.mark.parametrize("place", NO_TYPST)
def test_a_notebook_writes_no_typst(place, caplog):
    cell = NO_TYPST[place].copy()
    if "attachment:" in cell.source:
        cell.attachments = {"a": {"image/png": red()}}
    if cell.source.startswith("#|"):
        cell.outputs = [new_output("display_data", {"image/png": red()})]
    text, told, _ = exported([cell], caplog)
    assert "cannot be typeset" not in told
    assert "root:" not in text
    assert ("end" in text) == (place != "raw")


def test_a_styled_table_keeps_its_colours(caplog, monkeypatch):
    def negative(value):
        return "color: red; font-weight: bold" if value < 0 else ""

    frame = pd.DataFrame({"a": [1, 7], "b": [3, -4]})
    styled = frame.style.highlight_max(color="yellow").map(negative).to_html()
    plain = '<table><tr><td style="background: lightgreen">5</td><td>6</td></tr></table>'
    body, told = typst_of([displayed(text__html=styled), displayed(text__html=plain)], caplog, monkeypatch)
    assert told == ""
    body = " ".join(body.split())
    assert '[0], [1], table.cell(fill: rgb("#ffff00"))[3],' in body
    assert '[1], table.cell(fill: rgb("#ffff00"))[7], [#set text(fill: rgb("#ff0000") , weight: "bold"); -4]' in body
    assert 'table.cell(fill: rgb("#90ee90"))[5], [6]' in body
    assert "caption" not in body


@pytest.mark.parametrize(
    "style",
    ["#T_1_row0_col0 {background: linear-gradient(red, blue)}", "#T_1 td, #T_1 th {background-color: red}"],
)
def test_colours_that_are_lost_are_told(style, caplog):
    html = f"<style>{style}</style><table id='T_1'><tr><td id='T_1_row0_col0'>x</td></tr></table>"
    assert "some colours of a table (notebook nb, cell 1)" in exported([displayed(text__html=html)], caplog)[1]


def test_no_colour_is_none_that_is_lost(caplog, monkeypatch):
    html = '<table><tr><td style="background-color: transparent; color: inherit">x</td></tr></table>'
    body, told = typst_of([displayed(text__html=html)], caplog, monkeypatch)
    assert told == ""
    assert "fill: rgb" not in body


def test_a_line_before_an_image_is_not_stretched(tmp_path, caplog):
    Image.new("RGB", (2000, 9)).save(tmp_path / "wide.png")
    _, _, pdf = exported([new_markdown_cell("two words\n![](wide.png)")], caplog, path=tmp_path)
    page = PdfReader(io.BytesIO(pdf)).pages[0].extract_text(extraction_mode="layout")
    assert "two words" in page


def test_a_formula_of_sympy_is_made_to_fit(caplog, monkeypatch):
    body, _ = typst_of([displayed(text__latex="$\\displaystyle x + 1$", text__plain="x+1")], caplog, monkeypatch)
    assert "[$ x \\+ 1 $]" in body


@pytest.mark.parametrize(
    ("form", "times"), [("%s", 30), ("%s", 700), (r"\frac{\left(%s\right)\sqrt{%s}}{2} - 1", 30)]
)
def test_a_formula_breaks_before_it_is_too_small(form, times, caplog):
    terms = " + ".join(rf"\frac{{{i}}}{{x_{{{i}}}}}" for i in range(times))
    _, _, pdf = exported([new_markdown_cell(f"$${form.replace('%s', terms)}$$")], caplog)
    sizes = []
    for page in PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: sizes.append(size * cm[0] * tm[0]))
    assert sorted(sizes)[len(sizes) // 2] > 9
    assert (len(PdfReader(io.BytesIO(pdf)).pages) > 1) == (times == 700)


def test_a_formula_that_has_nowhere_to_break_is_made_to_fit(caplog):
    row = " & ".join(f"x_{{{i}}}" for i in range(60))
    _, _, pdf = exported([new_markdown_cell(rf"$$a = \begin{{pmatrix}}{row}\end{{pmatrix}}$$ end")], caplog)
    places = []
    page = PdfReader(io.BytesIO(pdf)).pages[0]
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: places.append(cm[0] * tm[4] + cm[4]))
    assert max(places) < page.mediabox.width - 70


def test_what_is_taller_than_a_page_goes_on_on_the_next(caplog):
    html = f"<table>{'<tr><td>one<br>two<br>three<br>four</td></tr>' * 20}</table>"
    _, _, pdf = exported([displayed(text__html=html), new_code_cell("five " * 2000)], caplog)
    heights = {"four": [], "five": []}

    def note(text, cm, tm, font, size):
        for word, found in heights.items():
            found += [cm[3] * tm[5] + cm[5]] * text.count(word)

    for page in PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_text=note)
    assert (len(heights["four"]), len(heights["five"])) == (20, 2000)
    assert min(heights["four"] + heights["five"]) > 60


def test_columns_with_blocks_are_as_wide_as_they_must(caplog, monkeypatch):
    html = "<table><tr><td><div>a</div></td><td><div>much longer</div></td></tr></table>"
    body, _ = typst_of([displayed(text__html=html)], caplog, monkeypatch)
    assert "columns: 2," in body


@pytest.mark.parametrize(("name", "expected"), [("C#", "csharp"), ("C++17", "cpp17"), ("R", "r"), ("", "python")])
def test_a_language_of_any_name_is_no_text(name, expected, caplog, monkeypatch):
    assert markdown.language(name) == expected
    nb = new_notebook(cells=[new_code_cell("x")], metadata={"language_info": {"name": name}})
    pdf, _ = TypstPDFExporter().from_notebook_node(nb, {"metadata": {"name": "nb"}})
    assert PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split() == ["x", "1"]


WIDE = np.arange(120).reshape(4, 30) + 10**7
THREES = pd.MultiIndex.from_product([[f"group{i}" for i in range(10)], ["low", "mid", "high"]])
HEADS = "".join(f"<th colspan=3>group{i}</th>" for i in range(10))
SPANS = {  # wide tables with cells over columns and rows, and how many columns name their rows
    "columns of two levels": (pd.DataFrame(WIDE, ["north", "ebb", "south", "neap"], THREES).to_html(), 1),
    "rows of two levels, too": (
        pd.DataFrame(WIDE, pd.MultiIndex.from_product([["north", "south"], ["ebb", "neap"]]), THREES).to_html(),
        2,
    ),
    "a head over two rows": (
        f"<table><thead><tr><th rowspan=2>where</th>{HEADS}</tr>"
        + f"<tr>{'<th>low</th><th>mid</th><th>high</th>' * 10}</tr></thead><tbody>"
        + "".join(f"<tr><td>at{row[0]}</td>{''.join(f'<td>{n}</td>' for n in row)}</tr>" for row in WIDE)
        + "</tbody></table>",
        1,
    ),
}


@pytest.mark.parametrize("name", SPANS)
def test_a_wide_table_with_cells_over_others_is_cut(name, caplog, monkeypatch):
    html, n_names = SPANS[name]
    body, _ = typst_of([displayed(text__html=html)], caplog, monkeypatch)
    assert re.findall(r"set text\(size: (.*?)em\)", body) == ["0.60"]
    parts = body.split("#figure(")[1:]
    assert len(parts) > 1
    row_names = re.findall(r"\[(north|south|ebb|neap|at\d+)\]", parts[0])
    assert len(row_names) >= 4
    for part in parts:
        n_columns = int(re.search(r"columns: (\d+)", part)[1]) - n_names
        groups = re.findall(r"(?:table\.cell\(colspan: (\d)\))?\[group\d\]", part)
        assert sum(int(n or 1) for n in groups) == len(re.findall(r"\[(?:low|mid|high)\]", part)) == n_columns
        assert len(re.findall(r"\[\d{8}\]", part)) == 4 * n_columns
        assert re.findall(r"\[(north|south|ebb|neap|at\d+)\]", part) == row_names
    assert sorted(re.findall(r"\[(\d{8})\]", body)) == [str(n) for n in WIDE.flat]


def test_every_part_of_a_wide_table_is_on_the_page_and_can_be_read(caplog):
    _, told, pdf = exported([displayed(text__html=SPANS["rows of two levels, too"][0])], caplog)
    sizes, right, words = [], [], []
    page = PdfReader(io.BytesIO(pdf)).pages[0]

    def note(text, cm, tm, font, size):
        if text.strip():
            words.extend(text.split())
            sizes.append(abs(size * cm[0] * tm[0]))
            right.append(cm[0] * tm[4] + cm[4])

    page.extract_text(visitor_text=note)
    assert told == ""
    assert set(map(str, WIDE.flat)) <= set(words)
    assert words.count("north") == words.count("south") > 1
    assert min(sizes) >= 0.6 * 0.9 * 10.5 - 0.01
    assert max(right) < page.mediabox.width - 70


def test_text_astray_in_a_table_stands_before_it(caplog, monkeypatch):
    html = "<table><thead><tr><th>a</th></tr></thead><tbody><p>1 row</p><tr><td>5</td></tr> astray </tbody></table>"
    body = " ".join(typst_of([displayed(text__html=html)], caplog, monkeypatch)[0].split())
    assert "1 row astray #figure(" in body
    assert "table.header([a],), table.hline(), [5]," in body


def test_text_of_wide_lines_is_set_smaller(caplog):
    table = "\n".join(" ".join(f"column{i}" for i in range(14)) for _ in range(4))
    _, _, pdf = exported([printed(table)], caplog)
    lines = PdfReader(io.BytesIO(pdf)).pages[0].extract_text().splitlines()
    assert sum(line.startswith("column0") and line.endswith("column13") for line in lines) == 4


def test_what_was_printed_beside_a_progress_bar_is_printed(caplog):
    bar = "training: 100%|█████| 2/2 [00:01<00:00, 1.5run/s]\n"
    text, _, _ = exported([printed(bar), printed(f"{bar}an accuracy\n")], caplog)
    assert text.count("training") == 1
    assert "an accuracy" in text


def test_a_kind_of_loss_is_told_once(caplog, capfd):
    links = new_markdown_cell("".join(f"[{i}](#gone{i}) [{i}](#gone{i}) " for i in range(7)))
    _, told, _ = exported(
        [displayed(text__html="<script>x</script>") for _ in range(6)] + [links], caplog, passes=[JOIN]
    )
    assert "script (notebook nb, cells 1, 2, 3 and 3 more)." in told
    assert (
        "the links to #gone0, #gone1, #gone2, #gone3, #gone4 and 2 more have no target"
        in told + capfd.readouterr().err
    )


@pytest.fixture
def folder_of_two(tmp_path):
    """A folder with one.ipynb, deep/two.ipynb, and beside each a picture of the same name and another colour."""
    (tmp_path / "deep").mkdir()
    for colour, place in (("red", "map.png"), ("blue", "deep/map.png")):
        Image.new("RGB", (8, 8), colour).save(tmp_path / place)
    links = "[there](deep/two.ipynb#Deeper), [Figure 7](two.ipynb#fig-x), [own](#Same), [gone](three.ipynb)"
    one = [new_markdown_cell(f"# First\n\n{links}\n\n![a](map.png)\n\n## Same")]
    below = [
        new_markdown_cell("**Figure 7.** The figure."),
        new_markdown_cell("## Same\n\n[own](#Same)\n\n### Deeper"),
    ]
    drawn = displayed(image__png=picture("png"))
    two = [new_markdown_cell('# Second\n\n![b](map.png)\n\n<a id="fig-x"></a>'), drawn, *below]
    for place, cells, author in (("one", one, "Ann"), ("deep/two", two, "Bob")):
        nb = new_notebook(cells=cells, metadata={"authors": [{"name": author}, {"name": "Cai"}]})
        nbformat.write(nb, tmp_path / f"{place}.ipynb")
    return tmp_path


def bind(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["export", *map(str, arguments)])
    return binding.main()


def test_several_notebooks_become_one_pdf(folder_of_two, monkeypatch, caplog):
    written = folder_of_two / "Both of them.pdf"
    notebooks = [folder_of_two / "one.ipynb", folder_of_two / "deep/two.ipynb"]
    with caplog.at_level(logging.WARNING):
        assert bind(monkeypatch, *notebooks, "-o", written) == 0
    pdf = PdfReader(written)
    assert (pdf.metadata.title, pdf.metadata.author) == ("Both of them", "Ann, Cai, Bob")
    first, second = (page.extract_text() for page in pdf.pages)
    assert "First" in first
    assert "Figure 1," in first
    assert "Figure 1. The figure." in second
    goals = [str(note.get_object().get("/Dest")) for page in pdf.pages for note in page.get("/Annots", [])]
    goals = [goal for goal in goals if "--" in goal]
    assert goals[-3:] == ["two--Deeper", "one--Same", "two--Same"]
    colours = [page.images[0].image.convert("RGB").getpixel((0, 0)) for page in pdf.pages]
    assert colours == [(255, 0, 0), (0, 0, 255)]
    assert "three.ipynb has no target" in caplog.text


def test_a_title_that_is_given_is_that_of_the_pdf(folder_of_two, monkeypatch):
    written = folder_of_two / "one.pdf"
    assert bind(monkeypatch, folder_of_two / "one.ipynb", "-o", written, "--title", "Maps of both") == 0
    assert PdfReader(written).metadata.title == "Maps of both"


def test_a_reference_to_a_row_of_equations_is_no_lost_link(folder_of_two, monkeypatch, caplog):
    cell = new_markdown_cell("$$\n\\begin{align}a&=b\\\\c&=d\\end{align}\n$$ (two)\n\nby {eq}`two` and [x](#none)")
    nbformat.write(new_notebook(cells=[cell]), folder_of_two / "one.ipynb")
    assert bind(monkeypatch, folder_of_two / "one.ipynb", "-o", folder_of_two / "one.pdf") == 0
    assert "by (1) and x" in PdfReader(folder_of_two / "one.pdf").pages[0].extract_text()
    assert "the link to #none has no target" in caplog.text


def test_what_a_notebook_may_not_have_or_lacks_is_no_error(folder_of_two, monkeypatch):
    nb = json.loads((folder_of_two / "one.ipynb").read_text())
    nb["name"] = nb["cells"][0]["name"] = "x"
    nb["cells"].append({"cell_type": "code", "source": "x", "metadata": {}, "id": "a"})
    nb["cells"].append({**nb["cells"][-1], "id": "b", "outputs": [{"output_type": "stream", "text": "x", "more": 1}]})
    (folder_of_two / "one.ipynb").write_text(json.dumps(nb))
    exporter = TypstPDFExporter(log=logging.getLogger("foreign"))
    assert exporter.from_filename(folder_of_two / "one.ipynb")[0].startswith(b"%PDF")


def test_cells_without_names_are_no_matter(folder_of_two, monkeypatch):
    nb = json.loads((folder_of_two / "one.ipynb").read_text())
    del nb["cells"][0]["id"]
    (folder_of_two / "one.ipynb").write_text(json.dumps(nb | {"nbformat": 4, "nbformat_minor": 5}))
    with warnings.catch_warnings(action="error"):
        assert bind(monkeypatch, folder_of_two / "one.ipynb", "-o", folder_of_two / "one.pdf") == 0


def test_numbers_and_data_that_the_format_forbids_are_left_out(folder_of_two, monkeypatch):
    nb = json.loads((folder_of_two / "one.ipynb").read_text())
    shown = {"output_type": "display_data", "data": {"text/plain": "kept", "data": {"x": 1}}, "metadata": {}}
    cell = {"cell_type": "code", "id": "a", "source": "x", "metadata": {}, "outputs": [shown], "execution_count": " "}
    nb["cells"].append(cell)
    (folder_of_two / "one.ipynb").write_text(json.dumps(nb))
    assert bind(monkeypatch, folder_of_two / "one.ipynb", "-o", folder_of_two / "one.pdf") == 0
    assert "kept" in PdfReader(folder_of_two / "one.pdf").pages[0].extract_text()


def test_the_oldest_format_is_read(tmp_path, monkeypatch):
    cell = {"cell_type": "code", "input": "x", "outputs": [], "collapsed": False, "language": "python"}
    cell["outputs"] = [{"output_type": "display_data", "html": ["<b>seen</b>", " end"]}]
    old = {"nbformat": 2, "metadata": {"name": "o"}, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "o.ipynb").write_text(json.dumps(old))
    assert bind(monkeypatch, tmp_path / "o.ipynb", "-o", tmp_path / "o.pdf") == 0
    assert "seen end" in PdfReader(tmp_path / "o.pdf").pages[0].extract_text()


def test_what_cannot_be_bound_is_told_and_the_last_pdf_stays(folder_of_two, monkeypatch, capsys):
    written = folder_of_two / "both.pdf"
    written.write_bytes(b"the last one")
    (folder_of_two / "bad.ipynb").write_text("{")
    for arguments, message in (
        (["one.ipynb", "bad.ipynb"], "bad.ipynb is not a Jupyter notebook"),
        (["one.ipynb", "none.ipynb"], "none.ipynb is not a Jupyter notebook"),
        (["one.ipynb", "one.ipynb"], "two notebooks are called one"),
    ):
        assert bind(monkeypatch, *(folder_of_two / name for name in arguments), "-o", written) == 1
        assert message in capsys.readouterr().err
    assert written.read_bytes() == b"the last one"
    assert bind(monkeypatch, folder_of_two / "one.ipynb", "-o", folder_of_two / "no/both.pdf") == 1
    assert "cannot be written" in capsys.readouterr().err
