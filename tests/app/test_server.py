"""The page and the HTTP interface of a running server."""

import io
import json
import struct

import numpy as np
import pytest

from ecgbeat.datasets import make_recording


def read_page_body(content):
    """Return the JSON of a page body, and its levels as arrays."""
    (n_bytes,) = struct.unpack("<I", content[:4])
    shown = json.loads(content[4 : 4 + n_bytes])
    first = 4 + -(-n_bytes // 4) * 4
    assert len(content) >= first
    n_leads = len(shown["lead_names"])
    arrays = []
    for level in shown["levels"]:
        shape = (n_leads, level["n_columns"]) + ((2,) if level["kind"] == "minmax" else ())
        arrays.append(
            np.frombuffer(content, "<i2", int(np.prod(shape)), first + level["offset"]).reshape(
                shape
            )
        )
    assert first + shown["levels"][-1]["offset"] + arrays[-1].nbytes == len(content)
    return shown, arrays


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
    assert set(shown["mean_beats"]["classes"]) == set(shown["beats"]["label"])


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
    strips = [{"start": start, "fs": 360, "leads": wave} for start in (0, 3600, 7200, 9000, 90)]
    body = {
        key: shown[key]
        for key in ("fs", "n_times", "lead_names", "beats", "unreadable", "model", "mean_beats")
    }
    answer = client.post("/page/report", json={**body, "record_name": "$x", "strips": strips})
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"%PDF")
    assert b"/Count 5" in answer.content


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
