"""Tests of the beats of a signal that is still arriving."""

import pickle
import subprocess
import sys
from copy import copy
from functools import partial

import numpy as np
import pytest
from scipy.signal import find_peaks
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from ecgbeat import (
    BeatAnnotator,
    BeatStream,
    ECGCNNClassifier,
    RPeakSegmenter,
    ZScoreScaler,
    load_model,
    save_model,
)
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.datasets import make_recording
from ecgbeat.metrics import match_beats
from ecgbeat.signal import beat_features, detect_r_peaks, rr_feature_names
from ecgbeat.streaming import push_streams

FS = 150.0
WEIGHTS = {"N": 0.7, "A": 0.1, "V": 0.2}


def record(duration, seed, n_leads=2, fs=FS):
    return make_recording(duration, fs=fs, n_leads=n_leads, weights=WEIGHTS, random_state=seed)


def fit(annotator, n_leads=2):
    ecgs = [record(30, seed, n_leads) for seed in range(2)]
    return annotator.fit([ecg.signal for ecg in ecgs], [ecg.annotation for ecg in ecgs])


def windows(**options):
    """Return an annotator that classifies the waves of beats."""
    defaults = {
        "classifier": make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=1000)),
        "fs": FS,
        "segmenter": RPeakSegmenter(FS, n_times=32),
        "lead": None,
    }
    return BeatAnnotator(**(defaults | options))


KINDS = {
    "next beat": partial(make_inter_patient_annotator, FS, future=False, random_state=0),
    "past": partial(make_inter_patient_annotator, FS, future="none", random_state=0),
    "windows": partial(windows, rr_features="past", min_quality=0.5, abstain_below=0.6),
}


@pytest.fixture(scope="module")
def annotators():
    """Return one fitted annotator of each kind."""
    return {kind: fit(make()) for kind, make in KINDS.items()}


@pytest.fixture(scope="module", params=KINDS)
def annotator(annotators, request):
    """Return each of the fitted annotators."""
    return annotators[request.param]


@pytest.fixture(scope="module")
def signal():
    """Return 26 s of two leads with gaps, one of them in both leads, and lost electrodes."""
    leads = record(26, 7).signal.copy()
    leads[0, 300:420] = np.nan
    leads[:, 1500:1503] = np.nan
    leads[:, 1800:3000] = np.random.default_rng(3).normal(scale=0.01, size=(2, 1200))
    return leads


def run(stream, chunks, *, repickle=False):
    """Push all chunks, flush, and return what was decided."""
    decided = []
    for chunk in chunks:
        decided.append(stream.push(chunk))
        if repickle:
            stream = pickle.loads(pickle.dumps(stream))
    return join([*decided, stream.flush()])


def join(decided):
    """Concatenate results of pushes: R peaks, labels, probabilities, decisions, stretches."""
    parts = [(*beats, beats.decided_at, beats.unreadable) for beats in decided]
    return [np.concatenate(part) for part in zip(*parts, strict=True) if part[0] is not None]


def assert_same(result, expected):
    assert len(result) == len(expected)
    for values, wanted in zip(result, expected, strict=True):
        np.testing.assert_array_equal(values, wanted)
        assert values.dtype == wanted.dtype


@pytest.fixture(scope="module")
def expected(annotator, signal):
    """Return the decisions about the signal in one chunk."""
    return run(BeatStream(annotator), [signal])


# --- chunks ---------------------------------------------------------------------------


@pytest.mark.parametrize("n_cuts", [10, 1000])
def test_chunks_make_no_difference(annotator, signal, expected, n_cuts):
    cuts = np.sort(np.random.default_rng(0).integers(0, signal.shape[1], n_cuts))
    assert_same(run(BeatStream(annotator), np.split(signal, cuts, axis=1)), expected)


def test_single_samples_make_no_difference(annotators, signal):
    stream = BeatStream(annotators["windows"])
    head = signal[:, :900]
    assert_same(run(stream, head.T[:, :, None]), run(BeatStream(stream.annotator), [head]))


