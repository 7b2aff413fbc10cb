"""Markdown from what was measured: tables, code, a mean with its spread."""

import inspect
import re
import textwrap

import numpy as np
from IPython.display import Markdown


def markdown(frame, index=False, **formats):
    """Return a DataFrame as a Markdown table; `formats` gives a format string by column, "_" standing for blanks."""
    shown = frame.copy()
    for column, spec in formats.items():
        name = column.replace("_", " ")
        shown[name] = [re.sub("^-", "−", format(value, spec)) for value in shown[name]]
    numeric = [name in frame.select_dtypes("number") for name in frame.columns]
    align = (["left"] if index else []) + ["right" if is_number else "left" for is_number in numeric]
    return Markdown(shown.to_markdown(index=index, colalign=align, disable_numparse=True))


def source(*parts):
    """Return the source of functions and classes as one block of code in Markdown."""
    code = "\n".join(textwrap.dedent(inspect.getsource(part)) for part in parts)
    return Markdown(f"```python\n{code}```")


def spread(values, spec):
    """Return values as "mean ± standard deviation", each in the format `spec`; one value alone without the latter.

    The blanks do not break, so that a narrow column keeps the two together.  Where a value is no finite number, the
    words are "no number".
    """
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        return "no number"
    mean = format(np.mean(values), spec)
    if len(values) == 1:
        return mean
    return f"{mean.removesuffix('%')}\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}{format(np.std(values, ddof=1), spec)}"
