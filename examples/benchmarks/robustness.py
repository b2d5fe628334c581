"""Robustness of R peaks to gain, polarity and offset, and memory for long recordings.

    python examples/benchmarks/robustness.py --data mitdb --hours 24

The first two tables are computed on annotated records. The third table is computed on a simulated
recording of two leads, with and without one gap, in a separate process for each row.
"""

import argparse

import numpy as np
from _fresh_process import PeakMemory, run_fresh
from _r_peak_scoring import load_records, score_detections
from _report import print_machine, print_table

from ecgbeat import BeatAnnotator, ECGCNNClassifier
from ecgbeat.datasets import get_data_home, make_recording
from ecgbeat.signal import detect_r_peaks

FS = 360.0
# applied to the signal in mV, float64
CHANGES = {
    "multiplied by 1000": lambda x: 1000 * x,
    "multiplied by 0.37": lambda x: 0.37 * x,
    "negated": np.negative,
    "3 mV added": lambda x: x + 3,
    "-1000 mV added": lambda x: x - 1000,
}


# --- R peaks --------------------------------------------------------------------------


def count_no_extrema(x, peaks):
    """Return the number of samples that are no local extremum in any lead, see `is_on_slope`."""
    return int(np.all([is_on_slope(lead, peaks) for lead in np.atleast_2d(x)], axis=0).sum())


def is_on_slope(x, peaks):
    """Return which samples of a lead have a neighbor beyond them on each side.

    Samples on a plateau are compared with the nearest different samples.
    """
    values = x[np.flatnonzero(np.diff(x, prepend=np.nan) != 0)]  # one sample for each plateau
    index = np.cumsum(np.diff(x, prepend=np.nan) != 0)[peaks] - 1
    before = values[np.maximum(index - 1, 0)] - values[index]
    after = values[np.minimum(index + 1, len(values) - 1)] - values[index]
    return before * after < 0


def accuracy_rows(leads):
    """Yield the rows of the table of accuracy and extrema, one for each lead and for all."""
    yield ["lead", "R peaks", "no extremum", "F1", "mean offset ms"]
    for lead, (records, detections) in leads.items():
        scores = score_detections(records, detections)
        wrong = sum(
            count_no_extrema(record.x, peaks)
            for record, peaks in zip(records, detections, strict=True)
        )
        yield [
            str(lead),
            str(sum(map(len, detections))),
            str(wrong),
            f"{scores['f1']:.4f}",
            f"{scores['offset_ms']:.2f}",
        ]


def change_rows(leads):
    """Yield the rows of the table of peaks that differ for a changed recording."""
    yield ["recording", *(f"lead {lead}" for lead in leads)]
    for name, change in CHANGES.items():
        cells = []
        for records, detections in leads.values():
            differing = [
                np.setxor1d(peaks, detect_r_peaks(change(record.x), record.fs))
                for record, peaks in zip(records, detections, strict=True)
            ]
            cells.append(str(sum(map(len, differing))))
        yield [name, *cells]


# --- memory ---------------------------------------------------------------------------


def measure_memory(name, hours, with_gap):
    """Return peak memory and size of a recording in MB; runs in a separate process."""
    seeds = range(min(6, round(np.ceil(6 * hours))))  # an hour that repeats
    hour = np.concatenate([make_recording(600, fs=FS, random_state=seed).signal for seed in seeds])
    hour = hour.astype(np.float32)
    annotator = _fitted_annotator() if name == "BeatAnnotator.predict" else None
    n_times = round(hours * 3600 * FS)
    recording = np.empty((2, n_times), np.float32)
    for start in range(0, n_times, len(hour)):
        part = hour[: n_times - start]
        recording[:, start : start + len(part)] = part, -0.5 * part
    if with_gap:
        recording[:, n_times // 2 : n_times // 2 + round(5 * FS)] = np.nan
    with PeakMemory() as peak:
        if annotator is None:
            detect_r_peaks(recording, FS)
        else:
            annotator.predict([recording])
    return peak.mb, recording.nbytes / 2**20


def _fitted_annotator():
    """Return an annotator of one lead, which has classified a batch before it is measured."""
    patient = make_recording(600, fs=FS, random_state=0)
    annotator = BeatAnnotator(ECGCNNClassifier(max_epochs=2, random_state=0), fs=FS)
    annotator.fit([patient.signal], [patient.annotation])
    annotator.predict([patient.signal] * 10)
    return annotator


def memory_rows(names, hours):
    """Yield the rows of the table of memory."""
    yield ["function", "gap", "recording MB", "additional MB", "ratio"]
    for name in names:
        for with_gap in (False, True):
            peak, size = run_fresh(measure_memory, name, hours, with_gap, threads=1)
            gap = "5 s" if with_gap else "none"
            yield [name, gap, f"{size:.0f}", f"{peak:.0f}", f"{peak / size:.2f}"]


def parse_arguments():
    functions = ["detect_r_peaks", "BeatAnnotator.predict"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="annotated WFDB records; default: mitdb in the data home")
    parser.add_argument("--records", nargs="+", help="names of the records; default: all")
    parser.add_argument("--leads", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--sections", nargs="+", choices=["peaks", "memory"])
    parser.add_argument("--functions", nargs="+", choices=functions, default=functions)
    parser.add_argument("--hours", type=float, default=1.0, help="length for the memory")
    parser.add_argument("--markdown", action="store_true", help="print tables for the docs")
    arguments = parser.parse_args()
    arguments.data = arguments.data or get_data_home() / "mitdb"
    arguments.sections = arguments.sections or ["peaks", "memory"]
    if not 0.1 <= arguments.hours <= 1000:
        parser.error(f"--hours must be from 0.1 to 1000, got {arguments.hours:g}")
    return arguments


def main():
    arguments = parse_arguments()
    print_machine(["ecgbeat", "numpy", "scipy", "torch"], 1)
    if "peaks" in arguments.sections:
        leads = {}
        for lead in [*arguments.leads, "all"]:
            index = None if lead == "all" else lead
            records = load_records(arguments.data, index, arguments.records)
            leads[lead] = records, [detect_r_peaks(record.x, record.fs) for record in records]
        title = "R peaks that are no local extremum, and accuracy without flutter episodes"
        print_table(title, accuracy_rows(leads), arguments.markdown)
        title = "R peaks that differ if the recording is changed"
        print_table(title, change_rows(leads), arguments.markdown)
    if "memory" in arguments.sections:
        title = f"Memory for {arguments.hours:g} h of two leads, float32"
        print_table(title, memory_rows(arguments.functions, arguments.hours), arguments.markdown)


if __name__ == "__main__":
    main()