@pytest.mark.slow
def test_pickling_makes_no_difference(annotator, signal, expected):
    chunks = np.split(signal, range(200, signal.shape[1], 200), axis=1)
    assert_same(run(BeatStream(annotator), chunks, repickle=True), expected)


def test_chunks_make_no_difference_at_another_rate(annotators):
    leads = record(12, 3, fs=361.5).signal
    stream = BeatStream(annotators["next beat"], fs=361.5)
    expected = run(stream, [leads])
    stream.reset()
    assert_same(run(stream, np.split(leads, range(0, leads.shape[1], 97), axis=1)), expected)
    assert len(expected[0]) > 8


def test_type_of_numbers_makes_no_difference(annotators, signal):
    units = np.round(np.nan_to_num(signal) * 200)[:, :1500]
    results = [
        run(BeatStream(annotators["windows"]), [units.astype(dtype)])
        for dtype in (np.int16, np.float32, np.float64)
    ]
    assert_same(results[0], results[1])
    assert_same(results[0], results[2])


# --- many streams ---------------------------------------------------------------------


def test_streams_pushed_together_decide_as_each_by_itself(annotators, signal):
    """Streams of all annotators, two numbers of leads and two rates, some of which begin later."""
    makers = [lambda a=a: BeatStream(a) for a in annotators.values()]
    makers += [lambda: BeatStream(annotators["past"], fs=200.0)]
    signals = [signal[:, :1700], signal[:, 900:2700], signal[:, :1500], signal[:, 300:1200]]
    makers += [lambda: BeatStream(annotators["next beat"])] * 2
    signals += [signal[:1, 1000:2200], signal[::-1, :1100]]
    expected = [run(make(), [x]) for make, x in zip(makers, signals, strict=True)]
    assert sum(len(result[0]) for result in expected) > 40
    streams, decided = [make() for make in makers], [[] for _ in makers]
    for turn in range(0, 2000, 47):
        active = [k for k in range(len(streams)) if turn >= 100 * k]
        chunks = [signals[k][:, turn - 100 * k :][:, :47] for k in active]
        # the rest of the turn before the first one of a later stream
        chunks = [
            signals[k][:, : turn - 100 * k + 47] if not decided[k] else chunk
            for k, chunk in zip(active, chunks, strict=True)
        ]
        for k, beats in zip(
            active, push_streams([streams[k] for k in active], chunks), strict=True
        ):
            decided[k].append(beats)
    for k, stream in enumerate(streams):
        assert_same(join([*decided[k], stream.flush()]), expected[k])


def test_failed_push_changes_none_of_the_streams(annotators, signal):
    streams = [BeatStream(annotators["past"]) for _ in range(2)]
    push_streams(streams, [signal[:, :1000]] * 2)
    with pytest.raises(ValueError, match="finite or, where they are missing, NaN, got inf"):
        push_streams(streams, [signal[:, 1000:1600], np.full((2, 5), np.inf)])
    assert [stream.n_samples for stream in streams] == [1000, 1000]
    beats = push_streams(streams, [signal[:, 1000:1400]] * 2)
    one = BeatStream(annotators["past"])
    one.push(signal[:, :1000])
    np.testing.assert_array_equal(beats[1].probability, one.push(signal[:, 1000:1400]).probability)


def test_wrong_streams_raise(annotators, signal):
    stream = BeatStream(annotators["past"])
    with pytest.raises(ValueError, match="one entry for each of the 1 streams, got 2"):
        push_streams([stream], [signal[:, :10]] * 2)
    with pytest.raises(ValueError, match="each stream once"):
        push_streams([stream, stream], [signal[:, :10]] * 2)
    assert push_streams([], []) == []
    assert stream.n_samples == 0


# --- decisions ------------------------------------------------------------------------


