"""JupyterLab in Chromium on the digits, as a user meets it: notebooks run, and the playground obeys the mouse."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("0[1-9]_*.ipynb")) + ["00_overview.ipynb"]
PATIENCE = 600_000  # milliseconds that the trainings of a section may take on the digits


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab on a copy of the project, on the digits, and its token."""
    root = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "docs"):
        shutil.copytree(ROOT / name, root / name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = (ROOT / "Makefile").read_text().split("\nlab:")[1].splitlines()[1].split()[1:]
    options = ["--allow-root", "--no-browser", f"--port={port}", "--IdentityProvider.token=t"]
    results = str(ROOT / (os.environ.get("RESULTS") or "results"))  # what the report has trained is not trained again
    environment = os.environ | {"DATASET": "digits", "RESULTS": results, "PYTHONPATH": str(ROOT)}
    environment |= {
        f"JUPYTERLAB_{kind}_DIR": str(root / kind) for kind in ("WORKSPACES", "SETTINGS")
    }  # not the user's
    with (root / "log").open("w") as log:
        command = [sys.executable, "-m", "jupyterlab", *command[1:], *options]
        server = subprocess.Popen(command, cwd=root, env=environment, stderr=log)
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api?token=t")  # noqa: S310
            break
        except OSError:
            time.sleep(0.2)
    else:
        pytest.fail((root / "log").read_text())
    yield f"http://127.0.0.1:{port}", root
    server.terminate()
    server.wait(30)


@pytest.fixture
def open_notebook(browser, lab):
    """A function that opens a notebook of the project and returns its page."""
    address, _ = lab
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(120_000)  # milliseconds: the machine may be busy
    pages = []

    def opened(name):
        page = context.new_page()
        pages.append(page)
        page.goto(f"{address}/lab/tree/notebooks/{name}?token=t&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector("text=| Idle")
        page.wait_for_timeout(1000)
        return page

    yield opened
    for page in pages:
        menu(page, "Kernel", "Shut Down All Kernels…")
        page.get_by_role("button", name=re.compile("Shut Down")).click()
        time.sleep(1)
    context.close()


def menu(page, name, entry):
    page.get_by_role("menuitem", name=name, exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(entry)}$")).click()


def run_all(page):
    menu(page, "Run", "Run All Cells")


def executed(page, lab, name):
    """The notebook as it is saved once its last code cell has ended."""
    ends = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < ends:
        page.wait_for_selector("text=| Idle", timeout=PATIENCE)
        page.keyboard.press("Control+s")
        time.sleep(2)
        nb = json.loads((lab[1] / "notebooks" / name).read_text())
        if [cell for cell in nb["cells"] if cell["cell_type"] == "code"][-1]["execution_count"]:
            return nb
    raise AssertionError(f"{name} has not ended")


def test_lab_opens_the_overview_and_asks_nothing(browser, lab):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(120_000)
    page.goto(f"{lab[0]}/?token=t")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    assert page.title().startswith("00_overview")
    time.sleep(3)
    assert page.locator(".Toastify__toast").count() == 0
    assert page.locator(".jp-Dialog").count() == 0
    page.close()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_without_an_error(name, open_notebook, lab):
    page = open_notebook(name)
    run_all(page)
    outputs = [output for cell in executed(page, lab, name)["cells"] for output in cell.get("outputs", ())]
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error"] == []


@pytest.fixture
def playground(open_notebook):
    page = open_notebook("playground.ipynb")
    run_all(page)
    button(page, "Start").wait_for()
    return page


def button(page, name):
    return page.locator("button.jupyter-button", has_text=name)


def control(page, label):
    return page.locator(".widget-inline-hbox", has_text=label)


CURVE = "(document.querySelector('[aria-label^=\"Curves of loss\"]')?.innerHTML.length ?? 0)"


def wait_for_a_point(page):
    """Wait until the curves have another number of characters, which changes with each point."""
    page.wait_for_function(f"() => {CURVE} != {page.evaluate(CURVE)}")


def status(page):
    """How far the training is, in words."""
    return page.locator(".widget-html-content", has_text="training loss").inner_text()


def choose_a_long_training(page):
    for label, value in (("Epochs", "200"), ("Hidden", "1000 1000")):
        field = control(page, label).locator("input")
        field.fill(value)
        field.press("Tab")


def test_the_curve_grows_stop_works_twice_and_the_rate_can_be_moved(playground):
    page = playground
    choose_a_long_training(page)
    for _ in range(2):
        button(page, "Start").click()
        page.wait_for_selector("text=training loss")
        page.wait_for_function("() => !!document.querySelector('[aria-label^=\"Curves of loss\"]')")
        wait_for_a_point(page)
        button(page, "Stop").click()
        page.wait_for_selector("text=Stopped")
        where = status(page)
        page.wait_for_timeout(1000)
        assert status(page) == where
    button(page, "Start").click()
    page.wait_for_selector("b:has-text('Training')")
    rate = control(page, "Learning rate").locator(".widget-readout")
    rate.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("0.01")
    page.keyboard.press("Enter")
    for _ in range(3):
        wait_for_a_point(page)
    button(page, "Stop").click()
    button(page, "Keep").click()
    page.wait_for_selector("td:has-text('changed')")


def test_an_interrupt_of_the_kernel_ends_the_training(playground):
    page = playground
    choose_a_long_training(page)
    button(page, "Start").click()
    page.wait_for_selector("b:has-text('Training')")
    menu(page, "Kernel", "Interrupt Kernel")
    page.wait_for_selector("b:has-text('Stopped')")


def test_a_digit_that_is_drawn_changes_the_probabilities(playground):
    page = playground
    pad = page.locator("canvas[aria-label^='Pad']")
    for _ in range(40):
        if pad.count():
            break
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(200)
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()

    def stroke(points):
        x, y = (box["x"], box["y"])
        page.mouse.move(x + points[0][0], y + points[0][1])
        page.mouse.down()
        for px, py in points[1:]:
            page.mouse.move(x + px, y + py, steps=8)
        page.mouse.up()

    stroke([(150, 40), (140, 240)])
    page.wait_for_selector("[aria-label*='CNN reads 1']")
    button(page, "Clear").click()
    page.wait_for_selector("text=Draw a digit, or choose")
    stroke([(60, 50), (220, 50), (110, 240)])
    page.wait_for_selector("[aria-label*='CNN reads 7']")


def test_a_notebook_is_exported_through_the_menu(open_notebook):
    page = open_notebook("03_gradient_check.ipynb")
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text="Save and Export Notebook As").hover()
    with page.expect_download() as download:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Typstpdf$", re.IGNORECASE)).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
