# SPDX-License-Identifier: MIT
"""The command line of harness/run."""

import argparse
import json
import os
import shlex
import signal
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from . import (accel, acrndm, cells, flavors, guestcmd, interrupts, kernels, kerneltree, machines, paths, report, reportfiles,
               results, rows, say, statements, suiterun, suites, terminal)
from .errors import HarnessError, Interrupted, UsageError

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
124 if it met its time limit, 125 if the guest did not survive and 130 if Ctrl-] stopped it. A signal ends with 128 and
its number, and the results of the kernels that had ended."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise UsageError(f"{message}; valid form: {' '.join(self.format_usage().split()).removeprefix('usage: ')}")

    def print_help(self, file=None) -> None:
        terminal.write_out(self.format_help())


def _seconds(text: str) -> float:
    try:
        value = float(text) if text.isascii() and "_" not in text else 0
    except ValueError:
        value = 0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def _whole(text: str) -> int:
    """-1 for what is no number; isdigit() alone takes digits that int() does not, and those of all scripts."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _mebibytes(text: str) -> int:
    if not 2 <= _whole(text) <= 1 << 20:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size in MiB, e.g. 256")
    return _whole(text)


def _number_of(what: str) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not 0 < _whole(text) <= 64:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of {what} from 1 to 64")
        return _whole(text)
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
                          + ", ".join(flavors.names()))
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
                     help="seconds for the boot with all its suites, or for CMD, where they are rounded up; default: the suites' own; "
                          "none for CMD")
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
    lines = ["suites (* = run by default)"]
    for suite in known.values():
        mark = "*" if suite.default else " "
        lines.append(f"{mark} {suite.name:<{width}}  {suite.kind:<5}  {suite.description}")
    lines.append("kernels (-k), and the lists they are in")
    for row in kernel_rows.values():
        lines.append(f"  {row.name:<{width}}  {','.join(row.lists) or '-':<9}  {row.description}")
    lines.append(f"flavors (--flavor): {', '.join(flavors.names())}")
    terminal.write_out("\n".join(lines) + "\n")
    return 0


def _list_json(chosen: list[rows.Row]) -> int:
    """What a CI service needs to make a job of each kernel."""
    out = [{"name": row.name, "arch": row.arch, "kind": row.kind, "flavor": row.flavor,
            "preset": "arm64" if row.arch == "arm64" else "release",
            "command": cells.repeat(["harness/run"], row), "description": row.description} for row in chosen]
    terminal.write_out(json.dumps({"include": out}) + "\n")
    return 0


def _build_dir(text: str) -> Path:
    path = Path(text)
    return path if path.is_absolute() or path.is_dir() else paths.REPO / path


def _repeat(options: argparse.Namespace) -> list[str]:
    words = ["harness/run"]
    for flag, value, default in (("--accel", options.accel, "auto"), ("--build-dir", options.build_dir, "build"),
                                 ("--source", options.source, None), ("--timeout", options.timeout, None), ("--cpus", options.cpus, machines.cpus_beside(1))):
        if value != default:
            words += [flag, str(value)]
    for file in options.suites:
        words += ["--suites", file]
    words += ["--complete"] * options.complete + ["--offline"] * options.offline
    return words


def _select_kernels(known: dict[str, rows.Row], options: argparse.Namespace, default: str) -> list[rows.Row]:
    chosen = rows.select(known, options.kernel or [default], options.flavor)
    if not chosen:
        raise UsageError("-k names no kernel; see --list.")
    return chosen


def _guest_command(options: argparse.Namespace, command: list[str] | None) -> list[str]:
    """The command that the guest is to run; empty if it is to run suites."""
    if command is not None and not command:
        raise UsageError("`--` needs a command after it, e.g. harness/run -- uname -a.")
    if options.shell and command:
        raise UsageError("--shell takes no command; use either --shell or -- CMD.")
    if options.shell:
        return [os.environ.get("SHELL") or "/bin/sh", "-i"]
    return command or []


def _check_command(options: argparse.Namespace, kernel: list[rows.Row], wanted: list[str]) -> None:
    """What a command cannot be together with."""
    if wanted:
        raise UsageError("a command and suites cannot be run together; use either -s SUITE or -- CMD.")
    if options.gdb:
        raise UsageError("--gdb runs suites; use -s SUITE, or --shell and a debugger of the guest's own.")
    for kind in reportfiles.wanted(options):
        raise UsageError(f"--{kind} is a report on suites; a command has its output and its exit code.")
    if len(kernel) != 1:
        raise UsageError("a command and --shell want one kernel; give one -k.")
    guestcmd.refuse_other_machines("um" if kernel[0].kind == "uml" else kernel[0].arch, kernel[0].name)


def _check_gdb(kernel: list[rows.Row], chosen: list[suites.Suite]) -> None:
    if len(kernel) != 1:
        raise UsageError("--gdb wants one kernel; give one -k.")
    if kernel[0].kind == "uml":
        raise UsageError("--gdb wants a kernel in QEMU; give one with -k, e.g. -k bookworm-6.1.")
    if all(suite.kind == "build" for suite in chosen):
        raise UsageError("--gdb wants a suite that runs in a guest, e.g. -s smoke; see --list.")


def _check_cache() -> None:
    """A sentence now, where the first file of the run would be trouble in the middle of something."""
    root = paths.cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as probe:
            probe.write(bytes(4096))
    except OSError as error:
        raise UsageError(f"the cache {root} cannot be written: {error.strerror}; "
                         "set XDG_CACHE_HOME to a directory that can.") from error


def _engine(options: argparse.Namespace) -> str:
    engine, why = accel.choose(options.accel)
    say.note(f"accelerator {engine}: {why}")
    return engine


def _setup(options: argparse.Namespace, engine: str, cells_asked_for: int) -> suiterun.Options:
    source = Path(options.source).resolve() if options.source else None
    return suiterun.Options(engine, options.accel == "auto", options.timeout, _build_dir(options.build_dir), source,
                            shlex.join(_repeat(options)), options.gdb, max(1, options.jobs // cells_asked_for), options.cpus)


def _run_command(command: list[str], row: rows.Row, setup: suiterun.Options, options: argparse.Namespace) -> int:
    setup.acrn_dm = options.acrn_dm
    if setup.acrn_dm and acrndm.missing():
        say.warn(acrndm.missing())
    # cloud kernels have no 9p, by which a command sees this machine's files
    tree = kerneltree.obtain(replace(row, variant=row.variant.replace("cloud", "")), options.offline)
    say.note(f"kernel {tree.kernel}")
    return guestcmd.run_command(command, tree, setup)


def _run_suites(kernel: list[rows.Row], chosen: list[suites.Suite], setup: suiterun.Options, options: argparse.Namespace) -> int:
    say.live_line = terminal.can_rewrite_lines()
    try:
        done = cells.run(kernel, chosen, setup, _repeat(options), options.jobs, options.offline)
    except Interrupted as stop:
        say.live_line = False
        _tell_finished(stop, chosen, options)
        raise
    say.live_line = False
    return _conclude(done, chosen, options)


def _tell_finished(stop: Interrupted, chosen: list[suites.Suite], options: argparse.Namespace) -> None:
    """Hours may be in the cells that had ended."""
    if not stop.finished:
        return
    try:
        _conclude(stop.finished, chosen, options)
    except (HarnessError, BrokenPipeError) as error:
        say.last(str(error))


def _run(argv: list[str]) -> int:
    own, after = _split(argv)
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
        return _list_json(_select_kernels(kernel_rows, options, "all"))
    return _serve(options, _guest_command(options, after), known, kernel_rows)


def _serve(options: argparse.Namespace, command: list[str], known: dict[str, suites.Suite], kernel_rows: dict[str, rows.Row]) -> int:
    """First everything that can be refused, then everything that takes time."""
    wanted = options.suite + ["w1"] * options.w1 + ["sparse"] * options.sparse
    if options.acrn_dm and not command:
        raise UsageError("--acrn-dm is for a command; give it after `--`.")
    chosen = suites.select(known, wanted)
    if options.complete:
        chosen = [suites.complete(suite) for suite in chosen]
    kernel = _select_kernels(kernel_rows, options, kernels.DEFAULT)
    if command:
        _check_command(options, kernel, wanted)
    elif options.gdb:
        _check_gdb(kernel, chosen)
    reportfiles.check(options)
    _check_cache()
    in_qemu = any(row.kind != "uml" for row in kernel) and (command or any(s.kind != "build" for s in chosen))
    options.cpus = options.cpus or machines.cpus_beside(1 if command or options.gdb else options.jobs)
    setup = _setup(options, _engine(options) if in_qemu else "none", len(kernel))
    if command:
        return _run_command(command, kernel[0], setup, options)
    return _run_suites(kernel, chosen, setup, options)


def _told(done: list[cells.CellResult], chosen: list[suites.Suite], untested: list[str]) -> str:
    """KTAP, the tables, and what failed."""
    out = [report.ktap_cells(done)]
    out += [statements.table(suite, done) for suite in chosen]
    out += ["\n", report.table(done), report.failures(done)]
    if len(done) == 1:
        out.append(f"# kernel {done[0].kernel or 'none'}, accelerator {done[0].engine}\n")
    out += [line + "\n" for line in untested]
    total = results.count([suite for cell in done for suite in cell.suites])
    out.append((total + results.Counts(failed=len(untested))).line() + "\n")
    return "".join(out)


def _conclude(done: list[cells.CellResult], chosen: list[suites.Suite], options: argparse.Namespace) -> int:
    """Neither a report that cannot be written takes the results with it, nor an output that nobody reads the reports."""
    untested = [f"{suite.name}: no test of {name}" for suite in chosen for name in statements.untested(suite, done)]
    try:
        terminal.write_out(_told(done, chosen, untested))
    finally:
        reportfiles.write(done, options)
    good = all(results.green(cell.suites) or _all_skipped(cell) for cell in done)
    return 0 if good and _ran(done) and not untested else 1


def _all_skipped(cell: cells.CellResult) -> bool:
    return bool(cell.suites) and all(suite.verdict is results.Verdict.SKIP for suite in cell.suites)


def _ran(done: list[cells.CellResult]) -> bool:
    return any(results.count(cell.suites).passed for cell in done)


def _os_error(error: OSError) -> int:
    """A file that cannot be had: most likely one of the cache, on a disk that is full or somebody else's."""
    root = paths.cache_root()
    what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
    if error.filename and not str(error.filename).startswith(str(root)):
        say.last(f"{what}.")
        return 1
    say.last(f"{what}; the cache is {root}, XDG_CACHE_HOME names another.")
    return 2


def answer(argv: list[str]) -> int:
    """All of main() but what it does to the process."""
    try:
        return _run(argv)
    except UsageError as error:
        say.last(str(error))
        return 2
    except HarnessError as error:
        say.last(str(error))
        return 1
    except BrokenPipeError:
        return 128 + signal.SIGPIPE  # as if it had ended us: whoever read our output had enough
    except OSError as error:
        return _os_error(error)


def main(argv: list[str]) -> int:
    try:
        interrupts.catch()
        # depmod and mke2fs-like tools live in sbin, which users' paths often lack.
        os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        return answer(argv)
    except Interrupted as stop:
        ended = f"; kernels that had ended: {len(stop.finished)}, see above" if stop.finished else ""
        say.last(f"interrupted by {signal.Signals(stop.number).name}{ended}")
        return 128 + stop.number
    finally:
        interrupts.ignore()