def test_beats_are_those_of_the_recording(annotator):
    agree = []
    for seed in range(11, 15):
        ecg = record(20, seed)
        sample, label, _, _, unreadable = run(BeatStream(annotator), [ecg.signal])
        offline = annotator.predict([ecg.signal])[0]
        matches = match_beats(offline.sample, sample, FS, tolerance=0.1)
        assert len(matches.missed) + len(matches.extra) <= 1
        equal = offline.symbol[matches.reference_index] == label[matches.detected_index]
        agree.extend(equal[5:])  # filters settle in the first seconds
        assert len(unreadable) == 0
    assert np.mean(agree) > 0.9


def highest(leads, fs):
    """Return maxima, which do not depend on what comes later."""
    return find_peaks(leads[0], height=0.5, distance=0.3 * fs)[0]


def test_without_future_the_classes_are_those_of_the_recording(annotators):
    annotator = copy(annotators["past"]).set_params(detector=highest)
    signal = record(60, 7).signal
    sample, label, probability, _, _ = run(BeatStream(annotator), [signal])
    offline = annotator.predict([signal])[0]
    np.testing.assert_array_equal(sample, offline.sample)
    np.testing.assert_array_equal(label, offline.symbol)
    np.testing.assert_allclose(probability, offline.probability, atol=1e-4)


def test_beats_ascend_and_are_decided_in_time(annotator, expected):
    sample, _, _, decided_at, _ = expected
    assert (np.diff(sample) > 0).all()
    assert (np.diff(decided_at) >= 0).all()
    assert (decided_at - sample).max() <= BeatStream(annotator).latency * FS


def test_latency_depends_on_the_features(annotators):
    latency = {kind: BeatStream(annotator).latency for kind, annotator in annotators.items()}
    assert latency == {"next beat": 1.5, "past": 0.5, "windows": 1.5}


def test_push_returns_beats_as_soon_as_they_are_decided(annotators, signal):
    stream = BeatStream(annotators["past"])
    for chunk in np.split(signal, range(1, 900, 1), axis=1)[:-1]:
        beats = stream.push(chunk)
        assert (beats.decided_at == stream.n_samples).all()


def test_later_samples_change_no_decision(annotator, signal, expected):
    stream = BeatStream(annotator)
    early = stream.push(signal[:, :1700])
    n_beats = len(early.sample)
    assert n_beats > 5
    np.testing.assert_array_equal(early.sample, expected[0][:n_beats])
    np.testing.assert_array_equal(early.probability, expected[2][:n_beats])
    other = stream.push(10 * signal[::-1, :500])
    assert len(other.sample) == 0 or other.sample[0] > early.sample[-1]


def test_lost_electrodes_are_reported_and_not_classified(expected):
    sample, _, _, _, unreadable = expected
    assert (unreadable % FS == 0).all()
    assert ((unreadable >= 1800) & (unreadable <= 3300)).all()
    assert len(unreadable) >= 4
    for first, stop in unreadable:
        assert not ((sample >= first) & (sample < stop)).any()


def test_beats_after_pauses_are_readable(annotators):
    ecg = make_recording(40, fs=FS, weights={"N": 1.0}, random_state=3)
    parts = np.split(ecg.signal, ecg.r_peaks[15::5] - int(0.25 * FS))
    pause = np.random.default_rng(0).normal(scale=0.03, size=int(2.2 * FS))
    pieces = [piece for part in parts for piece in (part, pause + part[-1])]
    signal = np.concatenate(pieces[:-1])
    sample, *_, unreadable = run(BeatStream(annotators["past"]), [signal])
    n_beats = len(detect_r_peaks(signal, FS))
    assert n_beats >= len(ecg.r_peaks) - 1
    assert len(unreadable) == 0
    assert len(sample) == n_beats


def test_missing_samples_hold_no_beats(annotators):
    ecg = record(20, 5)
    leads = ecg.signal.copy()
    leads[:, 900:1800] = np.nan
    sample, *_, unreadable = run(BeatStream(annotators["past"]), [leads])
    assert not ((sample >= 900) & (sample < 1800)).any()
    assert (sample > 1800).sum() > 5
    assert set(range(900, 1800, 150)) <= set(unreadable[:, 0].tolist())


