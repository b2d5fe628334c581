"""The subcommand ``stream``."""

import argparse
from typing import Any

from ecgbeat.command._models import MODEL_HELP, load_annotator, resolve_model
from ecgbeat.command._reading import add_reading_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument(
        "record",
        nargs="?",
        default="simulated",
        metavar="RECORD",
        help="recording to replay, or simulated[:SEED] (default: simulated)",
    )
    parser.add_argument("--model", default="nsvf-live", help=MODEL_HELP)
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="times as fast as real time, inf without waiting (default: 1)",
    )
    add_reading_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each beat of a replayed recording when it is decided, and a summary at the end."""
    if not arguments.speed > 0:
        arguments.error(f"--speed must be greater than 0, got {arguments.speed:g}.")
    try:
        model = resolve_model(arguments.model)
    except ValueError as error:
        arguments.error(str(error))
    from ecgbeat.annotation import summarize_beats
    from ecgbeat.command._one_recording import load_source
    from ecgbeat.streaming import BeatStream, replay

    recording = load_source(
        arguments.record,
        fs=arguments.fs,
        unit=arguments.unit,
        leads=arguments.leads,
        verify=arguments.verify,
    )
    stream = BeatStream(load_annotator(model), fs=recording.fs)
    parts: list[Any] = []
    previous = None
    for chunk in replay(recording, speed=arguments.speed):
        parts.append(stream.push(chunk))
        previous = _print_beats(parts[-1], recording.fs, previous)
    parts.append(stream.flush())
    _print_beats(parts[-1], recording.fs, previous)
    print(summarize_beats(_joined(parts), fs=recording.fs, n_times=recording.signal.shape[1]))
    return 0


def _print_beats(beats: Any, fs: float, previous: float | None) -> float | None:
    """Print time, label, probability and heart rate of each beat; return the time of the last."""
    from ecgbeat.annotation import as_clock, class_name

    for index, (sample, label) in enumerate(zip(beats.sample, beats.symbol, strict=True)):
        second = float(sample / fs)
        rate = "" if previous is None else f"{60 / (second - previous):4.0f}/min"
        probability = ""
        if beats.probability is not None:
            probability = f"{beats.probability[index].max():.2f}"
        place = f"{as_clock(second)}{f'{second % 1:.2f}'[1:]}"
        print(f"{place}  {rate:8}  {label}  {probability}  {class_name(label)}", flush=True)
        previous = second
    return previous


def _joined(parts: list[Any]) -> Any:
    """Return the beats of all parts, with adjacent unreadable seconds as one stretch."""
    import numpy as np

    from ecgbeat.annotation import AnnotatedBeats

    columns: list[Any] = [
        None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)
    ]
    beats = AnnotatedBeats(*columns)
    if parts[0].unreadable is not None:
        seconds = np.concatenate([part.unreadable for part in parts])
        begins = np.r_[True, seconds[1:, 0] > seconds[:-1, 1]][: len(seconds)]
        ends = np.r_[begins[1:], True][: len(seconds)]
        beats.unreadable = np.column_stack([seconds[begins, 0], seconds[ends, 1]])
    return beats
