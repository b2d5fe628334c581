import functools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat.classifiers._components import takes
from ecgbeat.networks import FocalLoss

SMALL = {"n_filters": 2, "max_epochs": 2, "batch_size": 16, "random_state": 0}


def net(**parameters):
    return ECGCNNClassifier(**SMALL | parameters)


class OwnAdamW(torch.optim.AdamW):
    def __init__(self, params, **options):
        super().__init__(params, **options)


class OwnLoss(nn.Module):
    def forward(self, logits, targets):
        return nn.functional.cross_entropy(logits, targets)


@pytest.mark.parametrize(
    ("factory", "taken"),
    [
        (torch.optim.AdamW, True),
        (torch.optim.SGD, True),
        (OwnAdamW, True),
        (functools.partial(torch.optim.SGD, momentum=0.9), True),
        (functools.partial(torch.optim.SGD, weight_decay=0.5), False),
        (torch.optim.LBFGS, False),
        (torch.optim.Rprop, False),
        (OwnLoss, False),
        (lambda params, **options: torch.optim.LBFGS(params, **options), False),
    ],
)
def test_arguments_are_read_off_signatures(factory, taken):
    assert takes(factory, "weight_decay") is taken


# --- weight decay -----------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD, OwnAdamW])
def test_the_optimizer_gets_the_weight_decay(beats, optimizer):
    fitted = net(weight_decay=0.3, optimizer=optimizer).fit(*beats)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.3


@pytest.mark.parametrize(
    ("optimizer", "decay"), [(torch.optim.AdamW, 0.1), (torch.optim.SGD, 0), (OwnAdamW, 0.1)]
)
def test_automatic_weight_decay_is_ours_for_adamw_only(beats, optimizer, decay):
    fitted = net(optimizer=optimizer).fit(*beats)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == decay
    fitted.set_params(weight_decay=0.3).set_params(weight_decay="auto")
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == decay


@pytest.mark.parametrize("optimizer", [torch.optim.LBFGS, torch.optim.Rprop])
def test_an_optimizer_without_weight_decay_is_spared(beats, optimizer):
    fitted = net(weight_decay=0.3, optimizer=optimizer).fit(*beats)
    assert "weight_decay" not in fitted.set_params(weight_decay=0.2).optimizer_.param_groups[0]


def test_weight_decay_shrinks_weights(beats):
    sizes = [
        sum(
            weight.square().sum().item()
            for weight in net(weight_decay=d).fit(*beats).module_.parameters()
        )
        for d in (0.0, 10.0)
    ]
    assert sizes[1] < 0.8 * sizes[0]


def test_weight_decay_written_for_the_optimizer_wins(beats):
    fitted = net(weight_decay=0.3, optimizer__weight_decay=0.1).fit(*beats)
    fitted.set_params(weight_decay=0.2)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.1


def test_weight_decay_bound_to_the_optimizer_wins(beats):
    fitted = net(optimizer=functools.partial(torch.optim.SGD, weight_decay=0.1)).fit(*beats)
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.1


def test_weight_decay_of_a_group_wins(beats):
    groups = [("head*", {"weight_decay": 0.0})]
    fitted = net(weight_decay=0.3, optimizer__param_groups=groups).fit(*beats)
    assert [group["weight_decay"] for group in fitted.optimizer_.param_groups] == [0.0, 0.3]


def test_a_fitted_net_takes_new_weight_decay_at_once(beats):
    fitted = pickle.loads(pickle.dumps(net().fit(*beats)))
    fitted.set_params(weight_decay=0.3)
    assert fitted.get_params()["weight_decay"] == 0.3
    assert fitted.optimizer_.param_groups[0]["weight_decay"] == 0.3


# --- label smoothing --------------------------------------------------------------------


@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss, FocalLoss])
def test_the_loss_gets_the_label_smoothing(beats, criterion):
    fitted = net(label_smoothing=0.2, criterion=criterion).fit(*beats)
    assert fitted.criterion_.label_smoothing == 0.2


def test_smoothed_labels_make_modest_probabilities(beats):
    largest = [
        net(label_smoothing=s, max_epochs=20).fit(*beats).predict_proba(beats[0]).max(axis=1).mean()
        for s in (0.0, 0.3)
    ]
    assert largest[1] < largest[0] - 0.05


