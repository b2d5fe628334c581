"""What skorch's documentation shows, on our estimators and with string labels."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LoadInitState,
    LRScheduler,
    ParamMapper,
    ProgressBar,
    TrainEndCheckpoint,
)
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import SliceDataset, predefined_split
from skorch.history import History
from torch import nn
from torch.utils.data import DataLoader

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier


def net(**parameters):
    defaults = {"n_filters": 4, "max_epochs": 4, "batch_size": 30, "random_state": 0}
    return ECGCNNClassifier(**defaults | parameters)


def validating(**parameters):
    return net(train_split=ValidSplit(3, stratified=True), **parameters)


def test_early_stopping_restores_the_best_epoch(beats):
    stop = EarlyStopping(monitor="f1_macro", lower_is_better=False, patience=3, load_best=True)
    score = EpochScoring("f1_macro", lower_is_better=False)
    fitted = validating(callbacks=[score, stop], max_epochs=40).fit(*beats)
    history = fitted.history[:, "f1_macro"]
    assert len(history) < 40
    best = stop.best_epoch_ - 1
    assert history[best] == max(history)
    _, validation = fitted.get_split_datasets(*beats)
    rows = np.asarray(validation.indices)
    again = f1_score(beats[1][rows], fitted.predict(beats[0][rows]), average="macro")
    assert again == pytest.approx(history[best])


@pytest.mark.parametrize("use_caching", [True, False])
@pytest.mark.parametrize("on_train", [True, False])
def test_epoch_scores_equal_scikit_learns(beats, use_caching, on_train):
    # a frozen net: scores of the training epoch would otherwise be of a moving one
    score = EpochScoring(
        "f1_macro", lower_is_better=False, on_train=on_train, use_caching=use_caching
    )
    fitted = validating(callbacks=[score], lr=1e-12, dropout=0.0, max_epochs=1).fit(*beats)
    training, validation = fitted.get_split_datasets(*beats)
    rows = np.asarray((training if on_train else validation).indices)
    fitted.module_.train(on_train and use_caching)
    expected = f1_score(beats[1][rows], fitted.predict(beats[0][rows]), average="macro")
    if not (on_train and use_caching):  # batch norm then depends on the batches
        assert fitted.history[-1, "f1_macro"] == pytest.approx(expected)
    assert 0 <= fitted.history[-1, "f1_macro"] <= 1


def test_scorers_get_the_original_labels(beats):
    X, y = beats
    # scikit-learn 1.8 also checks pos_label with several classes
    scorer = make_scorer(f1_score, labels=["V"], average="macro", pos_label=None, zero_division=0.0)
    fitted = validating(
        callbacks=[EpochScoring(scorer, name="f1_v", lower_is_better=False)], max_epochs=12
    ).fit(X, y)
    assert fitted.history[-1, "f1_v"] == pytest.approx(1, abs=0.2)


def test_binary_scorers_take_a_positive_label(beats):
    X, y = beats
    scorer = make_scorer(f1_score, pos_label="normal")
    callbacks = [
        EpochScoring(scorer, name="f1", lower_is_better=False),
        EpochScoring("roc_auc", lower_is_better=False),
    ]
    fitted = validating(callbacks=callbacks, max_epochs=12).fit(
        X, np.where(y == "N", "normal", "abnormal")
    )
    assert fitted.history[-1, "f1"] > 0.8
    assert fitted.history[-1, "roc_auc"] > 0.8


@pytest.mark.parametrize("use_caching", [True, False])
def test_batches_are_scored(beats, use_caching):
    score = BatchScoring("accuracy", lower_is_better=False, use_caching=use_caching)
    fitted = validating(callbacks=[score], max_epochs=12).fit(*beats)
    assert fitted.history[-1, "accuracy"] == pytest.approx(fitted.history[-1, "valid_acc"])


def test_custom_callback_predicts_labels(beats):
    X, y = beats

    class HeldOut(Callback):
        def on_epoch_end(self, net, **kwargs):  # noqa: ARG002
            net.history.record("held_out", float(np.mean(net.predict(X[:30]) == y[:30])))

    fitted = net(callbacks=[HeldOut()], max_epochs=12).fit(X, y)
    assert fitted.history[-1, "held_out"] == pytest.approx(fitted.score(X[:30], y[:30]))
    assert fitted.history[-1, "held_out"] > 0.5  # three classes; codes would give 0


def test_checkpoints_load_into_a_new_net(beats, tmp_path):
    checkpoint = Checkpoint(dirname=tmp_path, monitor="train_loss_best")
    fitted = net(callbacks=[checkpoint]).fit(*beats)
    best = net(classes=fitted.classes_).initialize()
    best.load_params(checkpoint=checkpoint)
    assert set(best.predict(beats[0])) <= set("NSV")
    assert len(best.history) == 4


def test_checkpoint_pickles_the_net_during_training(beats, tmp_path):
    net(callbacks=[Checkpoint(dirname=tmp_path, f_pickle="net.pkl", monitor=None)]).fit(*beats)
    restored = pickle.loads((tmp_path / "net.pkl").read_bytes())
    assert restored.predict(beats[0]).shape == (120,)


def test_training_resumes_from_a_checkpoint(beats, tmp_path):
    checkpoint = TrainEndCheckpoint(dirname=tmp_path)
    net(callbacks=[checkpoint]).fit(*beats)
    resumed = net(callbacks=[LoadInitState(checkpoint)]).fit(*beats)
    assert len(resumed.history) == 8


def rates_of(**parameters):
    class Rates(Callback):
        def on_batch_end(self, net, training, **kwargs):  # noqa: ARG002
            rates.append(net.optimizer_.param_groups[0]["lr"])

    rates = []
    callbacks = [*parameters.pop("callbacks", []), Rates()]
    X = np.random.default_rng(0).normal(size=(32, 8))
    net(callbacks=callbacks, **parameters).fit(X, np.arange(32) % 2)
    return np.array(rates)


def test_one_cycle_warms_up_and_anneals():
    rates = rates_of(lr=0.1)
    assert len(rates) == 8
    assert 0 < rates.argmax() < 4
    assert rates.max() == pytest.approx(0.1, rel=0.15)
    assert rates[-1] < 0.001


def test_custom_scheduler_replaces_one_cycle():
    step = LRScheduler(policy=torch.optim.lr_scheduler.StepLR, step_size=2, gamma=0.5)
    np.testing.assert_allclose(rates_of(lr=0.1, callbacks=[step])[::2], [0.1, 0.1, 0.05, 0.05])


def test_learning_rate_is_constant_without_a_schedule():
    assert set(rates_of(lr=0.1, lr_schedule=None)) == {0.1}


@pytest.mark.parametrize(
    "callback",
    [
        GradientNormClipping(1.0),
        Freezer("front*"),
        ParamMapper("front*", at=2),
        LRScheduler(policy="ReduceLROnPlateau", monitor="train_loss"),
        ("named", EarlyStopping(monitor="train_loss")),
    ],
)
def test_skorchs_callbacks_run(beats, callback):
    assert len(net(callbacks=[callback]).fit(*beats).history) == 4


def test_frozen_front_is_not_trained(beats):
    fitted = net(callbacks=[Freezer("front*")], max_epochs=1)
    fitted.classes = ["N", "S", "V"]
    before = fitted.initialize().module_.front[0].weight.clone()
    assert torch.equal(fitted.partial_fit(*beats).module_.front[0].weight, before)


def test_progress_bar_shows_every_batch(beats, capsys):
    net(callbacks=[ProgressBar(detect_notebook=False)], batch_size="auto").fit(*beats)
    assert "0/8" in capsys.readouterr().err  # eight batches, known although "auto" was asked


def test_verbose_prints_skorchs_table(beats, capsys):
    validating(verbose=1).fit(*beats)
    printed = capsys.readouterr().out
    assert "valid_acc" in printed
    assert len(printed.splitlines()) == 2 + 4


def test_nothing_is_printed_by_default(beats, capsys):
    validating(early_stopping=True).fit(*beats)
    assert capsys.readouterr() == ("", "")


def test_callbacks_can_be_disabled(beats):
    assert net(callbacks="disable").fit(*beats).callbacks_ == []


@pytest.mark.parametrize(
    "grid",
    [
        {"module__dropout": [0.0, 0.4]},
        {"optimizer__weight_decay": [0.0, 0.1]},
        {"iterator_train__drop_last": [False, True]},
        {"callbacks__stop__patience": [1, 2]},
        {"lr": [0.01, 0.001], "n_filters": [2, 4]},
    ],
    ids=str,
)
def test_grid_search_over_skorchs_parameters(beats, grid):
    stop = EarlyStopping(monitor="train_loss")
    search = GridSearchCV(
        net(callbacks=[("stop", stop)], max_epochs=1),
        grid,
        cv=2,
        scoring="f1_macro",
        error_score="raise",
    )
    search.fit(*beats)
    assert search.best_params_.keys() == grid.keys()


def test_parameters_of_callbacks_are_set(beats):
    stopping = net(callbacks=[("stop", EarlyStopping(monitor="train_loss"))])
    stopping.set_params(callbacks__stop__patience=7, callbacks__print_log=None)
    callbacks = dict(stopping.fit(*beats).callbacks_)
    assert callbacks["stop"].patience == 7
    assert "print_log" not in callbacks


def test_module_parameter_takes_precedence(beats):
    fitted = net(dropout=0.1, module__dropout=0.4).fit(*beats)
    dropouts = [layer.p for layer in fitted.module_.modules() if isinstance(layer, nn.Dropout)]
    assert dropouts == [0.4]


def test_partial_fit_continues_training(beats):
    X, y = beats
    fitted = net().partial_fit(X[:60], y[:60], classes=["N", "S", "V"]).partial_fit(X[60:], y[60:])
    assert len(fitted.history) == 8


def test_partial_fit_takes_epochs(beats):
    assert len(net(max_epochs="auto").partial_fit(*beats, epochs=2).history) == 2


def test_warm_start_continues_training(beats):
    assert len(net(warm_start=True).fit(*beats).fit(*beats).history) == 8
    assert len(net().fit(*beats).fit(*beats).history) == 4


@pytest.mark.parametrize("use_safetensors", [False, True])
@pytest.mark.parametrize("classes", [None, ["N", "S", "V"]])
def test_saved_parameters_load_into_an_unfitted_net(beats, tmp_path, use_safetensors, classes):
    X, _ = beats
    fitted = net().fit(*beats)
    fitted.save_params(f_params=tmp_path / "params", use_safetensors=use_safetensors)
    loaded = net(classes=classes).initialize()
    loaded.load_params(f_params=tmp_path / "params", use_safetensors=use_safetensors)
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    # without its labels a net answers in codes, as skorch does
    expected = fitted.predict(X) if classes else fitted.predict_proba(X).argmax(axis=1)
    np.testing.assert_array_equal(loaded.predict(X), expected)


def test_training_continues_from_saved_optimizer_and_history(beats, tmp_path):
    files = {f"f_{part}": str(tmp_path / part) for part in ("params", "optimizer", "history")}
    net().fit(*beats).save_params(**files)
    loaded = net(classes=["N", "S", "V"]).initialize()
    loaded.load_params(**files)
    assert len(loaded.partial_fit(*beats).history) == 8


# torch's compiler warns of deprecated parts of torch itself
@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_compiled_net_predicts_pickles_and_saves(beats, tmp_path):
    fitted = net(compile=True, max_epochs=1).fit(*beats)
    expected = fitted.predict_proba(beats[0])
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(restored.predict_proba(beats[0]), expected, atol=1e-6)
    fitted.save_params(f_params=tmp_path / "params")


@pytest.mark.parametrize("offset", [0, 5])
def test_fit_on_datasets(bumps, offset):
    X, codes = bumps
    dataset = Dataset(X, codes + offset)
    fitted = net(max_epochs=12).fit(dataset, None)
    assert fitted.classes_.tolist() == [offset, 1 + offset, 2 + offset]
    assert np.mean(fitted.predict(dataset) == codes + offset) > 0.8


def test_fit_on_datasets_of_string_labels(beats):
    X, y = beats

    class Recorded(torch.utils.data.Dataset):
        def __len__(self):
            return len(X)

        def __getitem__(self, i):
            return X[i].astype(np.float64), str(y[i])

    fitted = validating(max_epochs=12).fit(Recorded(), y)
    assert np.mean(fitted.predict(Recorded()) == y) > 0.8
    assert fitted.history[-1, "valid_acc"] > 0.5


def test_early_stopping_splits_datasets(beats):
    fitted = net(early_stopping=True).fit(Dataset(*beats), None)
    assert "valid_loss" in fitted.history[-1]


def test_a_predefined_validation_set_keeps_its_labels(beats):
    X, y = beats
    split = predefined_split(Dataset(X[:30], y[:30]))
    fitted = net(train_split=split, max_epochs=12).fit(X[30:], y[30:])
    assert fitted.history[-1, "valid_acc"] == pytest.approx(fitted.score(X[:30], y[:30]))


def test_grid_search_on_slice_datasets(beats):
    dataset = Dataset(*beats)
    search = GridSearchCV(net(), {"lr": [0.1, 0.01]}, cv=2, error_score="raise")
    search.fit(SliceDataset(dataset), np.asarray(beats[1]))
    assert search.best_score_ > 0.3


@pytest.mark.parametrize(
    "options",
    [
        {"iterator_train": DataLoader, "iterator_train__shuffle": True},
        {"iterator_train__num_workers": 0, "iterator_valid": DataLoader},
        {"iterator_train__batch_size": 40},
    ],
    ids=str,
)
def test_custom_iterators(beats, options):
    assert net(max_epochs=15, **options).fit(*beats).score(*beats) > 0.8


def test_scorers_get_string_labels_from_dataloader(beats):
    loaders = {"iterator_train": DataLoader, "iterator_valid": DataLoader}
    fitted = validating(**loaders, max_epochs=12).fit(*beats)
    assert fitted.history[-1, "valid_acc"] > 0.5


class Dense(nn.Module):
    def __init__(self, n_hidden=8, probabilities=False):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 3))
        self.probabilities = probabilities

    def forward(self, X):
        logits = self.layers(X)
        return torch.softmax(logits, -1) if self.probabilities else logits


@pytest.mark.parametrize(
    "parameters",
    [
        {"module": Dense, "module__n_hidden": 5},
        {"module": Dense()},
        {"module": Dense, "module__probabilities": True, "criterion": nn.NLLLoss},
        {"criterion": nn.NLLLoss},
        {"criterion": nn.CrossEntropyLoss(), "class_weight": None},
        {"criterion__label_smoothing": 0.1, "class_weight": "balanced"},
    ],
)
def test_custom_modules_and_losses_give_probabilities(beats, parameters):
    fitted = net(max_epochs=15, **parameters).fit(*beats)
    np.testing.assert_allclose(fitted.predict_proba(beats[0]).sum(axis=1), 1, atol=1e-5)
    assert fitted.score(*beats) > 0.6


@pytest.mark.parametrize(
    "parameters",
    [
        {"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9},
        # made for full batches and a noiseless loss
        {"optimizer": torch.optim.LBFGS, "lr": 0.1, "batch_size": -1}
        | {"dropout": 0.0, "augment_noise": 0.0, "augment_shift": 0.0},
        {"optimizer__param_groups": [("head*", {"lr": 0.1})]},
        {"optimizer__foreach": True},
    ],
    ids=str,
)
def test_custom_optimizers_decrease_the_loss(beats, parameters):
    losses = net(**parameters).fit(*beats).history[:, "train_loss"]
    assert losses[-1] < losses[0]


def test_set_params_changes_rates_of_fitted_net(beats):
    fitted = net().fit(*beats)
    fitted.set_params(lr=0.5, optimizer__weight_decay=0.3)
    group = fitted.optimizer_.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.3)


def test_trimmed_net_gives_probabilities(beats):
    fitted = net().fit(*beats)
    before = fitted.predict_proba(beats[0])
    fitted.trim_for_prediction()
    np.testing.assert_array_equal(fitted.predict_proba(beats[0]), before)


def test_subclass_changes_the_loss(beats):
    class Regularized(ECGCNNLSTMClassifier):
        def get_loss(self, y_pred, y_true, X=None, training=False):
            loss = super().get_loss(y_pred, y_true, X=X, training=training)
            return loss + 1000

    fitted = Regularized(n_filters=2, hidden_size=2, max_epochs=1).fit(*beats)
    assert fitted.history[-1, "train_loss"] > 1000


# --- parameters, history and generators -----------------------------------------------


PARTS = ("params", "optimizer", "history")


def files_of(folder, parts=PARTS):
    return {f"f_{part}": str(folder / part) for part in parts}


def state_of(fitted):
    """Return everything that loading may change, as text or by identity."""
    states = [fitted.module_.state_dict(), fitted.optimizer_.state_dict(), list(fitted.history)]
    return repr(states), {name: id(value) for name, value in vars(fitted).items()}


OTHERS = {
    "filters": {"n_filters": 3},
    "kernel": {"kernel_size": 7},
    "blocks": {"n_blocks": 2},
    "custom network": {"module": nn.Sequential(nn.Linear(64, 3))},
    "classes": {},
}
OTHER_OPTIMIZERS = [torch.optim.SGD, torch.optim.RMSprop, torch.optim.Adafactor, torch.optim.LBFGS]


@pytest.mark.parametrize("parts", [["params"], ["optimizer"], PARTS, PARTS[1:]], ids=str)
@pytest.mark.parametrize("other", OTHERS)
def test_files_of_another_network_leave_the_net_as_it_was(beats, tmp_path, other, parts):
    X, y = beats
    rows = y != "V" if other == "classes" else slice(None)
    net(**OTHERS[other], max_epochs=1).fit(X[rows], y[rows]).save_params(**files_of(tmp_path))
    fitted = net(max_epochs=1).fit(X, y)
    before = state_of(fitted)
    message = r"size mismatch|Unexpected key|Missing key|state of another|parameter group"
    with pytest.raises((RuntimeError, ValueError), match=message):
        fitted.load_params(**files_of(tmp_path, parts))
    assert state_of(fitted) == before
    fitted.partial_fit(X, y)


@pytest.mark.parametrize("optimizer", OTHER_OPTIMIZERS)
def test_state_of_another_optimizer_is_not_loaded(beats, tmp_path, optimizer):
    net(max_epochs=1, optimizer=optimizer).fit(*beats).save_params(**files_of(tmp_path))
    fitted = net(max_epochs=1).fit(*beats)
    before = state_of(fitted)
    with pytest.raises(ValueError, match="state of another optimizer"):
        fitted.load_params(**files_of(tmp_path))
    assert state_of(fitted) == before


@pytest.mark.parametrize("optimizer", [*OTHER_OPTIMIZERS, torch.optim.AdamW, torch.optim.Rprop])
def test_state_of_the_same_optimizer_is_loaded(beats, tmp_path, optimizer):
    saved = net(max_epochs=1, optimizer=optimizer).fit(*beats)
    saved.save_params(**files_of(tmp_path))
    fitted = net(max_epochs=1, optimizer=optimizer, classes=["N", "S", "V"]).initialize()
    fitted.load_params(**files_of(tmp_path))
    found, expected = (n.optimizer_.state_dict()["state"] for n in (fitted, saved))
    assert repr(found) == repr(expected)
    assert len(fitted.partial_fit(*beats).history) == 2


DAMAGE = {
    "empty": lambda _: b"",
    "text": lambda _: b"not a file of ecgbeat" * 20,
    "binary": lambda _: bytes(range(256)),
    "half": lambda content: content[: len(content) // 2],
    "JSON": lambda _: b"[1, 2]",
    "number": lambda _: b"3",
    "cut": lambda content: content[:-9],
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("part", [*PARTS, "safetensors"])
def test_damaged_files_are_named_and_not_loaded(beats, tmp_path, part, damage):
    files = files_of(tmp_path)
    fitted = net(max_epochs=1).fit(*beats)
    fitted.save_params(**files)
    options = {"use_safetensors": part == "safetensors"}
    if options["use_safetensors"]:
        files, part = {"f_params": str(tmp_path / "params")}, "params"
        fitted.save_params(**files, **options)
    path = tmp_path / part
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    before = state_of(fitted)
    with pytest.raises(ValueError, match=f"f_{part}='.*{part}' cannot be loaded: it is damaged"):
        fitted.load_params(**files, **options)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=part):
        fitted.load_params(**files, **options)
    assert state_of(fitted) == before


@pytest.mark.parametrize("part", PARTS)
def test_damaged_checkpoint_is_not_loaded(beats, tmp_path, part):
    checkpoint = Checkpoint(dirname=tmp_path, monitor=None)
    net(max_epochs=1, callbacks=[checkpoint]).fit(*beats)
    fitted = net(max_epochs=1, random_state=1).fit(*beats)
    before = state_of(fitted)
    path = next(path for path in tmp_path.iterdir() if path.name.startswith(part))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match=f"f_{part}='.*{path.name}' cannot be loaded"):
        fitted.load_params(checkpoint=checkpoint)
    assert state_of(fitted) == before


def test_checkpoint_of_safetensors_without_optimizer_is_loaded(beats, tmp_path):
    checkpoint = Checkpoint(
        monitor=None, dirname=tmp_path, f_optimizer=None, f_pickle=None, use_safetensors=True
    )
    fitted = net(max_epochs=1, callbacks=[checkpoint]).fit(*beats)
    loaded = net(max_epochs=1, random_state=1).fit(*beats)
    loaded.load_params(checkpoint=checkpoint, use_safetensors=True)
    np.testing.assert_array_equal(loaded.predict_proba(beats[0]), fitted.predict_proba(beats[0]))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"f_params": "absent"}, FileNotFoundError),
        ({"params": "absent"}, TypeError),
        ({"f_params": "absent", "f_module": "absent"}, TypeError),
        ({"f_unknown": "absent"}, AttributeError),
    ],
)
def test_wrong_arguments_of_load_params_raise_the_errors_of_skorch(beats, arguments, error):
    fitted = net(max_epochs=1).fit(*beats)
    with pytest.raises(error):
        fitted.load_params(**arguments)


def test_file_objects_are_loaded(beats, tmp_path):
    saved = net(max_epochs=1).fit(*beats)
    saved.save_params(**files_of(tmp_path))
    fitted = net(max_epochs=1, classes=["N", "S", "V"]).initialize()
    with (tmp_path / "params").open("rb") as params, (tmp_path / "history").open() as history:
        fitted.load_params(f_params=params, f_history=history)
    np.testing.assert_array_equal(fitted.predict_proba(beats[0]), saved.predict_proba(beats[0]))
    assert len(fitted.history) == 1


def test_parameters_that_are_not_finite_are_not_loaded(beats, tmp_path):
    diverged = net(max_epochs=1).fit(*beats)
    with torch.no_grad():
        next(diverged.module_.parameters())[0] = torch.nan
    diverged.save_params(**files_of(tmp_path))
    fitted = net(max_epochs=1).fit(*beats)
    before = state_of(fitted)
    with pytest.raises(ValueError, match="of the network is not finite in the file"):
        fitted.load_params(**files_of(tmp_path))
    assert state_of(fitted) == before


@pytest.mark.parametrize("parts", [["history"], []], ids=str)
def test_net_without_loaded_parameters_learns_other_classes(beats, tmp_path, parts):
    X, y = beats
    net(max_epochs=1).fit(X, y).save_params(**files_of(tmp_path))
    resumed = net(max_epochs=1).initialize()
    resumed.load_params(**files_of(tmp_path, parts))
    resumed.partial_fit(X[y != "V"], y[y != "V"])
    assert resumed.classes_.tolist() == ["N", "S"]
    assert len(resumed.history) == 1 + len(parts)


@pytest.mark.parametrize("classes", [None, ["N", "S", "V"]])
def test_initialized_and_loaded_net_learns_the_classes(beats, tmp_path, classes):
    net(max_epochs=1).fit(*beats).save_params(f_params=tmp_path / "params")
    resumed = net(max_epochs=1, class_weight="balanced").initialize()
    resumed.load_params(f_params=tmp_path / "params")
    resumed.partial_fit(*beats, classes=classes)
    assert list(resumed.classes_) == ["N", "S", "V"]
    assert set(resumed.predict(beats[0])) <= {"N", "S", "V"}
    assert resumed.criterion_.weight is not None


def test_initialized_net_of_other_leads_raises(beats):
    X, y = beats
    with pytest.raises(ValueError, match="for n_leads=1, but the training data have n_leads=2"):
        net().initialize().partial_fit(X.reshape(-1, 2, 32), y)


@pytest.mark.parametrize("as_dataset", [False, True])
def test_initialized_net_learns_the_number_of_classes(beats, as_dataset):
    data = (Dataset(*beats), None) if as_dataset else beats
    fitted = net(max_epochs=6).initialize().partial_fit(*data)
    assert fitted.predict_proba(beats[0]).shape == (120, 3)
    assert fitted.history[-1, "train_loss"] < 0.9 * fitted.history[0, "train_loss"]


def test_loaded_net_of_other_classes_raises(beats, tmp_path):
    X, y = beats
    net(max_epochs=1).fit(X, y).save_params(f_params=tmp_path / "params")
    loaded = net().initialize()
    loaded.load_params(f_params=tmp_path / "params")
    with pytest.raises(ValueError, match=r"for 3 classes, but the training data have .* 2 classes"):
        loaded.partial_fit(X[y != "V"], y[y != "V"])


def test_initialized_custom_network_learns_the_classes(beats):
    resumed = net(module=nn.Sequential(nn.Linear(64, 3))).initialize()
    assert list(resumed.partial_fit(*beats).classes_) == ["N", "S", "V"]


def test_history_of_the_user_is_filled(beats):
    history = History()
    fitted = net(history=history, max_epochs=2).fit(*beats)
    assert fitted.history is history
    assert len(history) == 2


def test_checkpoint_before_a_score_keeps_the_score(beats, tmp_path):
    score = EpochScoring("f1_macro", lower_is_better=False, on_train=True, name="f1")
    checkpoint = Checkpoint(dirname=tmp_path, monitor="train_loss_best", load_best=True)
    fitted = net(callbacks=[checkpoint, score]).fit(*beats)
    assert len(fitted.history[:, "f1"]) == len(fitted.history)


def test_threads_do_not_share_random_numbers(beats):
    def fit(seed):
        return net(max_epochs=2, random_state=seed).fit(*beats).predict_proba(beats[0])

    seeds = [0, 1, 2, 0]
    alone = [fit(seed) for seed in seeds]
    state = torch.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, seeds))
    np.testing.assert_array_equal(together, alone)
    assert torch.equal(torch.get_rng_state(), state)


def test_pickle_without_a_parameter_of_today(beats):
    fitted = net(max_epochs=1).fit(*beats)
    expected = fitted.predict_proba(beats[0])
    del fitted.__dict__["keep_interrupted"]
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.predict_proba(beats[0]), expected)
    assert restored.get_params()["keep_interrupted"] is False
    restored.fit(*beats)


def test_pickle_without_any_one_attribute_works_or_is_refused(beats):
    fitted = net(early_stopping=True, max_epochs=1).fit(*beats)
    expected = fitted.predict_proba(beats[0])
    needed = {"_params_to_validate", "_modules", "_criteria", "_optimizers"}
    needed |= {"callbacks_", "history_"}
    names = vars(fitted).keys() & fitted.__getstate__().keys()
    assert needed < names
    for name in names:
        state = {key: value for key, value in fitted.__getstate__().items() if key != name}
        restored = ECGCNNClassifier.__new__(ECGCNNClassifier)
        if name in needed:
            with pytest.raises(ValueError, match=rf"it lacks the attributes \['{name}'\]"):
                restored.__setstate__(state)
        else:
            restored.__setstate__(state)
            np.testing.assert_allclose(restored.predict_proba(beats[0]), expected, atol=1e-6)
