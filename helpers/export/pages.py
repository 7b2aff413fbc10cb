"""Where figures and tables stand that do not fit on the rest of their page.

Typst sets everything where it is declared, so what does not fit leaves a hole at the foot of a page.  Here the pages
are set, looked at, and set again with a plan, until it does not change.  No page that is set looks at where things
stand, so all numbers of pages are right whatever the plan says.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, replace

ROUNDS = 40  # of setting all pages; what is not settled by then stands as it was last planned
SMALL = 0.07  # of the height of the text: a hole for which nothing is moved
PART = 0.17  # the least of a broken table on its first page, with caption and head
REST = 0.06  # and on its last
WHOLE = 0.6  # a table that is higher is broken wherever it begins
GAP = 12  # points between a figure or table and the text
UNDER = 32  # points from a heading to what follows it at once
PAST = 1  # headings that a float may come after
FOOT = 45  # a heading no further above the foot of the page goes to the next

# Headings, and what style.typ has noted above each figure and table with a caption, in the order of the text.
LOOK = """query(selector(heading).or(metadata)).filter(it =>
  it.func() == heading or type(it.value) == dictionary and "height" in it.value
).map(it => {
  let place = it.location().position()
  let seen = (page: place.page, y: place.y.pt())
  if it.func() == heading {
    let name = it.at("label", default: none)
    seen + (name: if name == none { "" } else { str(name) }, level: it.level)
  } else {
    let inside = query(label("at-" + it.value.name))
    let stands = if inside.len() > 0 { inside.first().location().page() } else { place.page }
    seen + it.value + (stands: stands)
  }
})"""


@dataclass(frozen=True)
class Mark:
    """A heading (`level`), or the place where a figure or table is declared (`kind`).

    Lengths are in points; the text of a page is from `top` to `bottom`; `stands` is the page of the figure or table.
    """

    name: str
    page: int
    y: float
    level: int = 0
    kind: str = ""
    height: float = 0
    stands: int = 0
    top: float = 0
    bottom: float = 0


@dataclass(frozen=True)
class Place:
    """`how`: "here", "float" to the top of the next page, "break" over pages, or "keep" with the heading above.

    `past`: the headings that a float may come after; `reserve`: what stays empty below the first part of a table that
    is broken, in points, so that the rest is no single row.
    """

    how: str = "here"
    past: tuple = ()
    reserve: int = 0


HERE = Place()


def settle(compiler, file):
    """Sets the pages until their plan is settled, and tells whether there is one.

    They read it from `file`, in JSON, where an empty one stands now.
    """
    plan, n_final, texts = {}, 0, None
    for _ in range(ROUNDS):
        marks = [Mark(**mark) for mark in json.loads(compiler.eval(LOOK))]
        if texts is None:
            texts, heights = _texts(marks), [mark.height for mark in marks]
        marks = [replace(mark, height=height) for mark, height in zip(marks, heights, strict=True)]
        planned, n_final = revised(plan, marks, texts, n_final)
        if all(planned[name] == plan.get(name, HERE) for name in planned):
            break
        plan = planned
        file.write_text(_written(plan), "utf-8")
    return _written(plan) != "{}"


def _written(plan):
    """The plan as style.typ reads it."""
    how = {name: {"how": place.how, "reserve": place.reserve} for name, place in plan.items() if place != HERE}
    return json.dumps(how | {name: {"how": "open"} for place in plan.values() for name in place.past})


def _texts(marks):
    """The height of the text from each mark to the next, read off pages on which everything stands where declared."""
    ends = [item for item in marks if item.kind]
    text = ends[0].bottom - ends[0].top if ends else 1
    found = []
    for mark, after in zip(marks, marks[1:], strict=False):
        between = (after.page - mark.page) * text + after.y - mark.y
        if mark.kind:
            room = mark.bottom - mark.y
            between -= mark.height + GAP + (room if mark.height > room else 0)
        found.append(max(0, between))
    return [*found, 0]


def revised(plan, marks, texts, n_final):
    """(The plan that these pages ask for, how many of its places are final).

    What comes later does not move what comes before, so the first place that changes is final, and all before it;
    where those after it will be is reckoned from the heights of texts, figures and tables.
    """
    planned, changed = {}, False
    items = [mark for mark in marks if mark.kind]
    if not items:
        return {}, 0
    top, bottom = items[0].top, items[0].bottom
    floats = defaultdict(float)  # page -> the height of those at its top
    last = {}  # kind -> the page of its last float
    page, y = marks[0].page, marks[0].y  # reckoned
    for i, mark in enumerate(marks):
        if not changed:
            page, y = mark.page, mark.y
        elif mark.level:
            latest = max(last.values(), default=0)
            if page < latest and not any(mark.name in place.past for place in planned.values()):
                page, y = latest, top + floats[latest]
            elif y > bottom - FOOT:
                page, y = page + 1, top + floats[page + 1]
        if mark.kind:
            old = plan.get(mark.name, HERE)
            if not changed and old.how == "float" and mark.stands == page:
                y -= mark.height + GAP  # as a float that fits, it has come to the top of this page
            if len(planned) < n_final:
                place = old
            else:
                seen = not changed and old == HERE  # else whether it fits is reckoned
                fits = mark.stands == page if seen else mark.height + GAP <= bottom - y
                near = i > 0 and marks[i - 1].level > 0 and texts[i - 1] < UNDER
                waits = page < last.get(mark.kind, 0)  # for another of its kind
                room = bottom - y
                while waits and floats[last[mark.kind]] + mark.height + GAP > bottom - top:
                    room += bottom - top - floats[last[mark.kind]]  # which text will find empty too
                    last[mark.kind] += 1
                place = HERE if fits and not waits else _moved(i, marks, texts, room, near, waits)
            planned[mark.name] = place
            if place != old and not changed:
                changed, n_final = True, len(planned)
            if place.how == "float":
                last[mark.kind] = max(page + 1, last.get(mark.kind, 0)) if changed else mark.stands
                floats[last[mark.kind]] += mark.height + GAP
            elif place.how != "break" and mark.height > bottom - y:
                page, y = page + 1, top + floats[page + 1] + mark.height
            else:
                y += mark.height + GAP
        y += texts[i]
        while y > bottom:
            page += 1
            y += floats[page] + top - bottom
    return planned, n_final


def _moved(i, marks, texts, room, near, waits):
    """How the figure or table stands best that does not fit into this `room`.

    `near`: whether it comes right under a heading; `waits`: whether another of its kind has not come yet.
    """
    mark = marks[i]
    text = mark.bottom - mark.top
    wanted = room - SMALL * text
    if waits:
        past, enough = _headings_passed(i, marks, texts, room, wanted)
        return Place("float", past if enough else ())
    if mark.kind == "table" and mark.height > WHOLE * text:
        return Place("break")
    stay = Place("keep") if near else HERE
    if wanted <= 0:
        return stay
    past, enough = _headings_passed(i, marks, texts, room, wanted)
    if enough and not past:
        return Place("float")
    reserve = max(0, REST * text - (mark.height - room))
    if mark.kind == "table" and room - reserve >= PART * text:
        return Place("break", reserve=round(reserve))
    if enough:
        return Place("float", past)
    return stay if near else Place("float")


def _headings_passed(i, marks, texts, room, wanted):
    """(The headings that text passes which fills the room below a mark, whether it fills what is `wanted`).

    It ends before a new section.
    """
    filled, past = texts[i], []
    for mark, text in zip(marks[i + 1 :], texts[i + 1 :], strict=True):
        if filled >= wanted:
            return tuple(past), True
        if mark.level == 1 or mark.level and len(past) == PAST:
            return tuple(past), False
        if mark.level:
            past.append(mark.name)
        elif mark.kind != marks[i].kind and filled + mark.height + GAP <= room:
            filled += mark.height + GAP
        filled += text
    return tuple(past), not past
