"""The name of a run: it changes with whatever makes the numbers, and with nothing else."""

import ast
import json
import platform
import subprocess
import sys

import numpy as np
import pytest

from helpers import configs, data, keys

pytestmark = pytest.mark.slow

CONFIGS = {
    model: {"model": model, "dataset": "digits", "lr": 0.1, "batch_size": 32, "epochs": 1}
    for model in configs.DEFAULTS
}


@pytest.fixture
def key(monkeypatch):
    """A function that names the run of a model where one module has another source."""
    read = keys._read

    def changed(model, module=None, source=None):
        monkeypatch.setattr(keys, "_read", lambda name: source if name == module else read(name))
        keys._sources.cache_clear()
        keys.versions.cache_clear()
        return keys.key(CONFIGS[model])

    yield changed
    keys._sources.cache_clear()
    keys.versions.cache_clear()


def changes(source):
    """The source with one change at a time: a number in it, or a line more in a function."""

    def places(tree):
        numbers = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, int | float)]
        return numbers, [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]

    numbers, functions = places(ast.parse(source))
    for i in range(len(numbers)):
        tree = ast.parse(source)
        places(tree)[0][i].value += 1
        yield ast.unparse(tree)
    for i in range(len(functions)):
        tree = ast.parse(source)
        places(tree)[1][i].body.insert(1, ast.parse("print()").body[0])
        yield ast.unparse(tree)


@pytest.mark.parametrize("model", CONFIGS)
def test_each_constant_and_function_that_makes_the_numbers_is_in_the_name(model, key):
    expected = key(model)
    for module in keys._sources(model):
        source = keys._read(module)
        changed = list(changes(source))
        assert key(model, module, changed[0]) != expected
        assert len({keys._bare(other) for other in [source, *changed]}) == len(changed) + 1


@pytest.mark.parametrize("model", CONFIGS)
def test_training_uses_no_other_module_than_those_in_the_name(model):
    code = (
        "import json, sys; from helpers import training\n"
        f"training.train({CONFIGS[model]})\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('helpers.')]))"
    )
    used = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))
    named = {*keys._sources(model), *keys.ELSEWHERE}
    assert {name.removeprefix("helpers.") for name in used} <= named | {"nn"}  # data asks nn for one-hot labels


def test_comments_docstrings_and_layout_change_no_name(key):
    expected = key("mlp")
    source = keys._read("nn")
    assert key("mlp", "nn", "# A remark.\n" + source.replace("\n\n\n", "\n\n\n\n")) == expected
    assert key("mlp", "nn", source.replace('"""Return', '"""Truly: return')) == expected
    assert key("mlp", "nn", source.replace("-np.sum", "np.sum")) != expected


def test_configuration_data_and_packages_are_in_the_name(key, monkeypatch):
    config = CONFIGS["mlp"]
    assert keys.key(dict(reversed((config | {"activation": "relu", "seed": 0}).items()))) == keys.key(config)
    others = [{"seed": 1}, {"lr": 0.2}, {"hidden_dims": [21]}, {"epochs": 3}, {"init_method": "zero"}]
    names = {keys.key(config), *(keys.key(config | other) for other in others)}
    assert len(names) == len(others) + 1

    dataset = data.load("digits")
    for split in ("train", "valid", "test"):
        X = getattr(dataset, split).X.copy()
        X[-1, 400] = np.nextafter(X[-1, 400], 2)
        splits = [getattr(dataset, name) for name in ("train", "valid", "test")]
        splits = [data.Split(X, s.y) if s is getattr(dataset, split) else s for s in splits]
        other = data._dataset("digits", splits, dataset.classes)
        with monkeypatch.context() as patch:
            patch.setattr(data, "load", lambda name, other=other: other)
            names.add(keys.key(config))
    monkeypatch.setattr(keys, "version", lambda package: "0.0")
    names.add(key("mlp"))
    assert len(names) == len(others) + 5


def test_a_run_records_what_else_computed_it():
    told = keys.machine()
    assert told["python"] == platform.python_version()
    assert "blas" in told["blas"].lower() or "mkl" in told["blas"].lower()
