"""Stand-ins until the functions of other rooms are there."""

import numpy as np

PRETRAINED_NAMES = ("nsvf", "nsvf-live", "nlrav", "normal-abnormal-187")


def load_pretrained(name="nsvf"):
    from ecgbeat import ECGCNNClassifier
    from ecgbeat.annotation import make_inter_patient_annotator
    from ecgbeat.datasets import make_heartbeats, make_recording

    if name == "normal-abnormal-187":
        beats = make_heartbeats(
            200, n_patients=8, before=37 / 125, after=1.2, fs=125, random_state=0
        )
        low, high = (f(beats.data, axis=1, keepdims=True) for f in (np.min, np.max))
        y = np.where(np.isin(beats.target, ["V", "A"]), "abnormal", "normal")
        rows = (beats.data - low) / (high - low)
        return ECGCNNClassifier(n_filters=4, max_epochs=3, random_state=0).fit(rows, y)
    weights = {"N": 0.8, "A": 0.08, "V": 0.08, "F": 0.04}
    ecgs = [make_recording(60, weights=weights, random_state=seed) for seed in range(6)]
    annotator = make_inter_patient_annotator(360, future="live" not in name, random_state=0)
    return annotator.fit([ecg.signal for ecg in ecgs], [ecg.annotation for ecg in ecgs])


def model_card(name):
    return {
        "name": name,
        "title": {
            "nsvf": "N, S, V and F",
            "nlrav": "N, L, R, A and V",
            "nsvf-live": "N, S, V and F, live",
        }.get(name, "Normal or abnormal, single beats"),
        "classes": ["N", "S", "V", "F"],
        "data": "simulated patients",
        "license": "ODC-By",
        "protocol": "stand-in",
        "scores": {"V sensitivity": 0.9},
        "not_for": "Not a medical device: not for diagnosis or treatment.",
        "versions": {"ecgbeat": "0.1.0"},
        "sha256": "0" * 64,
    }
