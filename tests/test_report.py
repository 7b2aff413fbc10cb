"""The report: small notebooks made here, typeset, and looked at as Typst text or as the PDF's own objects."""

import base64
import io
import logging
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from pypdf import PdfReader

from helpers import data, runs
from helpers.report import ReportError, cells, facts, typeset
from helpers.report import __main__ as command
from helpers.report.execute import execute
from helpers.report.exporter import TypstPDFExporter
from helpers.report.html import to_html
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
    return typeset_text(nb, monkeypatch, strict=True, **settings)


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


def test_hostile_notebook_is_typeset_and_says_what_is_missing(monkeypatch, caplog):
    with caplog.at_level(logging.WARNING):
        pdf, body = typeset_text(hostile(), monkeypatch, log=logging.getLogger())
    assert pdf.startswith(b"%PDF")
    assert "widget-view+json (notebook nb, cell 8)" in caplog.text
    assert "not PDF/UA-1" in caplog.text
    for expected in (
        r"\$5 or \$6",
        r"of \$3",
        "$z$",
        "$x$",
        "a & = b",
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
    plain = cells.plain_maths("`$a$` $a$ and $ b $, $5 or $6, \\$7\n$$\nx\n+ y % z\n$$\n```\n$ k $\n```")
    assert plain == "`$a$` $a$ and $b$, \\$5 or \\$6, \\$7\n$$x + y$$\n```\n$ k $\n```"


def test_captions_and_references_have_the_true_numbers(monkeypatch):
    first = notebook(text("# One"), *figure("a"), text("See [Figure 9](#fig-b) and [section 5](n1.ipynb#The-end)."))
    table = [code(display(text__html=TABLE, text__plain="a")), text('<a id="tbl-t"></a>**Table 3.** All of $x$.')]
    equation = text(
        '<a id="eq-e"></a>\n$$x\n= 1$$\n\n[Equation 7](#eq-e), [Table 4](#tbl-t), [Fig. 1](n0.ipynb#fig-a)'
    )
    second = notebook(text("# Two"), *figure("b"), *table, equation, text("## The end"))
    nb = stitch([("n0", first), ("n1", second)], REPORT)
    sources = "\n".join(cell.source for cell in nb.cells)
    for expected in ("**Figure 1.**", "**Figure 2.**", "[Figure 2](#fig-b)", "[section 2.1](#n1--The-end)"):
        assert expected in sources
    assert "**Table 1.**" in sources
    _, body = report(first, second, monkeypatch=monkeypatch)
    assert body.index("<fig-a>") < body.index("<fig-b>") < body.index("<tbl-t>") < body.index('label("eq-e")')
    assert '#ref(label("fig-b"), supplement: [Figure])' in body
    assert '#ref(label("n1--The-end"), supplement: [section])' in body
    assert 'alt: "A line."' in body
    assert "kind: table" in body


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


def test_citations_and_bibliography(monkeypatch, tmp_path):
    bibliography = tmp_path / "a.bib"
    bibliography.write_text("@book{known, title={T}, author={A, B}, year={1999}}")
    nb = notebook(
        text("# One\n\nBy <cite data-cite='known'>B (1999)</cite> <cite data-cite='known'>(B 1999)</cite>.")
    )
    _, body = report(nb, monkeypatch=monkeypatch, bibliography=str(bibliography))
    assert '#cite(label("known"), form: "prose") #cite(label("known"), form: "normal")' in body
    assert body.rstrip().endswith('#bibliography("references.bib", style: "apa")')


def test_the_page_loads_nothing_from_a_network_and_has_maths_citations_and_foldable_code(tmp_path):
    bibliography = tmp_path / "a.bib"
    bibliography.write_text("@book{known, title={The Title}, author={Able, Ann}, year={1999}}")
    nb = stitch(
        [
            (
                "n0",
                notebook(
                    text("# One\n\nBy <cite data-cite='known'>Able (1999)</cite>, $a_1 * b_2 < 3$ and `$c$` for $5."),
                    text('<a id="eq-e"></a>\n$$x^2 = \\frac{1}{2} \\tag{7}$$\n\n[Equation 1](#eq-e)'),
                    *figure("a", "It rises."),
                    code(tags=["show-input"]),
                ),
            )
        ],
        REPORT,
    )
    page = to_html(nb, {"metadata": {"name": "T"}}, str(bibliography))
    assert page == to_html(nb, {"metadata": {"name": "T"}}, str(bibliography))
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//|@import""", page)
    assert "<script" not in page.partition("</head>")[0]
    soup = BeautifulSoup(page, "html.parser")
    assert [" ".join(found.get_text(" ").split()) for found in soup.find_all("math")] == [
        "a 1 * b 2 < 3",
        "x 2 = 1 2",
    ]
    assert [found.get_text() for found in soup.select(".equation > span")] == ["(7)"]
    assert soup.find("code", string="$c$")
    assert soup.find("a", href="#ref-known").get_text() == "Able (1999)"
    assert "The Title" in soup.find(id="ref-known").get_text()
    assert soup.img["alt"] == "It rises."
    assert [("open" in found.attrs, "1" in found.get_text()) for found in soup.find_all("details")] == [
        (False, True),
        (True, True),
    ]
    assert "1\u2002One" in soup.h1.find_next("h1").get_text()


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
    tail = [cell.source for cell in nb.cells[-3:]]
    assert tail == [
        "# Appendix",
        '# <a id="n0--Details"></a>Details\n\ntext',
        '# <a id="n1--Details"></a>Details\n\ntext',
    ]
    assert nb.metadata.report.numbers["n1--Details"] == "B"
    assert nb.metadata.report.numbers["n1--Conclusion"] == "2.1"
    assert "[there](#n1--Conclusion) [note](#own)" in "".join(cell.source for cell in nb.cells)
    codes = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert [cell.metadata.tags for cell in codes] == [["hide-input"], ["show-input"]] * 2
    assert not any(cell.outputs for cell in codes)
    assert nb.cells[-1].metadata.report == {"notebook": "n1", "index": 2}


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


@pytest.mark.parametrize("change", ["source", "run", "choice", "copy", "nothing"])
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
    elif change == "run":
        runs.write("used", run, {"W": np.ones(3)})
    elif change == "choice":
        (results / "chosen-digits.json").write_text("{}")
    elif change == "copy":
        nbformat.write(notebook(text("# Two")), tmp_path / "one.ipynb")
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


def test_provenance_counts_each_run_once(results):
    history = {"seconds": [1.0, 2.0]}
    for seed in (0, 1):
        runs.write(
            f"run{seed}", Run({"seed": seed}, "", 0, history, {"blas": f"openblas ({'Zen' * (seed + 1)})"}), {}
        )
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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cell_that_takes_too_long_is_named(tmp_path):
    nb = notebook(new_code_cell("import time\ntime.sleep(60)"))
    with pytest.raises(ReportError, match="notebook slow, cell 1 took more than 2 s"):
        execute(nb, "slow", tmp_path, 2)


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