def test_signal_of_missing_samples_alone(annotator):
    sample, *_, unreadable = run(BeatStream(annotator), [np.full((2, 3000), np.nan)])
    assert len(sample) == 0
    assert len(unreadable) == 20


def test_abstention_gives_question_marks(annotators, signal):
    probable = run(BeatStream(annotators["windows"]), [signal])
    is_unsure = probable[2].max(axis=1) < 0.6
    np.testing.assert_array_equal(probable[1] == "?", is_unsure)


def test_classifier_without_probabilities():
    annotator = fit(windows().set_params(classifier=LinearSVC()))
    beats = BeatStream(annotator).push(record(8, 2).signal)
    assert beats.probability is None
    assert beats.unreadable is None
    assert len(beats.symbol) == len(beats.sample) > 3


def test_late_next_beat_is_not_awaited(annotators):
    heart = np.zeros(1500)
    heart[[200, 320, 440, 560, 1200]] = 1.0  # a pause of more than 4 s
    stream = BeatStream(annotators["next beat"])
    beats = stream.push(np.convolve(heart, np.hanning(9), "same")[None] * [[1.0], [0.5]])
    at = dict(zip(beats.sample.tolist(), beats.decided_at.tolist(), strict=True))
    assert at[560] - 560 <= 1.5 * FS


# --- life of a stream -----------------------------------------------------------------


def test_flush_returns_the_rest_once(annotators, signal):
    stream = BeatStream(annotators["next beat"])
    pushed, rest = stream.push(signal[:, :1200]), stream.flush()
    assert len(rest.sample) >= 1
    assert rest.sample[0] > pushed.sample[-1]
    assert (rest.decided_at == 1200).all()
    assert len(stream.flush().sample) == 0
    with pytest.raises(ValueError, match=r"ended by flush\(\). Call reset\(\)"):
        stream.push(signal)


def test_flush_without_samples(annotator):
    beats = BeatStream(annotator).flush()
    assert len(beats.sample) == len(beats.symbol) == len(beats.decided_at) == 0
    assert beats.probability.shape == (0, len(annotator.classes_))


@pytest.mark.slow
def test_reset_begins_anew(annotator, signal, expected):
    stream = BeatStream(annotator)
    stream.push(signal[:, 600:1700])
    stream.reset()
    assert stream.n_samples == 0
    assert_same(run(stream, [signal]), expected)


def size(stream):
    """Return the number of bytes of a stream without its annotator."""
    return len(pickle.dumps(stream)) - len(pickle.dumps(stream.annotator))


@pytest.mark.slow
def test_memory_is_constant(annotators):
    ecg = make_recording(60, fs=FS, n_leads=2, heart_rate=170.0, random_state=0)
    stream, sizes = BeatStream(annotators["past"]), []
    for _ in range(4):
        assert len(stream.push(ecg.signal).sample) > 150
        sizes.append(size(stream))
    assert sizes[3] == pytest.approx(sizes[2], abs=2000)  # numbers of some bytes more
    assert len(stream._buffer[0]) <= 22 * FS
    assert sizes[3] < 1e6


@pytest.mark.slow
def test_an_hour(annotators):
    random, stream, n_beats, sizes = np.random.default_rng(0), BeatStream(annotators["past"]), 0, []
    for minute in range(60):
        leads = record(60, minute).signal
        leads[:, : random.integers(600)] = np.nan
        cuts = np.sort(random.integers(0, leads.shape[1], 100))
        beats = join([stream.push(chunk) for chunk in np.split(leads, cuts, axis=1)])
        n_beats += len(beats[0])
        assert (beats[3] - beats[0]).max() <= stream.latency * FS
        sizes.append(size(stream))
    assert n_beats > 60 * 40
    assert max(sizes) == pytest.approx(sizes[10], rel=0.1)


