"""The peers of the benchmarks: the same epochs as most would write them, each a function that does the work."""

from itertools import pairwise

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from torch import nn
from torchvision import datasets, transforms

from helpers import cnn, data

BLOCK = 1000  # images evaluated at a time, as by NN


def eager(config, splits):
    """The same epoch in PyTorch as most would write it for tensors in memory: Linear, ReLU, SGD."""
    torch.manual_seed(0)
    sizes = (784, *config["hidden_dims"], 10)
    layers = [nn.Linear(*pair) for pair in pairwise(sizes)]
    network = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))[:-1]
    optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"])
    tensors = [(torch.from_numpy(split.X), torch.from_numpy(split.y)) for split in splits]

    def work():
        X, y = tensors[0]
        for images, labels in zip(X.split(config["batch_size"]), y.split(config["batch_size"]), strict=True):
            loss = nn.functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for X, y in tensors:
                scores = torch.cat([network(images) for images in X.split(BLOCK)])
                nn.functional.cross_entropy(scores, y).item()
                (scores.argmax(1) == y).float().mean().item()

    return work


def sklearn(config, splits):
    """The same epoch by scikit-learn, in float32, with its evaluations."""
    network = MLPClassifier(
        config["hidden_dims"],
        solver="sgd",
        alpha=0,
        batch_size=config["batch_size"],
        learning_rate_init=config["lr"],
        momentum=0,
        shuffle=False,
        random_state=0,
    )

    def work():
        network.partial_fit(splits[0].X, splits[0].y, classes=np.arange(10))
        for split in splits:
            p = network.predict_proba(split.X)
            -np.mean(np.log(p[np.arange(len(p)), split.y] + 1e-6))
            np.mean(p.argmax(axis=1) == split.y)

    return work


def usual_cnn(config, folder=data.FOLDER):
    """An epoch of the convolutional network with torchvision's data set, a DataLoader, the default memory format."""
    torch.manual_seed(0)
    network = cnn.network()
    optimizer = torch.optim.SGD(network.parameters(), lr=config["lr"])
    images = datasets.MNIST(folder, train=True, download=True, transform=transforms.ToTensor())
    train, valid = (
        torch.utils.data.Subset(images, range(50_000)),
        torch.utils.data.Subset(images, range(50_000, 60_000)),
    )

    def work():
        for X, y in torch.utils.data.DataLoader(train, batch_size=config["batch_size"], shuffle=True):
            loss = nn.functional.cross_entropy(network(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.inference_mode():
            for split in (train, valid):
                for X, y in torch.utils.data.DataLoader(split, batch_size=BLOCK):
                    scores = network(X)
                    nn.functional.cross_entropy(scores, y).item()
                    (scores.argmax(1) == y).float().mean().item()

    return work
