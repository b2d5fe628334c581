"""Every class of the allow-list predicts the same after loading."""

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from imblearn.pipeline import make_pipeline as make_imbalanced_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    QuantileTransformer,
    StandardScaler,
)
from sklearn.svm import SVC

from ecgbeat import BandpassFilter, RPeakSegmenter, ZScoreScaler, load_model, save_model, signal
from ecgbeat.persistence._allowed import CALLABLES, CLASSES, resolve

ELSEWHERE = {  # tested in other files, or no estimators by themselves
    "ecgbeat.BeatAnnotator",
    "ecgbeat.ECGCNNClassifier",
    "ecgbeat.ECGCNNLSTMClassifier",
    "ecgbeat.MFCCExtractor",
    "ecgbeat.annotation.InterPatientClassifier",
    "skorch.dataset.ValidSplit",
    "sklearn.compose.make_column_selector",
    "sklearn.pipeline.Pipeline",
}
ARGUMENTS = {
    "ColumnTransformer": (
        [
            ("wave", StandardScaler(), slice(0, 6)),
            ("rr", MinMaxScaler(), [6, 7, 8]),
            ("same", "passthrough", [9]),
        ],
    ),
    "FeatureUnion": ([("a", StandardScaler()), ("b", MinMaxScaler()), ("c", "drop")],),
    "OneVsRestClassifier": (LogisticRegression(),),
    "VotingClassifier": ([("a", LogisticRegression()), ("b", RidgeClassifier())],),
}


def output_of(estimator, X):
    for method in ("predict_proba", "decision_function", "transform", "predict"):
        if hasattr(estimator, method):
            result = getattr(estimator, method)(X)
            return result.toarray() if hasattr(result, "toarray") else np.asarray(result)
    raise AssertionError(estimator)


def round_trip(estimator, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(estimator, path)
    return load_model(path)


def assert_predicts_the_same(estimator, X, tmp_path):
    loaded = round_trip(estimator, tmp_path)
    np.testing.assert_array_equal(output_of(loaded, X), output_of(estimator, X), strict=True)
    return loaded


@pytest.mark.parametrize("name", sorted(CLASSES - ELSEWHERE))
def test_every_class_of_the_list_predicts_the_same(name, rows, tmp_path):
    X, y = rows
    cls = resolve(name, CLASSES)
    estimator = cls(*ARGUMENTS.get(cls.__name__, ()))
    if name.startswith("sklearn.preprocessing.Label"):
        loaded = assert_predicts_the_same(estimator.fit(y), y, tmp_path)
        assert loaded.inverse_transform(loaded.transform(y)).tolist() == y.tolist()
        return
    is_regressor = hasattr(cls, "predict") and not hasattr(estimator, "classes_")
    target = np.arange(60.0) if cls.__name__ in ("LinearRegression", "Ridge") else y
    assert is_regressor or hasattr(cls, "transform")
    with warnings.catch_warnings(action="ignore"):  # bins of equal width, iterations
        estimator.fit(X, target)
    loaded = assert_predicts_the_same(estimator, X, tmp_path)
    assert type(loaded) is type(estimator)
    assert loaded.get_params(deep=False).keys() == estimator.get_params(deep=False).keys()


@pytest.mark.parametrize("name", sorted(CALLABLES))
def test_every_name_of_the_list_exists(name):
    assert callable(resolve(name, CALLABLES))


def test_pipeline_of_ecgbeat_with_set_output(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 720))
    for n_leads in (1, 2):
        pipeline = make_pipeline(
            BandpassFilter(fs=360, notch=50, n_leads=n_leads),
            RPeakSegmenter(fs=360, n_times=64, n_leads=n_leads),
            ZScoreScaler(axis="dataset", n_leads=n_leads),
            FunctionTransformer(partial(signal.zscore), feature_names_out="one-to-one"),
            FunctionTransformer(np.tanh, feature_names_out="one-to-one"),
            QuantileTransformer(n_quantiles=10, output_distribution="normal"),
        )
        pipeline.set_output(transform="pandas").fit(X)
        loaded = assert_predicts_the_same(pipeline, X, tmp_path)
        assert isinstance(loaded.transform(X), pd.DataFrame)


