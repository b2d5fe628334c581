"""Classify the beats of patients that the classifier has never seen: DS1 -> DS2 of MIT-BIH.

    python examples/benchmarks/inter_patient.py --data mitdb --select   # compare, in DS1 alone
    python examples/benchmarks/inter_patient.py --data mitdb            # the chosen one, on DS2

Classes are N, S, V and F of the AAMI (Q left out), beats those annotated, records divided as
de Chazal et al. (2004, doi:10.1109/TBME.2004.827359) did. Whatever has a choice is chosen
by ``--select``: folds of patients inside DS1. DS2 is looked at once, with the setting chosen.
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
THINNING = 10  # one normal beat of so many is trained on, and counts so much more
EARLY = ("rr_previous_deviation", "rr_next_deviation", "rr_previous_to_one_before")
RATIOS = (*EARLY, "rr_previous_to_median", "rr_next_to_median", "rr_next_to_previous")


class Setting(NamedTuple):
    """What is chosen."""

    wave: str  # "beat", or "difference" from its record's median beat
    window: tuple[float, float]  # seconds from the R peak
    rr: tuple[str, ...]  # columns of the rhythm
    gain: float = 1.0  # of these columns beside the wave's
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
    """Return annotated beats, relative to their record: waves, rhythm, classes, records."""
    mitdb = load_mitdb(folder, records=records, lead=None)
    recordings = []
    for recording, leads in zip(mitdb.recordings, mitdb.lead_names, strict=True):
        main_lead = list(leads).index("MLII")  # the second in record 114
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
    """Scale the beats of one record to its median amplitude; also less its median beat.

    No label is used: most beats of a record look alike, and what differs stands out.
    """
    waves = waves - np.median(waves, axis=-1, keepdims=True)
    waves /= np.median(np.ptp(waves, axis=-1), axis=0)[:, None] + np.finfo(np.float32).tiny
    return waves, waves - np.median(waves, axis=0)


def columns(beats, setting):
    """Return the rows that a setting feeds to its pipeline, and how many samples are wave."""
    start, stop = (round((BEFORE_S + t) * N_TIMES / (BEFORE_S + AFTER_S)) for t in setting.window)
    wave = beats[setting.wave][:, : setting.n_leads, start:stop].reshape(len(beats.target), -1)
    rr = beats.rr[:, [beats.rr_names.index(name) for name in setting.rr]]
    return np.concatenate([wave, rr], axis=1), wave.shape[1]


def thinned(y):
    """Say how many beats of the normal class to keep."""
    return {"N": max(1, int(np.sum(y == "N")) // THINNING)}


def amplify(rr, gain):
    """Cut off what lies more than 3 deviations out, and multiply."""
    return gain * np.clip(rr, -3, 3)


def build(setting, n_wave, seed):
    """Return the pipeline of a setting."""
    rhythm = make_pipeline(
        QuantileTransformer(n_quantiles=500, output_distribution="normal", random_state=seed),
        FunctionTransformer(amplify, kw_args={"gain": setting.gain}),
    )
    scale = ColumnTransformer(
        [
            ("wave", ZScoreScaler(axis="dataset", n_leads=setting.n_leads), slice(0, n_wave)),
            ("rhythm", rhythm, slice(n_wave, None)),
        ]
    )
    classifier = ECGCNNClassifier(
        n_filters=setting.n_filters,
        dropout=0.3,
        max_epochs=setting.max_epochs,
        batch_size=128,
        class_weight={"N": float(THINNING)},
        n_leads=setting.n_leads,
        n_aux_features=len(setting.rr),
        random_state=seed,
    )
    thin = RandomUnderSampler(sampling_strategy=thinned, random_state=seed)
    return Pipeline([("thin", thin), ("scale", scale), ("classify", classifier)])


def probabilities(setting, train, test, train_rows, test_rows, seed):
    """Train on rows of one set of beats, and return probabilities of rows of another."""
    X, n_wave = columns(train, setting)
    pipeline = build(setting, n_wave, seed).fit(X[train_rows], train.target[train_rows])
    result = np.zeros((len(test_rows), len(CLASSES)))
    where = [CLASSES.index(name) for name in pipeline.classes_]
    result[:, where] = pipeline.predict_proba(columns(test, setting)[0][test_rows])
    return result


def as_classes(probability):
    """Return the most probable classes."""
    return np.array(CLASSES)[probability.argmax(axis=1)]


def rates(target, predicted):
    """Return sensitivity, positive predictivity and F1 of each class, from all beats pooled."""
    matrix = confusion_matrix(target, predicted, labels=CLASSES)
    hits, missed, claimed = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return (
        hits / np.maximum(missed, 1),
        hits / np.maximum(claimed, 1),
        2 * hits / np.maximum(missed + claimed, 1),
    )


def describe(target, predicted):
    """Write the figures of a set of beats in one line."""
    se, ppv, f1 = rates(target, predicted)
    each = "  ".join(
        f"{name} {se[i]:.3f} {ppv[i]:.3f} {f1[i]:.3f}" for i, name in enumerate(CLASSES) if i
    )
    return f"{np.mean(target == predicted):8.4f}  {f1.mean():8.3f}  {f1[:3].mean():7.3f}  {each}"


HEADER = "accuracy  macro-F1  N, S, V  (Se, +P, F1 of each)"


def select(beats, settings, partitions):
    """Compare settings by folds of patients, all beats of all folds pooled."""
    print(f"{'inside DS1':32}  {HEADER}        s", flush=True)
    for name, setting in settings.items():
        start = time.perf_counter()
        target, predicted = [], []
        for partition in partitions:
            n_folds = min(6, len(np.unique(beats.records)))
            folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=partition)
            for train, test in folds.split(beats.rr, beats.target, beats.records):
                p = probabilities(setting, beats, beats, train, test, seed=partition)
                target.append(beats.target[test])
                predicted.append(as_classes(p))
        line = describe(np.concatenate(target), np.concatenate(predicted))
        print(f"{name:32}  {line}  {time.perf_counter() - start:4.0f}", flush=True)


def by_record(beats, predicted):
    """Return each record's accuracy, and its mean F1 over the classes that it has."""
    figures = []
    for record in np.unique(beats.records):
        rows = beats.records == record
        present = np.isin(CLASSES, beats.target[rows])
        f1 = rates(beats.target[rows], predicted[rows])[2][present].mean()
        figures.append((record, np.mean(beats.target[rows] == predicted[rows]), f1))
    return figures


