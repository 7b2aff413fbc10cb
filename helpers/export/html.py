"""A stitched notebook as one HTML page that opens without a network."""

import json
from pathlib import Path

from .exporter import REMOVED, TypstPDFExporter

HERE = Path(__file__).parent
PAGE = HERE / "page"


class PageExporter(TypstPDFExporter):
    """Notebook to HTML through the same Markdown and the same tree as the PDF; the code is there, folded."""

    removed = {name: tags for name, tags in REMOVED.items() if name != "remove_input_tags"}

    def _written(self, text, folder, metadata, report):
        facts = [{"name": name, "value": value} for name, value in report["facts"].items()]
        (folder / "front.json").write_text(
            json.dumps({**report, "facts": facts, "lang": metadata["language"]}), "utf-8"
        )
        options = ["--standalone", "--mathml", "--toc", "--toc-depth=2", f"--template={PAGE / 'page.html'}"]
        options += ["--embed-resources", f"--lua-filter={HERE / 'html.lua'}", "--metadata-file=front.json"]
        options += [f"--variable=folder={PAGE}", "--syntax-highlighting=pygments"]
        return self._converted(text, folder, metadata, "html5", options=options)