def test_column_transformer_of_a_table(rows, tmp_path):
    X, y = rows
    table = pd.DataFrame(X, columns=[f"c{i}" for i in range(12)])
    columns = ColumnTransformer(
        [
            ("a", StandardScaler(), make_column_selector(pattern="c1")),
            ("b", Pipeline([("s", MinMaxScaler())]), ["c2", "c3"]),
        ],
        remainder="passthrough",
    )
    model = make_pipeline(columns, LogisticRegression()).fit(table, y)
    columns.n_jobs = 2
    loaded = round_trip(model, tmp_path)
    columns.n_jobs = None  # starts no processes
    np.testing.assert_array_equal(loaded.predict_proba(table), model.predict_proba(table))
    assert loaded[0].get_feature_names_out().tolist() == columns.get_feature_names_out().tolist()
    assert loaded[0].n_jobs is None
    with pytest.raises(ValueError, match="missing"):
        loaded.predict(table.drop(columns="c2"))


def test_samplers_are_dropped(rows, tmp_path):
    X, y = rows
    last = make_imbalanced_pipeline(RandomUnderSampler(), SGDClassifier(loss="log_loss"))
    pipeline = make_imbalanced_pipeline(StandardScaler(), SMOTE(), "passthrough", last)
    pipeline.fit(X[:50], y[:50])
    loaded = assert_predicts_the_same(pipeline, X, tmp_path)
    assert type(loaded) is Pipeline
    assert [name for name, _ in loaded.steps] == ["standardscaler", "passthrough", "pipeline"]
    assert [name for name, _ in loaded[-1].steps] == ["sgdclassifier"]
    assert isinstance(pipeline, ImbalancedPipeline)  # unchanged
    assert len(pipeline.steps) == 4


@pytest.mark.parametrize("search", ["grid", "random"])
def test_best_estimator_of_a_search_is_saved(search, rows, tmp_path):
    X, y = rows
    make = {
        "grid": lambda e: GridSearchCV(e, {"clf__C": [0.1, 1]}, cv=2),
        "random": lambda e: RandomizedSearchCV(e, {"clf__C": [0.1, 1]}, n_iter=1, cv=2),
    }[search]
    fitted = make(Pipeline([("s", StandardScaler()), ("clf", LogisticRegression())])).fit(X, y)
    with pytest.warns(UserWarning, match=r"The best estimator of \w+SearchCV is saved"):
        save_model(fitted, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert type(loaded) is Pipeline
    assert fitted.best_params_ == {"clf__C": loaded["clf"].C}
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))


def test_search_without_refit_raises(rows, tmp_path):
    search = GridSearchCV(LogisticRegression(), {"C": [1]}, cv=2, refit=False).fit(*rows)
    with pytest.raises(ValueError, match=r"refit|fitted"):
        save_model(search, tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_search_inside_of_an_estimator(rows, tmp_path):
    X, y = rows
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2)
    loaded = assert_predicts_the_same(OneVsRestClassifier(search).fit(X, y), X, tmp_path)
    assert isinstance(loaded.estimators_[0], LogisticRegression)


@pytest.mark.parametrize("classes", [2, 3, 17])
def test_histogram_gradient_boosting(classes, tmp_path):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(340, 5)), np.arange(340) % classes - 1
    X[rng.random(X.shape) < 0.1] = np.nan
    model = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=2, early_stopping=True)
    model.fit(X, y)
    loaded = assert_predicts_the_same(model, X, tmp_path)
    assert loaded.n_iter_ == model.n_iter_
    np.testing.assert_array_equal(
        [*loaded.staged_predict_proba(X)], [*model.staged_predict_proba(X)]
    )
    assert loaded.fit(X, y).predict(X).shape == (340,)


def test_boosting_with_categories_is_refused(rows, tmp_path):
    X = np.round(np.abs(rows[0]))
    model = HistGradientBoostingClassifier(categorical_features=[0], max_iter=2).fit(X, rows[1])
    with pytest.raises(ValueError, match="categorical_features"):
        save_model(model, tmp_path / "m")


def test_unfitted_boosting_as_a_parameter(rows, tmp_path):
    X, y = rows
    boosting = HistGradientBoostingClassifier(max_iter=2)
    voting = VotingClassifier([("b", boosting), ("l", LogisticRegression())], voting="soft")
    loaded = assert_predicts_the_same(voting.fit(X, y), X, tmp_path)
    assert loaded.named_estimators_["b"] is loaded.estimators_[0]
    assert loaded.named_estimators_.b is loaded.estimators_[0]


class Own(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):  # noqa: ARG002
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X


class OwnScaler(StandardScaler):
    pass


