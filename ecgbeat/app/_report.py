"""Report of an annotated recording as a PDF file, and files of annotations."""

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ecgbeat import __version__
from ecgbeat.annotation import AnnotatedBeats, class_name, encode_beats, summarize_beats
from ecgbeat.app._models import cards
from ecgbeat.app._requests import RequestError
from ecgbeat.app._uploads import as_fs
from ecgbeat.plotting import BeatsDisplay, RecordingDisplay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_A4 = (8.27, 11.69)  # inches
_MAX_BEATS = 2_000_000
_MAX_STRIPS, _MAX_STRIP_S, _MAX_LEADS = 48, 60.0, 16
_STRIPS_PER_PAGE = 4
_MAX_NAME = 80
_TREND_BINS = 240
_NOT_A_DEVICE = "ecgbeat is not a medical device. Not for diagnosis or treatment."


class Corrected(NamedTuple):
    """Beats of a recording as the page sends them back."""

    record_name: str
    fs: float
    n_times: int
    beats: AnnotatedBeats
    unreadable: np.ndarray  # (n_stretches, 2)


def as_corrected(body: Mapping[str, Any]) -> Corrected:
    """Return the beats of a JSON object, or raise."""
    try:
        fs, n_times = as_fs(body["fs"]), int(body["n_times"])
        sample = np.array(body["beats"]["sample"], dtype=np.int64).reshape(-1)
        label = np.array([str(x)[:8] for x in body["beats"]["label"]], dtype=str).reshape(-1)
        given = body["beats"].get("probability")
        probability = np.array(given, dtype=np.float64).reshape(-1, 1) if given else None
        stretches = np.array(body.get("unreadable") or [], dtype=np.int64).reshape(-1, 2)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise RequestError(
            422, "The object must have fs, n_times and beats, with sample and label in lists."
        ) from error
    ascend = len(sample) < 2 or (np.diff(sample) > 0).all()
    inside = len(sample) == 0 or (sample[0] >= 0 and sample[-1] < n_times)
    lengths = {len(sample), len(label), len(sample if probability is None else probability)}
    if len(lengths) > 1 or len(sample) > _MAX_BEATS or not ascend or not inside:
        raise RequestError(
            422,
            "beats must have a label for each sample, and samples must ascend within the "
            f"recording of {n_times} samples.",
        )
    name = re.sub(r"[^-\w]", "_", str(body.get("record_name", ""))[:_MAX_NAME], flags=re.ASCII)
    beats = AnnotatedBeats(sample, label, probability)
    beats.unreadable = stretches
    return Corrected(name or "recording", fs, n_times, beats, stretches)


def download(body: Mapping[str, Any], kind: str) -> tuple[str, bytes]:
    """Return name and content of a file of annotations."""
    corrected = as_corrected(body)
    try:
        files = encode_beats(
            corrected.beats,
            fs=corrected.fs,
            format=kind,
            record_name=corrected.record_name,
        )
    except ValueError as error:  # an unknown format, or labels that WFDB does not have
        raise RequestError(422, str(error)) from error
    return next(iter(files.items()))


