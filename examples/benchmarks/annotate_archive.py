"""Annotation of an archive by the command, with one and with more workers of a Dask cluster.

    python examples/benchmarks/annotate_archive.py --recordings 1000 --workers 1 2

The archive has copies of the half-hour records of MIT-BIH under other names. The time is that of
the whole command: start, reading, annotation and writing.
"""

import argparse
import contextlib
import io
import itertools
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from _fresh_process import thread_variables
from _report import print_machine, print_table

from ecgbeat.command import main as command
from ecgbeat.datasets import get_data_home


def make_archive(records, folder, n_recordings):
    """Write copies of records, with the names of their files replaced in the headers."""
    headers = itertools.cycle(sorted(records.glob("*.hea")))
    for number, header in zip(range(n_recordings), headers, strict=False):
        name, old = f"r{number:04d}", header.stem
        lines = header.read_text().splitlines()
        lines[0] = lines[0].replace(old, name, 1)
        lines[1:] = [line.replace(f"{old}.dat", f"{name}.dat", 1) for line in lines[1:]]
        (folder / header.name).with_stem(name).write_text("\n".join(lines) + "\n")
        shutil.copyfile(header.with_suffix(".dat"), folder / f"{name}.dat")


def annotate(archive, out, n_workers):
    """Annotate an archive on a cluster of this machine; return the time in s."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None) as cluster:
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):  # a line for each recording
            code = command(
                ["annotate", str(archive), "--out", str(out), "--dask", cluster.scheduler_address]
            )
        elapsed = time.perf_counter() - start
    if code:
        raise RuntimeError(f"The command ended with code {code}.")
    return elapsed


def main():
    """Measure the archive with each number of workers, in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=get_data_home() / "mitdb")
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    arguments = parser.parse_args()
    print_machine(["ecgbeat", "numpy", "scipy", "dask"], 1)

    times = {n_workers: [] for n_workers in arguments.workers}
    with tempfile.TemporaryDirectory() as name, thread_variables(1):
        archive = Path(name) / "archive"
        archive.mkdir()
        make_archive(arguments.data, archive, arguments.recordings)
        for repeat, n_workers in itertools.product(range(arguments.repeats), arguments.workers):
            out = Path(name) / f"{n_workers}_{repeat}"
            times[n_workers].append(annotate(archive, out, n_workers))
            shutil.rmtree(out)
    first = statistics.median(times[arguments.workers[0]])
    rows = [["workers", "recordings", "s", "of the first"]]
    for n_workers, measured in times.items():
        median = statistics.median(measured)
        rows.append(
            [str(n_workers), str(arguments.recordings), f"{median:.1f}", f"{median / first:.2f}"]
        )
    print_table("Annotation of an archive", rows, arguments.markdown)


if __name__ == "__main__":
    main()
