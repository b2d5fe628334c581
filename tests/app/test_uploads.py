"""Uploaded recordings, and hostile uploads."""

import gzip
import io
import json
import pickle
import socket
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from ecgbeat.app import _guard, _requests
from ecgbeat.datasets import make_recording
from ecgbeat.datasets.wfdb.record import encode_annotation

ECG = make_recording(30, n_leads=2, random_state=5)
COUNTS = np.rint(ECG.signal * 200).astype("<i2")


def header(name="100", file="100.dat", n_times=None, n_signals=2, form="16"):
    n_times = COUNTS.shape[1] if n_times is None else n_times
    line = f"{file} {form} 200\n"
    return f"{name} {n_signals} 360 {n_times}\n" + n_signals * line


def wfdb_files(**params):
    return {
        "100.hea": header(**params).encode(),
        "100.dat": COUNTS.T.tobytes(),
    }


def npy(array, **params):
    stream = io.BytesIO()
    np.save(stream, array, **params)
    return stream.getvalue()


def upload(client, files, url="/api/annotate", **fields):
    parts = [("files", (name, content)) for name, content in files.items()]
    return client.post(url, files=parts, data=fields)


@pytest.fixture(autouse=True)
def temporary_folder(monkeypatch, tmp_path):
    """Folder in which the server makes its temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []  # nothing is kept


def check_refusal(answer, status):
    assert answer.status_code == status, answer.text
    sentence = answer.json()["error"]
    assert len(sentence) > 20
    assert "ecgbeat-" not in sentence  # no path of the server
    assert "/tmp" not in sentence
    return sentence


def test_wfdb_record_with_annotation_is_annotated(client):
    atr = encode_annotation(ECG.r_peaks, ECG.symbols.tolist(), 360)
    answer = upload(client, wfdb_files() | {"100.atr": atr}, "/page/annotate")
    assert answer.status_code == 200, answer.text
    n_bytes = int.from_bytes(answer.content[:4], "little")
    signal, beats = answer.content[4:][:n_bytes], answer.content[8 + n_bytes :]
    n_bytes = int.from_bytes(signal[:4], "little")
    shown = json.loads(signal[4:][:n_bytes]) | json.loads(beats)
    assert shown["record_name"] == "100"
    assert shown["n_times"] == COUNTS.shape[1]
    assert shown["reference"]["sample"] == ECG.r_peaks.tolist()
    assert isinstance(shown["report"], str)


def test_bytes_of_an_upload_are_counted_while_it_arrives(client, server):
    request = client.build_request(
        "POST", "/page/annotate", files={"files": ("a.npy", npy(ECG.signal))}, data={"fs": "360"}
    )
    body, goes_on = request.read(), threading.Event()

    def send():
        yield body[:5000]
        assert goes_on.wait(30)
        yield body[5000:]

    def received(upload="7"):
        return client.get(f"/page/received?upload={upload}").json()["n_bytes"]

    headers = {"content-type": request.headers["content-type"], "x-upload": "7"}
    address = f"{server}/page/annotate"
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(
            httpx.post, address, content=send(), headers=headers, timeout=60, trust_env=False
        )
        deadline = time.monotonic() + 20
        while received() != 5000:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert received("8") is None
        goes_on.set()
        assert answer.result().status_code == 200
    assert received() is None  # nothing is kept


def test_upload_and_json_give_the_same_beats(client):
    of_file = upload(client, {"ecg.npy": npy(ECG.signal.astype(np.float32))}, fs="360").json()
    of_text = upload(
        client, {"e.csv": "\n".join(f"{a:.9g},{b:.9g}" for a, b in ECG.signal.T)}, fs=360
    ).json()
    body = {"signal": ECG.signal.astype(np.float32).tolist(), "fs": 360}
    of_json = client.post("/api/annotate", json=body).json()
    assert of_file["beats"] == of_json["beats"] == of_text["beats"]
    assert len(of_file["beats"]["sample"]) > 20
    assert of_file["summary"]["n_beats"] == len(of_file["beats"]["sample"])


def test_null_is_a_missing_sample(client):
    signal = ECG.signal[0].tolist()
    signal[3600:5400] = [None] * 1800
    answer = client.post("/api/annotate", json={"signal": signal, "fs": 360})
    assert answer.status_code == 200, answer.text
    assert answer.json()["unreadable"]


def test_leads_are_chosen_by_name(client):
    text = "MLII,V1\n" + "\n".join(f"{a:.9g},{b:.9g}" for a, b in ECG.signal.T)
    answer = upload(client, {"e.csv": text}, fs="360", leads="V1")
    assert answer.json()["lead_names"] == ["V1"]


@pytest.mark.parametrize(
    "name", ["../100.dat", "/etc/passwd", "..", "a\\b.dat", "101.dat", "~", "100.dat/../x"]
)
def test_header_that_names_another_file_is_refused(client, name):
    check_refusal(upload(client, wfdb_files(file=name)), 422)


@pytest.mark.parametrize("name", ["../100.dat", "/etc/cron.d/x.csv", "a/b.npy", "x\ty.csv", ".."])
def test_names_with_folders_are_refused_or_have_no_effect(client, name):
    answer = upload(client, {name: b"1,2"}, fs="360")
    assert answer.status_code in (400, 415, 422)


@pytest.mark.parametrize("name", ["CON.csv", "aux", ".csv", "ä\u202e.csv", "a" * 250 + ".csv"])
def test_names_are_never_those_of_files(client, name):
    answer = upload(client, {name: b"1,2"}, fs="360")
    assert answer.status_code in (415, 422)
    assert answer.json()["error"]


@pytest.mark.parametrize("name", ["C:\\x.csv", "\\\\host\\x.csv", "x\0.csv", "a" * 300 + ".csv"])
def test_names_of_no_file_are_refused(client, name):
    content = f"""--x\r
