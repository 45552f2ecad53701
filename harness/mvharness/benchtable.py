# SPDX-License-Identifier: MIT
"""scripts/bench: one table of benchmarks, each as a ratio to a baseline measured in the same run.

Nanoseconds differ from machine to machine; how many empty ioctls or futex round trips something costs does much less.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from . import paths
from .errors import HarnessError

BASELINES = ("BM_NullIoctl", "BM_FutexPingPong")
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def times(text: str) -> dict[str, float]:
    """Nanoseconds of real time per benchmark; of repeated ones the median."""
    out: dict[str, float] = {}
    for row in json.loads(text).get("benchmarks", []):
        if row.get("error_occurred"):
            continue
        aggregate = row.get("aggregate_name")
        if aggregate and aggregate != "median":
            continue
        name = row.get("run_name", row["name"])
        if aggregate or name not in out:
            out[name] = row["real_time"] * UNITS[row.get("time_unit", "ns")]
    return out


def table(where: str, measured: dict[str, float]) -> list[str]:
    bases = {name: next((t for key, t in measured.items() if key.split("/")[0] == name), None) for name in BASELINES}
    width = max([len(name) for name in measured] + [9])
    lines = [f"{where + ':':<{width}} {'ns':>14}" + "".join(f" {'x ' + name:>19}" for name in BASELINES)]
    for name, value in measured.items():
        ratios = "".join(f" {value / base:>19.2f}" if base else f" {'-':>19}" for base in bases.values())
        lines.append(f"{name:<{width}} {value:>14.1f}{ratios}")
    return lines


def on_host(program: Path, args: list[str], work: Path) -> dict[str, float]:
    out = work / "bench-host.json"
    done = subprocess.run([program, f"--benchmark_out={out}", "--benchmark_out_format=json", *args], check=False,
                          stdout=sys.stderr)
    if done.returncode:
        raise HarnessError(f"{program} failed with code {done.returncode}.")
    return times(out.read_text())


def in_guest(program: Path, args: list[str]) -> dict[str, float]:
    """Through `harness/run -- CMD`: the results come back on the command's stdout."""
    done = subprocess.run([paths.HARNESS / "run", "--", program, "--benchmark_format=json", *args], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise HarnessError(f"the benchmarks failed in the guest with code {done.returncode}.")
    return times(done.stdout)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", allow_abbrev=False, usage="scripts/bench [-h] [--where host|guest|both] [-- ARG...]",
        description="Runs build/bin/mv_bench here and in the guest; prints each result and its ratio to "
                    f"{' and '.join(BASELINES)} of the same run. What follows `--` goes to mv_bench.")
    parser.add_argument("--where", choices=("host", "guest", "both"), default="both", help="default: both")
    own, rest = (argv[:argv.index("--")], argv[argv.index("--") + 1:]) if "--" in argv else (argv, [])
    options = parser.parse_args(own)
    program = paths.REPO / "build/bin/mv_bench"
    if not program.exists():
        print("scripts/bench: build/bin/mv_bench is not built; run scripts/build first", file=sys.stderr)
        return 1
    try:
        shown = []
        if options.where != "guest":
            shown.append(table("this machine", on_host(program, rest, paths.cache("bench"))))
        if options.where != "host":
            shown.append(table("guest", in_guest(program, rest)))
    except HarnessError as error:
        print(f"scripts/bench: {error}", file=sys.stderr)
        return 1
    print("\n\n".join("\n".join(lines) for lines in shown))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
