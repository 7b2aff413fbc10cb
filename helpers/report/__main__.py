"""`python -m helpers.report [build|notebooks]`: the report, or the notebooks with fresh outputs."""

import argparse
import os
import sys
import time
import tomllib
from pathlib import Path

from traitlets.config import Config

from helpers import data

from . import ReportError, facts
from .cells import drop_progress
from .execute import SVG, execute_all, replace
from .exporter import TypstPDFExporter
from .html import to_html
from .reuse import Executed
from .stitch import stitch

NOTEBOOKS = Path("notebooks")
HIDE = Config(TagRemovePreprocessor={"remove_input_tags": {"hide-input"}})
DEFAULTS = {
    "subtitle": "",
    "authors": [],
    "course": "",
    "repository": "",
    "run_last": [],
    "bibliography": "",
    "timeout": 3600,
}


def read_settings():
    """The settings in notebooks/report.toml; raises ReportError when one is missing or unknown."""
    path = NOTEBOOKS / "report.toml"
    try:
        settings = DEFAULTS | tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ReportError(f"{path} cannot be read: {error}.") from error
    wrong = settings.keys() ^ {*DEFAULTS, "title", "notebooks"}
    if wrong:
        raise ReportError(f"{path}: missing or unknown settings: {', '.join(sorted(wrong))}.")
    return settings


def in_running_order(settings):
    """The names of the notebooks, those of `run_last` at the end."""
    return sorted(settings["notebooks"], key=lambda name: name in settings["run_last"])


def load_dataset():
    """The data set, resolved once; the kernels find its name in DATASET."""
    dataset = data.load()
    os.environ["DATASET"] = dataset.name
    return dataset


def build(settings, folder):
    """Executes copies of the notebooks and leaves report.pdf and report.html in `folder`."""
    dataset = load_dataset()
    executed = Executed(folder / "notebooks", dataset)
    names = in_running_order(settings)
    done = execute_all(names, NOTEBOOKS, folder / "notebooks", settings["timeout"], SVG, executed=executed)
    report = {key: settings[key] for key in ("title", "subtitle", "authors", "course")}
    report |= {"warning": dataset.warning, "date": facts.date()}
    report["facts"] = {"Data": data.TITLES[dataset.name], **facts.facts()}
    if settings["repository"]:
        report["facts"] |= {"Repository": settings["repository"]}
    appendix = facts.provenance(dataset, {name: executed.runs[name] for name in names})
    nb = stitch([(name, done[name]) for name in settings["notebooks"]], report, appendix)
    typeset(nb, folder, settings["bibliography"])


def typeset(nb, folder, bibliography=""):
    """Writes report.pdf and report.html of a stitched notebook; both or, after an error, neither."""
    bibliography = str(NOTEBOOKS / bibliography) if bibliography else ""
    pdf = TypstPDFExporter(config=HIDE, strict=True, bibliography=bibliography)
    resources = {"metadata": {"name": nb.metadata.report.title, "path": str(NOTEBOOKS)}}
    pages = pdf.from_notebook_node(nb, resources)[0]
    page = to_html(nb, resources, bibliography)
    replace(folder / "report.pdf", pages)
    replace(folder / "report.html", page)


def notebooks(settings):
    """Executes the notebooks in place, so that their stored outputs are fresh."""
    load_dataset()
    execute_all(in_running_order(settings), NOTEBOOKS, NOTEBOOKS, settings["timeout"], clean=drop_progress)


def main():
    """Exit status: 0, 1 after an error that is told in one message, 130 after an interrupt."""
    parser = argparse.ArgumentParser(prog="python -m helpers.report", description=__doc__)
    parser.add_argument("command", nargs="?", default="build", choices=("build", "notebooks"))
    command = parser.parse_args().command
    folder = Path(os.environ.get("BUILD") or "build").resolve()
    if os.environ.get("FRESH"):
        os.environ["FRESH_SINCE"] = str(time.time())  # for the kernels: see store.read
    try:
        settings = read_settings()
        build(settings, folder) if command == "build" else notebooks(settings)
    except (ReportError, data.DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was finished before is untouched", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
