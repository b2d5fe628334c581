import numpy as np
import pytest

from ecgbeat.plotting._strips import lay_out

SIGNAL = np.vstack([np.sin(np.arange(3000) / 20), 5 + 0.2 * np.cos(np.arange(3000) / 9)])


def sheet(signal=SIGNAL, n_strips=3, height=6.0, n_rows=2, n_legend_rows=1, unit="mV"):
    length = signal.shape[1] // n_strips
    strips = [slice(number * length, (number + 1) * length) for number in range(n_strips)]
    return lay_out(signal, strips, n_rows, n_legend_rows, height, unit)


def test_rows_and_traces_do_not_overlap():
    paper = sheet()
    edges = []
    for strip in range(3):
        edges += [paper.row_center(strip, row) for row in range(2)]
        for lead in range(2):
            trace = paper.trace(SIGNAL, strip, lead)
            edges += [trace.max(), trace.min()]
    assert (np.diff(edges) < 0).all()
    assert edges[-1] >= paper.top(2) - paper.strip_height
    assert paper.top(1) == paper.top(0) - paper.strip_height


def test_traces_are_drawn_about_their_median():
    paper = sheet()
    trace = paper.trace(SIGNAL, 1, 1) - paper.zero_line(1, 1)
    np.testing.assert_allclose(np.diff(trace), np.diff(SIGNAL[1, 1000:2000]))
    assert np.median(trace) == pytest.approx(0, abs=1e-12)


def test_zero_lines_fall_on_lines_of_the_paper():
    paper = sheet()
    for strip, lead in np.ndindex(paper.centers.shape):
        small = paper.zero_line(strip, lead) / 0.1
        assert small == pytest.approx(round(small), abs=1e-6)


def test_single_trace_keeps_its_amplitude():
    paper = sheet(SIGNAL[1:], n_strips=1)
    assert paper.is_single
    np.testing.assert_allclose(paper.trace(SIGNAL[1:], 0, 0), SIGNAL[1])
    assert paper.row_center(0, 1) > SIGNAL[1].max()


@pytest.mark.parametrize("height", [1.0, 3.0, 20.0])
def test_rows_have_a_size_in_inches_or_shrink(height):
    paper = sheet(height=height)
    whole = 3 * paper.strip_height + paper.legend
    inch = paper.row / whole * height
    assert inch == pytest.approx(0.17, rel=0.35) if height > 2 else inch < 0.17
    assert (6 * paper.row + paper.legend) / whole < 0.75


def test_layout_with_gaps():
    gappy = SIGNAL.copy()
    gappy[0, 500:1500] = np.nan
    paper = sheet(gappy)
    assert np.isfinite([paper.above, paper.below, paper.row]).all()


def test_layout_of_gaps_only():
    paper = sheet(np.full((1, 100), np.nan), n_strips=1)
    assert np.isfinite([paper.above, paper.below, paper.row]).all()


def test_single_spikes_do_not_change_the_layout():
    spiky = SIGNAL[:1].copy()
    spiky = np.tile(spiky, 10)
    calm = sheet(spiky, n_strips=2)
    spiky[0, 1234] = 50.0
    assert sheet(spiky, n_strips=2).above == calm.above


def test_boxes_depend_on_the_unit():
    assert sheet(SIGNAL[:1] * 1000, unit="").box == 500.0
    assert sheet(SIGNAL[:1]).box == 0.5


def test_without_rows_and_legend():
    paper = sheet(n_rows=0, n_legend_rows=0)
    assert paper.legend == 0
    assert paper.strip_height == 2 * (paper.above + paper.below)
