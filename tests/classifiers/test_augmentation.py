import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from skorch.dataset import Dataset
from torch import nn
from torch.utils.data import DataLoader

from ecgbeat import ECGCNNClassifier
from ecgbeat.classifiers import _base
from ecgbeat.classifiers._augmentation import (
    Augmentation,
    augment_rows,
    augment_waves,
    shift_waves,
    wander_like,
)

EACH = pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(amplitude=0.2),
        Augmentation(baseline=0.2),
        Augmentation(noise=0.2),
        Augmentation(shift=0.1),
        Augmentation(0.2, 0.2, 0.2, 0.1),
    ],
    ids=["amplitude", "baseline", "noise", "shift", "all"],
)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def waves_of(n_beats=500, n_leads=2, n_times=60):
    return torch.randn(n_beats, n_leads, n_times)


@EACH
def test_augmentation_is_not_in_place(augmentation):
    waves = waves_of()
    before = waves.clone()
    varied = augment_waves(waves, augmentation)
    assert torch.equal(waves, before)
    assert varied.shape == waves.shape
    assert (varied != waves).any(dim=-1).float().mean() > 0.8


@EACH
def test_equal_seeds_give_equal_augmentation(augmentation):
    waves = waves_of()
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augment_waves(waves, augmentation))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@EACH
def test_auxiliary_columns_are_unchanged(augmentation):
    rows = torch.randn(50, 2 * 30 + 3)
    varied = augment_rows(rows, augmentation, n_leads=2, n_aux_features=3)
    assert varied.shape == rows.shape
    assert torch.equal(varied[:, -3:], rows[:, -3:])
    assert not torch.equal(varied[:, :-3], rows[:, :-3])


@EACH
def test_flattened_and_3d_beats_give_equal_results(augmentation):
    waves = waves_of()
    results = []
    for rows in (waves, waves.flatten(1)):
        torch.manual_seed(1)
        results.append(augment_rows(rows, augmentation, n_leads=2).flatten(1))
    assert torch.equal(*results)


@pytest.mark.parametrize(
    "augmentation", [Augmentation(baseline=1), Augmentation(noise=1), Augmentation(amplitude=1)]
)
def test_trailing_zeros_remain_zeros(augmentation):
    waves = waves_of()
    waves[:, :, 40:] = 0
    waves[:, :, 10] = 0  # a zero in the middle is a sample like others
    varied = augment_waves(waves, augmentation)
    assert not varied[:, :, 40:].any()
    if not augmentation.amplitude:
        assert (varied[:, :, 10] != 0).all()


@EACH
def test_flat_lead_remains_flat(augmentation):
    waves = waves_of()
    waves[:, 1] = 0
    assert not augment_waves(waves, augmentation)[:, 1].any()


def test_gain_is_lognormal_and_constant_per_lead():
    waves = waves_of(4000)
    gains = augment_waves(waves, Augmentation(amplitude=0.3)) / waves
    torch.testing.assert_close(gains, gains[..., :1].expand_as(gains))
    logs = gains[..., 0].log()
    assert logs.mean().abs() < 0.02
    assert logs.std().item() == pytest.approx(0.3, rel=0.05)
    assert np.corrcoef(logs.T)[0, 1] == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("kind", ["baseline", "noise"])
def test_disturbances_are_in_standard_deviations_of_the_lead(kind):
    waves = waves_of(4000)
    waves[:, 1] *= 10
    waves[:, :, 40:] = 0  # does not count
    added = (augment_waves(waves, Augmentation(**{kind: 0.5})) - waves)[:, :, :40]
    assert added[:, 0].std().item() == pytest.approx(0.5, rel=0.05)
    assert added[:, 1].std().item() == pytest.approx(5, rel=0.05)


def test_noise_does_not_depend_on_offset():
    waves = waves_of() + 1000
    assert (augment_waves(waves, Augmentation(noise=0.1)) - waves).std() < 0.12


def test_noise_is_white():
    waves = waves_of(2000)
    added = augment_waves(waves, Augmentation(noise=0.5)) - waves
    assert (added[..., 1:] * added[..., :-1]).mean().abs() < 0.01


def test_baseline_wander_is_slow_and_of_constant_variance():
    waves = wander_like(waves_of(4000))
    torch.testing.assert_close(waves.std(dim=0), torch.ones(2, 60), rtol=0.06, atol=0)
    assert waves.mean().abs() < 0.03
    assert waves.diff(dim=-1).std() < 0.1  # of a standard deviation from sample to sample


