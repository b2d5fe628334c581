import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.transforms import Bbox
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EpochScoring

from ecgbeat import BeatAnnotator, ECGCNNClassifier, ZScoreScaler
from ecgbeat.plotting import TrainingHistoryDisplay
from ecgbeat.plotting._training_history import (
    _best_epoch,
    _check_history,
    _choose_metrics,
    _find_curves,
)


@pytest.fixture(scope="module")
def plain(simulated):
    """A network without validation."""
    net = ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0)
    return net.fit(simulated.data, simulated.target)


@pytest.fixture(scope="module")
def scored(simulated):
    """A network with a score of training and validation."""
    scores = [
        EpochScoring("f1_macro", lower_is_better=False, name="valid_f1_macro"),
        EpochScoring("f1_macro", lower_is_better=False, on_train=True, name="train_f1_macro"),
    ]
    net = ECGCNNClassifier(
        n_filters=4, max_epochs=3, early_stopping=True, callbacks=scores, random_state=0
    )
    return net.fit(simulated.data, simulated.target)


def labels(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def test_curves_equal_the_history(scored):
    display = TrainingHistoryDisplay.from_estimator(scored)
    assert list(display.axes_) == ["loss", "acc", "f1_macro"]
    assert {column for _, column in display.lines_} == {
        "train_loss",
        "valid_loss",
        "valid_acc",
        "train_f1_macro",
        "valid_f1_macro",
    }
    for (_, column), line in display.lines_.items():
        np.testing.assert_allclose(line.get_ydata(), scored.history[:, column])
        assert line.get_xdata().tolist() == [1, 2, 3]


def test_axis_labels(scored):
    display = TrainingHistoryDisplay.from_estimator(scored)
    assert [ax.get_ylabel() for ax in display.axes_.values()] == ["Loss", "Accuracy", "F1 macro"]
    assert {ax.get_xlabel() for ax in display.axes_.values()} == {"Epoch"}


def test_training_is_dashed(scored):
    lines = TrainingHistoryDisplay.from_estimator(scored).lines_
    name = "ECGCNNClassifier"
    assert lines[name, "train_loss"].get_linestyle() == "--"
    assert lines[name, "valid_loss"].get_linestyle() == "-"


def test_best_epoch_is_marked(net):
    display = TrainingHistoryDisplay.from_estimator(net)
    best = [row["epoch"] for row in net.history if row["valid_loss_best"]][-1]
    assert display.best_epochs_ == {"ECGCNNClassifier": best}
    assert labels(display) == ["training", "validation", f"best epoch ({best})"]
    stars = [line for line in display.axes_["loss"].lines if line.get_marker() == "*"]
    assert [star.get_xdata().tolist() for star in stars] == [[best]]


def test_best_epoch_of_another_score(scored):
    display = TrainingHistoryDisplay.from_estimator(scored, monitor="valid_f1_macro")
    best = np.argmax(scored.history[:, "valid_f1_macro"]) + 1
    assert display.best_epochs_ == {"ECGCNNClassifier": best}


def test_without_validation_no_epoch_is_marked(plain):
    display = TrainingHistoryDisplay.from_estimator(plain)
    assert display.best_epochs_ == {}
    assert labels(display) == ["training"]


def test_several_networks(net, scored):
    display = TrainingHistoryDisplay.from_estimator({"CNN": net, "scored": scored})
    assert set(display.best_epochs_) == {"CNN", "scored"}
    looks = {
        (
            display.lines_[name, "valid_loss"].get_color(),
            display.lines_[name, "valid_loss"].get_marker(),
        )
        for name in ("CNN", "scored")
    }
    assert len(looks) == 2
    assert labels(display)[:4] == ["CNN", "scored", "training", "validation"]
    assert ("CNN", "valid_f1_macro") not in display.lines_


def test_list_of_networks_is_numbered(net, scored):
    display = TrainingHistoryDisplay.from_estimator([net, scored])
    assert labels(display)[:2] == ["ECGCNNClassifier 1", "ECGCNNClassifier 2"]


def test_networks_in_searches_and_annotators(simulated, patient):
    net = ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0)
    pipeline = make_pipeline(ZScoreScaler(), net)
    search = GridSearchCV(pipeline, {"ecgcnnclassifier__dropout": [0.1]}, cv=2)
    search.fit(simulated.data, simulated.target)
    annotator = BeatAnnotator(pipeline, fs=250).fit([patient.signal], [patient.annotation])
    display = TrainingHistoryDisplay.from_estimator({"search": search, "annotator": annotator})
    expected = search.best_estimator_[-1].history[:, "train_loss"]
    np.testing.assert_allclose(display.lines_["search", "train_loss"].get_ydata(), expected)
    expected = annotator.classifier_[-1].history[:, "train_loss"]
    np.testing.assert_allclose(display.lines_["annotator", "train_loss"].get_ydata(), expected)
    names = {name for name, _ in TrainingHistoryDisplay.from_estimator(annotator).lines_}
    assert names == {"ECGCNNClassifier"}


