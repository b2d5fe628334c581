import numpy as np
import pytest

from ecgbeat.datasets._simulator._allotment import allot_beats, apportion

SHARES = {"N": 0.5, "L": 0.14, "R": 0.12, "A": 0.08, "V": 0.14, "F": 0.04, "/": 0.12}


def allot(n_beats=2000, n_patients=24, shares=SHARES, seed=0):
    return allot_beats(np.random.default_rng(seed), n_beats, n_patients, shares)


def patients_with(counts, symbol):
    return [i for i, patient in enumerate(counts) if symbol in patient]


@pytest.mark.parametrize("total", [0, 1, 7, 100, 2001])
def test_apportioning_loses_nothing(total):
    assert apportion(total, [0.3, 0.3, 0.3, 0.1]).sum() == total


def test_apportioning_follows_the_shares():
    assert apportion(10, [5, 3, 2]).tolist() == [5, 3, 2]


def test_apportioning_keeps_the_minimum_at_the_cost_of_the_large():
    assert apportion(10, [100, 1, 1], minimum=2).tolist() == [6, 2, 2]


@pytest.mark.parametrize("n_beats", [7, 50, 2000])
def test_all_beats_are_dealt_out(n_beats):
    assert sum(sum(patient.values()) for patient in allot(n_beats)) == n_beats


def test_classes_have_their_shares():
    counts = allot()
    total = sum(SHARES.values())
    for symbol, share in SHARES.items():
        n = sum(patient.get(symbol, 0) for patient in counts)
        assert n == pytest.approx(2000 * share / total, abs=1.0)


@pytest.mark.parametrize("n_patients", [4, 5, 9, 20, 60])
@pytest.mark.parametrize("symbol", SHARES)
def test_every_class_has_four_patients(n_patients, symbol):
    assert len(patients_with(allot(n_patients=n_patients), symbol)) >= 4


@pytest.mark.parametrize("n_patients", [1, 2, 3])
@pytest.mark.parametrize("symbol", SHARES)
def test_few_patients_have_every_class(n_patients, symbol):
    assert len(patients_with(allot(n_patients=n_patients), symbol)) == n_patients


def test_no_patient_goes_without_a_beat():
    assert all(allot(n_patients=40))


def test_conduction_divides_the_patients():
    for patient in allot():
        assert len({"N", "L", "R", "/"} & set(patient)) == 1


def test_fusion_beats_are_with_normal_ones():
    counts = allot()
    assert set(patients_with(counts, "F")) <= set(patients_with(counts, "N"))


def test_without_a_base_class_every_patient_has_the_others():
    counts = allot(shares={"A": 0.5, "V": 0.5})
    assert all(set(patient) == {"A", "V"} for patient in counts)
