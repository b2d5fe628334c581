"""The subcommand ``export``."""

import argparse
from pathlib import Path

from ecgbeat.command._models import load, resolve_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the subcommand."""
    parser.add_argument("model", metavar="MODEL", help="model file, or name of a trained model")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.onnx|FOLDER",
        help="ONNX file, or folder for C source",
    )
    parser.add_argument("--force", action="store_true", help="replace existing files")


def run(arguments: argparse.Namespace) -> int:
    """Export a model to ONNX or C."""
    out = arguments.out
    is_onnx = out.suffix.lower() == ".onnx"
    if not arguments.force and (out.exists() if is_onnx else out.is_dir() and any(out.iterdir())):
        arguments.error(f"{out} exists; --force replaces it.")
    try:
        name = resolve_model(arguments.model)
    except ValueError as error:
        arguments.error(str(error))
    from ecgbeat.export import to_c, to_onnx

    if is_onnx:
        to_onnx(load(name), out)
    else:
        to_c(load(name), out)
    for file in [out] if is_onnx else sorted(out.iterdir()):
        print(f"{file}  {file.stat().st_size} bytes")
    return 0
