import collections
import pickle
import warnings

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate

from ecgbeat.labels import is_beat, to_aami
from ecgbeat.model_selection import DS1, DS2, PACED, InterPatientSplit

ALL = np.array(sorted([*DS1, *DS2, *PACED]))


def split(groups, **options):
    """Return the records of the training and test set."""
    ((train, test),) = InterPatientSplit(**options).split(np.zeros(len(groups)), groups=groups)
    names = np.asarray(groups).astype(str)
    return set(names[train]), set(names[test])


def test_lists_divide_the_48_records():
    assert (len(DS1), len(DS2), len(PACED)) == (22, 22, 4)
    assert len(set(ALL)) == 48


@pytest.mark.parametrize(
    ("records", "counts"),
    [
        (DS1, {"N": 45866, "S": 944, "V": 3788, "F": 415, "Q": 8}),
        (DS2, {"N": 44259, "S": 1837, "V": 3221, "F": 388, "Q": 7}),
    ],
    ids=["DS1", "DS2"],
)
def test_lists_have_the_beat_counts_of_the_literature(real_data, records, counts):
    wfdb = pytest.importorskip("wfdb", reason="reading MIT-BIH takes the extra 'data'")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        read = [wfdb.rdann(str(real_data / "mitdb" / name), "atr").symbol for name in records]
    symbols = np.concatenate(read)
    classes = to_aami(symbols[is_beat(symbols)])
    assert collections.Counter(classes.tolist()) == counts


def test_trains_on_ds1_and_tests_on_ds2():
    assert split(ALL) == (set(DS1), set(DS2))


@pytest.mark.parametrize("dtype", [int, str, object])
def test_record_names_of_any_type(dtype):
    assert split(ALL.astype(int).astype(dtype)) == (set(DS1), set(DS2))


def test_indices_of_beats_are_ascending_int64():
    groups = ["103", "101", "102", "101", "100", "101"]
    ((train, test),) = InterPatientSplit().split(np.zeros((6, 187)), groups=groups)
    assert (train.tolist(), test.tolist()) == ([1, 3, 5], [0, 4])
    assert train.dtype == test.dtype == np.int64


def test_splits_ragged_recordings():
    recordings = [np.zeros(n) for n in (5, 7, 9)]
    ((train, test),) = InterPatientSplit().split(recordings, None, ["100", "101", "103"])
    assert (train.tolist(), test.tolist()) == ([1], [0, 2])


def test_drop_shared_patient_leaves_out_record_202():
    assert split(ALL, drop_shared_patient=True) == (set(DS1), set(DS2) - {"202"})


def test_number_of_splits_is_one():
    assert InterPatientSplit().get_n_splits() == 1
    assert InterPatientSplit().get_n_splits(ALL, None, ALL) == 1


PATIENTS = np.where(ALL == "202", "201", ALL)


def test_all_patients_instead_of_records_raise():
    with pytest.raises(ValueError, match=r"contain '201' and no '202'.*record_names"):
        split(PATIENTS)


def test_patients_are_accepted_with_drop_shared_patient():
    assert split(PATIENTS, drop_shared_patient=True) == (set(DS1), set(DS2) - {"202"})


def test_subset_of_records_that_may_be_patients_warns():
    with pytest.warns(UserWarning, match="contain '201' and no '202'") as caught:
        split(["100", "201"])
    assert caught[0].filename == __file__


@pytest.mark.parametrize("groups", [["100", "101"], ["101", "202"], ["201", "202"]])
def test_other_subsets_of_records_do_not_warn(groups):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        split(groups)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "groups must be the names of the MIT-BIH records"),
        (["100", "101", "16265", "x"], r"got 2 other names: '16265', 'x'\. .*list all 48"),
        (range(20), r"got 20 other names: '0', '1', '10', '11', '12', \.\.\."),
        ([100.0, 101.0], "other names: '100.0'"),
        (["100", "103"], "must contain a record of DS1 to train on"),
        (["101", "102"], "must contain a record of DS2 to test on"),
        ([["100"], ["101"]], "must be 1-D"),
    ],
)
def test_invalid_groups_raise(groups, message):
    X = np.zeros(2 if groups is None else len(groups))
    with pytest.raises(ValueError, match=message):
        list(InterPatientSplit().split(X, groups=groups))


def test_empty_test_set_without_shared_patient_raises():
    with pytest.raises(ValueError, match="must contain a record of DS2"):
        split(["101", "202"], drop_shared_patient=True)


def test_unequal_lengths_of_rows_and_groups_raise():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        list(InterPatientSplit().split(np.zeros(3), groups=["100", "101"]))


@pytest.fixture
def data():
    X, y = make_classification(480, random_state=0)
    return X, y, np.repeat(ALL, 10)


def test_cross_val_score_uses_the_split(data):
    X, y, records = data
    (score,) = cross_val_score(
        LogisticRegression(), X, y, groups=records, cv=InterPatientSplit(), scoring="accuracy"
    )
    in_train, in_test = np.isin(records, DS1), np.isin(records, DS2)
    model = LogisticRegression().fit(X[in_train], y[in_train])
    assert score == model.score(X[in_test], y[in_test])


def test_grid_search(data):
    X, y, records = data
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=InterPatientSplit())
    assert search.fit(X, y, groups=records).n_splits_ == 1


def test_groups_are_routed_by_default(data):
    X, y, records = data
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            DummyClassifier(), X, y, params={"groups": records}, cv=InterPatientSplit()
        )
    assert len(result["test_score"]) == 1


@pytest.mark.parametrize("drop", [True, False])
def test_repr_and_pickle(drop):
    splitter = InterPatientSplit(drop_shared_patient=drop)
    assert repr(splitter) == f"InterPatientSplit(drop_shared_patient={drop})"
    assert repr(pickle.loads(pickle.dumps(splitter))) == repr(splitter)
