"""Classification of the beats of patients that were not in the training set."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar, Literal, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils import check_random_state

from ecgbeat._validation import (
    boosted_trees,
    check_is_fitted,
    unchanged_on_error,
    validate_beats,
    validate_parameter_constraints,
)
from ecgbeat.annotation._annotator import BeatAnnotator
from ecgbeat.annotation._fusion import simulate_fusion_beats
from ecgbeat.labels import AAMI_MAPPINGS
from ecgbeat.preprocessing import BandpassFilter
from ecgbeat.signal import beat_features

_RHYTHM = slice(0, 3)  # columns of ectopic_probability: normal, supraventricular, ventricular
_MAX_ROWS = 12_000  # of the most frequent class
_TOTAL_WEIGHT = 20_000.0  # of all rows, so that the regularization depends less on their number
# chosen in folds by patient of DS1 of MIT-BIH, see examples/benchmarks/inter_patient.py
_ECTOPIC_ODDS = 1.5  # factor of the odds by rhythm
_VENTRICULAR_OF_ECTOPIC = 0.4  # share, before the shape is known
_VENTRICULAR_OF_NORMAL = 0.03  # share of the beats that are normal by their rhythm
_SHAPE_WEIGHT = 0.7  # of the odds by shape
_SHAPE_PRIOR = 0.08  # share of ventricular beats in the weighted training set
_OTHER_PRIOR = -1.5  # added to the log-odds of other classes, which are rare
_TEMPERATURE = 0.8  # of the probabilities, which would otherwise be too close to each other
_BOUND = 1e-3  # smallest probability of the rhythm
_EDGE = 1e-7  # of quantiles, as in QuantileTransformer
_MAX_LEAVES = 8  # of a tree: one bit each of a byte
_CHUNK_ROWS = 128  # evaluated at once: as many as fit the cache
# position of the lowest bit that is 0
_FIRST_LEFT = np.array([(~byte & byte + 1).bit_length() - 1 for byte in range(256)])


class InterPatientClassifier(ClassifierMixin, BaseEstimator):
    """Classify the rows of `beat_features`: the rhythm finds ectopic beats, the shape their kind.

    Rhythm and shape are two experts. The probability that a beat is ectopic is that of the rhythm,
    which was learned from the annotations of 91 patients, see
    `ecgbeat.signal.ectopic_probability`. Whether its shape is ventricular is learned in ``fit``,
    by a linear model and by boosted trees. The odds of both are multiplied.

    Parameters
    ----------
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are drawn from the most frequent class, and of the trees.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes: N, S, V, and others that were seen in ``fit``, such as F.
    linear_ : Pipeline
        Logistic regression of the quantiles of the columns.
    trees_ : HistGradientBoostingClassifier
        Boosted trees.
    n_features_in_ : int
        Number of columns seen in ``fit``.

    See Also
    --------
    make_inter_patient_annotator : Annotator with this classifier.

    Notes
    -----
    With *e* the probability that a beat is ectopic by its rhythm (after its odds were multiplied
    by 1.5), and *v* the probability by its shape that it is ventricular, given that it is N, S or
    V, the probabilities of the classes are proportional to

    - N: ``1 - e``
    - S: ``e * 0.6``
    - V: ``(e * 0.4 + (1 - e) * 0.03) * odds(v, 0.08)``

    with ``odds(v, prior) = (v / (1 - v) / (prior / (1 - prior))) ** 0.7``. *v* is the geometric
    mean of both models. Other classes have the log-odds of the trees minus 1.5. All logarithms
    are divided by 0.8, which calibrates the probabilities. These constants were chosen in folds by
    patient of the 22 training records of the MIT-BIH database.

    The classes of each patient count by the root of the number of their beats, so patients with
    many ectopic beats do not dominate. Of the most frequent class, at most 12,000 rows are used,
    with the weight of all.

    Multiplying the odds is better than training one model on all columns: the training set has
    few patients with supraventricular beats, and models of the shape learn them by heart.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import InterPatientClassifier
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.labels import to_aami
    >>> from ecgbeat.signal import bandpass, beat_features
    >>> ecgs = [make_recording(120, random_state=i) for i in range(3)]
    >>> X = [beat_features(bandpass(ecg.signal, 360), ecg.r_peaks, 360) for ecg in ecgs]
    >>> y = [to_aami(ecg.symbols) for ecg in ecgs]
    >>> patients = np.repeat([0, 1], [len(y[0]), len(y[1])])
    >>> classifier = InterPatientClassifier(random_state=0)
    >>> classifier = classifier.fit(np.concatenate(X[:2]), np.concatenate(y[:2]), patients)
    >>> bool(np.mean(classifier.predict(X[2]) == y[2]) > 0.8)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"random_state": ["random_state"]}

    def __init__(self, *, random_state: int | np.random.RandomState | None = None) -> None:
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike) -> Self:
        """Train both models of the shape.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features)
            Features of the beats, as `ecgbeat.signal.beat_features` returns.
        y : array-like of shape (n_beats,)
            Classes; N, S and V must occur.
        groups : array-like of shape (n_beats,)
            Patient of each beat.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument is invalid or a class is missing. The estimator keeps its former state.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        with unchanged_on_error(self):
            rows, labels = validate_beats(self, X, y, reset=True, dtype=np.float32)
            groups = np.asarray(groups)
            if groups.shape != labels.shape:
                raise ValueError(
                    f"groups must contain the patient of each of the {len(labels)} beats, got an "
                    f"array of shape {groups.shape}."
                )
            classes = np.unique(labels)
            if missing := sorted({"N", "S", "V"} - set(classes.tolist())):
                raise ValueError(
                    f"y must contain beats of the classes N, S and V, got none of {missing}. Its "
                    f"classes are {classes.tolist()}."
                )
            random = check_random_state(self.random_state)
            weight = _balance_patients(labels, groups)
            chosen, weight = _undersample(labels, weight, random)
            rows, labels = rows[chosen], labels[chosen]
            weight *= _TOTAL_WEIGHT / weight.sum()
            seed = random.randint(2**31 - 1)
            self.linear_ = _linear_model(len(rows), seed).fit(
                rows, labels, logisticregression__sample_weight=weight
            )
            self.trees_ = _trees(seed).fit(rows, labels, sample_weight=weight)
            self.classes_ = classes
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of the classes.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features)
            Features of the beats.

        Returns
        -------
        ndarray of shape (n_beats, n_classes)
            In the order of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If ``fit`` was not called.
        ValueError
            If ``X`` is not of the form seen in ``fit``.
        """
        check_is_fitted(self)
        rows = validate_beats(self, X, reset=False, dtype=np.float32)
        linear, by_trees = self._probability_by_shape(rows)
        both = np.sqrt((linear + 1e-4) * (by_trees + 1e-4))
        logits = _combine(rows[:, _RHYTHM].astype(np.float64), both, by_trees, self.classes_)
        return softmax(logits, axis=1)

    def _probability_by_shape(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities of the linear model and of the trees."""
        by_line = _probability_by_line(self.linear_, rows)
        return by_line, _probability_by_trees(self.trees_, rows)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the most probable class of each beat.

        Parameters
        ----------
        X : array-like of shape (n_beats, n_features)
            Features of the beats.

        Returns
        -------
        ndarray of shape (n_beats,)
            Classes.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As `predict_proba`.
        """
        probability = self.predict_proba(X)
        return self.classes_[probability.argmax(axis=1)]

    predict.returns_most_probable = True  # type: ignore[attr-defined]  # for BeatAnnotator


def make_inter_patient_annotator(
    fs: float = 360.0,
    *,
    future: bool | Literal["none"] = True,
    mapping: str | Mapping[str, Any] | None = None,
    random_state: int | None = None,
    abstain_below: float | None = None,
    verbose: int = 0,
) -> BeatAnnotator:
    """Return an annotator for patients that are not in the training set.

    Everything is chosen: the detection of R peaks, filter, features, classifier and simulated
    fusion beats for training. ``fit`` it on annotated recordings, such as MIT-BIH, and call
    ``predict`` with recordings of any sampling rate and any leads.

    Parameters
    ----------
    fs : float, default=360.0
        Sampling rate of the training recordings in Hz.
    future : True, False or "none", default=True
        Whether the class of a beat may depend on later beats, see
        `ecgbeat.signal.beat_features`: with False only on the position of the next R peak within
        1.25 s, with ``"none"`` on no later beat. With ``"none"``, the filter is causal.
    mapping : {"literature", "bxb"}, dict or None, default=None
        Mapping from symbols to classes, as in `BeatAnnotator`. None stands for N, S, V and F of
        `ecgbeat.labels.to_aami`, without the beats of class Q.
    random_state : int or None, default=None
        Seed.
    abstain_below : float or None, default=None
        Beats whose most probable class is less probable get the label ``"?"``.
    verbose : int, default=0
        If above 0, show a progress bar over the recordings.

    Returns
    -------
    BeatAnnotator
        Unfitted annotator of all leads of a recording.

    See Also
    --------
    InterPatientClassifier : Its classifier.
    ecgbeat.signal.beat_features : Its features.
    simulate_fusion_beats : Its augmentation.

    Examples
    --------
    >>> from ecgbeat.annotation import make_inter_patient_annotator
    >>> from ecgbeat.datasets import make_recording
    >>> shares = {"N": 0.8, "A": 0.1, "V": 0.1}
    >>> ecgs = [
    ...     make_recording(duration=120, weights=shares, random_state=i) for i in range(3)
    ... ]
    >>> annotator = make_inter_patient_annotator(360, random_state=0)
    >>> annotator = annotator.fit(
    ...     [ecg.signal for ecg in ecgs[:2]], [ecg.annotation for ecg in ecgs[:2]]
    ... )
    >>> beats = annotator.predict([ecgs[2].signal])[0]
    >>> beats.probability.shape == (len(beats.sample), len(annotator.classes_))
    True
    """
    if mapping is None:
        literature = AAMI_MAPPINGS["literature"]
        mapping = {symbol: name for symbol, name in literature.items() if name != "Q"}
    return BeatAnnotator(
        InterPatientClassifier(random_state=random_state),
        fs=fs,
        lead=None,
        # a beat is decided where its window ends: waves may not depend on what comes after them
        bandpass=BandpassFilter(fs, zero_phase=False) if future == "none" else None,
        features=partial(beat_features, future=future),
        augmentation=partial(simulate_fusion_beats, random_state=random_state),
        mapping=mapping,
        min_quality=0.5,
        abstain_below=abstain_below,
        verbose=verbose,
    )


def _balance_patients(labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return a weight for each beat: a class of a patient counts by the root of its beats."""
    pairs = np.stack([np.unique(a, return_inverse=True)[1] for a in (labels, groups)])
    _, pair, counts = np.unique(pairs, axis=1, return_inverse=True, return_counts=True)
    return 1 / np.sqrt(counts[pair.ravel()])


def _undersample(
    labels: np.ndarray, weight: np.ndarray, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows with at most ``_MAX_ROWS`` of the most frequent class, and their weights."""
    classes, counts = np.unique(labels, return_counts=True)
    rows = np.flatnonzero(labels == classes[counts.argmax()])
    if len(rows) <= _MAX_ROWS:
        return np.arange(len(labels)), weight
    weight = weight.copy()
    weight[rows] *= len(rows) / _MAX_ROWS
    left_out = random.choice(rows, len(rows) - _MAX_ROWS, replace=False)
    kept = np.delete(np.arange(len(labels)), left_out)
    return kept, weight[kept]


def _linear_model(n_rows: int, seed: int) -> Any:
    """Return a strongly regularized linear model of quantiles."""
    quantiles = QuantileTransformer(
        n_quantiles=min(300, n_rows),
        output_distribution="normal",
        subsample=20_000,
        random_state=seed,
    )
    return make_pipeline(quantiles, LogisticRegression(C=0.003, max_iter=300))


def _trees(seed: int) -> HistGradientBoostingClassifier:
    """Return small trees, each split of which sees a fifth of the columns."""
    return HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=_MAX_LEAVES,
        min_samples_leaf=50,
        l2_regularization=5.0,
        max_features=0.2,
        max_bins=64,
        early_stopping=False,
        random_state=seed,
    )


# tables of fitted models, which are other objects after each fit; neither pickled nor saved
_TABLES: WeakKeyDictionary[Any, tuple[np.ndarray, ...]] = WeakKeyDictionary()


def _table(fitted: Any, compute: Callable[[Any], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
    """Return the tables of a fitted model, which are computed once."""
    tables = _TABLES.get(fitted)
    if tables is None:
        tables = _TABLES[fitted] = compute(fitted)
    return tables


def _probability_by_line(fitted: Pipeline, rows: np.ndarray) -> np.ndarray:
    """Return what ``fitted.predict_proba`` returns, several times as fast for a row (measured).

    Products are added one by one: a matrix product may round a row differently beside others.
    """
    quantiles, model = fitted
    # in C order, so that the features are added in the same order for one row as for many
    weights = model.coef_.T[:, np.newaxis].astype(np.float64, order="C")
    logits = np.empty((len(rows), len(model.coef_)))
    for start in range(0, len(rows), _CHUNK_ROWS):
        normal = _to_normal(quantiles, rows[start : start + _CHUNK_ROWS])
        products = weights * np.ascontiguousarray(normal.T)[..., np.newaxis]
        logits[start : start + _CHUNK_ROWS] = products.sum(axis=0)
    return softmax(logits + model.intercept_, axis=1)


def _to_normal(fitted: QuantileTransformer, rows: np.ndarray) -> np.ndarray:
    """Transform rows as ``fitted.transform`` does, several times as fast for a row (measured).

    The quantiles of all columns are searched at once, by bisection.
    """
    quantiles, slopes, references, middles = _table(fitted, _quantile_table)
    n_columns = rows.shape[1]
    x = rows.astype(np.float64)
    at = np.broadcast_to(np.arange(n_columns), rows.shape)  # first quantile of each column
    step = len(quantiles) // 2
    while step >= n_columns:
        at = np.where(quantiles[at + step] <= x, at + step, at)
        step //= 2
    below = quantiles[at]
    uniform = np.where(x == below, middles[at], references[at] + slopes[at] * (x - below))
    lowest, highest = fitted.quantiles_[0], fitted.quantiles_[-1]
    uniform[rows + _EDGE > highest] = 1
    uniform[rows - _EDGE < lowest] = 0
    limit = -ndtri(_EDGE)
    return np.clip(ndtri(uniform.astype(rows.dtype)), -limit, limit)


def _quantile_table(fitted: QuantileTransformer) -> tuple[np.ndarray, ...]:
    """Return quantiles, slopes behind them, their references, and those of the middle of equals.

    Each is flat, one quantile of all columns after the other. Their number is a power of two: the
    last ones are infinite.
    """
    quantiles, levels = fitted.quantiles_, fitted.references_
    steps = np.diff(quantiles, axis=0, append=np.inf)
    rises = np.diff(levels, append=levels[-1])[:, np.newaxis]
    slopes = np.divide(rises, steps, out=np.zeros_like(steps), where=steps > 0)
    references = np.broadcast_to(levels[:, np.newaxis], quantiles.shape)
    firsts = [np.searchsorted(column, column) for column in quantiles.T]
    middles = (references + levels[np.stack(firsts, axis=1)]) / 2
    n_spare = (1 << (len(levels) - 1).bit_length()) - len(levels)
    spare = np.full((n_spare, quantiles.shape[1]), np.inf)
    parts = (quantiles, slopes, references, middles)
    return tuple(np.concatenate([part, spare]).ravel() for part in parts)


def _probability_by_trees(fitted: HistGradientBoostingClassifier, rows: np.ndarray) -> np.ndarray:
    """Return what ``fitted.predict_proba`` returns, several times as fast (measured).

    All comparisons of all trees are made at once. Each excludes some leaves of its tree, and a row
    reaches the first leaf that is not excluded: QuickScorer, doi:10.1145/2766462.2767733.
    """
    initial, column, threshold, leaves, values = _table(fitted, _join_trees)
    scores = np.empty((len(rows), len(initial)))
    for start in range(0, len(rows), _CHUNK_ROWS):
        chunk = rows[start : start + _CHUNK_ROWS]
        excluded = (np.ascontiguousarray(chunk.T)[column] > threshold[..., None]).view(np.uint8)
        excluded *= leaves[..., None]
        of_tree = np.bitwise_or.reduce(excluded, axis=1)
        score = np.take_along_axis(values, _FIRST_LEFT[of_tree], axis=1)
        scores[start : start + _CHUNK_ROWS] = score.reshape(-1, len(initial), len(chunk)).sum(0).T
    return softmax(scores + initial, axis=1)


def _join_trees(fitted: HistGradientBoostingClassifier) -> tuple[np.ndarray, ...]:
    """Return initial scores, and column, threshold and excluded leaves of the comparisons.

    The comparisons are ``(n_trees, 7)``. The last values are those of the leaves from left to
    right, ``(n_trees, 8)``. A leaf is one bit.
    """
    initial, trees = boosted_trees(fitted)
    shape = len(trees), _MAX_LEAVES - 1
    column, leaves = np.zeros(shape, np.intp), np.zeros(shape, np.uint8)
    exact, values = np.full(shape, np.inf), np.zeros((len(trees), _MAX_LEAVES))
    for k, nodes in enumerate(trees):
        of_leaves: list[float] = []
        comparisons = list(_comparisons(nodes, 0, of_leaves))
        values[k, : len(of_leaves)] = of_leaves
        if comparisons:  # else the tree is a single leaf
            used = slice(len(comparisons))
            column[k, used], exact[k, used], leaves[k, used] = zip(*comparisons, strict=True)
    # rounded down: a float32 above it is above the exact threshold
    threshold = exact.astype(np.float32)
    threshold = np.where(threshold > exact, np.nextafter(threshold, np.float32(-np.inf)), threshold)
    return initial, column, threshold, leaves, values


def _comparisons(
    nodes: np.ndarray, at: int, values: list[float]
) -> Iterator[tuple[int, float, int]]:
    """Yield the comparisons of a branch, and append the values of its leaves."""
    node = nodes[at]
    if node["is_leaf"]:
        values.append(node["value"])
        return
    n_before = len(values)
    yield from _comparisons(nodes, node["left"], values)
    on_the_left = (1 << len(values)) - (1 << n_before)  # larger values do not reach them
    yield node["feature_idx"], node["num_threshold"], on_the_left
    yield from _comparisons(nodes, node["right"], values)


def _combine(
    rhythm: np.ndarray, shape: np.ndarray, by_trees: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return the logits of the classes, (n_beats, n_classes)."""
    column = {name: index for index, name in enumerate(classes.tolist())}
    odds = _ECTOPIC_ODDS * np.clip(1 - rhythm[:, 0], _BOUND, 1) / np.clip(rhythm[:, 0], _BOUND, 1)
    ectopic = odds / (1 + odds)
    of_shape = shape[:, [column["N"], column["S"], column["V"]]]
    ventricular = _SHAPE_WEIGHT * (
        _logit(of_shape[:, 2] / of_shape.sum(axis=1)) - _logit(np.array(_SHAPE_PRIOR))
    )
    prior = ectopic * _VENTRICULAR_OF_ECTOPIC + (1 - ectopic) * _VENTRICULAR_OF_NORMAL
    logits = np.empty_like(shape)
    logits[:, column["N"]] = np.log(1 - ectopic)
    logits[:, column["S"]] = np.log(ectopic) + np.log(1 - _VENTRICULAR_OF_ECTOPIC)
    logits[:, column["V"]] = np.log(prior) + ventricular
    total = np.logaddexp.reduce(logits[:, [column["N"], column["S"], column["V"]]], axis=1)
    for name, index in column.items():
        if name not in ("N", "S", "V"):
            logits[:, index] = total + _logit(by_trees[:, index]) + _OTHER_PRIOR
    return logits / _TEMPERATURE


def _logit(probability: np.ndarray) -> np.ndarray:
    """Return the logarithm of the odds."""
    bounded = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(bounded / (1 - bounded))
