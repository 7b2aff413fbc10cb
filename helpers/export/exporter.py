"""`jupyter nbconvert --to typstpdf ANY.ipynb`: a notebook as a typeset PDF, without TeX."""

import re
import tempfile
from pathlib import Path

from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import from_dict
from traitlets import Bool, Float, List, Unicode, default
from traitlets.config import Config

from . import ReportError, captions, cells, colours, markdown, outputs, revision, typeset

REMOVED = {  # by tags, as nbconvert, JupyterLab and Jupyter Book write them
    "remove_cell_tags": {"remove-cell", "remove_cell"},
    "remove_input_tags": {"hide-input", "hide_input", "remove-input", "remove_input"},
    "remove_all_outputs_tags": {"hide-output", "hide_output", "remove-output", "remove_output"},
}
PIECES = 100  # of a notebook that may be shown as their source before it is given up


def _authors(metadata):
    """The names of a notebook's authors, who stand in its metadata as names or as {"name": name}."""
    authors = metadata.get("authors") or []
    return [author["name"] if isinstance(author, dict) else str(author) for author in authors]


def _language(metadata):
    """The language of a notebook's text, as its metadata has it beside those of its code, or en."""
    named = [str(metadata.get(key)).replace("_", "-") for key in ("lang", "language")]
    return next((name for name in named if re.fullmatch(r"[a-z]{2}(-[A-Za-z]{2})?", name)), "en")


def _summed_up(message):
    """Typst's errors in one line, those of characters that its fonts lack as one."""
    lines = message.splitlines()
    missing = [found[1] for line in lines if (found := re.search(r'the text `"(.+?)"` could not be displayed', line))]
    others = [line for line in lines if "could not be displayed with font" not in line and "warning: " not in line]
    if len(others) > 2:
        others = [others[0], f"and {len(others) - 1} more such places"]
    if missing:
        shown = "".join(dict.fromkeys(missing))
        more = " ..." if len(shown) > 20 else ""
        others.append(f"its fonts and those of the system lack characters ({shown[:20]}{more})")
    return "; ".join(others)


