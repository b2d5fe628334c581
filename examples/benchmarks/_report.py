"""Printed output of the benchmarks: tables, versions and machine."""

import importlib.metadata
import os
import platform


def print_table(title, rows, markdown):
    """Print a table of strings, with the first row as header."""
    header, *body = rows
    body = [row + [""] * (len(header) - len(row)) for row in body]
    if markdown:
        dashes = ["---", *["---:"] * (len(header) - 1)]
        lines = [f"| {' | '.join(row)} |" for row in (header, dashes, *body)]
    else:
        widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in (header, *body)
        ]
    print(f"\n{title}\n", *lines, sep="\n", flush=True)


def print_machine(distributions, threads):
    """Print the versions, the processor and the number of threads."""
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in distributions if is_installed(name)
    ]
    print(f"Python {platform.python_version()}, {', '.join(versions)}")
    print(f"{cpu_name()}, {os.cpu_count()} cores, {threads} thread{'s' * (threads != 1)}")


def is_installed(distribution):
    """Return whether a distribution is installed."""
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def why_missing(distribution, error):
    """Return the reason why a package could not be imported."""
    return f"import failed: {error}" if is_installed(distribution) else "not installed"


def cpu_name():
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            ]
    except OSError:  # not on Linux
        names = []
    return names[0] if names else platform.processor() or platform.machine()
