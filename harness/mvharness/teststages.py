# SPDX-License-Identifier: MIT
"""scripts/test: everything that has to pass, as a list of stages whose counts are added up."""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator

from . import paths, qemu
from .results import Counts

DESCRIPTION = """\
Runs every check and test in stages and prints a table of them. The last line is `N passed, N failed`
(and `, N skipped`). A stage that runs nothing fails."""


@dataclass
class Stage:
    title: str
    run: Callable[["Context"], Counts]
    slow: bool = False  # left out by --quick
    matrix: bool = False  # left out by --quick and --host: more kernels, some of them built from source
    needs_build: bool = False
    quick: bool = False  # only with --quick: the short form of another
    sanitizers: bool = False  # only with --sanitizers: a kernel that takes long to build


@dataclass
class Context:
    work: Path
    repo: Path = paths.REPO
    failures: list[str] = field(default_factory=list)  # how to repeat what failed

    def call(self, argv: list[str], capture: bool = False, env: dict[str, str] | None = None):
        """Runs one program in the repository; it dies with us."""
        return subprocess.run(argv, cwd=self.repo, env=dict(os.environ, **(env or {})), text=True, check=False,
                              stdin=subprocess.DEVNULL, preexec_fn=qemu.die_with_parent,
                              stdout=subprocess.PIPE if capture else None,
                              stderr=subprocess.STDOUT if capture else None)

    def each(self, commands: list[list[str]]) -> Counts:
        """Every command is a case."""
        total = Counts()
        for argv in commands:
            done = self.call(argv, capture=True)
            if done.returncode:
                print(done.stdout.rstrip())
                self.failures.append(" ".join(argv))
            total += Counts(done.returncode == 0, done.returncode != 0)
        return total


def count_junit(path: Path) -> Counts:
    """Cases of a JUnit file as CTest and harness/run write it; an unreadable file is no case at all."""
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError):
        return Counts()
    total = Counts()
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            total.failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
            total.skipped += 1
        else:
            total.passed += 1
    return total


def count_unittest(text: str) -> Counts:
    """The closing lines of `python3 -m unittest`."""
    ran = re.search(r"^Ran (\d+) tests?", text, re.M)
    if not ran:
        return Counts()
    rest = text[ran.end():]

    def number(word: str) -> int:
        match = re.search(rf"\b{word}=(\d+)", rest)
        return int(match[1]) if match else 0

    failed = number("failures") + number("errors") + number("unexpected successes")
    skipped = number("skipped")
    return Counts(max(0, int(ran[1]) - failed - skipped), failed, skipped)


def must(counts: Counts, returncode: int) -> Counts:
    """A program that failed without a failed case still is a failure."""
    return counts + Counts(failed=1) if returncode and not counts.failed else counts


def build_preset(preset: str) -> Callable[[Context], Counts]:
    def run(context: Context) -> Counts:
        return context.each([["scripts/build", preset]])
    return run


def ctest(directory: str, env: dict[str, str] | None = None, *more: str) -> Callable[[Context], Counts]:
    def run(context: Context) -> Counts:
        junit = context.work / f"{directory}.xml"
        argv = ["ctest", "--test-dir", directory, "--output-on-failure", "--progress", "--parallel",
                str(os.cpu_count() or 1), "--output-junit", str(junit), *more]
        done = context.call(argv, capture=True, env=env)
        if done.returncode:
            print("\n".join(done.stdout.splitlines()[-80:]))
            context.failures.append(" ".join(argv[:4] + ["--rerun-failed"]))
        return must(count_junit(junit), done.returncode)
    return run


def sanitized(preset: str, env: dict[str, str], *more: str) -> Callable[[Context], Counts]:
    """A build with a sanitizer and its tests; leaks and reports make a test's exit code bad."""
    def run(context: Context) -> Counts:
        built = build_preset(preset)(context)
        return built if built.failed else built + ctest(f"build-{preset}", env, *more)(context)
    return run


