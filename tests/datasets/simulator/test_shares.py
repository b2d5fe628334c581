import numpy as np
import pytest

from ecgbeat.datasets.simulator.shares import apportion, check_shares, check_weights

KNOWN = {"loud": "much", "soft": "little"}


def test_unknown_class_raises():
    with pytest.raises(ValueError, match=r"weights contains 'N'.*Use 'loud' \(much\), 'soft'"):
        check_weights({"N": 1.0}, KNOWN)


def test_shares_of_zero_are_dropped():
    assert check_weights({"loud": 2, "soft": 0}, KNOWN) == {"loud": 2.0}


@pytest.mark.parametrize("share", [-0.1, np.nan, np.inf, "0.5", None])
def test_invalid_share_raises(share):
    with pytest.raises(ValueError, match=r"weights\['soft'\] must be a finite number"):
        check_weights({"loud": 1.0, "soft": share}, KNOWN)


@pytest.mark.parametrize("weights", [{}, {"loud": 0.0}])
def test_weights_without_positive_share_raise(weights):
    with pytest.raises(ValueError, match="at least one class"):
        check_weights(weights, KNOWN)


def test_shares_are_weights_in_the_order_of_the_classes():
    shares = check_shares(["soft", "loud"], {"loud": 1, "soft": 2}, {}, KNOWN)
    assert list(shares.items()) == [("soft", 2.0), ("loud", 1.0)]


def test_shares_without_weights_are_the_default():
    assert check_shares(["soft"], None, {"loud": 0.7, "soft": 0.3}, KNOWN) == {"soft": 0.3}


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
def test_inconsistent_classes_and_weights_raise(classes, weights, message):
    with pytest.raises(ValueError, match=message):
        check_shares(classes, weights, {"loud": 0.5, "soft": 0.5}, KNOWN)


@pytest.mark.parametrize("total", [0, 1, 7, 100, 2001])
def test_parts_add_up_to_total(total):
    assert apportion(total, [0.3, 0.3, 0.3, 0.1]).sum() == total


def test_parts_are_proportional_to_shares():
    assert apportion(10, [5, 3, 2]).tolist() == [5, 3, 2]


def test_minimum_reduces_the_larger_parts():
    assert apportion(10, [100, 1, 1], minimum=2).tolist() == [6, 2, 2]
