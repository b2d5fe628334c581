"""Training of the models of ecgbeat.load_pretrained.

    python examples/train_pretrained.py                      # all models, into the package
    python examples/train_pretrained.py nsvf --out models    # one model, into another folder
    python examples/train_pretrained.py nlrav --score        # its scores, without a file

reads MIT-BIH and the Kaggle ``heartbeat`` set in the data home (`ecgbeat.datasets.get_data_home`).
``--score`` trains the same on the patients of DS1 and tests on those of DS2 (de Chazal et al. 2004,
doi:10.1109/TBME.2004.827359). DS2 was read only for that, after everything had been chosen within
DS1; its scores stand in CARDS. On an idle core, all models together take some minutes. With one
thread (``OMP_NUM_THREADS=1``), a second training writes the same bytes on the same machine.
``normal-abnormal-187`` was trained without AVX-512, as ``ATEN_CPU_CAPABILITY=avx2`` and
``ONEDNN_MAX_CPU_ISA=AVX2`` do: other rounding gives a network that differs in 2 % of its labels.
"""

import argparse
import hashlib
import importlib
import platform
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ecgbeat
from ecgbeat import BeatAnnotator, ECGCNNClassifier, ZScoreScaler, save_model
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.datasets import load_heartbeat_csv, load_mitdb, make_recording
from ecgbeat.labels import Annotation, select_beats
from ecgbeat.metrics import annotation_f1_score
from ecgbeat.model_selection import DS1, DS2, PACED

PACKAGES = ("ecgbeat", "numpy", "scipy", "sklearn", "skorch", "torch")
PACKAGE_FOLDER = Path(ecgbeat.__file__).parent / "pretrained"
UNPACED = sorted([*DS1, *DS2])
# of a class of a record, so that records count about equally
NLRAV_BEATS = 100
KAGGLE_BEATS = 300
NLRAV = ("N", "L", "R", "A", "V")
N_TIMES = 128  # of a beat of nlrav, which is that of the default segmenter of BeatAnnotator
N_SIMULATED = 60  # patients: MIT-BIH has four with L, and six with R
KAGGLE_N_TIMES = 187
NONSENSE = 0.1  # rows without a beat for each beat

# --- recipes --------------------------------------------------------------------------


def fit_nsvf(records, *, future=True):
    """Train an annotator of the classes N, S, V and F on all leads of records."""
    mitdb = load_mitdb(records=records, lead=None)
    annotator = make_inter_patient_annotator(mitdb.fs, future=future, random_state=0)
    # not the Bunch: one record has the leads in another order, which does not matter here
    return annotator.fit(mitdb.recordings, mitdb.annotations, groups=mitdb.groups)


def fit_nsvf_live(records):
    """Train the same without the future, except for the position of the next R peak."""
    return fit_nsvf(records, future=False)


def fit_nlrav(records):
    """Train a linear model for N, L, R, A and V on one lead of records and of simulated patients.

    Networks were not better in folds by patient within DS1. Without simulated patients, no beat L
    and few beats R of other patients were recognized."""
    mitdb = load_mitdb(records=records)
    simulated = [
        make_recording(
            90, weights={"NLR"[k % 3]: 0.85, "A": 0.07, "V": 0.08}, random_state=1000 + k
        )
        for k in range(N_SIMULATED)
    ]
    columns = make_column_transformer(
        (ZScoreScaler(), slice(0, N_TIMES)), (StandardScaler(), slice(N_TIMES, None))
    )
    classifier = make_pipeline(columns, LogisticRegression(C=0.01, max_iter=200))
    annotator = BeatAnnotator(
        classifier,
        fs=mitdb.fs,
        rr_features=True,
        symbols=NLRAV,
        min_quality=0.5,
    )
    annotations = [thin_annotation(annotation) for annotation in mitdb.annotations]
    return annotator.fit(
        [*mitdb.recordings, *(ecg.signal for ecg in simulated)],
        [*annotations, *(ecg.annotation for ecg in simulated)],
    )


def thin_annotation(annotation):
    """Return some beats of each class, spread over the recording."""
    beats = select_beats(annotation, NLRAV)
    rows = thin(NLRAV_BEATS, beats.symbol)
    return Annotation(beats.sample[rows], beats.symbol[rows])


