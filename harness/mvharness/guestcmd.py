# SPDX-License-Identifier: MIT
"""`harness/run -- CMD`: one command on the host's files, in a guest with the module loaded.

With a terminal, the command's stdio is the guest's serial console. Otherwise stdin, stdout and stderr are three
virtio-serial ports: binary-safe, kept apart, and end-of-file arrives.
"""

import contextlib
import math
import os
import re
import select
import socket
import struct
import subprocess
import time
from enum import Enum
from pathlib import Path

from . import acrndm, boot, initramfs, kbuild, kerneltree, machines, modules, paths, qemu, say, splat, terminal, verdict
from .errors import HarnessError, UsageError
from .kerneltree import KernelTree
from .plan import Plan
from .results import Verdict
from .suiterun import Options, add_modules

KEPT_ENVIRONMENT = ("PATH", "TERM", "HOME", "LANG", "LC_ALL")
EXIT_LINE = re.compile(r"^command exit (\d+)$", re.M)
GUEST_LOST = 125  # like docker and env: the tool failed, not the command
GUEST_TIMEOUT = 124  # like timeout(1)
STOPPED = 130  # like what Ctrl-C ends
STREAMS = ("stdin", "stdout", "stderr")


class End(Enum):
    """What ended the relaying."""
    GUEST = "the guest ended"
    LIMIT = "the time limit passed"
    USER = "Ctrl-] was pressed"


def _archive(command: list[str], tree: KernelTree, options: Options, on_terminal: bool) -> bytes:
    kerneltree.add_modules(tree)
    module = kbuild.build_or_die(tree, options.source)
    archive, plan = initramfs.base(tree.arch), Plan()
    add_modules(archive, plan, tree, module, modules.HOST_ROOT)
    plan.put("loglevel", 1)
    plan.put("command", "terminal" if on_terminal else "streams")
    plan.put("cwd", os.getcwd())
    if options.timeout:
        plan.put("timeout", math.ceil(options.timeout))  # in the guest, 0 is no limit
    rows, columns = terminal.size()
    plan.put("rows", rows)
    plan.put("columns", columns)
    if options.acrn_dm:
        acrndm.put(plan)
    for name in KEPT_ENVIRONMENT:
        if name in os.environ:
            plan.put("env", f"{name}={os.environ[name]}")
    for arg in command:
        plan.put("arg", arg)
    archive.file("/mv/plan", plan.bytes())
    return archive.finish()


def _shape(options: Options) -> machines.Shape:
    if not options.acrn_dm:
        return machines.Shape(options.cpus)
    return machines.Shape(options.cpus, acrndm.machine_mib(options.acrn_dm), acrndm.kernel_line(options.acrn_dm))


def _host_root() -> list[str]:
    return ["-virtfs", "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap"]


def _stream_devices(work: Path) -> list[str]:
    out = ["-device", "virtio-serial-pci"]
    for name in STREAMS:
        out += ["-chardev", f"socket,id={name},path={work}/{name},server=on,wait=off",
                "-device", f"virtserialport,chardev={name},name={name}"]
    return out


def _connect(work: Path, process: subprocess.Popen) -> dict[str, socket.socket]:
    """QEMU makes the sockets when it starts."""
    out = {}
    for name in STREAMS:
        end = time.monotonic() + 10
        while True:
            link = socket.socket(socket.AF_UNIX)
            try:
                link.connect(str(work / name))
                break
            except OSError:
                link.close()
                if process.poll() is not None or time.monotonic() > end:
                    raise HarnessError("QEMU did not start; its message is above.") from None
                time.sleep(0.02)
        out[name] = link
    return out


def _relay_streams(process: subprocess.Popen, links: dict[str, socket.socket], deadline: float | None) -> End:
    """Copies until QEMU ends or the deadline passes."""
    targets = {links["stdout"]: 1, links["stderr"]: 2}
    stdin_fd: int | None = 0
    pending = b""
    while targets:
        if deadline and time.monotonic() > deadline:
            return End.LIMIT
        readers: list = list(targets)
        if stdin_fd is not None and not pending:
            readers.append(stdin_fd)
        ready, writable, _ = select.select(readers, [links["stdin"]] if pending else [], [], 0.2)
        for item in ready:
            if item == stdin_fd:
                data = os.read(0, 65536)
                # Length and bytes; an empty record is end-of-file (pump_stdin() in init.c).
                pending = struct.pack("<I", len(data)) + data
                if not data:
                    stdin_fd = None
                continue
            try:
                data = item.recv(65536)
            except OSError:
                data = b""
            if data:
                terminal.write_all(targets[item], data)
            else:
                del targets[item]
        if writable:
            try:
                sent = links["stdin"].send(pending)
                pending = pending[sent:]
            except OSError:
                pending, stdin_fd = b"", None
        if process.poll() is not None and not ready:
            return End.GUEST
    ended = qemu.wait(process, None if deadline is None else max(1.0, deadline - time.monotonic()))
    return End.GUEST if ended else End.LIMIT


