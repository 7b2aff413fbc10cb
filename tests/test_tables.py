"""Markdown from frames, source and values."""

import inspect
import textwrap

import numpy as np
import pandas as pd
import pytest
from reading import cells, spread

from helpers import tables
from helpers.store import Run


def test_spread_is_mean_and_standard_deviation():
    assert tables.spread([0.981, 0.985], ".2%") == "98.30\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.28%"
    assert tables.spread([0.981], ".2%") == "98.10%"
    values = [0.1, 0.2, 0.6]
    assert tables.spread(values, ".4f") == spread(values, 4)
    assert tables.spread([0.1, np.nan], ".4f") == tables.spread([np.inf], ".4f") == "no number"


@pytest.mark.parametrize("index", [False, True])
def test_numbers_stand_right_and_words_left_in_the_formats_given(index):
    frame = pd.DataFrame({"word": ["x", "y"], "long name": [1234.5, -0.25], "whole": [1, 2]}, index=["i", "j"])
    header, rule, *rows = cells(tables.markdown(frame, index, long_name=",.2f"))
    assert header == ["", *frame.columns][not index :]
    assert [line.endswith(":") for line in rule] == [False, False, True, True][not index :]
    assert rows == [["i", "x", "1,234.50", "1"][not index :], ["j", "y", "−0.25", "2"][not index :]]
    assert frame["long name"].tolist() == [1234.5, -0.25]


def test_source_is_shown_as_it_is_written():
    told = tables.source(tables.spread, Run.final).data
    code = inspect.getsource(tables.spread) + "\n" + textwrap.dedent(inspect.getsource(Run.final))
    assert told == f"```python\n{code}```"
