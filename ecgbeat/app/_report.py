"""Report of an annotated recording as a PDF file, and files of annotations."""

import io
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ecgbeat.annotation import class_name, encode_beats, summarize_beats
from ecgbeat.app._annotations import MAX_NAME, MAX_TIMES, Findings, as_findings
from ecgbeat.app._models import cards
from ecgbeat.app._requests import RequestError
from ecgbeat.app._uploads import as_fs
from ecgbeat.plotting import BeatsDisplay, RecordingDisplay

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_A4 = (8.27, 11.69)  # inches
_MAX_STRIPS, _MAX_STRIP_S, _MAX_LEADS = 24, 60.0, 16
_STRIPS_PER_PAGE = 4
_WIDTH = 95  # letters of a line
_TREND_BINS = 240
_NOT_A_DEVICE = "ecgbeat is not a medical device. Not for diagnosis or treatment."


def download(body: Mapping[str, Any], kind: str) -> tuple[str, bytes]:
    """Return name and content of a file of annotations."""
    findings = as_findings(body)
    name = _plain_name(findings)
    try:
        files = encode_beats(findings.beats, fs=findings.fs, format=kind, record_name=name)
    except ValueError as error:  # an unknown format, or labels that WFDB does not have
        raise RequestError(422, str(error)) from error
    return next(iter(files.items()))


def _plain_name(findings: Findings) -> str:
    """Return the name of a recording in the characters that WFDB allows."""
    return re.sub(r"[^-\w]", "_", findings.record_name, flags=re.ASCII)


