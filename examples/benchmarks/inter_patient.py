"""Inter-patient classification of MIT-BIH: training on DS1, test on DS2.

    python examples/benchmarks/inter_patient.py --data mitdb --select   # compare settings on DS1
    python examples/benchmarks/inter_patient.py --data mitdb            # chosen setting on DS2

The classes are N, S, V and F of the AAMI, without Q. Annotated beats are used. The records are
split as in de Chazal et al. (2004, doi:10.1109/TBME.2004.827359). All settings are compared with
``--select`` by cross-validation by patient within DS1. Only the chosen setting is evaluated on DS2.
"""

import argparse
import platform
import time
from pathlib import Path
from typing import NamedTuple

import imblearn
import numpy as np
import sklearn
import skorch
import torch
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.compose import ColumnTransformer
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer
from sklearn.utils import Bunch

import ecgbeat
from ecgbeat import ECGCNNClassifier, ZScoreScaler
from ecgbeat.annotation import extract_beats
from ecgbeat.datasets import load_mitdb
from ecgbeat.labels import to_aami
from ecgbeat.model_selection import DS1, DS2
from ecgbeat.signal import bandpass, rr_feature_names

CLASSES = ["N", "S", "V", "F"]
BEFORE_S, AFTER_S, N_TIMES = 0.3, 0.5, 96  # 120 Hz: every third sample
QRS_S, WIDE_QRS_S, WHOLE_S = (-0.08, 0.13), (-0.12, 0.2), (-BEFORE_S, AFTER_S)
UNDERSAMPLING = 10  # keep one in ten normal beats, with ten times the weight
EARLY = ("rr_previous_deviation", "rr_next_deviation", "rr_previous_to_one_before")
RATIOS = (*EARLY, "rr_previous_to_median", "rr_next_to_median", "rr_next_to_previous")


class Setting(NamedTuple):
    """Input and architecture of the classifier."""

    wave: str  # "beat", or "difference" from the median beat of the record
    window: tuple[float, float]  # seconds from the R peak
    rr: tuple[str, ...]  # RR interval features
    gain: float = 1.0  # scale of these features relative to the waveform
    n_leads: int = 1
    n_filters: int = 8
    max_epochs: int = 6


SETTINGS = {
    "whole beat, all RR columns": Setting("beat", WHOLE_S, tuple(rr_feature_names())),
    "difference from the median beat": Setting("difference", WHOLE_S, tuple(rr_feature_names())),
    "its QRS, wide": Setting("difference", WIDE_QRS_S, tuple(rr_feature_names())),
    "... gain 3": Setting("difference", WIDE_QRS_S, tuple(rr_feature_names()), 3.0),
    "... 6 RR columns": Setting("difference", WIDE_QRS_S, RATIOS, 3.0),
    "wide QRS, 3 RR columns": Setting("difference", WIDE_QRS_S, EARLY, 3.0),
    "QRS, 3 RR columns": Setting("difference", QRS_S, EARLY, 3.0),
    "... 2 RR columns": Setting("difference", QRS_S, EARLY[:2], 3.0),
    "... gain 1": Setting("difference", QRS_S, EARLY, 1.0),
    "... 2 leads": Setting("difference", QRS_S, EARLY, 3.0, n_leads=2),
    "... 16 filters": Setting("difference", QRS_S, EARLY, 3.0, n_filters=16),
    "... 12 epochs": Setting("difference", QRS_S, EARLY, 3.0, max_epochs=12),
    "... the beat itself": Setting("beat", QRS_S, EARLY, 3.0),
}
CHOSEN = "wide QRS, 3 RR columns"  # highest macro-F1, and highest mean F1 of N, S and V


def read(folder, records):
    """Return the annotated beats: waveforms, RR interval features, classes and records."""
    mitdb = load_mitdb(folder, records=records, lead=None)
    recordings = []
    for recording, leads in zip(mitdb.recordings, mitdb.lead_names, strict=True):
        main_lead = list(leads).index("MLII")  # second lead in record 114
        both = recording[[main_lead, 1 - main_lead]]
        recordings.append(bandpass(both, mitdb.fs).astype(np.float32))
    beats = extract_beats(
        recordings,
        mitdb.annotations,
        mitdb.fs,
        before=BEFORE_S,
        after=AFTER_S,
        n_times=N_TIMES,
        rr_features=True,
        groups=mitdb.record_names,
    )
    n_wave = beats.n_leads * N_TIMES
    waves = beats.data[:, :n_wave].reshape(-1, beats.n_leads, N_TIMES)
    beat, difference = np.empty_like(waves), np.empty_like(waves)
    for record in np.unique(beats.groups):
        rows = beats.groups == record
        beat[rows], difference[rows] = relative_to_record(waves[rows])
    target = to_aami(beats.target)
    known = target != "Q"
    return Bunch(
        beat=beat[known],
        difference=difference[known],
        rr=beats.data[known, n_wave:],
        rr_names=beats.aux_feature_names,
        target=target[known],
        records=beats.groups[known],
    )


