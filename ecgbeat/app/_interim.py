"""Stand-ins until the functions of other rooms are there."""

from types import SimpleNamespace

import numpy as np


def summarize_beats(beats, *, fs, n_times):
    names, counts = np.unique(beats.symbol, return_counts=True)
    rate = 60 * fs / np.diff(beats.sample) if len(beats.sample) > 1 else np.array([60.0])
    content = {
        "duration": n_times / fs,
        "n_beats": len(beats.sample),
        "heart_rate": {
            "mean": float(rate.mean()),
            "min": float(rate.min()),
            "max": float(rate.max()),
        },
        "classes": {str(n): int(c) for n, c in zip(names, counts, strict=True)},
        "runs": [],
        "pauses": [],
    }
    return SimpleNamespace(as_dict=lambda: content)


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


def encode_beats(beats, *, fs, format, record_name):  # noqa: A002
    if format == "json":
        import json

        return {f"{record_name}.json": json.dumps({"sample": beats.sample.tolist()}).encode()}
    if format == "csv":
        rows = [f"{s},{l}" for s, l in zip(beats.sample, beats.symbol, strict=True)]
        return {f"{record_name}.csv": "\n".join(["sample,label", *rows]).encode()}
    from ecgbeat.datasets.wfdb.record import encode_annotation

    return {f"{record_name}.ecgbeat": encode_annotation(beats.sample, beats.symbol.tolist(), fs)}
