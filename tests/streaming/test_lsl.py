"""Tests of Lab Streaming Layer, with real outlets and inlets on this machine."""

import asyncio
import sys
import uuid

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, BeatStream, RPeakSegmenter, ZScoreScaler
from ecgbeat.annotation import AnnotatedBeats
from ecgbeat.datasets import make_recording
from ecgbeat.streaming import LSLInlet, LSLOutlet

pylsl = pytest.importorskip("pylsl", reason="requires pylsl")

FS = 200.0


class Sender:
    """Outlet of a signal that counts up, whose time is given."""

    def __init__(self, n_channels=1, *, fs=FS, kind="float32", identity=True, channels=()):
        self.name = uuid.uuid4().hex
        self.info = pylsl.StreamInfo(
            self.name, "ECG", n_channels, fs, kind, self.name if identity else ""
        )
        described = self.info.desc().append_child("channels") if channels else None
        for channel in channels:
            entry = described.append_child("channel")
            for key, value in channel.items():
                entry.append_child_value(key, value)
        self.n_channels = n_channels
        self.start = pylsl.local_clock()
        self.outlet = pylsl.StreamOutlet(self.info)

    def inlet(self, **options):
        return LSLInlet(f"name='{self.name}'", **({"chunk": 0.01} | options))

    def push(self, start, stop, *, late=0.0):
        """Send samples, whose values are their numbers."""
        values = np.repeat(np.arange(start, stop, dtype=np.float32), self.n_channels)
        stamp = self.start + (stop - 1) / FS + late
        self.outlet.push_chunk(values.reshape(-1, self.n_channels), stamp)

    def stop(self):
        del self.outlet

    def restart(self):
        self.outlet = pylsl.StreamOutlet(self.info)


def take(inlet, n_times, timeout=10):
    """Return the next samples of an inlet."""

    async def collect():
        chunks, missing = [], n_times
        while missing > 0:
            chunks.append(await anext(inlet))
            missing -= chunks[-1].shape[1]
        return np.concatenate(chunks, axis=1)

    return asyncio.run(asyncio.wait_for(collect(), timeout))


@pytest.fixture(scope="module")
def sender():
    return Sender()


@pytest.fixture
def inlet(sender):
    return sender.inlet()


def test_samples_arrive_in_order(inlet, sender):
    for start in range(0, 2500, 100):
        sender.push(start, start + 100)
    assert inlet.fs == FS
    assert np.array_equal(take(inlet, 2500), [np.arange(2500)])
    assert (inlet.n_samples, inlet.n_lost) == (2500, 0)
    np.testing.assert_allclose(
        inlet.times([0, 77, 2500]), sender.start + np.array([0, 77, 2500]) / FS, atol=0.002
    )


@pytest.mark.parametrize("n_lost", [25, 137, 2500])
def test_gap_in_the_time_stamps_is_nan(inlet, sender, n_lost):
    sender.push(0, 100)
    sender.push(100 + n_lost, 300 + n_lost)
    with pytest.warns(RuntimeWarning, match=rf"{n_lost} samples .* were lost after sample 100\."):
        signal = take(inlet, 300 + n_lost)[0]
    expected = np.arange(300.0 + n_lost)
    expected[100 : 100 + n_lost] = np.nan
    assert np.array_equal(signal, expected, equal_nan=True)
    assert inlet.n_lost == n_lost
    assert inlet.times(200 + n_lost) == pytest.approx(sender.start + (200 + n_lost) / FS, abs=2e-3)


def test_jitter_is_no_gap(inlet, sender):
    lateness = np.random.default_rng(0).uniform(0, 0.09, 50)
    for number, late in enumerate(lateness):
        sender.push(20 * number, 20 * number + 20, late=late)
    assert np.array_equal(take(inlet, 1000), [np.arange(1000)])


@pytest.mark.parametrize("n_late", [1, 40, 99])
def test_samples_that_were_sent_late_are_no_gap(inlet, sender, n_late):
    sender.push(0, 100)
    sender.push(100, 100 + n_late, late=0.6)
    held = take(inlet, 100)
    sender.push(100 + n_late, 1000)
    signal = np.concatenate([held, take(inlet, 900)], axis=1)
    assert np.array_equal(signal, [np.arange(1000)])
    assert inlet.times(500) == pytest.approx(sender.start + 500 / FS, abs=0.003)