def test_history_loaded_from_json(net, tmp_path):
    file = tmp_path / "history.json"
    net.history.to_file(str(file))
    display = TrainingHistoryDisplay.from_history(json.loads(file.read_text()))
    np.testing.assert_allclose(
        display.lines_["network", "train_loss"].get_ydata(), net.history[:, "train_loss"]
    )


def test_histories_by_name(net, plain):
    display = TrainingHistoryDisplay.from_history({"a": net.history, "b": plain.history})
    assert set(display.histories) == {"a", "b"}


def test_chosen_metrics(scored):
    display = TrainingHistoryDisplay.from_estimator(scored, metrics=["f1_macro"])
    assert list(display.axes_) == ["f1_macro"]


def test_one_epoch():
    display = TrainingHistoryDisplay.from_history([{"epoch": 1, "train_loss": 1.0}])
    display.figure_.canvas.draw()
    line = display.lines_["network", "train_loss"]
    assert line.get_marker() not in ("", "None")


def test_given_axes(net):
    figure, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_estimator(net, metrics="loss", ax=ax)
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]


def test_array_of_axes(net):
    _, axes = plt.subplots(1, 2)
    display = TrainingHistoryDisplay.from_estimator(net, ax=axes)
    assert list(display.axes_.values()) == list(axes)


@pytest.mark.parametrize("width", [3.3, 8.0])
def test_texts_do_not_overlap(net, scored, narrow, overlapping, width):
    display = TrainingHistoryDisplay.from_estimator(
        [net, scored], ax=narrow(height=6.0, width=width)
    )
    assert overlapping(display.figure_) == []


def boxes_of_curves(display):
    """Return the areas of the panels in pixels."""
    display.figure_.canvas.draw()
    return [ax.get_window_extent() for ax in display.axes_.values()]


@pytest.mark.parametrize("n_networks", [1, 2, 5])
@pytest.mark.parametrize("is_new", [True, False])
def test_legend_is_outside_of_the_panels(scored, narrow, n_networks, is_new):
    networks = [scored] * n_networks
    ax = None if is_new else narrow(height=8.0)
    display = TrainingHistoryDisplay.from_estimator(networks, ax=ax)
    panels = boxes_of_curves(display)
    legend = display.legend_.get_window_extent()
    assert not legend.overlaps(Bbox.union(panels))
    assert display.figure_.bbox.padded(1).containsx(legend.x1)


@pytest.mark.parametrize("write", ["title", "suptitle"])
def test_title_does_not_overlap_the_legend(scored, overlapping, write):
    display = TrainingHistoryDisplay.from_estimator([scored, scored])
    add = display.ax_.set_title if write == "title" else display.figure_.suptitle
    add("A title")
    assert overlapping(display.figure_) == []


def test_texts_of_a_new_figure_do_not_overlap(scored, overlapping):
    assert overlapping(TrainingHistoryDisplay.from_estimator(scored).figure_) == []


def test_unfitted_network_raises():
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(ECGCNNClassifier())


def test_estimator_without_network_raises(simulated):
    model = LogisticRegression(max_iter=500).fit(simulated.data, simulated.target)
    with pytest.raises(TypeError, match="got LogisticRegression, which ends in LogisticRegression"):
        TrainingHistoryDisplay.from_estimator(model)


