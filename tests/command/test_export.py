"""Tests of ``ecgbeat export``."""

import pytest
import torch

from ecgbeat import ECGCNNClassifier, save_model
from ecgbeat.datasets import make_heartbeats
from ecgbeat.export._onnx import _OLDEST_TORCH

pytestmark = pytest.mark.skipif(
    torch.__version__ < _OLDEST_TORCH, reason=f"exporting needs torch >= {_OLDEST_TORCH}"
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """File of a small network."""
    X, y = make_heartbeats(30, classes=("N", "V"), random_state=0, return_X_y=True)
    file = tmp_path_factory.mktemp("network") / "net.safetensors"
    save_model(ECGCNNClassifier(n_filters=2, max_epochs=1, random_state=0).fit(X, y), file)
    return file


@pytest.mark.slow  # the exporter of torch
def test_network_is_exported_to_onnx_and_c(run, network, tmp_path):
    code, out, error = run("export", network, "--out", "net.onnx")
    assert (code, error) == (0, "")
    size = (tmp_path / "net.onnx").stat().st_size
    assert out == f"net.onnx  {size} bytes\n"
    assert run("export", network, "--out", "net.onnx")[0] == 2
    code, out, error = run("export", network, "--out", "source")
    assert (code, error) == (0, "")
    assert "ecgbeat_model.c" in out


def test_model_that_cannot_be_exported_is_an_error(run, model):
    code, _, error = run("export", model, "--out", "x.onnx")
    assert code == 1
    assert error.startswith("ecgbeat: ")
    assert "Traceback" not in error