class TypstPDFExporter(TemplateExporter):
    """Notebook to PDF through Markdown, pandoc and Typst."""

    export_from_notebook = "PDF via Typst"
    removed = REMOVED
    output_mimetype = "application/pdf"

    bibliography = Unicode("", help="BibTeX file for the citations; without one their text stays.").tag(config=True)
    paper = Unicode("a4", help="Paper as Typst names it: a4, us-letter, ...").tag(config=True)
    font_size = Float(10.5, help="Size of the text in points.").tag(config=True)
    contents = Bool(False, help="Begin with a table of contents; a stitched report has one anyway.").tag(config=True)
    language = Unicode("", help="As en or pt-BR; without one, that of the notebook's metadata, or en.").tag(
        config=True
    )
    passes = List(help="Lua files that work on pandoc's tree before it is written.").tag(config=True)
    strict = Bool(False, help="Raise an error where a foreign notebook gets a warning.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self):
        return ".pdf"

    @default("template_name")
    def _template_name_default(self):
        return "typstpdf"

    @default("template_extension")
    def _template_extension_default(self):
        return ".md.j2"

    @default("raw_mimetypes")
    def _raw_mimetypes_default(self):
        return ["text/markdown"]

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self):
        return [str(typeset.HERE / "templates")]

    @property
    def default_config(self):
        ours = Config(
            ExtractOutputPreprocessor={
                "enabled": True,
                "output_filename_template": "output_{cell_index}_{index}{extension}",
            },
            ExtractAttachmentsPreprocessor={"enabled": True},
            TagRemovePreprocessor={"enabled": True, **self.removed},
            NbConvertBase={"display_data_priority": list(outputs.TYPES)},
        )
        config = super().default_config.copy()
        config.merge(ours)
        return config

    def default_filters(self):
        yield from super().default_filters()
        yield "hide_input", lambda tags: bool(REMOVED["remove_input_tags"].intersection(tags))
        yield "fenced", markdown.fenced
        yield "plain", markdown.plain
        yield "language", markdown.language
        yield "plain_maths", markdown.plain_maths
        yield "headings", markdown.headings
        yield "directives", markdown.directives
        yield "alerts", markdown.alerts

    def from_notebook_node(self, nb, resources=None, **kw):
        """PDF (bytes) and resources; raises ReportError that names notebook and cell."""
        resources = {**(resources or {}), "output_files_dir": "files"}
        metadata = resources.setdefault("metadata", {})
        nb = self._prepared(nb, metadata.get("name") or "notebook")
        text, resources = super().from_notebook_node(nb, resources, **kw)
        text = text.replace("\ufeff", "")  # a mark of order of bytes, astray; PDF/UA forbids it
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            (folder / "files").mkdir()
            for file, data in (resources.pop("outputs", None) or {}).items():
                (folder / file).write_bytes(data)
            report = nb.metadata.get("report") or {"authors": _authors(nb.metadata)}
            metadata = metadata | {"name": nb.metadata.get("title") or metadata.get("name")}
            metadata["bibliography"] = self._bibliography(nb, metadata.get("path"))
            metadata["language"] = self.language or _language(nb.metadata)
            return self._written(text, folder, metadata, report), resources

    def _bibliography(self, nb, folder):
        """The files of the option or, beside the notebook, those that it names."""
        if self.bibliography:
            return [self.bibliography]
        named, folder = nb.metadata.get("bibliography") or [], Path(folder or ".").resolve()
        files = [(folder / str(name)).resolve() for name in ([named] if isinstance(named, str) else named)]
        found = [file for file in files if file.is_file() and file.is_relative_to(folder)]
        if len(found) < len(files):
            left_out = ", ".join(file.name for file in files if file not in found)
            self.log.warning("The bibliography %s is not in the folder of the notebook and is not read.", left_out)
        return found

    def _converted(self, text, folder, metadata, to, **options):
        given = {key: metadata[key] for key in ("bibliography", "language")}
        given |= {"strict": self.strict, "passes": self.passes}
        return typeset.convert(text, folder, to, search=metadata.get("path") or ".", **given, **options)

    def _written(self, text, folder, metadata, report):
        body = typeset.with_maths(self._converted(text, folder, metadata, "typst"), self.strict, self.log)
        return self._pdf(body, folder, metadata, report)

    def _prepared(self, nb, name):
        nb = from_dict(nb)  # a copy, and all of it nodes, which an upgrade from an old format may not leave
        cells.complete(nb)
        cells.read_front_matter(nb)
        cells.name_cells(nb, name)
        cells.tag_hidden(nb)
        cells.bring_footnotes(nb)
        captions.obey_options(nb, self.strict, self.log)
        nb, _ = CoalesceStreamsPreprocessor(enabled=True)(nb, {})  # before they are shortened, each as one
        outputs.keep_printable(nb, self.log)
        outputs.drop_progress(nb)
        colours.tell_unknown(nb, self.log)
        cells.rename_attachments(nb)
        captions.lower_anchors(nb)
        captions.attach_captions(nb, self.strict, self.log)
        return nb

    def _pdf(self, body, folder, metadata, report):
        title = report.get("title") or metadata.get("name") or "Notebook"
        language, _, region = metadata["language"].partition("-")
        layout = {"paper": self.paper, "size": self.font_size, "language": language, "region": region or None}
        options = {"title": title, "report": report, "layout": layout, "timestamp": revision.timestamp()}
        if self.contents and "title" not in report:
            body = f"#outline()\n{body}"
        for _ in range(PIECES):
            try:
                return self._typeset(body, folder, options)
            except typeset.TypesetError as error:
                mended = None if self.strict else typeset.without(body, error)
                if mended is None:
                    raise
                body, piece = mended
                reason = str(error).partition("\n")[0]
                self.log.warning("%s cannot be typeset (%s); its source is shown.", piece, reason)
        raise ReportError(f"more than {PIECES} pieces of this notebook cannot be typeset")

    def _typeset(self, body, folder, options):
        """The PDF, as PDF/UA-1 if it can be; the machine's fonts may have a character that Typst's lack."""
        for system_fonts in (False, True):
            try:
                return typeset.to_pdf(body, folder, standard="ua-1", system_fonts=system_fonts, **options)
            except ReportError as error:
                if self.strict:
                    raise
                lacking = _summed_up(str(error))
        pdf = typeset.to_pdf(body, folder, standard=[], system_fonts=True, **options)
        self.log.warning("The PDF is not PDF/UA-1: %s.", lacking)
        return pdf