def as_pdf(body: Mapping[str, Any]) -> bytes:
    """Return the report of a recording."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    findings = as_findings(body)
    content = io.BytesIO()
    # names from outside are no formulas
    with rc_context({"text.parse_math": False, "text.usetex": False, "font.size": 9}):
        title = {"Title": f"ECG annotations of {_plain_name(findings)}", "Creator": "ecgbeat"}
        with PdfPages(content, metadata=title) as pages:
            for figure in _pages(findings, body):
                figure.text(
                    0.08, 0.02, f"ecgbeat {version('ecgbeat')} · {_NOT_A_DEVICE}", fontsize=7
                )
                pages.savefig(figure)
    return content.getvalue()


def _pages(findings: Findings, body: Mapping[str, Any]) -> Iterator["Figure"]:
    """Yield the pages of a report."""
    yield _summary_page(findings)
    means = _as_means(body)
    if means is not None:
        yield _mean_page(findings, means)
    strips = _as_strips(body)
    for first in range(0, len(strips), _STRIPS_PER_PAGE):
        yield _strip_page(findings, strips[first : first + _STRIPS_PER_PAGE])
    yield _model_page(body)


def _new_page(title: str) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=_A4)
    figure.text(0.08, 0.955, title, fontsize=15, weight="bold")
    return figure


def _summary_page(findings: Findings) -> "Figure":
    """Draw the summary, and the heart rate over the recording."""
    figure = _new_page(f"Recording {_plain_name(findings)}")
    summary = summarize_beats(findings.beats, fs=findings.fs, n_times=findings.n_times)
    figure.text(
        0.08, 0.93, _wrapped(str(summary), indent=13), va="top", family="monospace", fontsize=8
    )
    ax = figure.add_axes((0.11, 0.08, 0.82, 0.24))
    _draw_trend(ax, findings)
    return figure


def _draw_trend(ax: Any, findings: Findings) -> None:
    """Draw the median heart rate of stretches of equal length, and its range."""
    minutes = findings.beats.sample / findings.fs / 60
    end = findings.n_times / findings.fs / 60
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
    for stretch in () if findings.beats.unreadable is None else findings.beats.unreadable:
        ax.axvspan(*(stretch / findings.fs / 60), color="0.6", alpha=0.4, linewidth=0)
    ax.set(xlim=(0, end), xlabel="Time (min)", ylabel="Heart rate (1/min)")
    ax.set_title("Heart rate: median, and 5 to 95 % of the beats", fontsize="medium", loc="left")
    ax.grid(True, color="0.9", linewidth=0.6)


def _mean_page(findings: Findings, means: "_Means") -> "Figure":
    """Draw the mean beat of each class."""
    figure = _new_page("Mean beats")
    names, n_leads = list(means.waves), means.n_leads
    counts = {name: int((findings.beats.symbol == name).sum()) for name in names}
    lines = [f"{name}: {class_name(name) or name}, {n} beats" for name, n in counts.items()]
    figure.text(0.08, 0.93, "\n".join(lines), va="top")
    height = min(0.2 * n_leads * -(-len(names) // 4), 0.7)
    display = BeatsDisplay.from_beats(
        np.stack(list(means.waves.values())),
        np.array(names),
        fs=means.fs,
        before=means.before,
        classes=names,
        lead_names=means.lead_names,
        spread=None,
        ax=figure.add_axes((0.11, 0.82 - height, 0.82, height)),
    )
    for panel, name in zip(display.axes_[:, 0], names, strict=True):
        panel.set_title(name, fontsize="medium")
    return figure


def _strip_page(findings: Findings, strips: Sequence["_Strip"]) -> "Figure":
    """Draw strips on ECG paper."""
    figure = _new_page("Strips")
    height = 0.86 / _STRIPS_PER_PAGE
    for row, strip in enumerate(strips):
        ax = figure.add_axes((0.11, 0.93 - (row + 1) * height + 0.05, 0.82, height - 0.085))
        n_times = strip.leads.shape[1]
        rate = strip.fs / findings.fs
        sample = np.round((findings.beats.sample - strip.start) * rate).astype(np.int64)
        inside = (sample >= 0) & (sample < n_times)
        RecordingDisplay.from_predictions(
            strip.leads,
            (sample[inside], findings.beats.symbol[inside]),
            fs=strip.fs,
            lead_names=strip.lead_names,
            ax=ax,
            strip=None,
        )
        begin = strip.start / findings.fs
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
        lines += [f"{key}: {_as_text(value)}", ""]
    figure.text(0.08, 0.93, _wrapped("\n".join(lines)), va="top", fontsize=9)
    return figure


def _as_text(value: Any) -> str:
    """Return an entry of a card as a text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_as_text(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(_as_text(item) for item in value)
    return str(value)


def _wrapped(text: str, indent: int = 0) -> str:
    """Break long lines, and indent what follows."""
    lines = [
        textwrap.fill(line, _WIDTH, subsequent_indent=" " * indent) if len(line) > _WIDTH else line
        for line in text.split("\n")
    ]
    return "\n".join(lines)


class _Strip(NamedTuple):
    """Stretch of a recording."""

    start: int  # sample of the recording
    fs: float
    leads: np.ndarray  # (n_leads, n_times)
    lead_names: list[str]


def _as_strips(body: Mapping[str, Any]) -> list[_Strip]:
    """Return the strips of a JSON object, or raise."""
    strips = []
    try:
        for given in list(body.get("strips") or [])[:_MAX_STRIPS]:
            leads = np.atleast_2d(np.array(given["leads"], dtype=np.float64))
            n_leads, n_times = leads.shape
            strip = _Strip(
                int(given["start"]), as_fs(given["fs"]), leads, _lead_names(body, n_leads)
            )
            if n_leads > _MAX_LEADS or not 2 <= n_times <= _MAX_STRIP_S * strip.fs + 1:
                raise ValueError
            if np.isinf(leads).any() or not 0 <= strip.start <= MAX_TIMES:
                raise ValueError
            strips.append(strip)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise RequestError(
            422,
            f"A strip must have start, fs and leads, with {_MAX_LEADS} leads and {_MAX_STRIP_S:g} "
            "s at most.",
        ) from error
    return strips


class _Means(NamedTuple):
    """Mean beats."""

    waves: dict[str, np.ndarray]  # of each class, (n_leads, n_times)
    fs: float
    before: float  # in s
    lead_names: list[str]

    @property
    def n_leads(self) -> int:
        return len(self.lead_names)


def _as_means(body: Mapping[str, Any]) -> _Means | None:
    """Return the mean beats of a JSON object, or raise."""
    given = body.get("mean_beats")
    if not isinstance(given, Mapping) or not given.get("classes"):
        return None
    try:
        waves = {
            _printable(name): np.atleast_2d(np.array(wave, dtype=np.float64))
            for name, wave in list(given["classes"].items())[:_MAX_LEADS]
        }
        (shape,) = {wave.shape for wave in waves.values()}
        fs, before = as_fs(given["fs"]), float(given["before"])
        if shape[0] > _MAX_LEADS or not 0 <= before * fs < shape[1] <= _MAX_STRIP_S * fs:
            raise ValueError
        if not all(np.isfinite(wave).all() for wave in waves.values()):
            raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise RequestError(
            422, "mean_beats must have fs, before and classes, with waves of one shape."
        ) from error
    return _Means(waves, fs, before, _lead_names(body, shape[0]))


def _lead_names(body: Mapping[str, Any], n_leads: int) -> list[str]:
    """Return the names of leads, or their numbers."""
    names = body.get("lead_names")
    if isinstance(names, list) and len(names) == n_leads:
        return [_printable(name) for name in names]
    return [f"lead {row}" for row in range(n_leads)]


def _printable(text: Any) -> str:
    """Return a short text without control characters."""
    return "".join(letter for letter in str(text)[:MAX_NAME] if letter.isprintable())
