"""A live stream over days: memory, latency and beats, with gaps, lost electrodes and restarts.

    python examples/benchmarks/live_soak.py --days 7

The trained model `nsvf-live` receives a simulated patient, or a record, in a loop, in chunks of
random length, as fast as it can. Some stretches are missing or noise. Every simulated hour, the
stream is pickled and goes on in another object.
"""

import argparse
import pickle
import resource
import time

import numpy as np
from _report import print_machine

from ecgbeat import BeatStream, load_pretrained
from ecgbeat.datasets import load_recording, make_recording

LONGEST_CHUNK_S = 30.0
P_GAP, P_NOISE = 0.02, 0.02  # of a chunk


def chunks_of_an_hour(signal, fs, random):
    """Yield an hour of signal in chunks of random length, some of them missing or noise."""
    remaining, at = round(3600 * fs), int(random.integers(signal.shape[-1]))
    while remaining:
        longest = random.choice([1.0, 36.0, LONGEST_CHUNK_S * fs])
        n_times = int(min(remaining, random.integers(1, longest + 1)))
        chunk = np.take(signal, range(at, at + n_times), axis=-1, mode="wrap").astype(float)
        lead = random.integers(len(chunk) + 1)  # one of the leads, or all
        leads = slice(None) if lead == len(chunk) else lead
        fate = random.random()
        if fate < P_GAP:
            chunk[leads] = np.nan
        elif fate < P_GAP + P_NOISE:
            chunk[leads] = random.normal(scale=0.3, size=chunk[leads].shape)
        yield chunk
        remaining, at = remaining - n_times, at + n_times


def main():
    """Push days of signal to one stream, and print its state every six hours."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--record", help="WFDB record; default: a simulated patient")
    arguments = parser.parse_args()
    print_machine(["ecgbeat", "numpy", "scipy"], 1)
    if arguments.record:
        loaded = load_recording(arguments.record)
        signal, fs = np.atleast_2d(loaded.signal), float(loaded.fs)
    else:
        shares = {"N": 0.85, "A": 0.07, "V": 0.08}
        ecg = make_recording(1800, fs=180, n_leads=2, weights=shares, random_state=0)
        signal, fs = ecg.signal, ecg.fs
    annotator = load_pretrained("nsvf-live")
    n_annotator = len(pickle.dumps(annotator))
    random = np.random.default_rng(0)
    stream, n_beats, latest, last = BeatStream(annotator, fs=fs), 0, 0, -1
    start = time.process_time()
    print("    h     beats  latency s  stream MB  process MB    CPU s", flush=True)
    for hour in range(1, round(24 * arguments.days) + 1):
        for chunk in chunks_of_an_hour(signal, fs, random):
            beats = stream.push(chunk)
            n_beats += len(beats.sample)
            if len(beats.sample):
                if beats.sample[0] <= last or (np.diff(beats.sample) <= 0).any():
                    raise RuntimeError(f"Beats do not ascend: {beats.sample} after {last}.")
                last = int(beats.sample[-1])
                latest = max(latest, int((beats.decided_at - beats.sample).max()))
        content = pickle.dumps(stream)
        stream = pickle.loads(content)
        if hour % 6 == 0:
            used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{hour:5d} {n_beats:9d} {latest / fs:10.3f} "
                f"{(len(content) - n_annotator) / 1e6:10.3f} {used:11.1f} "
                f"{time.process_time() - start:8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
