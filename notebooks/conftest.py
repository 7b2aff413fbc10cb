"""For whoever types `pytest --nbval-lax notebooks/`: the small data set, and outputs held against the recorded ones.

Every cell's outputs are compared by their words, and their numbers by ranges (`helpers.report.reference`); figures by
the data they are drawn from.  A cell with the tag nbval-ignore-output is not; its metadata {"reference": {"without":
["seconds"]}} leaves out lines and columns of tables with that word.
"""

import json
import os
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbCell, NbCellError

from helpers.export.outputs import drop_progress
from helpers.report import drawn, reference
from helpers.report.difference import lines

RECORDED = Path(__file__).parents[1] / "tests/reference"
SHOW_DATA = f"from {drawn.__name__} import register; register(get_ipython()); del register"
RECORDS, UNSURE = pytest.StashKey[dict](), pytest.StashKey[list]()


def pytest_addoption(parser):
    parser.addoption("--record", action="store_true", help="widen the recorded outputs by those of this execution")


def _executes(config):
    return config.getoption("nbval") or config.getoption("nbval_lax")


def pytest_configure(config):
    config.stash[RECORDS], config.stash[UNSURE] = {}, []
    if _executes(config):
        os.environ.setdefault("DATASET", "digits")  # MNIST takes hours
        if os.environ["DATASET"] == "digits":
            os.environ["REPORT_BUILDS"] = "1"  # what is chosen does not depend on what was before


def pytest_report_header(config):
    if not _executes(config):
        return None
    data = os.environ["DATASET"]
    return [
        f"notebooks on DATASET={data}: every cell is executed",
        f"outputs are held against {RECORDED}"
        if data == "digits"
        else "outputs are compared of cells tagged nbval-check-output alone, since those recorded are of digits",
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    yield
    if isinstance(item, IPyNbCell) and item.cell_num == 0:
        kernel = item.parent.kernel
        kernel.await_reply(kernel.execute_cell_input(SHOW_DATA))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    yield
    if isinstance(item, IPyNbCell) and "nbval-ignore-output" not in item.cell.metadata.get("tags", []):
        if item.config.getoption("record"):
            record = _record(item)
            record["processors"] = sorted({*record["processors"], reference.processor()})
            record["cells"][item.cell.id] = reference.widened(record["cells"].get(item.cell.id, []), _shown(item))
        elif os.environ["DATASET"] == "digits":
            _compare(item)


def _record(item):
    path = RECORDED / f"{item.path.stem}.json"
    records = item.config.stash[RECORDS]
    if path not in records:
        records[path] = json.loads(path.read_text()) if path.exists() else {"processors": [], "cells": {}}
    return records[path]


def _shown(item):
    cell = NotebookNode(cell_type="code", outputs=item.test_outputs)
    drop_progress(NotebookNode(cells=[cell]))
    return reference.without(lines(cell.outputs), item.cell.metadata.get("reference", {}).get("without", []))


def _compare(item):
    record = _record(item)
    if item.cell.id not in record["cells"]:
        item.config.stash[UNSURE].append(f"{item.nodeid} is new: `make reference` records it")
        return
    variants = record["cells"][item.cell.id]
    changes = reference.changes(variants, _shown(item))
    if changes:
        told = "\n".join(["its output is not as recorded (`make reference` accepts it):", *changes])
        if reference.is_steady(variants) or reference.processor() in record["processors"]:
            raise NbCellError(item.cell_num, told, item.cell.source)
        told = (
            f"{told}\nIt depends on the processor, and there is no record of one like this, {reference.processor()}."
        )
        item.config.stash[UNSURE].append(f"{item.nodeid}: {told}")


def pytest_terminal_summary(terminalreporter, config):
    if config.stash[UNSURE]:
        terminalreporter.section("outputs that may be right")
        terminalreporter.write_line("\n".join(config.stash[UNSURE]))


def pytest_sessionfinish(session, exitstatus):
    if session.config.getoption("record") and exitstatus == 0:
        for path, record in session.config.stash[RECORDS].items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
