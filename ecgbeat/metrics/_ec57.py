"""Report of ANSI/AAMI EC57 on beats and their classes in many recordings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecgbeat._recordings import (
    AnnotationLike,
    check_one_per_recording,
    error_naming_recording,
)
from ecgbeat._validation import check_positive
from ecgbeat.labels import to_aami
from ecgbeat.metrics._bxb import CLASSES, count_pairs, find_beats
from ecgbeat.metrics._matching import window_in_samples

_KINDS = ("qrs", "veb", "sveb")
_N, _S, _V, _F, _Q, _O = range(6)
# predicted class -> rows of the reference that are its false positives
_FALSE_POSITIVE_ROWS = {_V: [_N, _S, _O], _S: [_N, _V, _F, _O]}

# column of the printed table -> statistic and its decimals
_COLUMNS = {
    "Q Se": ("qrs_sensitivity", 2),
    "Q +P": ("qrs_positive_predictivity", 2),
    "V Se": ("veb_sensitivity", 2),
    "V +P": ("veb_positive_predictivity", 2),
    "V FPR": ("veb_false_positive_rate", 3),
    "S Se": ("sveb_sensitivity", 2),
    "S +P": ("sveb_positive_predictivity", 2),
    "S FPR": ("sveb_false_positive_rate", 3),
}
_COUNT_WIDTH = 8


@dataclass(frozen=True, eq=False)
class EC57Report:
    """Beat-by-beat results of many recordings, as returned by `ec57_report`.

    ``print(report)`` shows them as a table.

    Attributes
    ----------
    records : dict of str to ndarray of shape (n_records,)
        Table with one row for each recording, accepted by ``pandas.DataFrame``: the column
        ``"record"``, then for each of ``qrs``, ``veb`` and ``sveb`` the counts ``_tp``,
        ``_fn``, ``_fp`` (and ``_tn``, not for qrs) and the statistics ``_sensitivity``,
        ``_positive_predictivity`` (and ``_false_positive_rate``, not for qrs). A statistic
        whose denominator is 0 is NaN.
    gross : dict of str to float
        Statistics of the beats of all recordings together.
    average : dict of str to float
        Mean of each statistic over the recordings in which it is defined.
    confusion : ndarray of shape (6, 6), int64
        Sum of the counts of the recordings. Rows are ``reference_labels``, columns
        ``predicted_labels``.
    confusions : ndarray of shape (n_records, 6, 6), int64
        Counts of each recording.
    reference_labels : tuple of str
        ``("N", "S", "V", "F", "Q", "O")``, the true classes; O is a detection without a beat.
    predicted_labels : tuple of str
        ``("n", "s", "v", "f", "q", "o")``, the predicted classes; o is a beat without a
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
        """Return a table of statistics, one line for each recording, and the confusion matrix.

        Returns
        -------
        str
            Lines as those of WFDB's ``sumstats``. A dash is an undefined statistic.
        """
        records = self.records
        width = max(len("Average"), *(len(name) for name in records["record"].tolist()))
        n_beats = [records[f"{kind}_tp"] + records[f"{kind}_fn"] for kind in _KINDS]
        head = _line("Record", [kind.upper() for kind in _KINDS], list(_COLUMNS), width)
        rule = "-" * len(head)
        rows = [
            _line(
                name,
                [str(count[index]) for count in n_beats],
                _percents({key: values[index] for key, values in records.items()}),
                width,
            )
            for index, name in enumerate(records["record"].tolist())
        ]
        title = [
            f"EC57 beat-by-beat comparison of {len(rows)} record{'s' if len(rows) != 1 else ''}",
            f"tolerance {1000 * self.tolerance:g} ms, learning period {self.learning_period:g} s; "
            "Se, +P and FPR in %",
        ]
        totals = [
            _line("Sum", [str(count.sum()) for count in n_beats], [], width),
            _line("Gross", [""] * len(_KINDS), _percents(self.gross), width),
            _line("Average", [""] * len(_KINDS), _percents(self.average), width),
        ]
        table = [head, rule, *rows, rule, *totals]
        return "\n".join([*title, "", *table, "", *_confusion_lines(self)])

    def __str__(self) -> str:
        """Return `summary`."""
        return self.summary()


