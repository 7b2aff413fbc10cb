"""The verdict on each claim of the original report, from what was measured for it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.original import CLAIMS, CONCLUSION

TO_THE_DIGIT = "reproduced to the digit"
WITHIN_NOISE = "reproduced within noise"
NOT_REPRODUCED = "not reproduced"
WRONG = "wrong"
HOLDS = "holds"
UNDECIDED = "not told apart"
CONTRADICTED = "contradicted"
NOT_COMPARABLE = "not comparable"
VERDICTS = (
    *(TO_THE_DIGIT, WITHIN_NOISE, NOT_REPRODUCED),
    *(HOLDS, UNDECIDED, CONTRADICTED),
    *(WRONG, NOT_COMPARABLE),
)
ULPS = 2  # units in the last place of a double that count as the same digits: the order of a sum moves as much


@dataclass(frozen=True)
class Finding:
    """What was measured for a claim, the noise that a difference is held against, and, in words, the reason.

    `noise` is one standard deviation of the difference.  `value` None: there is nothing to compare.
    """

    value: float | int | str | None
    noise: float = 0.0
    why: str = ""


def accuracy_noise(accuracy, n):
    """Return the standard deviation of the difference of two accuracies near `accuracy` on `n` images each."""
    return float(np.sqrt(2 * accuracy * (1 - accuracy) / n))


def ulps(printed, measured):
    """Return measured - printed in units of the last place of `printed` in double precision."""
    printed = np.asarray(printed, np.float64)
    return np.rint((np.asarray(measured, np.float64) - printed) / np.spacing(np.abs(printed))).astype(int)


def verdict(claim, finding):
    """Return one of VERDICTS: how what was measured stands to what was printed.

    A float is reproduced to the digit where it rounds to the printed one, or is within ULPS units in the last place
    of it; within noise where the difference, less what rounding explains, is at most twice the noise.  A conclusion
    holds, is contradicted, or is UNDECIDED where the measurement says so.  Anything else is right or wrong.
    """
    if finding.value is None:
        return NOT_COMPARABLE
    if claim.kind == CONCLUSION:
        return {claim.printed: HOLDS, UNDECIDED: UNDECIDED}.get(finding.value, CONTRADICTED)
    if not isinstance(claim.printed, float):
        return TO_THE_DIGIT if finding.value == claim.printed else WRONG
    difference = abs(finding.value - claim.printed)
    digits = max(claim.unit / 2, ULPS * np.spacing(claim.printed)) * (1 + 1e-9)
    if difference <= digits:
        return TO_THE_DIGIT
    return WITHIN_NOISE if difference - digits <= 2 * finding.noise else NOT_REPRODUCED


def answer(difference):
    """Return "lower", "higher" or UNDECIDED, as a statistics.Difference has it."""
    return {-1: "lower", 0: UNDECIDED, 1: "higher"}[difference.sign]


def judge(findings, on_mnist=True):
    """Return a DataFrame with a row per claim: kind, part, claim, printed, measured, noise, verdict, why, unit.

    `findings`: name of the claim -> Finding, one for each of CLAIMS; else ValueError names what is missing or
    unknown.  On other data than MNIST only portable claims are judged.
    """
    if wrong := sorted(findings.keys() ^ CLAIMS.keys()):
        raise ValueError(f"claims without a finding, or findings without a claim: {', '.join(wrong)}")
    rows = []
    for name, claim in CLAIMS.items():
        finding = findings[name] if on_mnist or claim.portable else Finding(None, why="only MNIST can tell")
        judged = verdict(claim, finding)
        told = (finding.value, finding.noise, judged, finding.why)
        rows.append((claim.kind, claim.part, claim.text, claim.printed, *told, claim.unit))
    columns = ["kind", "part", "claim", "printed", "measured", "noise", "verdict", "why", "unit"]
    return pd.DataFrame(rows, columns=columns)
