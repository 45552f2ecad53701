# SPDX-License-Identifier: MIT
"""Guests and caches that go wrong in ways a recording cannot show: a sentence, the right verdict, nothing left behind."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from mvharness import kerneltree, paths, rows
from tests import as_in_a_terminal

FIXTURES = paths.HARNESS / "tests/fixtures"
QEMU = "bookworm-6.1"
UML = "uml-6.1"


def command(*argv: str) -> list[str]:
    return [str(paths.HARNESS / "run"), "--source", str(FIXTURES / "module"), "--suites", str(FIXTURES / "suites.toml"), *argv]


def processes(word: str) -> list[int]:
    """Those whose command line has the word."""
    out = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if word in (entry / "cmdline").read_text(errors="replace"):
                    out.append(int(entry.name))
            except OSError:
                continue
    return out


def eventually(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


class QemuTest(unittest.TestCase):
    def start(self, suite: str = "sleep", *more: str) -> tuple[subprocess.Popen, Path]:
        process = subprocess.Popen(command("-k", QEMU, "-s", suite, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, preexec_fn=as_in_a_terminal)
        self.addCleanup(process.kill)
        for line in process.stderr:
            found = re.search(r"logs in (\S+)", line)
            if found:
                return process, Path(found[1])
        self.fail(process.communicate()[0])

    def running(self) -> tuple[subprocess.Popen, Path]:
        process, run_dir = self.start()
        log = run_dir / "verdict.log"
        self.assertTrue(eventually(lambda: log.exists() and "suite sleep begin" in log.read_text()), "the suite never began")
        return process, run_dir

    def test_killed_qemu_is_lost(self):
        process, run_dir = self.running()
        for pid in processes(str(run_dir)):
            os.kill(pid, signal.SIGKILL)
        said, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)
        self.assertIn("lost: the guest ended (QEMU status -9) without a verdict; its last word was `suite sleep begin`", said)
        self.assertIn("repeat: ", said)

    def end_by(self, number: int) -> int:
        process, run_dir = self.running()
        self.assertTrue(processes(str(run_dir)))
        os.kill(process.pid, number)
        process.communicate(timeout=30)
        self.assertTrue(eventually(lambda: not processes(str(run_dir)), 5), processes(str(run_dir)))
        return process.returncode

    def test_interrupt_leaves_no_qemu(self):
        self.assertEqual(self.end_by(signal.SIGINT), 130)

    def test_kill_leaves_no_qemu(self):
        self.assertEqual(self.end_by(signal.SIGKILL), -signal.SIGKILL)

    def test_gdb_stops_in_the_module(self):
        process, run_dir = self.start("fault-race", "--gdb")
        script = run_dir / "gdb.commands"
        self.assertTrue(eventually(script.exists), "no gdb command was told")
        done = subprocess.run(["gdb", "-batch", "-nx", "-x", script, "-ex", "break fixture_write", "-ex", "continue",
                               "-ex", "print size", "-ex", "delete", "-ex", "detach"],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertRegex(done.stdout, r"hit Breakpoint 1.*fixture_write")
        self.assertRegex(done.stdout, r"\$1 = 2")
        said, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, said)


# What acrn-dm does before it opens the node, in its order.
ACRN_DM = """
set -e
test -r /sys/firmware/acpi/tables/APIC
mkdir -p /run/hugepage/acrn /run/acrn/mngr
touch /run/hugepage/acrn/lock /run/acrn/mngr/VM1.1.socket /var/log/acrn-dm/acrn.log
grep -q "^HugePages_Free: *73$" /proc/meminfo
echo 80 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
grep -q "^HugePages_Total: *80$" /proc/meminfo
test ! -e /dev/acrn_vhm
test -r /dev/acrn_hsm -a -w /dev/acrn_hsm
cat /proc/mtrr >/dev/null
test -n "$(ls /sys/bus/pci/devices)"
iasl -v | grep -q "Intel ACPI"
echo 1 >/sys/devices/virtual/misc/acrn_hsm/remove_cpu
"""


# While it echoes, 64 MiB of the 73 reserved pages are the guest's.
HUGEPAGES = """
set -e
(sleep 4; echo from huge pages) | build/bin/mvmm --backend acrn --hugepages --memory 64m \\
    --flat build/guests/echo.x86_64.bin@0x10000 &
