"""Beats of new patients: every step of the method within DS1 of MIT-BIH, and DS1 -> DS2.

    python examples/benchmarks/inter_patient.py            # each step, in folds by patient of DS1
    python examples/benchmarks/inter_patient.py --joined   # joined patients, and fibrillation
    python examples/benchmarks/inter_patient.py --test     # final method: DS1 -> DS2
    python examples/benchmarks/inter_patient.py --draw DIR # also the risk-coverage curves

The classes are N, S, V and F of the AAMI, without Q. The records are split as in de Chazal et al.
(2004, doi:10.1109/TBME.2004.827359). Everything is chosen within DS1. ``--test`` trains
`make_inter_patient_annotator` on the recordings of DS1 and annotates those of DS2: beats that
are not detected count as errors. ``--joined`` classifies the beats of each record of DS1 alone and
in one recording joined of all of them, and excerpts of atrial fibrillation, by models of the folds.
"""

import argparse
import platform
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sklearn
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedGroupKFold

import ecgbeat
from ecgbeat.annotation import (
    InterPatientClassifier,
    make_inter_patient_annotator,
    simulate_fusion_beats,
)
from ecgbeat.datasets import get_data_home, load_mitdb
from ecgbeat.labels import select_beats, to_aami
from ecgbeat.metrics import match_beats
from ecgbeat.model_selection import DS1, DS2
from ecgbeat.signal import bandpass, beat_feature_names, beat_features

CLASSES = np.array(["N", "S", "V", "F"])
N_FOLDS = 6
EXCERPTS = {"207": 150, "209": 150}  # beats of an excerpt in which S is the majority
FIBRILLATION = ("(AFIB", "(AFL")
FIBRILLATION_LENGTHS = (60, 150, 300)  # beats of an excerpt
RHYTHM = ("ectopy_normal", "ectopy_supraventricular", "ectopy_ventricular")
SINUS = ("rr_to_sinus", "next_to_sinus", "sinus_to_median", "sinus_share")
MIXTURE = ("normal_share", "aberrant_share", "rest_of_mixture", "qrs_to_aberrant")
MIXTURE += ("smaller_share", "aberrant_beats")


class Rows(NamedTuple):
    """Features of beats of several records."""

    X: np.ndarray
    y: np.ndarray
    record: np.ndarray
    is_simulated: np.ndarray
    excerpts: dict  # features and classes, by names that begin with the record

    def select(self, rows):
        """Return some of the rows."""
        return Rows(*(values[rows] for values in self[:4]), self.excerpts)


# --- features -------------------------------------------------------------------------


def read(folder, records, future=True, seed=0):
    """Return the features of the annotated beats, and of simulated fusion beats."""
    mitdb = load_mitdb(folder, records=records, lead=None)
    parts, excerpts = [], {}
    for name, recording, annotation in zip(
        mitdb.record_names, mitdb.recordings, mitdb.annotations, strict=True
    ):
        beats = select_beats(annotation)
        y = to_aami(beats.symbol)
        filtered = bandpass(recording, mitdb.fs)
        X = beat_features(filtered, beats.sample, mitdb.fs, future=future)
        parts.append((X, y, np.full(len(y), name), np.zeros(len(y), bool)))
        if name in EXCERPTS:
            rows = majority_excerpt(y, EXCERPTS[name])
            excerpt = beat_features(filtered, beats.sample[rows], mitdb.fs, future=future)
            excerpts[name] = excerpt, y[rows]
        changed, fusion = simulate_fusion_beats(recording, beats, mitdb.fs, random_state=seed)
        if len(fusion.sample):
            X = beat_features(bandpass(changed, mitdb.fs), beats.sample, mitdb.fs, future=future)
            X = X[np.isin(beats.sample, fusion.sample)]
            parts.append((X, np.full(len(X), "F"), np.full(len(X), name), np.ones(len(X), bool)))
    rows = Rows(*(np.concatenate(part) for part in zip(*parts, strict=True)), excerpts)
    return rows.select(np.isin(rows.y, CLASSES))


def majority_excerpt(y, n_beats):
    """Return the successive beats with the most of class S."""
    counts = np.convolve(y == "S", np.ones(min(n_beats, len(y))), "valid")
    start = int(counts.argmax())
    return slice(start, start + n_beats)


