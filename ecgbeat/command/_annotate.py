"""The subcommand ``annotate``."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecgbeat.command._models import DEFAULT_MODEL, MODEL_HELP, resolve_model
from ecgbeat.command._reading import add_reading_arguments

if TYPE_CHECKING:
    from ecgbeat.command._one_recording import Task

_EPILOG = """\
examples:
  ecgbeat annotate simulated
  ecgbeat annotate holter.edf --leads "ECG II" --format wfdb
  ecgbeat annotate mitdb --out beats --jobs 2

A folder is searched for WFDB records, EDF and BDF files and, with --fs, for CSV, TSV, NPY and
NPZ files. For each recording, its beats and a summary are written to the folder of --out. If the
command is run again, recordings that are done are skipped.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "records",
        nargs="+",
        metavar="RECORD",
        help="WFDB record, file in EDF, BDF, CSV or NPY, folder, or simulated[:SEED]",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help=MODEL_HELP)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("annotated"),
        metavar="FOLDER",
        help="folder of the results (default: %(default)s)",
    )
    parser.add_argument(
        "--format",
        choices=["csv", "wfdb", "json"],
        default="csv",
        help="format of the beats (default: %(default)s)",
    )
    add_reading_arguments(parser)
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="number of processes (default: 1)"
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="scheduler of a Dask cluster, such as tcp://host:8786"
    )
    parser.add_argument(
        "--force", action="store_true", help="annotate again, and replace existing files"
    )


def run(arguments: argparse.Namespace) -> int:
    """Annotate the recordings; return the exit code."""
    if arguments.jobs < 1:
        arguments.error(f"--jobs must be 1 or more, got {arguments.jobs}.")
    try:
        tasks = _tasks(arguments)
    except ValueError as error:
        arguments.error(str(error))
    report = _Report(arguments.out, len(tasks))
    waiting, failures = _remaining(tasks, arguments.force, report)
    from ecgbeat._progress import tqdm
    from ecgbeat.command._workers import outcomes

    finished = outcomes(waiting, arguments.jobs, arguments.dask)
    for outcome in tqdm(
        finished, total=len(waiting), desc="annotating", unit="record", disable=None
    ):
        if outcome.error is None:
            tqdm.write(report.add(outcome.task, outcome.content, outcome.text))
        else:
            failures.append((outcome.task.source, outcome.error))
    report.print_end()
    _print_failures(failures, len(tasks))
    return 1 if failures else 0


# --- from arguments to tasks ----------------------------------------------------------


def _tasks(arguments: argparse.Namespace) -> list["Task"]:
    """Return the recordings to annotate, with names that differ."""
    from ecgbeat.command._one_recording import SIMULATED, Task, simulated_seed

    sources: dict[str, tuple[Path, float | None]] = {}  # with the folder below which it lies
    for record in arguments.records:
        if record.partition(":")[0] == SIMULATED:
            seed = simulated_seed(record.partition(":")[2])
            sources[f"{SIMULATED}:{seed}"] = (Path(f"{SIMULATED}_{seed}"), None)
        else:
            sources |= _sources(Path(record).expanduser(), arguments.fs)
    if not sources:
        raise ValueError(f"There is no recording in {', '.join(arguments.records)}.")
    model = resolve_model(arguments.model)
    names = _names({source: path for source, (path, _) in sources.items()})
    out = arguments.out.expanduser().absolute()
    return [
        Task(
            source,
            out / names[source].parent,
            names[source].name,
            model,
            arguments.format,
            sources[source][1],
            arguments.unit,
            arguments.leads,
            arguments.verify,
        )
        for source in sources
    ]


def _sources(path: Path, fs: float | None) -> dict[str, tuple[Path, float | None]]:
    """Return the recordings of a folder, or one file, with their rate if it must be given."""
    from ecgbeat.datasets.recording.folder import is_table, list_recordings
    from ecgbeat.datasets.recording.loader import find_header

    if not path.is_dir():
        file = (find_header(path) or path).absolute()  # as it is found in a folder
        return {str(file): (file, fs)}
    found = list_recordings(path.absolute())
    tables = [file for file in found if is_table(file)]
    if tables and fs is None:
        print(
            f"ecgbeat: {len(tables)} text or NumPy files of {path} are skipped, since they do not "
            "state their sampling rate; pass --fs.",
            file=sys.stderr,
        )
        found = [file for file in found if file not in tables]
    return {str(file): (file, fs if file in tables else None) for file in found}


