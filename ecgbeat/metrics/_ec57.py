"""The report of ANSI/AAMI EC57 on beats and their classes, over many records (layer 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecgbeat._validation import check_positive
from ecgbeat.labels import AAMI_MAPPINGS, Annotation
from ecgbeat.metrics._bxb import CLASSES, count_pairs, read_beats
from ecgbeat.metrics._ec57_text import format_report
from ecgbeat.metrics._matching import window_in_samples

_N, _S, _V, _F, _Q, _O = range(6)

# who asks -> reference rows whose label as such is a false positive
_FALSE_POSITIVE_ROWS = {_V: [_N, _S, _O], _S: [_N, _V, _F, _O]}


@dataclass(frozen=True, eq=False)
class EC57Report:
    """Beat-by-beat results of many records, made by `ec57_report`.

    ``print(report)`` shows all of it as a table.

    Attributes
    ----------
    records : dict of str to ndarray of shape (n_records,)
        A table with one row a record, which ``pandas.DataFrame`` takes as it is: the
        column ``"record"``, then for each of ``qrs``, ``veb`` and ``sveb`` the counts
        ``_tp``, ``_fn``, ``_fp`` (and ``_tn``, not for qrs) and the statistics
        ``_sensitivity``, ``_positive_predictivity`` (and ``_false_positive_rate``, not for
        qrs). A statistic without a beat to compute it from is NaN.
    gross : dict of str to float
        The statistics of all records' beats taken together.
    average : dict of str to float
        The mean of each statistic over the records in which it is defined.
    confusion : ndarray of shape (6, 6), int64
        Sum of the records' counts. Rows are ``reference_labels``, columns
        ``predicted_labels``.
    confusions : ndarray of shape (n_records, 6, 6), int64
        The same of each record.
    reference_labels : tuple of str
        ``("N", "S", "V", "F", "Q", "O")``: the true class; O is a detection without a beat.
    predicted_labels : tuple of str
        ``("n", "s", "v", "f", "q", "o")``: the class predicted; o is a beat without a
        detection.
    tolerance, learning_period : float
        As passed, in seconds.

    Examples
    --------
    >>> from ecgbeat.metrics import ec57_report
    >>> truth = ([400, 700, 1000], ["N", "V", "N"])
    >>> found = ([400, 702, 1000], ["N", "N", "N"])
    >>> report = ec57_report([truth], [found], fs=360, learning_period=0)
    >>> report.confusion[report.reference_labels.index("V"), :3]
    array([1, 0, 0])
    """

    records: dict[str, np.ndarray]
    gross: dict[str, float]
    average: dict[str, float]
    confusion: np.ndarray
    confusions: np.ndarray
    tolerance: float
    learning_period: float
    reference_labels: tuple[str, ...] = (*CLASSES, "O")
    predicted_labels: tuple[str, ...] = (*(name.lower() for name in CLASSES), "o")

    def summary(self) -> str:
        """Return the report as text: a line a record, sums, gross and average, and counts."""
        return format_report(self)

    def __str__(self) -> str:
        """Return `summary`."""
        return self.summary()


def ec57_report(
    references: Sequence[Any],
    predictions: Sequence[Any],
    fs: float,
    *,
    tolerance: float = 0.15,
    learning_period: float = 300.0,
    mapping: str | Mapping[str, str] = "literature",
    record_names: Sequence[Any] | None = None,
) -> EC57Report:
    """Compare found with annotated beats, as ANSI/AAMI EC57 [1]_ and WFDB's ``bxb`` do.

    Parameters
    ----------
    references : sequence of Annotation
        The true annotations, one for each record: sample numbers, ascending, and WFDB
        symbols. All annotations may stay in; flutter episodes are told by ``"["`` and
        ``"]"``.
    predictions : sequence of Annotation
        The beats found, in the same order of records. Their symbols may be WFDB's or the
        AAMI classes N, S, V, F and Q. A detector without classes gives every beat ``"N"``.
    fs : float
        Sampling rate of all records in Hz.
    tolerance : float, default=0.15
        Largest distance of a pair in seconds, itself included.
    learning_period : float, default=300.0
        Seconds at the beginning of each record in which no beat counts. 0 counts all.
    mapping : {"literature", "bxb"} or dict, default="literature"
        Symbols to classes, as in `ecgbeat.labels.to_aami`. ``bxb`` itself counts the
        escape beats e, j and n as S. The classes of a dict must be N, S, V, F or Q, and
        its symbols count as beats.
    record_names : sequence of length n_records, default=None
        For the table. None numbers the records from 0.

    Returns
    -------
    EC57Report
        With ``records`` (per record), ``gross``, ``average`` and ``confusion``; printed,
        it is a table.

    Raises
    ------
    TypeError
        If one annotation is passed instead of a sequence of them.
    ValueError
        If the sequences differ in length or are empty, an annotation is none, is not
        ascending or holds symbols that have no class, or a number is out of range.

    See Also
    --------
    match_beats : The pairs of one record, whatever their class.
    sklearn.metrics.classification_report : Scores of beats whose place is known.

    Notes
    -----
    Let ``Vn`` be the number of reference beats of class V that were labelled N, ``O`` the
    row of the detections without a beat and ``o`` the column of the beats without a
    detection. A dot stands for every class N, S, V, F, Q. Then, as in ``bxb`` [2]_:

    ====  ==========  ================  ======================  ==============================
    beat  TP          FN                FP                      TN
    ====  ==========  ================  ======================  ==============================
    QRS   all pairs   ``.o``            ``O.``
    VEB   ``Vv``      ``Vn Vs Vf Vq``   ``Nv Sv Ov``            labels n, s, f, q
                      ``Vo``                                    in the rows N, S, F, Q, O
    SVEB  ``Ss``      ``Sn Sv Sf Sq``   ``Ns Vs Fs Os``         labels n, v, f, q
                      ``So``                                    in the rows N, V, F, Q, O
    ====  ==========  ================  ======================  ==============================

    So a fusion or unclassifiable beat that is called V is neither right nor wrong, as is
    an unclassifiable one called S; a fusion beat called S is wrong. Sensitivity is
    TP / (TP + FN), positive predictivity TP / (TP + FP), false positive rate
    FP / (TN + FP). ``bxb`` prints no rate for SVEB; it is formed in the same way here.

    Of beats that compete for one detection, the nearer one gets it, as in ``bxb``; the
    other one is missed even if a farther detection is left (`match_beats` would pair both).
    Pairs that straddle the end of the learning period belong to the side of the reference
    beat. Reference beats in a flutter episode of the reference do not count, nor do
    detections there that match no beat outside; detections in an episode that the
    predictions mark are disregarded, and the true beats there are missed.

    Deviations from ``bxb``: the tolerance is not rounded up to the next sample (at 360 Hz
    both are 54 samples, at 250 Hz 37 here and 38 there). Stretches that are marked as
    unreadable (annotations ``"~"`` with a subtype, which an `Annotation` does not hold) get
    no row and column X of their own: their beats stand under O. This changes no
    statistic, for all of them count both alike. The RMS error of the RR intervals is not
    computed. And a deviation from the program ``sumstats``: gross and average SVEB
    positive predictivity count ``Fs`` as they do within a record; ``sumstats`` leaves it out.

    References
    ----------
    .. [1] ANSI/AAMI EC57:2012, Testing and reporting performance results of cardiac
       rhythm and ST segment measurement algorithms.
    .. [2] G. B. Moody, bxb, in: WFDB Applications Guide,
       https://physionet.org/physiotools/wag/bxb-1.htm

    Examples
    --------
    >>> from ecgbeat.metrics import ec57_report
    >>> references = [
    ...     ([400, 700, 1000, 1300], ["N", "V", "N", "N"]),
    ...     ([380, 690, 980], ["N", "N", "A"]),
    ... ]
    >>> predictions = [
    ...     ([402, 701, 1000], ["N", "V", "V"]),
    ...     ([380, 690, 800, 979], ["N", "N", "N", "S"]),
    ... ]
    >>> report = ec57_report(
    ...     references, predictions, fs=360, learning_period=0, record_names=["100", "200"]
    ... )
    >>> report.records["qrs_sensitivity"]
    array([0.75, 1.  ])
    >>> report.gross["veb_positive_predictivity"], report.average["sveb_sensitivity"]
    (0.5, 1.0)
    >>> print(report)
    EC57 beat-by-beat comparison of 2 records
    tolerance 150 ms, learning period 0 s; Se, +P and FPR in %
    <BLANKLINE>
    Record      QRS     VEB    SVEB   Q Se   Q +P   V Se   V +P  V FPR   S Se   S +P  S FPR
    ---------------------------------------------------------------------------------------
    100           4       1       0  75.00 100.00 100.00  50.00 50.000      -      -  0.000
    200           3       0       1 100.00  75.00      -      -  0.000 100.00 100.00  0.000
    ---------------------------------------------------------------------------------------
    Sum           7       1       1
    Gross                            85.71  85.71 100.00  50.00 16.667 100.00 100.00  0.000
    Average                          87.50  87.50 100.00  50.00 25.000 100.00 100.00  0.000
    <BLANKLINE>
              n       s       v       f       q       o
      N       3       0       1       0       0       1
      S       0       1       0       0       0       0
      V       0       0       1       0       0       0
      F       0       0       0       0       0       0
      Q       0       0       0       0       0       0
      O       1       0       0       0       0       -
    """
    names = _check_sequences(references, predictions, record_names)
    limit = window_in_samples(fs, tolerance)
    learning_period = check_positive("learning_period", learning_period, unit="s", strict=False)
    _check_mapping(mapping)
    confusions = np.empty((len(names), 6, 6), dtype=np.int64)
    for index, (reference, prediction) in enumerate(zip(references, predictions, strict=True)):
        confusions[index] = count_pairs(
            read_beats(f"references[{index}]", reference, mapping),
            read_beats(f"predictions[{index}]", prediction, mapping),
            limit,
            learning_period * fs,
        )
    counts, confusion = _counts(confusions), confusions.sum(axis=0)
    statistics = _statistics(counts)
    gross = _statistics(_counts(confusion))
    return EC57Report(
        records=_as_table(names, counts, statistics),
        gross={name: float(value) for name, value in gross.items()},
        average={name: _mean_of_defined(values) for name, values in statistics.items()},
        confusion=confusion,
        confusions=confusions,
        tolerance=float(tolerance),
        learning_period=learning_period,
    )


def _check_sequences(references: Any, predictions: Any, record_names: Any) -> list[str]:
    """Raise unless there are as many predictions and names as references; return the names."""
    for name, annotations in (("references", references), ("predictions", predictions)):
        if isinstance(annotations, Annotation) or not isinstance(annotations, Sequence):
            raise TypeError(
                f"{name} must be a list of annotations, one for each record, got "
                f"{type(annotations).__name__}; for one record write [annotation]."
            )
    if len(references) == 0:
        raise ValueError("references is empty: there is no record to report on.")
    names = list(map(str, range(len(references)) if record_names is None else record_names))
    for name, others in (("predictions", predictions), ("record_names", names)):
        if len(others) != len(references):
            raise ValueError(
                f"{name} must have one entry for each record, got {len(others)} for "
                f"{len(references)} references."
            )
    return names


def _check_mapping(mapping: Any) -> None:
    """Refuse classes that the report has no row for."""
    if not isinstance(mapping, Mapping):
        if mapping not in AAMI_MAPPINGS:
            raise ValueError(
                f"mapping must be one of {sorted(AAMI_MAPPINGS)} or a dict from symbol to "
                f"class, got {mapping!r}."
            )
        return
    wrong = sorted({str(value) for value in mapping.values()} - set(CLASSES))
    if wrong:
        raise ValueError(
            f"mapping must give the AAMI classes {', '.join(CLASSES)}, but it gives {wrong}."
        )


def _counts(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Count what is right and wrong, for confusion matrices of shape (..., 6, 6)."""
    found = confusion[..., :_O]
    counts = {
        "qrs_tp": found[..., :_O, :].sum(axis=(-2, -1)),
        "qrs_fn": confusion[..., :_O, _O].sum(axis=-1),
        "qrs_fp": found[..., _O, :].sum(axis=-1),
    }
    for name, own in (("veb", _V), ("sveb", _S)):
        others = [row for row in range(6) if row != own]
        rest = np.delete(found[..., others, :], own, axis=-1)
        counts[f"{name}_tp"] = confusion[..., own, own]
        counts[f"{name}_fn"] = confusion[..., own, :].sum(axis=-1) - confusion[..., own, own]
        counts[f"{name}_fp"] = confusion[..., _FALSE_POSITIVE_ROWS[own], own].sum(axis=-1)
        counts[f"{name}_tn"] = rest.sum(axis=(-2, -1))
    return counts


