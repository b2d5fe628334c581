"""The page and the HTTP interface of a running server."""

import json
import struct
import threading
import time

import numpy as np
import pytest

from ecgbeat.app import _requests, _server
from ecgbeat.app._annotations import beats_part
from ecgbeat.app._requests import RequestError
from ecgbeat.datasets import make_recording
from ecgbeat.pretrained import PRETRAINED_NAMES


def split(content):
    """Return the parts of an answer."""
    parts = []
    while content:
        (n_bytes,) = struct.unpack("<I", content[:4])
        assert len(content) >= 4 + n_bytes
        parts.append(content[4 : 4 + n_bytes])
        content = content[4 + n_bytes :]
    return parts


def read_page_body(content):
    """Return the JSON of both parts of an answer, and its levels as arrays."""
    signal, beats = split(content)
    (n_bytes,) = struct.unpack("<I", signal[:4])
    shown = json.loads(signal[4 : 4 + n_bytes])
    first = 4 + -(-n_bytes // 4) * 4
    n_leads = len(shown["lead_names"])
    arrays = []
    for level in shown["levels"]:
        shape = (n_leads, level["n_columns"]) + ((2,) if level["kind"] == "minmax" else ())
        arrays.append(
            np.frombuffer(signal, "<i2", int(np.prod(shape)), first + level["offset"]).reshape(
                shape
            )
        )
    assert first + shown["levels"][-1]["offset"] + arrays[-1].nbytes == len(signal)
    return {**shown, **json.loads(beats)}, arrays


def test_page_is_served_with_a_content_security_policy(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


def test_simulated_patient_is_annotated(client):
    answer = client.post("/page/simulate", json={"random_state": 1, "seconds": 60})
    assert answer.status_code == 200
    shown, arrays = read_page_body(answer.content)
    ecg = make_recording(
        60,
        n_leads=2,
        weights={"N": 0.82, "A": 0.07, "V": 0.09, "F": 0.02},
        random_state=1,
    )
    np.testing.assert_allclose(arrays[0] * shown["scale"], ecg.signal, atol=shown["scale"])
    assert shown["reference"]["sample"] == ecg.r_peaks.tolist()
    assert len(shown["beats"]["sample"]) == len(shown["beats"]["probability"])
    assert shown["report"].startswith("EC57")


PATIENT = {"random_state": 1, "seconds": 30}


def test_signal_is_sent_before_the_beats(client, monkeypatch):
    found = threading.Event()

    def wait(*args):
        assert found.wait(30)
        return beats_part(*args)

    monkeypatch.setattr(_server, "beats_part", wait)
    with client.stream("POST", "/page/simulate", json=PATIENT) as answer:
        content = bytearray()
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > 4 and len(content) == 4 + struct.unpack("<I", content[:4])[0]:
                found.set()
        assert found.is_set()
    assert len(split(bytes(content))) == 2


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(RequestError(422, "Too short."), "Too short."), (KeyError("x"), "Unexpected error")],
)
def test_error_after_the_signal_is_the_second_part(client, monkeypatch, error, sentence):
    def fail(*_):
        raise error

    monkeypatch.setattr(_server, "beats_part", fail)
    monkeypatch.setattr(_requests, "MAX_WAITING", 1)
    for _ in range(2):  # the place in the queue is free again
        _, found = split(client.post("/page/simulate", json=PATIENT).content)
        assert json.loads(found)["error"].startswith(sentence)


def test_search_for_beats_that_takes_too_long_is_given_up(client, monkeypatch):
    found = threading.Event()
    monkeypatch.setattr(_server, "beats_part", lambda *_: found.wait(30))
    with monkeypatch.context() as patch:
        patch.setattr(_requests, "MAX_WORK_S", 2.0)
        _, content = split(client.post("/page/simulate", json=PATIENT).content)
    assert "given up" in json.loads(content)["error"]
    found.set()


def test_place_in_the_queue_is_free_after_a_client_left(client, monkeypatch):
    monkeypatch.setattr(_requests, "MAX_WAITING", 1)
    found = threading.Event()
    monkeypatch.setattr(_server, "beats_part", lambda *_: found.wait(30) and b"{}")
    with client.stream("POST", "/page/simulate", json=PATIENT) as answer:
        next(answer.iter_raw())
        assert client.post("/page/simulate", json=PATIENT).status_code == 503
    found.set()
    deadline = time.monotonic() + 20
    while client.post("/page/simulate", json=PATIENT).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_beat_is_classified_with_its_saliency(client):
    row = np.interp(np.arange(187), [0, 30, 40, 50, 186], [0.1, 0.1, 1, 0, 0.2])
    for answer in (
        client.post("/api/beat", json={"signal": row.tolist()}),
        client.post("/api/beat", files={"files": ("b.csv", ",".join(map(str, [*row, 1.0])))}),
    ):
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["label"] in found["probability"]
        assert len(found["saliency"]) == 187
        assert max(found["saliency"]) == 1


