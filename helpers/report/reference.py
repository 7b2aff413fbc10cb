"""Outputs that must come out again: their words, and for each number the range in which it was recorded.

A cell's record is a list of variants, which differ in their words.  A variant is a list of lines, as
`difference.lines` gives them, in which a number that differed between executions reads "1.5…1.9".
"""

import re
from difflib import SequenceMatcher, ndiff

from torch.backends import cpu

from helpers import keys

from . import facts

NUMBER = r"(?<![\w.])[-−+]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+| × 10\^-?\d+)?"
RANGE = re.compile(rf"({NUMBER})(?:…({NUMBER}))?")
READABLE = 200  # characters of a row that are shown


def processor():
    """Return what rounds here (str): the processor, NumPy's kernels of matrix products, PyTorch's instructions."""
    return f"{facts.processor()}, {keys.machine()['blas']}, PyTorch {cpu.get_cpu_capability()}"


def without(lines, words):
    """Return `lines` but those with one of `words`; rows of tables lose the columns whose heads have one."""
    kept, columns = [], None
    for line in lines:
        if line.startswith("|"):
            cells = line.strip("|").split("|")
            if columns is None:
                columns = [i for i, head in enumerate(cells) if not any(word in head for word in words)]
            kept.append(f"|{'|'.join(cells[i] for i in columns)}|")
        else:
            columns = None
            kept += [line] * (not any(word in line for word in words))
    return kept


def widened(variants, lines):
    """Return the record of a cell, `variants`, with one more execution in it, which showed `lines`."""
    words = _words(lines)
    same = [variant for variant in variants if _words(variant) == words]
    other = [variant for variant in variants if _words(variant) != words]
    return [*other, list(map(_hull, *same, lines)) if same else lines]


def is_steady(variants):
    """Whether all recorded executions of a cell showed the same, so that it leaves nothing to the processor."""
    return len(variants) == 1 and not any("…" in line for line in variants[0])


def changes(variants, lines):
    """Return what in `lines` is not as it was recorded, and what stood there (list of str); [] where all is.

    A number may lie outside of its range by as much as that is wide.
    """
    words = _words(lines)
    closest = max(variants, key=lambda variant: _likeness(_words(variant), words))
    if _words(closest) != words:
        return [line.rstrip()[:READABLE] for line in ndiff(_words(closest), words) if line[0] in "-+"]
    return [
        f"row {i}, {new[:READABLE]}: {found} where {recorded.group()} was recorded"
        for i, (old, new) in enumerate(zip(closest, lines, strict=True), start=1)
        for recorded, (found, _) in zip(RANGE.finditer(old), RANGE.findall(new), strict=True)
        if not _is_within(_value(found), *_ends(recorded))
    ]


def _words(lines):
    return [RANGE.sub("#", line) for line in lines]


def _likeness(*lines):
    return SequenceMatcher(None, *map("\n".join, lines), autojunk=False).quick_ratio()


def _value(number):
    return float(number.replace(",", "").replace("−", "-").replace(" × 10^", "e"))


def _ends(found):
    low, high = found.groups()
    return _value(low), _value(high or low)


def _is_within(value, low, high):
    return 2 * low - high <= value <= 2 * high - low


def _hull(old, new):
    """A recorded line whose ranges have the numbers of a new one in them."""
    numbers = iter(RANGE.findall(new))

    def hull(found):
        ends = {_value(each): each for each in (*found.groups(), next(numbers)[0]) if each}
        low, high = ends[min(ends)], ends[max(ends)]
        return low if len(ends) == 1 else f"{low}…{high}"

    return RANGE.sub(hull, old)
