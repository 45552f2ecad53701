# SPDX-License-Identifier: MIT
"""The timeline picture of a run: one bar per cell, its stages where they were in time. SVG, to stand inside a page."""

import html
import math

from .cells import CellResult

WIDTH, LEFT, RIGHT, ROW, BAR = 1100, 150, 60, 34, 20
COLOURS = {"getting": "#6e7781", "building": "#0969da", "boot": "#9a6700"}
SUITE_COLOURS = ("#8250df", "#1a7f37", "#bf3989", "#bc4c00", "#0a7ea4", "#57606a")
LETTER = 6.4  # pixels of a letter of a bar's label


def parts(cell: CellResult, colours: dict[str, str]) -> list[tuple[str, float, float, str]]:
    """(label, start, seconds, colour); the guest's stage is cut into its boot and its suites, which ran in order."""
    out = []
    for name, seconds, start, _ in cell.stages:
        if not name.startswith("running"):
            out.append((name, start, seconds, COLOURS.get(name.split()[0], COLOURS["getting"])))
            continue
        suites = [suite for suite in cell.suites if suite.seconds]
        boot = max(0.0, seconds - sum(suite.seconds for suite in suites))
        out.append(("boot", start, boot, COLOURS["boot"]))
        at = start + boot
        for suite in suites:
            out.append((suite.name, at, suite.seconds, colours[suite.name]))
            at += suite.seconds
    return out


def tick_step(seconds: float) -> float:
    """A round number of seconds that gives about ten marks."""
    rough = max(seconds, 0.1) / 10
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def picture(cells: list[CellResult]) -> str:
    """The SVG element, or nothing when no stage was timed."""
    ends = [start + seconds for cell in cells for _, seconds, start, _ in cell.stages]
    if not ends:
        return ""
    first = min(start for cell in cells for _, _, start, _ in cell.stages)
    length = max(max(ends) - first, 0.1)
    scale = (WIDTH - LEFT - RIGHT) / length
    names = list(dict.fromkeys(suite.name for cell in cells for suite in cell.suites if suite.seconds))
    colours = {name: SUITE_COLOURS[index % len(SUITE_COLOURS)] for index, name in enumerate(names)}
    bottom = len(cells) * ROW + 6
    height = bottom + 52
    out = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="timeline" class="timeline" '
           'xmlns="http://www.w3.org/2000/svg">']
    step = tick_step(length)
    for index in range(int(length / step) + 1):
        x = LEFT + index * step * scale
        out.append(f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{bottom}" class="grid"/>'
                   f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{index * step:g} s</text>')
    for row, cell in enumerate(cells):
        y = row * ROW + 6
        out.append(f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{html.escape(cell.name)}</text>')
        for label, start, seconds, colour in parts(cell, colours):
            x, width = LEFT + (start - first) * scale, max(seconds * scale, 1)
            said = f"{html.escape(label)}: {seconds:.1f} s"
            out.append(f'<g><title>{said}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" '
                       f'fill="{colour}"/>')
            if width > len(label) * LETTER + 8:
                out.append(f'<text x="{x + 4:.1f}" y="{y + 14}" class="label">{html.escape(label)}</text>')
            out.append("</g>")
    x = float(LEFT)
    for name, colour in [*COLOURS.items(), *colours.items()]:
        label = {"getting": "getting the kernel", "building": "building the module"}.get(name, name)
        out.append(f'<rect x="{x:.0f}" y="{bottom + 30}" width="12" height="12" fill="{colour}"/>'
                   f'<text x="{x + 17:.0f}" y="{bottom + 40}">{html.escape(label)}</text>')
        x += 17 + len(label) * LETTER + 22
    return "".join(out) + "</svg>"
