"""The annotations of a WFDB record (layer 2)."""

import numpy as np

from ecgbeat.datasets._wfdb_record import (
    Record,
    import_wfdb,
    quiet_deprecations,
    refuse,
    with_ending,
)
from ecgbeat.datasets._wfdb_segments import SegmentedRecord
from ecgbeat.labels import Annotation

_END = b"\x00\x00"  # closes every file in WFDB's own format


def read_annotation(
    record: Record | SegmentedRecord, annotator: str, fs: float, verify: bool
) -> Annotation:
    """Read the annotations that one annotator made of a record.

    Parameters
    ----------
    record : Record or SegmentedRecord
        From `open_any_record`.
    annotator : str
        Ending of the annotation file.
    fs : float
        Sampling rate of the recording in Hz. Annotations that count time in other units,
        as the file says, are converted and rounded.
    verify : bool
        Refuse annotations outside the record, which show that the file belongs to
        another; False drops them.

    Returns
    -------
    Annotation

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, cut off or damaged.
    """
    file = with_ending(record.path, annotator)
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no file {file}. annotator=None reads no annotations, records= leaves "
            f"records out. {record.source}"
        )
    if file.read_bytes()[-2:] != _END:
        refuse(file, "its end mark is missing, so it is cut off or no annotation", record.source)
    try:
        with quiet_deprecations():
            read = import_wfdb().rdann(str(record.path), annotator)
    except Exception as error:  # whatever a parser of damaged bytes comes up with
        refuse(file, f"it is no WFDB annotation ({error})", record.source, error)
    sample = np.asarray(read.sample, dtype=np.int64)
    symbol = np.asarray(read.symbol, dtype=str)
    unit = float(read.fs or record.header.fs)
    n_times = round(record.header.sig_len * fs / float(record.header.fs))
    outside = (sample < 0) | (sample >= n_times * unit / fs)
    if outside.any() and verify:
        refuse(
            file,
            f"it annotates sample {sample[outside][0]}, but the record has "
            f"{round(n_times * unit / fs)}",
            f"{record.source} verify=False drops what lies outside.",
        )
    sample, symbol = sample[~outside], symbol[~outside]
    if unit != fs:
        sample = np.minimum(np.rint(sample * (fs / unit)).astype(np.int64), n_times - 1)
    return Annotation(sample, symbol)
