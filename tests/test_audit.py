"""What is measured for each claim of the original report, from Runs made by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers import audit, claims, configs, data, gradients, original, verdicts
from helpers.statistics import Difference
from helpers.store import Run
from helpers.verdicts import Finding


def runs(config=None, **histories):
    """Runs with these histories, {measure: a list of epochs for each Run}."""
    n = len(next(iter(histories.values())))
    return [
        Run(config or {}, "", 9, {name: epochs[i] for name, epochs in histories.items()}, {}, shapes={"W1": [2, 3]})
        for i in range(n)
    ]


def test_losses_are_claimed_epoch_by_epoch():
    [run] = runs(train_loss=[[2.0, 1.5]])
    assert audit.replayed_losses({"zero": run}) == {
        "loss/zero/1": Finding(2.0, audit.ROUNDING / 2),
        "loss/zero/2": Finding(1.5, audit.ROUNDING / 2),
    }


def test_noise_of_the_normal_start_is_that_of_one_run_more():
    found = audit.normal_losses(runs(train_loss=[[1.0, 2.0], [3.0, 2.0], [2.0, 2.0]]))
    assert [finding.value for finding in found.values()] == [2.0, 2.0]
    # Deviations of 1 and 0, pooled sqrt(1 / 2); of one more about the mean of three, sqrt(1 + 1 / 3) times as much.
    noises = [finding.noise for finding in found.values()]
    assert noises == pytest.approx([np.sqrt(4 / 3), np.sqrt(1 / 2 * 4 / 3)])


def test_the_best_start_has_the_lowest_loss_in_the_end():
    zero, glorot = runs(train_loss=[[1.0, 3.0], [2.0, 2.0]])
    found = audit.starts({"zero": zero, "glorot": glorot})
    assert found["best start"].value == "glorot"
    assert found["parameters/initialisation"].value == 9
    assert found["shape/W1"].value == "2 × 3"


def test_gradients_that_are_zero():
    assert audit.zero_gradients(["W1", "b1"], [])["zero gradients"] == Finding("all 2")
    found = audit.zero_gradients(["W1"], ["b1"])["zero gradients"]
    assert found.value == "1 of 2"
    assert found.why.startswith("the gradient of b1 is")


def test_accuracies_are_compared_in_images():
    names = [str(i) for i in range(10)]
    same = runs(valid_error=[[1 - accuracy] for accuracy in original.FIRST_ACCURACIES])
    replayed = dict(zip(names, same, strict=True))
    replayed["3"].history["valid_error"][-1] -= 0.002
    apart = audit.images_apart(replayed, 1000)
    assert apart == dict.fromkeys(names, 0) | {"3": 2}
    assert audit.accuracies(replayed, 0.1)["accuracy/0"] == Finding(replayed["0"].valid_accuracy, 0.1, "by its rule")
    lines = claims.accuracies(replayed, apart).data.splitlines()[2:]
    assert lines[3].split("|")[2].strip() == f"{original.FIRST_ACCURACIES[3]:.2%}"
    assert [line.split("|")[4].strip() for line in lines] == ["+0"] * 3 + ["+2"] + ["+0"] * 6
    assert all(line.count("–") == 2 for line in claims.accuracies(replayed, {}).data.splitlines()[2:])


def test_the_search_is_judged_by_its_grid_and_a_large_rate():
    config = {"dataset": "digits", "epochs": 5, "lr": 1.0}
    fast, slow = runs(config, valid_error=[[0.5], [0.51]]), runs(config | {"lr": 0.1}, valid_error=[[0.1], [0.11]])
    found = audit.search(fast, fast, slow, n_images=100)
    assert found["combinations"].value == original.N_COMBINATIONS
    assert found["reach 98%"].value is None
    assert found["large rate"] == Finding("higher", why="1 against 0.1 with the network of the initialisation")


def test_the_cnn_is_what_was_printed_but_for_an_output():
    layers = audit.cnn_layers()
    assert audit.misprinted(layers) == {"conv1": "20 × 12 × 12"}
    found = audit.sizes(layers)
    judged = {name: verdicts.verdict(original.CLAIMS[name], finding) for name, finding in found.items()}
    assert [name for name, word in judged.items() if word == verdicts.WRONG] == ["output/conv1", "parameters/winner"]
    assert found["parameters/cnn"].value == 206_500
    assert found["fewer parameters"].value == "lower"


def test_noise_of_two_networks_is_pooled():
    plain = runs(valid_loss=[[0.1], [0.3]], valid_error=[[0.02], [0.02]])
    dropped = runs(valid_loss=[[0.2], [0.2]], valid_error=[[0.01], [0.03]])
    found = audit.convolutional(plain, dropped)
    noise = np.sqrt(0.02 / 2) * np.sqrt(1 + 1 / 2)  # the variances of the losses are 0.02 and 0
    assert found["valid loss/cnn"] == Finding(pytest.approx(0.2), pytest.approx(noise), "mean of 2 seeds")
    assert found["valid accuracy/dropout"].value == pytest.approx(0.98)


def test_the_winner_is_measured_after_the_epoch_that_was_printed():
    late = [np.arange(12.0).tolist(), (np.arange(12.0) + 2).tolist()]
    ours = runs(valid_loss=late)
    [run] = runs(valid_loss=late[:1], valid_error=[[0.1] * 12])
    found = audit.winner(run, ours, noise=0.5)
    assert found["valid loss/mlp"] == Finding(9.0, pytest.approx(2.0), "by its rule, after epoch 10")
    assert found["valid accuracy/mlp"].value == pytest.approx(0.9)


def test_the_best_epsilon_of_an_image():
    columns = ["precision", "loss", "image", "value", "best", "flat"]
    checked = pd.DataFrame(
        [
            ("float64", "clipped", 0, 0.1, 1e-5, False),
            ("float64", "unclipped", 0, 0.1, 1e-4, True),
            ("float32", "clipped", 1, 0.1, 1e-3, False),
        ],
        columns=columns,
    )
    own = gradients.best_of_image(checked, 0)
    assert own == dict.fromkeys(own) | {"float64, clipped loss": 1e-5}
    assert len(own) == 4
    assert audit.epsilon(1e-5)["epsilon"].value == 1e-5
    assert "nothing to see" in audit.epsilon(None)["epsilon"].why
    [line] = claims.best_epsilons(checked[checked["loss"] == "clipped"].head(1)).data.splitlines()[2:]
    assert [cell.strip() for cell in line.split("|")[1:-1]] == ["float64", "clipped", "1", *3 * ["1e-05"], "0"]


def test_conclusions_compare_losses():
    plain = runs(valid_loss=[[0.3], [0.5]], train_loss=[[0.1], [0.2]])
    dropped = runs(valid_loss=[[0.2], [0.4]])
    small, large = (runs({"batch_size": n}, valid_loss=[[0.0] * 9 + [n / 16, 9.0]]) for n in (16, 64))
    starts = runs(train_loss=[[0.7], [0.9]])
    found = audit.comparisons(plain, dropped, small + large, starts)
    assert {name: apart.mean for name, (apart, _) in found.items()} == pytest.approx(
        {"dropout and vanilla": -0.1, "cnn and mlp": 0.4 - 1, "train loss/cnn": -0.65}
    )


def test_first_gradients_of_zero_weights():
    config = configs.complete(
        {"model": "replay", "dataset": "digits", "hidden_dims": [5, 4], "lr": 1, "batch_size": 8, "epochs": 1}
    )
    split = data.load("digits").train
    still, moving = audit.first_gradients(config | {"init_method": "zero"}, split)
    assert (still, moving) == (["W1", "b1", "W2", "b2", "W3"], ["b3"])
    assert audit.first_gradients(config, split)[0] == []


def test_conclusions_are_answered():
    comparisons = {
        "cnn and mlp": (Difference(-1.0, 0.5, 0.01), "how"),
        "dropout and vanilla": (Difference(0, 1, 1), ""),
    }
    assert audit.answers(comparisons) == {
        "cnn and mlp": Finding("lower", why="how"),
        "dropout and vanilla": Finding(verdicts.UNDECIDED),
    }
    assert original.CLAIMS["cnn and mlp"].text in claims.conclusions(comparisons).data


def test_verdicts_are_counted_by_kind():
    findings = {name: Finding(claim.printed) for name, claim in original.CLAIMS.items()}
    findings |= audit.seconds() | audit.answers({"cnn and mlp": (Difference(1.0, 0.5, 0.01), "")})
    counts = claims.verdict_counts(verdicts.judge(findings)).data
    n = {kind: sum(claim.kind == kind for claim in original.CLAIMS.values()) for kind in original.KINDS}
    header, _, *lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in counts.splitlines()]
    assert header == ["kind", verdicts.TO_THE_DIGIT, verdicts.HOLDS, verdicts.CONTRADICTED, verdicts.NOT_COMPARABLE]
    assert lines == [
        [original.ARITHMETIC, str(n[original.ARITHMETIC]), "0", "0", "0"],
        [original.NUMBER, str(n[original.NUMBER] - 3), "0", "0", "3"],  # seconds
        [original.CONCLUSION, "0", str(n[original.CONCLUSION] - 1), "1", "0"],
    ]
