"""Every sentence of the report on invented runs that push it to its branches: code must not say what is not so.

The cells of the notebooks are executed here without training: each run that they ask for is made up from its
configuration by a scenario, and only its figures matter.
"""

import ast
import json
import re
import zlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import torch
from IPython.display import Markdown

from helpers import architecture, configs, data, gradients, record, runs, training
from helpers.store import HISTORY, Run

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
NAMES = [
    *("01_initialization", "02_hyperparameter_search", "03_gradient_check", "04_cnn", "05_regularization"),
    *("06_reproduction", "07_conclusion", "00_overview"),
]


EDITS = {  # what a reader may change in a cell of configurations
    "01_initialization": [
        ('SCHEMES = ("zero", "normal", "glorot")', 'SCHEMES = ("normal", "glorot")'),
        (
            '{"zero": [0], "normal": [0, 1, 2, 3, 4], "glorot": [0, 1, 2, 3, 4]}',
            '{"zero": [0], "normal": [0], "glorot": [0]}',
        ),
        ('"normal": [0, 1, 2, 3, 4], "glorot"', '"normal": [0], "glorot"'),
        ('"normal": [0, 1, 2, 3, 4], "glorot"', '"normal": [0, 1], "glorot"'),
        ("RATES = [7e-4, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]", "RATES = [0.1]"),
        ('"lr": 7e-4', '"lr": 50'),
        ('"hidden_dims": [500, 400]', '"hidden_dims": [50]'),
        ('"hidden_dims": [500, 400]', '"hidden_dims": [50, 40, 30]'),
        ('"activation": "relu"', '"activation": "tanh"'),
        ('"epochs": 10', '"epochs": 1'),
        ("for seed in (0, 1, 2)", "for seed in (0,)"),
    ],
    "02_hyperparameter_search": [
        ('GRID = {"lr": [0.1, 0.01, 0.001]', 'GRID = {"lr": [0.1]'),
        ('GRID = {"lr": [0.1, 0.01, 0.001]', 'GRID = {"lr": [0.01]'),
        (
            'GRID = {"lr": [0.1, 0.01, 0.001], "batch_size": [16, 32, 64]}',
            'GRID = {"lr": [0.1, 0.01], "batch_size": [32]}',
        ),
        ("WIDTHS = [400, 500, 600]", "WIDTHS = [500]"),
        ("SEEDS = [5, 6, 7, 8, 9]", "SEEDS = [5]"),
        ("FRESH = [1, 2, 3, 4]", "FRESH = [1]"),
        ('SECOND = {"activation": ["relu", "tanh", "sigmoid"]', 'SECOND = {"activation": ["relu"]'),
        ('"epochs": 3', '"epochs": 1'),
    ],
    "03_gradient_check": [
        ("LAYER = 2", "LAYER = 1"),
        ("LAYER = 2", "LAYER = 3"),
        ("for i in range(6) for k in (1, 5)", "for i in range(3) for k in (1,)"),
        ("BUGS = configurations.BUGS", "BUGS = configurations.BUGS[:3]"),
    ],
    "04_cnn": [
        ('GRID = {"lr": [0.1, 0.03, 0.01], "batch_size": [32, 64]}', 'GRID = {"lr": [0.1], "batch_size": [32]}'),
        ("LARGER = [0.3, 1.0]", "LARGER = []"),
        ("SEEDS = [5, 6, 7, 8, 9]", "SEEDS = [5]"),
        ("SEEDS_SAME_SIZE = [5, 6, 7]", "SEEDS_SAME_SIZE = [5]"),
        ("SEEDS_SHORT = [5, 6, 7]", "SEEDS_SHORT = [5]"),
        ('FINAL = {"epochs": 10', 'FINAL = {"epochs": 1'),
    ],
    "05_regularization": [
        ('DROPOUT = {"dropout": [0.25, 0.5]}', 'DROPOUT = {"dropout": [0.0, 0.3]}'),
        ('    "CNN with augmentation": ("CNN", MOVED),\n', ""),
        ('    "CNN with dropout": ("CNN", DROPOUT),\n', ""),
        ('    "CNN with both, longer": ("CNN", MOVED | DROPOUT | {"epochs": 40}),\n', ""),
        ('    "MLP with augmentation": ("MLP", MOVED),\n', ""),
        ('"epochs": 30', '"epochs": 1'),
    ],
}


