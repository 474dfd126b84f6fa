"""A bar chart as SVG, drawn with nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Bar", "chart"]

_WIDTH, _LABEL, _ROW, _TOP = 860, 250, 30, 64
_OURS, _THEIRS = "#2563a8", "#a9b4c0"


@dataclass(frozen=True)
class Bar:
    """One bar, with a value in each panel."""

    label: str
    values: Sequence[float]
    ours: bool = False


def chart(title: str, panels: Sequence[str], bars: Sequence[Bar]) -> str:
    """Draw bars in panels beside each other, each panel to a scale of its own.

    :param panels: Their titles.
    """
    height = _TOP + _ROW * len(bars) + 16
    width = (_WIDTH - _LABEL - 16) / len(panels)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        _text(16, 24, title, size=15, weight="bold"),
    ]
    for number, panel in enumerate(panels):
        left = _LABEL + number * width
        out.append(_text(left, 50, panel, fill="#555"))
        most = max((bar.values[number] for bar in bars), default=0) or 1
        for row, bar in enumerate(bars):
            top = _TOP + row * _ROW
            if number == 0:
                out.append(_text(_LABEL - 10, top + 15, bar.label, anchor="end"))
            value = bar.values[number]
            long = max(1.0, (width - 80) * value / most)
            fill = _OURS if bar.ours else _THEIRS
            out.append(
                f'<rect x="{left:.1f}" y="{top}" width="{long:.1f}" height="20" fill="{fill}"/>'
            )
            out.append(_text(left + long + 6, top + 15, f"{value:,.0f}"))
    return "\n".join([*out, "</svg>", ""])


def _text(
    x: float,
    y: float,
    text: str,
    *,
    fill: str = "#222",
    size: int = 13,
    weight: str = "normal",
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{fill}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
