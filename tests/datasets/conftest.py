"""Small WFDB records and sounds, written by wfdb and libsndfile, and an unreliable server."""

import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest


@pytest.fixture
def write_record():
    """A function that writes one record; its signal and annotation are returned."""

    def write(
        folder,
        name="100",
        *,
        leads=("MLII", "V5"),
        fs=360,
        units="mV",
        n_times=2000,
        fmt="212",
        gain=200.0,
    ):
        # wfdb 4.3 calls what pandas 3 deprecates, in its import too
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            import wfdb

            rng = np.random.default_rng([len(name), n_times])
            signal = rng.normal(size=(n_times, len(leads)))
            sample = np.array([20, 300, 1000, n_times - 1])
            symbol = ["+", "N", "V", "A"]
            folder.mkdir(parents=True, exist_ok=True)
            wfdb.wrsamp(
                name,
                fs=fs,
                units=[units] * len(leads),
                sig_name=list(leads),
                p_signal=signal,
                fmt=[fmt] * len(leads),
                adc_gain=[gain] * len(leads),
                baseline=[0] * len(leads),
                write_dir=str(folder),
            )
            wfdb.wrann(name, "atr", sample, symbol, write_dir=str(folder))
        return signal.T, sample, symbol

    return write


class Server:
    """Serves `files` on loopback, well or badly."""

    def __init__(self):
        self.files = {}
        self.requests = []  # names of files
        self.manners = []  # of the next requests
        self.always = "good"  # of all after those
        self.is_over = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.make_handler())
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self):
        self.is_over.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def make_handler(server):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                name = self.path.strip("/")
                server.requests.append(name)
                server.answer(self, name)

            def log_message(self, *args):
                pass

        return Handler

    def answer(self, handler, name):
        manner = self.manners.pop(0) if self.manners else self.always
        if manner.isdigit() or name not in self.files:
            handler.send_response(int(manner) if manner.isdigit() else 404)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        body = self.files[name]
        if manner == "wrong byte":
            body = bytes([body[0] ^ 1]) + body[1:]
        elif manner == "other file":
            body = b"<html>Please log in</html>"
        handler.send_response(200)
        if manner.startswith("no length"):
            handler.send_header("Connection", "close")
        else:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if manner == "no length, too long":
            body += b"more"
        elif manner.endswith(("cut", "stall")):
            body = body[: len(body) // 2]
        handler.wfile.write(body)
        handler.wfile.flush()
        if manner == "stall":
            self.is_over.wait(10)
        handler.close_connection = manner.endswith(("cut", "stall", "too long"))


@pytest.fixture
def server(monkeypatch):
    """A server on loopback; see `Server` for its manners."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def closed_port():
    """The address of a server that is gone."""
    gone = Server()
    gone.stop()
    return gone.url


@pytest.fixture
def write_sine():
    """A function that writes a sine as a sound file, in folders that it makes."""
    import soundfile

    def write(file, *, fs=8000, duration=1.0, frequency=100.0, amplitude=0.5, **options):
        times = np.arange(round(duration * fs)) / fs
        file.parent.mkdir(parents=True, exist_ok=True)
        sine = amplitude * np.sin(2 * np.pi * frequency * times)
        soundfile.write(file, sine, fs, **options)
        return file

    return write
