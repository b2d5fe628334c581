import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from ecgbeat.datasets import make_heartbeats
from ecgbeat.datasets.simulator.ecg.heartbeats import allot_beats

ALL = ("N", "L", "R", "A", "V", "F", "/")
SHARES = {"N": 0.5, "L": 0.14, "R": 0.12, "A": 0.08, "V": 0.14, "F": 0.04, "/": 0.12}


@pytest.fixture(scope="module")
def beats():
    return make_heartbeats(random_state=0)


def test_default_is_2000_windows_of_two_seconds(beats):
    assert beats.data.shape == (2000, 720)
    assert beats.data.dtype == np.float64
    assert beats.target.shape == beats.groups.shape == beats.r_peaks.shape == (2000,)
    assert beats.fs == 360.0
    assert beats.frame is None


def test_target_names_are_the_sorted_classes(beats):
    assert beats.target_names == sorted(set(beats.target.tolist())) == ["A", "L", "N", "R", "V"]


@pytest.mark.parametrize("n_splits", [3, 4])
def test_each_fold_of_patients_has_each_class(beats, n_splits):
    folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=0)
    for _, test in folds.split(beats.data, beats.target, beats.groups):
        assert set(beats.target[test]) == set(beats.target_names)


@pytest.mark.parametrize("symbol", ALL)
def test_each_class_occurs_in_four_patients(symbol):
    beats = make_heartbeats(700, classes=ALL, random_state=1, noise=0)
    assert len(set(beats.groups[beats.target == symbol])) >= 4


def test_all_patients_have_beats(beats):
    assert_array_equal(np.unique(beats.groups), np.arange(20))


def test_beats_are_sorted_by_patient(beats):
    assert (np.diff(beats.groups) >= 0).all()


def test_normal_beats_are_the_majority(beats):
    symbols, counts = np.unique(beats.target, return_counts=True)
    assert symbols[counts.argmax()] == "N"
    assert counts.max() > 3 * counts.min()


@pytest.mark.parametrize("classes", [("V",), ("A", "F"), ("/", "N"), ALL])
def test_any_classes_can_be_simulated(classes):
    beats = make_heartbeats(60, n_patients=6, classes=classes, random_state=0)
    assert set(beats.target) == set(classes)
    assert len(beats.data) == 60


@pytest.mark.parametrize("n_patients", [1, 2, 50])
def test_n_beats_does_not_depend_on_n_patients(n_patients):
    beats = make_heartbeats(30, n_patients=n_patients, random_state=0)
    assert len(beats.data) == len(beats.groups) == 30
    assert beats.groups.max() < n_patients


def test_weights_are_shares():
    weights = {"N": 3, "V": 1}
    target = make_heartbeats(400, classes=("N", "V"), weights=weights, random_state=0).target
    assert np.sum(target == "V") == 100


def test_windows_have_given_length():
    beats = make_heartbeats(50, before=0.4, after=0.7, fs=250, n_patients=5, random_state=0)
    assert beats.data.shape == (50, 275)


def test_r_peaks_are_extrema_of_clean_windows():
    beats = make_heartbeats(400, classes=ALL, noise=0, random_state=0)
    near = beats.data[np.arange(400)[:, None], beats.r_peaks[:, None] + np.arange(-5, 6)]
    assert ((near.argmax(axis=1) == 5) | (near.argmin(axis=1) == 5)).all()


def test_jitter_scatters_r_peaks_around_the_middle(beats):
    offset = beats.r_peaks - 360
    assert np.abs(offset).max() <= 18
    assert len(np.unique(offset)) > 30


def test_r_peaks_without_jitter_lie_in_the_middle():
    assert_array_equal(make_heartbeats(50, jitter=0, random_state=0).r_peaks, np.full(50, 360))


def test_windows_show_neighboring_beats(beats):
    before = np.ptp(beats.data[:, :250], axis=1)
    assert np.median(before) > 0.5


def test_same_seed_gives_same_beats(beats):
    again = make_heartbeats(random_state=0)
    assert_array_equal(again.data, beats.data)
    assert_array_equal(again.target, beats.target)
    assert_array_equal(again.groups, beats.groups)


def test_noise_changes_neither_beats_nor_r_peaks(beats):
    clean = make_heartbeats(noise=0, random_state=0)
    assert_array_equal(clean.target, beats.target)
    assert_array_equal(clean.r_peaks, beats.r_peaks)
    assert 0.02 < np.median((clean.data - beats.data).std(axis=1)) < 0.3


def test_beats_are_the_same_at_any_sampling_rate():
    slow, fast = (
        make_heartbeats(100, classes=ALL, fs=fs, random_state=0, jitter=0) for fs in (360, 720)
    )
    assert_array_equal(slow.target, fast.target)
    # the window may begin one sample of the faster rate earlier or later
    apart = [
        min(np.abs(a - np.roll(b, shift)[::2])[5:-5].max() for shift in (-1, 0, 1))
        for a, b in zip(slow.data, fast.data, strict=True)
    ]
    assert np.median(apart) < 0.05


def test_several_leads_are_3d():
    beats = make_heartbeats(60, n_leads=3, random_state=0)
    assert beats.data.shape == (60, 3, 720)
    assert beats.lead_names == ["MLII", "V1", "V5"]


def test_first_of_several_clean_leads_equals_the_single_one():
    single = make_heartbeats(60, noise=0, random_state=0).data
    several = make_heartbeats(60, noise=0, n_leads=2, random_state=0).data
    assert_allclose(several[:, 0], single, atol=1e-12)


