"""Pages without holes, though figures and tables do not fit on the rest of a page.

Typst sets everything where it is declared, so what does not fit leaves a hole at the foot of a page.  Here the pages
are set, looked at, and set again with a plan, until it does not change.  No page that is set looks at where things
stand, so all numbers of pages are right whatever the plan says.
"""

import json
from dataclasses import replace

from .plan import HERE, Mark, Revision, text_heights

ROUNDS = 40  # of setting all pages; what is not settled by then stands as it was last planned

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


def settle(compiler, file):
    """Sets the pages until their plan is settled, and tells whether there is one.

    They read it from `file`, in JSON, where an empty one stands now.
    """
    plan, n_final, texts = {}, 0, None
    for _ in range(ROUNDS):
        marks = [Mark(**mark) for mark in json.loads(compiler.eval(LOOK))]
        if texts is None:
            texts, heights = text_heights(marks), [mark.height for mark in marks]
        marks = [replace(mark, height=height) for mark, height in zip(marks, heights, strict=True)]
        revision = Revision(plan, marks, texts, n_final)
        if all(place == plan.get(name, HERE) for name, place in revision.places.items()):
            break
        plan, n_final = revision.places, revision.n_final
        file.write_text(_written(plan), "utf-8")
    return _written(plan) != "{}"


def _written(plan):
    """The plan as style.typ reads it."""
    how = {name: {"how": place.how, "reserve": place.reserve} for name, place in plan.items() if place != HERE}
    return json.dumps(how | {name: {"how": "open"} for place in plan.values() for name in place.past})
