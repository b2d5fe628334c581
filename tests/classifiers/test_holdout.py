import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgbeat.classifiers._holdout import holdout_rows


@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=5).filter(lambda c: max(c) > 1),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**31 - 1),
)
def test_rows_are_divided_and_every_class_keeps_one(counts, fraction, seed):
    y = np.repeat(np.arange(len(counts)), counts)
    training, validation = holdout_rows(y, fraction, seed)
    assert sorted([*training, *validation]) == list(range(len(y)))
    assert len(validation) > 0
    assert set(y[training]) == set(y)


def test_classes_keep_their_shares():
    y = np.repeat(["N", "V"], [900, 100])
    _, validation = holdout_rows(y, 0.1, 0)
    assert np.count_nonzero(y[validation] == "V") == 10
    assert len(validation) == 100


def test_seeds_make_the_difference():
    y = np.repeat([0, 1], 50)
    first, again, other = (holdout_rows(y, 0.2, seed)[1].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_patients_stay_whole():
    groups = np.repeat(np.arange(10), 12)
    y = np.tile([0, 0, 1], 40)
    training, validation = holdout_rows(y, 0.2, 0, groups)
    assert not set(groups[training]) & set(groups[validation])
    assert len(validation) == 24


def test_no_row_to_spare_is_an_error():
    with pytest.raises(ValueError, match="2 rows of 2 classes"):
        holdout_rows(np.array([0, 1]), 0.5, 0)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.zeros(6), "needs 2 patients at least, got 1"),
        (np.arange(5), r"one patient for each of the 6 rows of X, got shape \(5,\)"),
        (np.array([0, 0, 0, 1, 1, 1]), "leaves a class without training rows"),
    ],
)
def test_groups_that_cannot_be_divided_are_an_error(groups, message):
    with pytest.raises(ValueError, match=message):
        holdout_rows(np.array([0, 0, 0, 1, 1, 1]), 0.2, 0, groups)