def weights_of(config):
    """The weights of an untrained network of this configuration."""
    sizes = ("hidden_dims", "fc1_units", "pooling", "shared", "dropout", "init_method", "seed", "bug")
    return dict(_weights(config["model"], json.dumps({name: config[name] for name in sizes if name in config})))


@cache
def _weights(model, arguments):
    config = configs.complete(
        {"dataset": "digits", "lr": 1, "batch_size": 1, "epochs": 1, "model": model} | json.loads(arguments)
    )
    torch.manual_seed(0)
    network = training.model(model).build(config)
    if model == "cnn":
        return {name: w.detach().numpy() for name, w in network.state_dict().items()}
    network.initialize_weights((784, 10))
    return {name: np.float32(1.01) * w for name, w in network.weights.items()}  # as if it had learned a little


def error(config, scenario):
    """The validation error that a scenario gives to a run, as a share of 1."""
    scenario = "ahead" if scenario == "edited" else scenario
    if scenario in ("equal", "perfect"):
        searching = not config.get("decay")
        return 0.05 if scenario == "equal" or searching else 0.0
    better = (config["model"] == "cnn", bool(config.get("shift")), any(config.get("dropout", ())))
    worse = (config.get("init_method") == "normal", config["lr"] < 0.05, config.get("permutation") is not None)
    steps = sum(better) - sum(worse)
    return 0.40 - 0.10 * steps if scenario == "ahead" else 0.40 + 0.10 * steps


@pytest.fixture
def invented(monkeypatch):
    """Invent all runs by a scenario; return the function that executes a notebook and gives its sentences."""
    state = {"scenario": "ahead", "dataset": data.load("digits"), "chosen": {}, "runs": {}}

    def make(config):
        config = configs.complete(config)
        name = json.dumps(config, sort_keys=True)
        if name in state["runs"]:
            return state["runs"][name]
        n = len(state["dataset"].valid)
        spread = state["scenario"] not in ("equal", "perfect")
        rng = np.random.default_rng(zlib.crc32(name.encode()) if spread else 0)
        count = round(n * error(config, state["scenario"])) + (int(rng.integers(-1, 2)) if spread else 0)
        wrong = sorted(rng.choice(n, max(count, 0), replace=False).tolist())
        falling = np.linspace(2, 1, config["epochs"])
        history = {name: (falling * max(len(wrong), 1e-3) / n).tolist() for name in HISTORY}
        if config["lr"] == 50 and config["init_method"] == "normal":  # as if it diverged
            history |= {name: [np.nan] * config["epochs"] for name in HISTORY if "loss" in name}
        sizes = {name: list(w.shape) for name, w in weights_of(config).items()}
        run = Run(config, "", architecture.n_parameters(config), history, {}, shapes=sizes, wrong=wrong)
        run.key = name
        run.test = {"loss": 0.1, "error": len(wrong) / n, "unclipped_loss": 0.1, "wrong": wrong}
        state["runs"][name] = run
        return run

    def network(run):
        found = training.network(run.config, weights_of(run.config))
        guess = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)
        found.scores = lambda X: X @ guess
        found.predict = lambda X: np.exp(X @ guess) / np.exp(X @ guess).sum(axis=1, keepdims=True)
        if state["scenario"] == "perfect":
            valid = state["dataset"].valid
            found.predict = lambda X: np.eye(10)[valid.y] if X is valid.X else np.full((len(X), 10), 0.1)
        return found

    def choose(label, *same):
        assert record.section(label) == state["notebook"]
        state["chosen"][label] = list(same)
        return same

    monkeypatch.setattr(runs, "train", lambda wanted: {k: [make(c) for c in same] for k, same in wanted.items()})
    monkeypatch.setattr(runs, "sweep", lambda wanted: iter([make(config) for config in wanted]))
    monkeypatch.setattr(runs, "network", network)
    monkeypatch.setattr(record, "choose", choose)
    monkeypatch.setattr(record, "choose_and_test", choose)
    monkeypatch.setattr(record, "chosen", lambda name: state["chosen"])
    monkeypatch.setattr("helpers.store.read_weights", lambda run: weights_of(run.config))
    monkeypatch.setattr(data, "load", lambda name=None: state["dataset"])
    monkeypatch.setattr(gradients, "largest_differences", lambda *given: np.linspace(1e-9, 2e-9, len(given[-1])))
    monkeypatch.setattr(plt, "show", lambda: plt.close("all"))

    def execute(scenario, name="digits"):
        state.update(scenario=scenario, dataset=replace(state["dataset"], name=name))
        for state["notebook"] in NAMES:
            for edit in EDITS.get(state["notebook"], ()) if scenario == "edited" else ():
                noted = dict(state["chosen"])
                yield f"{state['notebook']}: {edit[1]}", _told(state["notebook"], edit)
                state["chosen"] = noted  # an exploration is not noted
            yield state["notebook"], list(_sentences(state["notebook"]))

    return execute


