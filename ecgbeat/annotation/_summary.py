"""Summary of the beats of a recording: heart rate, classes, runs and pauses."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from ecgbeat._validation import check_fs, check_positive
from ecgbeat.annotation._annotated_beats import UNCLASSIFIED, AnnotatedBeats
from ecgbeat.labels import AAMI_MAPPINGS

_CLASS_NAMES = {  # of beat symbols and of AAMI classes
    "N": "normal",
    "S": "supraventricular premature",
    "V": "ventricular premature",
    "F": "fusion of ventricular and normal",
    "Q": "unclassifiable",
    "L": "left bundle branch block",
    "R": "right bundle branch block",
    "B": "bundle branch block",
    "A": "atrial premature",
    "a": "aberrated atrial premature",
    "J": "junctional premature",
    "r": "R-on-T ventricular premature",
    "e": "atrial escape",
    "j": "junctional escape",
    "n": "supraventricular escape",
    "E": "ventricular escape",
    "/": "paced",
    "f": "fusion of paced and normal",
    UNCLASSIFIED: "not classified",
}
_UNCERTAIN_BELOW = 0.7  # highest probability of any class
PAUSE_S = 2.0  # longer intervals are pauses
RUN_BEATS = 3  # least number of consecutive ectopic beats
_RUN_NAMES = {"V": "ventricular", "S": "supraventricular"}
_RATE_INTERVALS = 8  # over which the heart rate is averaged for its extremes
_LISTED = 5  # runs and pauses in a text


class Run(NamedTuple):
    """Consecutive ventricular or supraventricular beats."""

    kind: str  # "V" or "S"
    start: int  # sample of the first beat
    stop: int  # sample of the last beat
    n_beats: int
    heart_rate: float  # beats per minute


class Pause(NamedTuple):
    """Interval between two beats that is longer than 2 s."""

    start: int  # sample of the beat before
    duration_s: float


@dataclass(frozen=True)
class BeatSummary:
    """Summary of the beats of one recording, as a text by ``str``.

    Attributes
    ----------
    fs : float
        Sampling rate in Hz.
    duration_s : float
        Duration of the recording in seconds.
    n_beats : int
        Number of beats.
    heart_rate : tuple of float or None
        Mean, lowest and highest heart rate in beats per minute; the extremes are means over 8
        intervals. Intervals across unreadable stretches are left out. None if there is no
        interval.
    n_beats_of : dict of object to int
        Number of beats of each label, the most frequent first.
    runs : list of tuple
        At least three consecutive ventricular or supraventricular beats: ``kind`` (``"V"`` or
        ``"S"``), ``start`` and ``stop`` (samples of the first and the last beat), ``n_beats`` and
        ``heart_rate``.
    pauses : list of tuple
        Intervals of more than 2 s between two beats: ``start`` (sample of the first) and
        ``duration_s``. Without ``unreadable`` of the beats, also gaps in which none was found.
    unreadable : list of tuple of int or None
        First sample of each unreadable stretch, and that after its last. None if not examined.
    n_uncertain : int
        Number of beats that are not classified, or whose highest probability is below 0.7.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import AnnotatedBeats, summarize_beats
    >>> labels = np.array(["N", "N", "V", "V", "V", "N"])
    >>> beats = AnnotatedBeats(np.array([100, 400, 500, 600, 700, 1500]), labels, None)
    >>> print(summarize_beats(beats, fs=360, n_times=1800))
    Duration     0:00:05
    Beats        6, heart rate 77/min (77 to 77)
                 3  50.0 %  N  normal
                 3  50.0 %  V  ventricular premature
    Runs         3 ventricular beats at 0:00:01, 216/min
    Pauses       2.2 s at 0:00:01
    Unreadable   not examined
    Uncertain    0 beats
    """

    fs: float
    duration_s: float
    n_beats: int
    heart_rate: tuple[float, float, float] | None
    n_beats_of: dict[Any, int]
    runs: list[Run]
    pauses: list[Pause]
    unreadable: list[tuple[int, int]] | None
    n_uncertain: int

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as a dict of values that JSON can represent.

        Returns
        -------
        dict
            The attributes: ``heart_rate`` as a dict of ``mean``, ``min`` and ``max`` or None;
            ``classes``, a list of dicts of ``label``, ``name``, ``n_beats`` and ``share``, in place
            of ``n_beats_of``; ``runs`` and ``pauses`` as lists of dicts; and
            ``unreadable_s``, the length of all unreadable stretches in seconds.
        """
        rate = self.heart_rate
        classes = [
            {
                "label": label,
                "name": class_name(label),
                "n_beats": n_beats,
                "share": n_beats / self.n_beats,
            }
            for label, n_beats in self.n_beats_of.items()
        ]
        stretches = None if self.unreadable is None else [list(pair) for pair in self.unreadable]
        return {
            "fs": self.fs,
            "duration_s": self.duration_s,
            "n_beats": self.n_beats,
            "heart_rate": rate and dict(zip(("mean", "min", "max"), rate, strict=True)),
            "classes": classes,
            "runs": [{**run._asdict(), "name": _RUN_NAMES[run.kind]} for run in self.runs],
            "pauses": [pause._asdict() for pause in self.pauses],
            "unreadable": stretches,
            "unreadable_s": self._unreadable_s(),
            "n_uncertain": self.n_uncertain,
        }

    def __str__(self) -> str:
        """Return the summary as a text of several lines."""
        rate = "no heart rate"
        if self.heart_rate:
            rate = "heart rate {:.0f}/min ({:.0f} to {:.0f})".format(*self.heart_rate)
        width = len(str(self.n_beats))
        classes = [
            f"{'':13}{n_beats:{width}}  {100 * n_beats / self.n_beats:4.1f} %  {label}"
            f"  {class_name(label)}".rstrip()
            for label, n_beats in self.n_beats_of.items()
        ]
        runs = [
            f"{run.n_beats} {_RUN_NAMES[run.kind]} beats at {self._clock(run.start)}, "
            f"{run.heart_rate:.0f}/min"
            for run in sorted(self.runs, key=lambda run: -run.n_beats)
        ]
        pauses = [
            f"{pause.duration_s:.1f} s at {self._clock(pause.start)}"
            for pause in sorted(self.pauses, key=lambda pause: -pause.duration_s)
        ]
        unreadable = "not examined" if self.unreadable is None else "none"
        if seconds := self._unreadable_s():
            n, share = len(self.unreadable or []), 100 * seconds / self.duration_s
            unreadable = f"{as_clock(seconds)} ({share:.1f} %), {n} stretch{'es' * (n != 1)}"
        return "\n".join(
            [
                f"Duration     {as_clock(self.duration_s)}",
                f"Beats        {self.n_beats}, {rate}",
                *classes,
                f"Runs         {_listing(runs)}",
                f"Pauses       {_listing(pauses)}",
                f"Unreadable   {unreadable}",
                f"Uncertain    {self.n_uncertain} beat{'s' * (self.n_uncertain != 1)}",
            ]
        )

    def _clock(self, sample: int) -> str:
        """Return the time of a sample."""
        return as_clock(sample / self.fs)

    def _unreadable_s(self) -> float | None:
        """Return the length of all unreadable stretches in seconds."""
        if self.unreadable is None:
            return None
        return sum(stop - start for start, stop in self.unreadable) / self.fs