def test(train, unseen, setting, seeds):
    """Train one pipeline a seed, average their probabilities, and report the unseen records."""
    print(f"{'DS1 -> DS2':32}  {HEADER}", flush=True)
    every, all_unseen, votes = (
        np.arange(len(train.target)),
        np.arange(len(unseen.target)),
        [],
    )
    for seed in seeds:
        start = time.perf_counter()
        votes.append(probabilities(setting, train, unseen, every, all_unseen, seed))
        label = f"seed {seed} ({time.perf_counter() - start:.0f} s)"
        print(f"{label:32}  {describe(unseen.target, as_classes(votes[-1]))}", flush=True)
    predicted = as_classes(np.mean(votes, axis=0))
    print(f"{'mean probability of all seeds':32}  {describe(unseen.target, predicted)}")
    rest = unseen.records != "232"
    line = describe(unseen.target[rest], predicted[rest])
    print(f"{'... without record 232':32}  {line}")
    figures = by_record(unseen, predicted)
    accuracy, f1 = np.median([figure[1:] for figure in figures], axis=0)
    print(f"\nmedian over {len(figures)} records: accuracy {accuracy:.4f}, macro-F1 {f1:.3f}")
    print("(a record's macro-F1 is the mean over the classes that it has)\n")
    print(f"true \\ predicted\n{CLASSES}")
    print(confusion_matrix(unseen.target, predicted, labels=CLASSES))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder; default: mitdb in the data home")
    parser.add_argument("--select", action="store_true", help="compare settings inside DS1")
    parser.add_argument("--partitions", type=int, nargs="+", default=[1, 2], help="into folds")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--records", nargs="+", help="only these")
    parser.add_argument("--quick", action="store_true", help="one epoch: does it run?")
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
    print(f"{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
