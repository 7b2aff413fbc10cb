"""The store: a run is two files in results/, `<name>.json` (the Run) and `<name>.npz` (its weights).

The JSON file is written last, and each file is renamed into place: a run exists when all of it is there.
"""

import hashlib
import json
import math
import os
import uuid
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from itertools import count
from pathlib import Path

import numpy as np

from helpers import data

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
    with _replacing(folder() / f"{name}.npz") as file:
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
    stored = _stored(path)
    if stored is None or (build and stored.get("build") != build):
        return None
    run = _run(stored["content"])
    if run is None:
        _set_aside(path, "is no run of this version of the project")
        return None
    weights = path.with_suffix(".npz")
    if not weights.exists():
        return None
    if not _is(weights, run.weights_sha256):
        _set_aside(weights, "is not what was stored with its run")
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


def _is(path, sha256):
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


@contextmanager
def _replacing(path):
    """Open a temporary file that becomes `path` when all of it is written."""
    temporary = Path(f"{path}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("w+b") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path, content):
    """Write `content`, plain data, to `path` with its checksum; a number that is not finite becomes null."""
    content = _portable(content)
    with _replacing(path) as file:
        stored = {"sha256": _sha256(content), "build": os.environ.get("FRESH_BUILD"), "content": content}
        file.write(json.dumps(stored, indent=1).encode())


def read_json(path):
    """Return the content of a file of this store, or None; one that was cut or edited is set aside."""
    stored = _stored(path)
    return None if stored is None else stored["content"]


def _stored(path):
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text())
        if _sha256(stored["content"]) == stored["sha256"]:
            return stored
    except (ValueError, TypeError, KeyError, RecursionError, OSError):
        pass
    _set_aside(path, "is not as it was written")
    return None


def _set_aside(path, reason):
    """Rename what cannot be used, a file or a folder, so that nothing is lost and its place is free."""
    names = (f"{path.name}.broken{n or ''}" for n in count())
    aside = next(other for name in names if not (other := path.with_name(name)).exists())
    done = f"was set aside as {aside.name}"
    try:
        path.replace(aside)
    except FileNotFoundError:
        pass  # another driver was faster
    except OSError as error:
        done = f"could not be set aside ({error.strerror})"
    warnings.warn(f"{path.name} {reason}; it {done}", stacklevel=4)


def set_aside(path):
    """Return the names under which what stood at `path` was set aside, oldest first."""
    return sorted(other.name for other in path.parent.glob(f"{path.name}.broken*"))


def _portable(value):
    """The same value as JSON knows it: a number that is not finite becomes null."""
    if isinstance(value, dict):
        return {name: _portable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sha256(content):
    return hashlib.sha256(json.dumps(content, allow_nan=False).encode()).hexdigest()
