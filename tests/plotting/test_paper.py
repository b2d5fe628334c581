import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecgbeat.plotting._paper import box_height, draw_paper, draw_scale_bar


def paper(width, height, seconds=1.0, millivolts=1.0, **options):
    """Return a drawn axes of a size in inches, with limits."""
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
    """Return the positions of all lines within the limits."""
    return np.sort(drawn(np.r_[axis.get_majorticklocs(), axis.get_minorticklocs()], axis))


def numbers(axis):
    """Return the numbers at the major lines within the limits."""
    labels = [tick.label1 for tick in axis.get_major_ticks() if drawn([tick.get_loc()], axis).size]
    return [label.get_text() for label in labels if label.get_text()]


def drawn(positions, axis):
    """Return the positions within the limits. Locators return some beyond."""
    low, high = axis.get_view_interval()
    positions = np.asarray(positions)
    return positions[(positions > low - 1e-9) & (positions < high + 1e-9)]


def test_boxes_of_an_electrocardiograph():
    ax = paper(5, 3)
    np.testing.assert_allclose(np.diff(ax.get_xticks()), 0.2)
    np.testing.assert_allclose(np.diff(ax.get_yticks()), 0.5)
    np.testing.assert_allclose(np.diff(lines(ax.xaxis)), 0.04)
    np.testing.assert_allclose(np.diff(lines(ax.yaxis)), 0.1)


def test_numbers_fit_the_axes():
    assert numbers(paper(5, 3).xaxis) == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert numbers(paper(1.5, 3).xaxis) == ["0", "0.4", "0.8"]
    assert numbers(paper(5, 3).yaxis) == ["−0.5", "0", "0.5"]  # noqa: RUF001 - a minus


def test_small_boxes_without_room_are_left_out():
    ax = paper(3, 1, seconds=10)
    np.testing.assert_allclose(np.diff(ax.get_xticks()), 0.2)
    assert len(ax.get_xticks(minor=True)) == len(ax.get_yticks(minor=True)) == 0


def test_number_of_lines_is_limited():
    ax = paper(5, 3, seconds=7200, millivolts=4000)
    assert len(ax.get_xticks()) < 200
    assert len(ax.get_yticks()) < 200


def test_zooming_in_adds_small_boxes():
    ax = paper(3, 3, seconds=10)
    ax.set_xlim(0, 1)
    ax.figure.canvas.draw()
    np.testing.assert_allclose(np.diff(lines(ax.xaxis)), 0.04)


def test_larger_figure_adds_small_boxes():
    ax = paper(1.5, 3, seconds=4)
    assert len(ax.get_xticks(minor=True)) == 0
    ax.figure.set_size_inches(9, 4)
    ax.figure.canvas.draw()
    np.testing.assert_allclose(np.diff(lines(ax.xaxis)), 0.04)


@pytest.mark.parametrize(
    ("seconds", "step"), [(4, 1), (9, 2), (20, 5), (45, 10), (90, 20), (200, 50), (400, 100)]
)
def test_numbers_are_round_seconds(seconds, step):
    values = np.array([float(number) for number in numbers(paper(3, 3, seconds=seconds).xaxis)])
    np.testing.assert_allclose(np.diff(values), step)


def test_no_numbers_below_lowest():
    assert numbers(paper(5, 3, lowest=-0.1).yaxis) == ["0", "0.5"]


@pytest.mark.parametrize(
    ("span", "unit", "expected"),
    [
        (2.0, "mV", 0.5),
        (24.0, "mV", 0.5),
        (4000.0, "mV", 1000.0),
        (1.0, "", 0.2),
        (5.5, "", 2.0),
        (10.5, "", 5.0),
        (26.0, "", 10.0),
        (0.15, "", 0.05),
        (0.0, "", 1.0),
        (float("nan"), "", 1.0),
    ],
)
def test_height_of_boxes(span, unit, expected):
    assert box_height(span, unit) == pytest.approx(expected)


def test_scale_bar_has_the_height_of_its_text():
    ax = paper(5, 3)
    draw_scale_bar(ax, 0.1, 0.2, 1.0, "mV")
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), [0.2, 1.2])
    assert [text.get_text() for text in ax.texts] == ["1 mV"]


def test_scale_bar_without_a_unit():
    ax = paper(5, 3)
    draw_scale_bar(ax, 0.1, 0.2, 0.5, "")
    assert [text.get_text() for text in ax.texts] == ["0.5"]
