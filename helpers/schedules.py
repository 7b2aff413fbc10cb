"""The learning rate over a training."""


def rate(config, step, n_steps):
    """Return the learning rate of a step, counted from 0, of `epochs` times `n_steps`.

    It is `lr`, or falls from there to zero linearly where there is a `decay` that is true.
    """
    return config["lr"] * (1 - step / (config["epochs"] * n_steps) if config.get("decay") else 1)
