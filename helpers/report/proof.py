"""A report with stand-ins for what is not computed yet, to find what is wrong in the text first."""

import copy
import re

from nbformat.v4 import new_output

from helpers.export.captions import CAPTION, lower_anchors

ANCHOR = re.compile(r"""<a\s+(?:id|name)=\\?["']([\w-]+)""")
STANDS_IN = {
    "fig": {"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"/>'},
    "tbl": {"text/markdown": "| a |\n|---|\n| 1 |"},
}


def unexecuted(nb):
    """A copy whose code cells have, as their output, what the caption below them or their tag `abstract` asks for.

    Anchors that a code cell writes stand in its output too, as far as its source has them in one piece.
    """
    nb = copy.deepcopy(nb)
    lower_anchors(nb)
    for cell, below in zip(nb.cells, [*nb.cells[1:], None], strict=True):
        if cell.cell_type != "code":
            continue
        caption = below and below.cell_type == "markdown" and CAPTION.match(below.source)
        anchors = "".join(f'<a id="{name}"></a>' for name in ANCHOR.findall(cell.source))
        made = [STANDS_IN[caption["id"][:3]]] if caption else []
        if anchors or "abstract" in cell.metadata.get("tags", []):
            made.append({"text/markdown": f"{anchors}computed"})
        cell.outputs = [new_output("display_data", data=data) for data in made]
    return nb