def thin(n_beats, *labels):
    """Return the rows of at most n_beats beats of each combination of labels, evenly spread."""
    _, group = np.unique(np.stack(labels), axis=1, return_inverse=True)
    kept = []
    for index in range(group.max() + 1):
        rows = np.flatnonzero(group.ravel() == index)
        kept.append(rows[np.linspace(0, len(rows) - 1, min(len(rows), n_beats)).astype(int)])
    return np.sort(np.concatenate(kept))


def fit_normal_abnormal(records):
    """Train a network for normal and abnormal on the Kaggle beats of records, and on nonsense.

    Rows without a beat are labeled normal and abnormal in turn, so that they get probabilities
    near 0.5 instead of those of a beat that they resemble by chance.
    """
    beats = load_heartbeat_csv(subset="train")
    rows = np.flatnonzero(np.isin(beats.records, records))
    rows = rows[thin(KAGGLE_BEATS, beats.records[rows], beats.target[rows].astype(str))]
    nonsense = make_nonsense(int(NONSENSE * len(rows)), np.random.default_rng(0))
    X = np.concatenate([beats.data[rows], nonsense])
    labels = normal_or_abnormal(beats.target[rows])
    y = np.concatenate([labels, np.resize(["normal", "abnormal"], len(nonsense))])
    classifier = ECGCNNClassifier(
        n_filters=8,
        dropout=0.3,
        label_smoothing=0.1,
        augment_amplitude=0.1,
        augment_noise=0.1,
        augment_shift=0.02,
        max_epochs=6,
        optimizer=torch.optim.AdamW,
        random_state=0,
    ).fit(X, y)
    classifier.history_.clear()  # the times of its epochs differ in each training
    return classifier


def normal_or_abnormal(target):
    """Return the classes of the labels of the Kaggle set, of which 0 is normal."""
    return np.where(target == 0, "normal", "abnormal")


def make_nonsense(n_rows, rng):
    """Return white noise, random walks, sines and constants, scaled and padded as beats are."""
    time = np.arange(KAGGLE_N_TIMES)
    noise = rng.normal(size=(n_rows, KAGGLE_N_TIMES))
    cycles, phase = rng.uniform(0.2, 20, (n_rows, 1)), rng.random((n_rows, 1))
    sine = np.sin(2 * np.pi * (cycles * time / KAGGLE_N_TIMES + phase))
    level = np.where(rng.random((n_rows, 1)) < 0.5, 0, rng.random((n_rows, 1)))
    kind = np.arange(n_rows)[:, None] // 2 % 4  # labels alternate within each kind
    rows = np.choose(kind, [noise, noise.cumsum(axis=1), sine, noise])
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    rows = np.where(kind == 3, level, (rows - low) / (high - low))
    end = rng.integers(60, 300, (n_rows, 1))
    return np.where(time < end, rows, 0).astype(np.float32)


# --- scores on DS2 --------------------------------------------------------------------


def score_annotator(annotator):
    """Return the F1 of each class on the recordings of DS2, with errors of detection."""
    lead = None if annotator.lead is None else ("MLII", "V5")
    mitdb = load_mitdb(records=DS2, lead=lead)
    references, left_out = [], []
    for annotation in mitdb.annotations:
        beats = select_beats(annotation)
        mapping = annotator.mapping or dict(zip(NLRAV, NLRAV, strict=True))
        is_scored = np.isin(beats.symbol, list(mapping))
        label = [mapping[symbol] for symbol in beats.symbol[is_scored]]
        references.append((beats.sample[is_scored], label))
        left_out.append(beats.sample[~is_scored])
    predictions = annotator.predict(mitdb.recordings)
    f1 = annotation_f1_score(references, predictions, mitdb.fs, average=None, left_out=left_out)
    by_class = {f"F1 of {name}": value for name, value in zip(annotator.classes_, f1, strict=True)}
    return {"macro-F1": f1.mean()} | by_class


def score_normal_abnormal(classifier):
    """Return scores on the beats of DS2, of both files."""
    beats = load_heartbeat_csv(subset="mitbih")
    rows = np.isin(beats.records, DS2)
    y, probability = (
        normal_or_abnormal(beats.target[rows]),
        classifier.predict_proba(beats.data[rows]),
    )
    predicted = classifier.classes_[probability.argmax(axis=1)]
    return {
        "accuracy": np.mean(predicted == y),
        "F1 of normal": f1_score(y, predicted, pos_label="normal"),
        "F1 of abnormal": f1_score(y, predicted, pos_label="abnormal"),
        "ROC-AUC": roc_auc_score(y == "abnormal", probability[:, 0]),
        "mean confidence": probability.max(axis=1).mean(),
    }


