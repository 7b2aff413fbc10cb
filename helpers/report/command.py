"""`python -m helpers.report [build|notebooks|diff OLD NEW]`: the report, fresh outputs, what differs between two."""

import argparse
import fcntl
import logging
import os
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

from helpers import data
from helpers.export import ReportError
from helpers.export.exporter import TypstPDFExporter
from helpers.export.files import replace
from helpers.export.html import PageExporter
from helpers.export.join import JOIN
from helpers.export.outputs import drop_progress

from . import facts
from .difference import differences
from .execute import SVG, execute_all
from .proof import unexecuted
from .reuse import Executed
from .settings import NOTEBOOKS, in_running_order, read_notebooks, read_settings
from .stitch import stitch

REMEDY = "Make room, or name folders that can be written: BUILD=, RESULTS= and, for temporary files, TMPDIR=."
PASSES = [JOIN, str(Path(__file__).with_name("numbers.lua"))]


def load_dataset():
    """The data set, resolved once; the kernels find its name in DATASET."""
    try:
        dataset = data.load()
    except ValueError as error:
        raise ReportError(f"DATASET: {error}.") from error
    os.environ["DATASET"] = dataset.name
    os.environ["REPORT_BUILDS"] = "1"  # for the kernels: see record.choose
    return dataset


def front(settings):
    """What the title page says before anything is known about the data."""
    return {key: settings[key] for key in ("title", "subtitle", "authors", "course")} | {"date": facts.date()}


def check(settings, sources):
    """Typesets the notebooks with stand-ins for their outputs; raises ReportError with all that is wrong in them."""
    report = front(settings) | {"warning": None, "facts": {}}
    proof = stitch([(name, unexecuted(sources[name])) for name in settings["notebooks"]], report, "See.")
    exported(proof, settings["bibliography"], log=logging.getLogger("proof"))


def build(settings, folder):
    """Executes copies of the notebooks and leaves report.pdf and report.html in `folder`."""
    sources = read_notebooks(in_running_order(settings))
    check(settings, sources)
    dataset = load_dataset()
    executed = Executed(folder / "notebooks", dataset)
    done = execute_all(sources, NOTEBOOKS, folder / "notebooks", settings["timeout"], SVG, executed=executed)
    report = front(settings) | {"warning": dataset.warning}
    report["facts"] = {"Data": data.TITLES[dataset.name], **facts.facts()}
    if settings["repository"]:
        report["facts"] |= {"Repository": settings["repository"]}
    appendix = facts.provenance(dataset, {name: executed.runs[name] for name in sources})
    nb = stitch([(name, done[name]) for name in settings["notebooks"]], report, appendix)
    typeset(nb, folder, settings["bibliography"])


def exported(nb, bibliography="", exporter=TypstPDFExporter, **options):
    """What the exporter makes of a stitched notebook, and only without a fault."""
    bibliography = str(NOTEBOOKS / bibliography) if bibliography else ""
    made = exporter(strict=True, passes=PASSES, bibliography=bibliography, **options)
    resources = {"metadata": {"name": nb.metadata.report.title, "path": str(NOTEBOOKS)}}
    return made.from_notebook_node(nb, resources)[0]


def typeset(nb, folder, bibliography=""):
    """Writes report.pdf and report.html of a stitched notebook; both or, after an error, neither."""
    pages = exported(nb, bibliography)
    page = exported(nb, bibliography, PageExporter, log=logging.getLogger("page"))  # the same warnings again
    replace({folder / "report.pdf": pages, folder / "report.html": page})


def notebooks(settings):
    """Executes the notebooks in place, so that their stored outputs are fresh."""
    sources = read_notebooks(in_running_order(settings))
    load_dataset()
    execute_all(sources, NOTEBOOKS, NOTEBOOKS, settings["timeout"], clean=drop_progress)


@contextmanager
def alone(folder):
    """Waits, and says so, while another build works in `folder`; one that was killed is in nobody's way."""
    path = folder / "notebooks/.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another build works in {folder}; this one waits for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main():
    """Exit status: 0, or 1 after an error that is told in one message, and where `diff` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m helpers.report")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("build", help="the report; what is done where no command is given")
    commands.add_parser("notebooks", help="the notebooks with fresh outputs")
    diff = commands.add_parser(
        "diff", help="what differs between the outputs of two notebooks, or two folders of them"
    )
    diff.add_argument("old")
    diff.add_argument("new")
    asked = parser.parse_args()
    folder = Path(os.environ.get("BUILD") or "build").resolve()
    if os.environ.get("FRESH"):
        os.environ["FRESH_BUILD"] = uuid.uuid4().hex  # for the kernels: see store.read
    try:
        if asked.command == "diff":
            different = False
            for told in differences(asked.old, asked.new):
                print(told, end="\n\n")
                different = True
            return int(different)
        settings = read_settings()
        if asked.command == "notebooks":
            notebooks(settings)
        else:
            with alone(folder):
                build(settings, folder)
    except (ReportError, data.DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        what = ": ".join(filter(None, (error.filename, error.strerror or str(error))))
        print(f"error: {what}. What stood there before is untouched. {REMEDY}", file=sys.stderr)
        return 1
    return 0
