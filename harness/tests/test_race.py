# SPDX-License-Identifier: MIT
"""The race of emulators: what a run's serial output means, and the table."""

import io
import unittest

from mvharness import race
from mvharness.errors import HarnessError

OUTPUT = b"Bochs 2.7\n<bochs:1> " + b"".join(b"<%d>%d 0000000%d\n" % (n, n, n) for n in range(len(race.KERNELS)))


class Race(unittest.TestCase):
    def clock(self):
        self.now = 0.0

        def tick():
            self.now += 0.5
            return self.now
        return tick

    def test_time_is_from_mark_to_mark(self):
        lap = race.read_lap(io.BytesIO(OUTPUT), self.clock())
        self.assertEqual(list(lap.seconds), list(race.KERNELS))
        self.assertEqual(set(lap.seconds.values()), {1.0})  # two characters at half a second
        self.assertEqual(lap.checksums["sha256"], "00000002")

    def test_an_early_end_is_a_failure(self):
        with self.assertRaisesRegex(HarnessError, "ended after 3 of 8"):
            race.read_lap(io.BytesIO(OUTPUT[:OUTPUT.index(b"<3")]), self.clock())

    def test_ratio_is_the_geometric_mean_by_kernel(self):
        fast = race.Lap({k: 1.0 for k in race.KERNELS}, {})
        slow = race.Lap({k: 2.0 if n % 2 else 8.0 for n, k in enumerate(race.KERNELS)}, {})
        lines = race.table({("x86-64", "mvmm"): [fast], ("x86-64", "Bochs"): [slow], ("AArch64", "QEMU TCG"): [slow]})
        self.assertFalse(lines[1].endswith("."), lines[1])
        self.assertTrue(lines[2].endswith("  4.00"), lines[2])
        self.assertTrue(lines[3].endswith("ms"), "nothing to compare with")


if __name__ == "__main__":
    unittest.main()
