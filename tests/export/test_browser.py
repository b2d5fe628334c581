"""An exported model in a browser: the page of the documentation, in a headless Chromium."""

import functools
import http.server
import re
import shutil
import subprocess
import tarfile
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from ecgbeat import BandpassFilter, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import make_heartbeats
from ecgbeat.export import to_onnx

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "on_a_device.md"
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PAGE.exists(), reason="requires the repository"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="requires npm, for onnxruntime-web"),
]


@pytest.fixture(scope="module")
def chromium():
    """Return the path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("requires a Chromium")
    return path


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """Return a folder with the files of onnxruntime-web, from npm."""
    folder = tmp_path_factory.mktemp("npm")
    packed = subprocess.run(
        ["npm", "pack", "--silent", RUNTIME], cwd=folder, capture_output=True, text=True
    )
    if packed.returncode:
        pytest.skip(f"requires {RUNTIME} from npm: {packed.stderr.strip()[:200]}")
    with tarfile.open(folder / packed.stdout.strip()) as archive:
        for name in RUNTIME_FILES:
            content = archive.extractfile(f"package/dist/{name}").read()
            (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def model():
    beats = make_heartbeats(60, classes=("N", "V"), random_state=0)
    pipeline = make_pipeline(
        BandpassFilter(fs=360),
        RPeakSegmenter(fs=360, n_times=128),
        ZScoreScaler(),
        ECGCNNClassifier(n_filters=4, max_epochs=2, random_state=0),
    )
    return pipeline.fit(beats.data, beats.target), beats.data


@pytest.fixture
def site(model, runtime, tmp_path):
    """Serve the page, the runtime and the model from this machine; yield the address."""
    for name in RUNTIME_FILES:
        shutil.copy(runtime / name, tmp_path)
    to_onnx(model[0], tmp_path / "beats.onnx")
    (page,) = re.findall(r"```html\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line on standard error for each."""

    def log_message(self, *_):
        pass


def test_probabilities_in_a_browser_are_those_of_python(model, site, chromium, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="requires Playwright")
    fitted, X = model
    np.savetxt(tmp_path / "rows.csv", X[:7], delimiter=",", fmt="%.9g")
    requests, errors = [], []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route(re.compile(r"favicon"), lambda route: route.fulfill(status=204))
        page.on("request", lambda request: requests.append((request.method, request.url)))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{site}/index.html")
        page.wait_for_function("document.querySelector('#beats').disabled === false")
        n_before = len(requests)
        page.set_input_files("#beats", tmp_path / "rows.csv")
        page.wait_for_function("document.querySelector('#result').textContent")
        lines = [line.split() for line in page.inner_text("#result").splitlines()]
        browser.close()
    assert errors == []
    # the signal does not leave the machine: no request follows, and none went elsewhere
    assert len(requests) == n_before
    assert all(method == "GET" and url.startswith(site) for method, url in requests)
    assert [line[0] for line in lines] == fitted.predict(X[:7]).tolist()
    probability = np.array([line[1:] for line in lines], dtype=float)
    np.testing.assert_allclose(probability, fitted.predict_proba(X[:7]), atol=1e-5)
