"""The plan of the pages, from places made by hand; `test_report.py` sees it in typeset documents."""

import pytest

from helpers.export.plan import HERE, Mark, Place, Revision, text_heights


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


@pytest.mark.parametrize(
    ("kind", "height", "how"), [("table", 350, "float"), ("table", 450, "break"), ("image", 450, "float")]
)
def test_a_table_that_is_most_of_a_page_breaks_even_where_text_could_come_first(kind, height, how):
    marks = [heading("one", 1, 80, 1), shown("a", 1, 600, height, 2, kind)]
    planned = Revision({}, marks, [520, 600], 0).places
    assert planned["a"].how == how


def test_what_stands_well_is_left():
    marks = [heading("one", 1, 80, 1), shown("a", 1, 200, 300, 1), heading("two", 1, 600, 1)]
    revision = Revision({}, marks, [120, 88, 0], 0)
    assert (revision.places, revision.n_final) == ({"a": HERE}, 0)


def test_the_text_after_a_mark_is_what_its_figure_and_the_hole_above_it_leave():
    marks = [
        *(heading("one", 1, 80, 1), shown("a", 1, 200, 100, 1), heading("two", 1, 500, 2)),
        *(shown("b", 1, 600, 300, 2), heading("three", 2, 500, 2)),
    ]
    gap = 12
    # The hole below `two` is from 600 to 770; what is above `three` on its page is from 80 to 500.
    assert text_heights(marks) == [120, 500 - 200 - 100 - gap, 100, 500 - 80 - 300 - gap, 0]


def test_what_does_not_fit_by_little_goes_to_the_next_page_without_a_plan():
    marks = [heading("one", 1, 80, 1), shown("a", 1, 740, 300, 2), heading("two", 2, 600, 1)]
    assert Revision({}, marks, [660, 200, 0], 0).places["a"] == HERE


@pytest.mark.parametrize(
    ("y", "between", "place"),
    [
        (600, [], Place("break", reserve=31)),  # else less than the least that may stand on the last page would
        (660, [], Place("float")),  # too little of it would stand on the first page
        (600, [shown("b", 1, 620, 100, 2, "table")], Place("break", reserve=31)),  # which cannot come before
        (600, [shown("b", 1, 620, 100, 2, "image")], Place("float")),  # which can
    ],
)
def test_a_table_is_broken_where_nothing_else_fills_its_page_and_enough_of_it_is_on_both(y, between, place):
    height = 770 - y + 10
    marks = [heading("one", 1, 80, 1), shown("a", 1, y, height, 2, "table"), *between, heading("two", 2, 600, 1)]
    planned = Revision({}, marks, [y - 80, *[20] * (1 + len(between)), 0], 0).places
    assert planned["a"] == place


def test_a_figure_passes_no_heading_after_which_too_little_comes():
    marks = [heading("one", 1, 80, 1), shown("a", 1, 600, 300, 2), heading("two", 2, 400, 2)]
    assert Revision({}, marks, [520, 20, 30], 0).places["a"] == Place("float")


@pytest.mark.parametrize(("between", "place"), [(16, Place("keep")), (40, HERE)])
def test_a_heading_right_above_what_does_not_fit_by_little_goes_with_it(between, place):
    marks = [heading("one", 1, 80, 1), heading("two", 1, 700, 2), shown("a", 1, 740, 300, 2)]
    assert Revision({}, marks, [620, between, 200], 0).places["a"] == place
