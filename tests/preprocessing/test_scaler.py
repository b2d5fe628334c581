import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from ecgbeat import ZScoreScaler
from ecgbeat.signal import zscore


@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize(("axis", "over"), [("beat", -1), ("dataset", (0, 2))])
def test_result_equals_zscore_function(leads, axis, over, with_std):
    scaled = ZScoreScaler(axis, with_std=with_std).fit_transform(leads)
    np.testing.assert_allclose(scaled, zscore(leads, over, with_std=with_std), atol=1e-12)


def test_dataset_mean_and_scale_are_learned_per_lead(leads):
    scaler = ZScoreScaler("dataset").fit(leads)
    np.testing.assert_allclose(scaler.mean_, leads.mean(axis=(0, 2)))
    np.testing.assert_allclose(scaler.scale_, leads.std(axis=(0, 2)))


def test_learned_mean_and_scale_are_applied_to_new_beats(leads):
    scaler = ZScoreScaler("dataset").fit(leads[:20])
    expected = (leads[20:] - scaler.mean_[:, None]) / scaler.scale_[:, None]
    np.testing.assert_allclose(scaler.transform(leads[20:]), expected, atol=1e-12)


def test_mean_and_scale_are_none_with_axis_beat(leads):
    scaler = ZScoreScaler("dataset").fit(leads).set_params(axis="beat").fit(leads)
    assert scaler.mean_ is None
    assert scaler.scale_ is None


@pytest.mark.parametrize("axis", ["beat", "dataset"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e308])
def test_constant_beats_become_zeros(axis, value):
    assert not ZScoreScaler(axis).fit_transform(np.full((5, 2, 50), value)).any()


@pytest.mark.parametrize("with_std", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inverse_transform_restores_beats(leads, with_std, dtype):
    leads = leads.astype(dtype)
    scaler = ZScoreScaler("dataset", with_std=with_std).fit(leads)
    restored = scaler.inverse_transform(scaler.transform(leads))
    assert restored.dtype == dtype
    np.testing.assert_allclose(restored, leads, atol=1e-5 if dtype == np.float32 else 1e-12)
    flat = scaler.inverse_transform(scaler.transform(leads).reshape(30, -1))
    np.testing.assert_array_equal(flat, restored.reshape(30, -1))


def test_axis_beat_has_no_inverse_transform(leads):
    assert not hasattr(ZScoreScaler("beat").fit(leads), "inverse_transform")
    assert not hasattr(
        ZScoreScaler("beat").fit(leads).set_params(axis="dataset"), "inverse_transform"
    )


def test_inverse_transform_before_fit_raises(leads):
    with pytest.raises(NotFittedError):
        ZScoreScaler("dataset").inverse_transform(leads)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"axis": "row"}, "'axis' parameter of ZScoreScaler .* Got 'row' instead"),
        ({"with_std": "yes"}, "'with_std' parameter of ZScoreScaler .* Got 'yes' instead"),
    ],
)
def test_invalid_parameters_raise(leads, parameters, message):
    with pytest.raises(ValueError, match=message):
        ZScoreScaler(**parameters).fit(leads)
