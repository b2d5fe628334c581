"""Beats of a signal that is still arriving."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import copy
from functools import partial
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from ecgbeat._recordings import as_signals, bridge_gaps, lead_row
from ecgbeat._validation import check_fs, check_is_fitted, unchanged_on_error
from ecgbeat.annotation import (
    AnnotatedBeats,
    BeatAnnotator,
    fitted_steps,
    resample_recording,
)
from ecgbeat.preprocessing import BandpassFilter
from ecgbeat.signal import (
    PastBeatFeatures,
    QRSComplexes,
    beat_features,
    decimation_step,
    find_qrs_complexes,
    move_to_r_peaks,
    qrs_heights,
    steep_onset,
    unreadable_stretches,
)
from ecgbeat.streaming._annotate import annotate_chunks
from ecgbeat.streaming._classification import Due, classify

_LATENCY_S, _SHORT_LATENCY_S = 1.5, 0.5  # from R peak to decision, at most
_SLACK_S = 0.04  # by which an R peak may move from one look to the next
_UNSETTLED = 0.3  # of the latency: at the end of the signal, R peaks are not yet reliable
_PENDING_S = 0.1  # from the detection to the classification of a beat
_REFRACTORY_S = 0.2  # an R peak this close to the last one is the same, moved
_CONTEXT_S = 15.0  # of signal in which R peaks are detected
_GRID_S = 1.5  # such stretches begin at multiples of it, as the blocks of the detector do
_FILTERED_S = 8.0  # of signal that is filtered
_RATED = 10  # seconds of signal in which the last one is rated
_WARM_UP = 4  # seconds at the beginning that are not rated, since few beats are known
_LENIENCY = 0.75  # of min_quality: without later beats, the quality is rated lower (measured)
_PAUSE_S = 2.0  # after a beat; then the signal is processed in any case
_QRS_S = 0.12  # before and after the R peak
_N_HEIGHTS = 8  # of QRS complexes that are remembered
_STEEP = 0.15  # of their heights; QRS complexes have at least a quarter of the usual height
_ONSET_S = 0.08  # from the onset of a QRS complex to the R peak, in most beats
_SPARE_S = 4.0  # of the buffer, which is moved when it is full
_MOST_LEADS = 16  # of a chunk of fewer samples than leads
_N_PAST = 300  # R peaks on which RR features depend
_N_LEAD = 300  # looks, in the mean of which a lead must be twice as strong as the main one


class BeatStream:
    """Detect and classify the beats of a signal that is still arriving.

    Samples are pushed in chunks of any length. Each push returns the beats that are decided by
    now, each once, and they do not change any more. The division into chunks makes no difference:
    beats, labels and probabilities are the same in every digit.

    Parameters
    ----------
    annotator : BeatAnnotator
        Fitted annotator, whose features do not depend on later beats: one of
        ``make_inter_patient_annotator(future=False)`` or ``future="none"``, or one with a
        ``segmenter`` and with ``rr_features`` False or ``"past"``.
    fs : float or None, default=None
        Sampling rate of the signal in Hz. None is that of the annotator.

    Attributes
    ----------
    latency : float
        Longest time in seconds from an R peak to the decision. 0.5 with ``future="none"``, else
        1.5.
    n_samples : int
        Number of samples since the start.

    See Also
    --------
    BeatAnnotator.predict : Beats of whole recordings.

    Notes
    -----
    The last seconds of the signal are processed as `BeatAnnotator.predict` processes a recording.
    When the signal has passed an R peak by ``latency`` minus 0.14 s, R peaks are detected in the
    last 15 s. 0.1 s later, the last 8 s are filtered, and the beat is classified. In the first
    15 s, the signal is mirrored before its beginning for the detection. These times depend on the
    signal alone, not on its chunks. Beyond the end of the signal, a beat of the usual height is
    supposed to follow.

    Between beats, nothing is detected until the signal is as steep as 0.15 of the smallest of the
    last eight QRS complexes, in any lead, for at most 2 s.

    With ``min_quality`` of the annotator, each second is rated once: when its first beat is
    located, or R peaks were detected in it for the last time. The last 10 s of signal are used,
    with 0.75 times ``min_quality``, since the quality is rated lower without later beats. Of the
    first 4 s, those are unreadable that are missing by half. Beats in unreadable seconds are left
    out. R peaks at which all leads are missing are left out in any case.

    Of several leads, R peaks are located in the one with the strongest QRS complexes, relative to
    its noise. Another one takes its place if it is twice as strong in the mean of some 300 beats:
    R peaks of different leads differ by some samples, and RR intervals with them.

    A stream can be pickled at any time, and goes on from there. It holds 19 s of signal, and the
    features of about 330 beats.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from ecgbeat import BeatAnnotator, BeatStream, ZScoreScaler
    >>> from ecgbeat.datasets import make_recording
    >>> patients = [make_recording(60, random_state=seed) for seed in range(3)]
    >>> classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=1000))
    >>> annotator = BeatAnnotator(classifier, fs=360, mapping="literature").fit(
    ...     [patient.signal for patient in patients], [patient.annotation for patient in patients]
    ... )
    >>> stream = BeatStream(annotator)
    >>> live = make_recording(20, random_state=3).signal
    >>> chunks = np.split(live, range(36, len(live), 36))  # 100 ms each
    >>> decided = [stream.push(chunk) for chunk in chunks] + [stream.flush()]
    >>> sample = np.concatenate([beats.sample for beats in decided])
    >>> at = np.concatenate([beats.decided_at for beats in decided])
    >>> bool(np.all(at - sample <= stream.latency * 360))
    True
    """

    def __init__(self, annotator: BeatAnnotator, *, fs: float | None = None) -> None:
        check_is_fitted(annotator)
        self.annotator = annotator
        self.fs = float(annotator.fs) if fs is None else check_fs(fs)
        self._future = _future_of_features(annotator)
        self.latency = _SHORT_LATENCY_S if self._future == "none" else _LATENCY_S
        _check_reach(annotator, self.latency - _SLACK_S)
        self._times = _Times.at(self.fs, self.latency)
        self.reset()
        self._classify_zeros()

    def reset(self) -> None:
        """Begin anew with another signal, which may have another number of leads."""
        # values are replaced, not modified, so that a failed push can restore them
        self.n_samples = 0
        self._is_ended = False
        self._n_leads: int | None = None  # of the chunks
        self._buffer = np.empty((0, 0))  # the last samples of the selected leads, then free space
        self._first = 0  # sample in the first column of the buffer
        self._next_look = self._times.idle  # sample
        self._awaited: int | None = None  # look at the first beat that was seen and is not due
        self._seen = 0  # samples in which all beats were seen
        self._seen_peak = -self._times.refractory - 1  # last R peak of these
        self._main_lead: _MainLead | None = None
        self._waiting: tuple[_Waiting, ...] = ()
        self._next_norms: int | None = None  # sample
        self._n_rated = 0  # seconds
        self._unreadable: tuple[int, ...] = ()  # the last ones of these seconds
        self._r_peaks = np.empty(0, np.int64)  # the last ones
        self._heights = np.empty((0, 0))  # of the last QRS complexes, (n_beats, n_leads)
        self._bandpass = self._fitted_bandpass()
        self._features = None
        if self._future is not None:
            self._features = PastBeatFeatures(float(self.annotator.fs), self._future)

    def push(self, samples: ArrayLike) -> AnnotatedBeats:
        """Append samples to the signal, and return the beats that are decided by now.

        Parameters
        ----------
        samples : array-like of shape (n_times,) or (n_leads, n_times)
            Next samples in mV, of any number. NaN marks missing samples.

        Returns
        -------
        AnnotatedBeats
            Beats that were not returned before, with samples counted from the start, and with
            ``decided_at``. ``unreadable`` has one row for each second in which no ECG was
            recognized, and that was not returned before; it is None without ``min_quality`` of
            the annotator.

        Raises
        ------
        TypeError
            If ``samples`` are not real numbers.
        ValueError
            If ``samples`` are infinite, or of another shape or number of leads than those before,
            or the signal was ended by `flush`. The stream is unchanged.
        """
        return push_streams([self], [samples])[0]

    def flush(self) -> AnnotatedBeats:
        """End the signal, and return the beats that remain.

        Call `reset` to begin another signal.

        Returns
        -------
        AnnotatedBeats
            As `push`.
        """
        decided = _Decided([], [], [], [], [])
        with unchanged_on_error(self):
            _classify_in_turn([self], [self._end(decided)], [decided])
            self._is_ended = True
        return self._as_beats(decided)

    def annotate(
        self, source: AsyncIterable[ArrayLike] | Iterable[ArrayLike]
    ) -> AsyncGenerator[AnnotatedBeats, None]:
        """Push the chunks of a source, and yield the beats, in asyncio.

        Parameters
        ----------
        source : asynchronous iterable, or iterable, of array-like
            Chunks, as for `push`. The next one is taken when the consumer asks for more beats, so a
            slow consumer loses none. At the end of the source, the stream is flushed.

        Returns
        -------
        asynchronous generator of AnnotatedBeats
            As of `push`, where there are beats or unreadable seconds.

        Raises
        ------
        TypeError
            If ``source`` is not an iterable of chunks.

        See Also
        --------
        ecgbeat.streaming.replay : Recordings in the time in which they were recorded.
        ecgbeat.streaming.LSLInlet : Signals of Lab Streaming Layer.

        Notes
        -----
        If the consumer is canceled or breaks, the stream is not flushed, and goes on with the
        next call. A chunk is processed in the event loop, which waits for it: an hour of signal
        should be given in many chunks.

        Examples
        --------
        >>> async def count(stream, source):  # of ventricular beats
        ...     return sum([(beats.symbol == "V").sum() async for beats in stream.annotate(source)])
        """
        return annotate_chunks(self, source)

    # --- samples ----------------------------------------------------------------------

    def _fitted_bandpass(self) -> Any:
        """Return the filter of the annotator, fitted to the length of the filtered signal."""
        steps = fitted_steps(self.annotator)
        if not isinstance(steps.bandpass, BandpassFilter):
            return steps.bandpass
        leads = np.zeros((1, self._times.filtered))
        if self.fs != steps.fs:
            leads, _ = resample_recording(leads, np.empty(0, np.int64), self.fs, steps.fs)
        return steps.fit_filter(leads, copy=True)

    def _classify_zeros(self) -> None:
        """Classify a beat without waves, so that the first beat takes no longer than others."""
        if self._future is None:
            return
        rate = float(self.annotator.fs)
        n_times = round(self._times.filtered * rate / self.fs)
        leads = np.zeros((self.annotator.n_leads_ or 1, n_times))
        past, middle = PastBeatFeatures(rate, self._future), n_times // 2
        due = Due(self.annotator, self._bandpass, past, leads, middle, np.array([middle]), None)
        classify([due])

    def _check(self, samples: ArrayLike) -> np.ndarray:
        """Return a chunk as (n_leads, n_times)."""
        if self._is_ended:
            raise ValueError("The signal was ended by flush(). Call reset() to begin another one.")
        given = as_signals(samples, "samples")
        chunk = np.atleast_2d(given)
        if chunk.ndim > 2 or not 0 < len(chunk) <= max(_MOST_LEADS, chunk.shape[1]):
            raise ValueError(
                "samples must be of shape (n_times,) or (n_leads, n_times), got shape "
                f"{given.shape}."
            )
        if self._n_leads not in (None, len(chunk)):
            raise ValueError(
                f"samples must have as many leads as those before, {self._n_leads}, got shape "
                f"{given.shape}. Call reset() to begin another signal."
            )
        if np.isinf(chunk).any():
            raise ValueError(
                "samples must be finite or, where they are missing, NaN, got "
                f"{float(chunk[np.isinf(chunk)][0])!r}."
            )
        return chunk

    def _select(self, chunk: np.ndarray) -> np.ndarray:
        """Return the leads of a chunk that the annotator uses."""
        if self.annotator.lead is not None:
            row = lead_row(self.annotator.lead, [str(number) for number in range(len(chunk))])
            chunk = chunk[row : row + 1]
        if self.annotator.n_leads_ not in (None, len(chunk)):
            raise ValueError(
                f"The signal must have {self.annotator.n_leads_} leads, as seen in fit of the "
                f"annotator, got {len(chunk)}."
            )
        return chunk

    def _append(self, leads: np.ndarray) -> None:
        """Append leads to the buffer; where it is full, begin a new one with the last samples."""
        n_free = self._first + self._buffer.shape[1] - self.n_samples
        if n_free < leads.shape[1]:
            kept = self._last(self._times.context + self._times.grid)
            kept = kept if self.n_samples else np.empty((len(leads), 0))
            width = kept.shape[1] + max(self._times.spare, leads.shape[1])
            self._buffer = np.empty((len(leads), width))
            self._buffer[:, : kept.shape[1]] = kept
            self._first = self.n_samples - kept.shape[1]
        column = self.n_samples - self._first
        self._buffer[:, column : column + leads.shape[1]] = leads
        self.n_samples += leads.shape[1]

    def _last(self, n_times: int) -> np.ndarray:
        """Return the last samples, or all that there are; a view."""
        stop = self.n_samples - self._first
        return self._buffer[:, max(0, stop - n_times) : stop]

    # --- decisions --------------------------------------------------------------------

    def _advance(self, chunk: np.ndarray, decided: "_Decided") -> Iterator[Due]:
        """Append a chunk, and yield each beat when its class is due."""
        self._n_leads = len(chunk)
        leads = self._select(chunk)
        while leads.shape[1]:
            n_taken = min(self._next_event() - self.n_samples, leads.shape[1])
            self._append(leads[:, :n_taken])
            leads = leads[:, n_taken:]
            yield from self._process(decided)

    def _end(self, decided: "_Decided") -> Iterator[Due]:
        """Yield the beats that remain."""
        if self.n_samples == 0 or self._is_ended:
            return
        self._look(decided, at_end=True)
        self._waiting = tuple(b._replace(decided_at=self.n_samples) for b in self._waiting)
        yield from self._decide()
        decided.unreadable[:] = [
            (first, min(stop, self.n_samples)) for first, stop in decided.unreadable
        ]

    def _next_event(self) -> int:
        """Return the number of samples at which the signal is processed next."""
        events = [self._next_look, *(beat.decided_at for beat in self._waiting[:1])]
        if self._next_norms is not None:
            events.append(self._next_norms)
        return min(events)

    def _process(self, decided: "_Decided") -> Iterator[Due]:
        """Yield beats that are due, compute norms, and look for new beats, each if it is time.

        These steps are at different times, so that none of many short pushes takes long.
        """
        yield from self._decide()
        if self.n_samples == self._next_norms:
            self._next_norms = None
            self._features = copy(self._features)
            if self._features is not None:
                self._features.prepare()
        if self.n_samples == self._next_look != self._awaited:
            self._foresee()
        if self.n_samples == self._next_look:
            self._look(decided)

    def _rate(self, decided: "_Decided", last: int) -> None:
        """Decide whether the seconds that begin up to a sample are readable."""
        for second in range(self._n_rated, _second_of(last, self.fs) + 1 if last >= 0 else 0):
            self._n_rated = second + 1
            if self.annotator.min_quality and not self._is_readable(second):
                self._unreadable = (*self._unreadable[-_RATED:], second)
                start, stop = _second(second, self.fs), _second(second + 1, self.fs)
                decided.unreadable.append((start, stop))

    def _is_readable(self, second: int) -> bool:
        """Return whether an ECG can be recognized in a second."""
        first = _second(max(0, second - _RATED + 1), self.fs)
        start, stop = (_second(number, self.fs) - first for number in (second, second + 1))
        leads = self._last(self.n_samples - first)
        if second < _WARM_UP:
            return bool(np.isnan(leads[:, start:stop]).mean(axis=1).min() < 0.5)
        limit = _LENIENCY * self.annotator.min_quality
        ends = unreadable_stretches(leads, self.fs, min_quality=limit).ravel()
        return np.searchsorted(ends, start + 1, side="right") % 2 == 0

    def _foresee(self) -> None:
        """Set the time of the next look by the first steep wave, which may be a QRS complex.

        This takes far less time than a look that finds no beat.
        """
        times, now = self._times, self.n_samples
        last_peak = self._seen_peak if self._awaited is None else self._awaited - times.look
        if len(self._heights) < _N_HEIGHTS or now - last_peak > times.pause:
            return  # look now
        first = max(self._seen_peak + times.refractory, self._seen)
        limits = _STEEP * self._heights.min(axis=0)
        onset = steep_onset(self._last(now - first), self.fs, limits)
        if onset is None:
            next_look = now + times.idle
        else:  # later, if a larger wave has followed since
            next_look = max(now, first + onset + times.onset + times.look)
        self._next_look = next_look if self._awaited is None else min(next_look, self._awaited)

    def _look(self, decided: "_Decided", *, at_end: bool = False) -> None:
        """Detect R peaks in the last samples, and let those that are due wait for the decision.

        The seconds in which they are are rated.
        """
        times, now = self._times, self.n_samples
        begin = max(0, now - times.context) // times.grid * times.grid
        peaks = self._detect(begin) + begin
        peaks = peaks[peaks > self._seen_peak + times.refractory]
        peaks = peaks[peaks + times.latency > now]
        n_due = len(peaks) if at_end else int(np.searchsorted(peaks, now - times.look, "right"))
        decided_at = np.minimum(now + times.pending, peaks + times.latency).tolist()
        following = [*peaks[1:].tolist(), None]
        due = list(map(_Waiting, decided_at, peaks.tolist(), following))[:n_due]
        self._waiting = (*self._waiting, *due)
        if n_due:
            self._seen_peak = int(peaks[n_due - 1])
        self._seen = now - times.unsettled
        passed = now - 1 if at_end else now - times.look - times.second
        self._rate(decided, max(passed, self._seen_peak))
        self._next_look, self._awaited = now + times.idle, None
        if n_due < len(peaks):
            self._awaited = int(peaks[n_due]) + times.look
            self._next_look = min(self._next_look, self._awaited)

    def _detect(self, begin: int) -> np.ndarray:
        """Return the R peaks since a sample that are not missing, at least those not yet seen."""
        with_gaps = self._last(self.n_samples - begin)
        leads = bridge_gaps(with_gaps)
        # the detector needs the level of several beats: at the beginning, the signal is mirrored
        n_missing = max(0, self._times.context - self.n_samples)
        if n_missing:
            leads = np.pad(leads, ((0, 0), (n_missing, 0)), mode="symmetric")
        peaks = self._new_r_peaks(leads, self._seen_peak - begin + n_missing) - n_missing
        peaks = peaks[peaks >= 0]
        return peaks[~np.isnan(with_gaps[:, peaks]).all(axis=0)]

    def _new_r_peaks(self, leads: np.ndarray, seen: int) -> np.ndarray:
        """Return at least the R peaks after the last one that was seen."""
        steps = fitted_steps(self.annotator)
        if steps.detector is not None:
            return steps.detect(leads, self.fs)
        complexes = find_qrs_complexes(leads, self.fs, is_ongoing=True)
        self._main_lead = _MainLead.after(self._main_lead, complexes.strength)
        # the side of the extremum is that of most of the last beats
        first = max(0, int(np.searchsorted(complexes.samples, seen)) - _N_HEIGHTS)
        last = QRSComplexes(complexes.samples[first:], complexes.strength[:, first:])
        return move_to_r_peaks(leads, last, self.fs, self._main_lead.number)

    def _decide(self) -> Iterator[Due]:
        """Yield the beats whose time has come, unless they are in unreadable seconds."""
        while self._waiting and self._waiting[0].decided_at <= self.n_samples:
            beat, *rest = self._waiting
            self._waiting = tuple(rest)
            if _second_of(beat.r_peak, self.fs) not in self._unreadable:
                leads = bridge_gaps(self._last(self._times.filtered))
                self._remember_height(leads, beat.r_peak - self.n_samples + leads.shape[1])
                yield self._due(leads, beat.r_peak, beat.following)

    def _remember_height(self, leads: np.ndarray, position: int) -> None:
        """Append the height of the QRS complex at a position to those of the last beats."""
        around = leads[:, max(0, position - self._times.qrs) : position + self._times.qrs]
        height = qrs_heights(around, self.fs)[np.newaxis]
        last = self._heights[1 - _N_HEIGHTS :] if len(self._heights) else height[:0]
        self._heights = np.concatenate([last, height])

    def _due(self, leads: np.ndarray, r_peak: int, following: int | None) -> Due:
        """Return the beat at an R peak for classification.

        ``leads`` are the last samples, without gaps.
        """
        self._r_peaks = np.append(self._r_peaks, r_peak)[-_N_PAST:]
        position = np.array([r_peak - (self.n_samples - leads.shape[1])])
        r_peaks, rate = self._r_peaks, float(self.annotator.fs)
        if self.fs != rate:
            leads, position = resample_recording(leads, position, self.fs, rate)
            r_peaks = np.round(r_peaks * (rate / self.fs)).astype(np.int64)
            following = None if following is None else round(following * (rate / self.fs))
        if self._features is not None:
            self._features = copy(self._features)  # see reset
            self._next_norms = self.n_samples + self._times.pending
        numbers = int(position[0]), r_peaks, following
        return Due(self.annotator, self._bandpass, self._features, leads, *numbers)

    def _as_beats(self, decided: "_Decided") -> AnnotatedBeats:
        """Return the result of a push."""
        classes = self.annotator.classes_
        probability = None
        if hasattr(self.annotator.classifier_, "predict_proba"):
            probability = np.concatenate([np.empty((0, len(classes))), *decided.probability])
        beats = AnnotatedBeats(
            np.array(decided.sample, np.int64),
            np.concatenate([classes[:0], *decided.label]),
            probability,
        )
        beats.decided_at = np.array(decided.at, np.int64)
        if self.annotator.min_quality:
            beats.unreadable = np.array(decided.unreadable, np.int64).reshape(-1, 2)
        return beats


def push_streams(
    streams: Sequence[BeatStream], samples: Sequence[ArrayLike]
) -> list[AnnotatedBeats]:
    """Push the next samples of many streams, and classify their beats together.

    The beats are those of `ecgbeat.BeatStream.push` of each stream, in every digit, in less time.
    Streams may be added and removed between two calls.

    Parameters
    ----------
    streams : sequence of BeatStream
        Streams, each of them once. The beats of those with the same annotator, the same object,
        are classified together.
    samples : sequence of array-like
        Next samples of each stream, as in `ecgbeat.BeatStream.push`, of any number.

    Returns
    -------
    list of AnnotatedBeats
        Beats of each stream, as `ecgbeat.BeatStream.push` returns.

    Raises
    ------
    TypeError, ValueError
        If the samples of a stream are invalid, as in `ecgbeat.BeatStream.push`, or their number is
        not that of the streams, or a stream occurs twice. All streams are unchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from ecgbeat import BeatStream, load_pretrained
    >>> from ecgbeat.datasets import make_recording
    >>> from ecgbeat.streaming import push_streams
    >>> annotator = load_pretrained("nsvf-live")
    >>> streams = [BeatStream(annotator) for _ in range(3)]
    >>> signals = [make_recording(10, random_state=seed).signal for seed in range(3)]
    >>> [len(beats.sample) > 5 for beats in push_streams(streams, signals)]
    [True, True, True]
    """
    streams, samples = list(streams), list(samples)
    if len(samples) != len(streams):
        raise ValueError(
            f"samples must have one entry for each of the {len(streams)} streams, got "
            f"{len(samples)}."
        )
    if len({id(stream) for stream in streams}) < len(streams):
        raise ValueError("streams must hold each stream once, got one of them twice.")
    pairs = zip(streams, samples, strict=True)
    chunks = [(stream, stream._check(of_stream)) for stream, of_stream in pairs]
    decided = [_Decided([], [], [], [], []) for _ in streams]
    with ExitStack() as stack:
        for stream in streams:
            stack.enter_context(unchanged_on_error(stream))
        advancing = [
            stream._advance(chunk, of_stream)
            for (stream, chunk), of_stream in zip(chunks, decided, strict=True)
        ]
        _classify_in_turn(streams, advancing, decided)
    return [s._as_beats(of_stream) for s, of_stream in zip(streams, decided, strict=True)]


def _classify_in_turn(
    streams: Sequence[BeatStream],
    advancing: Sequence[Iterator[Due]],
    decided: Sequence["_Decided"],
) -> None:
    """Classify the first beat of each stream that is due, then the second ones, and so on."""
    remaining = list(range(len(streams)))
    while True:
        due = {k: beat for k in remaining if (beat := next(advancing[k], None)) is not None}
        if not due:
            return
        remaining = list(due)
        for k, (label, probability) in zip(due, classify(list(due.values())), strict=True):
            decided[k].sample.append(int(streams[k]._r_peaks[-1]))
            decided[k].label.append(label)
            decided[k].probability.append(probability)
            decided[k].at.append(streams[k].n_samples)


class _Decided(NamedTuple):
    """Decisions of one push."""

    sample: list[int]
    label: list[np.ndarray]  # (1,) each
    probability: list[np.ndarray | None]  # (1, n_classes) each
    at: list[int]
    unreadable: list[tuple[int, int]]


class _Waiting(NamedTuple):
    """Beat that was seen, and is not yet classified."""

    decided_at: int
    r_peak: int
    following: int | None  # next R peak, None if it was not yet seen


class _MainLead(NamedTuple):
    """Lead in which R peaks are located, which rarely changes: RR intervals across a change vary.

    The longer the signal is, the stronger the QRS complexes of another lead must be to replace it,
    up to twice as strong.
    """

    number: int
    strength: np.ndarray  # (n_leads,), mean of the last looks
    n_looks: int

    @classmethod
    def after(cls, former: Self | None, strength: np.ndarray) -> Self:
        """Return the main lead after a look at QRS complexes, of shape (n_leads, n_complexes)."""
        present = strength.mean(axis=1) if strength.shape[1] else np.zeros(len(strength))
        if former is None or not former.strength.any():
            return cls(int(present.argmax()), present, 1)
        n_looks = min(former.n_looks + 1, _N_LEAD)
        mean = former.strength + (present - former.strength) / n_looks
        is_weaker = mean.max() > (1 + n_looks / _N_LEAD) * mean[former.number]
        return cls(int(mean.argmax()) if is_weaker else former.number, mean, n_looks)


class _Times(NamedTuple):
    """Durations in samples."""

    latency: int
    unsettled: int  # at the end of the signal
    pending: int  # from a look to the decision
    look: int  # of signal behind an R peak, when it is seen for the last time, at least
    second: int
    idle: int  # from one look to the next, at most
    refractory: int
    context: int
    grid: int
    filtered: int
    pause: int
    onset: int
    qrs: int
    spare: int

    @classmethod
    def at(cls, fs: float, latency: float) -> Self:
        """Return the durations at a sampling rate."""
        step = decimation_step(fs)
        seconds = {
            "latency": latency,
            "unsettled": _UNSETTLED * latency,
            "pending": _PENDING_S,
            "look": latency - _SLACK_S - _PENDING_S,
            "second": 1.0,
            "idle": (1 - _UNSETTLED) * latency - 1.5 * _SLACK_S,
            "refractory": _REFRACTORY_S,
            "context": _CONTEXT_S,
            "filtered": _FILTERED_S,
            "pause": _PAUSE_S,
            "onset": _ONSET_S,
            "qrs": _QRS_S,
            "spare": _SPARE_S,
        }
        samples = {name: max(1, int(s * fs)) for name, s in seconds.items()}
        return cls(**samples, grid=max(1, round(_GRID_S * fs / step)) * step)


def _future_of_features(annotator: BeatAnnotator) -> Any:
    """Return ``future`` of `beat_features` of an annotator, None if it cuts windows instead."""
    features = annotator.features_
    if features is None:
        if annotator.rr_features and annotator.rr_features != "past":
            raise ValueError(
                f"rr_features={annotator.rr_features!r} of the annotator needs later beats, which "
                'a live signal does not have yet. Fit the annotator with rr_features="past".'
            )
        return None
    function, options = features, {}
    if isinstance(features, partial):
        function, options = features.func, features.keywords
    if function is not beat_features:
        raise ValueError(
            "A stream computes the features of ecgbeat.signal.beat_features, got an annotator with "
            f"features={features!r}. Use make_inter_patient_annotator(future=False), or an "
            "annotator with a segmenter."
        )
    future = options.get("future", True)
    if not isinstance(future, str) and future:
        raise ValueError(
            "The features of the annotator, with future=True, need later beats, which a live "
            "signal does not have yet. Fit make_inter_patient_annotator(future=False), or "
            'future="none".'
        )
    return future


def _check_reach(annotator: BeatAnnotator, depth: float) -> None:
    """Raise if the beats of an annotator end after they must be classified."""
    after = getattr(annotator.segmenter_, "after", 0.0)
    if after > depth:
        raise ValueError(
            f"The segmenter of the annotator cuts beats until {after!r} s after the R peak, but "
            f"they are classified {depth:g} s after it. Fit the annotator with a smaller after."
        )


def _second(number: int, fs: float) -> int:
    """Return the first sample of a second."""
    return round(number * fs)


def _second_of(sample: int, fs: float) -> int:
    """Return the number of the second of a sample."""
    number = int(sample / fs) + 1
    while _second(number, fs) > sample:
        number -= 1
    return number
