"""Speed of the web page in a real browser: half an hour and a day, from the upload to the drawing.

    python examples/benchmarks/page_speed.py --data mitdb

The record of MIT-BIH is uploaded as it is, and joined to itself until it lasts a day. The times
count from the choice of the files to the signal on the ECG paper, and to its beats. The rate is
that of frames drawn one after another while the paper scrolls, by the number of beats in view.
"""

import argparse
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _report import print_machine, print_table

from ecgbeat.datasets import get_data_home

DAY_S = 24 * 3600
VIEWPORT = {"width": 1280, "height": 860}
N_FRAMES = 60

# ms from the beginning of each frame until its pixels can be read
FRAME_TIMES = """(n_frames) => new Promise((resolve) => {
    const paper = document.querySelector('#paper');
    const times = [];
    const frame = (now) => {
        paper.getContext('2d').getImageData(0, 0, 1, 1);
        times.push(performance.now() - now);
        if (times.length > n_frames) resolve(times.slice(1));
        else {
            paper.dispatchEvent(new WheelEvent('wheel', { deltaX: 40, cancelable: true }));
            requestAnimationFrame(frame);
        }
    };
    requestAnimationFrame(frame);
})"""


def make_day(header, folder):
    """Write a record of at least a day, which is another one again and again."""
    first, *leads = [line for line in header.read_text().splitlines() if not line.startswith("#")]
    name, n_leads, fs, n_times = first.split()
    repeats = -(-DAY_S * int(fs) // int(n_times))
    lines = [f"{name} {n_leads} {fs} {int(n_times) * repeats}"]
    for lead in leads:
        fields = lead.split()
        fields[6] = str((int(fields[6]) * repeats + 2**15) % 2**16 - 2**15)  # the checksum
        lines.append(" ".join(fields))
    (folder / header.name).write_text("\n".join(lines) + "\n")
    samples = header.with_suffix(".dat").read_bytes()
    with (folder / f"{name}.dat").open("wb") as file:
        for _ in range(repeats):
            file.write(samples)
    return folder / header.name


@contextlib.contextmanager
def running_page(threads):
    """Run the command; yield the address of the page."""
    command = [sys.executable, "-m", "ecgbeat", "app", "--no-browser"]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        try:
            for line in process.stdout:
                if found := re.search(r"http://\S+:\d+\S*", line):
                    yield found[0]
                    break
        finally:
            process.terminate()


def measure(browser, address, files):
    """Return the seconds to the signal and to its beats, and the frames per second."""
    with browser.new_context(viewport=VIEWPORT) as context:
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector("#files", state="attached")
        start = time.perf_counter()
        page.set_input_files("#files", files)
        page.wait_for_selector("#view-recording:not([hidden])")
        signal = time.perf_counter() - start
        page.wait_for_selector("#rows .row")
        beats = time.perf_counter() - start
        rates = []
        for n_clicks in (0, 4, 6, 6):
            for _ in range(n_clicks):
                page.click("#zoom-out")
            frame = statistics.median(page.evaluate(FRAME_TIMES, N_FRAMES))
            rates.append(1000 / max(frame, 1e-3))
        return signal, beats, min(rates)


def main():
    """Measure the two recordings in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=get_data_home() / "mitdb")
    parser.add_argument("--record", default="100")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print_machine(["ecgbeat", "numpy", "scipy", "torch", "playwright"], arguments.threads)
    header = arguments.data / f"{arguments.record}.hea"
    with (
        tempfile.TemporaryDirectory() as folder,
        running_page(arguments.threads) as address,
        sync_playwright() as driver,
        driver.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox"],
        ) as browser,
    ):
        print(f"Chromium {browser.version}")
        day = make_day(header, Path(folder))
        recordings = {
            "30 minutes": [header.with_suffix(suffix) for suffix in (".hea", ".dat", ".atr")],
            "24 hours": [day.with_suffix(suffix) for suffix in (".hea", ".dat")],
        }
        taken = {name: [] for name in recordings}
        for _ in range(arguments.repeats):
            for name, files in recordings.items():
                taken[name].append(measure(browser, address, files))
    rows = [["recording", "signal drawn (s)", "beats drawn (s)", "frames/s, slowest zoom"]]
    for name, repeats in taken.items():
        *seconds, rates = zip(*repeats, strict=True)
        ranges = [f"{statistics.median(s):.2f} ({min(s):.2f} to {max(s):.2f})" for s in seconds]
        rows.append([name, *ranges, f"{min(rates):.0f}"])
    print_table("Medians and ranges", rows, arguments.markdown)


if __name__ == "__main__":
    main()
