"""Statistics: what measurements allow to say."""

import numpy as np
from scipy import stats


def interval(differences):
    """Return (mean, half width) of the 95% confidence interval of the mean of paired differences.

    Student's t: the differences are taken to be independent and normal.
    """
    n = len(differences)
    half = stats.t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n)
    return float(np.mean(differences)), float(half)


def calibration_error(confidence, right, n_bins=15):
    """Return the expected calibration error: how far, on average, confidence is from the share that is right.

    `confidence` (N,) are the probabilities of the predicted classes, `right` (N,) whether they were right.  The mean
    is over images, in `n_bins` equally wide bins of confidence (Guo, Pleiss, Sun and Weinberger 2017, equation 3).
    """
    place = np.minimum((np.asarray(confidence) * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(place, np.asarray(right, dtype=float) - confidence, n_bins)
    return float(np.abs(gaps).sum() / len(place))
