# SPDX-License-Identifier: MIT
"""scripts/bench: one table of benchmarks, each as a ratio to a baseline measured in the same run.

Nanoseconds differ from machine to machine; how many empty ioctls or futex round trips something costs does much less.
"""

import argparse
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

from . import paths, race
from .errors import HarnessError

# What each kind of result is compared with, by the first word of its name.
BASELINES = {"exit": ("null_ioctl", "futex_ping_pong"), "workload": ("workload/native",)}
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}
# Google Benchmark appends how it measured: exit/acrn/x86_64/iterations:4/manual_time
DECORATION = re.compile(r"/(iterations|min_time|repeats|real_time|manual_time|process_time).*$")


@dataclasses.dataclass
class Result:
    nanoseconds: float
    mips: float | None = None


def results(text: str) -> dict[str, Result]:
    """Real time per benchmark, by its bare name; of repeated ones the median."""
    out: dict[str, Result] = {}
    for row in json.loads(text).get("benchmarks", []):
        if row.get("error_occurred"):
            raise HarnessError(f"benchmark {row['name']} failed: {row.get('error_message', 'no reason given')}")
        if row.get("aggregate_name") not in (None, "median"):
            continue
        name = DECORATION.sub("", row.get("run_name", row["name"]))
        if row.get("aggregate_name") or name not in out:
            out[name] = Result(row["real_time"] * UNITS[row.get("time_unit", "ns")], row.get("mips"))
    return out


def ratios(name: str, measured: dict[str, Result]) -> str:
    words = []
    for base in BASELINES.get(name.split("/")[0], ()):
        if base in measured and base != name:
            words.append(f"{measured[name].nanoseconds / measured[base].nanoseconds:.2f} x {base}")
    return ", ".join(words)


def table(where: str, measured: dict[str, Result]) -> list[str]:
    width = max([len(name) for name in measured] + [len(where) + 1])
    lines = [f"{where + ':':<{width}} {'ns':>14} {'MIPS':>8}  ratio, same run"]
    for name, r in measured.items():
        mips = f"{r.mips:8.1f}" if r.mips else " " * 8
        lines.append(f"{name:<{width}} {r.nanoseconds:>14.1f} {mips}  {ratios(name, measured)}".rstrip())
    return lines


def on_host(program: Path, args: list[str], work: Path) -> dict[str, Result]:
    out = work / "bench-host.json"
    done = subprocess.run([program, f"--benchmark_out={out}", "--benchmark_out_format=json", *args], check=False,
                          stdout=sys.stderr)
    if done.returncode:
        raise HarnessError(f"{program} failed with code {done.returncode}.")
    if not out.exists() or not out.stat().st_size:
        raise HarnessError(f"{program} measured nothing with {' '.join(args)}.")
    return results(out.read_text())


def plugins() -> list[str]:
    """Events of a plugin beside two pipes: the program measures both in turns and prints its own lines."""
    program = paths.REPO / "build/bin/mv_plugin_bench"
    if not program.exists():
        return []
    done = subprocess.run([program], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise HarnessError(f"{program} failed with code {done.returncode}.")
    return ["plugins, this machine", "", *("    " + line for line in done.stdout.splitlines())]


def in_guest(program: Path, args: list[str]) -> dict[str, Result]:
    """Through `harness/run -- CMD`: the results come back on the command's stdout."""
    done = subprocess.run([paths.HARNESS / "run", "--", program, "--benchmark_format=json", *args], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise HarnessError(f"the benchmarks failed in the guest with code {done.returncode}.")
    return results(done.stdout)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", allow_abbrev=False, usage="scripts/bench [-h] [--where host|guest|both] [-- ARG...] | --engines [LAPS]",
        description="Runs build/bin/mv_bench here and in the guest; prints each exit's ratio to an empty ioctl and to a "
                    "futex ping-pong of the same run, and each workload's to the same C compiled for the machine. "
                    "What follows `--` goes to mv_bench.")
    parser.add_argument("--engines", type=int, nargs="?", const=3, metavar="LAPS",
                        help="instead: one program on mvmm, QEMU TCG and Bochs in turns, CPU time by kernel; default: 3 laps")
    parser.add_argument("--where", choices=("host", "guest", "both"), default="both", help="default: both")
    own, rest = (argv[:argv.index("--")], argv[argv.index("--") + 1:]) if "--" in argv else (argv, [])
    options = parser.parse_args(own)
    program = paths.REPO / "build/bin/mv_bench"
    if not options.engines and not program.exists():
        print("scripts/bench: build/bin/mv_bench is not built; run scripts/build first", file=sys.stderr)
        return 1
    try:
        shown = []
        if options.engines:
            shown.append(race.measure(options.engines))
        elif options.where != "guest":
            shown.append(table("this machine", on_host(program, rest, paths.cache("bench"))))
            if not rest:
                shown.append(plugins())
        if not options.engines and options.where != "host":
            shown.append(table("guest", in_guest(program, rest)))
    except HarnessError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    print("\n\n".join("\n".join(lines) for lines in shown if lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
