import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecgbeat.plotting._panels import (
    check_axes,
    count_columns,
    inches,
    legend_columns,
    make_panels,
)


def test_a_new_figure():
    panels = make_panels(None, 5, 2, 3, (7, 4))
    assert panels.axes.shape == (5, 2)
    figure = panels.axes[0, 0].figure
    np.testing.assert_allclose(figure.get_size_inches(), (7, 4))
    assert figure.axes == list(panels.axes.flat)


def test_leads_lie_below_each_other():
    axes = make_panels(None, 3, 2, 3, (7, 4)).axes
    assert axes[0, 0].get_position().y0 > axes[0, 1].get_position().y0
    assert axes[0, 0].get_position().x0 < axes[1, 0].get_position().x0


def test_left_and_bottom_panels():
    panels = make_panels(None, 3, 2, 2, (7, 4))
    assert panels.is_left[:, 0].tolist() == [True, False, True]
    assert panels.is_bottom.tolist() == [[False, False], [False, True], [False, True]]


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_single_axes_is_divided(layout):
    figure, (left, right) = plt.subplots(1, 2, layout=layout)
    panels = make_panels(right, 2, 2, 2, (1, 1))
    assert not right.axison
    assert left.axison
    assert all(ax.figure is figure for ax in panels.axes.flat)
    assert min(ax.get_position().x0 for ax in panels.axes.flat) >= left.get_position().x1


def test_axes_outside_of_a_grid_is_divided():
    figure = plt.figure()
    ax = figure.add_axes((0.5, 0.1, 0.4, 0.8))
    panels = make_panels(ax, 2, 1, 1, (1, 1))
    places = [panel.get_position() for panel in panels.axes.flat]
    assert min(place.x0 for place in places) == pytest.approx(0.5)
    assert max(place.y1 for place in places) == pytest.approx(0.9)


def test_single_axes_is_used_for_a_single_panel():
    _, ax = plt.subplots()
    assert make_panels(ax, 1, 1, 1, (1, 1)).axes[0, 0] is ax
    assert ax.axison


def test_array_of_axes_keeps_its_order():
    _, axes = plt.subplots(2, 2)
    panels = make_panels(axes, 2, 2, 1, (1, 1))
    assert list(panels.axes.flat) == list(axes.flat)
    assert panels.is_left.all()


def test_axes_of_a_subfigure():
    figure = plt.figure(layout="constrained")
    ax = figure.subfigures(1, 2)[1].subplots()
    panels = make_panels(ax, 2, 1, 1, (1, 1))
    figure.canvas.draw()
    assert all(panel.get_position().width > 0 for panel in panels.axes.flat)


@pytest.mark.parametrize("wrong", ["ax", 3, [3, 4]])
def test_invalid_axes_raise(wrong):
    with pytest.raises(TypeError, match="caller: ax must be a matplotlib Axes"):
        check_axes(wrong, 2, "caller")


def test_wrong_number_of_axes_raises():
    _, axes = plt.subplots(3)
    with pytest.raises(ValueError, match="draws 2 panels, got 3 axes"):
        check_axes(axes, 2, "caller")
    with pytest.raises(ValueError, match="got 0 axes"):
        check_axes([], 2, "caller")


@pytest.mark.parametrize(
    ("n_panels", "width", "expected"), [(1, 9, 1), (4, 9, 2), (5, 9, 3), (4, 5, 2), (4, 1, 1)]
)
def test_columns_make_rows_of_similar_length(n_panels, width, expected):
    _, ax = plt.subplots(figsize=(width, 3))
    found = count_columns(ax, n_panels, 3, 3.0, 1.5)
    assert found == expected


def test_columns_of_a_new_figure():
    assert count_columns(None, 6, 3, 3.0, 1.5) == 3


def test_size_in_inches():
    _, ax = plt.subplots(figsize=(5, 3))
    position = ax.get_position()
    assert inches(ax) == pytest.approx((5 * position.width, 3 * position.height))


def test_overlapping_fixture_finds_texts(overlapping):
    figure, ax = plt.subplots()
    ax.text(0.5, 0.5, "one text")
    ax.text(0.52, 0.5, "another text")
    ax.text(0.9, 0.1, "beyond the edge of the figure")
    assert overlapping(figure) == [
        ("beyond the edge of the figure", "edge"),
        ("one text", "another text"),
    ]


@pytest.mark.parametrize(
    ("names", "width", "expected"),
    [
        ([], 5.0, 1),
        (["N"], 5.0, 1),
        (["N", "V", "F"], 5.0, 3),
        (["N", "V", "F"], 0.3, 1),
        (["a very long name of a class"] * 4, 3.0, 1),
        (["a very long name of a class"] * 4, 5.0, 2),
    ],
)
def test_legend_columns_fit_the_width(names, width, expected):
    assert legend_columns(names, width) == expected


def test_long_name_widens_its_own_column_only():
    names = ["N", "V", "F", "a very long name of a class"]
    assert legend_columns(names, 4.0) == 4
