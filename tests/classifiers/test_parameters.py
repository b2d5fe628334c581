"""Shared parameters: declared once, visible everywhere, and never modified by `fit`."""

import inspect
import pickle
import typing
from typing import Any, ClassVar, Unpack

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback
from torch import nn

from ecgbeat import ECGCNNClassifier, ECGCNNLSTMClassifier
from ecgbeat._validation import Integral, Interval
from ecgbeat.classifiers._base import BeatClassifier
from ecgbeat.classifiers._parameters import SharedParameters, inherit_documentation
from ecgbeat.networks import BeatCNN

SMALL = {"n_filters": 2, "random_state": 0}


class WiderCNN(BeatCNN):
    def __init__(self, n_classes=None, *, n_filters=16, widening=2, **options):
        super().__init__(n_classes, n_filters=widening * n_filters, **options)


class WiderClassifier(BeatClassifier):
    """Convolutional network with more channels.

    Parameters
    ----------
    widening : int, default=2
        Factor of the number of channels.
    dropout : float, default=0.1
        Dropout probability of the wider network.
    """

    _network: ClassVar[type[nn.Module]] = WiderCNN
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BeatClassifier._parameter_constraints,
        "widening": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, *, widening: int = 2, **shared: Unpack[SharedParameters]) -> None:
        super().__init__(**shared)
        self.widening = widening


CLASSES = pytest.mark.parametrize(
    "net_class", [ECGCNNClassifier, ECGCNNLSTMClassifier, WiderClassifier]
)


def test_static_types_are_those_of_init():
    static = typing.get_type_hints(SharedParameters)
    hints = typing.get_type_hints(BeatClassifier.__init__)
    del hints["return"], hints["skorch_parameters"]
    assert list(static.items()) == list(hints.items())


@CLASSES
def test_signature_lists_all_parameters_with_their_defaults(net_class):
    signature = inspect.signature(net_class).parameters
    assert list(signature)[-1] == "skorch_parameters"
    defaults = {n: p.default for n, p in signature.items() if p.kind is p.KEYWORD_ONLY}
    assert defaults == net_class().get_params(deep=False)


@CLASSES
def test_docstring_documents_all_parameters_once(net_class):
    section = net_class.__doc__.split("Parameters\n----------\n")[1].split("\n\nAttributes\n")[0]
    heads = [line.partition(" :")[0] for line in section.splitlines() if line[0] != " "]
    documented = [name.lstrip("*") for head in heads for name in head.split(", ")]
    assert len(documented) == len(set(documented))
    assert sorted(documented) == sorted(inspect.signature(net_class).parameters)


def test_docstring_of_a_subclass_takes_precedence():
    assert "Dropout probability of the wider network." in WiderClassifier.__doc__
    assert "Dropout probability in the blocks" not in WiderClassifier.__doc__
    assert WiderClassifier.__doc__.startswith("Convolutional network with more channels.\n\nParam")


def test_sections_are_in_the_order_of_numpydoc():
    merged = inherit_documentation(
        "Summary.\n\nNotes\n-----\nA note.",
        "Base.\n\nParameters\n----------\na : int\n    Text.\n\nAttributes\n----------\nb_ : int",
    )
    assert merged == (
        "Summary.\n\nParameters\n----------\na : int\n    Text.\n\n"
        "Attributes\n----------\nb_ : int\n\nNotes\n-----\nA note.\n"
    )


def test_subclass_with_an_explicit_signature_keeps_it():
    class Explicit(ECGCNNClassifier):
        def __init__(self, *, n_filters: int = 4) -> None:
            super().__init__(n_filters=n_filters)

    assert list(inspect.signature(Explicit).parameters) == ["n_filters"]
    assert Explicit.__doc__ is None


def test_parameters_of_a_subclass_reach_its_network(beats):
    net = WiderClassifier(**SMALL, widening=3, max_epochs=1).fit(*beats)
    assert net.module_.front[0].out_channels == 6
    with pytest.raises(ValueError, match="'widening' parameter of WiderClassifier must be an int"):
        clone(net).set_params(widening=0).fit(*beats)


def test_grid_search_over_own_and_shared_parameters(beats):
    grid = {"widening": [1, 2], "dropout": [0.1, 0.2]}
    net = WiderClassifier(**SMALL, max_epochs=1)
    search = GridSearchCV(net, grid, cv=2, error_score="raise").fit(*beats)
    assert search.best_params_.keys() == grid.keys()


def test_class_pickled_by_value_keeps_signature_and_docstring():
    cloudpickle = pytest.importorskip("cloudpickle", reason="joblib brings it along")

    class Local(WiderClassifier):
        """Local class.

        Parameters
        ----------
        unit : int, default=1
            A parameter.
        """

        def __init__(self, *, unit: int = 1, **shared: Unpack[SharedParameters]) -> None:
            super().__init__(**shared)
            self.unit = unit

    restored = type(pickle.loads(cloudpickle.dumps(Local(widening=3))))
    assert list(inspect.signature(restored).parameters)[:3] == ["unit", "widening", "n_filters"]
    assert str(inspect.signature(restored)) == str(inspect.signature(Local))
    assert restored.__doc__ == Local.__doc__
    assert restored(widening=4, unit=2).get_params(deep=False).items() >= {"unit": 2}.items()


