import numpy as np
import pytest

from ecgbeat.datasets._simulator._arguments import CLASSES, check_classes, check_weights


def test_all_seven_classes_are_known():
    check_classes("classes", ["N", "L", "R", "A", "V", "F", "/"])
    assert len(CLASSES) == 7


def test_an_unknown_class_is_named_with_those_that_exist():
    with pytest.raises(ValueError, match=r"classes contains 'Q'.*'F' \(fusion"):
        check_classes("classes", ["N", "Q"])


def test_shares_of_zero_are_dropped():
    assert check_weights({"N": 2, "V": 0}) == {"N": 2.0}


@pytest.mark.parametrize("share", [-0.1, np.nan, np.inf, "0.5", None])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=r"weights\['V'\] must be a finite number"):
        check_weights({"N": 1.0, "V": share})


@pytest.mark.parametrize("weights", [{}, {"N": 0.0}])
def test_weights_without_any_share_are_refused(weights):
    with pytest.raises(ValueError, match="at least one class"):
        check_weights(weights)