def summarize_beats(beats: AnnotatedBeats, *, fs: float, n_times: int) -> BeatSummary:
    """Summarize the beats of one recording.

    Parameters
    ----------
    beats : AnnotatedBeats
        Beats of the recording, as from ``predict`` of `ecgbeat.BeatAnnotator`.
    fs : float
        Sampling rate of the recording in Hz.
    n_times : int
        Number of samples of the recording.

    Returns
    -------
    BeatSummary
        Duration, beats, heart rate, share of each class, runs, pauses, unreadable stretches and
        uncertain beats.

    Raises
    ------
    TypeError
        If ``fs`` or ``n_times`` is not a number.
    ValueError
        If ``fs`` or ``n_times`` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat.annotation import AnnotatedBeats, summarize_beats
    >>> labels = np.array(["N", "V", "N"])
    >>> beats = AnnotatedBeats(np.array([100, 380, 830]), labels, None)
    >>> summary = summarize_beats(beats, fs=360, n_times=3600)
    >>> summary.n_beats_of
    {'N': 2, 'V': 1}
    >>> summary.as_dict()["classes"][1]["name"]
    'ventricular premature'
    """
    fs = check_fs(fs)
    duration_s = check_positive("n_times", n_times, unit="samples") / fs
    stretches = beats.unreadable
    starts = np.empty(0, np.int64) if stretches is None else stretches[:, 0]
    # number of unreadable stretches before each beat, which differs across one
    part = np.searchsorted(starts, beats.sample)
    intervals = np.diff(beats.sample) / fs
    is_readable = np.diff(part) == 0
    labels, counts = np.unique(beats.symbol, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    is_pause = is_readable & (intervals > PAUSE_S)
    return BeatSummary(
        fs,
        duration_s,
        len(beats.sample),
        _heart_rate(intervals[is_readable]),
        dict(zip(labels[order].tolist(), counts[order].tolist(), strict=True)),
        _find_runs(beats, part, fs),
        [
            Pause(int(sample), float(interval))
            for sample, interval in zip(
                beats.sample[:-1][is_pause], intervals[is_pause], strict=True
            )
        ],
        None if stretches is None else [(int(a), int(b)) for a, b in stretches],
        int(is_uncertain(beats).sum()),
    )


def is_uncertain(beats: AnnotatedBeats) -> np.ndarray:
    """Return whether each beat is not classified, or has no probability of at least 0.7."""
    uncertain = beats.symbol == UNCLASSIFIED
    if beats.probability is None or not len(beats.sample):
        return uncertain
    return uncertain | (beats.probability.max(axis=1) < _UNCERTAIN_BELOW)


def class_name(label: Any) -> str:
    """Return the name of a class, "" for labels that WFDB and AAMI do not define."""
    return _CLASS_NAMES.get(label, "")


def as_clock(seconds: float) -> str:
    """Return a time as hours, minutes and seconds, such as ``0:30:05``."""
    minutes, whole = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{whole:02}"


def _heart_rate(intervals: np.ndarray) -> tuple[float, float, float] | None:
    """Return the mean, lowest and highest heart rate, the extremes over several intervals."""
    if not len(intervals):
        return None
    n = min(_RATE_INTERVALS, len(intervals))
    means = np.convolve(intervals, np.full(n, 1 / n), mode="valid")
    return float(60 / intervals.mean()), float(60 / means.max()), float(60 / means.min())


def _find_runs(beats: AnnotatedBeats, part: np.ndarray, fs: float) -> list[Run]:
    """Return the runs of ectopic beats, which end at unreadable stretches."""
    mapping = AAMI_MAPPINGS["literature"]
    runs = []
    keys = [(mapping.get(s), p) for s, p in zip(beats.symbol.tolist(), part.tolist(), strict=True)]
    for (kind, _), group in groupby(range(len(keys)), key=keys.__getitem__):
        members = list(group)
        if kind in _RUN_NAMES and len(members) >= RUN_BEATS:
            start, stop = int(beats.sample[members[0]]), int(beats.sample[members[-1]])
            rate = 60 * fs * (len(members) - 1) / (stop - start)
            runs.append(Run(kind, start, stop, len(members), rate))
    return runs


def _listing(texts: list[str]) -> str:
    """Return the first texts and the number of the others, or "none"."""
    more = len(texts) - _LISTED
    return "; ".join([*texts[:_LISTED], *[f"and {more} more"] * (more > 0)]) or "none"