CHILD = """
import os, pickle, sys
import numpy as np
state, signal = sys.argv[1:]
signal = np.load(signal)
with open(state, "rb") as file:
    stream, decided = pickle.load(file)
while stream.n_samples < signal.shape[1]:
    decided.append(stream.push(signal[:, stream.n_samples : stream.n_samples + 37]))
    with open(state + ".new", "wb") as file:
        pickle.dump((stream, decided), file)
    os.replace(state + ".new", state)
    print(stream.n_samples, flush=True)
"""


@pytest.mark.slow
def test_killed_process_is_resumed_from_its_pickle(annotators, signal, tmp_path):
    state = tmp_path / "state.pickle"
    state.write_bytes(pickle.dumps((BeatStream(annotators["past"]), [])))
    np.save(tmp_path / "signal.npy", signal)
    command = [sys.executable, "-c", CHILD, str(state), str(tmp_path / "signal.npy")]
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for _ in range(20):
                child.stdout.readline()
            child.kill()
    stream, decided = pickle.loads(state.read_bytes())
    assert 0 < stream.n_samples < signal.shape[1]
    decided += [stream.push(signal[:, stream.n_samples :]), stream.flush()]
    assert_same(join(decided), run(BeatStream(annotators["past"]), [signal]))


def test_loaded_model_gives_the_same_beats(annotators, signal, tmp_path):
    save_model(annotators["past"], tmp_path / "model.safetensors")
    streams = [
        BeatStream(annotator)
        for annotator in (annotators["past"], load_model(tmp_path / "model.safetensors"))
    ]
    assert_same(*(run(stream, [signal[:, :1500]]) for stream in streams))


@pytest.mark.slow
def test_chunks_make_no_difference_to_a_network(signal):
    n_columns = len(rr_feature_names(future=False))
    network = ECGCNNClassifier(n_leads=2, n_aux_features=n_columns, max_epochs=2, random_state=0)
    annotator = fit(windows(classifier=network, rr_features="past"))
    whole = run(BeatStream(annotator), [signal])
    chunks = np.split(signal, range(0, signal.shape[1], 61), axis=1)
    assert_same(run(BeatStream(annotator), chunks, repickle=True), whole)
    assert len(whole[0]) > 15


def test_beats_are_found_without_looking_everywhere(annotators, monkeypatch):
    ecg = record(40, 1)
    stream, looks = BeatStream(annotators["past"]), []
    detect = BeatStream._detect
    monkeypatch.setattr(BeatStream, "_detect", lambda *a: looks.append(1) or detect(*a))
    sample = run(stream, [ecg.signal])[0]
    n_looks = len(looks)
    monkeypatch.setattr(BeatStream, "_foresee", lambda _: None)  # look in any case
    stream.reset()
    everywhere = run(stream, [ecg.signal])[0]
    assert n_looks < 0.7 * (len(looks) - n_looks)
    matches = match_beats(everywhere, sample, FS, tolerance=0.02)
    assert len(matches.missed) == len(matches.extra) == 0


def test_r_peaks_stay_in_one_lead(annotators):
    ecg = make_recording(120, fs=FS, n_leads=1, weights={"N": 1.0}, random_state=2)
    later = np.roll(ecg.signal, 5)  # its R peaks come 33 ms after those of the other lead
    gain = 1 + 0.4 * np.sin(2 * np.pi * np.arange(len(later)) / (20 * FS))
    leads = np.stack([ecg.signal * gain, later * gain[::-1]])
    sample = run(BeatStream(annotators["past"]), [leads])[0]
    matches = match_beats(ecg.r_peaks, sample, FS, tolerance=0.05)
    shift = sample[matches.detected_index] - ecg.r_peaks[matches.reference_index]
    assert len(shift) > 0.97 * len(ecg.r_peaks)
    assert np.ptp(shift) <= 2


