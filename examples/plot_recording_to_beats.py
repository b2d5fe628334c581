"""
Annotation of continuous recordings
===================================

This example annotates the beats of continuous recordings with `ecgbeat.BeatAnnotator`. The
annotator detects the R peaks, cuts out the beats, computes RR interval features, and classifies
the beats with a neural network. It is evaluated on held-out patients according to the standard
ANSI/AAMI EC57.

By default, the example uses simulated patients. With ``--data``, it uses the MIT-BIH Arrhythmia
Database and takes a few minutes. The annotator is then trained on every second record of DS1 and
evaluated on every second record of DS2. The figure is shown in a window, or saved to a folder with
``--output``::

    python examples/plot_recording_to_beats.py
    python examples/plot_recording_to_beats.py --data mitdb --output figures
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
parser.add_argument("--output", type=Path, help="folder for the figure")
parser.add_argument("--seconds", type=float, default=120, help="length of simulated recordings")
parser.add_argument("--epochs", type=int, default=10, help="number of epochs")
arguments = parser.parse_args(None if "__file__" in globals() else [])  # no arguments in a notebook
if not 30 <= arguments.seconds <= 3600 or arguments.epochs < 1:
    parser.error("--seconds must be 30 to 3600, --epochs 1 or more")

# %%
# Load the recordings
# -------------------
# Each recording is an array in mV. Its annotation contains the sample number and the symbol of each
# beat.

if arguments.data:
    try:
        train = load_mitdb(arguments.data, TRAIN, verbose=1)
        test = load_mitdb(arguments.data, TEST, verbose=1)
    except (OSError, ValueError) as error:
        parser.error(f"--data: {error}")
    train_recordings, train_annotations = train.recordings, train.annotations
    recordings, annotations, names = test.recordings, test.annotations, TEST
    learning_period = 300  # initial period in seconds that is not scored
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
print(f"{len(train_recordings)} training recordings, {len(recordings)} test recordings")

# %%
# Train the annotator
# -------------------
# With ``rr_features``, RR interval features are appended to each beat. Without them, atrial
# premature beats can hardly be distinguished from normal beats. A ``ColumnTransformer`` scales the
# waveform and the RR interval features separately. Any classifier can be used, for example
# ``ECGCNNLSTMClassifier(bidirectional=True, n_aux_features=n_rr_features)``.

n_times, n_rr_features = 128, len(rr_feature_names())
scaler = ColumnTransformer(
    [
        ("waveform", ZScoreScaler(), slice(0, n_times)),
        ("rr_features", StandardScaler(), slice(n_times, None)),
    ]
)
network = ECGCNNClassifier(
    n_filters=8, n_aux_features=n_rr_features, max_epochs=arguments.epochs, random_state=0
)
annotator = BeatAnnotator(
    make_pipeline(scaler, network),
    fs=360,
    segmenter=RPeakSegmenter(fs=360, n_times=n_times),
    rr_features=True,
    mapping="literature",  # the classes N, S, V, F and Q of the AAMI
)
annotator.fit(train_recordings, train_annotations)
print(f"trained on {annotator.n_beats_} beats, of which the detector missed {annotator.n_missed_}")

# %%
# Annotate the test recordings
# ----------------------------
# The table contains one row per beat. With ``write_to``, the annotations are also written to files
# for the WFDB tools.

table = annotator.annotate(recordings, record_names=names)
columns = ["record", "time_s", "rr_s", "label", "probability"]
print(table[columns].head(8).round(3).to_string(index=False))

# %%
# The EC57 report contains the sensitivity (Se) and positive predictivity (+P) of QRS detection (Q),
# of ventricular (V) and of supraventricular (S) ectopic beats, for each record and in total.

beats = annotator.predict(recordings)
report = ec57_report(
    annotations, beats, fs=360, learning_period=learning_period, record_names=names
)
print(report)

# %%
# Plot the errors
# ---------------
# The figure shows the 30 s with the most errors in the recording with the most errors. The labels
# above each beat are the true class and, below it, the predicted class. Boxes mark errors.


def error_times(annotation, predicted):
    """Return the times in s of missed beats, false detections and misclassified beats."""
    reference = select_beats(annotation)
    match = match_beats(reference.sample, predicted.sample, fs=360)
    true_class = to_aami(reference.symbol)[match.reference_index]
    is_wrong = true_class != predicted.symbol[match.detected_index]
    errors = [
        reference.sample[match.missed],
        predicted.sample[match.extra],
        predicted.sample[match.detected_index[is_wrong]],
    ]
    return np.sort(np.concatenate(errors)) / 360


times = [error_times(*pair) for pair in zip(annotations, beats, strict=True)]
worst = int(np.argmax([len(errors) for errors in times]))
n_within_30_s = np.searchsorted(times[worst], times[worst] + 30) - np.arange(len(times[worst]))
start = max(int(times[worst][n_within_30_s.argmax()]) - 1, 0) if len(times[worst]) else 0
print("errors:", ", ".join(f"{name} {len(t)}" for name, t in zip(names, times, strict=True)))

display = RecordingDisplay.from_estimator(
    annotator, recordings[worst], annotations[worst], start=start, stop=start + 30
)
display.ax_.set_title(f"{names[worst]}, from {start} s")

# %%
# Save and load the annotator
# ---------------------------
# The annotator can be saved with joblib. Loading such a file can execute arbitrary code, so only
# load files from sources that you trust.

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "annotator.joblib"
    joblib.dump(annotator, file)
    loaded = joblib.load(file)
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")
predicted = loaded.predict(recordings[:1])[0]
print("same predictions after loading:", np.array_equal(predicted.symbol, beats[0].symbol))

if arguments.output:
    arguments.output.mkdir(parents=True, exist_ok=True)
    display.figure_.savefig(arguments.output / "recording_to_beats.png", dpi=150)
else:
    plt.show()
