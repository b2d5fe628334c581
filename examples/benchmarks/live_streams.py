"""Live streams: time of a push, latency and memory of one, and as many as wanted in real time.

    python examples/benchmarks/live_streams.py --streams 200 --processes 2

The annotator is trained on every second record of DS1 of MIT-BIH, and the other records arrive
live. Without these data, both are simulated patients.
"""

import argparse
import pickle
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from _fresh_process import run_fresh, thread_variables
from _report import print_machine, print_table

from ecgbeat import BeatStream, load_model, save_model
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.datasets import get_data_home, load_mitdb, make_recording
from ecgbeat.model_selection import DS1
from ecgbeat.streaming import push_streams

FS = 360
CHUNK = FS // 10  # 100 ms
WARM_UP_S = 20
ONE_STREAM = ["future", "pushes", "median ms", "99.9 % ms", "under 5 ms %", "latency s", "MB"]
MANY_STREAMS = ["future", "streams", "processes", "s", "busy %", "largest delay ms"]


def read_recordings(data):
    """Return recordings and annotations for training, and live recordings."""
    if (data / "mitdb").is_dir():
        training = load_mitdb(data / "mitdb", records=DS1[::2])
        live = load_mitdb(data / "mitdb", records=DS1[1::2]).recordings
        return training.recordings, training.annotations, live
    weights = {"N": 0.8, "A": 0.1, "V": 0.1}
    made = [make_recording(300.0, weights=weights, random_state=seed) for seed in range(12)]
    signals = [patient.signal for patient in made]
    return signals[:6], [patient.annotation for patient in made[:6]], signals[6:]


def as_chunks(signal, start):
    """Yield chunks of 100 ms without end, beginning at a sample, from a recording in a loop."""
    while True:
        yield np.take(signal, range(start, start + CHUNK), axis=-1, mode="wrap")
        start += CHUNK


def measure_one_stream(model, signal, n_pushes):
    """Return times of pushes in ms after the first second, longest latency in s, and size in MB."""
    annotator = load_model(model)
    stream, chunks = BeatStream(annotator), as_chunks(signal, 0)
    times, latencies = [], [0]
    for _ in range(n_pushes):
        chunk = next(chunks)
        start = time.perf_counter()
        beats = stream.push(chunk)
        times.append(1e3 * (time.perf_counter() - start))
        latencies += (beats.decided_at - beats.sample).tolist()
    n_bytes = len(pickle.dumps(stream)) - len(pickle.dumps(annotator))
    return times[10:], max(latencies) / FS, n_bytes / 1e6


def one_stream_row(future, model, signal, n_pushes):
    """Return the row of one stream, pushed without pauses."""
    times, latency, size = run_fresh(measure_one_stream, model, signal, n_pushes, threads=1)
    cells = np.median(times), np.percentile(times, 99.9), 100 * np.mean(np.array(times) < 5)
    formatted = (f"{cell:.2f}" for cell in (*cells, latency, size))
    return [str(future), str(len(times)), *formatted]


def run_in_real_time(model, signals, n_streams, seconds):
    """Push to streams every 100 ms; return the busy share and the largest delay in s."""
    annotator = load_model(model)
    streams = [BeatStream(annotator) for _ in range(n_streams)]
    random = np.random.default_rng(0)
    sources = []
    for k, stream in enumerate(streams):
        signal = signals[k % len(signals)]
        start = int(random.integers(signal.shape[-1]))  # beats of streams do not coincide
        last = range(start - WARM_UP_S * FS, start)
        stream.push(np.take(signal, last, axis=-1, mode="wrap"))
        sources.append(as_chunks(signal, start))
    begin, busy, delay = time.perf_counter(), 0.0, 0.0
    for tick in range(1, 10 * seconds + 1):
        due = begin + tick / 10
        time.sleep(max(0.0, due - time.perf_counter()))
        start = time.perf_counter()
        push_streams(streams, [next(chunks) for chunks in sources])
        busy += time.perf_counter() - start
        delay = max(delay, time.perf_counter() - due)
    return busy / seconds, delay


def many_streams_row(future, model, signals, arguments):
    """Return the row of many streams, divided among processes."""
    shares = np.diff(np.linspace(0, arguments.streams, arguments.processes + 1).astype(int))
    with (
        thread_variables(1),
        ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as pool,
    ):
        jobs = [
            pool.submit(run_in_real_time, model, signals, int(share), arguments.seconds)
            for share in shares
        ]
        busy, delays = zip(*(job.result() for job in jobs), strict=True)
    numbers = arguments.streams, arguments.processes, arguments.seconds
    measured = f"{100 * max(busy):.0f}", f"{1e3 * max(delays):.0f}"
    return [str(future), *map(str, numbers), *measured]


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=get_data_home(), help="folder with mitdb/")
    parser.add_argument("--future", nargs="+", choices=("False", "none"), default=["False", "none"])
    parser.add_argument("--pushes", type=int, default=6000, help="pushes to one stream")
    parser.add_argument("--streams", type=int, default=200, help="number of streams")
    parser.add_argument("--processes", type=int, default=2, help="processes that share the streams")
    parser.add_argument("--seconds", type=int, default=60, help="duration with many streams")
    parser.add_argument("--markdown", action="store_true", help="print Markdown tables")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    recordings, annotations, live = read_recordings(arguments.data)
    live = [np.asarray(signal, np.float32) for signal in live]
    one, many = [ONE_STREAM], [MANY_STREAMS]
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.future:
            future = name == "none" and "none"
            annotator = make_inter_patient_annotator(FS, future=future, random_state=0)
            model = Path(folder) / f"{name}.safetensors"
            save_model(annotator.fit(recordings, annotations), model)
            one.append(one_stream_row(future, model, live[0], arguments.pushes))
            many.append(many_streams_row(future, model, live, arguments))
    print_machine(["ecgbeat", "scikit-learn", "numpy", "scipy"], 1)
    print_table("One stream, pushed every 100 ms of signal", one, arguments.markdown)
    print_table("Streams in real time, pushed every 100 ms", many, arguments.markdown)


if __name__ == "__main__":
    main()
