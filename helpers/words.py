"""Sentences from numbers: code says how much, how many and which way, and leaves the reasons to the text."""

import math

BLANK = "\N{NO-BREAK SPACE}"  # keeps a number and its unit on one line


def listing(items, none="none"):
    """Return items as a list in words, as in "a, b and c"; the word `none` where there are no items."""
    *most, last = [*map(str, items)] or [none]
    return f"{', '.join(most)} and {last}" if most else last


def number(count, noun, plural=None):
    """Return a count with its noun, as in "1 image" and "2,000 images"."""
    return f"{count:,}{BLANK}{noun if count == 1 else plural or noun + 's'}"


def times(shape):
    """Return a shape in words, as in 20 × 24 × 24."""
    return " × ".join(map(str, shape))


def signed(value, spec):
    """Return a number with its sign, as in "+0.20" and "−0.20"; `spec` is a format without one, as in ".2f"."""
    return f"{value:+{spec}}".replace("-", "−")


def interval(difference, unit="points", scale=100, places=2):
    """Return a statistics.Difference with its 95% interval, as in "−0.20 ± 0.05 points"; none is named as such."""
    mean, half = (f"{scale * value:.{places}f}" for value in (abs(difference.mean), difference.half))
    sign = "" if float(mean) == 0 else "−" if difference.mean < 0 else "+"
    if math.isinf(difference.half):
        return BLANK.join(filter(None, [f"{sign}{mean}", unit])) + ", one seed alone"
    return BLANK.join(filter(None, [f"{sign}{mean}", "±", half, unit]))


def compared(difference, first, second, what="validation error"):
    """Return in words whether `first` has a lower `what` than `second`: `difference` is first minus second.

    That is said only where the 95% interval of the difference lies on one side of zero.
    """
    told = f"({interval(difference)})"
    if not difference.sign:
        return f"the {what} of {first} is not told apart from that of {second} {told}"
    return f"the {what} of {first} is {'lower' if difference.sign < 0 else 'higher'} than that of {second} {told}"


def place(value, values):
    """Return where a value stands in the range of `values`: "inside" or "at the edge of"."""
    return "at the edge of" if value in (min(values), max(values)) else "inside"


def sentence(text):
    """Return `text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]
