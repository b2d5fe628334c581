"""
From a recording to annotated beats
===================================

A raw recording goes in; its beats come out: where, what, how sure. `ecgbeat.BeatAnnotator`
finds the R peaks, cuts the beats with their rhythm, and asks a network for their class. It is
judged as the standard EC57 asks, on patients whom it has not seen.

Simulated patients, or a folder with the MIT-BIH Arrhythmia Database (some minutes), of which
every second record of DS1 trains and every second record of DS2 tests. The picture opens in a
window; ``--output`` keeps it in a folder instead::

    python examples/plot_recording_to_beats.py
    python examples/plot_recording_to_beats.py --data mitdb --output pictures
"""

import argparse
import tempfile
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ecgbeat import BeatAnnotator, ECGCNNClassifier, RPeakSegmenter, ZScoreScaler
from ecgbeat.datasets import load_mitdb, make_recording
from ecgbeat.labels import select_beats, to_aami
from ecgbeat.metrics import ec57_report, match_beats
from ecgbeat.plotting import RecordingDisplay
from ecgbeat.signal import rr_feature_names

# every second record of DS1 and of DS2 (de Chazal et al. 2004, doi:10.1109/TBME.2004.827359)
TRAIN = ["101", "108", "112", "115", "118", "122", "201", "205", "208", "215", "223"]
TEST = ["100", "105", "113", "121", "200", "210", "213", "219", "222", "231", "233"]

parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
)
parser.add_argument("--data", type=Path, help="folder of the MIT-BIH Arrhythmia Database")
parser.add_argument("--output", type=Path, help="folder for the picture")
parser.add_argument("--seconds", type=float, default=120, help="length of simulated recordings")
parser.add_argument("--epochs", type=int, default=10, help="passes over the training beats")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # none in a notebook
if not 30 <= arguments.seconds <= 3600 or arguments.epochs < 1:
    parser.error("--seconds must be 30 to 3600, --epochs 1 or more")

# %%
# The recordings
# --------------
# A recording is an array in mV, its reference the sample numbers and symbols of its beats.

if arguments.data:
    try:
        train = load_mitdb(arguments.data, TRAIN, verbose=1)
        test = load_mitdb(arguments.data, TEST, verbose=1)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    train_recordings, train_annotations = train.recordings, train.annotations
    recordings, annotations, names = test.recordings, test.annotations, TEST
    learning_period = 300  # seconds that EC57 does not score
else:
    weights = {"N": 0.8, "A": 0.08, "V": 0.1, "F": 0.02}
    patients = [
        make_recording(arguments.seconds, weights=weights, random_state=seed) for seed in range(18)
    ]
    train_recordings = [patient.signal for patient in patients[:12]]
    train_annotations = [patient.annotation for patient in patients[:12]]
    recordings = [patient.signal for patient in patients[12:]]
    annotations = [patient.annotation for patient in patients[12:]]
    names, learning_period = [f"patient {seed}" for seed in range(12, 18)], 0
print(
    f"{len(train_recordings)} recordings to train on, {len(recordings)} of other patients to test"
)

# %%
# The annotator
# -------------
# ``rr_features`` appends to each beat what the rhythm around it is, without which a premature
# beat from the atrium can hardly be told from a normal one. A ``ColumnTransformer`` scales
# waves and rhythm apart. Any classifier does; ``ECGCNNLSTMClassifier(bidirectional=True,
# n_aux_features=n_rhythm)`` reads the beat in both directions of time.

n_times, n_rhythm = 128, len(rr_feature_names())
scaler = ColumnTransformer(
    [
        ("waves", ZScoreScaler(), slice(0, n_times)),
        ("rhythm", StandardScaler(), slice(n_times, None)),
    ]
)
network = ECGCNNClassifier(
    n_filters=8, n_aux_features=n_rhythm, max_epochs=arguments.epochs, random_state=0
)
annotator = BeatAnnotator(
    make_pipeline(scaler, network),
    fs=360,
    segmenter=RPeakSegmenter(fs=360, n_times=n_times),
    rr_features=True,
    mapping="literature",  # the classes N, S, V, F and Q of the AAMI
)
annotator.fit(train_recordings, train_annotations)
print(
    f"trained on {annotator.n_beats_} beats; {annotator.n_missed_} of them the detector had missed"
)

# %%
# Annotated beats of patients held out
# ------------------------------------
# A row a beat. ``write_to=`` would write annotation files that WFDB's tools read.

table = annotator.annotate(recordings, record_names=names)
columns = ["record", "time_s", "rr_s", "label", "probability"]
print(table[columns].head(8).round(3).to_string(index=False))

# %%
# The report of EC57: sensitivity (Se) and positive predictivity (+P) of the detector (Q), of
# ventricular (V) and of supraventricular beats (S), for each record and over all.

beats = annotator.predict(recordings)
report = ec57_report(
    annotations, beats, fs=360, learning_period=learning_period, record_names=names
)
print(report)

# %%
# Where it errs
# -------------
# The half minute with the most errors, of the recording that has most of them. Above each beat
# stands what it is, and below that what it was taken for; a box marks an error.


def error_times(annotation, found):
    """Return when a beat was missed, invented or given a wrong class, in seconds."""
    truth = select_beats(annotation)
    match = match_beats(truth.sample, found.sample, fs=360)
    wrong = to_aami(truth.symbol)[match.reference_index] != found.symbol[match.detected_index]
    invented = found.sample[np.append(match.extra, match.detected_index[wrong])]
    return np.sort(np.append(truth.sample[match.missed], invented)) / 360


times = [error_times(*pair) for pair in zip(annotations, beats, strict=True)]
worst = int(np.argmax([len(record) for record in times]))
in_half_a_minute = np.searchsorted(times[worst], times[worst] + 30) - np.arange(len(times[worst]))
start = max(int(times[worst][in_half_a_minute.argmax()]) - 1, 0) if len(times[worst]) else 0
print("errors:", ", ".join(f"{name} {len(t)}" for name, t in zip(names, times, strict=True)))

display = RecordingDisplay.from_estimator(
    annotator, recordings[worst], annotations[worst], start=start, stop=start + 30
)
display.ax_.set_title(f"{names[worst]}, from {start} s")

# %%
# Save and load
# -------------
# The annotator is an estimator like any other. joblib writes it to a file, which is as safe to
# load as the one who sent it can be trusted.

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "annotator.joblib"
    joblib.dump(annotator, file)
    loaded = joblib.load(file)
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")
again = loaded.predict(recordings[:1])[0]
print("loaded, it answers the same:", np.array_equal(again.symbol, beats[0].symbol))

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    display.figure_.savefig(arguments.output / "recording_to_beats.png", dpi=150)
else:
    plt.show()