def _relay_terminal(process: subprocess.Popen, log, deadline: float | None) -> End:
    """Keys in, screen out, and a copy of the screen to the log."""
    assert process.stdin and process.stdout  # pipes, as run_command() asked for
    console = process.stdout.fileno()
    with terminal.raw():
        open_stdin = True
        while True:
            if deadline and time.monotonic() > deadline:
                return End.LIMIT
            ready, _, _ = select.select([console] + ([0] if open_stdin else []), [], [], 0.2)
            if 0 in ready:
                keys = os.read(0, 4096)
                if terminal.ESCAPE in keys:
                    return End.USER
                open_stdin = bool(keys)
                with contextlib.suppress(BrokenPipeError):  # the guest ended; the console tells so below
                    os.write(process.stdin.fileno(), keys)
            if console in ready:
                data = os.read(console, 65536)
                if not data:
                    process.wait()
                    return End.GUEST
                terminal.write_all(1, data)
                log.write(data)


def _conclude(record: verdict.BootRecord, run: Path) -> int:
    match = EXIT_LINE.search(record.verdict)
    outcome = verdict.judge_boot(record)
    splats = splat.find(record.console) or splat.find(record.kmsg)
    if "command timeout" in record.verdict:
        say.warn(f"the command was killed at its time limit; log: {run}")
        return GUEST_TIMEOUT
    if match is None:
        say.warn(f"{outcome.verdict.value}: {outcome.reason}; log: {run}")
        return GUEST_TIMEOUT if outcome.verdict is Verdict.TIMEOUT else GUEST_LOST
    code = int(match[1])
    if splats or outcome.verdict is not Verdict.PASS:
        say.warn(f"{outcome.verdict.value}: {outcome.reason}; log: {run}")
        # A command that ended well in a kernel that did not is no success.
        return code or 1
    return code


def refuse_other_machines(arch: str, kernel: str) -> None:
    if arch != "amd64":
        raise UsageError(f"-- CMD and --shell use this machine's programs, which {kernel} cannot run or reach; "
                         "use -k with an amd64 kernel of Debian.")


def run_command(command: list[str], tree: KernelTree, options: Options) -> int:
    """The command's own exit code, or 124 (time limit) or 125 (the guest did not survive)."""
    refuse_other_machines(tree.arch, str(tree.kernel))
    on_terminal = terminal.is_terminal()
    run = paths.new_run_dir()
    initrd = run / "initramfs.cpio"
    archive = _archive(command, tree, options, on_terminal)
    say.note(f"booting {tree.kernel} ({options.accel}), logs in {run}" + ("; Ctrl-] stops it" if on_terminal else ""))
    limit = options.timeout + boot.BOOT_SECONDS if options.timeout else None
    deadline = time.monotonic() + limit if limit else None
    process = None
    with paths.socket_directory() as work, open(run / "console.log", "ab") as log:
        if on_terminal:
            console = ["-chardev", "stdio,id=console,signal=off"]
        else:
            console = [*machines.console_to_file(run), *_stream_devices(Path(work))]
        argv = machines.command_line(tree, options.accel, initrd, run, [*console, *_host_root()],
                                     _shape(options))
        (run / "qemu.txt").write_text(" ".join(argv) + "\n")
        try:
            initrd.write_bytes(archive)
            if on_terminal:
                process = qemu.start(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                end = _relay_terminal(process, log, deadline)
            else:
                process = qemu.start(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                end = _relay_streams(process, _connect(Path(work), process), deadline)
        finally:
            if process:
                qemu.stop(process)
            initrd.unlink(missing_ok=True)
    if end is End.USER:
        say.warn(f"stopped; log: {run}")
        return STOPPED
    return _conclude(boot.collect(run, process.returncode if end is End.GUEST else None, limit or 0), run)