def as_pdf(body: Mapping[str, Any]) -> bytes:
    """Return the report of a recording."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    corrected = as_corrected(body)
    content = io.BytesIO()
    # names from outside are no formulas
    with rc_context({"text.parse_math": False, "text.usetex": False, "font.size": 9}):
        title = {"Title": f"ECG annotations of {corrected.record_name}", "Creator": "ecgbeat"}
        with PdfPages(content, metadata=title) as pages:
            for figure in _pages(corrected, body):
                figure.text(0.08, 0.02, f"ecgbeat {__version__} · {_NOT_A_DEVICE}", fontsize=7)
                pages.savefig(figure)
    return content.getvalue()


def _pages(corrected: Corrected, body: Mapping[str, Any]) -> Iterator["Figure"]:
    """Yield the pages of a report."""
    yield _summary_page(corrected)
    means = _as_means(body)
    if means is not None:
        yield _mean_page(corrected, *means)
    strips = _as_strips(body)
    for first in range(0, len(strips), _STRIPS_PER_PAGE):
        yield _strip_page(corrected, strips[first : first + _STRIPS_PER_PAGE])
    yield _model_page(body)


def _new_page(title: str) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=_A4)
    figure.text(0.08, 0.955, title, fontsize=15, weight="bold")
    return figure


def _summary_page(corrected: Corrected) -> "Figure":
    """Draw the summary, and the heart rate over the recording."""
    figure = _new_page(f"Recording {corrected.record_name}")
    summary = summarize_beats(corrected.beats, fs=corrected.fs, n_times=corrected.n_times)
    figure.text(0.08, 0.93, _wrapped(str(summary)), va="top", family="monospace", fontsize=8)
    ax = figure.add_axes((0.11, 0.08, 0.82, 0.24))
    _draw_trend(ax, corrected)
    return figure


def _draw_trend(ax: Any, corrected: Corrected) -> None:
    """Draw the median heart rate of stretches of equal length, and its range."""
    minutes = corrected.beats.sample / corrected.fs / 60
    end = corrected.n_times / corrected.fs / 60
    rate = 1 / np.diff(minutes)
    n_bins = min(_TREND_BINS, max(2, len(rate) // 4))
    edges = np.linspace(0, end, n_bins + 1)
    cells = np.digitize(minutes[1:], edges[1:-1])
    ranges = np.full((3, n_bins), np.nan)
    for cell in np.unique(cells):
        ranges[:, cell] = np.quantile(rate[cells == cell], [0.05, 0.5, 0.95])
    centers = (edges[1:] + edges[:-1]) / 2
    ax.fill_between(centers, ranges[0], ranges[2], color="0.85", linewidth=0)
    ax.plot(centers, ranges[1], color="black", linewidth=1)
    for start, stop in corrected.unreadable / corrected.fs / 60:
        ax.axvspan(start, stop, color="0.6", alpha=0.4, linewidth=0)
    ax.set(xlim=(0, end), xlabel="Time (min)", ylabel="Heart rate (1/min)")
    ax.set_title("Heart rate: median, and 5 to 95 % of the beats", fontsize="medium", loc="left")
    ax.grid(True, color="0.9", linewidth=0.6)


def _mean_page(
    corrected: Corrected, means: Mapping[str, np.ndarray], fs: float, before: float
) -> "Figure":
    """Draw the mean beat of each class."""
    figure = _new_page("Mean beats")
    n_leads = len(next(iter(means.values())))
    ax = figure.add_axes((0.11, 0.1, 0.82, 0.8))
    names = list(means)
    display = BeatsDisplay.from_beats(
        np.stack(list(means.values())),
        np.array(names),
        fs=fs,
        before=before,
        ax=ax,
        spread=None,
        classes=names,
        lead_names=[f"lead {k + 1}" for k in range(n_leads)],
    )
    for panel, name in zip(display.axes_[:, 0], names, strict=True):
        n_beats = int((corrected.beats.symbol == name).sum())
        panel.set_title(f"{class_name(name) or name} ({n_beats} beats)", fontsize="medium")
    return figure


def _strip_page(corrected: Corrected, strips: Sequence["_Strip"]) -> "Figure":
    """Draw strips on ECG paper."""
    figure = _new_page("Strips")
    height = 0.86 / _STRIPS_PER_PAGE
    for row, strip in enumerate(strips):
        ax = figure.add_axes((0.11, 0.93 - (row + 1) * height + 0.05, 0.82, height - 0.085))
        n_times = strip.leads.shape[1]
        rate = strip.fs / corrected.fs
        sample = np.round((corrected.beats.sample - strip.start) * rate).astype(np.int64)
        inside = (sample >= 0) & (sample < n_times)
        RecordingDisplay.from_predictions(
            strip.leads,
            (sample[inside], corrected.beats.symbol[inside]),
            fs=strip.fs,
            lead_names=strip.lead_names,
            ax=ax,
            strip=None,
        )
        begin = strip.start / corrected.fs
        hours, minutes = int(begin // 3600), int(begin // 60 % 60)
        title = f"From {hours:d}:{minutes:02d}:{begin % 60:04.1f}"
        ax.set_title(title, fontsize="medium", loc="left")
    return figure


def _model_page(body: Mapping[str, Any]) -> "Figure":
    """Write the card of the model."""
    figure = _new_page("Model")
    given = body.get("model")
    name = given.get("name") if isinstance(given, Mapping) else given
    card = next((card for card in cards() if card["name"] == name), {"name": "unknown"})
    lines = [_NOT_A_DEVICE, ""]
    for key, value in card.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines += [f"{key}: {text}", ""]
    figure.text(0.08, 0.93, _wrapped("\n".join(lines)), va="top", fontsize=9)
    return figure


def _wrapped(text: str, width: int = 95) -> str:
    """Break long lines."""
    import textwrap

    lines = [textwrap.wrap(line, width, drop_whitespace=False) or [""] for line in text.split("\n")]
    return "\n".join(part for parts in lines for part in parts)


class _Strip(NamedTuple):
    """Stretch of a recording."""

    start: int  # sample of the recording
    fs: float
    leads: np.ndarray  # (n_leads, n_times)
    lead_names: list[str]


def _as_strips(body: Mapping[str, Any]) -> list[_Strip]:
    """Return the strips of a JSON object, or raise."""
    try:
        given = list(body.get("strips") or [])[:_MAX_STRIPS]
        strips = [
            _Strip(
                int(strip["start"]),
                as_fs(strip["fs"]),
                np.atleast_2d(np.array(strip["leads"], dtype=np.float64)),
                [],
            )
            for strip in given
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RequestError(422, "A strip must have start, fs and leads.") from error
    names = [_printable(name) for name in body.get("lead_names") or []]
    named = []
    for strip in strips:
        n_leads, n_times = strip.leads.shape
        if n_leads > _MAX_LEADS or not 2 <= n_times <= _MAX_STRIP_S * strip.fs:
            raise RequestError(422, f"A strip may have {_MAX_LEADS} leads and {_MAX_STRIP_S:g} s.")
        known = names if len(names) == n_leads else [f"lead {k + 1}" for k in range(n_leads)]
        named.append(strip._replace(lead_names=known))
    return named


def _as_means(body: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], float, float] | None:
    """Return the mean beats of a JSON object, with their rate and R peak, or None."""
    given = body.get("mean_beats")
    if not given or not given.get("classes"):
        return None
    try:
        waves = {
            _printable(name): np.atleast_2d(np.array(wave, dtype=np.float64))
            for name, wave in list(given["classes"].items())[:_MAX_LEADS]
        }
        return waves, as_fs(given["fs"]), float(given["before"])
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise RequestError(422, "mean_beats must have fs, before and classes.") from error


def _printable(text: Any) -> str:
    """Return a short text without control characters."""
    return "".join(letter for letter in str(text)[:_MAX_NAME] if letter.isprintable())
