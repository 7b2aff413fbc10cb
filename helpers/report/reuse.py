"""Executed notebooks of an earlier build, kept where executing them again would give the same."""

import hashlib
import json
import os
from importlib import metadata
from pathlib import Path

import nbformat

from helpers import runs
from helpers.export.files import replace

HELPERS = Path(__file__).resolve().parent.parent


def _digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _source(nb):
    return [
        {name: cell.get(name) for name in ("cell_type", "source", "metadata", "attachments")} for cell in nb.cells
    ]


class Executed:
    """The executed notebooks in `folder`, and for each what determined it.

    That is its cells, the modules of helpers, the installed packages, the data set, and the stored runs that it used,
    with the choices among them.  `runs` has the names of these runs, by notebook.
    """

    def __init__(self, folder, dataset):
        self.folder, self.dataset, self.runs = folder, dataset, {}
        code = [path.read_text("utf-8") for path in sorted([*HELPERS.glob("*.py"), HELPERS / "report/execute.py"])]
        packages = sorted(f"{found.name} {found.version}" for found in metadata.distributions())
        self._common = _digest(code, packages, dataset.name, dataset.fingerprint, str(runs.folder()))
        self._sources = {}
        try:
            self._known = {} if os.environ.get("FRESH") else json.loads((folder / "executed.json").read_text())
        except (OSError, ValueError):
            self._known = {}

    def find(self, name, nb):
        """The executed copy of notebook `name`, whose cells are those of `nb`; None where it must be executed."""
        self._sources[name] = _digest(self._common, _source(nb))
        known = self._known.pop(name, None)
        if known is None or known["is"] != self._state(name, known["runs"]):
            return None
        self.runs[name] = known["runs"]
        return nbformat.read(self.folder / f"{name}.ipynb", as_version=4)

    def save(self):
        """Remember all notebooks in `runs`, once nothing changes the stored runs any more."""
        known = {name: {"runs": used, "is": self._state(name, used)} for name, used in self.runs.items()}
        replace({self.folder / "executed.json": json.dumps(known)})

    def _state(self, name, used):
        chosen = runs.folder() / f"chosen-{self.dataset.name}.json"
        paths = [runs.folder() / f"{key}.{end}" for key in used for end in ("json", "npz")]
        found = [path.stat() for path in paths if path.exists()]
        copy = self.folder / f"{name}.ipynb"
        return _digest(
            self._sources[name],
            [(stat.st_size, stat.st_mtime_ns) for stat in found],
            [path.read_text() for path in (chosen, copy) if path.exists()],
        )
