"""What the report has chosen: runs by label, noted by one section and read by later ones."""

import os
from collections.abc import Mapping
from dataclasses import asdict

from helpers import runs, training
from helpers.files import broken, read_json, write_json
from helpers.keys import key
from helpers.metrics import evaluate
from helpers.store import folder, read

SECTIONS = {  # how the labels begin under which a notebook chooses runs, and the notebook
    **dict.fromkeys(("start: ", "best rate: ", "largest rate: "), "01_initialization"),
    **dict.fromkeys(("search", "rounding", "MLP"), "02_hyperparameter_search"),
    **dict.fromkeys(("CNN", "short: "), "04_cnn"),
    **dict.fromkeys(("MLP with ", "CNN with ", "best MLP", "best CNN"), "05_regularization"),
}


class Chosen(Mapping):
    """Lists of Runs by label, each read when it is asked for: what a notebook reads is what it depends on."""

    def __init__(self, names, broken):
        self._names, self._broken = names, broken

    def __getitem__(self, label):
        same = [read(name) for name in self._names.get(label, ())]
        if not same or None in same:
            why = f" (what had been chosen was damaged and stands in {self._broken[-1]})" if self._broken else ""
            raise KeyError(f"no run has been chosen as {label!r} yet{why}: run {section(label)} first")
        return same

    def __iter__(self):
        return (label for label in self._names if label in self)

    def __len__(self):
        return sum(1 for _ in self)


def choose(label, *same):
    """Return these Runs, which differ in their seeds alone, as what the report calls `label`.

    They are noted for later sections.  Where others are noted already, those stay, and a line says so: an exploration
    does not touch the report's record.  They give way where the report is built (REPORT_BUILDS is set), or where the
    code has changed since.
    """
    noted, names = _noted(same), [run.key for run in same]
    if _explores(label, same):
        print(f"An exploration: later sections go on with what the report has chosen as {label!r}.")
    elif names != noted.get(label):
        write_json(_path(same[0].config["dataset"]), noted | {label: names})
    return same


def choose_and_test(label, *same):
    """The same as `choose`, with the `test` figures of each Run, which are stored with it where it is noted."""
    explores = _explores(label, same)
    for run in same:
        if run.test is None:
            run.test = evaluate(runs.network(run), training.dataset(run.config).test)._asdict()
            if not explores:
                write_json(folder() / f"{run.key}.json", asdict(run))
    return choose(label, *same)


def _explores(label, same):
    """Whether these Runs are others than the report's own, and not of a build."""
    noted, names = _noted(same), [run.key for run in same]
    return names != noted.get(label, names) and not os.environ.get("REPORT_BUILDS") and _current(noted[label])


def _noted(same):
    return read_json(_path(same[0].config["dataset"])) or {}


def section(label):
    """Return the name of the notebook that chooses the runs of this label."""
    begins = [beginning for beginning in SECTIONS if label.startswith(beginning)]
    return SECTIONS[max(begins, key=len)] if begins else "the notebook that chooses it"


def _current(names):
    """Whether runs are there and bear the names that they would be given now."""
    found = [read(name) for name in names]
    return None not in found and all(key(run.config) == run.key for run in found)


def chosen(dataset):
    """Return what the report chose on the data set of this name, {label: [Run, ...]}, as `choose` was given it.

    A label without Runs raises KeyError, which says what to do.
    """
    path = _path(dataset)
    return Chosen(read_json(path) or {}, broken(path))


def _path(dataset):
    return folder() / f"chosen-{dataset}.json"
