import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

import ecgbeat.features
from ecgbeat import ECGCNNClassifier, MFCCExtractor
from ecgbeat.signal import mfcc

STATISTICS = ("mean", "std", "min", "median", "max", "skew")

VARIED = [
    MFCCExtractor(),
    MFCCExtractor(flatten=True),
    MFCCExtractor(summary="stats"),
    MFCCExtractor(flatten=True, n_mfcc=13, deltas=2, lifter=22, normalize=True),
    MFCCExtractor(
        center=False,
        deltas=1,
        delta_width=3,
        top_db=None,
        hop_length=1,
        n_fft=8,
        n_mels=2,
        n_mfcc=2,
    ),
    MFCCExtractor(
        2000, n_fft=128, hop_length=32, n_mels=20, fmax=800, htk=True, summary="stats", deltas=2
    ),
]


@parametrize_with_checks(VARIED)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("extractor", VARIED, ids=str)
def test_number_of_scikit_learn_checks(extractor):
    assert len(list(estimator_checks_generator(extractor))) >= 45


def test_all_public_classes_are_checked():
    assert {type(extractor).__name__ for extractor in VARIED} == set(ecgbeat.features.__all__)


@pytest.fixture(scope="module")
def sounds():
    """24 sounds of 0.4 s at 4 kHz: noise with a tone of a class-specific pitch, and labels."""
    rng = np.random.default_rng(0)
    labels = np.repeat(["murmur", "normal"], [8, 16])
    pitch = np.where(labels == "murmur", 300.0, 60.0) * rng.uniform(0.9, 1.1, size=24)
    tone = np.sin(2 * np.pi * pitch[:, None] * np.arange(1600) / 4000)
    return tone + 0.3 * rng.normal(size=tone.shape), labels


@pytest.fixture(name="X")
def rows(sounds):
    return sounds[0]