def read_joined(folder, records, future):
    """Return the features of the beats of each record, within one recording of all records."""
    mitdb = load_mitdb(folder, records=records, lead=None)
    beats = [select_beats(annotation) for annotation in mitdb.annotations]
    starts = np.cumsum([0, *(recording.shape[-1] for recording in mitdb.recordings[:-1])])
    r_peaks = np.concatenate([b.sample + start for b, start in zip(beats, starts, strict=True)])
    filtered = bandpass(np.concatenate(mitdb.recordings, axis=1), mitdb.fs)
    X = beat_features(filtered, r_peaks, mitdb.fs, future=future)
    parts = np.split(X, np.cumsum([len(b.sample) for b in beats[:-1]]))
    return {
        f"{name} joined": keep_classes(part, to_aami(b.symbol))
        for name, part, b in zip(mitdb.record_names, parts, beats, strict=True)
    }


def read_noisy(folder, records, future):
    """Return the features of the beats of each record, with noise as its second lead."""
    mitdb = load_mitdb(folder, records=records, lead=None)
    rng, excerpts = np.random.default_rng(0), {}
    for name, recording, annotation in zip(
        mitdb.record_names, mitdb.recordings, mitdb.annotations, strict=True
    ):
        beats = select_beats(annotation)
        leads = np.stack([recording[0], rng.normal(0, 0.2, recording.shape[1])])  # mV
        X = beat_features(bandpass(leads, mitdb.fs), beats.sample, mitdb.fs, future=future)
        excerpts[f"{name} noise"] = keep_classes(X, to_aami(beats.symbol))
    return excerpts


def read_fibrillation(folder, records, n_beats, future):
    """Return the features of the beats of excerpts of atrial fibrillation, each a recording."""
    mitdb = load_mitdb(folder, records=records, lead=None)
    excerpts = {}
    for name, recording, annotation in zip(
        mitdb.record_names, mitdb.recordings, mitdb.annotations, strict=True
    ):
        beats = select_beats(annotation)
        path = Path(folder or get_data_home() / "mitdb") / name
        fibrillates = np.isin(rhythm_of(path, beats.sample), FIBRILLATION)
        starts = range(0, len(fibrillates) - n_beats + 1, n_beats)
        rows = [slice(k, k + n_beats) for k in starts if fibrillates[k : k + n_beats].all()]
        if rows:
            filtered = bandpass(recording, mitdb.fs)
            parts = [
                beat_features(filtered, beats.sample[k], mitdb.fs, future=future) for k in rows
            ]
            y = np.concatenate([to_aami(beats.symbol[k]) for k in rows])
            key = f"{name} fibrillation, {len(rows)} excerpts of {n_beats} beats"
            excerpts[key] = keep_classes(np.concatenate(parts), y)
    return excerpts


def rhythm_of(path, samples):
    """Return the rhythm at samples, such as "(AFIB", from the rhythm marks of a record."""
    import wfdb

    annotation = wfdb.rdann(str(path), "atr")
    marks = [(0, "")]
    for sample, note in zip(annotation.sample, annotation.aux_note, strict=True):
        if note.startswith("("):
            marks.append((sample, note.rstrip("\x00")))
    starts, names = zip(*marks, strict=True)
    return np.array(names)[np.searchsorted(starts, samples, side="right") - 1]


def keep_classes(X, y):
    """Return features and classes without the beats of class Q."""
    rows = np.isin(y, CLASSES)
    return X[rows], y[rows]


# --- steps ----------------------------------------------------------------------------


class OneModel(HistGradientBoostingClassifier):
    """Boosted trees on all columns, as most would begin."""

    def fit(self, X, y, groups):  # noqa: ARG002 - as InterPatientClassifier
        return super().fit(X, y)


class OneExpert(InterPatientClassifier):
    """Only one of both models of the shape."""

    def __init__(self, kind="linear", *, random_state=None):
        super().__init__(random_state=random_state)
        self.kind = kind

    def _probability_by_shape(self, rows):
        linear, by_trees = super()._probability_by_shape(rows)
        one = linear if self.kind == "linear" else by_trees
        return one, one


def without(*names):
    """Return the columns that have none of these names."""
    return np.array([name not in names for name in beat_feature_names()])