def test_gap_is_not_longer_because_samples_after_it_are_late(inlet, sender):
    sender.push(0, 100)
    for start in range(200, 400, 20):
        sender.push(start, start + 20, late=0.3 if start < 260 else 0.0)
    with pytest.warns(RuntimeWarning, match="100 samples"):
        signal = take(inlet, 400)[0]
    assert np.array_equal(signal[200:], np.arange(200, 400))


def test_slow_clock_of_the_sender_is_no_gap(inlet, sender):
    for start in range(0, 80_000, 1000):  # 400 s, in which 0.2 s are lost
        sender.push(start, start + 1000, late=0.0005 * start / FS)
        if start % 10_000 == 0:
            take(inlet, start + 1000 - inlet.n_samples)
    take(inlet, 80_000 - inlet.n_samples)
    assert inlet.n_lost == 0
    assert inlet.times(80_000) == pytest.approx(sender.start + 400 * 1.0005, abs=0.01)


@pytest.mark.parametrize("jump", [-3600.0, 1e6])
def test_clock_that_was_set_is_a_gap_of_unknown_length(inlet, sender, jump):
    sender.push(0, 100)
    sender.push(100, 200, late=jump)
    with pytest.warns(RuntimeWarning, match="its clock jumped by"):
        signal = take(inlet, 400)[0]
    assert np.isnan(signal[100:300]).all()
    assert np.array_equal(signal[300:], np.arange(100, 200))


def test_slow_consumer_is_told_about_lost_samples(sender):
    inlet = sender.inlet(buffer=1)
    sender.push(0, 100)
    assert take(inlet, 100).shape == (1, 100)
    for start in range(100, 1100, 100):
        sender.push(start, start + 100)
    with pytest.warns(RuntimeWarning, match=r"samples \(.* s\) were lost after sample 100\."):
        signal = take(inlet, 1000)[0]
    assert np.isnan(signal[:700]).all()
    assert np.array_equal(signal[-100:], np.arange(1000, 1100))
    assert inlet.n_lost == np.isnan(signal).sum()


def test_canceled_consumer_loses_no_samples(inlet, sender):
    received = []

    async def consume():
        async for chunk in inlet:
            received.append(chunk)

    async def interrupted():
        for start in range(0, 1000, 10):
            sender.push(start, start + 10)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(consume(), 0.012)

    asyncio.run(interrupted())
    if inlet.n_samples < 1000:
        received.append(take(inlet, 1000 - inlet.n_samples))
    assert np.array_equal(np.concatenate(received, axis=1), [np.arange(1000)])


@pytest.mark.parametrize("identity", [True, False])
def test_restarted_sender_is_continued_after_a_gap(identity):
    sender = Sender(identity=identity)
    inlet = sender.inlet()

    async def restart():
        sender.push(0, 100)
        assert (await anext(inlet)).shape == (1, 100)
        sender.stop()
        task = asyncio.create_task(anext(inlet))
        await asyncio.sleep(0.5)
        sender.restart()
        while not sender.outlet.have_consumers():
            await asyncio.sleep(0.02)
        sender.push(400, 500)
        return await asyncio.wait_for(task, 10)

    with pytest.warns(RuntimeWarning, match="300 samples"):
        gap = asyncio.run(restart())
    assert gap.shape == (1, 300)
    assert np.array_equal(take(inlet, 100), [np.arange(400, 500)])


def test_units_and_labels_of_the_description():
    channels = [{"label": "II", "unit": "microvolts"}, {"label": "V5", "unit": "mV"}, {}]
    sender = Sender(3, kind="int16", channels=channels)
    inlet = sender.inlet()
    sender.push(1000, 1001)
    assert inlet.lead_names == ["II", "V5", "lead_2"]
    np.testing.assert_allclose(take(inlet, 1), [[1.0], [1000.0], [1000.0]])


def test_given_unit_wins():
    sender = Sender(channels=[{"unit": "mV"}])
    inlet = sender.inlet(unit="uV")
    sender.push(500, 501)
    np.testing.assert_allclose(take(inlet, 1), [[0.5]])


def test_unknown_unit_raises():
    with pytest.raises(ValueError, match="channel in 'furlong'"):
        Sender(channels=[{"unit": "furlong"}]).inlet()


def test_stream_without_a_regular_rate_raises():
    with pytest.raises(ValueError, match="no regular sampling rate"):
        Sender(fs=pylsl.IRREGULAR_RATE).inlet()


