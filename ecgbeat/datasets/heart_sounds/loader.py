"""Heart sounds from a folder of recordings, as rows of equal length."""

import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch

from ecgbeat._progress import tqdm
from ecgbeat._validation import check_fs, check_positive
from ecgbeat.datasets.heart_sounds.audio import Reading, read_sounds
from ecgbeat.datasets.heart_sounds.files import (
    Label,
    Origin,
    Rule,
    check_labels,
    find_origins,
    find_sounds,
)
from ecgbeat.datasets.home import get_data_home

_MIN_SOUND = 0.5  # of the last window of a file that must not be silence
_MAX_TIMES = 2**30  # per row, 4 GB
_ON_ERROR = ("raise", "skip")
_PASCAL_DESCR = """\
Named as in the PASCAL Classifying Heart Sounds Challenge: set_a was recorded with phones,
set_b with a digital stethoscope in a hospital. Its use is free for research; cite
P. Bentley, G. Nordehn, M. Coimbra, S. Mannor (2011). The PASCAL Classifying Heart Sounds
Challenge 2011 (CHSC2011). http://www.peterjbentley.com/heartchallenge"""


def load_heart_sounds(
    path: str | os.PathLike[str] | None = None,
    *,
    fs: float = 4000.0,
    duration: float = 5.0,
    min_duration: float = 0.0,
    window_step: float | None = None,
    rule: Rule = "folders",
    labels: Label | Sequence[Label] | np.ndarray = None,
    on_error: str = "raise",
    return_X_y: bool = False,
    verbose: int = 0,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load a folder of audio files as rows of equal length, with labels and subjects.

    The files may have any length, sampling rate and number of channels, and any format that
    libsndfile reads: WAV (8 to 32 bits, float), FLAC, OGG, MP3, AIFF and others. Channels are
    averaged, and the sampling rate is converted to ``fs``, as ``librosa.load`` does (soxr,
    quality "HQ"). Nothing else is done to the sound: full scale is -1 to 1.

    Sub-folders are searched, too. Hidden files and those without the extension of an audio file
    are ignored; a file that has one and cannot be read raises an error.

    Parameters
    ----------
    path : path-like, default=None
        Folder of the files. None takes the folder ``heart_sounds`` of the data home (see
        `get_data_home`).
    fs : float, default=4000.0
        Sampling rate of the rows in Hz. 4000 is that of PASCAL's set_b; heart sounds and
        murmurs lie below 1000 Hz.
    duration : float, default=5.0
        Length of the rows in seconds. Longer files are cut at the end, shorter ones padded
        with zeros.
    min_duration : float, default=0.0
        Files shorter than this, in seconds, are left out.
    window_step : float, default=None
        Seconds from the start of one row to the start of the next one of the same file. Rows
        are cut until one reaches the end of the file. That one is padded with zeros, or left
        out if more than half of it would be zeros, unless it is the first. None cuts one row
        of each file.
    rule : {"folders", "pascal"} or callable, default="folders"
        Rule for the label and the subject of a file.

        - ``"folders"``: the label is the first sub-folder, as in ``murmur/a.wav``; every file
          is a subject of its own.
        - ``"pascal"``: for the names in PASCAL's set_a and set_b [1]_, wherever the files
          are. The label is the name up to the first ``_``, and the subject the first part
          between ``_`` that is a number: ``murmur_noisymurmur_135_1306428972976_A.wav`` has
          label ``murmur`` and subject ``135``. ``Aunlabelledtest`` and ``Bunlabelledtest``
          have no label. The names in set_a contain no subject; their number is the time of
          the recording. ``Btraining_murmur/135_1306428972976_A.wav`` is understood as well.
        - A function that is called with the path of each file relative to the folder, a
          `pathlib.PurePath`, and returns a label or a pair of label and subject. The label is
          a str, int or bool, or None to leave the file out; the subject a str or int, or None
          for a file that is a subject of its own.
    labels : label or iterable of labels, default=None
        Labels of the files to keep; None keeps all files that have one.
    on_error : {"raise", "skip"}, default="raise"
        Handling of files that cannot be read: those that are not sounds, are empty or
        truncated, or have samples that are NaN or infinite. ``"skip"`` leaves them out, and
        lists them in one warning, with the reasons.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.
    verbose : int, default=0
        Above 0, show a progress bar and the number of files left out.

    Returns
    -------
    data : sklearn.utils.Bunch
        data : ndarray of shape (n_rows, n_times), float32
            Rows, in the order of the paths relative to the folder.
        target : ndarray of shape (n_rows,)
            Label of each row.
        target_names : list
            Labels, sorted.
        groups : ndarray of shape (n_rows,), str
            Subject of each row; its path relative to the folder if it has none.
        filenames : ndarray of shape (n_rows,), str
            File of each row.
        file_index : ndarray of shape (n_rows,), int64
            Number of this file, from 0 on. Predictions for the rows of a file can be averaged
            by it: ``[proba[file_index == k].mean(axis=0) for k in ...]``.
        starts : ndarray of shape (n_rows,), int64
            Start of the row in its file, in samples at ``fs``.
        fs : float
            Sampling rate of the rows in Hz.
        left_out : dict of str to list of str
            Files left out because they have no label (``"no_label"``), none of ``labels``
            (``"other_label"``), or less than ``min_duration`` (``"too_short"``).
        skipped : dict of str to str
            Files that cannot be read, with the reason; empty with ``on_error="raise"``.
        DESCR : str
            Description of the data.
    (data, target) : tuple
        With ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder, or it is a file.
    ValueError
        If a file cannot be read or has no label by the rule (names the file), if no file is
        left, or if an argument is wrong.

    See Also
    --------
    load_recordings : Load ECGs from text and NumPy files.

    Notes
    -----
    libsndfile silently reads the rest of a truncated file. Truncated files are recognized by
    the size of their samples (WAV and AIFF, except for sizes that mean "unknown"), by the
    decoder (FLAC), by the last page (OGG), and by the first frame if it states the length
    (MP3). A cut between two pages of an OGG file, or of an MP3 file that does not state its
    length, is not recognized; of such an MP3 file with a variable bit rate, libsndfile reads
    only as much as it estimates.

    References
    ----------
    .. [1] P. Bentley, G. Nordehn, M. Coimbra, S. Mannor (2011). The PASCAL Classifying Heart
       Sounds Challenge 2011 (CHSC2011). http://www.peterjbentley.com/heartchallenge

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import soundfile
    >>> from ecgbeat.datasets import load_heart_sounds
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for label, frequency, fs in [("normal", 50, 8000), ("murmur", 200, 44100)]:
    ...         Path(folder, label).mkdir()
    ...         tone = np.sin(2 * np.pi * frequency * np.arange(3 * fs) / fs)
    ...         soundfile.write(Path(folder, label, "a.wav"), 0.5 * tone, fs)
    ...     sounds = load_heart_sounds(folder, fs=2000, duration=2)
    ...     windows = load_heart_sounds(folder, fs=2000, duration=1, window_step=1)
    >>> sounds.data.shape, sounds.target.tolist(), sounds.groups.tolist()
    ((2, 4000), ['murmur', 'normal'], ['murmur/a.wav', 'normal/a.wav'])
    >>> windows.data.shape, windows.file_index
    ((6, 2000), array([0, 0, 0, 1, 1, 1]))

    A custom rule, for files such as ``ward2/ann_murmur_3.wav``:

    >>> def name_and_finding(file):
    ...     subject, label, _ = file.stem.split("_")
    ...     return label, subject
    >>> load_heart_sounds("recordings", rule=name_and_finding)  # doctest: +SKIP
    """
    fs = check_fs(fs)
    n_times = round(_as_samples("duration", duration, fs))
    step = None if window_step is None else _as_samples("window_step", window_step, fs)
    windows = _Windows(n_times, step)
    min_duration = check_positive("min_duration", min_duration, unit="seconds", strict=False)
    if on_error not in _ON_ERROR:
        raise ValueError(f"on_error must be one of {list(_ON_ERROR)}, got {on_error!r}.")
    folder = get_data_home() / "heart_sounds" if path is None else Path(path).expanduser()
    files = find_sounds(folder)
    origins = find_origins(files, rule)
    chosen, left_out = _choose(files, origins, labels)
    reading = read_sounds(
        tqdm(chosen.items(), desc="reading", unit="file", disable=not verbose),
        fs,
        min_duration=min_duration,
        n_kept=windows.n_times if windows.step is None else None,
        on_error=on_error,
    )
    left_out["too_short"] = list(reading.too_short)
    summary = _summarize(len(files), len(reading.signals), left_out, reading.skipped)
    if not reading.signals:
        raise ValueError(_describe_absence(folder, summary, reading))
    if verbose:
        tqdm.write(summary, file=sys.stderr)
    if reading.skipped:
        reasons = [f"{file}: {reason}" for file, reason in reading.skipped.items()]
        count = f"{len(reasons)} of {len(files)} files cannot be read and were left out:"
        warnings.warn("\n".join([count, *reasons]), UserWarning, stacklevel=2)
    bunch = _as_bunch(files, origins, reading.signals, windows)
    bunch.update(
        fs=fs,
        left_out=left_out,
        skipped=reading.skipped,
        DESCR=_describe(folder, rule, summary, bunch, fs),
    )
    return (bunch.data, bunch.target) if return_X_y else bunch


class _Windows(NamedTuple):
    """Windows that a sound is cut into."""

    n_times: int  # samples per window
    step: float | None  # samples from one start to the next; None is one window per sound


def _as_samples(name: str, seconds: float, fs: float) -> float:
    """Convert seconds to samples; raise ValueError if they are less than one."""
    n_samples = check_positive(name, seconds, unit="seconds") * fs
    if n_samples > _MAX_TIMES:
        raise ValueError(
            f"{name}={seconds!r} s is more than {_MAX_TIMES} samples at fs={fs:g} Hz: give seconds."
        )
    if n_samples < 1:
        raise ValueError(
            f"{name}={seconds!r} s is less than one sample at fs={fs:g} Hz: give seconds."
        )
    return n_samples


def _choose(
    files: dict[str, Path],
    origins: dict[str, Origin],
    labels: Label | Sequence[Label] | np.ndarray,
) -> tuple[dict[str, Path], dict[str, list[str]]]:
    """Return the files to read, and the others by the reason."""
    kept = check_labels(origins, labels)
    chosen: dict[str, Path] = {}
    left_out: dict[str, list[str]] = {"no_label": [], "other_label": []}
    for name, file in files.items():
        label = origins[name].label
        if label is None:
            left_out["no_label"].append(str(file))
        elif kept is not None and label not in kept:
            left_out["other_label"].append(str(file))
        else:
            chosen[name] = file
    return chosen, left_out


def _as_bunch(
    files: dict[str, Path],
    origins: dict[str, Origin],
    signals: dict[str, np.ndarray],
    windows: _Windows,
) -> Bunch:
    """Cut the signals, which are removed from the dict, into rows."""
    names = list(signals)
    starts = [_window_starts(len(signal), windows) for signal in signals.values()]
    file_index = np.repeat(np.arange(len(names)), [len(of_file) for of_file in starts])
    data = np.zeros((len(file_index), windows.n_times), dtype=np.float32)
    rows = iter(data)
    for name, of_file in zip(names, starts, strict=True):
        signal = signals.pop(name)  # one by one, so that no sound is held twice
        for start in of_file:
            window = signal[start : start + windows.n_times]
            next(rows)[: len(window)] = window
    target = np.array([origins[name].label for name in names])[file_index]
    return Bunch(
        data=data,
        target=target,
        target_names=np.unique(target).tolist(),
        groups=np.array([origins[name].subject or name for name in names])[file_index],
        filenames=np.array([str(files[name]) for name in names])[file_index],
        file_index=file_index,
        starts=np.concatenate(starts),
    )


def _window_starts(n_sound: int, windows: _Windows) -> np.ndarray:
    """Return the first sample of each window of a sound, int64 and ascending."""
    if windows.step is None:
        return np.zeros(1, dtype=np.int64)
    starts = np.rint(np.arange(0, max(n_sound, 1), windows.step)).astype(np.int64)
    follows_end = np.r_[False, starts[:-1] + windows.n_times >= n_sound]
    is_silent = starts + _MIN_SOUND * windows.n_times > n_sound
    is_silent[0] = False
    return starts[~follows_end & ~is_silent]


def _summarize(
    n_files: int, n_read: int, left_out: dict[str, list[str]], skipped: dict[str, str]
) -> str:
    """Return how many files were left out for which reason."""
    counts = {
        "without a label": len(left_out["no_label"]),
        "with another label": len(left_out["other_label"]),
        "too short": len(left_out["too_short"]),
        "unreadable": len(skipped),
    }
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.items() if count)
    return f"{n_read} of {n_files} files" + (f"; left out: {reasons}" if reasons else "")


def _describe_absence(folder: Path, summary: str, reading: Reading) -> str:
    """Return why no file is left."""
    hints = []
    if reading.too_short:
        hints.append(f"The longest of the short ones lasts {max(reading.too_short.values()):g} s.")
    if reading.skipped:
        file, reason = next(iter(reading.skipped.items()))
        hints.append(f"{file} cannot be read: {reason}.")
    return " ".join([f"There is no file to load from {folder}: {summary}.", *hints])


def _describe(folder: Path, rule: Rule, summary: str, bunch: Bunch, fs: float) -> str:
    """Return a description of the data."""
    n_rows, n_times = bunch.data.shape
    text = (
        f"Heart sounds of {folder}: {summary}.\n{n_rows} rows of {n_times} samples at {fs:g} Hz, "
        f"full scale -1 to 1, of {len(np.unique(bunch.groups))} subjects."
    )
    return f"{text}\n\n{_PASCAL_DESCR}" if rule == "pascal" else text