def _statistics(counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the eight statistics, NaN where there is nothing to compute them from."""
    statistics = {}
    for name in ("qrs", "veb", "sveb"):
        tp, fn, fp = (counts[f"{name}_{kind}"] for kind in ("tp", "fn", "fp"))
        statistics[f"{name}_sensitivity"] = _ratios(tp, tp + fn)
        statistics[f"{name}_positive_predictivity"] = _ratios(tp, tp + fp)
        if name != "qrs":  # nobody can count the places without a beat
            rate = _ratios(fp, counts[f"{name}_tn"] + fp)
            statistics[f"{name}_false_positive_rate"] = rate
    return statistics


def _ratios(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, NaN where there is nothing to share."""
    undefined = np.full(np.shape(whole), np.nan)
    return np.divide(part, whole, out=undefined, where=np.asarray(whole) > 0)


def _mean_of_defined(values: np.ndarray) -> float:
    """Average over the records in which a statistic is defined, NaN if in none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _as_table(
    names: list[str], counts: dict[str, np.ndarray], statistics: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Sort the columns by what they are about."""
    columns = counts | statistics
    order = sorted(columns, key=lambda name: ("qrs", "veb", "sveb").index(name.split("_")[0]))
    return {"record": np.array(names), **{name: columns[name] for name in order}}
