import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.signal import butter, correlate, sosfiltfilt, welch
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from ecgbeat.datasets import make_heart_sounds

ALL = ("normal", "murmur", "extrastole", "artifact")


@pytest.fixture(scope="module")
def sounds():
    return make_heart_sounds(random_state=0)


@pytest.fixture(scope="module")
def clean():
    return make_heart_sounds(noise=0, random_state=0)


def test_default_is_400_recordings_of_three_seconds(sounds):
    assert sounds.data.shape == (400, 12000)
    assert sounds.data.dtype == np.float32
    assert sounds.target.shape == sounds.groups.shape == (400,)
    assert len(sounds.s1) == len(sounds.s2) == 400
    assert sounds.fs == 4000.0
    assert "phonocardiogram" in sounds.DESCR


def test_types_are_str_and_int64(sounds):
    assert sounds.target.dtype.kind == "U"
    assert sounds.groups.dtype == np.int64
    assert all(onsets.dtype == np.int64 for onsets in (*sounds.s1, *sounds.s2))
    assert all(type(name) is str for name in sounds.target_names)


def test_target_names_are_the_sorted_classes(sounds):
    assert sounds.target_names == sorted(set(sounds.target.tolist()))
    assert sounds.target_names == ["extrastole", "murmur", "normal"]


def test_signal_lies_between_minus_1_and_1(sounds):
    peak = np.abs(sounds.data).max(axis=1)
    assert peak.max() <= 1.0
    assert peak.min() > 0.1
    assert np.mean(peak == 1.0) < 0.5


def test_classes_have_their_shares(sounds):
    assert [int(np.sum(sounds.target == c)) for c in ALL] == [200, 120, 80, 0]


def test_weights_are_shares():
    target = make_heart_sounds(
        80, n_patients=10, classes=("murmur", "normal"), weights={"normal": 1, "murmur": 3}
    ).target
    assert np.sum(target == "murmur") == 60


def test_patient_has_one_class(sounds):
    assert_array_equal(np.unique(sounds.groups), np.arange(80))
    assert (np.diff(sounds.groups) >= 0).all()
    for patient in range(80):
        assert len(set(sounds.target[sounds.groups == patient])) == 1


def test_patients_are_in_random_order_of_classes(sounds):
    changes = np.sum(sounds.target[1:] != sounds.target[:-1])
    assert changes > 20


@pytest.mark.parametrize("n_splits", [3, 5])
def test_each_fold_of_patients_has_each_class(sounds, n_splits):
    folds = StratifiedGroupKFold(n_splits, shuffle=True, random_state=0)
    for _, test in folds.split(sounds.data, sounds.target, sounds.groups):
        assert set(sounds.target[test]) == set(sounds.target_names)


@pytest.mark.parametrize("label", ALL)
def test_each_class_has_four_patients(label):
    sounds = make_heart_sounds(16, n_patients=16, classes=ALL, random_state=0)
    assert len(set(sounds.groups[sounds.target == label])) >= 4


@pytest.mark.parametrize("classes", [("murmur",), ("artifact", "extrastole"), ALL])
@pytest.mark.parametrize(("n_sounds", "n_patients"), [(4, 4), (11, 10), (50, 7)])
def test_any_classes_and_numbers_can_be_simulated(classes, n_sounds, n_patients):
    sounds = make_heart_sounds(
        n_sounds, n_patients=n_patients, classes=classes, duration=1.5, random_state=0
    )
    assert len(sounds.data) == n_sounds
    assert set(sounds.target) == set(classes)
    assert_array_equal(np.unique(sounds.groups), np.arange(n_patients))


@pytest.mark.parametrize(
    ("fs", "duration", "n_times"), [(1000, 1.5, 1500), (2000.0, 2.0, 4000), (44100, 1.7, 74970)]
)
def test_recordings_have_given_length(fs, duration, n_times):
    sounds = make_heart_sounds(4, n_patients=4, fs=fs, duration=duration, random_state=0)
    assert sounds.data.shape == (4, n_times)
    assert sounds.fs == fs


