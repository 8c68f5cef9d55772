"""What both figures share: colours, fonts, and bytes that do not change from run to run.

Colours are told apart with the usual colour-vision deficiencies (Okabe and Ito), and no meaning
hangs on colour alone: shapes and words carry it too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from eew.report.result import RunResult
from eew.report.times import utc

INK = "#1b1f24"
MUTED = "#6b7280"
GRID = "#e5e7eb"
PAPER = "#ffffff"
BLUE = "#0072b2"
ORANGE = "#d55e00"
GREEN = "#007a5a"
PURPLE = "#8e4585"
TRACE = "#4b5563"

# the words of simulator/truth.py
OUTCOME_COLOUR = {
    "timely": GREEN,
    "late": ORANGE,
    "missed": PURPLE,
    "false": PURPLE,
    "precautionary": BLUE,
    "not_needed": MUTED,
    "unscored": MUTED,
}

_STYLE: Any = {  # matplotlib's own type for this is a list of every key
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 9.0,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": True,
    "legend.framealpha": 0.92,
    "legend.edgecolor": GRID,
    "legend.fontsize": 8.0,
    "path.simplify": True,
    "svg.hashsalt": "eew",
}
DPI = 110


@contextmanager
def figure(width_in: float, height_in: float) -> Iterator[Any]:
    """Give a figure that no settings of the user's matplotlib can change."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        made = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor=PAPER)
        FigureCanvasAgg(made)
        yield made


def png_bytes(made: Any) -> bytes:
    """Return the figure as PNG without program name or date."""
    out = io.BytesIO()
    made.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def headline(made: Any, result: RunResult, what: str) -> None:
    """Write the SIMULATION mark, what the figure shows, and of which run, above the axes."""
    banner(made, event_words(result), what)
    if not result.info.complete:
        made.text(0.988, 0.991, "STOPPED EARLY", ha="right", va="top", color=ORANGE, weight="bold")


def banner(made: Any, title: str, what: str) -> None:
    """Write the SIMULATION mark, a title and a line below it above the axes.

    They take the upper 0.45 in of a figure of any height.
    """
    height_in = made.get_figheight()
    mark = made.text(
        0.012,
        1.0 - 0.10 / height_in,
        "SIMULATION",
        ha="left",
        va="top",
        color=PAPER,
        fontsize=9.5,
        fontweight="bold",
        bbox={"facecolor": ORANGE, "edgecolor": "none", "boxstyle": "square,pad=0.35"},
    )
    mark.set_gid("simulation")
    top, below = 1.0 - 0.075 / height_in, 1.0 - 0.32 / height_in
    made.text(0.135, top, title, ha="left", va="top", fontsize=11.5, weight="bold")
    made.text(0.135, below, what, ha="left", va="top", fontsize=9.0, color=MUTED)


def event_words(result: RunResult) -> str:
    """Return one line that names the quake, or the recording where there is no truth."""
    truth = result.recording.truth
    name = drawable(result.info.event)
    if truth is None:
        return f"{name}   (no catalogue event)"
    return f"M{truth.magnitude:.1f}   {name}   {utc(truth.origin_time_ns, digits=0)}"


def drawable(text: str) -> str:
    """Return the text with what the font cannot draw as ``?`` (names may be in any script)."""
    glyphs = _glyphs()
    return "".join(letter if ord(letter) in glyphs else "?" for letter in text)


@cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())
