"""Speed of BeatAnnotator on the 24 hours of MIT-BIH and on one recording of 24 hours.

python examples/benchmarks/annotate_recordings.py --data mitdb
python examples/benchmarks/annotate_recordings.py --data mitdb --model nsvf

The classifier is ECGCNNClassifier with default parameters, trained for one epoch on six records,
which uses one lead; or a trained model, such as nsvf, which uses both. The accuracy is not
measured. The time does not include reading the files.
"""

import argparse
import platform
import resource
import statistics
import time

import numpy as np
import torch

import ecgbeat
from ecgbeat import BeatAnnotator, ECGCNNClassifier, load_pretrained
from ecgbeat.datasets import get_data_home, load_mitdb

DAY_S = 24 * 3600


def peak_memory():
    """Return the peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    """Train an annotator and measure the time of annotation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=get_data_home() / "mitdb")
    parser.add_argument("--model", choices=["nsvf", "nsvf-live"], help="a trained model")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"ecgbeat {ecgbeat.__version__}, torch {torch.__version__}, Python "
        f"{platform.python_version()}, {torch.get_num_threads()} threads"
    )
    lead = None if arguments.model else "MLII"
    records = ["100", "106", "119", "200", "208", "209"]
    training = load_mitdb(arguments.data, records=records, lead=lead)
    if arguments.model:
        annotator = load_pretrained(arguments.model)
    else:
        network = ECGCNNClassifier(max_epochs=1, random_state=0)
        annotator = BeatAnnotator(network, mapping="literature")
        annotator.fit(training.recordings, training.annotations)

    # before reading the database, so that the peak memory is that of the recording of 24 h
    before = peak_memory()
    n_times = round(DAY_S * training.fs)
    first = np.atleast_2d(training.recordings[0])
    day = np.tile(first, -(-n_times // first.shape[1]))[:, :n_times]
    start = time.perf_counter()
    (beats,) = annotator.predict([day])
    seconds, used = time.perf_counter() - start, peak_memory() - before
    print(
        f"one recording of 24 h, {len(beats.sample)} beats: {seconds:.1f} s, {used:.0f} MB of "
        f"additional memory, of which {day.nbytes / 2**20:.0f} MB for the recording"
    )
    del day, beats

    database = load_mitdb(arguments.data, lead=None)
    hours = sum(recording.shape[1] for recording in database.recordings) / database.fs / 3600
    passes = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        annotated = annotator.predict(database.recordings)
        passes.append(time.perf_counter() - start)
    n_beats = sum(len(beats.sample) for beats in annotated)
    median = statistics.median(passes)
    used = "both" if arguments.model else "one"
    print(
        f"{len(annotated)} records with two leads, {used} used, {hours:.2f} h, {n_beats} beats: "
        f"{min(passes):.2f} to {max(passes):.2f} s, median {median:.2f} s, "
        f"{hours * 3600 / median:,.0f} times real time"
    )


if __name__ == "__main__":
    main()
