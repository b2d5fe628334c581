import numpy as np

from ecgbeat.datasets._patients import patients_of_records


def test_records_201_and_202_are_of_one_patient():
    assert patients_of_records(["201", "202", "203"]).tolist() == ["201", "201", "203"]


def test_one_patient_for_each_beat_of_an_array():
    assert patients_of_records(np.array(["202", "100", "202"])).tolist() == ["201", "100", "201"]
