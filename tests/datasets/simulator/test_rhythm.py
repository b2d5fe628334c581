import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ecgbeat.datasets.simulator.rhythm import (
    Pacemaker,
    Rhythm,
    draw_pacemaker,
    order_beats,
    time_beats,
)

STEADY = Pacemaker(rr=0.8, variability=1e-6, respiration=0.25, coupling={"A": 0.65, "V": 0.6})


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def intervals(rng, symbols, pacemaker=STEADY):
    return np.diff(time_beats(rng, list(symbols), pacemaker).time) / pacemaker.rr


@pytest.mark.parametrize("symbol", ["A", "V"])
def test_premature_beats_are_early(rng, symbol):
    assert 0.5 < intervals(rng, f"NN{symbol}NN")[1] < 0.8


def test_pause_after_ventricular_beat_is_compensatory(rng):
    before, after = intervals(rng, "NNVNN")[1:3]
    assert before + after == pytest.approx(2.0, abs=1e-3)


def test_pause_after_atrial_beat_is_not_compensatory(rng):
    before, after = intervals(rng, "NNANN")[1:3]
    assert before + after < 1.95
    assert after > 0.95


def test_fusion_beat_comes_shortly_before_the_sinus_beat(rng):
    before, after = intervals(rng, "NNFNN")[1:3]
    assert 0.9 < before < 1.0
    assert before + after == pytest.approx(2.0, abs=1e-3)


def test_sinus_impulse_during_ventricular_beat_is_blocked(rng):
    rhythm = time_beats(rng, list("NNVNN"), STEADY)
    assert_allclose(rhythm.blocked, [2 * STEADY.rr], atol=1e-3)


def test_paced_beats_come_one_interval_after_any_beat(rng):
    paced = intervals(rng, "///V///", draw_pacemaker(rng, 70.0))
    assert_allclose(np.delete(paced, 2), 1.0, atol=0.02)


@pytest.mark.parametrize("frequency", [0.1, 0.25])
def test_sinus_intervals_have_power_at_lf_and_hf(rng, frequency):
    pacemaker = STEADY._replace(variability=0.04)
    rr = intervals(rng, "N" * 2000, pacemaker)
    power = np.abs(np.fft.rfft(rr - rr.mean())) ** 2
    axis = np.fft.rfftfreq(len(rr), d=pacemaker.rr)
    near = np.abs(axis - frequency) < 0.06
    assert power[near].sum() > 0.2 * power.sum()


def test_sinus_intervals_have_given_variability(rng):
    rr = intervals(rng, "N" * 2000, STEADY._replace(variability=0.04))
    assert rr.std() == pytest.approx(0.04, rel=0.1)


def test_pacemaker_has_given_heart_rate(rng):
    assert draw_pacemaker(rng, 90.0).rr == pytest.approx(60 / 90)


def test_drawn_heart_rates_are_50_to_110(rng):
    rates = [60 / draw_pacemaker(rng, None).rr for _ in range(200)]
    assert 50 <= min(rates) < 60
    assert 95 < max(rates) <= 110


@pytest.mark.parametrize(
    "counts",
    [{"N": 50, "A": 5, "V": 7}, {"L": 20, "R": 30, "F": 4}, {"V": 12, "/": 40}, {"N": 9}],
)
def test_order_has_given_counts(rng, counts):
    order = order_beats(rng, counts)
    assert {symbol: order.count(symbol) for symbol in counts} == counts


def test_order_begins_with_base_beat(rng):
    assert order_beats(rng, {"V": 10, "N": 10})[0] == "N"


def test_missing_base_beats_are_added(rng):
    order = order_beats(rng, {"N": 2, "F": 10})
    assert order.count("F") == 10
    assert order.count("N") >= 10


def test_two_base_beats_separate_episodes(rng):
    order = "".join(order_beats(rng, {"N": 400, "A": 0, "F": 60}))
    assert "FNF" not in order
    assert "FF" not in order


@pytest.mark.parametrize("pattern", ["NVVN", "NVNVNVN"])
def test_ventricular_beats_form_couplets_and_bigeminy(rng, pattern):
    assert pattern in "".join(order_beats(rng, {"N": 2000, "V": 200}))


def test_conduction_changes_in_runs(rng):
    order = order_beats(rng, {"N": 60, "L": 60})
    changes = sum(a != b for a, b in itertools.pairwise(order))
    assert 1 <= changes <= 8


def test_shifted_rhythm_has_shifted_beats_and_blocked_impulses():
    rhythm = Rhythm(np.array([0.0, 1.0]), np.array([0.5])).shifted(2.0)
    assert_array_equal(rhythm.time, [2.0, 3.0])
    assert_array_equal(rhythm.blocked, [2.5])