@pytest.mark.parametrize("kind", ["wfdb", "csv", "json"])
def test_corrected_beats_are_downloaded(client, kind):
    body = {
        "record_name": '../"x"',
        "fs": 360,
        "n_times": 3600,
        "beats": {"sample": [100, 400], "label": ["N", "V"]},
    }
    answer = client.post(f"/page/download?format={kind}", json=body)
    assert answer.status_code == 200, answer.text
    assert 'filename="____x_' in answer.headers["content-disposition"]


def test_report_is_a_pdf(client):
    shown, arrays = read_page_body(
        client.post("/page/simulate", json={"random_state": 1, "seconds": 60}).content
    )
    wave = (arrays[0][:, :3600] * shown["scale"]).tolist()
    strips = [{"start": start, "fs": 360, "leads": wave} for start in (0, 90)]
    body = {
        key: shown[key] for key in ("fs", "n_times", "lead_names", "beats", "unreadable", "model")
    }
    means = {name: [[0.1] * 90, [0.2] * 90] for name in set(shown["beats"]["label"])}
    body["mean_beats"] = {"fs": 360, "before": 0.1, "classes": means}
    answer = client.post("/page/report", json={**body, "record_name": "$x", "strips": strips})
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"%PDF")
    assert b"/Count 4" in answer.content


def test_openapi_document_describes_the_interface_without_a_page_of_it(client):
    document = client.get("/openapi.json").json()
    assert sorted(document["paths"]) == ["/api/annotate", "/api/beat", "/api/models"]
    body = document["paths"]["/api/annotate"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


def test_models_are_listed_with_their_cards(client):
    cards = client.get("/api/models").json()
    assert [card["name"] for card in cards] == list(PRETRAINED_NAMES)
    assert all(card["license"] and card["not_for"] for card in cards)


@pytest.mark.parametrize("path", ["/nothing", "/static/../_server.py", "/static/%2e%2e/_server.py"])
def test_unknown_paths_are_answered_with_a_sentence(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Not Found."}


@pytest.mark.parametrize(
    "row",
    [[0.5] * 186, [0.5] * 188, [2.0] * 187, [-1.0] * 187, [None] * 187, [], "x", [[0.5] * 187]],
)
def test_rows_of_another_form_are_refused(client, row):
    answer = client.post("/api/beat", json={"signal": row})
    assert answer.status_code == 422
    assert len(answer.json()["error"]) > 20


@pytest.mark.parametrize(
    "change",
    [
        {"fs": "x"},
        {"n_times": 10**400},
        {"beats": {"sample": [400, 100], "label": ["N", "V"]}},
        {"beats": {"sample": [100, 4000], "label": ["N", "V"]}},
        {"beats": {"sample": [100], "label": ["N", "V"]}},
        {"beats": {"sample": [[1], [2, 3]], "label": ["N", "V"]}},
        {"beats": []},
        {"unreadable": [1, 2, 3]},
        {"strips": [{"start": 0, "fs": 360, "leads": [[0.0] * 10**5]}]},
        {"strips": [{"start": 0, "fs": 360, "leads": [[0.0]] * 100}]},
        {"strips": [{"start": 10**30, "fs": 360, "leads": [[0.0] * 100]}]},
        {"strips": [5]},
        {"strips": 5},
        {"mean_beats": {"fs": 360, "before": 1e9, "classes": {"N": [[0.0, 1.0]]}}},
        {"mean_beats": {"fs": 360, "before": 0, "classes": {"N": [[1.0, 2.0]], "V": [[1.0]]}}},
    ],
)
def test_report_of_invalid_values_is_refused(client, change):
    body = {"fs": 360, "n_times": 3600, "beats": {"sample": [100, 400], "label": ["N", "V"]}}
    answer = client.post("/page/report", json={**body, **change})
    assert answer.status_code == 422, answer.text
    assert len(answer.json()["error"]) > 20


@pytest.mark.parametrize("label", ["<b>", "normal", "", "\n"])
def test_labels_that_wfdb_does_not_have_are_refused_in_its_format(client, label):
    body = {"fs": 360, "n_times": 3600, "beats": {"sample": [100], "label": [label]}}
    assert client.post("/page/download?format=wfdb", json=body).status_code == 422
    assert client.post("/page/download?format=json", json=body).status_code == 200
    assert client.post("/page/download?format=exe", json=body).status_code == 422


def test_report_without_beats_and_with_strange_names_is_a_pdf(client):
    body = {
        "fs": 360,
        "n_times": 3600,
        "beats": {"sample": [], "label": []},
        "record_name": "$\\frac{\\x00" * 50,
        "lead_names": ["$a^{", "\x00\u202e"],
        "model": {"name": "$x$", "title": "<script>"},
        "strips": [{"start": 0, "fs": 360, "leads": [[0.1] * 720, [None] * 720]}],
        "mean_beats": {"fs": 360, "before": 0.1, "classes": {"$": [[0.1] * 90, [0.2] * 90]}},
    }
    answer = client.post("/page/report", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"%PDF")
