"""Any notebook to a typeset PDF, without TeX: an nbconvert exporter through pandoc and Typst.

In this order: cells (names, tags), outputs (what can be printed), captions, markdown, the template, typeset
(pandoc with filter.lua, which calls the other files in Lua; tex, brackets, mathml and maths; Typst with style.typ).
"""

from nbconvert.utils.exceptions import ConversionException


class ReportError(ConversionException):
    """What stops a report; the message names the notebook and cell, or the file, and the remedy."""
