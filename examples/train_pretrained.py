"""Training of the models of ecgbeat.load_pretrained.

    python examples/train_pretrained.py                      # all models, into the package
    python examples/train_pretrained.py nsvf --out models    # one model, into another folder
    python examples/train_pretrained.py nlrav --score        # its scores, without a file

reads MIT-BIH and the Kaggle ``heartbeat`` set in the data home (`ecgbeat.datasets.get_data_home`).
``--score`` trains the same on the patients of DS1 and tests on those of DS2 (de Chazal et al. 2004,
doi:10.1109/TBME.2004.827359). DS2 was read only for that, after everything had been chosen within
DS1; its scores stand in CARDS. With one thread (``OMP_NUM_THREADS=1``), the annotators take some
10 minutes each, the networks some minutes.
"""

import argparse
import hashlib
import importlib
import platform
from pathlib import Path

import numpy as np
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.compose import make_column_transformer
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

import ecgbeat
from ecgbeat import BeatAnnotator, ECGCNNClassifier, ZScoreScaler, save_model
from ecgbeat.annotation import make_inter_patient_annotator
from ecgbeat.datasets import load_heartbeat_csv, load_mitdb
from ecgbeat.labels import select_beats
from ecgbeat.metrics import annotation_f1_score
from ecgbeat.model_selection import DS1, DS2, PACED

PACKAGES = ("ecgbeat", "numpy", "scipy", "sklearn", "skorch", "torch")
PACKAGE_FOLDER = Path(ecgbeat.__file__).parent / "pretrained"

# --- recipes --------------------------------------------------------------------------


def nsvf(records, *, future=True):
    """Train an annotator of the classes N, S, V and F on all leads of records."""
    mitdb = load_mitdb(records=records, lead=None)
    annotator = make_inter_patient_annotator(mitdb.fs, future=future, random_state=0)
    # not the Bunch: one record has the leads in another order, which does not matter here
    return annotator.fit(mitdb.recordings, mitdb.annotations, groups=mitdb.groups)


def nsvf_live(records):
    """Train the same without the future, except for the position of the next R peak."""
    return nsvf(records, future=False)


RECIPES = {"nsvf": nsvf, "nsvf-live": nsvf_live}

# --- scores ---------------------------------------------------------------------------


def score_annotator(annotator):
    """Return the F1 of each class on the recordings of DS2, with errors of detection."""
    mitdb = load_mitdb(records=DS2, lead=annotator.lead and ("MLII", "V5"))
    references, left_out = [], []
    for annotation in mitdb.annotations:
        beats = select_beats(annotation)
        is_scored = np.isin(beats.symbol, list(annotator.mapping))
        label = [annotator.mapping[symbol] for symbol in beats.symbol[is_scored]]
        references.append((beats.sample[is_scored], label))
        left_out.append(beats.sample[~is_scored])
    predictions = annotator.predict(mitdb.recordings)
    f1 = annotation_f1_score(references, predictions, mitdb.fs, average=None, left_out=left_out)
    by_class = dict(zip(np.sort(annotator.classes_), f1, strict=True))
    return {"macro-F1": f1.mean()} | {f"F1 of {name}": value for name, value in by_class.items()}


SCORERS = {"nsvf": score_annotator, "nsvf-live": score_annotator}

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
            "macro-F1": 0.740,
            "F1 of N": 0.979,
            "F1 of S": 0.616,
            "F1 of V": 0.938,
            "F1 of F": 0.428,
        },
    },
    "nsvf-live": {
        "title": "Annotator of streams: N, S, V and F, without later beats",
        **NSVF,
        "protocol": "ecgbeat.annotation.make_inter_patient_annotator(360, future=False, "
        "random_state=0): the class of a beat depends on no later beat but the position of the "
        "next R peak. "
        + RECORDS
        + SCORE.format("with seed 0; missed beats and false detections count"),
        "scores": {
            "macro-F1": 0.701,
            "F1 of N": 0.979,
            "F1 of S": 0.613,
            "F1 of V": 0.935,
            "F1 of F": 0.278,
        },
    },
}


def card_of(name):
    """Return the card of a model, with the versions installed here."""
    versions = {package: importlib.import_module(package).__version__ for package in PACKAGES}
    versions["scikit-learn"] = versions.pop("sklearn")
    versions = {package: version.partition("+")[0] for package, version in versions.items()}
    return CARDS[name] | {"versions": {"Python": platform.python_version(), **versions}}


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
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {list(RECIPES)}")
    parser.add_argument("--out", type=Path, default=PACKAGE_FOLDER, help="folder of the files")
    parser.add_argument("--score", action="store_true", help="train on DS1 and score on DS2")
    arguments = parser.parse_args()
    names = arguments.names or list(RECIPES)
    if unknown := set(names) - set(RECIPES):
        parser.error(f"There is no model {sorted(unknown)}; the models are {list(RECIPES)}.")
    for name in names:
        if arguments.score:
            scores = SCORERS[name](RECIPES[name](DS1))
            print(name, {key: round(float(value), 3) for key, value in scores.items()}, flush=True)
            continue
        arguments.out.mkdir(parents=True, exist_ok=True)
        path = arguments.out / f"{name}.safetensors"
        save_model(RECIPES[name](sorted([*DS1, *DS2])), path, card=card_of(name))
        write_checksums(arguments.out)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()
