"""R-peak detectors compared in r_peaks.py, with their default parameters."""

import importlib.metadata
import warnings

from _report import why_missing


def ecgbeat():
    from ecgbeat.signal import detect_r_peaks

    return detect_r_peaks


def sleepecg():
    from sleepecg import detect_heartbeats

    return lambda x, fs: detect_heartbeats(x, fs, backend="c")


def xqrs():
    from wfdb.processing import xqrs_detect

    return lambda x, fs: xqrs_detect(x, fs, verbose=False)


def neurokit(method):
    def prepare():
        import neurokit2

        def detect(x, fs):
            cleaned = neurokit2.ecg_clean(x, sampling_rate=fs, method=method)
            _, found = neurokit2.ecg_peaks(cleaned, sampling_rate=fs, method=method)
            return found["ECG_R_Peaks"]

        return detect

    return prepare


def biosppy():
    from biosppy.signals import ecg, tools

    def detect(x, fs):
        # steps of biosppy.signals.ecg.ecg before the templates, which exclude beats at the edges
        filtered, *_ = tools.filter_signal(
            x, "FIR", "bandpass", int(1.5 * fs), [0.67, 45], sampling_rate=fs
        )
        filtered = filtered - filtered.mean()
        (found,) = ecg.hamilton_segmenter(filtered, sampling_rate=fs)
        return ecg.correct_rpeaks(filtered, found, sampling_rate=fs, tol=0.05)["rpeaks"]

    return detect


# name: (distribution, function that imports it and returns detect(x, fs))
DETECTORS = {
    "ecgbeat": ("ecgbeat", ecgbeat),
    "sleepecg": ("sleepecg", sleepecg),
    "neurokit2-pantompkins1985": ("neurokit2", neurokit("pantompkins1985")),
    "neurokit2-neurokit": ("neurokit2", neurokit("neurokit")),
    "biosppy-hamilton": ("biosppy", biosppy),
    "wfdb-xqrs": ("wfdb", xqrs),
}


def prepare_detectors(names):
    """Import detectors; return the available ones, and the reasons why the others are missing."""
    ready, missing = {}, {}
    for name in names:
        try:
            with warnings.catch_warnings(action="ignore"):
                ready[name] = DETECTORS[name][1]()
        except ImportError as error:
            missing[name] = why_missing(DETECTORS[name][0], error)
    return ready, missing


def label(name):
    """Return the name of a detector with the version of its package."""
    return f"{name} {importlib.metadata.version(DETECTORS[name][0])}"