def relative_to_record(waves):
    """Return the beats scaled by the median amplitude, and their difference from the median beat.

    This does not use labels. Most beats of a record are similar to the median beat, so abnormal
    beats have a large difference.
    """
    waves = waves - np.median(waves, axis=-1, keepdims=True)
    waves /= np.median(np.ptp(waves, axis=-1), axis=0)[:, None] + np.finfo(np.float32).tiny
    return waves, waves - np.median(waves, axis=0)


def make_features(beats, setting):
    """Return the input of the pipeline, and the number of waveform columns."""
    start, stop = (round((BEFORE_S + t) * N_TIMES / (BEFORE_S + AFTER_S)) for t in setting.window)
    wave = beats[setting.wave][:, : setting.n_leads, start:stop].reshape(len(beats.target), -1)
    rr = beats.rr[:, [beats.rr_names.index(name) for name in setting.rr]]
    return np.concatenate([wave, rr], axis=1), wave.shape[1]


def n_normal_beats(y):
    """Return the number of beats of the normal class after undersampling."""
    return {"N": max(1, int(np.sum(y == "N")) // UNDERSAMPLING)}


def amplify(rr, gain):
    """Clip to 3 standard deviations and multiply by the gain."""
    return gain * np.clip(rr, -3, 3)


def build(setting, n_wave, seed):
    """Return the pipeline of a setting."""
    scale_rr = make_pipeline(
        QuantileTransformer(n_quantiles=500, output_distribution="normal", random_state=seed),
        FunctionTransformer(amplify, kw_args={"gain": setting.gain}),
    )
    scale = ColumnTransformer(
        [
            ("wave", ZScoreScaler(axis="dataset", n_leads=setting.n_leads), slice(0, n_wave)),
            ("rr", scale_rr, slice(n_wave, None)),
        ]
    )
    classifier = ECGCNNClassifier(
        n_filters=setting.n_filters,
        dropout=0.3,
        max_epochs=setting.max_epochs,
        batch_size=128,
        class_weight={"N": float(UNDERSAMPLING)},
        n_leads=setting.n_leads,
        n_aux_features=len(setting.rr),
        random_state=seed,
    )
    undersample = RandomUnderSampler(sampling_strategy=n_normal_beats, random_state=seed)
    return Pipeline([("undersample", undersample), ("scale", scale), ("classify", classifier)])


def probabilities(setting, train, test, train_rows, test_rows, seed):
    """Train on rows of one set of beats, and return the probabilities of rows of another set."""
    X, n_wave = make_features(train, setting)
    pipeline = build(setting, n_wave, seed).fit(X[train_rows], train.target[train_rows])
    result = np.zeros((len(test_rows), len(CLASSES)))
    where = [CLASSES.index(name) for name in pipeline.classes_]
    result[:, where] = pipeline.predict_proba(make_features(test, setting)[0][test_rows])
    return result


def most_probable_class(probability):
    """Return the most probable class of each beat."""
    return np.array(CLASSES)[probability.argmax(axis=1)]


def rates(target, predicted):
    """Return sensitivity, positive predictivity and F1 of each class over all beats."""
    matrix = confusion_matrix(target, predicted, labels=CLASSES)
    n_correct, n_true, n_predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return (
        n_correct / np.maximum(n_true, 1),
        n_correct / np.maximum(n_predicted, 1),
        2 * n_correct / np.maximum(n_true + n_predicted, 1),
    )


def format_scores(target, predicted):
    """Return the scores of a set of beats in one line."""
    se, ppv, f1 = rates(target, predicted)
    by_class = "  ".join(
        f"{name} {se[i]:.3f} {ppv[i]:.3f} {f1[i]:.3f}" for i, name in enumerate(CLASSES) if i
    )
    return (
        f"{np.mean(target == predicted):8.4f}  {f1.mean():8.3f}  {f1[:3].mean():7.3f}  {by_class}"
    )


HEADER = "accuracy  macro-F1  N, S, V  (Se, +P, F1 of each class)"


def select(beats, settings, partitions):
    """Compare settings by cross-validation by patient, with the beats of all folds pooled."""
    print(f"{'within DS1':32}  {HEADER}        s", flush=True)
    for name, setting in settings.items():
        start = time.perf_counter()
        target, predicted = [], []
        for partition in partitions:
            n_folds = min(6, len(np.unique(beats.records)))
            folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=partition)
            for train, test in folds.split(beats.rr, beats.target, beats.records):
                p = probabilities(setting, beats, beats, train, test, seed=partition)
                target.append(beats.target[test])
                predicted.append(most_probable_class(p))
        line = format_scores(np.concatenate(target), np.concatenate(predicted))
        print(f"{name:32}  {line}  {time.perf_counter() - start:4.0f}", flush=True)


def by_record(beats, predicted):
    """Return the accuracy of each record, and its mean F1 over the classes that occur in it."""
    figures = []
    for record in np.unique(beats.records):
        rows = beats.records == record
        present = np.isin(CLASSES, beats.target[rows])
        f1 = rates(beats.target[rows], predicted[rows])[2][present].mean()
        figures.append((record, np.mean(beats.target[rows] == predicted[rows]), f1))
    return figures


def test(train, unseen, setting, seeds):
    """Train one pipeline per seed, and print the scores of their mean probabilities."""
    print(f"{'DS1 -> DS2':32}  {HEADER}", flush=True)
    train_rows, test_rows = np.arange(len(train.target)), np.arange(len(unseen.target))
    by_seed = []
    for seed in seeds:
        start = time.perf_counter()
        by_seed.append(probabilities(setting, train, unseen, train_rows, test_rows, seed))
        label = f"seed {seed} ({time.perf_counter() - start:.0f} s)"
        print(
            f"{label:32}  {format_scores(unseen.target, most_probable_class(by_seed[-1]))}",
            flush=True,
        )
    predicted = most_probable_class(np.mean(by_seed, axis=0))
    print(f"{'mean probability of all seeds':32}  {format_scores(unseen.target, predicted)}")
    rest = unseen.records != "232"
    line = format_scores(unseen.target[rest], predicted[rest])
    print(f"{'... without record 232':32}  {line}")
    figures = by_record(unseen, predicted)
    accuracy, f1 = np.median([figure[1:] for figure in figures], axis=0)
    print(f"\nmedian over {len(figures)} records: accuracy {accuracy:.4f}, macro-F1 {f1:.3f}")
    print("(the macro-F1 of a record is the mean over the classes that occur in it)\n")
    print(f"true \\ predicted\n{CLASSES}")
    print(confusion_matrix(unseen.target, predicted, labels=CLASSES))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder; default: mitdb in the data home")
    parser.add_argument("--select", action="store_true", help="compare settings within DS1")
    parser.add_argument(
        "--partitions", type=int, nargs="+", default=[1, 2], help="seeds of the folds for --select"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--records", nargs="+", help="names of the records; default: all")
    parser.add_argument("--quick", action="store_true", help="train for one epoch only")
    arguments = parser.parse_args()
    start = time.perf_counter()
    print(
        f"ecgbeat {ecgbeat.__version__}, torch {torch.__version__}, skorch {skorch.__version__}, "
        f"scikit-learn {sklearn.__version__}, imbalanced-learn {imblearn.__version__}, "
        f"Python {platform.python_version()}, {torch.get_num_threads()} threads"
    )
    known, unseen = (
        [name for name in names if arguments.records is None or name in arguments.records]
        for names in (DS1, DS2)
    )
    train = read(arguments.data, known)
    settings = SETTINGS
    if arguments.quick:
        settings = {CHOSEN: SETTINGS[CHOSEN]._replace(max_epochs=1)}
    if arguments.select:
        select(train, settings, arguments.partitions)
    else:
        test(train, read(arguments.data, unseen), settings[CHOSEN], arguments.seeds)
    print(f"{time.perf_counter() - start:.0f} s in total")


if __name__ == "__main__":
    main()
