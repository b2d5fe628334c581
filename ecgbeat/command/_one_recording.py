"""Annotation of one recording, in this process or in a worker.

The files of a recording are its beats and ``<record>_summary.json``, which also states the source
and the settings. A recording is done if both files are there, and the settings are the same.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sklearn.utils import Bunch

from ecgbeat._files import write_files
from ecgbeat.annotation import beats_file, encode_beats, summarize_beats
from ecgbeat.command._messages import as_sentence
from ecgbeat.command._models import load_annotator
from ecgbeat.datasets import load_recording, make_recording

SIMULATED = "simulated"
_SIMULATED_S = 600.0


class Task(NamedTuple):
    """A recording to annotate; all paths are absolute."""

    source: str  # path, or "simulated:SEED"
    folder: Path  # of the results
    name: str  # of the record in its files
    model: str
    format: str
    fs: float | None
    unit: str
    leads: tuple[str, ...] | None
    verify: bool = True

    @property
    def beats(self) -> Path:
        """File of the beats."""
        return self.folder / beats_file(self.name, self.format)

    @property
    def summary(self) -> Path:
        """File of the summary."""
        return self.folder / beats_file(self.name, "json").replace("_beats.json", "_summary.json")

    @property
    def settings(self) -> dict[str, Any]:
        """Source and all that decides the beats, as in the file of the summary."""
        leads = None if self.leads is None else list(self.leads)
        return {
            "source": self.source,
            "model": self.model,
            "fs": self.fs,
            "unit": self.unit,
            "leads": leads,
        }


class Outcome(NamedTuple):
    """Result of a task."""

    task: Task
    content: dict[str, Any]  # of the file of the summary
    text: str  # the summary
    error: str | None = None


def annotate_one(task: Task) -> Outcome:
    """Annotate one recording, and write its files. Errors are part of the outcome."""
    try:
        recording = load_source(
            task.source, fs=task.fs, unit=task.unit, leads=task.leads, verify=task.verify
        )
        n_times = recording.signal.shape[1]
        annotator = load_annotator(task.model)
        beats = annotator.predict([recording.signal], fs=recording.fs)[0]
        summary = summarize_beats(beats, fs=recording.fs, n_times=n_times)
        content = {
            "record_name": recording.record_name,
            "n_times": n_times,
            "lead_names": recording.lead_names,
            "settings": task.settings,
            "summary": summary.as_dict(),
        }
        encoded = encode_beats(beats, fs=recording.fs, format=task.format, record_name=task.name)
        # the summary first: if the process is killed between both, the recording is not done
        files = {task.summary: json.dumps(content, indent=1, allow_nan=False).encode()}
        files |= {task.folder / name: data for name, data in encoded.items()}
        write_files(files, overwrite=True)
    except Exception as error:  # one damaged file does not end the others
        return Outcome(task, {}, "", as_sentence(error))
    return Outcome(task, content, str(summary))


def load_source(
    source: str, *, fs: float | None, unit: str, leads: Sequence[str] | None, verify: bool
) -> Bunch:
    """Load a recording without its annotation, or simulate one."""
    kind, _, seed = source.partition(":")
    if kind != SIMULATED:
        return load_recording(source, fs=fs, unit=unit, leads=leads, annotator=None, verify=verify)
    recording = make_recording(_SIMULATED_S, n_leads=2, random_state=simulated_seed(seed))
    recording.update(record_name=f"{SIMULATED}_{seed or 0}")
    return recording


def simulated_seed(seed: str) -> int:
    """Return the seed of a simulated recording, by default 0.

    Raises
    ------
    ValueError
        If it is not an integer.
    """
    if seed and not seed.isdecimal():
        raise ValueError(f"The seed must be an integer, as in {SIMULATED}:7, got {seed!r}.")
    return int(seed or 0)


def stored_summary(task: Task) -> dict[str, Any] | None:
    """Return the content of the summary if the recording was annotated, else None.

    Raises
    ------
    FileExistsError
        If there are files of another source, of other settings, or not of this command.
    """
    try:
        content = json.loads(task.summary.read_bytes())
        settings = content["settings"]
    except FileNotFoundError:
        content, settings = {}, None
    except (ValueError, TypeError, KeyError):
        content, settings = {}, {}
    if settings is None and task.beats.exists():
        raise FileExistsError(f"{task.beats} exists, and no {task.summary.name} beside it.")
    if settings is not None and settings != task.settings:
        changed = [name for name, value in task.settings.items() if settings.get(name) != value]
        raise FileExistsError(f"{task.summary} exists, with another {', '.join(changed)}.")
    is_done = settings is not None and task.beats.exists() and not _is_outdated(task)
    return content if is_done else None


def _is_outdated(task: Task) -> bool:
    """Return whether the source or the model was changed after the beats were written."""
    source = Path(task.source)
    files = (source, source.with_suffix(".dat"), Path(task.model))
    written = task.beats.stat().st_mtime
    return any(file.stat().st_mtime > written for file in files if file.is_file())
