"""Model files of small models, and files with any content."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ecgbeat import save_model
from ecgbeat.persistence._container import pack, unpack


@pytest.fixture(scope="session")
def rows():
    """60 rows of noise of 12 columns, and labels of three classes."""
    rng = np.random.default_rng(0)
    labels = np.repeat(["N", "S", "V"], 20)
    return rng.normal(size=(60, 12)) + np.repeat([0, 1, 2], 20)[:, None], labels


@pytest.fixture(scope="session")
def linear(rows):
    return LogisticRegression().fit(*rows)


@pytest.fixture
def saved(linear, tmp_path):
    """File of a logistic regression."""
    path = tmp_path / "linear.safetensors"
    save_model(linear, path)
    return path


@pytest.fixture
def rewrite():
    """Return a function that changes the content of a model file, with a valid checksum."""

    def change(path, edit):
        tensors, metadata = unpack(path)
        model = {key: json.loads(metadata[key]) for key in ("estimator", "info")}
        edit(model, tensors)
        texts = {key: json.dumps(value) for key, value in model.items()}
        path.write_bytes(pack(tensors, metadata | texts))

    return change
