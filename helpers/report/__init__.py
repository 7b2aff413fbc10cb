"""From notebooks to one typeset report: execute, stitch, convert with nbconvert, pandoc and Typst."""

from nbconvert.utils.exceptions import ConversionException


class ReportError(ConversionException):
    """What stops a report; the message names the notebook and cell, or the file, and the remedy."""
