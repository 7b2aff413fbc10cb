"""The name of a run: a hash of all that makes its numbers.

That is its configuration, its data, the packages that compute and the source of every module of this project that
takes part, whole, but without comments and docstrings.
"""

import ast
import hashlib
import json
import platform
import sys
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from threadpoolctl import threadpool_info

from helpers import configs, data

# What these modules do reaches a run through its configuration, its data or its name alone.
ELSEWHERE = {"configs", "data", "files", "keys", "mirrors", "store"}


def key(config):
    """Return the name under which the run of `config` is stored."""
    config = configs.complete(config)
    dataset = data.load(config["dataset"])
    decisive = [config, dataset.fingerprint, versions(config["model"]), _sources(config["model"])]
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    return f"{config['model']}-{dataset.name}-{digest[:16]}"


@cache
def versions(model):
    """Return {package: version} of the packages that compute the numbers of `model`."""
    trees = [ast.parse(source) for source in _sources(model).values()]
    imported = {name.partition(".")[0] for tree in trees for name in _imports(tree)}
    distributions = packages_distributions()
    packages = {distributions[name][0] for name in imported - sys.stdlib_module_names - {"helpers"}}
    return {name: version(name) for name in sorted(packages)}


def machine():
    """Return what else a run records: the version of Python, and the kernels of the matrix products, which round."""
    kernels = {
        f"{pool['internal_api']} {pool['version']} ({pool.get('architecture', 'unknown')})"
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    return {"python": platform.python_version(), "blas": ", ".join(sorted(kernels))}


@cache
def _sources(model):
    """The bare source of each module of helpers that computes the numbers of `model`, by name."""
    found, wanted = {}, {"training", model}
    while wanted:
        name = wanted.pop()
        found[name] = _bare(_read(name))
        imported = (full.split(".") for full in _imports(ast.parse(found[name])))
        wanted |= {parts[1] for parts in imported if parts[0] == "helpers" and len(parts) > 1}
        wanted -= {*found, *ELSEWHERE}
    return dict(sorted(found.items()))


def _read(name):
    return Path(find_spec(f"helpers.{name}").origin).read_text()


def _imports(tree):
    """The full names that a module imports, as in helpers.nn.NN."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _bare(source):
    """Source without comments and docstrings, which determine nothing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        if documented:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
