"""Throughput by the length of the text, as a picture: bench/throughput.svg."""

from __future__ import annotations

from pathlib import Path

from .book import Book
from .contests import readable

COLOURS = {
    "ctok": "#c0392b",
    "tiktoken": "#7f8c8d",
    "gigatoken": "#2980b9",
    "fastokens": "#27ae60",
    "tokenizers": "#8e44ad",
    "quicktok": "#d68910",
    "toktok": "#16a085",
}


def draw(book: Book, path: Path) -> bool:
    """Writes the picture. False where the run has nothing to draw or matplotlib is missing."""
    rows = [row for row in book.all("sizes") if row["samples"]]
    try:
        import matplotlib as mpl
    except ImportError:
        return False
    if not rows:
        return False
    mpl.use("svg")
    # The same picture from the same numbers: no date, no random names.
    mpl.rcParams["svg.hashsalt"] = "ctok"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True)
    for panel, output in zip(panels, ("list", "array"), strict=True):
        for row in rows:
            points = {int(size): speed for size, speed in row["median"].get(output, {}).items()}
            peer = row["peer"]
            panel.plot(
                list(points),
                list(points.values()),
                marker="o",
                markersize=3,
                linewidth=2.4 if peer == "ctok" else 1.3,
                color=COLOURS.get(peer),
                label=f"{peer} {book.facts['versions'].get(peer, '')}",
            )
        panel.set(xscale="log", yscale="log", title=f"ids to {output}", xlabel="length of the text")
        ticks = [10**n for n in range(1, 8)]
        panel.set_xticks(ticks, [readable(size) for size in ticks])
        panel.grid(True, which="major", alpha=0.3)
    panels[0].set_ylabel("MB/s, one thread, cl100k_base")
    panels[0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    return True
