"""A notebook as one HTML page that opens without a network."""

import hashlib
import json
import re
from base64 import b64encode
from html import unescape
from pathlib import Path
from xml.etree.ElementTree import tostring  # noqa: S405 — made here, not parsed

from . import tex
from .exporter import REMOVED, TypstPDFExporter

HERE = Path(__file__).parent
PAGE = HERE / "page"
UNREAD = re.compile(r'<span class="math (inline|display)">\${1,2}(.+?)\${1,2}</span>', re.S)  # by pandoc
COLOURED = re.compile(  # what pandoc has read without its colours
    r'<math display="(inline|block)"[^>]*>(?:(?!</math>).)*<annotation encoding="application/x-tex">'
    r"((?:(?!</annotation>).)*\\(?:text)?color\b.*?)</annotation></semantics></math>",
    re.S,
)
READ = re.compile(r'<annotation encoding="application/x-tex">(.*?)</annotation>', re.S)


def _with_maths(page, log):
    """The page with the maths that pandoc cannot read, old commands and macros, in MathML too."""
    macros = {}
    for source in READ.findall(page):  # alone, a definition is no more than empty maths
        macros.update(tex.definitions(unescape(source))[0])

    def written(found):
        defined, source = tex.definitions(unescape(found[2]))
        macros.update(defined)
        if not source.strip():
            return ""
        try:
            with tex.readable():
                maths = tex.tree(source, macros)
                for element in maths.iter():
                    element.text = tex.said(element)
        except tex.Unreadable as error:
            log.warning("the maths %.60s cannot be read (%s)", source, error)
            return found[0]
        maths.set("display", "inline" if found[1] == "inline" else "block")
        return tostring(maths, "unicode")

    return COLOURED.sub(written, UNREAD.sub(written, page))


def _with_policy(page):
    """The page with leave to run its own script and to load nothing, whatever a notebook says."""
    script = re.search("<script>(.*?)</script>", page, re.S)[1]
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return page.replace("SCRIPT", f"'sha256-{digest}'", 1)


class PageExporter(TypstPDFExporter):
    """Notebook to HTML through the same Markdown and the same tree as the PDF; of a report, the code is folded."""

    removed = {name: tags for name, tags in REMOVED.items() if name != "remove_input_tags"}
    output_mimetype = "text/html"

    def _written(self, text, folder, metadata, report):
        facts = [{"name": name, "value": value} for name, value in report.get("facts", {}).items()]
        front = {"pagetitle": report.get("title") or metadata["name"], "facts": facts, "lang": metadata["language"]}
        (folder / "front.json").write_text(json.dumps({**report, **front}), "utf-8")
        options = ["--standalone", "--mathml", "--toc", "--toc-depth=2", f"--template={PAGE / 'page.html'}"]
        options += ["--embed-resources", f"--lua-filter={HERE / 'html.lua'}", "--metadata-file=front.json"]
        options += [f"--variable=folder={PAGE}", "--syntax-highlighting=pygments", "--quiet"]
        page = self._converted(text, folder, metadata, "html5", options=options)
        return _with_policy(_with_maths(page, self.log))
