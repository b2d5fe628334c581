import numpy as np
import pytest

from ecgbeat.datasets._simulator._morphology import (
    ATRIAL,
    QRS,
    SLOTS,
    SPIKE,
    draw_morphologies,
)

T = SLOTS.index("T")
PATIENTS = [draw_morphologies(np.random.default_rng(seed), "N") for seed in range(60)]


def of_all(symbol):
    return [patient[symbol] for patient in PATIENTS]


def qrs_duration(morphology):
    begin, end = morphology.qrs_window()
    return end - begin


def test_normal_beats_are_narrow():
    assert max(map(qrs_duration, of_all("N"))) < 0.12


@pytest.mark.parametrize("symbol", ["L", "R", "V", "V2", "/"])
def test_the_wide_classes_are_wide(symbol):
    assert min(map(qrs_duration, of_all(symbol))) > 0.12


@pytest.mark.parametrize("symbol", ["V", "V2", "/"])
def test_beats_from_the_ventricles_have_no_p_wave(symbol):
    assert not any(m.amplitude[ATRIAL].any() for m in of_all(symbol))


def test_only_paced_beats_have_a_spike():
    with_spike = {s for p in PATIENTS for s, m in p.items() if m.amplitude[SPIKE].any()}
    assert with_spike == {"/"}


def test_the_spike_comes_20_to_40_ms_before_the_qrs():
    ahead = [m.qrs_window()[0] - m.time[SPIKE] for m in of_all("/")]
    assert min(ahead) >= 0.02
    assert max(ahead) <= 0.04


def test_left_bundle_branch_block_has_no_q_wave():
    q = SLOTS.index("Q")
    assert not any(m.amplitude[q].any() for m in of_all("L"))


def test_left_bundle_branch_block_goes_down_in_v1():
    assert all(m.amplitude[QRS, 1].sum() < 0 for m in of_all("L"))


def test_right_bundle_branch_block_ends_upward_in_v1():
    last = SLOTS.index("S2")
    assert all(m.amplitude[last, 1] > 0.4 for m in of_all("R"))


@pytest.mark.parametrize("symbol", ["L", "/"])
def test_t_is_against_the_main_deflection(symbol):
    against = [m.amplitude[T, 0] * m.amplitude[QRS, 0].sum() < 0 for m in of_all(symbol)]
    assert all(against)


def test_atrial_premature_beats_keep_the_shape_of_the_patients_own_qrs():
    for patient in PATIENTS:
        own, early = patient["N"].amplitude[QRS], patient["A"].amplitude[QRS]
        np.testing.assert_allclose(early, own * (early.sum() / own.sum()), atol=1e-12)


def test_atrial_premature_beats_have_another_p_wave():
    ratio = [m["A"].amplitude[0, 0] / m["N"].amplitude[0, 0] for m in PATIENTS]
    assert min(ratio) < 0 < 0.5 < max(ratio)


@pytest.mark.parametrize("symbol", ["N", "L", "R"])
def test_the_atria_do_not_know_of_the_conduction_below(symbol):
    for patient in PATIENTS[:5]:
        np.testing.assert_array_equal(
            patient[symbol].amplitude[ATRIAL], patient["N"].amplitude[ATRIAL]
        )


def test_patients_differ():
    sizes = [m.amplitude[SLOTS.index("R"), 0] for m in of_all("N")]
    assert max(sizes) > 3 * min(sizes)
    assert np.std(sizes) > 0.2 * np.mean(sizes)