SETTINGS = [
    {},
    {"fs": 2000, "n_mfcc": 13, "n_fft": 200, "hop_length": 50, "win_length": 160, "n_mels": 26},
    {"window": "hamming", "center": False, "power": 1.0, "fmin": 20, "fmax": 900, "htk": True},
    {"mel_norm": None, "top_db": 40, "dct_type": 3, "norm": None, "pad_mode": "reflect"},
    {"lifter": 22, "deltas": 2, "delta_width": 5, "normalize": True},
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("parameters", SETTINGS, ids=str)
def test_equals_the_function(X, parameters, dtype):
    X = X.astype(dtype)
    expected = mfcc(X, **({"fs": 4000} | parameters))
    in_3d = MFCCExtractor(**parameters).fit_transform(X)
    flat = MFCCExtractor(flatten=True, **parameters).fit_transform(X)
    assert in_3d.dtype == dtype
    assert set(flat.dtypes) == {np.dtype(dtype)}
    np.testing.assert_array_equal(in_3d, expected)
    np.testing.assert_array_equal(flat, expected.reshape(24, -1))


def test_defaults_equal_those_of_the_function():
    extractor = MFCCExtractor().get_params()
    assert extractor.pop("flatten") is False
    assert extractor == mfcc.__kwdefaults__ | {"fs": 4000.0}


@pytest.mark.parametrize("flatten", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_statistics_are_2d(X, dtype, flatten):
    X = X.astype(dtype)
    found = MFCCExtractor(summary="stats", deltas=1, flatten=flatten).fit_transform(X)
    assert found.dtype == dtype
    expected = mfcc(X, 4000, deltas=1, summary="stats")
    assert expected.shape == (24, 40, 6)
    np.testing.assert_array_equal(found, expected.reshape(24, -1))


def test_integers_are_not_scaled(X):
    X = np.round(1000 * X)
    found = MFCCExtractor().fit_transform(X.astype(np.int16))
    np.testing.assert_array_equal(found, MFCCExtractor().fit_transform(X))


@pytest.mark.parametrize("deltas", [0, 1, 2])
def test_fitted_attributes(X, deltas):
    extractor = MFCCExtractor(n_mfcc=13, deltas=deltas).fit(X)
    assert extractor.n_features_in_ == 1600
    assert extractor.n_frames_ == 26
    assert extractor.n_channels_ == len(extractor.channel_names_) == 13 * (1 + deltas)
    found = extractor.transform(X)
    assert found.shape == (24, extractor.n_channels_, extractor.n_frames_)


@pytest.mark.parametrize("extractor", VARIED, ids=str)
def test_sounds_are_independent(extractor, X):
    fitted = clone(extractor).fit(X)
    alone = np.concatenate([fitted.transform(x[None]) for x in X])
    np.testing.assert_allclose(alone, fitted.transform(X), rtol=1e-9, atol=1e-8)


def test_feature_names_of_frames(X):
    names = MFCCExtractor(n_mfcc=13, deltas=2, flatten=True).fit(X).get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == 13 * 3 * 26
    assert names[3 * 26 + 12] == "mfcc3_frame12"
    assert names[(13 + 3) * 26 + 12] == "delta_mfcc3_frame12"
    assert names[(26 + 3) * 26 + 12] == "delta2_mfcc3_frame12"


def test_feature_names_of_statistics(X):
    names = MFCCExtractor(n_mfcc=13, deltas=1, summary="stats").fit(X).get_feature_names_out()
    assert names[:6].tolist() == [f"mfcc0_{statistic}" for statistic in STATISTICS]
    assert names[13 * 6 + 3 * 6] == "delta_mfcc3_mean"
    assert len(names) == 26 * 6


@pytest.mark.parametrize("summary", [None, "stats"])
def test_input_features_are_checked(X, summary):
    extractor = MFCCExtractor(flatten=True, summary=summary).fit(X)
    assert len(extractor.get_feature_names_out([f"t{i}" for i in range(1600)]))
    with pytest.raises(ValueError, match="input_features should have length equal"):
        extractor.get_feature_names_out(["t0"])
    extractor.fit(pd.DataFrame(X).add_prefix("t"))
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        extractor.get_feature_names_out([f"s{i}" for i in range(1600)])


def test_3d_results_have_channel_names_only(X):
    extractor = MFCCExtractor(deltas=1).fit(X)
    assert extractor.channel_names_[[0, 19, 20, 39]].tolist() == [
        *("mfcc0", "mfcc19", "delta_mfcc0", "delta_mfcc19")
    ]
    assert not hasattr(extractor, "get_feature_names_out")
    assert not hasattr(extractor, "set_output")
    with sklearn.config_context(transform_output="pandas"):  # for the steps with columns
        assert extractor.fit_transform(X).shape == (24, 40, 26)


@pytest.mark.parametrize("summary", [None, "stats"])
def test_pandas_in_and_out(X, summary):
    frame = pd.DataFrame(X, index=range(100, 124)).add_prefix("t")
    extractor = MFCCExtractor(flatten=True, summary=summary).set_output(transform="pandas")
    result = extractor.fit_transform(frame)
    np.testing.assert_array_equal(result.columns, extractor.get_feature_names_out())
    np.testing.assert_array_equal(result.index, frame.index)
    expected = MFCCExtractor(flatten=True, summary=summary).fit_transform(X)
    np.testing.assert_allclose(result, expected, atol=1e-9)


@pytest.mark.parametrize("n_times", [1, 3, 100, 255])
@pytest.mark.parametrize("center", [True, False])
def test_rows_shorter_than_a_frame(n_times, center):
    X = np.random.default_rng(0).normal(size=(3, n_times))
    extractor = MFCCExtractor(center=center, deltas=2, normalize=True).fit(X)
    found = extractor.transform(X)
    assert found.shape == (3, 60, extractor.n_frames_)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("summary", [None, "stats"])
@pytest.mark.parametrize("normalize", [True, False])
def test_silence_results_in_finite_numbers(summary, normalize):
    extractor = MFCCExtractor(summary=summary, normalize=normalize, deltas=2)
    assert np.isfinite(extractor.fit_transform(np.zeros((2, 4000)))).all()


@pytest.mark.parametrize("deltas", [0, 1])
def test_classifier_learns_the_channels(sounds, deltas):
    X, y = sounds
    extractor = MFCCExtractor(n_mfcc=13, deltas=deltas)
    in_3d = extractor.fit_transform(X)
    table = extractor.set_params(flatten=True).fit_transform(X)
    forms = (in_3d, table, table.to_numpy())
    parameters = {"max_epochs": 1, "random_state": 0}
    nets = [
        ECGCNNClassifier(**parameters).fit(in_3d, y),
        ECGCNNClassifier(**parameters).fit(table, y),
        ECGCNNClassifier(**parameters, n_leads=extractor.n_channels_).fit(forms[2], y),
    ]
    expected = nets[0].predict_proba(in_3d)
    for net, form in zip(nets, forms, strict=True):
        assert net.n_leads_ == net.module_.n_leads == extractor.n_channels_
        np.testing.assert_array_equal(net.predict_proba(form), expected)


@pytest.mark.parametrize("scale", [False, True])
def test_pipeline_with_smote(sounds, scale):
    X, y = sounds
    scaler = StandardScaler().set_output(transform="pandas")
    pipe = make_pipeline(
        MFCCExtractor(n_mfcc=13, flatten=True),
        scaler if scale else "passthrough",
        SMOTE(k_neighbors=3, random_state=0),
        ECGCNNClassifier(max_epochs=10, batch_size=8, random_state=0),
    )
    assert pipe.fit(X[::2], y[::2]).score(X[1::2], y[1::2]) > 0.9
    assert pipe[-1].n_leads_ == 13


def test_smote_refuses_3d_results(sounds):
    pipe = make_pipeline(MFCCExtractor(), SMOTE(), ECGCNNClassifier())
    with pytest.raises(ValueError, match="Found array with dim 3"):
        pipe.fit(*sounds)


def test_classifier_warns_of_lost_names(sounds):
    net = ECGCNNClassifier(max_epochs=1, n_filters=2)
    pipe = make_pipeline(MFCCExtractor(n_mfcc=7, flatten=True), StandardScaler(), net)
    with pytest.warns(UserWarning, match=r"table of MFCCExtractor .* 7 channels.*set n_leads=7"):
        pipe.fit(*sounds)
    for n_leads in (1, 7):
        assert (
            pipe.set_params(ecgcnnclassifier__n_leads=n_leads).fit(*sounds)[-1].n_leads_ == n_leads
        )
    pipe.set_params(ecgcnnclassifier__n_leads=None).set_output(transform="pandas")
    assert pipe.fit(*sounds)[-1].n_leads_ == 7


@pytest.mark.filterwarnings("error")
def test_other_rows_as_wide_as_a_table_do_not_warn(sounds):
    X, y = sounds
    table = MFCCExtractor(n_mfcc=7, flatten=True).fit_transform(X)
    net = ECGCNNClassifier(max_epochs=1, n_filters=2)
    net.fit(table.iloc[::3].to_numpy(), y[::3])  # fewer rows
    net.fit(table.to_numpy(), y)  # the table was forgotten
    MFCCExtractor(n_mfcc=20, flatten=True).fit_transform(X[:, :60])  # of one frame
    net.fit(np.random.default_rng(0).normal(size=(len(X), 20)), y)


def test_incomplete_columns_raise(sounds):
    X, y = sounds
    table = MFCCExtractor(n_mfcc=13, flatten=True).fit_transform(X)
    for wrong in (table.iloc[:, 1:], table.iloc[:, ::-1], table.iloc[:, :-1]):
        with pytest.raises(ValueError, match="not all frames of each channel in order"):
            ECGCNNClassifier().fit(wrong, y)
    with pytest.raises(ValueError, match="beats of 13 leads, by its columns, but n_leads=12"):
        ECGCNNClassifier(n_leads=12).fit(table, y)


def test_grid_search_changes_the_number_of_channels(sounds):
    pipe = make_pipeline(MFCCExtractor(), ECGCNNClassifier(max_epochs=1, n_filters=2))
    search = GridSearchCV(pipe, {"mfccextractor__n_mfcc": [5, 7]}, cv=2, error_score="raise")
    assert search.fit(*sounds).best_estimator_[-1].n_leads_ in (5, 7)


def test_grid_search_on_statistics(sounds):
    pipe = make_pipeline(MFCCExtractor(summary="stats"), RandomForestClassifier(20, random_state=0))
    grid = {"mfccextractor__n_mfcc": [5, 13], "mfccextractor__fmax": [800.0, None]}
    search = GridSearchCV(pipe, grid, cv=2, error_score="raise").fit(*sounds)
    assert search.best_score_ > 0.9


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_mfcc": 41}, "n_mfcc=41 must not exceed n_mels=40.*Lower n_mfcc or raise n_mels"),
        ({"n_mfcc": 0}, "'n_mfcc' parameter of MFCCExtractor .* Got 0 instead"),
        ({"n_fft": 1}, "'n_fft' parameter of MFCCExtractor .* Got 1 instead"),
        ({"n_fft": 256.0}, "'n_fft' parameter of MFCCExtractor .* Got 256.0 instead"),
        ({"hop_length": True}, "hop_length must be a number, got True"),
        ({"hop_length": 0}, "'hop_length' parameter of MFCCExtractor .* Got 0 instead"),
        ({"n_mels": 0}, "'n_mels' parameter of MFCCExtractor .* Got 0 instead"),
        ({"win_length": 257}, "win_length=257 must not exceed n_fft=256"),
        ({"fmin": 800, "fmax": 800}, "fmin=800 Hz must be below fmax=800 Hz"),
        ({"fmin": -1}, "'fmin' parameter of MFCCExtractor .* Got -1 instead"),
        ({"fs": 1000, "fmax": 800}, "fmax=800 Hz must not exceed fs / 2 = 500 Hz"),
        ({"fs": 0}, "'fs' parameter of MFCCExtractor .* Got 0 instead"),
        ({"lifter": -1}, "'lifter' parameter of MFCCExtractor .* Got -1 instead"),
        ({"deltas": 3}, "'deltas' parameter of MFCCExtractor .* Got 3 instead"),
        ({"delta_width": 4}, "delta_width must be odd.*got 4"),
        ({"window": "square"}, "window='square' gives no window of 256 samples"),
        ({"pad_mode": "wrap"}, "'pad_mode' parameter of MFCCExtractor .* Got 'wrap' instead"),
        ({"power": 0}, "'power' parameter of MFCCExtractor .* Got 0 instead"),
        ({"top_db": -1}, "'top_db' parameter of MFCCExtractor .* Got -1 instead"),
        ({"dct_type": 4}, "'dct_type' parameter of MFCCExtractor .* Got 4 instead"),
        ({"norm": "l2"}, "'norm' parameter of MFCCExtractor .* Got 'l2' instead"),
        ({"mel_norm": "l2"}, "'mel_norm' parameter of MFCCExtractor .* Got 'l2' instead"),
        ({"normalize": "yes"}, "'normalize' parameter of MFCCExtractor .* Got 'yes' instead"),
        ({"flatten": "no"}, "'flatten' parameter of MFCCExtractor .* Got 'no' instead"),
        ({"summary": "mean"}, "'summary' parameter of MFCCExtractor .* Got 'mean' instead"),
    ],
    ids=str,
)
def test_invalid_parameters_raise_and_leave_no_state(X, parameters, message):
    extractor = MFCCExtractor(**parameters)
    with pytest.raises(ValueError, match=message):
        extractor.fit(X)
    assert not hasattr(extractor, "n_features_in_")


