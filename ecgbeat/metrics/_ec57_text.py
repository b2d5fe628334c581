"""The EC57 report as text, in the manner of WFDB's ``sumstats`` (layer 1)."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecgbeat.metrics._ec57 import EC57Report

# column -> statistic and its decimals
_COLUMNS = {
    "Q Se": ("qrs_sensitivity", 2),
    "Q +P": ("qrs_positive_predictivity", 2),
    "V Se": ("veb_sensitivity", 2),
    "V +P": ("veb_positive_predictivity", 2),
    "V FPR": ("veb_false_positive_rate", 3),
    "S Se": ("sveb_sensitivity", 2),
    "S +P": ("sveb_positive_predictivity", 2),
    "S FPR": ("sveb_false_positive_rate", 3),
}
_KINDS = ("qrs", "veb", "sveb")
_WIDEST_COUNT = 8


def format_report(report: "EC57Report") -> str:
    """Return the lines of all records, their sums, gross and average, and the confusion."""
    width = max(len("Average"), *(len(str(name)) for name in report.records["record"]))
    n_beats = [report.records[f"{kind}_tp"] + report.records[f"{kind}_fn"] for kind in _KINDS]
    head = _line("Record", [kind.upper() for kind in _KINDS], list(_COLUMNS), width)
    rule = "-" * len(head)
    rows = [
        _line(
            str(name),
            [str(count[index]) for count in n_beats],
            _percents({key: values[index] for key, values in report.records.items()}),
            width,
        )
        for index, name in enumerate(report.records["record"])
    ]
    sums = _line("Sum", [str(count.sum()) for count in n_beats], [], width)
    gross = _line("Gross", [""] * len(_KINDS), _percents(report.gross), width)
    average = _line("Average", [""] * len(_KINDS), _percents(report.average), width)
    title = [
        f"EC57 beat-by-beat comparison of {len(rows)} record{'s' if len(rows) != 1 else ''}",
        f"tolerance {1000 * report.tolerance:g} ms, learning period {report.learning_period:g} s; "
        "Se, +P and FPR in %",
        "",
    ]
    body = [head, rule, *rows, rule, sums, gross, average, ""]
    return "\n".join([*title, *body, *_confusion_lines(report)])


def _line(name: str, counts: list[str], percents: list[str], width: int) -> str:
    """Set one line of the table."""
    cells = [f"{count:>{_WIDEST_COUNT}}" for count in counts]
    return (name.ljust(width) + "".join(cells + [f"{text:>7}" for text in percents])).rstrip()


def _percents(statistics: Mapping[str, float]) -> list[str]:
    """Write statistics in percent, a dash for what is not defined."""
    return [
        "-" if math.isnan(statistics[name]) else f"{100 * statistics[name]:.{decimals}f}"
        for name, decimals in _COLUMNS.values()
    ]


def _confusion_lines(report: "EC57Report") -> list[str]:
    """Write the counts of all pairs of labels; nothing is neither a beat nor a detection."""
    cells = report.confusion.astype(str)
    cells[-1, -1] = "-"
    lines = [("", list(report.predicted_labels))]
    lines += zip(report.reference_labels, cells.tolist(), strict=True)
    return [f"{name:>3}" + "".join(f"{c:>{_WIDEST_COUNT}}" for c in row) for name, row in lines]
