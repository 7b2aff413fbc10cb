"""The convolutional networks of the report, as definitions only: training them is the task of `training`."""

from collections import OrderedDict

from torch import nn


def cnn(dropout=(0.0, 0.0)):
    """Return the report's convolutional network, which takes images (N, 1, 28, 28) and gives scores (N, 10).

    `dropout`: the probabilities of dropping a channel after the second pooling and a unit after fc1; a layer
    whose probability is 0 is left out.  PyTorch's default initialisation.
    """
    channels, units = dropout
    # The maximum of a window and ReLU commute; pooling first leaves ReLU a quarter of the values.
    layers = [
        ("conv1", nn.Conv2d(1, 20, kernel_size=5)),
        ("pool1", nn.MaxPool2d(2)),
        ("relu1", nn.ReLU()),
        ("conv2", nn.Conv2d(20, 30, kernel_size=4)),
        ("relu2", nn.ReLU()),
        ("conv3", nn.Conv2d(30, 40, kernel_size=3)),
        ("pool2", nn.MaxPool2d(2)),
        ("relu3", nn.ReLU()),
        ("dropout1", nn.Dropout2d(channels)),
        ("flatten", nn.Flatten()),
        ("fc1", nn.Linear(40 * 3 * 3, 500)),
        ("relu4", nn.ReLU()),
        ("dropout2", nn.Dropout(units)),
        ("fc2", nn.Linear(500, 10)),
    ]
    return nn.Sequential(OrderedDict((name, layer) for name, layer in layers if getattr(layer, "p", 1)))