for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
    sleep 0.3
    grep -q "^HugePages_Free: *41$" /proc/meminfo && break
done
grep "^HugePages_Free: *41$" /proc/meminfo
wait $!
grep "^HugePages_Free: *73$" /proc/meminfo
"""


class CommandTest(unittest.TestCase):
    def test_guest_memory_from_huge_pages(self):
        done = subprocess.run([str(paths.HARNESS / "run"), "-k", QEMU, "--acrn-dm=128", "--", "/bin/sh", "-c", HUGEPAGES],
                              capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
                              cwd=paths.REPO)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("from huge pages", done.stdout)

    def test_acrn_dm_finds_what_it_looks_for(self):
        done = subprocess.run([str(paths.HARNESS / "run"), "-k", QEMU, "--acrn-dm=128", "--", "/bin/sh", "-xc", ACRN_DM],
                              capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)


class KernelTest(unittest.TestCase):
    """Kernels of one's own: a directory with headers/ and a program."""

    def run_kernel(self, script: str) -> subprocess.CompletedProcess:
        tree = kerneltree.obtain(rows.load()[UML])
        with tempfile.TemporaryDirectory() as work:
            place = Path(work) / "kernel"
            place.mkdir()
            (place / "headers").symlink_to(tree.root)
            program = place / "linux"
            program.write_text(f"#!/bin/bash\nKERNEL={tree.boot}\n{script}\n")
            program.chmod(0o755)
            return subprocess.run(command("-k", str(place), "-s", "nothing-wrong", "--timeout", "60"), capture_output=True,
                                  text=True, check=False)

    def test_a_directory_of_ones_own_runs(self):
        done = self.run_kernel('exec "$KERNEL" "$@"')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_panic_at_boot_is_a_crash(self):
        done = self.run_kernel('exec "$KERNEL" "${@/initrd=*/root=/dev/none}"')
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"crash: the guest's kernel panicked: No working init found")

    def test_garbage_is_lost(self):
        done = self.run_kernel('head -c 300000 /dev/urandom; for f in /proc/self/fd/*; do head -c 9999 /dev/urandom >"$f"; done')
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, "module: (lost|crash)")
        self.assertNotIn("Traceback", done.stderr)


class RebootTest(unittest.TestCase):
    def test_a_guest_that_reboots_is_lost(self):
        for kernel in (QEMU, UML):
            done = subprocess.run(command("-k", kernel, "-s", "fault-reboot"), capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("fault-reboot: lost: it never ended; the guest ended", done.stdout)


class DebTest(unittest.TestCase):
    def test_truncated_deb_is_thrown_away_and_fetched_again(self):
        kernel = kerneltree.obtain(rows.load()[QEMU]).kernel
        real = paths.cache_root()
        with tempfile.TemporaryDirectory() as base:
            cache = Path(base) / "mockvisor"
            (cache / "debs").mkdir(parents=True)
            for name in ("apt", "resolved", "ldwrap"):
                if (real / name).exists():
                    (cache / name).symlink_to(real / name)
            cut = None
            for name, version in ((kernel.image, kernel.version), *kernel.headers):
                file = next((real / "debs").glob(f"{name}_{version}_*.deb"), None)
                if file is None:
                    continue
                if name.startswith("linux-headers") and cut is None:
                    cut = cache / "debs" / file.name
                    cut.write_bytes(file.read_bytes()[:100_000])
                else:
                    shutil.copy(file, cache / "debs")
            self.assertIsNotNone(cut)
            argv, env = command("-k", QEMU, "-s", "nothing-wrong"), dict(os.environ, XDG_CACHE_HOME=base)
            first = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
            self.assertEqual(first.returncode, 1, first.stdout)
            self.assertIn("is damaged", first.stdout)
            self.assertEqual(list((cache / "kernels").glob("[0-9]*")), [])
            self.assertFalse(cut.exists())
            second = subprocess.run(argv, capture_output=True, text=True, check=False, env=env)
            self.assertEqual(second.returncode, 0, second.stdout + second.stderr)


if __name__ == "__main__":
    unittest.main()
