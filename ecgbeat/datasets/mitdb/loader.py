"""Recordings and annotations from a folder of MIT-BIH records."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.utils import Bunch

from ecgbeat._recordings import Annotation
from ecgbeat.datasets.home import get_data_home
from ecgbeat.datasets.wfdb.loader import Lead, load_records

_SOURCE = (
    "The MIT-BIH Arrhythmia Database (94 MB) is at https://physionet.org/content/mitdb/1.0.0/; "
    "ecgbeat.datasets.fetch_mitdb downloads it."
)

_DESCR = """\
MIT-BIH Arrhythmia Database: 48 recordings of half an hour and two leads at 360 Hz, of 47
patients (records 201 and 202 are of the same man), with 109,494 annotated beats.
In 46 records a lead is MLII; 102 and 104 have V5 and V2. Records 102, 104, 107 and 217
are of patients with pacemakers.

License: Open Data Commons Attribution 1.0. Publications must cite
- G. B. Moody, R. G. Mark (2001). The impact of the MIT-BIH Arrhythmia Database. IEEE
  Engineering in Medicine and Biology Magazine 20(3), 45-50. doi:10.1109/51.932724
- A. L. Goldberger et al. (2000). PhysioBank, PhysioToolkit, and PhysioNet. Circulation
  101(23), e215-e220. doi:10.1161/01.CIR.101.23.e215"""


def load_mitdb(
    path: str | os.PathLike[str] | None = None,
    records: Iterable[str | int] | None = None,
    *,
    lead: Lead = ("MLII", "V5"),
    annotator: str | None = "atr",
    dtype: DTypeLike = np.float32,
    verify: bool = True,
    return_X_y: bool = False,
    verbose: int = 0,
) -> Bunch | tuple[list[np.ndarray], list[Annotation] | None]:
    """Load the MIT-BIH Arrhythmia Database [1]_ from a local folder.

    Parameters
    ----------
    path : path-like, default=None
        Folder of the records. None takes the folder ``mitdb`` of the data home (see
        `get_data_home`).
    records : iterable of str, default=None
        Names of the records, such as ``["100", "101"]``; None loads all
        records of the folder.
    lead : int, str, sequence of these, or None, default=("MLII", "V5")
        As in `load_wfdb`. The default reads MLII (the second lead of record 114, the
        first of 45 others), and V5 of 102 and 104, which have no MLII.
    annotator, dtype, verify, return_X_y, verbose : optional
        As in `load_wfdb`.

    Returns
    -------
    data : sklearn.utils.Bunch
        Accepted by `ecgbeat.BeatAnnotator` and `ecgbeat.annotation.extract_beats` in place of
        its recordings and annotations.

        recordings : list of ndarray of shape (650000,), or (2, 650000) for lead=None
            Recordings of 30 min in mV.
        annotations : list of Annotation, or None for annotator=None
            Annotations of each recording, of beats, rhythm and noise: ``sample`` (int64, the R
            peaks of beats) and ``symbol`` (such as ``"N"`` or ``"V"``).
        fs : float
            Sampling rate, 360 Hz.
        record_names : list of str
            Names of the records, ``"100"`` to ``"234"``.
        lead_names : list of str, or of lists of str for lead=None
            Lead, or leads, read of each record.
        groups : ndarray of shape (n_records,)
            Patient of each record, as groups for cross-validation: the record name, except that
            records 201 and 202 are of the same man and both are ``"201"``.
        DESCR : str
            Description of the data, license, and publications to cite.
    (recordings, annotations) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    ImportError, FileNotFoundError, ValueError
        As `load_wfdb`.

    See Also
    --------
    fetch_mitdb : Download missing files and load the database.
    ecgbeat.model_selection.InterPatientSplit : Training and test records of the literature.

    References
    ----------
    .. [1] G. B. Moody, R. G. Mark (2001). The impact of the MIT-BIH Arrhythmia Database.
       IEEE Eng. Med. Biol. Mag. 20(3), 45-50. doi:10.1109/51.932724

    Examples
    --------
    >>> from ecgbeat.datasets import load_mitdb
    >>> mitdb = load_mitdb("mitdb", records=["102", "202"])  # doctest: +SKIP
    >>> mitdb.lead_names, mitdb.groups  # doctest: +SKIP
    (['V5', 'MLII'], array(['102', '201'], dtype='<U3'))
    """
    bunch = load_records(
        get_data_home() / "mitdb" if path is None else Path(path).expanduser(),
        records,
        lead=lead,
        annotator=annotator,
        dtype=dtype,
        verify=verify,
        verbose=verbose,
        source=_SOURCE,
    )
    bunch.update(groups=patients_of_records(bunch.record_names), DESCR=_DESCR)
    return (bunch.recordings, bunch.annotations) if return_X_y else bunch


def patients_of_records(record_names: ArrayLike) -> np.ndarray:
    """Return the patient of each MIT-BIH record, named after the first record of the patient."""
    names = np.asarray(record_names, dtype=str)
    # of one man (https://physionet.org/physiobank/database/html/mitdbdir/)
    return np.where(names == "202", "201", names)