def steps(seed):
    """Return the classifier, the columns and whether fusion beats are simulated, by step."""
    trees = OneModel(max_iter=40, early_stopping=False, random_state=seed)
    two = InterPatientClassifier(random_state=seed)
    linear, trees_alone = (OneExpert(kind, random_state=seed) for kind in ("linear", "trees"))
    everything = slice(None)
    return {
        "trees, without the rhythm network": (trees, without(*RHYTHM), False),
        "trees, its probabilities as columns": (trees, everything, False),
        "two experts, no simulated fusion beats": (two, everything, False),
        "two experts": (two, everything, True),
        "... shape by the linear model alone": (linear, everything, True),
        "... shape by the trees alone": (trees_alone, everything, True),
        "... without the sinus interval": (two, without(*SINUS), True),
        "... without the mixture": (two, without(*MIXTURE), True),
    }


def predict_folds(rows, classifier, columns, simulate):
    """Return the probabilities of all real beats by folds by patient, and of the excerpts."""
    real = rows.select(~rows.is_simulated)
    probability = np.zeros((len(real.y), len(CLASSES)))
    excerpts = {}
    n_folds = min(N_FOLDS, len(np.unique(real.record)))
    # balanced in all classes, 22 patients leave no choice: every seed gives the same folds
    folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=1)
    for _, test in folds.split(real.X, real.y, real.record):
        held_out = np.unique(real.record[test])
        train = rows.select(~np.isin(rows.record, held_out) & (simulate | ~rows.is_simulated))
        model = clone(classifier).fit(train.X[:, columns], train.y, train.record)
        probability[test] = by_class(model, real.X[test][:, columns])
        for name, (X, _) in rows.excerpts.items():
            if name.split()[0] in held_out:
                excerpts[name] = by_class(model, X[:, columns])
    return real, probability, excerpts


def by_class(model, X):
    """Return the probabilities in the order of CLASSES."""
    result = np.zeros((len(X), len(CLASSES)))
    result[:, [CLASSES.tolist().index(name) for name in model.classes_]] = model.predict_proba(X)
    return result


# --- scores ---------------------------------------------------------------------------


def rates(target, predicted):
    """Return sensitivity, positive predictivity and F1 of each class."""
    found = np.array([np.sum((target == c) & (predicted == c)) for c in CLASSES])
    n_true = np.array([np.sum(target == c) for c in CLASSES])
    n_predicted = np.array([np.sum(predicted == c) for c in CLASSES])
    return (
        found / np.maximum(n_true, 1),
        found / np.maximum(n_predicted, 1),
        2 * found / np.maximum(n_true + n_predicted, 1),
    )


HEADER = f"{'':39} macro-F1     N     S (Se, +P)          V (Se, +P)          F"


def format_scores(name, target, predicted):
    """Return the scores of a set of beats in one line."""
    se, ppv, f1 = rates(target, predicted)
    return (
        f"{name:39} {f1.mean():8.3f} {f1[0]:.3f} {f1[1]:.3f} ({se[1]:.3f}, {ppv[1]:.3f}) "
        f"{f1[2]:.3f} ({se[2]:.3f}, {ppv[2]:.3f}) {f1[3]:.3f}"
    )


def most_probable(probability):
    """Return the most probable class of each beat."""
    return CLASSES[probability.argmax(axis=1)]


def describe_excerpts(rows, excerpts):
    """Return sensitivity and positive predictivity of S where S is the majority."""
    parts = []
    for name, probability in sorted(excerpts.items()):
        se, ppv, _ = rates(rows.excerpts[name][1], most_probable(probability))
        parts.append(f"{name}: {se[1]:.2f}, {ppv[1]:.2f}")
    return "; ".join(parts)


def calibration_error(target, probability, n_bins=15):
    """Return the expected calibration error of the most probable class."""
    confidence = probability.max(axis=1)
    is_right = most_probable(probability) == target
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    error = 0.0
    for index in np.unique(bins):
        rows = bins == index
        error += np.mean(rows) * abs(is_right[rows].mean() - confidence[rows].mean())
    return error


def risk_coverage(target, probability, thresholds):
    """Return for each threshold the share of labeled beats, their errors and their macro-F1."""
    confidence, predicted = probability.max(axis=1), most_probable(probability)
    table = []
    for threshold in thresholds:
        rows = confidence >= threshold
        errors = np.mean(predicted[rows] != target[rows])
        table.append((threshold, rows.mean(), errors, rates(target[rows], predicted[rows])[2]))
    return table