def test_fit_warns_of_empty_bands_and_transform_does_not(X):
    extractor = MFCCExtractor(n_fft=32)
    with pytest.warns(UserWarning, match="of n_mels=40 mel bands are empty") as caught:
        extractor.fit(X)
    assert len(caught) == 1
    assert np.isfinite(extractor.transform(X)).all()  # without a warning


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_raise(X, value):
    spoilt = X.copy()
    spoilt[4, 7] = value
    with pytest.raises(ValueError, match=r"X contains (NaN|infinity): 1 of .*first at X\[4, 7\]"):
        MFCCExtractor().fit(spoilt)
    with pytest.raises(ValueError, match="X contains"):
        MFCCExtractor().fit(X).transform(spoilt)


@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
@pytest.mark.parametrize("sound", [np.zeros(100), [0.0] * 100, pd.Series(np.zeros(100))], ids=type)
def test_single_sound_raises_with_the_function_for_it(sound, method):
    with pytest.raises(ValueError, match=r"1-D array of 100 values.*use ecgbeat\.signal\.mfcc"):
        getattr(MFCCExtractor(), method)(sound)


@pytest.mark.parametrize("method", ["fit", "transform"])
def test_several_channels_raise(X, method):
    extractor = MFCCExtractor().fit(X)
    with pytest.raises(ValueError, match=r"got an array of shape \(12, 2, 1600\). Take one"):
        getattr(extractor, method)(X.reshape(12, 2, 1600))