# --- cards ----------------------------------------------------------------------------

MITDB = (
    "MIT-BIH Arrhythmia Database 1.0.0 (Moody and Mark 2001, doi:10.1109/51.932724; Goldberger et "
    "al. 2000, doi:10.1161/01.CIR.101.23.e215)"
)
RHYTHMS = (
    " Its network of rhythms was trained on the annotations of the Long-Term AF Database (Petrutiu "
    "et al. 2007, doi:10.1093/europace/eum096) and the MIT-BIH Long-Term Database."
)
LICENSE = (
    "BSD-3-Clause, as ecgbeat. Contains information from {}, which {} made available under the ODC "
    "Attribution License 1.0 (https://opendatacommons.org/licenses/by/1-0/)."
)
RECORDS = (
    "Trained on the 44 records without pacemaker, DS1 and DS2; as the AAMI recommends, records "
    "102, 104, 107 and 217 were left out. "
)
SCORE = (
    "The scores are of the same recipe, trained on the 22 records of DS1 and tested on the 22 "
    "records of DS2 (de Chazal et al. 2004, doi:10.1109/TBME.2004.827359), {}. Everything was "
    "chosen within DS1. Records 201 (DS1) and 202 (DS2) are of one patient. "
)
MITDB_LICENSE = LICENSE.format("the MIT-BIH Arrhythmia Database", "is")
NOT_FOR = [
    "Diagnosis, treatment or monitoring of patients: the model is no medical device.",
    "Patients with pacemakers: paced beats have no class, and get a wrong one.",
]
AAMI = {
    "N": "normal, or bundle branch block",
    "S": "supraventricular ectopic",
    "V": "ventricular ectopic",
    "F": "fusion of ventricular and normal",
}
NSVF = {
    "classes": AAMI,
    "data": f"{MITDB}, all leads at 360 Hz.{RHYTHMS}",
    "license": LICENSE.format(
        "the MIT-BIH Arrhythmia Database, the Long-Term AF Database and the MIT-BIH Long-Term "
        "Database",
        "are",
    ),
    "not_for": [
        *NOT_FOR,
        "Atrial fibrillation or other rhythms: beats are classified, rhythms are not.",
        "Supraventricular and fusion beats without review: half of them are missed, or are others.",
    ],
}
CARDS = {
    "nsvf": {
        "title": "Annotator of recordings: N, S, V and F",
        **NSVF,
        "protocol": "ecgbeat.annotation.make_inter_patient_annotator(360, random_state=0). "
        + RECORDS
        + SCORE.format("means of the seeds 0, 1 and 2; missed beats and false detections count"),
        "scores": {
            "macro-F1": 0.742,
            "F1 of N": 0.980,
            "F1 of S": 0.616,
            "F1 of V": 0.947,
            "F1 of F": 0.425,
        },
    },
    "nsvf-live": {
        "title": "Annotator of streams: N, S, V and F, without later beats",
        **NSVF,
        "protocol": "ecgbeat.annotation.make_inter_patient_annotator(360, future=False, "
        "random_state=0): the class of a beat depends on no later beat but the position of the "
        "next R peak within 1.25 s. "
        + RECORDS
        + SCORE.format("with seed 0; missed beats and false detections count"),
        "scores": {
            "macro-F1": 0.698,
            "F1 of N": 0.979,
            "F1 of S": 0.589,
            "F1 of V": 0.945,
            "F1 of F": 0.278,
        },
    },
    "nlrav": {
        "title": "Annotator of one lead: N, L, R, A and V",
        "classes": {
            "N": "normal",
            "L": "left bundle branch block",
            "R": "right bundle branch block",
            "A": "atrial premature",
            "V": "premature ventricular",
        },
        "data": f"{MITDB}, lead MLII or V5 at 360 Hz, beats N, L, R, A and V alone; and "
        f"{N_SIMULATED} simulated patients of ecgbeat.datasets.make_recording, since few patients "
        "of MIT-BIH have a bundle branch block.",
        "license": MITDB_LICENSE,
        "protocol": "A linear model of the beat and its RR features, trained on at most "
        f"{NLRAV_BEATS} beats of each class of a record. "
        + RECORDS
        + SCORE.format("missed beats and false detections count")
        + "Two patients of DS1 have beats L, and three have beats R.",
        "scores": {
            "macro-F1": 0.407,
            "F1 of N": 0.803,
            "F1 of L": 0.167,
            "F1 of R": 0.190,
            "F1 of A": 0.140,
            "F1 of V": 0.734,
        },
        "not_for": [
            *NOT_FOR,
            "Bundle branch blocks and atrial beats of new patients without review: of the labels "
            "L, R and A, most are wrong.",
            "Leads that differ from MLII, such as V1, in which blocks have another shape.",
        ],
    },
    "normal-abnormal-187": {
        "title": "Single beats of 187 samples: normal or abnormal",
        "classes": {
            "abnormal": "any beat of the AAMI classes S, V, F and Q",
            "normal": "AAMI class N: normal, or bundle branch block",
        },
        "data": f"Beats in the format of the Kaggle heartbeat set, cut from the {MITDB}: from an R "
        "peak to 0.2 of an RR interval beyond the next one, every third sample, scaled to 0..1 and "
        "padded with zeros. Training file, all 48 records; label 0 is normal, 1 to 4 are abnormal.",
        "license": MITDB_LICENSE,
        "protocol": f"A network, trained on at most {KAGGLE_BEATS} beats of each class of "
        "a record and, as a tenth more, rows without a beat (noise, sines, constants), labeled "
        "normal and abnormal in turn, so that they get a probability near 0.5. "
        + SCORE.format("with seed 0; beats of both files")
        + "The usual split of the Kaggle set has beats of all patients on both sides: by beats, "
        "not by patients, scores are higher.",
        "scores": {
            "accuracy": 0.775,
            "F1 of normal": 0.861,
            "F1 of abnormal": 0.409,
            "ROC-AUC": 0.854,
            "mean confidence": 0.825,
        },
        "not_for": [
            NOT_FOR[0],
            "Beats of another format: other rates, other scaling, or the R peak in the middle.",
            "Recordings: use the model nsvf, which knows the rhythm and the other beats.",
            "Decisions by its confidence: of new patients, more labels are wrong than it says.",
        ],
    },
}