def ec57_report(
    references: Sequence[AnnotationLike],
    predictions: Sequence[AnnotationLike],
    fs: float,
    *,
    tolerance: float = 0.15,
    learning_period: float = 300.0,
    mapping: str | Mapping[str, str] = "literature",
    record_names: Sequence[str | int] | None = None,
) -> EC57Report:
    """Compare predicted with annotated beats, as ANSI/AAMI EC57 [1]_ and WFDB's ``bxb``.

    Parameters
    ----------
    references : sequence of Annotation
        True annotations, one for each recording: sample numbers, ascending, and WFDB
        symbols. Non-beat annotations may be included; ``"["`` and ``"]"`` mark flutter
        episodes.
    predictions : sequence of Annotation
        Predicted beats, in the same order of recordings. Their symbols may be WFDB's or the
        AAMI classes N, S, V, F and Q. For a detector without classes, use ``"N"`` throughout.
    fs : float
        Sampling rate of all recordings in Hz.
    tolerance : float, default=0.15
        Largest distance of a pair in seconds, inclusive.
    learning_period : float, default=300.0
        Seconds at the beginning of each recording that are not scored. 0 scores all beats.
    mapping : {"literature", "bxb"} or dict, default="literature"
        Map from symbols to classes, as in `ecgbeat.labels.to_aami`. ``bxb`` itself counts the
        escape beats e, j and n as S. The classes of a dict must be N, S, V, F or Q, and
        its symbols count as beats.
    record_names : sequence of length n_records, default=None
        Names in the table. None numbers the recordings from 0.

    Returns
    -------
    EC57Report
        Results as ``records`` (one row for each recording), ``gross``, ``average`` and
        ``confusion``. Its ``str`` is a table.

    Raises
    ------
    TypeError
        If one annotation is passed instead of a list of them, or sample numbers are not
        integers.
    ValueError
        If the lists differ in length or are empty, an annotation is not a pair, is not
        ascending or has symbols without a class, or a number is out of range.

    See Also
    --------
    match_beats : Pair the beats of one recording, regardless of their class.
    sklearn.metrics.classification_report : Scores of beats at known positions.

    Notes
    -----
    Let ``Vn`` be the number of reference beats of class V that are predicted as N, ``O`` the
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

    A fusion or unclassifiable beat predicted as V is therefore neither right nor wrong, as is
    an unclassifiable one predicted as S; a fusion beat predicted as S is wrong. Sensitivity is
    TP / (TP + FN), positive predictivity TP / (TP + FP), false positive rate
    FP / (TN + FP). ``bxb`` prints no rate for SVEB; it is computed in the same way here.

    Beats are paired in temporal order, as in ``bxb``. The next beat and the next detection are a
    pair if they are within the tolerance, and the rival of the earlier one (the beat or
    detection of its own kind that follows it) is either farther from the other one, or nearer
    still to the successor of the other one (since 2002). Otherwise the earlier one has no
    partner, even if a farther one is left (`match_beats` would pair both).
    Pairs that straddle the end of the learning period belong to the side of the reference
    beat. Reference beats in a flutter episode of the reference are not counted, nor are
    detections there that match no beat outside. Detections in a flutter episode of the
    predictions are disregarded, and the true beats there are missed.

    Deviations from ``bxb``: the tolerance is not rounded up to the next sample (at 360 Hz
    both are 54 samples, at 250 Hz 37 here and 38 there). An episode without ``"]"`` lasts to
    the end of the recording also after an earlier episode, and detections in all episodes are
    left out, whereas ``bxb`` knows the last two that it has read. A detection at sample 0
    is counted, and a flutter wave ``"!"`` outside of episodes is not a beat that competes for
    detections. With a learning period shorter than the tolerance but not 0, the first beat
    is counted. Stretches marked as unreadable
    (annotations ``"~"`` with a subtype, which an `Annotation` does not contain) have no row
    and column X of their own: their beats are counted under O. This changes no statistic,
    because all of them count both alike. The RMS error of the RR intervals is not computed.
    Deviation from the program ``sumstats``: gross and average SVEB positive predictivity
    count ``Fs`` as within a recording; ``sumstats`` leaves it out.

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
    names = _check_lists(references, predictions, record_names)
    limit = window_in_samples(fs, tolerance)
    learning_period = check_positive("learning_period", learning_period, unit="s", strict=False)
    _check_mapping(mapping)
    confusions = np.empty((len(names), 6, 6), dtype=np.int64)
    for index, (reference, prediction) in enumerate(zip(references, predictions, strict=True)):
        with error_naming_recording(index, "references"):
            truth = find_beats(reference, mapping)
        with error_naming_recording(index, "predictions"):
            found = find_beats(prediction, mapping)
        confusions[index] = count_pairs(truth, found, limit, learning_period * fs)
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


def _check_lists(
    references: Sequence[AnnotationLike],
    predictions: Sequence[AnnotationLike],
    record_names: Sequence[str | int] | None,
) -> list[str]:
    """Raise unless all lists are of one length, and return the names of the recordings."""
    check_one_per_recording("references", references)
    n_recordings = len(references)
    if n_recordings == 0:
        raise ValueError("references must contain at least one recording, got an empty list.")
    check_one_per_recording("predictions", predictions, n_recordings)
    names = range(n_recordings) if record_names is None else record_names
    check_one_per_recording("record_names", names, n_recordings)
    return [str(name) for name in names]


def _check_mapping(mapping: str | Mapping[str, str]) -> None:
    """Raise unless all classes are rows of the report."""
    to_aami([], mapping)  # raises for unknown names
    classes = {str(name) for name in mapping.values()} if isinstance(mapping, Mapping) else set()
    if wrong := sorted(classes - set(CLASSES)):
        raise ValueError(f"mapping must map to the AAMI classes {', '.join(CLASSES)}, got {wrong}.")


def _counts(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Return counts of true and false positives and negatives of (..., 6, 6) matrices."""
    detected = confusion[..., :_O]
    counts = {
        "qrs_tp": detected[..., :_O, :].sum(axis=(-2, -1)),
        "qrs_fn": confusion[..., :_O, _O].sum(axis=-1),
        "qrs_fp": detected[..., _O, :].sum(axis=-1),
    }
    for kind, code in (("veb", _V), ("sveb", _S)):
        others = np.delete(np.delete(detected, code, axis=-2), code, axis=-1)
        counts[f"{kind}_tp"] = confusion[..., code, code]
        counts[f"{kind}_fn"] = confusion[..., code, :].sum(axis=-1) - confusion[..., code, code]
        counts[f"{kind}_fp"] = confusion[..., _FALSE_POSITIVE_ROWS[code], code].sum(axis=-1)
        counts[f"{kind}_tn"] = others.sum(axis=(-2, -1))
    return counts


