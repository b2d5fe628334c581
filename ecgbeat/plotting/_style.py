"""Colors, markers and line styles of classes, distinguishable with color blindness."""

from collections.abc import Iterable, Mapping
from itertools import chain, cycle
from typing import Any, NamedTuple, TypeAlias

LineStyle: TypeAlias = str | tuple[int, tuple[float, ...]]

# of Okabe & Ito 2008, Color Universal Design, without its yellow, which is lost on white
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY_BLUE, BLACK = "#E69F00", "#56B4E9", "#000000"
GRAY = "#6E6E6E"

_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK)
# 13 markers and 7 colors have no common divisor: pairs repeat after 91 classes only
_MARKERS = ("o", "v", "^", "D", "s", "<", ">", "P", "X", "*", "p", "h", "d")
_LINES: tuple[LineStyle, ...] = (
    "-",
    (0, (4, 1.5)),
    (0, (1, 1)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (2, 1)),
    (0, (8, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (10, 2, 2, 2)),
)


class ClassStyle(NamedTuple):
    """Color, marker and line style of a class."""

    color: str
    marker: str
    line: LineStyle


_CYCLE = tuple(
    ClassStyle(_COLORS[i % 7], _MARKERS[i % 13], _LINES[i % len(_LINES)])
    for i in range(len(_COLORS) * len(_MARKERS))
)
# a class has the same style in every figure, whichever other classes are drawn
_SYMBOL_STYLES = dict(zip("NVSFQLR", _CYCLE, strict=False)) | {"A": _CYCLE[2], "/": _CYCLE[4]}


def class_styles(
    classes: Iterable[Any], colors: Mapping[Any, str] | None = None
) -> dict[Any, ClassStyle]:
    """Return a style for each class, in the given color if there is one."""
    labels = list(dict.fromkeys(classes))
    styles: dict[Any, ClassStyle] = {}
    for label in labels:
        fixed = _SYMBOL_STYLES.get(label)
        if fixed is not None and fixed not in styles.values():  # S and A share a style
            styles[label] = fixed
    used, used_colors = set(styles.values()), {style.color for style in styles.values()}
    free = sorted(
        (style for style in _CYCLE if style not in used),
        key=lambda style: style.color in used_colors,
    )
    others = (label for label in labels if label not in styles)
    styles |= dict(zip(others, chain(free, cycle(_CYCLE)), strict=False))
    return {
        label: styles[label]._replace(color=(colors or {}).get(label, styles[label].color))
        for label in labels
    }


def darker(color: str) -> tuple[float, ...]:
    """Return a darker shade of a color, for text on white."""
    from matplotlib.colors import to_rgb

    return tuple(0.85 * part for part in to_rgb(color))
