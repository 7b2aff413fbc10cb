"""The HTML page of a notebook of anyone's: what it shows, and what it must not read, load or run."""

import base64
import hashlib

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

from helpers.export import __main__ as binding


@pytest.fixture
def page(tmp_path, monkeypatch):
    """From cells to the page of a notebook, in a folder that has a picture, as the folder above has."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for place in (folder, tmp_path):
        Image.new("RGB", (8, 8), "red").save(place / "map.png")

    def made(*cells):
        cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        nbformat.write(new_notebook(cells=cells), folder / "one.ipynb")
        monkeypatch.setattr("sys.argv", ["export", str(folder / "one.ipynb"), "-o", str(folder / "one.html")])
        assert binding.main() == 0
        return BeautifulSoup((folder / "one.html").read_text("utf-8"), "html.parser")

    return made


def test_a_notebook_has_its_own_title_and_its_code_is_open_but_where_it_hides_it(page):
    hidden = new_code_cell("b", metadata={"tags": ["hide-input"]})
    soup = page("# Tides\n\n## Springs", new_code_cell("a"), hidden)
    assert soup.title.text == "one"
    assert [heading.text for heading in soup.main.find_all(["h1", "h2"])] == ["Tides", "Springs"]
    assert not soup.select(".report-title, footer")
    assert [("open" in code.attrs, code.pre.text.strip()) for code in soup.select("details.code")] == [
        (True, "a"),
        (False, "b"),
    ]


def test_old_tex_and_macros_are_maths_and_what_cannot_be_read_stays(page):
    soup = page(r"$\newcommand{\half}{{1 \over 2}}$", r"$x_{\rm max}$ and $$\half < y$$ and $\nosuch{x}$")
    fraction = soup.find("math", display="block").mfrac
    assert [part.text for part in fraction.find_all("mn")] == ["1", "2"]
    assert "<" in soup.find("math", display="block").text
    assert soup.find("msub").text == "xmax"
    assert r"$\nosuch{x}$" in soup.main.text


def test_formulas_keep_their_colours_and_those_that_are_lost_are_told_once(page, caplog):
    soup = page(r"$\color{red}{x}+y$ $$\textcolor{#00f}{z}$$ $\color{gone}{u}$ and $\color{gone}{v}$")
    marked = [(style["mathcolor"], style.text) for style in soup.find_all("mstyle", mathcolor=True)]
    assert marked == [("#ff0000", "x"), ("#0000ff", "z")]
    assert caplog.messages == ["Formulas lose colours that are not known: gone."]


def test_wide_formulas_scroll(page):
    style = "".join(style.text for style in page("$x$").find_all("style"))
    assert all(f"{which} {{ overflow-x: auto;" in style for which in ('math[display="block"]', "p:has(> math)"))


def test_images_on_the_web_are_links_and_told(page, capfd, caplog):
    soup = page("![](https://x.invalid/a/map.png)end ![sea](https://x.invalid/b.png)")
    assert soup.main.p.text == "map.png end sea"
    assert "2 images lie on the web" in caplog.text + capfd.readouterr().err


def test_a_page_runs_its_own_script_alone_and_loads_nothing(page):
    soup = page("a <b onclick='x()'>b</b> <video src='http://x.invalid'></video>\n\n<style>@import 'x'</style>")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    (script,) = soup.find_all("script")
    digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'sha256-{digest}'" in policy
    assert not soup.main.select("[onclick], video, style")


def test_a_reference_to_no_equation_is_told_and_readable(page, caplog):
    soup = page(r"$x$ by \eqref{gone} and $\eqref{gone}$")
    assert soup.main.text.count("gone") >= 2
    assert "the label gone that is referred to stands in no equation" in caplog.text


@pytest.mark.parametrize("place", ["../map.png", "%2e%2e/map.png", "/etc/map.png", "none.png"])
def test_pictures_are_those_of_its_folder(page, place, caplog):
    soup = page(f"![near](map.png) ![far]({place})")
    assert [image["alt"] for image in soup.main.find_all("img")] == ["near"]
    assert "far" in soup.main.text
    assert "missing or outside" in caplog.text
