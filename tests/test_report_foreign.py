"""Notebooks of anyone's, each with something that a converter may stumble over: every one gives a page."""

import base64
import io
import logging

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from pypdf import PdfReader

from helpers.report.exporter import TypstPDFExporter


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
        ("Unicode", "😀"),
        ("images that are not there", "none.png"),
    ],
)
def test_what_is_left_out_is_told(name, told, tmp_path, caplog, capfd):
    with caplog.at_level(logging.WARNING):
        exporter = TypstPDFExporter(log=logging.getLogger("foreign"))
        exporter.from_notebook_node(new_notebook(cells=NOTEBOOKS[name][0]), {"metadata": {"name": name}})
    assert told in caplog.text + capfd.readouterr().err
