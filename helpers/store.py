"""The store: a run is two files in results/, `<name>.json` (the Run) and `<name>.npz` (its weights).

The JSON file is written last, and each file is renamed into place: a run exists when all of it is there.
"""

import hashlib
import json
import math
import os
import uuid
import warnings
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from helpers import data

HISTORY = (
    *("train_loss", "train_error", "train_unclipped_loss"),
    *("valid_loss", "valid_error", "valid_unclipped_loss"),
    "seconds",
)

used = set()  # the names of the runs that this process has read or written


@dataclass
class Run:
    """What one training leaves.

    `history` has the lists named in HISTORY, one value per epoch, measured at its end: losses in nats, errors as
    shares of 1.  They are of whole sets, but a convolutional network's training figures are of 10,000 images before
    the last epoch.  What was not measured is nan.  `wrong` has the indices of the validation images that the weights
    which were kept misread.  `test` is None until the run has been chosen, then the same figures of the test set.
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

    @property
    def diverged(self):
        """Whether a loss is no finite number, or training ended at twice the loss of guessing or more."""
        losses = self.history["train_loss"] + self.history["valid_loss"]
        return not np.all(np.isfinite(losses)) or self.history["train_loss"][-1] >= 2 * np.log(data.N_CLASSES)

    @property
    def kept(self):
        """The index of the epoch whose weights were kept: the last, unless training was to stop early."""
        losses = self.history["valid_loss"]
        return len(losses) - 1 if self.config.get("patience") is None else int(np.argmin(losses))

    def final(self, measure):
        """The value of a measure of the history for the weights that were kept."""
        return self.history[measure][self.kept]

    @property
    def valid_accuracy(self):
        """Validation accuracy of the weights that were kept."""
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
    write_json(folder() / f"{name}.json", asdict(run))
    used.add(name)
    return run


def read(name):
    """Return the stored Run `name`, or None where there is none, or none that is whole.

    One that is older than FRESH_SINCE, seconds since 1970, does not count; it stays until another replaces it.
    """
    path = folder() / f"{name}.json"
    if path.exists() and path.stat().st_mtime < float(os.environ.get("FRESH_SINCE", 0)):
        return None
    content = read_json(path) if _whole_weights(path.with_suffix(".npz")) else None
    if content is None:
        return None
    used.add(name)
    run = Run(**content)
    for values in run.history.values():
        values[:] = [math.nan if x is None else x for x in values]
    return run


@contextmanager
def _replacing(path):
    """Open a temporary file that becomes `path` when all of it is written."""
    temporary = Path(f"{path}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path, content):
    content = _portable(content)
    with _replacing(path) as file:
        file.write(json.dumps({"sha256": _sha256(content), "content": content}, indent=1).encode())


def read_json(path):
    """Return the content of a file of this store, or None; one that was cut or edited is set aside."""
    if not path.exists():
        return None
    try:
        stored = json.loads(path.read_text())
        if _sha256(stored["content"]) == stored["sha256"]:
            return stored["content"]
    except (ValueError, TypeError, KeyError):
        pass
    _set_aside(path)
    return None


def _whole_weights(path):
    """Whether the weights are there and as they were written, by the checksums that NumPy's zip format carries."""
    if not path.exists():
        return False
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is None:
                return True
    except Exception:  # BadZipFile, OSError, zlib.error, ...: which, depends on the byte that was hit
        pass
    _set_aside(path)
    return False


def _set_aside(path):
    aside = path.with_name(f"{path.name}.broken")
    with suppress(FileNotFoundError):  # another driver was faster
        path.replace(aside)
    warnings.warn(f"{path.name} is not as it was written; it was set aside as {aside.name}", stacklevel=4)


def _portable(value):
    """The same value as JSON knows it: a number that is not finite becomes null."""
    if isinstance(value, dict):
        return {name: _portable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _sha256(content):
    return hashlib.sha256(json.dumps(content, allow_nan=False).encode()).hexdigest()
