"""Draws the figures of a measure: a dot for each median, a line for its range, on a logarithmic scale."""

from __future__ import annotations

import math
from html import escape

LEFT, WIDTH, RIGHT = 330, 420, 40
TOP, LINE = 48, 22

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" \
role="img" aria-labelledby="title" font-family="system-ui, sans-serif" font-size="14">
  <title id="title">{title}</title>
  <style>
    .paper {{ fill: #ffffff; stroke: #d0d7de }}
    text, .peer {{ fill: #1f2328 }}
    .ours {{ fill: #2f6fbb }}
    .floor {{ fill: #8b949e }}
    .line {{ stroke: #d0d7de }}
    .range {{ stroke: #8b949e; stroke-width: 2 }}
    @media (prefers-color-scheme: dark) {{
      .paper {{ fill: #161b22; stroke: #30363d }}
      text, .peer {{ fill: #e6edf3 }}
      .ours {{ fill: #79b8ff }}
      .line {{ stroke: #30363d }}
    }}
  </style>
  <rect class="paper" x="0.5" y="0.5" width="{right}" height="{bottom}" rx="8"/>
"""


def svg(title: str, figures: dict[str, dict[str, float]]) -> str:
    # What is nothing, or less by accident, is at the left end.
    least = min((f["low"] for f in figures.values() if f["low"] > 0), default=1)
    most = max(f["high"] for f in figures.values())
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(max(most, least * 1.01)))

    def x(value: float) -> float:
        part = (math.log10(value) - first) / (last - first) if value > 0 else 0
        return LEFT + WIDTH * min(max(part, 0), 1)

    width, height = LEFT + WIDTH + RIGHT, TOP + LINE * len(figures) + 16
    lines = [
        HEAD.format(
            title=escape(title), width=width, height=height, right=width - 1, bottom=height - 1
        )
    ]
    for power in range(first, last + 1):
        at, label = x(10.0**power), f"{10.0**power:,.{max(-power, 0)}f}"
        lines.append(f'  <path class="line" d="M{at:.1f} {TOP - 12}V{height - 10}"/>\n')
        lines.append(f'  <text x="{at:.1f}" y="{TOP - 20}" text-anchor="middle">{label}</text>\n')
    for at, name in enumerate(sorted(figures, key=lambda name: figures[name]["median"])):
        value, y = figures[name], TOP + LINE * at + 8
        kind = (
            "ours" if name.startswith("clazar") else "floor" if name.startswith("floor") else "peer"
        )
        low, median, high = (x(value[key]) for key in ("low", "median", "high"))
        lines.append(f'  <text class="{kind}" x="14" y="{y + 5}">{escape(name)}</text>\n')
        lines.append(f'  <path class="range" d="M{low:.1f} {y}H{high:.1f}"/>\n')
        lines.append(f'  <circle class="{kind}" cx="{median:.1f}" cy="{y}" r="5"/>\n')
    return "".join(lines) + "</svg>\n"
