"""Beats of live signals beside those of the same annotator on whole recordings.

    python examples/benchmarks/live_accuracy.py         # half of DS1 -> the other half
    python examples/benchmarks/live_accuracy.py --test  # DS1 -> DS2

`make_inter_patient_annotator` is trained with ``future=False`` and ``"none"`` on recordings of
MIT-BIH, and annotates others: whole, and live in chunks of 10 s. Beats that are not detected count
as errors.
"""

import argparse
from pathlib import Path

import numpy as np
from _report import print_machine, print_table

from ecgbeat import BeatStream
from ecgbeat.annotation import AnnotatedBeats, make_inter_patient_annotator
from ecgbeat.datasets import get_data_home, load_mitdb
from ecgbeat.labels import select_beats, to_aami
from ecgbeat.metrics import annotation_f1_score
from ecgbeat.model_selection import DS1, DS2
from ecgbeat.streaming import push_streams

CLASSES = ("N", "S", "V", "F")
CHUNK_S = 10


def annotate_live(annotator, recordings, fs):
    """Return the beats of recordings that arrive in chunks at the same time."""
    streams = [BeatStream(annotator, fs=fs) for _ in recordings]
    n_times, step = max(x.shape[-1] for x in recordings), round(CHUNK_S * fs)
    decided = [
        push_streams(streams, [x[..., start : start + step] for x in recordings])
        for start in range(0, n_times, step)
    ]
    decided.append([stream.flush() for stream in streams])
    return [
        AnnotatedBeats(
            np.concatenate([beats.sample for beats in of_stream]),
            np.concatenate([beats.symbol for beats in of_stream]),
            None,
        )
        for of_stream in zip(*decided, strict=True)
    ]


def scores(references, found, fs):
    """Return F1 of R peaks, and of the classes; beats of class Q are R peaks alone."""
    beats = [(b.sample, np.full(len(b.sample), "beat")) for b in references]
    peaks = [(b.sample, np.full(len(b.sample), "beat")) for b in found]
    labels = [to_aami(b.symbol) for b in references]
    known = [np.isin(label, CLASSES) for label in labels]
    of_classes = annotation_f1_score(
        [(b.sample[k], y[k]) for b, y, k in zip(references, labels, known, strict=True)],
        found,
        fs,
        average=None,
        left_out=[b.sample[~k] for b, k in zip(references, known, strict=True)],
    )
    of_classes = dict(zip(sorted(CLASSES), of_classes, strict=True))
    return annotation_f1_score(beats, peaks, fs), [of_classes[name] for name in CLASSES]


def main():
    """Train, annotate whole and live, and print the scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=get_data_home() / "mitdb")
    parser.add_argument("--test", action="store_true", help="train on DS1, and test on DS2")
    parser.add_argument("--records", nargs="+", help="test only on these records")
    parser.add_argument("--future", nargs="+", choices=("False", "none"), default=["False", "none"])
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args()
    training = load_mitdb(arguments.data, records=DS1 if arguments.test else DS1[::2], lead=None)
    records = arguments.records or (DS2 if arguments.test else DS1[1::2])
    live = load_mitdb(arguments.data, records=records, lead=None)
    references = [select_beats(annotation) for annotation in live.annotations]
    rows = [["future", "signal", "R peaks", "macro-F1", *CLASSES]]
    for name in arguments.future:
        annotator = make_inter_patient_annotator(
            live.fs, future=name == "none" and "none", random_state=0
        )
        annotator.fit(training.recordings, training.annotations)
        found = {
            "whole": annotator.predict(live.recordings),
            "live": annotate_live(annotator, live.recordings, live.fs),
        }
        for signal, beats in found.items():
            of_peaks, of_classes = scores(references, beats, live.fs)
            cells = [f"{value:.4f}" for value in (np.mean(of_classes), *of_classes)]
            rows.append([name, signal, f"{of_peaks:.5f}", *cells])
    print_machine(["ecgbeat", "scikit-learn", "numpy", "scipy"], 1)
    print_table(f"{len(records)} recordings", rows, arguments.markdown)


if __name__ == "__main__":
    main()