@pytest.mark.slow
def test_other_rates_have_the_same_latency(annotators):
    for fs in (128.0, 1000.0):
        ecg = record(12, 4, fs=fs)
        sample, _, _, decided_at, _ = run(BeatStream(annotators["past"], fs=fs), [ecg.signal])
        matches = match_beats(ecg.annotation.sample, sample, fs, tolerance=0.05)
        assert len(matches.missed) <= 1
        assert (decided_at - sample).max() <= 0.5 * fs


# --- mistakes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chunk", "error", "message"),
    [
        (np.full((2, 5), np.inf), ValueError, "must be finite or, where they are missing, NaN"),
        (np.zeros((3, 50)), ValueError, "as many leads as those before, 2"),
        (np.zeros(50), ValueError, "as many leads as those before, 2"),
        (np.zeros((50, 2)), ValueError, r"must be of shape \(n_times,\)"),
        (np.zeros((1, 2, 50)), ValueError, r"must be of shape \(n_times,\)"),
        (np.zeros((2, 5), complex), TypeError, "must hold real numbers"),
        ([["a", "b"]], TypeError, "must hold real numbers"),
        (0.5, ValueError, "array of samples"),
    ],
)
def test_wrong_chunk_raises_and_changes_nothing(annotators, signal, chunk, error, message):
    stream = BeatStream(annotators["windows"])
    first = stream.push(signal[:, :1000])
    with pytest.raises(error, match=message):
        stream.push(chunk)
    second = join([first, stream.push(signal[:, 1000:]), stream.flush()])
    assert_same(second, run(BeatStream(stream.annotator), [signal]))


def test_first_chunk_with_other_leads_than_in_fit_raises(annotators):
    stream = BeatStream(annotators["windows"])
    with pytest.raises(ValueError, match="must have 2 leads, as seen in fit"):
        stream.push(np.zeros(100))
    assert len(stream.push(record(5, 0).signal).sample) > 0


class FailingDetector:
    """Detector that fails once."""

    def __init__(self):
        self.fails = False

    def __call__(self, x, fs):
        if self.fails:
            self.fails = False
            raise RuntimeError("no detection today")
        return detect_r_peaks(x, fs)


def test_failure_within_a_push_changes_nothing(signal):
    detector = FailingDetector()
    annotator = fit(windows(rr_features="past", min_quality=0.5))
    annotator.detector = detector
    stream, chunks = BeatStream(annotator), np.split(signal, [1000, 2000], axis=1)
    decided = [stream.push(chunks[0])]
    detector.fails = True
    with pytest.raises(RuntimeError, match="no detection today"):
        stream.push(chunks[1])
    assert stream.n_samples == 1000
    decided += [stream.push(chunks[1]), stream.push(chunks[2]), stream.flush()]
    assert_same(join(decided), run(BeatStream(annotator), [signal]))


def heights(recording, r_peaks, _fs):
    return recording[:, r_peaks].T


@pytest.mark.parametrize(
    ("annotator", "message"),
    [
        (make_inter_patient_annotator(FS, random_state=0), "with future=True, need later beats"),
        (windows(rr_features=True), 'Fit the annotator with rr_features="past"'),
        (windows(features=beat_features, segmenter=None), "with future=True, need later beats"),
        (windows(features=heights, segmenter=None), "computes the features of ecgbeat.signal"),
        (windows(segmenter=RPeakSegmenter(FS, after=1.6)), "cuts beats until 1.6 s after"),
    ],
)
def test_annotator_that_needs_later_beats_raises(annotator, message):
    fitted = fit(annotator)
    with pytest.raises(ValueError, match=message):
        BeatStream(fitted)


def test_annotator_that_is_not_fitted_raises():
    with pytest.raises(NotFittedError):
        BeatStream(windows())


def test_rate_that_is_no_number_raises(annotators):
    with pytest.raises(TypeError, match="fs"):
        BeatStream(annotators["windows"], fs="360")
