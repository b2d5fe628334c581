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


def test_curves_are_the_history(scored):
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


def test_axes_have_names(scored):
    display = TrainingHistoryDisplay.from_estimator(scored)
    assert [ax.get_ylabel() for ax in display.axes_.values()] == ["Loss", "Accuracy", "F1 macro"]
    assert {ax.get_xlabel() for ax in display.axes_.values()} == {"Epoch"}


def test_training_is_dashed(scored):
    lines = TrainingHistoryDisplay.from_estimator(scored).lines_
    name = "ECGCNNClassifier"
    assert lines[name, "train_loss"].get_linestyle() == "--"
    assert lines[name, "valid_loss"].get_linestyle() == "-"


def test_the_best_epoch_is_marked(net):
    display = TrainingHistoryDisplay.from_estimator(net)
    best = [row["epoch"] for row in net.history if row["valid_loss_best"]][-1]
    assert display.best_epochs_ == {"ECGCNNClassifier": best}
    assert labels(display) == ["training", "validation", f"best epoch ({best})"]
    stars = [line for line in display.axes_["loss"].lines if line.get_marker() == "*"]
    assert [star.get_xdata().tolist() for star in stars] == [[best]]


def test_the_best_epoch_of_another_score(scored):
    display = TrainingHistoryDisplay.from_estimator(scored, monitor="valid_f1_macro")
    best = np.argmax(scored.history[:, "valid_f1_macro"]) + 1
    assert display.best_epochs_ == {"ECGCNNClassifier": best}


def test_without_validation_nothing_is_best(plain):
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


def test_a_list_of_networks_is_numbered(net, scored):
    display = TrainingHistoryDisplay.from_estimator([net, scored])
    assert labels(display)[:2] == ["ECGCNNClassifier 1", "ECGCNNClassifier 2"]


def test_networks_inside_of_others(simulated, patient):
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


def test_histories_as_json_keeps_them(net, tmp_path):
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


def test_an_axes_of_ones_own(net):
    figure, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_estimator(net, metrics="loss", ax=ax)
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]


def test_axes_for_all_metrics(net):
    _, axes = plt.subplots(1, 2)
    display = TrainingHistoryDisplay.from_estimator(net, ax=axes)
    assert list(display.axes_.values()) == list(axes)


@pytest.mark.parametrize("width", [3.3, 8.0])
def test_no_texts_touch(net, scored, narrow, overlapping, width):
    display = TrainingHistoryDisplay.from_estimator(
        [net, scored], ax=narrow(height=6.0, width=width)
    )
    assert overlapping(display.figure_) == []


def boxes_of_curves(display):
    """Where the curves are drawn, in pixels."""
    display.figure_.canvas.draw()
    return [ax.get_window_extent() for ax in display.axes_.values()]


@pytest.mark.parametrize("n_networks", [1, 2, 5])
@pytest.mark.parametrize("is_new", [True, False])
def test_the_legend_covers_no_curve(scored, narrow, n_networks, is_new):
    networks = [scored] * n_networks
    ax = None if is_new else narrow(height=8.0)
    display = TrainingHistoryDisplay.from_estimator(networks, ax=ax)
    panels = boxes_of_curves(display)
    legend = display.legend_.get_window_extent()
    assert not legend.overlaps(Bbox.union(panels))
    assert display.figure_.bbox.padded(1).containsx(legend.x1)


@pytest.mark.parametrize("write", ["title", "suptitle"])
def test_a_title_has_room_beside_the_legend(scored, overlapping, write):
    display = TrainingHistoryDisplay.from_estimator([scored, scored])
    add = display.ax_.set_title if write == "title" else display.figure_.suptitle
    add("A title")
    assert overlapping(display.figure_) == []


def test_no_texts_touch_in_a_new_figure(scored, overlapping):
    assert overlapping(TrainingHistoryDisplay.from_estimator(scored).figure_) == []


def test_a_network_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(ECGCNNClassifier())


def test_what_has_no_network(simulated):
    model = LogisticRegression(max_iter=500).fit(simulated.data, simulated.target)
    with pytest.raises(TypeError, match="ends in LogisticRegression, which has no history"):
        TrainingHistoryDisplay.from_estimator(model)


def test_a_network_without_an_epoch(simulated):
    net = ECGCNNClassifier(n_filters=4, max_epochs=0).fit(simulated.data, simulated.target)
    with pytest.raises(ValueError, match="the history of ECGCNNClassifier is empty"):
        TrainingHistoryDisplay.from_estimator(net)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["auc"]}, r"the history has no \['auc'\]"),
        ({"monitor": "auc"}, "monitor='auc' is no column"),
    ],
)
def test_wrong_parameters_draw_nothing(net, options, message):
    with pytest.raises(ValueError, match=message):
        TrainingHistoryDisplay.from_estimator(net, **options)
    assert plt.get_fignums() == []


def test_no_history_at_all():
    with pytest.raises(ValueError, match="the dict is empty"):
        TrainingHistoryDisplay.from_history({})