def test_same_seed_gives_same_sounds(sounds):
    again = make_heart_sounds(random_state=0)
    assert_array_equal(again.data, sounds.data)
    assert_array_equal(again.target, sounds.target)
    assert_array_equal(again.groups, sounds.groups)


def test_random_state_instance_gives_different_sounds():
    rng = np.random.RandomState(0)
    first, second = (make_heart_sounds(6, n_patients=3, random_state=rng) for _ in range(2))
    assert np.abs(first.data - second.data).max() > 0.1


@pytest.mark.usefixtures("untouched_numpy_state")
def test_seed_does_not_change_global_random_state():
    make_heart_sounds(6, n_patients=3, random_state=0)


def test_noise_changes_neither_labels_nor_events(sounds, clean):
    assert_array_equal(clean.target, sounds.target)
    assert_array_equal(np.concatenate(clean.s1), np.concatenate(sounds.s1))
    assert_array_equal(np.concatenate(clean.s2), np.concatenate(sounds.s2))
    assert 0.005 < np.median((clean.data - sounds.data).std(axis=1)) < 0.1


def test_hearts_are_the_same_at_any_sampling_rate():
    slow, fast = (
        make_heart_sounds(12, n_patients=6, classes=ALL, fs=fs, random_state=0)
        for fs in (4000, 8000)
    )
    assert_allclose(fast.data[:, ::2], slow.data, atol=2e-3)
    assert_array_equal(fast.target, slow.target)


def test_return_x_y_returns_data_and_target():
    X, y = make_heart_sounds(6, n_patients=3, random_state=0, return_X_y=True)
    whole = make_heart_sounds(6, n_patients=3, random_state=0)
    assert_array_equal(X, whole.data)
    assert_array_equal(y, whole.target)


def test_artifact_is_audible_without_noise():
    sounds = make_heart_sounds(4, n_patients=4, classes=("artifact",), noise=0, random_state=0)
    assert sounds.data.std(axis=1).min() > 0.02
    assert not any(len(onsets) for onsets in (*sounds.s1, *sounds.s2))


def test_first_and_second_sounds_lie_below_200_hz(clean):
    frequency, power = welch(clean.data[clean.target == "normal"], 4000.0, nperseg=1024)
    share = power[:, frequency < 200.0].sum(axis=1) / power.sum(axis=1)
    assert np.median(share) > 0.95
    assert np.quantile(share, 0.05) > 0.8


def between_sounds(sounds):
    """Median power from 150 to 500 Hz of each recording, away from its heart sounds."""
    sos = butter(4, [150.0, 500.0], "bandpass", fs=sounds.fs, output="sos")
    power = sosfiltfilt(sos, sounds.data) ** 2
    quiet = []
    for row, s1, s2 in zip(power, sounds.s1, sounds.s2, strict=True):
        mask = np.ones(len(row), dtype=bool)
        for onset in (*s1, *s2):
            mask[onset : onset + 500] = False
        quiet.append(row[mask].mean())
    return np.array(quiet)


def test_murmurs_have_power_from_150_to_500_hz_between_the_heart_sounds(sounds):
    level = between_sounds(sounds)
    murmur, normal = (level[sounds.target == label] for label in ("murmur", "normal"))
    assert np.median(murmur) > 10 * np.median(normal)
    # but no threshold separates them
    assert np.quantile(murmur, 0.05) < np.quantile(normal, 0.95)


def irregularity(onsets):
    interval = np.diff(onsets)
    return interval.std() / interval.mean()


def test_extra_beats_make_rhythm_irregular(sounds):
    scatter = np.array([irregularity(s1) if len(s1) > 2 else np.nan for s1 in sounds.s1])
    extra, normal = (scatter[sounds.target == label] for label in ("extrastole", "normal"))
    assert np.nanmedian(extra) > 4 * np.nanmedian(normal)
    assert np.nanmedian(normal) > 0.01