def _statistics(counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the eight statistics, NaN where undefined."""
    statistics = {}
    for kind in _KINDS:
        tp, fn, fp = (counts[f"{kind}_{outcome}"] for outcome in ("tp", "fn", "fp"))
        statistics[f"{kind}_sensitivity"] = _ratios(tp, tp + fn)
        statistics[f"{kind}_positive_predictivity"] = _ratios(tp, tp + fp)
        if kind != "qrs":  # true negatives of beat detection are not countable
            rate = _ratios(fp, counts[f"{kind}_tn"] + fp)
            statistics[f"{kind}_false_positive_rate"] = rate
    return statistics


def _ratios(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with NaN where the whole is 0."""
    undefined = np.full(np.shape(whole), np.nan)
    return np.divide(part, whole, out=undefined, where=np.asarray(whole) > 0)


def _mean_of_defined(values: np.ndarray) -> float:
    """Average over the recordings in which a statistic is defined, NaN if in none."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")


def _as_table(
    names: list[str], counts: dict[str, np.ndarray], statistics: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the columns sorted by kind, after the names."""
    columns = counts | statistics
    order = sorted(columns, key=lambda name: _KINDS.index(name.split("_")[0]))
    return {"record": np.array(names), **{name: columns[name] for name in order}}


def _line(name: str, counts: list[str], percents: list[str], width: int) -> str:
    """Format one line of the table."""
    cells = [f"{count:>{_COUNT_WIDTH}}" for count in counts]
    return (name.ljust(width) + "".join(cells + [f"{text:>7}" for text in percents])).rstrip()


def _percents(statistics: Mapping[str, float]) -> list[str]:
    """Format statistics in percent, with a dash if undefined."""
    return [
        "-" if math.isnan(statistics[name]) else f"{100 * statistics[name]:.{decimals}f}"
        for name, decimals in _COLUMNS.values()
    ]


def _confusion_lines(report: EC57Report) -> list[str]:
    """Format the confusion matrix; the cell without a beat and a detection is a dash."""
    cells = report.confusion.astype(str)
    cells[-1, -1] = "-"
    lines = [("", list(report.predicted_labels))]
    lines += zip(report.reference_labels, cells.tolist(), strict=True)
    return [f"{name:>3}" + "".join(f"{c:>{_COUNT_WIDTH}}" for c in row) for name, row in lines]
