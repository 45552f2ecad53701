# SPDX-License-Identifier: MIT
"""The report for people: one file that opens without a network. Table, then each cell's timings, failures and logs."""

import html
import time
from pathlib import Path

from . import report, timeline
from .cells import CellResult
from .results import SuiteResult, Verdict, count

LOG_LIMIT = 60_000  # characters of a log that are shown; the end matters most
LOGS = ("verdict.log", "output.log", "console.log", "build.log")
COLOURS = {Verdict.PASS: "pass", Verdict.SKIP: "skip"}
STYLE = """
:root { color-scheme: light dark; --ok: #1a7f37; --bad: #cf222e; --dim: #8a6d00; --line: #8884; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .35rem .7rem; text-align: left; }
td.pass { color: var(--ok); } td.bad { color: var(--bad); font-weight: 600; } td.skip { color: var(--dim); }
td.num { text-align: right; font-variant-numeric: tabular-nums; } td a { color: inherit; }
pre { background: #8881; padding: .7rem; overflow: auto; max-height: 28rem; font-size: 12.5px; }
code { background: #8882; padding: .1rem .3rem; } summary { cursor: pointer; margin: .3rem 0; }
.timeline { min-width: 60rem; width: 100%; font: 11px system-ui, sans-serif; } .timeline text { fill: currentColor; }
.timeline .label { fill: #fff; } .timeline .grid { stroke: var(--line); }
.scroll { overflow-x: auto; } .scroll td, .scroll th { white-space: nowrap; } h2 { margin-top: 2.2rem; } .sum { font-size: 1.15rem; }
"""


def _e(text: str) -> str:
    return html.escape(report.plain(str(text)), quote=True)


def _id(cell: CellResult, suite: str = "") -> str:
    return _e(f"{cell.name}--{suite}" if suite else cell.name)


def _verdict_class(suite: SuiteResult) -> str:
    return COLOURS.get(suite.verdict, "bad")


def _table(cells: list[CellResult]) -> str:
    names = report.columns(cells)
    out = ["<div class=scroll><table><tr><th>kernel", *(f"<th>{_e(n)}" for n in names), "<th>seconds<th>version</tr>"]
    for cell in cells:
        have = {suite.name: suite for suite in cell.suites}
        out.append(f'<tr><td><a href="#{_id(cell)}">{_e(cell.name)}</a>')
        for name in names:
            suite = have.get(name)
            if suite is None:
                out.append("<td>-")
            else:
                out.append(f'<td class={_verdict_class(suite)}><a href="#{_id(cell, name)}" title="{_e(suite.reason)}">'
                           f"{_e(report.brief(suite))}</a>")
        out.append(f"<td class=num>{cell.seconds:.1f}<td>{_e(cell.kernel or '-')}</tr>")
    return "".join(out) + "</table></div>"


def _stages(cell: CellResult) -> str:
    return "<p>" + ", ".join(f"{_e(stage.name)} {stage.seconds:.1f} s" for stage in cell.stages)


def _logs(where: str) -> str:
    path = Path(where) if where else None
    files = [path] if path and path.is_file() else [path / name for name in LOGS if (path / name).is_file()] \
        if path and path.is_dir() else []
    if path and (path / "results/kmsg.log").is_file():
        files.append(path / "results/kmsg.log")
    out = []
    for file in files:
        text = file.read_text("utf-8", "replace")
        cut = f"[... {len(text) - LOG_LIMIT} characters before ...]\n" if len(text) > LOG_LIMIT else ""
        out.append(f"<details><summary>{_e(file.name)}</summary><pre>{_e(cut + text[-LOG_LIMIT:])}</pre></details>")
    return "".join(out)


def _suite(cell: CellResult, suite: SuiteResult) -> str:
    mine = count([suite])
    out = [f'<h3 id="{_id(cell, suite.name)}">{_e(suite.name)}: {_e(suite.verdict.value)}</h3>',
           f"<p>{_e(mine.line())}" + (f", {suite.seconds:.1f} s" if suite.seconds else "")]
    if suite.reason:
        out.append(f"<p>{_e(suite.reason)}")
    if suite.verdict not in (Verdict.PASS, Verdict.SKIP) and suite.repeat:
        out.append(f"<p>repeat: <code>{_e(suite.repeat)}</code>")
    bad = [case for case in suite.cases if case.verdict not in (Verdict.PASS, Verdict.SKIP)]
    for case in bad:
        out.append(f"<p><b>{_e(case.name)}</b> {_e(case.verdict.value)}<pre>{_e(case.message)}</pre>")
    rows = "".join(f"<tr><td class={COLOURS.get(c.verdict, 'bad')}>{_e(c.verdict.value)}<td>{_e(c.name)}"
                   f"<td class=num>{c.seconds:.3f}<td>{_e(c.message if c.verdict is Verdict.SKIP else '')}</tr>"
                   for c in suite.cases)
    out.append(f"<details><summary>{len(suite.cases)} cases</summary><table><tr><th>verdict<th>case<th>seconds<th>reason"
               f"</tr>{rows}</table></details>")
    return "".join(out)


def _cell(cell: CellResult) -> str:
    logs = list(dict.fromkeys(suite.log for suite in cell.suites if suite.log))
    return (f'<h2 id="{_id(cell)}">{_e(cell.name)}</h2><p>{_e(cell.kernel or "no kernel")}'
            f'{", accelerator " + _e(cell.engine) if cell.engine != "none" else ""}' + _stages(cell)
            + "".join(_suite(cell, suite) for suite in cell.suites) + "".join(_logs(log) for log in logs))


def render(cells: list[CellResult]) -> str:
    total = count([suite for cell in cells for suite in cell.suites])
    return ("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
            f"<title>Mockvisor: {_e(total.line())}</title><style>{STYLE}</style><h1>Mockvisor on {len(cells)} "
            f"kernel{'s' if len(cells) != 1 else ''}</h1><p class=sum>{_e(total.line())}; "
            f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}" + _table(cells) + "<h2>Timeline</h2><div class=scroll>" + timeline.picture(cells) + "</div>"
            + "".join(_cell(cell) for cell in cells) + "</html>\n")