def print_confidence(target, probability):
    """Print calibration and the risk-coverage curve."""
    print(f"expected calibration error: {calibration_error(target, probability):.4f}")
    print("abstain_below  labeled  errors  F1 of N, S, V, F of the labeled beats")
    for threshold, share, errors, f1 in risk_coverage(target, probability, (0, 0.6, 0.7, 0.8, 0.9)):
        print(f"{threshold:13.1f}  {share:7.2%}  {errors:6.2%}  {np.round(f1, 3)}")


def draw_risk_coverage(path, results, *, dark):
    """Draw the share of wrong labels against the share of labeled beats, for a page of the docs."""
    import matplotlib as mpl  # only for this picture

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    # colors of Okabe and Ito, which the color-blind tell apart; lighter on a dark page
    colors = ("#8ccbf2", "#ff9b57", "#3fd6a8") if dark else ("#0b3c5d", "#d55e00", "#009e73")
    ink, ground = ("#ced6dd", "#222832") if dark else ("#333333", "#ffffff")
    style = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink)
    style |= {"axes.edgecolor": ink, "axes.facecolor": ground, "figure.facecolor": ground}
    style |= {"font.size": 12, "axes.spines.top": False, "axes.spines.right": False}
    style |= {"svg.hashsalt": "ecgbeat", "axes.grid": True, "grid.alpha": 0.25, "grid.color": ink}
    with plt.rc_context(style):
        figure, axes = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
        for color, (name, result) in zip(colors, results.items(), strict=True):
            curve = risk_coverage(*result, np.linspace(0, 0.95, 200))
            axes.plot(*(100 * np.array([row[1:3] for row in curve]).T), color=color, label=name)
        marked = risk_coverage(*next(iter(results.values())), (0.6, 0.7, 0.8, 0.9))
        for threshold, share, errors, _ in marked:
            axes.plot(100 * share, 100 * errors, "o", color=colors[0])
            place = {"xytext": (7, -11), "textcoords": "offset points"}
            axes.annotate(f"{threshold}", (100 * share, 100 * errors), color=colors[0], **place)
        axes.set(xlabel="labeled beats (%)", ylabel="wrong labels among them (%)", ylim=(0, None))
        axes.legend(title="points: abstain_below", loc="upper left")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


# --- commands -------------------------------------------------------------------------


def study(folder, records, seeds, pictures=None):
    """Print the scores of every step within DS1, and draw the confidence of the last seed."""
    start = time.perf_counter()
    variants = {future: read(folder, records, future) for future in (True, False, "none")}
    print(
        f"features of three variants: {time.perf_counter() - start:.0f} s\n\nwithin DS1\n{HEADER}"
    )
    for seed in seeds:
        print(f"seed {seed}")
        for name, setting in steps(seed).items():
            real, probability, excerpts = predict_folds(variants[True], *setting)
            line = format_scores(name, real.y, most_probable(probability))
            print(line, " excerpts", describe_excerpts(real, excerpts), flush=True)
        print()
        results = {}
        for future, rows in variants.items():
            final = InterPatientClassifier(random_state=seed), slice(None), True
            real, probability, excerpts = predict_folds(rows, *final)
            line = format_scores(f"future={future!r}", real.y, most_probable(probability))
            print(line, " excerpts", describe_excerpts(real, excerpts))
            print_confidence(real.y, probability)
            results[f"future={future!r}"] = real.y, probability
        print(flush=True)
    if pictures is not None:
        draw_risk_coverage(pictures / "risk_coverage.svg", results, dark=False)
        draw_risk_coverage(pictures / "risk_coverage_dark.svg", results, dark=True)


