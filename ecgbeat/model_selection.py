"""Cross-validation by patient: the inter-patient split of MIT-BIH."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

__all__ = ["DS1", "DS2", "PACED", "InterPatientSplit"]

DS1 = (
    "101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122",
    "124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230",
)  # fmt: skip
"""The 22 MIT-BIH records of the training set of de Chazal et al. (2004)."""

DS2 = (
    "100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210",
    "212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234",
)  # fmt: skip
"""The 22 MIT-BIH records of the test set of de Chazal et al. (2004)."""

PACED = ("102", "104", "107", "217")
"""The MIT-BIH records of patients with pacemakers, which are in neither set."""

# two records of the same patient, the first in DS1 and the second in DS2
_SHARED_TRAIN, _SHARED_TEST = "201", "202"


class InterPatientSplit(BaseCrossValidator):
    """Inter-patient split of MIT-BIH: train on records DS1, test on DS2.

    A cross-validation splitter with the single split of de Chazal et al. [1]_, for the
    parameter ``cv`` of `cross_validate` and other tools of scikit-learn. It splits beats
    as well as whole recordings. Rows of the four records with paced beats (102, 104, 107
    and 217) are in neither set.

    Parameters
    ----------
    drop_shared_patient : bool, default=False
        Whether to leave out record 202, which is of the same patient as record 201: the
        published split tests on one patient of its training set. False keeps to the
        publication.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : Folds of patients, for model selection
        within DS1.
    ecgbeat.datasets.load_mitdb : Load the recordings.

    Notes
    -----
    ``groups`` are names of records, not of patients, because the published split divides
    records. ``load_mitdb().groups`` are patients, in which record 202 is named "201" and
    would move to the training set. Pass ``record_names`` instead (for beats,
    ``extract_beats(..., groups=mitdb.record_names).groups`` or
    ``load_heartbeat_csv().records``). Passing patients raises an error if all other
    records of the split are present, and a warning if fewer are, because record 202 may then
    be left out on purpose.

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

    # requests groups under scikit-learn's metadata routing by default
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(self, *, drop_shared_patient: bool = False) -> None:
        self.drop_shared_patient = drop_shared_patient

    def get_n_splits(
        self,
        X: ArrayLike | None = None,  # noqa: ARG002
        y: ArrayLike | None = None,  # noqa: ARG002
        groups: ArrayLike | None = None,  # noqa: ARG002
    ) -> int:
        """Return the number of splits, which is 1.

        Parameters
        ----------
        X, y, groups : array-like, default=None
            Ignored.

        Returns
        -------
        int
        """
        return 1

    def split(
        self,
        X: ArrayLike | Sequence[Any],
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Generate the indices of the rows of DS1 and DS2.

        Parameters
        ----------
        X : array-like of length n_samples
            Beats or recordings, of which only the number is used.
        y : array-like of length n_samples, default=None
            Ignored.
        groups : array-like of shape (n_samples,)
            Name of the MIT-BIH record of each row, such as ``"100"`` or 100.

        Yields
        ------
        train, test : ndarray of int64
            Row indices, ascending.

        Raises
        ------
        ValueError
            If ``groups`` is missing, differs in length from ``X``, contains other names than
            those of MIT-BIH records, contains no record of DS1 or of DS2, or contains patients.
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


def _as_record_names(groups: ArrayLike | None) -> np.ndarray:
    """Return groups as an array of str."""
    if groups is None:
        raise ValueError(
            "groups must be the names of the MIT-BIH records, one for each row, got None. For "
            "recordings, pass groups=load_mitdb().record_names."
        )
    records = np.asarray(groups)
    if records.ndim != 1:
        raise ValueError(
            f"groups must be 1-D, with one record name for each row, got shape {records.shape}."
        )
    return records.astype(str)


def _check_records(present: set[str], test_records: set[str]) -> None:
    """Raise unless all names are those of MIT-BIH records and both sets have one."""
    if unknown := sorted(present - {*DS1, *DS2, *PACED}):
        shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        raise ValueError(
            f"groups must be names of MIT-BIH records, such as '100', got {len(unknown)} other "
            f"names: {shown}. ecgbeat.model_selection.DS1, DS2 and PACED list all 48."
        )
    for side, name, records in (("train", "DS1", set(DS1)), ("test", "DS2", test_records)):
        if not present & records:
            raise ValueError(
                f"groups must contain a record of {name} to {side} on, got {sorted(present)}. "
                f"{name} is {', '.join(sorted(records))}."
            )


def _check_shared_patient(present: set[str]) -> None:
    """Raise or warn if groups may be patients, in which record 202 is named "201"."""
    if _SHARED_TRAIN not in present or _SHARED_TEST in present:
        return
    message = (
        "groups contain '201' and no '202'. If they are patients, as load_mitdb().groups are, "
        "the rows of record 202 end up in the training set: pass the record names "
        "(load_mitdb().record_names). If record 202 is left out on purpose, use "
        "InterPatientSplit(drop_shared_patient=True)."
    )
    if present >= {*DS1, *DS2} - {_SHARED_TEST}:
        raise ValueError(message)
    # level of the caller's next() or list(); scikit-learn's own calls are deeper
    warnings.warn(message, UserWarning, stacklevel=3)