def harness(*suites: str, kernels: str = "", more: tuple[str, ...] = ()) -> Callable[[Context], Counts]:
    def run(context: Context) -> Counts:
        junit = context.work / f"harness-{kernels}-{'-'.join((*suites, *more)) or 'default'}.xml"
        argv = ["harness/run", *(["-k", kernels] if kernels else []), *(w for suite in suites for w in ("-s", suite)), *more]
        done = context.call([*argv, "--junit", str(junit)])
        if done.returncode:
            context.failures.append(" ".join(argv))
        return must(count_junit(junit), done.returncode)
    return run


def check_rules(context: Context) -> Counts:
    checks = sorted(p for p in (context.repo / "scripts/checks").iterdir() if os.access(p, os.X_OK) and p.is_file())
    return context.each([[str(p.relative_to(context.repo))] for p in checks])


def check_shell(context: Context) -> Counts:
    # safe.directory: in containers the checkout often belongs to another user.
    argv = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"]
    listed = context.call(argv, capture=True).stdout.splitlines()
    scripts = []
    for name in listed:
        path = context.repo / name
        if path.is_file() and (name.endswith(".sh") or re.match(rb"#!.*\b(ba|da)?sh\b", _head(path))):
            scripts.append(name)
    return context.each([["shellcheck", name] for name in scripts])


def _head(path: Path) -> bytes:
    with open(path, "rb") as handle:
        return handle.readline(80)


def check_python_style(context: Context) -> Counts:
    """A linter and a type checker: the harness has no compiler to find its misspelt names."""
    scripts = [str(p.relative_to(context.repo)) for p in sorted((context.repo / "scripts/checks").iterdir())
               if p.is_file() and b"python" in _head(p)]
    sources = sorted(str(p.relative_to(context.repo)) for p in (context.repo / "harness").rglob("*.py"))
    package = sorted(str(p.relative_to(context.repo)) for p in (context.repo / "harness/mvharness").glob("*.py"))
    return context.each([["pyflakes3", name] for name in [*sources, "harness/run", *scripts]]
                        + [["mypy", "--python-version", "3.11", "--no-error-summary", "--cache-dir", "/dev/null", *package]])


def run_unittest(context: Context, argv: list[str]) -> Counts:
    done = context.call(argv, capture=True)
    if done.returncode:
        print(done.stdout, flush=True)
        context.failures.append(" ".join(argv))
    return must(count_unittest(done.stdout), done.returncode)


def check_python(pattern: str) -> Callable[[Context], Counts]:
    def run(context: Context) -> Counts:
        return run_unittest(context, ["python3", "-m", "unittest", "discover", "-s", "harness/tests", "-t", "harness", "-p", pattern])
    return run


def check_python_each(pattern: str) -> Callable[[Context], Counts]:
    """The same with a process for every test, as many at a time as there are processors: tests that wait for one guest."""
    def tests(suite) -> Iterator[str]:
        for test in suite:
            if isinstance(test, unittest.TestSuite):
                yield from tests(test)
            else:
                yield test.id()

    def run(context: Context) -> Counts:
        names = list(tests(unittest.TestLoader().discover(str(context.repo / "harness/tests"), pattern,
                                                          str(context.repo / "harness"))))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return sum(pool.map(lambda name: run_unittest(context, ["env", "PYTHONPATH=harness", "python3", "-m", "unittest", name]),
                                names), Counts())
    return run