def _names(paths: dict[str, Path]) -> dict[str, Path]:
    """Return the path of each result below the folder of all, without extension.

    Recordings in several folders keep those below the folder that is common to them.
    """
    files = [path for path in paths.values() if path.is_absolute()]
    root = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    below = {
        source: path.relative_to(root) if path.is_absolute() else path
        for source, path in paths.items()
    }
    names = {source: path.with_suffix("") for source, path in below.items()}
    counts = Counter(_as_written(name) for name in names.values())
    # such as 100.edf and 100.csv
    names = {
        source: name if counts[_as_written(name)] == 1 else below[source]
        for source, name in names.items()
    }
    twice = [name for name, n in Counter(map(_as_written, names.values())).items() if n > 1]
    if twice:
        listing = [source for source, name in names.items() if _as_written(name) == twice[0]]
        raise ValueError(
            f"The results of {' and '.join(listing)} would have the same name. Annotate them with "
            "another --out each."
        )
    return names


def _as_written(name: Path) -> str:
    """Return the file of a result, as on systems that do not distinguish case."""
    from ecgbeat.annotation import beats_file

    return str(name.parent / beats_file(name.name, "csv")).lower()


def _remaining(
    tasks: Iterable["Task"], force: bool, report: "_Report"
) -> tuple[list["Task"], list[tuple[str, str]]]:
    """Return the recordings that are not done, and those that cannot be with their reason."""
    from ecgbeat.command._one_recording import stored_summary

    waiting, failures = [], []
    for task in tasks:
        try:
            content = None if force else stored_summary(task)
        except OSError as error:
            failures.append((task.source, f"{error} Pass another --out, or --force to replace it."))
            continue
        if content is None:
            waiting.append(task)
        else:
            print(f"{report.add(task, content)} (annotated already; --force annotates it again)")
    return waiting, failures


# --- report ---------------------------------------------------------------------------


class _Report:
    """Summaries on the standard output: in full if there is one recording, else a line each."""

    def __init__(self, out: Path, n_recordings: int) -> None:
        self._out = out
        self._n_recordings = n_recordings
        self._summaries: list[dict] = []

    def add(self, task: "Task", content: dict[str, Any], text: str = "") -> str:
        """Return the text on a recording."""
        self._summaries.append(content["summary"])
        name = task.beats.relative_to(self._out.expanduser().absolute())
        if self._n_recordings == 1 and text:
            return f"{task.source}\n{text}\nWritten to   {self._out / name}"
        return f"{name}: {_line([content['summary']])}"

    def print_end(self) -> None:
        """Print the sum of several recordings."""
        if self._n_recordings > 1 and self._summaries:
            print(f"All {len(self._summaries)} recordings in {self._out}: {_line(self._summaries)}")


def _line(summaries: list[dict]) -> str:
    """Return duration, beats and share of each class of recordings."""
    n_beats = sum(summary["n_beats"] for summary in summaries)
    duration = sum(summary["duration_s"] for summary in summaries)
    counts: Counter[object] = Counter()
    for summary in summaries:
        counts.update({entry["label"]: entry["n_beats"] for entry in summary["classes"]})
    shares = ", ".join(f"{label} {100 * n / n_beats:.1f} %" for label, n in counts.most_common())
    n_uncertain = sum(summary["n_uncertain"] for summary in summaries)
    hours = f"{duration / 3600:.1f} h" if duration >= 3600 else f"{duration / 60:.1f} min"
    return f"{hours}, {n_beats} beats ({shares or 'none'}), {n_uncertain} uncertain"


def _print_failures(failures: list[tuple[str, str]], n_recordings: int) -> None:
    """Print the recordings that failed, with their errors."""
    if failures:
        print(f"ecgbeat: {len(failures)} of {n_recordings} recordings failed:", file=sys.stderr)
        for source, error in failures:
            print(f"  {error if source in error else f'{source}: {error}'}", file=sys.stderr)