def test_leads_are_shifted_together_by_whole_samples():
    waves = torch.arange(1.0, 41).expand(300, 2, 40)
    moved = shift_waves(waves, 3)
    moves = 20 - moved[:, 0, 19]
    assert sorted(set(moves.tolist())) == [-3, -2, -1, 0, 1, 2, 3]
    expected = (torch.arange(1.0, 41) - moves[:, None]).clamp(1, 40)  # edges are repeated
    assert torch.equal(moved[:, 0], expected)
    assert torch.equal(moved[:, 0], moved[:, 1])


def test_largest_shift_is_a_fraction_of_the_row():
    waves = torch.zeros(500, 1, 100)
    waves[:, 0, 50] = 1
    places = augment_waves(waves, Augmentation(shift=0.07)).argmax(dim=-1)
    assert (places.min(), places.max()) == (43, 57)


def test_sizes_of_0_draw_no_random_numbers():
    waves = waves_of()
    state = torch.get_rng_state()
    assert torch.equal(augment_waves(waves, Augmentation()), waves)
    assert torch.equal(torch.get_rng_state(), state)
    assert not Augmentation()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.int16])
def test_any_dtype_is_augmented(dtype):
    rows = (10 * torch.randn(5, 20)).to(dtype)
    varied = augment_rows(rows, Augmentation(0.1, 0.1, 0.1, 0.1))
    assert varied.dtype == (dtype if dtype.is_floating_point else torch.float32)


def test_rows_too_short_to_be_beats_are_unchanged():
    rows = torch.randn(5, 3)
    assert torch.equal(augment_rows(rows, Augmentation(noise=1.0), n_leads=2), rows)
    assert torch.equal(augment_rows(rows, Augmentation(noise=1.0), n_aux_features=4), rows)


def test_empty_batch_is_accepted():
    assert augment_waves(waves_of(0), Augmentation(0.1, 0.1, 0.1, 0.1)).shape == (0, 2, 60)


@pytest.mark.parametrize(
    "rows", [torch.zeros(2, 3, 4, 5), torch.zeros(3), {"X": torch.zeros(2, 9)}]
)
def test_batches_of_other_types_raise(rows):
    with pytest.raises(ValueError, match="need batches of one tensor"):
        augment_rows(rows, Augmentation(noise=0.1))


# --- in the classifiers -----------------------------------------------------------------

SMALL = {"n_filters": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}
NONE = {"augment_noise": 0.0, "augment_shift": 0.0}
ALL = {
    "augment_amplitude": 0.2,
    "augment_baseline": 0.2,
    "augment_noise": 0.2,
    "augment_shift": 0.1,
}
ONE_BY_ONE = pytest.mark.parametrize(
    "parameters", [NONE | {name: ALL[name]} for name in ALL], ids=str
)


class Seen(Callback):
    """Keep the rows that the network was given, in training and else."""

    def initialize(self):
        self.rows = {True: [], False: []}
        return self

    def on_train_begin(self, net, **kwargs):  # noqa: ARG002
        net.module_.register_forward_pre_hook(
            lambda module, rows: self.rows[module.training].append(rows[0].clone())
        )


@ONE_BY_ONE
def test_only_training_is_augmented(beats, parameters):
    X, y = beats
    seen = Seen()
    net = ECGCNNClassifier(**SMALL, **parameters, early_stopping=True, callbacks=[seen])
    net.fit(X, y).predict(X)
    known = {row.tobytes() for row in X}
    assert all(row.numpy().tobytes() in known for rows in seen.rows[False] for row in rows)
    first, second = torch.cat(seen.rows[True]).chunk(2)
    assert np.mean([row.numpy().tobytes() in known for row in first]) < 0.2
    assert not torch.equal(first.sum(dim=1).sort().values, second.sum(dim=1).sort().values)


@ONE_BY_ONE
def test_a_seed_makes_augmentation_reproducible(beats, parameters):
    results = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        net = ECGCNNClassifier(**SMALL, **parameters).fit(*beats)
        results.append(net.predict_proba(beats[0]))
    plain = ECGCNNClassifier(**SMALL, **NONE).fit(*beats).predict_proba(beats[0])
    np.testing.assert_array_equal(*results)
    assert not np.array_equal(results[0], plain)


