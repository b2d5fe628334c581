"""The usual division of MIT-BIH into patients to learn from and to test on (layer 2)."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
"""The 22 MIT-BIH records that de Chazal et al. (2004) train on."""

DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
"""The 22 MIT-BIH records that de Chazal et al. (2004) test on."""

PACED = ("102", "104", "107", "217")
"""The MIT-BIH records of patients with pacemakers, which belong to neither side."""

# records of one man, the first in DS1 and the second in DS2
_SHARED_TRAIN, _SHARED_TEST = "201", "202"


class InterPatientSplit(BaseCrossValidator):
    """Train on the records DS1 of MIT-BIH, test on DS2, as de Chazal et al. [1]_ do.

    A scikit-learn splitter with a single split, for ``cv=`` of `cross_validate` and the
    like. It divides beats as well as whole recordings. Rows of the four records with
    paced beats (102, 104, 107 and 217) are on neither side.

    Parameters
    ----------
    drop_shared_patient : bool, default=False
        Leave out record 202. It is of the same man as record 201, so the published split
        tests on one patient whom it has trained on. False keeps to the publication.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : Folds of patients, to choose a model by
        inside DS1.
    ecgbeat.datasets.load_mitdb : The recordings.

    Notes
    -----
    ``groups`` are names of records, not patients: the published split divides records.
    ``load_mitdb().groups`` are patients, and name record 202 "201", which would move
    it to the training side. Pass ``record_names`` instead (for beats,
    ``extract_beats(..., groups=mitdb.record_names).groups`` or
    ``load_heartbeat_csv().records``). The mistake is an error where it is certain, that is
    where all other records of the split are there, and a warning where it is possible.

    References
    ----------
    .. [1] P. de Chazal, M. O'Dwyer, R. B. Reilly (2004). Automatic classification of
       heartbeats using ECG morphology and heartbeat interval features. IEEE Trans.
       Biomed. Eng. 51(7). doi:10.1109/TBME.2004.827359

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.model_selection import InterPatientSplit
    >>> X = np.zeros((6, 187))
    >>> records = ["100", "101", "101", "102", "103", "106"]
    >>> for train, test in InterPatientSplit().split(X, groups=records):
    ...     print(train, test)
    [1 2 5] [0 4]
    """

    # scikit-learn's way to say that metadata routing shall hand over groups unasked
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, *, drop_shared_patient: bool = False) -> None:
        self.drop_shared_patient = drop_shared_patient

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of splits: 1.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
        """
        return 1

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows of DS1 and of DS2.

        Parameters
        ----------
        X : array-like of length n_samples
            Beats, or recordings; only its length counts.
        y : array-like of length n_samples, default=None
            Not used.
        groups : array-like of shape (n_samples,)
            Name of the MIT-BIH record of each row, such as ``"100"`` or 100.

        Yields
        ------
        train, test : ndarray of int64
            Row indices, ascending.

        Raises
        ------
        ValueError
            If ``groups`` is missing, differs in length from ``X``, holds names that are
            no MIT-BIH records, holds none of DS1 or none of DS2, or holds patients.
        """
        X, y, groups = indexable(X, y, groups)
        records = _as_record_names(groups)
        test_records = set(DS2) - ({_SHARED_TEST} if self.drop_shared_patient else set())
        _check_records(set(records.tolist()), test_records)
        if not self.drop_shared_patient:
            _check_shared_patient(set(records.tolist()))
        yield (
            np.flatnonzero(np.isin(records, DS1)),
            np.flatnonzero(np.isin(records, sorted(test_records))),
        )


def _as_record_names(groups: Any) -> np.ndarray:
    """Return groups as an array of str."""
    if groups is None:
        raise ValueError(
            "InterPatientSplit needs groups: the name of the MIT-BIH record of each row, such as "
            "groups=load_mitdb().record_names for recordings."
        )
    records = np.asarray(groups)
    if records.ndim != 1:
        raise ValueError(f"groups must be 1-D, one record name a row, got shape {records.shape}.")
    return records.astype(str)


def _check_records(present: set[str], test_records: set[str]) -> None:
    """Raise unless all names are known and both sides have one."""
    if unknown := sorted(present - {*DS1, *DS2, *PACED}):
        shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        raise ValueError(
            f"groups must hold names of MIT-BIH records, such as '100', but {len(unknown)} are "
            f"none: {shown}. ecgbeat.model_selection.DS1, DS2 and PACED list all 48."
        )
    for side, name, records in (("train", "DS1", set(DS1)), ("test", "DS2", test_records)):
        if not present & records:
            raise ValueError(
                f"groups hold no record of {name} to {side} on, they are {sorted(present)}; "
                f"{name} is {', '.join(sorted(records))}."
            )


def _check_shared_patient(present: set[str]) -> None:
    """Tell who passes patients as groups, among whom record 202 goes by the name of 201."""
    if _SHARED_TRAIN not in present or _SHARED_TEST in present:
        return
    message = (
        "groups hold '201' and no '202'. If they are patients, as load_mitdb().groups are, the "
        "rows of record 202 are taken for the training side: pass the record names "
        "(load_mitdb().record_names). If record 202 is left out on purpose, write "
        "InterPatientSplit(drop_shared_patient=True)."
    )
    if present >= {*DS1, *DS2} - {_SHARED_TEST}:
        raise ValueError(message)
    # from here to the caller's next() or list(); scikit-learn's own calls lie deeper
    warnings.warn(message, UserWarning, stacklevel=3)
