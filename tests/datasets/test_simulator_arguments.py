import numpy as np
import pytest

from ecgbeat.datasets._simulator._arguments import (
    CLASSES,
    check_classes,
    check_shares,
    check_weights,
)

KNOWN = {"loud": "much", "soft": "little"}


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


def test_other_classes_than_those_of_beats_can_be_checked():
    check_classes("classes", ["loud"], KNOWN)
    with pytest.raises(ValueError, match=r"contains 'N'.*Use 'loud' \(much\), 'soft'"):
        check_classes("classes", ["N"], KNOWN)
    assert check_weights({"soft": 3}, KNOWN) == {"soft": 3.0}


def test_shares_are_those_of_the_weights_in_the_order_of_the_classes():
    shares = check_shares(["soft", "loud"], {"loud": 1, "soft": 2}, {}, KNOWN)
    assert list(shares.items()) == [("soft", 2.0), ("loud", 1.0)]


def test_without_weights_shares_are_the_default_ones():
    assert check_shares(["V"], None, {"N": 0.7, "V": 0.3}) == {"V": 0.3}


@pytest.mark.parametrize(
    ("classes", "weights", "message"),
    [
        ([], None, r"one or more different names, such as \('loud', 'soft'\), got \[\]"),
        (["loud", "loud"], None, "one or more different names"),
        (["low"], None, "classes contains 'low'"),
        (["loud"], {"soft": 1.0}, r"for each of classes=\('loud',\)"),
        (["loud"], {"loud": 1.0, "low": 1.0}, "weights contains 'low'"),
    ],
)
def test_classes_and_weights_that_do_not_fit_are_explained(classes, weights, message):
    with pytest.raises(ValueError, match=message):
        check_shares(classes, weights, {"loud": 0.5, "soft": 0.5}, KNOWN)