Content-Disposition: form-data; name="files"; filename="{name}"\r
\r
1,2\r
--x--\r
"""
    kind = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/annotate", content=content.encode(), headers=kind)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]


@pytest.mark.parametrize("name", ["J\u00f6rg", "\u5fc3", "a.b", "CON", "~"])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_record_of_any_name_is_read(client, name, encoding):
    text = header(name=name, file=f"{name}.dat")
    if name == "\u5fc3" and encoding == "latin-1":
        pytest.skip("Latin-1 has no such letter")
    files = {f"{name}.hea": text.encode(encoding), f"{name}.dat": COUNTS.T.tobytes()}
    answer = upload(client, files)
    assert answer.status_code == 200, answer.text
    assert answer.json()["record_name"] == name


def test_two_files_of_one_name_are_refused(client):
    parts = [("files", ("x.csv", b"1,2")), ("files", ("x.csv", b"3,4"))]
    check_refusal(client.post("/api/annotate", files=parts, data={"fs": "360"}), 400)


def test_html_in_names_stays_text(client):
    name = "<img src=x onerror=alert(1)>.npy"
    answer = upload(client, {name: npy(ECG.signal)}, fs="360")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["record_name"] == name.removesuffix(".npy")
    sentence = check_refusal(upload(client, {"<b>.csv": b"x"}, fs="360"), 422)
    assert "<b>" in sentence


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({"x.npy": pickle.dumps([1, 2])}, 422),
        ({"x.npy": npy(np.array([print], dtype=object), allow_pickle=True)}, 422),
        ({"x.pkl": pickle.dumps(print)}, 415),
        ({"x.npz": b"PK\x03\x04"}, 415),
        ({"x.csv": gzip.compress(bytes(10**6))}, 415),
        ({"x.csv.gz": gzip.compress(bytes(10**6))}, 415),
        ({"x.csv": b"\x00\x01" * 100}, 422),
        ({"x.csv": b""}, 422),
        ({"x.txt": b"1,2\n" + b"3," * 100_000}, 422),
        ({"x.edf": b"0       " + b" " * 3000}, 422),
        ({"x.dat": b"123"}, 415),
        ({"x.py": b"print(1)"}, 415),
        ({"x.csv": b"1", "y.csv": b"1"}, 422),
        ({"x.hea": b"x" * 10**6, "x.dat": b""}, 413),
        ({"x.hea": b"100/3 2 360 100\n100s 50", "x.dat": b""}, 422),
        ({"x.hea": b"\xff\xfe", "x.dat": b"1"}, 422),
        ({"x.dat": b"123", "x.atr": b"\0\0"}, 415),
        ({"x.hea": b"", "x.dat": b"1"}, 422),
        ({"x.hea": b"x 1 360 10\nx.hea 16 200/mV"}, 422),
        ({"x.edf": b""}, 422),
        ({"x.npy": b""}, 422),
        ({"x.csv": "1,2\n3,4\n".encode("utf-16")}, 422),
        (wfdb_files() | {"100.atr": b"xyz"}, 422),
        (wfdb_files() | {"100.atr": bytes(2**22 + 2)}, 413),
    ],
)
def test_hostile_file_is_refused(client, files, status):
    check_refusal(upload(client, files, fs="360"), status)


def zip_bomb():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signal.npy", bytes(10**7))
    return stream.getvalue()


def test_archive_under_another_name_is_not_unpacked(client):
    check_refusal(upload(client, {"x.npy": zip_bomb()}, fs="360"), 415)


def npy_claiming(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def edf_claiming(n_records, n_samples, duration=1, kind=""):
    fields = ["0", "x", "x", "01.01.24", "00.00.00", 512, kind, n_records, duration, 1]
    widths = [8, 80, 80, 8, 8, 8, 44, 8, 8, 4]
    fields += ["ECG", "", "mV", -1, 1, -32768, 32767, "", n_samples, ""]
    widths += [16, 80, 8, 8, 8, 8, 8, 80, 8, 32]
    return "".join(str(f).ljust(w)[:w] for f, w in zip(fields, widths, strict=True)).encode()


def test_gaps_of_many_hours_are_refused(client):
    samples = b"+0\x14\x14\x00".ljust(1000) + b"+900000\x14\x14\x00".ljust(1000)
    header = edf_claiming(2, 500, kind="EDF+D").replace(b"ECG ".ljust(16), b"EDF Annotations ")
    assert "gaps" in check_refusal(upload(client, {"x.edf": header + samples}), 413)


@pytest.mark.parametrize(
    "content",
    [
        b"1," * (2**23 - 1) + b"1\n",
        b"1 " * (2**23 - 1) + b"1\n",
        b"1" * 2**24,
        b'"' * 2**24,
        bytes(2**24),
        b"1,2\n" * 10 + b"1," * 2**23,
    ],
    ids=["columns", "blanks", "digits", "quotes", "zeros", "last"],
)
def test_file_of_many_bytes_in_one_line_is_refused_at_once(client, content):
    begin = time.monotonic()
    check_refusal(upload(client, {"x.csv": content}, fs="360"), 422)
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize(
    "files",
    [
        {"x.npy": npy_claiming((10**12,)) + bytes(80)},
        {"x.npy": npy_claiming((2, 10**11)) + bytes(80)},
        {"x.edf": edf_claiming(10**7, 10**7) + bytes(1000)},
        {"x.edf": edf_claiming(1, 10**7) + bytes(1000)},
        {"x.edf": edf_claiming(1, 500, 0) + bytes(1000)},
        {"x.edf": edf_claiming(1, 500, "1e-9") + bytes(1000)},
        {"x.edf": edf_claiming(1, 500, "1e9") + bytes(1000)},
        wfdb_files(n_times=10**12),
        wfdb_files(form="16x99999999999"),
        wfdb_files(form="16:99999999999"),
        wfdb_files(form="16+99999999999"),
        wfdb_files(form="0"),
        wfdb_files(n_signals=64),
    ],
)
def test_header_that_states_huge_sizes_is_refused_at_once(client, files):
    begin = time.monotonic()
    check_refusal(upload(client, files, fs="360" if "x.npy" in files else ""), 422)
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("onset", ["-900000", "+900000"])
def test_gaps_before_the_first_part_count(client, onset):
    samples = f"{onset}\x14\x14\x00".encode().ljust(1000) + b"+0\x14\x14\x00".ljust(1000)
    header = edf_claiming(2, 500, kind="EDF+D").replace(b"ECG ".ljust(16), b"EDF Annotations ")
    assert "gaps" in check_refusal(upload(client, {"x.edf": header + samples}), 413)


def test_record_with_other_checksums_is_read_if_not_verified(client):
    files = wfdb_files()
    files["100.hea"] = files["100.hea"].replace(b" 200\n", b" 200/mV 16 0 0 7 0 II\n")
    assert "verify=False" in check_refusal(upload(client, files), 422)
    assert upload(client, files, verify="false").status_code == 200
    check_refusal(upload(client, files, verify="perhaps"), 422)


def test_matlab_file_of_a_header_with_a_date_is_read(client):
    text = header(name="A0001", file="A0001.mat", form="16+24")
    text = text.replace("\n", " 05-Feb-2020 11:39:16\n", 1)
    answer = upload(client, {"A0001.hea": text, "A0001.mat": bytes(24) + COUNTS.T.tobytes()})
    assert answer.json()["beats"] == upload(client, wfdb_files()).json()["beats"]


def test_compressed_wfdb_signal_is_refused(client):
    check_refusal(upload(client, wfdb_files(form="516")), 415)


def test_recording_of_many_hours_at_a_low_rate_is_refused(client):
    files = {"x.npy": npy(np.zeros(10**7, np.int8))}
    assert "hours" in check_refusal(upload(client, files, fs="20"), 413)


@pytest.mark.parametrize("fs", ["nan", "inf", "-360", "0", "1e-9", "1e30", "x", "9" * 400])
def test_sampling_rate_out_of_range_is_refused(client, fs):
    check_refusal(upload(client, {"x.npy": npy(ECG.signal)}, fs=fs), 422)


def test_model_is_a_name_and_no_path(client):
    for name in ("/etc/passwd", "../nsvf", "normal-abnormal-187"):
        check_refusal(upload(client, {"x.npy": npy(ECG.signal)}, fs="360", model=name), 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b"[1]", 400),
        (b"{", 400),
        (b"", 400),
        (b"\xff", 400),
        (b'{"signal": [1e999, 2], "fs": 360}', 422),
        (b'{"signal": [[1, 2], [3]], "fs": 360}', 422),
        (b'{"signal": ["x"], "fs": 360}', 422),
        (b'{"signal": [], "fs": 360}', 422),
        (b'{"signal": {"a": 1}, "fs": 360}', 422),
        (b'{"signal": [[[1]]], "fs": 360}', 422),
        (b'{"signal": [' + b"[1, 2], " * 99 + b'[]], "fs": 360}', 413),
        (b'{"signal": [1, 2], "fs": "x"}', 422),
        (b'{"signal": [1, 2], "fs": 1' + b"0" * 5000 + b"}", 400),
        (b'{"signal": [1, 2], "fs": NaN}', 422),
        (b'{"signal": [1, 2], "fs": 1e12}', 422),
        (b'{"signal": [1e39, 2], "fs": 360}', 422),
        (b'{"signal": ' + b"[" * 900 + b"]" * 900 + b', "fs": 360}', 422),
        (b'{"signal": [1, 2]}', 422),
        (b'{"signal": [1, 2], "fs": 360, "lead_names": 5}', 422),
        (b'{"signal": [1, 2], "fs": 360, "model": ["nsvf"]}', 422),
    ],
)
def test_damaged_json_is_refused(client, body, status):
    answer = client.post(
        "/api/annotate", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


def test_form_without_files_and_other_types_are_refused(client):
    check_refusal(client.post("/api/annotate", files={"other": b"x"}), 400)
    check_refusal(client.post("/api/annotate", data={"files": "text"}), 415)
    check_refusal(client.post("/api/annotate", content=b"x"), 415)
    check_refusal(upload(client, {f"{k}.csv": b"1" for k in range(50)}), 400)


def test_large_body_is_refused_while_it_arrives(client, monkeypatch):
    monkeypatch.setattr(_guard, "MAX_BODY_BYTES", 10**6)
    check_refusal(upload(client, {"x.npy": bytes(2 * 10**6)}), 413)
    check_refusal(  # without a declared length
        client.post(
            "/api/annotate",
            content=(bytes(2**16) for _ in range(20)),
            headers={"content-type": "application/json"},
        ),
        413,
    )


def test_large_json_is_refused(client, monkeypatch):
    monkeypatch.setattr(_requests, "MAX_JSON_BYTES", 1000)
    check_refusal(client.post("/api/beat", json={"signal": [0.5] * 1000}), 413)


def raw_request(server, text, wait=0.0):
    """Send bytes, and return the answer."""
    port = int(server.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.replace("\n", "\r\n").replace("PORT", str(port)).encode())
        time.sleep(wait)
        return connection.recv(65536).decode()


def test_slow_body_is_refused(server, monkeypatch):
    monkeypatch.setattr(_guard, "GRACE_S", 0.3)
    text = "POST /api/beat HTTP/1.1\nHost: localhost:PORT\nContent-Length: 100\n"
    answer = raw_request(server, text + "Content-Type: application/json\n\n{")
    assert " 408 " in answer.splitlines()[0]


def test_silent_connection_is_closed(server, monkeypatch):
    monkeypatch.setattr(_guard, "GRACE_S", 0.3)
    assert raw_request(server, "GET / HTTP/1.1\nHost: l") == ""


def test_busy_server_answers_with_a_sentence(client, monkeypatch):
    monkeypatch.setattr(_requests, "MAX_WAITING", 0)
    check_refusal(client.post("/api/beat", json={"signal": [0.5] * 187}), 503)


def test_result_has_no_state_of_the_request_before(client):
    first = upload(client, wfdb_files()).json()
    assert first["lead_names"] == ["signal 0", "signal 1"]
    other = upload(client, {"y.npy": npy(ECG.signal[:, :3600])}, fs="360").json()
    again = upload(client, wfdb_files()).json()
    assert first == again
    assert other["record_name"] == "y"
    assert not list(Path(tempfile.gettempdir()).glob("ecgbeat-*"))
