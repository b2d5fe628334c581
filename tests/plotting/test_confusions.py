import numpy as np
import pytest

from ecgbeat.plotting._confusions import label_confusions
from ecgbeat.plotting._style import BLUE, VERMILLION

TRUE = np.array(["N", "N", "V", "V", "V", "F"])
PREDICTED = np.array(["N", "V", "V", "N", "N", "N"])


def test_right_ones_first_then_the_most_frequent_errors():
    names, order, colors = label_confusions(TRUE, PREDICTED, None, 12)
    assert names.tolist() == ["N right", "N as V", "V right", "V as N", "V as N", "F as N"]
    assert order == ["N right", "V right", "V as N", "F as N", "N as V"]
    assert [colors[name] for name in order] == [BLUE] * 2 + [VERMILLION] * 3


def test_true_classes_in_the_order_wanted():
    _, order, _ = label_confusions(TRUE, PREDICTED, "VF", 12)
    assert order == ["V right", "V as N", "F as N"]


def test_the_rarest_errors_go():
    _, order, _ = label_confusions(TRUE, PREDICTED, None, 3)
    assert order == ["N right", "V right", "V as N"]


def test_labels_may_be_numbers():
    names, _, _ = label_confusions([0, 1], [1, 1], None, 12)
    assert names.tolist() == ["0 as 1", "1 right"]


@pytest.mark.parametrize(
    ("predicted", "max_panels", "message"),
    [
        (PREDICTED[:3], 12, "y_pred needs one label for each of the 6 beats"),
        (PREDICTED, 0, "max_panels must be a whole number from 1, got 0"),
        (PREDICTED, 1.5, "max_panels must be a whole number from 1, got 1.5"),
    ],
)
def test_what_cannot_be(predicted, max_panels, message):
    with pytest.raises(ValueError, match=message):
        label_confusions(TRUE, predicted, None, max_panels)