def own_function(X):
    return X


@pytest.mark.parametrize(
    ("step", "place"),
    [
        (Own(), "steps.step of the model is <class '.*Own'>"),
        (OwnScaler(), "steps.step of the model is <class '.*OwnScaler'>"),
        (FunctionTransformer(own_function), "steps.step.func of the model is <function own_"),
        (FunctionTransformer(partial(own_function)), "steps.step.func.func of the model is <func"),
        (FunctionTransformer(np.load), "steps.step.func of the model is <function load"),
        (FunctionTransformer(kw_args={"f": open}), "steps.step.kw_args.f of the model"),
        (RandomForestClassifier(2), "steps.step of the model is <class '.*RandomForest"),
        (SVC(), "steps.step of the model is <class '.*SVC"),
        (KMeans(2), "steps.step of the model is <class '.*KMeans"),
    ],
)
def test_code_of_the_user_is_refused(step, place, rows, tmp_path):
    path = tmp_path / "m"
    path.write_bytes(b"kept")
    pipeline = Pipeline([("scale", StandardScaler()), ("step", step)])
    if isinstance(step, FunctionTransformer):  # some of these functions cannot be called
        pipeline[0].fit(*rows)
    else:
        pipeline.fit(*rows)
    with pytest.raises(ValueError, match=f"{place}.*joblib.dump"):
        save_model(pipeline, path)
    assert path.read_bytes() == b"kept"


def test_attribute_of_the_user_is_refused(rows, tmp_path):
    scaler = StandardScaler().fit(rows[0])
    scaler.note = 1
    with pytest.raises(ValueError, match="StandardScaler has the attribute 'note'"):
        save_model(scaler, tmp_path / "m")


def test_unfitted_estimator_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not fitted"):
        save_model(LogisticRegression(), tmp_path / "m")
    for value in (None, 3, "model", [1]):
        with pytest.raises(TypeError):
            save_model(value, tmp_path / "m")


def test_estimator_that_contains_itself_is_refused(rows, tmp_path):
    voting = VotingClassifier([("a", LogisticRegression())]).fit(*rows)
    voting.estimators_.append(voting)
    with pytest.raises(ValueError, match="contains itself"):
        save_model(voting, tmp_path / "m")


def test_values_of_all_kinds(rows, tmp_path):
    values = {
        "nan": float("nan"), "inf": -np.inf, "f": 0.1, "np": np.float32(0.1), "i": np.int64(3),
        "s": np.str_("x"), "b": np.bool_(True), "t": (1, ("a", 2)), "set": {3, "x"},
        "frozen": frozenset({1.5}), "d": {1: [2], "x": None}, "sl": slice(1, None), "l": [[]],
        "u": np.array(["N", "ab", "ä"]), "o": np.array(["x", None, 2.5], dtype=object),
        "e": np.zeros((0, 3)), "z": np.array(7.0), "F": np.asfortranarray(np.eye(3)[:2]),
        "bool": np.array([[True, False]]), "dt": np.dtype("float32"), "type": np.float64,
        "big": 2**200, "text": "\ud800 \x00 \u20ac", "empty": np.array([], dtype="U3"),
    }  # fmt: skip
    model = FunctionTransformer(np.abs, kw_args=values).fit(rows[0])
    loaded = round_trip(model, tmp_path).kw_args
    assert list(loaded) == list(values)
    for name, value in values.items():
        other = loaded[name]
        assert type(other) is type(value), name
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(other, value, strict=True)
            assert other.flags.f_contiguous == value.flags.f_contiguous
            assert other.flags.writeable
        elif name != "nan":
            assert other == value


def test_random_state_continues_with_the_same_numbers(rows, tmp_path):
    state = np.random.RandomState(3)
    state.normal()
    model = LogisticRegression(random_state=state).fit(*rows)
    loaded = round_trip(model, tmp_path).random_state
    np.testing.assert_array_equal(loaded.normal(size=5), state.normal(size=5))


def test_shared_arrays_are_written_once(tmp_path):
    x = np.zeros(10_000)
    pipeline = make_pipeline(*(FunctionTransformer(kw_args={"x": x}) for _ in range(2)))
    save_model(pipeline, tmp_path / "m")
    assert (tmp_path / "m").stat().st_size < 100_000
    loaded = load_model(tmp_path / "m")
    assert loaded[0].kw_args["x"] is loaded[1].kw_args["x"]
