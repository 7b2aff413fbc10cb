"""Pictures of data and networks, read back from what is drawn."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose, assert_array_equal
from reading import sides, texts

from helpers import alt, cnn, data, inside, visualization

pytestmark = pytest.mark.usefixtures("no_windows")


def test_images_stand_in_order_under_their_titles():
    X = np.random.default_rng(0).random((5, 784))
    figure = visualization.images(X, list("abcde"), columns=3)
    assert len(figure.axes) == 6
    for axis, x, title in zip(figure.axes, X, "abcde", strict=False):
        assert_array_equal(axis.images[0].get_array(), x.reshape(28, 28))
        assert axis.images[0].get_clim() == (0, x.max())
        assert axis.get_title() == title
    assert not figure.axes[-1].images
    assert not any(axis.axison for axis in figure.axes)
    assert figure.get_figheight() == 2 * visualization.images(X[:3], list("abc"), columns=3).get_figheight()
    assert texts(axis.title for axis in visualization.images(X).axes[:5]) == [""] * 5


def test_bars_are_the_shares_of_the_classes_in_each_set():
    labels = {"train": [0, 0, 0, 1, 2], "valid": [1, 1, 1, 2], "test": [2, 2]}
    splits = {name: data.Split(np.zeros((len(y), 784)), np.array(y)) for name, y in labels.items()}
    figure = visualization.class_counts(data.Dataset("some", **splits, classes=("cat", "dog", "owl"), fingerprint=""))
    (axis,) = figure.axes
    heights = {bars.get_label(): [bar.get_height() for bar in bars] for bars in axis.containers}
    assert heights == {"train": [60, 20, 20], "valid": [0, 75, 25], "test": [0, 0, 100]}
    assert texts(axis.get_legend().get_texts()) == list(labels)
    centres = np.array([[bar.get_x() + bar.get_width() / 2 for bar in bars] for bars in axis.containers])
    assert_allclose(centres.mean(axis=0), axis.get_xticks())
    assert (np.diff(centres, axis=0) >= axis.patches[0].get_width()).all()  # beside each other, in this order
    assert texts(axis.get_xticklabels()) == ["cat", "dog", "owl"]
    assert len({bars[0].get_facecolor() for bars in axis.containers}) == 3
    assert sides(axis) == ("class", "share of the set (%)")


def test_maps_of_a_layer_share_one_scale():
    rng = np.random.default_rng(0)
    image, layers = rng.random(784), {"conv1": rng.random((4, 6, 6)), "conv2": np.zeros((2, 3, 3))}
    axes = np.reshape(visualization.feature_maps(image, layers, n=3).axes, (2, 4))
    assert_array_equal(axes[0, 0].images[0].get_array(), image.reshape(28, 28))
    assert axes[0, 0].get_title() == "image"
    for row, (name, maps) in zip(axes, layers.items(), strict=True):
        assert [axis.get_title() for axis in row[1:]] == [name, "", ""]
        for axis, one in zip(row[1:], maps, strict=False):
            assert_array_equal(axis.images[0].get_array(), one)
            assert axis.images[0].get_clim() == (0, maps.max() or 1)
    assert [len(axis.images) for axis in axes[1]] == [0, 1, 1, 0]


def test_kernels_have_one_scale_with_white_at_zero():
    weights = np.random.default_rng(0).normal(size=(5, 1, 3, 3))
    weights[2, 0, 1, 1] = -9
    figure = visualization.kernels(weights, columns=3)
    *axes, bar = figure.axes
    assert len(axes) == 6
    for axis, kernel in zip(axes, weights[:, 0], strict=False):
        assert_array_equal(axis.images[0].get_array(), kernel)
        assert axis.images[0].get_clim() == (-9, 9)
    (negative, zero, positive) = axes[0].images[0].cmap([0.05, 0.5, 0.95])[:, :3]
    assert negative.argmax() == 2  # blue
    assert positive.argmax() == 0  # red
    assert zero.min() > 0.95
    assert bar.get_ylabel() == "weight"


def test_an_architecture_is_drawn_to_scale():
    stages = inside.stages(cnn.network())
    assert [name for name, *_ in stages] == ["image", "conv1", "pool1", "conv2", "conv3", "pool2", "fc1", "fc2"]
    figure = visualization.architecture(stages)
    [axis] = figure.axes
    boxes = [
        (round(box.get_width(), 3), box.get_facecolor()[:3]) for box in axis.patches if isinstance(box, Rectangle)
    ]
    channels = [width for width, colour in boxes if colour == (1, 1, 1)]
    assert channels == [28, *[24] * 4, *[12] * 4, *[9] * 6, *[7] * 8, *[3] * 8, 3, 3]
    assert [width for width, colour in boxes if colour != (1, 1, 1)] == [5, 2, 4, 3, 2]
    words = [text.get_text() for text in axis.texts if text.get_text()]
    assert words[0] == "image\n1 × 28 × 28"
    assert words[3] == "conv2\n30 × 9 × 9\nwindow 4 × 4"
    assert alt.describe(figure).startswith("Drawing: image 1 × 28 × 28; conv1 20 × 24 × 24 window 5 × 5; ")
