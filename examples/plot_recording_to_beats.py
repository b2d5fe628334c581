"""
Annotation of continuous recordings
===================================

`ecgbeat.BeatAnnotator` goes from a recording to labeled beats: it detects the R peaks, cuts out
the beats and classifies them. It is trained on recordings with annotations. The figures show
simulated patients that were held out.
"""

import matplotlib.pyplot as plt
from sklearn.pipeline import make_pipeline

from ecgbeat import BeatAnnotator, ECGCNNClassifier, ZScoreScaler
from ecgbeat.datasets import make_recording
from ecgbeat.plotting import RecordingDisplay

weights = {"N": 0.8, "A": 0.08, "V": 0.1, "F": 0.02}
patients = [make_recording(120, weights=weights, random_state=seed) for seed in range(18)]
recordings = [patient.signal for patient in patients]
annotations = [patient.annotation for patient in patients]
learning_period = 0

train, test = slice(0, 11), slice(11, None)
network = ECGCNNClassifier(n_filters=8, max_epochs=10, random_state=0)
annotator = BeatAnnotator(make_pipeline(ZScoreScaler(), network), fs=360, mapping="literature")
annotator.fit(recordings[train], annotations[train])

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
RecordingDisplay.from_estimator(
    annotator, recordings[test][0], annotations[test][0], start=20, stop=25, ax=ax
)

# %%
# The upper label of each beat is its true class, the lower label the predicted class, and boxes
# mark errors. The classes are those of the AAMI.
#
# To use real patients, load some records of the MIT-BIH Arrhythmia Database (see
# `ecgbeat.datasets.fetch_mitdb`) in place of the simulated recordings. The first five minutes of a
# record are not scored:
#
# .. code-block:: python
#
#     from ecgbeat.datasets import load_mitdb
#     from ecgbeat.model_selection import DS1, DS2
#
#     mitdb = load_mitdb(records=[*DS1[::2], *DS2[::2]])
#     recordings, annotations = mitdb.recordings, mitdb.annotations
#     learning_period = 300

# %%
# Get a table of beats
# --------------------
# The table has one row for each beat. With ``write_to``, the annotations are also written to files
# for the WFDB tools.

table = annotator.annotate(recordings[test])
print(table[["record", "time_s", "rr_s", "label", "probability"]].head(8).round(3))

# %%
# Score the annotations
# ---------------------
# The EC57 report contains the sensitivity (Se) and the positive predictivity (+P) of QRS detection
# (Q), and of ventricular (V) and supraventricular (S) ectopic beats.

from ecgbeat.metrics import ec57_report


def report(annotator):
    """Compare the annotations of the held-out recordings with the reference."""
    beats = annotator.predict(recordings[test])
    return ec57_report(annotations[test], beats, fs=360, learning_period=learning_period)


print(report(annotator))

# %%
# Add the rhythm
# --------------
# Supraventricular ectopic beats look like normal beats, but come early. With ``rr_features``, the
# annotator appends the intervals between the beats to each row. They have another scale than the
# waveform, so each part gets its own scaler, and ``n_aux_features`` leads them past the
# convolutions of the network.

from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

from ecgbeat import RPeakSegmenter
from ecgbeat.signal import rr_feature_names

n_times, n_rr = 128, len(rr_feature_names())
scaler = ColumnTransformer(
    [("waveform", ZScoreScaler(), slice(n_times)), ("rhythm", StandardScaler(), slice(-n_rr, None))]
)
with_rhythm = BeatAnnotator(
    make_pipeline(scaler, network.set_params(n_aux_features=n_rr)),
    segmenter=RPeakSegmenter(fs=360, n_times=n_times),
    fs=360,
    rr_features=True,
    mapping="literature",
)
with_rhythm.fit(recordings[train], annotations[train])
print(report(with_rhythm))

# %%
# Compare the columns of S in both reports. The same five seconds with the rhythm:

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
RecordingDisplay.from_estimator(
    with_rhythm, recordings[test][0], annotations[test][0], start=20, stop=25, ax=ax
)

# %%
# To save the annotator, see :doc:`/guide/saving`.
