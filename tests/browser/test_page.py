"""The HTML report in Chromium, as a reader meets it: on a desk and on a phone, by mouse and by keyboard.

`make test-browser` runs these on build/report.html; they are skipped where there is no Chromium or no report.
"""

import os
from pathlib import Path

import pytest

REPORT = Path(os.environ.get("BUILD") or "build").resolve() / "report.html"
pytestmark = pytest.mark.skipif(not REPORT.exists(), reason=f"there is no {REPORT}; make report first")


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desk", "phone"])
def page(browser, request):
    """The page, at one of two sizes; what it asked for and what went wrong stand in `page.asked`, `page.errors`."""
    width, height = request.param
    page = browser.new_page(viewport={"width": width, "height": height})
    page.asked, page.errors = [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(REPORT.as_uri())
    yield page
    page.close()


def test_it_is_one_file_that_asks_for_nothing(page):
    assert [url for url in page.asked if not url.startswith("data:")] == [REPORT.as_uri()]
    assert page.errors == []
    assert REPORT.stat().st_size < 5e6


def test_nothing_is_wider_than_the_window_but_what_scrolls_by_itself(page):
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wide = """[...document.querySelectorAll('main *')].filter(element =>
        element.getBoundingClientRect().right > innerWidth + 1
        && !element.closest('.wide, pre, math, .equation')).map(element => element.outerHTML.slice(0, 120))"""
    assert page.evaluate(wide) == []


def test_on_a_desk_every_table_is_seen_whole(page):
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    cut = "[...document.querySelectorAll('.wide')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert page.viewport_size["width"] < 1000 or page.evaluate(cut) == 0


def test_every_link_lands(page):
    lost = """[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))
        .filter(href => href.startsWith('#') ? !document.getElementById(decodeURIComponent(href.slice(1)))
            : !/^https?:/.test(href))"""
    assert page.evaluate(lost) == []


def test_ids_are_unique_and_every_picture_has_words(page):
    assert (
        page.evaluate(
            "(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(one => one.id))"
        )
        == 0
    )
    assert (
        page.evaluate("[...document.images].filter(image => !image.alt && !image.getAttribute('aria-label')).length")
        == 0
    )
    levels = page.evaluate("[...document.querySelectorAll('main :is(h1, h2, h3, h4)')].map(h => +h.tagName[1])")
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_the_contents_follow_the_reader(page):
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    headings = page.locator("main h1[id]")
    headings.nth(2).evaluate("heading => heading.scrollIntoView()")
    expected = "#" + headings.nth(2).get_attribute("id")
    page.wait_for_function("want => document.querySelector('nav [aria-current]').hash === want", arg=expected)


def test_the_menu_opens_on_a_phone_and_leads_to_a_section(page):
    if not page.locator("#menu").is_visible():
        assert page.locator("nav").is_visible()
        return
    assert not page.locator("nav").is_visible()
    page.click("#menu")
    page.locator("nav a").first.click()
    assert not page.locator("nav").is_visible()


def test_a_figure_opens_by_keyboard_and_closes(page):
    image = page.locator("figure img").first
    image.focus()
    page.keyboard.press("Enter")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_code_is_folded_and_opens_at_once_and_from_its_figure(page):
    folded = page.locator("details.code:not([open])").count()
    assert folded > 0
    page.locator("a.to-code").first.click()
    assert page.locator("details.code:not([open])").count() == folded - 1
    page.click("#all-code")
    assert page.locator("details.code:not([open])").count() == 0


def test_a_citation_opens_in_place(page):
    citations = page.locator("a[href^='#ref-']")
    if citations.count() == 0:
        pytest.skip("this report cites nothing")
    citations.first.click()
    assert page.locator("#note").is_visible()
    assert len(page.locator("#note").inner_text()) > 20
    page.keyboard.press("Escape")
    assert not page.locator("#note").is_visible()


def test_light_and_dark_are_readable_and_the_reader_chooses(page):
    def contrast():
        return page.evaluate("""() => {
          const light = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(x => x / 255)
            .map(x => x <= 0.04 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4); return 0.2126*r + 0.7152*g + 0.0722*b; };
          const style = getComputedStyle(document.body);
          const both = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
          return (both[1] + 0.05) / (both[0] + 0.05); }""")

    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert contrast() > 7
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert contrast() > 7
