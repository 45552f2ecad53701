# SPDX-License-Identifier: MIT
"""Runs suites on one kernel: those that build, and those that run in the guest."""

import concurrent.futures
import hashlib
import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from . import boot, debugger, initramfs, kbuild, kerneltree, machines, modules, paths, say, shards, verdict
from .errors import HarnessError
from .kerneltree import KernelTree
from .plan import Plan
from .progress import Progress
from .results import Case, SuiteResult, Verdict
from .suites import Suite


@dataclass
class Options:
    accel: str
    fall_back: bool  # KVM was only probed, so TCG may take over
    timeout: float | None
    build_dir: Path
    source: Path | None = None  # where Kbuild is, when not in this repository
    repeat: str = "harness/run"
    gdb: bool = False
    guests: int = 1  # over how many the suites of a kernel are divided
    cpus: int = machines.MOST_CPUS  # of each guest in QEMU
    acrn_dm: int = 0  # MiB of the guest that CMD, an acrn-dm, will run
    progress: Progress = field(default_factory=lambda: Progress("harness"))


def repeat(options: Options, *suites: str) -> str:
    """The command that runs just these suites on this kernel again."""
    return options.repeat + "".join(f" -s {shlex.quote(suite)}" for suite in suites)


def run_build(suite: Suite, tree: KernelTree, options: Options) -> SuiteResult:
    """Each file that is compiled or checked is a case; its complaints are the failure's text."""
    with options.progress.stage(f"building the module ({suite.name})"):
        built = kbuild.build(tree, suite.mode, options.source)
    cases = []
    for name in dict.fromkeys(built.compiled):
        stem = name.rsplit(".", 1)[0]
        mine = [line for line in built.complaints if line.startswith(stem + ".")]
        cases.append(Case(name, Verdict.FAIL if mine else Verdict.PASS, 0.0, "\n".join(mine)))
    known = [line for case in cases for line in case.message.splitlines()]
    rest = [line for line in built.complaints if line not in known]
    if rest:
        cases.append(Case("headers and modpost", Verdict.FAIL, 0.0, "\n".join(rest)))
    result = SuiteResult(suite.name, Verdict.PASS if built.ok else Verdict.FAIL, "", cases)
    if not built.ok:
        result.reason = f"{len(built.complaints)} complaints" if built.complaints else \
            "make failed:\n" + kbuild.why_it_failed(built.log.read_text())
    result.log, result.repeat = str(built.log), repeat(options, suite.name)
    return result.settle()


def _program(suite: Suite, tree: KernelTree, options: Options) -> Path:
    if suite.kind == "c":
        flags = (f"-I{paths.REPO}/uapi",)
        return initramfs.compile_static(paths.HARNESS / suite.source, tree.arch, flags)
    return (options.build_dir / "bin" / suite.command).absolute()


def _argv(suite: Suite, program: Path) -> list[str]:
    results = f"/mv/out/{suite.name}.json"
    # a filter has one minus: all behind it is left out
    more = (":" if "-" in suite.cases else "-") + ":".join(suite.slow)
    wanted = suite.cases + (more if suite.slow else "")
    own = {
        "gtest": [f"--gtest_output=json:{results}", "--gtest_color=no", *([f"--gtest_filter={wanted}"] if wanted != "*" else [])],
        "bench": [f"--benchmark_out={results}", "--benchmark_out_format=json"],
    }.get(suite.kind, [])
    return [str(program), *suite.args, *own]


def _missing(suite: Suite, program: Path, options: Options) -> SuiteResult:
    place = program.parents[1].name
    preset = place.removeprefix("build-") if place.startswith("build-") else ""
    reason = f"{program} is not built; run scripts/build{' ' + preset if preset else ''} first, or give its place with --build-dir"
    return SuiteResult(suite.name, Verdict.FAIL, reason, repeat=repeat(options, suite.name)).settle()


def add_modules(archive, plan: Plan, tree: KernelTree, module: Path, also=()) -> None:
    index = modules.ModuleIndex(tree)
    for name in index.closure([*also, *modules.needs_of(module)]):
        archive.file(f"/mv/mod/{name}.ko", index.read(name))
        plan.put("load", f"/mv/mod/{name}.ko")
    archive.file(f"/mv/{module.name}", kbuild.lean(module, tree))
    plan.put("module-name", module.stem.replace("-", "_"))
    plan.put("module", f"/mv/{module.name}")


