# SPDX-License-Identifier: MIT
"""The command line of harness/run."""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path

from . import accel, guestcmd, kernels, kerneltree, paths, report, results, say, suiterun, suites
from .errors import HarnessError, UsageError

DESCRIPTION = """\
Boots a stock Debian kernel in QEMU, loads mockvisor.ko there, and runs suites or a command of yours.
Needs no root and no /dev/kvm. Kernels and builds are cached in ~/.cache/mockvisor (XDG_CACHE_HOME is honoured)."""

EPILOG = """\
examples:
  harness/run                               the default suites
  harness/run -s glue --junit out.xml       one suite, results also as JUnit XML
  harness/run -- build/bin/mvmm --help      any command, on this machine's files (read-only), module loaded
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


def parser() -> Parser:
    out = Parser(prog="harness/run", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                 usage="harness/run [-k PACKAGE] [-s SUITE]... [options] [--shell | -- CMD...]",
                 formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("-k", dest="package", metavar="PACKAGE", default=kernels.DEFAULT,
                     help=f"kernel image package of Debian bookworm; default: the newest 6.1 ({kernels.DEFAULT})")
    out.add_argument("-s", dest="suite", metavar="SUITE", action="append", default=[],
                     help="a suite to run; may be given more than once (see --list)")
    out.add_argument("--accel", choices=accel.CHOICES, default="auto", help="default: auto, which runs a probe guest")
    out.add_argument("--timeout", metavar="S", type=_seconds,
                     help="seconds for the boot with all its suites, or for CMD; default: the suites' own; none for CMD")
    out.add_argument("--junit", metavar="FILE", help="also write JUnit XML")
    out.add_argument("--build-dir", metavar="DIR", default="build", help="where bin/ is; default: build")
    out.add_argument("--source", metavar="DIR", help="build the module from DIR/Kbuild instead of this repository")
    out.add_argument("--offline", action="store_true", help="use cached kernels only")
    out.add_argument("--w1", action="store_true", help="the same as -s w1")
    out.add_argument("--sparse", action="store_true", help="the same as -s sparse")
    out.add_argument("--shell", action="store_true", help="an interactive shell in the guest")
    out.add_argument("--list", action="store_true", help="list the suites and end")
    out.add_argument("command", nargs="*", metavar="CMD", help=argparse.SUPPRESS)
    return out


def _split(argv: list[str]) -> tuple[list[str], list[str] | None]:
    """Our own arguments and the command after `--`."""
    if "--" in argv:
        at = argv.index("--")
        return argv[:at], argv[at + 1:]
    return argv, None


def _list(known: dict[str, suites.Suite]) -> int:
    width = max(len(name) for name in known)
    for suite in known.values():
        mark = "*" if suite.default else " "
        print(f"{mark} {suite.name:<{width}}  {suite.kind:<5}  {suite.description}")
    print("(* = run by default)")
    return 0


def _build_dir(text: str) -> Path:
    path = Path(text)
    return path if path.is_absolute() or path.is_dir() else paths.REPO / path


def _repeat(options: argparse.Namespace) -> str:
    words = ["harness/run"]
    for flag, value, default in (("-k", options.package, kernels.DEFAULT), ("--accel", options.accel, "auto"),
                                 ("--build-dir", options.build_dir, "build"), ("--source", options.source, None)):
        if value != default:
            words += [flag, value]
    return shlex.join(words)


def _run(argv: list[str]) -> int:
    own, command = _split(argv)
    options = parser().parse_args(own)
    if options.command:
        raise UsageError(f"unexpected argument {options.command[0]!r}; a command for the guest follows `--`.")
    known = suites.load()
    if options.list:
        return _list(known)
    wanted = options.suite + ["w1"] * options.w1 + ["sparse"] * options.sparse
    if command is not None and not command:
        raise UsageError("`--` needs a command after it, e.g. harness/run -- uname -a.")
    if options.shell:
        if command:
            raise UsageError("--shell takes no command; use either --shell or -- CMD.")
        command = [os.environ.get("SHELL") or "/bin/sh", "-i"]
    if command and wanted:
        raise UsageError("a command and suites cannot be run together; use either -s SUITE or -- CMD.")
    chosen = suites.select(known, wanted)
    source = Path(options.source).resolve() if options.source else None

    kernel = kernels.resolve(options.package, options.offline)
    say.note(f"kernel {kernel}")
    tree = kerneltree.prepare(kernel, options.offline)
    engine, why = "none", ""
    if command or any(s.kind != "build" for s in chosen):
        engine, why = accel.choose(options.accel)
        say.note(f"accelerator {engine}: {why}")
    setup = suiterun.Options(engine, options.accel == "auto", options.timeout, _build_dir(options.build_dir), source,
                             _repeat(options))
    if command:
        return guestcmd.run_command(command, tree, setup)
    done = suiterun.run(chosen, tree, setup)
    if options.junit:
        properties = {"kernel": str(kernel), "accelerator": engine}
        paths.publish_file(Path(options.junit).absolute(), report.junit(done, properties))
    sys.stdout.write(report.ktap(done))
    print(f"# kernel {kernel}, accelerator {engine}")
    print(results.count(done).line())
    return 0 if results.green(done) else 1


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
