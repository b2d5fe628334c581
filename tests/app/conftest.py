"""A running server of the web page, with models that are quickly fitted."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import pytest
import uvicorn

from ecgbeat import ECGCNNClassifier
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.app import make_app
from ecgbeat.app._server import make_config
from ecgbeat.datasets import make_heartbeats, make_recording

WEIGHTS = {"N": 0.8, "A": 0.08, "V": 0.08, "F": 0.04}


@contextmanager
def running(**params):
    """Run a server on a free port of the loopback interface, and yield its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(make_config(make_app(port=port, **params)))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def quick_models():
    """Return a function in place of ``load_pretrained``."""
    ecgs = [make_recording(60, weights=WEIGHTS, random_state=seed) for seed in range(4)]
    annotator = make_inter_patient_annotator(360, future=False, random_state=0)
    annotator.fit([ecg.signal for ecg in ecgs], [ecg.annotation for ecg in ecgs])
    beats = make_heartbeats(
        80, n_patients=8, before=37 / 125, after=150 / 125, fs=125, random_state=0
    )
    rows = beats.data - beats.data.min(axis=1, keepdims=True)
    rows /= rows.max(axis=1, keepdims=True)
    labels = np.where(np.isin(beats.target, ["V", "A"]), "abnormal", "normal")
    net = ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0).fit(rows, labels)
    fitted = dict.fromkeys(("nsvf", "nsvf-live", "nlrav"), annotator)
    return {**fitted, "normal-abnormal-187": net}.__getitem__


def short_card(name):
    return {"name": name, "title": "Quickly fitted", "license": "none", "not_for": ["anything"]}


@pytest.fixture(scope="session")
def patched_models(quick_models):
    """Replace the trained models by quickly fitted ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ecgbeat.app._models.load_pretrained", quick_models)
        patch.setattr("ecgbeat.app._models.model_card", short_card)
        yield


@pytest.fixture(scope="session")
def server(patched_models) -> Iterator[str]:  # noqa: ARG001
    """Address of a running server."""
    with running() as address:
        yield address


@pytest.fixture
def client(server) -> Iterator[httpx.Client]:
    """HTTP client of the running server."""
    with httpx.Client(base_url=server, timeout=60, trust_env=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def start_server(patched_models):  # noqa: ARG001
    """Return a context manager that runs a server with parameters of its own."""
    return running
