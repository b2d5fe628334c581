import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecgbeat.plotting._paper import box_height, draw_paper, draw_scale_bar, inches, nice_step


def paper(width, height, seconds=1.0, millivolts=1.0, **options):
    """Return a drawn axes of a size in inches, which shows so much."""
    figure = plt.figure(figsize=(width + 1, height + 1))
    ax = figure.add_axes(
        (0.5 / (width + 1), 0.5 / (height + 1), width / (width + 1), height / (height + 1))
    )
    ax.set_xlim(0, seconds)
    ax.set_ylim(-millivolts / 2, millivolts / 2)
    draw_paper(ax, 0.5, **options)
    figure.canvas.draw()
    return ax


def lines(axis):
    """Return where lines are, bold or not."""
    return np.sort(np.concatenate([axis.get_majorticklocs(), axis.get_minorticklocs()]))


def numbers(axis):
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


def test_boxes_of_an_electrocardiograph():
    ax = paper(5, 3)
    np.testing.assert_allclose(np.diff(ax.get_xticks()), 0.2)
    np.testing.assert_allclose(np.diff(ax.get_yticks()), 0.5)
    np.testing.assert_allclose(np.diff(lines(ax.xaxis)), 0.04)
    np.testing.assert_allclose(np.diff(lines(ax.yaxis)), 0.1)


def test_numbers_are_as_many_as_have_room():
    assert numbers(paper(5, 3).xaxis) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert numbers(paper(1.5, 3).xaxis) == ["0", "0.4", "0.8"]
    assert numbers(paper(5, 3).yaxis) == ["−0.5", "0", "0.5"]  # noqa: RUF001 - a minus


def test_small_boxes_go_where_they_are_too_close():
    ax = paper(3, 1, seconds=10)
    np.testing.assert_allclose(np.diff(ax.get_xticks()), 0.2)
    assert len(ax.get_xticks(minor=True)) == len(ax.get_yticks(minor=True)) == 0


def test_lines_stay_apart_over_hours():
    ax = paper(5, 3, seconds=7200, millivolts=4000)
    assert len(ax.get_xticks()) < 200
    assert len(ax.get_yticks()) < 200


def test_zooming_in_brings_the_small_boxes_back():
    ax = paper(3, 3, seconds=10)
    ax.set_xlim(0, 1)
    ax.figure.canvas.draw()
    np.testing.assert_allclose(np.diff(lines(ax.xaxis)), 0.04)


def test_no_numbers_below():
    assert numbers(paper(5, 3, lowest=-0.1).yaxis) == ["0", "0.5"]


@pytest.mark.parametrize(
    ("span", "unit", "expected"),
    [(2.0, "mV", 0.5), (24.0, "mV", 0.5), (4000.0, "mV", 1000.0), (1.0, "", 0.2), (0.0, "", 1.0)],
)
def test_height_of_boxes(span, unit, expected):
    assert box_height(span, unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, 1), (1.1, 2), (2.1, 5), (5.1, 10), (0.03, 0.05), (0, 1), (float("nan"), 1), (-3, 1)],
)
def test_nice_steps(size, expected):
    assert nice_step(size) == pytest.approx(expected)


def test_size_in_inches():
    assert inches(paper(5, 3)) == pytest.approx((5, 3))


def test_scale_bar_is_as_high_as_it_says():
    ax = paper(5, 3)
    bar = draw_scale_bar(ax, 0.1, 0.2, 1.0, "mV")
    np.testing.assert_allclose(bar.get_ydata(), [0.2, 1.2])
    assert [text.get_text() for text in ax.texts] == ["1 mV"]


def test_scale_bar_without_a_unit():
    ax = paper(5, 3)
    draw_scale_bar(ax, 0.1, 0.2, 0.5, "")
    assert [text.get_text() for text in ax.texts] == ["0.5"]