def test_stream_of_text_raises():
    with pytest.raises(ValueError, match="holds text"):
        Sender(kind="string").inlet()


def test_missing_stream_raises():
    with pytest.raises(TimeoutError, match="No LSL stream with name='missing'"):
        LSLInlet("name='missing'", timeout=0.2)


def test_several_streams_raise():
    sender = Sender()
    other = pylsl.StreamOutlet(
        pylsl.StreamInfo(sender.name, "ECG", 1, FS, "float32", f"{sender.name} again")
    )
    with pytest.raises(ValueError, match="Several LSL streams have"):
        sender.inlet()
    del other


def test_times_before_the_first_sample_raise(inlet):
    with pytest.raises(ValueError, match="No sample was received yet"):
        inlet.times([0])


def test_markers_have_labels_and_times_of_beats(inlet, sender):
    name = uuid.uuid4().hex
    outlet = LSLOutlet(name)
    (info,) = pylsl.resolve_byprop("name", name, timeout=5)
    assert (info.type(), info.nominal_srate()) == ("Markers", 0.0)
    markers = pylsl.StreamInlet(info)
    markers.open_stream(5)
    sender.push(0, 1000)
    take(inlet, 1000)
    beats = AnnotatedBeats(np.array([300, 700]), np.array(["N", "V"]), None)
    beats.unreadable = np.array([[400, 600]])
    outlet.push(beats, inlet.times)
    outlet.push(beats._replace(sample=beats.sample[:0], symbol=beats.symbol[:0]))
    received = [markers.pull_sample(5) for _ in range(4)]
    assert [label for (label,), _ in received] == ["N", "unreadable", "V", "unreadable"]
    times = np.array([time for _, time in received]) - sender.start
    np.testing.assert_allclose(times[:3], [1.5, 2.0, 3.5], atol=0.005)
    assert times[3] == pytest.approx(pylsl.local_clock() - sender.start, abs=2)


def test_beats_of_a_signal_over_lsl_are_those_of_pushes(sender):
    recordings = [make_recording(30, fs=FS, random_state=seed) for seed in range(2)]
    classifier = make_pipeline(ZScoreScaler(), LogisticRegression(max_iter=1000))
    annotator = BeatAnnotator(classifier, fs=FS, segmenter=RPeakSegmenter(FS, n_times=32)).fit(
        [data.signal for data in recordings], [data.annotation for data in recordings]
    )
    signal = make_recording(12, fs=FS, random_state=7).signal.astype(np.float32)
    inlet, outlet = sender.inlet(), LSLOutlet(name := uuid.uuid4().hex)
    markers = pylsl.StreamInlet(pylsl.resolve_byprop("name", name, timeout=5)[0])
    markers.open_stream(5)
    stream = BeatStream(annotator, fs=inlet.fs)

    async def mark():
        async for beats in stream.annotate(inlet):
            outlet.push(beats, inlet.times)

    async def send():
        marking = asyncio.create_task(mark())
        for start in range(0, len(signal), 20):
            if not 1000 <= start < 1100:  # 0.5 s are lost
                chunk = signal[start : start + 20, np.newaxis]
                sender.outlet.push_chunk(chunk, sender.start + (start + 19) / FS)
        while stream.n_samples < len(signal):
            await asyncio.sleep(0.02)
        marking.cancel()

    with pytest.warns(RuntimeWarning, match=r"100 samples .* were lost after sample 1000\."):
        asyncio.run(asyncio.wait_for(send(), 20))
    outlet.push(stream.flush(), inlet.times)
    signal[1000:1100] = np.nan
    expected = BeatStream(annotator)
    parts = [expected.push(signal), expected.flush()]
    received = [markers.pull_sample(5) for _ in np.concatenate([part.sample for part in parts])]
    assert markers.pull_sample(0.1) == (None, None)
    assert [label for (label,), _ in received] == [str(s) for part in parts for s in part.symbol]
    times = np.array([time for _, time in received]) - sender.start
    r_peaks = np.concatenate([part.sample for part in parts])
    np.testing.assert_allclose(times, r_peaks / FS, atol=0.005)
    assert len(r_peaks) > 8


@pytest.mark.parametrize("make", [LSLInlet, LSLOutlet])
def test_missing_package_names_its_extra(monkeypatch, make):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(ImportError, match=r'pip install "ecgbeat\[lsl\]"'):
        make()