ASAN = {"ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
TSAN = {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"}

STAGES = [
    Stage("setup", lambda c: c.each([["scripts/setup"]])),
    Stage("shellcheck", check_shell),
    Stage("Python linter and types", check_python_style),
    Stage("harness unit tests", check_python("test_*.py")),
    Stage("build", build_preset("release")),
    # one of the rules runs what the README shows
    Stage("rules: layers, licences, README", check_rules, needs_build=True),
    Stage("tests on this machine", ctest("build"), needs_build=True),
    Stage("Debian's kernel as a guest", check_python_each("linux_*.py"), slow=True, needs_build=True),
    Stage("Debian's firmware as a guest", check_python_each("firmware_*.py"), slow=True, needs_build=True),
    Stage("ASan and UBSan", sanitized("asan", ASAN), slow=True),
    Stage("TSan", sanitized("tsan", TSAN), slow=True),
    Stage("plugin protocol, small guests and device trees under libFuzzer", sanitized("fuzz", ASAN, "-R", "fuzz"), slow=True),
    Stage("module with W=1", harness("w1"), slow=True),
    Stage("module with sparse", harness("sparse"), slow=True),
    Stage("suites in the guest", harness(more=("--complete",)), slow=True, needs_build=True),
    Stage("suites in the guest, gate set", harness(), quick=True, needs_build=True),
    Stage("plugins on ACRN's machine", harness("plugin-acrn"), slow=True, needs_build=True),
    Stage("plugins in their sandbox", harness("plugin-sandbox"), slow=True, needs_build=True),
    Stage("plugins on Linux's KVM", harness("plugin-kvm"), slow=True, needs_build=True),
    Stage("build for arm64", build_preset("arm64"), matrix=True),
    Stage("kernels: oldest to newest, arm64, UML", harness(kernels="gate", more=("-j", "2")), matrix=True, needs_build=True),
    Stage("every allocation fails once; coverage", harness("fail-nth", "coverage", kernels="uml-kasan"), matrix=True),
    Stage("packages", check_python("package_*.py"), matrix=True),
    Stage("flavors find faults, trouble is told", check_python_each("slow_*.py"), matrix=True),
    Stage("race detector finds races", check_python("sanitizer_*.py"), sanitizers=True),
    Stage("suites under the race detector", harness(kernels="sanitizers"), sanitizers=True, needs_build=True),
]


def chosen(options: argparse.Namespace) -> list[Stage]:
    """The stages that the options ask for."""
    if options.quick:
        return [stage for stage in STAGES if not stage.slow and not stage.matrix and not stage.sanitizers]
    return [stage for stage in STAGES if not stage.quick and not (options.host and stage.matrix)
            and (options.sanitizers or not stage.sanitizers)]


def run_stages(stages: list[Stage], context: Context) -> tuple[Counts, list[tuple[str, Counts, float, str]]]:
    """The sum and a row per stage."""
    total, rows, build_failed = Counts(), [], False
    for stage in stages:
        print(f"\n==> {stage.title}", flush=True)
        start, remark = time.monotonic(), ""
        if stage.needs_build and build_failed:
            counts, remark = Counts(failed=1), "not run: the build failed"
        else:
            counts = stage.run(context)
            if counts == Counts():
                counts, remark = Counts(failed=1), "ran nothing"
            elif not counts.passed and not counts.failed:
                remark = "every case was skipped"
        build_failed |= stage.title == "build" and bool(counts.failed)
        rows.append((stage.title, counts, time.monotonic() - start, remark))
        total += counts
    return total, rows


def print_table(rows: list[tuple[str, Counts, float, str]]) -> None:
    print(f"\n{'stage':<38} {'passed':>7} {'failed':>7} {'skipped':>7} {'seconds':>8}")
    for title, counts, seconds, remark in rows:
        line = f"{title:<38} {counts.passed:>7} {counts.failed:>7} {counts.skipped:>7} {seconds:>8.1f}"
        print(f"{line}  {remark}".rstrip())


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/test", description=DESCRIPTION, allow_abbrev=False)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--quick", action="store_true", help="the gate set of one kernel; no ASan, TSan, W=1, sparse, matrix")
    only.add_argument("--host", action="store_true",
                      help="no matrix: one stock kernel, none built from source, no arm64, no packages (ten minutes)")
    only.add_argument("--sanitizers", action="store_true",
                      help="also an x86 kernel with the race detector, which takes ten minutes to build")
    options = parser.parse_args(argv)
    work = Path(tempfile.mkdtemp(prefix="mockvisor-test-"))
    try:
        context = Context(work)
        total, rows = run_stages(chosen(options), context)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print_table(rows)
    if context.failures:
        print("\nrepeat what failed with:")
        for command in dict.fromkeys(context.failures):
            print(f"  {command}")
    print(f"\n{total.line()}")
    return 0 if total.green else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