def run_guest(suites: list[Suite], tree: KernelTree, options: Options) -> list[SuiteResult]:
    """One boot for all suites; with several guests, one in each."""
    programs = {s.name: _program(s, tree, options) for s in suites}
    absent = [_missing(s, programs[s.name], options) for s in suites if not programs[s.name].exists()]
    present = [s for s in suites if programs[s.name].exists()]
    if not present:
        return absent
    with options.progress.stage("building the module"):
        module = kbuild.build_or_die(tree, options.source)
    if options.gdb and tree.arch == "um":
        raise HarnessError("--gdb wants a kernel in QEMU; give one with -k, e.g. -k bookworm-6.1.")
    if modules.needs_of(module) or any(s.modules for s in present):
        kerneltree.add_modules(tree)
    kerneltree.add_unwanted(tree, [name for s in present for name in s.modules])
    parts = shards.divide(present, 1 if options.gdb else options.guests)
    accel = options.accel if tree.arch == "um" else next((s.accel for s in present if s.accel), options.accel)
    engine = "" if tree.arch == "um" else f" ({accel})"
    where = f" in {len(parts)} guests" if len(parts) > 1 else ""
    with options.progress.stage(f"running the suites{engine}{where}", _set(present)):
        with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
            return absent + shards.unite(list(pool.map(lambda part: _boot(part, programs, tree, module, options, accel), parts)))


def _set(suites: list[Suite]) -> str:
    """A short name for these suites with these cases."""
    return hashlib.sha256(repr([(s.name, s.cases, s.slow) for s in suites]).encode()).hexdigest()[:8]


def _shape(present: list[Suite], options: Options) -> machines.Shape:
    return machines.Shape(next((s.cpus for s in present if s.cpus), options.cpus),
                          append="".join(f" {s.append}" for s in present if s.append))


def _boot(present: list[Suite], programs: dict[str, Path], tree: KernelTree, module: Path, options: Options,
          accel: str) -> list[SuiteResult]:
    archive, plan = initramfs.base(tree.arch), Plan()
    add_modules(archive, plan, tree, module, [name for s in present for name in s.modules])
    plan.put("loglevel", 8)
    if options.gdb:
        plan.put("debugger")
    archive.directory(str(paths.REPO))
    plan.put("cwd", str(paths.REPO))
    for suite in present:
        initramfs.add_program(archive, programs[suite.name])
        for pattern in suite.files:
            for path in sorted(options.build_dir.glob(pattern)):
                add = initramfs.add_program if os.access(path, os.X_OK) else initramfs.add_file
                add(archive, path)
        for path in map(Path, suite.programs):
            if not path.exists():
                raise HarnessError(f"suite {suite.name} needs {path}, which this machine does not have; run scripts/setup.")
            initramfs.add_program(archive, path)
        plan.suite(suite.name, _argv(suite, programs[suite.name]), 0 if options.gdb else suite.timeout, suite.env)
    archive.file("/mv/plan", plan.bytes())

    run = paths.new_run_dir()
    limit = options.timeout or boot.BOOT_SECONDS + sum(s.timeout for s in present)
    with say.about(options.progress.cell):
        say.note(f"logs in {run}")
        watch = debugger.Watch(run, module, tree) if options.gdb else None
        record = boot.boot(tree, archive.finish(), run, accel, limit, options.fall_back, watch,
                           _shape(present, options))
    results = verdict.judge(present, record)
    for result in results:
        result.log = str(run)
        result.repeat = repeat(options, result.name) if result.name != "module" else \
            repeat(options, *(s.name for s in present))
    return results


def run(suites: list[Suite], tree: KernelTree, options: Options) -> list[SuiteResult]:
    results = []
    for suite in suites:
        if suite.kind == "build":
            results.append(run_build(suite, tree, options))
    guests = [s for s in suites if s.kind != "build"]
    if guests:
        try:
            results += run_guest(guests, tree, options)
        except HarnessError as error:
            say.warn(str(error))
            again = repeat(options, *(s.name for s in guests))
            results.append(SuiteResult("module", Verdict.FAIL, str(error), repeat=again, log=error.log).settle())
            # a suite that was asked for stands in every report
            results += [SuiteResult(s.name, Verdict.NOTHING, "it was never started: there is no module", repeat=repeat(options, s.name),
                                    log=error.log).settle() for s in guests]
    return results
