"""Stand-ins until the functions of other rooms are there."""

from types import SimpleNamespace

import numpy as np

from ecgbeat.datasets import load_wfdb


def load_recording(path, *, fs=None, unit="mV", leads=None):
    if path.suffix == ".hea":
        annotator = "atr" if path.with_suffix(".atr").exists() else None
        data = load_wfdb(path.parent, records=[path.stem], annotator=annotator)
        annotation = data.annotations[0] if annotator else None
        return SimpleNamespace(
            signal=np.atleast_2d(data.recordings[0]),
            fs=data.fs,
            lead_names=data.lead_names[0],
            annotation=annotation,
        )
    if fs is None:
        raise ValueError("fs must be given for files that do not state it.")
    signal = np.load(path) if path.suffix == ".npy" else np.genfromtxt(path, delimiter=",")
    signal = np.atleast_2d(signal)
    signal = signal if signal.shape[0] < signal.shape[1] else signal.T
    return SimpleNamespace(
        signal=signal,
        fs=fs,
        lead_names=[f"lead {k}" for k in range(len(signal))],
        annotation=None,
    )


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
