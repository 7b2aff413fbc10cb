"""A stitched notebook as one HTML page that opens without a network."""

from .exporter import TypstPDFExporter


class PageExporter(TypstPDFExporter):
    """Notebook to HTML through the same Markdown and the same tree as the PDF."""

    def _written(self, markdown, folder, metadata, report):
        return self._converted(markdown, folder, metadata, "html5", options=["--mathml"])
