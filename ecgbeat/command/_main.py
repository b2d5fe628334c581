"""Arguments and errors of the command ``ecgbeat``.

Each subcommand has a module with ``add_arguments`` and ``run``. Only ``run`` imports what it needs,
so that help is shown at once.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version

from ecgbeat.command import _annotate, _app, _export, _stream, _train
from ecgbeat.command._messages import as_sentence, show_warning

_SUBCOMMANDS = {
    "annotate": (_annotate, "detect and classify the beats of recordings"),
    "train": (_train, "train a model on annotated WFDB records"),
    "export": (_export, "write a model as ONNX file or C source"),
    "app": (_app, "serve the web page on this machine"),
    "stream": (_stream, "annotate a signal while it arrives"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        Arguments. None takes those of the process.

    Returns
    -------
    int
        Exit code: 0 if all was done, 1 if something failed, 2 if the arguments are wrong, and 130
        if the command was interrupted.
    """
    arguments = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = show_warning  # type: ignore[assignment]
            return arguments.run(arguments)
    except KeyboardInterrupt:
        print("\necgbeat: interrupted; files that were written are complete", file=sys.stderr)
        return 130
    except BrokenPipeError:  # as by "| head"; Python would fail again when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        print(f"ecgbeat: {as_sentence(error)}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="ecgbeat",
        description="Detect and classify the beats of ECG recordings. No medical device.",
    )
    parser.add_argument("--version", action="version", version=f"ecgbeat {version('ecgbeat')}")
    parsers = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)
    for name, (module, purpose) in _SUBCOMMANDS.items():
        subparser = parsers.add_parser(
            name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}."
        )
        module.add_arguments(subparser)
        subparser.set_defaults(run=module.run, error=subparser.error)
    return parser
