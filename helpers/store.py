"""The store: a run is two files in results/, `<name>.json` (the Run) and `<name>.npz` (its weights).

The JSON file is written last: a run exists when all of it is there.
"""

import hashlib
import math
import os
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from helpers import data
from helpers.files import has_checksum, replacing, set_aside, stored, write_json

HISTORY = (
    *("train_loss", "train_error", "train_unclipped_loss"),
    *("valid_loss", "valid_error", "valid_unclipped_loss"),
    "seconds",
)

accessed_runs = set()  # their names, read or written by this process


@dataclass
class Run:
    """What one training leaves.

    `history` has the lists named in HISTORY, one value per epoch, measured at its end: losses in nats, errors as
    shares of 1.  They are of whole sets, but a convolutional network's training figures are of 10,000 images before
    the last epoch.  What was not measured is nan.  `wrong` has the indices of the validation images that are misread
    after the last epoch.  `test` is None until the run has been chosen, then the same figures of the test set.
    """

    config: dict
    fingerprint: str
    n_parameters: int
    history: dict
    versions: dict
    test: dict | None = None
    key: str = ""
    shapes: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)
    weights_sha256: str = ""

    @property
    def diverged(self):
        """Whether a loss is no finite number, or training ended at twice the loss of guessing or more."""
        losses = self.history["train_loss"] + self.history["valid_loss"]
        return not np.all(np.isfinite(losses)) or self.history["train_loss"][-1] >= 2 * np.log(data.N_CLASSES)

    def final(self, measure):
        """The value of a measure of the history after the last epoch."""
        return self.history[measure][-1]

    @property
    def valid_accuracy(self):
        """Validation accuracy after the last epoch."""
        return 1 - self.final("valid_error")


def folder():
    """The folder of the runs: the variable RESULTS, else results/ in the project."""
    return data.ROOT / (os.environ.get("RESULTS") or "results")


def write(name, run, weights):
    """Store a run and its weights under `name`; return the Run, which then knows its key."""
    run.key = name
    folder().mkdir(parents=True, exist_ok=True)
    with replacing(folder() / f"{name}.npz") as file:
        np.savez(file, **weights)
        file.seek(0)
        run.weights_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    write_json(folder() / f"{name}.json", asdict(run))
    accessed_runs.add(name)
    return run


def read(name):
    """Return the stored Run `name`, or None where there is none, or none that is whole.

    Where FRESH_BUILD names a build, one that others have written does not count; it stays until another replaces it.
    """
    path, build = folder() / f"{name}.json", os.environ.get("FRESH_BUILD")
    found = stored(path)
    if found is None or (build and found.get("build") != build):
        return None
    run = _run(found["content"])
    if run is None:
        set_aside(path, "is no run of this version of the project")
        return None
    weights = path.with_suffix(".npz")
    if not weights.exists():
        return None
    if not has_checksum(weights, run.weights_sha256):
        set_aside(weights, "is not what was stored with its run")
        return None
    accessed_runs.add(name)
    return run


def read_weights(run):
    """Return the weights of a stored Run, {name: array}."""
    with np.load(folder() / f"{run.key}.npz", allow_pickle=False) as weights:
        return dict(weights)


def _run(content):
    """The Run with this content, or None where it does not have the fields of one."""
    named = isinstance(content, dict) and set(content) == {each.name for each in fields(Run)}
    if not named or not all(isinstance(content[each.name], each.type) for each in fields(Run)):
        return None
    lists = list(content["history"].values())
    if not lists or not all(isinstance(values, list) and len(values) == len(lists[0]) for values in lists):
        return None
    run = Run(**content)
    for values in run.history.values():
        values[:] = [math.nan if x is None else x for x in values]
    return run
