import numpy as np
import pytest

from ecgbeat.signal._qrs import qrs_amplitude, qrs_envelope, refine

FS = 360.0


@pytest.mark.parametrize("factor", [-1.0, 4.0, 2.0**-500, 2.0**500])
def test_neither_gain_nor_polarity_matters(synthetic, factor):
    recording, _ = synthetic(n_leads=1)
    np.testing.assert_array_equal(
        qrs_amplitude(factor * recording, FS, 540), qrs_amplitude(recording, FS, 540)
    )


def test_the_gain_of_one_lead_among_several_does_not_matter(synthetic):
    recording, _ = synthetic(n_leads=3)
    other = recording * np.array([[1.0], [-64.0], [2.0**-10]])
    np.testing.assert_array_equal(qrs_amplitude(other, FS, 540), qrs_amplitude(recording, FS, 540))


def test_a_noisy_lead_counts_less_than_a_clear_one(synthetic):
    recording, r_peaks = synthetic()
    noise = np.random.default_rng(0).normal(size=len(recording))
    merged = qrs_amplitude(np.stack([recording, noise]), FS, 540)
    alone = qrs_amplitude(recording[None], FS, 540)
    at_peaks = np.zeros(len(recording), bool)
    at_peaks[r_peaks[:, None] + np.arange(-30, 31)] = True
    assert merged[~at_peaks].max() < 0.25 * merged[at_peaks].max()
    assert np.corrcoef(merged, alone)[0, 1] > 0.95


@pytest.mark.parametrize("n_flat", [1, 2])
def test_flat_leads_count_for_nothing(synthetic, n_flat):
    recording, _ = synthetic()
    leads = np.vstack([recording, np.full((n_flat, len(recording)), 0.1)])
    np.testing.assert_allclose(
        qrs_amplitude(leads, FS, 540), qrs_amplitude(recording[None], FS, 540), atol=1e-12
    )


def test_all_flat_gives_zeros():
    assert not qrs_amplitude(np.full((3, 500), 0.1), FS, 540).any()


@pytest.mark.parametrize("fs", [0.5, 10.0, 40.0, 41.0, 10_000.0])
def test_any_sampling_rate_has_a_band(fs):
    x = np.random.default_rng(0).normal(size=(2, 300))
    assert np.isfinite(qrs_amplitude(x, fs, 100)).all()


def test_the_envelope_never_rounds_to_less_than_nothing():
    amplitude = np.zeros((1, 5000))
    amplitude[0, :100] = np.random.default_rng(0).uniform(size=100) * 1e8
    amplitude[0, 2000:2100] = 1e-3
    envelope = qrs_envelope(amplitude, FS)
    assert (envelope >= 0).all()
    assert envelope[0, 50] > envelope[0, 2050]


def test_refine_moves_to_the_extremum_nearby():
    amplitude = np.zeros(200)
    amplitude[[95, 110, 150]] = 1, 2, 5
    np.testing.assert_array_equal(refine(amplitude, np.array([100, 145]), FS), [110, 150])


def test_refine_stays_where_nothing_stands_out():
    positions = np.array([0, 50, 99])
    np.testing.assert_array_equal(refine(np.zeros(100), positions, FS), positions)
    np.testing.assert_array_equal(refine(np.zeros((3, 100)), positions, FS), positions)
