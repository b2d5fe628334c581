import pytest
from matplotlib.colors import to_rgb

from ecgbeat.plotting._style import class_styles, darker


@pytest.mark.parametrize("classes", ["NSVFQ", "NLRAV", list(range(40)), "NSAJaV/Q"])
def test_no_two_classes_look_the_same(classes):
    styles = class_styles(classes)
    looks = {(style.color, style.marker) for style in styles.values()}
    assert list(styles) == list(classes)
    assert len(looks) == len(classes)


@pytest.mark.parametrize("part", ["color", "marker", "line"])
def test_colour_is_not_the_only_sign(part):
    styles = class_styles("NSVFQ").values()
    assert len({getattr(style, part) for style in styles}) == 5


def test_a_class_looks_the_same_in_every_picture():
    assert class_styles("NV")["V"] == class_styles(["F", "other", "V"])["V"]


def test_colours_of_ones_own():
    styles = class_styles(["N", "mine"], {"mine": "#123456"})
    assert styles["mine"].color == "#123456"
    assert styles["N"] == class_styles("N")["N"]


def test_many_classes_get_a_style_each():
    assert len(class_styles(range(500))) == 500


def test_equal_labels_are_one_class():
    assert list(class_styles(["N", "V", "N"])) == ["N", "V"]


def test_letters_are_darker_than_lines():
    assert all(a < b for a, b in zip(darker("#CC79A7"), to_rgb("#CC79A7"), strict=True))