def card_of(name):
    """Return the card of a model, with the versions installed here."""
    versions = {package: importlib.import_module(package).__version__ for package in PACKAGES}
    versions["scikit-learn"] = versions.pop("sklearn")
    versions = {package: version.partition("+")[0] for package, version in versions.items()}
    return CARDS[name] | {"versions": {"Python": platform.python_version(), **versions}}


class Model(NamedTuple):
    """Training and test of a model."""

    fit: Callable  # of the names of records
    score: Callable  # of the model trained on DS1
    records: list  # of the model of the package


MODELS = {
    "nsvf": Model(fit_nsvf, score_annotator, UNPACED),
    "nsvf-live": Model(fit_nsvf_live, score_annotator, UNPACED),
    "nlrav": Model(fit_nlrav, score_annotator, UNPACED),
    "normal-abnormal-187": Model(
        fit_normal_abnormal, score_normal_abnormal, sorted([*UNPACED, *PACED])
    ),
}

# --- commands -------------------------------------------------------------------------


def write_checksums(folder):
    """Write the checksums of all models of a folder, as ``sha256sum`` does."""
    files = sorted(folder.glob("*.safetensors"))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {list(MODELS)}")
    parser.add_argument("--out", type=Path, default=PACKAGE_FOLDER, help="folder of the files")
    parser.add_argument("--score", action="store_true", help="train on DS1 and score on DS2")
    arguments = parser.parse_args()
    names = arguments.names or list(MODELS)
    if unknown := set(names) - set(MODELS):
        parser.error(f"There is no model {sorted(unknown)}; the models are {list(MODELS)}.")
    for name in names:
        model = MODELS[name]
        if arguments.score:
            scores = model.score(model.fit(DS1))
            print(name, {key: round(float(value), 3) for key, value in scores.items()}, flush=True)
            continue
        arguments.out.mkdir(parents=True, exist_ok=True)
        path = arguments.out / f"{name}.safetensors"
        save_model(model.fit(model.records), path, card=card_of(name))
        write_checksums(arguments.out)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
