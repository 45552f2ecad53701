# SPDX-License-Identifier: MIT
"""The process of a guest: how it is scheduled, and that it ends."""

import os
import subprocess
import unittest
from unittest import mock

from mvharness import machines, qemu


class GuestProcessTest(unittest.TestCase):
    def test_preempts_nobody_by_waking_up(self):
        process = qemu.start(["sleep", "60"], stdin=subprocess.DEVNULL)
        try:
            self.assertEqual(os.sched_getscheduler(process.pid), os.SCHED_BATCH)
        finally:
            qemu.stop(process)
        self.assertLess(process.returncode, 0)

    def test_guests_side_by_side_share_the_processors(self):
        for processors, guests, cpus in ((2, 1, 2), (2, 2, 1), (2, 5, 1), (1, 1, 1), (16, 1, 2), (16, 8, 2), (16, 9, 1), (None, 1, 1)):
            with mock.patch("os.cpu_count", return_value=processors):
                self.assertEqual(machines.cpus_beside(guests), cpus, (processors, guests))


if __name__ == "__main__":
    unittest.main()
