# SPDX-License-Identifier: MIT
"""The process of a guest: how it is scheduled, and that it ends."""

import os
import subprocess
import unittest

from mvharness import qemu


class GuestProcessTest(unittest.TestCase):
    def test_preempts_nobody_by_waking_up(self):
        process = qemu.start(["sleep", "60"], stdin=subprocess.DEVNULL)
        try:
            self.assertEqual(os.sched_getscheduler(process.pid), os.SCHED_BATCH)
        finally:
            qemu.stop(process)
        self.assertLess(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
