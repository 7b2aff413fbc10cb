"""A stitched notebook as one HTML page, by nbconvert's own exporter, that opens without a network."""

import re
from html import escape

import pypandoc
from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell

from .cells import MATH, one_line, outside_code
from .numbering import numbered_headings
from .typeset import HERE

CITE = re.compile(r"<cite data-cite=[\"']([^\"']+)[\"']>(.*?)</cite>", re.S)
TAG = re.compile(r"\\tag\{([^}]+)\}")
FIGURE = re.compile(  # an image, and its caption before the next one
    r'(?P<before><img )alt="[^"]*"(?P<after>[^>]*>(?:(?!<img )[\s\S])*?<a id="fig-[^"]*"></a>'
    r"<strong>[^<]*</strong>(?P<caption>[\s\S]*?)</p>)"
)


def to_html(nb, resources, bibliography=""):
    """The page (str) of a stitched notebook; maths is MathML, citations lead to a list from the BibTeX file."""
    nb = numbered_headings(nb)
    texts = list(_texts(nb))
    mathml = _mathml([match for _, text in texts for match in _formulas(text)])
    names = {source: f"formula{i}formula" for i, source in enumerate(mathml)}  # nbconvert would spoil MathML
    cited = sorted({key for _, text in texts for key, _ in CITE.findall(text)})

    def formula(match):
        return names.get(match.group(), match.group())

    for replace, text in texts:
        text = outside_code(lambda piece: MATH.sub(formula, piece), text)
        replace(CITE.sub(r"[\2](#ref-\1)" if bibliography else r"\2", text))
    if bibliography and cited:
        nb.cells.append(new_markdown_cell(_references(cited, bibliography), id="bibliography"))
    page = _exporter().from_notebook_node(nb, resources)[0]
    for source, name in names.items():
        page = page.replace(name, mathml[source])
    return FIGURE.sub(_described, page)


def _exporter():
    return HTMLExporter(
        template_name="report",
        extra_template_basedirs=[str(HERE / "templates")],
        embed_images=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )


def _texts(nb):
    """Pairs of a function that replaces a piece of Markdown in the notebook, and the piece."""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            yield lambda text, cell=cell: cell.update(source=text), cell.source
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/markdown" in data:
                yield lambda text, data=data: data.update({"text/markdown": text}), data["text/markdown"]


def _formulas(text):
    found = []
    outside_code(lambda piece: found.extend(MATH.finditer(piece)) or piece, text)
    return [match for match in found if one_line(match) != r"\$"]


def _mathml(formulas):
    """The MathML of each formula, by its source, in one call of pandoc."""
    formulas = {match.group(): match for match in formulas}
    lines = [one_line(match) for match in formulas.values()]
    page = pypandoc.convert_text("\n\n".join(lines), "html", "markdown", ["--mathml", "--wrap=none"])
    found = re.findall(r"<p>(.*?)</p>", page, re.S)
    return {source: _with_number(html, source) for source, html in zip(formulas, found, strict=True)}


def _with_number(html, source):
    html = re.sub(r"<annotation.*?</annotation>", "", html, flags=re.S)
    tag = TAG.search(source)
    return f'<span class="equation">{html}<span>({tag[1]})</span></span>' if tag else html


def _references(cited, bibliography):
    nocite = ", ".join(f"@{key}" for key in cited)
    options = ["--citeproc", f"--bibliography={bibliography}", "--wrap=none"]
    entries = pypandoc.convert_text(f"---\nnocite: |\n  {nocite}\n---\n", "html", "markdown", options)
    return "# Bibliography\n\n" + re.sub(r"\n\s*\n", "\n", entries)


def _described(match):
    """The image with the caption that follows it as its alternative text."""
    text = " ".join(re.sub(r"<[^>]*>", "", match["caption"]).split())
    return f'{match["before"]}alt="{escape(text)}"{match["after"]}'
