import pytest
from matplotlib.colors import to_rgb

from ecgbeat.plotting._style import class_styles, darker


@pytest.mark.parametrize("classes", ["NSVFQ", "NLRAV", list(range(40)), "NSAJaV/Q"])
def test_classes_differ_by_color_or_marker(classes):
    styles = class_styles(classes)
    looks = {(style.color, style.marker) for style in styles.values()}
    assert list(styles) == list(classes)
    assert len(looks) == len(classes)


@pytest.mark.parametrize("part", ["color", "marker", "line"])
def test_classes_differ_by_each_property(part):
    styles = class_styles("NSVFQ").values()
    assert len({getattr(style, part) for style in styles}) == 5


def test_style_is_independent_of_other_classes():
    assert class_styles("NV")["V"] == class_styles(["F", "other", "V"])["V"]


def test_given_colors():
    styles = class_styles(["N", "mine"], {"mine": "#123456"})
    assert styles["mine"].color == "#123456"
    assert styles["N"] == class_styles("N")["N"]


def test_styles_of_many_classes():
    assert len(class_styles(range(500))) == 500


def test_repeated_labels():
    assert list(class_styles(["N", "V", "N"])) == ["N", "V"]


def test_darker():
    assert all(a < b for a, b in zip(darker("#CC79A7"), to_rgb("#CC79A7"), strict=True))
