"""What a training has come to, in words: its status, its label and its row among those that were kept."""

from html import escape

import numpy as np

from helpers.explore.live import PROBE

STATES = {
    "loading": "Loading the images …",
    "running": "Training",
    "paused": "Paused",
    "finished": "Finished",
    "stopped": "Stopped",
    "diverged": "Diverged: the loss is no number any more. A smaller learning rate may help.",
    "failed": "Failed",
}


def line(live):
    """Return one line: the state, how far it is, and what it reads."""
    if not live.points:
        return f"{STATES[live.state]} {escape(live.error)}"
    last = live.points[-1]
    told = f"epoch {last.epoch:.2f} of {live.config['epochs']}" if last.epoch else "before the first step"
    told += f" · training loss {last.train.loss:.3f} · validation error {last.valid.error:.1%}"
    if last.valid.error > 0.8:
        told += ", about that of guessing (90%)"
    n = min(PROBE, len(live.dataset.valid))
    if live.epoch:
        seconds = (live.config["epochs"] - last.epoch) * float(np.mean(live.history["seconds"]))
        told += f" · {seconds:.0f} s left" if live.state == "running" else ""
    return f"<b>{STATES[live.state]}</b> · {told} <small>(of {n:,} images)</small>"


def label(live):
    """Return what sets a training apart, in a few words."""
    config = live.config
    widths = "-".join(map(str, config["hidden_dims"])) if config["model"] == "mlp" else f"CNN {config['fc1_units']}"
    parts = [widths or "no hidden layer", config.get("activation"), config["init_method"]]
    parts += [f"rate {live.config['lr']:.3g}" + ("" if live.undisturbed else ", changed")]
    parts += [f"batch {config['batch_size']}", f"seed {config['seed']}"]
    parts += ["decay"] if config["decay"] else []
    for name, unit in (("shift", "px"), ("rotation", "°")):
        parts += [f"{name} {config[name]:g} {unit}"] if config[name] else []
    parts += [f"dropout {config['dropout']}"] if any(config.get("dropout", ())) else []
    return " · ".join(filter(None, parts))


def table(kept):
    """Return the runs that were kept, as an HTML table."""
    if not kept:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("run", "epochs", "training loss", "validation error", "stored"))
    rows = []
    for label, (points, stored) in kept.items():
        last, place = points[-1], "with the report’s" if stored else "on this page alone"
        told = (escape(label), f"{last.epoch:.1f}", f"{last.train.loss:.3f}", f"{last.valid.error:.2%}", place)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in told) + "</tr>")
    return f"<table>{head}{''.join(rows)}</table>"
