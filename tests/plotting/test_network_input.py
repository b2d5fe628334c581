import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.plotting._network_input import read_beat


@pytest.fixture(scope="module")
def windows():
    return make_heartbeats(40, n_patients=5, fs=200, random_state=0)


def network(**options):
    return ECGCNNClassifier(n_filters=4, max_epochs=1, random_state=0, **options)


def read(classifier, x, n_columns):
    relevance = np.arange(float(n_columns))[np.newaxis]
    return read_beat(classifier, x[np.newaxis], relevance, 200.0, 1.0)


def test_a_network_alone(windows):
    net = network().fit(windows.data, windows.target)
    beat = read(net, windows.data[0], 400)
    np.testing.assert_allclose(beat.waveform[0], windows.data[0], rtol=1e-6)
    assert beat.relevance.shape == (1, 400)
    assert (beat.fs, beat.before, beat.unit) == (200, 1.0, "mV")


@pytest.mark.parametrize(("n_times", "fs"), [(None, 200.0), (80, 100.0), (320, 400.0)])
def test_the_segmenter_knows_its_time(windows, n_times, fs):
    segmenter = RPeakSegmenter(fs=200, before=0.3, after=0.5, n_times=n_times)
    pipeline = make_pipeline(BandpassFilter(fs=200), segmenter, network())
    pipeline.fit(windows.data, windows.target)
    beat = read(pipeline, windows.data[0], n_times or 160)
    assert (beat.fs, beat.before, beat.unit) == (fs, 0.3, "mV")


def test_a_scaler_takes_the_unit(windows):
    pipeline = make_pipeline(ZScoreScaler(), network()).fit(windows.data, windows.target)
    beat = read(pipeline, windows.data[0], 400)
    assert (beat.fs, beat.before, beat.unit) == (200, 1.0, "")
    assert beat.waveform.std() == pytest.approx(1, rel=0.01)


def test_columns_that_someone_else_has_made_have_no_time(windows):
    halve = FunctionTransformer(lambda X: X[:, ::2])
    pipeline = make_pipeline(halve, network()).fit(windows.data, windows.target)
    beat = read(pipeline, windows.data[0], 200)
    assert (beat.fs, beat.before) == (None, None)


def test_leads_and_auxiliary_columns_come_apart():
    X = np.random.default_rng(0).normal(size=(20, 103))
    net = network(n_leads=2, n_aux_features=3).fit(X, np.arange(20) % 2)
    beat = read_beat(net, X[:1], np.arange(103.0)[np.newaxis], 100.0, None)
    np.testing.assert_allclose(beat.waveform, X[0, :100].reshape(2, 50), rtol=1e-6)
    np.testing.assert_array_equal(beat.relevance[1], np.arange(50.0, 100.0))