def test_patient_has_one_heart_rate():
    sounds = make_heart_sounds(60, n_patients=6, classes=("normal",), duration=6, random_state=0)
    rate = np.array([60 * 4000 / np.diff(s1).mean() for s1 in sounds.s1])
    within = [rate[sounds.groups == patient] for patient in range(6)]
    assert max(np.ptp(rates) for rates in within) < 20
    assert np.ptp([rates.mean() for rates in within]) > 15


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_sounds", 0),
        ("n_sounds", 2.5),
        ("n_patients", 0),
        ("fs", 800),
        ("fs", True),
        ("duration", 1.0),
        ("duration", np.nan),
        ("noise", -0.1),
        ("classes", "murmur"),
        ("weights", 0.5),
        ("random_state", "seed"),
    ],
)
def test_parameter_out_of_range_raises(name, value):
    with pytest.raises(
        ValueError, match=f"'{name}' parameter of make_heart_sounds must be .* Got "
    ):
        make_heart_sounds(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": ("normal", "gallop")}, "classes contains 'gallop'.*'murmur'"),
        ({"classes": ()}, "one or more different names, such as \\('normal', 'murmur'\\)"),
        ({"classes": ("normal", "normal")}, "one or more different names"),
        ({"weights": {"normal": 1.0}}, "weights must have a share greater than 0 for each of"),
        ({"n_patients": 2}, "n_patients=2 is less than one patient for each of the 3 classes"),
        ({"n_sounds": 5}, "n_sounds=5 is less than one recording for each of n_patients=80"),
    ],
)
def test_inconsistent_parameters_raise(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_heart_sounds(**arguments)


def mfcc_statistics(sounds):
    mfcc = librosa.feature.mfcc(
        y=sounds.data, sr=sounds.fs, n_mfcc=20, n_fft=256, hop_length=128, n_mels=40
    )
    slope = librosa.feature.delta(mfcc).std(axis=-1)
    low, high = np.percentile(mfcc, [10, 90], axis=-1)
    return np.hstack([mfcc.mean(axis=-1), mfcc.std(axis=-1), low, high, slope])


def rhythm_features(sounds):
    """Autocorrelation of each recording's envelope after one heart cycle."""
    sos = butter(2, [30.0, 200.0], "bandpass", fs=sounds.fs, output="sos")
    envelope = np.abs(sosfiltfilt(sos, sounds.data)).reshape(len(sounds.data), -1, 40).mean(axis=2)
    envelope = np.minimum(envelope, np.quantile(envelope, 0.97, axis=1, keepdims=True))
    envelope -= envelope.mean(axis=1, keepdims=True)
    n = envelope.shape[1]
    features = []
    for row in envelope:
        autocorrelation = correlate(row, row)[n - 1 :] / (n - np.arange(n))
        cycle = autocorrelation[38:130] / autocorrelation[0]
        features.append([cycle.max(), cycle.argmax(), cycle.std(), np.sort(cycle)[-10:].mean()])
    return np.array(features)


def f1_by_patient(X, sounds):
    forest = RandomForestClassifier(100, class_weight="balanced", random_state=0)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(forest, X, sounds.target, groups=sounds.groups, cv=folds)
    return dict(
        zip(sounds.target_names, f1_score(sounds.target, predicted, average=None), strict=True)
    )


@pytest.fixture(scope="module")
def statistics(sounds):
    return mfcc_statistics(sounds)


def test_mfcc_statistics_separate_murmurs_but_not_extra_beats(sounds, statistics):
    f1 = f1_by_patient(statistics, sounds)
    assert 0.5 < np.mean(list(f1.values())) < 0.75
    assert 0.75 < f1["murmur"] < 0.97
    assert f1["extrastole"] < 0.5


def test_rhythm_features_separate_all_classes_imperfectly(sounds, statistics):
    f1 = f1_by_patient(np.hstack([statistics, rhythm_features(sounds)]), sounds)
    assert 0.65 < np.mean(list(f1.values())) < 0.95
    assert min(f1.values()) > 0.4
