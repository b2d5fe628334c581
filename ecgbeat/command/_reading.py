"""Arguments of the subcommands that read recordings."""

import argparse


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``fs``, ``unit``, ``verify``, and ``leads``, which is None or a tuple of names."""
    parser.add_argument(
        "--fs", type=float, metavar="HZ", help="sampling rate of files that do not state it"
    )
    parser.add_argument(
        "--unit",
        choices=["mV", "uV", "V", "nV"],
        default="mV",
        help="unit of files that do not state it (default: %(default)s)",
    )
    parser.add_argument(
        "--leads",
        type=_split_names,
        metavar="NAME,NAME",
        help="leads to read (default: those labeled ECG or EKG, or else all in volts)",
    )
    parser.add_argument(
        "--no-verify",
        dest="verify",
        action="store_false",
        help="read WFDB records whose checksums differ, and truncated EDF and BDF files",
    )


def _split_names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name.strip() for name in text.split(","))