def test_return_x_y_returns_data_and_target(beats):
    X, y = make_heartbeats(random_state=0, return_X_y=True)
    assert_array_equal(X, beats.data)
    assert_array_equal(y, beats.target)


@pytest.mark.parametrize("n_leads", [1, 2])
def test_as_frame_returns_pandas_with_leads_side_by_side(n_leads):
    pytest.importorskip("pandas")
    plain = make_heartbeats(40, n_leads=n_leads, random_state=0)
    framed = make_heartbeats(40, n_leads=n_leads, random_state=0, as_frame=True)
    assert_array_equal(framed.data.to_numpy(), plain.data.reshape(40, -1))
    assert framed.target.tolist() == plain.target.tolist()
    assert framed.frame.columns[-1] == "target"
    assert framed.data.columns[0] == "MLII_0"


def test_as_frame_without_pandas_raises(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"as_frame=True needs pandas.*ecgbeat\[data\]"):
        make_heartbeats(10, as_frame=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_beats", 0), ("n_patients", 0), ("fs", 20), ("before", 0), ("noise", -0.1), ("n_leads", 0)],
)
def test_parameter_out_of_range_raises(name, value):
    with pytest.raises(ValueError, match=f"'{name}' parameter of make_heartbeats must be .* Got "):
        make_heartbeats(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": ("N", "Z")}, r"classes contains 'Z'.*'F' \(fusion"),
        ({"classes": "NV"}, "'classes' parameter of make_heartbeats must be an array-like"),
        ({"classes": ()}, "one or more different names.*got \\(\\)"),
        ({"classes": ("N", "N")}, "one or more different names"),
        ({"weights": {"N": 1.0}}, "weights must have a share greater than 0 for each of classes="),
        ({"n_beats": 4}, "n_beats=4 is less than one beat for each of the 5 classes"),
        ({"jitter": 0.5, "before": 0.3}, r"jitter=0\.5 moves the R peak out of a window"),
    ],
)
def test_inconsistent_parameters_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_heartbeats(**arguments)


def simple_features(beats):
    """Maximum, minimum, largest deflection and width of the QRS complex."""
    qrs = beats.data[:, 306:414] - np.median(beats.data, axis=1, keepdims=True)
    size = np.abs(qrs).max(axis=1)
    width = (np.abs(qrs) > 0.3 * size[:, None]).sum(axis=1)
    return np.column_stack([qrs.max(axis=1), qrs.min(axis=1), size, width])


def macro_f1(model, X, beats, folds, groups=None):
    predicted = cross_val_predict(model, X, beats.target, groups=groups, cv=folds)
    return f1_score(beats.target, predicted, average="macro")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_simple_thresholds_do_not_classify_beats(seed):
    beats = make_heartbeats(random_state=seed)
    tree = DecisionTreeClassifier(max_depth=2, class_weight="balanced", random_state=0)
    folds = StratifiedGroupKFold(4, shuffle=True, random_state=0)
    assert macro_f1(tree, simple_features(beats), beats, folds, beats.groups) < 0.6


def test_new_patients_are_harder_to_classify_than_known_ones(beats):
    X = beats.data[:, ::6]
    forest = RandomForestClassifier(40, random_state=0)
    new = macro_f1(
        forest, X, beats, StratifiedGroupKFold(4, shuffle=True, random_state=0), beats.groups
    )
    known = macro_f1(forest, X, beats, StratifiedKFold(4, shuffle=True, random_state=0))
    assert 0.4 < new < 0.85
    assert known > 0.85
    assert known - new > 0.1


def allot(n_beats=2000, n_patients=24, shares=SHARES, seed=0):
    return allot_beats(np.random.default_rng(seed), n_beats, n_patients, shares)


def patients_with(counts, symbol):
    return [i for i, patient in enumerate(counts) if symbol in patient]


@pytest.mark.parametrize("n_beats", [7, 50, 2000])
def test_allotted_beats_add_up(n_beats):
    assert sum(sum(patient.values()) for patient in allot(n_beats)) == n_beats


def test_allotted_classes_have_their_shares():
    counts = allot()
    total = sum(SHARES.values())
    for symbol, share in SHARES.items():
        n = sum(patient.get(symbol, 0) for patient in counts)
        assert n == pytest.approx(2000 * share / total, abs=1.0)


@pytest.mark.parametrize("n_patients", [4, 5, 9, 20, 60])
@pytest.mark.parametrize("symbol", SHARES)
def test_each_class_is_allotted_to_four_patients(n_patients, symbol):
    assert len(patients_with(allot(n_patients=n_patients), symbol)) >= 4


@pytest.mark.parametrize("n_patients", [1, 2, 3])
@pytest.mark.parametrize("symbol", SHARES)
def test_each_of_few_patients_has_each_class(n_patients, symbol):
    assert len(patients_with(allot(n_patients=n_patients), symbol)) == n_patients


def test_each_patient_is_allotted_beats():
    assert all(allot(n_patients=40))


def test_each_patient_has_one_base_class():
    for patient in allot():
        assert len({"N", "L", "R", "/"} & set(patient)) == 1


def test_patients_with_fusion_beats_have_normal_beats():
    counts = allot()
    assert set(patients_with(counts, "F")) <= set(patients_with(counts, "N"))


def test_each_patient_has_each_class_without_base_class():
    counts = allot(shares={"A": 0.5, "V": 0.5})
    assert all(set(patient) == {"A", "V"} for patient in counts)
