# SPDX-License-Identifier: MIT
"""The command line of harness/run."""

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from . import (accel, acrndm, cells, guestcmd, htmlreport, kcidb, kernels, kerneltree, machines, ownkernel, paths, report, results,
               rows, say, statements, suiterun, suites)
from .errors import HarnessError, UsageError

DESCRIPTION = """\
Boots kernels in QEMU or as User Mode Linux, loads mockvisor.ko there, and runs suites or a command of yours.
Needs no root and no /dev/kvm. Kernels and builds are cached in ~/.cache/mockvisor (XDG_CACHE_HOME is honoured)."""

EPILOG = """\
examples:
  harness/run                               the default suites
  harness/run -s glue --junit out.xml       one suite, results also as JUnit XML
  harness/run -k all --html report.html     every kernel of the list (see --list), a table and a report
  harness/run -k uml-6.1 --flavor kasan     User Mode Linux with KASAN, built on first use
  harness/run -k ~/src/linux -s glue        a kernel tree of yours, built
  harness/run -- build/bin/mvmm --help      any command, on this machine's files (read-only), module loaded
  harness/run --acrn-dm=256 -- acrn-dm -m 256M -E guest.elf --cpu_affinity 0 -s 0,hostbridge -s 1,lpc -l com1,stdio VM1
  harness/run --shell                       a shell in the guest

exit codes: 0 all passed, 1 something failed, 2 the request is not valid; with `--`, the command's own,
124 if it met its time limit and 125 if the guest did not survive."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"{message}; valid form: {' '.join(self.format_usage().split()).removeprefix('usage: ')}")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def _mebibytes(text: str) -> int:
    if not text.isdigit() or not 2 <= int(text) <= 1 << 20:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in MiB, e.g. 256")
    return int(text)


def _number_of(what: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdigit() or not 0 < int(text) <= 64:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {what} from 1 to 64")
        return int(text)
    return parse


def parser() -> Parser:
    out = Parser(prog="harness/run", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                 usage="harness/run [-k KERNEL]... [-s SUITE]... [options] [--shell | -- CMD...]",
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("-k", dest="kernel", metavar="KERNEL", action="append", default=[],
                     help="a row of kernels.toml, a list of rows (all, gate), an image package of bookworm, or the path "
                          f"of a kernel tree; may be given more than once; default: the newest 6.1 ({kernels.DEFAULT})")
    out.add_argument("--flavor", metavar="F", default="",
                     help="build the kernel from Debian's source with these options, joined by commas: "
                          + ", ".join(ownkernel.names()))
    out.add_argument("-j", dest="jobs", metavar="N", type=_number_of("kernels"), default=1,
                     help="guests at a time: kernels, or parts of their suites where there are fewer kernels; default: 1")
    out.add_argument("--cpus", metavar="N", type=_number_of("CPUs"), default=0,
                     help=f"CPUs of each guest in QEMU; default: {machines.MOST_CPUS}, or this machine's processors divided by the "
                          "guests at a time if that is less")
    out.add_argument("-s", dest="suite", metavar="SUITE", action="append", default=[],
                     help="a suite to run; may be given more than once (see --list)")
    out.add_argument("--complete", action="store_true",
                     help="also the cases that suites.toml calls slow: stress, leaks over many lives, many machines at once")
    out.add_argument("--accel", choices=accel.CHOICES, default="auto", help="default: auto, which runs a probe guest")
    out.add_argument("--timeout", metavar="S", type=_seconds,
                     help="seconds for the boot with all its suites, or for CMD; default: the suites' own; none for CMD")
    out.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    out.add_argument("--html", metavar="FILE", help="also write a report for people, one file")
    out.add_argument("--kcidb", metavar="FILE", help="also write KernelCI's JSON (KCIDB schema 4.0)")
    out.add_argument("--build-dir", metavar="DIR", default="build", help="where bin/ is; default: build")
    out.add_argument("--suites", metavar="FILE", action="append", default=[],
                     help="more suites, in the form of suites.toml; a command may be an absolute path")
    out.add_argument("--source", metavar="DIR", help="build the module from DIR/Kbuild instead of this repository")
    out.add_argument("--offline", action="store_true", help="use cached kernels only")
    out.add_argument("--w1", action="store_true", help="the same as -s w1")
    out.add_argument("--sparse", action="store_true", help="the same as -s sparse")
    out.add_argument("--shell", action="store_true", help="an interactive shell in the guest")
    out.add_argument("--acrn-dm", metavar="MIB", nargs="?", type=_mebibytes, const=acrndm.DEFAULT_MIB, default=0,
                     help="CMD is ACRN's device model: huge pages for a guest of MIB, and the directories it looks for; "
                          f"default: {acrndm.DEFAULT_MIB}")
    out.add_argument("--gdb", action="store_true",
                     help="the guest stops once the module is loaded, without a time limit; the gdb command is printed")
    out.add_argument("--list", action="store_true", help="list the suites and kernels, and end")
    out.add_argument("--list-json", action="store_true", help="print the kernels as JSON, for a CI matrix, and end")
    out.add_argument("command", nargs="*", metavar="CMD", help=argparse.SUPPRESS)
    return out


def _split(argv: list[str]) -> tuple[list[str], list[str] | None]:
    """Our own arguments and the command after `--`."""
    if "--" in argv:
        at = argv.index("--")
        return argv[:at], argv[at + 1:]
    return argv, None


def _list(known: dict[str, suites.Suite], kernel_rows: dict[str, rows.Row]) -> int:
    width = max(len(name) for name in (*known, *kernel_rows))
    print("suites (* = run by default)")
    for suite in known.values():
        mark = "*" if suite.default else " "
        print(f"{mark} {suite.name:<{width}}  {suite.kind:<5}  {suite.description}")
    print("kernels (-k), and the lists they are in")
    for row in kernel_rows.values():
        print(f"  {row.name:<{width}}  {','.join(row.lists) or '-':<9}  {row.description}")
    print(f"flavors (--flavor): {', '.join(ownkernel.names())}")
    return 0


def _list_json(chosen: list[rows.Row]) -> int:
    """What a CI service needs to make a job of each kernel."""
    out = [{"name": row.name, "arch": row.arch, "kind": row.kind, "flavor": row.flavor,
            "preset": "arm64" if row.arch == "arm64" else "release",
            "command": cells.repeat(["harness/run"], row), "description": row.description} for row in chosen]
    print(json.dumps({"include": out}))
    return 0


def _build_dir(text: str) -> Path:
    path = Path(text)
    return path if path.is_absolute() or path.is_dir() else paths.REPO / path


def _repeat(options: argparse.Namespace) -> list[str]:
    words = ["harness/run"]
    for flag, value, default in (("--accel", options.accel, "auto"), ("--build-dir", options.build_dir, "build"),
                                 ("--source", options.source, None), ("--cpus", options.cpus, machines.cpus_beside(1))):
        if value != default:
            words += [flag, str(value)]
    for file in options.suites:
        words += ["--suites", file]
    if options.complete:
        words.append("--complete")
    return words


def _run(argv: list[str]) -> int:
    own, command = _split(argv)
    options = parser().parse_args(own)
    if options.command:
        raise UsageError(f"unexpected argument {options.command[0]!r}; a command for the guest follows `--`.")
    known = suites.load()
    for file in options.suites:
        known |= suites.load(Path(file))
    kernel_rows = rows.load()
    if options.list:
        return _list(known, kernel_rows)
    if options.list_json:
        return _list_json(rows.select(kernel_rows, options.kernel or ["all"], options.flavor))
    wanted = options.suite + ["w1"] * options.w1 + ["sparse"] * options.sparse
    if command is not None and not command:
        raise UsageError("`--` needs a command after it, e.g. harness/run -- uname -a.")
    if options.shell:
        if command:
            raise UsageError("--shell takes no command; use either --shell or -- CMD.")
        command = [os.environ.get("SHELL") or "/bin/sh", "-i"]
    if command and wanted:
        raise UsageError("a command and suites cannot be run together; use either -s SUITE or -- CMD.")
    if options.acrn_dm and not command:
        raise UsageError("--acrn-dm is for a command; give it after `--`.")
    if command and options.gdb:
        raise UsageError("--gdb runs suites; use -s SUITE, or --shell and a debugger of the guest's own.")
    chosen = suites.select(known, wanted)
    if options.complete:
        chosen = [suites.complete(suite) for suite in chosen]
    source = Path(options.source).resolve() if options.source else None

    kernel = rows.select(kernel_rows, options.kernel or [kernels.DEFAULT], options.flavor)
    for row in kernel:
        if row.flavor:
            ownkernel.fragments("um" if row.kind == "uml" else row.arch, row.flavor)
    if (command or options.gdb) and len(kernel) != 1:
        raise UsageError("a command, --shell and --gdb want one kernel; give one -k.")
    engine, why = "none", ""
    if any(row.kind != "uml" for row in kernel) and (command or any(s.kind != "build" for s in chosen)):
        engine, why = accel.choose(options.accel)
        say.note(f"accelerator {engine}: {why}")
    options.cpus = options.cpus or machines.cpus_beside(1 if command or options.gdb else options.jobs)
    setup = suiterun.Options(engine, options.accel == "auto", options.timeout, _build_dir(options.build_dir), source,
                             shlex.join(_repeat(options)), options.gdb, max(1, options.jobs // len(kernel)), options.cpus)
    if command:
        setup.acrn_dm = options.acrn_dm
        if setup.acrn_dm and acrndm.missing():
            say.warn(acrndm.missing())
        # cloud kernels have no 9p, by which a command sees this machine's files
        tree = kerneltree.obtain(replace(kernel[0], variant=kernel[0].variant.replace("cloud", "")), options.offline)
        say.note(f"kernel {tree.kernel}")
        return guestcmd.run_command(command, tree, setup)
    say.live_line = sys.stderr.isatty()
    done = cells.run(kernel, chosen, setup, _repeat(options), options.jobs, options.offline)
    say.live_line = False
    return _conclude(done, chosen, options)


def _conclude(done: list[cells.CellResult], chosen: list[suites.Suite], options: argparse.Namespace) -> int:
    if options.junit:
        paths.publish_file(Path(options.junit).absolute(), report.junit_cells(done))
    if options.kcidb:
        paths.publish_file(Path(options.kcidb).absolute(), kcidb.render(done))
    if options.html:
        paths.publish_file(Path(options.html).absolute(), htmlreport.render(done).encode())
    sys.stdout.write(report.ktap_cells(done))
    for suite in chosen:
        sys.stdout.write(statements.table(suite, done))
    print()
    sys.stdout.write(report.table(done))
    sys.stdout.write(report.failures(done))
    for cell in done:
        if len(done) == 1:
            print(f"# kernel {cell.kernel or 'none'}, accelerator {cell.engine}")
    total, untested = results.count([suite for cell in done for suite in cell.suites]), 0
    for suite in chosen:
        for name in statements.untested(suite, done):
            untested += 1
            print(f"{suite.name}: no test of {name}")
    print((total + results.Counts(failed=untested)).line())
    good = all(results.green(cell.suites) or _all_skipped(cell) for cell in done)
    return 0 if good and _ran(done) and not untested else 1


def _all_skipped(cell: cells.CellResult) -> bool:
    return bool(cell.suites) and all(suite.verdict is results.Verdict.SKIP for suite in cell.suites)


def _ran(done: list[cells.CellResult]) -> bool:
    return any(results.count(cell.suites).passed for cell in done)


def _stop(number, _frame):
    raise SystemExit(128 + number)


def main(argv: list[str]) -> int:
    # depmod and mke2fs-like tools live in sbin, which users' paths often lack.
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _run(argv)
    except UsageError as error:
        print(f"harness/run: {error}", file=sys.stderr)
        return 2
    except HarnessError as error:
        print(f"harness/run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("harness/run: interrupted", file=sys.stderr)
        return 130
