"""Sentences from numbers: the words must follow the numbers."""

import math

import pytest

from helpers import words
from helpers.statistics import Difference

BLANK = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("mean", "half", "expected"),
    [
        (-0.0085, 0.0041, "the error of a is lower than that of b (−0.85_±_0.41_points)"),
        (0.0085, 0.0041, "the error of a is higher than that of b (+0.85_±_0.41_points)"),
        (0.0012, 0.0041, "the error of a is not told apart from that of b (+0.12_±_0.41_points)"),
        (0.0, 0.0, "the error of a is not told apart from that of b (0.00_±_0.00_points)"),
        (-0.28, math.inf, "the error of a is not told apart from that of b (−28.00_points, one seed alone)"),
        (-0.00001, 0.0, "the error of a is lower than that of b (0.00_±_0.00_points)"),
    ],
)
def test_a_side_is_taken_beyond_the_interval_alone(mean, half, expected):
    found = words.compared(Difference(mean, half, p=0.5), "a", "b", "error")
    assert found == expected.replace("_", BLANK)


def test_an_interval_has_its_unit_and_places():
    found = Difference(0.01236, 0.005, p=0.1)
    assert words.interval(found, "nats", scale=1, places=4) == "+0.0124_±_0.0050_nats".replace("_", BLANK)
    assert words.interval(found, "") == "+1.24_±_0.50".replace("_", BLANK)


def test_lists_and_counts():
    assert words.listing([]) == "none"
    assert words.listing([], "no bug") == "no bug"
    assert words.listing(["a"]) == "a"
    assert words.listing(str(i) for i in range(3)) == "0, 1 and 2"
    assert words.number(1, "image") == f"1{BLANK}image"
    assert words.number(2000, "image") == f"2,000{BLANK}images"
    assert words.number(1, "class", "classes") == f"1{BLANK}class"
    assert words.number(0, "class", "classes") == f"0{BLANK}classes"
    assert words.sentence("the CNN") == "The CNN"


def test_a_value_stands_inside_a_range_or_at_its_edge():
    assert words.place(0.1, [0.3, 0.01, 0.1]) == "inside"
    assert {words.place(value, [0.3, 0.01, 0.1]) for value in (0.3, 0.01)} == {"at the edge of"}
    assert words.place(0.1, [0.1]) == "at the edge of"


def test_a_signed_number_has_a_sign_whichever_way_it_goes():
    assert [words.signed(value, ".1f") for value in (0.26, 0, -3)] == ["+0.3", "+0.0", "−3.0"]
    assert words.signed(-1200, ",d") == "−1,200"
