"""The subcommand ``train``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecgbeat.annotation import AnnotatedBeats

_FUTURE: dict[str, Any] = {"all": True, "next": False, "none": "none"}
_LEARNING_PERIOD_S = 300.0  # of EC57, not scored
_MIN_SCORED_S = 600.0  # of shorter recordings, all beats are scored


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of WFDB records")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="model file, as beats.safetensors"
    )
    parser.add_argument(
        "--annotator", default="atr", metavar="EXT", help="extension of annotations (default: atr)"
    )
    parser.add_argument(
        "--future",
        choices=list(_FUTURE),
        default="all",
        help="later beats on which the class of a beat may depend (default: all)",
    )
    parser.add_argument(
        "--folds",
        type=int,
        default=5,
        metavar="N",
        help="folds of the score, by patient; 0 for no score (default: 5)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the training (default: 0)")
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def run(arguments: argparse.Namespace) -> int:
    """Score a model by patient, train it on all records and save it."""
    if arguments.folds < 0 or arguments.folds == 1:
        arguments.error(f"--folds must be 2 or more, or 0 for no score, got {arguments.folds}.")
    if arguments.out.exists() and not arguments.force:
        arguments.error(f"{arguments.out} exists; --force replaces it.")
    from ecgbeat.annotation import make_inter_patient_annotator
    from ecgbeat.persistence import save_model

    data, patients = _load(arguments.folder, arguments.annotator)
    n_patients = len(set(patients))
    print(f"{len(data.recordings)} records of {n_patients} patients, {data.fs:g} Hz.")
    annotator = make_inter_patient_annotator(
        data.fs, future=_FUTURE[arguments.future], random_state=arguments.seed, verbose=1
    )
    card = {
        "data": str(arguments.folder),
        "records": data.record_names,
        "n_patients": n_patients,
        "recipe": f"make_inter_patient_annotator(future={_FUTURE[arguments.future]!r})",
    }
    if arguments.folds:
        n_folds = min(arguments.folds, n_patients)
        predicted = _predict_by_patient(annotator, data, patients, n_folds)
        report = _report(data, predicted)
        print(f"Score on patients not seen, in {n_folds} folds:\n{report}")
        card["protocol"] = f"EC57, {n_folds} folds by patient"
        card["scores"] = str(report)
    annotator.fit(data, groups=patients)
    annotator.set_params(verbose=0)
    save_model(annotator, arguments.out, card=card)
    print(f"Written to {arguments.out}.")
    return 0


def _load(folder: Path, extension: str) -> tuple[Any, Any]:
    """Load the annotated records of a folder, and the patient of each."""
    from ecgbeat.datasets import load_wfdb
    from ecgbeat.datasets.mitdb.loader import patients_of_records
    from ecgbeat.datasets.recording.folder import list_recordings

    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    records = [file for file in list_recordings(folder) if file.suffix == ".hea"]
    annotated = [file for file in records if file.with_suffix(f".{extension}").is_file()]
    if not annotated:
        raise ValueError(
            f"{folder} must hold WFDB records with annotations (.{extension}), got {len(records)} "
            "records without."
        )
    if len(annotated) < len(records):
        n_left_out = len(records) - len(annotated)
        print(f"{len(annotated)} annotated records, {n_left_out} without .{extension} left out.")
    names = [file.relative_to(folder).with_suffix("").as_posix() for file in annotated]
    data = load_wfdb(folder, names, lead=None, annotator=extension, verbose=1)
    return data, patients_of_records(names)


def _predict_by_patient(
    annotator: Any, data: Any, patients: Any, n_folds: int
) -> list["AnnotatedBeats"]:
    """Annotate each record by an annotator that was trained on other patients."""
    from sklearn.base import clone
    from sklearn.model_selection import GroupKFold

    if n_folds < 2:
        raise ValueError("A score needs records of 2 patients or more. Pass --folds 0.")
    predicted: dict[int, AnnotatedBeats] = {}
    for train, test in GroupKFold(n_folds).split(patients, groups=patients):
        fitted = clone(annotator).fit(
            [data.recordings[i] for i in train],
            [data.annotations[i] for i in train],
            groups=patients[train],
        )
        found = fitted.predict([data.recordings[i] for i in test])
        predicted |= dict(zip(test.tolist(), found, strict=True))
    return [predicted[i] for i in range(len(patients))]


def _report(data: Any, predicted: list["AnnotatedBeats"]) -> Any:
    """Return the scores as the standard EC57 requires, of all beats if recordings are short."""
    from ecgbeat.metrics import ec57_report

    shortest = min(recording.shape[-1] for recording in data.recordings) / data.fs
    return ec57_report(
        data.annotations,
        predicted,
        data.fs,
        learning_period=_LEARNING_PERIOD_S if shortest >= _MIN_SCORED_S else 0.0,
        record_names=data.record_names,
    )