def study_joined(folder, records, seeds, future):
    """Print the scores of joined records, a lead of noise, and atrial fibrillation in DS1."""
    rows = read(folder, records, future)
    joined = read_joined(folder, records, future)
    noisy = read_noisy(folder, records, future)
    excerpts = joined | noisy
    for n_beats in FIBRILLATION_LENGTHS:
        excerpts |= read_fibrillation(folder, records, n_beats, future)
    print(f"within DS1, future={future!r}\n{HEADER}")
    for seed in seeds:
        final = InterPatientClassifier(random_state=seed), slice(None), True
        real, probability, found = predict_folds(rows._replace(excerpts=excerpts), *final)
        predicted = {name: most_probable(found[name]) for name in excerpts}
        print(format_scores(f"seed {seed}, each record alone", real.y, most_probable(probability)))
        for title, names in (("joined to one recording", joined), ("second lead is noise", noisy)):
            labels = np.concatenate([predicted[name] for name in names])
            print(format_scores(f"  {title}", real.y, labels), flush=True)
        for name in list(excerpts)[len(joined) + len(noisy) :]:
            labels = predicted[name][excerpts[name][1] == "N"]
            s, v = (1000 * np.mean(labels == c) for c in "SV")
            print(f"  {name}: of 1000 beats N, {s:.1f} are labeled S and {v:.1f} V")


def pair(annotation, beats, fs):
    """Return true and predicted classes of the beats of a record, "" where there is none."""
    reference = select_beats(annotation)
    target = to_aami(reference.symbol)
    matches = match_beats(reference.sample, beats.sample, fs)
    predicted = np.full(len(target), "", "<U1")
    predicted[matches.reference_index] = beats.symbol[matches.detected_index]
    rows = target != "Q"
    extra = beats.symbol[matches.extra]
    return (
        np.append(target[rows], np.full(len(extra), "")),
        np.append(predicted[rows], extra),
    )


def test(folder, known, unseen, seeds, future):
    """Train on DS1, and print the scores on DS2."""
    train = load_mitdb(folder, records=known, lead=None)
    new = load_mitdb(folder, records=unseen, lead=None)
    print(f"DS1 -> DS2, from recordings, future={future!r}\n{HEADER}")
    f1 = []
    for seed in seeds:
        start = time.perf_counter()
        annotator = make_inter_patient_annotator(train.fs, future=future, random_state=seed)
        annotator.fit(train)
        fitted = time.perf_counter()
        pairs = [
            pair(annotation, beats, new.fs)
            for annotation, beats in zip(new.annotations, annotator.predict(new), strict=True)
        ]
        seconds = f"{fitted - start:.0f} + {time.perf_counter() - fitted:.0f} s"
        target, predicted = (np.concatenate(part) for part in zip(*pairs, strict=True))
        print(format_scores(f"seed {seed} ({seconds})", target, predicted))
        rest = [p for p, name in zip(pairs, new.record_names, strict=True) if name != "232"]
        if rest:
            target, predicted_rest = (np.concatenate(part) for part in zip(*rest, strict=True))
            print(format_scores("  without record 232", target, predicted_rest), flush=True)
        f1.append(rates(*(np.concatenate(part) for part in zip(*pairs, strict=True)))[2])
    print(f"mean of {len(seeds)} seeds: macro-F1 {np.mean(f1):.3f}, F1 {np.mean(f1, axis=0)}")
    by_record = []
    for true, found in pairs:
        present = np.isin(CLASSES, true)
        by_record.append((np.mean(true == found), rates(true, found)[2][present].mean()))
    accuracy, macro = np.median(by_record, axis=0)
    print(f"median over {len(pairs)} records, last seed: accuracy {accuracy:.4f}, F1 {macro:.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="data folder; default: mitdb in the data home")
    parser.add_argument("--test", action="store_true", help="train on DS1 and evaluate on DS2")
    parser.add_argument("--joined", action="store_true", help="join the records of DS1")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--future", choices=["True", "False", "none"], default="True")
    parser.add_argument("--records", nargs="+", help="names of the records; default: all")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="folder for the curves, as SVG")
    arguments = parser.parse_args()
    print(
        f"ecgbeat {ecgbeat.__version__}, scikit-learn {sklearn.__version__}, "
        f"NumPy {np.__version__}, Python {platform.python_version()}"
    )
    known, unseen = (
        [name for name in names if arguments.records is None or name in arguments.records]
        for names in (DS1, DS2)
    )
    future = {"True": True, "False": False}.get(arguments.future, arguments.future)
    if arguments.joined:
        study_joined(arguments.data, known, arguments.seeds, future)
    elif arguments.test:
        test(arguments.data, known, unseen, arguments.seeds, future)
    else:
        study(arguments.data, known, arguments.seeds, arguments.draw)


if __name__ == "__main__":
    main()
