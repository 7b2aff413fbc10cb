"""The playground without a browser: trainings in threads, what they show, drawings."""

import re
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from helpers import configs, data, explore, keys, store, training
from helpers.explore import choosing, controls, drawing, pictures, status
from helpers.explore.live import Live, Point
from helpers.metrics import Evaluation

pytestmark = pytest.mark.slow

MLP = {"model": "mlp", "dataset": "digits", "hidden_dims": [16], "lr": 0.1, "batch_size": 16, "epochs": 3, "seed": 4}
CNN = {"model": "cnn", "dataset": "digits", "lr": 0.1, "batch_size": 64, "epochs": 2, "seed": 4}
LONG = MLP | {"epochs": 500}


def wait_for(condition, seconds=30):
    """Wait until `condition()` holds, or fail."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    explore.end_all()
    wait_for(lambda: all(thread.name != "training" for thread in threading.enumerate()))


@pytest.fixture
def live():
    started = []

    def start(config, epochs=None):
        """Begin a training, to be held after so many epochs."""
        started.append(Live(config))
        if epochs is not None:
            started[-1].go_on(epochs)
        started[-1].start()
        return started[-1]

    yield start
    for one in started:
        assert one.stop(5)


@pytest.mark.parametrize(
    "config",
    [
        MLP,
        MLP | {"shuffle": True, "decay": True, "shift": 1.0, "rotation": 5.0},
        CNN,
        CNN | {"init_method": "glorot", "decay": True, "dropout": [0.2, 0.5], "shift": 2.0},
    ],
    ids=["mlp", "mlp moved", "cnn", "cnn dropout"],
)
def test_a_training_that_is_watched_is_the_same_training(config, live, tmp_path, monkeypatch):
    monkeypatch.setenv("RESULTS", str(tmp_path))
    watched = live(config)
    wait_for(lambda: not watched.alive)
    assert (watched.state, watched.error) == ("finished", "")
    assert watched.keep()
    with threadpool_limits(1):
        run, weights = training.train(config)
    kept = store.read(keys.key(config))
    for name, w in store.read_weights(kept).items():
        np.testing.assert_array_equal(w, weights[name])
    assert {**kept.history, "seconds": None} == {**run.history, "seconds": None}
    assert (kept.wrong, kept.n_parameters, kept.shapes) == (run.wrong, run.n_parameters, run.shapes)


def test_pause_step_go_on_and_stop(live):
    watched = live(LONG)
    wait_for(lambda: watched.epoch >= 2)
    watched.pause()
    wait_for(lambda: watched.state == "paused")
    before = watched.epoch
    time.sleep(0.1)
    assert watched.epoch == before
    watched.go_on(1)
    wait_for(lambda: watched.state == "paused" and watched.epoch == before + 1)
    assert watched.points[-1].epoch == before + 1
    watched.go_on()
    wait_for(lambda: watched.epoch > before + 2)
    assert watched.stop(5)
    assert watched.state == "stopped"
    assert not watched.keep()


def test_a_rate_that_is_changed_takes_effect_and_is_not_stored_as_what_it_is_not(live):
    watched = live(MLP | {"epochs": 4}, epochs=2)
    wait_for(lambda: watched.state == "paused")
    watched.lr = 0.0
    watched.go_on()
    wait_for(lambda: not watched.alive)
    assert watched.state == "finished"
    losses = {point.epoch: point.train.loss for point in watched.points}
    assert losses[1] != losses[2] == losses[3] == losses[4]
    assert not watched.keep()


def test_what_diverges_or_cannot_be_had_is_told(live, monkeypatch):
    diverged = live(MLP | {"lr": 1e30, "init_method": "normal"})
    wait_for(lambda: not diverged.alive)
    assert diverged.state == "diverged"

    def load(name):
        raise data.DataError("train-images are missing")

    monkeypatch.setattr(data, "load", load)
    failed = live(MLP)
    wait_for(lambda: not failed.alive)
    assert (failed.state, failed.error) == ("failed", "train-images are missing")


def press(page, name):
    page.buttons[name].click()


def test_the_page_trains_keeps_and_overlays(tmp_path, monkeypatch):
    monkeypatch.setenv("RESULTS", str(tmp_path))
    page = explore.train()
    page.controls["epochs"].value = 2
    for seed in (0, 1):
        page.controls["seed"].value = seed
        press(page, "start")
        wait_for(lambda: page.live.state == "finished" and not page.live.alive)
        wait_for(lambda: not page.buttons["keep"].disabled)
        press(page, "keep")
    assert page.table.value.count("<tr><td>") == 2
    assert page.table.value.count("with the report’s") == 2
    assert len(list(tmp_path.glob("mlp-digits-*.json"))) == 2
    assert page.curves.value.count("<svg") == page.inside.value.count("<svg") == 1
    assert "epoch 2.00 of 2" in page.status.value
    press(page, "reset")
    assert (page.table.value, page.curves.value) == ("", "")


def test_the_page_stops_again_and_again_and_a_second_page_ends_the_first():
    page = explore.train()
    page.controls["epochs"].value = 200
    page.controls["lr"].value = 1e-3
    for _ in range(3):
        press(page, "start")
        wait_for(lambda: page.live.points)
        press(page, "stop")
        assert not page.live.alive
        assert page.live.state == "stopped"
    press(page, "step")
    wait_for(lambda: page.live.state == "paused")
    assert page.live.epoch == 1
    press(page, "step")
    wait_for(lambda: page.live.epoch > 1 and page.live.state == "paused")
    assert page.live.epoch == 2
    explore.train()
    wait_for(lambda: not page.live.alive)


def test_what_is_seen_beside_the_button_is_what_trains(monkeypatch):
    monkeypatch.setattr("helpers.explore.watching.LATE", 60)
    page = explore.train()
    page.controls["epochs"].value = 200
    press(page, "start")
    first = page.live
    page.controls["seed"].value = 5  # held back by the browser until the button had been handled
    assert page.live.config["seed"] == 5
    wait_for(lambda: not first.alive)
    monkeypatch.setattr("helpers.explore.watching.LATE", 0)
    page.controls["seed"].value = 6
    assert page.live.config["seed"] == 5
    press(page, "stop")
    page.controls["seed"].value = 7
    assert not page.live.alive


@pytest.mark.parametrize("text", ["12, x", "0", "-3", "1.5", "5000", "1 " * 11])
def test_widths_that_cannot_be_meant_are_refused_beside_the_control(text):
    page = explore.train()
    page.controls["hidden_dims"].value = text
    assert "whole numbers from 1 to 2000" in page.refusals["hidden_dims"].value
    press(page, "start")
    assert page.live is None
    page.controls["hidden_dims"].value = "20 10"
    assert page.refusals["hidden_dims"].value == ""
    assert choosing.configuration(page.controls)["hidden_dims"] == [20, 10]


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_each_choice_of_the_page_is_a_configuration(model):
    page = explore.train()
    page.controls["model"].value = model
    for control in page.controls.values():
        for value in dict(getattr(control, "_options_full", ())).values():
            if control.layout.display != "none" and control is not page.controls["dataset"]:
                before, control.value = control.value, value
                assert set(choosing.configuration(page.controls)) == {
                    *configs.REQUIRED,
                    *configs.DEFAULTS[page.controls["model"].value],
                }
                control.value = before


def test_the_rates_of_dropout_are_those_of_channels_and_of_units():
    page = explore.train()
    page.controls["model"].value = "cnn"
    page.controls["dropout"].value, page.controls["dropout2"].value = 0.25, 0.5
    assert choosing.configuration(page.controls)["dropout"] == [0.25, 0.5]


def a_training(**changes):
    """A training that has half of its epochs behind it, as far as words and curves are made from it."""
    found = [Evaluation(loss, error, loss, []) for loss, error in ((0.25, 0.03), (0.5, 0.07))]
    config = configs.complete(MLP | changes)
    return SimpleNamespace(
        **{"config": config, "lr": config["lr"], "undisturbed": True, "state": "running", "error": ""},
        **{"points": [Point(1.5, *found)], "epoch": 1, "history": {"seconds": [4.0]}, "dataset": data.load("digits")},
    )


def test_the_status_has_the_losses_and_the_time_that_is_left():
    live = a_training()
    told = "epoch 1.50 of 3 · training loss 0.250 · validation error 7.0% · 6 s left <small>(of 300 images)</small>"
    assert status.line(live) == f"<b>Training</b> · {told}"
    live.points[-1] = live.points[-1]._replace(valid=Evaluation(2.3, 0.9, 2.3, []))
    assert "validation error 90.0%, about that of guessing (90%)" in status.line(live)
    live.points, live.state, live.error = [], "failed", "<no>"
    assert status.line(live) == "Failed &lt;no&gt;"


def test_what_is_kept_is_told_by_what_sets_it_apart_and_where_it_is():
    live = a_training(shift=2.0, decay=True)
    live.undisturbed = False
    told = "16 · relu · glorot · rate 0.1, changed · batch 16 · seed 4 · decay · shift 2 px"
    assert status.label(live) == told
    kept = {"1: <a>": (live.points, True), "2: b": (live.points, False)}
    rows = [re.findall("<td>(.*?)</td>", row) for row in status.table(kept).split("<tr>")[1:]]
    assert rows == [
        ["1: &lt;a&gt;", "1.5", "0.250", "7.00%", "with the report’s"],
        ["2: b", "1.5", "0.250", "7.00%", "on this page alone"],
    ]


def test_curves_are_losses_in_nats_and_errors_in_per_cent_with_the_training_dashed(monkeypatch):
    monkeypatch.setattr(pictures, "svg", lambda figure, words: (figure, words))
    figure, words = pictures.curves({"now": a_training().points})
    assert "now: 7.0% at the end" in words
    for axis, label, expected in zip(figure.axes, ("loss (nats)", "error (%)"), ((0.25, 0.5), (3, 7)), strict=True):
        assert axis.get_ylabel() == label
        lines = {line.get_label(): line for line in axis.lines}
        assert [lines[split].get_ydata()[0] for split in ("training", "validation")] == pytest.approx(expected)
        assert [lines[split].get_linestyle() for split in ("training", "validation")] == ["--", "-"]


def test_a_refusal_shows_what_was_typed_and_obeys_none_of_it():
    assert "&lt;b&gt; is not one" in controls.refusal("<b> is not one")
    assert controls.refusal("") == ""


def test_a_digit_of_mnist_that_is_drawn_larger_elsewhere_comes_back():
    image = data.load("digits").train.X[0].reshape(28, 28)
    rows, columns = (np.flatnonzero(image.max(axis=axis) > 0.1) for axis in (1, 0))
    digit = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    found = []
    for scale, place in ((4, (0, 0)), (2, (50, 3)), (3, (20, 30))):
        pad = np.zeros((112, 112))
        large = np.kron(digit, np.ones((scale, scale)))
        pad[place[0] :, place[1] :][: large.shape[0], : large.shape[1]] = large[: 112 - place[0], : 112 - place[1]]
        found.append(drawing.normalised(pad).reshape(28, 28))
        box = [np.ptp(np.flatnonzero(found[-1].max(axis=axis))) + 1 for axis in (0, 1)]
        assert max(box) == 20
        centre = [(found[-1].sum(axis=1 - axis) * np.arange(28)).sum() / found[-1].sum() for axis in (0, 1)]
        assert np.abs(np.array(centre) - 14).max() <= 0.5
    np.testing.assert_allclose(found[1], found[0], atol=0.15)
    assert not drawing.normalised(np.zeros((112, 112))).any()


def test_strokes_at_the_edges_make_images():
    for place in (np.s_[0, 0], np.s_[111, 111], np.s_[:, 50], np.s_[60, :], np.s_[::111, ::111]):
        pad = np.zeros((112, 112))
        pad[place] = 1
        image = drawing.normalised(pad)
        assert image.shape == (784,)
        assert 0 < image.max() <= 1


def test_the_page_of_a_drawing_reads_strokes_and_images():
    page = explore.draw()
    assert "Draw a digit" in page.answers.value
    ink = np.zeros((page.pad.side, page.pad.side), np.uint8)
    ink[20:90, 52:60] = 255
    page.pad.pixels = ink.tobytes()
    assert set(np.unique(page.pad.ink())) == {0, 1}
    assert page.answers.value.count("reads 1 with") == 2
    assert "<svg" in page.maps.value
    page.clear()
    assert "Draw a digit" in page.answers.value
    page.controls["source"].value = "digits"
    assert "<svg" in page.answers.value
    before = page.answers.value
    page.controls["degrees"].value = 90
    assert page.answers.value != before


def test_sliders_move_the_image_as_they_say():
    image = np.zeros(784, np.float32)
    image[28 * 10 + 10] = 1
    assert drawing.changed(image, right=3).argmax() == 28 * 10 + 13
    assert drawing.changed(image, down=2).argmax() == 28 * 12 + 10
    # Left above the middle, a quarter of a turn clockwise carries a pixel right above it.
    assert drawing.changed(image, degrees=90).argmax() == 28 * 10 + 17


def test_a_bug_is_found_where_it_touches_the_weights_that_are_checked():
    page = explore.break_it()
    told = {}
    for bug in page.BUGS.values():
        page.controls["bug"].value = bug
        told[bug] = "finds the bug" in page.told.value
    found = [bug for bug, is_found in told.items() if is_found]
    assert found == ["a sign of dW2", "dW2 transposed", "no mask of the ReLU", "factor"]
    page.controls["d"].value = 0.01
    difference, gradient = (float(each) for each in re.findall(r" is ([\d.e+-]*\d)", page.told.value))
    assert difference == pytest.approx(0.01 * gradient, rel=0.1)
    page.controls["d"].value = 1e-13
    assert "does not tell" in page.told.value
