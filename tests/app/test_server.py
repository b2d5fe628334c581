"""The page and the HTTP interface of a running server."""

import http.client
import json
import struct
import threading
import time

import httpx
import numpy as np
import pytest

from ecgbeat.app import _requests, _server
from ecgbeat.app._annotations import beats_part
from ecgbeat.app._requests import RequestError
from ecgbeat.datasets import make_recording
from ecgbeat.datasets.wfdb.record import encode_annotation
from ecgbeat.pretrained import PRETRAINED_NAMES
from ecgbeat.signal import detect_r_peaks


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
        chunks = answer.iter_raw()  # the connection is closed with it
        next(chunks)
        assert client.post("/page/simulate", json=PATIENT).status_code == 503
    found.set()
    deadline = time.monotonic() + 20
    while client.post("/page/simulate", json=PATIENT).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def leave(client, path, body):
    """Send a request as soon as there is a place for it, and leave before its answer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            answer = client.post(path, json=body, timeout=0.5)
        except httpx.ReadTimeout:
            return
        assert answer.status_code == 503, answer.text
        time.sleep(0.05)
    raise AssertionError("no place in the queue became free")


def test_search_ends_between_two_steps_if_the_client_has_left(client, monkeypatch, quick_models):
    annotator, begun, n_calls = quick_models("nsvf"), threading.Event(), []
    features = annotator.features_

    def search(*args):
        if not begun.is_set():  # the client leaves now, which the server learns after a while
            begun.set()
            assert _requests._is_left.get().wait(30)
        return detect_r_peaks(*args)

    monkeypatch.setattr("ecgbeat.app._annotations.detect_r_peaks", search)
    monkeypatch.setattr(annotator, "features_", lambda *a: n_calls.append(1) or features(*a))
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    body = {"fs": 360, "signal": make_recording(20).signal.tolist()}
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/api/annotate", json.dumps(body), headers)
    assert begun.wait(30)
    connection.close()
    assert client.post("/page/simulate", json=PATIENT).status_code == 200
    assert len(n_calls) == 1


def test_work_of_a_client_that_has_left_the_queue_is_not_begun(client, monkeypatch):
    is_left, begun = threading.Event(), []
    monkeypatch.setattr(_server, "beats_part", lambda *_: is_left.wait(30) and b"{}")
    monkeypatch.setattr(_server, "compared_part", lambda body: begun.append(body) or b"{}")
    monkeypatch.setattr(_requests, "MAX_WAITING", 2)
    with client.stream("POST", "/page/simulate", json=PATIENT) as answer:
        chunks = answer.iter_raw()
        next(chunks)
        leave(client, "/page/compare", {"number": 1})
        leave(client, "/page/compare", {"number": 2})  # at the place of the other one
        is_left.set()
    monkeypatch.setattr(_requests, "MAX_WAITING", 8)
    assert client.post("/page/compare", json={"number": 3}).json() == {}
    assert {"number": 1} not in begun
    assert {"number": 3} in begun


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


FIGURES = ("summary", "n_reference", "errors", "report")


@pytest.fixture(scope="module")
def flutter(server):
    """Answer to the upload of a record whose reference has an episode of flutter."""
    ecg = make_recording(40, weights={"N": 0.8, "V": 0.2}, random_state=5)
    header = f"my.1 1 360 {len(ecg.signal)}\nmy.dat 16 1000\n"
    order = np.argsort([*ecg.r_peaks, 3600, 5400])
    sample = np.array([*ecg.r_peaks, 3600, 5400])[order]
    symbol = np.array([*ecg.symbols, "[", "]"])[order]
    files = {
        "my.1.hea": header.encode(),
        "my.dat": (1000 * ecg.signal).round().astype("<i2").tobytes(),
        "my.atr": encode_annotation(sample, symbol.tolist(), 360),
    }
    parts = [("files", part) for part in files.items()]
    answer = httpx.post(f"{server}/page/annotate", files=parts, timeout=60, trust_env=False)
    assert answer.status_code == 200, answer.text
    shown, _ = read_page_body(answer.content)
    assert {"[", "]"} < set(shown["reference"]["symbol"])
    return shown


def to_compare(shown):
    """Return the beats of an answer as the page returns them."""
    keys = ("record_name", "fs", "n_times", "unreadable", "reference")
    beats = {name: list(shown["beats"][name]) for name in ("sample", "label", "probability")}
    return {**{key: shown[key] for key in keys}, "model": shown["model"]["name"], "beats": beats}


def compare(client, body):
    answer = client.post("/page/compare", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_figures_of_the_same_labels_are_those_of_the_first_answer(client, flutter):
    figures = compare(client, to_compare(flutter))
    assert tuple(figures) == FIGURES
    assert figures == {name: flutter[name] for name in FIGURES}
    assert figures["n_reference"] == len(flutter["reference"]["sample"]) - 2
    assert "my.1" in figures["report"]


def test_figures_follow_corrected_labels(client, flutter):
    first, body = {name: flutter[name] for name in FIGURES}, to_compare(flutter)
    matched = [i for i, s in enumerate(body["beats"]["sample"]) if s < 3000][:4]
    truth = dict(zip(*body["reference"].values(), strict=True))
    for i in matched:
        nearest = min(truth, key=lambda sample: abs(sample - body["beats"]["sample"][i]))
        body["beats"]["label"][i] = truth[nearest]
    errors = {e["sample"] for e in compare(client, body)["errors"]}
    assert not errors & {body["beats"]["sample"][i] for i in matched}
    for i in matched:
        body["beats"]["label"][i] = "F"
    wrong = compare(client, body)
    assert {(e["sample"], e["kind"], e["predicted"]) for e in wrong["errors"]} >= {
        (body["beats"]["sample"][i], "class", "F") for i in matched
    }
    assert wrong["report"] != first["report"]
    for i in matched:
        body["beats"]["label"][i] = "V"
    assert body["beats"]["sample"][matched[0]] in [
        run["start"] for run in compare(client, body)["summary"]["runs"]
    ]


def test_figures_without_a_reference_are_the_summary(client, flutter):
    body = {**to_compare(flutter), "reference": None}
    body["beats"]["label"][:3] = "VVV"
    figures = compare(client, body)
    assert figures["summary"]["runs"][0]["n_beats"] >= 3
    assert (figures["n_reference"], figures["errors"], figures["report"]) == (None, [], None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "none"}, "model must be one of"),
        ({"n_times": None}, "must have fs, n_times and beats"),
        ({"n_times": float("nan")}, "must have fs, n_times and beats"),
        ({"fs": float("nan")}, "fs must be a number from 20"),
        ({"beats": 5}, "must have fs, n_times and beats"),
        ({"beats": {"sample": [100, 400], "label": ["N", "x"]}}, "['x']"),
        ({"beats": {"sample": [100, 400], "label": ["N"]}}, "a list of 2, one for each sample"),
        ({"beats": {"sample": [100, 400], "label": "NV"}}, "a list of 2, one for each sample"),
        ({"beats": {"sample": [[1], [2]], "label": ["N", "V"]}}, "a list of 2"),
        ({"beats": {"sample": [400, 100], "label": ["N", "V"]}}, "got 100 after 400"),
        ({"beats": {"sample": [400, 400], "label": ["N", "V"]}}, "got some twice"),
        ({"beats": {"sample": [100, 3600], "label": ["N", "V"]}}, "from 0 to 3599"),
        ({"beats": {"sample": [-1, 3600], "label": ["N", "V"]}}, "from 0 to 3599"),
        ({"beats": {"sample": [100.5, 400], "label": ["N", "V"]}}, "whole numbers, got [100.5"),
        ({"beats": {"sample": [float("nan"), 4], "label": ["N", "V"]}}, "whole numbers, got [nan"),
        ({"beats": {"sample": [1, 10**30], "label": ["N", "V"]}}, "whole numbers"),
        (
            {"beats": {"sample": [1, 2], "label": ["N", "V"], "probability": [1, float("nan")]}},
            "2 numbers from 0 to 1, got [1, nan]",
        ),
        (
            {"beats": {"sample": [1, 2], "label": ["N", "V"], "probability": [1]}},
            "2 numbers from 0 to 1",
        ),
        ({"unreadable": [[10, 5]]}, "ascending from 0 to 3600"),
        ({"unreadable": [[10, 5000]]}, "ascending from 0 to 3600"),
        ({"unreadable": [[20, 30], [5, 8]]}, "ascending from 0 to 3600"),
        ({"unreadable": [[1, 2, 3]]}, "ascending from 0 to 3600"),
        ({"reference": [1]}, "an object with sample and symbol, got [1]"),
        ({"reference": {"sample": [1]}}, "reference.symbol"),
        ({"reference": {"sample": [5, 1], "symbol": ["N", "N"]}}, "got 1 after 5"),
        ({"reference": {"sample": [1, None], "symbol": ["N", "N"]}}, "whole numbers"),
        ({"reference": {"sample": [1, 5], "symbol": ["N", "?!"]}}, "'?!'"),
    ],
)
def test_figures_of_invalid_values_are_refused(client, change, words):
    body = {
        "fs": 360,
        "n_times": 3600,
        "model": "nsvf",
        "beats": {"sample": [100, 400], "label": ["N", "V"]},
        "reference": {"sample": [101, 401], "symbol": ["N", "V"]},
    }
    assert client.post("/page/compare", json=body).status_code == 200
    answer = client.post("/page/compare", content=json.dumps({**body, **change}))
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["error"]


@pytest.mark.parametrize(("content", "status"), [(b"no", 400), (b"[]", 400), (b" " * 2000, 413)])
def test_figures_of_another_body_are_refused(client, monkeypatch, content, status):
    monkeypatch.setattr(_requests, "MAX_JSON_BYTES", 1000)
    answer = client.post("/page/compare", content=content)
    assert answer.status_code == status
    assert "JSON" in answer.json()["error"]


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