def test_another_length_raises(X):
    with pytest.raises(ValueError, match="X has 1599 features, but MFCCExtractor is expecting"):
        MFCCExtractor().fit(X).transform(X[:, 1:])


def test_unfitted_raises(X):
    with pytest.raises(NotFittedError):
        MFCCExtractor().transform(X)
    with pytest.raises(NotFittedError):
        MFCCExtractor(flatten=True).get_feature_names_out()


@pytest.mark.parametrize("spoilt", [np.full((3, 100), np.nan), np.zeros((2, 2, 2))], ids=np.shape)
def test_failed_fit_keeps_the_former_state(X, spoilt):
    fitted = MFCCExtractor().fit(X)
    before = pickle.dumps(fitted)
    with pytest.raises(ValueError, match="MFCCExtractor"):
        fitted.fit(spoilt)
    assert pickle.dumps(fitted) == before


def test_refit_forgets_the_former_state(X):
    fitted = MFCCExtractor().fit(pd.DataFrame(X).add_prefix("t")).fit(X[:, :500])
    assert pickle.dumps(fitted) == pickle.dumps(MFCCExtractor().fit(X[:, :500]))


def test_pickle_roundtrip(X):
    fitted = MFCCExtractor(window=("kaiser", 8.0), deltas=1).fit(X)
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.transform(X), fitted.transform(X))


def test_input_is_unchanged(X):
    before = X.copy()
    MFCCExtractor(deltas=2, normalize=True).fit_transform(X)
    np.testing.assert_array_equal(X, before)


def test_html_display(X):
    assert "MFCCExtractor" in estimator_html_repr(MFCCExtractor().fit(X))


def test_tags():
    tags = get_tags(MFCCExtractor())
    assert tags.input_tags.two_d_array
    assert not tags.input_tags.three_d_array
    assert set(tags.transformer_tags.preserves_dtype) == {"float32", "float64"}


def test_all_but_the_first_argument_are_keyword_only():
    first, *others = inspect.signature(MFCCExtractor).parameters.values()
    assert first.name == "fs"
    assert all(p.kind is p.KEYWORD_ONLY for p in others)
