# SPDX-License-Identifier: MIT
"""The process of a guest: how it is scheduled, and that it ends."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from mvharness import deb, machines, paths, qemu
from mvharness.errors import HarnessError

# A make with a compiler: a process that starts another one and waits for it.
NESTED = "import sys; from mvharness import qemu; qemu.run(['sh', '-c', 'sleep 300 & echo $$ >\"$1\"; wait', 'sh', sys.argv[1]])"


def eventually(condition) -> bool:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def alive(group: int) -> bool:
    """Zombies do not count: nobody may be there to wait for them."""
    done = subprocess.run(["ps", "-o", "stat=", "--sid", str(group)], capture_output=True, text=True, check=False)
    return any(line[0] != "Z" for line in done.stdout.split())


class GuestProcessTest(unittest.TestCase):
    def test_preempts_nobody_by_waking_up(self):
        process = qemu.start(["sleep", "60"], stdin=subprocess.DEVNULL)
        try:
            self.assertEqual(os.sched_getscheduler(process.pid), os.SCHED_BATCH)
        finally:
            qemu.stop(process)
        self.assertLess(process.returncode, 0)

    def test_what_kills_us_kills_what_a_build_started(self):
        with tempfile.TemporaryDirectory() as work:
            file = Path(work) / "pid"
            harness = subprocess.Popen([sys.executable, "-c", NESTED, file], cwd=paths.HARNESS)
            self.assertTrue(eventually(lambda: file.exists() and file.read_text().strip()))
            group = int(file.read_text())
            self.assertTrue(alive(group))
            harness.send_signal(signal.SIGKILL)
            harness.wait()
            self.assertTrue(eventually(lambda: not alive(group)))

    def test_what_was_ended_is_interrupted_and_no_failure(self):
        with mock.patch.object(qemu, "_stopping", threading.Event()):
            timer = threading.Timer(0.2, qemu.stop_all)
            timer.start()
            self.addCleanup(timer.join)
            with self.assertRaisesRegex(HarnessError, "^interrupted$"):
                qemu.run(["sleep", "60"])

    def test_an_interrupted_unpacking_keeps_the_package(self):
        with tempfile.TemporaryDirectory() as work, mock.patch.object(qemu, "_stopping", threading.Event()), \
                mock.patch.dict(os.environ, PATH=f"{work}:{os.environ['PATH']}"):
            (Path(work) / "dpkg-deb").write_text("#!/bin/sh\nexec sleep 60\n")
            (Path(work) / "dpkg-deb").chmod(0o755)
            package = Path(work) / "p.deb"
            package.touch()
            timer = threading.Timer(0.2, qemu.stop_all)
            timer.start()
            self.addCleanup(timer.join)
            with self.assertRaisesRegex(HarnessError, "^interrupted$"):
                deb.unpack(package, Path(work))
            self.assertTrue(package.exists())

    def test_a_program_that_is_gone_is_named(self):
        with self.assertRaisesRegex(HarnessError, "^/nonexistent/linux is not there"):
            qemu.start(["/nonexistent/linux"])

    def test_guests_side_by_side_share_the_processors(self):
        for processors, guests, cpus in ((2, 1, 2), (2, 2, 1), (2, 5, 1), (1, 1, 1), (16, 1, 2), (16, 8, 2), (16, 9, 1), (None, 1, 1)):
            with mock.patch("os.cpu_count", return_value=processors):
                self.assertEqual(machines.cpus_beside(guests), cpus, (processors, guests))


if __name__ == "__main__":
    unittest.main()
