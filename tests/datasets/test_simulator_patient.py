import numpy as np
import pytest

from ecgbeat.datasets._simulator._patient import LEADS, draw_patient


def lead(name):
    return np.array(LEADS[name])


def test_twelve_leads_begin_with_those_of_mitdb():
    assert len(LEADS) == 12
    assert list(LEADS)[:2] == ["MLII", "V1"]


def test_einthovens_law_holds():
    np.testing.assert_allclose(lead("I") + lead("III"), lead("MLII"))


def test_goldbergers_leads_add_up_to_nothing():
    np.testing.assert_allclose(lead("aVR") + lead("aVL") + lead("aVF"), np.zeros(3))


@pytest.mark.parametrize("base", ["N", "L", "R"])
def test_a_patient_keeps_the_base_asked_for(base):
    assert draw_patient(np.random.default_rng(0), base=base).base == base


def test_one_seed_gives_one_patient():
    first, second = (draw_patient(np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first.axes, second.axes)
    assert first.electrodes == second.electrodes
    assert first.pacemaker == second.pacemaker
