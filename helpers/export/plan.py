"""The plan of the pages: where a figure or table stands that does not fit on the rest of its page."""

from collections import defaultdict
from dataclasses import dataclass

SMALL = 0.07  # of the height of the text: a hole for which nothing is moved
PART = 0.17  # the least of a broken table on its first page, with caption and head
REST = 0.06  # and on its last
WHOLE = 0.6  # a table that is higher is broken wherever it begins
GAP = 12  # points between a figure or table and the text
UNDER = 32  # points from a heading to what follows it at once
PAST = 1  # headings that a float may come after
FOOT = 45  # a heading no further above the foot of the page goes to the next


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

    @property
    def room(self):
        """What a figure or table takes of a page."""
        return self.height + GAP


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


def text_heights(marks):
    """Return the height of the text after each mark, to the next, on pages where everything stands where declared."""
    ends = [mark for mark in marks if mark.kind]
    text = ends[0].bottom - ends[0].top if ends else 1
    found = []
    for mark, after in zip(marks, marks[1:], strict=False):
        between = (after.page - mark.page) * text + after.y - mark.y
        if mark.kind:
            room = mark.bottom - mark.y
            between -= mark.room + (room if mark.height > room else 0)
        found.append(max(0, between))
    return [*found, 0]


class Revision:
    """The plan that pages ask for which were set by an earlier one; the names of its figures and tables -> Place.

    What comes later does not move what comes before, so the first place that changes is final, and all before it are;
    `n_final` counts them.  Where those after it will be is reckoned from the heights of texts, figures and tables.
    """

    def __init__(self, plan, marks, texts, n_final):
        self.places, self.n_final = {}, n_final
        self._old, self._marks, self._texts = plan, marks, texts
        self._changed = False
        items = [mark for mark in marks if mark.kind]
        if not items:
            return
        self._top, self._bottom = items[0].top, items[0].bottom
        self._floats = defaultdict(float)  # page -> the height of those at its top
        self._last = {}  # kind -> the page of its last float
        for i, mark in enumerate(marks):
            if not self._changed:
                self._page, self._y = mark.page, mark.y
            elif mark.level:
                self._come_to_heading(mark)
            if mark.kind:
                self._come_to_item(i, mark)
            self._y += texts[i]
            while self._y > self._bottom:
                self._turn(self._y - self._bottom)

    def _turn(self, y=0.0):
        """Go on at the next page, `y` below its floats."""
        self._page += 1
        self._y = self._top + self._floats[self._page] + y

    def _come_to_heading(self, mark):
        latest = max(self._last.values(), default=0)
        if self._page < latest and not any(mark.name in place.past for place in self.places.values()):
            self._page, self._y = latest, self._top + self._floats[latest]
        elif self._y > self._bottom - FOOT:
            self._turn()

    def _come_to_item(self, i, mark):
        old = self._old.get(mark.name, HERE)
        if not self._changed and old.how == "float" and mark.stands == self._page:
            self._y -= mark.room  # as a float that fits, it has come to the top of this page
        place = old if len(self.places) < self.n_final else self._place(i, mark, old)
        self.places[mark.name] = place
        if place != old and not self._changed:
            self._changed, self.n_final = True, len(self.places)
        if place.how == "float":
            at = max(self._page + 1, self._last.get(mark.kind, 0)) if self._changed else mark.stands
            self._last[mark.kind] = at
            self._floats[at] += mark.room
        elif place.how != "break" and mark.height > self._bottom - self._y:
            self._turn(mark.height)
        else:
            self._y += mark.room

    def _place(self, i, mark, old):
        """Where a figure or table is to stand: here if it fits, and if none of its kind has still to come."""
        room = self._bottom - self._y
        seen = not self._changed and old == HERE  # else whether it fits is reckoned
        fits = mark.stands == self._page if seen else mark.room <= room
        waits = self._page < self._last.get(mark.kind, 0)
        if fits and not waits:
            return HERE
        if waits:
            return self._behind_others(i, room)
        return self._moved(i, room)

    def _behind_others(self, i, room):
        """Where one stands for which others of its kind have not come yet."""
        mark, text = self._marks[i], self._bottom - self._top
        while self._floats[self._last[mark.kind]] + mark.room > text:
            room += text - self._floats[self._last[mark.kind]]  # which text will find empty too
            self._last[mark.kind] += 1
        past, enough = self._headings_passed(i, room, room - SMALL * text)
        return Place("float", past if enough else ())

    def _moved(self, i, room):
        """Where one stands best that does not fit into this `room`."""
        mark, text = self._marks[i], self._bottom - self._top
        near = i > 0 and self._marks[i - 1].level > 0 and self._texts[i - 1] < UNDER
        stay = Place("keep") if near else HERE
        wanted = room - SMALL * text
        if mark.kind == "table" and mark.height > WHOLE * text:
            return Place("break")
        if wanted <= 0:
            return stay
        past, enough = self._headings_passed(i, room, wanted)
        if enough and not past:
            return Place("float")
        reserve = max(0, REST * text - (mark.height - room))
        if mark.kind == "table" and room - reserve >= PART * text:
            return Place("break", reserve=round(reserve))
        if enough:
            return Place("float", past)
        return stay if near else Place("float")

    def _headings_passed(self, i, room, wanted):
        """(The headings that text passes which fills the `room` below a mark, whether it fills what is `wanted`).

        It ends before a new section.
        """
        filled, past, kind = self._texts[i], [], self._marks[i].kind
        for mark, text in zip(self._marks[i + 1 :], self._texts[i + 1 :], strict=True):
            if filled >= wanted:
                return tuple(past), True
            if mark.level == 1 or mark.level and len(past) == PAST:
                return tuple(past), False
            if mark.level:
                past.append(mark.name)
            elif mark.kind != kind and filled + mark.room <= room:
                filled += mark.room
            filled += text
        return tuple(past), not past
