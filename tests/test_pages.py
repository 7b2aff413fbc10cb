"""The plan of the pages, from places made by hand; `test_report.py` sees it in typeset documents."""

import pytest

from helpers.export.plan import HERE, Mark, Place, Revision


def heading(name, page, y, level):
    return Mark(name, page, y, level)


def shown(name, page, y, height, stands, kind="image"):
    return Mark(name, page, y, kind=kind, height=height, stands=stands, top=80, bottom=770)


@pytest.mark.parametrize(("stands", "how"), [(1, "here"), (2, "float")])
def test_whether_something_fits_is_seen_where_it_has_been_set(stands, how):
    marks = [heading("one", 1, 80, 1), shown("a", 1, 635, 127, stands, "table"), heading("two", 2, 500, 1)]
    planned = Revision({}, marks, [555, 400, 0], 0).places  # by its height alone it could stand on either page
    assert planned["a"].how == how


def test_text_comes_also_into_what_waiting_figures_leave_of_their_page():
    floats = dict.fromkeys("abc", Place("float"))
    figures = [shown("a", 1, 600, 256, 2), shown("b", 1, 600, 293, 2), shown("c", 1, 690, 238, 3)]
    marks = [heading("one", 1, 80, 1), *figures, heading("next", 3, 333, 2), heading("two", 3, 490, 1)]
    texts = [520, 0, 60, 49, 156, 0]
    planned = Revision(floats, marks, texts, 2).places
    assert planned["c"] == Place("float", ("next",))
    small = [*marks[:2], shown("b", 1, 600, 150, 2), shown("c", 1, 690, 238, 2), *marks[4:]]
    planned = Revision(floats, small, texts, 2).places
    assert planned["c"] == Place("float")  # there is room for it beside the others


@pytest.mark.parametrize(
    ("after", "past"),
    [
        ([(2, 300), (2, 300)], ("h0",)),
        ([(2, 30), (2, 300), (2, 9)], ()),  # two headings would have to be passed
        ([(1, 300), (2, 300)], ()),  # a section begins
    ],
)
def test_a_figure_comes_after_one_heading_at_most_and_in_its_section(after, past):
    headings = [heading(f"h{i}", 2, 400 + 100 * i, level) for i, (level, _) in enumerate(after)]
    marks = [heading("one", 1, 80, 1), shown("a", 1, 600, 300, 2), *headings]
    planned = Revision({}, marks, [520, 20, *(text for _, text in after)], 0).places
    assert planned["a"] == Place("float", past)


@pytest.mark.parametrize(("height", "how"), [(350, "float"), (450, "break")])
def test_a_table_that_is_most_of_a_page_breaks_even_where_text_could_come_first(height, how):
    marks = [heading("one", 1, 80, 1), shown("a", 1, 600, height, 2, "table")]
    planned = Revision({}, marks, [520, 600], 0).places
    assert planned["a"].how == how


def test_what_stands_well_is_left():
    marks = [heading("one", 1, 80, 1), shown("a", 1, 200, 300, 1), heading("two", 1, 600, 1)]
    revision = Revision({}, marks, [120, 88, 0], 0)
    assert (revision.places, revision.n_final) == ({"a": HERE}, 0)