def _told(name, edit):
    """What an edited notebook says, or the error that it ends in."""
    try:
        return list(_sentences(name, *edit))
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def _sentences(name, old="", new=""):
    """Execute the code cells of a notebook, `old` replaced by `new`, and yield the Markdown that each ends in."""
    namespace = {}
    sources = [
        "".join(cell["source"])
        for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", 4).cells
        if cell.cell_type == "code"
    ]
    assert any(old in source for source in sources)
    for source in sources:
        tree = ast.parse(source.replace(old, new) if old else source)
        *_, last = tree.body
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(tree.body[:-1], []), name, "exec"), namespace)  # noqa: S102
            value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)  # noqa: S307
            if isinstance(value, Markdown):
                yield value.data
        else:
            exec(compile(tree, name, "exec"), namespace)  # noqa: S102


def flat(sentences):
    return re.sub(r"\s+", " ", " ".join(sentences))


@pytest.mark.parametrize(
    ("scenario", "dataset"),
    [("ahead", "digits"), ("behind", "digits"), ("equal", "digits"), ("perfect", "digits"), ("behind", "mnist")],
)
def test_no_sentence_says_what_the_runs_deny(scenario, dataset, invented):
    mpl.use("agg")
    with np.errstate(all="ignore"):
        told = dict(invented(scenario, dataset))
    whole = {name: flat(sentences) for name, sentences in told.items()}
    for name, text in whole.items():
        assert not re.search(r"\bnan\b|\binf\b|NaN", text), name
        assert not re.search(r"\bluck|settles|ordinary|because of\b", text), name
    lead = {
        "ahead": "The validation error of the CNN is lower than that of the MLP (",
        "behind": "The validation error of the CNN is higher than that of the MLP (",
        "equal": "The validation error of the CNN is not told apart from that of the MLP (",
        "perfect": "The validation error of the CNN is not told apart from that of the MLP (",
    }[scenario]
    assert lead in whole["04_cnn"]
    assert lead.replace("The validation error", "the error") in whole["00_overview"]
    start = {"ahead": "higher than", "behind": "lower than"}.get(scenario, "not told apart from")
    assert "{" not in flat(told["07_conclusion"])
    assert f"the validation error of the normal start is {start} that of Glorot's" in whole["01_initialization"]
    if scenario == "perfect":
        assert "They share 0" in whole["04_cnn"]
    if scenario in ("equal", "perfect"):
        assert "is lower for none. It is higher for none." in whole["05_regularization"]
    if scenario == "ahead":
        assert "CNN with dropout against CNN" in whole["05_regularization"].split("It is higher for")[0]
    if scenario == "behind":
        assert "CNN with dropout against CNN" in whole["05_regularization"].split("It is higher for")[1]
        assert "The validation set chooses CNN and MLP." in whole["05_regularization"]


@pytest.mark.filterwarnings("ignore")
def test_a_cell_of_configurations_may_be_edited(invented):
    mpl.use("agg")
    with np.errstate(all="ignore"):
        told = {name: flat(sentences) for name, sentences in invented("edited")}
    wrong = {name: text for name, text in told.items() if re.search(r"\w+Error: |\bnan\b|NaN", text)}
    assert wrong == {}
