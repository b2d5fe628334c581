import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecgbeat.plotting._relevance import draw_relevance, smoothed


def draw(wave, relevance, **options):
    _, ax = plt.subplots()
    times = np.arange(len(wave)) / 100
    options = {"limit": 1.0, "is_signed": True, "unit": "mV", "has_time": True} | options
    line = draw_relevance(ax, times, wave, relevance, **options)
    ax.figure.canvas.draw()
    return ax, line


def test_the_line_is_the_waveform(wave):
    _, line = draw(wave, np.zeros(50))
    segments = np.array(line.get_segments())
    np.testing.assert_allclose(segments[:, 0, 1], wave[:-1])
    np.testing.assert_allclose(segments[:, 1, 1], wave[1:])


def test_colour_and_width_show_the_relevance(wave):
    relevance = np.linspace(-1, 1, 50)
    _, line = draw(wave, relevance)
    np.testing.assert_allclose(line.get_array(), (relevance[1:] + relevance[:-1]) / 2)
    assert line.get_clim() == (-1, 1)
    widths = np.array(line.get_linewidths())
    assert widths[0] > 3 * widths[24]
    assert widths[-1] == pytest.approx(widths[0])


def test_what_is_never_negative_begins_at_0(wave):
    _, line = draw(wave, np.linspace(0, 1, 50), is_signed=False)
    assert line.get_clim() == (0, 1)


def test_the_area_lies_below_the_beat_and_shows_both_signs(wave):
    relevance = np.zeros(50)
    relevance[10], relevance[30] = 1.0, -0.5
    ax, _ = draw(wave, relevance)
    up, down = (area.get_paths()[0].get_extents() for area in ax.collections[1:3])
    assert up.y1 < wave.min()
    assert up.y0 == pytest.approx(down.y1)
    assert up.height == pytest.approx(2 * down.height)
    assert ax.get_ylim()[0] < down.y0


@pytest.mark.parametrize("has_time", [True, False])
def test_a_flat_beat_that_says_nothing(has_time):
    ax, _ = draw(np.zeros(20), np.zeros(20), limit=0.0, has_time=has_time)
    assert np.isfinite(ax.get_ylim()).all()


@pytest.mark.parametrize("n_samples", [2, 3, 8])
def test_smoothing_is_a_mean(n_samples):
    x = np.random.default_rng(0).normal(size=(2, 40))
    found = smoothed(x, n_samples)
    assert found.shape == x.shape
    first = 20 - (n_samples - 1) // 2
    np.testing.assert_allclose(found[:, 20], x[:, first : first + n_samples].mean(axis=1))
    np.testing.assert_allclose(smoothed(np.ones((1, 20)), n_samples), 1)


@pytest.mark.parametrize("n_samples", [0, 1])
def test_no_smoothing(wave, n_samples):
    assert smoothed(wave[np.newaxis], n_samples) is not None
    np.testing.assert_array_equal(smoothed(wave[np.newaxis], n_samples)[0], wave)