def test_sizes_of_0_skip_augmentation(beats, monkeypatch):
    monkeypatch.setattr(_base, "augment_rows", None)
    ECGCNNClassifier(**SMALL, **NONE).fit(*beats)


@pytest.mark.parametrize(
    ("parameters", "n_beats", "expected"),
    [
        ({}, 40, {Augmentation(noise=0.1, shift=0.02)}),
        ({"augment_noise": 0.3}, 999, {Augmentation(noise=0.3, shift=0.02)}),
        ({"augment_shift": 0.0}, 999, {Augmentation(noise=0.1)}),
        ({}, 1000, set()),
    ],
)
def test_small_sets_are_augmented_by_default(parameters, n_beats, expected, monkeypatch):
    used = set()

    def spy(rows, augmentation, *layout):
        used.add(augmentation)
        return augment_rows(rows, augmentation, *layout)

    monkeypatch.setattr(_base, "augment_rows", spy)
    X = np.random.default_rng(0).normal(size=(n_beats, 16))
    net = ECGCNNClassifier(n_filters=2, max_epochs=1, random_state=0, **parameters)
    before = net.get_params(deep=False)
    net.fit(X, np.arange(n_beats) % 2)
    assert used == expected
    assert net.get_params(deep=False) == before


def test_custom_network_is_not_augmented_by_default(beats, monkeypatch):
    class Means(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(1, 3)

        def forward(self, X):
            return self.head(X.mean(dim=1, keepdim=True))

    monkeypatch.setattr(_base, "augment_rows", None)
    ECGCNNClassifier(module=Means, max_epochs=1, random_state=0).fit(*beats)


def test_train_step_outside_fit_is_not_augmented_by_default(beats, monkeypatch):
    X, y = beats
    net = ECGCNNClassifier(**SMALL).fit(X, y)
    monkeypatch.setattr(_base, "augment_rows", None)
    assert np.isfinite(net.train_step((torch.from_numpy(X), y))["loss"].item())


def test_auxiliary_features_are_not_augmented_in_fit(beats):
    X, y = beats
    seen = Seen()
    ECGCNNClassifier(**SMALL, **ALL, n_leads=2, n_aux_features=4, callbacks=[seen]).fit(X, y)
    given = torch.from_numpy(X[:, -4:]).sum(dim=1).sort().values
    for rows in torch.cat(seen.rows[True]).chunk(2):  # an epoch each
        assert torch.equal(rows[:, -4:].sum(dim=1).sort().values, given)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_leads", [1, 2])
def test_batches_of_dataloader_are_augmented(bumps, dtype, n_leads):
    X, codes = bumps
    waves = X.reshape(len(X), n_leads, -1).astype(dtype)
    seen = Seen()
    net = ECGCNNClassifier(
        **SMALL, **ALL, n_leads=n_leads, iterator_train=DataLoader, callbacks=[seen]
    )
    net.fit(Dataset(waves, codes), None)
    known = {row.tobytes() for row in waves.astype(np.float32)}
    rows = torch.cat(seen.rows[True])
    assert not any(row.numpy().tobytes() in known for row in rows)


def test_custom_network_is_augmented_if_set(beats):
    seen = Seen()
    network = nn.Sequential(nn.Linear(64, 3))
    ECGCNNClassifier(**SMALL, **ALL, module=network, callbacks=[seen]).fit(*beats)
    known = {row.tobytes() for row in beats[0]}
    assert not any(row.numpy().tobytes() in known for row in torch.cat(seen.rows[True]))


def test_closures_of_an_optimizer_get_the_same_augmented_batch(beats):
    seen = Seen()
    net = ECGCNNClassifier(
        **SMALL | {"max_epochs": 1, "batch_size": -1},
        **ALL,
        optimizer=torch.optim.LBFGS,
        callbacks=[seen],
    )
    net.fit(*beats)
    rows = seen.rows[True]
    assert len(rows) > 1
    assert all(torch.equal(again, rows[0]) for again in rows)


@pytest.mark.parametrize(
    "parameters",
    [{"augment_amplitude": -0.1}, {"augment_noise": "much"}, {"augment_shift": 1.0}],
    ids=str,
)
def test_invalid_sizes_raise(beats, parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter"):
        ECGCNNClassifier(**SMALL, **parameters).fit(*beats)