class Recorder(Callback):
    """Record the parameters at every event of a training."""

    def __init__(self):
        self.seen = []

    def record(self, net, **kwargs):  # noqa: ARG002
        self.seen.append(net.get_params(deep=False) | {"batch_size": net.batch_size})

    on_train_begin = on_epoch_begin = on_batch_begin = on_batch_end = record
    on_grad_computed = on_epoch_end = on_train_end = record


@pytest.mark.parametrize("early_stopping", [False, True])
def test_callbacks_see_the_parameters_of_the_user(beats, early_stopping):
    net = ECGCNNClassifier(
        **SMALL, callbacks=[recorder := Recorder()], early_stopping=early_stopping
    )
    before = net.get_params(deep=False)
    net.fit(*beats, epochs=1).predict(beats[0])
    assert len(recorder.seen) > 10
    assert all(seen == before for seen in recorder.seen)
    assert net.get_params(deep=False) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"batch_size": 7},
        {"max_epochs": 5},
        {"augment_noise": 0.3, "augment_shift": 0.0},
        {"lr": 0.5},
        {"dropout": 0.3, "n_filters": 4},
    ],
    ids=str,
)
@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_begin", "on_batch_end"])
def test_parameters_set_by_a_callback_remain(beats, changed, event):
    class Setter(Callback):
        pass

    setattr(Setter, event, lambda self, net, **_: net.set_params(**changed))  # noqa: ARG005
    net = ECGCNNClassifier(**SMALL, callbacks=[Setter()]).fit(*beats, epochs=2)
    assert net.get_params(deep=False).items() >= changed.items()


def test_numbers_in_place_of_auto_are_attributes(beats):
    class Numbers(Callback):
        def on_train_begin(self, net, **kwargs):  # noqa: ARG002
            seen.append((net.batch_size_, net.max_epochs_))

    seen = []
    net = ECGCNNClassifier(**SMALL, callbacks=[Numbers()]).fit(*beats, epochs=1)
    assert seen == [(16, 1)]
    net.set_params(batch_size=30, max_epochs=2).partial_fit(*beats)
    assert seen[1:] == [(30, 2)] == [(net.batch_size_, net.max_epochs_)]


def test_augmentation_set_by_a_callback_is_applied(beats, monkeypatch):
    from ecgbeat.classifiers import _base

    used = []
    monkeypatch.setattr(
        _base, "augment_rows", lambda rows, augmentation, *_: used.append(augmentation) or rows
    )

    class Setter(Callback):
        def on_epoch_end(self, net, **kwargs):  # noqa: ARG002
            net.set_params(augment_noise=0.5)

    ECGCNNClassifier(**SMALL, callbacks=[Setter()]).fit(*beats, epochs=2)
    assert {a.noise for a in used[:8]} == {0.1}
    assert {a.noise for a in used[8:]} == {0.5}


def test_loop_of_ones_own_gets_batches_of_the_automatic_size(beats):
    net = ECGCNNClassifier(**SMALL).fit(*beats, epochs=1)
    batches = net.get_iterator(net.get_dataset(*beats), training=True)
    assert {len(rows) for rows, _ in batches} == {15}  # 120 beats, at most 16 each
    assert torch.is_tensor(next(iter(batches))[0])


NUMBERS = {"n_filters": 2, "kernel_size": 3, "n_blocks": 2, "patience": 2, "n_leads": 2}


def test_numbers_of_numpy_are_accepted(beats):
    numbers = NUMBERS | {"max_epochs": 2, "batch_size": 50, "n_aux_features": 2}
    parameters = {name: np.int64(number) for name, number in numbers.items()}
    plain, fitted = (
        ECGCNNClassifier(random_state=0, **p).fit(*beats) for p in (numbers, parameters)
    )
    np.testing.assert_array_equal(fitted.predict_proba(beats[0]), plain.predict_proba(beats[0]))


@pytest.mark.parametrize("name", [*NUMBERS, "batch_size", "max_epochs", "lr"])
def test_bool_is_no_number(beats, name):
    with pytest.raises(ValueError, match=f"The '{name}' parameter .* must not be a bool, got True"):
        ECGCNNClassifier(**{name: True}).fit(*beats)


@pytest.mark.parametrize("size", [0, -2, 2.5, "16", None, True])
def test_invalid_batch_size_of_a_fitted_net_is_not_set(beats, size):
    fitted = ECGCNNClassifier(n_filters=2, max_epochs=1, batch_size=50).fit(*beats)
    with pytest.raises(ValueError, match="'batch_size' parameter"):
        fitted.set_params(batch_size=size)
    assert fitted.predict(beats[0]).shape == (120,)


@pytest.mark.parametrize("size", [0, 2.5])
@pytest.mark.parametrize("iterator", ["iterator_train", "iterator_valid"])
def test_invalid_batch_size_of_an_iterator_raises(beats, iterator, size):
    options = {f"{iterator}__batch_size": size}
    with pytest.raises(ValueError, match=f"batch_size must be an integer .*, got {size}"):
        ECGCNNClassifier(n_filters=2, early_stopping=True, **options).fit(*beats)
