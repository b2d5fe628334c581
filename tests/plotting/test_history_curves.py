import numpy as np
import pytest

from ecgbeat.plotting._history_curves import (
    best_epoch,
    check_history,
    choose_metrics,
    find_curves,
    title_of,
)


def history(**columns):
    n_epochs = len(next(iter(columns.values())))
    return [
        {"epoch": i + 1, "dur": 0.1, "batches": [{"train_loss": 3}], "train_batch_count": 4}
        | {name: values[i] for name, values in columns.items()}
        for i in range(n_epochs)
    ]


FULL = history(
    valid_f1=[0.1, 0.3],
    train_loss=[2.0, 1.0],
    train_loss_best=[True, True],
    valid_loss=[2.5, 1.5],
    valid_loss_best=[True, False],
    event_lr=[0.1, 0.1],
    f1_macro=[0.2, np.float32(0.4)],
    note=["a", "b"],
    flag=[True, False],
)


def test_losses_and_scores_are_found():
    found = [(curve.column, curve.metric, curve.is_train) for curve in find_curves(FULL)]
    assert found == [
        ("train_loss", "loss", True),
        ("valid_loss", "loss", False),
        ("valid_f1", "f1", False),
        ("f1_macro", "f1_macro", False),
    ]


def test_values_and_epochs():
    curve = find_curves(FULL)[1]
    assert curve.epochs.tolist() == [1, 2]
    assert curve.values.tolist() == [2.5, 1.5]


def test_an_epoch_without_a_score():
    rows = history(train_loss=[2.0, 1.0])
    rows[1]["valid_loss"] = 1.5
    np.testing.assert_array_equal(find_curves(rows)[1].values, [np.nan, 1.5])


def test_metrics_in_the_order_wanted():
    curves = find_curves(FULL)
    assert choose_metrics(curves, None) == ["loss", "f1", "f1_macro"]
    assert choose_metrics(curves, ["f1", "loss"]) == ["f1", "loss"]
    assert choose_metrics(curves, "f1") == ["f1"]


@pytest.mark.parametrize("metrics", [["acc"], "acc", [], ["loss", "valid_loss"]])
def test_metrics_that_are_not_there(metrics):
    with pytest.raises(ValueError, match=r"it has \['loss', 'f1', 'f1_macro'\]"):
        choose_metrics(find_curves(FULL), metrics)


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no loss and no score"):
        choose_metrics(find_curves(history(note=["a"])), None)


@pytest.mark.parametrize(
    ("columns", "monitor", "expected"),
    [
        (
            {"valid_loss": [3, 1, 2], "valid_loss_best": [True, True, False]},
            None,
            ("valid_loss", 2),
        ),
        ({"valid_loss": [3, 1, 2]}, None, ("valid_loss", 2)),
        ({"valid_acc": [0.3, 0.9, 0.2]}, None, ("valid_acc", 2)),
        ({"train_loss": [3, 2, 1], "f1": [0.1, 0.3, 0.2]}, None, ("f1", 2)),
        ({"valid_loss": [1, 2, 3], "valid_f1": [0.1, 0.2, 0.3]}, "valid_f1", ("valid_f1", 3)),
        ({"train_loss": [3, 2, 1]}, None, None),
        ({"train_loss": [3, 2, 1]}, "train_loss", ("train_loss", 3)),
        ({"valid_loss": [np.nan, np.nan]}, None, None),
        ({"valid_loss": [np.nan, 2.0]}, None, ("valid_loss", 2)),
    ],
)
def test_best_epoch(columns, monitor, expected):
    assert best_epoch(history(**columns), monitor) == expected


def test_monitor_that_is_not_there():
    with pytest.raises(ValueError, match="monitor='valid_auc' is no column of the history"):
        best_epoch(FULL, "valid_auc")


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_an_empty_history(nothing):
    with pytest.raises(ValueError, match="the history of CNN is empty"):
        check_history("CNN", nothing)


@pytest.mark.parametrize("wrong", [[1, 2], [{"loss": 1}], "abc"])
def test_what_is_no_history(wrong):
    with pytest.raises(TypeError, match="the history of CNN must be that of a skorch net"):
        check_history("CNN", wrong)


@pytest.mark.parametrize(
    ("metric", "title"), [("loss", "Loss"), ("acc", "Accuracy"), ("f1_macro", "F1 macro")]
)
def test_titles(metric, title):
    assert title_of(metric) == title
