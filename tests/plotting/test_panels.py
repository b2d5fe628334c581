import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecgbeat.plotting._panels import check_axes, make_panels, settle, width_of


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


def test_edges_of_the_grid():
    panels = make_panels(None, 3, 2, 2, (7, 4))
    assert panels.is_left[:, 0].tolist() == [True, False, True]
    assert panels.is_bottom.tolist() == [[False, False], [False, True], [False, True]]


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_one_axes_is_divided(layout):
    figure, (left, right) = plt.subplots(1, 2, layout=layout)
    panels = make_panels(right, 2, 2, 2, (1, 1))
    assert not right.axison
    assert left.axison
    assert all(ax.figure is figure for ax in panels.axes.flat)
    assert min(ax.get_position().x0 for ax in panels.axes.flat) >= left.get_position().x1


def test_an_axes_that_lies_freely_is_divided():
    figure = plt.figure()
    ax = figure.add_axes((0.5, 0.1, 0.4, 0.8))
    panels = make_panels(ax, 2, 1, 1, (1, 1))
    places = [panel.get_position() for panel in panels.axes.flat]
    assert min(place.x0 for place in places) == pytest.approx(0.5)
    assert max(place.y1 for place in places) == pytest.approx(0.9)


def test_one_axes_for_one_panel_is_used_itself():
    _, ax = plt.subplots()
    assert make_panels(ax, 1, 1, 1, (1, 1)).axes[0, 0] is ax
    assert ax.axison


def test_an_array_of_axes_is_used_in_its_order():
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
def test_what_is_no_axes(wrong):
    with pytest.raises(TypeError, match="me: ax must be a matplotlib Axes"):
        check_axes(wrong, 2, "me")


def test_another_number_of_axes():
    _, axes = plt.subplots(3)
    with pytest.raises(ValueError, match="draws 2 panels, got 3 axes"):
        check_axes(axes, 2, "me")
    with pytest.raises(ValueError, match="got 0 axes"):
        check_axes([], 2, "me")


def test_width_there_is():
    _, ax = plt.subplots(figsize=(5, 3))
    assert width_of(ax, 9.0) == pytest.approx(5 * ax.get_position().width)
    assert width_of(None, 9.0) == 9.0


def test_settle_leaves_a_figure_without_layout_alone():
    _, ax = plt.subplots()
    before = ax.get_position().bounds
    settle(ax)
    assert ax.get_position().bounds == before


def test_texts_that_touch_are_found(overlapping):
    figure, ax = plt.subplots()
    ax.text(0.5, 0.5, "one text")
    ax.text(0.52, 0.5, "another text")
    ax.text(0.9, 0.1, "beyond the edge of the figure")
    assert overlapping(figure) == [
        ("beyond the edge of the figure", "edge"),
        ("one text", "another text"),
    ]
