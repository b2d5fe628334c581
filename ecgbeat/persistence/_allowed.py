"""Allow-list of the classes and functions whose names may stand in a model file."""

import importlib
import sys
from collections.abc import Collection
from typing import Any

from ecgbeat import signal


def _names(prefix: str, names: str) -> set[str]:
    return {f"{prefix}.{name}" for name in names.split()}


# estimators; they compute with NumPy, not with compiled code that would trust the numbers of a
# file, except the two kinds that have a module of their own here
CLASSES = frozenset(
    _names(
        "ecgbeat",
        "BandpassFilter BeatAnnotator ECGCNNClassifier ECGCNNLSTMClassifier MFCCExtractor "
        "RPeakSegmenter ZScoreScaler",
    )
    | _names("ecgbeat.annotation", "InterPatientClassifier")
    | _names("skorch.dataset", "ValidSplit")
    | _names("sklearn.compose", "ColumnTransformer make_column_selector")
    | _names("sklearn.decomposition", "PCA TruncatedSVD")
    | _names(
        "sklearn.discriminant_analysis", "LinearDiscriminantAnalysis QuadraticDiscriminantAnalysis"
    )
    | _names("sklearn.dummy", "DummyClassifier")
    | _names("sklearn.ensemble", "HistGradientBoostingClassifier VotingClassifier")
    | _names("sklearn.feature_selection", "SelectKBest SelectPercentile VarianceThreshold")
    | _names("sklearn.impute", "MissingIndicator SimpleImputer")
    | _names(
        "sklearn.linear_model",
        "LinearRegression LogisticRegression LogisticRegressionCV Perceptron Ridge RidgeClassifier "
        "RidgeClassifierCV SGDClassifier",
    )
    | _names("sklearn.multiclass", "OneVsRestClassifier")
    | _names("sklearn.naive_bayes", "GaussianNB")
    | _names("sklearn.pipeline", "FeatureUnion Pipeline")
    | _names(
        "sklearn.preprocessing",
        "Binarizer FunctionTransformer KBinsDiscretizer LabelBinarizer LabelEncoder MaxAbsScaler "
        "MinMaxScaler Normalizer OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer "
        "QuantileTransformer RobustScaler StandardScaler",
    )
    | _names("sklearn.svm", "LinearSVC")
)

# attributes of CLASSES that are neither parameters nor named like fitted ones, ``name_``
_PRIVATE = """
    _baseline_prediction _columns _drop_idx_after_grouping _encoder _fill_dtype _fit_dtype
    _fit_svd_solver _infrequent_enabled _label_binarizer _max_components _max_degree _min_degree
    _missing_indices _n_features _n_features_out _n_features_outs _n_out_full
    _name_to_fitted_passthrough _precomputed _remainder _scaler _sklearn_output_config _strategy
    _transformer_to_input_indices alpha_per_target average epsilon gcv_mode learning_rate loss
    power_t
"""
PRIVATE_ATTRIBUTES = frozenset(_PRIVATE.split())

# values of parameters: functions of arrays without any effect but their result, losses, types
CALLABLES = frozenset(
    {f"ecgbeat.signal.{name}" for name in signal.__all__}
    | {
        "ecgbeat.annotation.simulate_fusion_beats",
        "ecgbeat.classifiers.MuonAdamW",
        "ecgbeat.classifiers.batch_loader",
        "ecgbeat.networks.FocalLoss",
        "skorch.dataset.Dataset",
    }
    | _names("builtins", "bool float int object str")
    | _names(
        "numpy",
        "absolute arcsinh arctan bool cbrt exp expm1 fabs float32 float64 int32 int64 log log10 "
        "log1p log2 nan_to_num negative reciprocal sign sinh sqrt square tanh",
    )
    | _names("sklearn.feature_selection", "chi2 f_classif mutual_info_classif")
    | _names("torch.nn", "CrossEntropyLoss MultiMarginLoss NLLLoss")
    | _names("torch.optim", "Adadelta Adagrad Adam AdamW Adamax NAdam RAdam RMSprop SGD")
)


def resolve(name: Any, allowed: Collection[str]) -> Any:
    """Import an allowed class or function by its full name."""
    if not isinstance(name, str) or name not in allowed:
        raise ValueError(
            f"It names {name!r:.80}, which is not in the list of classes and functions that a "
            "model file may contain."
        )
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"It needs {name}, which is not installed here: {error}") from error


def name_of(value: Any, allowed: Collection[str]) -> str | None:
    """Return the allowed name of a class or function, None if it has none."""
    for name in allowed:
        package, attribute = name.partition(".")[0], name.rpartition(".")[2]
        is_namesake = attribute == getattr(value, "__name__", None) and package in sys.modules
        if is_namesake and resolve(name, allowed) is value:
            return name
    return None
