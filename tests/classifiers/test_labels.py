import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from skorch.dataset import Dataset
from torch.utils.data import Subset, TensorDataset

from ecgbeat.classifiers._labels import (
    distinct_classes,
    encode,
    labels_of_dataset,
    weights_of_classes,
)

any_labels = st.one_of(
    st.lists(st.text("NSVF/ae", min_size=1, max_size=3), min_size=2),
    st.lists(st.integers(-(2**40), 2**40), min_size=2),
    st.lists(st.booleans(), min_size=2),
)


@given(any_labels.filter(lambda labels: len(set(labels)) > 1))
def test_codes_lead_back_to_the_labels(labels):
    y = np.array(labels)
    classes = distinct_classes(y, "net")
    np.testing.assert_array_equal(classes[encode(y, classes).numpy()], y)


def test_tensors_are_encoded_too():
    codes = encode(torch.tensor([7, 3, 7]), np.array([3, 7]))
    assert codes.tolist() == [1, 0, 1]
    assert codes.dtype == torch.int64


@pytest.mark.parametrize("label", ["A", "Z"])
def test_an_unseen_label_is_named(label):
    with pytest.raises(ValueError, match=rf"\['{label}'\] are not among the classes \['N', 'V'\]"):
        encode(np.array(["N", label]), np.array(["N", "V"]))


def test_given_classes_may_exceed_the_labels():
    assert distinct_classes(np.array(["V", "N"]), "net", ["S", "V", "N"]).tolist() == [
        "N",
        "S",
        "V",
    ]


def test_labels_may_not_exceed_given_classes():
    with pytest.raises(ValueError, match=r"net: y holds the labels \['Q'\]"):
        distinct_classes(np.array(["N", "Q"]), "net", ["N", "V"])


def test_one_class_is_an_error():
    with pytest.raises(ValueError, match=r"at least 2 classes, but y holds 1 class only: \['N'\]"):
        distinct_classes(np.array(["N", "N"]), "net")


def test_balanced_weights_are_scikit_learns():
    weights = weights_of_classes("balanced", np.array([0, 1]), np.array([0, 0, 0, 1]))
    np.testing.assert_allclose(weights, [4 / 6, 2])


def test_softened_weights_are_roots_of_balanced_ones_and_one_on_average():
    y = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
    weights = weights_of_classes("sqrt_balanced", np.array([0, 1]), y)
    assert weights[1] / weights[0] == pytest.approx(np.sqrt(8 / 2))
    assert weights[y].mean() == pytest.approx(1)


def test_a_class_without_rows_weighs_one_beside_softened_weights():
    weights = weights_of_classes("sqrt_balanced", np.array([0, 1, 2]), np.array([0, 0, 0, 2]))
    assert weights[1] == 1
    assert weights[2] / weights[0] == pytest.approx(np.sqrt(3))


def test_weights_go_by_label():
    weights = weights_of_classes({"V": 5.0}, np.array(["N", "V"]), np.array(["N", "V"]))
    assert weights.tolist() == [1, 5]


def test_a_class_without_rows_weighs_one():
    weights = weights_of_classes("balanced", np.array([0, 1, 2]), np.array([0, 0, 0, 2]))
    assert weights[1] == 1


def test_a_weight_of_no_class_is_an_error():
    with pytest.raises(ValueError, match="class_weight names the labels"):
        weights_of_classes({"Q": 2.0}, np.array(["N", "V"]), np.array(["N", "V"]))


class Unknown(torch.utils.data.Dataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return torch.zeros(2), "NVN"[i]


@pytest.mark.parametrize(
    ("dataset", "labels"),
    [
        (Dataset(np.zeros((3, 1)), np.array([1, 2, 1])), [1, 2, 1]),
        (Subset(Dataset(np.zeros((3, 1)), np.array([1, 2, 1])), [1, 0]), [2, 1]),
        (TensorDataset(torch.zeros(2, 1), torch.tensor([4, 5])), [4, 5]),
        (Unknown(), ["N", "V", "N"]),
    ],
)
def test_labels_are_read_off_datasets(dataset, labels):
    assert labels_of_dataset(dataset).tolist() == labels
