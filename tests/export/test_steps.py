"""The modules in torch compute what the transformers compute."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from ecgbeat import BandpassFilter, RPeakSegmenter, ZScoreScaler
from ecgbeat.export._segmentation import Resampler, RPeakLocator
from ecgbeat.export._steps import step_module
from ecgbeat.signal import locate_r_peaks, resample_beats


def random_walks(*shape: int, seed: int = 0) -> np.ndarray:
    """Return signals with an offset and a baseline that drifts, float32."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape).cumsum(axis=-1) + 10 + 5 * rng.normal()).astype(np.float32)


def assert_equal_in_torch(transformer, X, tolerance=3e-7):
    expected = transformer.transform(X)
    found = step_module(transformer, "step")(torch.from_numpy(X)).numpy()
    assert found.dtype == expected.dtype == np.float32
    assert found.shape == expected.shape
    # float32 has a relative precision of 1e-7
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(
    ("parameters", "width"),
    [
        ({}, 720),
        ({"notch": 60}, 719),
        ({"zero_phase": False, "n_leads": 2}, 2 * 360),
        ({"zero_phase": False}, 9),
        ({"low": 0.05, "high": 150, "order": 3, "notch": 50}, 300),
        ({"fs": 125, "low": 1, "high": 30, "order": 4, "n_leads": 3}, 3 * 101),
        ({"fs": 1000, "low": 5, "high": 15, "order": 1, "n_leads": 2}, 2 * 40),
        ({"notch": 50}, 1),
        ({}, 9),
    ],
)
def test_filter(parameters, width):
    X = random_walks(7, width)
    assert_equal_in_torch(BandpassFilter(**parameters).fit(X), X)


def test_filter_is_smaller_than_its_matrix():
    X = random_walks(3, 720)
    module = step_module(BandpassFilter(notch=50).fit(X), "filter")
    assert sum(buffer.numel() for buffer in module.buffers()) < 720**2 / 30


@pytest.mark.parametrize("select", ["center", "largest"])
@pytest.mark.parametrize(
    ("n_leads", "n_times", "fs"),
    [(1, 720, 360), (2, 501, 250), (3, 200, 125), (1, 40, 360), (2, 7, 360), (1, 900, 30)],
)
def test_r_peaks(n_leads, n_times, fs, select):
    leads = random_walks(200, n_leads, n_times)
    found = RPeakLocator(n_times, fs, select)(torch.from_numpy(leads).double())
    np.testing.assert_array_equal(found[:, 0].numpy(), locate_r_peaks(leads, fs, select))


def test_r_peaks_of_beats(leads):
    found = RPeakLocator(720, 360, "center")(torch.from_numpy(leads))
    np.testing.assert_array_equal(found[:, 0].numpy(), locate_r_peaks(leads, 360))


def test_flat_windows_are_cut_around_their_center():
    leads = np.stack([np.zeros((2, 300)), np.full((2, 300), 7.0)])
    leads[1, 0, 100] = 8.0  # one of two leads is flat
    found = RPeakLocator(300, 360, "center")(torch.from_numpy(leads))
    assert found[:, 0].tolist() == locate_r_peaks(leads, 360).tolist() == [150, 100]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"n_times": 187, "select": "largest"},
        {"before": 0.9, "after": 1.1},  # beyond both ends of the window
        {"before": 0.0, "after": 0.2, "n_leads": 2, "n_times": 33},
        {"n_times": 288},
        {"before": 0.0, "after": 1 / 360, "n_times": 5},
    ],
)
def test_segmenter(parameters):
    X = random_walks(50, 720)
    assert_equal_in_torch(RPeakSegmenter(**parameters).fit(X), X)


@pytest.mark.parametrize(
    ("n", "n_times"), [(288, 187), (288, 192), (180, 512), (7, 3), (3, 7), (2, 9), (500, 1), (1, 4)]
)
def test_resampling(n, n_times):
    beats = random_walks(5, 2, n).astype(np.float64)
    found = Resampler(n, n_times)(torch.from_numpy(beats)).numpy()
    np.testing.assert_allclose(found, resample_beats(beats, n_times), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "scaler",
    [
        ZScoreScaler(),
        ZScoreScaler(with_std=False, n_leads=3),
        ZScoreScaler("dataset", n_leads=3),
        ZScoreScaler("dataset", with_std=False),
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler((-1, 2)),
        MinMaxScaler(clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_centering=False, unit_variance=True),
        RobustScaler(with_scaling=False),
    ],
)
def test_scalers(scaler):
    X = random_walks(40, 30)
    assert_equal_in_torch(scaler.fit(X[:20]), X, tolerance=1e-6)  # scikit-learn: in float32


def test_constant_beats_become_exact_zeros():
    X = np.full((3, 187), 0.1, np.float32)
    assert not step_module(ZScoreScaler().fit(X), "scaler")(torch.from_numpy(X)).any()


@pytest.mark.parametrize(
    "columns",
    [slice(0, -4), slice(2, 11, 3), [0, -1], np.arange(12) < 5, -2],
    ids=["slice", "step", "numbers", "mask", "number"],
)
def test_columns(columns):
    X = random_walks(20, 12)
    columns = [columns] if isinstance(columns, int) else columns
    transformer = ColumnTransformer(
        [
            ("wave", make_pipeline(ZScoreScaler(), "passthrough"), columns),
            ("unused", StandardScaler(), []),
            ("rhythm", StandardScaler(), slice(-4, None)),
        ],
        remainder="passthrough",
        transformer_weights={"rhythm": 2.0},
    )
    assert_equal_in_torch(transformer.fit(X), X, tolerance=1e-6)


@pytest.mark.parametrize("columns", [["c", "a"], slice("b", "d")])
def test_columns_by_name(columns):
    X = random_walks(20, 5)
    table = pd.DataFrame(X, columns=list("abcde"))
    transformer = ColumnTransformer(
        [("scaled", MinMaxScaler(), columns)], remainder="passthrough"
    ).fit(table)
    found = step_module(transformer, "columns")(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(found, transformer.transform(table), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "step", [FunctionTransformer(np.log), QuantileTransformer(n_quantiles=5)], ids=["log", "other"]
)
def test_step_without_counterpart_is_named(step):
    X = random_walks(20, 30)
    with pytest.raises(ValueError, match=r"step 'my step' cannot.*can be exported are Bandpass"):
        step_module(step.fit(X), "my step")


def test_subclass_has_no_counterpart():
    class Doubled(StandardScaler):
        def transform(self, X):
            return 2 * super().transform(X)

    with pytest.raises(ValueError, match="Doubled"):
        step_module(Doubled().fit(random_walks(20, 3)), "scaler")


def test_unfitted_step_raises():
    with pytest.raises(NotFittedError):
        step_module(StandardScaler(), "scaler")