def test_untrained_network_raises(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=0).fit(simulated.data, simulated.target)
    with pytest.raises(
        ValueError, match="The history of ECGCNNClassifier must have at least one epoch"
    ):
        TrainingHistoryDisplay.from_estimator(net)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["auc"]}, r"metrics must be some of .*, got \['auc'\]"),
        ({"monitor": "auc"}, "monitor must be one of .*, got 'auc'"),
    ],
)
def test_invalid_parameters_make_no_figure(net, options, message):
    with pytest.raises(ValueError, match=message):
        TrainingHistoryDisplay.from_estimator(net, **options)
    assert plt.get_fignums() == []


def test_empty_dict_raises():
    with pytest.raises(ValueError, match="at least one history, got an empty dict"):
        TrainingHistoryDisplay.from_history({})


# --- reading of histories --------------------------------------------------------------


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
    found = [(curve.column, curve.metric, curve.is_train) for curve in _find_curves(FULL)]
    assert found == [
        ("train_loss", "loss", True),
        ("valid_loss", "loss", False),
        ("valid_f1", "f1", False),
        ("f1_macro", "f1_macro", False),
    ]


def test_values_and_epochs_of_a_curve():
    curve = _find_curves(FULL)[1]
    assert curve.epochs.tolist() == [1, 2]
    assert curve.values.tolist() == [2.5, 1.5]


def test_missing_score_is_nan():
    rows = history(train_loss=[2.0, 1.0])
    rows[1]["valid_loss"] = 1.5
    np.testing.assert_array_equal(_find_curves(rows)[1].values, [np.nan, 1.5])


def test_metrics_keep_the_given_order():
    curves = _find_curves(FULL)
    assert _choose_metrics(curves, None) == ["loss", "f1", "f1_macro"]
    assert _choose_metrics(curves, ["f1", "loss"]) == ["f1", "loss"]
    assert _choose_metrics(curves, "f1") == ["f1"]


@pytest.mark.parametrize("metrics", [["acc"], "acc", [], ["loss", "valid_loss"]])
def test_unknown_metric_raises(metrics):
    with pytest.raises(
        ValueError, match=r"metrics must be some of \['loss', 'f1', 'f1_macro'\], got"
    ):
        _choose_metrics(_find_curves(FULL), metrics)


def test_history_without_scores_raises():
    with pytest.raises(ValueError, match="must have a loss or a score"):
        _choose_metrics(_find_curves(history(note=["a"])), None)


@pytest.mark.parametrize(
    ("columns", "monitor", "expected"),
    [
        (
            {"valid_loss": [3, 1, 2], "valid_loss_best": [True, True, False]},
            None,
            2,
        ),
        ({"valid_loss": [3, 1, 2]}, None, 2),
        ({"valid_acc": [0.3, 0.9, 0.2]}, None, 2),
        ({"train_loss": [3, 2, 1], "f1": [0.1, 0.3, 0.2]}, None, 2),
        ({"valid_loss": [1, 2, 3], "valid_f1": [0.1, 0.2, 0.3]}, "valid_f1", 3),
        ({"train_loss": [3, 2, 1]}, None, None),
        ({"train_loss": [3, 2, 1]}, "train_loss", 3),
        ({"valid_loss": [np.nan, np.nan]}, None, None),
        ({"valid_loss": [np.nan, 2.0]}, None, 2),
    ],
)
def test_best_epoch(columns, monitor, expected):
    assert _best_epoch(history(**columns), monitor) == expected


def test_unknown_monitor_raises():
    with pytest.raises(ValueError, match=r"monitor must be one of .*, got 'valid_auc'"):
        _best_epoch(FULL, "valid_auc")


@pytest.mark.parametrize("empty", [None, [], ()])
def test_empty_history_raises(empty):
    with pytest.raises(ValueError, match="The history of CNN must have at least one epoch"):
        _check_history("CNN", empty)


@pytest.mark.parametrize("wrong", [[1, 2], [{"loss": 1}], "abc"])
def test_invalid_history_raises(wrong):
    with pytest.raises(TypeError, match="The history of CNN must be that of a skorch net"):
        _check_history("CNN", wrong)