def test_smoothing_written_for_the_loss_wins(beats):
    fitted = net(label_smoothing=0.2, criterion__label_smoothing=0.1).fit(*beats)
    assert fitted.criterion_.label_smoothing == 0.1


@pytest.mark.parametrize("criterion", [nn.NLLLoss, nn.MultiMarginLoss, OwnLoss, FocalLoss(gamma=5)])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_loss_that_cannot_smooth_is_an_error(beats, criterion, method):
    with pytest.raises(ValueError, match=r"label_smoothing=0.2 needs a criterion that takes it"):
        getattr(net(label_smoothing=0.2, criterion=criterion), method)(*beats)


@pytest.mark.parametrize("criterion", [nn.NLLLoss, OwnLoss, FocalLoss(gamma=5)])
def test_a_loss_that_cannot_smooth_is_fine_without(beats, criterion):
    assert len(net(criterion=criterion).fit(*beats).history) == 2


# --- focal loss -------------------------------------------------------------------------


def test_the_focal_loss_learns_and_gives_probabilities(beats):
    fitted = net(criterion=FocalLoss, criterion__gamma=3, max_epochs=20).fit(*beats)
    assert fitted.criterion_.gamma == 3
    np.testing.assert_allclose(fitted.predict_proba(beats[0]).sum(axis=1), 1, atol=1e-5)
    assert fitted.score(*beats) > 0.8


def test_the_focal_loss_gets_the_class_weights(beats):
    fitted = net(criterion=FocalLoss, class_weight={"V": 5.0}).fit(*beats)
    assert fitted.criterion_.weight.tolist() == [1, 1, 5]


def test_without_gamma_the_net_is_that_of_cross_entropy(beats):
    weighted = net(class_weight="balanced", label_smoothing=0.1)
    focal = clone(weighted).set_params(criterion=FocalLoss, criterion__gamma=0)
    probabilities = [each.fit(*beats).predict_proba(beats[0]) for each in (weighted, focal)]
    np.testing.assert_array_equal(*probabilities)


def test_networks_of_the_user_give_probabilities_with_the_focal_loss(beats):
    network = nn.Sequential(nn.Linear(64, 3))
    probabilities = net(module=network, criterion=FocalLoss).fit(*beats).predict_proba(beats[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_nets_with_the_focal_loss_are_saved_and_loaded(beats, tmp_path):
    X, _ = beats
    parameters = {"criterion": FocalLoss, "criterion__gamma": 3, "class_weight": "balanced"}
    fitted = net(**parameters).fit(*beats)
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.predict(X), fitted.predict(X))
    assert len(restored.partial_fit(*beats).history) == 4
    fitted.save_params(f_params=tmp_path / "params", f_criterion=tmp_path / "criterion")
    loaded = net(**parameters, classes=["N", "S", "V"]).initialize()
    loaded.load_params(f_params=tmp_path / "params")
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))


# --- all of them ------------------------------------------------------------------------

NEW = {
    "weight_decay": 1.0,
    "label_smoothing": 0.1,
    "augment_amplitude": 0.1,
    "augment_baseline": 0.1,
    "augment_noise": 0.2,
    "augment_shift": 0.1,
    "weight_averaging": 0.9,
    "class_weight": "sqrt_balanced",
}


@pytest.mark.parametrize("net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier])
def test_all_options_together_learn_and_stay_after_cloning_and_pickling(beats, net_class):
    twin = clone(net_class(**SMALL | {"max_epochs": 25, "n_filters": 4}, **NEW))
    assert twin.get_params().items() >= NEW.items()
    assert all(f"{name}={value!r}" in repr(twin) for name, value in NEW.items())
    fitted = twin.fit(*beats)
    assert fitted.score(*beats) > 0.8
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.predict_proba(beats[0]), fitted.predict_proba(beats[0]))


@pytest.mark.parametrize("name", [*NEW, "criterion__gamma"])
def test_grids_over_every_option(beats, name):
    values = [clone(net()).get_params().get(name, 0), NEW.get(name, 2.0)]
    search = GridSearchCV(
        net(criterion=FocalLoss), {name: values}, cv=2, scoring="neg_log_loss", error_score="raise"
    )
    scores = search.fit(*beats).cv_results_["mean_test_score"]
    assert scores[0] != scores[1]
