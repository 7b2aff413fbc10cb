"""Statistics: what measurements on some seeds and some images allow to say."""

import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

LEVEL = 0.95  # of every confidence interval
TINY = 1e-12  # the smallest chance that is told


class Difference(NamedTuple):
    """A difference of means: `mean` ± `half` is its 95% confidence interval, `p` the chance of as much from none.

    Where one value alone says nothing of the spread, `half` is infinite and `p` 1.
    """

    mean: float
    half: float
    p: float

    @property
    def sign(self):
        """1 or -1 where the interval lies on one side of zero, else 0."""
        return int(np.sign(self.mean)) if abs(self.mean) > self.half else 0


def _difference(mean, error, freedom, image_noise):
    """A Difference from the standard error over seeds, with its degrees of freedom, and the noise of the images.

    The half widths of the two add as independent errors do: none makes the interval narrower than the other alone.
    """

    def half(chance):
        return np.hypot(stats.t.isf(chance / 2, freedom) * error, stats.norm.isf(chance / 2) * image_noise)

    if math.isinf(error):
        return Difference(float(mean), math.inf, 1.0)
    if error == image_noise == 0:
        return Difference(float(mean), 0.0, float(mean == 0))
    # The p value is the chance at which the interval just reaches zero.
    beyond = half(TINY) < abs(mean)
    p = TINY if beyond else optimize.brentq(lambda chance: half(chance) - abs(mean), TINY, 1)
    return Difference(float(mean), float(half(1 - LEVEL)), float(p))


def paired(first, second, image_noise=0.0):
    """Return the Difference first - second of two lists whose entries belong together, as runs that share a seed do.

    `image_noise` is the standard deviation that the choice of the images gives to the difference of the means (see
    `image_noise`).  Raises ValueError where the lists differ in length.
    """
    differences = np.subtract(*_same_length(first, second))
    variance, freedom = _of_mean(differences)
    return _difference(differences.mean(), np.sqrt(variance), freedom, image_noise)


def independent(first, second, image_noise=0.0):
    """Return the Difference first - second of the means of two lists that share nothing (Welch 1947)."""
    first, second = np.asarray(first, float), np.asarray(second, float)
    parts = [_of_mean(first), _of_mean(second)]
    variance = sum(part for part, _ in parts)
    uncertain = sum(part**2 / freedom for part, freedom in parts)
    freedom = variance**2 / uncertain if uncertain and math.isfinite(variance) else 1.0  # else it does not matter
    return _difference(first.mean() - second.mean(), np.sqrt(variance), freedom, image_noise)


def _same_length(first, second):
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values are no pairs")
    return np.asarray(first, float), np.asarray(second, float)


def _of_mean(values):
    """The variance of the mean of `values` and its degrees of freedom; that of one value alone may be anything."""
    if len(values) < 2:
        return math.inf, 1
    return values.var(ddof=1) / len(values), len(values) - 1


def image_noise(first, second, n_images):
    """Return the standard deviation of the difference of two mean errors that is due to the choice of the images.

    `first`, `second`: for each run the indices of the `n_images` images that it misreads.  An image counts with the
    share of the runs that misread it, first minus second; with one run each this is McNemar's test.
    """
    shares = [
        np.bincount(np.concatenate(wrong).astype(int), minlength=n_images) / len(wrong) for wrong in (first, second)
    ]
    return float(np.std(shares[0] - shares[1], ddof=1) / np.sqrt(n_images))


def holm(p_values):
    """Return the p values as they are to be read when all are looked at, in the same order (Holm 1979)."""
    order = np.argsort(p_values)
    scaled = np.asarray(p_values, float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(scaled))
    return adjusted.tolist()


def adjusted(found):
    """Return the p values of Differences after `holm`, by the same names; `found`: {name: Difference}."""
    return dict(zip(found, holm([each.p for each in found.values()]), strict=True))


def told_apart(found, level=0.05):
    """Return the names of Differences by what all of them together show, (lower, higher, open), in their order.

    `found`: {name: Difference}.  One is open where its p value after `holm` is not below `level`.
    """
    p_values = adjusted(found)
    sure = [name for name in found if p_values[name] < level]
    lower, higher = ([name for name in sure if sign * found[name].mean > 0] for sign in (-1, 1))
    return lower, higher, [name for name in found if name not in sure]


def wilson(k, n):
    """Return the 95% interval (low, high) of a share of which `k` of `n` were seen (Wilson 1927)."""
    interval = stats.binomtest(int(k), int(n)).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def errors(first, second, n_images, pairs=False, on_test=False):
    """Return the Difference of the mean errors of two lists of Runs, first - second, as a share of 1.

    The errors are those on the `n_images` of the validation set, or of the test set.  With `pairs` run i of both
    shares its seed, and with it the initial weights or the order of the images.  The images, which all runs share,
    enter through `image_noise`.
    """
    shares, wrong = zip(*(_misread(same, on_test) for same in (first, second)), strict=True)
    return (paired if pairs else independent)(*shares, image_noise(*wrong, n_images))


def in_grid(runs, name, before, after, n_images, **fixed):
    """Return the Difference of the errors on validation, after - before, that one parameter makes in a search.

    `runs` of the search with the value `after` of the parameter `name` are paired with those that have `before` and
    are else the same; only runs with ReLU and with the values `fixed` count.
    """
    fixed = {"activation": "relu"} | fixed
    others = [key for key in ("lr", "batch_size", "hidden_dims") if key != name]

    def having(value):
        fit = [run for run in runs if fixed | {name: value} == {key: run.config[key] for key in (*fixed, name)}]
        return sorted(fit, key=lambda run: [run.config[key] for key in others])

    return errors(having(after), having(before), n_images, pairs=True)


def _misread(runs, on_test):
    """The error of each Run, and the indices of the images that it misreads."""
    if on_test:
        return [run.test["error"] for run in runs], [run.test["wrong"] for run in runs]
    return [run.final("valid_error") for run in runs], [run.wrong for run in runs]


def finals(runs, measure):
    """Return what each of some Runs ended with, (len(runs),): a loss in nats, an error as a share of 1."""
    return np.array([run.final(measure) for run in runs])


def best(runs):
    """Return the label with the lowest mean error on validation, the first of equals; `runs`: {label: [Run, ...]}."""
    return min(runs, key=lambda label: finals(runs[label], "valid_error").mean())


def pooled(groups):
    """Return the standard deviation within lists of values, pooled over lists of one length.

    One value alone deviates by nothing.
    """
    return float(np.sqrt(np.mean([np.var(values, ddof=min(1, len(values) - 1)) for values in groups])))


def by_chance(values):
    """Return a Difference of mean 0 that spans 95% of the differences between two such values, as of two seeds."""
    return Difference(0.0, 1.96 * np.sqrt(2) * np.std(values, ddof=1), 1.0)


def calibration_error(confidence, right, n_bins=15):
    """Return the expected calibration error: how far, on average, confidence is from the share that is right.

    `confidence` (N,) are the probabilities of the predicted classes, `right` (N,) whether they were right.  The mean
    is over images, in `n_bins` equally wide bins of confidence (Guo, Pleiss, Sun and Weinberger 2017, equation 3).
    """
    place = np.minimum((np.asarray(confidence) * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(place, np.asarray(right, dtype=float) - confidence, n_bins)
    return float(np.abs(gaps).sum() / len(place))
